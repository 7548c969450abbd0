/** Who stands behind a pseudonym: only where the tenant opted in, with a reason, and never without a row in the audit. */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import { SignedIn } from "#engine/api/signed-in.ts"
import { name } from "#engine/api/groups/fields.ts"
import { NotFound, Refused, ServiceUnavailable } from "#engine/api/problems.ts"

export class SubscribersGroup extends HttpApiGroup.make("subscribers")
  .add(
    HttpApiEndpoint.post("reveal", "/subscribers/reveal", {
      payload: Schema.Struct({ pseudonym: name(64), reason: name(1000) }),
      success: Schema.Struct({
        /** User name, MAC or address: what the device said. */
        identity: Schema.String,
        seenMs: Schema.Finite,
      }),
      error: [NotFound, Refused, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "The identity behind a pseudonym; each answer is an act in the audit"),
  )
  .middleware(SignedIn) {}
