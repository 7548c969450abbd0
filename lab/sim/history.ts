/**
 * The auditor of the history: every poll of the journal is in the stored chunks exactly once, at its own place, with every
 * one of its values, whatever was killed while windows were open. It knows the polls from the journal and unpacks the chunks
 * by itself, each once.
 */
import { addPoll, emptyWindow, openChunk, windowSeries } from "#engine/storage/chunk.ts"
import { openRollups } from "#engine/storage/rollup-codec.ts"
import type { ChunkTableRow, HistoryTables, RollupTableRow } from "#lab/sim/history-tables.ts"
import { fail } from "#lab/sim/violation.ts"
import { DEVICE_ENTITY } from "#protocol/id.ts"
import { metricId } from "#protocol/metric.ts"
import type { PollInput, Sequenced } from "#twin/input.ts"

const HOUR_MS = 3_600_000
const HOUR_S = 3_600
/** Every poll has it. */
const UPTIME = metricId("device.uptime_seconds")

const hourKey = (device: string, source: string, atMs: number): string =>
  `${device} ${source} ${Math.floor(atMs / HOUR_MS)}`

export class HistoryAudit {
  /** Not seen in a chunk yet, by seq. */
  readonly #missing = new Map<number, PollInput>()
  readonly #seen = new Set<string>()
  /** Polls that were found, by device, source and hour. */
  readonly #polls = new Map<string, number>()

  journaled({ seq, input }: Sequenced): void {
    if (input.kind === "poll") this.#missing.set(seq, input)
  }

  /** `untilSeq`: all polls up to it were to be stored. */
  compare(tables: HistoryTables, untilSeq: number): void {
    for (const [key, row] of tables.chunks)
      if (!this.#seen.has(key)) {
        this.#seen.add(key)
        this.#take(row)
      }
    for (const [seq, { device, source }] of this.#missing)
      if (seq <= untilSeq) fail("history", `the poll ${seq} of ${device} by ${source} is in no chunk`)
    for (const row of tables.rollups.values()) if (row.res === HOUR_S) this.#rolled(row)
  }

  /** An hour that is rolled up counts each of its polls, also those that came late. */
  #rolled({ device, source, t0, data, sketch }: RollupTableRow): void {
    const uptime = openRollups({ data, sketch }).get(DEVICE_ENTITY)?.get(UPTIME)
    if (uptime === undefined) return
    const polls = this.#polls.get(hourKey(device, source, t0)) ?? 0
    const counted = uptime.count.reduce((sum, count) => sum + count, 0)
    if (counted !== polls)
      fail("history", `an hour of ${device} by ${source} has ${polls} polls, and ${counted} are rolled up`)
  }

  #take({ device, source, data }: ChunkTableRow): void {
    const chunk = openChunk(data)
    const expected = emptyWindow()
    for (const [i, seq] of chunk.seq.entries()) {
      const poll = this.#missing.get(seq)
      if (poll === undefined) return fail("history", `the poll ${seq} of ${device} is stored twice, or was never made`)
      if (poll.device !== device || poll.source !== source || poll.atMs !== chunk.atMs[i])
        fail("history", `the poll ${seq} is stored as one of ${device} by ${source}`)
      this.#missing.delete(seq)
      const hour = hourKey(device, source, poll.atMs)
      this.#polls.set(hour, 1 + (this.#polls.get(hour) ?? 0))
      addPoll(expected, seq, poll)
    }
    let series = 0
    for (const { entity, metric, values } of chunk.series) {
      series++
      const own = windowSeries(expected, entity, metric)?.value
      const stored = values()
      if (own?.length !== stored.length || own.some((value, i) => !Object.is(value, stored[i])))
        fail("history", `${entity} ${metric} of ${device} is stored with other values`)
    }
    const wanted = [...expected.series.values()].reduce((sum, metrics) => sum + metrics.size, 0)
    if (series !== wanted) fail("history", `${wanted - series} series of ${device} are not stored`)
  }
}
