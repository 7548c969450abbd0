/** API keys, and access tokens with rotating refresh tokens: how programs sign in. */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import { SignedIn } from "#engine/api/signed-in.ts"
import { Id, maybe, name, named, Page, secret, word } from "#engine/api/groups/fields.ts"
import {
  BadQuery,
  Forbidden,
  NotFound,
  QuotaExceeded,
  Refused,
  SecondFactorNeeded,
  ServiceUnavailable,
  TooManyAttempts,
  WrongCredentials,
} from "#engine/api/problems.ts"
import { pageOf } from "#engine/api/views.ts"
import { PERMISSIONS } from "#protocol/permission.ts"

const Scope = Schema.Array(Schema.Literals(PERMISSIONS)).check(Schema.isMinLength(1))

export const KeyBody = named(
  "ApiKey",
  Schema.Struct({
    id: Schema.String,
    name: Schema.String,
    /** The first characters of the key, to tell keys apart. */
    prefix: Schema.String,
    /** What it was given; what it may do is this, cut by what its owner may do now. */
    scope: Schema.Array(Schema.Literals(PERMISSIONS)),
    owner: Schema.Struct({ id: Schema.String, name: Schema.String }),
    createdMs: Schema.Finite,
    expiresMs: maybe(Schema.Finite),
    lastUsedMs: maybe(Schema.Finite),
  }),
)

export class KeysGroup extends HttpApiGroup.make("keys")
  .add(
    HttpApiEndpoint.get("list", "/keys", {
      query: Page,
      success: pageOf(KeyBody),
      error: [BadQuery, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "API keys, without the keys themselves"),
    HttpApiEndpoint.post("create", "/keys", {
      // No Idempotency-Key: an answer that could be repeated would keep the key's text, which is shown once and kept nowhere.
      payload: Schema.Struct({
        name: name(200),
        scope: Scope,
        /** Days; null = until it is revoked. */
        days: Schema.NullOr(Schema.Finite.check(Schema.isBetween({ minimum: 1, maximum: 3660 }))),
      }),
      success: Schema.Struct({ key: KeyBody, secret: Schema.String }),
      error: [Forbidden, Refused, QuotaExceeded, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "The key is shown this once"),
    HttpApiEndpoint.delete("revoke", "/keys/:id", {
      params: Id,
      success: HttpApiSchema.NoContent,
      error: [NotFound, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "Revoke an API key; it is refused at once"),
  )
  .middleware(SignedIn) {}

const TokensBody = named(
  "Tokens",
  Schema.Struct({
    accessToken: Schema.String,
    expiresInS: Schema.Finite,
    refreshToken: Schema.String,
    refreshExpiresInS: Schema.Finite,
  }),
)
export class TokensGroup extends HttpApiGroup.make("tokens").add(
  HttpApiEndpoint.post("create", "/tokens", {
    payload: Schema.Struct({
      user: word(128),
      password: word(256),
      code: Schema.optionalKey(word(32)),
      tenant: Schema.optionalKey(word(64)),
    }),
    success: TokensBody,
    error: [WrongCredentials, SecondFactorNeeded, TooManyAttempts, ServiceUnavailable],
  }).annotate(OpenApi.Summary, "Sign in as a program: an access token of 5 minutes and a refresh token"),
  HttpApiEndpoint.post("refresh", "/tokens/refresh", {
    payload: Schema.Struct({ refreshToken: secret(256) }),
    success: TokensBody,
    error: [WrongCredentials, ServiceUnavailable],
  }).annotate(OpenApi.Summary, "A refresh token works once; a second use ends the whole family"),
  HttpApiEndpoint.post("revoke", "/tokens/revoke", {
    payload: Schema.Struct({ refreshToken: secret(256) }),
    success: HttpApiSchema.NoContent,
    error: ServiceUnavailable,
  }).annotate(OpenApi.Summary, "End a refresh token and what came of it (RFC 7009)"),
) {}
