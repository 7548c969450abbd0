/**
 * `threshold`: an aggregate of the last seconds against a number, or against another metric of the same entity or its
 * device (used memory against total memory). An empty window is no evidence, except for `count`, where it is zero; nor is
 * one of which less than half is known: a sample after a start is not "the mean of ten minutes". One sample does prove a
 * maximum above, a minimum below, and what was last.
 */
import type { Metric } from "#protocol/metric.ts"
import { metricByName } from "#protocol/metric.ts"
import type { Aggregation, Operator, ThresholdCondition, ThresholdRef } from "#protocol/rule.ts"
import { AGGREGATIONS, OPERATORS } from "#protocol/rule.ts"
import type { ConditionKind, Moment, Needs, SeriesRef, TallyRef, Truth, WindowRef } from "#twin/alert/condition.ts"
import { EVIDENCE_MS, holds, rowOf, SAMPLES_SHOWN, truthOf, truthWord, UNKNOWN } from "#twin/alert/condition.ts"
import type { Fields } from "#twin/alert/read.ts"
import {
  ANY_NUMBER,
  asMetric,
  join,
  LOOKBACK,
  nameOf,
  note,
  openObject,
  optional,
  readMetric,
  readNumber,
  readOptionalNumber,
  readWord,
} from "#twin/alert/read.ts"
import type { Screen } from "#twin/alert/screen.ts"
import { atLeastScreen, meanScreen, newestScreen, p95IsOver, sumScreen, tallyScreen } from "#twin/alert/screen.ts"
import {
  countOf,
  isCovered,
  maxOf,
  minOf,
  newestMs,
  newestSamples,
  newestValue,
  p95Of,
  sumOf,
  tallyOf,
} from "#twin/alert/series-read.ts"
import { expire } from "#twin/alert/series.ts"
import { numberText } from "#twin/alert/template.ts"

export const threshold: ConditionKind<ThresholdCondition> = {
  type: "threshold",
  keys: ["metric", "operator", "threshold_num", "threshold_ref", "aggregation", "lookback_seconds"],
  check: (fields) => {
    const metric = readMetric(fields)
    const operator = readWord(fields, "operator", OPERATORS)
    const aggregation = readWord(fields, "aggregation", AGGREGATIONS)
    const lookback = readNumber(fields, "lookback_seconds", LOOKBACK)
    const limit = readLimit(fields, metric)
    if (metric?.kind === "counter" && (aggregation === "avg" || aggregation === "sum"))
      return note(
        fields.mistakes,
        join(fields.path, "aggregation"),
        `${aggregation} of a counter says nothing; use rate_of_change, or the per-second metric`,
      )
    if (!metric || !operator || !aggregation || lookback === undefined || limit === undefined) return undefined
    return { type: "threshold", metric: nameOf(metric), operator, ...limit, aggregation, lookback_seconds: lookback }
  },
  metrics: (condition) =>
    condition.threshold_ref === undefined ? [condition.metric] : [condition.metric, condition.threshold_ref.metric],
  inner: () => [],
  compile: (condition, needs) => {
    const { metric, operator, aggregation } = condition
    const ms = condition.lookback_seconds * 1000
    const ref = needs.window(metric, ms, aggregation === "avg" || aggregation === "sum" ? "sum" : "count")
    const aggregate = aggregated(ref, aggregation, operator)
    const limit = limitOf(condition, (name) => needs.series(name))
    const compared = (moment: Moment): Truth => {
      const value = aggregate(moment)
      const against = limit(moment)
      return value !== value || against !== against ? UNKNOWN : truthOf(holds(value, operator, against))
    }
    const tallied = talliedFor(condition, needs, ms)
    const truth = tallied === null ? compared : talliedTruth(tallied, isUniversal(aggregation, operator))
    const screen = tallied === null ? screenOf(condition, ref) : tallyScreen(tallied.ref, tallied.which)
    return {
      truth,
      nextMs: null,
      screens: screen === null ? null : [screen],
      observe: (moment) => {
        const value = aggregate(moment)
        const against = limit(moment)
        const { unit } = metricByName(metric) as Metric
        const said = Number.isNaN(value) ? "no sample" : `${numberText(value)}${unit === "" ? "" : ` ${unit}`}`
        return {
          type: "threshold",
          truth: truthWord(truth(moment)),
          metric,
          unit,
          value: Number.isNaN(value) ? null : value,
          operator,
          threshold: Number.isNaN(against) ? null : against,
          text: `${aggregation} of ${metric} over ${condition.lookback_seconds} s: ${said}, asked ${operator} ${Number.isNaN(against) ? `${condition.threshold_ref?.metric ?? ""}, which has no sample` : numberText(against)}`,
          samples: newestSamples(rowOf(ref, moment), ref.series, SAMPLES_SHOWN),
        }
      },
    }
  },
}

type Limit = { readonly threshold_num: number } | { readonly threshold_ref: ThresholdRef }

const readLimit = (fields: Fields, metric: Metric | undefined): Limit | undefined => {
  const number = optional(fields, "threshold_num")
  const reference = optional(fields, "threshold_ref")
  if ((number === undefined) === (reference === undefined))
    return note(
      fields.mistakes,
      join(fields.path, "threshold_num"),
      "exactly one of threshold_num and threshold_ref must be given",
    )
  if (reference === undefined) {
    const threshold_num = readNumber(fields, "threshold_num", ANY_NUMBER)
    return threshold_num === undefined ? undefined : { threshold_num }
  }
  const path = join(fields.path, "threshold_ref")
  const inner = openObject(reference, path, ["metric", "factor"], fields.mistakes)
  if (inner === undefined) return undefined
  const other = asMetric(optional(inner, "metric"), join(path, "metric"), fields.mistakes)
  const factor = readOptionalNumber(inner, "factor", { min: -1e6, max: 1e6 }) ?? 1
  if (other === undefined) return undefined
  if (metric !== undefined && other.unit !== metric.unit)
    return note(
      fields.mistakes,
      join(path, "metric"),
      `is in ${other.unit || "no unit"}, but ${metric.name} in ${metric.unit || "no unit"}`,
    )
  return { threshold_ref: { metric: nameOf(other), factor } }
}

/** Half of the window has to be known before this says anything, because any one sample more could turn it. */
const isUniversal = (aggregation: Aggregation, operator: Operator): boolean =>
  !(
    aggregation === "last" ||
    (aggregation === "max" && (operator === ">" || operator === ">=")) ||
    (aggregation === "min" && (operator === "<" || operator === "<="))
  )

/** NaN = no evidence. */
const aggregated = (ref: WindowRef, aggregation: Aggregation, operator: Operator): ((moment: Moment) => number) => {
  const { series, window } = ref
  const reader = READERS[aggregation]
  const universal = isUniversal(aggregation, operator)
  return (moment) => {
    const row = rowOf(ref, moment)
    expire(row, series, moment.nowMs)
    const count = countOf(row, series, window)
    if (aggregation === "count") return count
    if (count === 0 || (universal && !isCovered(row, series, window, moment.nowMs))) return Number.NaN
    return reader(row, ref, count)
  }
}

const READERS: Readonly<Record<Aggregation, (row: Float64Array, ref: WindowRef, count: number) => number>> = {
  avg: (row, { series, window }, count) => sumOf(row, series, window) / count,
  sum: (row, { series, window }) => sumOf(row, series, window),
  min: (row, { series, window }) => minOf(row, series, window),
  max: (row, { series, window }) => maxOf(row, series, window),
  p95: (row, { series, window }) => p95Of(row, series, window),
  last: (row, { series }) => newestValue(row, series),
  count: (_row, _ref, count) => count,
}

// -- extremes against a number: by counting ------------------------------------------------------------------------------

interface Tallied {
  readonly ref: TallyRef
  readonly which: Parameters<typeof tallyScreen>[1]
}

/** How many samples must be greater than the tally's number. */
const WHICH: Readonly<Record<"min" | "max" | "p95", Readonly<Record<"over" | "under", Tallied["which"]>>>> = {
  max: { over: "some", under: "none" },
  min: { over: "all", under: "not all" },
  p95: { over: "p95", under: "not p95" },
}

/** Null = not an extreme, or compared with what is no fixed number: it is looked up then. */
const talliedFor = (condition: ThresholdCondition, needs: Needs, ms: number): Tallied | null => {
  const { metric, operator, aggregation, threshold_num: limit } = condition
  if (limit === undefined || operator === "==" || operator === "!=") return null
  if (aggregation !== "min" && aggregation !== "max" && aggregation !== "p95") return null
  // At least T is greater than the number just below T; less than T is not at least T.
  const over = operator === ">" || operator === "<=" ? limit : nextBelow(limit)
  const which = WHICH[aggregation][operator === ">" || operator === ">=" ? "over" : "under"]
  return { ref: needs.tally(metric, ms, over), which }
}

const talliedTruth =
  ({ ref, which }: Tallied, universal: boolean): ((moment: Moment) => Truth) =>
  (moment) => {
    const { series, window, tally } = ref
    const row = rowOf(ref, moment)
    expire(row, series, moment.nowMs)
    const count = countOf(row, series, window)
    if (count === 0 || (universal && !isCovered(row, series, window, moment.nowMs))) return UNKNOWN
    const over = tallyOf(row, series, tally.at)
    switch (which) {
      case "some":
        return truthOf(over > 0)
      case "none":
        return truthOf(over === 0)
      case "all":
        return truthOf(over === count)
      case "not all":
        return truthOf(over < count)
      case "p95":
        return truthOf(p95IsOver(over, count))
      case "not p95":
        return truthOf(!p95IsOver(over, count))
    }
  }

/** The greatest number that is less than this one (IEEE 754: the neighbour in the order of bits). */
const nextBelow = (value: number): number => {
  if (value === 0) return -Number.MIN_VALUE
  const number = Float64Array.of(value)
  const bits = new BigInt64Array(number.buffer)
  bits[0] = (bits[0] as bigint) + (value > 0 ? -1n : 1n)
  return number[0] as number
}

const screenOf = (
  { aggregation, operator, threshold_num: limit }: ThresholdCondition,
  ref: WindowRef,
): Screen | null => {
  if (limit === undefined) return null
  switch (aggregation) {
    case "avg":
      return meanScreen(ref, operator, limit)
    case "sum":
      return sumScreen(ref, () => ref.window.sum, operator, limit)
    case "last":
      return newestScreen(ref, operator, limit)
    case "count":
      // Where none is enough it is true of what was never sampled, too.
      return holds(0, operator, limit) || (operator !== ">" && operator !== ">=")
        ? null
        : atLeastScreen(ref, () => ref.window.at, limit)
    default:
      return null
  }
}

const limitOf = (
  condition: ThresholdCondition,
  series: (metric: ThresholdRef["metric"]) => SeriesRef,
): ((moment: Moment) => number) => {
  const { threshold_ref: reference, threshold_num: fixed } = condition
  if (reference === undefined) return () => fixed as number
  const ref = series(reference.metric)
  return (moment) => {
    const row = rowOf(ref, moment)
    const fresh = moment.nowMs - newestMs(row, ref.series) <= Math.max(EVIDENCE_MS, condition.lookback_seconds * 1000)
    return fresh ? newestValue(row, ref.series) * reference.factor : Number.NaN
  }
}
