/** Tenants, users and sessions on a real PostgreSQL, as the roles that production uses. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import * as Effect from "effect/Effect"
import { NO_POSTGRES, useTestDatabase } from "#engine/storage/database.fixture.ts"
import { verifyPassword, hashPassword } from "#engine/storage/password.ts"
import { createSession, deleteSession, findSession } from "#engine/storage/sessions.ts"
import { createTenant, findTenant, listTenants } from "#engine/storage/tenants.ts"
import { changePassword, createUser, userCount, verifyLogin } from "#engine/storage/users.ts"

const run = Effect.runPromise

test("a password hash is argon2id with OWASP's cost, salted, and only its password opens it", async () => {
  const [one, two] = await Promise.all([hashPassword("correct horse"), hashPassword("correct horse")])
  assert.match(one, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
  assert.notEqual(one, two)
  assert.ok(await verifyPassword("correct horse", one))
  assert.ok(!(await verifyPassword("correct horsf", one)))
  for (const broken of ["", "$argon2id$", one.slice(0, 40), one.replace("argon2id", "argon2i")]) {
    assert.equal(await verifyPassword("correct horse", broken), false)
  }
})

test("more logins at once than the bound are refused, not queued without end; the others are answered", async () => {
  const hash = await hashPassword("correct horse")
  const outcomes = await Promise.allSettled(Array.from({ length: 80 }, () => verifyPassword("correct horse", hash)))
  const refused = outcomes.filter((it) => it.status === "rejected")
  assert.equal(refused.length, 80 - 4 - 64)
  assert.ok(refused.every((it) => it.reason._tag === "PasswordBusy"))
})

describe("accounts", { skip: NO_POSTGRES }, () => {
  const it = useTestDatabase()

  test("tenants: made once per slug, listed by slug, found or null; a bad slug is named", async () => {
    const made = await run(createTenant(it.db, { slug: "norte", name: "Norte \u0000Telecom", demo: true }))
    assert.equal(made.name, "Norte \uFFFDTelecom")
    await run(createTenant(it.db, { slug: "centro", name: "Centro", demo: false }))
    assert.deepEqual(
      (await run(listTenants(it.db))).map((tenant) => tenant.slug),
      ["centro", "norte"],
    )
    assert.deepEqual(await run(findTenant(it.db, "norte")), made)
    assert.equal(await run(findTenant(it.db, "sul")), null)
    const taken = await run(Effect.flip(createTenant(it.db, { slug: "norte", name: "x", demo: false })))
    assert.match(taken.message, /norte exists already/)
    const bad = await run(Effect.flip(createTenant(it.db, { slug: "Sul!", name: "x", demo: false })))
    assert.match(bad.message, /"Sul!"/)
  })

  test("users: the first start sees 0, a login finds its tenant, a wrong password, name or tenant is null", async () => {
    assert.equal(await run(userCount(it.db)), 0)
    const norte = (await run(findTenant(it.db, "norte")))!
    const centro = (await run(findTenant(it.db, "centro")))!
    const ada = await run(createUser(it.db, norte.id, { name: "ada", password: "number nine", role: "tenant_admin" }))
    assert.equal(await run(userCount(it.db)), 1)
    const login = (password: string, slug: string | null = null, name = "ada") =>
      run(verifyLogin(it.db, { name, password, slug }))
    assert.deepEqual(await login("number nine"), ada)
    assert.deepEqual(await login("number nine", "norte"), ada)
    assert.equal(await login("number ten"), null)
    assert.equal(await login("number nine", "centro"), null)
    assert.equal(await login("number nine", null, "bob\u0000"), null)
    // The same name in another tenant: each password leads to its own; the same password to nobody without a tenant.
    const other = await run(createUser(it.db, centro.id, { name: "ada", password: "number five", role: "viewer" }))
    assert.deepEqual(await login("number five"), other)
    assert.deepEqual(await login("number nine"), ada)
    await run(changePassword(it.db, centro.id, other.id, "number nine"))
    assert.equal(await login("number nine"), null)
    assert.deepEqual(await login("number nine", "centro"), other)
    const twice = createUser(it.db, norte.id, { name: "ada", password: "number nine", role: "noc" })
    assert.match((await run(Effect.flip(twice))).message, /exists already/)
    const short = createUser(it.db, norte.id, { name: "eve", password: "short", role: "noc" })
    assert.match((await run(Effect.flip(short))).message, /at least 8/)
  })

  test("sessions: only the token finds them, only its hash is stored; expiry, sign-out and a new password end them", async () => {
    const norte = (await run(findTenant(it.db, "norte")))!
    const user = await run(createUser(it.db, norte.id, { name: "bob", password: "long enough", role: "noc" }))
    const { token, session } = await run(createSession(it.db, user, 1_000, 2_000))
    assert.deepEqual(await run(findSession(it.db, token, 1_999)), session)
    assert.deepEqual(session.user, user)
    assert.ok(!session.id.includes(token))
    for (const wrong of ["", token.slice(1), `${token.slice(0, -1)}-`, "x".repeat(10_000)]) {
      assert.equal(await run(findSession(it.db, wrong, 1_000)), null)
    }
    assert.equal(await run(findSession(it.db, token, 2_000)), null)
    const dump = await run(it.db.engine((tx) => tx.query("select s::text as row from session s")))
    assert.ok(dump.rows.length > 0 && !JSON.stringify(dump.rows).includes(token))
    await run(deleteSession(it.db, token))
    assert.equal(await run(findSession(it.db, token, 1_500)), null)
    const next = await run(createSession(it.db, user, 1_000, 2_000))
    await run(changePassword(it.db, norte.id, user.id, "longer enough"))
    assert.equal(await run(findSession(it.db, next.token, 1_500)), null)
    // Expired rows are swept by the next login.
    await run(createSession(it.db, user, 1_000, 1_001))
    await run(createSession(it.db, user, 5_000, 9_000))
    const { rows } = await run(it.db.tenant(norte.id)((tx) => tx.query("select count(*)::int as n from session")))
    assert.equal(rows[0]?.["n"], 1)
  })

  test("a disabled user has no session and cannot log in", async () => {
    const norte = (await run(findTenant(it.db, "norte")))!
    const user = await run(createUser(it.db, norte.id, { name: "carl", password: "long enough", role: "noc" }))
    const { token } = await run(createSession(it.db, user, 1, 1e12))
    await run(
      it.db.tenant(norte.id)((tx) => tx.query("update app_user set disabled = true where user_id = $1", [user.id])),
    )
    assert.equal(await run(findSession(it.db, token, 2)), null)
    assert.equal(await run(verifyLogin(it.db, { name: "carl", password: "long enough", slug: null })), null)
  })
})
