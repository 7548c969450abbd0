/** The middleware of every group that needs somebody to be signed in, and what it gives its handlers. */
import * as Context from "effect/Context"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as HttpApiSecurity from "effect/http-api/HttpApiSecurity"
import type { Principal } from "#engine/access/principal.ts"
import { Forbidden, NotSignedIn, QuotaExceeded, ServiceUnavailable } from "#engine/api/problems.ts"
import type { Actor } from "#engine/audit/act.ts"
import type { LiveTwin } from "#engine/tenant/live-twin.ts"

/** Behind https the browser keeps it under `__Host-heliograph_session`. */
export const SESSION_COOKIE = "heliograph_session"

/** Who asks, and the one twin that they may see. Their permission for this very endpoint was checked already. */
export class Caller extends Context.Service<
  Caller,
  {
    readonly principal: Principal
    /** Who stands in the audit. */
    readonly actor: Actor
    readonly twin: LiveTwin
  }
>()("heliograph/Caller") {}

export class SignedIn extends HttpApiMiddleware.Service<SignedIn, { provides: Caller }>()("heliograph/SignedIn", {
  error: [NotSignedIn, Forbidden, QuotaExceeded, ServiceUnavailable],
  security: {
    session: HttpApiSecurity.apiKey({ key: SESSION_COOKIE, in: "cookie" }),
    bearer: HttpApiSecurity.bearer,
  },
}) {}
