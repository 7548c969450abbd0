/**
 * What of a tenant travels in an export, and what does not. A table that nobody thought of here travels, so that nothing is
 * lost in silence; whatever opens a door stays behind: sessions, keys, tokens, second factors, and everything that is sealed
 * by keys of the engine that it leaves (device credentials travel only when asked, sealed anew by a passphrase).
 */
import { quoted, tablesInOrder, type Table } from "#engine/backup/tables.ts"
import type { Tx } from "#engine/storage/db.ts"

/** Never exported: why. */
export const LEFT_BEHIND: Readonly<Record<string, string>> = {
  session: "a sign-in at the other engine",
  access_token: "a program's way in",
  token_family: "a program's way in",
  api_key: "a program's way in",
  invitation: "a way in",
  oidc_link: "the other engine's issuer",
  user_totp: "a second factor, sealed by the other engine's key",
  user_recovery_code: "a second factor",
  api_idempotency: "answers of a day, sealed by the other engine's key",
  tenant_key: "the other engine's key",
  credential: "sealed by the other engine's key; with a passphrase it travels beside the tables",
  subscriber_key: "sealed by the other engine's key",
  subscriber_identity: "who subscribers are never leaves the engine that was trusted with it",
}

export interface Portable extends Table {
  /** Rows come in this order, so that two exports of the same rows are the same bytes. */
  readonly key: readonly string[]
}

/** Those that travel; what is referred to comes first. The first one is `tenant` itself. */
export const portableTables = async (tx: Tx): Promise<readonly Portable[]> => {
  const tables = (await tablesInOrder(tx)).filter(
    ({ name, columns }) => columns.includes("tenant_id") && !Object.hasOwn(LEFT_BEHIND, name),
  )
  const { rows } = await tx.query<{ name: string; key: readonly string[] }>(
    `select c.relname as name, array_agg(a.attname::text order by k.place) as key
     from pg_index i join pg_class c on c.oid = i.indrelid
     cross join lateral unnest(i.indkey::int[]) with ordinality as k(attnum, place)
     join pg_attribute a on a.attrelid = c.oid and a.attnum = k.attnum
     where i.indisprimary and c.relname = any($1) and c.relnamespace = current_schema()::regnamespace
     group by c.relname`,
    [tables.map(({ name }) => name)],
  )
  const keys = new Map(rows.map(({ name, key }) => [name, key]))
  return tables.map((table) => ({ ...table, key: keys.get(table.name) ?? [] }))
}

/** A row as one line of JSON text; passwords stay behind. */
export const rowSql = ({ name, key }: Portable): string => {
  // row_to_json keeps the very text of json columns, which the audit's hashes are over.
  const row = name === "app_user" ? "to_jsonb(t) - 'password'" : "row_to_json(t)"
  const order = key.length === 0 ? "1" : key.map(quoted).join(", ")
  return `select (${row})::text as row from ${quoted(name)} t where tenant_id = $1 order by ${order}`
}

/** A hash of every column that there is: only an engine of the same schema can read the rows. */
export const schemaOf = async (tx: Tx): Promise<string> => {
  const { rows } = await tx.query<{ columns: string }>(
    `select md5(string_agg(c.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod), ','
       order by c.relname, a.attname)) as columns
     from pg_attribute a join pg_class c on c.oid = a.attrelid
     where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p') and a.attnum > 0
       and not a.attisdropped`,
  )
  return rows[0]?.columns ?? ""
}
