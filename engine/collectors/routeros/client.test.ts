import assert from "node:assert/strict"
import * as net from "node:net"
import { inspect } from "node:util"
import { test } from "node:test"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { RouterOsError, RouterOsSession } from "#engine/collectors/routeros/session.ts"
import type { RouterOsCredential } from "#engine/collectors/target.ts"
import type { Handler, TestRouter } from "#engine/collectors/routeros/router.fixture.ts"
import { makeCertificate } from "#engine/collectors/routeros/certificate.fixture.ts"
import { challengeResponse, connect, connectScoped } from "#engine/collectors/routeros/client.ts"
import { MAX_IN_FLIGHT, MAX_ROWS } from "#engine/collectors/routeros/session.ts"
import { encode, firstOf, startRouter, tables } from "#engine/collectors/routeros/router.fixture.ts"

const SECRET = "Tr0ub4dor&3-secret"
const credential = (router: TestRouter, more: Partial<RouterOsCredential> = {}): RouterOsCredential => ({
  port: router.port,
  user: "heliograph",
  password: SECRET,
  tls: false,
  ...more,
})

/** A session with a router that answers as `handler` says; deadlines are generous unless a test is about them. */
const withSession = async <A>(
  handler: Handler,
  use: (session: RouterOsSession, router: TestRouter) => Effect.Effect<A, RouterOsError>,
): Promise<A> => {
  await using router = await startRouter(handler)
  const options = { address: "127.0.0.1", credential: credential(router), deadlineMs: 10_000 }
  const program = Effect.flatMap(connectScoped(options), (session) => use(session, router))
  return await Effect.runPromise(Effect.scoped(program))
}

const failure = <A>(effect: Effect.Effect<A, RouterOsError>): Effect.Effect<RouterOsError> =>
  Effect.flip(Effect.andThen(effect, Effect.die(new Error("it succeeded"))))

const connectFailure = (router: TestRouter, more: Partial<RouterOsCredential> = {}, deadlineMs = 10_000) =>
  Effect.runPromise(failure(connect({ address: "127.0.0.1", credential: credential(router, more), deadlineMs })))

/** Lets everything go but one path. */
const on =
  (path: string, answer: Handler): Handler =>
  (words, peer) =>
    words[0] === path && answer(words, peer)

const PING = ["/system/identity/print"]
const identity = tables({ "/system/identity/print": [{ name: "r1" }] })

test("rows come back in order, values in UTF-8, side by side with other commands", () =>
  withSession(tables({ "/a/print": [{ name: "été", "x=y": "1" }, { name: "2" }], "/b/print": [] }), (session) =>
    Effect.gen(function* () {
      const [a, b] = yield* Effect.all([session.command(["/a/print"], 9_000), session.command(["/b/print"], 9_000)], {
        concurrency: "unbounded",
      })
      assert.deepEqual(
        a.rows.map((row) => row.get("name")),
        ["été", "2"],
      )
      assert.deepEqual(b.rows, [])
    }),
  ))

test("[M1] `!empty` (RouterOS 7.18) is an answer without rows", () =>
  withSession(
    on("/health", (_, peer) => (peer.reply("!empty"), peer.done(), true)),
    (session) => Effect.map(session.command(["/health"], 9_000), ({ rows }) => assert.deepEqual(rows, [])),
  ))

test("[M2] an unknown reply word changes nothing", () =>
  withSession(
    on("/x", (_, peer) => (peer.reply("!progress", "=a=b"), peer.reply("!re", "=name=1"), peer.done(), true)),
    (session) => Effect.map(session.command(["/x"], 9_000), ({ rows }) => assert.equal(rows.length, 1)),
  ))

test("[M3] a reply with an unknown tag, or none, is counted and dropped", () =>
  withSession(
    on("/x", (_, peer) => {
      peer.raw(encode(["!re", "=name=ghost", ".tag=999"]))
      peer.raw(encode(["!done", ".tag=constructor"]))
      peer.raw(encode(["!re", "=name=untagged"]))
      peer.done("=ret=1")
      return true
    }),
    (session) =>
      Effect.map(session.command(["/x"], 9_000), ({ rows }) => {
        assert.deepEqual(rows, [])
        assert.equal(session.counters.unknownTags(), 3)
      }),
  ))

test("[M4] `!fatal`, tagged or not, fails every command in flight", async () => {
  for (const tagged of [true, false])
    await withSession(
      on("/x", (_, peer) => {
        if (tagged) peer.reply("!fatal", "session terminated on request")
        else peer.raw(encode(["!fatal", "session terminated on request"]))
        return true
      }),
      (session) =>
        Effect.gen(function* () {
          const hung = yield* Effect.forkChild(failure(session.command(["/hang"], 9_000)))
          const error = yield* failure(session.command(["/x"], 9_000))
          assert.equal(error._tag, "RouterOsClosed")
          assert.match(inspect(error), /session terminated on request/)
          assert.equal((yield* Fiber.join(hung))._tag, "RouterOsClosed")
          assert.equal((yield* failure(session.command(PING, 9_000)))._tag, "RouterOsClosed")
        }),
    )
})

test("[M5] FIN during a command fails it", () =>
  withSession(
    on("/x", (_, peer) => (peer.reply("!re", "=name=1"), peer.socket.end(), true)),
    (session) =>
      Effect.map(failure(session.command(["/x"], 9_000)), (error) => assert.equal(error._tag, "RouterOsClosed")),
  ))

test("[M6] silence ends at the command's deadline, with a /cancel, and the session goes on", () =>
  withSession(
    firstOf(
      on("/hang", () => true),
      identity,
    ),
    (session, router) =>
      Effect.gen(function* () {
        const started = performance.now()
        const error = yield* failure(session.command(["/hang"], 60))
        assert.equal(error._tag, "RouterOsTimeout")
        assert.ok(performance.now() - started >= 55)
        assert.equal((yield* session.command(PING, 9_000)).rows.length, 1)
        assert.ok(router.seen.some((words) => words[0] === "/cancel"))
      }),
  ))

test("[M7] RST during a command fails it", () =>
  withSession(
    on("/x", (_, peer) => (peer.socket.resetAndDestroy(), true)),
    (session) =>
      Effect.map(failure(session.command(["/x"], 9_000)), (error) => {
        assert.equal(error._tag, "RouterOsClosed")
        assert.match(inspect(error), /reset/)
      }),
  ))

test("[M8] RST between commands crashes nothing and closes the session", () =>
  withSession(identity, (session, router) =>
    Effect.gen(function* () {
      router.resetAll()
      while (session.isOpen()) yield* Effect.sleep(1)
      assert.equal((yield* failure(session.command(PING, 9_000)))._tag, "RouterOsClosed")
    }),
  ))

test("[M9] a login answered with rows is no login", async () => {
  await using router = await startRouter(
    on("/login", (_, peer) => (peer.reply("!re", "=a=1"), peer.reply("!re", "=a=2"), peer.done(), true)),
  )
  assert.equal((await connectFailure(router))._tag, "RouterOsProtocol")
})

test("[M10] a control byte in the stream ends the session with a protocol error", () =>
  withSession(
    on("/x", (_, peer) => (peer.raw(Buffer.of(0xff)), true)),
    (session) =>
      Effect.map(failure(session.command(["/x"], 9_000)), (error) => assert.equal(error._tag, "RouterOsProtocol")),
  ))

test("[M11] [M17] a word longer than the cap ends the session, unread", async () => {
  for (const hex of ["f0ffffffff", "efffffff"])
    await withSession(
      on("/x", (_, peer) => (peer.raw(Buffer.from(hex, "hex")), true)),
      (session) =>
        Effect.map(failure(session.command(["/x"], 9_000)), (error) => {
          assert.equal(error._tag, "RouterOsProtocol")
          assert.match(inspect(error), /a word of \d+ bytes/)
        }),
    )
})

test("[M12] a `!trap` fails its command with the router's words; several traps count once", () =>
  withSession(
    firstOf(
      on("/x", (_, peer) => {
        peer.reply("!trap", "=category=0", "=message=no such \u001b[31mcommand")
        peer.reply("!trap", "=message=second")
        peer.done()
        return true
      }),
      identity,
    ),
    (session) =>
      Effect.gen(function* () {
        const error = yield* failure(session.command(["/x"], 9_000))
        assert.ok(error._tag === "RouterOsTrap")
        assert.equal(error.detail, "no such  [31mcommand")
        assert.equal((yield* session.command(PING, 9_000)).rows.length, 1)
      }),
  ))

test("[M13] a `!trap` on /cancel, while closing or not, is nobody's failure", () =>
  withSession(
    firstOf(
      on("/hang", () => true),
      on("/cancel", (_, peer) => (peer.reply("!trap", "=message=no such tag"), peer.done(), true)),
      identity,
    ),
    (session) =>
      Effect.gen(function* () {
        const fiber = yield* Effect.forkChild(session.command(["/hang"], 9_000), { startImmediately: true })
        yield* Fiber.interrupt(fiber)
        yield* session.command(PING, 9_000)
        assert.equal(session.counters.lateReplies(), 2)
        const last = yield* Effect.forkChild(session.command(["/hang"], 9_000), { startImmediately: true })
        yield* Fiber.interrupt(last)
        session.close()
        session.close()
      }),
  ))

test("[M14] a late `!re` after `!done` is dropped", () =>
  withSession(
    firstOf(
      on("/x", (_, peer) => (peer.done(), peer.reply("!re", "=name=late"), peer.reply("!done"), true)),
      identity,
    ),
    (session) =>
      Effect.gen(function* () {
        assert.deepEqual((yield* session.command(["/x"], 9_000)).rows, [])
        assert.equal((yield* session.command(PING, 9_000)).rows.length, 1)
        assert.equal(session.counters.lateReplies(), 2)
      }),
  ))

test("[M15] the last zero byte in its own segment, and a reply byte by byte, are answers", () =>
  withSession(
    (words, peer) => {
      if (words[0] !== "/x") return false
      const bytes = encode(["!re", `=name=${"a".repeat(200)}`, `.tag=${peer.tag}`])
      const end = encode(["!done", `.tag=${peer.tag}`])
      const all = Buffer.concat([bytes, end])
      let at = 0
      const next = (): void => {
        if (at >= all.length) return
        peer.socket.write(all.subarray(at, ++at), () => setImmediate(next))
      }
      next()
      return true
    },
    (session) =>
      Effect.map(session.command(["/x"], 9_000), ({ rows }) => assert.equal(rows[0]?.get("name")?.length, 200)),
  ))

test("[M16] a sentence without an end, and an answer without an end, are cut at their caps", async () => {
  const word = Buffer.concat([Buffer.from("8100", "hex"), Buffer.alloc(256, "=")])
  await withSession(
    on("/x", (_, peer) => {
      const flood = Buffer.concat(Array.from({ length: 4_096 }, () => word))
      for (let i = 0; i < 8; i++) peer.raw(flood)
      return true
    }),
    (session) =>
      Effect.map(failure(session.command(["/x"], 9_000)), (error) => assert.equal(error._tag, "RouterOsProtocol")),
  )
  await withSession(
    on("/x", (_, peer) => {
      const row = encode(["!re", "=a=1", `.tag=${peer.tag}`])
      peer.raw(Buffer.concat(Array.from({ length: MAX_ROWS + 1 }, () => row)))
      return true
    }),
    (session) =>
      Effect.map(failure(session.command(["/x"], 9_000)), (error) =>
        assert.match(inspect(error), /more than 65536 rows/),
      ),
  )
})

test("[C6] a command past the bound is refused, and the others are not disturbed", () =>
  withSession(
    on("/hang", () => true),
    (session) =>
      Effect.gen(function* () {
        for (let i = 0; i < MAX_IN_FLIGHT; i++)
          yield* Effect.forkChild(failure(session.command(["/hang"], 9_000)), { startImmediately: true })
        assert.match(inspect(yield* failure(session.command(PING, 9_000))), /20 commands are in flight/)
        assert.equal(session.isOpen(), true)
      }),
  ))

test("a refused login is RouterOsAuthFailed, holds no secret, and leaves no socket", async () => {
  await using router = await startRouter(
    on("/login", (_, peer) => (peer.reply("!trap", "=message=invalid user name or password (6)"), true)),
  )
  const error = await connectFailure(router)
  assert.equal(error._tag, "RouterOsAuthFailed")
  for (const shown of [inspect(error, { depth: 9 }), JSON.stringify(error), String(error)])
    assert.ok(!shown.includes(SECRET))
  while (router.open() > 0) await new Promise((resolve) => setTimeout(resolve, 1))
})

test("nobody there, and somebody who never speaks, end within the deadline", async () => {
  await using silent = await startRouter(() => true)
  assert.equal((await connectFailure(silent, {}, 50))._tag, "RouterOsTimeout")
  const closed = await startRouter(() => true)
  const { port } = closed
  await closed[Symbol.asyncDispose]()
  const error = await connectFailure({ ...silent, port })
  assert.ok(error._tag === "RouterOsClosed" && error.refused)
})

test("a connection that is interrupted leaves no socket", async () => {
  await using router = await startRouter(() => true)
  const fiber = Effect.runFork(connect({ address: "127.0.0.1", credential: credential(router), deadlineMs: 60_000 }))
  while (router.seen.length === 0) await new Promise((resolve) => setTimeout(resolve, 1))
  await Effect.runPromise(Fiber.interrupt(fiber))
  while (router.open() > 0) await new Promise((resolve) => setTimeout(resolve, 1))
})

// --- the login of RouterOS < 6.43

const CHALLENGE = "ebddd18303a54111e2dea05a92ab46b4"
/** An old router: any login without the right response gets the challenge. */
const oldRouter = on("/login", (words, peer) => {
  const response = words.find((word) => word.startsWith("=response="))?.slice(10)
  if (response === undefined) peer.done(`=ret=${CHALLENGE}`)
  else if (response === challengeResponse(SECRET, CHALLENGE)) peer.done()
  else peer.reply("!trap", "=message=cannot log in")
  return true
})

test("the challenge's response is the MD5 of the API page", () => {
  // (printf '\0admin'; printf ebddd183... | xxd -r -p) | md5sum
  assert.equal(challengeResponse("admin", CHALLENGE), "006dc4a5dba15b56ac7949efa62b005063")
  assert.equal(challengeResponse("x", "zz"), null)
  assert.equal(challengeResponse("x", `${CHALLENGE}00`), null)
})

test("the challenge login is refused unless allowed; when allowed, the password never goes out in clear", async () => {
  await using router = await startRouter(oldRouter)
  const refused = await connectFailure(router)
  assert.ok(refused._tag === "RouterOsAuthFailed")
  assert.match(refused.detail, /RouterOS < 6\.43/)
  router.seen.length = 0
  const options = {
    address: "127.0.0.1",
    credential: credential(router, { allowLegacyLogin: true }),
    deadlineMs: 9_000,
  }
  await Effect.runPromise(Effect.scoped(connectScoped(options)))
  assert.ok(!router.seen.flat().some((word) => word.includes(SECRET)))
})

test("a modern router is logged in to also when the legacy login is allowed", async () => {
  await using router = await startRouter(
    on("/login", (words, peer) => {
      if (words.includes(`=password=${SECRET}`)) peer.done()
      else peer.reply("!trap", "=message=invalid user name or password (6)")
      return true
    }),
  )
  const options = {
    address: "127.0.0.1",
    credential: credential(router, { allowLegacyLogin: true }),
    deadlineMs: 9_000,
  }
  await Effect.runPromise(Effect.scoped(connectScoped(options)))
})

// --- TLS

test("TLS: an unknown certificate is accepted once and named; a pinned one must match before anything is sent", async () => {
  const [first, second] = [makeCertificate("router-one"), makeCertificate("router-two")]
  await using router = await startRouter(identity, first)
  await using impostor = await startRouter(identity, second)
  const open = (more: Partial<RouterOsCredential>, at: TestRouter) =>
    connectScoped({ address: "127.0.0.1", credential: credential(at, { tls: true, ...more }), deadlineMs: 9_000 })
  const pin = await Effect.runPromise(Effect.scoped(Effect.map(open({}, router), (session) => session.fingerprint)))
  assert.match(pin ?? "", /^([0-9A-F]{2}:){31}[0-9A-F]{2}$/)
  const again = open({ fingerprint: (pin ?? "").toLowerCase() }, router)
  const rows = await Effect.runPromise(Effect.scoped(Effect.flatMap(again, (session) => session.command(PING, 9_000))))
  assert.equal(rows.rows[0]?.get("name"), "r1")
  const error = await Effect.runPromise(failure(Effect.scoped(open({ fingerprint: pin ?? "" }, impostor))))
  assert.ok(error._tag === "RouterOsAuthFailed")
  assert.match(error.detail, /certificate changed/)
  assert.deepEqual(impostor.seen, [])
})

test("TLS to a port that does not speak it fails with a name", async () => {
  const server = net.createServer((socket) => {
    socket.on("error", () => undefined)
    socket.resume()
    socket.end("HTTP/1.1 400 Bad Request\r\n\r\n")
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const { port } = server.address() as net.AddressInfo
  const plain = { port, user: "u", password: SECRET, tls: true }
  const error = await Effect.runPromise(
    failure(connect({ address: "127.0.0.1", credential: plain, deadlineMs: 9_000 })),
  )
  await new Promise<void>((resolve) => server.close(() => resolve()))
  assert.equal(error._tag, "RouterOsClosed")
})
