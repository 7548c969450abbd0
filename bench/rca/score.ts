/**
 * Grades: precision, recall and F1 of the elements that a method names, strictly (the very element) and class-aware (an
 * element that no observation tells from it); by fault class; false roots on healthy rounds; and of the confidence its Brier
 * score and expected calibration error (ten bins, Guo et al. 2017).
 */
import type { FaultClass, Incident } from "#bench/rca/incidents.ts"
import { FAULT_CLASSES } from "#bench/rca/incidents.ts"
import type { Root } from "#bench/rca/methods.ts"
import { quantile, round } from "#bench/statistics.ts"

export interface Grade {
  readonly p: number | null
  readonly r: number | null
  readonly f1: number | null
}

export interface MethodResult {
  readonly strict: Grade
  readonly class: Grade
  readonly byFault: Readonly<
    Record<string, { readonly incidents: number; readonly strict: Grade; readonly class: Grade }>
  >
  readonly rootsPerIncident: number | null
  readonly falsePerHealthyRound: number | null
  readonly brier: number | null
  readonly ece: number | null
  readonly msP50: number | null
  readonly msP95: number | null
  /** CPU time of the same evaluations: what is left when the machine is busy with others' work. Null = not taken. */
  readonly cpuMsP50: number | null
  readonly cpuMsP95: number | null
  readonly cpuMsMax: number | null
}

interface Counts {
  incidents: number
  truths: number
  named: number
  strict: number
  alike: number
}
const noCounts = (): Counts => ({ incidents: 0, truths: 0, named: 0, strict: 0, alike: 0 })

export interface Tally {
  readonly byFault: ReadonlyMap<FaultClass, Counts>
  readonly judged: Array<{ readonly confidence: number; readonly right: boolean }>
  readonly ms: number[]
  readonly cpuMs: number[]
}

export const newTally = (): Tally => ({
  byFault: new Map(FAULT_CLASSES.map((fault) => [fault, noCounts()])),
  judged: [],
  ms: [],
  cpuMs: [],
})

/** Adds one incident; returns which roots were right, class-aware. */
export const grade = (
  tally: Tally,
  incident: Incident,
  named: readonly Root[],
  ms: number,
  cpuMs: number | null = null,
): readonly boolean[] => {
  const counts = tally.byFault.get(incident.fault) as Counts
  const { localization } = incident.label
  counts.incidents++
  counts.truths += localization.length
  counts.named += named.length
  counts.strict += localization.filter((element) => named.some((root) => root.element === element)).length
  const right = matched(incident, named)
  counts.alike += right.filter(Boolean).length
  for (const [i, { confidence }] of named.entries())
    if (confidence !== null) tally.judged.push({ confidence, right: right[i] === true })
  tally.ms.push(ms)
  if (cpuMs !== null) tally.cpuMs.push(cpuMs)
  return right
}

/** Each true fault makes one answer right: the very element if it was named, else one that looks like it. */
export const matched = ({ label, classes }: Incident, named: readonly Root[]): readonly boolean[] => {
  const right = named.map(() => false)
  const open: number[] = []
  for (const [t, element] of label.localization.entries()) {
    const at = named.findIndex((root, i) => right[i] === false && root.element === element)
    if (at >= 0) right[at] = true
    else open.push(t)
  }
  for (const t of open) {
    const at = named.findIndex(({ element }, i) => right[i] === false && classes[t]?.has(element) === true)
    if (at >= 0) right[at] = true
  }
  return right
}

const graded = (hits: number, named: number, truths: number): Grade => {
  if (truths === 0) return { p: null, r: null, f1: null }
  const p = named === 0 ? null : hits / named
  const r = hits / truths
  return { p: p === null ? null : round(p, 4), r: round(r, 4), f1: round((2 * hits) / (named + truths), 4) }
}

export const resultOf = ({ byFault, judged, ms, cpuMs }: Tally): MethodResult => {
  const sum = (faults: readonly FaultClass[]): Counts =>
    faults.reduce((total, fault) => {
      const one = byFault.get(fault) as Counts
      return {
        incidents: total.incidents + one.incidents,
        truths: total.truths + one.truths,
        named: total.named + one.named,
        strict: total.strict + one.strict,
        alike: total.alike + one.alike,
      }
    }, noCounts())
  const broken = sum(FAULT_CLASSES.filter((fault) => fault !== "healthy"))
  const healthy = sum(["healthy"])
  // A root on a healthy round is as false as any other.
  const named = broken.named + healthy.named
  return {
    strict: graded(broken.strict, named, broken.truths),
    class: graded(broken.alike, named, broken.truths),
    byFault: Object.fromEntries(
      [...byFault]
        .filter(([, { incidents }]) => incidents > 0)
        .map(([fault, one]) => [
          fault,
          {
            incidents: one.incidents,
            strict: graded(one.strict, one.named, one.truths),
            class: graded(one.alike, one.named, one.truths),
          },
        ]),
    ),
    rootsPerIncident: broken.incidents === 0 ? null : round(broken.named / broken.incidents, 3),
    falsePerHealthyRound: healthy.incidents === 0 ? null : round(healthy.named / healthy.incidents, 4),
    brier: judged.length === 0 ? null : round(brier(judged), 4),
    ece: judged.length === 0 ? null : round(calibrationError(judged), 4),
    msP50: ms.length === 0 ? null : round(quantile(ms, 0.5), 3),
    msP95: ms.length === 0 ? null : round(quantile(ms, 0.95), 3),
    cpuMsP50: cpuMs.length === 0 ? null : round(quantile(cpuMs, 0.5), 3),
    cpuMsP95: cpuMs.length === 0 ? null : round(quantile(cpuMs, 0.95), 3),
    cpuMsMax: cpuMs.length === 0 ? null : round(quantile(cpuMs, 1), 3),
  }
}

const brier = (judged: Tally["judged"]): number =>
  judged.reduce((sum, { confidence, right }) => sum + (confidence - (right ? 1 : 0)) ** 2, 0) / judged.length

const BINS = 10

export const calibrationError = (judged: Tally["judged"]): number => {
  const bins = Array.from({ length: BINS }, () => ({ confidence: 0, right: 0 }))
  for (const { confidence, right } of judged) {
    const bin = bins[Math.min(BINS - 1, Math.floor(confidence * BINS))] as (typeof bins)[number]
    bin.confidence += confidence
    bin.right += right ? 1 : 0
  }
  return bins.reduce((sum, { confidence, right }) => sum + Math.abs(confidence - right), 0) / judged.length
}

export const mergeTallies = (tallies: readonly Tally[]): Tally => {
  const all = newTally()
  for (const { byFault, judged, ms, cpuMs } of tallies) {
    for (const [fault, one] of byFault) {
      const into = all.byFault.get(fault) as Counts
      into.incidents += one.incidents
      into.truths += one.truths
      into.named += one.named
      into.strict += one.strict
      into.alike += one.alike
    }
    all.judged.push(...judged)
    all.ms.push(...ms)
    all.cpuMs.push(...cpuMs)
  }
  return all
}
