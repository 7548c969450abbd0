/** `consecutive`: the newest N samples all pass ("loss 100 % over 3 probes"), whatever time lies between them. */
import type { Metric } from "#protocol/metric.ts"
import { metricByName } from "#protocol/metric.ts"
import type { ConsecutiveCondition } from "#protocol/rule.ts"
import { OPERATORS } from "#protocol/rule.ts"
import type { ConditionKind, Moment, Truth } from "#twin/alert/condition.ts"
import { EVIDENCE_MS, holds, rowOf, SAMPLES_SHOWN, truthOf, truthWord, UNKNOWN } from "#twin/alert/condition.ts"
import { ANY_NUMBER, nameOf, readMetric, readNumber, readWord } from "#twin/alert/read.ts"
import { atLeastScreen } from "#twin/alert/screen.ts"
import { isEmpty, newestMs, newestSamples, newestValue, runCount } from "#twin/alert/series-read.ts"

const COUNT = { min: 1, max: 1000, whole: true } as const

export const consecutive: ConditionKind<ConsecutiveCondition> = {
  type: "consecutive",
  keys: ["metric", "operator", "threshold_num", "count"],
  check: (fields) => {
    const metric = readMetric(fields)
    const operator = readWord(fields, "operator", OPERATORS)
    const threshold_num = readNumber(fields, "threshold_num", ANY_NUMBER)
    const count = readNumber(fields, "count", COUNT)
    if (!metric || !operator || threshold_num === undefined || count === undefined) return undefined
    return { type: "consecutive", metric: nameOf(metric), operator, threshold_num, count }
  },
  metrics: (condition) => [condition.metric],
  inner: () => [],
  compile: (condition, needs) => {
    const { metric, operator, threshold_num: limit, count } = condition
    const ref = needs.run(metric, `${operator} ${limit}`, count, (value) => holds(value, operator, limit))
    const { series, run } = ref
    const truth = (moment: Moment): Truth => {
      const row = rowOf(ref, moment)
      if (isEmpty(row, series) || moment.nowMs - newestMs(row, series) > EVIDENCE_MS) return UNKNOWN
      return truthOf(runCount(row, series, run) >= count)
    }
    return {
      truth,
      nextMs: null,
      screens: [atLeastScreen(ref, () => run.at, count)],
      observe: (moment) => {
        const row = rowOf(ref, moment)
        const value = newestValue(row, series)
        return {
          type: "consecutive",
          truth: truthWord(truth(moment)),
          metric,
          unit: (metricByName(metric) as Metric).unit,
          value: Number.isNaN(value) ? null : value,
          operator,
          threshold: limit,
          text: `${Math.min(count, runCount(row, series, run))} of ${count} newest samples of ${metric} in a row are ${operator} ${limit}`,
          samples: newestSamples(row, series, Math.max(count, SAMPLES_SHOWN)),
        }
      },
    }
  },
}
