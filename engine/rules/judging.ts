/**
 * Rules, alerts and maintenance of every tenant that runs here, put together: what the API asks, and what keeps each twin
 * on what is stored. A tenant that does not run is changed in the database and follows at its start.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Log } from "#engine/log.ts"
import { makeIncidentsApi, type IncidentsApi } from "#engine/incidents/incidents-api.ts"
import { makeMaintenanceApi, type MaintenanceApi } from "#engine/maintenance/maintenance-api.ts"
import type { Quotas } from "#engine/quota/quotas.ts"
import { makeAlertsApi, type AlertsApi, type Judgements } from "#engine/rules/alerts-api.ts"
import { makeDryRuns } from "#engine/rules/dry-runs.ts"
import { keepFollowing, type Follow } from "#engine/rules/follow.ts"
import { makeRulesApi, type RulesApi } from "#engine/rules/rules-api.ts"
import { readRuleSet } from "#engine/rules/rule-rows.ts"
import type { DbShape } from "#engine/storage/db.ts"
import type { TenantInfo } from "#engine/tenant/live-twin.ts"
import type { TenantId } from "#protocol/id.ts"

export interface JudgingOptions {
  readonly db: DbShape
  readonly quotas: Quotas
  readonly log: Log
  readonly judgements: Judgements & { readonly incidents: IncidentsApi["of"] }
  /** Of the database that has the tenant's rows; null = it is away. Holds a password. */
  readonly appUrl: (slug: string) => string | null
  readonly nowMs: () => number
}

export interface Judging {
  /** For ApiDeps. */
  readonly api: {
    readonly rules: RulesApi
    readonly alerts: AlertsApi
    readonly maintenance: MaintenanceApi
    readonly judgements: Judgements
    readonly incidents: IncidentsApi
  }
  /** Keeps a tenant's twin on what is stored, for as long as the scope lives. */
  readonly follow: (tenant: TenantInfo) => Effect.Effect<void, never, Scope.Scope>
}

export const makeJudging = ({ db, quotas, log, judgements, appUrl, nowMs }: JudgingOptions): Judging => {
  const following = new Map<TenantId, Follow>()
  const counts = new Map<TenantId, number>()
  const told = (tenant: TenantId, what: keyof Follow): Effect.Effect<void> =>
    Effect.suspend(() => following.get(tenant)?.[what] ?? Effect.void)
  /** What the quota's screen shows as used. */
  const count = (tenant: TenantId): Effect.Effect<void> =>
    db
      .tenant(tenant)((tx) => readRuleSet(tx, tenant))
      .pipe(
        Effect.map(({ entries }) => void counts.set(tenant, entries.length)),
        Effect.catch((cause) => Effect.sync(() => log.debug("rules were not counted", { cause }))),
      )
  return {
    api: {
      rules: makeRulesApi({
        db,
        quotas,
        dryRuns: makeDryRuns({ appUrl }),
        follow: (tenant) => Effect.andThen(told(tenant, "rules"), count(tenant)),
        nowMs,
      }),
      alerts: makeAlertsApi(db),
      maintenance: makeMaintenanceApi({ db, follow: (tenant) => told(tenant, "silences"), nowMs }),
      judgements,
      incidents: makeIncidentsApi(db, judgements.incidents, nowMs),
    },
    follow: (tenant) =>
      Effect.gen(function* () {
        const judgement = () => judgements.of(tenant.id)
        const follow = yield* keepFollowing({ db, tenant, judgement, log: log.with({ tenant: tenant.slug }), nowMs })
        yield* count(tenant.id)
        yield* Effect.acquireRelease(
          Effect.sync(() => {
            following.set(tenant.id, follow)
            return quotas.gauge(tenant.id, "max_rules", () => counts.get(tenant.id) ?? 0)
          }),
          (forget) =>
            Effect.sync(() => {
              following.delete(tenant.id)
              counts.delete(tenant.id)
              forget()
            }),
        )
      }),
  }
}
