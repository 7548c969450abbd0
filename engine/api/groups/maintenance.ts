/**
 * Times in which people want to be left alone: maintenance windows, changes and mutes of the tenant. What each occurrence
 * is in UTC is worked out in the window's own time zone (engine/maintenance/occurrences.ts).
 */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import {
  filter,
  Id,
  Idempotent,
  IfMatch,
  maybe,
  name,
  named,
  Page,
  TIME_MAX,
  wholeBetween,
  word,
} from "#engine/api/groups/fields.ts"
import { BadQuery, Changed, Conflict, NotFound, Refused, ServiceUnavailable } from "#engine/api/problems.ts"
import { SignedIn } from "#engine/api/signed-in.ts"
import { CHANGE_STATES, SILENCE_KINDS, WEEKDAYS } from "#protocol/maintenance.ts"
import { ROLES } from "#protocol/role.ts"
import { RULE_ENTITY_TYPES } from "#protocol/rule.ts"

const Moment = wholeBetween(0, TIME_MAX)
const words = (max: number) =>
  Schema.optionalKey(Schema.Array(name(max)).check(Schema.isMinLength(1), Schema.isMaxLength(1_000)))
const ScopeBody = named(
  "AlertScope",
  Schema.Struct({
    by_entity_type: Schema.optionalKey(Schema.Array(Schema.Literals(RULE_ENTITY_TYPES)).check(Schema.isMinLength(1))),
    by_entity_ids: words(300),
    by_device_ids: words(64),
    by_tags: words(64),
    by_roles: Schema.optionalKey(Schema.Array(Schema.Literals(ROLES)).check(Schema.isMinLength(1))),
    by_site_ids: words(200),
  }),
)
const RecurrenceBody = Schema.Union([
  Schema.Struct({ every: Schema.Literal("never") }),
  Schema.Struct({ every: Schema.Literal("day") }),
  Schema.Struct({
    every: Schema.Literal("week"),
    on: Schema.Array(Schema.Literals(WEEKDAYS)).check(Schema.isMinLength(1), Schema.isMaxLength(7)),
  }),
  /** The same day of each month; months without it are passed over. */
  Schema.Struct({ every: Schema.Literal("month") }),
])
const fields = {
  kind: Schema.Literals(SILENCE_KINDS),
  title: name(200),
  note: word(2_000),
  scope: ScopeBody,
  /** Only this rule; absent = every rule. */
  rule: Schema.optionalKey(name(64)),
  /** Critical alerts are told all the same. */
  sparesCritical: Schema.Boolean,
  /** First occurrence. */
  startsAtMs: Moment,
  /** A minute to 31 days; of what recurs every day, week or month, at most that. */
  durationSeconds: wholeBetween(60, 31 * 86_400),
  recurrence: RecurrenceBody,
  /** IANA name: recurrences keep its local time. */
  timeZone: name(64),
  /** No occurrence begins later; null = for ever. */
  untilMs: maybe(Moment),
}
const Occurrence = { fromMs: Schema.Finite, toMs: Schema.Finite }

export const WindowBody = named(
  "MaintenanceWindow",
  Schema.Struct({
    id: Schema.String,
    ...fields,
    /** Kind change only. */
    changeState: Schema.optionalKey(Schema.Literals(CHANGE_STATES)),
  }),
)
export const WindowRow = named(
  "MaintenanceRow",
  Schema.Struct({
    window: WindowBody,
    /** It silences now. */
    active: Schema.Boolean,
    /** The occurrence of now, else the next one; null = it is over. */
    next: maybe(Schema.Struct(Occurrence)),
    updatedAtMs: Schema.Finite,
    updatedBy: Schema.String,
  }),
)

export class MaintenanceGroup extends HttpApiGroup.make("maintenance")
  .add(
    HttpApiEndpoint.get("list", "/maintenance", {
      query: {
        ...Page,
        kind: Schema.optionalKey(Schema.Literals(SILENCE_KINDS)),
        /** `current` = active or still to come. */
        when: Schema.optionalKey(Schema.Literals(["current", "over"])),
        q: filter(200),
      },
      success: Schema.Struct({ items: Schema.Array(WindowRow), next: maybe(Schema.String) }),
      error: [BadQuery, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "Maintenance windows, changes and mutes, newest first"),
    HttpApiEndpoint.get("calendar", "/maintenance/calendar", {
      query: {
        from: Schema.NumberFromString.check(Schema.isInt(), Schema.isBetween({ minimum: 0, maximum: TIME_MAX })),
        to: Schema.NumberFromString.check(Schema.isInt(), Schema.isBetween({ minimum: 0, maximum: TIME_MAX })),
      },
      success: Schema.Struct({
        /** Ascending, at most 1,000. */
        items: Schema.Array(Schema.Struct({ window: Schema.String, ...Occurrence })),
        /** The windows that they are of. */
        windows: Schema.Array(WindowBody),
        /** There were more. */
        truncated: Schema.Boolean,
      }),
      error: [BadQuery, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "When each window is, from `from` to `to`: at most 400 days"),
    HttpApiEndpoint.get("get", "/maintenance/:id", {
      params: Id,
      success: WindowRow,
      error: [NotFound, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "One window, with its ETag"),
    HttpApiEndpoint.post("create", "/maintenance", {
      headers: Idempotent,
      payload: Schema.Struct(fields),
      success: WindowRow,
      error: [Refused, Conflict, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "Plan a window, a change or a mute"),
    HttpApiEndpoint.put("put", "/maintenance/:id", {
      params: Id,
      headers: IfMatch,
      payload: Schema.Struct(fields),
      success: WindowRow,
      error: [NotFound, Refused, Changed, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "Change a window; its kind and state stay"),
    HttpApiEndpoint.delete("remove", "/maintenance/:id", {
      params: Id,
      headers: IfMatch,
      success: HttpApiSchema.NoContent,
      error: [NotFound, Refused, Changed, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "Remove a window; what it silenced is told if it still fires"),
    HttpApiEndpoint.post("state", "/maintenance/:id/state", {
      params: Id,
      payload: Schema.Struct({ state: Schema.Literals(CHANGE_STATES) }),
      success: WindowRow,
      error: [NotFound, Refused, Conflict, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "Begin, complete or cancel a change"),
    HttpApiEndpoint.post("end", "/maintenance/:id/end", {
      params: Id,
      success: WindowRow,
      error: [NotFound, Refused, Conflict, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "End the occurrence of now; a window that recurs goes on with its next one"),
  )
  .middleware(SignedIn) {}
