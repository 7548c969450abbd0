/**
 * The REST API, version 1, as one HttpApi: the server implements it; the OpenAPI file and the client's and the command
 * line's types are generated from it. The groups stand in groups/, one subject each; who may call what stands in
 * engine/access/entries.ts. A caller belongs to one tenant, and ids of other tenants answer 404 like ids that never were.
 */
import * as HttpApi from "effect/http-api/HttpApi"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as OpenApi from "effect/http-api/OpenApi"
import { AlertRulesGroup } from "#engine/api/groups/alert-rules.ts"
import { AlertsGroup } from "#engine/api/groups/alerts.ts"
import { AuditGroup } from "#engine/api/groups/audit.ts"
import { IncidentsGroup } from "#engine/api/groups/incidents.ts"
import { InventoryGroup } from "#engine/api/groups/inventory.ts"
import { MaintenanceGroup } from "#engine/api/groups/maintenance.ts"
import { NetworkGroup } from "#engine/api/groups/network.ts"
import { PastGroup } from "#engine/api/groups/past.ts"
import { AccountGroup, RolesGroup, SessionGroup, SignInGroup, UsersGroup } from "#engine/api/groups/people.ts"
import { ReplaysGroup } from "#engine/api/groups/replays.ts"
import { StructureGroup } from "#engine/api/groups/structure.ts"
import { SubscribersGroup } from "#engine/api/groups/subscribers.ts"
import { TopologyProposalsGroup } from "#engine/api/groups/topology-proposals.ts"
import { WhatIfGroup } from "#engine/api/groups/what-if.ts"
import { KeysGroup, TokensGroup } from "#engine/api/groups/programs.ts"
import { SettingsGroup, TenantsGroup } from "#engine/api/groups/tenancy.ts"

export class Api extends HttpApi.make("heliograph")
  .add(SignInGroup)
  .add(SessionGroup)
  .add(AccountGroup)
  .add(UsersGroup)
  .add(RolesGroup)
  .add(NetworkGroup)
  .add(PastGroup)
  .add(ReplaysGroup)
  .add(InventoryGroup)
  .add(KeysGroup)
  .add(TokensGroup)
  .add(AuditGroup)
  .add(TenantsGroup)
  .add(SettingsGroup)
  .add(SubscribersGroup)
  .add(AlertRulesGroup)
  .add(AlertsGroup)
  .add(MaintenanceGroup)
  .add(IncidentsGroup)
  .add(WhatIfGroup)
  .add(TopologyProposalsGroup)
  .add(StructureGroup)
  .prefix("/api/v1")
  .middleware(HttpApiMiddleware.ProblemDetails)
  .annotateMerge(
    OpenApi.annotations({
      title: "Heliograph",
      version: "1",
      description:
        "The live twin of one tenant, and what its people declare. Times are Unix milliseconds, identifiers are opaque, a value that nobody measured is null or absent, never zero.",
      license: { name: "Apache-2.0" },
    }),
  ) {}
