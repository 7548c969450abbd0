/**
 * The truth of a rule's condition, computed from a decision receipt alone: straight from samples and times, with none of the
 * judgement's windows, so that both may be wrong only in different ways. docs/rules.md says what each condition means; this
 * and receipt-verdict.ts are all that a verifier needs (500 lines together, and no import of twin/alert's evaluation).
 */
import { metricByName } from "#protocol/metric.ts"
import type {
  BaselineCondition,
  Condition,
  Operator,
  RateOfChangeCondition,
  StateNotInCondition,
  ThresholdCondition,
} from "#protocol/rule.ts"
import { sortedJson } from "#engine/sorted-json.ts"
import type { Receipt, SeriesEvidence } from "#twin/alert/receipt.ts"

export type Truth = "true" | "false" | "unknown"

/** The receipt does not hold enough to tell: older samples were left out, or it holds no series of a metric. */
export class Undecided extends Error {}

/** A level that is older is no evidence of the present. */
export const EVIDENCE_MS = 300_000
/** Sums are fixed point: whole units, and parts of 2^-40. */
const PARTS = 2 ** 40
/** A stretch of a baseline. */
const BUCKETS = 12

export type Evidence = Pick<Receipt, "clockMs" | "watchedMs" | "series" | "events">

export const truthIn = (evidence: Evidence, condition: Condition): Truth => {
  switch (condition.type) {
    case "threshold":
      return threshold(evidence, condition)
    case "state_not_in":
      return stateNotIn(evidence, condition)
    case "consecutive": {
      const { operator, threshold_num: limit, count } = condition
      const samples = samplesOf(evidence, condition.metric)
      if (!isFresh(evidence, samples, EVIDENCE_MS)) return "unknown"
      const newest = samples.slice(-count)
      if (!newest.every(({ value }) => compare(value, operator, limit))) return "false"
      if (newest.length === count) return "true"
      if (seriesOf(evidence, condition.metric).cut) throw new Undecided("older samples were left out")
      return "false"
    }
    case "rate_of_change":
      return rateOfChange(evidence, condition)
    case "baseline":
      return baseline(evidence, condition)
    case "flap": {
      const { inside, pairs } = windowOf(evidence, condition.metric, condition.lookback_seconds)
      if (inside.length === 0) return "unknown"
      return truth(pairs.filter(([before, after]) => before.value !== after.value).length >= condition.transitions)
    }
    case "absent": {
      const newest = samplesOf(evidence, condition.metric).at(-1)?.atMs ?? Number.NEGATIVE_INFINITY
      return truth(evidence.clockMs - Math.max(newest, evidence.watchedMs) >= condition.seconds * 1_000)
    }
    case "event": {
      const wanted = sortedJson(condition)
      const found = evidence.events.find((one) => sortedJson(one.condition) === wanted)
      if (found === undefined) throw new Undecided(`it holds no events of ${condition.event_type}`)
      const fromMs = evidence.clockMs - condition.lookback_seconds * 1_000
      return truth(found.timesMs.filter((atMs) => atMs > fromMs && atMs <= evidence.clockMs).length >= condition.count)
    }
    case "composite": {
      const parts = condition.conditions.map((part) => truthIn(evidence, part))
      if (condition.op === "not") return opposite(parts[0] ?? "unknown")
      const decisive: Truth = condition.op === "and" ? "false" : "true"
      if (parts.includes(decisive)) return decisive
      return parts.includes("unknown") ? "unknown" : opposite(decisive)
    }
    default:
      throw new Undecided("it has a condition that is not known here")
  }
}

interface Sample {
  readonly atMs: number
  readonly value: number
}

const truth = (yes: boolean): Truth => (yes ? "true" : "false")
const opposite = (it: Truth): Truth => (it === "unknown" ? it : it === "true" ? "false" : "true")

const compare = (value: number, operator: Operator, limit: number): boolean => {
  switch (operator) {
    case ">":
      return value > limit
    case ">=":
      return value >= limit
    case "<":
      return value < limit
    case "<=":
      return value <= limit
    case "==":
      return value === limit
    case "!=":
      return value !== limit
    default:
      throw new Undecided("it has an operator that is not known here")
  }
}

const seriesOf = ({ series }: Evidence, metric: string): SeriesEvidence => {
  const found = series.find((one) => one.metric === metric)
  if (found === undefined) throw new Undecided(`it holds no samples of ${metric}`)
  return found
}

const samplesOf = (evidence: Evidence, metric: string): readonly Sample[] => {
  const { samples } = seriesOf(evidence, metric)
  return Array.from({ length: samples.length / 2 }, (_, nth) => ({
    atMs: samples[2 * nth]!,
    value: samples[2 * nth + 1]!,
  }))
}

const isFresh = ({ clockMs }: Evidence, samples: readonly Sample[], ms: number): boolean =>
  samples.length > 0 && clockMs - samples.at(-1)!.atMs <= ms

/** The samples inside (now - lookback, now], and each of them with the one before it, where there is one. */
const windowOf = (evidence: Evidence, metric: string, seconds: number) => {
  const samples = samplesOf(evidence, metric)
  const fromMs = evidence.clockMs - seconds * 1_000
  const first = samples.findIndex(({ atMs }) => atMs > fromMs)
  if (first === 0 && seriesOf(evidence, metric).cut) throw new Undecided("older samples were left out")
  const inside = first < 0 ? [] : samples.slice(first)
  const before = first > 0 ? samples[first - 1]! : null
  const chain = before === null ? inside : [before, ...inside]
  const pairs = chain.slice(1).map((sample, nth): readonly [Sample, Sample] => [chain[nth]!, sample])
  return { inside, before, pairs }
}

/** Exact, whatever the order: sums of whole units and of parts, each below 2^53. */
const sumOf = (values: readonly number[]): number => {
  let whole = 0
  let parts = 0
  for (const value of values) {
    whole += Math.floor(value)
    parts += Math.round((value - Math.floor(value)) * PARTS)
  }
  return whole + parts / PARTS
}

const threshold = (evidence: Evidence, condition: ThresholdCondition): Truth => {
  const { metric, operator, aggregation, lookback_seconds: seconds, threshold_ref: reference } = condition
  const value = aggregateOf(evidence, condition)
  let limit: number | null = condition.threshold_num ?? null
  if (reference !== undefined) {
    const others = samplesOf(evidence, reference.metric)
    const known = isFresh(evidence, others, Math.max(EVIDENCE_MS, seconds * 1_000))
    limit = known ? others.at(-1)!.value * reference.factor : null
  }
  if (value === null || limit === null) return "unknown"
  const { inside, before } = windowOf(evidence, metric, seconds)
  // One sample proves a maximum above, a minimum below, what was last, and how many there are.
  const proves =
    aggregation === "last" ||
    aggregation === "count" ||
    (aggregation === "max" && operator.startsWith(">")) ||
    (aggregation === "min" && operator.startsWith("<"))
  const isHalfKnown =
    before !== null || (inside.length > 0 && inside[0]!.atMs <= evidence.clockMs - (seconds * 1_000) / 2)
  return proves || isHalfKnown ? truth(compare(value, operator, limit)) : "unknown"
}

/** Null = nothing to aggregate. */
const aggregateOf = (evidence: Evidence, condition: ThresholdCondition): number | null => {
  const values = windowOf(evidence, condition.metric, condition.lookback_seconds).inside.map(({ value }) => value)
  if (condition.aggregation === "count") return values.length
  if (values.length === 0) return null
  switch (condition.aggregation) {
    case "avg":
      return sumOf(values) / values.length
    case "sum":
      return sumOf(values)
    case "min":
      return Math.min(...values)
    case "max":
      return Math.max(...values)
    case "p95":
      return values.toSorted((a, b) => a - b)[Math.ceil(0.95 * values.length) - 1]!
    case "last":
      return values.at(-1)!
  }
}

const stateNotIn = (evidence: Evidence, condition: StateNotInCondition): Truth => {
  const metric = metricByName(condition.metric)
  const good = condition.good_values.map((value) =>
    typeof value === "string" ? (metric?.states?.indexOf(value) ?? -1) : Number(value),
  )
  const ms = condition.lookback_seconds * 1_000
  const samples = samplesOf(evidence, condition.metric)
  if (!isFresh(evidence, samples, Math.max(EVIDENCE_MS, ms))) return "unknown"
  const lastGood = samples.findLastIndex(({ value }) => good.includes(value))
  const since = samples[lastGood + 1]
  if (since === undefined) return "false"
  if (evidence.clockMs - since.atMs >= ms) return "true"
  if (lastGood < 0 && seriesOf(evidence, condition.metric).cut) throw new Undecided("older samples were left out")
  return "false"
}

const rateOfChange = (evidence: Evidence, condition: RateOfChangeCondition): Truth => {
  const { metric, operator, threshold_num: limit, relative } = condition
  const { inside, before, pairs } = windowOf(evidence, metric, condition.lookback_seconds)
  const first = before ?? inside[0]
  const last = inside.at(-1)
  if (first === undefined || last === undefined || last.atMs <= first.atMs) return "unknown"
  const seconds = (last.atMs - first.atMs) / 1_000
  if (metricByName(metric)?.kind === "counter") {
    // A counter that fell was reset: it has counted from zero since.
    const grown = pairs.map(([was, is]) => (is.value >= was.value ? is.value - was.value : is.value))
    return truth(compare(sumOf(grown) / seconds, operator, limit))
  }
  const moved = last.value - first.value
  if (relative !== true) return truth(compare(moved / seconds, operator, limit))
  return first.value === 0 ? "unknown" : truth(compare(moved / Math.abs(first.value), operator, limit))
}

const baseline = (evidence: Evidence, condition: BaselineCondition): Truth => {
  const { metric, operator, factor, baseline_seconds, offset_seconds = 0 } = condition
  const samples = samplesOf(evidence, metric)
  if (!isFresh(evidence, samples, EVIDENCE_MS)) return "unknown"
  const widthMs = Math.ceil((baseline_seconds * 1_000) / BUCKETS)
  const held = seriesOf(evidence, metric).buckets.find((one) => one.widthMs === widthMs)
  if (held === undefined) throw new Undecided(`it holds no past of ${metric}`)
  const newest = Math.floor(evidence.clockMs / widthMs)
  const usual = meanOf(held.cells, newest - Math.max(1, Math.round((offset_seconds * 1_000) / widthMs)))
  const now = offset_seconds === 0 ? samples.at(-1)!.value : meanOf(held.cells, newest)
  return usual === null || now === null ? "unknown" : truth(compare(now, operator, factor * usual))
}

/** Of the twelve buckets up to `last`; null = fewer than half of them hold a sample. */
const meanOf = (cells: readonly number[], last: number): number | null => {
  const sums = { filled: 0, whole: 0, parts: 0, count: 0 }
  for (let at = 0; at + 3 < cells.length; at += 4) {
    if (cells[at]! > last || cells[at]! <= last - BUCKETS) continue
    sums.filled += 1
    sums.whole += cells[at + 1]!
    sums.parts += cells[at + 2]!
    sums.count += cells[at + 3]!
  }
  return sums.filled < BUCKETS / 2 ? null : (sums.whole + sums.parts / PARTS) / sums.count
}
