/**
 * What the API answers when it does not do what was asked: RFC 9457 problems, told apart by their `type`.
 * The words are for people; a program looks at `type`.
 */
import * as HttpApiError from "effect/http-api/HttpApiError"
import * as Schema from "effect/Schema"

export class NotSignedIn extends HttpApiError.Problem<NotSignedIn>()("NotSignedIn", {
  type: "urn:heliograph:not-signed-in",
  status: 401,
  title: "Sign in first",
}) {}

export class WrongCredentials extends HttpApiError.Problem<WrongCredentials>()("WrongCredentials", {
  type: "urn:heliograph:wrong-credentials",
  status: 401,
  title: "User or password is wrong",
}) {}

/** Also for what belongs to another tenant: its existence is not told. */
export class NotFound extends HttpApiError.Problem<NotFound>()("NotFound", {
  type: "urn:heliograph:not-found",
  status: 404,
  title: "There is no such thing here",
}) {}

export class BadQuery extends HttpApiError.Problem<BadQuery>()("BadQuery", {
  type: "urn:heliograph:bad-query",
  status: 400,
  title: "The question cannot be answered as asked",
}) {}

export class TooManyAttempts extends HttpApiError.Problem<TooManyAttempts>()(
  "TooManyAttempts",
  { type: "urn:heliograph:too-many-attempts", status: 429, title: "Too many sign-in attempts" },
  { retryAfterS: Schema.Int },
) {}

export class ServiceUnavailable extends HttpApiError.Problem<ServiceUnavailable>()("ServiceUnavailable", {
  type: "urn:heliograph:unavailable",
  status: 503,
  title: "Something this needs is away; try again soon",
}) {}

/** Signed in, but this is not for this role; `detail` names the permission. */
export class Forbidden extends HttpApiError.Problem<Forbidden>()("Forbidden", {
  type: "urn:heliograph:forbidden",
  status: 403,
  title: "You may not do this",
}) {}

/** The password was right; send the six digits, or a recovery code, with it. */
export class SecondFactorNeeded extends HttpApiError.Problem<SecondFactorNeeded>()("SecondFactorNeeded", {
  type: "urn:heliograph:second-factor-needed",
  status: 401,
  title: "The second factor is needed",
}) {}

/** The body is well-formed and cannot be done; `detail` says why, in words for the operator. */
export class Refused extends HttpApiError.Problem<Refused>()("Refused", {
  type: "urn:heliograph:refused",
  status: 422,
  title: "This cannot be done",
}) {}

/** Something of this name exists, or the state forbids it. */
export class Conflict extends HttpApiError.Problem<Conflict>()("Conflict", {
  type: "urn:heliograph:conflict",
  status: 409,
  title: "This is in the way of something that exists",
}) {}

/** If-Match named another version: read it again. */
export class Changed extends HttpApiError.Problem<Changed>()("Changed", {
  type: "urn:heliograph:changed",
  status: 412,
  title: "It was changed in the meantime",
}) {}

/** A limit of the tenant (protocol/quota.ts); `quota` names it. */
export class QuotaExceeded extends HttpApiError.Problem<QuotaExceeded>()(
  "QuotaExceeded",
  { type: "urn:heliograph:quota-exceeded", status: 429, title: "A quota of this tenant is used up" },
  { quota: Schema.String, limit: Schema.Finite, used: Schema.Finite, retryAfterS: Schema.NullOr(Schema.Int) },
) {}

/** An import document with mistakes; the first of them by line, and how many there are. */
export class ImportInvalid extends HttpApiError.Problem<ImportInvalid>()(
  "ImportInvalid",
  { type: "urn:heliograph:import-invalid", status: 422, title: "The document has mistakes" },
  {
    errors: Schema.Array(Schema.Struct({ line: Schema.Int, path: Schema.String, message: Schema.String })),
    total: Schema.Int,
  },
) {}

/** A rule, or one of several, that cannot be judged by: every mistake by its path. */
export class RuleInvalid extends HttpApiError.Problem<RuleInvalid>()(
  "RuleInvalid",
  { type: "urn:heliograph:rule-invalid", status: 422, title: "The rule has mistakes" },
  { mistakes: Schema.Array(Schema.Struct({ path: Schema.String, problem: Schema.String })) },
) {}
