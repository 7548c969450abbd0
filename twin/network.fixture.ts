/** A running twin for tests: inputs in, round results out, and random histories of a small ring with a parallel link. */
import fc from "fast-check"
import { countsOf, deviceView, linkView } from "#twin/view.ts"
import type { Inventory } from "#protocol/inventory.ts"
import { unpackStatus } from "#protocol/status.ts"
import type { Status } from "#protocol/status.ts"
import type { Counts, DeviceView, LinkView } from "#protocol/view.ts"
import { plainCells } from "#twin/cells.ts"
import type { Cells } from "#twin/cells.ts"
import { hashTwin } from "#twin/hash.ts"
import type { Input, Sequenced } from "#twin/input.ts"
import { device, idOf, inventory, link, poll, ports, silence, T0, trap } from "#twin/inventory.fixture.ts"
import type { Rows } from "#twin/inventory.fixture.ts"
import { changeOf, POOL, rulesInput } from "#twin/judge/pool.fixture.ts"
import { newWorld, runRound } from "#twin/round.ts"
import type { RoundResult, World } from "#twin/round.ts"

export interface Network {
  readonly world: World
  readonly cells: Cells
  /** One round of these inputs; a step that throws fails the test. */
  readonly apply: (...inputs: readonly Input[]) => RoundResult
  readonly device: (name: string) => DeviceView
  readonly link: (id: string) => LinkView
  /** As drawn on the map. */
  readonly shown: (slot: number) => Status
  readonly linkShown: (slot: number) => Status
  readonly counts: () => Counts
  readonly hash: () => string
}

export const network = (start: Inventory): Network => {
  const world = newWorld()
  const cells = plainCells(undefined, (_bank, _slot, error) => {
    throw error
  })
  const apply = (...inputs: readonly Input[]): RoundResult =>
    runRound(
      world,
      cells,
      inputs.map((input, index) => ({ seq: world.seq + 1 + index, input })),
    )
  apply({ kind: "topology", atMs: T0, rev: 1, inventory: start })
  const found = <T>(view: T | null): T => {
    if (view === null) throw new Error("no such entity")
    return view
  }
  return {
    world,
    cells,
    apply,
    device: (name) => found(deviceView(world, cells, idOf(name))),
    link: (id) => found(linkView(world, cells, id)),
    shown: (slot) => unpackStatus(world.columns.nodeStatus[slot] as number),
    linkShown: (slot) => unpackStatus(world.columns.linkStatus[slot] as number),
    counts: () => countsOf(cells),
    hash: () => hashTwin(world, cells),
  }
}

/** One router, polled by SNMP unless told otherwise. */
export const alone = (change: Parameters<typeof device>[1] = {}): Network => network(inventory([device("r1", change)]))
/** Two routers and one link between their ether1. */
export const pair = (): Network => network(inventory([device("r1"), device("r2")], [link("l1", "r1:ether1 r2:ether1")]))
export const TWO = { sources: ["snmp", "routeros"] } as const
export const observed = (events: RoundResult["events"]): RoundResult["events"] =>
  events.filter(({ type }) => !type.startsWith("incident."))
export const at = (seconds: number): number => T0 + seconds * 1000
/** `type old>new` of each event but those of incidents, which follow from the others. */
export const types = ({ events }: Pick<RoundResult, "events">): string[] =>
  observed(events).map((event) => `${event.type} ${event.old}>${event.new}`)

/** Ring r1-r2-r3-r4 with a second link r1-r2; r3 is pinged too, r4 is polled by two collectors. */
export const RING = inventory(
  [
    device("r1"),
    device("r2"),
    device("r3", { sources: ["snmp", "probe"] }),
    device("r4", { sources: ["snmp", "routeros"], pollSeconds: 20 }),
  ],
  [
    link("l1", "r1:ether1 r2:ether1"),
    link("l2", "r1:ether2 r2:ether2", null),
    link("l3", "r2:ether3 r3:ether3"),
    link("l4", "r3:ether4 r4:ether4"),
    link("l5", "r4:ether5 r1:ether5"),
  ],
)

const NAMES = ["r1", "r2", "r3", "r4"] as const
const PORTS: Readonly<Record<string, readonly string[]>> = {
  r1: ["ether1", "ether2", "ether5"],
  r2: ["ether1", "ether2", "ether3"],
  r3: ["ether3", "ether4"],
  r4: ["ether4", "ether5"],
}

type Happens = { readonly afterMs: number; readonly input: (atMs: number) => Input }

const happens: fc.Arbitrary<Happens> = fc
  .record({
    afterMs: fc.oneof(
      fc.nat(12_000),
      fc.constant(0),
      fc.integer({ min: -3000, max: 0 }),
      fc.integer({ min: 30_000, max: 90_000 }),
    ),
    name: fc.constantFrom(...NAMES),
    what: fc.constantFrom(
      "ports",
      "ports",
      "ports",
      "ping",
      "values",
      "silence",
      "trap",
      "syslog",
      "tick",
      "adjacency",
      "rules",
      "silences",
      "ack",
    ),
    bits: fc.nat(7),
    number: fc.nat(2 ** 31),
    second: fc.boolean(),
  })
  .map(({ afterMs, name, what, bits, number, second }): Happens => {
    const names = PORTS[name] ?? []
    const port = names[number % names.length] ?? ""
    const source = second && name === "r4" ? "routeros" : "snmp"
    const up = (index: number): boolean => ((bits >> index) & 1) === 1
    const input = (atMs: number): Input => {
      if (what === "rules" || what === "silences" || what === "ack") return changeOf(what, name, port, number, atMs)
      if (what === "ports")
        return ports(name, atMs, Object.fromEntries(names.map((port, index) => [port, up(index)])), { source })
      if (what === "values") return poll(name, atMs, valuesOf(port, number, bits), { source })
      if (what === "ping" && name === "r3")
        return poll(name, atMs, { "": { "device.up": bits & 1, "probe.ping.rtt_ms": bits } }, { source: "probe" })
      if (what === "silence") return silence(name, atMs, source)
      if (what === "tick" || what === "ping") return { kind: "tick", atMs }
      if (what === "trap")
        return trap(name, atMs, {
          trap: up(0) ? "linkUp" : "linkDown",
          ifName: up(1) ? port : null,
          ifIndex: 1,
          adminUp: up(2) ? true : null,
        })
      if (what === "adjacency")
        return poll(
          name,
          atMs,
          { [`ospf:10.0.0.${number % 3}`]: { "ospf.neighbor.state": bits } },
          { source, complete: up(0) ? ["ospf.neighbor"] : [] },
        )
      const event = up(0)
        ? ({ type: "interface", ifName: port, up: up(1) } as const)
        : ({ type: "ospf", remote: `10.0.0.${number % 3}`, state: up(1) ? "Full" : "Down" } as const)
      return { kind: "syslog", device: idOf(name), atMs, severity: 4, topics: [], message: "a line", event, count: 1 }
    }
    return { afterMs, input }
  })

const valuesOf = (port: string, number: number, bits: number): Rows => ({
  "": { "device.uptime_seconds": number % 100_000, "pppoe.sessions.active": number % 1000 },
  [`if:${port}`]: {
    "interface.rx_bytes_total": number,
    "interface.tx_bytes_total": number * bits,
    "interface.speed_bps": bits === 0 ? 0 : 1e9,
    "interface.counter_bits": bits % 2 === 0 ? 32 : 64,
  },
})

/** Rules, then inputs in the order of their arrival; times may stand still and step back a little, as collectors' do. */
export const history = (maxLength = 60): fc.Arbitrary<readonly Sequenced[]> =>
  fc.array(happens, { minLength: 1, maxLength }).map((list) => {
    let atMs = T0
    const inputs = list.map(({ afterMs, input }) => {
      atMs += Math.max(0, afterMs)
      return input(atMs + Math.min(0, afterMs))
    })
    return [rulesInput(POOL), ...inputs].map((input, index) => ({ seq: index + 2, input }))
  })

/** The first input of every history. */
export const FIRST: Sequenced = { seq: 1, input: { kind: "topology", atMs: T0, rev: 1, inventory: RING } }
