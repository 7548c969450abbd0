/**
 * What each endpoint of contract.ts does: thin translations from the tenant's live twin and from the reading ports.
 * A handler sees one Caller with one twin; it has no way to reach another tenant.
 */
import * as Effect from "effect/Effect"
import * as HttpEffect from "effect/http/HttpEffect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type { IncomingMessage } from "node:http"
import { Api, Caller, SignedIn } from "#engine/api/contract.ts"
import { deviceNames, devicePage, linkPage, PAGE_DEFAULT, readCursor, sitePage } from "#engine/api/lists.ts"
import { makeLoginGuard } from "#engine/api/login-guard.ts"
import type { Accounts, EventReader, HistoryReader, Twins, Unavailable } from "#engine/api/ports.ts"
import {
  BadQuery,
  NotFound,
  NotSignedIn,
  ServiceUnavailable,
  TooManyAttempts,
  WrongCredentials,
} from "#engine/api/problems.ts"
import { cookieName, readCookie, sessionCookie } from "#engine/http/cookie.ts"
import { sourceAddress } from "#engine/http/origin.ts"
import type { Log } from "#engine/log.ts"
import type { LiveTwin } from "#engine/tenant/live-twin.ts"
import { metricByName } from "#protocol/metric.ts"

export interface ApiDeps {
  readonly accounts: Accounts
  readonly twins: Twins
  readonly history: HistoryReader
  readonly events: EventReader
  readonly log: Log
  readonly version: string
  /** As browsers see it, when a proxy stands between. */
  readonly publicUrl: string | null
  readonly sessionHours: number
  /** A session was ended: its streams must close. */
  readonly signedOut: (sessionId: string) => void
  readonly nowMs: () => number
}

/** The routes of the API for an HttpRouter. */
export const apiLayer = (deps: ApiDeps) =>
  HttpApiBuilder.layer(Api).pipe(
    Layer.provide([signIn(deps), session(deps), network(deps), past(deps)]),
    Layer.provide([signedIn(deps), HttpApiMiddleware.layerProblemDetails({ includeDetails: true })]),
  )

const HISTORY_DEFAULT_MS = 3_600_000
const HISTORY_POINTS = 600

const isHttps = (deps: ApiDeps): boolean => deps.publicUrl?.startsWith("https:") === true

const unavailable = (deps: ApiDeps) => (error: Unavailable) => {
  deps.log.warn("a request found something away", { detail: error.detail })
  return Effect.fail(new ServiceUnavailable({}))
}

/** The raw request: Effect's own keeps it as `source`. */
const nodeRequest = (request: HttpServerRequest.HttpServerRequest): IncomingMessage => request.source as IncomingMessage

const sessionToken = (request: HttpServerRequest.HttpServerRequest, deps: ApiDeps): string | null =>
  readCookie(nodeRequest(request).headers.cookie, cookieName(isHttps(deps)))

const signedIn = (deps: ApiDeps) =>
  Layer.succeed(
    SignedIn,
    SignedIn.of({
      session: (app) =>
        Effect.gen(function* () {
          const token = sessionToken(yield* HttpServerRequest.HttpServerRequest, deps)
          if (token === null) return yield* new NotSignedIn({})
          const found = yield* deps.accounts.findSession(token).pipe(Effect.catchTag("Unavailable", unavailable(deps)))
          if (found === null) return yield* new NotSignedIn({})
          const twin = deps.twins.byTenant(found.user.tenant)
          if (twin === null) return yield* new ServiceUnavailable({ detail: "This tenant's twin is not running" })
          return yield* Effect.provideService(app, Caller, { session: found, twin })
        }),
    }),
  )

const signIn = (deps: ApiDeps) => {
  const guard = makeLoginGuard()
  return HttpApiBuilder.group(Api, "signIn", (handlers) =>
    handlers.handle("create", ({ payload, request }) =>
      Effect.gen(function* () {
        const source = sourceAddress(nodeRequest(request), deps.publicUrl)
        const admitted = guard.admit(source, payload.user, performance.now())
        if (!admitted.ok) {
          const retryAfterS = Math.ceil(admitted.retryAfterMs / 1000)
          yield* setHeader("retry-after", String(retryAfterS))
          return yield* new TooManyAttempts({ retryAfterS })
        }
        const user = yield* deps.accounts.verifyPassword(payload.user, Redacted.make(payload.password)).pipe(
          Effect.tap((found) => Effect.sync(() => admitted.done(found === null ? "wrong" : "right"))),
          Effect.ensuring(Effect.sync(() => admitted.done("unchecked"))),
          Effect.catchTag("Unavailable", unavailable(deps)),
        )
        if (user === null) {
          deps.log.warn("sign-in refused", { user: payload.user, source })
          return yield* new WrongCredentials({})
        }
        const opened = yield* deps.accounts
          .createSession(user, deps.nowMs() + deps.sessionHours * 3_600_000)
          .pipe(Effect.catchTag("Unavailable", unavailable(deps)))
        deps.log.info("signed in", { user: user.name, source })
        yield* setHeader("set-cookie", sessionCookie(opened.token, deps.sessionHours * 3600, isHttps(deps)))
      }),
    ),
  )
}

const setHeader = (name: string, value: string) =>
  HttpEffect.appendPreResponseHandler((_, response) =>
    Effect.succeed(HttpServerResponse.setHeader(response, name, value)),
  )

const session = (deps: ApiDeps) =>
  HttpApiBuilder.group(Api, "session", (handlers) =>
    handlers
      .handle("get", () =>
        Effect.map(Caller, ({ session, twin }) => ({
          user: { id: session.user.id, name: session.user.name },
          tenant: tenantBody(twin),
          expiresAtMs: session.expiresAtMs,
        })),
      )
      .handle("remove", ({ request }) =>
        Effect.gen(function* () {
          const caller = yield* Caller
          const token = sessionToken(request, deps)
          if (token !== null)
            yield* deps.accounts.deleteSession(token).pipe(Effect.catchTag("Unavailable", unavailable(deps)))
          deps.signedOut(caller.session.id)
          yield* setHeader("set-cookie", sessionCookie("", 0, isHttps(deps)))
        }),
      ),
  )

const network = (deps: ApiDeps) =>
  HttpApiBuilder.group(Api, "network", (handlers) =>
    handlers
      .handle("devices", ({ query }) => withCursor(query.cursor, (twin, after) => devicePage(twin, query, after)))
      .handle("links", ({ query }) => withCursor(query.cursor, (twin, after) => linkPage(twin, query, after)))
      .handle("sites", ({ query }) => withCursor(query.cursor, (twin, after) => sitePage(twin, query, after)))
      .handle("device", ({ params }) =>
        Effect.flatMap(Caller, ({ twin }) => {
          const view = twin.view({ kind: "device", id: params.id })
          return view?.kind === "device" ? Effect.succeed(view) : Effect.fail(new NotFound({}))
        }),
      )
      .handle("link", ({ params }) =>
        Effect.flatMap(Caller, ({ twin }) => {
          const view = twin.view({ kind: "link", id: params.id })
          return view?.kind === "link" ? Effect.succeed(view) : Effect.fail(new NotFound({}))
        }),
      )
      .handle("status", () =>
        Effect.map(Caller, ({ twin }) => ({
          version: deps.version,
          uptimeS: Math.floor(process.uptime()),
          atMs: deps.nowMs(),
          tenant: tenantBody(twin),
          epoch: twin.epoch(),
          seq: twin.seq(),
          counts: twin.counts(),
        })),
      ),
  )

const past = (deps: ApiDeps) =>
  HttpApiBuilder.group(Api, "past", (handlers) =>
    handlers
      .handle("history", ({ query }) =>
        Effect.gen(function* () {
          const { twin } = yield* Caller
          const toMs = query.to ?? deps.nowMs()
          const fromMs = query.from ?? toMs - HISTORY_DEFAULT_MS
          if (fromMs >= toMs) return yield* new BadQuery({ detail: "`from` must be before `to`" })
          if (metricByName(query.metric) === null)
            return yield* new BadQuery({ detail: "`metric` is not in the registry" })
          if (!deviceNames(twin.inventory()).has(query.device)) return yield* new NotFound({})
          const asked = { device: query.device, entity: query.entity ?? "", metric: query.metric }
          const series = yield* deps.history
            .read(twin.tenant.id, { ...asked, fromMs, toMs, pointsMax: query.points ?? HISTORY_POINTS })
            .pipe(Effect.catchTag("Unavailable", unavailable(deps)))
          if (series === null) return yield* new NotFound({})
          return { ...asked, ...series }
        }),
      )
      .handle("events", ({ query }) =>
        Effect.gen(function* () {
          const { twin } = yield* Caller
          const before = readCursor(query.cursor)
          if (before === null) return yield* new BadQuery({ detail: "`cursor` is not one that this API gave out" })
          const limit = query.limit ?? PAGE_DEFAULT
          const items = yield* deps.events
            .page(twin.tenant.id, {
              subject: query.subject ?? null,
              type: query.type ?? null,
              fromMs: query.from ?? null,
              toMs: query.to ?? null,
              before: before ?? null,
              limit,
            })
            .pipe(Effect.catchTag("Unavailable", unavailable(deps)))
          const last = items.at(-1)
          return {
            items,
            next: last === undefined || items.length < limit ? null : Buffer.from(last.id).toString("base64url"),
          }
        }),
      ),
  )

const tenantBody = ({ tenant }: LiveTwin) => ({
  id: tenant.id as string,
  slug: tenant.slug,
  name: tenant.name,
  demo: tenant.demo,
})

const withCursor = <A>(cursor: string | undefined, read: (twin: LiveTwin, after: string | undefined) => A) =>
  Effect.flatMap(Caller, ({ twin }) => {
    const after = readCursor(cursor)
    return after === null
      ? Effect.fail(new BadQuery({ detail: "`cursor` is not one that this API gave out" }))
      : Effect.succeed(read(twin, after))
  })
