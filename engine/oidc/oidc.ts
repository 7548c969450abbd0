/**
 * Signing in by an OpenID issuer, as the browser walks it: GET /oidc/start sends it to the issuer, GET /oidc/callback
 * takes it back, opens a session and goes on to the first screen. What goes wrong is told there by `/?signin=...`, in no
 * more words than a stranger may know; the log has the reason.
 *
 *   away     the issuer does not answer: administrators may sign in by password (break glass)
 *   again    this browser has no sign-in under way (too old, finished before, or the engine was restarted)
 *   failed   what came back proves nothing
 *   refused  the issuer vouches for this person, and they have no role here, or are disabled
 */
import type { IncomingMessage, ServerResponse } from "node:http"
import * as Effect from "effect/Effect"
import type { Unavailable } from "#engine/api/ports.ts"
import { answerProblem, PROBLEMS } from "#engine/http/answer.ts"
import { sessionCookie } from "#engine/http/cookie.ts"
import { sourceAddress } from "#engine/http/origin.ts"
import type { Log } from "#engine/log.ts"
import { enterByIssuer } from "#engine/oidc/account.ts"
import { identityOf } from "#engine/oidc/claims.ts"
import { makeFlowCookies, type FlowCookies } from "#engine/oidc/flow-cookie.ts"
import { IssuerAway, makeRelyingParty, type RelyingParty } from "#engine/oidc/relying-party.ts"
import type { OidcSettings } from "#engine/oidc/settings.ts"
import type { PeopleEnvironment } from "#engine/people/environment.ts"

export interface OidcDeps {
  readonly settings: OidcSettings
  readonly people: PeopleEnvironment
  readonly log: Log
  readonly publicUrl: string | null
  /** Browsers reach us by https. */
  readonly https: boolean
}

/** Handlers for engine/http/server.ts. */
export interface Oidc {
  readonly start: (request: IncomingMessage, response: ServerResponse) => Promise<void>
  readonly callback: (request: IncomingMessage, response: ServerResponse) => Promise<void>
}

type Outcome = "away" | "again" | "failed" | "refused"

/** Exchanges with the issuer at once; one more is told to come again, so that visits cannot pile up requests. */
const EXCHANGES_MAX = 50

interface Parts extends OidcDeps {
  readonly party: RelyingParty
  readonly flows: FlowCookies
}

export const makeOidc = (deps: OidcDeps): Oidc => {
  const { nowMs } = deps.people
  const flows = makeFlowCookies(deps.https, nowMs)
  const parts: Parts = { ...deps, flows, party: makeRelyingParty(deps.settings, nowMs) }
  let running = 0
  const bounded =
    (handle: (parts: Parts, request: IncomingMessage, response: ServerResponse) => Promise<void>) =>
    async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
      if (request.method !== "GET") return answerProblem(response, PROBLEMS.wrongMethod)
      if (running >= EXCHANGES_MAX) return answerProblem(response, PROBLEMS.unavailable)
      running += 1
      try {
        await handle(parts, request, response)
      } finally {
        running -= 1
      }
    }
  return { start: bounded(start), callback: bounded(callback) }
}

const start = async (
  { party, flows, log, publicUrl }: Parts,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> => {
  const { flow, setCookie } = flows.begin()
  try {
    const url = await party.authorizationUrl(flow)
    redirect(response, url.href, [setCookie])
  } catch (error) {
    redirect(response, told(log, error, sourceAddress(request, publicUrl)), [])
  }
}

const callback = async (parts: Parts, request: IncomingMessage, response: ServerResponse): Promise<void> => {
  const { party, flows, people, log, settings, https, publicUrl } = parts
  const source = sourceAddress(request, publicUrl)
  const flow = flows.finish(request.headers.cookie)
  if (flow === null) return redirect(response, screen("again"), [flows.cleared])
  const query = /\?[^#]*/.exec(request.url ?? "")?.[0] ?? ""
  try {
    const claims = await party.claims(flow, query)
    const entered = await Effect.runPromise(
      enterByIssuer(people, identityOf(claims, settings), source).pipe(
        Effect.catchTag("Unavailable", (error: Unavailable) => Effect.succeed({ kind: "unavailable", error } as const)),
      ),
    )
    if (entered.kind === "unavailable") {
      log.warn("a sign-in by the issuer found something away", { detail: entered.error.detail })
      return answerProblem(response, PROBLEMS.unavailable)
    }
    if (entered.kind === "denied") {
      log.warn("sign-in by the issuer refused", { why: entered.why, subject: claims.sub, source })
      return redirect(response, screen("refused"), [flows.cleared])
    }
    const { token, user } = entered.session
    log.info("signed in by the issuer", { user: user.name, source })
    redirect(response, "/", [flows.cleared, sessionCookie(token, people.sessionHours * 3600, https)])
  } catch (error) {
    redirect(response, told(log, error, source), [flows.cleared])
  }
}

/** Logs why, and says where the browser goes. What is no error of the protocol is a defect and goes on up. */
const told = (log: Log, error: unknown, source: string): string => {
  if (typeof error !== "object" || error === null || !("_tag" in error) || !("detail" in error)) throw error
  const outcome: Outcome = error instanceof IssuerAway ? "away" : "failed"
  const message = outcome === "away" ? "the OpenID issuer is away" : "a sign-in by the issuer proves nothing"
  log.warn(message, { detail: error.detail, source })
  return screen(outcome)
}

const screen = (outcome: Outcome): string => `/?signin=${outcome}`

const redirect = (response: ServerResponse, location: string, cookies: readonly string[]): void => {
  if (cookies.length > 0) response.setHeader("Set-Cookie", [...cookies])
  response.writeHead(302, { Location: location, "Content-Length": 0 })
  response.end()
}
