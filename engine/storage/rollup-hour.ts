/**
 * The rollups of one hour of one device, computed from all its samples of that hour at once, by the code that charts of single
 * samples use: what is rolled up equals what would be recomputed, whatever came late, twice or after a restart.
 */
import { openChunk, windowSeries, type Series, type Window } from "#engine/storage/chunk.ts"
import { deriveSeries, inputsOf, type Rates, type Stored } from "#engine/storage/derive.ts"
import { joined } from "#engine/storage/gathered.ts"
import {
  bucketsOf,
  FIVE_MINUTES,
  HOUR_MS,
  ONE_HOUR,
  ONE_MINUTE,
  ROLLED_UP,
  type Buckets,
  type Resolution,
} from "#engine/storage/rollup.ts"
import { DEVICE_ENTITY, type EntityKey } from "#protocol/id.ts"
import { METRICS, metricById } from "#protocol/metric.ts"

/** Polls in an hour from which its single minutes are stored: below, they would take more than the samples themselves. */
export const DENSE_POLLS = 360
/** Series computed between two turns of the event loop. */
const SERIES_PER_TURN = 64

/** One source's samples: of chunks, of windows in memory, or the same window in both. */
export interface HourParts {
  readonly chunks: ReadonlyArray<{ readonly seq0: number; readonly t1: number; readonly data: Buffer }>
  readonly windows: readonly Window[]
}

/** By resolution; null = the hour has no samples. */
export type HourRollups = ReadonlyMap<Resolution, Map<EntityKey, Map<number, Buckets>>>

/** `breathe` lets others go on. */
export const rollUpHour = async (
  hourMs: number,
  parts: HourParts,
  breathe: () => Promise<void>,
): Promise<HourRollups | null> => {
  const { series, polls } = gather(hourMs, parts)
  const resolutions = polls >= DENSE_POLLS ? [ONE_HOUR, FIVE_MINUTES, ONE_MINUTE] : [ONE_HOUR, FIVE_MINUTES]
  const out = new Map(resolutions.map((it) => [it, new Map<EntityKey, Map<number, Buckets>>()]))
  const stored: Stored = (entity, metric) => series.get(entity)?.get(metric)?.() ?? null
  let done = 0
  for (const [entity, metrics] of series) {
    const rates: Rates = new Map()
    for (const [metric, derived] of wanted(metrics)) {
      const one = derived === null ? stored(entity, metric) : deriveSeries(derived, entity, stored, rates)
      if (one === null) continue
      for (const [resolution, entities] of out) {
        const buckets = bucketsOf(one, hourMs, resolution)
        if (buckets === null) continue
        let of = entities.get(entity)
        if (of === undefined) entities.set(entity, (of = new Map()))
        of.set(metric, buckets)
      }
      if (++done % SERIES_PER_TURN === 0) await breathe()
    }
  }
  return out.get(ONE_HOUR)!.size === 0 ? null : out
}

/** Derived metrics by the stored metrics that each of them cannot do without. */
const TRIGGERS = ROLLED_UP.filter(({ derived }) => derived === true).map((metric) => ({
  metric,
  any: inputsOf(metric, DEVICE_ENTITY)
    .slice(0, metric.name === "interface.utilization_pct" ? 2 : 1)
    .map(([, id]) => id),
}))
const STORED_ROLLED_UP = new Set(ROLLED_UP.filter(({ derived }) => derived !== true).map(({ id }) => id))

/** What is rolled up of an entity with these stored metrics; null = the metric itself. */
const wanted = (
  metrics: ReadonlyMap<number, unknown>,
): ReadonlyArray<readonly [metric: number, derived: string | null]> => [
  ...[...metrics.keys()].filter((id) => STORED_ROLLED_UP.has(id)).map((id) => [id, null] as const),
  ...TRIGGERS.filter(({ any }) => any.some((id) => metrics.has(id))).map(
    ({ metric }) => [metric.id, metric.name] as const,
  ),
]

/** What rates are made of: the only samples from before the hour that say something about it. */
const RATE_INPUTS: ReadonlySet<number> = new Set(
  METRICS.filter(({ derived }) => derived === true).flatMap((metric) =>
    inputsOf(metric, DEVICE_ENTITY).map(([, id]) => id),
  ),
)

interface GatheredHour {
  /** Each unpacked when it is first asked for. */
  readonly series: Map<EntityKey, Map<number, () => Series>>
  readonly polls: number
}

const gather = (hourMs: number, { chunks, windows }: HourParts): GatheredHour => {
  const found = new Map<EntityKey, Map<number, Array<() => Series>>>()
  const add = (entity: EntityKey, metric: number, part: () => Series): void => {
    // A metric of a newer build has no meaning here.
    if (metricById(metric) === null) return
    let metrics = found.get(entity)
    if (metrics === undefined) found.set(entity, (metrics = new Map()))
    const parts = metrics.get(metric)
    if (parts === undefined) metrics.set(metric, [part])
    else parts.push(part)
  }
  const seen = new Set<number>()
  let polls = 0
  const count = (times: readonly number[]): void => {
    for (const atMs of times) if (atMs >= hourMs && atMs < hourMs + HOUR_MS) polls++
  }
  for (const { seq0, t1, data } of chunks) {
    seen.add(seq0)
    const chunk = openChunk(data)
    count(chunk.atMs)
    for (const { entity, metric, poll, values } of chunk.series) {
      if (t1 < hourMs && !RATE_INPUTS.has(metric)) continue
      add(entity, metric, () => ({
        atMs: Float64Array.from(poll === null ? chunk.atMs : poll.map((index) => chunk.atMs[index]!)),
        value: values(),
      }))
    }
  }
  for (const window of windows) {
    if (seen.has(window.seq[0]!)) continue
    count(window.atMs)
    for (const [entity, metrics] of window.series) {
      for (const metric of metrics.keys()) add(entity, metric, () => windowSeries(window, entity, metric)!)
    }
  }
  const series = new Map(
    [...found].map(([entity, metrics]) => [
      entity,
      new Map([...metrics].map(([metric, parts]) => [metric, once(() => joined(parts.map((part) => part())))])),
    ]),
  )
  return { series, polls }
}

const once = <A>(make: () => A): (() => A) => {
  let made: { readonly value: A } | null = null
  return () => (made ??= { value: make() }).value
}
