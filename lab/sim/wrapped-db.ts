/** A database whose statements a planted bug hears, changes or answers. */
import type { DbShape, Tx } from "#engine/storage/db.ts"

type Query = Tx["query"]
type Asked = (sql: string, values?: readonly unknown[]) => ReturnType<Query>

/** The statements of one life of a runtime, in the order in which they are sent. */
export const withQueries = (db: DbShape, wrap: (query: Asked) => Asked): DbShape => {
  let current: Asked = () => nothing
  const wrapped = wrap((sql, values) => current(sql, values))
  const door =
    (open: DbShape["ingest"]): DbShape["ingest"] =>
    (tenant) =>
    (body) =>
      open(tenant)((tx) =>
        body({
          query: ((sql: string, values?: readonly unknown[]) => {
            current = tx.query
            return wrapped(sql, values)
          }) as Query,
        }),
      )
  return { ...db, ingest: door(db.ingest), tenant: door(db.tenant) }
}

export const nothing = Promise.resolve({ rows: [], rowCount: 0 })
