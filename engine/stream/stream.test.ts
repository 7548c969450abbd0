/** /stream over real sockets: who gets in, what resumes, what a slow or hostile peer costs. */
import assert from "node:assert/strict"
import { once } from "node:events"
import { connect } from "node:net"
import { after, before, describe, test } from "node:test"
import { setImmediate as turn } from "node:timers/promises"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import fc from "fast-check"
import WebSocket from "ws"
import { testDeps } from "#engine/api/deps.fixture.ts"
import { makeDoors } from "#engine/access/doors.ts"
import { memoryAccounts, memoryEvents, memoryHistory } from "#engine/api/accounts.fixture.ts"
import { makeHttp } from "#engine/http/server.ts"
import { silentLog } from "#engine/log.ts"
import { makeMetrics } from "#engine/metrics/registry.ts"
import { DOWN, makeFakeTwin, OK } from "#engine/stream/fake-twin.fixture.ts"
import type { FakeTwin } from "#engine/stream/fake-twin.fixture.ts"
import type { StreamLimits } from "#engine/stream/limits.ts"
import { makeStream } from "#engine/stream/stream.ts"
import type { Stream } from "#engine/stream/stream.ts"
import { hello, kindsOf, openViewer } from "#engine/stream/viewer.fixture.ts"
import { encodeClient } from "#protocol/codec.ts"
import { CLOSE } from "#protocol/wire.ts"

interface Rig {
  readonly url: string
  readonly stream: Stream
  readonly accounts: ReturnType<typeof memoryAccounts>
  /** Cookie header of a new session in this twin's tenant. */
  readonly signIn: (twin: FakeTwin, expiresInMs?: number) => Promise<{ readonly cookie: string }>
  readonly metric: (line: string) => number
  readonly close: () => Promise<void>
}

const startRig = async (
  twins: readonly FakeTwin[],
  limits: Partial<StreamLimits> = {},
  viewersMax = 10,
): Promise<Rig> => {
  const accounts = memoryAccounts([])
  const metrics = makeMetrics()
  const doors = makeDoors(accounts.resolve, Date.now)
  const common = {
    doors,
    accounts,
    metrics,
    log: silentLog,
    publicUrl: null,
    nowMs: Date.now,
    twins: { byTenant: (id: string) => twins.find((twin) => twin.tenant.id === id) ?? null, all: () => twins },
  }
  const scope = await Effect.runPromise(Scope.make())
  const started = await Effect.runPromise(
    Scope.provide(
      Effect.gen(function* () {
        const stream = yield* makeStream({ ...common, viewersMax, limits })
        const api = testDeps({
          ...common,
          history: memoryHistory(),
          events: memoryEvents([]),
          version: "0",
          sessionHours: 1,
        })
        const http = yield* makeHttp({
          host: "127.0.0.1",
          port: 0,
          api,
          metrics,
          metricsToken: null,
          staticDir: null,
          basemapPath: () => null,
          stream,
          ready: () => true,
        })
        return { stream, http }
      }),
      scope,
    ),
  )
  for (const twin of twins) started.stream.attach(twin)
  return {
    url: `http://127.0.0.1:${started.http.port}/stream`,
    stream: started.stream,
    accounts,
    signIn: async (twin, expiresInMs = 3_600_000) => {
      const user = { id: "u", name: "u", tenant: twin.tenant.id }
      const { token } = await Effect.runPromise(accounts.createSession(user, Date.now() + expiresInMs))
      return { cookie: `heliograph_session=${token}` }
    },
    metric: (line) =>
      Number(
        metrics
          .render()
          .split("\n")
          .find((one) => one.startsWith(`${line} `))
          ?.slice(line.length + 1),
      ),
    close: () => Effect.runPromise(Scope.close(scope, Exit.void)),
  }
}

/** The HTTP status of an upgrade that is refused. */
const refusal = async (url: string, headers: Record<string, string>): Promise<{ status: number; type: string }> => {
  const socket = new WebSocket(url.replace("http", "ws"), { headers })
  const [, response] = (await once(socket, "unexpected-response")) as [unknown, import("node:http").IncomingMessage]
  let body = ""
  for await (const chunk of response) body += String(chunk)
  return { status: response.statusCode ?? 0, type: (JSON.parse(body) as { type: string }).type }
}

describe("[H5] before the upgrade", () => {
  const twin = makeFakeTwin("a", 3, 3)
  let rig: Rig
  before(async () => (rig = await startRig([twin], {}, 2)))
  after(() => rig.close())

  test("a stranger gets 401 and no WebSocket", async () => {
    for (const cookie of ["", "heliograph_session=guess", "other=1"])
      assert.deepEqual(await refusal(rig.url, { cookie }), { status: 401, type: "urn:heliograph:not-signed-in" })
    assert.equal(rig.stream.sessions(), 0)
  })

  test("a page of another origin gets 403, even with the cookie", async () => {
    const cookie = await rig.signIn(twin)
    for (const headers of [
      { origin: "https://evil.example" },
      { origin: "null" },
      { origin: rig.url.replace("127.0.0.1", "localhost") },
      { "sec-fetch-site": "cross-site" },
    ])
      assert.equal((await refusal(rig.url, { ...cookie, ...headers } as Record<string, string>)).status, 403)
    const own = await openViewer(rig.url, { ...cookie, origin: new URL(rig.url).origin })
    await own.close()
  })

  test("an expired session and a tenant that does not run here are refused", async () => {
    assert.equal((await refusal(rig.url, await rig.signIn(twin, -1))).status, 401)
    const elsewhere = makeFakeTwin("elsewhere", 1, 1)
    assert.deepEqual(await refusal(rig.url, await rig.signIn(elsewhere)), {
      status: 503,
      type: "urn:heliograph:unavailable",
    })
  })

  test("[T5] one viewer more than allowed is refused by name, and let in when one has left", async () => {
    const cookie = await rig.signIn(twin)
    const first = await openViewer(rig.url, cookie)
    const second = await openViewer(rig.url, cookie)
    assert.deepEqual(await refusal(rig.url, cookie), { status: 503, type: "urn:heliograph:too-many-viewers" })
    await first.close()
    while (rig.stream.sessions() > 1) await turn()
    const third = await openViewer(rig.url, cookie)
    await Promise.all([second.close(), third.close()])
  })

  test("a GET without an upgrade, and an upgrade elsewhere, are no stream", async () => {
    const cookie = await rig.signIn(twin)
    assert.equal((await fetch(rig.url, { headers: cookie })).status, 426)
    const socket = connect(Number(new URL(rig.url).port), "127.0.0.1")
    socket.write(
      "GET /other HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
    )
    let answer = ""
    for await (const chunk of socket) answer += String(chunk)
    assert.match(answer, /^HTTP\/1.1 404/)
  })
})

describe("a viewer", () => {
  const a = makeFakeTwin("a", 50, 60)
  const b = makeFakeTwin("canary", 50, 60)
  let rig: Rig
  before(async () => (rig = await startRig([a, b])))
  after(() => rig.close())

  test("[H2] [K1] gets WELCOME, a keyframe, then changes", async () => {
    const viewer = await openViewer(rig.url, await rig.signIn(a))
    viewer.send(hello())
    await viewer.until(() => viewer.state.epoch === a.epoch())
    const welcome = viewer.frames[0]
    assert.ok(welcome?.kind === "WELCOME")
    assert.deepEqual(welcome.tenant, { id: a.tenant.id, name: a.tenant.name, demo: true })
    a.round({ deltas: [{ column: "link", slot: 7, status: DOWN, utilAB: 0.5, utilBA: null }], events: ["link.down"] })
    await viewer.until(() => viewer.state.seq === a.seq())
    assert.deepEqual(viewer.state.links.status, a.columns().linkStatus)
    assert.equal(viewer.state.events.at(-1)?.type, "link.down")
    await viewer.close()
  })

  test("[R1] [R2] resumes after a lost connection without a second keyframe, also while nobody was there", async () => {
    const cookie = await rig.signIn(a)
    const viewer = await openViewer(rig.url, cookie)
    viewer.send(hello())
    await viewer.until(() => viewer.state.epoch === a.epoch())
    viewer.socket.terminate()
    while (rig.stream.sessions() > 0) await turn()
    for (let slot = 0; slot < 20; slot++)
      a.round({ deltas: [{ column: "node", slot, status: DOWN, seenS: slot }], events: ["router.down"] })
    const back = await openViewer(rig.url, cookie, viewer.state)
    back.send(hello({ epoch: viewer.state.epoch, seq: viewer.state.seq }))
    await back.until(() => back.state.seq === a.seq())
    assert.deepEqual(kindsOf(back), ["WELCOME", "EVENT", "DELTA"])
    assert.deepEqual(back.state.nodes.status, a.columns().nodeStatus)
    assert.deepEqual(back.state.events, a.recentEvents())
    await back.close()
  })

  test("[K4] a new inventory is a new epoch and a new keyframe", async () => {
    const viewer = await openViewer(rig.url, await rig.signIn(a))
    viewer.send(hello())
    await viewer.until(() => viewer.state.epoch === a.epoch())
    a.replace(51, 61)
    await viewer.until(() => viewer.state.epoch === a.epoch())
    assert.equal(viewer.state.nodes.id.length, 51)
    await viewer.close()
  })

  test("[T4] 0 frames of another tenant: its canary never appears", async () => {
    const mine = await openViewer(rig.url, await rig.signIn(a))
    const theirs = await openViewer(rig.url, await rig.signIn(b))
    for (const viewer of [mine, theirs]) viewer.send(hello())
    for (const id of ["canary-device-000003", "a-device-000003"])
      mine.send({ kind: "SUB", focus: { kind: "device", id }, cells: [], tiers: [], hidden: false })
    for (let index = 0; index < 200; index++) {
      for (const twin of [a, b])
        twin.round({
          deltas: [{ column: "node", slot: index % 50, status: index % 3 === 0 ? OK : DOWN, seenS: index }],
          events: ["x"],
        })
      await turn()
    }
    await mine.until(() => mine.state.seq === a.seq())
    await theirs.until(() => theirs.state.seq === b.seq())
    const focused = mine.frames.filter((frame) => frame.kind === "FOCUS")
    assert.ok(focused.length > 0)
    assert.ok(!Buffer.concat(mine.bytes).includes("canary"))
    assert.ok(Buffer.concat(theirs.bytes).includes("canary"))
    await Promise.all([mine.close(), theirs.close()])
  })

  test("[P3] PING is answered by PONG with the same token", async () => {
    const viewer = await openViewer(rig.url, await rig.signIn(a))
    viewer.send(hello())
    viewer.send({ kind: "PING", token: 41 })
    await viewer.until(() => viewer.frames.some((frame) => frame.kind === "PONG" && frame.token === 41))
    await viewer.close()
  })

  test("[H3] no common version: BYE 4001 and close 4001", async () => {
    const viewer = await openViewer(rig.url, await rig.signIn(a))
    viewer.send({ kind: "HELLO", versionMin: 900, versionMax: 901, resume: null, lang: "en" })
    assert.equal(await viewer.closed, CLOSE.VERSION)
    assert.deepEqual(
      viewer.frames.map((frame) => frame.kind === "BYE" && frame.code),
      [CLOSE.VERSION],
    )
  })

  test("[G1] signing out closes exactly this session's streams with 4003", async () => {
    const one = await rig.signIn(a)
    const other = await rig.signIn(a)
    const mine = await openViewer(rig.url, one)
    const second = await openViewer(rig.url, one)
    const stays = await openViewer(rig.url, other)
    for (const viewer of [mine, second, stays]) viewer.send(hello())
    const origin = new URL(rig.url).origin
    assert.equal(
      (await fetch(`${origin}/api/v1/session`, { method: "DELETE", headers: { ...one, origin } })).status,
      204,
    )
    assert.deepEqual(await Promise.all([mine.closed, second.closed]), [CLOSE.SIGNED_OUT, CLOSE.SIGNED_OUT])
    stays.send({ kind: "PING", token: 1 })
    await stays.until(() => kindsOf(stays).includes("PONG"))
    await stays.close()
  })
})

describe("hostile and slow peers", () => {
  const twin = makeFakeTwin("a", 5_000, 10)
  const limits = { bufferedBytesMax: 16 * 1024, catchUpMs: 5, frameGapMs: 0, framesBurst: 300 }
  let rig: Rig
  before(async () => (rig = await startRig([twin], limits)))
  after(() => rig.close())

  test("[B5] frames that break a rule are answered by close 4002 and nothing else", async () => {
    const cookie = await rig.signIn(twin)
    const bad: ReadonlyArray<string | Uint8Array> = [
      "text",
      new Uint8Array(),
      new Uint8Array([0xdd, 0xff, 0xff, 0xff, 0xff]),
      new Uint8Array(5_000).fill(0x91),
      new Uint8Array([0x81, 0xa1, 0x61, 0x01]),
      encodeClient({ kind: "PING", token: 1 }),
      encodeClient({ kind: "SUB", focus: null, cells: [], tiers: [], hidden: false }),
    ]
    for (const bytes of bad) {
      const viewer = await openViewer(rig.url, cookie)
      viewer.socket.send(bytes)
      assert.equal(await viewer.closed, CLOSE.BAD_FRAME)
      assert.deepEqual(viewer.frames, [])
    }
    const twice = await openViewer(rig.url, cookie)
    twice.send(hello())
    twice.send(hello())
    assert.equal(await twice.closed, CLOSE.BAD_FRAME)
  })

  test("any bytes at all end in 4002 or in silence, and a neighbour notices nothing", async () => {
    const cookie = await rig.signIn(twin)
    const neighbour = await openViewer(rig.url, cookie)
    neighbour.send(hello())
    await neighbour.until(() => neighbour.state.epoch === twin.epoch())
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 300 }), async (bytes) => {
        const viewer = await openViewer(rig.url, cookie)
        viewer.send(hello())
        viewer.socket.send(bytes)
        viewer.socket.close()
        assert.ok([1000, 1005, CLOSE.BAD_FRAME].includes(await viewer.closed))
      }),
      { numRuns: 30 },
    )
    neighbour.send({ kind: "PING", token: 9 })
    await neighbour.until(() => kindsOf(neighbour).includes("PONG"))
    await neighbour.close()
  })

  test("a frame over 64 KiB ends the connection", async () => {
    const viewer = await openViewer(rig.url, await rig.signIn(twin))
    viewer.socket.send(new Uint8Array(64 * 1024 + 1))
    assert.ok([1009, 1006, CLOSE.BAD_FRAME].includes(await viewer.closed))
  })

  test("a flood of frames or pings ends the connection", async () => {
    const cookie = await rig.signIn(twin)
    for (const flood of [
      (socket: WebSocket) => socket.send(encodeClient({ kind: "PING", token: 1 })),
      (socket: WebSocket) => socket.ping(),
    ]) {
      const viewer = await openViewer(rig.url, cookie)
      viewer.send(hello())
      for (let index = 0; index < 1_000; index++) flood(viewer.socket)
      // 1006: the reset can overtake the close frame while the flood is still under way.
      assert.ok([CLOSE.BAD_FRAME, 1006].includes(await viewer.closed))
    }
  })

  test("[R4] a viewer that does not read is not queued for; when it reads again one delta brings it up to date", async () => {
    const slow = await openViewer(rig.url, await rig.signIn(twin))
    slow.send(hello())
    await slow.until(() => slow.state.epoch === twin.epoch())
    slow.socket.pause()
    let step = 0
    const busyRound = async (): Promise<void> => {
      step += 1
      const deltas = Array.from({ length: 5_000 }, (_, slot) => ({
        column: "node" as const,
        slot,
        status: step % 2 === 0 ? OK : DOWN,
        seenS: step,
      }))
      twin.round({ deltas })
      await turn()
    }
    const skipped = (): number => rig.metric("heliograph_stream_skipped_total")
    // The kernel's buffers fill first: some megabytes on loopback.
    for (let round = 0; round < 1_000 && skipped() === 0; round++) await busyRound()
    assert.ok(skipped() > 0)
    const bytes = rig.metric("heliograph_stream_bytes_total")
    for (let round = 0; round < 50; round++) await busyRound()
    assert.equal(rig.metric("heliograph_stream_bytes_total"), bytes, "nothing is queued while it does not read")
    slow.socket.resume()
    await slow.until(() => slow.state.seq === twin.seq())
    assert.deepEqual(slow.state.nodes.status, twin.columns().nodeStatus)
    assert.deepEqual(slow.state.nodes.seenS, twin.columns().nodeSeenS)
    assert.equal(slow.frames.filter((frame) => frame.kind === "SNAP").length, 1, "without a second keyframe")
    await slow.close()
  })
})

describe("time limits", () => {
  const twin = makeFakeTwin("a", 2_000, 10)
  const limits = {
    sweepMs: 5,
    helloMsMax: 150,
    pingEveryMs: 20,
    silentMsMax: 300,
    recheckEveryMs: 20,
    stalledMsMax: 50,
    bufferedBytesMax: 1_024,
    catchUpMs: 5,
    frameGapMs: 0,
  }
  let rig: Rig
  before(async () => (rig = await startRig([twin], limits)))
  after(() => rig.close())

  test("without HELLO the connection ends", async () => {
    const viewer = await openViewer(rig.url, await rig.signIn(twin))
    assert.equal(await viewer.closed, CLOSE.BAD_FRAME)
  })

  test("[H5] a session that expires, or is ended elsewhere, ends its streams with BYE 4003", async () => {
    for (const way of ["expired", "deleted"]) {
      const cookie = await rig.signIn(twin, way === "expired" ? 200 : 3_600_000)
      const viewer = await openViewer(rig.url, cookie)
      viewer.send(hello())
      await viewer.until(() => viewer.state.epoch === twin.epoch())
      if (way === "deleted") rig.accounts.sessions.clear()
      assert.equal(await viewer.closed, CLOSE.SIGNED_OUT)
      assert.equal(kindsOf(viewer).at(-1), "BYE")
    }
  })

  test("an outage of the accounts signs nobody out", async () => {
    const viewer = await openViewer(rig.url, await rig.signIn(twin))
    viewer.send(hello())
    await viewer.until(() => viewer.state.epoch === twin.epoch())
    rig.accounts.setAway(true)
    // Pings come every 20 ms, look-ups too: after ten of them ten look-ups have failed.
    for (let index = 0; index < 10; index++) await once(viewer.socket, "ping")
    rig.accounts.setAway(false)
    viewer.send({ kind: "PING", token: 3 })
    await viewer.until(() => kindsOf(viewer).includes("PONG"))
    await viewer.close()
  })

  test("[R4] a viewer that takes nothing for too long is ended with reason slow; a silent one is dropped", async () => {
    const cookie = await rig.signIn(twin)
    const stalled = await openViewer(rig.url, cookie)
    stalled.send(hello())
    await stalled.until(() => stalled.state.epoch === twin.epoch())
    stalled.socket.pause()
    const ended = (): number =>
      ["slow", "silent"].reduce(
        (sum, reason) => sum + (rig.metric(`heliograph_stream_closed_total{reason="${reason}"}`) || 0),
        0,
      )
    for (let step = 0; ended() === 0; step++) {
      twin.round({
        deltas: Array.from({ length: 2_000 }, (_, slot) => ({
          column: "node" as const,
          slot,
          status: OK,
          seenS: step + 10,
        })),
      })
      await turn()
    }
    stalled.socket.resume()
    await stalled.closed
    while (rig.stream.sessions() > 0) await turn()
  })
})

test("closing the scope ends every stream, also one that does not answer, and does not hang", async () => {
  const twin = makeFakeTwin("a", 10, 10)
  const rig = await startRig([twin])
  const polite = await openViewer(rig.url, await rig.signIn(twin))
  const deaf = await openViewer(rig.url, await rig.signIn(twin))
  deaf.socket.pause()
  await rig.close()
  assert.equal(await polite.closed, 1001)
  while (rig.stream.sessions() > 0) await turn()
  assert.equal(twin.listeners(), 0)
  deaf.socket.terminate()
})
