/** What several handlers need of the raw request and of the answer. */
import type { IncomingMessage } from "node:http"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as HttpEffect from "effect/http/HttpEffect"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type { Presented } from "#engine/access/principal.ts"
import type { ApiDeps } from "#engine/api/deps.ts"
import type { Unavailable } from "#engine/api/ports.ts"
import { ServiceUnavailable, TooManyAttempts } from "#engine/api/problems.ts"
import { presentedBy, sessionCookie } from "#engine/http/cookie.ts"
import { isHttps } from "#engine/http/origin.ts"
import type { LiveTwin } from "#engine/tenant/live-twin.ts"

export { isHttps } from "#engine/http/origin.ts"

/** For Effect.catchTag("Unavailable", ...): the log gets why, the caller only 503. */
export const unavailable = (deps: ApiDeps) => (error: Unavailable) => {
  deps.log.warn("a request found something away", { detail: error.detail })
  return Effect.fail(new ServiceUnavailable({}))
}

/** The raw request: Effect's own keeps it as `source`. */
export const nodeRequest = (request: HttpServerRequest.HttpServerRequest): IncomingMessage =>
  request.source as IncomingMessage

export const presented = (request: HttpServerRequest.HttpServerRequest, deps: ApiDeps): Presented | null =>
  presentedBy(nodeRequest(request), isHttps(deps))

export const setHeader = (name: string, value: string) =>
  HttpEffect.appendPreResponseHandler((_, response) =>
    Effect.succeed(HttpServerResponse.setHeader(response, name, value)),
  )

/** Hands an opened session to the browser. */
export const setSessionCookie = (
  { token, expiresAtMs }: { readonly token: string; readonly expiresAtMs: number },
  deps: ApiDeps,
) => setHeader("set-cookie", sessionCookie(token, Math.round((expiresAtMs - deps.nowMs()) / 1000), isHttps(deps)))

/** A refusal that names a time also says it where HTTP clients look (RFC 9110 s10.2.3). */
export const sayWhenToComeBack = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.tapError(effect, (error) =>
    error instanceof TooManyAttempts ? setHeader("retry-after", String(error.retryAfterS)) : Effect.void,
  )

/** What a person or program signs in with, out of the body of either route. */
export const attemptOf = (
  payload: { readonly user: string; readonly password: string; readonly code?: string; readonly tenant?: string },
  source: string,
) => ({
  name: payload.user,
  password: Redacted.make(payload.password),
  code: payload.code ?? null,
  tenant: payload.tenant ?? null,
  source,
})

export const tenantBody = ({ tenant }: LiveTwin) => ({
  id: tenant.id as string,
  slug: tenant.slug,
  name: tenant.name,
  demo: tenant.demo,
})
