/** The routes of the API for an HttpRouter: one file of handlers per group, one line here. */
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as Layer from "effect/Layer"
import { Api } from "#engine/api/contract.ts"
import type { ApiDeps } from "#engine/api/deps.ts"
import { account } from "#engine/api/handlers/account.ts"
import { alertRules } from "#engine/api/handlers/alert-rules.ts"
import { alerts } from "#engine/api/handlers/alerts.ts"
import { audit } from "#engine/api/handlers/audit.ts"
import { keys } from "#engine/api/handlers/keys.ts"
import { incidents } from "#engine/api/handlers/incidents.ts"
import { inventory } from "#engine/api/handlers/inventory.ts"
import { maintenance } from "#engine/api/handlers/maintenance.ts"
import { network } from "#engine/api/handlers/network.ts"
import { past } from "#engine/api/handlers/past.ts"
import { replays } from "#engine/api/handlers/replays.ts"
import { roles } from "#engine/api/handlers/roles.ts"
import { session, signIn } from "#engine/api/handlers/sign-in.ts"
import { settings } from "#engine/api/handlers/settings.ts"
import { signedIn } from "#engine/api/handlers/signed-in.ts"
import { structure } from "#engine/api/handlers/structure.ts"
import { subscribers } from "#engine/api/handlers/subscribers.ts"
import { tenants } from "#engine/api/handlers/tenants.ts"
import { topologyProposals } from "#engine/api/handlers/topology-proposals.ts"
import { whatIf } from "#engine/api/handlers/what-if.ts"
import { tokens } from "#engine/api/handlers/tokens.ts"
import { users } from "#engine/api/handlers/users.ts"

export const apiLayer = (deps: ApiDeps) =>
  HttpApiBuilder.layer(Api).pipe(
    Layer.provide([signIn(deps), session(deps), network(deps), past(deps), inventory(deps), keys(deps), tokens(deps)]),
    Layer.provide([
      account(deps),
      users(deps),
      roles(deps),
      audit(deps),
      tenants(deps),
      settings(deps),
      subscribers(deps),
      replays(deps),
    ]),
    Layer.provide([alertRules(deps), alerts(deps), maintenance(deps), incidents(deps)]),
    Layer.provide([whatIf(deps), topologyProposals(deps), structure(deps)]),
    Layer.provide([signedIn(deps), HttpApiMiddleware.layerProblemDetails({ includeDetails: true })]),
  )
