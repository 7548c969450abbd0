/** What people do to incidents: an act is an input of the twin's journal and an entry of the audit, or neither. */
import * as Effect from "effect/Effect"
import { Unavailable } from "#engine/api/ports.ts"
import { Refused } from "#engine/api/problems.ts"
import { recordAct, type Actor } from "#engine/audit/act.ts"
import { away } from "#engine/people/away.ts"
import type { DbShape, Tx } from "#engine/storage/db.ts"
import type { Incidents } from "#engine/tenant/live-twin.ts"
import type { TenantId } from "#protocol/id.ts"
import type { IncidentView } from "#protocol/incident.ts"
import type { IncidentAct } from "#twin/incident/act.ts"

export interface IncidentsApi {
  /** Null while the tenant's twin does not run, or is being rebuilt. */
  readonly of: (tenant: TenantId) => Incidents | null
  readonly act: (
    incidents: Incidents,
    tenant: TenantId,
    by: Actor,
    incident: IncidentView,
    act: IncidentAct,
  ) => Effect.Effect<void, Refused | Unavailable>
}

export const makeIncidentsApi = (db: DbShape, of: IncidentsApi["of"]): IncidentsApi => ({
  of,
  act: (incidents, tenant, by, { id, title }, act) =>
    db
      .tenant(tenant)<void, Refused | Unavailable>(async (tx) => {
        if (act.act === "assign" && act.user !== null && !(await isUser(tx, tenant, act.user)))
          throw new Refused({ detail: `there is no user ${act.user}` })
        // Written first, so that a database that is away leaves no act that nobody did.
        await recordAct(tx, tenant, by, {
          action: `incident.${act.act}`,
          object: { kind: "incident", id, name: title },
          before: null,
          after: { ...act },
        })
        const answer = await incidents.act(id, by.name, act).catch((cause: unknown) => {
          throw new Unavailable({ detail: cause instanceof Error ? cause.message : "the twin did not take it" })
        })
        if (answer === "gone") throw new Refused({ detail: "it closed long ago: the twin does not hold it any more" })
        if (answer === "full") throw new Refused({ detail: "so much was said about it that no more can be kept" })
        if (answer === "closed") throw new Refused({ detail: "it is closed" })
      })
      .pipe(Effect.mapError(away)),
})

const isUser = async (tx: Tx, tenant: TenantId, name: string): Promise<boolean> => {
  const sql = "select 1 from app_user where tenant_id = $1 and name = $2"
  return (await tx.query(sql, [tenant, name])).rowCount > 0
}
