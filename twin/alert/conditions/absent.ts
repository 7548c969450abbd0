/**
 * `absent`: no sample of the metric for so long, by the twin's clock. An entity that never had one is counted from when the
 * rules began to watch it. It is the one condition that is never "unknown".
 */
import type { AbsentCondition } from "#protocol/rule.ts"
import type { ConditionKind, Moment } from "#twin/alert/condition.ts"
import { rowOf, SAMPLES_SHOWN, truthOf, truthWord } from "#twin/alert/condition.ts"
import { LOOKBACK, nameOf, readMetric, readNumber } from "#twin/alert/read.ts"
import { newestMs, newestSamples } from "#twin/alert/series-read.ts"

export const absent: ConditionKind<AbsentCondition> = {
  type: "absent",
  keys: ["metric", "seconds"],
  check: (fields) => {
    const metric = readMetric(fields)
    const seconds = readNumber(fields, "seconds", LOOKBACK)
    return !metric || seconds === undefined ? undefined : { type: "absent", metric: nameOf(metric), seconds }
  },
  metrics: (condition) => [condition.metric],
  inner: () => [],
  compile: (condition, needs) => {
    const ref = needs.series(condition.metric)
    const dueMs = (moment: Moment): number =>
      Math.max(newestMs(rowOf(ref, moment), ref.series), moment.sinceMs) + condition.seconds * 1000
    return {
      truth: (moment) => truthOf(moment.nowMs >= dueMs(moment)),
      screens: null,
      nextMs: (moment) => {
        const due = dueMs(moment)
        return due > moment.nowMs ? due : Number.POSITIVE_INFINITY
      },
      observe: (moment) => {
        const silent = condition.seconds + (moment.nowMs - dueMs(moment)) / 1000
        return {
          type: "absent",
          truth: truthWord(truthOf(moment.nowMs >= dueMs(moment))),
          metric: condition.metric,
          unit: "s",
          value: silent,
          operator: ">=",
          threshold: condition.seconds,
          text: `no sample of ${condition.metric} for ${Math.round(silent)} s, asked ${condition.seconds} s`,
          samples: newestSamples(rowOf(ref, moment), ref.series, SAMPLES_SHOWN),
        }
      },
    }
  },
}
