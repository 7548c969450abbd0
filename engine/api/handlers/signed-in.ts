/** The middleware behind SignedIn: who asks, may they, and which twin is theirs. No handler runs before it says yes. */
import type { IncomingMessage } from "node:http"
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as Layer from "effect/Layer"
import { ROUTES, type RouteName } from "#engine/access/entries.ts"
import { refusedBy } from "#engine/access/policy.ts"
import type { Principal } from "#engine/access/principal.ts"
import type { ApiDeps } from "#engine/api/deps.ts"
import { overQuota } from "#engine/api/handlers/over-quota.ts"
import { nodeRequest, presented, unavailable } from "#engine/api/handlers/request.ts"
import { Forbidden, NotSignedIn, ServiceUnavailable } from "#engine/api/problems.ts"
import { Caller, SignedIn } from "#engine/api/signed-in.ts"
import type { Actor } from "#engine/audit/act.ts"
import type { QuotaPassed } from "#engine/quota/quotas.ts"
import { makeApiRate } from "#engine/quota/api-rate.ts"
import { sourceAddress } from "#engine/http/origin.ts"
import { siteView } from "#engine/tenant/site-view.ts"

export const signedIn = (deps: ApiDeps) => {
  const rate = makeApiRate(deps.quotas, () => performance.now())
  // What is refused by one way of presenting a credential is tried by the next one: a request counts once all the same.
  const counted = new WeakMap<IncomingMessage, QuotaPassed | null>()
  const admitted = (request: IncomingMessage, { tenant, userId, credential }: Principal): QuotaPassed | null => {
    const known = counted.get(request)
    if (known !== undefined) return known
    const refused = rate.admit(tenant, credential.kind === "apiKey" ? credential.id : userId)
    counted.set(request, refused)
    return refused
  }
  const admit: SignedInCheck = (app, { endpoint, group }) =>
    Effect.gen(function* () {
      const request = yield* HttpServerRequest.HttpServerRequest
      const credential = presented(request, deps)
      if (credential === null) return yield* new NotSignedIn({})
      const principal = yield* deps.doors.admit(credential).pipe(Effect.catchTag("Unavailable", unavailable(deps)))
      if (principal === null) return yield* new NotSignedIn({})
      const tooMany = admitted(nodeRequest(request), principal)
      if (tooMany !== null) return yield* overQuota(tooMany)
      const policy = ROUTES[`${group.identifier}.${endpoint.identifier}` as RouteName]
      const refused = refusedBy(policy, principal)
      if (refused !== null) return yield* new Forbidden({ detail: refused })
      const whole = deps.twins.byTenant(principal.tenant)
      if (whole === null) return yield* new ServiceUnavailable({ detail: "This tenant's twin is not running" })
      const twin = principal.sites === null ? whole : siteView(whole, principal.sites)
      const actor = actorOf(principal, sourceAddress(nodeRequest(request), deps.publicUrl))
      return yield* Effect.provideService(app, Caller, { principal, actor, twin })
    })
  // Both ways of presenting a credential end at the same check: presented() reads whichever is there.
  return Layer.succeed(SignedIn, SignedIn.of({ session: admit, bearer: admit }))
}

type SignedInCheck = (typeof SignedIn)["Service"]["session"]

export const actorOf = (principal: Principal, source: string | null): Actor =>
  principal.credential.kind === "apiKey"
    ? { kind: "apiKey", id: principal.credential.id, name: principal.userName, source }
    : { kind: "user", id: principal.userId, name: principal.userName, source }
