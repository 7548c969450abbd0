/**
 * What the engine measured of its own condition, as the poll that a tenant's twin hears (twin/self/). A tenant is told what is
 * its own: its polls, its journal, its inbox, its quotas. What is of the whole engine, and could tell of others, goes to the
 * platform's own tenant only.
 */
import type { FleetStats } from "#engine/collectors/fleet-stats.ts"
import { DURATION_BOUNDS_MS } from "#engine/collectors/fleet-stats.ts"
import type { IngestStats } from "#engine/quota/ingest-gate.ts"
import type { HistoryStatus } from "#engine/storage/history.ts"
import type { JournalStatus } from "#engine/storage/journal.ts"
import { SPOOL_BYTES_MAX } from "#engine/storage/journal.ts"
import type { TenantRuntimeStats } from "#engine/tenant/runtime.ts"
import { metricId, type MetricName } from "#protocol/metric.ts"
import type { PollInput } from "#twin/input.ts"
import { ENGINE_DEVICE, ENGINE_ENTITY } from "#twin/self/self.ts"

/** Of one tenant, read when it is asked for; null = it is being rebuilt. */
export interface TenantReadings {
  readonly runtime: () => TenantRuntimeStats | null
  readonly journal: () => JournalStatus | null
  readonly history: () => HistoryStatus | null
  readonly ingest: () => IngestStats
  readonly fleet: Pick<FleetStats, "all">
}

/** Of the whole engine. */
export interface PlatformReadings {
  /** Over the last minute. */
  readonly eventLoopDelayP99Ms: () => number
  readonly heapUsedPct: () => number
  /** Null = the file system does not say. */
  readonly diskFreePct: () => number | null
  readonly viewersDropped: () => number
}

export type Reading = readonly [metric: MetricName, value: number]

/** Reads one tenant again and again: some values are differences to the reading before. */
export interface TenantReader {
  readonly read: (atMs: number) => readonly Reading[]
}

/** Readings that the age of the oldest waiting input is looked for in: half an hour; older counts as that old. */
const MARKS_MAX = 120

export const makeTenantReader = (readings: TenantReadings): TenantReader => {
  let before: readonly number[] = latenessOf(readings.fleet)
  /** Which input was the newest at each reading, oldest first. */
  const marks: Array<readonly [atMs: number, seq: number]> = []
  return {
    read: (atMs) => {
      const now = latenessOf(readings.fleet)
      const p99 = p99Of(now.map((count, bucket) => count - (before[bucket] ?? 0)))
      before = now
      const values: Reading[] = p99 === null ? [] : [["engine.poll_lateness_p99_ms", p99]]
      const runtime = readings.runtime()
      if (runtime !== null) values.push(...ofRuntime(runtime, marks, atMs))
      const journal = readings.journal()
      if (journal !== null)
        values.push(
          ["engine.database_up", journal.spooling ? 0 : 1],
          ["engine.spool_used_pct", (100 * journal.spooledBytes) / SPOOL_BYTES_MAX],
        )
      const history = readings.history()
      if (history !== null && runtime !== null)
        values.push(
          [
            "engine.history_behind_inputs",
            history.behindSeq === null ? 0 : Math.max(1, runtime.seq - history.behindSeq),
          ],
          ["engine.history_dropped_total", history.droppedSamples],
        )
      const { samplesLost, samplesCut, eventsLost } = readings.ingest()
      values.push(["engine.quota_dropped_total", samplesLost + samplesCut + eventsLost])
      return values
    },
  }
}

const ofRuntime = (
  { seq, durableSeq, inbox, quarantined, actors }: TenantRuntimeStats,
  marks: Array<readonly [atMs: number, seq: number]>,
  atMs: number,
): readonly Reading[] => {
  // A rebuilt twin may begin behind where the one before was.
  while (marks.length > 0 && ((marks.at(-1)?.[1] ?? 0) > seq || marks.length >= MARKS_MAX)) marks.shift()
  // What was the newest input at a mark and is not durable yet has waited since then at least.
  while (marks.length > 0 && (marks[0]?.[1] ?? 0) <= durableSeq) marks.shift()
  const waitedMs = atMs - (marks[0]?.[0] ?? atMs)
  if (seq > durableSeq) marks.push([atMs, seq])
  return [
    ["ingest.lag_seconds", Math.max(0, waitedMs) / 1_000],
    ["engine.inputs_refused_total", inbox.pollsRefused + inbox.eventsRefused + inbox.malformed],
    ["engine.devices_quarantined", quarantined.length],
    ["engine.restarts_total", [...actors.types.values()].reduce((all, type) => all + type.restarts, 0)],
  ]
}

export const ofPlatform = (readings: PlatformReadings): readonly Reading[] => {
  const diskFreePct = readings.diskFreePct()
  return [
    ["engine.event_loop_delay_p99_ms", readings.eventLoopDelayP99Ms()],
    ["engine.heap_used_pct", readings.heapUsedPct()],
    ...(diskFreePct === null ? [] : [["engine.disk_free_pct", diskFreePct] as const]),
    ["engine.viewers_dropped_total", readings.viewersDropped()],
  ]
}

/** Whatever is not finite is left out: no value is better than a wrong one. */
export const selfPoll = (atMs: number, readings: readonly Reading[]): PollInput => {
  const rows = readings.filter(([, value]) => Number.isFinite(value))
  return {
    kind: "poll",
    device: ENGINE_DEVICE,
    source: "probe",
    startedMs: atMs,
    atMs,
    entities: [ENGINE_ENTITY],
    entity: new Uint16Array(rows.length),
    metric: Uint16Array.from(rows, ([name]) => metricId(name)),
    value: Float64Array.from(rows, ([, value]) => value),
    texts: [],
    complete: [],
  }
}

const latenessOf = (fleet: Pick<FleetStats, "all">): readonly number[] => {
  const sum = Array.from({ length: DURATION_BOUNDS_MS.length + 1 }, () => 0)
  for (const { lateness } of fleet.all().values())
    for (const [bucket, count] of lateness.counts.entries()) sum[bucket] = (sum[bucket] ?? 0) + count
  return sum
}

/** What is beyond the last bound has none: it is shown as twice that. */
const BEYOND_MS = 2 * (DURATION_BOUNDS_MS.at(-1) as number)

/** Upper bound of the bucket that the 99th percentile lies in; null = nothing began. */
const p99Of = (counts: readonly number[]): number | null => {
  const total = counts.reduce((all, count) => all + count, 0)
  if (total <= 0) return null
  let seen = 0
  const bucket = counts.findIndex((count) => (seen += count) >= 0.99 * total)
  return DURATION_BOUNDS_MS[bucket] ?? BEYOND_MS
}
