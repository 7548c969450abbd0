/**
 * A model of PostgreSQL behind the engine's one door to it (engine/storage/db.ts): transactions of one tenant with the locks
 * that matter, a pool with a bound, latency, and what goes wrong: stalls (of one tenant or of all), answers that are lost
 * after the commit happened, connections that break before it, a crash that keeps what was committed and nothing else.
 * A client that goes away leaves its transaction to the server, which ends it when it gets to it.
 */
import * as Effect from "effect/Effect"
import { DbError } from "#engine/storage/db.ts"
import type { DbShape, Transaction, Tx } from "#engine/storage/db.ts"
import { dice } from "#lab/isp/random.ts"
import type { Dice } from "#lab/isp/random.ts"
import { FOREVER } from "#lab/sim/loop.ts"
import type { Life, Loop } from "#lab/sim/loop.ts"
import { applyDraft, newDraft, statementOf, TenantTables } from "#lab/sim/tables.ts"
import type { Answer, Draft, JournalTableRow, Lock } from "#lab/sim/tables.ts"
import type { TenantId } from "#protocol/id.ts"

/** How badly it behaves for one tenant. Probabilities are per transaction. */
export interface DatabaseMood {
  readonly stall: number
  readonly stallMsMax: number
  /** The commit happened, nobody says so. */
  readonly lostAnswer: number
  /** The connection breaks before the commit. */
  readonly reset: number
}
export const CALM: DatabaseMood = { stall: 0, stallMsMax: 0, lostAnswer: 0, reset: 0 }

const LATENCY_MS_MAX = 5
/** As the engine's pools: connections of each kind, and how long a caller waits for one. */
const CONNECTIONS = { tenant: 10, ingest: 4 } as const
const CONNECT_MS = { tenant: 5_000, ingest: 2_000 } as const
/** A row of so many inputs is compact enough. */
const COMPACT_INPUTS = 32
type Kind = keyof typeof CONNECTIONS

type Fate = "open" | "committed" | "rolled back"

/** One transaction, as the server has it. */
interface Session {
  readonly tenant: TenantId
  readonly life: Life
  readonly draft: Draft
  readonly held: Lock[]
  fate: Fate
  /** COMMIT was sent and not answered. */
  committing: boolean
  /** The client has gone: what it sent may still be done, what it did not send will not. */
  abandoned: boolean
  /** A statement or COMMIT is being worked on. */
  busy: boolean
  /** Tells the client that its connection is gone. */
  cut: (error: DbError) => void
}

export class Database {
  /** Refuses connections: it crashed and is not back. */
  away = false
  /** Commits whose answer was lost. */
  lost = 0
  crashes = 0
  readonly moods = new Map<TenantId, DatabaseMood>()
  readonly #frozen = new Set<TenantId>()
  readonly #tables = new Map<TenantId, TenantTables>()
  readonly #open = new Set<Session>()
  readonly #parked = new Map<TenantId, Array<() => void>>()
  readonly #locks = new Map<TenantId, Locks>()
  readonly #loop: Loop
  readonly #dice: Dice
  readonly #onWrong: (detail: string) => void

  constructor(loop: Loop, seed: number, onWrong: (detail: string) => void) {
    this.#loop = loop
    this.#dice = dice(seed, "database")
    this.#onWrong = onWrong
  }

  tables(tenant: TenantId): TenantTables {
    let tables = this.#tables.get(tenant)
    if (tables === undefined) this.#tables.set(tenant, (tables = new TenantTables()))
    return tables
  }

  isFrozen(tenant: TenantId): boolean {
    return this.#frozen.has(tenant)
  }

  /** Nothing that a tenant's sessions ask is answered until it thaws. */
  freeze(tenant: TenantId): void {
    this.#frozen.add(tenant)
  }

  thaw(tenant: TenantId): void {
    if (!this.#frozen.delete(tenant)) return
    const parked = this.#parked.get(tenant) ?? []
    this.#parked.delete(tenant)
    for (const action of parked) this.#loop.after(this.#dice.int(1, 20), FOREVER, action)
  }

  /** The server dies and comes back when `away` is set to false. What was not committed is gone. */
  crash(): void {
    this.crashes++
    this.away = true
    for (const session of this.#open) {
      if (session.fate === "open" && session.committing && this.#dice.chance(0.5)) this.#commit(session)
      this.#end(session, "rolled back")
      session.cut(new DbError({ code: "57P01", message: "the database has crashed [57P01]" }))
    }
    this.#open.clear()
    this.#parked.clear()
    this.#locks.clear()
  }

  /** A process is gone, and its connections with it. */
  killed(life: Life): void {
    for (const session of this.#open) if (session.life === life) this.#abandon(session)
  }

  /** What the compactor does, of which the history's own tests know more: many old rows become one that says the same. */
  compact(tenant: TenantId, merge: (rows: readonly JournalTableRow[]) => JournalTableRow): void {
    const tables = this.tables(tenant)
    const restartSeq = tables.snapshots.at(-2)?.seq ?? 0
    const from = tables.journal.findIndex(({ count }) => count < COMPACT_INPUTS)
    const after = tables.journal.findIndex(({ seq, count }) => seq + count - 1 > restartSeq)
    const rows = tables.journal.slice(from, after)
    if (from < 0 || rows.length < 2 || this.#locksOf(tenant).isHeld("journal")) return
    tables.journal = [...tables.journal.slice(0, from), merge(rows), ...tables.journal.slice(after)]
  }

  /** Retention: rows at the front that no restart needs. */
  prune(tenant: TenantId): void {
    const tables = this.tables(tenant)
    const keepFromSeq = Math.min(tables.snapshots[0]?.seq ?? 0, (tables.history.mark?.neededSeq ?? 1) - 1)
    if (this.#locksOf(tenant).isHeld("journal")) return
    const keep = tables.journal.findIndex(({ seq, count }) => seq + count > keepFromSeq)
    if (keep > 0) tables.journal = tables.journal.slice(keep)
  }

  /** The door, for one life of the engine. */
  shapeFor(life: Life): DbShape {
    const pools = { tenant: new Pool(this.#loop, life, "tenant"), ingest: new Pool(this.#loop, life, "ingest") }
    const door = (kind: Kind) => (tenant: TenantId) => this.#transaction(life, pools[kind], tenant)
    const nobody: Transaction = () => Effect.die(new Error("the simulation has no engine role"))
    return { tenant: door("tenant"), ingest: door("ingest"), engine: nobody, engines: [] }
  }

  #transaction =
    (life: Life, pool: Pool, tenant: TenantId): Transaction =>
    <A, E>(body: (tx: Tx) => Promise<A> | Effect.Effect<A, E>): Effect.Effect<A, E | DbError> =>
      Effect.callback<A, E | DbError>((resume) => {
        let session: Session | null = null
        let gone = false
        const run = async (): Promise<A> => {
          await pool.connect(() => gone)
          try {
            session = this.#begin(life, tenant)
            const running = body({ query: (sql, values) => this.#query(session as Session, sql, values) as never })
            if (Effect.isEffect(running)) throw new Error("the model takes bodies that are promises")
            const result = await running
            await this.#askCommit(session)
            return result
          } catch (error) {
            if (session !== null) this.#end(session, "rolled back")
            throw error
          } finally {
            if (!gone) pool.release()
          }
        }
        run().then(
          (result) => resume(Effect.succeed(result)),
          (error: unknown) => resume(isTagged<E>(error) ? Effect.fail(error) : Effect.die(error)),
        )
        // The client breaks its connection off.
        return Effect.sync(() => {
          gone = true
          if (session !== null) {
            this.#abandon(session)
            pool.release()
          }
        })
      })

  #begin(life: Life, tenant: TenantId): Session {
    if (this.away) throw new DbError({ code: "ECONNREFUSED", message: "no database connection: ECONNREFUSED" })
    const session: Session = {
      tenant,
      life,
      draft: newDraft(),
      held: [],
      fate: "open",
      committing: false,
      abandoned: false,
      busy: false,
      cut: () => undefined,
    }
    this.#open.add(session)
    return session
  }

  async #query(session: Session, sql: string, values: readonly unknown[] = []): Promise<Answer> {
    const statement = statementOf(sql)
    if (values[0] !== session.tenant)
      this.#onWrong(`a statement of tenant ${session.tenant} names ${String(values[0])}: ${statement.begins}`)
    return this.#ask(session, (answer) => {
      this.#locked(session, statement.locks, () =>
        answer(() => statement.run(this.tables(session.tenant), session.draft, values)),
      )
    })
  }

  async #askCommit(session: Session): Promise<void> {
    session.committing = true
    const { lostAnswer, reset } = this.#moodOf(session.tenant)
    const lot = this.#dice.next()
    if (lot < reset) {
      this.#end(session, "rolled back")
      throw broken()
    }
    await this.#ask(session, (answer) => {
      this.#commit(session)
      answer(() => {
        if (lot < reset + lostAnswer) {
          this.lost++
          throw broken()
        }
        return { rows: [], rowCount: 0 }
      })
    })
  }

  /** Sends something to the server and waits for its answer, which a client that is gone does not hear. */
  #ask(session: Session, serve: (answer: (make: () => Answer) => void) => void): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (session.fate !== "open" || session.abandoned) return reject(broken())
      session.busy = true
      session.cut = (error) => {
        if (session.life.alive && !session.abandoned) reject(error)
      }
      this.#later(session.tenant, this.#latencyMs(session.tenant), () => {
        if (session.fate !== "open") return
        // The server ends what it has before it sees that nobody listens: a COMMIT on its way counts.
        if (session.abandoned && !session.committing) return this.#end(session, "rolled back")
        serve((make) => {
          session.busy = false
          if (session.abandoned) return this.#end(session, "rolled back")
          if (!session.life.alive) return
          try {
            resolve(make())
          } catch (error) {
            reject(error as Error)
          }
        })
      })
    })
  }

  #later(tenant: TenantId, ms: number, action: () => void): void {
    this.#loop.after(ms, FOREVER, () => {
      if (!this.#frozen.has(tenant)) return action()
      const parked = this.#parked.get(tenant) ?? []
      parked.push(action)
      this.#parked.set(tenant, parked)
    })
  }

  #locked(session: Session, locks: readonly Lock[], then: () => void): void {
    const [first, ...rest] = locks
    if (first === undefined) return then()
    this.#locksOf(session.tenant).take(session, first, () => {
      if (session.fate === "open") this.#locked(session, rest, then)
    })
  }

  #commit(session: Session): void {
    applyDraft(this.tables(session.tenant), session.draft)
    this.#end(session, "committed")
  }

  #end(session: Session, fate: Fate): void {
    if (session.fate !== "open") return
    session.fate = fate
    this.#open.delete(session)
    this.#locks.get(session.tenant)?.release(session)
  }

  #abandon(session: Session): void {
    session.abandoned = true
    if (session.fate === "open" && !session.busy) this.#end(session, "rolled back")
  }

  #locksOf(tenant: TenantId): Locks {
    let locks = this.#locks.get(tenant)
    if (locks === undefined) this.#locks.set(tenant, (locks = new Locks()))
    return locks
  }

  #moodOf(tenant: TenantId): DatabaseMood {
    return this.moods.get(tenant) ?? CALM
  }

  #latencyMs(tenant: TenantId): number {
    const { stall, stallMsMax } = this.#moodOf(tenant)
    return this.#dice.chance(stall) ? this.#dice.int(50, stallMsMax) : this.#dice.int(1, LATENCY_MS_MAX)
  }
}

const broken = (): DbError => new DbError({ code: "ECONNRESET", message: "no database connection: ECONNRESET" })

const isTagged = <E>(error: unknown): error is E | DbError =>
  typeof error === "object" && error !== null && "_tag" in error

/** Connections of one kind: a caller beyond the bound waits, and not for ever. */
class Pool {
  readonly #loop: Loop
  readonly #life: Life
  readonly #kind: Kind
  #used = 0
  #waiting: Array<() => void> = []

  constructor(loop: Loop, life: Life, kind: Kind) {
    this.#loop = loop
    this.#life = life
    this.#kind = kind
  }

  connect(isGone: () => boolean): Promise<void> {
    if (this.#used < CONNECTIONS[this.#kind]) {
      this.#used++
      return Promise.resolve()
    }
    return new Promise((resolve, reject) => {
      const enter = (): void => {
        cancel()
        if (isGone()) return this.release()
        resolve()
      }
      const cancel = this.#loop.after(CONNECT_MS[this.#kind], this.#life, () => {
        this.#waiting = this.#waiting.filter((one) => one !== enter)
        reject(new DbError({ code: "AWAY", message: "no database connection: timeout exceeded" }))
      })
      this.#waiting.push(enter)
    })
  }

  release(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#used--
    else next()
  }
}

/** Of one tenant: first come, first served; "lease shared" goes together with itself. */
class Locks {
  #held: Array<{ readonly session: Session; readonly lock: Lock }> = []
  #waiting: Array<{ readonly session: Session; readonly lock: Lock; readonly granted: () => void }> = []

  isHeld(lock: Lock): boolean {
    return this.#held.some((one) => one.lock === lock)
  }

  take(session: Session, lock: Lock, granted: () => void): void {
    if (this.#held.some((one) => one.session === session && one.lock === lock)) return granted()
    this.#waiting.push({ session, lock, granted })
    this.#grant()
  }

  release(session: Session): void {
    this.#held = this.#held.filter((one) => one.session !== session)
    this.#waiting = this.#waiting.filter((one) => one.session !== session)
    this.#grant()
  }

  #grant(): void {
    for (const one of this.#waiting) {
      if (!this.#isFree(one.session, one.lock)) continue
      this.#waiting = this.#waiting.filter((other) => other !== one)
      this.#held.push(one)
      one.granted()
      return this.#grant()
    }
  }

  #isFree(session: Session, lock: Lock): boolean {
    return this.#held.every((one) => one.session === session || !clashes(one.lock, lock))
  }
}

const clashes = (held: Lock, wanted: Lock): boolean => {
  if (held === "lease shared") return wanted === "lease"
  if (held === "lease") return wanted === "lease" || wanted === "lease shared"
  return held === wanted
}
