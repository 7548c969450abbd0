/**
 * Which tables a backup holds, in an order in which each comes after those that it refers to. From the catalogue, so that
 * a table of a later migration is never forgotten. Partitions are parts of their parent and are not listed themselves.
 */
import type { QueryResultRow } from "pg"
import { SCHEMA } from "#engine/storage/roles.ts"

export interface Table {
  readonly name: string
  readonly columns: readonly string[]
  /** It has bytea columns: its rows may be megabytes each. */
  readonly heavy: boolean
}

/** The migrations' own record is compared, not copied. */
const NOT_COPIED = ["schema_migration"]

/** A client, or a transaction. */
interface Asks {
  readonly query: <Row extends QueryResultRow>(
    sql: string,
    values: unknown[],
  ) => Promise<{ readonly rows: readonly Row[] }>
}

export const tablesInOrder = async (client: Asks): Promise<readonly Table[]> => {
  const { rows } = await client.query<{ name: string; columns: string[]; heavy: boolean }>(
    `select c.relname as name, array_agg(a.attname::text order by a.attnum) as columns,
       bool_or(a.atttypid = 'bytea'::regtype) as heavy
     from pg_class c
     join pg_namespace n on n.oid = c.relnamespace
     join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
     where n.nspname = $1 and c.relkind in ('r', 'p') and not c.relispartition and c.relname <> all($2)
     group by c.relname order by c.relname`,
    [SCHEMA, NOT_COPIED],
  )
  const references = await client.query<{ from: string; to: string }>(
    `select f.relname as from, t.relname as to from pg_constraint k
     join pg_class f on f.oid = k.conrelid join pg_class t on t.oid = k.confrelid
     join pg_namespace n on n.oid = f.relnamespace
     where k.contype = 'f' and n.nspname = $1 and f.oid <> t.oid and k.conparentid = 0`,
    [SCHEMA],
  )
  return sorted(rows, references.rows)
}

const sorted = (
  tables: readonly Table[],
  references: ReadonlyArray<{ readonly from: string; readonly to: string }>,
): readonly Table[] => {
  const known = new Set(tables.map(({ name }) => name))
  const waiting = new Map(tables.map((table) => [table.name, table]))
  const order: Table[] = []
  while (waiting.size > 0) {
    const ready = [...waiting.values()].filter(
      ({ name }) => !references.some(({ from, to }) => from === name && waiting.has(to) && known.has(to)),
    )
    // Two tables that refer to each other would need deferred constraints: our schema has none, and may get none unnoticed.
    if (ready.length === 0) throw new Error(`tables refer to each other in a circle: ${[...waiting.keys()].join(", ")}`)
    for (const table of ready) {
      order.push(table)
      waiting.delete(table.name)
    }
  }
  return order
}

/** A name of our own catalogue, quoted all the same. */
export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`
