/** The past on the screen: replays of this tenant, each watched at `/stream?replay=ID`. */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import { Id, maybe, name, named, TIME_MAX, wholeBetween } from "#engine/api/groups/fields.ts"
import { IncidentBody } from "#engine/api/groups/incidents.ts"
import { EventBody } from "#engine/api/views.ts"
import { FaultBody, WhatIfBody } from "#engine/api/groups/what-if.ts"
import { NotFound, QuotaExceeded, Refused, ServiceUnavailable } from "#engine/api/problems.ts"
import { SignedIn } from "#engine/api/signed-in.ts"
import { SPEED_MAX, SPEED_MIN } from "#engine/replay/session-messages.ts"

const Moment = wholeBetween(0, TIME_MAX)
/** Times real time. */
const Speed = wholeBetween(SPEED_MIN, SPEED_MAX)

export const ReplayBody = named(
  "Replay",
  Schema.Struct({
    id: Schema.String,
    /** The moment that is shown. */
    atMs: Schema.Finite,
    /** It ends here by itself. */
    toMs: Schema.Finite,
    playing: Schema.Boolean,
    speed: Schema.Finite,
    /** The last input of the journal that is part of it. */
    seq: Schema.Finite,
    /** Why it stopped by itself; it may be asked to go on. */
    problem: maybe(Schema.String),
    /** Why it is over; told for a minute. */
    ended: maybe(Schema.String),
    openedBy: Schema.String,
    /** You opened it and may steer it. */
    mine: Schema.Boolean,
    viewers: Schema.Finite,
    /** What is shown is a branch of the past; null = it is the past. */
    branch: maybe(
      Schema.Struct({
        /** Where it left the past, which stands there still. */
        sinceMs: Schema.Finite,
        /** It hears nothing of the journal. */
        alone: Schema.Boolean,
        /** That hold now. */
        faults: Schema.Array(FaultBody),
        /** Inputs of its own, and those of them that wait for their time. */
        inputs: Schema.Finite,
        waiting: Schema.Finite,
      }),
    ),
  }),
)

/** Faults that hold in a branch at a time, and inputs of one request. */
const BRANCH_FAULTS_MAX = 50
const INPUTS_MAX = 1_000

export class ReplaysGroup extends HttpApiGroup.make("replays")
  .add(
    HttpApiEndpoint.get("list", "/replays", {
      success: Schema.Struct({
        /** The oldest moment that can be replayed; null = none yet. */
        firstMs: maybe(Schema.Finite),
        items: Schema.Array(ReplayBody),
      }),
      error: ServiceUnavailable,
    }).annotate(OpenApi.Summary, "The replays that run, and from when on the past can be replayed"),
    HttpApiEndpoint.get("get", "/replays/:id", { params: Id, success: ReplayBody, error: NotFound }).annotate(
      OpenApi.Summary,
      "Where a replay stands",
    ),
    HttpApiEndpoint.post("create", "/replays", {
      payload: Schema.Struct({
        fromMs: Moment,
        /** Absent or later than now = now. */
        toMs: Schema.optionalKey(Moment),
        speed: Schema.optionalKey(Speed),
      }),
      success: ReplayBody,
      error: [Refused, QuotaExceeded, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "Open a moment of the past, paused; it ends after 10 minutes without a wish"),
    HttpApiEndpoint.patch("update", "/replays/:id", {
      params: Id,
      /** Done in this order; a jump that a later one overtakes is not done. */
      payload: Schema.Struct({
        atMs: Schema.optionalKey(Moment),
        step: Schema.optionalKey(Schema.Literal("event")),
        speed: Schema.optionalKey(Speed),
        playing: Schema.optionalKey(Schema.Boolean),
      }),
      success: ReplayBody,
      error: [NotFound, Refused],
    }).annotate(OpenApi.Summary, "Jump, go to the next event, play or pause a replay that you opened"),
    HttpApiEndpoint.delete("remove", "/replays/:id", { params: Id, error: [NotFound, Refused] }).annotate(
      OpenApi.Summary,
      "End a replay that you opened",
    ),
  )
  .add(
    HttpApiEndpoint.post("branch", "/replays/:id/branch", {
      params: Id,
      payload: Schema.Struct({
        /** It hears nothing of the journal: its time passes with its own inputs. */
        alone: Schema.optionalKey(Schema.Boolean),
      }),
      success: ReplayBody,
      error: [NotFound, Refused, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "Branch the moment that a replay of yours shows; the past waits there, untouched"),
    HttpApiEndpoint.post("hear", "/replays/:id/branch/inputs", {
      params: Id,
      payload: Schema.Struct({
        /** That hold from now on, and no others; absent = those that do. */
        faults: Schema.optionalKey(Schema.Array(FaultBody).check(Schema.isMaxLength(BRANCH_FAULTS_MAX))),
        /** As lines of `heliograph replay --inputs`; `at` counts from the moment that is shown. */
        inputs: Schema.optionalKey(Schema.Array(Schema.Unknown).check(Schema.isMaxLength(INPUTS_MAX))),
      }),
      success: ReplayBody,
      error: [NotFound, Refused, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "Faults that hold in the branch from now on, and what its devices say besides"),
    HttpApiEndpoint.get("look", "/replays/:id/branch", {
      params: Id,
      success: Schema.Struct({
        atMs: Schema.Finite,
        /** Newest first. */
        incidents: Schema.Array(IncidentBody),
        /** Decided in the branch, newest first; the newest 500. */
        events: Schema.Array(EventBody),
      }),
      error: [NotFound, Refused, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "What the twin makes of the branch: its incidents, and what was decided in it"),
    HttpApiEndpoint.post("whatIf", "/replays/:id/branch/what-if", {
      params: Id,
      payload: Schema.Struct({
        faults: Schema.Array(FaultBody).check(Schema.isMinLength(1), Schema.isMaxLength(BRANCH_FAULTS_MAX)),
        routesOf: Schema.optionalKey(name(64)),
      }),
      success: WhatIfBody,
      error: [NotFound, Refused, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "What would be if these failed besides, in the branch as it stands"),
    HttpApiEndpoint.delete("leave", "/replays/:id/branch", {
      params: Id,
      success: ReplayBody,
      error: [NotFound, Refused, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "Leave the branch: the replay shows the past again, where the branch left it"),
  )
  .middleware(SignedIn) {}
