/**
 * The life of one database that belongs to one tenant (PRODUCT.md T3): brought up like the home database (roles,
 * migrations, isolation audit), watched, and tried again with growing pauses while it is away or unfit. Whatever happens
 * to it is told to its own tenant only: calls fail at once with a DbError that says "away", and nobody waits for it.
 */
import { Client } from "pg"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import { auditRls } from "#engine/storage/audit-rls.ts"
import { DbError, openDb, type DbShape, type Transaction } from "#engine/storage/db.ts"
import { connectExternal, DatabaseUnavailable, type Database } from "#engine/storage/launcher.ts"
import { migrate } from "#engine/storage/migrate.ts"
import type { Servers } from "#engine/isolation/servers.ts"

export type OwnDatabaseState =
  | { readonly kind: "open" }
  /** `why` is one line without secrets. */
  | { readonly kind: "away"; readonly why: string }

export interface OwnDatabase {
  readonly slug: string
  readonly state: () => OwnDatabaseState
  /** The same three ways in as into the home database; all fail at once while it is away. */
  readonly tenant: DbShape["tenant"]
  readonly ingest: DbShape["ingest"]
  readonly engine: Transaction
  /** For the audit; null before it was open for the first time, and while it is away. They hold passwords. */
  readonly urls: () => Pick<Database, "ownerUrl" | "appUrl"> | null
  /** Resolves when it is open; at once if it is. */
  readonly whenOpen: Effect.Effect<void>
  /** Counts how often it was brought up: what was known of its content before is to be asked anew. */
  readonly generation: () => number
}

export interface OwnDatabaseOptions {
  readonly slug: string
  readonly url: Redacted.Redacted
  readonly servers: Servers
  readonly migrations: string
  readonly log: (line: string) => void
  /** Between two attempts; the last one repeats (default: 0.5, 1, 2, 5, 15 s). */
  readonly pausesMs?: readonly number[]
}

const PAUSES_MS = [500, 1_000, 2_000, 5_000, 15_000]
/** How long a database whose connections fail may take to say that it is there. */
const PROBE_LIMIT_MS = 2_000
/** Of one tenant; the home database's pools serve all that have none of their own. */
const CONNECTIONS = { tenantConnections: 5, ingestConnections: 3, engineConnections: 1 }

/** Returns after the first attempt, successful or not. */
export const openOwnDatabase = (options: OwnDatabaseOptions): Effect.Effect<OwnDatabase, never, Scope.Scope> =>
  Effect.gen(function* () {
    const scope = yield* Effect.scope
    const open = Latch.makeUnsafe(false)
    const suspected = Latch.makeUnsafe(false)
    const now: Now = { state: away("it was not opened yet"), db: null, urls: null, generation: 0, failures: 0 }

    const bringUp = Effect.gen(function* () {
      const urls = yield* prepare(options)
      now.db ??= yield* openDb({ ...urls, ...CONNECTIONS }).pipe(Effect.provideService(Scope.Scope, scope))
      Object.assign(now, { urls, state: { kind: "open" }, failures: 0, generation: now.generation + 1 })
      suspected.closeUnsafe()
      open.openUnsafe()
      options.log(`the database of tenant ${options.slug} is open`)
    }).pipe(Effect.catch((error) => Effect.sync(() => fail(options, now, error.message))))

    const pauses = options.pausesMs ?? PAUSES_MS
    const watch = Effect.gen(function* () {
      if (now.state.kind === "away") {
        yield* Effect.sleep(pauses[Math.min(now.failures - 1, pauses.length - 1)] ?? 0)
        return yield* bringUp
      }
      yield* suspected.await
      const gone = yield* probe(now.urls?.ownerUrl ?? "")
      suspected.closeUnsafe()
      if (gone === null) return
      open.closeUnsafe()
      fail(options, now, gone)
    })
    yield* bringUp
    yield* Effect.forkScoped(Effect.forever(watch))

    const guarded =
      (way: (db: DbShape) => Transaction): Transaction =>
      (body) =>
        Effect.suspend(() => {
          const { state, db } = now
          if (state.kind === "away" || db === null) return Effect.fail(awayError(options.slug, state))
          return way(db)(body).pipe(
            Effect.tapError((error) => Effect.sync(() => isLost(error) && suspected.openUnsafe())),
          )
        })
    return {
      slug: options.slug,
      state: () => now.state,
      tenant: (tenant) => guarded((db) => db.tenant(tenant)),
      ingest: (tenant) => guarded((db) => db.ingest(tenant)),
      engine: guarded((db) => db.engine),
      urls: () => (now.state.kind === "open" ? now.urls : null),
      whenOpen: open.await,
      generation: () => now.generation,
    }
  })

interface Now {
  state: OwnDatabaseState
  db: DbShape | null
  urls: Pick<Database, "ownerUrl" | "appUrl"> | null
  generation: number
  /** Attempts in a row that did not bring it up. */
  failures: number
}

const away = (why: string): OwnDatabaseState => ({ kind: "away", why })

/** Told once per reason, not once per attempt. */
const fail = ({ slug, log }: OwnDatabaseOptions, now: Now, why: string): void => {
  const told = now.state.kind === "away" && now.state.why === why
  now.state = away(why)
  now.failures += 1
  if (!told) log(`the database of tenant ${slug} is away, only this tenant is affected: ${why}`)
}

/** Roles, schema, audit: a database that would let tenants mix is not used. */
const prepare = (options: OwnDatabaseOptions): Effect.Effect<Database, { readonly message: string }> =>
  Effect.gen(function* () {
    const setting = `HELIOGRAPH_TENANT_DATABASES_FILE ${options.slug}`
    const database = yield* Effect.tryPromise({
      try: () =>
        connectExternal(Redacted.value(options.url), setting, (admin, own) =>
          options.servers.makeRoles(options.slug, admin, own),
        ),
      catch: (error) =>
        error instanceof Error
          ? error
          : new DatabaseUnavailable({ message: "it cannot be opened for no known reason" }),
    })
    yield* migrate({ ownerUrl: database.ownerUrl, dir: options.migrations, log: options.log })
    const holes = yield* auditRls(database.ownerUrl)
    if (holes.length === 0) return database
    const named = holes.map(({ rule, object }) => `${object}: ${rule}`).join("; ")
    return yield* Effect.fail({ message: `row level security does not hold in it: ${named}` })
  })

/** Null = it answers; else why it does not. On a connection of its own: a full pool is not an absence. */
const probe = (ownerUrl: string): Effect.Effect<string | null> =>
  Effect.promise(async () => {
    const client = new Client({
      connectionString: ownerUrl,
      connectionTimeoutMillis: PROBE_LIMIT_MS,
      query_timeout: PROBE_LIMIT_MS,
    })
    client.on("error", () => {})
    try {
      await client.connect()
      await client.query("select 1")
      return null
    } catch (error) {
      const { code, message } = error as { code?: string; message: string }
      return `it does not answer (${code ?? message})`
    } finally {
      void client.end().catch(() => {})
    }
  })

const awayError = (slug: string, state: OwnDatabaseState): DbError =>
  new DbError({
    code: "AWAY",
    message: `the database of tenant ${slug} is away: ${state.kind === "away" ? state.why : "it is being opened"}`,
  })

const isLost = (error: unknown): boolean => error instanceof DbError && error.isAway && !/^(57014|53)/.test(error.code)
