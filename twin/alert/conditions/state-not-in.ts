/**
 * `state_not_in`: for the whole lookback the value was none of the good ones. A state lasts until the next sample says
 * otherwise, so the passing of time alone can make it true; a state that nobody has confirmed for five minutes (or a
 * lookback, if that is longer) is no evidence any more.
 */
import type { Metric } from "#protocol/metric.ts"
import { metricByName } from "#protocol/metric.ts"
import type { StateNotInCondition } from "#protocol/rule.ts"
import type { ConditionKind, Moment, Truth } from "#twin/alert/condition.ts"
import { EVIDENCE_MS, FALSE, rowOf, SAMPLES_SHOWN, TRUE, truthWord, UNKNOWN, valueText } from "#twin/alert/condition.ts"
import { asList, join, LOOKBACK, missing, nameOf, note, optional, readMetric, readNumber } from "#twin/alert/read.ts"
import { atLeastScreen } from "#twin/alert/screen.ts"
import { isEmpty, newestMs, newestSamples, newestValue, runCount, runSinceMs } from "#twin/alert/series-read.ts"

const GOOD_MAX = 16

export const stateNotIn: ConditionKind<StateNotInCondition> = {
  type: "state_not_in",
  keys: ["metric", "good_values", "lookback_seconds"],
  check: (fields) => {
    const metric = readMetric(fields)
    const lookback = readNumber(fields, "lookback_seconds", LOOKBACK)
    const path = join(fields.path, "good_values")
    const given = optional(fields, "good_values")
    if (given === undefined) return missing(fields, "good_values")
    const good = asList(given, path, GOOD_MAX, fields.mistakes, (value, at) =>
      metric === undefined || goodNumber(metric, value) !== null
        ? (value as string | number | boolean)
        : note(fields.mistakes, at, `is no value of ${metric.name}; ${valuesOf(metric)}`),
    )
    if (!metric || lookback === undefined || good === undefined) return undefined
    return { type: "state_not_in", metric: nameOf(metric), good_values: good, lookback_seconds: lookback }
  },
  metrics: (condition) => [condition.metric],
  inner: () => [],
  compile: (condition, needs) => {
    const metric = metricByName(condition.metric) as Metric
    const good = condition.good_values.map((value) => goodNumber(metric, value) as number)
    const ms = condition.lookback_seconds * 1000
    const ref = needs.run(
      condition.metric,
      `not ${good.toSorted((a, b) => a - b).join()}`,
      1,
      (value) => !good.includes(value),
    )
    // The window itself is not read; it keeps late samples in order as far back as the lookback reaches.
    needs.window(condition.metric, ms, "count")
    const { series, run } = ref
    const stale = Math.max(EVIDENCE_MS, ms)
    const truth = (moment: Moment): Truth => {
      const row = rowOf(ref, moment)
      if (isEmpty(row, series) || moment.nowMs - newestMs(row, series) > stale) return UNKNOWN
      return runCount(row, series, run) > 0 && moment.nowMs - runSinceMs(row, series, run) >= ms ? TRUE : FALSE
    }
    return {
      truth,
      // While the newest value is a good one there is nothing to wait for either.
      screens: [atLeastScreen(ref, () => run.at, 1)],
      nextMs: (moment) => {
        const row = rowOf(ref, moment)
        if (isEmpty(row, series) || runCount(row, series, run) === 0) return Number.POSITIVE_INFINITY
        const due = runSinceMs(row, series, run) + ms
        return due > moment.nowMs ? due : Number.POSITIVE_INFINITY
      },
      observe: (moment) => {
        const row = rowOf(ref, moment)
        const value = newestValue(row, series)
        const bad = runCount(row, series, run) > 0
        const since = bad ? Math.max(0, Math.round((moment.nowMs - runSinceMs(row, series, run)) / 1000)) : 0
        const said = Number.isNaN(value) ? "has no sample" : `is ${valueText(metric, value)}`
        return {
          type: "state_not_in",
          truth: truthWord(truth(moment)),
          metric: metric.name,
          unit: metric.unit,
          value: Number.isNaN(value) ? null : value,
          threshold: condition.lookback_seconds,
          text: `${metric.name} ${said}; good is ${condition.good_values.join(", ")}; not good for ${since} s, asked ${condition.lookback_seconds} s`,
          samples: newestSamples(row, series, SAMPLES_SHOWN),
        }
      },
    }
  },
}

/** The number that a good value stands for; null = the metric never has it. */
const goodNumber = (metric: Metric, value: unknown): number | null => {
  if (typeof value === "string") {
    const index = metric.states?.indexOf(value) ?? -1
    return index < 0 ? null : index
  }
  if (typeof value === "boolean") return metric.kind === "flag" ? Number(value) : null
  if (typeof value !== "number" || !Number.isFinite(value)) return null
  if (metric.kind === "state")
    return Number.isInteger(value) && value >= 0 && value < (metric.states?.length ?? 0) ? value : null
  return metric.kind !== "flag" || value === 0 || value === 1 ? value : null
}
const valuesOf = (metric: Metric): string =>
  metric.states !== undefined
    ? `it is one of ${metric.states.join(", ")}`
    : metric.kind === "flag"
      ? "it is true or false"
      : "it is a number"
