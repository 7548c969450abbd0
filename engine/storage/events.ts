/**
 * The tenant's events, queryable: a copy of what the rounds said, keyed by the place in the journal that caused it.
 * Writing the same events again (a retry, a replay) changes nothing.
 */
import * as Effect from "effect/Effect"
import type { TenantId } from "#protocol/id.ts"
import type { Severity } from "#protocol/status.ts"
import type { EventView } from "#protocol/view.ts"
import type { DbError, DbShape } from "#engine/storage/db.ts"
import { pgText } from "#engine/storage/pg-text.ts"

export interface EventQuery {
  /** Device or link id. */
  readonly subject?: string | null
  /** Only of these devices and links, and of these incidents; null = of all. */
  readonly subjects?: readonly string[] | null
  readonly incidents?: IncidentsOf | null
  readonly type?: string | null
  readonly fromMs?: number | null
  readonly toMs?: number | null
  /** Only events older than this id (`<seq>-<index>`): the last one of the page before. */
  readonly before?: string | null
  /** 1..500, default 100. */
  readonly limit?: number
}

/** Those that the twin holds, by id, and those that are over and touched one of the sites. */
export interface IncidentsOf {
  readonly held: readonly string[]
  readonly sites: readonly string[]
}

export const EVENT_LIMIT_MAX = 500
/** UTF-16 units of an attacker-supplied line that are kept. */
const RAW_MAX = 4_096
const WORD_MAX = 512
/** Rows per INSERT. */
const BATCH = 500

export const appendEvents = (
  db: DbShape,
  tenant: TenantId,
  events: readonly EventView[],
): Effect.Effect<void, DbError> =>
  db.ingest(tenant)(async (tx) => {
    for (let from = 0; from < events.length; from += BATCH) {
      const rows = events.slice(from, from + BATCH).map(rowOf)
      await tx.query(
        `insert into event (tenant_id, ${COLUMNS})
         select $1::uuid, ${COLUMNS} from jsonb_to_recordset($2::jsonb) as r(seq bigint, idx integer, at_ms bigint, type text,
           severity text, subject text, subject_kind text, entity text, old text, new text, raw text, source text)
         on conflict do nothing`,
        [tenant, JSON.stringify(rows)],
      )
    }
  })

const COLUMNS = "seq, idx, at_ms, type, severity, subject, subject_kind, entity, old, new, raw, source"

/** The incident that an event is of, as protocol/view.ts has it. */
const INCIDENT_ID = "(case when event.entity = '' then event.seq || '-' || event.idx else event.entity end)"

/** Newest first. An unreadable `before` gives nothing. */
export const listEvents = (
  db: DbShape,
  tenant: TenantId,
  query: EventQuery,
): Effect.Effect<readonly EventView[], DbError> => {
  const before = query.before ?? null
  const cursor = before === null ? null : parseId(before)
  if (before !== null && cursor === null) return Effect.succeed([])
  const limit = Math.min(EVENT_LIMIT_MAX, Math.max(1, Math.trunc(query.limit ?? 100)))
  return db.tenant(tenant)(async (tx) => {
    const { rows } = await tx.query<EventRow>(
      `select seq::float8 as seq, idx, at_ms::float8 as at_ms, type, severity, subject, subject_kind, entity, old, new, raw,
         source
       from event
       where tenant_id = $1 and ($2::bigint is null or (seq, idx) < ($2, $3::int))
         and ($4::text is null or subject = $4) and ($5::text is null or type = $5)
         and ($6::bigint is null or at_ms >= $6) and ($7::bigint is null or at_ms <= $7)
         and ($9::text[] is null or subject = any($9) or (subject_kind = 'tenant' and type like 'incident.%'
           and (${INCIDENT_ID} = any($10::text[]) or exists (select 1 from incident where incident.tenant_id = $1
             and incident.incident_id = ${INCIDENT_ID} and incident.state = 'closed' and incident.sites && $11::text[]))))
       order by seq desc, idx desc limit $8`,
      [
        tenant,
        cursor?.seq ?? null,
        cursor?.idx ?? null,
        textOrNull(query.subject),
        textOrNull(query.type),
        wholeOrNull(query.fromMs),
        wholeOrNull(query.toMs),
        limit,
        query.subjects ?? null,
        query.incidents?.held ?? [],
        query.incidents?.sites ?? [],
      ],
    )
    return rows.map(viewOf)
  })
}

/** Deletes what is older, in small transactions; returns how many. */
export const pruneEvents = (db: DbShape, tenant: TenantId, beforeMs: number): Effect.Effect<number, DbError> =>
  Effect.gen(function* () {
    for (let total = 0; ;) {
      const deleted = yield* db.ingest(tenant)(async (tx) => {
        const { rowCount } = await tx.query(
          `delete from event where tenant_id = $1 and (seq, idx) in
             (select seq, idx from event where tenant_id = $1 and at_ms < $2 order by seq limit 1000)`,
          [tenant, beforeMs],
        )
        return rowCount
      })
      total += deleted
      if (deleted < 1000) return total
    }
  })

interface EventRow {
  readonly seq: number
  readonly idx: number
  readonly at_ms: number
  readonly type: string
  readonly severity: string
  readonly subject: string
  readonly subject_kind: string
  readonly entity: string
  readonly old: string | null
  readonly new: string | null
  readonly raw: string | null
  readonly source: string
}

const textOrNull = (text: string | null | undefined): string | null => (text == null ? null : pgText(text, WORD_MAX))
const wholeOrNull = (ms: number | null | undefined): number | null => (ms == null ? null : Math.trunc(ms))

const rowOf = (event: EventView): EventRow => {
  const id = parseId(event.id)
  if (id === null) throw new RangeError(`event id ${JSON.stringify(event.id)} is not <seq>-<index>`)
  const text = (value: string | null, max: number): string | null => (value === null ? null : pgText(value, max))
  return {
    ...id,
    at_ms: Math.trunc(event.atMs),
    type: pgText(event.type, WORD_MAX),
    severity: event.severity,
    subject: pgText(event.subject, WORD_MAX),
    subject_kind: event.subjectKind,
    entity: pgText(event.entity, WORD_MAX),
    old: text(event.old, WORD_MAX),
    new: text(event.new, WORD_MAX),
    raw: text(event.raw, RAW_MAX),
    source: event.source,
  }
}

const viewOf = (row: EventRow): EventView => ({
  id: `${row.seq}-${row.idx}`,
  atMs: row.at_ms,
  type: row.type,
  severity: row.severity as Severity,
  subject: row.subject,
  subjectKind: row.subject_kind as EventView["subjectKind"],
  entity: row.entity,
  old: row.old,
  new: row.new,
  raw: row.raw,
  source: row.source as EventView["source"],
})

const parseId = (id: string): { seq: number; idx: number } | null => {
  const parts = /^(\d{1,15})-(\d{1,9})$/.exec(id)
  return parts === null ? null : { seq: Number(parts[1]), idx: Number(parts[2]) }
}
