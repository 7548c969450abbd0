/**
 * The tenant's journal: the order of everything that happened, durable before any effect of it leaves the engine.
 * Natural group commit: while one commit runs, appends queue; the next commit takes all that is queued, without a timer.
 * When PostgreSQL does not take a commit in time, rows go to a local fsynced spool instead and appends are acknowledged
 * from there; a drain writes them to PostgreSQL in order when it is back. Rows are fenced by the tenant's lease (lease.ts).
 */
import { dirname, join } from "node:path"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { chunkValues } from "#engine/storage/poll-values.ts"
import type { TenantId } from "#protocol/id.ts"
import { DbError, type DbShape } from "#engine/storage/db.ts"
import { NODE_DISK, type Disk } from "#engine/storage/disk.ts"
import { COMPACT, decodeCompact } from "#engine/storage/journal-compact.ts"
import { batchOf, packRow, rowOf, unpackRow, type BatchCodec, type JournalRow } from "#engine/storage/journal-row.ts"
import { insertMissing, insertRows, lastSeq, pruneRows, readPage, seqSince } from "#engine/storage/journal-table.ts"
import { currentEpoch, Fenced, takeLease, type Lease } from "#engine/storage/lease.ts"
import { openSpool, type Spool } from "#engine/storage/spool.ts"
import type { JournalPort } from "#engine/tenant/ports.ts"
import type { Sequenced } from "#twin/input.ts"

/** The journal's rows do not follow each other: inputs between them are lost. */
export class JournalGap extends Data.TaggedError("JournalGap")<{ readonly after: number; readonly next: number }> {
  override get message(): string {
    return `the journal has a gap: ${this.after} is followed by ${this.next}`
  }
}

export interface JournalOptions {
  readonly db: DbShape
  readonly tenant: TenantId
  readonly dataDir: string
  readonly codec: BatchCodec
  /** Who writes: host and pid, for people. */
  readonly holder: string
  readonly log: (line: string) => void
  readonly limits?: Partial<JournalLimits>
  /** Where the spool is; default: the process's file system. */
  readonly disk?: Disk
  /** Runs what waits for the database or for a while; default: Effect's own, by the process's clock. */
  readonly run?: Run
}

/** Rejects with the effect's failure, or when the signal aborts it. */
export type Run = <A, E>(effect: Effect.Effect<A, E>, options?: { readonly signal: AbortSignal }) => Promise<A>

export interface JournalLimits {
  /** A commit that takes longer goes to the spool. ms */
  readonly commitMs: number
  /** Largest spool file; beyond it appends wait until PostgreSQL has taken it. */
  readonly spoolBytes: number
  /** Most appends and bytes that wait for a commit; one more is a defect of the caller and rejected. */
  readonly queuedAppends: number
  readonly queuedBytes: number
  /** Most rows and bytes of one commit. */
  readonly groupRows: number
  readonly groupBytes: number
  /** Rows of fewer bytes are stored as they are; default: what pays. */
  readonly compressMin?: number
}

/** Largest spool file of a tenant. */
export const SPOOL_BYTES_MAX = 1 << 30

const LIMITS: JournalLimits = {
  commitMs: 2_000,
  spoolBytes: SPOOL_BYTES_MAX,
  queuedAppends: 1_024,
  queuedBytes: 64 << 20,
  groupRows: 256,
  groupBytes: 8 << 20,
}
/** Pauses between attempts to reach PostgreSQL (or a full disk); the last one repeats. */
const RETRY_PAUSES_MS = [50, 100, 250, 500, 1_000, 2_000]

export interface JournalStatus {
  /** Appends are acknowledged from the spool, because PostgreSQL does not take them. */
  readonly spooling: boolean
  /** Bytes on the disk that PostgreSQL does not have yet. */
  readonly spooledBytes: number
  readonly queuedAppends: number
  readonly commits: number
  /** Rows in those commits; rows / commits = how well they group. */
  readonly rows: number
}

export interface Journal extends JournalPort {
  readonly lease: Lease
  readonly status: () => JournalStatus
  /** Where to begin reading to see everything since this time. */
  readonly seqSince: (sinceMs: number) => Promise<number>
  /** Retention: drops what is older than `beforeMs` and lies wholly before `keepFromSeq`. Returns rows deleted. */
  readonly prune: (beforeMs: number, keepFromSeq: number) => Promise<number>
}

/**
 * Takes the tenant over: brings a spool that an earlier run left into the table, then raises the epoch. Closing the scope
 * waits for the appends that were made.
 */
export const openJournal = (options: JournalOptions): Effect.Effect<Journal, Fenced | DbError, Scope.Scope> =>
  Effect.gen(function* () {
    const { db, tenant } = options
    const spool = yield* Effect.acquireRelease(
      Effect.promise(async () => {
        const path = spoolPath(options)
        await diskOf(options).makeFolder(dirname(path))
        return openSpool(path, diskOf(options))
      }),
      (it) => Effect.promise(() => it.close()),
    )
    const usable = yield* recoverSpool(options, spool)
    const lease = yield* takeLease(db, tenant, options.holder)
    const last = yield* lastSeq(db, tenant)
    const writer = new JournalWriter(options, usable, lease, last)
    yield* Effect.addFinalizer(() => Effect.promise(() => writer.close()))
    const run = <A>(effect: Effect.Effect<A, DbError>): Promise<A> => Effect.runPromise(effect)
    return {
      lease,
      append: (batch) => writer.append(batch),
      lastSeq: () => Promise.resolve(writer.durableSeq),
      readFrom: (seq) => readJournal(options, seq),
      status: () => writer.status(),
      seqSince: (sinceMs) => run(seqSince(db, tenant, sinceMs)),
      prune: (beforeMs, keepFromSeq) => run(pruneRows(db, tenant, beforeMs, keepFromSeq)),
    }
  })

const spoolPath = ({ dataDir, tenant }: JournalOptions): string => join(dataDir, "spool", `${tenant}.log`)

const diskOf = ({ disk }: JournalOptions): Disk => disk ?? NODE_DISK

/**
 * Rows of the epoch that the lease still has go into the table. When somebody else took the tenant meanwhile, our rows are
 * another history: they are set aside, never mixed in.
 */
const recoverSpool = (options: JournalOptions, spool: Spool): Effect.Effect<Spool, Fenced | DbError, Scope.Scope> =>
  Effect.gen(function* () {
    if (spool.size() === 0) return spool
    const epoch = yield* currentEpoch(options.db, options.tenant)
    const began = spool.size()
    for (;;) {
      const records = yield* Effect.promise(() => spool.peek(LIMITS.groupBytes))
      if (records.length === 0) break
      const rows = records.map(unpackRow)
      if (rows.some((row) => row.epoch !== epoch)) return yield* setAside(options, epoch)
      yield* insertMissing(options.db, options.tenant, epoch, rows)
      spool.take(records.length)
    }
    yield* Effect.promise(() => spool.clear())
    options.log(`${began} bytes of inputs that were kept while the database was away are in the journal now`)
    return spool
  })

const setAside = (options: JournalOptions, epoch: number): Effect.Effect<Spool, never, Scope.Scope> => {
  const path = spoolPath(options)
  const disk = diskOf(options)
  const renamed = Effect.promise(async () => {
    let aside = `${path}.before-epoch-${epoch}`
    for (let n = 2; await disk.exists(aside); n++) aside = `${path}.before-epoch-${epoch}.${n}`
    await disk.rename(path, aside)
    options.log(
      `another engine has written this tenant's journal since: our inputs that it does not have are in ${aside}`,
    )
  })
  return Effect.acquireRelease(
    Effect.andThen(
      renamed,
      Effect.promise(() => openSpool(path, disk)),
    ),
    (it) => Effect.promise(() => it.close()),
  )
}

/** Reads beside whoever writes: no lease is taken. Rejects with JournalGap, JournalUnreadable or DbError. */
export async function* readJournal(
  options: Pick<JournalOptions, "db" | "tenant" | "codec">,
  seq: number,
): AsyncGenerator<readonly Sequenced[]> {
  const values = chunkValues(options.db, options.tenant)
  let next = seq
  let previous: number | null = null
  for (;;) {
    const page = await Effect.runPromise(readPage(options.db, options.tenant, next))
    if (page.length === 0) return
    for (const row of page) {
      // A row may begin before its page: rows that were read already and that one were made one meanwhile.
      if (previous !== null && row.seq > previous + 1) throw new JournalGap({ after: previous, next: row.seq })
      const wanted: number = Math.max(seq, (previous ?? 0) + 1)
      previous = row.seq + row.count - 1
      const batch =
        row.data[0] === COMPACT
          ? await decodeCompact(row.data, values, options.codec, wanted)
          : batchOf(row.data, options.codec)
      yield row.seq >= wanted ? batch : batch.filter((it) => it.seq >= wanted)
    }
    next = (previous ?? next) + 1
  }
}

interface Pending {
  readonly row: JournalRow
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/**
 * Two loops: `write` brings the queue to the table, or to the spool while `spooling`; `drain` brings the spool to the
 * table beside it. Only `write` empties the spool's file and ends spooling, between two of its own appends.
 */
class JournalWriter {
  /** Of the newest acknowledged input. */
  durableSeq: number
  #options: JournalOptions
  #limits: JournalLimits
  #spool: Spool
  #lease: Lease
  #run: Run
  #queue: Pending[] = []
  #queuedBytes = 0
  /** Of the newest input that was handed to us. */
  #acceptedSeq: number
  #spooling = false
  /** The loops' ends, for `close`; one that has nothing to do ends on the stack of who started it. */
  #writing = Promise.resolve()
  #draining = Promise.resolve()
  #isWriting = false
  #isDraining = false
  /** The drain works and has one more commit to go: `write` stands still, or it would add to the spool for ever. */
  #almostDrained = false
  #onDrainStep: Array<() => void> = []
  /** Why nothing is written any more: another engine has the tenant, or a defect. */
  #ended: Error | null = null
  #closing = new AbortController()
  #commits = 0
  #rows = 0

  constructor(options: JournalOptions, spool: Spool, lease: Lease, last: number) {
    this.#options = options
    this.#limits = { ...LIMITS, ...options.limits }
    this.#spool = spool
    this.#lease = lease
    this.#run = options.run ?? Effect.runPromise
    this.#acceptedSeq = last
    this.durableSeq = last
  }

  async append(batch: readonly Sequenced[]): Promise<void> {
    if (this.#ended !== null) throw this.#ended
    if (batch.length === 0) return
    if (batch[0]!.seq !== this.#acceptedSeq + 1) throw new JournalGap({ after: this.#acceptedSeq, next: batch[0]!.seq })
    if (this.#queue.length >= this.#limits.queuedAppends || this.#queuedBytes >= this.#limits.queuedBytes) {
      throw new RangeError(`${this.#queue.length} appends wait already: the caller must wait for them`)
    }
    const row = rowOf(batch, this.#lease.epoch, this.#options.codec, this.#limits.compressMin)
    this.#acceptedSeq += batch.length
    this.#queuedBytes += row.data.length
    const durable = new Promise<void>((resolve, reject) => this.#queue.push({ row, resolve, reject }))
    this.#startWriting()
    await durable
  }

  status(): JournalStatus {
    return {
      spooling: this.#spooling,
      spooledBytes: this.#spool.pending(),
      queuedAppends: this.#queue.length,
      commits: this.#commits,
      rows: this.#rows,
    }
  }

  /** What can be stored of the queue is; the spool stays for the next start. Nothing of it is touched afterwards. */
  async close(): Promise<void> {
    this.#closing.abort()
    // Each may start the other once more.
    while (this.#isWriting || this.#isDraining) {
      await this.#writing
      await this.#draining
    }
    this.#end(new Error("the journal was closed"))
  }

  #startWriting(): void {
    if (this.#isWriting) return
    this.#isWriting = true
    this.#writing = this.#write()
  }

  #startDraining(): void {
    if (this.#isDraining) return
    this.#isDraining = true
    this.#draining = this.#drain()
  }

  /** Runs while there is something to do. A defect must not leave the callers waiting for ever: it ends the journal. */
  async #write(): Promise<void> {
    try {
      for (let failures = 0; this.#ended === null;) {
        if (this.#spooling && !this.#isDraining && this.#spool.pending() === 0) await this.#endSpooling()
        if (this.#queue.length === 0) break
        if (this.#spooling && this.#isDraining && this.#almostDrained) {
          await new Promise<void>((resolve) => this.#onDrainStep.push(resolve))
          continue
        }
        const group = this.#nextGroup()
        if (await this.#store(group)) {
          failures = 0
          this.#acknowledge(group)
          continue
        }
        // Neither takes it (spool full, disk refused): the queue waits, and through it the caller.
        if (this.#closing.signal.aborted) break
        await this.#pause(failures++)
      }
    } catch (error) {
      this.#end(error as Error)
    } finally {
      this.#isWriting = false
    }
  }

  #nextGroup(): readonly Pending[] {
    let bytes = 0
    let rows = 0
    while (rows < this.#queue.length && rows < this.#limits.groupRows) {
      bytes += this.#queue[rows]!.row.data.length
      if (rows > 0 && bytes > this.#limits.groupBytes) break
      rows++
    }
    return this.#queue.slice(0, rows)
  }

  #acknowledge(group: readonly Pending[]): void {
    this.#queue.splice(0, group.length)
    for (const { row, resolve } of group) {
      this.#queuedBytes -= row.data.length
      this.durableSeq = row.seq + row.count - 1
      resolve()
    }
  }

  /** True = durable. What may or may not have been committed goes to the spool too: sending it again is harmless. */
  async #store(group: readonly Pending[]): Promise<boolean> {
    const rows = group.map(({ row }) => row)
    if (!this.#spooling) {
      const failure = await this.#insert(rows)
      if (failure === null) return true
      if (failure instanceof Fenced) {
        this.#end(failure)
        return false
      }
      this.#options.log(`the journal goes to the local spool: ${failure.message}`)
      this.#spooling = true
    }
    const spooled = await this.#toSpool(rows)
    if (spooled) this.#startDraining()
    return spooled
  }

  async #toSpool(rows: readonly JournalRow[]): Promise<boolean> {
    const records = rows.map(packRow)
    const bytes = records.reduce((sum, record) => sum + record.length, 0)
    if (this.#spool.size() + bytes > this.#limits.spoolBytes) return false
    try {
      await this.#spool.append(records)
      return true
    } catch (error) {
      this.#options.log(`the journal's spool cannot be written: ${(error as Error).message}`)
      return false
    }
  }

  /** Null = committed. `insert` knows what to do with rows that are there already. */
  async #insert(rows: readonly JournalRow[], insert = insertRows): Promise<Fenced | DbError | null> {
    const { db, tenant } = this.#options
    const inserting = insert(db, tenant, this.#lease.epoch, rows).pipe(
      Effect.timeoutOrElse({
        duration: this.#limits.commitMs,
        orElse: () => Effect.fail(new DbError({ code: "AWAY", message: `no commit in ${this.#limits.commitMs} ms` })),
      }),
      Effect.as(null),
      Effect.catch((error) => Effect.succeed(error)),
    )
    const failure = await this.#run(inserting)
    if (failure === null) {
      this.#commits++
      this.#rows += rows.length
    }
    return failure
  }

  /** Moves the spool to the table, oldest first, until it is empty; then `write` ends the spooling. */
  async #drain(): Promise<void> {
    try {
      for (let failures = 0; this.#spool.pending() > 0 && this.#ended === null && !this.#closing.signal.aborted;) {
        const records = await this.#spool.peek(this.#limits.groupBytes)
        const failure = await this.#insert(records.map(unpackRow), insertMissing)
        if (failure === null) {
          failures = 0
          this.#spool.take(records.length)
        } else if (failure instanceof Fenced) this.#end(failure)
        this.#almostDrained = failure === null && this.#spool.pending() <= this.#limits.groupBytes
        this.#drainStepped()
        if (failure !== null) await this.#pause(failures++)
      }
    } catch (error) {
      this.#end(error as Error)
    } finally {
      this.#isDraining = false
      this.#almostDrained = false
      this.#drainStepped()
      this.#startWriting()
    }
  }

  #drainStepped(): void {
    for (const resolve of this.#onDrainStep.splice(0)) resolve()
  }

  async #endSpooling(): Promise<void> {
    try {
      await this.#spool.clear()
    } catch (error) {
      // The rows stay in the file and are offered once more at the next start, which changes nothing.
      this.#options.log(`the journal's spool could not be emptied: ${(error as Error).message}`)
    }
    this.#spooling = false
    this.#options.log("the journal is back in the database, nothing was lost")
  }

  #pause(failures: number): Promise<void> {
    const ms = RETRY_PAUSES_MS[Math.min(failures, RETRY_PAUSES_MS.length - 1)]
    return this.#run(Effect.sleep(ms as number), { signal: this.#closing.signal }).catch(() => {})
  }

  #end(error: Error): void {
    this.#ended ??= error
    if (error instanceof Fenced) this.#options.log(error.message)
    this.#queuedBytes = 0
    for (const { reject } of this.#queue.splice(0)) reject(this.#ended)
  }
}
