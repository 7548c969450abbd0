/**
 * Every sample that was ever polled, by series. Polls gather in memory, one window of at most 15 minutes per device and
 * source; a full window is sealed into one packed chunk (chunk.ts) and stored. What is not sealed yet is in the journal:
 * a start reads it back from the mark that was stored with the last chunks, while new polls wait. Nothing is kept twice for
 * long, and nothing that was acknowledged is lost.
 */
import { setImmediate as breathe, setTimeout as sleep } from "node:timers/promises"
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import type { TenantId } from "#protocol/id.ts"
import type { Source } from "#protocol/view.ts"
import { addPoll, emptyWindow, encodeChunk, type Window } from "#engine/storage/chunk.ts"
import type { DbError, DbShape } from "#engine/storage/db.ts"
import { readHistory, type HistoryQuery, type HistorySeries } from "#engine/storage/history-read.ts"
import { insertChunks, readMark, type ChunkRow } from "#engine/storage/history-table.ts"
import { isDue, rollUp, RollupPlan, type RollJob } from "#engine/storage/rollup-plan.ts"
import type { RollupRow } from "#engine/storage/rollup-table.ts"
import type { JournalPort } from "#engine/tenant/ports.ts"
import type { PollInput } from "#twin/input.ts"

export interface History {
  /**
   * Takes a poll that is in the journal at `seq`. Synchronous and cheap; polls of one device and source come in the order of
   * seq, one that was taken before is ignored.
   */
  readonly append: (seq: number, poll: PollInput) => void
  /** Resolves with the number of polls that were read back from the journal; never rejects. */
  readonly recovered: Promise<number>
  /** Null = no such device, or not a metric. */
  readonly read: (query: HistoryQuery) => Promise<HistorySeries | null>
  /** The oldest journal position that is not in a stored chunk; the journal must keep it. Null = all polls are stored. */
  readonly neededSeq: () => number | null
  /** Seals every window and resolves when all of it is stored. For tests and exports: small chunks pack badly. */
  readonly flush: () => Promise<void>
  readonly status: () => HistoryStatus
}

export interface HistoryStatus {
  readonly openWindows: number
  /** Samples in memory, sealed or not. */
  readonly samplesInMemory: number
  /** Windows that wait to be stored. */
  readonly unstored: number
  readonly storedChunks: number
  readonly storedSamples: number
  readonly storedBytes: number
  readonly storedRollups: number
  readonly storedRollupBytes: number
  /** Samples given up because the database was away for too long. They are lost. */
  readonly droppedSamples: number
}

export interface HistoryOptions {
  readonly db: DbShape
  readonly tenant: TenantId
  /** Open already: what was not sealed is read back from it in the background. */
  readonly journal: Pick<JournalPort, "readFrom" | "lastSeq">
  readonly log: (line: string) => void
  readonly limits?: Partial<HistoryLimits>
}

export interface HistoryLimits {
  /** Longest window. ms */
  readonly windowMs: number
  /** A window is sealed at this many polls at the latest (up to half more, staggered by device). */
  readonly windowPolls: number
  /** Samples of sealed windows that may wait for the database; beyond it the oldest window is given up and counted. */
  readonly unstoredSamples: number
  /** Chunks per transaction. */
  readonly batchChunks: number
}

const LIMITS: HistoryLimits = { windowMs: 15 * 60_000, windowPolls: 30, unstoredSamples: 20_000_000, batchChunks: 64 }
const RETRY_PAUSES_MS = [100, 250, 1_000, 2_000, 5_000]
/** How often silent devices are looked for, in time of the polls. */
const SWEEP_EVERY_MS = 30_000
/** Polls that may wait for the recovery; beyond it the newest are dropped and counted. */
const HELD_MAX = 100_000

export const openHistory = (options: HistoryOptions): Effect.Effect<History, DbError, Scope.Scope> =>
  Effect.gen(function* () {
    const mark = yield* readMark(options.db, options.tenant)
    const sealed = new Map(mark.sealed.map((it) => [`${it.source} ${it.device}`, it.seq]))
    const plan = new RollupPlan()
    yield* plan.resume(options.db, options.tenant, mark.newestMs)
    const store = new HistoryStore(options, mark.neededSeq, sealed, plan)
    const recovered = store.recover()
    yield* Effect.addFinalizer(() => Effect.promise(() => store.close()))
    return {
      append: (seq, poll) => store.append(seq, poll),
      recovered,
      read: (query) => store.read(query),
      neededSeq: () => store.neededSeq(),
      flush: () => store.flush(),
      status: () => store.status(),
    }
  })

interface OpenWindow {
  readonly device: string
  readonly source: Source
  readonly window: Window
  /** Number of the time slot that its polls lie in. */
  readonly slot: number
  /** Sealed at so many polls. */
  readonly pollsMax: number
}

class HistoryStore {
  #options: HistoryOptions
  #limits: HistoryLimits
  /** Where a recovery starts. */
  #recoverFrom: number
  /** Polls that came during the recovery; null = it is over. */
  #held: Array<readonly [seq: number, poll: PollInput]> | null = []
  /** The recovery broke off: the journal must keep everything from #recoverFrom for the next start. */
  #unrecovered = false
  /** Newest seq taken, by source and device. */
  #taken: Map<string, number>
  #open = new Map<string, OpenWindow>()
  /** Oldest first. The first `#inFlight` are being written. */
  #sealed: OpenWindow[] = []
  #sealedSamples = 0
  #inFlight = 0
  /** Newest poll: the mark when nothing is open. */
  #newestSeq = 0
  #newestMs = 0
  #sweptMs = 0
  readonly #plan: RollupPlan
  /** Hours of devices that fell silent. */
  #silent: readonly RollJob[] = []
  #storing: Promise<void> | null = null
  #closing = new AbortController()
  #stored = { chunks: 0, samples: 0, bytes: 0, rollups: 0, rollupBytes: 0 }
  #droppedSamples = 0

  constructor(options: HistoryOptions, recoverFrom: number, taken: Map<string, number>, plan: RollupPlan) {
    this.#options = options
    this.#plan = plan
    this.#limits = { ...LIMITS, ...options.limits }
    this.#recoverFrom = recoverFrom
    this.#taken = taken
  }

  append(seq: number, poll: PollInput): void {
    if (this.#held === null) this.#take(seq, poll)
    else if (this.#held.length < HELD_MAX) this.#held.push([seq, poll])
    else this.#droppedSamples += poll.value.length
  }

  #take(seq: number, poll: PollInput): void {
    const key = `${poll.source} ${poll.device}`
    if (seq <= (this.#taken.get(key) ?? 0)) return
    this.#taken.set(key, seq)
    this.#newestSeq = Math.max(this.#newestSeq, seq)
    this.#newestMs = Math.max(this.#newestMs, poll.atMs)
    const spread = spreadOf(poll.device)
    // Slots of one device begin at its own phase: windows do not all end at once.
    const slot = Math.floor(poll.atMs / this.#limits.windowMs + spread)
    let open = this.#open.get(key)
    if (open !== undefined && open.slot !== slot) {
      this.#seal(key, open)
      open = undefined
    }
    if (open === undefined) {
      const pollsMax = Math.round(this.#limits.windowPolls * (1 + spread / 2))
      open = { device: poll.device, source: poll.source, window: emptyWindow(), slot, pollsMax }
      this.#open.set(key, open)
    }
    addPoll(open.window, seq, poll)
    if (open.window.seq.length >= open.pollsMax) this.#seal(key, open)
    if (this.#newestMs - this.#sweptMs >= SWEEP_EVERY_MS) this.#sweep()
  }

  async recover(): Promise<number> {
    let polls = 0
    try {
      // A chunk that is ahead of the journal (restored from a backup) must not hide the polls that follow.
      const last = await this.#options.journal.lastSeq()
      for (const [key, seq] of this.#taken) this.#taken.set(key, Math.min(seq, last))
      for await (const batch of this.#options.journal.readFrom(this.#recoverFrom)) {
        if (this.#closing.signal.aborted) break
        for (const { seq, input } of batch) {
          if (input.kind !== "poll") continue
          this.#take(seq, input)
          polls++
        }
      }
    } catch (error) {
      this.#unrecovered = true
      this.#options.log(`history since input ${this.#recoverFrom} could not be read back: ${(error as Error).message}`)
    }
    const held = this.#held ?? []
    this.#held = null
    for (const [seq, poll] of held) this.#take(seq, poll)
    return polls
  }

  neededSeq(): number | null {
    return this.#held !== null || this.#unrecovered ? this.#recoverFrom : this.#oldestSeq(0)
  }

  /** Over the open windows and the sealed ones but the first `skip`. */
  #oldestSeq(skip: number): number | null {
    let oldest: number | null = null
    for (const list of [this.#sealed.slice(skip), this.#open.values()]) {
      for (const { window } of list) if (oldest === null || window.seq[0]! < oldest) oldest = window.seq[0]!
    }
    return oldest
  }

  async flush(): Promise<void> {
    for (const [key, open] of this.#open) this.#seal(key, open)
    while (this.#storing !== null) await this.#storing
  }

  /** Sealed windows that cannot be stored now are read from the journal again at the next start. */
  async close(): Promise<void> {
    this.#closing.abort()
    await this.#storing
  }

  status(): HistoryStatus {
    let samples = this.#sealedSamples
    for (const { window } of this.#open.values()) samples += window.samples
    return {
      openWindows: this.#open.size,
      samplesInMemory: samples,
      unstored: this.#sealed.length,
      storedChunks: this.#stored.chunks,
      storedSamples: this.#stored.samples,
      storedBytes: this.#stored.bytes,
      storedRollups: this.#stored.rollups,
      storedRollupBytes: this.#stored.rollupBytes,
      droppedSamples: this.#droppedSamples,
    }
  }

  #seal(key: string, open: OpenWindow): void {
    this.#open.delete(key)
    this.#sealed.push(open)
    this.#sealedSamples += open.window.samples
    while (this.#sealedSamples > this.#limits.unstoredSamples && this.#sealed.length > this.#inFlight + 1) {
      const [given] = this.#sealed.splice(this.#inFlight, 1)
      this.#sealedSamples -= given!.window.samples
      this.#droppedSamples += given!.window.samples
    }
    this.#storing ??= this.#store()
  }

  /** A device that fell silent never fills its window: time seals it. */
  #sweep(): void {
    this.#sweptMs = this.#newestMs
    for (const [key, open] of this.#open) {
      if (Math.floor((this.#newestMs - SWEEP_EVERY_MS) / this.#limits.windowMs + spreadOf(open.device)) > open.slot) {
        this.#seal(key, open)
      }
    }
    const busy = new Set(this.#sealed.map(({ source, device }) => `${source} ${device}`))
    this.#silent = this.#plan.silent(this.#newestMs, (key) => this.#open.has(key) || busy.has(key))
    if (this.#silent.length > 0) this.#storing ??= this.#store()
  }

  /** Runs while sealed windows wait: as many as there are in one transaction, the next when that is done. */
  async #store(): Promise<void> {
    await breathe()
    for (let failures = 0; this.#waiting() && !this.#closing.signal.aborted;) {
      const batch = this.#sealed.slice(0, this.#limits.batchChunks)
      this.#inFlight = batch.length
      const stored = await this.#storeBatch(batch)
      if (stored.error === null) {
        failures = 0
        continue
      }
      if (failures === 0) this.#options.log(`history waits for the database: ${stored.error.message}`)
      const pause = RETRY_PAUSES_MS[Math.min(failures++, RETRY_PAUSES_MS.length - 1)]
      await sleep(pause, undefined, { signal: this.#closing.signal }).catch(() => {})
    }
    this.#inFlight = 0
    this.#storing = null
  }

  #waiting(): boolean {
    return this.#sealed.length > 0 || this.#silent.length > 0
  }

  /** Chunks, and what they make due of the rollups; silent devices when nothing else waits. */
  async #storeBatch(batch: readonly OpenWindow[]): Promise<{ readonly error: DbError | null }> {
    const { db, tenant, log } = this.#options
    const rows: ChunkRow[] = []
    for (const open of batch) {
      rows.push(rowOf(open))
      await breathe()
    }
    const silent = batch.length === 0 ? this.#silent.slice(0, this.#limits.batchChunks) : []
    const jobs = [...this.#plan.jobs(batch), ...silent]
    const store = Effect.gen({ self: this }, function* () {
      const rollups: RollupRow[] = []
      for (const job of jobs.filter(isDue)) rollups.push(...(yield* rollUp(db, tenant, job, log)))
      const neededSeq = this.#unrecovered ? this.#recoverFrom : (this.#oldestSeq(batch.length) ?? this.#newestSeq + 1)
      yield* insertChunks(db, tenant, rows, rollups, { neededSeq, newestMs: this.#newestMs })
      return rollups
    })
    const done = await Effect.runPromise(
      Effect.match(store, {
        onSuccess: (rollups) => ({ error: null, rollups }),
        onFailure: (error) => ({ error, rollups: [] }),
      }),
    )
    if (done.error !== null) return done
    for (const job of jobs) this.#plan.done(job)
    if (batch.length === 0) this.#silent = this.#silent.slice(silent.length)
    for (const { data, sketch } of done.rollups) this.#stored.rollupBytes += data.length + (sketch?.length ?? 0)
    this.#stored.rollups += done.rollups.length
    this.#forget(batch, rows)
    return done
  }

  #forget(batch: readonly OpenWindow[], rows: readonly ChunkRow[]): void {
    this.#sealed.splice(0, batch.length)
    this.#inFlight = 0
    for (const [i, { window }] of batch.entries()) {
      this.#sealedSamples -= window.samples
      this.#stored.chunks++
      this.#stored.samples += window.samples
      this.#stored.bytes += rows[i]!.data.length
    }
  }

  read(query: HistoryQuery): Promise<HistorySeries | null> {
    const { db, tenant } = this.#options
    return readHistory({ db, tenant, inMemory: () => this.#inMemory(query.device) }, query)
  }

  #inMemory(device: string): readonly OpenWindow[] {
    return [...this.#sealed, ...this.#open.values()].filter((it) => it.device === device)
  }
}

const rowOf = ({ device, source, window }: OpenWindow): ChunkRow => ({
  device,
  source,
  t0: Math.min(...window.atMs),
  t1: Math.max(...window.atMs),
  seq0: window.seq[0]!,
  seq1: window.seq.at(-1)!,
  polls: window.seq.length,
  data: encodeChunk(window),
})

/** 0..1, the same for a device for ever: spreads the ends of windows over time (FNV-1a). */
const spreadOf = (device: string): number => {
  let hash = 0x811c9dc5
  for (let i = 0; i < device.length; i++) hash = Math.imul(hash ^ device.charCodeAt(i), 0x01000193)
  return (hash >>> 0) / 2 ** 32
}
