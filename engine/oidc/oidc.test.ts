/**
 * Signing in by an OpenID issuer, end to end over real HTTP: a test issuer, the engine's own server and database, and a
 * browser between them. Each thing that an attacker may bend is bent once.
 */
import assert from "node:assert/strict"
import { beforeEach, describe, test } from "node:test"
import { makeBrowser, PUBLIC_URL, useSite } from "#engine/oidc/browser.fixture.ts"
import type { Bend } from "#engine/oidc/issuer.fixture.ts"
import { asTenant, auditOf } from "#engine/programs/programs.fixture.ts"
import { NO_POSTGRES, useTestDatabase } from "#engine/storage/database.fixture.ts"

describe("the way through the issuer", { skip: NO_POSTGRES }, () => {
  const it = useTestDatabase()
  const site = useSite(it)
  beforeEach(() => {
    site.issuer.straighten()
    site.log.length = 0
    site.clock.aheadMs = 0
    site.room.users = 1_000
  })
  const usersNow = async (): Promise<number> =>
    (await asTenant(it, site.tenant, "select 1 from app_user where tenant_id = $1")).length

  test("[S5] a first sign-in makes the account with the mapped role and a session; the second finds the same account", async () => {
    const browser = makeBrowser(site)
    const start = await browser.get("/oidc/start")
    const asked = new URL(start.headers.get("location")!)
    assert.equal(asked.origin, site.issuer.url)
    assert.deepEqual(
      ["response_type", "code_challenge_method", "redirect_uri"].map((name) => asked.searchParams.get(name)),
      ["code", "S256", `${PUBLIC_URL}/oidc/callback`],
    )
    for (const name of ["state", "nonce", "code_challenge"])
      assert.equal(asked.searchParams.get(name)!.length, 43, name)
    assert.match(
      start.headers.getSetCookie()[0]!,
      /^__Host-heliograph_oidc=[\w-]{80,}; Max-Age=600; Path=\/; HttpOnly; SameSite=Lax; Secure$/,
    )
    const location = (await browser.get(asked.href)).headers.get("location")!
    const end = await browser.get(location)
    assert.deepEqual([end.status, end.headers.get("location")], [302, "/"])
    const session = end.headers.getSetCookie().find((line) => line.startsWith("__Host-heliograph_session="))!
    assert.match(session, /HttpOnly; SameSite=Strict; Secure$/)
    assert.equal(browser.cookies.has("__Host-heliograph_oidc"), false)
    const first = await browser.session()
    assert.deepEqual([first.status, first.body.user.name, first.body.roles], [200, "ana", ["noc"]])
    const again = makeBrowser(site)
    assert.equal(await again.signIn(), "/")
    assert.equal((await again.session()).body.user.id, first.body.user.id)
    const actions = (await auditOf(it, site.tenant)).map((row) => row.action)
    assert.deepEqual(actions, ["user.create", "session.create", "session.create"])
    const sent = site.issuer.tokenRequests.at(-1)!
    assert.equal(sent.get("code_verifier")!.length, 43)
  })

  const BENT: ReadonlyArray<readonly [what: string, bend: Partial<Bend>]> = [
    ["the wrong nonce", { claims: { nonce: "of another browser" } }],
    ["no nonce", { claims: { nonce: undefined } }],
    ["the wrong audience", { claims: { aud: "another-client" } }],
    ["several audiences with a foreign authorized party", { claims: { aud: ["heliograph", "x"], azp: "x" } }],
    ["another issuer in the token", { claims: { iss: "https://evil.example" } }],
    ["an expired token", { claims: { exp: Math.floor(Date.now() / 1000) - 120 } }],
    ["a token without an end", { claims: { exp: undefined } }],
    ["a token without a subject", { claims: { sub: undefined } }],
    ["alg none", { alg: "none" }],
    ["HS256 by the public key", { alg: "HS256 by the public key" }],
    ["HS256 by the client secret", { alg: "HS256 by the client secret" }],
    ["a stranger's signature", { alg: "RS256 by a stranger" }],
    ["the response of another issuer (mix-up)", { responseIssuer: "https://evil.example" }],
    ["a response that names no issuer, of one that always does (mix-up)", { responseIssuer: null }],
    ["a token endpoint that refuses", { tokenStatus: 400 }],
  ]
  for (const [what, bend] of BENT) {
    test(`[S5] ${what}: nobody is signed in, nothing is made, the log has why`, async () => {
      const before = [await usersNow(), (await auditOf(it, site.tenant)).length]
      Object.assign(site.issuer.bend, { person: { sub: "sub-bent", groups: ["noc-team"] } }, bend)
      const browser = makeBrowser(site)
      assert.equal(await browser.signIn(), "/?signin=failed")
      assert.equal(browser.cookies.size, 0)
      assert.deepEqual([await usersNow(), (await auditOf(it, site.tenant)).length], before)
      assert.equal(site.log.length, 1, site.log.join("\n"))
      assert.match(site.log[0]!, /proves nothing/)
      assert.doesNotMatch(site.log[0]!, /eyJ|client_secret|a secret of the client/)
    })
  }

  test("[S5] the wrong state, a missing one, and another browser's are refused without asking the issuer", async () => {
    const asked = site.issuer.tokenRequests.length
    const mine = makeBrowser(site)
    const callback = await mine.toCallback()
    const bent = new URL(callback)
    bent.searchParams.set("state", "x".repeat(43))
    assert.equal((await mine.get(bent.href)).headers.get("location"), "/?signin=failed")
    const second = makeBrowser(site)
    const without = await second.toCallback()
    without.searchParams.delete("state")
    assert.equal((await second.get(without.href)).headers.get("location"), "/?signin=failed")
    const twice = makeBrowser(site)
    const doubled = await twice.toCallback()
    doubled.searchParams.append("state", doubled.searchParams.get("state")!)
    assert.equal((await twice.get(doubled.href)).headers.get("location"), "/?signin=failed")
    // Login CSRF: a victim's browser that is led to the attacker's callback.
    const victim = makeBrowser(site)
    assert.equal(
      (await victim.get((await makeBrowser(site).toCallback()).href)).headers.get("location"),
      "/?signin=again",
    )
    await victim.get("/oidc/start")
    assert.equal(
      (await victim.get((await makeBrowser(site).toCallback()).href)).headers.get("location"),
      "/?signin=failed",
    )
    assert.equal(site.issuer.tokenRequests.length, asked)
    assert.equal(victim.cookies.size, 0)
  })

  test("[S5] a replayed code is refused, by us even when the issuer takes it twice", async () => {
    site.issuer.bend.lenient = true
    const browser = makeBrowser(site)
    const callback = await browser.toCallback()
    const stolen = new Map(browser.cookies)
    assert.equal((await browser.get(callback.href)).headers.get("location"), "/")
    const thief = makeBrowser(site)
    for (const [name, value] of stolen) thief.cookies.set(name, value)
    assert.equal((await thief.get(callback.href)).headers.get("location"), "/?signin=again")
    site.issuer.bend.lenient = false
    const other = makeBrowser(site)
    const used = await browser.toCallback()
    await browser.get(used.href)
    const fresh = await other.toCallback()
    fresh.searchParams.set("code", used.searchParams.get("code")!)
    assert.equal((await other.get(fresh.href)).headers.get("location"), "/?signin=failed")
    assert.equal(other.cookies.size, 0)
  })

  test("[S5] a sign-in that takes longer than ten minutes is begun again", async () => {
    const browser = makeBrowser(site)
    const callback = await browser.toCallback()
    site.clock.aheadMs = 10 * 60_000
    assert.equal((await browser.get(callback.href)).headers.get("location"), "/?signin=again")
  })

  test("[S5] the person says no at the issuer", async () => {
    const browser = makeBrowser(site)
    const callback = await browser.toCallback()
    callback.searchParams.delete("code")
    callback.searchParams.set("error", "access_denied")
    assert.equal((await browser.get(callback.href)).headers.get("location"), "/?signin=failed")
  })

  test("the routes are GET only; the API tells the way in", async () => {
    for (const path of ["/oidc/start", "/oidc/callback"])
      assert.equal((await fetch(site.url + path, { method: "POST", body: "" })).status, 405)
    const ways = (await (await fetch(`${site.url}/api/v1/session/ways`)).json()) as object
    assert.deepEqual(ways, { password: true, oidc: { name: "Test issuer" } })
  })
})

describe("an issuer that is no good", { skip: NO_POSTGRES }, () => {
  const it = useTestDatabase()
  const site = useSite(it)
  beforeEach(() => {
    site.issuer.straighten()
    site.log.length = 0
    // What was discovered is believed for an hour.
    site.clock.aheadMs += 2 * 3_600_000
  })

  const DISCOVERED: ReadonlyArray<readonly [what: string, discovery: Record<string, unknown>]> = [
    ["another issuer's document", { issuer: "https://evil.example" }],
    ["a token endpoint without https elsewhere", { token_endpoint: "http://evil.example/token" }],
  ]
  for (const [what, discovery] of DISCOVERED) {
    test(`[S5] ${what} signs nobody in, and no secret is sent there`, async () => {
      site.issuer.bend.discovery = discovery
      const browser = makeBrowser(site)
      const start = (await browser.get("/oidc/start")).headers.get("location")!
      const end = start.startsWith("/")
        ? start
        : (await browser.get((await browser.get(start)).headers.get("location")!)).headers.get("location")
      assert.match(end!, /^\/\?signin=(away|failed)$/)
      assert.equal(browser.cookies.has("__Host-heliograph_session"), false)
      assert.match(site.log.join(), /does not match|not https/)
    })
  }

  test("[S5] an issuer that is down is told at once, at the start and on the way back; when it is up again it works", async () => {
    const browser = makeBrowser(site)
    const callback = await browser.toCallback()
    await site.issuer.stop()
    assert.equal((await browser.get(callback.href)).headers.get("location"), "/?signin=away")
    site.clock.aheadMs += 2 * 3_600_000
    const began = performance.now()
    assert.equal((await browser.get("/oidc/start")).headers.get("location"), "/?signin=away")
    assert.ok(performance.now() - began < 2_000)
    assert.match(site.log.join("\n"), /issuer is away.*ECONNREFUSED/)
    await site.issuer.start()
    assert.equal(await makeBrowser(site).signIn(), "/")
    site.issuer.bend.tokenStatus = 503
    assert.equal(await makeBrowser(site).signIn(), "/?signin=away")
  })
})
