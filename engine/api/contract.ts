/**
 * The REST API, version 1, as one HttpApi: the server implements it; the OpenAPI file and the client's and the command
 * line's types are generated from it. The groups stand in groups/, one subject each; who may call what stands in
 * engine/access/entries.ts. A caller belongs to one tenant, and ids of other tenants answer 404 like ids that never were.
 */
import * as HttpApi from "effect/http-api/HttpApi"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import { filter, Id, Page, TIME_MAX, whole, word } from "#engine/api/groups/fields.ts"
import { SessionGroup, SignInGroup } from "#engine/api/groups/people.ts"
import { BadQuery, NotFound, ServiceUnavailable } from "#engine/api/problems.ts"
import { SignedIn } from "#engine/api/signed-in.ts"
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
import { HEALTH } from "#protocol/status.ts"
import { ROLES } from "#protocol/role.ts"

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
