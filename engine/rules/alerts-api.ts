/** What people do to alerts: an acknowledgement is an input of the twin's journal and an entry of the audit, or neither. */
import * as Effect from "effect/Effect"
import { Unavailable } from "#engine/api/ports.ts"
import { Refused } from "#engine/api/problems.ts"
import { away } from "#engine/people/away.ts"
import { recordAct, type Actor } from "#engine/audit/act.ts"
import type { DbShape } from "#engine/storage/db.ts"
import type { Judgement } from "#engine/tenant/live-twin.ts"
import { alertId, type AlertName } from "#protocol/alert.ts"
import type { TenantId } from "#protocol/id.ts"

export interface AlertsApi {
  /** null takes an acknowledgement back. */
  readonly acknowledge: (
    judgement: Judgement,
    tenant: TenantId,
    by: Actor,
    name: AlertName,
    untilMs: number | null,
  ) => Effect.Effect<void, Refused | Unavailable>
}

/** The judgements of the tenants that run here. */
export interface Judgements {
  /** Null while the tenant's twin does not run, or is being rebuilt. */
  readonly of: (tenant: TenantId) => Judgement | null
}

export const makeAlertsApi = (db: DbShape): AlertsApi => ({
  acknowledge: (judgement, tenant, by, name, untilMs) =>
    db
      .tenant(tenant)<void, Refused | Unavailable>(async (tx) => {
        // Written first, so that a database that is away leaves no acknowledgement that nobody gave.
        await recordAct(tx, tenant, by, {
          action: untilMs === null ? "alert.unack" : "alert.ack",
          object: { kind: "alert", id: alertId(name), name: name.rule },
          before: null,
          after: { ...name, untilMs },
        })
        const fires = await judgement.acknowledge(name, by.name, untilMs).catch((cause: unknown) => {
          throw new Unavailable({ detail: cause instanceof Error ? cause.message : "the twin did not take it" })
        })
        if (!fires) throw new Refused({ detail: "it does not fire" })
      })
      .pipe(Effect.mapError(away)),
})
