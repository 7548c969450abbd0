/**
 * The emulated ISP as the collector reads it over real sockets, folded into a twin under any declared inventory: what
 * inference and drift are measured on. Addresses are those of the lab's agents; time is the lab's own.
 */
import * as Effect from "effect/Effect"
import { makeSnmpCollector } from "#engine/collectors/snmp/collector.ts"
import { makeBridgeHostsGate } from "#engine/privacy/bridge-hosts.ts"
import type { Isp } from "#lab/isp/model.ts"
import { Lab } from "#lab/lab.ts"
import { deviceId, linkId, siteId } from "#protocol/id.ts"
import type { Inventory, Link } from "#protocol/inventory.ts"
import type { Cells } from "#twin/cells.ts"
import { plainCells } from "#twin/cells.ts"
import type { PollInput } from "#twin/input.ts"
import type { World } from "#twin/round.ts"
import { newWorld, runRound } from "#twin/round.ts"

const EVENING = Date.UTC(2026, 0, 2, 0, 0, 0)
const POLL_MS = 30_000
const ROUNDS = 4

export interface Heard {
  readonly isp: Isp
  /** Routers that said nothing of neighbours and addresses. */
  readonly quiet: ReadonlySet<number>
  readonly polls: readonly PollInput[]
  readonly startMs: number
}

/** Several rounds of whole polls of every router, the lab's traffic going on in between. */
export const listen = async (routers: number, seed: number, net: string, quietSwitches = 0): Promise<Heard> => {
  let nowMs = EVENING
  const lab = await Lab.start({ routers, seed, net, snmpPort: 0, apiPort: 0, quietSwitches, clock: () => nowMs })
  const gate = makeBridgeHostsGate()
  const polls: PollInput[] = []
  try {
    for (let round = 0; round < ROUNDS; round++) {
      nowMs += POLL_MS
      for (const router of lab.isp.routers) {
        const { address, snmpPort } = lab.fleet.endpoints[router.index]!
        const opened = makeSnmpCollector().open({
          device: deviceId(router.name),
          name: router.name,
          address,
          pollSeconds: POLL_MS / 1_000,
          snmp: { ...router.snmp, port: snmpPort },
          routeros: null,
        })
        if (opened === null) throw new Error(`${router.name} cannot be polled`)
        const poll = await Effect.runPromise(Effect.scoped(Effect.flatMap(opened, (one) => one.poll(20_000))))
        polls.push(gate.discreet({ ...poll, startedMs: nowMs, atMs: nowMs }))
      }
    }
    return { isp: lab.isp, quiet: lab.network.quiet, polls, startMs: EVENING }
  } finally {
    await lab.close()
  }
}

const endOf = (isp: Isp, port: number): Link["a"] => {
  const { router, name } = isp.ports[port]!
  return { device: deviceId(isp.routers[router]!.name), interface: name }
}

/** Every wire between two routers, as it is. */
export const truthOf = (isp: Isp): readonly Link[] =>
  isp.links.map(({ index, a, b, capacityBps }) => ({
    id: linkId(`l${String(index).padStart(5, "0")}`),
    a: endOf(isp, a),
    b: endOf(isp, b),
    capacityBps,
  }))

/** `blank`: no role of anybody is declared but `other`. */
export const twinOf = (
  { isp, polls, startMs }: Heard,
  links: readonly Link[],
  blank = false,
): { readonly world: World; readonly cells: Cells } => {
  const inventory: Inventory = {
    sites: isp.sites.map(({ id, name, latitude, longitude }) => ({ id: siteId(id), name, latitude, longitude })),
    devices: isp.routers
      .map(({ name, roles, site }, index) => ({
        id: deviceId(name),
        name,
        address: `192.0.${index >> 8}.${index & 255}`,
        site: siteId(isp.sites[site]!.id),
        roles: blank ? (["other"] as const) : roles,
        pollSeconds: POLL_MS / 1_000,
        sources: ["snmp"] as const,
      }))
      .sort((x, y) => (x.name < y.name ? -1 : 1)),
    links: links.toSorted((x, y) => (x.id < y.id ? -1 : 1)),
  }
  const world = newWorld()
  const cells = plainCells(undefined, (_bank, _slot, error) => {
    throw error
  })
  const inputs = [{ kind: "topology" as const, atMs: startMs, rev: 1, inventory }, ...polls]
  runRound(
    world,
    cells,
    inputs.map((input, i) => ({ seq: i + 1, input })),
  )
  return { world, cells }
}
