/** Tenants for whoever runs the platform; quotas and settings for each tenant's administrator. */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import { SignedIn } from "#engine/api/signed-in.ts"
import { IfMatch, Idempotent, maybe, name, named, Page, wholeBetween, word } from "#engine/api/groups/fields.ts"
import {
  BadQuery,
  Changed,
  Conflict,
  Forbidden,
  NotFound,
  QuotaExceeded,
  Refused,
  ServiceUnavailable,
} from "#engine/api/problems.ts"
import { pageOf } from "#engine/api/views.ts"
import { TIERS } from "#protocol/quota.ts"

const Tier = Schema.Literals(TIERS)
const Slug = { slug: word(64) }

export const QuotaBody = named(
  "Quota",
  Schema.Struct({
    /** protocol/quota.ts */
    name: Schema.String,
    unit: Schema.String,
    limit: Schema.Finite,
    used: maybe(Schema.Finite),
    /** Where it is enforced: any of U, A, I, E (PRODUCT.md). */
    enforced: Schema.String,
    /** Times that something was refused or held back since the start. */
    exceeded: Schema.Finite,
  }),
)
export const TenantRow = named(
  "TenantRow",
  Schema.Struct({
    id: Schema.String,
    slug: Schema.String,
    name: Schema.String,
    demo: Schema.Boolean,
    tier: Tier,
    suspended: Schema.Boolean,
    createdMs: Schema.Finite,
    /** Counts are null while the tenant's own database is away. */
    devices: maybe(Schema.Finite),
    links: maybe(Schema.Finite),
    users: maybe(Schema.Finite),
    /** It lives in a database of its own. */
    ownDatabase: Schema.Boolean,
  }),
)

export class TenantsGroup extends HttpApiGroup.make("tenants")
  .add(
    HttpApiEndpoint.get("list", "/tenants", {
      query: Page,
      success: pageOf(TenantRow),
      error: [BadQuery, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "Tenants by slug"),
    HttpApiEndpoint.get("get", "/tenants/:slug", {
      params: Slug,
      success: TenantRow,
      error: [NotFound, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "One tenant"),
    HttpApiEndpoint.post("create", "/tenants", {
      headers: Idempotent,
      payload: Schema.Struct({ slug: name(63), name: name(200), tier: Schema.optionalKey(Tier) }),
      /** The token invites the tenant's first administrator. */
      success: Schema.Struct({ tenant: TenantRow, invitationToken: Schema.String }),
      error: [Conflict, Refused, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "A new tenant, running at once, and the invitation of its first administrator"),
    HttpApiEndpoint.patch("update", "/tenants/:slug", {
      params: Slug,
      headers: IfMatch,
      payload: Schema.Struct({
        name: Schema.optionalKey(name(200)),
        tier: Schema.optionalKey(Tier),
        suspended: Schema.optionalKey(Schema.Boolean),
      }),
      success: TenantRow,
      error: [NotFound, Refused, Changed, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "Suspended: nobody of it signs in, nothing of it is polled, nothing is deleted"),
    HttpApiEndpoint.post("offboard", "/tenants/:slug/offboard", {
      params: Slug,
      /** The slug again, typed by a person who means it. */
      payload: Schema.Struct({ confirm: word(64), reason: name(1000) }),
      success: Schema.Struct({ rows: Schema.Record(Schema.String, Schema.Finite) }),
      error: [NotFound, Refused, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "Deletes the tenant and every row, key and byte of it; there is no way back"),
    HttpApiEndpoint.post("enter", "/tenants/:slug/enter", {
      params: Slug,
      payload: Schema.Struct({ reason: name(1000), minutes: wholeBetween(1, 60) }),
      success: HttpApiSchema.NoContent,
      error: [NotFound, Forbidden, ServiceUnavailable],
    }).annotate(
      OpenApi.Summary,
      "Break glass: this session reads that tenant for some minutes; it stands in both tenants' audit",
    ),
    HttpApiEndpoint.get("quotas", "/tenants/:slug/quotas", {
      params: Slug,
      success: Schema.Struct({ tier: Tier, items: Schema.Array(QuotaBody) }),
      error: [NotFound, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "A tenant's limits and how much of each is used"),
    HttpApiEndpoint.put("setQuotas", "/tenants/:slug/quotas", {
      params: Slug,
      /** Only the named ones change; null = the tier's own again. */
      payload: Schema.Record(word(64), Schema.NullOr(Schema.Finite)),
      success: Schema.Struct({ tier: Tier, items: Schema.Array(QuotaBody) }),
      error: [NotFound, Refused, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "Change a tenant's limits"),
  )
  .middleware(SignedIn) {}

/** What a tenant decides for itself. */
export const SettingsBody = named(
  "TenantSettings",
  Schema.Struct({
    /** Days that are kept; within the quota. */
    retentionDays: Schema.Struct({
      samples: wholeBetween(1, 3660),
      events: wholeBetween(1, 3660),
      journal: wholeBetween(1, 3660),
    }),
    /** PRODUCT.md S11: off = only counts of subscribers are ever stored. */
    subscriberIdentities: Schema.Boolean,
    subscriberDays: wholeBetween(7, 30),
    sessionHours: wholeBetween(1, 168),
  }),
)
export class SettingsGroup extends HttpApiGroup.make("settings")
  .add(
    HttpApiEndpoint.get("get", "/settings", { success: SettingsBody, error: ServiceUnavailable }).annotate(
      OpenApi.Summary,
      "What this tenant decides for itself, with its ETag",
    ),
    HttpApiEndpoint.put("put", "/settings", {
      headers: IfMatch,
      payload: SettingsBody,
      success: SettingsBody,
      error: [Refused, Changed, QuotaExceeded, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "Change what this tenant decides for itself"),
    HttpApiEndpoint.get("quotas", "/quotas", {
      success: Schema.Struct({ tier: Tier, items: Schema.Array(QuotaBody) }),
      error: ServiceUnavailable,
    }).annotate(OpenApi.Summary, "The tenant's limits and how much of each is used"),
  )
  .middleware(SignedIn) {}
