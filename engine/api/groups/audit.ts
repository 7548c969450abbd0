/** The record of every act: read, proven, exported. */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import { SignedIn } from "#engine/api/signed-in.ts"
import { filter, maybe, named, Page, TIME_MAX, whole, wholeBetween } from "#engine/api/groups/fields.ts"
import { BadQuery, QuotaExceeded, ServiceUnavailable } from "#engine/api/problems.ts"
import { pageOf } from "#engine/api/views.ts"

const Change = maybe(Schema.Record(Schema.String, Schema.Unknown))
export const AuditBody = named(
  "AuditEntry",
  Schema.Struct({
    seq: Schema.Finite,
    atMs: Schema.Finite,
    actor: Schema.Struct({
      kind: Schema.Literals(["user", "apiKey", "local", "system"]),
      id: Schema.String,
      name: Schema.String,
      source: maybe(Schema.String),
    }),
    action: Schema.String,
    object: Schema.Struct({ kind: Schema.String, id: Schema.String, name: Schema.String }),
    before: Change,
    after: Change,
    reason: maybe(Schema.String),
    /** Hex. */
    hash: Schema.String,
  }),
)
const Range = { from: whole(0, TIME_MAX), to: whole(0, TIME_MAX) }

export class AuditGroup extends HttpApiGroup.make("audit")
  .add(
    HttpApiEndpoint.get("list", "/audit", {
      query: { ...Page, ...Range, actor: filter(200), action: filter(64), object: filter(200) },
      success: pageOf(AuditBody),
      error: [BadQuery, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "Newest first"),
    HttpApiEndpoint.get("verify", "/audit/verify", {
      success: Schema.Struct({
        rows: Schema.Finite,
        intact: Schema.Boolean,
        /** The first row that does not fit; null = none. */
        brokenAtSeq: maybe(Schema.Finite),
        problem: maybe(Schema.String),
        head: maybe(Schema.Struct({ seq: Schema.Finite, hash: Schema.String })),
      }),
      error: ServiceUnavailable,
    }).annotate(OpenApi.Summary, "Recomputes the hash chain and compares it with the anchors outside the database"),
    HttpApiEndpoint.post("export", "/audit/export", {
      payload: Schema.Struct({
        fromMs: Schema.optionalKey(wholeBetween(0, TIME_MAX)),
        toMs: Schema.optionalKey(wholeBetween(0, TIME_MAX)),
      }),
      success: Schema.Struct({
        /** One JSON object a line. */
        lines: Schema.String,
        rows: Schema.Finite,
        /** Ed25519 over SHA-256 of `lines`, base64url; the public key stands in `heliograph audit key`. */
        signature: Schema.String,
        keyId: Schema.String,
      }),
      error: [QuotaExceeded, BadQuery, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "A signed copy; the export itself is an act"),
  )
  .middleware(SignedIn) {}
