/**
 * Row security tried out on a live database, table by table, as the role that serves requests: what a tenant can read and
 * write of the others. Everything runs in transactions that are rolled back, and touches no row of anybody.
 */
import { Client } from "pg"
import * as Effect from "effect/Effect"
import { DbError } from "#engine/storage/db.ts"
import { SCHEMA } from "#engine/storage/roles.ts"
import { uuidv7 } from "#engine/storage/uuidv7.ts"

export interface RowsReport {
  readonly tables: number
  /** Tenants with rows in this database's list of tenants. */
  readonly tenants: number
  /** Statements whose outcome was looked at. */
  readonly checks: number
  /** `table: what happened that must not`; empty = isolated. */
  readonly failures: readonly string[]
}

export interface RoleFlags {
  readonly role: string
  readonly superuser: boolean
  readonly bypassRls: boolean
  readonly createRole: boolean
  readonly createDb: boolean
  readonly replication: boolean
  readonly memberOf: readonly string[]
}

interface Urls {
  readonly ownerUrl: string
  readonly appUrl: string
}

/** Pairs of tenants that are tried; with many tenants, neighbours in the list. */
const PAIRS_MAX = 20

export const tryRows = ({ ownerUrl, appUrl }: Urls): Effect.Effect<RowsReport, DbError> =>
  asking(async () =>
    withClient(ownerUrl, (owner) =>
      withClient(appUrl, async (app) => {
        const tables = await tenantTables(owner)
        const { rows } = await owner.query("select tenant_id as id from tenant order by created_ms")
        const ids = rows.map((row: { id: string }) => row.id)
        const run = new Run(app)
        for (const table of tables) await run.nothingSet(table)
        for (const [as, of] of pairs(ids)) for (const table of tables) await run.as(as, of, table)
        return { tables: tables.length, tenants: ids.length, checks: run.checks, failures: run.failures }
      }),
    ),
  )

export const readRoleFlags = (ownerUrl: string): Effect.Effect<readonly RoleFlags[], DbError> =>
  asking(() =>
    withClient(ownerUrl, async (owner) => {
      const { rows } = await owner.query(
        `select rolname as role, rolsuper as superuser, rolbypassrls as "bypassRls", rolcreaterole as "createRole",
           rolcreatedb as "createDb", rolreplication as replication,
           array(select m.roleid::regrole::text from pg_auth_members m where m.member = r.oid) as "memberOf"
         from pg_roles r where rolname like 'heliograph\\_%' order by 1`,
      )
      return rows as RoleFlags[]
    }),
  )

/** Who looks at whom: each tenant at the next one, a stranger at the first. */
const pairs = (ids: readonly string[]): ReadonlyArray<readonly [as: string, of: string]> => {
  const ring = ids.length < 2 ? [] : ids.map((id, index) => [id, ids[(index + 1) % ids.length]!] as const)
  const stranger = ids[0] === undefined ? [] : [[uuidv7(), ids[0]] as const]
  return [...stranger, ...ring.slice(0, PAIRS_MAX)]
}

class Run {
  checks = 0
  readonly failures: string[] = []
  readonly #app: Client
  constructor(app: Client) {
    this.#app = app
  }

  async nothingSet(table: string): Promise<void> {
    await this.#expect(`${table}: rows without a tenant set`, null, `select 1 from ${table} limit 1`, [], NOTHING)
  }

  async as(as: string, of: string, table: string): Promise<void> {
    const told = `${table}: tenant ${as} at ${of}`
    const select = `select 1 from ${table} where tenant_id = $1 limit 1`
    await this.#expect(`${told} reads`, as, select, [of], NOTHING)
    const place = PLACE[table] ?? {}
    const [columns, row] = [Object.keys(place), Object.values(place).map((value) => value())]
    const insert = `insert into ${table} (${["tenant_id", ...columns].join(", ")}) values (${["$1", ...row].join(", ")})`
    await this.#expect(`${told} inserts`, as, insert, [of], REFUSED)
    const update = `update ${table} set tenant_id = tenant_id where tenant_id = $1`
    await this.#expect(`${told} updates`, as, update, [of], REFUSED_OR_NOTHING)
    await this.#expect(`${told} deletes`, as, `delete from ${table} where tenant_id = $1`, [of], REFUSED_OR_NOTHING)
  }

  async #expect(
    what: string,
    tenant: string | null,
    sql: string,
    values: readonly string[],
    allowed: ReadonlySet<string>,
  ) {
    this.checks += 1
    await this.#app.query("begin")
    try {
      if (tenant !== null) await this.#app.query("select set_config('app.tenant_id', $1, true)", [tenant])
      const outcome = await this.#app.query(sql, [...values]).then(
        ({ rowCount }) => `${rowCount ?? 0} rows`,
        (error: { code?: string }) => error.code ?? "no answer",
      )
      if (!allowed.has(outcome)) this.failures.push(`${what}: ${outcome}`)
    } finally {
      await this.#app.query("rollback")
    }
  }
}

/** A row of a partitioned table must find its partition before its policy is asked. */
const PLACE: Readonly<Record<string, Readonly<Record<string, () => number>>>> = {
  chunk: { t0: Date.now },
  event: { at_ms: Date.now },
  rollup: { res: () => 3_600, t0: Date.now },
}

/** insufficient_privilege: of the table's grants or of a policy's check. */
const REFUSED = new Set(["42501"])
const NOTHING = new Set(["0 rows", "42501"])
const REFUSED_OR_NOTHING = NOTHING

const tenantTables = async (owner: Client): Promise<readonly string[]> => {
  const { rows } = await owner.query(
    `select c.oid::regclass::text as name from pg_class c
     join pg_namespace n on n.oid = c.relnamespace and n.nspname = '${SCHEMA}'
     join pg_attribute t on t.attrelid = c.oid and t.attname = 'tenant_id' and not t.attisdropped
     where c.relkind in ('r', 'p', 'v', 'm') and not c.relispartition order by 1`,
  )
  return rows.map((row: { name: string }) => row.name)
}

const withClient = async <A>(url: string, body: (client: Client) => Promise<A>): Promise<A> => {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 10_000, query_timeout: 30_000 })
  client.on("error", () => {})
  await client.connect()
  try {
    return await body(client)
  } finally {
    await client.end().catch(() => {})
  }
}

const asking = <A>(run: () => Promise<A>): Effect.Effect<A, DbError> =>
  Effect.tryPromise({
    try: run,
    catch: (error) => {
      const { code, message } = error as { code?: string; message: string }
      return new DbError({ code: code ?? "AWAY", message: `row security could not be tried out: ${message}` })
    },
  })
