/** Changing what the tenant declares: sites, devices, links, credentials; documents in and out. */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import { SignedIn } from "#engine/api/signed-in.ts"
import { flag, Id, IfMatch, Idempotent, maybe, name, named, wholeBetween, word } from "#engine/api/groups/fields.ts"
import {
  Changed,
  Conflict,
  ImportInvalid,
  NotFound,
  QuotaExceeded,
  Refused,
  ServiceUnavailable,
} from "#engine/api/problems.ts"
import { SiteRow } from "#engine/api/views.ts"
import { ROLES } from "#protocol/role.ts"

const Latitude = Schema.Finite.check(Schema.isBetween({ minimum: -90, maximum: 90 }))
const Longitude = Schema.Finite.check(Schema.isBetween({ minimum: -180, maximum: 180 }))
const Roles = Schema.Array(Schema.Literals(ROLES)).check(Schema.isMinLength(1))
const End = Schema.Struct({ device: word(64), interface: name(200) })

/** What is declared of a device; what is known of it is GET /devices/:id. */
export const DeclaredDevice = named(
  "DeclaredDevice",
  Schema.Struct({
    id: Schema.String,
    name: Schema.String,
    address: Schema.String,
    site: Schema.String,
    roles: Schema.Array(Schema.String),
    pollSeconds: Schema.Finite,
    /** Seconds between pings; 0 = never, null = by role. */
    pingSeconds: maybe(Schema.Finite),
    /** Credentials that are set; they are never read back. */
    credentials: Schema.Array(Schema.Literals(["snmp", "routeros"])),
  }),
)
export const DeclaredLink = named(
  "DeclaredLink",
  Schema.Struct({ id: Schema.String, a: End, b: End, capacityBps: maybe(Schema.Finite) }),
)
const DeviceFields = {
  name: name(200),
  /** IPv4 or IPv6, never a host name. */
  address: name(64),
  site: name(200),
  roles: Roles,
  pollSeconds: wholeBetween(1, 3600),
  pingSeconds: Schema.NullOr(wholeBetween(0, 60)),
}
const optionalOf = <F extends Schema.Struct.Fields>(fields: F) =>
  Object.fromEntries(Object.entries(fields).map(([key, field]) => [key, Schema.optionalKey(field)])) as {
    readonly [K in keyof F]: Schema.optionalKey<F[K]>
  }

const CountBody = Schema.Struct({
  added: Schema.Finite,
  updated: Schema.Finite,
  unchanged: Schema.Finite,
  removed: Schema.Finite,
})
export const ImportReportBody = named(
  "ImportReport",
  Schema.Struct({
    rev: Schema.Finite,
    dryRun: Schema.Boolean,
    sites: CountBody,
    devices: CountBody,
    links: CountBody,
    /** Groups, providers and services, where the document names any. */
    structure: Schema.optionalKey(CountBody),
    /** Names, at most 200 of each. */
    preview: Schema.Struct({
      added: Schema.Array(Schema.String),
      updated: Schema.Array(Schema.String),
      removed: Schema.Array(Schema.String),
    }),
  }),
)

export class InventoryGroup extends HttpApiGroup.make("inventory")
  .add(
    HttpApiEndpoint.get("site", "/sites/:id", {
      params: { id: word(200) },
      success: SiteRow,
      error: [NotFound, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "One site, with its ETag"),
    HttpApiEndpoint.put("putSite", "/sites/:id", {
      params: { id: word(200) },
      headers: IfMatch,
      payload: Schema.Struct({ name: name(200), latitude: Latitude, longitude: Longitude }),
      success: SiteRow,
      error: [Refused, Changed, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "Make or change a site"),
    HttpApiEndpoint.delete("removeSite", "/sites/:id", {
      params: { id: word(200) },
      success: HttpApiSchema.NoContent,
      error: [NotFound, Conflict, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "Only when no device stands there"),
    HttpApiEndpoint.get("declaredDevice", "/devices/:id/declared", {
      params: Id,
      success: DeclaredDevice,
      error: [NotFound, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "What is declared of a device, with its ETag"),
    HttpApiEndpoint.post("createDevice", "/devices", {
      headers: Idempotent,
      payload: Schema.Struct(DeviceFields),
      success: DeclaredDevice,
      error: [Refused, Conflict, QuotaExceeded, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "Declare a device; polling begins when it has a credential"),
    HttpApiEndpoint.patch("updateDevice", "/devices/:id", {
      params: Id,
      headers: IfMatch,
      payload: Schema.Struct(optionalOf(DeviceFields)),
      success: DeclaredDevice,
      error: [NotFound, Refused, Conflict, Changed, ServiceUnavailable],
    }).annotate(
      OpenApi.Summary,
      "Change what is declared of a device; its address only with credentials.manage when it has credentials",
    ),
    HttpApiEndpoint.delete("removeDevice", "/devices/:id", {
      params: Id,
      success: HttpApiSchema.NoContent,
      error: [NotFound, Conflict, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "Its links go with it"),
    HttpApiEndpoint.put("putCredential", "/devices/:id/credentials/:kind", {
      params: { id: word(64), kind: Schema.Literals(["snmp", "routeros"]) },
      /** As in an import document (engine/import/schema.json): one, or for snmp a list that is tried in its order. Write-only. */
      payload: Schema.Union([
        Schema.Array(Schema.Record(Schema.String, Schema.Unknown)),
        Schema.Record(Schema.String, Schema.Unknown),
      ]),
      success: HttpApiSchema.NoContent,
      error: [NotFound, Refused, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "Set a credential, as in an import document; it is never read back"),
    HttpApiEndpoint.delete("removeCredential", "/devices/:id/credentials/:kind", {
      params: { id: word(64), kind: Schema.Literals(["snmp", "routeros"]) },
      success: HttpApiSchema.NoContent,
      error: [NotFound, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "Forget a credential"),
    HttpApiEndpoint.post("createLink", "/links", {
      headers: Idempotent,
      payload: Schema.Struct({ a: End, b: End, capacityBps: Schema.NullOr(Schema.Finite) }),
      success: DeclaredLink,
      error: [Refused, Conflict, QuotaExceeded, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "Declare a link between two interfaces"),
    HttpApiEndpoint.patch("updateLink", "/links/:id", {
      params: Id,
      headers: IfMatch,
      payload: Schema.Struct({ capacityBps: Schema.NullOr(Schema.Finite) }),
      success: DeclaredLink,
      error: [NotFound, Refused, Changed, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "Change a link's capacity; null = the slower end's speed counts"),
    HttpApiEndpoint.delete("removeLink", "/links/:id", {
      params: Id,
      success: HttpApiSchema.NoContent,
      error: [NotFound, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "Remove a link"),
    HttpApiEndpoint.post("import", "/imports", {
      query: { dryRun: flag, replace: flag, format: Schema.optionalKey(Schema.Literals(["json", "csv", "graphml"])) },
      headers: Idempotent,
      /** The document as text: JSON by engine/import/schema.json, CSV of devices, or GraphML. */
      payload: Schema.Struct({ document: Schema.String }),
      success: ImportReportBody,
      error: [ImportInvalid, Refused, Conflict, QuotaExceeded, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "`dryRun=true` previews; mistakes are told by line"),
    HttpApiEndpoint.get("export", "/export", {
      success: Schema.Struct({ document: Schema.String }),
      error: [QuotaExceeded, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "The inventory as an import document, without credentials"),
  )
  .middleware(SignedIn) {}
