/**
 * Keeps the health of every declared service beside the world: after an input those whose devices or links may be otherwise
 * are judged anew, once the news of the same fault are in. A change is an event of the service's own device (`service.down`,
 * `service.degraded`, `service.up`), so that rules hear it. Written by the round only; everything lies in the snapshot.
 */
import { deviceId } from "#protocol/id.ts"
import type { ServiceCondition, ServiceHealth } from "#protocol/service.ts"
import type { Cells } from "#twin/cells.ts"
import type { World } from "#twin/round.ts"
import type { Judgement } from "#twin/service/judge.ts"
import { judgeServices } from "#twin/service/judge.ts"
import type { ServicesPlan } from "#twin/service/plan.ts"
import { servicesPlan } from "#twin/service/plan.ts"
import type { Reading } from "#twin/service/unit.ts"
import { hasWatched, losesAll } from "#twin/service/upstream.ts"

/** One fault comes as several pieces of news (traps, both ends, polls): so long is waited for the others. */
export const SERVICE_SETTLE_MS = 2_000
/** Services that one input judges; the others follow with the next. */
export const SERVICES_A_TIME = 250

/** What is kept of one service. */
export interface ServiceState {
  readonly condition: ServiceCondition
  /** What people were told last; they take it for up until they hear otherwise. */
  readonly told: ServiceHealth
  /** Device that told it; "" = none has. */
  readonly by: string
}

/** Beside a world; written by the round only. */
export interface ServiceWatch {
  /** By service id. */
  readonly states: Map<string, ServiceState>
  /** Ids of those that may be otherwise, and since when one of them is. */
  readonly due: Set<string>
  dueSinceMs: number | null
  /** See Reading.failing. */
  readonly failing: Map<string, number>
  /** When evidence grows too old to count; null = none will. */
  staleMs: number | null
  /** Grows with every change of a condition: who shows them need not compare. Derived. */
  version: number
  /** Of this inventory; null = not made yet. Derived. */
  plan: ServicesPlan | null
  /** Slots from which no public target answers; null = not looked yet. Derived. */
  losing: Set<number> | null
}

export const newServiceWatch = (): ServiceWatch => ({
  states: new Map(),
  due: new Set(),
  dueSinceMs: null,
  failing: new Map(),
  staleMs: null,
  version: 0,
  plan: null,
  losing: null,
})

/** For the device that tells a service. `condition` null = it is its no more. */
export interface ServiceNews {
  /** Slot of the device; -1 = none stands for the service. */
  readonly slot: number
  readonly id: string
  readonly condition: ServiceCondition | null
  readonly old: ServiceHealth
}

/** Another inventory: everything is judged anew. */
export const replannedServices = (watch: ServiceWatch, { topology, atMs }: Pick<World, "topology" | "atMs">): void => {
  watch.plan = null
  watch.losing = null
  const { services = [] } = topology.inventory
  for (const key of watch.failing.keys())
    if (!topology.deviceSlot.has(deviceId(key.slice(0, key.indexOf(" "))))) watch.failing.delete(key)
  if (services.length === 0 && watch.states.size === 0) return
  for (const { id } of services) watch.due.add(id)
  watch.dueSinceMs ??= atMs
}

export const hearServices = (world: World, cells: Cells, slots: ReadonlySet<number>): void => {
  const { services: watch, topology } = world
  if (slots.size === 0 || (topology.inventory.services?.length ?? 0) === 0) return
  const plan = planOf(watch, world)
  const dueAll = (indexes: readonly number[]): void => {
    for (const index of indexes) watch.due.add(plan.services[index]!.service.id)
    watch.dueSinceMs ??= world.atMs
  }
  if (plan.transits.length > 0 && concernsTransits(watch, cells, plan, slots)) dueAll(plan.transits)
  for (const slot of slots) {
    const here = plan.at.get(slot)
    if (here !== undefined) dueAll(here)
  }
}

/** What is the same for all of them (publicTargets): which sites watch, what they lose, and how one is blamed for another. */
const concernsTransits = (
  watch: ServiceWatch,
  cells: Cells,
  plan: ServicesPlan,
  slots: ReadonlySet<number>,
): boolean => {
  watch.losing ??= new Set(plan.topology.routers.flatMap((_, slot) => (losesAll({ cells }, slot) ? [slot] : [])))
  let concerns = false
  for (const slot of slots) {
    if (losesAll({ cells }, slot)) watch.losing.add(slot)
    else watch.losing.delete(slot)
    // Who watches no more, or fell silent, is missed by every transit.
    concerns ||= hasWatched({ cells }, slot)
  }
  // What is lost is blamed on those that stand, unless it is cut off: that hangs on every way between there and an edge.
  return concerns || watch.losing.size > 0
}

/** Of the inventory as it is. */
export const planOf = (watch: ServiceWatch, { topology }: Pick<World, "topology">): ServicesPlan => {
  if (watch.plan?.topology === topology) return watch.plan
  return (watch.plan = servicesPlan(topology))
}

/** When it wants to be asked; null = there is no reason to. It is asked with the first input from then on. */
export const servicesDueMs = ({ services }: Pick<World, "services">): number | null => {
  const { dueSinceMs, staleMs } = services
  const settled = dueSinceMs === null ? null : dueSinceMs + SERVICE_SETTLE_MS
  return settled === null || staleMs === null ? (settled ?? staleMs) : Math.min(settled, staleMs)
}

/** Judges, if it is due. In the inventory's order of services. */
export const serviceNews = (world: World, cells: Cells): readonly ServiceNews[] => {
  const { services: watch, atMs } = world
  const dueMs = servicesDueMs(world)
  if (dueMs === null || atMs < dueMs) return []
  const plan = planOf(watch, world)
  if (watch.staleMs !== null && atMs >= watch.staleMs)
    for (const { service } of plan.services) watch.due.add(service.id)
  const news: ServiceNews[] = forgotten(watch, plan)
  const wanted = plan.services.flatMap(({ service }, index) => (watch.due.has(service.id) ? [index] : []))
  const now = wanted.slice(0, SERVICES_A_TIME)
  const reading: Reading = {
    topology: world.topology,
    cells,
    nowMs: atMs,
    failing: watch.failing,
    staleMs: watch.staleMs === null || atMs >= watch.staleMs ? Number.POSITIVE_INFINITY : watch.staleMs,
  }
  for (const [index, judgement] of judgeServices(reading, plan, now)) news.push(...taken(world, plan, index, judgement))
  for (const index of now) watch.due.delete(plan.services[index]!.service.id)
  if (now.length === wanted.length) watch.due.clear()
  watch.dueSinceMs = watch.due.size === 0 ? null : atMs - SERVICE_SETTLE_MS
  watch.staleMs = Number.isFinite(reading.staleMs) ? reading.staleMs : null
  return news
}

/** What is declared no more leaves no alert behind. */
const forgotten = (watch: ServiceWatch, { services, topology }: ServicesPlan): ServiceNews[] => {
  const known = new Set(services.map(({ service }) => service.id))
  const news: ServiceNews[] = []
  for (const [id, { told, by }] of [...watch.states].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (known.has(id)) continue
    watch.states.delete(id)
    watch.version++
    const slot = topology.deviceSlot.get(deviceId(by))
    if (slot !== undefined) news.push({ slot, id, condition: null, old: told })
  }
  return news
}

const taken = (
  world: World,
  { services, topology }: ServicesPlan,
  index: number,
  judgement: Judgement,
): readonly ServiceNews[] => {
  const { services: watch, atMs } = world
  const { service, anchor } = services[index]!
  const before = watch.states.get(service.id)
  const was = before?.condition
  if (was === undefined || !isSame(was, judgement)) watch.version++
  const condition: ServiceCondition = {
    ...judgement,
    sinceMs: was?.health === judgement.health ? was.sinceMs : atMs,
    atMs,
  }
  const by = topology.inventory.devices[anchor]?.id ?? ""
  const told = before?.told ?? "up"
  // Not to know is no news, and what was taken for up and is up is none either.
  const isNews = condition.health !== "unknown" && (condition.health !== told || changedVerdict(was, condition))
  const news: ServiceNews[] = []
  if (before !== undefined && before.by !== by && before.by !== "") {
    const slot = topology.deviceSlot.get(deviceId(before.by))
    if (slot !== undefined) news.push({ slot, id: service.id, condition: null, old: told })
    if (told !== "up" && !isNews) news.push({ slot: anchor, id: service.id, condition, old: told })
  }
  if (isNews) news.push({ slot: anchor, id: service.id, condition, old: told })
  watch.states.set(service.id, { condition, told: isNews ? condition.health : told, by })
  return news
}

/** An outage of the provider's is more than a session that is down. */
const changedVerdict = (was: ServiceCondition | undefined, { transit, health }: ServiceCondition): boolean =>
  health !== "up" && was !== undefined && was.health === health && was.transit?.verdict !== transit?.verdict

const isSame = (was: ServiceCondition, now: Judgement): boolean =>
  was.health === now.health &&
  was.words === now.words &&
  was.transit?.verdict === now.transit?.verdict &&
  was.transit?.confidence === now.transit?.confidence &&
  was.reasons.length === now.reasons.length &&
  was.reasons.every(({ text, isFault }, i) => text === now.reasons[i]!.text && isFault === now.reasons[i]!.isFault)

// -- in a snapshot -------------------------------------------------------------------------------------------------------

export interface StoredServices {
  readonly states: ReadonlyArray<readonly [id: string, state: ServiceState]>
  readonly due: readonly string[]
  readonly dueSinceMs: number | null
  readonly failing: ReadonlyArray<readonly [key: string, atMs: number]>
  readonly staleMs: number | null
}

const byKey = <V>(map: ReadonlyMap<string, V>): ReadonlyArray<readonly [string, V]> =>
  [...map].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))

export const storedServices = ({ states, due, dueSinceMs, failing, staleMs }: ServiceWatch): StoredServices => ({
  states: byKey(states),
  due: [...due].sort(),
  dueSinceMs,
  failing: byKey(failing),
  staleMs,
})

export const restoredServices = (stored: StoredServices): ServiceWatch => ({
  ...newServiceWatch(),
  states: new Map(stored.states),
  due: new Set(stored.due),
  dueSinceMs: stored.dueSinceMs,
  failing: new Map(stored.failing),
  staleMs: stored.staleMs,
})
