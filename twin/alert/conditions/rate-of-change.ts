/**
 * `rate_of_change`: how fast a level moves, per second, or how much of itself it gained or lost (`relative`), over the
 * lookback. Of a counter it is the increase per second, where a fall is a reset (RFC 2578 s7.1.6) and what was counted since
 * it counts. Two samples are needed; the one just before the window is the first, if there is one.
 */
import type { Metric } from "#protocol/metric.ts"
import { metricByName } from "#protocol/metric.ts"
import type { RateOfChangeCondition } from "#protocol/rule.ts"
import { OPERATORS } from "#protocol/rule.ts"
import type { ConditionKind, Moment, Truth } from "#twin/alert/condition.ts"
import { holds, rowOf, SAMPLES_SHOWN, truthOf, truthWord, UNKNOWN } from "#twin/alert/condition.ts"
import {
  ANY_NUMBER,
  join,
  LOOKBACK,
  nameOf,
  note,
  readFlag,
  readMetric,
  readNumber,
  readWord,
} from "#twin/alert/read.ts"
import { grownScreen, sumScreen } from "#twin/alert/screen.ts"
import { countOf, increaseOf, newestMs, newestSamples, newestValue, oldestOf } from "#twin/alert/series-read.ts"
import { expire } from "#twin/alert/series.ts"
import { numberText } from "#twin/alert/template.ts"

export const rateOfChange: ConditionKind<RateOfChangeCondition> = {
  type: "rate_of_change",
  keys: ["metric", "operator", "threshold_num", "lookback_seconds", "relative"],
  check: (fields) => {
    const metric = readMetric(fields)
    const operator = readWord(fields, "operator", OPERATORS)
    const threshold_num = readNumber(fields, "threshold_num", ANY_NUMBER)
    const lookback_seconds = readNumber(fields, "lookback_seconds", LOOKBACK)
    const relative = readFlag(fields, "relative")
    if (metric?.kind === "counter" && relative === true)
      return note(fields.mistakes, join(fields.path, "relative"), "of a counter says nothing: its start is arbitrary")
    if (!metric || !operator || threshold_num === undefined || lookback_seconds === undefined) return undefined
    const condition = {
      type: "rate_of_change" as const,
      metric: nameOf(metric),
      operator,
      threshold_num,
      lookback_seconds,
    }
    return relative === undefined ? condition : { ...condition, relative }
  },
  metrics: (condition) => [condition.metric],
  inner: () => [],
  compile: (condition, needs) => {
    const { metric, operator, threshold_num: limit } = condition
    const { kind, unit } = metricByName(metric) as Metric
    const ref = needs.window(metric, condition.lookback_seconds * 1000, kind === "counter" ? "increase" : "count")
    const { series, window } = ref
    const change = (moment: Moment): number => {
      const row = rowOf(ref, moment)
      expire(row, series, moment.nowMs)
      if (countOf(row, series, window) === 0) return Number.NaN
      const first = oldestOf(row, series, window, true)
      if (first === null) return Number.NaN
      const seconds = (newestMs(row, series) - first.atMs) / 1000
      if (seconds <= 0) return Number.NaN
      if (kind === "counter") return increaseOf(row, series, window) / seconds
      const moved = newestValue(row, series) - first.value
      if (condition.relative !== true) return moved / seconds
      return first.value === 0 ? Number.NaN : moved / Math.abs(first.value)
    }
    const truth = (moment: Moment): Truth => {
      const value = change(moment)
      return Number.isNaN(value) ? UNKNOWN : truthOf(holds(value, operator, limit))
    }
    // A counter that stood still has no rate above zero; a level is screened when it is compared with itself.
    const screen =
      kind === "counter"
        ? limit > 0
          ? sumScreen(ref, () => window.increase, operator, 2 ** -40)
          : null
        : condition.relative === true
          ? grownScreen(ref, operator, limit)
          : null
    return {
      truth,
      nextMs: null,
      screens: screen === null ? null : [screen],
      observe: (moment) => {
        const value = change(moment)
        const per = condition.relative === true ? "of its value" : `${unit === "" ? "" : `${unit} `}per second`
        return {
          type: "rate_of_change",
          truth: truthWord(truth(moment)),
          metric,
          unit,
          value: Number.isNaN(value) ? null : value,
          operator,
          threshold: limit,
          text: `${metric} moved by ${Number.isNaN(value) ? "an unknown amount" : numberText(value)} ${per} over ${condition.lookback_seconds} s, asked ${operator} ${limit}`,
          samples: newestSamples(rowOf(ref, moment), series, SAMPLES_SHOWN),
        }
      },
    }
  },
}
