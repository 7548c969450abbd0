/** Keys and tokens as programs meet them: over real HTTP and the stream, through the one door. */
import assert from "node:assert/strict"
import { before, describe, test } from "node:test"
import * as Effect from "effect/Effect"
import { WebSocket } from "ws"
import { useSite } from "#engine/oidc/browser.fixture.ts"
import { asTenant, auditOf } from "#engine/programs/programs.fixture.ts"
import { NO_POSTGRES, useTestDatabase } from "#engine/storage/database.fixture.ts"
import { createUser } from "#engine/storage/users.ts"
import { CLOSE } from "#protocol/wire.ts"

interface Made {
  readonly key: { readonly id: string; readonly prefix: string; readonly lastUsedMs: number | null }
  readonly secret: string
}
interface Tokens {
  readonly accessToken: string
  readonly expiresInS: number
  readonly refreshToken: string
}

describe("programs over HTTP", { skip: NO_POSTGRES }, () => {
  const it = useTestDatabase()
  const site = useSite(it, null)
  before(async () => {
    for (const [name, role] of [
      ["ada", "tenant_admin"],
      ["vera", "viewer"],
    ] as const)
      await Effect.runPromise(createUser(it.db, site.tenant, { name, password: "correct horse", roles: [role] }))
  })
  const call = (method: string, path: string, bearer: string | null, body?: object): Promise<Response> =>
    fetch(`${site.url}/api/v1${path}`, {
      method,
      headers: {
        ...(bearer === null ? {} : { authorization: `Bearer ${bearer}` }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
  const json = async <A>(response: Promise<Response>, status: number): Promise<A> => {
    const answered = await response
    const text = await answered.text()
    assert.equal(answered.status, status, text)
    return (text === "" ? null : JSON.parse(text)) as A
  }
  const signIn = (user = "ada"): Promise<Tokens> =>
    json<Tokens>(call("POST", "/tokens", null, { user, password: "correct horse", tenant: site.slug }), 200)
  const makeKey = (bearer: string, scope: readonly string[]): Promise<Made> =>
    json<Made>(call("POST", "/keys", bearer, { name: "grafana", scope, days: 30 }), 200)

  test("[S2] a program signs in, reads, refreshes, and is out after it revoked", async () => {
    const first = await signIn()
    const session = await json<{ user: { name: string } }>(call("GET", "/session", first.accessToken), 200)
    assert.equal(session.user.name, "ada")
    const second = await json<Tokens>(call("POST", "/tokens/refresh", null, { refreshToken: first.refreshToken }), 200)
    await json(call("GET", "/session", second.accessToken), 200)
    await json(call("POST", "/tokens/revoke", null, { refreshToken: second.refreshToken }), 204)
    for (const { accessToken, refreshToken } of [first, second]) {
      await json(call("GET", "/session", accessToken), 401)
      await json(call("POST", "/tokens/refresh", null, { refreshToken }), 401)
    }
    await json(call("POST", "/tokens/revoke", null, { refreshToken: "hgr_no" }), 204)
  })

  test("[S2] wrong passwords get no tokens and are slowed like those of browsers", async () => {
    const wrong = () => call("POST", "/tokens", null, { user: "mallory", password: "wrong horse" })
    for (let nth = 0; nth < 5; nth++) await json(wrong(), 401)
    const slowed = await wrong()
    assert.equal(slowed.status, 429)
    assert.match(slowed.headers.get("retry-after") ?? "", /^[1-9]\d*$/)
  })

  test("[S3] a key does what its scope says and nothing else; it is shown once", async () => {
    const { accessToken } = await signIn()
    const { key, secret } = await makeKey(accessToken, ["network.read"])
    await json(call("GET", "/devices", secret), 200)
    const refused = await json<{ detail: string }>(call("GET", "/keys", secret), 403)
    assert.match(refused.detail, /apikeys\.manage/)
    const listed = JSON.stringify(await json(call("GET", "/keys", accessToken), 200))
    assert.ok(listed.includes(key.prefix) && !listed.includes(secret.split(".")[1]!.slice(0, 8)))
  })

  test("[S3] a viewer makes no key; nobody gives a key what they do not hold; a bad scope is a bad request", async () => {
    const viewer = await signIn("vera")
    await json(call("POST", "/keys", viewer.accessToken, { name: "k", scope: ["network.read"], days: null }), 403)
    const { accessToken } = await signIn()
    const wide = await json<{ detail: string }>(
      call("POST", "/keys", accessToken, { name: "k", scope: ["network.read", "tenants.manage"], days: null }),
      403,
    )
    assert.match(wide.detail, /tenants\.manage/)
    const { secret } = await makeKey(accessToken, ["apikeys.manage", "network.read"])
    await json(call("POST", "/keys", secret, { name: "k", scope: ["audit.read"], days: null }), 403)
    await makeKey(secret, ["network.read"])
    for (const bad of [
      { name: "k", scope: [], days: null },
      { name: "k", scope: ["root"], days: null },
      { name: "", scope: ["network.read"], days: null },
      { name: "k", scope: ["network.read"], days: 0 },
      { name: "k", scope: ["network.read"] },
    ])
      await json(call("POST", "/keys", accessToken, bad), 400)
  })

  test("[S3] a revoked key is refused at once in REST, and its stream is closed within 5 s", async () => {
    const { accessToken } = await signIn()
    const { key, secret } = await makeKey(accessToken, ["network.read"])
    const headers = { authorization: `Bearer ${secret}` }
    const socket = new WebSocket(`${site.url.replace("http", "ws")}/stream`, { headers })
    await new Promise((done, failed) => socket.once("open", done).once("error", failed))
    const closed = new Promise<number>((done) => socket.once("close", done))
    const began = performance.now()
    await json(call("DELETE", `/keys/${key.id}`, accessToken), 204)
    await json(call("GET", "/devices", secret), 401)
    assert.equal(await closed, CLOSE.SIGNED_OUT)
    assert.ok(performance.now() - began < 5_000)
    await json(call("DELETE", `/keys/${key.id}`, accessToken), 404)
  })

  test("[S2] [S3] a disabled person's tokens and keys are refused within a second", async () => {
    await Effect.runPromise(
      createUser(it.db, site.tenant, { name: "eve", password: "correct horse", roles: ["tenant_admin"] }),
    )
    const { accessToken, refreshToken } = await signIn("eve")
    const { secret } = await makeKey(accessToken, ["network.read"])
    await json(call("GET", "/devices", secret), 200)
    await asTenant(it, site.tenant, "update app_user set disabled = true where tenant_id = $1 and name = 'eve'")
    site.clock.aheadMs += 1_000
    await json(call("GET", "/devices", secret), 401)
    await json(call("GET", "/session", accessToken), 401)
    await json(call("POST", "/tokens/refresh", null, { refreshToken }), 401)
  })

  test("[S6] every mutating route leaves exactly one row", async () => {
    const rowsAfter = async (act: () => Promise<unknown>): Promise<readonly string[]> => {
      const since = (await auditOf(it, site.tenant)).length
      await act()
      return (await auditOf(it, site.tenant)).slice(since).map((row) => row.action)
    }
    let tokens = await signIn()
    let made: Made | null = null
    assert.deepEqual(await rowsAfter(async () => (tokens = await signIn())), ["token.create"])
    assert.deepEqual(await rowsAfter(async () => (made = await makeKey(tokens.accessToken, ["network.read"]))), [
      "key.create",
    ])
    const id = made!["key"]["id"] as string
    assert.deepEqual(await rowsAfter(() => call("DELETE", `/keys/${id}`, tokens.accessToken)), ["key.revoke"])
    const refresh = () => call("POST", "/tokens/refresh", null, { refreshToken: tokens.refreshToken })
    assert.deepEqual(await rowsAfter(refresh), ["token.refresh"])
    assert.deepEqual(await rowsAfter(refresh), ["token.reuse"])
    assert.deepEqual(await rowsAfter(refresh), [])
    tokens = await signIn()
    const revoke = () => call("POST", "/tokens/revoke", null, { refreshToken: tokens.refreshToken })
    assert.deepEqual(await rowsAfter(revoke), ["token.revoke"])
    assert.deepEqual(await rowsAfter(revoke), [])
    assert.deepEqual(await rowsAfter(() => call("GET", "/keys", tokens.accessToken)), [])
  })

  test("a foreign page cannot make a browser send a key's request, and cursors are only our own", async () => {
    const { accessToken } = await signIn()
    const foreign = await fetch(`${site.url}/api/v1/keys`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${accessToken}`,
        origin: "https://evil.example",
        "content-type": "application/json",
      },
      body: "{}",
    })
    assert.equal(foreign.status, 403)
    for (const cursor of ["x", "..", Buffer.from("' or 1=1").toString("base64url")])
      await json(call("GET", `/keys?cursor=${encodeURIComponent(cursor)}`, accessToken), 400)
    const seen: string[] = []
    for (let path: string | null = "/keys?limit=2"; path !== null;) {
      type Page = { items: ReadonlyArray<{ id: string }>; next: string | null }
      const page: Page = await json<Page>(call("GET", path, accessToken), 200)
      seen.push(...page.items.map((item) => item.id))
      path = page.next === null ? null : `/keys?limit=2&cursor=${page.next}`
    }
    const [{ n }] = (await asTenant(
      it,
      site.tenant,
      "select count(*)::int as n from api_key where tenant_id = $1",
    )) as [{ n: number }]
    assert.equal(new Set(seen).size, n)
  })
})
