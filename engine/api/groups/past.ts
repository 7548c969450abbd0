/** What was: stored series and events. */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as OpenApi from "effect/http-api/OpenApi"
import { filter, TIME_MAX, whole, word } from "#engine/api/groups/fields.ts"
import { BadQuery, NotFound, ServiceUnavailable } from "#engine/api/problems.ts"
import { SignedIn } from "#engine/api/signed-in.ts"
import { EventBody, HistoryBody, pageOf } from "#engine/api/views.ts"

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
