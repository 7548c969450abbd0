/**
 * What a model takes from every cell (costs, capacities, loads, who is down), kept from one model to the next. Each incident
 * wants a model of its own, once a second while there are many, and nearly nothing changes in between: only actors that
 * stepped since are read again (settle.ts marks them), so that a model costs copies of flat arrays instead of a visit to
 * every router and link. Derived: no part of a snapshot, and the same numbers as a first reading (readings.test.ts).
 */
import { interfaceKey } from "#protocol/id.ts"
import type { Cells } from "#twin/cells.ts"
import { level, OSPF_COST } from "#twin/interface.ts"
import type { LinkState } from "#twin/link.ts"
import type { Port } from "#twin/router.ts"
import { routersAt } from "#twin/topology.ts"
import type { Topology } from "#twin/topology.ts"

export interface Readings {
  readonly topology: Topology
  readonly cells: Cells
  /** By actor number, routers and then links: 1 = it has stepped since it was read. */
  readonly stale: Uint8Array
  /** OSPF costs that the routers say: of sending out of end a (2 * link) and end b (2 * link + 1); NaN = nothing. */
  readonly costs: Float64Array
  /** By link; NaN = unknown. */
  readonly capacityBps: Float64Array
  /** By direction (traffic.ts), bit/s; NaN = unknown. */
  readonly bps: Float64Array
  readonly downLinks: Uint8Array
  /** By router. */
  readonly silence: Uint8Array
  /** Changes with `costs` and `capacityBps`. */
  version: number
}

/** Of `silence`. A router that does not answer is down, unless a neighbour still receives traffic from it: then only its voice is lost. */
export const ANSWERS = 0
export const DOWN = 1
export const VOICELESS = 2

/** An actor has stepped. Actors behind the last link (the tenant) are no part of a model. */
export const noteStep = (readings: Readings | null, actor: number): void => {
  if (readings !== null && actor < readings.stale.length) readings.stale[actor] = 1
}

/** As of now. `known` = of before, of any twin; it is brought up to date where it is of this one. */
export const readingsOf = (topology: Topology, cells: Cells, known: Readings | null): Readings => {
  const isOurs = known !== null && known.topology === topology && known.cells === cells
  const readings = isOurs ? known : unread(topology, cells)
  const routers = topology.routers.length
  const { stale } = readings
  for (let actor = routers; actor < stale.length; actor++) if (stale[actor] === 1) readLink(readings, actor - routers)
  for (let slot = 0; slot < routers; slot++) if (stale[slot] === 1) readRouter(readings, slot)
  stale.fill(0)
  return readings
}

const unread = (topology: Topology, cells: Cells): Readings => {
  const [routers, links] = [topology.routers.length, topology.links.length]
  return {
    topology,
    cells,
    stale: new Uint8Array(routers + links).fill(1),
    costs: new Float64Array(2 * links).fill(Number.NaN),
    capacityBps: new Float64Array(links).fill(Number.NaN),
    bps: new Float64Array(2 * links).fill(Number.NaN),
    downLinks: new Uint8Array(links),
    silence: new Uint8Array(routers),
    version: 0,
  }
}

const readLink = (readings: Readings, link: number): void => {
  const { topology, cells, stale, capacityBps, bps, downLinks } = readings
  const state = cells.links.state(link)
  const capacity = state.capacityBps ?? Number.NaN
  if (!Object.is(capacityBps[link], capacity)) {
    capacityBps[link] = capacity
    readings.version++
  }
  bps[2 * link] = bpsOf(state, 0)
  bps[2 * link + 1] = bpsOf(state, 1)
  downLinks[link] = state.status.health === "down" ? 1 : 0
  // Whether a silent router still forwards is seen at the far ends of its links.
  for (const slot of routersAt(topology, link)) stale[slot] = 1
}

const readRouter = (readings: Readings, slot: number): void => {
  const { topology, cells, costs, silence } = readings
  const { ports } = topology.routers[slot] as Topology["routers"][number]
  const { reachable, interfaces } = cells.routers.state(slot)
  const rows = rowsOf(interfaces.keys, ports)
  for (let p = 0; p < ports.length; p++) {
    const row = rows[p] as number
    const { link, end } = ports[p] as Port
    const at = 2 * link + (end === "a" ? 0 : 1)
    const cost = (row < 0 ? null : level(interfaces, row, OSPF_COST)) ?? Number.NaN
    if (Object.is(costs[at], cost)) continue
    costs[at] = cost
    readings.version++
  }
  const isSilent = reachable === false
  silence[slot] = !isSilent ? ANSWERS : isForwarding(ports, (link) => cells.links.state(link)) ? VOICELESS : DOWN
}

/** Where the ports stand among the interfaces, for as long as a router lists the same ones; -1 = not among them. */
const rowsOf = (keys: readonly string[], ports: readonly Port[]): Int32Array => {
  const known = knownRows.get(keys)
  if (known?.ports === ports) return known.rows
  const rows = Int32Array.from(ports, ({ ifName }) => keys.indexOf(interfaceKey(ifName)))
  knownRows.set(keys, { ports, rows })
  return rows
}
const knownRows = new WeakMap<readonly string[], { readonly ports: readonly Port[]; readonly rows: Int32Array }>()

const NOTHING_BPS = 1000

/** Some neighbour receives from it. */
export const isForwarding = (
  ports: readonly Port[],
  linkAt: (slot: number) => Pick<LinkState, "a" | "b"> | undefined,
): boolean =>
  ports.some(({ link, end }) => {
    const state = linkAt(link)
    const far = end === "a" ? state?.b : state?.a
    return far?.fresh === true && (far.rxBps ?? 0) > NOTHING_BPS
  })

/** By direction; either end may have measured it. */
const bpsOf = ({ a, b }: LinkState, direction: 0 | 1): number => {
  const [from, to] = direction === 0 ? [a, b] : [b, a]
  return from?.txBps ?? to?.rxBps ?? Number.NaN
}
