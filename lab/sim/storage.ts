/**
 * A model of PostgreSQL and of the local spool beside it: what survives a kill -9 of the engine, and how they answer. Commits
 * take time, stall, and lose their answers (the rows are there, nobody says so); while the database is away the journal is
 * durable in the spool and drained later. A commit under way when the engine dies has happened or not, by lot.
 * Bytes, not objects, are kept: the journal and the snapshots come back through the codecs that a database would see.
 */
import { decodeBatch, encodeBatch } from "#engine/tenant/journal-codec.ts"
import type { JournalPort, SnapshotPort, StoredSnapshot } from "#engine/tenant/ports.ts"
import type { EventView } from "#protocol/view.ts"
import type { Sequenced } from "#twin/input.ts"
import { dice } from "#lab/isp/random.ts"
import type { Dice } from "#lab/isp/random.ts"
import type { Life, Loop } from "#lab/sim/loop.ts"

/** After so long without an answer the journal asks again: what it sends twice must count once. */
const RETRY_MS = 2_000
const FSYNC_MS = 4

export interface StoredRow {
  readonly first: number
  readonly last: number
  readonly bytes: Uint8Array
}

export interface StoredHash {
  readonly seq: number
  readonly hash: string
}

/** How badly the database behaves. Probabilities are per call. */
export interface StorageMood {
  readonly stall: number
  readonly stallMsMax: number
  readonly lostAnswer: number
  readonly snapshotRefused: number
}
export const CALM: StorageMood = { stall: 0, stallMsMax: 0, lostAnswer: 0, snapshotRefused: 0 }

interface Append {
  readonly row: StoredRow
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

export class Storage {
  mood: StorageMood = CALM
  away = false
  /** Number of starts. */
  lease = 0
  /** Durable rows, in order; the spool's included. */
  readonly rows: StoredRow[] = []
  readonly hashes: StoredHash[] = []
  readonly events = new Map<string, EventView>()
  /** Rows that the journal asked to store a second time. */
  resent = 0
  readonly #loop: Loop
  readonly #dice: Dice
  #saved: StoredSnapshot | null = null
  #underWay: Append | null = null

  constructor(loop: Loop, seed: number) {
    this.#loop = loop
    this.#dice = dice(seed, "storage")
  }

  lastSeq(): number {
    return this.rows.at(-1)?.last ?? 0
  }

  /** The engine is gone. */
  killed(): void {
    const append = this.#underWay
    this.#underWay = null
    if (append !== null && this.#dice.chance(0.5)) this.#commit(append.row)
  }

  journalFor(life: Life): JournalPort {
    this.lease++
    return {
      append: (batch) => this.#append(life, batch),
      readFrom: (seq) => this.readFrom(seq),
      lastSeq: async () => this.lastSeq(),
    }
  }

  async *readFrom(seq: number): AsyncGenerator<readonly Sequenced[]> {
    for (const row of this.rows.slice(this.#indexOf(seq))) yield this.read(row).filter((entry) => entry.seq >= seq)
  }

  read(row: StoredRow): readonly Sequenced[] {
    return decodeBatch(row.bytes)
  }

  snapshotsFor(life: Life): SnapshotPort {
    return {
      load: async () => this.#saved,
      save: (seq, atMs, blob, stateHash) =>
        new Promise((resolve, reject) => {
          const refused = this.away || this.#dice.chance(this.mood.snapshotRefused)
          this.#loop.after(this.#dice.int(2, 40), life, () => {
            if (refused || this.away) return reject(new Error("the database did not take the snapshot"))
            this.#saved = { seq, atMs, blob: blob.slice() }
            this.hashes.push({ seq, hash: stateHash })
            resolve()
          })
        }),
    }
  }

  /** The events' table: rejects when it is away or its answer is lost; what is there already stays as it is. */
  appendEvents(life: Life, events: readonly EventView[]): Promise<void> {
    return new Promise((resolve, reject) => {
      const lost = this.#dice.chance(this.mood.lostAnswer)
      this.#loop.after(this.#latencyMs(), life, () => {
        if (this.away) return reject(new Error("the database is away"))
        for (const event of events) if (!this.events.has(event.id)) this.events.set(event.id, event)
        if (lost) reject(new Error("connection reset"))
        else resolve()
      })
    })
  }

  #append(life: Life, batch: readonly Sequenced[]): Promise<void> {
    const first = batch[0]?.seq ?? 0
    const row: StoredRow = { first, last: first + batch.length - 1, bytes: encodeBatch(batch) }
    return new Promise((resolve, reject) => {
      const append: Append = { row, resolve, reject }
      this.#underWay = append
      if (this.away) this.#loop.after(FSYNC_MS, life, () => this.#settle(append))
      else if (this.#dice.chance(this.mood.lostAnswer)) {
        this.#loop.after(this.#latencyMs(), life, () => this.#commit(row))
        this.#loop.after(RETRY_MS, life, () => {
          this.resent++
          this.#settle(append)
        })
      } else this.#loop.after(this.#latencyMs(), life, () => this.#settle(append))
    })
  }

  #settle(append: Append): void {
    this.#underWay = null
    const refused = this.#commit(append.row)
    if (refused === null) append.resolve()
    else append.reject(refused)
  }

  /** Null = durable now. The same rows again change nothing; anything else is not taken. */
  #commit(row: StoredRow): Error | null {
    const last = this.lastSeq()
    if (row.first === last + 1) this.rows.push(row)
    else if (row.last !== last) return new RangeError(`journal gap: ${row.first} after ${last}`)
    return null
  }

  #latencyMs(): number {
    const { stall, stallMsMax } = this.mood
    return this.#dice.chance(stall) ? this.#dice.int(50, stallMsMax) : this.#dice.int(1, 8)
  }

  #indexOf(seq: number): number {
    const found = this.rows.findIndex((row) => row.last >= seq)
    return found < 0 ? this.rows.length : found
  }
}
