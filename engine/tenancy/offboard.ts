/**
 * A tenant leaves for good. Its data keys go first, so that whatever sealed bytes remain somewhere (a dead row, a stale
 * page) open for nobody; then every row of every tenant table, in an order in which nothing refers to what is gone, in
 * small batches, so that no other tenant's writer waits. The tables come from the catalogue, and afterwards the catalogue is
 * asked again whether anything is left. As the schema's owner: no role of the running engine may delete an audit.
 */
import { randomBytes } from "node:crypto"
import { Client } from "pg"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { quoted, tablesInOrder } from "#engine/backup/tables.ts"
import { SCHEMA } from "#engine/storage/roles.ts"
import type { TenantId } from "#protocol/id.ts"

/** Rows in one transaction. */
export const ROWS_PER_BATCH = 2_000
/** Of tables whose rows are large. */
export const HEAVY_PER_BATCH = 100
/** A statement of the removal that takes longer holds something up: it is given up, and the act can be repeated. */
const STATEMENT_MS = 30_000

/** Something of the tenant is still there; asking again goes on where it stopped. */
export class OffboardFailed extends Data.TaggedError("OffboardFailed")<{ readonly message: string }> {}

/** Rows deleted, by table. The tenant must not run any more. */
export const removeRows = (
  ownerUrl: string,
  tenant: TenantId,
): Effect.Effect<Readonly<Record<string, number>>, OffboardFailed> =>
  withOwner(ownerUrl, async (client) => {
    await destroyKeys(client, tenant)
    const rows: Record<string, number> = {}
    for (const { name, heavy } of await tenantTables(client))
      rows[name] = await emptyTable(client, name, tenant, heavy ? HEAVY_PER_BATCH : ROWS_PER_BATCH)
    const left = await countRows(client, tenant)
    const still = Object.entries(left).filter(([, count]) => count > 0)
    if (still.length > 0) throw new Error(`rows are left in ${still.map(([table]) => table).join(", ")}`)
    return rows
  })

/** Rows that a tenant has, by table; a table without any is 0. */
export const rowsOf = (
  ownerUrl: string,
  tenant: TenantId,
): Effect.Effect<Readonly<Record<string, number>>, OffboardFailed> =>
  withOwner(ownerUrl, (client) => countRows(client, tenant))

/** Those with a tenant_id; what refers to another comes before it. */
const tenantTables = async (client: Client) =>
  (await tablesInOrder(client)).filter(({ columns }) => columns.includes("tenant_id")).reverse()

/** Overwritten, not only deleted, and committed before anything else goes. */
const destroyKeys = async (client: Client, tenant: TenantId): Promise<void> => {
  await client.query("update tenant_key set wrapped = $2, master_key_id = 'destroyed' where tenant_id = $1", [
    tenant,
    randomBytes(60),
  ])
}

const emptyTable = async (client: Client, name: string, tenant: TenantId, batch: number): Promise<number> => {
  const table = quoted(name)
  for (let total = 0; ;) {
    const { rowCount } = await client.query(
      // A ctid is unique within one partition only: other tenants' rows of other partitions have the same.
      `delete from ${table} where tenant_id = $1
         and ctid = any (array(select ctid from ${table} where tenant_id = $1 limit ${batch}))`,
      [tenant],
    )
    total += rowCount ?? 0
    if ((rowCount ?? 0) < batch) return total
  }
}

const countRows = async (client: Client, tenant: TenantId): Promise<Readonly<Record<string, number>>> => {
  const counts: Record<string, number> = {}
  for (const { name } of await tenantTables(client)) {
    const { rows } = await client.query<{ n: number }>(
      `select count(*)::float8 as n from ${quoted(name)} where tenant_id = $1`,
      [tenant],
    )
    counts[name] = rows[0]?.n ?? 0
  }
  return counts
}

const withOwner = <A>(ownerUrl: string, body: (client: Client) => Promise<A>): Effect.Effect<A, OffboardFailed> =>
  Effect.acquireUseRelease(
    Effect.tryPromise({
      try: async () => {
        const client = new Client({ connectionString: ownerUrl, statement_timeout: STATEMENT_MS })
        client.on("error", () => {})
        await client.connect()
        await client.query(`set search_path = ${SCHEMA}`)
        return client
      },
      catch: asFailed,
    }),
    (client) => Effect.tryPromise({ try: () => body(client), catch: asFailed }),
    (client) => Effect.promise(() => client.end().catch(() => {})),
  )

/** PostgreSQL's words may quote data: only its code is told. */
const asFailed = (error: unknown): OffboardFailed => {
  const code = (error as { code?: unknown }).code
  const why = typeof code === "string" ? `PostgreSQL answered ${code}` : error instanceof Error ? error.message : "?"
  return new OffboardFailed({ message: `the tenant is not wholly removed: ${why}; try again` })
}
