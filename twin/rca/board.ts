/**
 * What has been observed, thing by thing: unknown, clear or alarming, and since when that is so. A board is derived from a
 * live twin (symptoms.ts) or from a benchmark, is never part of the twin's state, and remembers what changed since it was
 * last explained, so that only the neighbourhood of that is thought about again.
 */
import { EVIDENCE } from "#twin/rca/evidence/registry.ts"
import type { EvidenceKind } from "#twin/rca/evidence/kind.ts"
import type { Model } from "#twin/rca/model.ts"

export const UNKNOWN = 0
export const CLEAR = 1
export const ALARM = 2
export type Seen = typeof UNKNOWN | typeof CLEAR | typeof ALARM

export interface Board {
  readonly model: Model
  /** First number of each kind of evidence, and behind the last one. */
  readonly from: readonly number[]
  readonly state: Uint8Array
  /** Alarm: since when. Clear: when it was last read. */
  readonly atMs: Float64Array
  readonly alarms: Set<number>
  /** Alarms and clears that an active probe told: they are not lost, late or stale. */
  readonly confirmed: Set<number>
  /** Alarms that something which is over accounts for: they want no cause, and speak for none and against none. */
  readonly excused: Set<number>
  /** Observables whose state or time changed since `explain` last took them. */
  readonly changed: Set<number>
  /** Of `changed`, those that were clear, are clear, and count as before: read later than any alarm could have come. */
  readonly reread: Set<number>
  /** Grows with every change of what alarms, or since when. */
  alarmChanges: number
  /** An alarm has ended since `explain` last looked. */
  alarmEnded: boolean
  /** No alarm of now began later. It need not be the exact time, only not before it. */
  newestAlarmMs: number
  /** What sets of causes predict, by their numbers (assess.ts); nothing that is observed changes it. */
  readonly predicted: Map<string, Prediction>
  /** Observables in `predicted`. */
  predictedIds: number
  /** Working space of one assessment. */
  readonly stamp: Uint32Array
  stamps: number
  /** Working space of one search: what it has looked at. */
  readonly glance: Uint32Array
  glances: number
}

/** Observables that causes say something about, kind by kind, and the chance of an alarm (or BLIND). */
export interface Prediction {
  readonly ids: readonly number[]
  readonly chance: readonly number[]
}

/** Clocks of pollers and routers differ by this much without anybody noticing. */
export const SKEW_MS = 2_000

export const newBoard = (model: Model): Board => {
  const from = [0]
  for (const kind of EVIDENCE) from.push((from.at(-1) as number) + kind.count(model))
  const size = from.at(-1) as number
  return {
    model,
    from,
    state: new Uint8Array(size),
    atMs: new Float64Array(size),
    alarms: new Set(),
    confirmed: new Set(),
    excused: new Set(),
    changed: new Set(),
    reread: new Set(),
    alarmChanges: 0,
    alarmEnded: false,
    newestAlarmMs: 0,
    predicted: new Map(),
    predictedIds: 0,
    stamp: new Uint32Array(size),
    stamps: 0,
    glance: new Uint32Array(size),
    glances: 0,
  }
}

export const kindNumber = (name: string): number => EVIDENCE.findIndex((kind) => kind.name === name)

/** The number of one observable; throws on a kind that does not exist. */
export const observable = (board: Board, name: string, index: number): number => {
  const k = kindNumber(name)
  if (k < 0) throw new Error(`no evidence kind ${name}`)
  return (board.from[k] as number) + index
}

const kindNumberAt = ({ from }: Board, id: number): number => {
  let k = 0
  while ((from[k + 1] as number) <= id) k++
  return k
}

export const kindAt = (board: Board, id: number): readonly [kind: EvidenceKind, index: number, number: number] => {
  const k = kindNumberAt(board, id)
  return [EVIDENCE[k] as EvidenceKind, id - (board.from[k] as number), k]
}

/** It tells of what was, and nothing of it is wrong now. */
export const isPast = (board: Board, id: number): boolean =>
  (EVIDENCE[kindNumberAt(board, id)] as EvidenceKind).tells !== "now"

/** Asked at every reading: allocates nothing. */
const latencyOf = (board: Board, id: number): number => (EVIDENCE[kindNumberAt(board, id)] as EvidenceKind).latencyMs

/** Writes what was seen: an alarm with the time of its beginning, a clear with the time of its reading. */
export const observe = (board: Board, id: number, seen: Seen, atMs: number): void => {
  const before = board.state[id]
  if (before === seen && board.atMs[id] === atMs) return
  noteChange(board, id, seen, atMs)
  board.state[id] = seen
  board.atMs[id] = atMs
  if (seen === ALARM || before === ALARM) board.alarmChanges++
  if (seen === ALARM) {
    board.alarms.add(id)
    board.newestAlarmMs = Math.max(board.newestAlarmMs, atMs)
  } else if (before === ALARM) {
    board.alarms.delete(id)
    board.alarmEnded = true
  }
  // What was asked and is read to be well again is no less sure; from when it counts is for its time to say.
  if (seen !== CLEAR || before !== CLEAR) board.confirmed.delete(id)
}

/**
 * A "clear" counts from `latencyMs` after the first alarm on, and how much later it was read makes no difference (assess.ts).
 * So the polls of what is well, hour after hour, are no reason to think again about what is broken beside it.
 */
const noteChange = (board: Board, id: number, seen: Seen, atMs: number): void => {
  const readMs = board.atMs[id] as number
  const isReread =
    seen === CLEAR &&
    board.state[id] === CLEAR &&
    atMs >= readMs &&
    readMs >= board.newestAlarmMs + latencyOf(board, id) + SKEW_MS
  if (!isReread) board.reread.delete(id)
  else if (!board.changed.has(id)) board.reread.add(id)
  board.changed.add(id)
}

/** From now on these, and no others, are accounted for. */
export const excuse = (board: Board, ids: ReadonlySet<number>): void => {
  const { excused, changed, reread } = board
  const turn = (id: number): void => {
    changed.add(id)
    reread.delete(id)
  }
  for (const id of excused) if (!ids.has(id)) turn(id)
  for (const id of ids) if (!excused.has(id)) turn(id)
  excused.clear()
  for (const id of ids) excused.add(id)
}

/** It alarms, and wants a cause. */
export const isAlarm = ({ state, excused }: Board, id: number): boolean => state[id] === ALARM && !excused.has(id)

/**
 * Puts what one board holds on another one of the same inventory. `moved` says where an OSPF neighbour or a BGP session of
 * the old one stands now; those that it does not name are forgotten, and everything else keeps its place in its kind.
 */
export const carry = (
  from: Board,
  to: Board,
  moved: Iterable<readonly [kind: string, was: number, is: number]>,
): void => {
  const put = (was: number, is: number): void => {
    const state = from.state[was] as Seen
    if (state === UNKNOWN) return
    observe(to, is, state, from.atMs[was] as number)
    if (from.confirmed.has(was)) to.confirmed.add(is)
  }
  for (const [k, { name }] of EVIDENCE.entries()) {
    if (MOVING.has(name)) continue
    const [first, start] = [from.from[k] as number, to.from[k] as number]
    for (let id = first; id < (from.from[k + 1] as number); id++) put(id, start + id - first)
  }
  for (const [kind, was, is] of moved) put(observable(from, kind, was), observable(to, kind, is))
}

const MOVING: ReadonlySet<string> = new Set(["ospf", "bgp"])
