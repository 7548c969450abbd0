/** Signing in, the second factor and a person's own sessions over real HTTP: rows S1 S4, goal 29 of the notes. */
import assert from "node:assert/strict"
import { after, before, describe, test } from "node:test"
import * as Effect from "effect/Effect"
import { Secret, TOTP } from "otpauth"
import { CODE_GUARD } from "#engine/api/account-guard.ts"
import { DELAY_MS_MAX, PAIR_FREE, PAIR_SHUT } from "#engine/api/login-guard.ts"
import { PASSWORD, startPeople, type Answer, type PeopleRig } from "#engine/people/people.fixture.ts"
import { RECOVERY_CODES, STEP_MS } from "#engine/people/second-factor.ts"
import { NO_POSTGRES, useTestDatabase } from "#engine/storage/database.fixture.ts"
import { setGrant } from "#engine/storage/sessions.ts"
import { uuidv7 } from "#engine/storage/uuidv7.ts"
import { hello, openViewer } from "#engine/stream/viewer.fixture.ts"
import type { TenantId } from "#protocol/id.ts"
import { CLOSE } from "#protocol/wire.ts"

describe("accounts", { skip: NO_POSTGRES }, () => {
  const it = useTestDatabase()
  let rig: PeopleRig
  before(async () => (rig = await startPeople(it)))
  after(() => rig.close())

  const signIn = (name: string, more: Readonly<Record<string, string>> = {}, from?: string): Promise<Answer> =>
    rig.call("POST", "/session", {
      body: { user: name, password: PASSWORD, ...more },
      ...(from === undefined ? {} : { from }),
    })
  const said = (answer: Answer): readonly [number, string] => [answer.status, answer.type]
  const codeAt = (secret: string, atMs: number): string =>
    TOTP.generate({ secret: Secret.fromBase32(secret), timestamp: atMs })
  /** Sets up a second factor and leaves its step behind, so that the next code is a fresh one. */
  const enrol = async (cookie: string) => {
    const { secret, uri } = (await rig.call("POST", "/account/totp", { cookie, body: { password: PASSWORD } }))
      .body as {
      secret: string
      uri: string
    }
    const confirmed = await rig.call("PUT", "/account/totp", { cookie, body: { code: codeAt(secret, rig.nowMs()) } })
    assert.equal(confirmed.status, 200, JSON.stringify(confirmed.body))
    rig.advance(STEP_MS)
    const { recoveryCodes } = confirmed.body as { recoveryCodes: readonly string[] }
    return { secret, uri, recoveryCodes, cookie: confirmed.cookie! }
  }
  const actions = async (tenant: TenantId): Promise<readonly unknown[]> =>
    (await rig.audit(tenant)).map((row) => row["action"])

  test("a wrong password, an unknown user, another tenant's and a suspended one's get the same answer for the same work", async () => {
    await rig.newUser(rig.a, "ada", ["noc"])
    await rig.newUser(rig.b, "bob", ["noc"])
    const wrong = await signIn("ada", { password: "wrong" })
    rig.suspended.add(rig.b)
    const others = [
      await signIn("nobody"),
      await signIn("ada", { tenant: rig.slugOf(rig.b) }),
      await signIn("ada", { tenant: "no-such" }),
      await signIn("bob"),
      await signIn("\u0000"),
    ]
    rig.suspended.delete(rig.b)
    assert.deepEqual(said(wrong), [401, "wrong-credentials"])
    for (const answer of others) assert.deepEqual([answer.body, answer.cookie], [wrong.body, null])
    // In turns, so that a busy machine slows both alike.
    const spent: Record<"ada" | "nobody", number[]> = { ada: [], nobody: [] }
    for (let index = 0; index < 31; index++) {
      for (const name of ["ada", "nobody"] as const) {
        const startedMs = performance.now()
        await signIn(name, { password: "wrong" })
        spent[name].push(performance.now() - startedMs)
      }
    }
    const median = (times: readonly number[]): number => times.toSorted((one, two) => one - two)[15]!
    const [known, unknown] = [median(spent.ada), median(spent.nobody)]
    console.log(`wrong password: median ${known.toFixed(1)} ms known user, ${unknown.toFixed(1)} ms unknown user`)
    // Without a hash for the unknown name it would be one tenth; what a busy machine adds to one of them is far below three times.
    assert.ok(Math.max(known, unknown) / Math.min(known, unknown) < 3, `${known} ms, ${unknown} ms`)
  })

  test("[29] signing in always opens a session of its own; its cookie is worth nothing to another tenant or when changed", async () => {
    const [one, two] = [await rig.cookieOf("ada"), await rig.cookieOf("ada")]
    assert.notEqual(one, two)
    assert.equal((await rig.call("GET", "/session", { cookie: one })).status, 200)
    const [name = "", token = ""] = one.split("=")
    const random = token.split(".")[1]!
    const foreign = Buffer.from(rig.b.replaceAll("-", ""), "hex").toString("base64url")
    for (const other of [`${foreign}.${random}`, random, `${token}A`, token.replace(".", "")])
      assert.equal((await rig.call("GET", "/session", { cookie: `${name}=${other}` })).status, 401)
    assert.equal((await rig.call("DELETE", "/session", { cookie: one })).status, 204)
    assert.equal((await rig.call("GET", "/session", { cookie: one })).status, 401)
    assert.equal((await rig.call("GET", "/session", { cookie: two })).status, 200)
    assert.deepEqual((await actions(rig.a)).slice(-3), ["session.create", "session.create", "session.remove"])
  })

  test("a suspended tenant's sessions are strangers, and people again when it is not", async () => {
    const cookie = await rig.cookieOf("ada")
    rig.suspended.add(rig.a)
    rig.doors.forget({ tenant: rig.a })
    assert.equal((await rig.call("GET", "/session", { cookie })).status, 401)
    rig.suspended.delete(rig.a)
    assert.equal((await rig.call("GET", "/session", { cookie })).status, 200)
  })

  test("[29] a new password: re-authenticated, a new cookie for this session, all others and their streams ended", async () => {
    await rig.newUser(rig.a, "paul", ["noc"])
    const [mine, other] = [await rig.cookieOf("paul"), await rig.cookieOf("paul")]
    const viewer = await openViewer(rig.streamUrl, { cookie: other })
    viewer.send(hello())
    await viewer.until(() => viewer.frames.length > 0)
    const change = (cookie: string, password: string, newPassword: string) =>
      rig.call("PUT", "/account/password", { cookie, body: { password, newPassword } })
    assert.deepEqual(said(await change(mine, "not mine", "another good one")), [401, "wrong-credentials"])
    assert.deepEqual(said(await change(mine, PASSWORD, "short")), [422, "refused"])
    const changed = await change(mine, PASSWORD, "another good one")
    assert.equal(changed.status, 204)
    assert.equal(await viewer.closed, CLOSE.SIGNED_OUT)
    for (const cookie of [mine, other]) assert.equal((await rig.call("GET", "/session", { cookie })).status, 401)
    assert.equal((await rig.call("GET", "/session", { cookie: changed.cookie! })).status, 200)
    assert.equal((await signIn("paul")).status, 401)
    assert.equal((await signIn("paul", { password: "another good one" })).status, 204)
  })

  test("own sessions: where from, which one this is; another's id is 404, an ended one is refused at once", async () => {
    await rig.newUser(rig.a, "sam", ["noc"])
    const mine = (await signIn("sam", {}, "198.51.100.7")).cookie!
    const other = (await signIn("sam", {}, "203.0.113.9")).cookie!
    const list = async (cookie: string) =>
      (
        (await rig.call("GET", "/account/sessions", { cookie })).body as {
          items: ReadonlyArray<{ id: string; source: string; current: boolean }>
        }
      ).items
    const sessions = await list(mine)
    assert.deepEqual(
      sessions.map(({ source, current }) => [source, current]),
      [
        ["203.0.113.9", false],
        ["198.51.100.7", true],
      ],
    )
    const end = async (id: string, cookie: string) =>
      (await rig.call("DELETE", `/account/sessions/${id}`, { cookie })).status
    assert.equal(await end(sessions[0]!.id, await rig.cookieOf("ada")), 404)
    assert.equal(await end(sessions[0]!.id, mine), 204)
    assert.equal(await end(sessions[0]!.id, mine), 404)
    assert.equal((await rig.call("GET", "/session", { cookie: other })).status, 401)
    assert.equal((await list(mine)).length, 1)
  })

  test("[S4] TOTP: begun, confirmed by a code, then demanded; each code is taken once; clocks may be one step apart", async () => {
    await rig.newUser(rig.a, "tina", ["noc"])
    const first = await rig.cookieOf("tina")
    assert.deepEqual(said(await rig.call("POST", "/account/totp", { cookie: first, body: { password: "wrong" } })), [
      401,
      "wrong-credentials",
    ])
    const { secret, uri, recoveryCodes, cookie } = await enrol(first)
    assert.match(
      uri,
      /^otpauth:\/\/totp\/Heliograph:tina\?issuer=Heliograph&secret=[A-Z2-7]{32}&algorithm=SHA1&digits=6&period=30$/,
    )
    assert.equal(new Set(recoveryCodes).size, RECOVERY_CODES)
    // What was open without the factor is no more; this session has a new id.
    assert.equal((await rig.call("GET", "/session", { cookie: first })).status, 401)
    const me = (await rig.call("GET", "/session", { cookie })).body as { secondFactor: unknown }
    assert.deepEqual(me.secondFactor, { enabled: true, required: false })
    assert.deepEqual(said(await rig.call("POST", "/account/totp", { cookie, body: { password: PASSWORD } })), [
      409,
      "conflict",
    ])
    assert.deepEqual(said(await rig.call("PUT", "/account/totp", { cookie, body: { code: "000000" } })), [
      409,
      "conflict",
    ])

    assert.deepEqual(said(await signIn("tina")), [401, "second-factor-needed"])
    assert.deepEqual(said(await signIn("tina", { password: "wrong" })), [401, "wrong-credentials"])
    const code = codeAt(secret, rig.nowMs())
    assert.deepEqual(said(await signIn("tina", { password: "wrong", code })), [401, "wrong-credentials"])
    assert.equal((await signIn("tina", { code })).status, 204)
    assert.deepEqual(said(await signIn("tina", { code })), [401, "wrong-credentials"])
    // The step before is older than the last one taken; the next one may come from a clock that is ahead.
    assert.equal((await signIn("tina", { code: codeAt(secret, rig.nowMs() - STEP_MS) })).status, 401)
    assert.equal((await signIn("tina", { code: codeAt(secret, rig.nowMs() + 2 * STEP_MS) })).status, 401)
    assert.equal((await signIn("tina", { code: codeAt(secret, rig.nowMs() + STEP_MS) })).status, 204)
    // Nothing of it is readable in the database.
    const dump = await Effect.runPromise(
      it.db.tenant(rig.a)((tx) => tx.query("select t::text as row from user_totp t")),
    )
    assert.ok(dump.rows.length > 0 && !JSON.stringify(dump.rows).includes(secret))
  })

  test("[S4] of twenty sign-ins with one code at one moment, one gets in", async () => {
    await rig.newUser(rig.a, "race", ["noc"])
    const { secret, recoveryCodes } = await enrol(await rig.cookieOf("race"))
    const statuses = async (code: string): Promise<readonly number[]> => {
      // More than the guard checks at once are told to come back: three waves of four.
      const found: number[] = []
      for (let wave = 0; wave < 5; wave++)
        found.push(...(await Promise.all([1, 2, 3, 4].map(() => signIn("race", { code })))).map(({ status }) => status))
      return found
    }
    assert.equal((await statuses(codeAt(secret, rig.nowMs()))).filter((status) => status === 204).length, 1)
    assert.equal((await statuses(recoveryCodes[0]!)).filter((status) => status === 204).length, 1)
  })

  test("[S4] recovery codes: each once, in any spelling, stored as hashes; removing the factor needs password and code", async () => {
    await rig.newUser(rig.a, "rita", ["noc"])
    const { secret, recoveryCodes, cookie } = await enrol(await rig.cookieOf("rita"))
    const [first = "", second = "", third = ""] = recoveryCodes
    assert.equal((await signIn("rita", { code: first.toUpperCase().replaceAll("-", " ") })).status, 204)
    assert.deepEqual(said(await signIn("rita", { code: first })), [401, "wrong-credentials"])
    assert.equal((await signIn("rita", { code: second })).status, 204)
    const remove = (password: string, code: string) =>
      rig.call("POST", "/account/totp/remove", { cookie, body: { password, code } })
    assert.deepEqual(said(await remove("wrong", third)), [401, "wrong-credentials"])
    assert.deepEqual(said(await remove(PASSWORD, second)), [401, "wrong-credentials"])
    assert.equal((await remove(PASSWORD, codeAt(secret, rig.nowMs()))).status, 204)
    assert.equal((await signIn("rita")).status, 204)
    const left = await Effect.runPromise(
      it.db.tenant(rig.a)((tx) =>
        tx.query("select 1 from user_recovery_code join app_user using (tenant_id, user_id) where name = 'rita'"),
      ),
    )
    assert.equal(left.rowCount, 0)
  })

  test("[S4] a role that demands a second factor: nothing but one's own account until it is set up", async () => {
    const admin = await rig.newUser(rig.a, "chief", ["tenant_admin"])
    const chief = await rig.cookieOf("chief")
    await rig.newUser(rig.a, "tech", ["technician"])
    const cookie = await rig.cookieOf("tech")
    assert.equal((await rig.call("GET", "/status", { cookie })).status, 200)
    const demand = { cookie: chief, body: { secondFactorRequired: true } }
    assert.equal((await rig.call("PUT", "/roles/technician", demand)).status, 200)
    const refused = await rig.call("GET", "/status", { cookie })
    assert.deepEqual(said(refused), [403, "forbidden"])
    assert.match(JSON.stringify(refused.body), /second factor/)
    await assert.rejects(openViewer(rig.streamUrl, { cookie }), /403/)
    const me = (await rig.call("GET", "/session", { cookie })).body as { secondFactor: unknown }
    assert.deepEqual(me.secondFactor, { enabled: false, required: true })
    const enrolled = await enrol(cookie)
    assert.equal((await rig.call("GET", "/status", { cookie: enrolled.cookie })).status, 200)
    // An administrator helps whoever lost the phone: the factor is gone, the demand is not.
    const users = (await rig.call("GET", "/users?limit=1000", { cookie: chief })).body as {
      items: ReadonlyArray<{ id: string; name: string; secondFactor: boolean }>
    }
    const tech = users.items.find((user) => user.name === "tech")!
    assert.equal(tech.secondFactor, true)
    assert.equal((await rig.call("POST", `/users/${tech.id}/totp/reset`, { cookie: chief })).status, 204)
    assert.equal((await rig.call("GET", "/session", { cookie: enrolled.cookie })).status, 401)
    assert.equal((await rig.call("GET", "/status", { cookie: await rig.cookieOf("tech") })).status, 403)
    assert.ok(admin.id !== tech.id)
  })

  test("[29] ten wrong passwords from one source: it waits a minute, is put on record once, and the owner elsewhere gets in", async () => {
    await rig.newUser(rig.a, "vic", ["noc"])
    const from = "203.0.113.66"
    const before = rig.metric('heliograph_sign_in_checks_total{outcome="wrong"}')
    for (let index = 0; index < PAIR_FREE; index++)
      assert.equal((await signIn("vic", { password: `guess ${index}` }, from)).status, 401)
    const slowed = await signIn("vic", {}, from)
    assert.deepEqual(said(slowed), [429, "too-many-attempts"])
    assert.ok(Number(slowed.headers.get("retry-after")) >= 1)
    assert.equal((await signIn("vic", {}, "198.51.100.1")).status, 204)
    assert.equal(rig.metric('heliograph_sign_in_checks_total{outcome="wrong"}') - before, PAIR_FREE)
    assert.ok(rig.metric('heliograph_sign_in_checks_total{outcome="slowed"}') >= 1)
    // Whoever waits as told may go on, ever more slowly: from the tenth wrong one on, one attempt a minute.
    for (let index = PAIR_FREE; index < PAIR_SHUT + 2; index++) {
      rig.advance(DELAY_MS_MAX)
      assert.equal((await signIn("vic", { password: `guess ${index}` }, from)).status, 401)
    }
    assert.equal((await signIn("vic", {}, from)).headers.get("retry-after"), String(DELAY_MS_MAX / 1000))
    const recorded = async () => (await rig.audit(rig.a)).filter((row) => row["action"] === "session.slow-down")
    while ((await recorded()).length === 0);
    assert.deepEqual(
      (await recorded()).map((row) => [row["actor_kind"], row["object_name"], row["source"]]),
      [["system", "vic", from]],
    )
    assert.equal((await signIn("vic", {}, "198.51.100.1")).status, 204)
  })

  test("[29] wrong codes from many sources slow strangers, not a known source, and never a recovery code", async () => {
    await rig.newUser(rig.a, "otp", ["noc"])
    const home = "198.51.100.20"
    const { secret, recoveryCodes } = await enrol(await rig.cookieOf("otp"))
    assert.equal((await signIn("otp", { code: codeAt(secret, rig.nowMs()) }, home)).status, 204)
    rig.advance(STEP_MS)
    for (let index = 0; index < CODE_GUARD.free; index++) {
      const wrong = codeAt(secret, rig.nowMs() + 100 * STEP_MS)
      assert.equal((await signIn("otp", { code: wrong })).status, 401)
    }
    assert.equal((await signIn("otp", { code: codeAt(secret, rig.nowMs()) })).status, 429)
    assert.equal((await signIn("otp", { code: codeAt(secret, rig.nowMs()) }, home)).status, 204)
    assert.equal((await signIn("otp", { code: recoveryCodes[0]! })).status, 204)
  })

  test("[T10] a grant: the session reads the granted tenant and nothing else, its stream ends with it, and it is itself again", async () => {
    const root = await rig.newUser(rig.a, "root", ["platform_admin", "tenant_admin"])
    const cookie = await rig.cookieOf("root")
    const { id } = (
      (await rig.call("GET", "/account/sessions", { cookie })).body as { items: ReadonlyArray<{ id: string }> }
    ).items[0]!
    const untilMs = rig.nowMs() + 60_000
    const grant = { id: uuidv7(), tenant: rig.b, reason: "ticket 7", untilMs }
    await Effect.runPromise(it.db.tenant(rig.a)((tx) => setGrant(tx, rig.a, { userId: root.id, id }, grant)))
    rig.doors.forget({ credentialId: id })
    const me = (await rig.call("GET", "/session", { cookie })).body as Record<string, unknown>
    assert.deepEqual(
      [(me["tenant"] as { slug: string }).slug, me["permissions"], me["grant"], me["expiresAtMs"]],
      [rig.slugOf(rig.b), ["network.read"], { reason: "ticket 7", untilMs }, untilMs],
    )
    const status = (await rig.call("GET", "/status", { cookie })).body as { tenant: { slug: string } }
    assert.equal(status.tenant.slug, rig.slugOf(rig.b))
    assert.equal((await rig.call("GET", "/users", { cookie })).status, 403)
    // Their own account stays at home.
    assert.equal((await rig.call("GET", "/account/sessions", { cookie })).status, 200)
    const viewer = await openViewer(rig.streamUrl, { cookie })
    viewer.send(hello())
    await viewer.until(() => viewer.frames.some((frame) => frame.kind === "SNAP"))
    assert.ok(Buffer.concat(viewer.bytes).includes(`${rig.slugOf(rig.b)}-router`))
    const startedMs = performance.now()
    rig.advance(60_001)
    assert.equal(await viewer.closed, CLOSE.SIGNED_OUT)
    assert.ok(performance.now() - startedMs < 5_000)
    const after_ = (await rig.call("GET", "/status", { cookie })).body as { tenant: { slug: string } }
    assert.equal(after_.tenant.slug, rig.slugOf(rig.a))
    assert.equal((await rig.call("GET", "/users", { cookie })).status, 200)
  })

  test("[T10] a grant that is taken back closes the stream into that tenant at once, though its holder may see their own", async () => {
    const root = await rig.newUser(rig.a, "root2", ["platform_admin", "tenant_admin"])
    const cookie = await rig.cookieOf("root2")
    const { id } = (
      (await rig.call("GET", "/account/sessions", { cookie })).body as { items: ReadonlyArray<{ id: string }> }
    ).items[0]!
    const grant = { id: uuidv7(), tenant: rig.b, reason: "ticket 8", untilMs: rig.nowMs() + 60_000 }
    const give = async (it_: typeof grant | null): Promise<void> => {
      await Effect.runPromise(it.db.tenant(rig.a)((tx) => setGrant(tx, rig.a, { userId: root.id, id }, it_)))
      rig.doors.forget({ credentialId: id })
    }
    await give(grant)
    const viewer = await openViewer(rig.streamUrl, { cookie })
    viewer.send(hello())
    await viewer.until(() => viewer.frames.length > 0)
    await give(null)
    assert.notEqual(await viewer.closed, 1006)
  })
})
