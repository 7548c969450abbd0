/** resolve.ts: what a cookie's principal is made of, read anew each time, on a real database. */
import assert from "node:assert/strict"
import { before, describe, test } from "node:test"
import * as Effect from "effect/Effect"
import type { Principal } from "#engine/access/principal.ts"
import { composeResolve, cookieResolve } from "#engine/people/resolve.ts"
import { NO_POSTGRES, useTestDatabase } from "#engine/storage/database.fixture.ts"
import { createSession, setGrant } from "#engine/storage/sessions.ts"
import { createUser } from "#engine/storage/users.ts"
import { uuidv7 } from "#engine/storage/uuidv7.ts"
import type { TenantId } from "#protocol/id.ts"

describe("the resolver of cookies", { skip: NO_POSTGRES }, () => {
  const it = useTestDatabase()
  let tenant: TenantId
  let other: TenantId
  const clock = { ms: 1_000_000 }
  before(async () => {
    tenant = await it.newTenant()
    other = await it.newTenant()
  })
  const resolve = (token: string, suspended: readonly TenantId[] = []): Promise<Principal | null> =>
    Effect.runPromise(
      cookieResolve(
        it.db,
        () => clock.ms,
        (one) => suspended.includes(one),
      )({ kind: "cookie", token }),
    )
  const sql = (text: string, values: readonly unknown[] = []): Promise<unknown> =>
    Effect.runPromise(it.db.tenant(tenant)((tx) => tx.query(text, values)))
  const open = async (name: string, roles: readonly string[]) => {
    const user = await Effect.runPromise(createUser(it.db, tenant, { name, password: "long enough", roles }))
    const session = { userId: user.id, source: null, nowMs: clock.ms, expiresAtMs: clock.ms + 60_000 }
    return { user, ...(await Effect.runPromise(it.db.tenant(tenant)((tx) => createSession(tx, tenant, session)))) }
  }

  test("[S1] permissions are the union of the roles, the tenant's own included; an unknown word in them gives nothing", async () => {
    await sql("insert into tenant_role (tenant_id, name, permissions) values ($1, 'clerk', $2)", [
      tenant,
      ["users.manage", "made.up"],
    ])
    const { token, user, id } = await open("una", ["viewer", "clerk", "gone"])
    const who = (await resolve(token))!
    assert.deepEqual([...who.permissions], ["users.manage", "network.read", "replay.view"])
    assert.deepEqual(
      [who.userId, who.userName, who.tenant, who.roles, who.sites, who.secondFactor, who.grant],
      [user.id, "una", tenant, ["viewer", "clerk", "gone"], null, "ok", null],
    )
    assert.deepEqual(who.credential, { kind: "session", id, expiresAtMs: clock.ms + 60_000 })
    await sql("update app_user set sites = '{pop-1}', roles = '{viewer}' where user_id = $1", [user.id])
    const changed = (await resolve(token))!
    assert.deepEqual([changed.sites, [...changed.permissions]], [["pop-1"], ["network.read", "replay.view"]])
  })

  test("[29] expired, disabled, removed, suspended: all null, and no other text is a session", async () => {
    const { token, user } = await open("dis", ["viewer"])
    assert.notEqual(await resolve(token), null)
    assert.equal(await resolve(token, [tenant]), null)
    assert.notEqual(await resolve(token, [other]), null)
    clock.ms += 59_999
    assert.notEqual(await resolve(token), null)
    clock.ms += 1
    assert.equal(await resolve(token), null)
    clock.ms -= 60_000
    await sql("update app_user set disabled = true where user_id = $1", [user.id])
    assert.equal(await resolve(token), null)
    await sql("update app_user set disabled = false where user_id = $1", [user.id])
    assert.notEqual(await resolve(token), null)
    await sql("delete from app_user where user_id = $1", [user.id])
    assert.equal(await resolve(token), null)
    for (const text of ["", "x", token.slice(0, -1), `hgk_${token}`]) assert.equal(await resolve(text), null)
  })

  test("[S4] a demanded second factor that is missing says enrol, until it is in force", async () => {
    const { token, user } = await open("sec", ["manager"])
    await sql("insert into tenant_role (tenant_id, name, second_factor_required) values ($1, 'manager', true)", [
      tenant,
    ])
    assert.equal((await resolve(token))!.secondFactor, "enrol")
    await sql("insert into user_totp (tenant_id, user_id, key_version, sealed, begun_ms) values ($1, $2, 1, 'x', 1)", [
      tenant,
      user.id,
    ])
    assert.equal((await resolve(token))!.secondFactor, "enrol")
    await sql("update user_totp set confirmed_ms = 2 where user_id = $1", [user.id])
    assert.equal((await resolve(token))!.secondFactor, "ok")
  })

  test("[T10] a grant reads the other tenant and nothing else, until its end or until its holder may give none", async () => {
    const { token, user, id } = await open("plat", ["platform_admin"])
    const grant = { id: uuidv7(), tenant: other, reason: "ticket", untilMs: clock.ms + 1_000 }
    await Effect.runPromise(it.db.tenant(tenant)((tx) => setGrant(tx, tenant, { userId: user.id, id }, grant)))
    const granted = (await resolve(token))!
    assert.deepEqual(
      [granted.tenant, [...granted.permissions], granted.sites, granted.credential.expiresAtMs],
      [other, ["network.read"], null, grant.untilMs],
    )
    assert.deepEqual(granted.grant, { id: grant.id, home: tenant, reason: "ticket", untilMs: grant.untilMs })
    await sql("update app_user set roles = '{tenant_admin}' where user_id = $1", [user.id])
    assert.deepEqual([(await resolve(token))!.tenant, (await resolve(token))!.grant], [tenant, null])
    await sql("update app_user set roles = '{platform_admin}' where user_id = $1", [user.id])
    assert.equal((await resolve(token))!.tenant, other)
    clock.ms += 1_000
    const after = (await resolve(token))!
    assert.deepEqual([after.tenant, after.grant, after.permissions.has("tenants.manage")], [tenant, null, true])
  })

  test("[S3] each kind of credential goes to its own resolver, and to none where there is none", async () => {
    const told: string[] = []
    const say = (name: string) => () => Effect.sync(() => (told.push(name), null))
    const both = composeResolve({ cookie: say("cookie"), bearer: say("bearer") })
    await Effect.runPromise(both({ kind: "cookie", token: "x" }))
    await Effect.runPromise(both({ kind: "bearer", token: "x" }))
    const one = composeResolve({ cookie: say("cookie"), bearer: null })
    assert.equal(await Effect.runPromise(one({ kind: "bearer", token: "x" })), null)
    assert.deepEqual(told, ["cookie", "bearer"])
  })
})
