/**
 * A tenant to a file and back into another engine: inventory, people (without passwords), roles, settings, quotas, events,
 * history, journal, audit. Read and written as the tenant itself, so that row security holds for the file too: no line of
 * another tenant can get into it, and no line of it into another tenant.
 */
import { rmSync } from "node:fs"
import { randomBytes } from "node:crypto"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { quoted } from "#engine/backup/tables.ts"
import { insertInvitation, INVITATION_HOURS } from "#engine/people/invitations.ts"
import type { DbError, DbShape, Tx } from "#engine/storage/db.ts"
import { findTenant } from "#engine/storage/tenants.ts"
import { passwordHash } from "#engine/storage/users.ts"
import type { Vault } from "#engine/storage/vault.ts"
import { sealerOf, type Sealer } from "#engine/tenancy/passphrase.ts"
import { portableTables, rowSql, schemaOf, type Portable } from "#engine/tenancy/portable.ts"
import {
  FORMAT,
  readTenantFile,
  writeTenantFile,
  type Header,
  type Tallies,
  type TenantFileUnreadable,
  type TenantFileWriter,
} from "#engine/tenancy/tenant-file.ts"
import { tenantId, type TenantId } from "#protocol/id.ts"

/** What the operator asked for cannot be done; nothing was written. */
export class TransferRefused extends Data.TaggedError("TransferRefused")<{ readonly message: string }> {}

/** Pseudo-table of the credentials in a file. */
const CREDENTIALS = "credentials"
/** Rows of one fetch; of tables whose rows are large fewer. */
const FETCH = 1_000
const FETCH_HEAVY = 50
/** Rows of one insert. */
const INSERT = 500
const INSERT_BYTES = 8_000_000

// --- out

/** The file is removed again when anything fails. */
export const exportTenant = (
  db: DbShape,
  vault: Vault,
  slug: string,
  path: string,
  passphrase: string | null,
): Effect.Effect<Tallies, TransferRefused | DbError> =>
  Effect.gen(function* () {
    const record = yield* findTenant(db, slug)
    if (record === null) return yield* new TransferRefused({ message: `there is no tenant ${slug}` })
    const sealer = passphrase === null ? null : sealerOf(passphrase)
    return yield* db.tenant(record.id)<Tallies, TransferRefused>(async (tx) => {
      // One moment for all tables, while the engine goes on writing.
      await tx.query("set transaction isolation level repeatable read, read only")
      const header: Header = {
        heliograph: "tenant",
        format: FORMAT,
        schema: await schemaOf(tx),
        slug,
        tenant: record.id,
        exportedMs: Date.now(),
        credentials: sealer === null ? null : { salt: sealer.salt },
      }
      const file = await writeTenantFile(path, header).catch((error: NodeJS.ErrnoException) => {
        throw new TransferRefused({ message: `${path} cannot be written: ${error.code ?? "unknown"}` })
      })
      try {
        for (const table of await portableTables(tx)) await copyOut(tx, record.id, table, file)
        if (sealer !== null) await credentialsOut(tx, vault, record.id, sealer, file)
        return await file.end()
      } catch (error) {
        rmSync(path, { force: true })
        throw error
      }
    })
  })

const copyOut = async (tx: Tx, tenant: TenantId, table: Portable, file: TenantFileWriter): Promise<void> => {
  await tx.query(`declare out no scroll cursor for ${rowSql(table).replace("$1", `'${tenant}'`)}`)
  for (;;) {
    const { rows } = await tx.query<{ row: string }>(`fetch ${table.heavy ? FETCH_HEAVY : FETCH} from out`)
    for (const { row } of rows) await file.row(table.name, row)
    if (rows.length === 0) break
  }
  await tx.query("close out")
}

const credentialsOut = async (tx: Tx, vault: Vault, tenant: TenantId, sealer: Sealer, file: TenantFileWriter) => {
  const { rows } = await tx.query<{ device_id: string; kind: string; sealed: Buffer }>(
    "select device_id, kind, sealed from credential where tenant_id = $1 order by device_id, kind",
    [tenant],
  )
  if (rows.length === 0) return
  const key = await vault.tenantKey(tx, tenant)
  for (const { device_id: device, kind, sealed } of rows) {
    const secret = sealer.seal([tenant, device, kind], key.open(device, kind, sealed))
    await file.row(CREDENTIALS, JSON.stringify({ device, kind, secret }))
  }
}

// --- in

export interface ImportedTenant {
  readonly slug: string
  readonly tallies: Tallies
  /** Passwords do not travel: this invites an administrator. */
  readonly invitationToken: string
}

/** All or nothing; the engine may run beside it and takes the tenant up at its next start. */
export const importTenant = (
  db: DbShape,
  vault: Vault,
  path: string,
  passphrase: string | null,
  /** Removes what a failed import has left of the tenant. */
  undo: (tenant: TenantId, slug: string) => Effect.Effect<unknown, { readonly message: string }>,
): Effect.Effect<ImportedTenant, TransferRefused | TenantFileUnreadable | DbError> =>
  Effect.gen(function* () {
    // Sums first: a file that was cut must not even begin.
    const { header, tallies } = yield* check(path)
    if ((yield* findTenant(db, header.slug)) !== null)
      return yield* new TransferRefused({ message: `a tenant ${header.slug} is here already: remove it first` })
    if (header.credentials !== null && passphrase === null)
      return yield* new TransferRefused({ message: "the file holds credentials: give their passphrase" })
    const sealer = header.credentials === null ? null : sealerOf(passphrase ?? "", header.credentials.salt)
    const tenant = tenantId(header.tenant)
    const unusable = yield* passwordHash(randomBytes(32).toString("base64url")).pipe(Effect.orDie)
    yield* db.engine<unknown, TransferRefused>(async (tx) => {
      if ((await schemaOf(tx)) !== header.schema)
        throw new TransferRefused({ message: "the file is of another version: both engines must have the same schema" })
      await readTenantFile(path, {
        header: () => undefined,
        row: async (table, json) => {
          if (table !== "tenant") return
          await tx.query("insert into tenant select * from jsonb_populate_record(null::tenant, $1::jsonb)", [json])
        },
      })
    })
    const rows = rowsIn(vault, tenant, unusable, path, sealer)
    const invitationToken = yield* db
      .tenant(tenant)<string, TransferRefused | TenantFileUnreadable>(rows)
      .pipe(Effect.tapError(() => Effect.ignore(undo(tenant, header.slug))))
    return { slug: header.slug, tallies, invitationToken }
  })

const check = (path: string) =>
  Effect.tryPromise({
    try: async () => {
      let header: Header | null = null
      const tallies = await readTenantFile(path, { header: (it) => (header = it), row: async () => undefined })
      return { header: header as unknown as Header, tallies }
    },
    catch: (error) => error as TenantFileUnreadable,
  })

const rowsIn =
  (vault: Vault, tenant: TenantId, password: string, path: string, sealer: Sealer | null) =>
  async (tx: Tx): Promise<string> => {
    const known = new Set((await portableTables(tx)).map(({ name }) => name))
    let waiting: { table: string; rows: string[]; bytes: number } = { table: "", rows: [], bytes: 0 }
    const flush = async (): Promise<void> => {
      if (waiting.rows.length > 0) await insertRows(tx, waiting.table, waiting.rows, password)
      waiting = { table: "", rows: [], bytes: 0 }
    }
    const credentials: string[] = []
    await readTenantFile(path, {
      header: () => undefined,
      row: async (table, json) => {
        if (table === "tenant") return
        if (table === CREDENTIALS) return void credentials.push(json)
        if (!known.has(table)) throw new TransferRefused({ message: `this engine has no table ${table.slice(0, 64)}` })
        if (table !== waiting.table || waiting.rows.length >= INSERT || waiting.bytes >= INSERT_BYTES) await flush()
        waiting.table = table
        waiting.rows.push(json)
        waiting.bytes += json.length
      },
    })
    await flush()
    if (sealer !== null) await credentialsIn(tx, vault, tenant, credentials, sealer)
    const wanted = { note: "after an import", roles: ["tenant_admin"], sites: null, hours: INVITATION_HOURS }
    const { token } = await insertInvitation(tx, tenant, wanted, null, "heliograph tenant import", Date.now())
    return token
  }

/** Row security refuses a line that names another tenant. */
const insertRows = async (tx: Tx, table: string, rows: readonly string[], password: string): Promise<void> => {
  const name = quoted(table)
  const { rows: columns } = await tx.query<{ name: string }>(
    `select attname::text as name from pg_attribute where attrelid = $1::regclass and attnum > 0
       and not attisdropped and attgenerated = '' and attidentity = '' order by attnum`,
    [name],
  )
  const list = columns.map((column) => quoted(column.name)).join(", ")
  const row = table === "app_user" ? "(row::jsonb || jsonb_build_object('password', $2::text))::json" : "row"
  await tx.query(
    `insert into ${name} (${list}) select ${columns.map((column) => `it.${quoted(column.name)}`).join(", ")}
     from unnest($1::json[]) as rows(row) cross join lateral json_populate_record(null::${name}, ${row}) as it`,
    table === "app_user" ? [rows, password] : [rows],
  )
}

const credentialsIn = async (
  tx: Tx,
  vault: Vault,
  tenant: TenantId,
  lines: readonly string[],
  sealer: Sealer,
): Promise<void> => {
  if (lines.length === 0) return
  const key = await vault.tenantKey(tx, tenant)
  for (const line of lines) {
    const { device, kind, secret } = JSON.parse(line) as { device: string; kind: string; secret: string }
    const plain = sealer.open([tenant, device, kind], secret)
    if (plain === null) throw new TransferRefused({ message: "the passphrase does not open the file's credentials" })
    await tx.query(
      "insert into credential (tenant_id, device_id, kind, key_version, sealed) values ($1, $2, $3, $4, $5)",
      [tenant, device, kind, key.version, key.seal(device, kind, plain)],
    )
  }
}
