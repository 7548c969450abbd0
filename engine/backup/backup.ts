/**
 * `heliograph backup FILE`: every table of the database in one consistent snapshot, through an ordinary connection, while
 * the engine goes on (PRODUCT.md O3). Read as the owner role, whose policies show all tenants. The file is written beside
 * its place, synced, and only then renamed: a file of that name is always whole. Keys are not in it: master.key and
 * signing.key are kept apart (docs/memory.md).
 */
import { createHash, type Hash } from "node:crypto"
import { once } from "node:events"
import { createWriteStream } from "node:fs"
import { open, rename, rm, stat } from "node:fs/promises"
import { finished } from "node:stream/promises"
import { constants, createZstdCompress, type ZstdCompress } from "node:zlib"
import { Client } from "pg"
import { FORMAT, type Head, type Manifest } from "#engine/backup/format.ts"
import { quoted, tablesInOrder, type Table } from "#engine/backup/tables.ts"
import { SCHEMA } from "#engine/storage/roles.ts"
import { VERSION } from "#engine/version.ts"

export interface BackupReport {
  readonly rows: number
  readonly tables: number
  /** Of the file. */
  readonly bytes: number
}

/** Rows per fetch; of heavy tables few, because one row may be megabytes. */
const ROWS = 1_000
const HEAVY_ROWS = 8

/** Rejects with what PostgreSQL or the file system refused; leaves no half file. */
export const writeBackup = async (ownerUrl: string, file: string, createdMs: number): Promise<BackupReport> => {
  const draft = `${file}.${process.pid}.part`
  const client = new Client({ connectionString: ownerUrl, connectionTimeoutMillis: 10_000 })
  client.on("error", () => {})
  await client.connect()
  try {
    const counts = await writeDraft(client, draft, createdMs)
    await sync(draft)
    await rename(draft, file)
    return { ...counts, bytes: (await stat(file)).size }
  } finally {
    await rm(draft, { force: true })
    await client.end().catch(() => {})
  }
}

const writeDraft = async (client: Client, draft: string, createdMs: number) => {
  const lines = openLines(draft)
  try {
    // Read only and repeatable: all tables as of one moment, and nobody waits for us.
    await client.query("begin transaction isolation level repeatable read read only")
    await client.query("set local statement_timeout = 0; set local idle_in_transaction_session_timeout = 0")
    await lines.write(JSON.stringify(await readHead(client, createdMs)))
    const tables: Record<string, { rows: number; sha256: string }> = {}
    const order = await tablesInOrder(client)
    for (const table of order) tables[table.name] = await writeTable(client, lines, table)
    const rows = Object.values(tables).reduce((sum, table) => sum + table.rows, 0)
    await lines.write(JSON.stringify({ manifest: { rows, tables } } satisfies Manifest))
    await lines.close()
    await client.query("commit")
    return { rows, tables: order.length }
  } catch (error) {
    lines.destroy()
    throw error
  }
}

const readHead = async (client: Client, createdMs: number): Promise<Head> => {
  const made = await client.query<{ made: boolean }>(
    `select to_regclass('${SCHEMA}.schema_migration') is not null as made`,
  )
  if (made.rows[0]?.made !== true) throw new Error("the database is empty: no Heliograph ever started on it")
  const migrations = await client.query<{ name: string; sha256: string }>(
    `select name, sha256 from ${SCHEMA}.schema_migration order by name`,
  )
  const server = await client.query<{ server_version: string }>("show server_version")
  return {
    format: FORMAT,
    version: VERSION,
    createdMs,
    postgres: server.rows[0]?.server_version ?? "",
    migrations: migrations.rows,
  }
}

const writeTable = async (client: Client, lines: Lines, table: Table): Promise<{ rows: number; sha256: string }> => {
  const { name, columns, heavy } = table
  await lines.write(JSON.stringify({ table: name, columns }))
  const hash = createHash("sha256")
  let count = 0
  const selected = columns.map((column) => `t.${quoted(column)}`).join(", ")
  await client.query(
    `declare rows no scroll cursor for
     select to_jsonb(r)::text as row from (select ${selected} from ${SCHEMA}.${quoted(name)} t) r`,
  )
  for (;;) {
    const { rows } = await client.query<{ row: string }>(`fetch ${heavy ? HEAVY_ROWS : ROWS} from rows`)
    if (rows.length === 0) break
    for (const { row } of rows) await lines.write(row, hash)
    count += rows.length
  }
  await client.query("close rows")
  const sha256 = hash.digest("hex")
  await lines.write(JSON.stringify({ end: name, rows: count, sha256 }))
  return { rows: count, sha256 }
}

interface Lines {
  /** Waits while the file cannot take more. */
  readonly write: (line: string, hash?: Hash) => Promise<void>
  readonly close: () => Promise<void>
  readonly destroy: () => void
}

const openLines = (path: string): Lines => {
  const out = createWriteStream(path, { mode: 0o600 })
  const zstd: ZstdCompress = createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: 3 } })
  zstd.pipe(out)
  // A full disk ends the file's stream: the writer must hear of it instead of waiting for a drain that never comes.
  const broken = new Promise<never>((_, reject) => {
    out.once("error", reject)
    zstd.once("error", reject)
  })
  broken.catch(() => {})
  return {
    write: async (line, hash) => {
      const bytes = Buffer.from(`${line}\n`)
      hash?.update(bytes)
      if (!zstd.write(bytes)) await Promise.race([once(zstd, "drain"), broken])
    },
    close: async () => {
      zstd.end()
      await Promise.race([finished(out), broken])
    },
    destroy: () => {
      zstd.destroy()
      out.destroy()
    },
  }
}

const sync = async (path: string): Promise<void> => {
  const handle = await open(path, "r+")
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
