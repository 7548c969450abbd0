/** What people do to incidents: an act is an input of the twin's journal and an entry of the audit, or neither. */
import * as Effect from "effect/Effect"
import { Unavailable } from "#engine/api/ports.ts"
import { Refused } from "#engine/api/problems.ts"
import { recordAct, type Actor } from "#engine/audit/act.ts"
import { actAfterwards } from "#engine/incidents/afterwards.ts"
import { cannotHave, pageAssignees } from "#engine/incidents/assignees.ts"
import { makePastIncidents, type PastIncidents } from "#engine/incidents/past-incidents.ts"
import { away } from "#engine/people/away.ts"
import type { DbShape } from "#engine/storage/db.ts"
import type { Incidents } from "#engine/tenant/live-twin.ts"
import type { TenantId } from "#protocol/id.ts"
import type { FaultType, IncidentView } from "#protocol/incident.ts"
import type { IncidentAct } from "#twin/incident/act.ts"

export interface IncidentsApi {
  /** Null while the tenant's twin does not run, or is being rebuilt. */
  readonly of: (tenant: TenantId) => Incidents | null
  /** Those that are over and that the twin has forgotten. */
  readonly past: PastIncidents
  /** `sites` are those that the incident touches. */
  readonly act: (
    incidents: Incidents,
    tenant: TenantId,
    by: Actor,
    incident: Pick<IncidentView, "id" | "title">,
    sites: readonly string[],
    act: IncidentAct,
  ) => Effect.Effect<void, Refused | Unavailable>
  /** Takes back what was learned of a kind of fault. */
  readonly unlearn: (
    incidents: Incidents,
    tenant: TenantId,
    by: Actor,
    fault: FaultType,
  ) => Effect.Effect<void, Refused | Unavailable>
  readonly assignees: (
    tenant: TenantId,
    sites: readonly string[],
    page: { readonly q: string | null; readonly after: string | null; readonly limit: number },
  ) => Effect.Effect<{ readonly names: readonly string[]; readonly next: string | null }, Unavailable>
}

export const makeIncidentsApi = (db: DbShape, of: IncidentsApi["of"], nowMs: () => number): IncidentsApi => ({
  of,
  past: makePastIncidents(db),
  unlearn: (incidents, tenant, by, fault) =>
    db
      .tenant(tenant)<void, Refused | Unavailable>(async (tx) => {
        const { confirmations = 0, right = 0, shift = 0 } = incidents.feedback().byFault[fault] ?? {}
        await recordAct(tx, tenant, by, {
          action: "incident.unlearn",
          object: { kind: "feedback", id: fault, name: fault },
          before: { confirmations, right, shift },
          after: null,
        })
        await incidents.act("", by.name, { act: "unlearn", fault }).catch((cause: unknown) => {
          throw new Unavailable({ detail: cause instanceof Error ? cause.message : "the twin did not take it" })
        })
      })
      .pipe(Effect.mapError(away)),
  assignees: (tenant, sites, page) =>
    db
      .tenant(tenant)((tx) => pageAssignees(tx, tenant, sites, page))
      .pipe(Effect.mapError(away)),
  act: (incidents, tenant, by, { id, title }, sites, act) =>
    db
      .tenant(tenant)<void, Refused | Unavailable>(async (tx) => {
        if (act.act === "assign" && act.user !== null) {
          const refused = await cannotHave(tx, tenant, sites, act.user)
          if (refused !== null) throw new Refused({ detail: refused })
        }
        // Written first, so that a database that is away leaves no act that nobody did.
        await recordAct(tx, tenant, by, {
          action: `incident.${act.act}`,
          object: { kind: "incident", id, name: title },
          before: null,
          after: { ...act },
        })
        const tell = (what: IncidentAct) =>
          incidents.act(id, by.name, what).catch((cause: unknown) => {
            throw new Unavailable({ detail: cause instanceof Error ? cause.message : "the twin did not take it" })
          })
        const answer = await tell(act)
        if (answer === "full") throw new Refused({ detail: "so much was said about it that no more can be kept" })
        if (answer === "closed") throw new Refused({ detail: "it is closed" })
        if (answer === "done") return
        const lesson = await actAfterwards(tx, tenant, id, by.name, act, nowMs())
        if (lesson !== null) await tell(lesson)
      })
      .pipe(Effect.mapError(away)),
})
