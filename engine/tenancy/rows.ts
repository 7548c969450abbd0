/** What is stored of a tenant's quotas and settings, read and written as the tenant itself. */
import type { Overrides } from "#engine/quota/quotas.ts"
import type { DbError, DbShape, Tx } from "#engine/storage/db.ts"
import type * as Effect from "effect/Effect"
import type { TenantId } from "#protocol/id.ts"
import { isQuota, type QuotaName } from "#protocol/quota.ts"

/** What a tenant decides for itself. */
export interface TenantSettings {
  readonly retentionDays: { readonly samples: number; readonly events: number; readonly journal: number }
  /** PRODUCT.md S11: off = only counts of subscribers are ever stored. */
  readonly subscriberIdentities: boolean
  readonly subscriberDays: number
  readonly sessionHours: number
}

/** `settings` null = it never chose any. */
export interface StoredTenancy {
  readonly overrides: Overrides
  readonly settings: TenantSettings | null
  /** 0 = none stored. */
  readonly settingsRev: number
}

export const readTenancy = (db: DbShape, tenant: TenantId): Effect.Effect<StoredTenancy, DbError> =>
  db.tenant(tenant)(async (tx) => {
    const { settings, rev } = await readSettings(tx, tenant)
    return { overrides: await readOverrides(tx, tenant), settings, settingsRev: rev }
  })

/** A name that this version does not know any more is left out. */
export const readOverrides = async (tx: Tx, tenant: TenantId): Promise<Overrides> => {
  const { rows } = await tx.query<{ name: string; most: number }>(
    "select name, most::float8 as most from tenant_quota where tenant_id = $1",
    [tenant],
  )
  return Object.fromEntries(rows.filter(({ name }) => isQuota(name)).map(({ name, most }) => [name, most]))
}

/** Only the named ones change; null = the tier's own again. */
export const writeOverrides = async (
  tx: Tx,
  tenant: TenantId,
  wanted: Readonly<Partial<Record<QuotaName, number | null>>>,
): Promise<void> => {
  for (const [name, most] of Object.entries(wanted)) {
    if (most === null) await tx.query("delete from tenant_quota where tenant_id = $1 and name = $2", [tenant, name])
    else
      await tx.query(
        `insert into tenant_quota (tenant_id, name, most) values ($1, $2, $3)
         on conflict (tenant_id, name) do update set most = excluded.most`,
        [tenant, name, most],
      )
  }
}

export const readSettings = async (
  tx: Tx,
  tenant: TenantId,
): Promise<{ readonly settings: TenantSettings | null; readonly rev: number }> => {
  const { rows } = await tx.query<SettingsRow>(
    `select rev::float8 as rev, sample_days, event_days, journal_days, subscriber_identities, subscriber_days,
       session_hours from tenant_settings where tenant_id = $1 for update`,
    [tenant],
  )
  const row = rows[0]
  if (row === undefined) return { settings: null, rev: 0 }
  return {
    rev: row.rev,
    settings: {
      retentionDays: { samples: row.sample_days, events: row.event_days, journal: row.journal_days },
      subscriberIdentities: row.subscriber_identities,
      subscriberDays: row.subscriber_days,
      sessionHours: row.session_hours,
    },
  }
}

/** The new revision. */
export const writeSettings = async (tx: Tx, tenant: TenantId, settings: TenantSettings): Promise<number> => {
  const { retentionDays, subscriberIdentities, subscriberDays, sessionHours } = settings
  const { rows } = await tx.query<{ rev: number }>(
    `insert into tenant_settings (tenant_id, rev, sample_days, event_days, journal_days, subscriber_identities,
       subscriber_days, session_hours) values ($1, 1, $2, $3, $4, $5, $6, $7)
     on conflict (tenant_id) do update set rev = tenant_settings.rev + 1, sample_days = excluded.sample_days,
       event_days = excluded.event_days, journal_days = excluded.journal_days,
       subscriber_identities = excluded.subscriber_identities, subscriber_days = excluded.subscriber_days,
       session_hours = excluded.session_hours
     returning rev::float8 as rev`,
    [
      tenant,
      retentionDays.samples,
      retentionDays.events,
      retentionDays.journal,
      subscriberIdentities,
      subscriberDays,
      sessionHours,
    ],
  )
  return rows[0]?.rev ?? 0
}

interface SettingsRow {
  readonly rev: number
  readonly sample_days: number
  readonly event_days: number
  readonly journal_days: number
  readonly subscriber_identities: boolean
  readonly subscriber_days: number
  readonly session_hours: number
}
