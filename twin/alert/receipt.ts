/**
 * The receipt of one decision: the rule as it was, the samples and event times that it looked at, the clock, and the alert
 * before and after. Whoever holds it can compute the truth of the condition anew without our code (`heliograph
 * verify-receipt` does), and sees by its hash that nothing in it was changed. Plain JSON.
 */
import type { MetricName } from "#protocol/metric.ts"
import { metricById } from "#protocol/metric.ts"
import type { AlertSeverity, EventCondition, Rule } from "#protocol/rule.ts"
import type { Alert, HeldBack, Notice } from "#twin/alert/alert.ts"
import type { Moment, Observation } from "#twin/alert/condition.ts"
import { truthWord } from "#twin/alert/condition.ts"
import type { AlertSignal, AlertState } from "#twin/alert/lifecycle.ts"
import type { CompiledRule, DevicePlan } from "#twin/alert/plan.ts"
import type { DeviceFacts } from "#twin/alert/scope.ts"
import type { BucketSpec, SeriesSpec } from "#twin/alert/series-layout.ts"
import { blockOf } from "#twin/alert/series-layout.ts"
import { flatSamples, heldSamples } from "#twin/alert/series-read.ts"
import { stateHash } from "#twin/hash.ts"

export const RECEIPT_FORMAT = 1
/**
 * Samples in a receipt, of all its series together: two series as full as they can be. Where there are more each series has
 * an equal share, of the newest; what is left out the receipt says.
 */
export const RECEIPT_SAMPLES_MAX = 16_384
/** Samples in all receipts that a device keeps; beyond them the older receipts keep only SHORT of each series. */
export const DEVICE_SAMPLES_MAX = 32_768
/** Samples of a series that even an old receipt keeps: as many as the windows of the shipped rules hold. */
export const SHORT_SAMPLES = 512

export interface SeriesEvidence {
  readonly metric: MetricName
  /** Of the device, or of the entity that is judged. */
  readonly onDevice: boolean
  /** Time (ms) and value in turns, oldest first, from the sample just before the longest window on. */
  readonly samples: readonly number[]
  /** Older samples lie in a window too, but not here: a truth that needs them cannot be checked. */
  readonly cut: boolean
  /** Of baselines: [number of the bucket, sum of whole parts, sum of 2^-40 parts, count] of each bucket that holds one. */
  readonly buckets: ReadonlyArray<{ readonly widthMs: number; readonly cells: readonly number[] }>
}

export interface Receipt {
  readonly format: typeof RECEIPT_FORMAT
  readonly device: DeviceFacts
  /** "" = the device itself. */
  readonly entity: string
  readonly rule: Rule
  /** stateHash of the rule. */
  readonly version: string
  /** The twin's time at which it was decided. */
  readonly clockMs: number
  /** Since when the entity is watched: what is absent from the start counts from here. */
  readonly watchedMs: number
  readonly series: readonly SeriesEvidence[]
  readonly events: ReadonlyArray<{ readonly condition: EventCondition; readonly timesMs: readonly number[] }>
  readonly condition: Observation["truth"]
  /** null = the rule has no condition of recovery. */
  readonly recover: Observation["truth"] | null
  readonly signal: AlertSignal | null
  readonly before: AlertMoment
  readonly after: AlertMoment
  readonly notice: Notice | null
  readonly heldBack: HeldBack | null
  readonly summary: string
  /** stateHash of all else. */
  readonly hash: string
}

export interface AlertMoment {
  readonly state: AlertState
  readonly sinceMs: number
  readonly firedMs: number
  readonly knownMs: number
  readonly severity: AlertSeverity
}

export interface Decision {
  readonly plan: DevicePlan
  readonly compiled: CompiledRule
  readonly facts: DeviceFacts
  readonly entity: string
  /** At the decision, writable. */
  readonly moment: Moment
  readonly before: Alert
  readonly after: Alert
  readonly signal: AlertSignal | null
  readonly notice: Notice | null
  readonly heldBack: HeldBack | null
  readonly summary: string
}

/** A receipt as it lies in the twin; whoever gives it out seals it, because hashing it costs more than the decision did. */
export type OpenReceipt = Omit<Receipt, "hash">

/** Those of builds before this one were sealed when they were made. */
export const sealed = (open: OpenReceipt | Receipt): Receipt => {
  const { hash: _, ...receipt } = { hash: "", ...open }
  return { ...receipt, hash: stateHash(receipt) }
}

export const receiptOf = (decision: Decision): OpenReceipt => {
  const { compiled, facts, entity, moment, before, after, signal, notice, heldBack, summary } = decision
  return {
    format: RECEIPT_FORMAT,
    device: facts,
    entity,
    rule: compiled.rule,
    version: compiled.version,
    clockMs: moment.nowMs,
    watchedMs: moment.sinceMs,
    // Truths first: reading expires what is no longer in a window.
    condition: truthWord(compiled.condition.truth(moment)),
    recover: compiled.recover === null ? null : truthWord(compiled.recover.truth(moment)),
    series: seriesOf(decision),
    events: compiled.events.map(({ index, condition }) => ({ condition, timesMs: moment.events[index] ?? [] })),
    signal,
    before: momentOf(before),
    after: momentOf(after),
    notice,
    heldBack,
    summary,
  }
}

const seriesOf = ({ plan, compiled, moment }: Decision): readonly SeriesEvidence[] => {
  const share = Math.max(SHORT_SAMPLES, Math.floor(RECEIPT_SAMPLES_MAX / Math.max(1, compiled.reads.length)))
  return compiled.reads.map(({ onDevice, metric }) => {
    const kind = plan.kinds[onDevice ? "device" : compiled.kind]
    const spec = kind.series[kind.seriesOf[metric] as number] as SeriesSpec
    const row = onDevice ? moment.device : moment.subject
    return {
      metric: (metricById(metric)?.name ?? "") as MetricName,
      onDevice,
      samples: flatSamples(row, spec, share),
      cut: heldSamples(row, spec) > share,
      buckets: spec.buckets.map((bucket) => ({
        widthMs: bucket.widthMs,
        cells: bucketCells(row, blockOf(row, spec), bucket),
      })),
    }
  })
}

/** The receipts of a device, oldest first, within its bound: the newest stay whole. */
export const boundedReceipts = (receipts: readonly OpenReceipt[]): readonly OpenReceipt[] => {
  let left = DEVICE_SAMPLES_MAX
  if (receipts.reduce((sum, receipt) => sum + samplesIn(receipt), 0) <= left) return receipts
  return receipts
    .toReversed()
    .map((receipt) => {
      left -= samplesIn(receipt)
      return left >= 0 ? receipt : shortened(receipt)
    })
    .toReversed()
}

const samplesIn = ({ series }: OpenReceipt): number => series.reduce((sum, { samples }) => sum + samples.length / 2, 0)

const shortened = (receipt: OpenReceipt): OpenReceipt => {
  const isLong = ({ samples }: SeriesEvidence): boolean => samples.length > 2 * SHORT_SAMPLES
  if (!receipt.series.some(isLong)) return receipt
  const series = receipt.series.map((one) =>
    isLong(one) ? { ...one, samples: one.samples.slice(-2 * SHORT_SAMPLES), cut: true } : one,
  )
  return { ...receipt, series }
}

const bucketCells = (row: Float64Array, block: number, { at, count }: BucketSpec): readonly number[] =>
  Array.from({ length: block === 0 ? 0 : count }, (_, bucket) => {
    const cell = block + at + 4 * bucket
    return [...row.subarray(cell, cell + 4)]
  })
    .filter(([id]) => (id as number) >= 0)
    .sort((a, b) => (a[0] as number) - (b[0] as number))
    .flat()

const momentOf = ({ state, sinceMs, firedMs, knownMs, severity }: Alert): AlertMoment => ({
  state,
  sinceMs,
  firedMs,
  knownMs,
  severity,
})
