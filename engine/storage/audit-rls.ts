/**
 * Proof from PostgreSQL's own catalogue that tenants cannot see each other (PRODUCT.md T1, T10), run at every start and
 * in the tests. It looks for the holes that are easily made later: a table without FORCEd row security, a policy that
 * lets everything through, a partition or view beside the policy, a key that tells of foreign rows, a role with too
 * much power. An empty list means that none was found.
 */
import { Client } from "pg"
import * as Effect from "effect/Effect"
import { DbError } from "#engine/storage/db.ts"
import { APP_ROLE, ENGINE_ROLE, OWNER_ROLE, SCHEMA } from "#engine/storage/roles.ts"

export interface Finding {
  /** Short name of the rule. */
  readonly rule: string
  /** Table, view, policy, index, function or role. */
  readonly object: string
}

/** Reads the catalogue as the owner role. Fails only when the database cannot be asked. */
export const auditRls = (ownerUrl: string): Effect.Effect<readonly Finding[], DbError> =>
  Effect.tryPromise({
    try: () => audit(ownerUrl),
    catch: (error) => {
      const { code, message } = error as { code?: string; message: string }
      return new DbError({ code: code ?? "AWAY", message: `the row security audit could not run: ${message}` })
    },
  })

const audit = async (ownerUrl: string): Promise<readonly Finding[]> => {
  const client = new Client({ connectionString: ownerUrl, connectionTimeoutMillis: 10_000, query_timeout: 30_000 })
  client.on("error", () => {})
  await client.connect()
  try {
    const findings: Finding[] = []
    for (const [rule, sql] of Object.entries(RULES)) {
      const { rows } = await client.query(sql)
      for (const row of rows as ReadonlyArray<{ object: string }>) findings.push({ rule, object: row.object })
    }
    return findings
  } finally {
    await client.end().catch(() => {})
  }
}

/** Our tables that hold rows of tenants. */
const TENANT_TABLES = `
  select c.oid, c.relname, c.relrowsecurity, c.relforcerowsecurity, c.relispartition, a.attnum, a.attnotnull
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
  where c.relkind in ('r', 'p') and n.nspname = '${SCHEMA}'`

/** A shared database may hold other people's schemas: their tables are not ours to judge. */
const OURS = `n.nspname = '${SCHEMA}'`
const ANY_PRIVILEGE = "'select, insert, update, delete, truncate, references, trigger'"
const BOUND_ROLES = `'${APP_ROLE}', '${ENGINE_ROLE}'`
/**
 * The one comparison that lets rows of the tenant through, as PostgreSQL prints it. A policy is that, or that AND more:
 * a text that merely mentions the setting could go on with OR.
 */
const OF_TENANT = `(tenant_id = ( SELECT (NULLIF(current_setting(''app.tenant_id''::text, true), ''''::text))::uuid AS "nullif"))`
const isOfTenant = (expression: string): string =>
  `(${expression} = '${OF_TENANT}' or starts_with(${expression}, '(${OF_TENANT} AND '))`

const RULES: Readonly<Record<string, string>> = {
  "tenant table without forced row security and a policy": `
    select t.oid::regclass::text as object from (${TENANT_TABLES}) t
    where not t.relispartition and not (t.relrowsecurity and t.relforcerowsecurity
      and exists (select 1 from pg_policy p where p.polrelid = t.oid))`,

  "tenant_id may be null": `
    select t.oid::regclass::text as object from (${TENANT_TABLES}) t where not t.attnotnull`,

  "policy for the app role that does not compare app.tenant_id": `
    select t.oid::regclass || '.' || p.polname as object
    from (${TENANT_TABLES}) t join pg_policy p on p.polrelid = t.oid
    where (p.polroles = '{0}' or p.polroles @> array[to_regrole('${APP_ROLE}')::oid]) and p.polpermissive
      and not ((p.polcmd = 'a' or coalesce(${isOfTenant("pg_get_expr(p.polqual, p.polrelid)")}, false))
        and (p.polcmd in ('r', 'd') or coalesce(${isOfTenant("pg_get_expr(p.polwithcheck, p.polrelid)")},
          p.polwithcheck is null and p.polcmd <> 'a')))`,

  "partition that can be reached beside its parent's policy": `
    select c.oid::regclass::text as object from pg_class c
    join pg_namespace n on n.oid = c.relnamespace, unnest(array[${BOUND_ROLES}]) role
    where c.relispartition and c.relkind in ('r', 'p') and ${OURS} and has_table_privilege(role, c.oid, ${ANY_PRIVILEGE})`,

  "materialised view or foreign table (no row security) that a bound role can reach": `
    select c.oid::regclass::text as object from pg_class c
    join pg_namespace n on n.oid = c.relnamespace, unnest(array[${BOUND_ROLES}]) role
    where c.relkind in ('m', 'f') and ${OURS} and has_table_privilege(role, c.oid, ${ANY_PRIVILEGE})`,

  "view that runs with its owner's rights": `
    select c.oid::regclass::text as object from pg_class c
    join pg_namespace n on n.oid = c.relnamespace, unnest(array[${BOUND_ROLES}]) role
    where c.relkind = 'v' and ${OURS} and has_table_privilege(role, c.oid, ${ANY_PRIVILEGE})
      and not coalesce(c.reloptions && array['security_invoker=true', 'security_invoker=on', 'security_invoker=1'], false)`,

  "unique key of a writable tenant table that does not open with tenant_id": `
    select i.indexrelid::regclass::text as object
    from (${TENANT_TABLES}) t join pg_index i on i.indrelid = t.oid
    where i.indisunique and i.indkey[0] <> t.attnum and has_table_privilege('${APP_ROLE}', t.oid, 'insert, update')`,

  "foreign key between tenant tables that leaves tenant_id out": `
    select k.conrelid::regclass || '.' || k.conname as object
    from pg_constraint k
    join (${TENANT_TABLES}) t on t.oid = k.conrelid
    join (${TENANT_TABLES}) f on f.oid = k.confrelid
    where k.contype = 'f' and not exists (
      select 1 from unnest(k.conkey, k.confkey) pair(a, b) where pair.a = t.attnum and pair.b = f.attnum)`,

  "table without tenant_id that the app role can reach": `
    select c.oid::regclass::text as object from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p') and ${OURS} and has_table_privilege('${APP_ROLE}', c.oid, ${ANY_PRIVILEGE})
      and not exists (select 1 from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped)`,

  "function with its owner's rights that a bound role may call": `
    select p.oid::regprocedure::text as object from pg_proc p
    join pg_namespace n on n.oid = p.pronamespace, unnest(array[${BOUND_ROLES}]) role
    where p.prosecdef and ${OURS} and has_function_privilege(role, p.oid, 'execute')`,

  "privilege that row security does not bound (truncate, references, trigger)": `
    select role || ' on ' || c.oid::regclass as object from pg_class c
    join pg_namespace n on n.oid = c.relnamespace, unnest(array[${BOUND_ROLES}]) role
    where c.relkind in ('r', 'p') and ${OURS} and has_table_privilege(role, c.oid, 'truncate, references, trigger')`,

  "bound role that may make objects in our schema": `
    select role as object from pg_namespace n, unnest(array[${BOUND_ROLES}]) role
    where ${OURS} and has_schema_privilege(role, n.oid, 'create')`,

  "tenant that is set without anybody setting it": `
    select coalesce(nullif(s.setrole, 0)::regrole::text, 'every role') as object
    from pg_db_role_setting s, unnest(s.setconfig) setting
    where setting ~* '^(app[.]tenant_id|role|session_authorization)='
      and s.setdatabase in (0, (select oid from pg_database where datname = current_database()))
      and s.setrole in (0, to_regrole('${APP_ROLE}'), to_regrole('${ENGINE_ROLE}'))`,

  "role with power over row security": `
    select r.rolname as object from pg_roles r
    where r.rolname in ('${OWNER_ROLE}', ${BOUND_ROLES})
      and (r.rolsuper or r.rolbypassrls or r.rolcreaterole or r.rolcreatedb or r.rolreplication)`,

  "bound role that owns a table or is a member of another role": `
    select role as object from unnest(array[${BOUND_ROLES}]) role
    where exists (select 1 from pg_class c where c.relowner = to_regrole(role))
      or exists (select 1 from pg_auth_members m where m.member = to_regrole(role))`,
}

/** What the audit looks for, in words. */
export const AUDIT_RULES: readonly string[] = Object.keys(RULES)
