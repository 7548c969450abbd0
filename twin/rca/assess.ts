/**
 * How well a set of causes explains what is observed: the logarithm of how much likelier the observations are under the
 * causes than under "nothing is wrong", plus the priors. Predicted alarms that came count for it, predicted alarms that
 * should be in by now and are not count against it, and what nobody could see counts nothing.
 */
import type { Board, Prediction } from "#twin/rca/board.ts"
import { ALARM, CLEAR, isAlarm, isPast, kindAt, SKEW_MS } from "#twin/rca/board.ts"
import type { Cause } from "#twin/rca/cause.ts"
import { causeId, logPrior } from "#twin/rca/cause.ts"
import { EVIDENCE } from "#twin/rca/evidence/registry.ts"
import { BLIND, UNTOUCHED } from "#twin/rca/evidence/kind.ts"
import type { EvidenceKind } from "#twin/rca/evidence/kind.ts"
import { scenarioOf } from "#twin/rca/scenario.ts"

/** From this chance on an alarm is expected, rather than merely possible. */
export const EXPECTED = 0.3
/** Observables in remembered predictions: about 20 MB at most. */
const PREDICTED_IDS_MAX = 1_000_000

/** Log-likelihood ratios of an answer to an active probe where an alarm is expected, or certain. */
export const CONFIRMED_ALARM = 14
const CONFIRMED_CLEAR = -7
/** From this chance on the alarm itself is certain, and only its way to us is not; below, nature has a choice (lit ports). */
const CERTAIN = 0.9

/** That it was asked for takes away what may be lost on the way, never nature's choice. */
export const confirmedClear = (chance: number, spurious: number): number =>
  chance >= CERTAIN ? CONFIRMED_CLEAR : Math.log((1 - chance) / (1 - spurious))

export interface Assessment {
  readonly causes: readonly Cause[]
  /** likelihood + priors; 0 = as good as "nothing is wrong". */
  readonly score: number
  readonly likelihood: number
  /** Observables that it says something about, and the chance of an alarm (or BLIND). */
  readonly ids: readonly number[]
  readonly chance: readonly number[]
  /** Expected alarms that are there, and those that should be and are not. What tells of the past alone explains nothing. */
  readonly explained: number
  readonly missing: number
  /** When the earliest alarm that it explains began; null = it explains none. */
  readonly onsetMs: number | null
}

export const assess = (board: Board, causes: readonly Cause[]): Assessment => {
  const { model } = board
  const { ids, chance } = predictionOf(board, causes)
  let onsetMs = Number.POSITIVE_INFINITY
  for (let i = 0; i < ids.length; i++) {
    const id = ids[i] as number
    if ((chance[i] as number) >= EXPECTED && isAlarm(board, id) && !isPast(board, id))
      onsetMs = Math.min(onsetMs, board.atMs[id] as number)
  }
  let likelihood = 0
  let explained = 0
  let missing = 0
  let k = 0
  for (let i = 0; i < ids.length; i++) {
    const id = ids[i] as number
    const p = chance[i] as number
    if (p === BLIND || board.excused.has(id)) continue
    // Ids come kind by kind.
    while ((board.from[k + 1] as number) <= id) k++
    const { spurious, latencyMs, tells } = EVIDENCE[k] as (typeof EVIDENCE)[number]
    if (tells !== "now" && !belongs(tells, board.atMs[id] as number, onsetMs)) continue
    const state = board.state[id]
    // A clear that was asked for before the first alarm says nothing of a fault of since.
    const isAsked = board.confirmed.has(id) && (state === ALARM || (board.atMs[id] as number) >= onsetMs)
    if (isAsked && p >= EXPECTED) {
      likelihood += state === ALARM ? CONFIRMED_ALARM : confirmedClear(p, spurious)
      if (state === ALARM) explained++
      else missing++
      continue
    }
    if (state === ALARM) {
      likelihood += Math.log(p / spurious)
      if (p >= EXPECTED && tells === "now") explained++
    } else if (state === CLEAR && (board.atMs[id] as number) >= onsetMs + latencyMs + SKEW_MS) {
      likelihood += Math.log((1 - p) / (1 - spurious))
      if (p >= EXPECTED) missing++
    }
  }
  const score = causes.reduce((sum, cause) => sum + logPrior(model, cause), likelihood)
  return { causes, score, likelihood, ids, chance, explained, missing, onsetMs: explained > 0 ? onsetMs : null }
}

/** A restart of before the fault is another fault's, and what is over needs no cause where nothing lasts. */
const belongs = (tells: EvidenceKind["tells"], atMs: number, onsetMs: number): boolean =>
  tells === "aftermath" ? atMs + SKEW_MS >= onsetMs : onsetMs < Number.POSITIVE_INFINITY

/** An alarm that is part of the fault that began then. */
export const isOf = (board: Board, id: number, onsetMs: number | null): boolean => {
  if (!isAlarm(board, id)) return false
  const [{ tells }] = kindAt(board, id)
  return tells === "now" || belongs(tells, board.atMs[id] as number, onsetMs ?? Number.POSITIVE_INFINITY)
}

/** The search asks about the same causes evaluation after evaluation; what they predict is the network's alone. */
const predictionOf = (board: Board, causes: readonly Cause[]): Prediction => {
  const key = causes.map(({ kind, index }) => causeId(board.model, kind, index)).join()
  const known = board.predicted.get(key)
  if (known !== undefined) return known
  const made = predict(board, causes)
  board.predictedIds += made.ids.length + 1
  if (board.predictedIds > PREDICTED_IDS_MAX) {
    board.predicted.clear()
    board.predictedIds = made.ids.length + 1
  }
  board.predicted.set(key, made)
  return made
}

const predict = (board: Board, causes: readonly Cause[]): Prediction => {
  const { model } = board
  const scenario = scenarioOf(model, causes)
  const ids: number[] = []
  const chance: number[] = []
  const stamp = nextStamp(board)
  for (const [k, kind] of EVIDENCE.entries()) {
    const base = board.from[k] as number
    kind.touched(model, scenario, (index) => {
      const id = base + index
      if (board.stamp[id] === stamp) return
      board.stamp[id] = stamp
      const p = kind.expected(model, scenario, index)
      if (p === UNTOUCHED) return
      ids.push(id)
      chance.push(p)
    })
  }
  return { ids, chance }
}

const nextStamp = (board: Board): number => {
  if (board.stamps === 0xffff_ffff) {
    board.stamp.fill(0)
    board.stamps = 0
  }
  return ++board.stamps
}
