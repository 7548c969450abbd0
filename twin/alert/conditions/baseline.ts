/**
 * `baseline`: now against `factor` times what is usual. Without `offset_seconds` the newest sample is held against the mean
 * of the stretch before it (prefixes against those of ten minutes); with it, the mean of the newest stretch against the mean
 * of the same stretch that long ago (errors against last week's). Stretches are cut in twelfths: baseline-buckets.ts.
 */
import type { Metric } from "#protocol/metric.ts"
import { metricByName } from "#protocol/metric.ts"
import type { BaselineCondition } from "#protocol/rule.ts"
import { OPERATORS } from "#protocol/rule.ts"
import { BUCKETS_MAX, BUCKETS_PER_STRETCH, bucketsFor, stretchMean } from "#twin/alert/baseline-buckets.ts"
import type { ConditionKind, Moment, Truth } from "#twin/alert/condition.ts"
import { EVIDENCE_MS, holds, rowOf, SAMPLES_SHOWN, truthOf, truthWord, UNKNOWN } from "#twin/alert/condition.ts"
import { join, nameOf, note, readMetric, readNumber, readOptionalNumber, readWord } from "#twin/alert/read.ts"
import { blockOf } from "#twin/alert/series-layout.ts"
import { newestMs, newestSamples, newestValue } from "#twin/alert/series-read.ts"
import { numberText } from "#twin/alert/template.ts"

const BASELINE = { min: 60, max: 7 * 86_400, whole: true } as const
const OFFSET = { min: 60, max: 28 * 86_400, whole: true } as const

export const baseline: ConditionKind<BaselineCondition> = {
  type: "baseline",
  keys: ["metric", "operator", "factor", "baseline_seconds", "offset_seconds"],
  check: (fields) => {
    const metric = readMetric(fields)
    const operator = readWord(fields, "operator", OPERATORS)
    const factor = readNumber(fields, "factor", { min: 0, max: 1000 })
    const baseline_seconds = readNumber(fields, "baseline_seconds", BASELINE)
    const offset = readOptionalNumber(fields, "offset_seconds", OFFSET)
    if (metric !== undefined && metric.kind !== "gauge")
      return note(
        fields.mistakes,
        join(fields.path, "metric"),
        `is a ${metric.kind}; only a level (gauge) has a usual mean`,
      )
    if (!metric || !operator || factor === undefined || baseline_seconds === undefined) return undefined
    if (bucketsFor(baseline_seconds * 1000, (offset ?? 0) * 1000) > BUCKETS_MAX)
      return note(
        fields.mistakes,
        join(fields.path, "offset_seconds"),
        `is more than ${Math.floor(BUCKETS_MAX / BUCKETS_PER_STRETCH) - 3} times baseline_seconds; take a longer baseline`,
      )
    const condition = { type: "baseline" as const, metric: nameOf(metric), operator, factor, baseline_seconds }
    return offset === undefined ? condition : { ...condition, offset_seconds: offset }
  },
  metrics: (condition) => [condition.metric],
  inner: () => [],
  compile: (condition, needs) => {
    const { metric, operator, factor } = condition
    const offsetMs = (condition.offset_seconds ?? 0) * 1000
    const ref = needs.bucket(metric, condition.baseline_seconds * 1000, offsetMs)
    const { series, bucket } = ref
    const shift = Math.max(1, Math.round(offsetMs / bucket.widthMs))
    /** [now, usual]; null = no evidence. */
    const both = (moment: Moment): readonly [number, number] | null => {
      const row = rowOf(ref, moment)
      if (moment.nowMs - newestMs(row, series) > EVIDENCE_MS) return null
      const id = Math.floor(moment.nowMs / bucket.widthMs)
      const usual = stretchMean(row, blockOf(row, series), bucket, id - shift)
      const now = offsetMs === 0 ? newestValue(row, series) : stretchMean(row, blockOf(row, series), bucket, id)
      return now === null || usual === null ? null : [now, usual]
    }
    const truth = (moment: Moment): Truth => {
      const seen = both(moment)
      return seen === null ? UNKNOWN : truthOf(holds(seen[0], operator, factor * seen[1]))
    }
    return {
      truth,
      nextMs: null,
      screens: null,
      observe: (moment) => {
        const seen = both(moment)
        return {
          type: "baseline",
          truth: truthWord(truth(moment)),
          metric,
          unit: (metricByName(metric) as Metric).unit,
          value: seen?.[0] ?? null,
          operator,
          threshold: seen === null ? null : factor * seen[1],
          text:
            seen === null
              ? `${metric} has too little past for a baseline of ${condition.baseline_seconds} s`
              : `${metric} is ${numberText(seen[0])}, usual is ${numberText(seen[1])}; asked ${operator} ${factor} times that`,
          samples: newestSamples(rowOf(ref, moment), series, SAMPLES_SHOWN),
        }
      },
    }
  },
}
