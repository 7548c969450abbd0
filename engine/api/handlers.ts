/** The routes of the API for an HttpRouter: one file of handlers per group, one line here. */
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as Layer from "effect/Layer"
import { Api } from "#engine/api/contract.ts"
import type { ApiDeps } from "#engine/api/deps.ts"
import { network } from "#engine/api/handlers/network.ts"
import { past } from "#engine/api/handlers/past.ts"
import { session, signIn } from "#engine/api/handlers/sign-in.ts"
import { signedIn } from "#engine/api/handlers/signed-in.ts"

export const apiLayer = (deps: ApiDeps) =>
  HttpApiBuilder.layer(Api).pipe(
    Layer.provide([signIn(deps), session(deps), network(deps), past(deps)]),
    Layer.provide([signedIn(deps), HttpApiMiddleware.layerProblemDetails({ includeDetails: true })]),
  )
