/**
 * What an incident costs, by the what-if engine run on the network as it was before the fault: sites without service,
 * devices that nobody reaches, links, and subscribers by the session counts of before. What nobody measured is null.
 */
import type { CauseMember, ImpactView } from "#protocol/incident.ts"
import type { Cells } from "#twin/cells.ts"
import { NO_IMPACT } from "#twin/incident/state.ts"
import type { Incident } from "#twin/incident/state.ts"
import type { Suspicion } from "#twin/incident/suspicion.ts"
import type { Model as SightModel } from "#twin/rca/model.ts"
import type { World } from "#twin/round.ts"
import type { Topology } from "#twin/topology.ts"
import type { CustomersLost } from "#twin/whatif/customers.ts"
import { applyFaults } from "#twin/whatif/fault.ts"
import type { Fault } from "#twin/whatif/fault.ts"
import { losses } from "#twin/whatif/loss.ts"
import { lossModelOf } from "#twin/whatif/twin-model.ts"

/** Ids of each list. */
export const IMPACT_MAX = 2_000
/** Session counts that are kept of each concentrator, and how far apart they are at least. */
const COUNTS_MAX = 6
const COUNT_EVERY_MS = 30_000
/** A count that was read so shortly before a fault may know of it already: clocks of pollers differ. */
const BEFORE_MS = 5_000

/** Session counts by device id, oldest first. */
export type SessionMemory = Map<string, ReadonlyArray<readonly [atMs: number, sessions: number]>>

export const noteSessions = (memory: SessionMemory, device: string, atMs: number, sessions: number): void => {
  const known = memory.get(device) ?? []
  const last = known.at(-1)
  if (last !== undefined && atMs - last[0] < COUNT_EVERY_MS) return
  memory.set(device, [...known, [atMs, sessions] as const].slice(-COUNTS_MAX))
}

/** What is known of all session counts of before a moment. */
export interface SessionsBefore {
  /** Of a device, by slot; NaN = none is known. */
  readonly of: (slot: number) => number
  readonly all: number
  /** When the oldest of them was read; null = there is none. */
  readonly oldestMs: number | null
}

export const sessionsBefore = (memory: SessionMemory, { deviceSlot }: Topology, onsetMs: number): SessionsBefore => {
  const counts = new Map<number, number>()
  let all = 0
  let oldestMs: number | null = null
  for (const [device, known] of memory) {
    const slot = deviceSlot.get(device as never)
    const before = known.findLast(([atMs]) => atMs <= onsetMs - BEFORE_MS) ?? known[0]
    if (slot === undefined || before === undefined) continue
    const [atMs, sessions] = before
    oldestMs = Math.min(oldestMs ?? atMs, atMs)
    all += sessions
    counts.set(slot, sessions)
  }
  return { of: (slot) => counts.get(slot) ?? Number.NaN, all, oldestMs }
}

/** Who is hit, by these counts. */
export const subscribersHit = (
  { count, quality }: CustomersLost,
  { all, oldestMs }: SessionsBefore,
): Pick<ImpactView, "subscribers" | "subscribersPart"> => ({
  subscribers: count === null || quality === "unknown" || oldestMs === null ? null : { count, quality, atMs: oldestMs },
  subscribersPart: count === null || all === 0 ? null : Math.min(1, count / all),
})

/** Of a cause that takes something down; null = this kind of cause takes nobody's service. */
const faultsOf = ({ candidate, links }: Suspicion, model: SightModel): readonly Fault[] | null => {
  const { kind, index } = candidate.cause
  switch (kind) {
    case "link":
    case "group":
    case "shut":
      return kind === "group"
        ? (model.network.groups[index]?.links ?? []).map((link) => ({ kind: "link", link }) as const)
        : [...links].slice(0, 1).map(() => ({ kind: "link", link: kind === "shut" ? index >> 1 : index }) as const)
    case "router":
      return [{ kind: "router", router: index }]
    case "site":
      return [{ kind: "site", site: index }]
    case "loss":
    case "congestion":
    case "flap":
    case "agent":
    case "bgp":
    case "session":
      return null
  }
}

export const impactOf = (
  world: World,
  cells: Cells,
  memory: SessionMemory,
  incident: Incident,
  suspicion: Suspicion | null,
  sightModel: SightModel | null,
): ImpactView => {
  const shown = shownBy(incident)
  const faults = suspicion === null || sightModel === null ? null : faultsOf(suspicion, sightModel)
  if (suspicion === null || faults === null) return shown
  const { devices, sites, links } = world.topology.inventory
  const sessions = sessionsBefore(memory, world.topology, suspicion.onsetMs)
  const model = lossModelOf(world, cells, {
    before: {
      nodes: suspicion.silent,
      links: suspicion.links,
      sessionsOf: sessions.of,
    },
  })
  const failed = applyFaults(model, faults)
  const answer = losses(model, failed)
  const siteOf = (slot: number): string => devices[slot]?.site ?? ""
  const idOf = (slot: number): string => devices[slot]?.id ?? ""
  const lost = [...new Set([...answer.unreachable, ...answer.offline, ...answer.lostByGroups])].sort((x, y) => x - y)
  return {
    // Who only reports the loss has lost nothing.
    sites:
      lost.length === 0
        ? shown.sites
        : merged(
            answer.isolatedSites.map((site) => sites[site]?.id ?? ""),
            lost.map(siteOf),
          ),
    devices: merged(membersOf(incident, "device"), lost.map(idOf)),
    links: merged(
      shown.links,
      failed.links.map((link) => links[link]?.id ?? ""),
    ),
    services: incident.impact.services,
    ...subscribersHit(answer.customers, sessions),
  }
}

/** What the incident itself shows: where its symptoms and members stand. */
const shownBy = (incident: Incident): ImpactView => ({
  ...NO_IMPACT,
  services: incident.impact.services,
  sites: merged(
    membersOf(incident, "site"),
    incident.symptoms.map(({ site }) => site),
  ),
  devices: merged(
    membersOf(incident, "device"),
    incident.symptoms.map(({ device }) => device),
  ),
  links: membersOf(incident, "link"),
})

/** Of a class that nothing tells apart no member is known to be hit. */
const membersOf = ({ causes }: Incident, kind: CauseMember["kind"]): readonly string[] =>
  causes.flatMap(({ members }) => (members.length === 1 && members[0]?.kind === kind ? [members[0].id] : []))

const merged = (first: readonly string[], second: readonly string[]): readonly string[] =>
  [...new Set([...first, ...second])].filter((id) => id !== "").slice(0, IMPACT_MAX)
