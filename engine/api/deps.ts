/** What the handlers need from the engine. Each subject's service is a port of its own; a handler sees one caller's tenant. */
import type { Doors } from "#engine/access/doors.ts"
import type { Idempotency } from "#engine/api/idempotency.ts"
import type { Audit } from "#engine/audit/audit.ts"
import type { Accounts, EventReader, HistoryReader, ProbePlans, Twins } from "#engine/api/ports.ts"
import type { IncidentsApi } from "#engine/incidents/incidents-api.ts"
import type { InventoryApi } from "#engine/inventory-api/inventory-api.ts"
import type { Log } from "#engine/log.ts"
import type { People } from "#engine/people/people.ts"
import type { SubscriberReveal } from "#engine/privacy/reveal.ts"
import type { Programs } from "#engine/programs/programs.ts"
import type { Quotas } from "#engine/quota/quotas.ts"
import type { AlertsApi, Judgements } from "#engine/rules/alerts-api.ts"
import type { RulesApi } from "#engine/rules/rules-api.ts"
import type { MaintenanceApi } from "#engine/maintenance/maintenance-api.ts"
import type { Replays } from "#engine/replay/replays.ts"
import type { ProposalsApi } from "#engine/topology/proposals-api.ts"
import type { StructureApi } from "#engine/topology/structure-api.ts"
import type { WhatIfApi } from "#engine/whatif/what-if-api.ts"
import type { Settings } from "#engine/tenancy/settings.ts"
import type { Tenancy } from "#engine/tenancy/tenancy.ts"

export interface ApiDeps {
  readonly doors: Doors
  readonly accounts: Accounts
  readonly people: People
  readonly programs: Programs
  readonly audit: Audit
  readonly subscribers: SubscriberReveal
  readonly tenancy: Tenancy
  readonly settings: Settings
  readonly quotas: Quotas
  /** How the OpenID issuer is called on the sign-in screen; null = people sign in by password. */
  readonly oidcName: string | null
  readonly twins: Twins
  readonly history: HistoryReader
  readonly events: EventReader
  readonly replays: Replays
  readonly probePlans: ProbePlans
  readonly idempotency: Idempotency
  readonly inventory: InventoryApi
  readonly rules: RulesApi
  readonly alerts: AlertsApi
  readonly maintenance: MaintenanceApi
  readonly judgements: Judgements
  readonly incidents: IncidentsApi
  readonly whatIf: WhatIfApi
  readonly proposals: ProposalsApi
  readonly structure: StructureApi
  readonly log: Log
  readonly version: string
  /** As browsers see it, when a proxy stands between. */
  readonly publicUrl: string | null
  /** The engine ends TLS itself; absent = it does not. `isHttps` (engine/http/origin.ts) reads both. */
  readonly tls?: boolean
  readonly sessionHours: number
  readonly nowMs: () => number
}
