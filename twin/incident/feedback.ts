/**
 * What confirmations say about the confidence of verdicts: for each kind of fault the shift of its log-odds that would have
 * fitted them better. It is part of the fold: each confirmation is an input, so that a replay learns the same. The shift is
 * slow (as if RIDGE doubtful verdicts had been right as often as was said), bounded by SHIFT_MAX, and every change of it
 * stands in a log. It is said beside the verdicts and applied to none: docs/incidents.md says why.
 */
import type { FaultType, Verdict } from "#protocol/incident.ts"

/** Log-odds. 0.98 would become 0.95, or 0.993. */
export const SHIFT_MAX = 1
/** Weight of having learned nothing, in units of p(1 - p). */
export const RIDGE = 5
/** Shifts move by whole steps: fewer lines, and no line that says nothing. */
export const SHIFT_STEP = 0.05
/** Newest lines of the log that are kept. */
export const LOG_MAX = 200
/** Nothing was ever certain: bounds one confirmation's weight. */
const CERTAIN = 0.995

export interface Learned {
  readonly confirmations: number
  readonly right: number
  /** Sum of (right - confidence). */
  readonly residual: number
  /** Sum of confidence * (1 - confidence). */
  readonly information: number
  /** Log-odds. */
  readonly shift: number
}

export interface ShiftChange {
  readonly atMs: number
  /** Whose confirmation brought it. */
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

export const NO_FEEDBACK: Feedback = { byFault: {}, log: [] }
const NOTHING: Learned = { confirmations: 0, right: 0, residual: 0, information: 0, shift: 0 }

/** `before` = the verdict of the confirmation that this one corrects: what it taught is taken back. */
export const learned = (
  feedback: Feedback,
  by: Pick<ShiftChange, "atMs" | "incident" | "by">,
  verdict: Verdict,
  before: Verdict | null,
): Feedback => {
  const without = before === null ? feedback : counted(feedback, by, before, -1)
  return counted(without, by, verdict, 1)
}

const counted = (
  feedback: Feedback,
  by: Pick<ShiftChange, "atMs" | "incident" | "by">,
  { fault, confidence, isRight }: Verdict,
  sign: 1 | -1,
): Feedback => {
  if (fault === null || confidence === null) return feedback
  const known = feedback.byFault[fault] ?? NOTHING
  const p = Math.min(CERTAIN, Math.max(1 - CERTAIN, confidence))
  const sums = {
    confirmations: known.confirmations + sign,
    right: known.right + sign * Number(isRight),
    residual: known.residual + sign * (Number(isRight) - p),
    information: known.information + sign * p * (1 - p),
  }
  const now: Learned = sums.confirmations <= 0 ? NOTHING : { ...sums, shift: shiftOf(sums) }
  const change: ShiftChange = { ...by, fault, from: known.shift, to: now.shift }
  return {
    byFault: { ...feedback.byFault, [fault]: now },
    log: known.shift === now.shift ? feedback.log : [...feedback.log, change].slice(-LOG_MAX),
  }
}

/** One Newton step of fitting a constant to the confirmations, held back by the ridge. */
const shiftOf = ({ residual, information }: Pick<Learned, "residual" | "information">): number => {
  const shift = residual / (Math.max(0, information) + RIDGE)
  const steps = Math.round(Math.min(SHIFT_MAX, Math.max(-SHIFT_MAX, shift)) / SHIFT_STEP)
  // Whole steps divided once: no 0.15000000000000002.
  return steps === 0 ? 0 : steps / (1 / SHIFT_STEP)
}

/** A confidence as it would be said with a shift. */
export const shifted = (confidence: number, shift: number): number =>
  shift === 0 ? confidence : 1 / (1 + Math.exp(-(Math.log(confidence / (1 - confidence)) + shift)))
