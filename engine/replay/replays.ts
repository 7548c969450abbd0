/**
 * The replays that people look at: opened for a tenant within its quota, steered by whoever opened them, watched by
 * whoever of the tenant may, ended when nobody wants anything of them any more. Each is a thread of its own
 * (session.ts); this register decides who may have and who may ask.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { Unavailable } from "#engine/api/ports.ts"
import { recordAct, type Actor } from "#engine/audit/act.ts"
import type { Log } from "#engine/log.ts"
import { oldestMoment } from "#engine/replay/oldest.ts"
import {
  openReplaySession,
  ReplayRefused,
  SESSION_LIMITS,
  type Session,
  type SessionLimits,
} from "#engine/replay/session.ts"
import type { BranchAnswers, BranchAsk, Standing, Steer, WorkerStart } from "#engine/replay/session-messages.ts"
import type { QuotaPassed, Quotas } from "#engine/quota/quotas.ts"
import type { DbError, DbShape } from "#engine/storage/db.ts"
import { uuidv7 } from "#engine/storage/uuidv7.ts"
import type { Hub } from "#engine/stream/hub.ts"
import type { LiveTwin } from "#engine/tenant/live-twin.ts"
import type { TenantId } from "#protocol/id.ts"

/** Threads of all tenants together. */
export const REPLAYS_MAX = 16
/** A replay that is not played, or that nobody watches, ends this long after it was last steered. */
export const IDLE_MS_MAX = 600_000
/** A branch ends this long after it began, whoever watches it. */
export const BRANCH_MS_MAX = 2 * 3_600_000
/** How long it can be asked why a replay ended. */
const ENDED_KEPT_MS = 60_000
const SWEEP_MS = 1_000
/**
 * Epochs of replays: beyond those of live twins (lease * 2^20), and with RESTRICTED_EPOCHS (2^52) still whole numbers. No
 * place in one replay is ever taken for a place in another, or in the live twin.
 */
const REPLAY_EPOCHS = 2 ** 51
const EPOCHS_PER_REPLAY = 2 ** 20

/** Who opens or steers. */
export interface Asker {
  readonly actor: Actor
  readonly twin: LiveTwin
  readonly sites: readonly string[] | null
}

export interface ReplayView extends Standing {
  readonly id: string
  /** Null = it runs; else why it ended, for a minute. */
  readonly ended: string | null
  readonly openedBy: string
  /** Whether the asker opened it and may steer it. */
  readonly mine: boolean
  readonly viewers: number
}

export interface NewReplay {
  readonly fromMs: number
  /** Where it ends by itself; not after now. */
  readonly toMs: number
  readonly speed: number
}

export interface Replays {
  readonly list: (asker: Asker) => readonly ReplayView[]
  /** From when on the tenant's past can be replayed; null = not at all yet. */
  readonly oldestMs: (tenant: TenantId) => Effect.Effect<number | null, Unavailable>
  readonly open: (
    asker: Asker,
    wanted: NewReplay,
  ) => Effect.Effect<ReplayView, ReplayRefused | QuotaPassed | Unavailable>
  /** Null = there is none of this id in the asker's tenant. */
  readonly get: (asker: Asker, id: string) => ReplayView | null
  /** Fails also when somebody else opened it. */
  readonly steer: (asker: Asker, id: string, steer: Steer) => Effect.Effect<ReplayView | null, ReplayRefused>
  readonly close: (asker: Asker, id: string) => Effect.Effect<boolean, ReplayRefused>
  /**
   * Of the branch of one: null = there is none of this id in the tenant. Opening, telling and leaving are for whoever opened
   * it; to look and to ask what would be if, for whoever may see it. Opening and telling stand in the audit.
   */
  readonly ask: <K extends BranchAsk["kind"]>(
    asker: Asker,
    id: string,
    ask: Extract<BranchAsk, { kind: K }>,
  ) => Effect.Effect<
    { readonly view: ReplayView; readonly answer: BranchAnswers[K] } | null,
    ReplayRefused | Unavailable
  >
  /** For the stream; null = there is none of this id in the tenant. */
  readonly hub: (tenant: TenantId, id: string, sites: readonly string[] | null) => Hub | null
  /** Hears the ids of replays that are gone. */
  readonly onEnd: (listener: (id: string) => void) => void
}

export interface ReplaysOptions {
  readonly db: DbShape
  readonly quotas: Quotas
  readonly log: Log
  /** Of the database that has the tenant's rows; null = it is away. Holds a password. */
  readonly appUrl: (slug: string) => string | null
  /** Whether the tenant runs here: when it stops, so do its replays. */
  readonly runs: (tenant: TenantId) => boolean
  readonly nowMs: () => number
  readonly monotonicMs: () => number
  readonly limits?: Partial<SessionLimits>
  readonly worker?: URL
}

interface Entry {
  readonly id: string
  readonly tenant: TenantId
  readonly owner: string
  readonly openedBy: string
  session: Session | null
  /** Last known when the session is gone. */
  last: Standing
  steeredMs: number
  /** When its newest branch began. */
  branchedMs: number
  ended: { readonly why: string; readonly atMs: number } | null
}

/** Every thread ends with the scope. */
export const makeReplays = (options: ReplaysOptions): Effect.Effect<Replays, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => start(options)),
      ({ stop }) => Effect.sync(stop),
    ),
    ({ replays }) => replays,
  )

const start = (options: ReplaysOptions): { readonly replays: Replays; readonly stop: () => void } => {
  const { db, quotas, log, nowMs, monotonicMs } = options
  const limits: SessionLimits = { ...SESSION_LIMITS, ...options.limits }
  const entries = new Map<string, Entry>()
  const counted = new Set<TenantId>()
  const listeners = new Set<(id: string) => void>()
  let opened = 0

  const running = (tenant?: TenantId): number => {
    let count = 0
    for (const entry of entries.values())
      if (entry.ended === null && (tenant === undefined || entry.tenant === tenant)) count++
    return count
  }
  const find = (tenant: TenantId, id: string): Entry | null => {
    const entry = entries.get(id)
    return entry === undefined || entry.tenant !== tenant ? null : entry
  }
  const viewOf = (entry: Entry, asker: Asker): ReplayView => ({
    ...(entry.session?.standing() ?? entry.last),
    id: entry.id,
    ended: entry.ended?.why ?? null,
    openedBy: entry.openedBy,
    mine: entry.owner === ownerOf(asker.actor),
    viewers: entry.session?.viewers.count() ?? 0,
  })
  const end = (entry: Entry, why: string): void => {
    if (entry.ended !== null) return
    entry.ended = { why, atMs: monotonicMs() }
    entry.last = { ...(entry.session?.standing() ?? entry.last), playing: false }
    entry.session?.close()
    entry.session = null
    for (const listener of listeners) listener(entry.id)
  }
  const refusal = (tenant: TenantId): QuotaPassed | Unavailable | null => {
    if (!counted.has(tenant)) quotas.gauge(tenant, "max_concurrent_replays", () => running(tenant))
    counted.add(tenant)
    const passed = quotas.refusal(tenant, "max_concurrent_replays", running(tenant) + 1)
    if (passed !== null) return passed
    return running() < REPLAYS_MAX ? null : new Unavailable({ detail: `${REPLAYS_MAX} replays run in this engine` })
  }

  const begin = (asker: Asker, entry: Entry, wanted: NewReplay, appUrl: string) => {
    const { tenant } = asker.twin
    const startAt: WorkerStart = {
      ...wanted,
      appUrl,
      tenant,
      sites: asker.sites,
      epochBase: REPLAY_EPOCHS + ++opened * EPOCHS_PER_REPLAY,
    }
    const ended = (why: string | null): void => {
      if (why !== null && entry.session !== null)
        log.warn("a replay ended by itself", { tenant: tenant.slug, replay: entry.id, detail: why })
      end(entry, why ?? "it was closed")
    }
    return openReplaySession({
      start: startAt,
      limits,
      ended,
      ...(options.worker === undefined ? {} : { worker: options.worker }),
    })
  }

  const open = (asker: Asker, wanted: NewReplay) =>
    Effect.gen(function* () {
      const { id: tenant, slug } = asker.twin.tenant
      const refused = refusal(tenant)
      if (refused !== null) return yield* refused
      const appUrl = options.appUrl(slug)
      if (appUrl === null) return yield* new Unavailable({ detail: "the tenant's database is away" })
      // Counted while it opens, so that a burst cannot pass the quota together.
      const entry: Entry = {
        id: uuidv7(nowMs()),
        tenant,
        owner: ownerOf(asker.actor),
        openedBy: asker.actor.name,
        session: null,
        last: {
          atMs: wanted.fromMs,
          toMs: wanted.toMs,
          playing: false,
          speed: wanted.speed,
          seq: 0,
          epoch: 0,
          problem: null,
          branch: null,
        },
        steeredMs: monotonicMs(),
        branchedMs: 0,
        ended: null,
      }
      entries.set(entry.id, entry)
      const forget = Effect.sync(() => {
        end(entry, "it was not opened")
        entries.delete(entry.id)
      })
      return yield* Effect.gen(function* () {
        const session = yield* Effect.tryPromise({
          try: () => begin(asker, entry, wanted, appUrl),
          catch: (error) =>
            error instanceof ReplayRefused ? error : new ReplayRefused({ message: "the replay could not be started" }),
        })
        if (entry.ended !== null) {
          session.close()
          return yield* new ReplayRefused({ message: entry.ended.why })
        }
        entry.session = session
        yield* audit(db, asker, entry.id, wanted)
        return viewOf(entry, asker)
      }).pipe(
        Effect.onError(() => forget),
        Effect.onInterrupt(() => forget),
      )
    })

  const own = (asker: Asker, id: string): Effect.Effect<Entry | null, ReplayRefused> =>
    Effect.suspend(() => {
      const entry = find(asker.twin.tenant.id, id)
      if (entry === null || entry.owner === ownerOf(asker.actor)) return Effect.succeed(entry)
      return new ReplayRefused({ message: `only ${entry.openedBy}, who opened it, can steer it` })
    })

  const steer = (asker: Asker, id: string, wish: Steer) =>
    Effect.gen(function* () {
      const entry = yield* own(asker, id)
      if (entry === null) return null
      const { session } = entry
      if (session === null) return yield* new ReplayRefused({ message: `the replay ended: ${entry.ended?.why ?? ""}` })
      entry.steeredMs = monotonicMs()
      yield* Effect.tryPromise({
        try: () => session.steer(wish),
        catch: (error) => (error instanceof ReplayRefused ? error : new ReplayRefused({ message: String(error) })),
      })
      entry.steeredMs = monotonicMs()
      return viewOf(entry, asker)
    })

  const ask: Replays["ask"] = <K extends BranchAsk["kind"]>(
    asker: Asker,
    id: string,
    asked: Extract<BranchAsk, { kind: K }>,
  ) =>
    Effect.gen(function* () {
      const question: BranchAsk = asked
      const isReading = question.kind === "look" || question.kind === "whatIf"
      const entry = isReading ? find(asker.twin.tenant.id, id) : yield* own(asker, id)
      if (entry === null) return null
      const { session } = entry
      if (session === null) return yield* new ReplayRefused({ message: `the replay ended: ${entry.ended?.why ?? ""}` })
      if (!isReading) entry.steeredMs = monotonicMs()
      const answer = yield* Effect.tryPromise({
        try: () => session.ask<K>(asked),
        catch: (error) => (error instanceof ReplayRefused ? error : new ReplayRefused({ message: String(error) })),
      })
      if (question.kind === "open") entry.branchedMs = monotonicMs()
      if (question.kind === "open" || question.kind === "hear") yield* auditBranch(db, asker, entry, question)
      return { view: viewOf(entry, asker), answer }
    })

  const isIdle = (entry: Entry): boolean => {
    const watched = entry.session?.standing().playing === true && entry.session.viewers.count() > 0
    if (watched) entry.steeredMs = monotonicMs()
    return monotonicMs() - entry.steeredMs >= IDLE_MS_MAX
  }
  const isOld = ({ session, branchedMs }: Entry): boolean =>
    session?.standing().branch != null && monotonicMs() - branchedMs >= BRANCH_MS_MAX
  const sweep = setInterval(() => {
    for (const entry of entries.values()) {
      if (entry.ended !== null) {
        if (monotonicMs() - entry.ended.atMs >= ENDED_KEPT_MS) entries.delete(entry.id)
      } else if (!options.runs(entry.tenant)) end(entry, "the tenant does not run any more")
      else if (isOld(entry)) end(entry, `a branch lasts ${BRANCH_MS_MAX / 3_600_000} hours at most`)
      else if (isIdle(entry)) end(entry, `nobody asked anything of it for ${IDLE_MS_MAX / 60_000} minutes`)
    }
  }, SWEEP_MS).unref()

  const replays: Replays = {
    list: (asker) =>
      [...entries.values()]
        .filter(({ tenant, ended }) => tenant === asker.twin.tenant.id && ended === null)
        .map((entry) => viewOf(entry, asker)),
    oldestMs: (tenant) => oldestMoment(db, tenant).pipe(Effect.mapError(away)),
    open,
    get: (asker, id) => {
      const entry = find(asker.twin.tenant.id, id)
      return entry === null ? null : viewOf(entry, asker)
    },
    steer,
    ask,
    close: (asker, id) =>
      Effect.map(own(asker, id), (entry) => {
        if (entry === null) return false
        end(entry, "it was closed")
        entries.delete(id)
        return true
      }),
    hub: (tenant, id, sites) => find(tenant, id)?.session?.viewers.hub(sites) ?? null,
    onEnd: (listener) => void listeners.add(listener),
  }
  const stop = (): void => {
    clearInterval(sweep)
    for (const entry of entries.values()) end(entry, "the engine stops")
  }
  return { replays, stop }
}

/** A key is somebody of its own: its owner's browser does not steer what the key opened. */
const ownerOf = ({ kind, id }: Actor): string => `${kind} ${id}`

const audit = (db: DbShape, { actor, twin }: Asker, id: string, { fromMs, toMs, speed }: NewReplay) =>
  db
    .tenant(twin.tenant.id)((tx) =>
      recordAct(tx, twin.tenant.id, actor, {
        action: "replay.create",
        object: { kind: "replay", id, name: new Date(fromMs).toISOString() },
        before: null,
        after: { fromMs, toMs, speed },
      }),
    )
    .pipe(Effect.mapError(away))

const auditBranch = (
  db: DbShape,
  { actor, twin }: Asker,
  { id, session }: Entry,
  question: Extract<BranchAsk, { kind: "open" | "hear" }>,
) =>
  db
    .tenant(twin.tenant.id)((tx) =>
      recordAct(tx, twin.tenant.id, actor, {
        action: question.kind === "open" ? "replay.branch" : "replay.branch-inputs",
        object: { kind: "replay", id, name: new Date(session?.standing().atMs ?? 0).toISOString() },
        before: null,
        after:
          question.kind === "open"
            ? { alone: question.alone }
            : { inputs: question.inputs.length, faults: question.faults?.map(({ kind }) => kind).join(" ") ?? null },
      }),
    )
    .pipe(Effect.mapError(away))

const away = (error: DbError): Unavailable => new Unavailable({ detail: error.message })
