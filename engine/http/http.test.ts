/** The HTTP side over a real socket: who gets in, what is answered, and what no route lets through. */
import assert from "node:assert/strict"
import { mkdtemp, mkdir, readFile, rm, writeFile } from "node:fs/promises"
import { request as httpRequest } from "node:http"
import type { IncomingMessage } from "node:http"
import { connect } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, test } from "node:test"
import { gunzipSync } from "node:zlib"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import fc from "fast-check"
import { testDeps } from "#engine/api/deps.fixture.ts"
import { makeDoors } from "#engine/access/doors.ts"
import { memoryAccounts, memoryEvents, memoryHistory, PASSWORD } from "#engine/api/accounts.fixture.ts"
import { CannotListen } from "#engine/http/listen.ts"
import { BODY_BYTES_MAX } from "#engine/http/refusal.ts"
import { makeHttp } from "#engine/http/server.ts"
import type { HttpOptions } from "#engine/http/server.ts"
import { silentLog } from "#engine/log.ts"
import { makeMetrics } from "#engine/metrics/registry.ts"
import { makeFakeTwin } from "#engine/stream/fake-twin.fixture.ts"

const a = makeFakeTwin("a", 250, 3)
const b = makeFakeTwin("b", 5, 3)
const accounts = memoryAccounts([
  { id: "u1", name: "ana", tenant: a.tenant.id },
  { id: "u2", name: "bob", tenant: b.tenant.id },
])
const history = memoryHistory()
const events = a.round({ events: ["one", "two", "three"] }).events.toReversed()
const doors = makeDoors(accounts.resolve, Date.now)
const signedOut: string[] = []
doors.onForget(({ credentialId }) => credentialId !== undefined && signedOut.push(credentialId))
let ready = false
let url: string
let directory: string
let scope: Scope.Closeable

const options = (more: Partial<HttpOptions> = {}): HttpOptions => ({
  host: "127.0.0.1",
  port: 0,
  api: testDeps({
    doors,
    accounts,
    twins: { byTenant: (id) => [a, b].find((twin) => twin.tenant.id === id) ?? null, all: () => [a, b] },
    history,
    events: memoryEvents(events),
    log: silentLog,
    version: "1.2.3",
    publicUrl: null,
    sessionHours: 12,
    nowMs: Date.now,
  }),
  metrics: makeMetrics(),
  metricsToken: Redacted.make("prometheus-may-read"),
  staticDir: join(directory, "client"),
  basemapPath: () => join(directory, "basemap.pmtiles"),
  stream: null,
  ready: () => ready,
  ...more,
})

const BASEMAP = Buffer.from(Array.from({ length: 1000 }, (_, index) => index % 251))
const SCRIPT = "console.log('heliograph');\n".repeat(200)

before(async () => {
  directory = await mkdtemp(join(tmpdir(), "heliograph-http-"))
  await mkdir(join(directory, "client/assets"), { recursive: true })
  await writeFile(join(directory, "client/index.html"), "<!doctype html><title>Heliograph</title>")
  await writeFile(join(directory, "client/assets/main-Ab3dE6gh.js"), SCRIPT)
  await writeFile(join(directory, "client/.sources"), "stamp")
  await writeFile(join(directory, "basemap.pmtiles"), BASEMAP)
  await writeFile(join(directory, "secret.txt"), "not for the web")
  scope = await Effect.runPromise(Scope.make())
  url = (await Effect.runPromise(Scope.provide(makeHttp(options()), scope))).url
})
after(async () => {
  await Effect.runPromise(Scope.close(scope, Exit.void))
  await rm(directory, { recursive: true })
})

const get = (path: string, headers: Record<string, string> = {}): Promise<Response> => fetch(url + path, { headers })
const signIn = (user: string, password: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${url}/api/v1/session`, {
    method: "POST",
    headers: { "content-type": "application/json", origin: url, ...headers },
    body: JSON.stringify({ user, password }),
  })
const cookieOf = async (user: string): Promise<{ cookie: string }> => {
  const response = await signIn(user, PASSWORD)
  assert.equal(response.status, 204, await response.text())
  return { cookie: response.headers.getSetCookie()[0]!.split(";")[0]! }
}
const typeOf = async (response: Response): Promise<string> => ((await response.json()) as { type: string }).type

/** fetch normalises paths; a stranger does not. */
const raw = (path: string, headers: Record<string, string> = {}, method = "GET"): Promise<IncomingMessage> =>
  new Promise((settle, reject) => {
    httpRequest(url, { path, method, headers }, (response) => settle(response.resume()))
      .once("error", reject)
      .end()
  })

describe("strangers", () => {
  test("healthz is public: 503 until ready, then 200", async () => {
    ready = false
    assert.equal((await get("/healthz")).status, 503)
    ready = true
    const response = await get("/healthz")
    assert.equal(response.status, 200)
    const body = (await response.json()) as { status: string; version: string; uptimeS: number }
    assert.deepEqual([body.status, body.version, typeof body.uptimeS], ["ok", "1.2.3", "number"])
  })

  test("without a session everything but shell, sign-in and health answers 401", async () => {
    const paths = [
      "session",
      "devices",
      "devices/a-device-000000",
      "links",
      "links/x",
      "sites",
      "status",
      "events",
      "history?device=x&metric=y",
    ]
    for (const path of [...paths.map((one) => `/api/v1/${one}`), "/metrics", "/openapi.json", "/basemap.pmtiles"]) {
      for (const headers of [{}, { cookie: "heliograph_session=guess" }, { cookie: "heliograph_session=" }]) {
        const response = await get(path, headers as Record<string, string>)
        assert.equal(response.status, 401, path)
        assert.equal(response.headers.get("content-type"), "application/problem+json")
        assert.equal(await typeOf(response), "urn:heliograph:not-signed-in")
      }
    }
  })

  test("a wrong password and an unknown user get the same answer", async () => {
    const wrong = await signIn("ana", "wrong")
    const unknown = await signIn("nobody", "wrong")
    assert.deepEqual([wrong.status, unknown.status], [401, 401])
    assert.equal(await wrong.text(), await unknown.text())
    assert.equal(wrong.headers.get("set-cookie"), null)
  })

  test("[S9] a state-changing request of another site is refused before anything is looked at", async () => {
    const checks = accounts.checks()
    for (const headers of [
      { origin: "https://evil.example" },
      { origin: "null" },
      { "sec-fetch-site": "cross-site" },
      { "sec-fetch-site": "same-site" },
    ]) {
      const response = await signIn("ana", PASSWORD, headers)
      assert.equal(response.status, 403)
      assert.equal(await typeOf(response), "urn:heliograph:foreign-origin")
    }
    assert.equal(accounts.checks(), checks)
  })
})

describe("a session", () => {
  test("its cookie is HttpOnly, SameSite=Strict and host-wide; signing out ends it and its streams", async () => {
    const response = await signIn("ana", PASSWORD)
    assert.match(
      response.headers.get("set-cookie")!,
      /^heliograph_session=[\w-]{32}; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict$/,
    )
    const cookie = response.headers.getSetCookie()[0]!.split(";")[0]!
    const me = (await (await get("/api/v1/session", { cookie })).json()) as {
      user: { name: string }
      tenant: { slug: string }
    }
    assert.deepEqual([me.user.name, me.tenant.slug], ["ana", "a"])
    const out = await fetch(`${url}/api/v1/session`, { method: "DELETE", headers: { cookie, origin: url } })
    assert.equal(out.status, 204)
    assert.match(out.headers.get("set-cookie")!, /Max-Age=0/)
    assert.equal(signedOut.length, 1)
    assert.equal((await get("/api/v1/session", { cookie })).status, 401)
  })

  test("devices come in pages, in order, each once", async () => {
    const cookie = await cookieOf("ana")
    const names: string[] = []
    let next: string | null = ""
    while (next !== null) {
      const response = await get(`/api/v1/devices?limit=99${next === "" ? "" : `&cursor=${next}`}`, cookie)
      assert.equal(response.status, 200)
      const page = (await response.json()) as { items: Array<{ name: string; health: string }>; next: string | null }
      names.push(...page.items.map((row) => row.name))
      next = page.next
    }
    assert.deepEqual(
      names,
      a.inventory().devices.map((device) => device.name),
    )
  })

  test("filters: a part of the name, health, the links of a device", async () => {
    const cookie = await cookieOf("ana")
    const items = async (path: string) =>
      ((await (await get(path, cookie)).json()) as { items: Array<{ id: string }> }).items
    assert.equal((await items("/api/v1/devices?q=ROUTER-00024&limit=1000")).length, 10)
    assert.equal((await items("/api/v1/devices?health=down")).length, 0)
    assert.equal((await items("/api/v1/links?device=a-device-000001")).length, 2)
    assert.equal((await items("/api/v1/sites")).length, 1)
  })

  test("[T2] another tenant's ids answer 404, like ids that never were", async () => {
    const cookie = await cookieOf("ana")
    for (const path of [
      "devices/b-device-000000",
      "devices/none",
      "links/b-link-000000",
      "links/none",
      "history?device=b-device-000000&metric=device.cpu_pct",
    ]) {
      const response = await get(`/api/v1/${path}`, cookie)
      assert.equal(response.status, 404, path)
      assert.equal(await typeOf(response), "urn:heliograph:not-found")
    }
    assert.equal((await get("/api/v1/devices/a-device-000000", cookie)).status, 200)
    assert.equal((await get("/api/v1/links/a-link-000000", cookie)).status, 200)
    assert.ok(!(await (await get("/api/v1/devices?limit=1000", cookie)).text()).includes("b-"))
  })

  test("history passes the question on and answers in columns; bad questions are named", async () => {
    const cookie = await cookieOf("ana")
    const good = await get(
      "/api/v1/history?device=a-device-000000&metric=device.cpu_pct&from=1000&to=2000&points=10",
      cookie,
    )
    assert.deepEqual(await good.json(), {
      device: "a-device-000000",
      entity: "",
      metric: "device.cpu_pct",
      unit: "s",
      bucketMs: 0,
      atMs: [1e3],
      min: [1],
      max: [3],
      avg: [2],
    })
    assert.deepEqual(history.asked.at(-1), {
      tenant: a.tenant.id,
      device: "a-device-000000",
      entity: "",
      metric: "device.cpu_pct",
      fromMs: 1e3,
      toMs: 2e3,
      pointsMax: 10,
    })
    for (const query of [
      "metric=device.cpu_pct",
      "device=a-device-000000&metric=no.such",
      "device=a-device-000000&metric=device.cpu_pct&from=5&to=5",
      "device=a-device-000000&metric=device.cpu_pct&points=601",
      "device=a-device-000000&metric=device.cpu_pct&from=-1",
    ]) {
      const response = await get(`/api/v1/history?${query}`, cookie)
      assert.equal(response.status, 400, query)
      assert.equal(response.headers.get("content-type"), "application/problem+json")
    }
  })

  test("events come newest first, by pages", async () => {
    const cookie = await cookieOf("ana")
    const first = (await (await get("/api/v1/events?limit=2", cookie)).json()) as {
      items: Array<{ type: string }>
      next: string
    }
    assert.deepEqual(
      first.items.map((event) => event.type),
      ["three", "two"],
    )
    const second = (await (await get(`/api/v1/events?limit=2&cursor=${first.next}`, cookie)).json()) as {
      items: Array<{ type: string }>
      next: null
    }
    assert.deepEqual([second.items.map((event) => event.type), second.next], [["one"], null])
    assert.equal((await get("/api/v1/events?cursor=%21", cookie)).status, 400)
  })

  test("with the database away, 503 and not 401: nobody is signed out by an outage", async () => {
    const cookie = await cookieOf("ana")
    accounts.setAway(true)
    try {
      for (const path of ["/api/v1/devices", "/metrics"]) {
        const response = await get(path, cookie)
        assert.equal(response.status, 503)
        assert.equal(await typeOf(response), "urn:heliograph:unavailable")
      }
    } finally {
      accounts.setAway(false)
    }
  })

  test("[O8] metrics for a session or the bearer token, and nobody else", async () => {
    const cookie = await cookieOf("ana")
    assert.match(await (await get("/metrics", cookie)).text(), /heliograph_http_requests_total\{status="2xx"\} \d/)
    assert.equal((await get("/metrics", { authorization: "Bearer prometheus-may-read" })).status, 200)
    assert.equal((await get("/metrics", { authorization: "Bearer prometheus-may-reaD" })).status, 401)
    assert.equal((await get("/basemap.pmtiles", { authorization: "Bearer prometheus-may-read" })).status, 401)
  })
})

describe("hostile requests", () => {
  test("[S9] fuzzed bodies and queries give 4xx, never 5xx", async () => {
    const cookie = await cookieOf("bob")
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "binary", maxLength: 200 }), fc.jsonValue(), async (text, value) => {
        for (const body of [text, JSON.stringify(value)]) {
          const headers = { "content-type": "application/json", ...cookie }
          const response = await fetch(`${url}/api/v1/session`, { method: "POST", headers, body })
          assert.ok(response.status >= 400 && response.status < 500, `${response.status} for ${JSON.stringify(body)}`)
          await response.body?.cancel()
        }
        const query = new URLSearchParams({ limit: text, cursor: text, role: text, device: text, metric: text })
        for (const path of ["devices", "links", "events", "history"]) {
          const response = await get(`/api/v1/${path}?${query}`, cookie)
          assert.ok(
            response.status >= 400 && response.status < 500,
            `${response.status} for ${path} ${JSON.stringify(text)}`,
          )
          await response.body?.cancel()
        }
      }),
      { numRuns: 40 },
    )
  })

  test("[S9] a body that is too big, without a length or too deep is refused", async () => {
    const post = (body: string) =>
      fetch(`${url}/api/v1/session`, { method: "POST", headers: { "content-type": "application/json" }, body })
    const deep = await post(`{"user":${"[".repeat(40)}${"]".repeat(40)}}`)
    assert.equal(deep.status, 400)
    assert.equal(await typeOf(deep), "urn:heliograph:too-deep")
    const big = await raw("/api/v1/session", { "content-length": String(BODY_BYTES_MAX + 1) }, "POST")
    assert.equal(big.statusCode, 413)
    const chunked = await raw("/api/v1/session", { "transfer-encoding": "chunked" }, "POST")
    assert.equal(chunked.statusCode, 411)
  })

  test("no path leads out of the bundle", async () => {
    for (const path of [
      "/../secret.txt",
      "/assets/../../secret.txt",
      "/%2e%2e/secret.txt",
      "/..%2fsecret.txt",
      "//secret.txt",
      "/assets\\..\\..\\secret.txt",
      "/.sources",
      "/%00",
      "/%ff",
      "/constructor.js",
      "/__proto__.x",
    ]) {
      const response = await raw(path)
      assert.equal(response.statusCode, 404, path)
    }
    assert.equal((await raw("*", {}, "OPTIONS")).statusCode, 405)
  })

  test("bytes that are no HTTP end with 400 and the server lives on", async () => {
    const socket = connect(Number(new URL(url).port), "127.0.0.1")
    socket.write("\x16\x03\x01 not http\r\n\r\n")
    let answer = ""
    for await (const chunk of socket) answer += String(chunk)
    assert.match(answer, /^HTTP\/1.1 400/)
    assert.equal((await get("/healthz")).status, 200)
  })

  test("[29] ten wrong passwords: the guesser is slowed, another source's sign-in is not", async () => {
    const statuses: number[] = []
    for (let index = 0; index < 10; index++) statuses.push((await signIn("victim", `wrong ${index}`)).status)
    assert.deepEqual(statuses.slice(0, 5), [401, 401, 401, 401, 401])
    assert.ok(
      statuses.slice(5).every((status) => status === 429),
      String(statuses),
    )
    assert.equal((await signIn("ana", PASSWORD)).status, 204)
  })
})

describe("the bundle", () => {
  test("strict headers on every answer", async () => {
    for (const path of ["/", "/healthz", "/api/v1/session", "/nothing.js"]) {
      const { headers } = await get(path)
      assert.match(
        headers.get("content-security-policy")!,
        /default-src 'none'; script-src 'self'; .*frame-ancestors 'none'/,
      )
      assert.deepEqual(
        [
          headers.get("x-content-type-options"),
          headers.get("referrer-policy"),
          headers.get("cross-origin-opener-policy"),
        ],
        ["nosniff", "no-referrer", "same-origin"],
      )
    }
  })

  test("[S9] the client's own browser tests run under this very policy: nothing inline, no text becomes code", async () => {
    const policy = (await get("/")).headers.get("content-security-policy")!
    const fixture = await readFile(new URL("../../client/e2e/fixture-server.ts", import.meta.url), "utf8")
    const theirs = /export const CSP =\n((?:\s+".*" ?\+?\n)+)/.exec(fixture)![1]!
    assert.equal([...theirs.matchAll(/"(.*)"/g)].map((match) => match[1]).join(""), policy)
    assert.ok(!/unsafe|\*|https?:/.test(policy), policy)
    assert.match(policy, /require-trusted-types-for 'script'; trusted-types default$/)
  })

  test("the shell for every screen, revalidated; hashed assets for ever, compressed", async () => {
    const shell = await get("/devices/some-id")
    assert.equal(await shell.text(), "<!doctype html><title>Heliograph</title>")
    assert.equal(shell.headers.get("cache-control"), "no-cache")
    assert.equal((await get("/", { "if-none-match": shell.headers.get("etag")! })).status, 304)
    const asset = await get("/assets/main-Ab3dE6gh.js")
    assert.equal(asset.headers.get("cache-control"), "public, max-age=31536000, immutable")
    assert.equal(await asset.text(), SCRIPT)
    const packed = await raw("/assets/main-Ab3dE6gh.js", { "accept-encoding": "gzip, br;q=0" })
    assert.equal(packed.headers["content-encoding"], "gzip")
    const bytes = await new Promise<Buffer>((settle) => {
      httpRequest(`${url}/assets/main-Ab3dE6gh.js`, { headers: { "accept-encoding": "gzip" } }, (response) => {
        const chunks: Buffer[] = []
        response.on("data", (chunk: Buffer) => chunks.push(chunk)).on("end", () => settle(Buffer.concat(chunks)))
      }).end()
    })
    assert.equal(gunzipSync(bytes).toString(), SCRIPT)
    assert.equal((await fetch(`${url}/`, { method: "POST" })).status, 405)
  })

  test("the base map by range, for signed-in users", async () => {
    const cookie = await cookieOf("ana")
    const part = await get("/basemap.pmtiles", { ...cookie, range: "bytes=100-199" })
    assert.equal(part.status, 206)
    assert.equal(part.headers.get("content-range"), "bytes 100-199/1000")
    assert.deepEqual(Buffer.from(await part.arrayBuffer()), BASEMAP.subarray(100, 200))
    assert.deepEqual(
      Buffer.from(await (await get("/basemap.pmtiles", { ...cookie, range: "bytes=-7" })).arrayBuffer()),
      BASEMAP.subarray(993),
    )
    assert.deepEqual(Buffer.from(await (await get("/basemap.pmtiles", cookie)).arrayBuffer()), BASEMAP)
    const beyond = await get("/basemap.pmtiles", { ...cookie, range: "bytes=1000-" })
    assert.deepEqual([beyond.status, beyond.headers.get("content-range")], [416, "bytes */1000"])
  })
})

describe("the server itself", () => {
  test("behind https the cookie is Secure and __Host-, and the proxy's origin counts", async () => {
    const behind = options()
    const program = Effect.gen(function* () {
      const { port } = yield* makeHttp({ ...behind, api: { ...behind.api, publicUrl: "https://noc.example.net/" } })
      yield* Effect.promise(async () => {
        const post = (origin: string) =>
          fetch(`http://127.0.0.1:${port}/api/v1/session`, {
            method: "POST",
            headers: { "content-type": "application/json", origin },
            body: JSON.stringify({ user: "ana", password: PASSWORD }),
          })
        assert.equal((await post(`http://127.0.0.1:${port}`)).status, 403)
        const response = await post("https://noc.example.net")
        assert.match(response.headers.get("set-cookie")!, /^__Host-heliograph_session=.*; Secure$/)
        assert.match(response.headers.get("strict-transport-security")!, /max-age/)
        const token = /=([\w-]+);/.exec(response.headers.get("set-cookie")!)![1]
        const plain = await fetch(`http://127.0.0.1:${port}/api/v1/session`, {
          headers: { cookie: `heliograph_session=${token}` },
        })
        assert.equal(plain.status, 401, "the name without the prefix does not count")
      })
    })
    await Effect.runPromise(Effect.scoped(program))
  })

  test("a taken port is named, with what to do", async () => {
    const port = Number(new URL(url).port)
    const exit = await Effect.runPromiseExit(Effect.scoped(makeHttp(options({ port }))))
    assert.ok(Exit.isFailure(exit))
    const error = exit.cause.reasons.find((reason) => reason._tag === "Fail")?.error
    assert.ok(error instanceof CannotListen)
    assert.match(error.message, new RegExp(`127.0.0.1:${port} is in use.*HELIOGRAPH_PORT`))
  })

  test("closing the scope ends idle and half-open connections", async () => {
    const own = await Effect.runPromise(Scope.make())
    const { port } = await Effect.runPromise(Scope.provide(makeHttp(options()), own))
    const half = connect(port, "127.0.0.1")
    half.on("error", () => {})
    await new Promise((settle) => half.write("GET / HTTP/1.1\r\nHost: x", settle))
    const closed = new Promise((settle) => half.once("close", settle))
    await Effect.runPromise(Scope.close(own, Exit.void))
    await closed
  })
})
