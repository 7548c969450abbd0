/**
 * A small network that has everything a question can be about: an upstream, two cores, a ring of three access routers, a
 * lone one behind a single link, sites, loads that both ends count, sessions. Fed by polls, as a collector would send them.
 */
import { deviceId, linkId, siteId } from "#protocol/id.ts"
import type { EntityKey } from "#protocol/id.ts"
import type { Inventory } from "#protocol/inventory.ts"
import { metricId } from "#protocol/metric.ts"
import type { MetricName } from "#protocol/metric.ts"
import type { Role } from "#protocol/role.ts"
import type { TwinMoment } from "#engine/whatif/lean.ts"
import { plainCells } from "#twin/cells.ts"
import type { Input, PollInput } from "#twin/input.ts"
import { newWorld, runRound } from "#twin/round.ts"

/** `up - core1, core2`; `core1 - core2`; ring `core1 - acc1 - acc2 - core2`; `core1 - lone`. */
const LINKS: ReadonlyArray<readonly [id: string, ends: string, mbps: number]> = [
  ["l-up1", "up:u1 core1:u", 60],
  ["l-up2", "up:u2 core2:u", 0],
  ["l-core", "core1:c core2:c", 10],
  ["l-r1", "core1:r acc1:a", 30],
  ["l-r2", "acc1:b acc2:a", 5],
  ["l-r3", "core2:r acc2:b", 10],
  ["l-lone", "core1:l lone:a", 20],
]
const DEVICES: ReadonlyArray<readonly [name: string, role: Role, site: string]> = [
  ["up", "upstream", "s1"],
  ["core1", "core", "s1"],
  ["core2", "core", "s1"],
  ["acc1", "access", "s2"],
  ["acc2", "access", "s2"],
  ["lone", "access", "s3"],
]
const SESSIONS: Readonly<Record<string, number>> = { acc1: 300, acc2: 100, lone: 40 }

export const T0 = 1_760_000_000_000
const POLL_SECONDS = 10

export const declared = (change: (it: Inventory) => Inventory = (it) => it): Inventory =>
  change({
    sites: ["s1", "s2", "s3"].map((site, n) => ({
      id: siteId(site),
      name: `Site ${n + 1}`,
      latitude: n,
      longitude: n,
    })),
    devices: DEVICES.toSorted(([x], [y]) => (x < y ? -1 : 1)).map(([name, role, site]) => ({
      id: deviceId(id(name)),
      name,
      address: "127.0.1.1",
      site: siteId(site),
      roles: [role],
      pollSeconds: POLL_SECONDS,
      sources: ["snmp"],
    })),
    links: LINKS.map(([link, ends]) => {
      const [a, b] = ends.split(" ").map((end) => {
        const [name = "", port = ""] = end.split(":")
        return { device: deviceId(id(name)), interface: port }
      })
      return { id: linkId(link), a: a!, b: b!, capacityBps: null }
    }),
  })

export const id = (name: string): string => `id-${name}`

/** `down`: ports `router:port` that are down. Three polls, so that rates are known. */
export const watched = (it: Inventory = declared(), down: readonly string[] = []): TwinMoment => {
  const world = newWorld()
  const cells = plainCells(undefined, (_bank, _slot, error) => {
    throw error
  })
  const inputs: Input[] = [{ kind: "topology", atMs: T0, rev: 1, inventory: it }]
  for (let n = 1; n <= 3; n++)
    for (const [name] of DEVICES) inputs.push(pollOf(name, T0 + n * POLL_SECONDS * 1_000, rowsOf(name, n, down)))
  runRound(
    world,
    cells,
    inputs.map((input, i) => ({ seq: i + 1, input })),
  )
  return { world, cells }
}

type Rows = Readonly<Record<string, Readonly<Partial<Record<MetricName, number>>>>>

const pollOf = (name: string, atMs: number, rows: Rows): PollInput => {
  const entities = Object.keys(rows) as EntityKey[]
  const flat = Object.values(rows).flatMap((values, entity) =>
    Object.entries(values).map(([metric, value]) => ({ entity, metric: metricId(metric as MetricName), value })),
  )
  return {
    kind: "poll",
    device: deviceId(id(name)),
    source: "snmp",
    startedMs: atMs - 100,
    atMs,
    entities,
    entity: Uint16Array.from(flat, (row) => row.entity),
    metric: Uint16Array.from(flat, (row) => row.metric),
    value: Float64Array.from(flat, (row) => row.value),
    texts: [],
    complete: ["interface"],
  }
}

/** Traffic flows from the upstream down; up is a tenth. */
const rowsOf = (name: string, poll: number, down: readonly string[]): Rows => {
  const rows: Record<string, Rows[string]> = { "": { "device.uptime_seconds": 1_000 + poll * POLL_SECONDS } }
  const sessions = SESSIONS[name]
  if (sessions !== undefined) rows[""] = { ...rows[""], "pppoe.sessions.active": sessions }
  const bytes = (mbps: number): number => (poll * POLL_SECONDS * mbps * 1e6) / 8
  for (const [, ends, mbps] of LINKS)
    for (const [at, end] of ends.split(" ").entries()) {
      const [router, port] = end.split(":")
      if (router !== name) continue
      const [sent, received] = at === 0 ? [mbps, mbps / 10] : [mbps / 10, mbps]
      const isUp = !down.includes(end)
      rows[`if:${port}`] = {
        "interface.oper_up": isUp ? 1 : 0,
        "interface.admin_up": 1,
        "interface.speed_bps": 1e9,
        "interface.counter_bits": 64,
        "interface.tx_bytes_total": isUp ? bytes(sent) : 0,
        "interface.rx_bytes_total": isUp ? bytes(received) : 0,
      }
    }
  return rows
}
