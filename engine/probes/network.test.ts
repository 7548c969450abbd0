/** TCP, HTTP and DNS probes against servers on the loopback address, most of them hostile. */
import assert from "node:assert/strict"
import { createSocket } from "node:dgram"
import { createServer as createHttp } from "node:http"
import type { RequestListener } from "node:http"
import { createServer as createHttps } from "node:https"
import { createServer } from "node:net"
import type { AddressInfo, Server, Socket } from "node:net"
import { test } from "node:test"
import { literal } from "#engine/probes/address.ts"
import { dnsProbe } from "#engine/probes/dns.ts"
import { httpProbe } from "#engine/probes/http.ts"
import type { HttpAsk, HttpResult } from "#engine/probes/http.ts"
import { askProbe, WrongProbe } from "#engine/probes/on-demand.ts"
import { ANYWHERE, onlyThese } from "#engine/probes/policy.ts"
import { tcpProbe } from "#engine/probes/tcp.ts"
import { traceroute } from "#engine/probes/traceroute.ts"
import { findTool } from "#engine/probes/tool.ts"
import { pinHost, pinUrl } from "#engine/probes/url.ts"
import { makeCertificate } from "#engine/collectors/routeros/certificate.fixture.ts"

type Cleaner = { readonly after: (clean: () => Promise<void>) => void }

const LOOPBACK = literal("127.0.0.1")
assert.ok(LOOPBACK !== null)

/** Listens on a port of the system's choice until the test ends, then drops whoever is still connected. */
const listening = async (t: Cleaner, server: Server): Promise<number> => {
  const open = new Set<Socket>()
  server.on("connection", (socket: Socket) => {
    open.add(socket)
    socket.on("error", () => undefined)
    socket.on("close", () => open.delete(socket))
  })
  await new Promise<void>((up) => server.listen(0, "127.0.0.1", up))
  t.after(
    () =>
      new Promise((closed) => {
        server.close(() => closed())
        for (const socket of open) socket.destroy()
      }),
  )
  return (server.address() as AddressInfo).port
}

const get = (port: number, more: Partial<HttpAsk> = {}): Promise<HttpResult> =>
  httpProbe({ to: LOOPBACK, port, tls: false, path: "/", host: null, deadlineMs: 5_000, bodyMax: 65_536, ...more })
const web = (t: Cleaner, answer: RequestListener): Promise<number> => listening(t, createHttp(answer))
/** A server that answers any request with these bytes, once. */
const saying = (t: Cleaner, talk: (socket: Socket) => void): Promise<number> =>
  listening(
    t,
    createServer((socket) => socket.once("data", () => talk(socket))),
  )

test("tcp: open, closed, stopped before it began", async (t) => {
  const port = await listening(t, createServer())
  const open = await tcpProbe(LOOPBACK, port, 5_000)
  assert.ok(open.up && open.connectMs !== null && open.connectMs >= 0 && open.error === null)
  const closed = await tcpProbe(LOOPBACK, 1, 5_000)
  assert.deepEqual(closed, { up: false, connectMs: null, error: "the port is closed" })
  const gone = AbortSignal.abort()
  assert.deepEqual(await tcpProbe(LOOPBACK, port, 5_000, gone), { up: false, connectMs: null, error: "stopped" })
  const http = { to: LOOPBACK, port, tls: false, path: "/", host: null, deadlineMs: 5_000, bodyMax: 0 }
  assert.equal((await httpProbe(http, gone)).error, "stopped")
  const dns = { server: LOOPBACK, port, name: "x.example", type: "A", deadlineMs: 5_000 } as const
  assert.equal((await dnsProbe(dns, gone)).error, "stopped")
})

test("http: status, time, size; nothing of ours but the request", async (t) => {
  let asked: unknown = null
  const port = await web(t, (request, response) => {
    asked = [request.method, request.url, request.headers]
    response.end("x".repeat(1_000))
  })
  const found = await get(port, { path: "/a?b=c", host: "www.example.net" })
  assert.deepEqual([found.status, found.bodyBytes, found.truncated, found.error], [200, 1_000, false, null])
  assert.ok((found.latencyMs as number) >= 0)
  const headers = {
    host: `www.example.net:${port}`,
    "user-agent": "heliograph-probe",
    accept: "*/*",
    connection: "close",
  }
  assert.deepEqual(asked, ["GET", "/a?b=c", headers])
})

test("[SSRF] a redirect is told and never followed", async (t) => {
  let visits = 0
  const inside = await web(t, (_, response) => {
    visits++
    response.end()
  })
  const port = await web(t, (_, response) => response.writeHead(302, { location: `http://127.0.0.1:${inside}/` }).end())
  const found = await get(port)
  assert.deepEqual([found.status, found.location], [302, `http://127.0.0.1:${inside}/`])
  assert.equal(visits, 0)
})

test("http: a body without end is read up to its cap only", async (t) => {
  const port = await web(t, (_, response) => {
    const more = (): void => {
      while (!response.destroyed && response.write("x".repeat(65_536)));
    }
    response.on("drain", more)
    more()
  })
  const found = await get(port, { bodyMax: 100_000 })
  assert.deepEqual([found.status, found.bodyBytes, found.truncated], [200, 100_000, true])
})

test("http: heads that never end, never come, are too big, broken or no HTTP end in words, in time", async (t) => {
  const short = { deadlineMs: 1_500 }
  const silent = await saying(t, () => undefined)
  assert.match((await get(silent, short)).error ?? "", /not done within 1500 ms/)
  const dribbling = await saying(t, (socket) => {
    socket.write("HTTP/1.1 200 OK\r\n")
    const timer = setInterval(() => socket.write("a: b\r\n"), 20)
    socket.on("close", () => clearInterval(timer))
  })
  assert.match((await get(dribbling, short)).error ?? "", /not done within 1500 ms/)
  const slowBody = await saying(t, (socket) => socket.write("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nx"))
  const found = await get(slowBody, short)
  assert.deepEqual([found.status, found.error], [200, "not done within 1500 ms"])
  assert.equal(
    (await get(slowBody, { ...short, bodyMax: 0 })).error,
    null,
    "the head is enough where no body is wanted",
  )
  for (const bytes of [
    `HTTP/1.1 200 OK\r\nx: ${"y".repeat(70_000)}\r\n\r\n`,
    "SSH-2.0-ROSSSH\r\n",
    "HTTP/1.1 99999 \u001b[2J\r\n\r\n",
    "\u0000\u0001\u0002",
    "",
  ]) {
    const port = await saying(t, (socket) => socket.end(bytes))
    const { status, error } = await get(port)
    assert.equal(status, null, bytes.slice(0, 30))
    assert.ok(error !== null && error.length <= 200)
  }
  const switching = await saying(t, (socket) =>
    socket.write("HTTP/1.1 101 X\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n"),
  )
  assert.match((await get(switching)).error ?? "", /switched protocols/)
})

test("http: a path that would break the request is refused", async (t) => {
  const port = await web(t, (_, response) => response.end())
  const { status, error } = await get(port, { path: "/ HTTP/1.1\r\nx: y" })
  assert.ok(status === null && error !== null)
})

test("https: a certificate of its own is shown, not believed", async (t) => {
  const { key, cert } = makeCertificate("router.example.net")
  const port = await listening(
    t,
    createHttps({ key, cert }, (_, response) => response.end("ok")),
  )
  const { status, tls } = await get(port, { tls: true, host: "router.example.net" })
  assert.equal(status, 200)
  assert.ok(tls !== null && !tls.trusted && tls.problem !== null && (tls.validToMs ?? 0) > 0)
  assert.match(tls.fingerprint ?? "", /^([0-9A-F]{2}:){31}[0-9A-F]{2}$/)
})

test("[SSRF] the address table: what a URL may lead to is decided by its address, in whatever dress", async () => {
  const policy = onlyThese(["10.0.0.1"], ["192.0.2.0/24"])
  const names: Record<string, readonly string[]> = {
    "inside.example": ["127.0.0.1"],
    "half.example": ["192.0.2.1", "169.254.169.254"],
    "good.example": ["192.0.2.7", "192.0.2.8"],
    "six.example": ["::ffff:127.0.0.1"],
    "odd.example": ["not an address"],
    "none.example": [],
  }
  const lookup = (name: string): Promise<readonly string[]> =>
    name in names ? Promise.resolve(names[name] as readonly string[]) : Promise.reject(new Error("no such name"))
  const refused = [
    "http://127.0.0.1/",
    "http://127.1/",
    "http://0x7f.1/",
    "http://2130706433/",
    "http://0177.0.0.1/",
    "http://①②⑦.①/",
    "http://[::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[2002:7f00:1::]/",
    "http://169.254.169.254/latest/meta-data",
    "http://10.0.0.2/",
    "http://0/",
    "http://localhost/",
    "http://inside.example/",
    "http://half.example/",
    "http://six.example/",
    "http://odd.example/",
    "http://none.example/",
    "http://unknown.example/",
    "http://10.0.0.1@127.0.0.1/",
    "http://user:pass@10.0.0.1/",
    "ftp://10.0.0.1/",
    "file:///etc/passwd",
    "gopher://10.0.0.1/",
    "//10.0.0.1/",
    "10.0.0.1",
    "",
  ]
  for (const url of refused) assert.equal((await pinUrl(url, policy, lookup)).ok, false, url)
  const good = await pinUrl("https://good.example:8443/x?y#z", policy, lookup)
  const ask = { to: { text: "192.0.2.7", family: 4 }, port: 8_443, tls: true, path: "/x?y", host: "good.example" }
  assert.deepEqual(good, { ok: true, ask })
  const plain = await pinUrl("http://10.0.0.1", policy, lookup)
  assert.deepEqual(plain.ok && [plain.ask.port, plain.ask.path, plain.ask.host], [80, "/", null])
})

test("[SSRF] a name that changes its mind finds nobody who asks again", async (t) => {
  let visits = 0
  const port = await web(t, (_, response) => {
    visits++
    response.end()
  })
  let lookups = 0
  const rebinding = (): Promise<readonly string[]> => Promise.resolve([lookups++ === 0 ? "192.0.2.1" : "127.0.0.1"])
  const pinned = await pinUrl(`http://rebind.example:${port}/`, onlyThese([], ["192.0.2.0/24"]), rebinding)
  assert.ok(pinned.ok)
  assert.equal(pinned.ask.to.text, "192.0.2.1")
  await httpProbe({ ...pinned.ask, deadlineMs: 200, bodyMax: 0 })
  assert.deepEqual([lookups, visits], [1, 0])
  assert.equal(typeof (await pinHost("rebind.example", onlyThese([], ["192.0.2.0/24"]), rebinding)), "string")
})

/** A name server that answers what `answer` makes of the question. */
const nameServer = async (t: Cleaner, answer: (question: Buffer) => Buffer | null): Promise<number> => {
  const socket = createSocket("udp4", (question, from) => {
    const bytes = answer(question)
    if (bytes !== null) socket.send(bytes, from.port, from.address)
  })
  await new Promise<void>((up) => socket.bind(0, "127.0.0.1", up))
  t.after(() => new Promise((closed) => socket.close(() => closed())))
  return socket.address().port
}
/** RFC 1035: the question with a return code and, for code 0, one A record 192.0.2.53. */
const reply = (question: Buffer, code: number): Buffer => {
  const end = question.indexOf(0, 12) + 5
  const head = Buffer.from(question.subarray(0, end))
  head.writeUInt16BE(0x8180 | code, 2)
  head.writeUInt16BE(code === 0 ? 1 : 0, 6)
  head.writeUInt32BE(0, 8)
  const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 53])
  return code === 0 ? Buffer.concat([head, record]) : head
}
const ask = (port: number, deadlineMs = 5_000) =>
  dnsProbe({ server: LOOPBACK, port, name: "www.example.net", type: "A", deadlineMs })

test("dns: an answer, no such name, a refusal, silence and rubbish", async (t) => {
  const good = await ask(await nameServer(t, (question) => reply(question, 0)))
  assert.deepEqual([good.up, good.answers, good.error], [true, ["192.0.2.53"], null])
  assert.ok((good.latencyMs as number) >= 0)
  const missing = await ask(await nameServer(t, (question) => reply(question, 3)))
  assert.deepEqual([missing.up, missing.error], [false, "there is no such name"])
  assert.ok(missing.latencyMs !== null, "it did answer")
  const refusing = await ask(await nameServer(t, (question) => reply(question, 5)))
  assert.deepEqual([refusing.up, refusing.error], [false, "the server refuses to answer"])
  const silent = await ask(await nameServer(t, () => null), 300)
  assert.deepEqual([silent.up, silent.latencyMs, silent.error], [false, null, "no answer"])
  const rubbish = await ask(await nameServer(t, () => Buffer.from("x".repeat(600))), 300)
  assert.deepEqual([rubbish.up, rubbish.answers], [false, []])
})

test("[X1] traceroute to this machine is one hop; without any tool it says so", async (t) => {
  const ask = { to: LOOPBACK, maxHops: 5, deadlineMs: 20_000 }
  if ((await findTool("traceroute")) === null && (await findTool("ping")) === null)
    return t.skip("neither traceroute nor ping is installed; enable: apt-get install traceroute iputils-ping")
  const { hops, reached } = await traceroute(ask)
  assert.equal(reached, true)
  assert.deepEqual(
    hops.map(({ ttl, addresses }) => [ttl, addresses]),
    [[1, ["127.0.0.1"]]],
  )
})

test("on demand: words that make no probe are named, and forbidden targets are not touched", async (t) => {
  const port = await listening(t, createServer())
  const lookup = (): Promise<readonly string[]> => Promise.reject(new Error("no name server here"))
  const tcp = await askProbe({ kind: "tcp", target: "127.0.0.1", port }, lookup)
  assert.equal(tcp.answered, true)
  assert.match(tcp.lines[0] ?? "", /port \d+: open, connected in/)
  const wrong = (words: Parameters<typeof askProbe>[0], why: RegExp): Promise<void> =>
    assert.rejects(askProbe(words, lookup), (cause: Error) => cause instanceof WrongProbe && why.test(cause.message))
  await wrong({ kind: "tcp", target: "127.0.0.1" }, /needs --port/)
  await wrong({ kind: "dns", target: "127.0.0.1" }, /needs --name/)
  await wrong({ kind: "dns", target: "127.0.0.1", name: "x", type: "ANY" }, /--type must be one of/)
  await wrong({ kind: "ping", target: "-f" }, /has no address/)
  await wrong({ kind: "http", target: "127.0.0.1" }, /is no http or https URL/)
  await wrong({ kind: "tcp", target: "127.0.0.1", port, allow: "10.0.0.0/8" }, /may not be probed/)
  await wrong({ kind: "tcp", target: "127.0.0.1", port, allow: "10.0.0.0" }, /is not a range/)
  assert.ok(ANYWHERE.allows(LOOPBACK))
})
