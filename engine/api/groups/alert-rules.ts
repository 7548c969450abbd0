/**
 * The tenant's alert rules: the shipped packs with what the tenant changed, switched off or wrote itself. A rule travels
 * as the JSON of docs/rules.md; its own check (twin/alert/check.ts) names mistakes by path, not this contract.
 */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import { filter, flag, IfMatch, maybe, named, Page, TIME_MAX, wholeBetween, word } from "#engine/api/groups/fields.ts"
import { BadQuery, Changed, NotFound, QuotaExceeded, Refused, ServiceUnavailable } from "#engine/api/problems.ts"
import { RuleInvalid } from "#engine/api/problems.ts"
import { SignedIn } from "#engine/api/signed-in.ts"
import { ALERT_SEVERITIES } from "#protocol/rule.ts"

/** As in docs/rules.md. Answers always hold a whole rule, of which protocol/rule.ts is the type. */
export const RuleBody = named("AlertRule", Schema.Record(Schema.String, Schema.Unknown))
export const RuleId = { id: word(64) }
/** Rules of one request: as many as a tenant may have at all. */
export const RULES_IN_A_REQUEST = 2_000

export const MistakeBody = named(
  "RuleMistake",
  Schema.Struct({
    /** `condition.conditions[1].metric`; "" = the rule as a whole. */
    path: Schema.String,
    problem: Schema.String,
  }),
)
export const RuleRow = named(
  "AlertRuleRow",
  Schema.Struct({
    rule: RuleBody,
    /** Hash of its content. */
    version: Schema.String,
    /** `pack:<id>` = as shipped, `changed` = this tenant's variant of a shipped one, `own` = written here. */
    origin: Schema.String,
    /** Null = as shipped. */
    updatedAtMs: maybe(Schema.Finite),
    updatedBy: maybe(Schema.String),
    /** Alerts of it that you may see. */
    pending: Schema.Finite,
    firing: Schema.Finite,
  }),
)
const Moment = wholeBetween(0, TIME_MAX)
const Rules = Schema.Array(RuleBody).check(Schema.isMaxLength(RULES_IN_A_REQUEST))

export const DryRunBody = named(
  "DryRun",
  Schema.Struct({
    fromMs: Schema.Finite,
    toMs: Schema.Finite,
    /** Inputs of the journal that were folded. */
    inputs: Schema.Finite,
    tookMs: Schema.Finite,
    rules: Schema.Array(
      Schema.Struct({
        id: Schema.String,
        /** How often it began to fire. */
        fired: Schema.Finite,
        /** How often people would have been told: less where it flapped. */
        told: Schema.Finite,
        /** The first ones; `fired` counts all. */
        alerts: Schema.Array(
          Schema.Struct({
            device: Schema.String,
            deviceName: Schema.String,
            entity: Schema.String,
            fromMs: Schema.Finite,
            /** Null = it still fired at the end. */
            toMs: maybe(Schema.Finite),
            severity: Schema.Literals(ALERT_SEVERITIES),
            summary: Schema.String,
          }),
        ),
      }),
    ),
  }),
)

export const RuleImportBody = named(
  "RuleImport",
  Schema.Struct({
    dryRun: Schema.Boolean,
    added: Schema.Array(Schema.String),
    changed: Schema.Array(Schema.String),
    /** With `replace`: own ones that go, and shipped ones that are as shipped again. */
    removed: Schema.Array(Schema.String),
    unchanged: Schema.Finite,
  }),
)

export class AlertRulesGroup extends HttpApiGroup.make("alertRules")
  .add(
    HttpApiEndpoint.get("list", "/alert-rules", {
      query: { ...Page, q: filter(200), enabled: flag },
      success: Schema.Struct({ items: Schema.Array(RuleRow), next: maybe(Schema.String) }),
      error: [BadQuery, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "Every rule of the tenant by id: shipped, changed and own"),
    HttpApiEndpoint.get("packs", "/alert-rules/packs", {
      success: Schema.Struct({
        items: Schema.Array(
          Schema.Struct({ id: Schema.String, name: Schema.String, rules: Schema.Array(Schema.String) }),
        ),
      }),
    }).annotate(OpenApi.Summary, "The rules that Heliograph ships, by pack"),
    HttpApiEndpoint.get("export", "/alert-rules/export", {
      query: { all: flag },
      success: Schema.Struct({ rules: Schema.Array(RuleBody) }),
      error: ServiceUnavailable,
    }).annotate(OpenApi.Summary, "What this tenant wrote and changed, for an import; `all=true` = shipped ones too"),
    HttpApiEndpoint.get("get", "/alert-rules/:id", {
      params: RuleId,
      success: RuleRow,
      error: [NotFound, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "One rule, with its ETag"),
    HttpApiEndpoint.put("put", "/alert-rules/:id", {
      params: RuleId,
      headers: IfMatch,
      payload: RuleBody,
      success: RuleRow,
      error: [RuleInvalid, Refused, Changed, QuotaExceeded, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "Write a rule, or override a shipped one; mistakes are told by path"),
    HttpApiEndpoint.delete("remove", "/alert-rules/:id", {
      params: RuleId,
      headers: IfMatch,
      error: [NotFound, Refused, Changed, ServiceUnavailable],
    }).annotate(
      OpenApi.Summary,
      "Remove an own rule; a changed one is as shipped again, a shipped one is switched off instead",
    ),
    HttpApiEndpoint.post("check", "/alert-rules/check", {
      payload: Schema.Struct({ rule: Schema.Unknown }),
      success: Schema.Struct({
        mistakes: Schema.Array(MistakeBody),
        /** Null = it has mistakes. */
        version: maybe(Schema.String),
      }),
    }).annotate(OpenApi.Summary, "Whether a rule could be stored, and every mistake in it"),
    HttpApiEndpoint.post("import", "/alert-rules/import", {
      payload: Schema.Struct({
        /** `replace`: what the tenant has beyond these is removed. */
        mode: Schema.Literals(["merge", "replace"]),
        rules: Rules,
        dryRun: Schema.Boolean,
      }),
      success: RuleImportBody,
      error: [RuleInvalid, Refused, QuotaExceeded, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "Write many rules at once, all or none"),
    HttpApiEndpoint.post("dryRun", "/alert-rules/dry-run", {
      payload: Schema.Struct({
        /** They replace the tenant's of the same id, or join them. */
        rules: Rules,
        /** Judge by these alone. */
        only: Schema.optionalKey(Schema.Boolean),
        fromMs: Moment,
        toMs: Moment,
        /** Tell of these devices only. */
        devices: Schema.optionalKey(Schema.Array(word(64)).check(Schema.isMaxLength(1_000))),
      }),
      success: DryRunBody,
      error: [RuleInvalid, Refused, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "What would have fired on the stored journal; nobody is told"),
  )
  .middleware(SignedIn) {}
