/** A tenant's own settings: read, changed within its quotas, in force at once. */
import * as Effect from "effect/Effect"
import { fitsIfMatch } from "#engine/api/etag.ts"
import { Unavailable } from "#engine/api/ports.ts"
import { Changed } from "#engine/api/problems.ts"
import { recordAct, type Json } from "#engine/audit/act.ts"
import type { By } from "#engine/people/by.ts"
import { QuotaPassed, type Quotas } from "#engine/quota/quotas.ts"
import type { DbShape } from "#engine/storage/db.ts"
import { readSettings, writeSettings, type TenantSettings } from "#engine/tenancy/rows.ts"
import type { Standings } from "#engine/tenancy/standings.ts"
import { quotaList, type QuotaList } from "#engine/tenancy/tenancy.ts"
import type { TenantId } from "#protocol/id.ts"
import type { QuotaName } from "#protocol/quota.ts"

export interface SettingsView {
  readonly settings: TenantSettings
  readonly etag: string
}

export interface Settings {
  readonly quotas: (tenant: TenantId) => Effect.Effect<QuotaList, Unavailable>
  readonly get: (tenant: TenantId) => SettingsView
  readonly put: (
    by: By,
    settings: TenantSettings,
    ifMatch: string | undefined,
  ) => Effect.Effect<SettingsView, Changed | QuotaPassed | Unavailable>
}

export const makeSettings = (db: DbShape, standings: Standings, quotas: Quotas, nowMs: () => number): Settings => ({
  quotas: (tenant) =>
    quotaList({ db, quotas, nowMs }, tenant).pipe(
      Effect.mapError(({ message }) => new Unavailable({ detail: message })),
    ),
  get: (tenant) => ({
    settings: standings.settings(tenant),
    etag: etagOfRev(standings.of(tenant)?.settingsRev ?? 0),
  }),
  put: (by, settings, ifMatch) =>
    Effect.gen(function* () {
      const { tenant } = by.principal
      for (const [quota, days] of daysOf(settings)) yield* quotas.check(tenant, quota, days)
      const rev = yield* db.tenant(tenant)<number, Changed>(async (tx) => {
        // Without a row there is nothing to lock: the first two writers would both be first.
        await tx.query("select pg_advisory_xact_lock(hashtextextended('settings ' || $1, 0))", [tenant])
        const stored = await readSettings(tx, tenant)
        if (!fitsIfMatch(ifMatch, etagOfRev(stored.rev))) throw new Changed({})
        const next = await writeSettings(tx, tenant, settings)
        await recordAct(tx, tenant, by.actor, {
          action: "settings.update",
          object: { kind: "settings", id: tenant, name: "settings" },
          before: stored.settings === null ? null : asJson(stored.settings),
          after: asJson(settings),
        })
        return next
      })
      const standing = standings.of(tenant)
      if (standing !== null) yield* standings.load(standing.record)
      return { settings, etag: etagOfRev(rev) }
    }).pipe(Effect.catchTag("DbError", ({ message }) => Effect.fail(new Unavailable({ detail: message })))),
})

const etagOfRev = (rev: number): string => `"${rev}"`

const daysOf = ({ retentionDays }: TenantSettings): ReadonlyArray<readonly [QuotaName, number]> => [
  ["max_retention_days_samples", retentionDays.samples],
  ["max_retention_days_events", retentionDays.events],
  ["max_retention_days_journal", retentionDays.journal],
]

const asJson = (settings: TenantSettings): Json => ({ ...settings })
