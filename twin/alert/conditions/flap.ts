/** `flap`: the value changed at least N times within the lookback. A change belongs to the sample that shows it. */
import type { FlapCondition } from "#protocol/rule.ts"
import type { ConditionKind, Moment, Truth } from "#twin/alert/condition.ts"
import { rowOf, SAMPLES_SHOWN, truthOf, truthWord, UNKNOWN } from "#twin/alert/condition.ts"
import { LOOKBACK, nameOf, readMetric, readNumber } from "#twin/alert/read.ts"
import { atLeastScreen } from "#twin/alert/screen.ts"
import { countOf, newestSamples, transitionsOf } from "#twin/alert/series-read.ts"
import { expire } from "#twin/alert/series.ts"

const TRANSITIONS = { min: 2, max: 1000, whole: true } as const

export const flap: ConditionKind<FlapCondition> = {
  type: "flap",
  keys: ["metric", "transitions", "lookback_seconds"],
  check: (fields) => {
    const metric = readMetric(fields)
    const transitions = readNumber(fields, "transitions", TRANSITIONS)
    const lookback_seconds = readNumber(fields, "lookback_seconds", LOOKBACK)
    if (!metric || transitions === undefined || lookback_seconds === undefined) return undefined
    return { type: "flap", metric: nameOf(metric), transitions, lookback_seconds }
  },
  metrics: (condition) => [condition.metric],
  inner: () => [],
  compile: (condition, needs) => {
    const ref = needs.window(condition.metric, condition.lookback_seconds * 1000, "transitions")
    const { series, window } = ref
    const truth = (moment: Moment): Truth => {
      const row = rowOf(ref, moment)
      expire(row, series, moment.nowMs)
      if (countOf(row, series, window) === 0) return UNKNOWN
      return truthOf(transitionsOf(row, series, window) >= condition.transitions)
    }
    return {
      truth,
      nextMs: null,
      screens: [atLeastScreen(ref, () => window.transitions, condition.transitions)],
      observe: (moment) => {
        const said = truthWord(truth(moment))
        const changes = transitionsOf(rowOf(ref, moment), series, window)
        return {
          type: "flap",
          truth: said,
          metric: condition.metric,
          unit: "",
          value: changes,
          operator: ">=",
          threshold: condition.transitions,
          text: `${condition.metric} changed ${changes} times in ${condition.lookback_seconds} s, asked ${condition.transitions}`,
          samples: newestSamples(rowOf(ref, moment), series, SAMPLES_SHOWN),
        }
      },
    }
  },
}
