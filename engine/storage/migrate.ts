/**
 * Forward-only migrations in plain SQL: migrations/NNNN_name.sql, each in a transaction of its own, in order, once.
 * One runner at a time (a session advisory lock on a direct connection: not through a transaction pooler). A file that
 * was applied may not change any more; a database that is newer than this build is a warning, so that a build can be
 * rolled back. A file whose first line is `-- no-transaction` holds exactly one statement (CREATE INDEX CONCURRENTLY ...).
 */
import { createHash } from "node:crypto"
import { readdir, readFile } from "node:fs/promises"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { Client, type DatabaseError } from "pg"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"

/** `message` names the file, the line when PostgreSQL told it, and what is wrong. */
export class MigrationFailed extends Data.TaggedError("MigrationFailed")<{
  readonly file: string
  readonly message: string
}> {}

export interface MigrationReport {
  /** Files applied now, in order. */
  readonly applied: readonly string[]
  /** Files of a newer build that the database already has. */
  readonly newer: readonly string[]
}

export interface MigrateOptions {
  readonly ownerUrl: string
  readonly dir: string
  readonly log: (line: string) => void
  /** How long one attempt waits for a table lock (default 400 ms): waiting longer would stall the tables' readers. */
  readonly lockTimeoutMs?: number
  /** Attempts per file when the lock is not free (default 50). */
  readonly attempts?: number
}

interface MigrationFile {
  readonly name: string
  readonly sql: string
  readonly sha256: string
}

export const migrate = (options: MigrateOptions): Effect.Effect<MigrationReport, MigrationFailed> =>
  Effect.tryPromise({
    try: () => run(options),
    catch: (error) =>
      error instanceof MigrationFailed
        ? error
        : new MigrationFailed({ file: "", message: `migrations could not run: ${(error as Error).message}` }),
  })

const run = async (options: MigrateOptions): Promise<MigrationReport> => {
  const files = await readMigrations(options.dir)
  const client = new Client({ connectionString: options.ownerUrl, connectionTimeoutMillis: 10_000 })
  client.on("error", () => {})
  await client.connect()
  try {
    // A killed runner's lock goes with its session; others wait here.
    await client.query("select pg_advisory_lock(hashtext('heliograph migrations'))")
    await client.query(
      "create table if not exists schema_migration " +
        "(name text primary key, sha256 text not null, applied_at timestamptz not null default now())",
    )
    const { rows } = await client.query("select name, sha256 from schema_migration order by name")
    const done = new Map((rows as Array<{ name: string; sha256: string }>).map((row) => [row.name, row.sha256]))
    refuseEdited(files, done)
    const applied: string[] = []
    for (const file of files.filter((it) => !done.has(it.name))) {
      await apply(client, file, options)
      options.log(`migration ${file.name} applied`)
      applied.push(file.name)
    }
    const known = new Set(files.map((it) => it.name))
    const newer = [...done.keys()].filter((name) => !known.has(name))
    if (newer.length > 0) options.log(`the database is newer than this build: it also has ${newer.join(", ")}`)
    return { applied, newer }
  } finally {
    await client.end().catch(() => {})
  }
}

const readMigrations = async (dir: string): Promise<readonly MigrationFile[]> => {
  const names = (await readdir(dir)).filter((name) => name.endsWith(".sql")).toSorted()
  const numbers = new Set<string>()
  for (const name of names) {
    const number = /^(\d{4})_[a-z0-9_]+\.sql$/.exec(name)?.[1]
    if (number === undefined) throw new MigrationFailed({ file: name, message: `${name}: not named NNNN_words.sql` })
    if (numbers.has(number)) throw new MigrationFailed({ file: name, message: `${name}: number ${number} is taken` })
    numbers.add(number)
  }
  return Promise.all(
    names.map(async (name) => {
      // A checkout with CRLF line ends is the same migration.
      const sql = (await readFile(join(dir, name), "utf8")).replaceAll("\r\n", "\n")
      return { name, sql, sha256: createHash("sha256").update(sql).digest("hex") }
    }),
  )
}

const refuseEdited = (files: readonly MigrationFile[], done: ReadonlyMap<string, string>): void => {
  let newest = ""
  for (const name of done.keys()) newest = name > newest ? name : newest
  for (const { name, sha256 } of files) {
    const applied = done.get(name)
    if (applied !== undefined && applied !== sha256) {
      throw new MigrationFailed({
        file: name,
        message: `${name} was changed after it had been applied: undo the edit and write a new migration instead`,
      })
    }
    if (applied === undefined && name < newest && files.some((it) => it.name === newest)) {
      throw new MigrationFailed({
        file: name,
        message: `${name} comes before ${newest}, which is applied: renumber it`,
      })
    }
  }
}

const apply = async (client: Client, file: MigrationFile, options: MigrateOptions): Promise<void> => {
  const attempts = options.attempts ?? 50
  for (let attempt = 1; ; attempt++) {
    try {
      return await applyOnce(client, file, options.lockTimeoutMs ?? 400)
    } catch (error) {
      const { code } = error as DatabaseError
      if (code !== LOCK_NOT_AVAILABLE || attempt >= attempts) throw explain(file, error as DatabaseError)
      if (attempt === 1) options.log(`migration ${file.name} waits for a table that is in use`)
      await sleep(100 + Math.random() * 200)
    }
  }
}

const LOCK_NOT_AVAILABLE = "55P03"

const applyOnce = async (client: Client, file: MigrationFile, lockTimeoutMs: number): Promise<void> => {
  await client.query(`set lock_timeout = ${Math.ceil(lockTimeoutMs)}`)
  const record = (): Promise<unknown> =>
    client.query("insert into schema_migration (name, sha256) values ($1, $2)", [file.name, file.sha256])
  if (file.sql.startsWith("-- no-transaction")) {
    await client.query(file.sql)
    await record()
    return
  }
  await client.query("begin")
  try {
    await client.query(file.sql)
    await record()
    const { command } = await client.query("commit")
    if (command !== "COMMIT") throw new Error("the file ended its own transaction or left a failed one")
  } catch (error) {
    await client.query("rollback")
    throw error
  }
}

const explain = (file: MigrationFile, error: DatabaseError): MigrationFailed => {
  const position = Number(error.position)
  const line = position > 0 ? `:${file.sql.slice(0, position).split("\n").length}` : ""
  const code = error.code === undefined ? "" : ` (${error.code})`
  return new MigrationFailed({ file: file.name, message: `${file.name}${line}: ${error.message}${code}` })
}
