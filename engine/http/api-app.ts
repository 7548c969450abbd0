/**
 * The API as one Effect that answers a request: routes, a depth limit on bodies before anything parses them, and a
 * problem document for what no endpoint answers. A defect is logged and told as 500 without its details.
 */
import * as NodeHttpPlatform from "@effect/platform-node/NodeHttpPlatform"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Etag from "effect/http/Etag"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import { apiLayer } from "#engine/api/handlers.ts"
import type { ApiDeps } from "#engine/api/deps.ts"
import { PROBLEMS } from "#engine/http/answer.ts"
import type { Problem } from "#engine/http/answer.ts"
import { isTooDeep } from "#engine/http/json-depth.ts"

export const apiApp = (deps: ApiDeps) =>
  Effect.map(
    HttpRouter.toHttpEffect(
      apiLayer(deps).pipe(Layer.provide([NodeHttpPlatform.layer, Etag.layer, NodeServices.layer])),
    ),
    (routes) =>
      Effect.gen(function* () {
        const request = yield* HttpServerRequest.HttpServerRequest
        if (request.method !== "GET" && request.method !== "HEAD" && isTooDeep(yield* request.text))
          return problem({ type: "urn:heliograph:too-deep", title: "The body nests too deep", status: 400 })
        return yield* routes
      }).pipe(Effect.catchCause((cause) => Effect.sync(() => fromCause(deps, cause)))),
  )

const fromCause = (deps: ApiDeps, cause: Cause.Cause<unknown>): HttpServerResponse.HttpServerResponse => {
  const error = Cause.squash(cause)
  const reason = tagOf(typeof error === "object" && error !== null && "reason" in error ? error.reason : error)
  if (reason === "RouteNotFound") return problem(PROBLEMS.notFound)
  if (reason === "RequestParseError")
    return problem({ type: "urn:heliograph:bad-body", title: "The body cannot be read", status: 400 })
  if (!Cause.hasInterruptsOnly(cause)) deps.log.error("a request hit a defect", { cause: error })
  return problem(PROBLEMS.defect)
}

const tagOf = (value: unknown): unknown =>
  typeof value === "object" && value !== null && "_tag" in value ? value._tag : undefined

const problem = (body: Problem): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.jsonUnsafe(body, { status: body.status, contentType: "application/problem+json" })
