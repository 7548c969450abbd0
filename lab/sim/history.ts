/**
 * The auditor of the history: every poll of the journal is in the stored chunks exactly once, at its own place, with every
 * one of its values, whatever was killed while windows were open. It knows the polls from the journal and unpacks the chunks
 * by itself, each once.
 */
import { addPoll, emptyWindow, openChunk, windowSeries } from "#engine/storage/chunk.ts"
import type { ChunkTableRow, HistoryTables } from "#lab/sim/history-tables.ts"
import { fail } from "#lab/sim/violation.ts"
import type { PollInput, Sequenced } from "#twin/input.ts"

export class HistoryAudit {
  /** Not seen in a chunk yet, by seq. */
  readonly #missing = new Map<number, PollInput>()
  readonly #seen = new Set<string>()
  #polls = 0

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
  }

  /** Polls that were found so far. */
  get polls(): number {
    return this.#polls
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
      this.#polls++
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
