/**
 * Who has lost its second way although the plan has one: after every input the watch asks whether a link or a router went
 * down or came back, waits until the news of the same fault are in, and walks over the network once (redundancy.ts). Who is
 * newly on one way alone, or has two again, is told; its router makes the event, so that rules hear it (twin/round.ts).
 */
import { deviceId } from "#protocol/id.ts"
import type { DeviceId } from "#protocol/id.ts"
import type { Cells } from "#twin/cells.ts"
import { at } from "#twin/chunked.ts"
import type { LinkFact } from "#twin/link.ts"
import type { World } from "#twin/round.ts"
import type { NodeFact } from "#twin/router.ts"
import type { TenantState } from "#twin/tenant.ts"
import type { Topology } from "#twin/topology.ts"
import { flatGraphOf } from "#twin/whatif/graph.ts"
import type { FlatGraph } from "#twin/whatif/graph.ts"
import type { SinglePoint } from "#twin/whatif/next-failure.ts"
import { reachableFrom } from "#twin/whatif/reach.ts"
import { redundancyOf, singleWays } from "#twin/whatif/redundancy.ts"
import type { Redundancy } from "#twin/whatif/redundancy.ts"
import { isForwarding } from "#twin/whatif/readings.ts"
import { exitsOfRoles } from "#twin/whatif/twin-model.ts"

/** One fault comes as several pieces of news (both ends, traps and polls): so long is waited for the others. */
export const SETTLE_MS = 2_000
/** A walk costs about a microsecond a router: bigger networks are walked over less often. */
const SETTLE_MS_A_ROUTER = 0.5
/** Routers that one walk tells; the others are told by the next. */
export const TOLD_MAX = 256
const WORDS_MAX = 256

/** Beside a world; written by the round only. */
export interface RedundancyWatch {
  /** Routers that were told to have lost their second way. */
  lost: ReadonlySet<DeviceId>
  /** When something went down or came back that no walk has seen yet; null = nothing did. */
  changedMs: number | null
  /** Of this inventory; null = not made yet. Derived, so that no snapshot keeps it. */
  plan: Plan | null
}

interface Plan {
  readonly topology: Topology
  readonly graph: FlatGraph
  readonly exits: readonly number[]
  readonly outside: Uint8Array
  /** With everything up. */
  readonly whole: Redundancy
}

export interface RedundancyNews {
  readonly slot: number
  readonly lost: boolean
  /** On what everything hangs now; null = not lost. */
  readonly by: string | null
}

export const newWatch = (): RedundancyWatch => ({ lost: new Set(), changedMs: null, plan: null })

/** Another inventory: other ways are planned. */
export const replanned = (watch: RedundancyWatch, nowMs: number): void => {
  watch.plan = null
  watch.changedMs ??= nowMs
}

/** `tenant` as it was before it hears these facts. */
export const hearUpDown = (
  { redundancy, atMs }: Pick<World, "redundancy" | "atMs">,
  tenant: TenantState,
  nodes: readonly NodeFact[],
  links: readonly LinkFact[],
): void => {
  // Also while the tenant still has the shape of another inventory: `replanned` went before.
  if (redundancy.changedMs !== null) return
  const turned =
    nodes.some((fact) => isSilent(at(tenant.nodes, fact.slot).fact) !== isSilent(fact)) ||
    links.some((fact) => isDown(at(tenant.links, fact.slot)) !== isDown(fact))
  if (turned) redundancy.changedMs = atMs
}

const isSilent = (fact: NodeFact | null): boolean => fact?.reachable === false
const isDown = (fact: LinkFact | null): boolean => fact?.status.health === "down"

/** When the next walk may be; null = there is no reason to. It takes place with the first input from then on. */
export const walkDueMs = ({ redundancy, topology }: Pick<World, "redundancy" | "topology">): number | null =>
  redundancy.changedMs === null
    ? null
    : redundancy.changedMs + Math.max(SETTLE_MS, SETTLE_MS_A_ROUTER * topology.routers.length)

/**
 * Walks, if it is due. By slot; at most TOLD_MAX. Who has no way at all is in nobody's news: that is an outage, and only two
 * ways end what was lost. O(V + E) and a scan of what is down.
 */
export const redundancyNews = (world: World, cells: Cells): readonly RedundancyNews[] => {
  const { redundancy: watch, topology, atMs } = world
  const dueMs = walkDueMs(world)
  if (dueMs === null || atMs < dueMs) return []
  watch.changedMs = null
  const { devices } = topology.inventory
  const { single, reached } = walkedOver(planOf(watch, topology), topology, cells)
  const lost = new Set<DeviceId>()
  const news: RedundancyNews[] = []
  for (const [slot, { id }] of devices.entries()) {
    const point = single.get(slot)
    const was = watch.lost.has(id)
    const is = point?.lostNow === true || (was && reached[slot] === 0)
    if (was !== is && news.length === TOLD_MAX) {
      watch.changedMs = atMs
      if (was) lost.add(id)
      continue
    }
    if (is) lost.add(id)
    if (was !== is) news.push({ slot, lost: is, by: is && point !== undefined ? wordsOf(topology, point) : null })
  }
  watch.lost = lost
  return news
}

const planOf = (watch: RedundancyWatch, topology: Topology): Plan => {
  if (watch.plan?.topology === topology) return watch.plan
  const graph = flatGraphOf(topology)
  const { exits, outside } = exitsOfRoles(topology.inventory.devices)
  const whole = redundancyOf(graph, exits, new Uint8Array(graph.nodes), new Uint8Array(graph.links))
  return (watch.plan = { topology, graph, exits, outside, whole })
}

const walkedOver = ({ graph, exits, outside, whole }: Plan, topology: Topology, cells: Cells) => {
  const tenant = cells.tenant.state(0)
  const downLinks = Uint8Array.from({ length: graph.links }, (_, slot) => Number(isDown(at(tenant.links, slot))))
  const downNodes = Uint8Array.from(topology.routers, ({ ports }, slot) =>
    Number(isSilent(at(tenant.nodes, slot).fact) && !isForwarding(ports, (link) => cells.links.state(link))),
  )
  const now = redundancyOf(graph, exits, downNodes, downLinks)
  const single = new Map(singleWays(now, whole, outside).map((point) => [point.router, point]))
  return { single, reached: reachableFrom(graph, exits, downNodes, downLinks) }
}

const wordsOf = ({ links, inventory }: Topology, { link, byRouter }: SinglePoint): string => {
  const cable = links[link]
  const name = cable === undefined ? (inventory.devices[byRouter]?.name ?? "") : `${cable.a} - ${cable.b}`
  return name.slice(0, WORDS_MAX)
}

// -- in a snapshot -------------------------------------------------------------------------------------------------------

export interface StoredWatch {
  readonly lost: readonly string[]
  readonly changedMs: number | null
}

export const storedWatch = ({ lost, changedMs }: RedundancyWatch): StoredWatch => ({
  lost: [...lost].sort(),
  changedMs,
})

export const restoredWatch = ({ lost, changedMs }: StoredWatch): RedundancyWatch => ({
  lost: new Set(lost.map(deviceId)),
  changedMs,
  plan: null,
})
