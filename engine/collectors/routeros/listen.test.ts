import assert from "node:assert/strict"
import { test } from "node:test"
import * as Effect from "effect/Effect"
import type { Poller } from "#engine/collectors/collector.ts"
import type { Hearers } from "#engine/collectors/routeros/listen.ts"
import type { RouterOsOptions } from "#engine/collectors/routeros/poller.ts"
import type { Row } from "#engine/collectors/routeros/reply.ts"
import type { RouterOsError, RouterOsSession } from "#engine/collectors/routeros/session.ts"
import type { Handler, Peer } from "#engine/collectors/routeros/router.fixture.ts"
import { deviceId } from "#protocol/id.ts"
import { connectScoped } from "#engine/collectors/routeros/client.ts"
import { makeEars, REST_MAX_MS, REST_MIN_MS, ROWS_PER_SECOND_MAX } from "#engine/collectors/routeros/listen.ts"
import { makeRouterOsCollector } from "#engine/collectors/routeros/poller.ts"
import { RouterOsClosed, RouterOsTrap } from "#engine/collectors/routeros/session.ts"
import { firstOf, startRouter, tables } from "#engine/collectors/routeros/router.fixture.ts"

const turn = () => new Promise<void>((resolve) => setTimeout(resolve, 1))
const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await turn()
}
const CREDENTIAL = { user: "heliograph", password: "", tls: false }

// --- the session

/** A session of a router that answers nothing by itself; `peers` are its commands by path. */
const withSession = async (
  use: (session: RouterOsSession, peers: Map<string, Peer>, sent: () => readonly string[]) => Promise<void>,
): Promise<void> => {
  const peers = new Map<string, Peer>()
  const silent: Handler = ([path = ""], peer) => {
    peers.set(path, peer)
    return path !== "/login" && path !== "/cancel"
  }
  await using router = await startRouter(silent)
  const options = { address: "127.0.0.1", credential: { ...CREDENTIAL, port: router.port }, deadlineMs: 9_000 }
  await Effect.runPromise(
    Effect.scoped(
      Effect.flatMap(connectScoped(options), (session) =>
        Effect.promise(() => use(session, peers, () => router.seen.map((words) => words.join(" ")))),
      ),
    ),
  )
}

test("a stream hears its rows beside other commands, and nothing after it was stopped", () =>
  withSession(async (session, peers, sent) => {
    const heard: string[] = []
    const stop = session.follow(["/log/print", "=follow-only="], (row) => heard.push(row.get("n") ?? ""), assert.fail)
    const other = Effect.runPromise(session.command(["/x/print"], 9_000))
    await until(() => peers.has("/log/print") && peers.has("/x/print"))
    peers.get("/log/print")?.reply("!re", "=n=1")
    peers.get("/x/print")?.reply("!re", "=n=other")
    peers.get("/log/print")?.reply("!re", "=n=2")
    peers.get("/x/print")?.done()
    assert.deepEqual(
      (await other).rows.map((row) => row.get("n")),
      ["other"],
    )
    await until(() => heard.length === 2)
    stop()
    peers.get("/log/print")?.reply("!re", "=n=3")
    // The row that came too late, and the end of /cancel.
    await until(() => session.counters.lateReplies() >= 2)
    assert.deepEqual(heard, ["1", "2"])
    await until(() => sent().some((words) => words.startsWith("/cancel =tag=")))
    assert.equal(session.isOpen(), true)
  }))

test("a stream that the router refuses, ends or loses is told why, once", () =>
  withSession(async (session, peers) => {
    const why: string[] = []
    const follow = (path: string) =>
      session.follow(
        [path],
        () => assert.fail(),
        (error) => void why.push(`${path} ${error._tag}`),
      )
    follow("/refused")
    follow("/done")
    follow("/lost")
    await until(() => peers.size === 4)
    peers.get("/refused")?.reply("!trap", "=message=no such command")
    peers.get("/refused")?.done()
    peers.get("/done")?.done()
    await until(() => why.length === 2)
    peers.get("/lost")?.socket.resetAndDestroy()
    await until(() => why.length === 3)
    follow("/after")
    assert.deepEqual(why, [
      "/refused RouterOsTrap",
      "/done RouterOsTrap",
      "/lost RouterOsClosed",
      "/after RouterOsClosed",
    ])
  }))

// --- the ears, on a session of our own making

interface Opened {
  readonly path: string
  readonly row: (attributes: Record<string, string>) => void
  readonly end: (why: RouterOsError) => void
  stopped: boolean
}

const fakeSession = () => {
  const opened: Opened[] = []
  const follow: RouterOsSession["follow"] = (words, heard, ended) => {
    const stream: Opened = {
      path: words[0] ?? "",
      row: (attributes) => {
        const row: Row = new Map(Object.entries(attributes))
        if (!stream.stopped) heard(row)
      },
      end: ended,
      stopped: false,
    }
    opened.push(stream)
    return () => void (stream.stopped = true)
  }
  return { opened, session: { follow } as unknown as RouterOsSession }
}

const PORT = { ".id": "*1", name: "ether1", type: "ether", disabled: "false" }
const trap = new RouterOsTrap({ command: "/x", detail: "no such command" })

test("a change is told once for all of one moment; what a poll showed already is no news", async () => {
  let told = 0
  const { opened, session } = fakeSession()
  const ears = makeEars({ changed: () => told++ }, () => 0)
  ears.open(session)
  ears.open(session)
  assert.deepEqual(
    opened.map(({ path }) => path),
    ["/interface/listen"],
  )
  const rows = (running: string): Row[] => [new Map(Object.entries({ ...PORT, running }))]
  ears.polled(rows("true"))
  const [stream] = opened as [Opened]
  stream.row({ ...PORT, running: "true" })
  stream.row({ ".id": "*7", ".dead": "yes" })
  stream.row({ ...PORT, name: "<pppoe-maria>", type: "pppoe-in", running: "true" })
  stream.row({})
  await new Promise((resolve) => setTimeout(resolve, 80))
  assert.equal(told, 0)
  stream.row({ ...PORT, running: "false" })
  stream.row({ ...PORT, name: "ether2", running: "false" })
  await until(() => told > 0)
  stream.row({ ...PORT, running: "true" })
  await until(() => told > 1)
  assert.equal(told, 2)
  stream.row({ ...PORT, running: "false" })
  ears.close()
  await new Promise((resolve) => setTimeout(resolve, 80))
  assert.equal(told, 2)
  assert.equal(stream.stopped, true)
})

test("[C6] a stream that is refused rests, twice as long each time up to ten minutes; a long life makes it new", () => {
  let nowMs = 0
  const { opened, session } = fakeSession()
  const ears = makeEars({ log: () => undefined }, () => nowMs)
  let restMs = REST_MIN_MS
  for (let round = 1; round <= 12; round++) {
    ears.open(session)
    assert.equal(opened.length, round)
    opened.at(-1)?.end(trap)
    nowMs += restMs - 1
    ears.open(session)
    assert.equal(opened.length, round)
    nowMs += 1
    restMs = Math.min(REST_MAX_MS, restMs * 2)
  }
  ears.open(session)
  nowMs += REST_MAX_MS + 1
  opened.at(-1)?.end(trap)
  nowMs += REST_MIN_MS
  ears.open(session)
  assert.equal(opened.length, 14)
})

test("[C6] the end of the session is no reason to rest: the next session is listened to at once", () => {
  const { opened, session } = fakeSession()
  const ears = makeEars({ log: () => undefined, changed: () => undefined }, () => 0)
  ears.open(session)
  for (const stream of opened) stream.end(new RouterOsClosed({ detail: "closed", refused: true }))
  assert.equal(ears.listening(), 0)
  ears.open(session)
  assert.equal(ears.listening(), 2)
})

test("[C6] a stream that floods is stopped at its bound and rests; the other one goes on", () => {
  let nowMs = 5_000
  const lines: string[] = []
  const hearers: Hearers = {
    log: (topics, message) => void lines.push(`${topics} ${message}`),
    changed: () => undefined,
  }
  const { opened, session } = fakeSession()
  const ears = makeEars(hearers, () => nowMs)
  ears.open(session)
  const log = opened.find(({ path }) => path === "/log/print")
  for (let i = 0; i < ROWS_PER_SECOND_MAX * 2; i++) log?.row({ topics: "system,info", message: `line ${i}` })
  assert.equal(lines.length, ROWS_PER_SECOND_MAX)
  assert.equal(lines[0], "system,info line 0")
  assert.equal(log?.stopped, true)
  assert.equal(ears.listening(), 1)
  nowMs += REST_MIN_MS
  ears.open(session)
  assert.equal(ears.listening(), 2)
})

test("lines that name subscribers are not followed", () => {
  const lines: string[] = []
  const { opened, session } = fakeSession()
  makeEars({ log: (topics) => void lines.push(topics) }, () => 0).open(session)
  for (const topics of [
    "pppoe,ppp,info",
    "system,info,account",
    "pppoe,ppp,info,account",
    "dhcp,info",
    "route,ospf,info",
    "",
  ])
    opened[0]?.row({ topics, message: "a line" })
  opened[0]?.row({ topics: "system,info" })
  opened[0]?.row({ ".id": "*1", ".dead": "yes", message: "x" })
  assert.deepEqual(lines, ["system,info,account", "route,ospf,info", ""])
})

// --- the poller

const V7 = tables({
  "/system/resource/print": [{ version: "7.18.2 (stable)", uptime: "1d" }],
  "/interface/print": [{ ...PORT, running: "true" }],
})

const polling = async (
  port: number,
  options: RouterOsOptions,
  use: (poll: () => Promise<unknown>) => Promise<void>,
): Promise<void> => {
  const target = {
    device: deviceId("d1"),
    name: "r1",
    address: "127.0.0.1",
    pollSeconds: 10,
    snmp: null,
    routeros: { ...CREDENTIAL, port },
  }
  const program = Effect.gen(function* () {
    const poller: Poller = yield* makeRouterOsCollector(options).open(target) ?? assert.fail("no poller")
    yield* Effect.promise(() => use(() => Effect.runPromise(Effect.exit(poller.poll(9_000)))))
  })
  await Effect.runPromise(Effect.scoped(program))
}

test("[C6] listening uses the one session of the polls, begins anew with the next one, and ends with the poller", async () => {
  const streams: Peer[] = []
  const listen: Handler = ([path], peer) => {
    if (path !== "/interface/listen" && path !== "/log/print") return false
    streams.push(peer)
    return true
  }
  await using router = await startRouter(firstOf(listen, V7))
  const told: string[] = []
  const options: RouterOsOptions = {
    onChange: (device) => told.push(`${device} changed`),
    onLog: (device, topics, message) => told.push(`${device} ${topics} ${message}`),
  }
  await polling(router.port, options, async (poll) => {
    await poll()
    await poll()
    assert.deepEqual([streams.length, router.connections()], [2, 1])
    const [changes, log] = streams as [Peer, Peer]
    changes.reply("!re", ...Object.entries({ ...PORT, running: "false" }).map(([name, value]) => `=${name}=${value}`))
    log.reply("!re", "=topics=interface,info", "=message=ether1 link down")
    await until(() => told.length === 2)
    assert.deepEqual(told.toSorted(), ["d1 changed", "d1 interface,info ether1 link down"])
    router.resetAll()
    await until(() => router.open() === 0)
    while (streams.length < 4) await poll()
    assert.equal(router.connections(), 2)
  })
  await until(() => router.open() === 0)
})

test("nobody listens when nobody wants to hear", async () => {
  await using router = await startRouter(V7)
  await polling(router.port, {}, async (poll) => void (await poll()))
  assert.ok(!router.seen.some(([path]) => path === "/interface/listen" || path === "/log/print"))
})
