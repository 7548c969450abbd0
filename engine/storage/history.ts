/**
 * Every sample that was ever polled, by series. Polls gather in memory, one window of at most 15 minutes per device and
 * source; a full window is sealed into one packed chunk (chunk.ts) and stored. What is not sealed yet is in the journal:
 * a start reads it back from the mark that was stored with the last chunks, while new polls wait. Nothing is kept twice for
 * long, and nothing that was acknowledged is lost.
 */
import { setImmediate as nodeBreathe, setTimeout as nodeSleep } from "node:timers/promises"
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import type { TenantId } from "#protocol/id.ts"
import { encodeChunk, type Window } from "#engine/storage/chunk.ts"
import { DbError, type DbShape } from "#engine/storage/db.ts"
import {
  readHistory,
  type HistoryQuery,
  type HistorySeries,
  type WindowInMemory,
} from "#engine/storage/history-read.ts"
import { insertChunks, readMark, type ChunkRow } from "#engine/storage/history-table.ts"
import { keyOf, OpenWindows, type OpenWindow, type WindowLimits } from "#engine/storage/open-windows.ts"
import { isDue, rollUp, RollupPlan, type RollJob, type SealedWindow } from "#engine/storage/rollup-plan.ts"
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
  /** Windows of the device that are not stored. */
  readonly inMemory: (device: string) => readonly WindowInMemory[]
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
  /** What they take there. */
  readonly bytesInMemory: number
  /** Windows that wait to be stored. */
  readonly unstored: number
  readonly storedChunks: number
  readonly storedSamples: number
  readonly storedBytes: number
  readonly storedRollups: number
  readonly storedRollupBytes: number
  /** Polls from this input on are in the journal only and will be read back from there; null = none. */
  readonly behindSeq: number | null
  /** Samples given up: the database was away for too long, and the journal could not be read before. They are lost. */
  readonly droppedSamples: number
}

export interface HistoryOptions {
  readonly db: DbShape
  readonly tenant: TenantId
  /** Open already: what was not sealed is read back from it in the background. */
  readonly journal: Pick<JournalPort, "readFrom" | "lastSeq">
  readonly log: (line: string) => void
  readonly limits?: Partial<HistoryLimits>
  /** Reads charts elsewhere (history-thread.ts); default: here. */
  readonly readElsewhere?: ReadElsewhere | undefined
  /** Default: Node's. A simulation has its own. */
  readonly turns?: HistoryTurns
}

/** How it lets others go on, waits, and runs its statements. */
export interface HistoryTurns {
  readonly breathe: () => Promise<void>
  /** Resolves early when the signal says so. */
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>
  readonly run: <A>(effect: Effect.Effect<A>) => Promise<A>
}

const REAL_TURNS: HistoryTurns = {
  breathe: () => nodeBreathe(),
  pause: (ms, signal) => nodeSleep(ms, undefined, { signal }).catch(() => {}),
  run: (effect) => Effect.runPromise(effect),
}

/** As History.read; `windows` = those of the device that are not stored. */
export type ReadElsewhere = (windows: readonly WindowInMemory[], query: HistoryQuery) => Promise<HistorySeries | null>

export interface HistoryLimits extends WindowLimits {
  /** Bytes of sealed windows that may wait for the database; beyond it polls are left to the journal and read back later. */
  readonly unstoredBytes: number
  /** Polls that may wait while older ones are read back; beyond it they are left to the journal too. */
  readonly heldPolls: number
  /** Chunks per transaction. */
  readonly batchChunks: number
}

const LIMITS: HistoryLimits = {
  windowMs: 15 * 60_000,
  windowPolls: 30,
  unstoredBytes: 64 << 20,
  heldPolls: 100_000,
  batchChunks: 64,
}
const RETRY_PAUSES_MS = [100, 250, 1_000, 2_000, 5_000]
/** Until the journal is read again for what was not in it yet. */
const READ_AGAIN_MS = 1_000
/** How often silent devices are looked for, in time of the polls. */
const SWEEP_EVERY_MS = 30_000

export const openHistory = (options: HistoryOptions): Effect.Effect<History, DbError, Scope.Scope> =>
  Effect.gen(function* () {
    const mark = yield* readMark(options.db, options.tenant)
    const sealed = new Map(mark.sealed.map((it) => [keyOf(it.source, it.device), it.seq]))
    const plan = new RollupPlan()
    yield* plan.resume(options.db, options.tenant, mark.newestMs)
    const store = new HistoryStore(options, mark.neededSeq, sealed, plan)
    const recovered = store.recover()
    yield* Effect.addFinalizer(() => Effect.promise(() => store.close()))
    return {
      append: (seq, poll) => store.append(seq, poll),
      recovered,
      read: (query) => store.read(query),
      inMemory: (device) => store.inMemory(device),
      neededSeq: () => store.neededSeq(),
      flush: () => store.flush(),
      status: () => store.status(),
    }
  })

class HistoryStore {
  readonly #options: HistoryOptions
  readonly #limits: HistoryLimits
  readonly #turns: HistoryTurns
  /** Newest seq taken, by source and device. */
  readonly #taken: Map<string, number>
  readonly #open: OpenWindows
  /** Oldest first. The first `#inFlight` are being written. */
  readonly #sealed: OpenWindow[] = []
  #sealedSamples = 0
  #sealedBytes = 0
  #inFlight = 0
  /** Newest poll: the mark when nothing is open. */
  #newestSeq = 0
  #newestMs = 0
  #sweptMs = 0
  readonly #plan: RollupPlan
  /** Hours of devices that fell silent. */
  #silent: readonly RollJob[] = []
  #storing: Promise<void> | null = null
  readonly #closing = new AbortController()
  #stored = { chunks: 0, samples: 0, bytes: 0, rollups: 0, rollupBytes: 0 }
  /** Everything from here on is to be read from the journal; null = nothing is. */
  #behindSeq: number | null
  /** Of the newest poll that was left to the journal. */
  #leftSeq = 0
  #droppedSamples = 0
  /** Polls that came while older ones are read from the journal; null = they are left to it. */
  #held: Array<readonly [seq: number, poll: PollInput]> | null = []
  /** Reads the journal, or waits to. */
  #reader: Promise<void> | null = null
  /** Reading broke off for good: the journal must keep everything from #behindSeq for the next start. */
  #unreadable = false
  /** Polls that were read back. */
  #readPolls = 0

  constructor(options: HistoryOptions, recoverFrom: number, taken: Map<string, number>, plan: RollupPlan) {
    this.#options = options
    this.#plan = plan
    this.#turns = options.turns ?? REAL_TURNS
    this.#limits = { ...LIMITS, ...options.limits }
    this.#behindSeq = recoverFrom
    this.#taken = taken
    this.#open = new OpenWindows(this.#limits, (sealed) => this.#seal(sealed))
  }

  append(seq: number, poll: PollInput): void {
    if (this.#behindSeq === null || this.#unreadable) return this.#take(seq, poll)
    if (this.#held !== null && this.#held.length < this.#limits.heldPolls) return void this.#held.push([seq, poll])
    this.#held = null
    this.#leftSeq = seq
  }

  #take(seq: number, poll: PollInput): void {
    const key = keyOf(poll.source, poll.device)
    if (seq <= (this.#taken.get(key) ?? 0)) return
    this.#taken.set(key, seq)
    this.#newestSeq = Math.max(this.#newestSeq, seq)
    this.#newestMs = Math.max(this.#newestMs, poll.atMs)
    this.#open.add(seq, poll)
    if (this.#newestMs - this.#sweptMs >= SWEEP_EVERY_MS) this.#sweep()
    if (this.#sealedBytes <= this.#limits.unstoredBytes) return
    if (this.#behindSeq === null) this.#fallBehind()
    else if (this.#unreadable) this.#dropOldest()
  }

  /** Neither the database takes samples nor the journal gives them back. */
  #dropOldest(): void {
    while (this.#sealedBytes > this.#limits.unstoredBytes && this.#sealed.length > this.#inFlight + 1) {
      const window = this.#sealed.splice(this.#inFlight, 1)[0]!.window
      this.#sealedSamples -= window.samples
      this.#sealedBytes -= window.heldBytes
      this.#droppedSamples += window.samples
    }
  }

  async recover(): Promise<number> {
    try {
      // A chunk that is ahead of the journal (restored from a backup) must not hide the polls that follow.
      const last = await this.#options.journal.lastSeq()
      for (const [key, seq] of this.#taken) this.#taken.set(key, Math.min(seq, last))
    } catch (error) {
      this.#giveUpReading(error)
    }
    this.#startReading()
    await this.#reader
    return this.#readPolls
  }

  /** The database takes nothing and memory is full of what waits for it: the journal has the rest. */
  #fallBehind(): void {
    this.#behindSeq = this.#newestSeq + 1
    this.#held = null
    this.#options.log(`samples from input ${this.#behindSeq} on wait in the journal until the database is back`)
    this.#startReading()
  }

  #startReading(): void {
    this.#reader ??= this.#catchUp().finally(() => {
      this.#reader = null
      // It may have fallen behind again between the reader's last look and its end.
      if (this.#behindSeq !== null && !this.#unreadable && !this.#closing.signal.aborted) this.#startReading()
    })
  }

  /** Reads what was left to the journal, and what comes meanwhile, until nothing is. */
  async #catchUp(): Promise<void> {
    try {
      while (this.#behindSeq !== null && !this.#unreadable && (await this.#hasRoom())) {
        this.#held ??= []
        const isWhole = await this.#readBack()
        const held = this.#held as ReadonlyArray<readonly [number, PollInput]> | null
        // Polls that were left to it may still be on their way into the table, through the spool.
        if (!isWhole || held === null || this.#behindSeq <= this.#leftSeq) {
          await this.#pause(READ_AGAIN_MS)
          continue
        }
        this.#behindSeq = null
        this.#held = null
        for (const [seq, poll] of held) this.append(seq, poll)
      }
    } catch (error) {
      this.#giveUpReading(error)
    }
  }

  /** Goes on with what comes. */
  #giveUpReading(error: unknown): void {
    this.#unreadable = true
    this.#options.log(`history since input ${this.#behindSeq} could not be read back: ${(error as Error).message}`)
    for (const [seq, poll] of this.#held ?? []) this.#take(seq, poll)
    this.#held = null
  }

  /** One pass over the journal; #behindSeq follows. False = not to its end. Rejects when it cannot be read, ever. */
  async #readBack(): Promise<boolean> {
    try {
      for await (const batch of this.#options.journal.readFrom(this.#behindSeq!)) {
        for (const { seq, input } of batch) {
          this.#behindSeq = seq + 1
          if (input.kind !== "poll") continue
          this.#take(seq, input)
          this.#readPolls++
        }
        if (!(await this.#hasRoom())) return false
      }
      return true
    } catch (error) {
      if (error instanceof DbError) return false
      throw error
    }
  }

  /** Waits until half of the memory for sealed windows is free. False = we are closing. */
  async #hasRoom(): Promise<boolean> {
    while (this.#sealedBytes > this.#limits.unstoredBytes / 2 && !this.#closing.signal.aborted)
      await (this.#storing ?? this.#pause(RETRY_PAUSES_MS[0]!))
    return !this.#closing.signal.aborted
  }

  neededSeq(): number | null {
    const oldest = this.#oldestSeq(0)
    if (this.#behindSeq === null) return oldest
    return oldest === null ? this.#behindSeq : Math.min(oldest, this.#behindSeq)
  }

  /** Over the open windows and the sealed ones but the first `skip`. */
  #oldestSeq(skip: number): number | null {
    let oldest = this.#open.oldestSeq()
    for (let i = skip; i < this.#sealed.length; i++) {
      const first = this.#sealed[i]!.window.seq[0]!
      if (oldest === null || first < oldest) oldest = first
    }
    return oldest
  }

  async flush(): Promise<void> {
    while (this.#reader !== null) await this.#reader
    this.#open.sealAll()
    while (this.#storing !== null) await this.#storing
  }

  /** Sealed windows that cannot be stored now are read from the journal again at the next start. */
  async close(): Promise<void> {
    this.#closing.abort()
    await this.#reader
    await this.#storing
  }

  status(): HistoryStatus {
    let [openWindows, samples, bytes] = [0, this.#sealedSamples, this.#sealedBytes]
    for (const { window } of this.#open.all()) {
      openWindows++
      samples += window.samples
      bytes += window.heldBytes
    }
    return {
      openWindows,
      samplesInMemory: samples,
      bytesInMemory: bytes,
      unstored: this.#sealed.length,
      storedChunks: this.#stored.chunks,
      storedSamples: this.#stored.samples,
      storedBytes: this.#stored.bytes,
      storedRollups: this.#stored.rollups,
      storedRollupBytes: this.#stored.rollupBytes,
      behindSeq: this.#behindSeq,
      droppedSamples: this.#droppedSamples,
    }
  }

  #seal(sealed: OpenWindow): void {
    this.#sealed.push(sealed)
    this.#sealedSamples += sealed.window.samples
    this.#sealedBytes += sealed.window.heldBytes
    this.#storing ??= this.#store()
  }

  #sweep(): void {
    this.#sweptMs = this.#newestMs
    this.#open.sealPast(this.#newestMs - SWEEP_EVERY_MS)
    const busy = new Set(this.#sealed.map(({ source, device }) => keyOf(source, device)))
    this.#silent = this.#plan.silent(this.#newestMs, (key) => this.#open.has(key) || busy.has(key))
    if (this.#silent.length > 0) this.#storing ??= this.#store()
  }

  /** Runs while sealed windows wait: as many as there are in one transaction, the next when that is done. */
  async #store(): Promise<void> {
    await this.#turns.breathe()
    for (let failures = 0; this.#waiting() && !this.#closing.signal.aborted;) {
      const batch = this.#sealed.slice(0, this.#limits.batchChunks)
      this.#inFlight = batch.length
      const stored = await this.#storeBatch(batch)
      if (stored.error === null) {
        failures = 0
        continue
      }
      if (failures === 0) this.#options.log(`history waits for the database: ${stored.error.message}`)
      await this.#pause(RETRY_PAUSES_MS[Math.min(failures++, RETRY_PAUSES_MS.length - 1)]!)
    }
    this.#inFlight = 0
    this.#storing = null
  }

  /** Ends early when we are closing. */
  async #pause(ms: number): Promise<void> {
    await this.#turns.pause(ms, this.#closing.signal)
  }

  #waiting(): boolean {
    return this.#sealed.length > 0 || this.#silent.length > 0
  }

  /** Chunks, and what they make due of the rollups; silent devices when nothing else waits. */
  async #storeBatch(batch: readonly OpenWindow[]): Promise<{ readonly error: DbError | null }> {
    const { db, tenant, log } = this.#options
    const rows: ChunkRow[] = []
    const unpacked: SealedWindow[] = []
    for (const { device, source, window: packed } of batch) {
      const window = packed.unpack()
      unpacked.push({ device, source, window })
      rows.push(rowOf({ device, source, window }))
      await this.#turns.breathe()
    }
    const silent = batch.length === 0 ? this.#silent.slice(0, this.#limits.batchChunks) : []
    const jobs = [...this.#plan.jobs(unpacked), ...silent]
    const aside = { log, breathe: this.#turns.breathe }
    const store = Effect.gen({ self: this }, function* () {
      const rollups: RollupRow[] = []
      for (const job of jobs.filter(isDue)) rollups.push(...(yield* rollUp(db, tenant, job, aside)))
      const oldest = this.#oldestSeq(batch.length) ?? this.#newestSeq + 1
      const neededSeq = Math.min(oldest, this.#behindSeq ?? oldest)
      yield* insertChunks(db, tenant, rows, rollups, { neededSeq, newestMs: this.#newestMs })
      return rollups
    })
    const done = await this.#turns.run(
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
      this.#sealedBytes -= window.heldBytes
      this.#stored.chunks++
      this.#stored.samples += window.samples
      this.#stored.bytes += rows[i]!.data.length
    }
  }

  read(query: HistoryQuery): Promise<HistorySeries | null> {
    const { db, tenant, readElsewhere } = this.#options
    if (readElsewhere !== undefined) return readElsewhere(this.inMemory(query.device), query)
    return readHistory({ db, tenant, inMemory: () => this.inMemory(query.device) }, query)
  }

  inMemory(device: string): readonly OpenWindow[] {
    const found = this.#sealed.filter((it) => it.device === device)
    for (const open of this.#open.all()) if (open.device === device) found.push(open)
    return found
  }
}

const rowOf = ({ device, source, window }: SealedWindow & { readonly window: Window }): ChunkRow => ({
  device,
  source,
  t0: Math.min(...window.atMs),
  t1: Math.max(...window.atMs),
  seq0: window.seq[0]!,
  seq1: window.seq.at(-1)!,
  polls: window.seq.length,
  data: encodeChunk(window),
})
