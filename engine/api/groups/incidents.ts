/**
 * Incidents: what belongs together under one cause, what it costs, and what people do about it. The shapes are those of
 * protocol/incident.ts. Whoever is bound to sites sees the incidents that touch these, cut to what stands there.
 */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import {
  filter,
  flag,
  Id,
  maybe,
  name,
  named,
  Page,
  TIME_MAX,
  whole,
  wholeBetween,
  word,
} from "#engine/api/groups/fields.ts"
import { BadQuery, NotFound, Refused, ServiceUnavailable } from "#engine/api/problems.ts"
import type { Same } from "#engine/api/same.ts"
import { SignedIn } from "#engine/api/signed-in.ts"
import type { IncidentRow, IncidentView } from "#protocol/incident.ts"
import { FAULT_TYPES, INCIDENT_ACTIONS, INCIDENT_STATES, STANDINGS } from "#protocol/incident.ts"
import { ALERT_SEVERITIES } from "#protocol/rule.ts"

/** Longest acknowledgement: a week. */
const MINUTES_MAX = 10_080
const NOTE_MAX = 2_000
const MEMBERS_MAX = 16

const Member = named(
  "CauseMember",
  Schema.Struct({
    fault: Schema.Literals(FAULT_TYPES),
    kind: Schema.Literals(["device", "link", "site", "srlg", "interface"]),
    id: word(128),
    entity: Schema.optionalKey(word(256)),
    /** As an operator knows it. */
    name: word(256),
  }),
)
const Evidence = named(
  "Evidence",
  Schema.Struct({
    kind: Schema.String,
    standing: Schema.Literals(STANDINGS),
    atMs: maybe(Schema.Finite),
    device: maybe(Schema.String),
    entity: Schema.String,
    text: Schema.String,
  }),
)
const Cause = named(
  "Cause",
  Schema.Struct({
    members: Schema.Array(Member),
    /** Calibrated: docs/rca.md. */
    confidence: Schema.Finite,
    rank: Schema.Literals(["primary", "contributing"]),
    because: Schema.String,
    evidence: Schema.Array(Evidence),
    sinceMs: Schema.Finite,
  }),
)
const Subscribers = maybe(
  Schema.Struct({
    count: Schema.Finite,
    quality: Schema.Literals(["measured", "estimated"]),
    atMs: Schema.Finite,
  }),
)
/** What a row and the whole have in common. */
const COMMON = {
  id: Schema.String,
  title: Schema.String,
  state: Schema.Literals(INCIDENT_STATES),
  severity: Schema.Literals(ALERT_SEVERITIES),
  startsAtMs: Schema.Finite,
  /** When the last alert recovered; null = not yet. */
  endsAtMs: maybe(Schema.Finite),
  updatedAtMs: Schema.Finite,
  alerts: Schema.Finite,
  suppressed: Schema.Finite,
  ack: maybe(Schema.Struct({ by: Schema.String, atMs: Schema.Finite, untilMs: Schema.Finite })),
  assignee: maybe(Schema.String),
  escalated: Schema.Boolean,
  during: maybe(Schema.Literals(["maintenance", "change"])),
} as const

export const IncidentRowBody = named(
  "IncidentRow",
  Schema.Struct({
    ...COMMON,
    /** Null = nobody knows the cause (yet). */
    cause: maybe(Schema.Struct({ members: Schema.Array(Member), confidence: Schema.Finite })),
    impact: Schema.Struct({
      sites: Schema.Finite,
      devices: Schema.Finite,
      subscribers: Subscribers,
      subscribersPart: maybe(Schema.Finite),
    }),
  }),
)
export const IncidentBody = named(
  "Incident",
  Schema.Struct({
    ...COMMON,
    causes: Schema.Array(Cause),
    impact: Schema.Struct({
      sites: Schema.Array(Schema.String),
      devices: Schema.Array(Schema.String),
      links: Schema.Array(Schema.String),
      services: Schema.Array(Schema.String),
      subscribers: Subscribers,
      subscribersPart: maybe(Schema.Finite),
    }),
    symptoms: Schema.Array(
      Schema.Struct({
        alert: Schema.String,
        device: Schema.String,
        deviceName: Schema.String,
        entity: Schema.String,
        summary: Schema.String,
        sinceMs: Schema.Finite,
        explainedBy: maybe(Schema.Finite),
        why: maybe(Schema.String),
      }),
    ),
    timeline: Schema.Array(
      Schema.Struct({
        atMs: Schema.Finite,
        action: Schema.Literals([...INCIDENT_ACTIONS, "event", "alert"]),
        /** "" = the twin. */
        by: Schema.String,
        text: Schema.String,
        device: Schema.optionalKey(Schema.String),
        entity: Schema.optionalKey(Schema.String),
      }),
    ),
    confirmed: maybe(
      Schema.Struct({
        by: Schema.String,
        atMs: Schema.Finite,
        members: Schema.Array(Member),
        note: Schema.String,
        /** What had been said by then. */
        verdict: Schema.optionalKey(
          Schema.Struct({
            fault: maybe(Schema.Literals(FAULT_TYPES)),
            confidence: maybe(Schema.Finite),
            isRight: Schema.Boolean,
          }),
        ),
      }),
    ),
    probing: Schema.Array(Schema.Struct({ text: Schema.String, atMs: Schema.Finite, answer: maybe(Schema.String) })),
  }),
)
export const IncidentCounts = named(
  "IncidentCounts",
  Schema.Struct({
    open: Schema.Finite,
    recovering: Schema.Finite,
    /** Severities and the following are of those that are not closed. */
    critical: Schema.Finite,
    warn: Schema.Finite,
    info: Schema.Finite,
    unacknowledged: Schema.Finite,
    mine: Schema.Finite,
  }),
)

/** Of one kind of fault: the shift of log-odds that would have fitted the confirmations better. Applied to nothing. */
const Shift = Schema.Struct({
  fault: Schema.Literals(FAULT_TYPES),
  confirmations: Schema.Finite,
  right: Schema.Finite,
  /** Log-odds that are added to the confidence of such verdicts. */
  shift: Schema.Finite,
  /** Where the confirmations lead to, a bounded step a day. */
  wanted: Schema.Finite,
})
export const FeedbackBody = named(
  "IncidentFeedback",
  Schema.Struct({
    rows: Schema.Array(
      Schema.Struct({
        fault: Schema.Literals(FAULT_TYPES),
        /** Confidences from here up to `to`. */
        from: Schema.Finite,
        to: Schema.Finite,
        right: Schema.Finite,
        wrong: Schema.Finite,
        /** Mean of what was said. */
        said: Schema.Finite,
      }),
    ),
    confirmed: Schema.Finite,
    right: Schema.Finite,
    /** Confirmed, and nothing had been named. */
    unnamed: Schema.Finite,
    /** Mean squared error; null = nothing to tell. */
    brier: maybe(Schema.Finite),
    /** The shifts are in the confidences that are said. */
    applied: Schema.Literal(true),
    shifts: Schema.Array(Shift),
    /** Changes of the shifts, newest first, at most 200; an empty incident = taken back by somebody. */
    log: Schema.Array(
      Schema.Struct({
        atMs: Schema.Finite,
        incident: Schema.String,
        by: Schema.String,
        fault: Schema.Literals(FAULT_TYPES),
        from: Schema.Finite,
        to: Schema.Finite,
      }),
    ),
  }),
)

const gone = [NotFound, ServiceUnavailable] as const
const refused = [NotFound, Refused, ServiceUnavailable] as const
const Note = Schema.Struct({ note: name(NOTE_MAX) })

export class IncidentsGroup extends HttpApiGroup.make("incidents")
  .add(
    HttpApiEndpoint.get("list", "/incidents", {
      query: {
        ...Page,
        state: Schema.optionalKey(Schema.Literals(INCIDENT_STATES)),
        severity: Schema.optionalKey(Schema.Literals(ALERT_SEVERITIES)),
        /** In title, cause, devices and notes. */
        q: filter(200),
        site: filter(200),
        /** A kind of fault that was named; `unknown` = none was. */
        cause: Schema.optionalKey(Schema.Literals([...FAULT_TYPES, "unknown"])),
        /** Assigned to you, or acknowledged by you. */
        mine: flag,
        /** Those that lasted into this stretch. */
        from: whole(0, TIME_MAX),
        to: whole(0, TIME_MAX),
      },
      success: Schema.Struct({
        items: Schema.Array(IncidentRowBody),
        next: maybe(Schema.String),
        /** Of all that you may see, whatever the filters. */
        counts: IncidentCounts,
      }),
      error: [BadQuery, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "Open ones first, then newest first; closed ones for as long as events are kept"),
    HttpApiEndpoint.get("feedback", "/incidents/feedback", {
      /** When it was confirmed. */
      query: { from: whole(0, TIME_MAX), to: whole(0, TIME_MAX) },
      success: FeedbackBody,
      error: [ServiceUnavailable],
    }).annotate(OpenApi.Summary, "How often verdicts were right, by kind of fault and confidence"),
    HttpApiEndpoint.delete("unlearn", "/incidents/feedback/:fault", {
      /** One that does not exist is not found. */
      params: { fault: word(64) },
      success: HttpApiSchema.NoContent,
      error: [NotFound, Refused, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "Take back what confirmations taught of a kind of fault"),
    HttpApiEndpoint.get("get", "/incidents/:id", { params: Id, success: IncidentBody, error: gone }).annotate(
      OpenApi.Summary,
      "One incident: causes with their evidence, impact, symptoms, timeline",
    ),
    HttpApiEndpoint.put("acknowledge", "/incidents/:id/ack", {
      params: Id,
      /** Default 240. */
      payload: Schema.Struct({ minutes: Schema.optionalKey(wholeBetween(1, MINUTES_MAX)) }),
      success: IncidentBody,
      error: refused,
    }).annotate(OpenApi.Summary, "Stops repeats until it expires"),
    HttpApiEndpoint.delete("withdraw", "/incidents/:id/ack", {
      params: Id,
      success: HttpApiSchema.NoContent,
      error: refused,
    }).annotate(OpenApi.Summary, "Take an acknowledgement back"),
    HttpApiEndpoint.put("assign", "/incidents/:id/assignee", {
      params: Id,
      /** A user's name; null = nobody. */
      payload: Schema.Struct({ user: maybe(name(200)) }),
      success: IncidentBody,
      error: refused,
    }).annotate(OpenApi.Summary, "Who works on it: anybody who may see it"),
    HttpApiEndpoint.get("assignees", "/incidents/:id/assignees", {
      params: Id,
      query: { ...Page, q: filter(200) },
      success: Schema.Struct({
        items: Schema.Array(Schema.Struct({ name: Schema.String })),
        next: maybe(Schema.String),
      }),
      error: [BadQuery, NotFound, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "Who may be given it: people who see it, by name"),
    HttpApiEndpoint.post("note", "/incidents/:id/notes", {
      params: Id,
      payload: Schema.Struct({ text: name(NOTE_MAX) }),
      success: IncidentBody,
      error: refused,
    }).annotate(OpenApi.Summary, "A line for the timeline"),
    HttpApiEndpoint.post("escalate", "/incidents/:id/escalate", {
      params: Id,
      payload: Note,
      success: IncidentBody,
      error: refused,
    }).annotate(OpenApi.Summary, "More people are needed; say why"),
    HttpApiEndpoint.post("close", "/incidents/:id/close", {
      params: Id,
      payload: Note,
      success: IncidentBody,
      error: refused,
    }).annotate(OpenApi.Summary, "Over by somebody's word; what still fires opens it again when it fires anew"),
    HttpApiEndpoint.put("confirm", "/incidents/:id/confirmation", {
      params: Id,
      payload: Schema.Struct({
        members: Schema.Array(Member).check(Schema.isMinLength(1), Schema.isMaxLength(MEMBERS_MAX)),
        note: word(NOTE_MAX),
      }),
      success: IncidentBody,
      error: refused,
    }).annotate(OpenApi.Summary, "What was the true cause; kept beside what was predicted"),
    HttpApiEndpoint.get("postmortem", "/incidents/:id/postmortem", {
      params: Id,
      query: { format: Schema.optionalKey(Schema.Literals(["markdown", "json"])) },
      success: Schema.Struct({
        /** To save it under. */
        file: Schema.String,
        mediaType: Schema.String,
        /** The document; of `json` the text of one, too. */
        text: Schema.String,
      }),
      error: gone,
    }).annotate(OpenApi.Summary, "The report: timeline, cause, impact, what people did"),
  )
  .middleware(SignedIn) {}

/** A `never` here means that a schema and its interface in protocol/incident.ts are no longer the same. */
const agree: [Same<typeof IncidentRowBody.Type, IncidentRow>, Same<typeof IncidentBody.Type, IncidentView>] = [
  true,
  true,
]
void agree
