/**
 * `heliograph restore FILE`: a backup into a database, in one transaction: all of it or nothing. The file is proven whole
 * first. The schema is brought to where it stood when the backup was made, filled, and then brought on to this build's: so
 * a backup of an older Heliograph, or of another major version of PostgreSQL, restores the same way (PRODUCT.md O3, O5).
 */
import { cp, mkdtemp, readdir, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { Client } from "pg"
import type { Head } from "#engine/backup/format.ts"
import { readBackup } from "#engine/backup/read.ts"
import { daysSeen, ensureDays } from "#engine/backup/restore-partitions.ts"
import { quoted, tablesInOrder } from "#engine/backup/tables.ts"
import { migrate } from "#engine/storage/migrate.ts"
import { SCHEMA } from "#engine/storage/roles.ts"

/** The backup is whole, but may not or cannot go into this database. `message` says what to do. */
export class RestoreRefused extends Data.TaggedError("RestoreRefused")<{ readonly message: string }> {}

export interface RestoreOptions {
  readonly ownerUrl: string
  readonly file: string
  /** This build's migrations. */
  readonly migrations: string
  /** What is in the database now is deleted; without it a database with a tenant is refused. */
  readonly replace: boolean
  readonly log: (line: string) => void
}

export interface RestoreReport {
  readonly rows: number
  readonly tables: number
  readonly createdMs: number
}

/** Characters of rows per statement. */
const BATCH_CHARS = 4 << 20
const BATCH_ROWS = 1_000

/** Rejects with BackupUnreadable, RestoreRefused, MigrationFailed, or what PostgreSQL refused; then nothing has changed. */
export const restoreBackup = async (options: RestoreOptions): Promise<RestoreReport> => {
  const seen = daysSeen()
  const { head, manifest } = await readBackup(options.file, seen)
  await migrateTo(head, options)
  await ensureDays(options.ownerUrl, head, seen.days)
  const client = new Client({ connectionString: options.ownerUrl, connectionTimeoutMillis: 10_000 })
  client.on("error", () => {})
  await client.connect()
  try {
    await client.query("begin")
    await client.query("set local statement_timeout = 0; set local idle_in_transaction_session_timeout = 0")
    await client.query("select pg_advisory_xact_lock(hashtext('heliograph restore'))")
    await checkSchema(client, head)
    await makeRoom(client, options.replace)
    await fill(client, options.file)
    await client.query("commit")
  } catch (error) {
    await client.query("rollback").catch(() => {})
    throw error
  } finally {
    await client.end().catch(() => {})
  }
  await Effect.runPromise(migrate({ ownerUrl: options.ownerUrl, dir: options.migrations, log: options.log }))
  return { rows: manifest.rows, tables: Object.keys(manifest.tables).length, createdMs: head.createdMs }
}

/** An empty database gets the schema of the backup; one that has more already is told apart by checkSchema. */
const migrateTo = async (head: Head, { ownerUrl, migrations, log }: RestoreOptions): Promise<void> => {
  const ours = new Set((await readdir(migrations)).filter((name) => name.endsWith(".sql")))
  const missing = head.migrations.filter(({ name }) => !ours.has(name)).map(({ name }) => name)
  if (missing.length > 0)
    throw new RestoreRefused({
      message: `the backup was made by a newer Heliograph (${head.version}): it has ${missing.join(", ")}. Restore it with that version`,
    })
  const dir = await mkdtemp(join(tmpdir(), "heliograph-restore-"))
  try {
    for (const { name } of head.migrations) await cp(join(migrations, name), join(dir, name))
    await Effect.runPromise(migrate({ ownerUrl, dir, log }))
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

const checkSchema = async (client: Client, head: Head): Promise<void> => {
  const { rows } = await client.query<{ name: string; sha256: string }>(
    `select name, sha256 from ${SCHEMA}.schema_migration order by name`,
  )
  const theirs = new Map(head.migrations.map(({ name, sha256 }) => [name, sha256]))
  const beyond = rows.filter(({ name }) => !theirs.has(name)).map(({ name }) => name)
  if (beyond.length > 0)
    throw new RestoreRefused({
      message: `the database is newer than the backup (it has ${beyond.join(", ")}): restore into a new, empty database`,
    })
  const edited = rows.filter(({ name, sha256 }) => theirs.get(name) !== sha256).map(({ name }) => name)
  if (edited.length > 0)
    throw new RestoreRefused({
      message: `the backup was made with another text of ${edited.join(", ")}: it is of another build of Heliograph`,
    })
}

const makeRoom = async (client: Client, replace: boolean): Promise<void> => {
  const { rows } = await client.query<{ tenants: number }>(`select count(*)::int as tenants from ${SCHEMA}.tenant`)
  const tenants = rows[0]?.tenants ?? 0
  if (tenants > 0 && !replace)
    throw new RestoreRefused({
      message: `the database holds ${tenants} ${tenants === 1 ? "tenant" : "tenants"} already: restore into an empty one, or say --replace to delete what is there`,
    })
  const tables = await tablesInOrder(client)
  await client.query(`truncate ${tables.map(({ name }) => `${SCHEMA}.${quoted(name)}`).join(", ")}`)
}

/** In the order of the file, which is the order of the references when it was written. */
const fill = async (client: Client, file: string): Promise<void> => {
  let statement = ""
  let batch: string[] = []
  let chars = 0
  let done = 0
  const flush = async (): Promise<void> => {
    if (batch.length === 0) return
    const { rowCount } = await client.query(statement, [`[${batch.join(",")}]`])
    done += rowCount ?? 0
    batch = []
    chars = 0
  }
  await readBackup(file, {
    table: async ({ table, columns }) => {
      const names = columns.map(quoted).join(", ")
      const target = `${SCHEMA}.${quoted(table)}`
      statement = `insert into ${target} (${names}) select ${names} from jsonb_populate_recordset(null::${target}, $1::jsonb)`
      done = 0
    },
    row: (text) => {
      batch.push(text)
      chars += text.length
      return batch.length >= BATCH_ROWS || chars >= BATCH_CHARS ? flush() : undefined
    },
    tableEnd: async ({ end, rows }) => {
      await flush()
      if (done !== rows) throw new RestoreRefused({ message: `${done} of ${rows} rows of ${end} could be written` })
    },
  })
}
