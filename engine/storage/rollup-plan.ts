/**
 * Which hours of which device are due to be rolled up. An hour is over for a device when it was polled in a later one, or
 * when everybody else was polled long after it; a poll that comes late opens its hour again. What is computed goes into the
 * transaction of the chunks that made it due, so rollups are never ahead of the samples or behind by more than an hour and
 * a window, and a restart finds out from the tables where it stopped.
 */
import * as Effect from "effect/Effect"
import type { Window } from "#engine/storage/chunk.ts"
import type { DbError, DbShape } from "#engine/storage/db.ts"
import { RATE_PAUSE_MAX_MS } from "#engine/storage/derive.ts"
import { openRollups } from "#engine/storage/rollup-codec.ts"
import { rollUpHour, type HourParts, type HourRollups } from "#engine/storage/rollup-hour.ts"
import {
  addBucket,
  alone,
  bucketAt,
  DAY_MS,
  emptyBucket,
  floorTo,
  HOUR_MS,
  ONE_DAY,
  ONE_HOUR,
  SEVEN_DAYS,
  THIRTY_DAYS,
  type Bucket,
  type Resolution,
} from "#engine/storage/rollup.ts"
import {
  hoursWithChunks,
  readHour,
  readRolled,
  readRollups,
  rowsOf,
  type RollupRow,
} from "#engine/storage/rollup-table.ts"
import type { EntityKey, TenantId } from "#protocol/id.ts"
import type { Source } from "#protocol/view.ts"

/** A poll that comes later than this is kept, but its hour is not rolled up again. */
export const LATE_MAX_MS = DAY_MS
/** How long after an hour of a silent device others must have been polled. */
const SILENT_MS = 20 * 60_000
/** How far back a start looks for hours that are not rolled up. */
const RESUME_MS = 26 * HOUR_MS
/** A silent device's days and months are closed for so long after its last poll. */
const SILENT_MAX_MS = 31 * DAY_MS

/** Due: the hours in [fromMs, untilMs) and those that late polls changed. */
export interface RollJob {
  readonly key: string
  readonly device: string
  readonly source: Source
  readonly fromMs: number
  readonly untilMs: number
  readonly late: ReadonlySet<number>
  /** Windows that are stored with it. */
  readonly windows: readonly Window[]
  readonly newestMs: number
}

interface Progress {
  readonly device: string
  readonly source: Source
  /** All stored polls before it are rolled up. Begin of an hour. */
  rolledMs: number
  /** Newest stored poll. */
  storedMs: number
}

export interface SealedWindow {
  readonly device: string
  readonly source: Source
  readonly window: Window
}

export class RollupPlan {
  readonly #progress = new Map<string, Progress>()

  /** What a start must know. */
  resume = (db: DbShape, tenant: TenantId, newestMs: number): Effect.Effect<void, DbError> =>
    Effect.map(readRolled(db, tenant, newestMs - RESUME_MS), (rows) => {
      for (const { device, source, firstMs, lastMs, hourMs } of rows) {
        const rolledMs = hourMs === null ? floorTo(firstMs, HOUR_MS) : hourMs + HOUR_MS
        this.#progress.set(`${source} ${device}`, { device, source, rolledMs, storedMs: lastMs })
      }
    })

  /** Of windows that are about to be stored, in the order of the journal; one job per device and source. */
  jobs(batch: readonly SealedWindow[]): readonly RollJob[] {
    const byKey = new Map<string, SealedWindow[]>()
    for (const sealed of batch) {
      const key = `${sealed.source} ${sealed.device}`
      const list = byKey.get(key)
      if (list === undefined) byKey.set(key, [sealed])
      else list.push(sealed)
    }
    return [...byKey].map(([key, sealed]) => this.#job(key, sealed))
  }

  #job(key: string, sealed: readonly SealedWindow[]): RollJob {
    const windows = sealed.map(({ window }) => window)
    let [newestMs, oldestMs] = [0, Number.POSITIVE_INFINITY]
    for (const { atMs } of windows) {
      for (const at of atMs) {
        newestMs = Math.max(newestMs, at)
        oldestMs = Math.min(oldestMs, at)
      }
    }
    const fromMs = this.#progress.get(key)?.rolledMs ?? floorTo(oldestMs, HOUR_MS)
    const late = new Set<number>()
    for (const { atMs } of windows) {
      for (const at of atMs) {
        if (at >= fromMs || at < fromMs - LATE_MAX_MS) continue
        // A rate of the next hours may be measured against it.
        for (let hour = floorTo(at, HOUR_MS); hour <= at + RATE_PAUSE_MAX_MS && hour < fromMs; hour += HOUR_MS)
          late.add(hour)
      }
    }
    const { device, source } = sealed[0]!
    const untilMs = Math.max(fromMs, floorTo(newestMs, HOUR_MS))
    return { key, device, source, fromMs, untilMs, late, windows, newestMs }
  }

  /** Of devices that nobody hears any more: their last hour, then the end of each day. `isOpen`: they are heard again. */
  silent(nowMs: number, isOpen: (key: string) => boolean): readonly RollJob[] {
    const jobs: RollJob[] = []
    for (const [key, { device, source, rolledMs, storedMs }] of this.#progress) {
      if (isOpen(key)) continue
      const hourEndMs = floorTo(storedMs, HOUR_MS) + HOUR_MS
      const untilMs = storedMs >= rolledMs ? hourEndMs : floorTo(nowMs - SILENT_MS, DAY_MS)
      if (untilMs <= rolledMs || nowMs - untilMs < SILENT_MS || untilMs > storedMs + SILENT_MAX_MS) continue
      jobs.push({ key, device, source, fromMs: rolledMs, untilMs, late: new Set(), windows: [], newestMs: storedMs })
    }
    return jobs
  }

  /** It is stored. */
  done({ key, device, source, untilMs, newestMs }: RollJob): void {
    const known = this.#progress.get(key)
    if (known === undefined) this.#progress.set(key, { device, source, rolledMs: untilMs, storedMs: newestMs })
    else {
      known.rolledMs = Math.max(known.rolledMs, untilMs)
      known.storedMs = Math.max(known.storedMs, newestMs)
    }
  }
}

export const isDue = ({ fromMs, untilMs, late }: RollJob): boolean => untilMs > fromMs || late.size > 0

/** Where it says what is wrong, and how it lets others go on. */
export interface Aside {
  readonly log: (line: string) => void
  readonly breathe: () => Promise<void>
}

/** The rows of a job. A damaged chunk is told, and its hour left as it is. */
export const rollUp = (
  db: DbShape,
  tenant: TenantId,
  job: RollJob,
  aside: Aside,
): Effect.Effect<readonly RollupRow[], DbError> =>
  Effect.gen(function* () {
    const { device, source, windows } = job
    const rows: RollupRow[] = []
    const made = new Map<number, readonly RollupRow[]>()
    for (const hourMs of yield* dueHours(db, tenant, job)) {
      const chunks = yield* readHour(db, tenant, { device, source, hourMs })
      for (const [resolution, rollups] of yield* hourOf(hourMs, { chunks, windows }, device, aside)) {
        const packed = rowsOf({ device, source, resolution, t0: hourMs }, rollups)
        rows.push(...packed)
        if (resolution === ONE_HOUR) made.set(hourMs, packed)
      }
    }
    const days = yield* cascade(db, tenant, job, ONE_DAY, ONE_HOUR, made)
    rows.push(...[...days.values()].flat())
    // Even where this job closes no day: it may be the silence of many days that ends a week.
    for (const larger of [SEVEN_DAYS, THIRTY_DAYS]) {
      rows.push(...[...(yield* cascade(db, tenant, job, larger, ONE_DAY, days)).values()].flat())
    }
    return rows
  })

/** Ascending. */
const dueHours = (
  db: DbShape,
  tenant: TenantId,
  { device, source, fromMs, untilMs, late, windows }: RollJob,
): Effect.Effect<readonly number[], DbError> =>
  Effect.gen(function* () {
    const hours = new Set(late)
    if (untilMs > fromMs) {
      const range = { device, source, fromMs, toMs: untilMs }
      for (const hour of yield* hoursWithChunks(db, tenant, range)) hours.add(hour)
    }
    for (const { atMs } of windows) {
      for (const at of atMs) if (at >= fromMs && at < untilMs) hours.add(floorTo(at, HOUR_MS))
    }
    return [...hours].toSorted((a, b) => a - b)
  })

const hourOf = (
  hourMs: number,
  parts: HourParts,
  device: string,
  { log, breathe }: Aside,
): Effect.Effect<HourRollups> =>
  Effect.promise(async () => {
    try {
      return (await rollUpHour(hourMs, parts, breathe)) ?? new Map()
    } catch (error) {
      // Bad bytes of one chunk must not hold up everything that is stored after it.
      if (!(error instanceof RangeError)) throw error
      log(`an hour of device ${device} could not be rolled up: ${error.message}`)
      return new Map()
    }
  })

/** The larger buckets that are over and that something in `made` or the end of the job changes. */
const cascade = (
  db: DbShape,
  tenant: TenantId,
  { device, source, fromMs, untilMs }: RollJob,
  larger: Resolution,
  smaller: Resolution,
  made: ReadonlyMap<number, readonly RollupRow[]>,
): Effect.Effect<ReadonlyMap<number, readonly RollupRow[]>, DbError> =>
  Effect.gen(function* () {
    const due = new Set([...made.keys()].map((t0) => floorTo(t0, larger.ms)))
    if (untilMs > fromMs) due.add(floorTo(fromMs - 1, larger.ms))
    const out = new Map<number, readonly RollupRow[]>()
    for (const t0 of [...due].toSorted((a, b) => a - b)) {
      const toMs = t0 + larger.ms
      if (toMs > untilMs || t0 < 0) continue
      const asked = { device, source, resolution: smaller, fromMs: t0, toMs, entity: null, sketches: true }
      const stored = yield* readRollups(db, tenant, asked)
      const parts = [
        ...stored.filter((row) => !made.has(row.t0)),
        ...[...made].filter(([at]) => at >= t0 && at < toMs).flatMap(([, rows]) => rows),
      ]
      if (parts.length > 0) out.set(t0, rowsOf({ device, source, resolution: larger, t0 }, merged(parts)))
    }
    return out
  })

const merged = (
  parts: ReadonlyArray<{ readonly data: Buffer; readonly sketch: Buffer | null }>,
): Map<EntityKey, Map<number, ReturnType<typeof alone>>> => {
  const sums = new Map<EntityKey, Map<number, Bucket>>()
  for (const part of parts) {
    for (const [entity, metrics] of openRollups(part)) {
      let of = sums.get(entity)
      if (of === undefined) sums.set(entity, (of = new Map()))
      for (const [metric, buckets] of metrics) {
        let sum = of.get(metric)
        if (sum === undefined) of.set(metric, (sum = emptyBucket(true)))
        for (let i = 0; i < buckets.count.length; i++) addBucket(sum, bucketAt(buckets, i))
      }
    }
  }
  return new Map(
    [...sums].map(([entity, metrics]) => [entity, new Map([...metrics].map(([metric, sum]) => [metric, alone(sum)]))]),
  )
}
