/**
 * The table of incidents that are over (migrations/0024). Written under the incident's own name and the seq of its last
 * change, so that writing the same again (a retry, a replay, a restart) changes nothing and an older record never takes the
 * place of a newer one. What people say about one that the twin has forgotten is written here alone.
 */
import * as Effect from "effect/Effect"
import type { DbError, DbShape, Tx } from "#engine/storage/db.ts"
import { pgText } from "#engine/storage/pg-text.ts"
import { COLUMNS, lineOf, valuesOf, viewOf, type StoredIncident } from "#engine/incidents/stored-row.ts"
import type { IncidentRow, IncidentView } from "#protocol/incident.ts"
import type { TenantId } from "#protocol/id.ts"

/** Rows of one transaction of the pruning. */
const PRUNE_BATCH = 500

/** A newer record takes the place of an older one; `seq` 0 only fills a hole. */
export const storeIncidents = (
  db: DbShape,
  tenant: TenantId,
  incidents: readonly StoredIncident[],
): Effect.Effect<void, DbError> =>
  db.ingest(tenant)(async (tx) => {
    for (const incident of incidents)
      await tx.query(
        `insert into incident (tenant_id, ${COLUMNS.join(", ")})
         values ($1, ${COLUMNS.map((_, at) => `$${at + 2}`).join(", ")})
         on conflict (tenant_id, incident_id) do update set ${SET_NEW} where excluded.seq > incident.seq`,
        [tenant, ...valuesOf(incident)],
      )
  })

const SET_NEW = COLUMNS.slice(1)
  .map((column) => `${column} = excluded.${column}`)
  .join(", ")

/** Null = there is none, or it is open again: then the twin has it. */
export const readIncident = async (
  tx: Tx,
  tenant: TenantId,
  id: string,
  lock: "" | "for update" = "",
): Promise<StoredIncident | null> => {
  const { rows } = await tx.query<{ seq: number; sites: readonly string[]; body: Uint8Array }>(
    `select seq::float8 as seq, sites, body from incident
     where tenant_id = $1 and incident_id = $2 and state = 'closed' ${lock}`,
    [tenant, id],
  )
  const [row] = rows
  return row === undefined ? null : { seq: row.seq, sites: row.sites, view: viewOf(row.body) }
}

/** Of some, in no order: those that are over and stand in the table. */
export const readWholes = async (
  tx: Tx,
  tenant: TenantId,
  ids: readonly string[],
): Promise<readonly IncidentView[]> => {
  const { rows } = await tx.query<{ body: Uint8Array }>(
    "select body from incident where tenant_id = $1 and incident_id = any($2::text[]) and state = 'closed'",
    [tenant, ids],
  )
  return rows.map(({ body }) => viewOf(body))
}

/** What somebody said afterwards. The seq stays: a replay of what the twin knew changes nothing of it. */
export const rewriteIncident = async (tx: Tx, tenant: TenantId, incident: StoredIncident): Promise<void> => {
  const [id, ...values] = valuesOf(incident)
  const places = COLUMNS.slice(1).map((column, at) => `${column} = $${at + 3}`)
  await tx.query(`update incident set ${places.join(", ")} where tenant_id = $1 and incident_id = $2`, [
    tenant,
    id,
    ...values,
  ])
}

export interface StoredFilter {
  readonly severity?: string | undefined
  readonly q?: string | undefined
  readonly site?: string | undefined
  readonly cause?: string | undefined
  /** `who` has it or has acknowledged it, or neither. */
  readonly mine?: { readonly who: string; readonly is: boolean } | undefined
  readonly from?: number | undefined
  readonly to?: number | undefined
  /** Only those that touch one of these; null = all. */
  readonly sites: readonly string[] | null
  /** The twin has them. */
  readonly without: readonly string[]
  /** Behind this place of the order: newest first, then by id. */
  readonly after: { readonly startsAtMs: number; readonly id: string } | null
  readonly limit: number
}

/** Newest first, closed ones only. */
export const listIncidents = async (
  tx: Tx,
  tenant: TenantId,
  filter: StoredFilter,
): Promise<readonly IncidentRow[]> => {
  const { rows } = await tx.query<{ line: string }>(`select line ${FROM_WHERE}`, params(tenant, filter))
  return rows.map(({ line }) => lineOf(line))
}

/** The same, whole: for whoever sees only a part of each. */
export const listWhole = async (tx: Tx, tenant: TenantId, filter: StoredFilter): Promise<readonly IncidentView[]> => {
  const { rows } = await tx.query<{ body: Uint8Array }>(`select body ${FROM_WHERE}`, params(tenant, filter))
  return rows.map(({ body }) => viewOf(body))
}

const FROM_WHERE = `from incident
  where tenant_id = $1 and state = 'closed'
    and ($2::text is null or severity = $2)
    and ($3::text is null or position($3 in words) > 0)
    and ($4::text is null or $4 = any(sites))
    and ($5::text is null or $5 = any(faults))
    and ($6::text is null or (assignee is not distinct from $6 or ack_by is not distinct from $6) = $7)
    and ($8::bigint is null or ends_ms >= $8)
    and ($9::bigint is null or starts_ms <= $9)
    and ($10::text[] is null or sites && $10)
    and incident_id <> all($11::text[])
    and ($12::bigint is null or starts_ms < $12 or (starts_ms = $12 and incident_id collate "C" > $13))
  order by starts_ms desc, incident_id collate "C" limit $14`

const params = (tenant: TenantId, filter: StoredFilter): readonly unknown[] => [
  tenant,
  filter.severity ?? null,
  text(filter.q?.toLowerCase()),
  text(filter.site),
  text(filter.cause),
  text(filter.mine?.who),
  filter.mine?.is ?? true,
  filter.from ?? null,
  filter.to ?? null,
  filter.sites,
  filter.without,
  filter.after === null ? null : Math.trunc(filter.after.startsAtMs),
  text(filter.after?.id),
  filter.limit,
]

const TEXT_MAX = 512
const text = (value: string | undefined): string | null => (value === undefined ? null : pgText(value, TEXT_MAX))

/** Deletes what ended before, in small transactions; returns how many. */
export const pruneIncidents = (db: DbShape, tenant: TenantId, beforeMs: number): Effect.Effect<number, DbError> =>
  Effect.gen(function* () {
    for (let total = 0; ;) {
      const deleted = yield* db.ingest(tenant)(async (tx) => {
        const { rowCount } = await tx.query(
          `delete from incident where tenant_id = $1 and incident_id in
             (select incident_id from incident where tenant_id = $1 and ends_ms < $2 order by ends_ms limit ${PRUNE_BATCH})`,
          [tenant, Math.trunc(beforeMs)],
        )
        return rowCount
      })
      total += deleted
      if (deleted < PRUNE_BATCH) return total
    }
  })
