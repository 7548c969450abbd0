/** Tenants, users and sessions on a real PostgreSQL, as the roles that production uses. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import * as Effect from "effect/Effect"
import { NO_POSTGRES, useTestDatabase } from "#engine/storage/database.fixture.ts"
import { DbError } from "#engine/storage/db.ts"
import { verifyPassword, hashPassword } from "#engine/storage/password.ts"
import {
  createSession,
  endSession,
  endSessionsOf,
  findSession,
  SESSIONS_PER_USER_MAX,
  sessionsOf,
  setGrant,
  type Session,
} from "#engine/storage/sessions.ts"
import { createTenant, findTenant, listTenants } from "#engine/storage/tenants.ts"
import { readTenantToken } from "#engine/storage/tenant-token.ts"
import { createUser, hasUsers, lockUser, pageUsers, verifyLogin } from "#engine/storage/users.ts"
import { uuidv7 } from "#engine/storage/uuidv7.ts"
import type { TenantId } from "#protocol/id.ts"

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
  const find = (token: string, nowMs: number): Promise<Session | null> => {
    const read = readTenantToken("", token)
    return read === null
      ? Promise.resolve(null)
      : run(it.db.tenant(read.tenant)((tx) => findSession(tx, read.tenant, read.sha256, nowMs)))
  }
  const open = (tenant: TenantId, userId: string, nowMs: number, expiresAtMs: number, source: string | null = null) =>
    run(it.db.tenant(tenant)((tx) => createSession(tx, tenant, { userId, source, nowMs, expiresAtMs })))

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
    assert.equal(await run(hasUsers(it.db)), false)
    const norte = (await run(findTenant(it.db, "norte")))!
    const ada = await run(
      createUser(it.db, norte.id, { name: "ada", password: "number nine", roles: ["tenant_admin", "auditor"] }),
    )
    assert.equal(await run(hasUsers(it.db)), true)
    const login = async (password: string, slug: string | null = null, name = "ada") => {
      const found = await run(verifyLogin(it.db, { name, password, slug }))
      if (found === null) return null
      const { password: hash, ...user } = found
      assert.match(hash, /^\$argon2id/)
      return user
    }
    assert.deepEqual(await login("number nine"), ada)
    assert.deepEqual(await login("number nine", "norte"), ada)
    assert.equal(await login("number ten"), null)
    assert.equal(await login("number nine", "centro"), null)
    assert.equal(await login("number nine", null, "bob\u0000"), null)
    const twice = createUser(it.db, norte.id, { name: "ada", password: "number nine", roles: ["noc"] })
    assert.match((await run(Effect.flip(twice))).message, /exists already/)
    const short = createUser(it.db, norte.id, { name: "eve", password: "short", roles: ["noc"] })
    assert.match((await run(Effect.flip(short))).message, /at least 8/)
  })

  test("[29] the same name made in another tenant later takes nobody's sign-in away: it needs its tenant's slug", async () => {
    const [norte, centro] = [(await run(findTenant(it.db, "norte")))!, (await run(findTenant(it.db, "centro")))!]
    const other = await run(createUser(it.db, centro.id, { name: "ada", password: "number five", roles: ["viewer"] }))
    const login = async (password: string, slug: string | null) =>
      (await run(verifyLogin(it.db, { name: "ada", password, slug })))?.tenant
    assert.equal(await login("number nine", null), norte.id)
    assert.equal(await login("number five", null), undefined)
    assert.equal(await login("number five", "centro"), centro.id)
    assert.equal(await login("number five", "norte"), undefined)
    assert.equal(other.tenant, centro.id)
  })

  test("[T3] a tenant's own database that is away keeps only its own people out", async () => {
    const away = new DbError({ code: "57P03", message: "the database is starting up" })
    const db = { ...it.db, engines: [it.db.engine, () => Effect.fail(away)] }
    const found = await run(verifyLogin(db, { name: "ada", password: "number nine", slug: null }))
    assert.equal(found?.name, "ada")
    assert.equal(await run(verifyLogin(db, { name: "ada", password: "number ten", slug: null })), null)
    assert.equal(await run(Effect.flip(verifyLogin(db, { name: "elsewhere", password: "x", slug: null }))), away)
    assert.equal(await run(hasUsers(db)), true)
  })

  test("sessions: only the token finds them, only its hash is stored; expiry and sign-out end them", async () => {
    const norte = (await run(findTenant(it.db, "norte")))!
    const user = await run(createUser(it.db, norte.id, { name: "bob", password: "long enough", roles: ["noc"] }))
    const { token, id } = await open(norte.id, user.id, 1_000, 2_000, "192.0.2.1")
    assert.deepEqual(await find(token, 1_999), {
      id,
      userId: user.id,
      createdMs: 1_000,
      expiresAtMs: 2_000,
      source: "192.0.2.1",
      grant: null,
    })
    assert.ok(!id.includes(token) && !token.includes(id))
    // The last character of 43 carries 4 bits of the token, so that another one always is another token.
    for (const wrong of ["", token.slice(1), `${token.slice(0, -2)}--`, "x".repeat(10_000)])
      assert.equal(await find(wrong, 1_000), null)
    assert.equal(await find(token, 2_000), null)
    const dump = await run(it.db.tenant(norte.id)((tx) => tx.query("select s::text as row from session s")))
    assert.ok(dump.rows.length > 0 && !JSON.stringify(dump.rows).includes(token))
    assert.ok(await run(it.db.tenant(norte.id)((tx) => endSession(tx, norte.id, user.id, id))))
    assert.ok(!(await run(it.db.tenant(norte.id)((tx) => endSession(tx, norte.id, user.id, id)))))
    assert.equal(await find(token, 1_500), null)
    const next = await open(norte.id, user.id, 1_000, 2_000)
    await run(it.db.tenant(norte.id)((tx) => endSessionsOf(tx, norte.id, user.id)))
    assert.equal(await find(next.token, 1_500), null)
    // Expired rows are swept by the next login.
    await open(norte.id, user.id, 1_000, 1_001)
    await open(norte.id, user.id, 5_000, 9_000)
    const { rows } = await run(it.db.tenant(norte.id)((tx) => tx.query("select count(*)::int as n from session")))
    assert.equal(rows[0]?.["n"], 1)
  })

  test("[T1] a session's id or token of another tenant ends and finds nothing, and the engine role sees no session", async () => {
    const [norte, centro] = [(await run(findTenant(it.db, "norte")))!, (await run(findTenant(it.db, "centro")))!]
    const user = await run(createUser(it.db, norte.id, { name: "carla", password: "long enough", roles: ["noc"] }))
    const { token, id } = await open(norte.id, user.id, 1, 1e12)
    assert.ok(!(await run(it.db.tenant(centro.id)((tx) => endSession(tx, centro.id, user.id, id)))))
    const { sha256 } = readTenantToken("", token)!
    assert.equal(await run(it.db.tenant(centro.id)((tx) => findSession(tx, norte.id, sha256, 2))), null)
    const refused = await run(Effect.flip(it.db.engine((tx) => tx.query("select 1 from session"))))
    assert.equal(refused.code, "42501")
    assert.notEqual(await find(token, 2), null)
  })

  test("a person has a bounded number of sessions; the oldest makes room", async () => {
    const norte = (await run(findTenant(it.db, "norte")))!
    const user = await run(createUser(it.db, norte.id, { name: "dora", password: "long enough", roles: ["noc"] }))
    const tokens: string[] = []
    for (let index = 0; index < SESSIONS_PER_USER_MAX + 3; index++)
      tokens.push((await open(norte.id, user.id, 10 + index, 1e12)).token)
    const kept = await run(it.db.tenant(norte.id)((tx) => sessionsOf(tx, norte.id, user.id, 100)))
    assert.equal(kept.length, SESSIONS_PER_USER_MAX)
    assert.deepEqual(await Promise.all(tokens.slice(0, 4).map(async (one) => (await find(one, 100)) !== null)), [
      false,
      false,
      false,
      true,
    ])
  })

  test("[T10] a grant is kept with its session, whole or not at all", async () => {
    const [norte, centro] = [(await run(findTenant(it.db, "norte")))!, (await run(findTenant(it.db, "centro")))!]
    const user = await run(createUser(it.db, norte.id, { name: "root", password: "long enough", roles: ["noc"] }))
    const { token, id } = await open(norte.id, user.id, 1, 1e12)
    const grant = { id: uuidv7(), tenant: centro.id, reason: "ticket 1", untilMs: 5_000 }
    const give = (it_: typeof grant | null, session = id) =>
      run(it.db.tenant(norte.id)((tx) => setGrant(tx, norte.id, { userId: user.id, id: session }, it_)))
    assert.ok(await give(grant))
    assert.deepEqual((await find(token, 2))?.grant, grant)
    assert.ok(!(await give(grant, "0".repeat(32))))
    assert.ok(await give(null))
    assert.equal((await find(token, 2))?.grant, null)
    const half = it.db.tenant(norte.id)((tx) => tx.query("update session set grant_id = user_id"))
    assert.equal((await run(Effect.flip(half))).code, "23514")
  })

  test("records: by pages in the order they were made, each once; an id that is none is nobody's", async () => {
    const tenant = await it.newTenant()
    const made: string[] = []
    for (let index = 0; index < 7; index++)
      made.push(
        (await run(createUser(it.db, tenant, { name: `u${index}`, password: "long enough", roles: ["noc"] }))).id,
      )
    const seen: string[] = []
    let after: string | null = null
    for (;;) {
      const page = await run(it.db.tenant(tenant)((tx) => pageUsers(tx, tenant, after, 3)))
      if (page.length === 0) break
      seen.push(...page.map((user) => user.id))
      after = page.at(-1)!.id
    }
    assert.deepEqual(seen, made)
    for (const id of ["", "x", uuidv7(), `${made[0]}'`])
      assert.equal(await run(it.db.tenant(tenant)((tx) => lockUser(tx, tenant, id))), null)
    const first = (await run(it.db.tenant(tenant)((tx) => lockUser(tx, tenant, made[0]!))))!
    assert.deepEqual(
      [first.name, first.roles, first.sites, first.disabled, first.secondFactor, first.lastSignInMs],
      ["u0", ["noc"], null, false, false, null],
    )
  })

  test("a disabled user cannot log in", async () => {
    const norte = (await run(findTenant(it.db, "norte")))!
    const user = await run(createUser(it.db, norte.id, { name: "carl", password: "long enough", roles: ["noc"] }))
    await run(
      it.db.tenant(norte.id)((tx) => tx.query("update app_user set disabled = true where user_id = $1", [user.id])),
    )
    assert.equal(await run(verifyLogin(it.db, { name: "carl", password: "long enough", slug: null })), null)
  })
})
