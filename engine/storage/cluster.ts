/**
 * The life of one local PostgreSQL cluster: initdb, start, adopt, watch, stop. The server listens on a Unix socket only,
 * runs detached (Ctrl-C reaches the engine first, and it outlives a killed engine), and is found again by
 * postmaster.pid, proved ours by password and data_directory. fsync and checksums stay on: it holds the journal.
 */
import { spawn } from "node:child_process"
import { createHash, randomBytes } from "node:crypto"
import {
  chmodSync,
  closeSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { basename, join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { Client, DatabaseError } from "pg"
import type { Binaries } from "#engine/storage/binaries.ts"
import { canReach, giveTo, type Place, type ServerUser } from "#engine/storage/run-as.ts"

export type Log = (line: string) => void

export interface Cluster {
  readonly dataDir: string
  readonly place: Place
  readonly pgdata: string
  readonly runDir: string
  /** Superuser `postgres`. */
  readonly password: string
  readonly log: Log
}

/** Why a cluster cannot be had, in words that say what to do. */
export class ClusterError extends Error {}

export const ADMIN = "postgres"
/** Crash recovery may take minutes; a server that says it is busy starting up gets this long. */
const START_LIMIT_MS = 10 * 60_000
const STOP_LIMIT_MS = 30_000
/** sun_path holds 108 bytes with its closing zero (103 on macOS). */
const SOCKET_PATH_MAX = 103
const LOG_KEEP_BYTES = 8 << 20

/** Names the cluster's paths, makes the socket directory and reads (or makes) the superuser's password. */
export const describeCluster = (dataDir: string, place: Place, log: Log): Cluster => {
  const pgdata = join(place.stateDir, "pg")
  mkdirSync(place.stateDir, { recursive: true, mode: 0o755 })
  return {
    dataDir,
    place,
    pgdata,
    runDir: makeRunDir(place),
    password: readSecret(join(dataDir, "pg.secret"), existsSync(pgdata)),
    log,
  }
}

/** Major version of the cluster on disk; null = there is none yet. */
export const clusterMajor = (cluster: Cluster): number | null => {
  const file = join(cluster.pgdata, "PG_VERSION")
  return existsSync(file) ? Number.parseInt(readFileSync(file, "utf8"), 10) : null
}

/** initdb into a directory beside the final one, then a rename: a crash leaves no half-made cluster. */
export const createCluster = async (cluster: Cluster, binaries: Binaries): Promise<void> => {
  const { stateDir, user } = cluster.place
  for (const name of readdirSync(stateDir)) {
    if (name.startsWith("pg.new-")) rmSync(join(stateDir, name), { recursive: true, force: true })
  }
  const fresh = join(stateDir, `pg.new-${process.pid}`)
  mkdirSync(fresh, { mode: 0o700 })
  giveTo(user, fresh)
  const passwordFile = join(cluster.runDir, "initdb.password")
  writeFileSync(passwordFile, `${cluster.password}\n`, { mode: 0o600 })
  giveTo(user, passwordFile)
  try {
    // C.UTF-8 of the builtin provider sorts by code point on every machine: no index breaks when libc or ICU changes.
    const locale = binaries.major >= 17 ? ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] : []
    const args = ["-D", fresh, "-U", ADMIN, "-A", "scram-sha-256", "--pwfile", passwordFile, "-E", "UTF8", "-k"]
    await runInitdb(binaries, [...args, "--locale=C", ...locale], user)
    renameSync(fresh, cluster.pgdata)
  } finally {
    rmSync(passwordFile, { force: true })
    rmSync(fresh, { recursive: true, force: true })
  }
}

const runInitdb = (binaries: Binaries, args: readonly string[], user: ServerUser | null): Promise<void> =>
  new Promise((resolve, reject) => {
    const child = spawn(join(binaries.bin, "initdb"), args, { ...spawnAs(user), stdio: ["ignore", "pipe", "pipe"] })
    let output = ""
    const collect = (data: Buffer): void => {
      output = (output + data.toString()).slice(-4000)
    }
    child.stdout.on("data", collect)
    child.stderr.on("data", collect)
    child.on("error", reject)
    child.on("close", (code) => {
      if (code === 0) return resolve()
      const hint = output.includes("could not look up effective user ID")
        ? ": this user id has no entry in /etc/passwd; add one, or set DATABASE_URL"
        : ""
      reject(new ClusterError(`initdb failed${hint}\n${output.trim()}`))
    })
  })

/** The pid of a server of this cluster that is already running and answers to our password; null = none. */
export const adoptRunning = async (cluster: Cluster): Promise<number | null> => {
  const deadline = Date.now() + START_LIMIT_MS
  while (Date.now() < deadline) {
    const pid = runningPid(cluster)
    if (pid === null) return null
    const answer = await ping(cluster)
    if (answer === "ready") return pid
    if (answer !== "down") {
      throw new ClusterError(
        `a PostgreSQL server (pid ${pid}) runs in ${cluster.pgdata} but is not usable with the password in ` +
          `${join(cluster.dataDir, "pg.secret")} (${answer.refused}): stop it (kill -INT ${pid}) or restore that file`,
      )
    }
    await sleep(100)
  }
  throw new ClusterError(`PostgreSQL in ${cluster.pgdata} is running but did not answer`)
}

/** Starts the server and waits until it takes writes. Returns its pid. */
export const startServer = async (cluster: Cluster, binaries: Binaries): Promise<number> => {
  const deadline = Date.now() + START_LIMIT_MS
  for (;;) {
    removeStalePidFile(cluster)
    const logFile = join(cluster.dataDir, "pg.log")
    if (existsSync(logFile) && statSync(logFile).size > LOG_KEEP_BYTES) renameSync(logFile, `${logFile}.1`)
    const from = existsSync(logFile) ? statSync(logFile).size : 0
    const server = launch(cluster, binaries, logFile)
    const outcome = await untilReady(cluster, server, deadline)
    if (outcome === "ready") return server.pid
    const said = readFileSync(logFile, "utf8").slice(from).trim()
    // The children of a killed postmaster need a moment to see that it is gone.
    const transient = /pre-existing shared memory block|lock file "[^"]*" already exists/.test(said)
    if (outcome === "late" || !transient || Date.now() > deadline) {
      throw new ClusterError(
        `PostgreSQL did not start from ${cluster.pgdata}; ${logFile} ends with:\n${tail(said, 12)}`,
      )
    }
    await sleep(200)
  }
}

interface Launched {
  readonly pid: number
  readonly exited: () => boolean
}

const launch = (cluster: Cluster, binaries: Binaries, logFile: string): Launched => {
  const log = openSync(logFile, "a", 0o600)
  const settings = {
    listen_addresses: "",
    unix_socket_directories: `"${cluster.runDir.replaceAll('"', '""')}"`,
    unix_socket_permissions: "0700",
    port: "5432",
    fsync: "on",
    synchronous_commit: "on",
    full_page_writes: "on",
    // A failing statement's text may be logged, the values bound to it may not.
    log_parameter_max_length_on_error: "0",
    log_min_messages: "warning",
    jit: "off",
    timezone: "UTC",
    log_timezone: "UTC",
    max_connections: "60",
    cluster_name: "heliograph",
  }
  const args = [
    "-D",
    cluster.pgdata,
    ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
  ]
  try {
    const child = spawn(join(binaries.bin, "postgres"), args, {
      ...spawnAs(cluster.place.user),
      detached: true,
      stdio: ["ignore", log, log],
    })
    if (child.pid === undefined) throw new ClusterError(`${binaries.bin}/postgres cannot be run`)
    child.on("error", () => {})
    child.unref()
    return { pid: child.pid, exited: () => child.exitCode !== null || child.signalCode !== null }
  } finally {
    closeSync(log)
  }
}

const untilReady = async (cluster: Cluster, server: Launched, deadline: number): Promise<"ready" | "dead" | "late"> => {
  let reportAt = Date.now() + 10_000
  while (Date.now() < deadline) {
    if (server.exited()) return "dead"
    const answer = await ping(cluster)
    if (answer === "ready") return "ready"
    if (answer !== "down") {
      await stopServer(cluster, server.pid)
      throw new ClusterError(`PostgreSQL started from ${cluster.pgdata} but refuses us: ${answer.refused}`)
    }
    if (Date.now() > reportAt) {
      cluster.log("PostgreSQL is still starting (crash recovery may take minutes)")
      reportAt += 10_000
    }
    await sleep(30)
  }
  return "late"
}

type Answer = "ready" | "down" | { readonly refused: string }

/** ready = takes writes and serves this very directory; refused = it runs, and waiting will not help. */
const ping = async (cluster: Cluster): Promise<Answer> => {
  const client = adminClient(cluster, "postgres")
  try {
    await client.connect()
    const { rows } = await client.query(
      "select current_setting('data_directory') as dir, pg_is_in_recovery() as recovering",
    )
    const row = rows[0] as { dir: string; recovering: boolean }
    if (realpathSync(row.dir) !== realpathSync(cluster.pgdata)) return { refused: `it serves ${row.dir}` }
    return row.recovering ? "down" : "ready"
  } catch (error) {
    return error instanceof DatabaseError && !BUSY.test(error.code ?? "") ? { refused: error.message } : "down"
  } finally {
    await client.end().catch(() => {})
  }
}
/** Starting, stopping or recovering (57P), or all connections taken (53300). */
const BUSY = /^(57P|53)/

/** Superuser connection. What the caller's environment says about other servers (PGOPTIONS, PGSSLMODE) is kept out. */
export const adminClient = (cluster: Cluster, database: string): Client => {
  const client = new Client({
    host: cluster.runDir,
    port: 5432,
    user: ADMIN,
    password: cluster.password,
    database,
    ssl: false,
    options: PLAIN_OPTIONS,
    connectionTimeoutMillis: 5_000,
    query_timeout: 20_000,
  })
  // A server that goes away is told by the statement that notices it.
  client.on("error", () => {})
  return client
}
/** Harmless, and not empty: pg fills an empty one from PGOPTIONS. */
export const PLAIN_OPTIONS = "-c client_min_messages=warning"

/** Fast shutdown (SIGINT): sessions are cut, a checkpoint is written. Never SIGKILL. */
export const stopServer = async (cluster: Cluster, pid: number): Promise<void> => {
  for (const [signal, limitMs] of [
    ["SIGINT", STOP_LIMIT_MS],
    ["SIGQUIT", 5_000],
  ] as const) {
    if (!signalProcess(pid, signal)) return
    const deadline = Date.now() + limitMs
    while (Date.now() < deadline) {
      if (!isAlive(pid)) return
      await sleep(20)
    }
    cluster.log(`PostgreSQL (pid ${pid}) did not stop on ${signal} within ${limitMs / 1000} s`)
  }
}

/** False also for a zombie: a dead child of ours whose exit Node has not collected yet. */
export const isAlive = (pid: number): boolean => {
  if (!signalProcess(pid, 0)) return false
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"))
  } catch {
    return process.platform !== "linux"
  }
}

const signalProcess = (pid: number, signal: NodeJS.Signals | 0): boolean => {
  try {
    process.kill(pid, signal)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM"
  }
}

/** The live postmaster that postmaster.pid names, or null. */
const runningPid = (cluster: Cluster): number | null => {
  const file = join(cluster.pgdata, "postmaster.pid")
  if (!existsSync(file)) return null
  const pid = Number.parseInt(readFileSync(file, "utf8"), 10)
  return Number.isInteger(pid) && pid > 1 && isAlive(pid) && isPostmasterOf(pid, cluster.pgdata) ? pid : null
}

/** A pid is reused sooner or later, in containers at once: does this process really work in our data directory? */
const isPostmasterOf = (pid: number, pgdata: string): boolean => {
  if (process.platform !== "linux") return true
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === realpathSync(pgdata)
  } catch {
    return readFileSync(`/proc/${pid}/comm`, "utf8").trim() === "postgres"
  }
}

const removeStalePidFile = (cluster: Cluster): void => {
  const file = join(cluster.pgdata, "postmaster.pid")
  if (existsSync(file) && runningPid(cluster) === null) rmSync(file, { force: true })
}

/** initdb starts its siblings through a shell and cannot quote these out of its own path. */
const SHELL_SAFE = /^[^"'`$\\\n]+$/

/** The server's user must be able to run the programs: copies them (60 MB, once) when it cannot reach them. */
export const reachableBinaries = (place: Place, binaries: Binaries): Binaries => {
  if (place.user === null || canReach(place.user, binaries.bin)) return binaries
  const beside = SHELL_SAFE.test(place.stateDir) ? place.stateDir : "/var/lib/heliograph-postgresql"
  mkdirSync(beside, { recursive: true })
  const copy = join(beside, `postgresql-${binaries.version}`)
  if (!existsSync(copy)) {
    const partial = `${copy}.${process.pid}`
    cpSync(binaries.root, partial, { recursive: true, verbatimSymlinks: true })
    renameSync(partial, copy)
  }
  return { ...binaries, root: copy, bin: join(copy, basename(binaries.bin)) }
}

const makeRunDir = (place: Place): string => {
  const wanted = join(place.stateDir, "pg-run")
  const socket = (dir: string): number => Buffer.byteLength(join(dir, ".s.PGSQL.5432"))
  const dir =
    socket(wanted) <= SOCKET_PATH_MAX
      ? wanted
      : join(tmpdir(), `heliograph-${createHash("sha256").update(place.stateDir).digest("hex").slice(0, 16)}`)
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  const found = lstatSync(dir)
  const ours = [process.getuid?.(), place.user?.uid].includes(found.uid)
  if (!found.isDirectory() || !ours) throw new ClusterError(`${dir} belongs to somebody else: remove it`)
  chmodSync(dir, 0o700)
  giveTo(place.user, dir)
  return realpathSync(dir)
}

const readSecret = (file: string, clusterExists: boolean): string => {
  if (existsSync(file)) return readFileSync(file, "utf8").trim()
  if (clusterExists) {
    throw new ClusterError(`${file} (the password of the database beside it) is missing: restore it from a backup`)
  }
  const secret = randomBytes(32).toString("hex")
  writeFileSync(file, `${secret}\n`, { mode: 0o600, flag: "wx" })
  return secret
}

const spawnAs = (user: ServerUser | null): { env: NodeJS.ProcessEnv; cwd: string; uid?: number; gid?: number } => ({
  // PGDATA, PGHOST, PGPORT and a broken LC_ALL of the caller mean nothing to our server.
  env: { PATH: process.env["PATH"] ?? "", LC_ALL: "C", TZ: "UTC" },
  cwd: "/",
  ...(user === null ? {} : { uid: user.uid, gid: user.gid }),
})

const tail = (text: string, lines: number): string => text.split("\n").slice(-lines).join("\n")
