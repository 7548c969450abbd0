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
