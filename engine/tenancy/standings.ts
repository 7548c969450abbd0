/**
 * What every tenant is now, in memory: its record (tier, suspended), its settings and its quotas in force. Loaded before a
 * tenant runs and after every change, so that asking costs nothing on the way of each request, line and poll.
 */
import * as Effect from "effect/Effect"
import type { Quotas } from "#engine/quota/quotas.ts"
import type { DbError, DbShape } from "#engine/storage/db.ts"
import type { TenantRecord } from "#engine/storage/tenants.ts"
import { readTenancy, type TenantSettings } from "#engine/tenancy/rows.ts"
import type { TenantId } from "#protocol/id.ts"
import type { QuotaName } from "#protocol/quota.ts"

export interface Standing {
  readonly record: TenantRecord
  readonly settings: TenantSettings
  /** 0 = the tenant never chose any. */
  readonly settingsRev: number
}

export interface Standings {
  /** Null = there is no such tenant, or it was never loaded. */
  readonly of: (tenant: TenantId) => Standing | null
  readonly isSuspended: (tenant: TenantId) => boolean
  /** The engine's own settings where the tenant has none. */
  readonly settings: (tenant: TenantId) => TenantSettings
  /** How long rows are kept, ms: the tenant's wish within its quotas. */
  readonly retentionMs: (tenant: TenantId) => RetentionMs
  /** Reads quotas and settings; they are in force when it returns. */
  readonly load: (record: TenantRecord) => Effect.Effect<Standing, DbError>
  /** The record alone: what can be known while the tenant's own database is away. */
  readonly know: (record: TenantRecord) => void
  readonly forget: (tenant: TenantId) => void
}

export interface RetentionMs {
  readonly samples: number
  readonly events: number
  readonly journal: number
}

/** The engine's settings, for tenants that chose none (engine/config.ts). */
export interface Defaults {
  readonly sampleDays: number
  readonly eventDays: number
  readonly journalHours: number
  readonly sessionHours: number
}

export const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000

export const makeStandings = (db: DbShape, quotas: Quotas, defaults: Defaults): Standings => {
  const known = new Map<TenantId, Standing>()
  const ownSettings: TenantSettings = {
    retentionDays: {
      samples: defaults.sampleDays,
      events: defaults.eventDays,
      journal: Math.max(1, Math.ceil(defaults.journalHours / 24)),
    },
    subscriberIdentities: false,
    subscriberDays: 7,
    sessionHours: defaults.sessionHours,
  }
  const within = (tenant: TenantId, name: QuotaName, ms: number): number =>
    Math.min(ms, quotas.limit(tenant, name) * DAY_MS)
  return {
    of: (tenant) => known.get(tenant) ?? null,
    isSuspended: (tenant) => known.get(tenant)?.record.suspended === true,
    settings: (tenant) => known.get(tenant)?.settings ?? ownSettings,
    retentionMs: (tenant) => {
      const standing = known.get(tenant)
      const { samples, events, journal } = standing?.settings.retentionDays ?? ownSettings.retentionDays
      // Whole days are what a tenant may choose; the engine's own setting counts hours.
      const chose = (standing?.settingsRev ?? 0) > 0
      return {
        samples: within(tenant, "max_retention_days_samples", samples * DAY_MS),
        events: within(tenant, "max_retention_days_events", events * DAY_MS),
        journal: within(
          tenant,
          "max_retention_days_journal",
          chose ? journal * DAY_MS : defaults.journalHours * HOUR_MS,
        ),
      }
    },
    load: (record) =>
      Effect.map(readTenancy(db, record.id), ({ overrides, settings, settingsRev }) => {
        const standing = { record, settings: settings ?? ownSettings, settingsRev }
        known.set(record.id, standing)
        quotas.set(record.id, record.tier, overrides)
        return standing
      }),
    know: (record) => {
      const before = known.get(record.id)
      known.set(record.id, { settings: before?.settings ?? ownSettings, settingsRev: before?.settingsRev ?? 0, record })
    },
    forget: (tenant) => {
      known.delete(tenant)
      quotas.forget(tenant)
    },
  }
}

/** A tenant over its storage quota keeps a `share` of what grows (engine/quota/storage-use.ts). */
export const shrunk = ({ samples, events, journal }: RetentionMs, share: number): RetentionMs => ({
  samples: samples * share,
  events: events * share,
  journal,
})
