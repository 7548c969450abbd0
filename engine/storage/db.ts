/**
 * The one door to PostgreSQL: a transaction per call, always as one tenant (row security sees only its rows) or as the
 * engine role. Built on `pg`; its traps are closed here: a pool without an error listener kills the process, COMMIT of an
 * aborted transaction answers ROLLBACK, a client goes back to the pool only when idle, driver errors hold values.
 */
import { Client, DatabaseError, Pool, type PoolClient, type QueryResultRow } from "pg"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Cause from "effect/Cause"
import type * as Scope from "effect/Scope"
import type { TenantId } from "#protocol/id.ts"

/**
 * PostgreSQL refused or could not be asked. Holds no password and none of the values that were written: `message` is
 * PostgreSQL's own only for the classes of errors that cannot quote data.
 * `code` is the SQLSTATE, or Node's code of a connection error (ECONNREFUSED ...).
 */
export class DbError extends Data.TaggedError("DbError")<{
  readonly code: string
  readonly message: string
  readonly table?: string
  readonly constraint?: string
}> {
  /** The database could not be reached or went away: trying again later may help, the outcome is unknown. */
  get isAway(): boolean {
    return /^(08|57P0[123]|53300|57014|AWAY|E[A-Z]+$)/.test(this.code)
  }
}

export interface Tx {
  /** Rejects with DbError. int8 and numeric arrive as strings: cast or Number() them. */
  readonly query: <Row extends QueryResultRow = QueryResultRow>(
    sql: string,
    values?: readonly unknown[],
  ) => Promise<{ readonly rows: readonly Row[]; readonly rowCount: number }>
}

/**
 * Runs a body in one transaction. A rejection rolls back: with DbError for what PostgreSQL refused, with E for an error
 * of the body that has a `_tag`; anything else is a defect. Interruption cancels the statement on the server.
 */
export type Transaction = <A, E = never>(
  body: (tx: Tx) => Promise<A> | Effect.Effect<A, E>,
) => Effect.Effect<A, E | DbError>

export interface DbShape {
  /** As the app role with `app.tenant_id` set for this transaction. */
  readonly tenant: (tenant: TenantId) => Transaction
  /** The same role and row security on connections of their own, so that a flood of requests never delays the journal. */
  readonly ingest: (tenant: TenantId) => Transaction
  /** As the engine role, in the home database: what must be known before a tenant is. */
  readonly engine: Transaction
  /**
   * As the engine role, in every database that can be used now: the home database first, then those that tenants have
   * of their own (engine/isolation/). One that is away is not among them: only its own tenant misses it.
   */
  readonly engines: readonly Transaction[]
}

export interface DbOptions {
  readonly appUrl: string
  readonly engineUrl: string
  /** Most connections of each kind (defaults 10, 4, 2). A caller beyond them waits at most 5 (ingest: 2) seconds. */
  readonly tenantConnections?: number
  readonly ingestConnections?: number
  readonly engineConnections?: number
}

const CANCEL_LIMIT_MS = 2_000

/** Opens the pools (no connection is made yet); they close with the scope. */
export const openDb = (options: DbOptions): Effect.Effect<DbShape, never, Scope.Scope> =>
  Effect.gen(function* () {
    const tenants = yield* openPool(options.appUrl, options.tenantConnections ?? 10, "tenant", 5_000)
    const writers = yield* openPool(options.appUrl, options.ingestConnections ?? 4, "ingest", 2_000)
    const engines = yield* openPool(options.engineUrl, options.engineConnections ?? 2, "engine", 5_000)
    const engine = transaction(engines, options.engineUrl, "begin")
    return {
      tenant: (tenant) => transaction(tenants, options.appUrl, beginAs(tenant)),
      ingest: (tenant) => transaction(writers, options.appUrl, beginAs(tenant)),
      engine,
      engines: [engine],
    }
  })

/** `waitMs`: longest wait for a free or new connection. */
const openPool = (url: string, max: number, name: string, waitMs: number): Effect.Effect<Pool, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const pool = new Pool({
        connectionString: url,
        max,
        application_name: `heliograph ${name}`,
        connectionTimeoutMillis: waitMs,
        idleTimeoutMillis: 60_000,
        keepAlive: true,
      })
      // An idle connection was cut: the pool has dropped it already and makes another when one is needed.
      pool.on("error", () => {})
      return pool
    }),
    (pool) => Effect.promise(() => pool.end()),
  )

/** SET LOCAL ends with the transaction; a session SET would leak the tenant to the connection's next user. */
const beginAs = (tenant: TenantId): string => {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(tenant)) throw new RangeError("a tenant id must be a uuid")
  return `begin; set local app.tenant_id = '${tenant}'`
}

const transaction =
  (pool: Pool, url: string, begin: string): Transaction =>
  <A, E>(body: (tx: Tx) => Promise<A> | Effect.Effect<A, E>): Effect.Effect<A, E | DbError> =>
    Effect.acquireUseRelease(
      Effect.tryPromise({ try: () => connect(pool), catch: toConnectError }),
      (client) =>
        Effect.gen(function* () {
          yield* statement(client, begin)
          const result = yield* runBody<A, E>(body, client)
          const committed = yield* statement(client, "commit")
          // PostgreSQL answers ROLLBACK when a statement had failed and the body went on as if it had not.
          if (committed !== "COMMIT") return yield* new DbError({ code: "25P02", message: SWALLOWED })
          return result
        }),
      (client, exit) => settle(client, url, exit),
    )

const SWALLOWED = "the transaction was rolled back: an earlier statement in it had failed and the error was ignored"

const runBody = <A, E>(
  body: (tx: Tx) => Promise<A> | Effect.Effect<A, E>,
  client: PoolClient,
): Effect.Effect<A, E | DbError> =>
  Effect.suspend(() => {
    const running = body(txOf(client))
    if (Effect.isEffect(running)) return running
    return Effect.tryPromise({ try: () => running, catch: (error) => error }).pipe(
      Effect.catch((error) => (isTagged<E>(error) ? Effect.fail(error) : Effect.die(error))),
    )
  })

const isTagged = <E>(error: unknown): error is E | DbError =>
  typeof error === "object" && error !== null && "_tag" in error

const txOf = (client: PoolClient): Tx => ({
  query: async <Row extends QueryResultRow>(sql: string, values?: readonly unknown[]) => {
    try {
      const { rows, rowCount } = await client.query<Row>(sql, values === undefined ? undefined : [...values])
      return { rows, rowCount: rowCount ?? 0 }
    } catch (error) {
      throw toDbError(error)
    }
  },
})

const statement = (client: PoolClient, sql: string): Effect.Effect<string, DbError> =>
  Effect.tryPromise({
    try: async () => {
      const result = await client.query(sql)
      return Array.isArray(result) ? "BEGIN" : result.command
    },
    catch: toDbError,
  })

/** Between connect and release, a cut connection also speaks through the client's own event. */
const clientErrors = new WeakSet<PoolClient>()
const connect = async (pool: Pool): Promise<PoolClient> => {
  const client = await pool.connect()
  if (!clientErrors.has(client)) {
    clientErrors.add(client)
    client.on("error", () => {})
  }
  return client
}

const settle = (client: PoolClient, url: string, exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> => {
  if (Exit.isSuccess(exit)) return Effect.sync(() => client.release())
  if (Cause.hasInterrupts(exit.cause)) {
    return Effect.sync(() => {
      const pid = (client as unknown as { processID: number | null }).processID
      client.release(true)
      if (pid !== null) void cancelBackend(url, pid)
    })
  }
  return Effect.promise(async () => {
    try {
      await client.query("rollback")
      client.release()
    } catch {
      client.release(true)
    }
  })
}

/** Closing our end does not stop a running statement; asking from another connection does. Best effort, bounded. */
const cancelBackend = async (url: string, pid: number): Promise<void> => {
  const client = new Client({
    connectionString: url,
    connectionTimeoutMillis: CANCEL_LIMIT_MS,
    query_timeout: CANCEL_LIMIT_MS,
  })
  client.on("error", () => {})
  try {
    await client.connect()
    await client.query("select pg_cancel_backend($1)", [pid])
  } catch {
    // The server is away: the statement dies with it or by its statement_timeout.
  } finally {
    await client.end().catch(() => {})
  }
}

/** Whoever refuses the connection itself (no such database, not accepting connections, password) is as good as away. */
const toConnectError = (error: unknown): DbError => {
  const { code, message } = toDbError(error)
  return /^(28|3D|55)/.test(code)
    ? new DbError({ code: "AWAY", message: `no database connection: ${message}` })
    : toDbError(error)
}

/** SQLSTATE classes whose messages name objects or states of the server, never data. */
const SPEAKING = /^(08|25|28|3D|3F|40|42|53|54|55|57|58|XX)/

const toDbError = (error: unknown): DbError => {
  if (error instanceof DbError) return error
  if (error instanceof DatabaseError) {
    const code = error.code ?? "XX000"
    const where = [error.table, error.constraint].filter((it) => it !== undefined).join(", ")
    const why = SPEAKING.test(code) ? error.message : `PostgreSQL refused the data${where === "" ? "" : ` (${where})`}`
    return new DbError({
      code,
      message: `${why} [${code}]`,
      ...(error.table === undefined ? {} : { table: error.table }),
      ...(error.constraint === undefined ? {} : { constraint: error.constraint }),
    })
  }
  // Connection errors of Node and of pg itself ("Connection terminated unexpectedly", "timeout exceeded ...").
  const { code, message } = error as { code?: string; message?: string }
  return new DbError({
    code: code ?? "AWAY",
    message: `no database connection: ${code ?? message ?? "unknown reason"}`,
  })
}
