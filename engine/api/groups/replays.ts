/** The past on the screen: replays of this tenant, each watched at `/stream?replay=ID`. */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import { Id, maybe, named, TIME_MAX, wholeBetween } from "#engine/api/groups/fields.ts"
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
  }),
)

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
  .middleware(SignedIn) {}
