/**
 * After a change of rules, silences or inventory, a walk past all routers tells each that it is judged otherwise now, a few in
 * each input: ten thousand at once would hold the twin for seconds. A router that is heard before the walk comes by has
 * learnt it from that message. A change during a walk makes it one whole circle longer, so that nobody waits for more than a
 * circle, and it goes on from where it is.
 */
import type { RouterJudgement } from "#twin/judge/judged.ts"
import type { Judge } from "#twin/judge/judging.ts"
import { isSilence } from "#twin/judge/silence.ts"

/** Plain data: it lies in snapshots. */
export interface Walk {
  /** The next one. */
  readonly slot: number
  /** Routers to come by. */
  readonly left: number
  /** No step before this. */
  readonly dueMs: number
}

/** The twin's time between two steps, which leaves the twin to its inputs most of the time. */
export const STEP_MS = 100
/** Entities of the routers that one step tells; more only where a single router has more. */
export const STEP_ENTITIES = 1000
/** Routers that one step comes by at most, told or not. */
export const STEP_ROUTERS = 1000
/** What a router costs beside its entities. */
const ROUTER_WEIGHT = 4

/** A walk past all routers from now on, or the one that is under way with so much more to go. */
export const walkAgain = (walk: Walk | null, routers: number, nowMs: number): Walk | null =>
  routers === 0 ? null : { slot: (walk?.slot ?? 0) % routers, left: routers, dueMs: walk?.dueMs ?? nowMs }

export interface WalkStep {
  /** Who is to be told. */
  readonly slots: readonly number[]
  /** Null = all have been passed. */
  readonly walk: Walk | null
}

/** `isBehind` says how many entities a router has that must be told, null = it need not be. */
export const walkStep = (
  { slot: first, left }: Walk,
  routers: number,
  nowMs: number,
  most: number,
  behind: (slot: number) => number | null,
): WalkStep => {
  const slots: number[] = []
  let weight = 0
  let passed = 0
  while (passed < left && weight < most && (passed < STEP_ROUTERS || most === Number.POSITIVE_INFINITY)) {
    const slot = (first + passed++) % routers
    const entities = behind(slot)
    if (entities === null) continue
    slots.push(slot)
    weight += entities + ROUTER_WEIGHT
  }
  const rest = left - passed
  return { slots, walk: rest === 0 ? null : { slot: (first + passed) % routers, left: rest, dueMs: nowMs + STEP_MS } }
}

/** Entities of a judgement that something changed for; null = for it all is as before. */
export const entitiesBehind = (held: RouterJudgement | null, judge: Judge | null): number | null => {
  if (held === null) return judge === null || judge.idle ? null : 0
  if (judge === null || held.generation === judge.generation) return null
  const { device } = held
  const asBefore =
    device.planKey === judge.plan.key &&
    held.silenceMs === null &&
    judge.silences.length === 0 &&
    !device.suppressions.some(isSilence)
  return asBefore ? null : device.keys.length
}
