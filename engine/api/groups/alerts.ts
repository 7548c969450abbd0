/**
 * What fires now and why: read from the caller's own judgement. Whoever is bound to sites sees the alerts of the devices
 * that stand there and no others; an id of another device answers 404.
 */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import { filter, flag, maybe, name, named, Page, wholeBetween, word } from "#engine/api/groups/fields.ts"
import { BadQuery, NotFound, Refused, ServiceUnavailable } from "#engine/api/problems.ts"
import { SignedIn } from "#engine/api/signed-in.ts"
import { ALERT_STATES, HELD_BACK_BY } from "#protocol/alert.ts"
import { ALERT_SEVERITIES, OPERATORS } from "#protocol/rule.ts"

const Severity = Schema.Literals(ALERT_SEVERITIES)
const State = Schema.Literals(ALERT_STATES)
/** alertId() of protocol/alert.ts: device, rule and entity, each escaped. */
const AlertId = { id: word(1_024) }
/** Longest acknowledgement and mute: a week. */
const MINUTES_MAX = 10_080

const HeldBack = named(
  "HeldBack",
  Schema.Struct({ by: Schema.Literals(HELD_BACK_BY), reason: Schema.String, untilMs: maybe(Schema.Finite) }),
)
export const AlertBody = named(
  "Alert",
  Schema.Struct({
    id: Schema.String,
    rule: Schema.String,
    ruleName: Schema.String,
    /** Hash of the rule's content. */
    version: Schema.String,
    device: Schema.String,
    deviceName: Schema.String,
    site: Schema.String,
    /** "" = the device itself. */
    entity: Schema.String,
    state: State,
    severity: Severity,
    sinceMs: Schema.Finite,
    /** When it last began to fire; null = it has not. */
    firedMs: maybe(Schema.Finite),
    /** Newest evidence, for or against. */
    knownMs: Schema.Finite,
    flapping: Schema.Boolean,
    ack: maybe(Schema.Struct({ by: Schema.String, atMs: Schema.Finite, untilMs: Schema.Finite })),
    heldBack: maybe(HeldBack),
    summary: Schema.String,
    runbook: Schema.String,
  }),
)
export const AlertCounts = named(
  "AlertCounts",
  Schema.Struct({
    pending: Schema.Finite,
    /** `recovering` fires still. */
    firing: Schema.Finite,
    critical: Schema.Finite,
    warn: Schema.Finite,
    info: Schema.Finite,
    acknowledged: Schema.Finite,
    heldBack: Schema.Finite,
  }),
)

export interface ObservationView {
  readonly type: string
  readonly truth: "true" | "false" | "unknown"
  readonly metric?: string
  readonly unit?: string
  readonly value?: number | null
  readonly operator?: (typeof OPERATORS)[number]
  readonly threshold?: number | null
  readonly text: string
  readonly samples?: ReadonlyArray<readonly [number, number]>
  readonly parts?: readonly ObservationView[]
}
/** What a condition saw; one that holds others says theirs in `parts`. */
const Observation: Schema.Codec<ObservationView> = named(
  "Observation",
  Schema.Struct({
    type: Schema.String,
    truth: Schema.Literals(["true", "false", "unknown"]),
    metric: Schema.optionalKey(Schema.String),
    unit: Schema.optionalKey(Schema.String),
    /** Null = nothing to compare. */
    value: Schema.optionalKey(maybe(Schema.Finite)),
    operator: Schema.optionalKey(Schema.Literals(OPERATORS)),
    threshold: Schema.optionalKey(maybe(Schema.Finite)),
    text: Schema.String,
    /** [atMs, value], ascending, the newest ones. */
    samples: Schema.optionalKey(Schema.Array(Schema.Tuple([Schema.Finite, Schema.Finite]))),
    parts: Schema.optionalKey(Schema.Array(Schema.suspend((): Schema.Codec<ObservationView> => Observation))),
  }),
)
export const ExplanationBody = named(
  "Explanation",
  Schema.Struct({
    atMs: Schema.Finite,
    rule: Schema.String,
    version: Schema.String,
    name: Schema.String,
    device: Schema.String,
    entity: Schema.String,
    state: State,
    /** Null = it never left ok. */
    sinceMs: maybe(Schema.Finite),
    severity: maybe(Severity),
    forSeconds: Schema.Finite,
    recoverSeconds: Schema.Finite,
    condition: Observation,
    recover: maybe(Observation),
    /** Why this rule, and not another of its name. */
    scope: Schema.String,
    heldBack: maybe(HeldBack),
    summary: Schema.String,
    /** One sentence: why it is in this state. */
    because: Schema.String,
    runbook: Schema.String,
  }),
)
const gone = [NotFound, ServiceUnavailable] as const

export class AlertsGroup extends HttpApiGroup.make("alerts")
  .add(
    HttpApiEndpoint.get("list", "/alerts", {
      query: {
        ...Page,
        state: Schema.optionalKey(State),
        severity: Schema.optionalKey(Severity),
        device: filter(64),
        rule: filter(64),
        site: filter(200),
        heldBack: flag,
        q: filter(200),
      },
      success: Schema.Struct({
        items: Schema.Array(AlertBody),
        next: maybe(Schema.String),
        /** Of all that you may see, whatever the filters. */
        counts: AlertCounts,
      }),
      error: [BadQuery, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "Every alert that is not ok, most severe and newest first"),
    HttpApiEndpoint.get("get", "/alerts/:id", { params: AlertId, success: AlertBody, error: gone }).annotate(
      OpenApi.Summary,
      "One alert, while it is not ok",
    ),
    HttpApiEndpoint.get("explain", "/alerts/:id/explain", {
      params: AlertId,
      success: Schema.Struct({
        /** Null = the rule is not judged there; `reason` says why. */
        explanation: maybe(ExplanationBody),
        reason: maybe(Schema.String),
      }),
      error: gone,
    }).annotate(OpenApi.Summary, "Why it fires, why it does not, or why nobody is told; also of what is ok"),
    HttpApiEndpoint.get("receipt", "/alerts/:id/receipt", {
      params: AlertId,
      /** For `heliograph verify-receipt`: docs/rules.md. */
      success: named("DecisionReceipt", Schema.Record(Schema.String, Schema.Unknown)),
      error: gone,
    }).annotate(OpenApi.Summary, "The decision with all that it was made from, to be re-checked elsewhere"),
    HttpApiEndpoint.put("acknowledge", "/alerts/:id/ack", {
      params: AlertId,
      /** Default 240. */
      payload: Schema.Struct({ minutes: Schema.optionalKey(wholeBetween(1, MINUTES_MAX)) }),
      success: AlertBody,
      error: [NotFound, Refused, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "Silent until it expires; then it is told once more"),
    HttpApiEndpoint.delete("withdraw", "/alerts/:id/ack", {
      params: AlertId,
      success: HttpApiSchema.NoContent,
      error: [NotFound, Refused, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "Take an acknowledgement back"),
    HttpApiEndpoint.put("mute", "/alerts/:id/mute", {
      params: AlertId,
      payload: Schema.Struct({ minutes: wholeBetween(1, MINUTES_MAX), note: name(500) }),
      success: Schema.Struct({
        /** Of the mute: GET /maintenance/:id. */
        window: Schema.String,
        untilMs: Schema.Finite,
      }),
      error: [NotFound, Refused, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "Silence this rule on this entity for a while, also when it comes anew"),
    HttpApiEndpoint.delete("unmute", "/alerts/:id/mute", {
      params: AlertId,
      success: HttpApiSchema.NoContent,
      error: [NotFound, Refused, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "End every mute of this rule on this entity"),
  )
  .middleware(SignedIn) {}
