/**
 * A chart out of everything that is kept of one series: the coarsest rollups that still show enough, finer ones or single
 * samples where those end, and the windows in memory. Where all samples fit into the chart they are shown as measured. One
 * source is shown, the one that measured most: two collectors of one device are never mixed.
 */
import * as Effect from "effect/Effect"
import type { Series } from "#engine/storage/chunk.ts"
import type { DbError, DbShape } from "#engine/storage/db.ts"
import { deriveSeries, inputsOf, RATE_PAUSE_MAX_MS } from "#engine/storage/derive.ts"
import { downsample, type Points } from "#engine/storage/downsample.ts"
import { Gathered } from "#engine/storage/gathered.ts"
import { Cells, gridOf, type Grid } from "#engine/storage/history-cells.ts"
import { readChunks } from "#engine/storage/history-table.ts"
import type { PackedWindow } from "#engine/storage/packed-window.ts"
import { openRollups } from "#engine/storage/rollup-codec.ts"
import { readRollups } from "#engine/storage/rollup-table.ts"
import {
  FIVE_MINUTES,
  floorTo,
  HOUR_MS,
  isRolledUp,
  ONE_DAY,
  ONE_HOUR,
  ONE_MINUTE,
  RESOLUTIONS,
  type Buckets,
  type Resolution,
} from "#engine/storage/rollup.ts"
import { entityKey, type EntityKey, type TenantId } from "#protocol/id.ts"
import { metricByName, type Metric } from "#protocol/metric.ts"
import type { Source } from "#protocol/view.ts"

export interface HistoryQuery {
  readonly device: string
  /** EntityKey; "" = the device. */
  readonly entity: string
  /** Name in protocol/metric.ts; derived ones too. */
  readonly metric: string
  readonly fromMs: number
  readonly toMs: number
  /** 1..600. */
  readonly pointsMax: number
  /** The 95th percentile is wanted too, within 1 %. */
  readonly stat?: "p95"
}

/** A bucket or pause without samples is null in all columns, never zero. The first bucket may begin before `fromMs`. */
export interface HistorySeries extends Points {
  readonly unit: string
  /** Which collector measured it; null = there are no samples. */
  readonly source: Source | null
}

export const POINTS_MAX = 600

/** A window that is not stored yet. */
export interface WindowInMemory {
  readonly source: Source
  readonly window: PackedWindow
}

export interface ReadFrom {
  readonly db: DbShape
  readonly tenant: TenantId
  /** Windows of the device that are not stored. Asked before the tables: then nothing is missed that is stored meanwhile. */
  readonly inMemory: () => readonly WindowInMemory[]
}

/** Null = no such device, or not a metric. Rejects with DbError. */
export const readHistory = async (from: ReadFrom, query: HistoryQuery): Promise<HistorySeries | null> => {
  const metric = metricByName(query.metric)
  if (metric === null) return null
  const asked = new Asked(from, query, metric)
  const [known, points] = await Effect.runPromise(
    Effect.gen(function* () {
      const rolled = yield* asked.fromRollups()
      return rolled === null ? yield* asked.fromSamples() : ([true, rolled] as const)
    }),
  )
  return known ? { unit: metric.unit, ...points } : null
}

type Answer = Points & { readonly source: Source | null }
const NOTHING: Answer = { source: null, bucketMs: 0, atMs: [], min: [], avg: [], max: [] }
type Part = { readonly known: boolean; readonly series: ReadonlyMap<Source, Series> }

/** Fewer points than this share of the chart is not enough detail. */
const DETAIL = 1 / 3
/** Percentiles of unsketched buckets do not merge: then so many hours are enough. */
const HOURS_ENOUGH = 48

class Asked {
  readonly #from: ReadFrom
  readonly #query: HistoryQuery
  readonly #metric: Metric
  readonly #entity: EntityKey
  readonly #pointsMax: number
  readonly #inMemory: ReturnType<ReadFrom["inMemory"]>
  readonly #p95: boolean

  constructor(from: ReadFrom, query: HistoryQuery, metric: Metric) {
    this.#from = from
    this.#query = query
    this.#metric = metric
    this.#entity = entityKey(query.entity)
    this.#pointsMax = Math.min(POINTS_MAX, Math.max(1, Math.trunc(query.pointsMax)))
    this.#inMemory = from.inMemory()
    this.#p95 = query.stat === "p95"
  }

  /** Every sample of the range. */
  fromSamples(): Effect.Effect<readonly [known: boolean, answer: Answer], DbError> {
    const { fromMs, toMs } = this.#query
    return Effect.map(this.#samples(null, fromMs, toMs + 1), ({ known, series }) => {
      let best: { readonly source: Source; readonly series: Series; readonly samples: number } | null = null
      for (const [source, one] of series) {
        const samples = one.value.reduce((sum, it) => sum + (Number.isNaN(it) ? 0 : 1), 0)
        if (samples > (best?.samples ?? 0)) best = { source, series: one, samples }
      }
      if (best === null) return [known, NOTHING]
      return [known, { source: best.source, ...downsample(best.series, fromMs, toMs, this.#pointsMax, this.#p95) }]
    })
  }

  /** Null = single samples show this range better, or there are no rollups of it. */
  fromRollups(): Effect.Effect<Answer | null, DbError> {
    return Effect.gen({ self: this }, function* () {
      const grid = this.#grid()
      if (grid === null) return null
      const cells = new Map<Source, Cells>()
      yield* this.#stored(cells, grid, grid.resolution, this.#query.fromMs, this.#query.toMs + 1)
      if (cells.size === 0) return null
      if (grid.resolution === ONE_MINUTE && [...cells.values()].some((it) => it.hasHoles(HOUR_MS))) return null
      for (const [source, one] of cells) yield* this.#complete(source, one, grid)
      yield* this.#unrolledSources(cells, grid)
      const [best] = [...cells].toSorted(([, a], [, b]) => b.samples - a.samples)
      if (best === undefined || best[1].samples <= this.#pointsMax) return null
      return { source: best[0], ...best[1].points(this.#p95) }
    })
  }

  #grid(): Grid | null {
    const { fromMs, toMs } = this.#query
    if (!isRolledUp(this.#metric) || !(toMs > fromMs)) return null
    const enough = (resolution: Resolution): boolean => (toMs - fromMs) / resolution.ms >= this.#pointsMax * DETAIL
    const resolution = RESOLUTIONS.findLast(enough)
    if (resolution === undefined) return null
    const grid = gridOf(resolution, fromMs, toMs, this.#pointsMax)
    if (!this.#p95 || resolution.sketched || grid.bucketMs === resolution.ms) return grid
    return (toMs - fromMs) / HOUR_MS < HOURS_ENOUGH ? null : gridOf(ONE_HOUR, fromMs, toMs, this.#pointsMax)
  }

  /** Puts stored rollups of [fromMs, toMs) into the cells; of one source, or of all. */
  #stored(
    cells: Map<Source, Cells>,
    grid: Grid,
    resolution: Resolution,
    fromMs: number,
    toMs: number,
    source: Source | null = null,
  ): Effect.Effect<void, DbError> {
    const { db, tenant } = this.#from
    const asked = {
      device: this.#query.device,
      source,
      resolution,
      // A row that begins before the range may reach into it.
      fromMs: floorTo(fromMs, resolution.ms * resolution.perRow),
      toMs,
      entity: this.#entity,
      sketches: this.#p95 && resolution.sketched,
    }
    const isUuid = /^[0-9a-f-]{36}$/i.test(asked.device)
    if (!isUuid) return Effect.void
    return Effect.map(readRollups(db, tenant, asked), (rows) => {
      for (const row of rows) {
        const found = openRollups(row, { entity: this.#entity, metric: this.#metric.id })
        const buckets = found.get(this.#entity)?.get(this.#metric.id)
        let of = cells.get(row.source)
        if (of === undefined) cells.set(row.source, (of = new Cells(grid)))
        this.#put(of, row.t0, resolution, buckets, fromMs, toMs)
      }
    })
  }

  #put(
    cells: Cells,
    t0: number,
    { ms, perRow }: Resolution,
    buckets: Buckets | undefined,
    fromMs: number,
    toMs: number,
  ): void {
    for (let i = 0; i < perRow; i++) {
      const atMs = t0 + i * ms
      if (atMs + ms <= fromMs || atMs >= toMs) continue
      cells.addBucket(atMs, ms, buckets, i)
    }
  }

  /** What the rollups of the chosen resolution do not cover: finer ones and samples after them, coarser ones before. */
  #complete(source: Source, cells: Cells, { resolution }: Grid): Effect.Effect<void, DbError> {
    const { fromMs, toMs } = this.#query
    return Effect.gen({ self: this }, function* () {
      const own = new Map([[source, cells]])
      // Late polls that are in memory only: their hours are made of samples.
      const late = resolution.ms > HOUR_MS ? [] : cells.dropHours(this.#hoursInMemory(source, cells))
      for (const finer of [ONE_DAY, ONE_HOUR].filter(({ ms }) => ms < resolution.ms))
        yield* this.#stored(own, cells.grid, finer, cells.endMs, toMs + 1, source)
      yield* this.#addSamples(source, cells, cells.endMs, toMs + 1)
      for (const hour of late) yield* this.#addSamples(source, cells, hour, hour + HOUR_MS)
      if (cells.beginMs <= fromMs) return
      for (const coarser of RESOLUTIONS.filter(({ ms }) => ms > Math.max(resolution.ms, FIVE_MINUTES.ms)))
        yield* this.#stored(own, cells.grid, coarser, fromMs, floorTo(cells.beginMs, coarser.ms), source)
      yield* this.#addSamples(source, cells, fromMs, cells.beginMs)
    })
  }

  /** A collector that began so lately that no hour of it is over. */
  #unrolledSources(cells: Map<Source, Cells>, grid: Grid): Effect.Effect<void, DbError> {
    const sinceMs = Math.max(this.#query.fromMs, ...[...cells.values()].map(({ rolledMs }) => rolledMs))
    return Effect.map(this.#samples(null, sinceMs, this.#query.toMs + 1), ({ series }) => {
      for (const [source, one] of series) {
        if (cells.has(source)) continue
        const own = new Cells(grid)
        own.addSamples(one)
        cells.set(source, own)
      }
    })
  }

  #hoursInMemory(source: Source, cells: Cells): ReadonlySet<number> {
    const hours = new Set<number>()
    for (const { source: of, window } of this.#inMemory) {
      if (of !== source) continue
      for (const atMs of window.atMs) {
        // A rate of the next hours may be measured against it.
        for (let hour = floorTo(atMs, HOUR_MS); hour <= atMs + RATE_PAUSE_MAX_MS; hour += HOUR_MS) {
          if (hour >= cells.beginMs && hour < cells.endMs) hours.add(hour)
        }
      }
    }
    return hours
  }

  #addSamples(source: Source, cells: Cells, fromMs: number, toMs: number): Effect.Effect<void, DbError> {
    if (fromMs >= toMs) return Effect.void
    return Effect.map(this.#samples(source, fromMs, toMs), ({ series }) => {
      const one = series.get(source)
      if (one !== undefined) cells.addSamples(one)
    })
  }

  /** The metric's samples in [fromMs, toMs), stored and in memory, by source. */
  #samples(only: Source | null, fromMs: number, toMs: number): Effect.Effect<Part, DbError> {
    const { db, tenant } = this.#from
    const derived = this.#metric.derived === true
    const gathered = new Gathered(inputsOf(this.#metric, this.#entity))
    const range = {
      device: this.#query.device,
      fromMs: derived ? fromMs - RATE_PAUSE_MAX_MS : fromMs,
      toMs: toMs - 1,
      source: only,
    }
    return Effect.map(
      readChunks(db, tenant, range, (chunk) => gathered.addChunk(chunk)),
      (found) => {
        const series = new Map<Source, Series>()
        if (found === null) return { known: false, series }
        for (const { source, window } of this.#inMemory) {
          if (only === null || only === source) gathered.addWindow(source, window)
        }
        for (const [source, stored] of gathered.sources()) {
          const one = derived
            ? deriveSeries(this.#metric.name, this.#entity, stored)
            : stored(this.#entity, this.#metric.id)
          if (one !== null) series.set(source, between(one, fromMs, toMs))
        }
        return { known: true, series }
      },
    )
  }
}

const between = ({ atMs, value }: Series, fromMs: number, toMs: number): Series => {
  let [start, end] = [0, atMs.length]
  while (start < end && atMs[start]! < fromMs) start++
  while (end > start && atMs[end - 1]! >= toMs) end--
  return { atMs: atMs.subarray(start, end), value: value.subarray(start, end) }
}
