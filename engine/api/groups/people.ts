/** Signing in and the person's own matters; and, for administrators, users, invitations and roles. */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import { SignedIn } from "#engine/api/signed-in.ts"
import { Id, IfMatch, Idempotent, maybe, name, named, Page, secret, word } from "#engine/api/groups/fields.ts"
import {
  BadQuery,
  Changed,
  Conflict,
  Forbidden,
  NotFound,
  QuotaExceeded,
  Refused,
  SecondFactorNeeded,
  ServiceUnavailable,
  TooManyAttempts,
  WrongCredentials,
} from "#engine/api/problems.ts"
import { pageOf, TenantBody } from "#engine/api/views.ts"
import { PERMISSIONS } from "#protocol/permission.ts"

const PermissionBody = named("Permission", Schema.Literals(PERMISSIONS))

/** Six digits of TOTP, or a recovery code. */
const Code = word(32)

export class SignInGroup extends HttpApiGroup.make("signIn")
  .add(
    HttpApiEndpoint.post("create", "/session", {
      payload: Schema.Struct({
        user: word(128),
        password: word(256),
        code: Schema.optionalKey(Code),
        /** Slug; only needed where several tenants have a user of this name. */
        tenant: Schema.optionalKey(word(64)),
      }),
      success: HttpApiSchema.NoContent,
      error: [WrongCredentials, SecondFactorNeeded, TooManyAttempts, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "Sign in; the answer sets the session cookie"),
    HttpApiEndpoint.get("ways", "/session/ways", {
      success: Schema.Struct({ password: Schema.Boolean, oidc: maybe(Schema.Struct({ name: Schema.String })) }),
    }).annotate(OpenApi.Summary, "How people sign in here"),
    HttpApiEndpoint.post("acceptInvitation", "/invitations/accept", {
      payload: Schema.Struct({ token: secret(128), name: name(200), password: secret(256) }),
      success: HttpApiSchema.NoContent,
      error: [NotFound, Refused, Conflict, QuotaExceeded, TooManyAttempts, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "Become a user by an invitation; works once"),
  )
  .annotate(OpenApi.Title, "sign-in") {}

export const SessionBody = named(
  "Session",
  Schema.Struct({
    user: Schema.Struct({ id: Schema.String, name: Schema.String }),
    tenant: TenantBody,
    roles: Schema.Array(Schema.String),
    permissions: Schema.Array(PermissionBody),
    /** Null = all. */
    sites: maybe(Schema.Array(Schema.String)),
    secondFactor: Schema.Struct({ enabled: Schema.Boolean, required: Schema.Boolean }),
    grant: maybe(Schema.Struct({ reason: Schema.String, untilMs: Schema.Finite })),
    expiresAtMs: Schema.Finite,
  }),
)

export class SessionGroup extends HttpApiGroup.make("session")
  .add(
    HttpApiEndpoint.get("get", "/session", { success: SessionBody }).annotate(
      OpenApi.Summary,
      "Who is signed in, where, and what they may do",
    ),
    HttpApiEndpoint.delete("remove", "/session", {
      success: HttpApiSchema.NoContent,
      error: ServiceUnavailable,
    }).annotate(OpenApi.Summary, "Sign out; this session's live streams are closed"),
    HttpApiEndpoint.delete("leaveGrant", "/session/grant", {
      success: HttpApiSchema.NoContent,
      error: [NotFound, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "Leave the tenant that is looked into before its time is up"),
  )
  .middleware(SignedIn) {}

/** What changes how somebody signs in asks for the password again (ASVS 7.5.1). */
export class AccountGroup extends HttpApiGroup.make("account")
  .add(
    HttpApiEndpoint.put("password", "/account/password", {
      payload: Schema.Struct({ password: secret(256), newPassword: secret(256) }),
      success: HttpApiSchema.NoContent,
      error: [WrongCredentials, Refused, TooManyAttempts, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "Change the own password; all other sessions end"),
    HttpApiEndpoint.post("beginTotp", "/account/totp", {
      payload: Schema.Struct({ password: secret(256) }),
      success: Schema.Struct({ secret: Schema.String, uri: Schema.String }),
      error: [WrongCredentials, Conflict, TooManyAttempts, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "A new TOTP secret (RFC 6238), not yet in force"),
    HttpApiEndpoint.put("confirmTotp", "/account/totp", {
      payload: Schema.Struct({ code: Code }),
      success: Schema.Struct({ recoveryCodes: Schema.Array(Schema.String) }),
      error: [WrongCredentials, Conflict, TooManyAttempts, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "Puts the second factor in force; recovery codes are shown this once"),
    HttpApiEndpoint.post("removeTotp", "/account/totp/remove", {
      payload: Schema.Struct({ password: secret(256), code: Code }),
      success: HttpApiSchema.NoContent,
      error: [WrongCredentials, Conflict, TooManyAttempts, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "Takes the second factor away, with password and code"),
    HttpApiEndpoint.get("sessions", "/account/sessions", {
      success: Schema.Struct({
        items: Schema.Array(
          Schema.Struct({
            id: Schema.String,
            createdMs: Schema.Finite,
            expiresMs: Schema.Finite,
            source: maybe(Schema.String),
            current: Schema.Boolean,
          }),
        ),
      }),
      error: ServiceUnavailable,
    }).annotate(OpenApi.Summary, "The own sessions"),
    HttpApiEndpoint.delete("endSession", "/account/sessions/:id", {
      params: Id,
      success: HttpApiSchema.NoContent,
      error: [NotFound, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "End one of the own sessions"),
  )
  .middleware(SignedIn) {}

export const UserBody = named(
  "User",
  Schema.Struct({
    id: Schema.String,
    name: Schema.String,
    roles: Schema.Array(Schema.String),
    /** Site ids that limit what they see; null = all. */
    sites: maybe(Schema.Array(Schema.String)),
    disabled: Schema.Boolean,
    secondFactor: Schema.Boolean,
    createdMs: Schema.Finite,
    lastSignInMs: maybe(Schema.Finite),
  }),
)
const InvitationBody = named(
  "Invitation",
  Schema.Struct({
    id: Schema.String,
    /** For whom, in the inviter's words: no mail is sent. */
    note: Schema.String,
    roles: Schema.Array(Schema.String),
    sites: maybe(Schema.Array(Schema.String)),
    createdMs: Schema.Finite,
    expiresMs: Schema.Finite,
    by: Schema.String,
  }),
)
const Roles = Schema.Array(word(64)).check(Schema.isMinLength(1), Schema.isMaxLength(16))
const Sites = Schema.NullOr(Schema.Array(word(200)).check(Schema.isMaxLength(1000)))

export class UsersGroup extends HttpApiGroup.make("users")
  .add(
    HttpApiEndpoint.get("list", "/users", {
      query: Page,
      success: pageOf(UserBody),
      error: [BadQuery, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "Users by name"),
    HttpApiEndpoint.get("get", "/users/:id", {
      params: Id,
      success: UserBody,
      error: [NotFound, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "One user, with its ETag"),
    HttpApiEndpoint.patch("update", "/users/:id", {
      params: Id,
      headers: IfMatch,
      payload: Schema.Struct({
        roles: Schema.optionalKey(Roles),
        sites: Schema.optionalKey(Sites),
        disabled: Schema.optionalKey(Schema.Boolean),
      }),
      success: UserBody,
      error: [NotFound, Forbidden, Refused, Changed, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "Nobody gives what they do not hold; the last administrator cannot be taken away"),
    HttpApiEndpoint.delete("remove", "/users/:id", {
      params: Id,
      success: HttpApiSchema.NoContent,
      error: [NotFound, Forbidden, Refused, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "Remove a user; sessions, keys and tokens end at once"),
    HttpApiEndpoint.post("resetTotp", "/users/:id/totp/reset", {
      params: Id,
      success: HttpApiSchema.NoContent,
      error: [NotFound, Forbidden, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "Take the second factor of somebody who lost it"),
    HttpApiEndpoint.post("signOut", "/users/:id/sign-out", {
      params: Id,
      success: HttpApiSchema.NoContent,
      error: [NotFound, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "Ends all sessions and access tokens of this user"),
    HttpApiEndpoint.get("invitations", "/invitations", {
      query: Page,
      success: pageOf(InvitationBody),
      error: [BadQuery, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "Invitations that are open"),
    HttpApiEndpoint.post("invite", "/invitations", {
      headers: Idempotent,
      payload: Schema.Struct({
        note: name(200),
        roles: Roles,
        sites: Schema.optionalKey(Sites),
        hours: Schema.optionalKey(Schema.Finite.check(Schema.isBetween({ minimum: 1, maximum: 720 }))),
      }),
      success: Schema.Struct({ invitation: InvitationBody, token: Schema.String }),
      error: [Conflict, Forbidden, Refused, QuotaExceeded, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "The token is shown this once; hand it over by a way you trust"),
    HttpApiEndpoint.delete("withdraw", "/invitations/:id", {
      params: Id,
      success: HttpApiSchema.NoContent,
      error: [NotFound, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "Withdraw an invitation"),
  )
  .middleware(SignedIn) {}

export const RoleBody = named(
  "Role",
  Schema.Struct({
    name: Schema.String,
    builtIn: Schema.Boolean,
    permissions: Schema.Array(PermissionBody),
    /** Whoever has this role needs a second factor. */
    secondFactorRequired: Schema.Boolean,
    users: Schema.Finite,
  }),
)
export class RolesGroup extends HttpApiGroup.make("roles")
  .add(
    HttpApiEndpoint.get("list", "/roles", {
      success: Schema.Struct({ permissions: Schema.Array(PermissionBody), items: Schema.Array(RoleBody) }),
      error: ServiceUnavailable,
    }).annotate(OpenApi.Summary, "The matrix: built-in roles, then the tenant's own"),
    HttpApiEndpoint.get("get", "/roles/:name", {
      params: { name: word(64) },
      success: RoleBody,
      error: [NotFound, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "One role, with its ETag"),
    HttpApiEndpoint.put("put", "/roles/:name", {
      params: { name: word(64) },
      headers: IfMatch,
      /** A built-in role takes only `secondFactorRequired`. */
      payload: Schema.Struct({
        permissions: Schema.optionalKey(Schema.Array(PermissionBody)),
        secondFactorRequired: Schema.optionalKey(Schema.Boolean),
      }),
      success: RoleBody,
      error: [Forbidden, Refused, Changed, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "Make or change a custom role"),
    HttpApiEndpoint.delete("remove", "/roles/:name", {
      params: { name: word(64) },
      success: HttpApiSchema.NoContent,
      error: [NotFound, Refused, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "Remove a custom role that nobody holds"),
  )
  .middleware(SignedIn) {}
