/**
 * What every kind of condition is: a reader of its JSON, the metrics that it looks at, and a test that says true, false or
 * "no evidence" of one entity at one instant. Three values, because a series without samples proves neither illness nor
 * health (Kleene's logic in `composite`).
 */
import type { Metric, MetricName } from "#protocol/metric.ts"
import type { Condition, EventCondition, Operator } from "#protocol/rule.ts"
import type { Fields } from "#twin/alert/read.ts"
import type { Screen } from "#twin/alert/screen.ts"
import type { BucketSpec, RunSpec, SeriesSpec, TallySpec, WindowSpec } from "#twin/alert/series-layout.ts"

export const TRUE = 1
export const FALSE = 0
export const UNKNOWN = -1
export type Truth = typeof TRUE | typeof FALSE | typeof UNKNOWN

/** After so long without a newer sample, a level is no evidence of the present any more. */
export const EVIDENCE_MS = 300_000

/** One entity at one instant. Reused from one evaluation to the next: keep nothing of it. */
export interface Moment {
  nowMs: number
  /** The entity's row, and its device's. */
  subject: Float64Array
  device: Float64Array
  /** Times of matched events, by EventRef.index. */
  events: ReadonlyArray<readonly number[]>
  /** Since when the entity is watched. */
  sinceMs: number
}

/** What a test saw, for "why": plain data. */
export interface Observation {
  readonly type: string
  readonly truth: "true" | "false" | "unknown"
  readonly metric?: string
  readonly unit?: string
  /** What was compared; null = nothing to compare. */
  readonly value?: number | null
  readonly operator?: Operator
  readonly threshold?: number | null
  /** One sentence in words. */
  readonly text: string
  readonly samples?: ReadonlyArray<readonly [atMs: number, value: number]>
  readonly parts?: readonly Observation[]
}

export interface Test {
  readonly truth: (moment: Moment) => Truth
  /** When the passing of time alone can change the truth; Infinity = never. Null = it never can, for any moment. */
  readonly nextMs: ((moment: Moment) => number) | null
  /** All of them must pass before it can be true (screen.ts); null = nothing cheap is known. */
  readonly screens: readonly Screen[] | null
  readonly observe: (moment: Moment) => Observation
}

/** A series in one of the two rows. */
export interface SeriesRef {
  readonly onDevice: boolean
  readonly series: SeriesSpec
}
export interface WindowRef extends SeriesRef {
  readonly window: WindowSpec
}
export interface TallyRef extends WindowRef {
  readonly tally: TallySpec
}
export interface RunRef extends SeriesRef {
  readonly run: RunSpec
}
export interface BucketRef extends SeriesRef {
  readonly bucket: BucketSpec
}
export interface EventRef {
  readonly index: number
  readonly condition: EventCondition
}

export type WindowStat = "count" | "sum" | "transitions" | "increase"

/** Where a condition says what it must be told; equal wishes of several rules are one structure. */
export interface Needs {
  readonly series: (metric: MetricName) => SeriesRef
  readonly window: (metric: MetricName, ms: number, stat: WindowStat) => WindowRef
  /** How many samples of the window are greater than `over`. */
  readonly tally: (metric: MetricName, ms: number, over: number) => TallyRef
  /** `key` names the test: runs of one metric with equal keys are shared. */
  readonly run: (metric: MetricName, key: string, keep: number, test: (value: number) => boolean) => RunRef
  readonly bucket: (metric: MetricName, baselineMs: number, offsetMs: number) => BucketRef
  readonly event: (condition: EventCondition) => EventRef
}

/** One kind of condition: one file, one line in conditions/registry.ts. */
export interface ConditionKind<C extends Condition> {
  readonly type: C["type"]
  readonly keys: readonly string[]
  /** Reads what `openObject` opened; mistakes are noted. `inner` reads a condition inside this one. */
  readonly check: (fields: Fields, inner: (value: unknown, path: string) => Condition | undefined) => C | undefined
  readonly metrics: (condition: C) => readonly MetricName[]
  readonly inner: (condition: C) => readonly Condition[]
  readonly compile: (condition: C, needs: Needs, inner: (condition: Condition) => Test) => Test
}

export const rowOf = (ref: SeriesRef, moment: Moment): Float64Array => (ref.onDevice ? moment.device : moment.subject)

export const holds = (value: number, operator: Operator, threshold: number): boolean => {
  switch (operator) {
    case ">":
      return value > threshold
    case ">=":
      return value >= threshold
    case "<":
      return value < threshold
    case "<=":
      return value <= threshold
    case "==":
      return value === threshold
    case "!=":
      return value !== threshold
  }
}

export const truthOf = (yes: boolean): Truth => (yes ? TRUE : FALSE)
export const truthWord = (truth: Truth): Observation["truth"] =>
  truth === TRUE ? "true" : truth === FALSE ? "false" : "unknown"

/** Samples in an observation. */
export const SAMPLES_SHOWN = 20

/** `interface.rx_bps`'s value as its registry shows it: the word of a state, else the number. */
export const valueText = (metric: Metric, value: number): string => metric.states?.[value] ?? String(value)
