/**
 * What confirmations teach about the confidence of verdicts: for each kind of fault a weight, the shift of its log-odds. It
 * is part of the fold, each confirmation being an input, so that a replay learns the same. Slow (PRIOR: as if very much was
 * known beforehand, and DAY_MAX a day), bounded (SHIFT_MAX), each change in a log, and taken back by one act. A verdict that
 * is as often right as it was said to be moves nothing, however many there are.
 */
import type { FaultType, Verdict } from "#protocol/incident.ts"

/** Log-odds. 0.97 would become 0.95, or 0.98; what was said with less than 0.62 may fall below even odds. */
export const SHIFT_MAX = 0.5
/** What is known beforehand, in units of p(1 - p): as much as 1,700 verdicts of 0.97. */
export const PRIOR = 50
/** Away from what was fitted, in one day of the twin's time; back to it at once. */
export const DAY_MAX = 0.1
/** Shifts move by whole steps: fewer lines, and no line that says nothing. */
export const SHIFT_STEP = 0.05
/** Newest lines of the log that are kept. */
export const LOG_MAX = 200
/** Nothing was ever certain: bounds one confirmation's weight. */
const CERTAIN = 0.995
const DAY_MS = 86_400_000

export interface Learned {
  readonly confirmations: number
  readonly right: number
  /** Sum of (right - confidence), each as it was said. */
  readonly residual: number
  /** Log-odds: what is applied, and what it is on its way to. */
  readonly shift: number
  readonly wanted: number
  /** Number of the day of the newest step, and how far it went on that day. */
  readonly day: number
  readonly spent: number
}

export interface ShiftChange {
  readonly atMs: number
  /** Whose confirmation brought it; "" = somebody took it back. */
  readonly incident: string
  readonly by: string
  readonly fault: FaultType
  readonly from: number
  readonly to: number
}

export interface Feedback {
  readonly byFault: Readonly<Partial<Record<FaultType, Learned>>>
  /** Newest last. */
  readonly log: readonly ShiftChange[]
}

type Teacher = Pick<ShiftChange, "atMs" | "incident" | "by">

export const NO_FEEDBACK: Feedback = { byFault: {}, log: [] }
const NOTHING: Learned = { confirmations: 0, right: 0, residual: 0, shift: 0, wanted: 0, day: 0, spent: 0 }

/** `before` = the verdict of the confirmation that this one corrects: what it taught is taken back. */
export const learned = (feedback: Feedback, by: Teacher, verdict: Verdict, before: Verdict | null): Feedback => {
  const without = before === null ? feedback : counted(feedback, by, before, -1)
  return counted(without, by, verdict, 1)
}

/** Somebody wants the confidence as it was fitted: everything that was learned of this kind of fault is gone. */
export const unlearned = (feedback: Feedback, by: Teacher, fault: FaultType): Feedback =>
  moved(feedback, by, fault, NOTHING)

const counted = (feedback: Feedback, by: Teacher, { fault, confidence, isRight }: Verdict, sign: 1 | -1): Feedback => {
  if (fault === null || confidence === null) return feedback
  const known = feedback.byFault[fault] ?? NOTHING
  const p = Math.min(CERTAIN, Math.max(1 - CERTAIN, confidence))
  const confirmations = known.confirmations + sign
  if (confirmations <= 0) return moved(feedback, by, fault, NOTHING)
  const right = Math.min(confirmations, Math.max(0, known.right + sign * Number(isRight)))
  const residual = known.residual + sign * (Number(isRight) - p)
  return moved(feedback, by, fault, stepped({ ...known, confirmations, right, residual }, by.atMs))
}

const moved = (feedback: Feedback, by: Teacher, fault: FaultType, now: Learned): Feedback => {
  const from = feedback.byFault[fault]?.shift ?? 0
  const { atMs, incident, by: who } = by
  const change: ShiftChange = { atMs, incident, by: who, fault, from, to: now.shift }
  return {
    byFault: { ...feedback.byFault, [fault]: now },
    log: from === now.shift ? feedback.log : [...feedback.log, change].slice(-LOG_MAX),
  }
}

/** As far as a day may go towards what its confirmations ask for. */
const stepped = (known: Learned, atMs: number): Learned => {
  const day = Math.floor(atMs / DAY_MS)
  const spent = known.day === day ? (known.spent ?? 0) : 0
  const asked = Math.min(SHIFT_MAX, Math.max(-SHIFT_MAX, known.residual / PRIOR))
  const [from, wanted] = [stepsOf(known.shift), stepsOf(asked)]
  // Across the middle: back at once, and on from there slowly.
  const start = from * wanted <= 0 ? 0 : Math.abs(wanted) < Math.abs(from) ? wanted : from
  const left = Math.max(0, stepsOf(DAY_MAX) - stepsOf(spent))
  const steps = start + Math.min(left, Math.max(-left, wanted - start))
  const went = Math.abs(steps - start)
  return { ...known, shift: logOdds(steps), wanted: logOdds(wanted), day, spent: logOdds(stepsOf(spent) + went) }
}

const stepsOf = (shift: number): number => Math.round(shift / SHIFT_STEP)
/** Whole steps divided once: no 0.15000000000000002, and no -0. */
const logOdds = (steps: number): number => (steps === 0 ? 0 : steps / (1 / SHIFT_STEP))

/** A confidence as it is said with a shift. */
export const shifted = (confidence: number, shift: number): number =>
  shift === 0 ? confidence : 1 / (1 + Math.exp(-(Math.log(confidence / (1 - confidence)) + shift)))

/** A confidence of a verdict of this kind, as experience has it. */
export const weighed = ({ byFault }: Feedback, fault: FaultType, confidence: number): number =>
  shifted(confidence, Math.min(SHIFT_MAX, Math.max(-SHIFT_MAX, byFault[fault]?.shift ?? 0)))
