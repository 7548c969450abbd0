/** The acts on people and on what they sign in with, for the audit's table of routes: what each is called with, and its rows. */
import { Secret, TOTP } from "otpauth"
import type { Ask, Prepare } from "#engine/audit/calls.fixture.ts"
import { ADMIN_PASSWORD, type OneTenant, type TwoTenants } from "#engine/isolation/two-tenants.fixture.ts"

export interface Table {
  readonly ask: Ask
  readonly unique: (word: string) => string
  /** Both are there when the first call is prepared; the caller's is `a`. */
  readonly tenants: Pick<TwoTenants, "a" | "b">
}

/** Of everybody but the administrator. */
export const PASSWORD = "correct horse of a person"

const adminOf = ({ slug }: OneTenant): object => ({ user: "admin", password: ADMIN_PASSWORD, tenant: slug })

/** The cookie of a new session. */
export const signInAdmin = async ({ ask, tenants: { a } }: Pick<Table, "ask" | "tenants">): Promise<string> =>
  (await ask("signIn.create", { as: null, body: adminOf(a) })).cookie

/** Of the administrator, as a program gets them. */
export const tokensOf = async ({
  ask,
  tenants: { a },
}: Pick<Table, "ask" | "tenants">): Promise<{ accessToken: string; refreshToken: string }> =>
  (await ask("tokens.create", { as: null, body: adminOf(a) })).body

export const peopleCalls = (table: Table) => {
  const { ask, unique, tenants } = table
  const signIn = async (user: string, password: string): Promise<string> =>
    (await ask("signIn.create", { as: null, body: { user, password } })).cookie
  const person = async (
    roles: readonly string[] = ["viewer"],
  ): Promise<{ id: string; name: string; cookie: string }> => {
    const name = unique("person")
    const token = await invitation(roles)
    await ask("signIn.acceptInvitation", { as: null, body: { token, name, password: PASSWORD } })
    const cookie = await signIn(name, PASSWORD)
    const session = (await ask("session.get", { as: cookie })).body as { user: { id: string } }
    return { id: session.user.id, name, cookie }
  }
  const invite = async (roles: readonly string[]): Promise<{ invitation: { id: string }; token: string }> =>
    (await ask("users.invite", { body: { note: unique("for"), roles } })).body
  const invitation = async (roles: readonly string[] = ["viewer"]): Promise<string> => (await invite(roles)).token
  const codeOf = (secret: string): string => new TOTP({ secret: Secret.fromBase32(secret) }).generate()
  const begun = async (cookie: string): Promise<string> =>
    ((await ask("account.beginTotp", { as: cookie, body: { password: PASSWORD } })).body as { secret: string }).secret
  /** With a second factor, and a recovery code of theirs: a code of the app works only once in its time. */
  const guarded = async (): Promise<{ id: string; cookie: string; code: string }> => {
    const { id, cookie } = await person()
    const confirmed = await ask("account.confirmTotp", { as: cookie, body: { code: codeOf(await begun(cookie)) } })
    // The session goes on under a new name (ASVS 7.2.4).
    return {
      id,
      cookie: confirmed.cookie,
      code: (confirmed.body as { recoveryCodes: readonly string[] }).recoveryCodes[0]!,
    }
  }
  const role = async (): Promise<string> => {
    const name = unique("watch")
    await ask("roles.put", { params: { name }, body: { permissions: ["network.read"] } })
    return name
  }
  const keyBody = () => ({ name: unique("key"), scope: ["network.read"], days: 1 })
  return {
    "signIn.create": async () => {
      const { name } = await person()
      return { as: null, body: { user: name, password: PASSWORD }, action: /^session\.create$/ }
    },
    "signIn.acceptInvitation": async () => ({
      as: null,
      body: { token: await invitation(), name: unique("guest"), password: PASSWORD },
      action: /^(user|invitation)\./,
    }),
    // As the entering: in the audits of both.
    "session.leaveGrant": async () => {
      const as = await signInAdmin(table)
      await ask("tenants.enter", { as, params: { slug: tenants.b.slug }, body: { reason: "ticket 4712", minutes: 1 } })
      return { as, action: /^tenant\.leave$/, audits: [tenants.a.slug, tenants.b.slug] }
    },
    "session.remove": async () => ({ as: (await person()).cookie, action: /^session\.remove$/ }),
    "account.password": async () => ({
      as: (await person()).cookie,
      body: { password: PASSWORD, newPassword: `${PASSWORD} 2` },
      action: /password/,
    }),
    "account.beginTotp": async () => ({ as: (await person()).cookie, body: { password: PASSWORD }, action: /totp/i }),
    "account.confirmTotp": async () => {
      const { cookie } = await person()
      return { as: cookie, body: { code: codeOf(await begun(cookie)) }, action: /totp/i }
    },
    "account.removeTotp": async () => {
      const { cookie, code } = await guarded()
      return { as: cookie, body: { password: PASSWORD, code }, action: /totp/i }
    },
    "account.endSession": async () => {
      const { name, cookie } = await person()
      await signIn(name, PASSWORD)
      const { items } = (await ask("account.sessions", { as: cookie })).body as {
        items: ReadonlyArray<{ id: string; current: boolean }>
      }
      return { as: cookie, params: { id: items.find(({ current }) => !current)!.id }, action: /^session\./ }
    },
    "users.update": async () => ({
      params: { id: (await person()).id },
      body: { roles: ["engineer"] },
      action: /^user\.update$/,
    }),
    "users.remove": async () => ({ params: { id: (await person()).id }, action: /^user\.(remove|delete)$/ }),
    "users.resetTotp": async () => ({ params: { id: (await guarded()).id }, action: /totp/i }),
    "users.signOut": async () => ({ params: { id: (await person()).id }, action: /^user\./ }),
    "users.invite": async () => ({ body: { note: "for bob", roles: ["viewer"] }, action: /invit/ }),
    "users.withdraw": async () => ({
      params: { id: (await invite(["viewer"])).invitation.id },
      action: /^invitation\./,
    }),
    "roles.put": async () => ({
      params: { name: await role() },
      body: { permissions: ["network.read", "replay.view"] },
      action: /^role\./,
    }),
    "roles.remove": async () => ({ params: { name: await role() }, action: /^role\./ }),
    "keys.create": async () => ({ body: keyBody(), action: /^(apiKey|apikey|key)\.create$/ }),
    "keys.revoke": async () => {
      const { key } = (await ask("keys.create", { body: keyBody() })).body as { key: { id: string } }
      return { params: { id: key.id }, action: /^(apiKey|apikey|key)\./ }
    },
    "tokens.create": async () => ({
      as: null,
      body: adminOf(tenants.a),
      action: /^token/,
    }),
    // A program renews its access by itself; that it does is a sign of life that an auditor may ask for.
    "tokens.refresh": async () => ({
      as: null,
      body: { refreshToken: (await tokensOf(table)).refreshToken },
      action: /^token\.refresh$/,
    }),
    "tokens.revoke": async () => ({
      as: null,
      body: { refreshToken: (await tokensOf(table)).refreshToken },
      action: /^token/,
    }),
  } satisfies Readonly<Record<string, Prepare>>
}
