/**
 * The REST API, version 1, as one HttpApi: the server implements it, the OpenAPI file and the command line's client are
 * generated from it. Every endpoint but the sign-in needs a session; a session belongs to one tenant, and ids of other
 * tenants answer 404 like ids that never were.
 */
import * as Context from "effect/Context"
import * as HttpApi from "effect/http-api/HttpApi"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as HttpApiSecurity from "effect/http-api/HttpApiSecurity"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import type { Session } from "#engine/api/ports.ts"
import {
  BadQuery,
  NotFound,
  NotSignedIn,
  ServiceUnavailable,
  TooManyAttempts,
  WrongCredentials,
} from "#engine/api/problems.ts"
import {
  CountsBody,
  DeviceBody,
  DeviceRow,
  EventBody,
  HistoryBody,
  LinkBody,
  LinkRow,
  pageOf,
  SiteRow,
  TenantBody,
} from "#engine/api/views.ts"
import type { LiveTwin } from "#engine/tenant/live-twin.ts"
import { HEALTH } from "#protocol/status.ts"
import { ROLES } from "#protocol/role.ts"

/** Behind https the browser keeps it under `__Host-heliograph_session`. */
export const SESSION_COOKIE = "heliograph_session"

/** Who asks, and the one twin that they may see. */
export class Caller extends Context.Service<Caller, { readonly session: Session; readonly twin: LiveTwin }>()(
  "heliograph/Caller",
) {}

export class SignedIn extends HttpApiMiddleware.Service<SignedIn, { provides: Caller }>()("heliograph/SignedIn", {
  error: [NotSignedIn, ServiceUnavailable],
  security: { session: HttpApiSecurity.apiKey({ key: SESSION_COOKIE, in: "cookie" }) },
}) {}

const Id = { id: Schema.String.check(Schema.isMaxLength(64)) }
const whole = (minimum: number, maximum: number) =>
  Schema.optionalKey(Schema.NumberFromString.check(Schema.isInt(), Schema.isBetween({ minimum, maximum })))
const word = (max: number) => Schema.String.check(Schema.isMaxLength(max))
const filter = (max: number) => Schema.optionalKey(word(max))
const TIME_MAX = 8_640_000_000_000_000
const Page = { limit: whole(1, 1000), cursor: filter(128) }

/** Without a session, because it gives one. */
export class SignInGroup extends HttpApiGroup.make("signIn")
  .add(
    HttpApiEndpoint.post("create", "/session", {
      payload: Schema.Struct({ user: word(128), password: word(256) }),
      success: HttpApiSchema.NoContent,
      error: [WrongCredentials, TooManyAttempts, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "Sign in; the answer sets the session cookie"),
  )
  .annotate(OpenApi.Title, "sign-in") {}

export class SessionGroup extends HttpApiGroup.make("session")
  .add(
    HttpApiEndpoint.get("get", "/session", {
      success: Schema.Struct({
        user: Schema.Struct({ id: Schema.String, name: Schema.String }),
        tenant: TenantBody,
        expiresAtMs: Schema.Finite,
      }),
    }).annotate(OpenApi.Summary, "Who is signed in, and where"),
    HttpApiEndpoint.delete("remove", "/session", {
      success: HttpApiSchema.NoContent,
      error: ServiceUnavailable,
    }).annotate(OpenApi.Summary, "Sign out; this session's live streams are closed"),
  )
  .middleware(SignedIn) {}

export class NetworkGroup extends HttpApiGroup.make("network")
  .add(
    HttpApiEndpoint.get("devices", "/devices", {
      query: {
        ...Page,
        q: filter(128),
        site: filter(64),
        role: Schema.optionalKey(Schema.Literals(ROLES)),
        health: Schema.optionalKey(Schema.Literals(HEALTH)),
      },
      success: pageOf(DeviceRow),
      error: BadQuery,
    }).annotate(OpenApi.Summary, "Devices by name; `q` is a part of the name or address"),
    HttpApiEndpoint.get("device", "/devices/:id", { params: Id, success: DeviceBody, error: NotFound }).annotate(
      OpenApi.Summary,
      "All that is known of one device, with sources and ages",
    ),
    HttpApiEndpoint.get("links", "/links", {
      query: { ...Page, device: filter(64), health: Schema.optionalKey(Schema.Literals(HEALTH)) },
      success: pageOf(LinkRow),
      error: BadQuery,
    }).annotate(OpenApi.Summary, "Links, of one device if asked"),
    HttpApiEndpoint.get("link", "/links/:id", { params: Id, success: LinkBody, error: NotFound }).annotate(
      OpenApi.Summary,
      "Both ends of one link",
    ),
    HttpApiEndpoint.get("sites", "/sites", { query: Page, success: pageOf(SiteRow), error: BadQuery }).annotate(
      OpenApi.Summary,
      "Sites by id",
    ),
    HttpApiEndpoint.get("status", "/status", {
      success: Schema.Struct({
        version: Schema.String,
        uptimeS: Schema.Finite,
        atMs: Schema.Finite,
        tenant: TenantBody,
        epoch: Schema.Finite,
        seq: Schema.Finite,
        counts: CountsBody,
      }),
    }).annotate(OpenApi.Summary, "The engine and this tenant's counts"),
  )
  .middleware(SignedIn) {}

export class PastGroup extends HttpApiGroup.make("past")
  .add(
    HttpApiEndpoint.get("history", "/history", {
      query: {
        device: word(64),
        entity: filter(256),
        metric: word(64),
        from: whole(0, TIME_MAX),
        to: whole(0, TIME_MAX),
        points: whole(1, 600),
      },
      success: HistoryBody,
      error: [NotFound, BadQuery, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "A stored series, at most 600 points; the last hour if no time is given"),
    HttpApiEndpoint.get("events", "/events", {
      query: {
        limit: whole(1, 500),
        cursor: filter(128),
        subject: filter(64),
        type: filter(64),
        from: whole(0, TIME_MAX),
        to: whole(0, TIME_MAX),
      },
      success: pageOf(EventBody),
      error: [BadQuery, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "What happened, newest first"),
  )
  .middleware(SignedIn) {}

export class Api extends HttpApi.make("heliograph")
  .add(SignInGroup)
  .add(SessionGroup)
  .add(NetworkGroup)
  .add(PastGroup)
  .prefix("/api/v1")
  .middleware(HttpApiMiddleware.ProblemDetails)
  .annotateMerge(
    OpenApi.annotations({
      title: "Heliograph",
      version: "1",
      description:
        "Read access to the live twin of one tenant. Times are Unix milliseconds, identifiers are opaque, a value that nobody measured is null or absent, never zero.",
      license: { name: "Apache-2.0" },
    }),
  ) {}
