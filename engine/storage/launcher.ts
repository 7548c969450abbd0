/**
 * One way to a database for everybody: DATABASE_URL when it is set, else a PostgreSQL of our own in the data directory,
 * from npm's binaries or the system's. Either way the caller gets URLs for three roles of which none is a superuser.
 * The measured design and its traps: notes/storage.md s1.
 */
import { mkdirSync } from "node:fs"
import { resolve } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { Client } from "pg"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { findBinaries, type Binaries } from "#engine/storage/binaries.ts"
import {
  adminClient,
  adoptRunning,
  ClusterError,
  clusterMajor,
  createCluster,
  describeCluster,
  isAlive,
  PLAIN_OPTIONS,
  reachableBinaries,
  startServer,
  stopServer,
  type Cluster,
  type Log,
} from "#engine/storage/cluster.ts"
import { DataDirInUse, lockDataDir } from "#engine/storage/data-lock.ts"
import { APP_ROLE, ENGINE_ROLE, ensureRoles, OWNER_ROLE, urlAs } from "#engine/storage/roles.ts"
import { choosePlace, letServerIn } from "#engine/storage/run-as.ts"

export interface DatabaseOptions {
  /** Created when missing. */
  readonly dataDir: string
  /** Used as given, and nothing is started. */
  readonly databaseUrl?: string
  readonly app: "heliograph"
  readonly log: Log
  /**
   * `engine` (default) owns the data directory and fails with DataDirInUse when somebody else does. `tool` (a command
   * beside a running engine) uses that engine's server, and starts one for itself only when there is no engine.
   */
  readonly purpose?: "engine" | "tool"
  /** Which installation to prefer; npm's by default. */
  readonly prefer?: Binaries["origin"]
}

/** URLs hold passwords: never log them. */
export interface Database {
  readonly kind: "external" | "adopted" | "started"
  /** Of the server, e.g. `18.4`. */
  readonly version: string
  readonly appUrl: string
  readonly engineUrl: string
  readonly ownerUrl: string
  /** What the passwords of the three roles on this server are derived from. */
  readonly roleSecret: Redacted.Redacted
  /** Fast shutdown of a server that we started or adopted; closing the scope does it too. Nothing for an external one. */
  readonly stop: () => Promise<void>
}

/** `message` says what to do, and holds no password. */
export class DatabaseUnavailable extends Data.TaggedError("DatabaseUnavailable")<{ readonly message: string }> {}

const DATABASE = "heliograph"
/** security_invoker views need 15. */
const MAJOR_MIN = 15
/** A dead server of ours is restarted after these pauses; the last one repeats. */
const RESTART_PAUSES_MS = [100, 500, 2_000, 5_000]
/** How long a tool waits for the engine that holds the data directory to bring its server up. */
const TOOL_WAIT_MS = 60_000

export const openDatabase = (
  options: DatabaseOptions,
): Effect.Effect<Database, DataDirInUse | DatabaseUnavailable, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(Effect.tryPromise({ try: () => open(options), catch: asOpenError }), ({ close }) =>
      Effect.promise(close),
    ),
    ({ database }) => database,
  )

interface Opened {
  readonly database: Database
  readonly close: () => Promise<void>
}

const open = async (options: DatabaseOptions): Promise<Opened> => {
  const dataDir = resolve(options.dataDir)
  // Root's server runs as another user, which must be able to pass through; secrets in it are 0600 of their own.
  mkdirSync(dataDir, { recursive: true, mode: process.getuid?.() === 0 ? 0o755 : 0o700 })
  const lock = takeLock(dataDir, options.purpose ?? "engine")
  try {
    const database =
      options.databaseUrl !== undefined && options.databaseUrl !== ""
        ? await openExternal(options.databaseUrl)
        : await openLocal(dataDir, options, lock !== null)
    return {
      database,
      close: async () => {
        await database.stop()
        lock?.release()
      },
    }
  } catch (error) {
    lock?.release()
    throw error
  }
}

/** Null = somebody else holds it and we are only a tool. */
const takeLock = (dataDir: string, purpose: "engine" | "tool"): { release: () => void } | null => {
  try {
    return lockDataDir(dataDir)
  } catch (error) {
    if (purpose === "tool" && error instanceof DataDirInUse) return null
    throw error
  }
}

const openExternal = (databaseUrl: string): Promise<Database> => connectExternal(databaseUrl, "DATABASE_URL")

/**
 * A database that somebody else runs, with our roles and schema in it. `setting` names where its URL stands. The roles
 * belong to the whole server: where another database of it may be in use, `makeRoles` sees to it (engine/isolation), and
 * answers with the secret that their passwords are derived from.
 */
export const connectExternal = async (
  databaseUrl: string,
  setting: string,
  makeRoles: (admin: Client, own: string) => Promise<string> = async (admin, own) => {
    await ensureRoles(admin, own)
    return own
  },
): Promise<Database> => {
  const base = parseUrl(databaseUrl, setting)
  const admin = new Client({ connectionString: databaseUrl, connectionTimeoutMillis: 10_000, query_timeout: 30_000 })
  admin.on("error", () => {})
  try {
    await admin.connect()
    const version = await serverVersion(admin)
    await requireCreateRole(admin, setting)
    const secret = await makeRoles(admin, secretOf(base))
    return { kind: "external", version, ...urls(base, secret), stop: async () => {} }
  } catch (error) {
    if (error instanceof DatabaseUnavailable) throw error
    const { code, message } = error as { code?: string; message: string }
    throw new DatabaseUnavailable({
      message: `the database of ${setting} (${base.host}${base.pathname}) cannot be used: ${message} (${code ?? "no code"})`,
    })
  } finally {
    await admin.end().catch(() => {})
  }
}

const requireCreateRole = async (admin: Client, setting: string): Promise<void> => {
  const { rows } = await admin.query(
    "select rolsuper or rolcreaterole as able, rolname as name from pg_roles where rolname = current_user",
  )
  const role = rows[0] as { able: boolean; name: string }
  if (role.able) return
  throw new DatabaseUnavailable({
    message:
      `${setting}'s role ${role.name} may not create roles, and Heliograph works as three of its own ` +
      `(${OWNER_ROLE}, ${APP_ROLE}, ${ENGINE_ROLE}). Let an administrator run: ALTER ROLE "${role.name}" CREATEROLE; ` +
      `GRANT CREATE ON DATABASE "${admin.database}" TO "${role.name}";`,
  })
}

/** Everybody who can connect with this URL can derive the roles' passwords, and nobody else. */
const secretOf = (base: URL): string => `${decodeURIComponent(base.username)}:${decodeURIComponent(base.password)}`

const parseUrl = (text: string, setting: string): URL => {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || !/^postgres(ql)?:$/.test(url.protocol)) {
    // The text is not repeated: it holds a password.
    throw new DatabaseUnavailable({
      message:
        `${setting} must look like postgres://user:password@host:5432/database, or ` +
        "postgres://user:password@localhost/database?host=/socket/directory (reserved characters percent-encoded)",
    })
  }
  return url
}

const openLocal = async (dataDir: string, options: DatabaseOptions, isOwner: boolean): Promise<Database> => {
  if (process.platform === "win32") {
    throw new DatabaseUnavailable({ message: "on Windows, set DATABASE_URL to a PostgreSQL 15 or newer" })
  }
  letServerIn(dataDir)
  const place = choosePlace(dataDir)
  if (place.moved) {
    options.log(
      `PostgreSQL runs as ${place.user?.name ?? ""}, which cannot reach ${dataDir}: the database is in ${place.stateDir}`,
    )
  }
  const cluster = describeCluster(dataDir, place, options.log)
  if (!isOwner) return connectAsTool(cluster)
  const { pid, kind, binaries } = await bringUp(cluster, options)
  const version = await prepare(cluster).catch(async (error: unknown) => {
    if (kind === "started") await stopServer(cluster, pid)
    throw error
  })
  const keeper = keepAlive(cluster, binaries, pid)
  const stop = async (): Promise<void> => {
    const last = await keeper.end()
    if (options.purpose === "tool" && (await othersConnected(cluster))) return
    await stopServer(cluster, last)
  }
  return { kind, version, ...urls(socketUrl(cluster), cluster.password), stop: once(stop) }
}

interface Running {
  readonly pid: number
  readonly kind: "adopted" | "started"
  readonly binaries: Binaries
}

const bringUp = async (cluster: Cluster, options: DatabaseOptions): Promise<Running> => {
  const found = await findBinaries()
  const ordered = options.prefer === "system" ? found.toSorted((a) => (a.origin === "system" ? -1 : 1)) : found
  const major = clusterMajor(cluster)
  const usable = ordered.find((it) => it.major >= MAJOR_MIN && (major === null || it.major === major))
  if (usable === undefined) throw new DatabaseUnavailable({ message: nothingUsable(cluster, found, major) })
  const binaries = reachableBinaries(cluster.place, usable)
  const adopted = major === null ? null : await adoptRunning(cluster)
  if (adopted !== null) return { pid: adopted, kind: "adopted", binaries }
  if (major === null) {
    options.log(`creating the database (PostgreSQL ${binaries.version}) in ${cluster.pgdata}`)
    await createCluster(cluster, binaries)
  }
  return { pid: await startServer(cluster, binaries), kind: "started", binaries }
}

const nothingUsable = (cluster: Cluster, found: readonly Binaries[], major: number | null): string => {
  const have = found.map((it) => `${it.version} (${it.bin})`).join(", ")
  if (major !== null) {
    return (
      `${cluster.pgdata} was made by PostgreSQL ${major}, and only ${have === "" ? "no PostgreSQL" : have} is here. ` +
      `Install PostgreSQL ${major}, or set DATABASE_URL. Nothing was changed.`
    )
  }
  return (
    `no usable PostgreSQL (${MAJOR_MIN} or newer) was found${have === "" ? "" : `, only ${have}`}: install the optional npm ` +
    "packages (npm ci without --omit=optional; not on musl/Alpine), or your system's postgresql, or set DATABASE_URL"
  )
}

/** Database, roles, schema. Returns the server's version. */
const prepare = async (cluster: Cluster): Promise<string> => {
  const maintenance = adminClient(cluster, "postgres")
  await maintenance.connect()
  try {
    const { rowCount } = await maintenance.query("select 1 from pg_database where datname = $1", [DATABASE])
    if (rowCount === 0) {
      await maintenance.query(`create database ${DATABASE} template template0 encoding 'UTF8'`)
      await maintenance.query(`revoke all on database ${DATABASE} from public`)
    }
  } finally {
    await maintenance.end()
  }
  const admin = adminClient(cluster, DATABASE)
  await admin.connect()
  try {
    await ensureRoles(admin, cluster.password)
    await admin.query(`grant connect on database ${DATABASE} to ${OWNER_ROLE}, ${APP_ROLE}, ${ENGINE_ROLE}`)
    return await serverVersion(admin)
  } finally {
    await admin.end()
  }
}

const serverVersion = async (client: Client): Promise<string> => {
  const { rows } = await client.query("select current_setting('server_version_num')::int as num")
  const num = (rows[0] as { num: number }).num
  const version = `${Math.floor(num / 10_000)}.${num % 10_000}`
  if (num >= MAJOR_MIN * 10_000) return version
  throw new DatabaseUnavailable({ message: `PostgreSQL ${version} is too old: Heliograph needs ${MAJOR_MIN} or newer` })
}

/** A server of ours that dies is started again until stop() is called; returns the newest pid. */
const keepAlive = (cluster: Cluster, binaries: Binaries, first: number): { end: () => Promise<number> } => {
  const ending = new AbortController()
  const watch = async (): Promise<number> => {
    let pid = first
    let failures = 0
    for (;;) {
      await pause(isAlive(pid) ? 500 : (RESTART_PAUSES_MS[failures] ?? RESTART_PAUSES_MS.at(-1)!), ending.signal)
      if (ending.signal.aborted) return pid
      if (isAlive(pid)) {
        failures = 0
        continue
      }
      cluster.log(`PostgreSQL (pid ${pid}) died: starting it again`)
      try {
        pid = (await adoptRunning(cluster)) ?? (await startServer(cluster, binaries))
        cluster.log(`PostgreSQL is back (pid ${pid})`)
      } catch (error) {
        failures = Math.min(failures + 1, RESTART_PAUSES_MS.length - 1)
        cluster.log(`PostgreSQL could not be started again: ${(error as Error).message}`)
      }
    }
  }
  const watching = watch()
  return {
    end: () => {
      ending.abort()
      return watching
    },
  }
}

/** The engine has the data directory: wait until its server answers, and leave it alone afterwards. */
const connectAsTool = async (cluster: Cluster): Promise<Database> => {
  const deadline = Date.now() + TOOL_WAIT_MS
  for (;;) {
    try {
      const version = await askVersion(cluster)
      return { kind: "adopted", version, ...urls(socketUrl(cluster), cluster.password), stop: async () => {} }
    } catch (error) {
      if (Date.now() > deadline) {
        throw new ClusterError(
          `the engine that holds ${cluster.dataDir} has no database yet: ${(error as Error).message}`,
        )
      }
      await sleep(100)
    }
  }
}

const askVersion = async (cluster: Cluster): Promise<string> => {
  const client = new Client({ connectionString: urls(socketUrl(cluster), cluster.password).appUrl })
  client.on("error", () => {})
  try {
    await client.connect()
    return await serverVersion(client)
  } finally {
    await client.end().catch(() => {})
  }
}

const othersConnected = async (cluster: Cluster): Promise<boolean> => {
  const client = adminClient(cluster, DATABASE)
  try {
    await client.connect()
    const { rowCount } = await client.query(
      "select 1 from pg_stat_activity where datname = $1 and backend_type = 'client backend' and pid <> pg_backend_pid()",
      [DATABASE],
    )
    return rowCount !== 0
  } catch {
    return false
  } finally {
    await client.end().catch(() => {})
  }
}

const socketUrl = (cluster: Cluster): URL => {
  const url = new URL(`postgres://localhost:5432/${DATABASE}`)
  url.search = new URLSearchParams({ host: cluster.runDir, sslmode: "disable", options: PLAIN_OPTIONS }).toString()
  return url
}

const urls = (base: URL, secret: string): Pick<Database, "appUrl" | "engineUrl" | "ownerUrl" | "roleSecret"> => ({
  roleSecret: Redacted.make(secret, { label: "role secret" }),
  appUrl: urlAs(base, APP_ROLE, secret),
  engineUrl: urlAs(base, ENGINE_ROLE, secret),
  ownerUrl: urlAs(base, OWNER_ROLE, secret),
})

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  sleep(ms, undefined, { signal, ref: false }).catch(() => {})

const once = (run: () => Promise<void>): (() => Promise<void>) => {
  let running: Promise<void> | null = null
  return () => (running ??= run())
}

const asOpenError = (error: unknown): DataDirInUse | DatabaseUnavailable => {
  if (error instanceof DataDirInUse || error instanceof DatabaseUnavailable) return error
  return new DatabaseUnavailable({ message: error instanceof Error ? error.message : String(error) })
}

/** Whether this machine can run a database without DATABASE_URL; tests ask before they start one. */
export const hasLocalPostgres = async (): Promise<boolean> =>
  process.platform !== "win32" && (await findBinaries()).some((it) => it.major >= MAJOR_MIN)
