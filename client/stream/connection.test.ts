import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { BACKOFF_MAX_MS, BACKOFF_MIN_MS, backoffMs } from "#client/stream/backoff.ts"
import { connect, PING_MS, SILENCE_MS } from "#client/stream/connection.ts"
import type { Phase, Position, SocketEvents } from "#client/stream/connection.ts"
import { makeServerClock } from "#client/stream/server-clock.ts"
import { decodeClient, decodeServer, encodeClient, encodeServer } from "#protocol/codec.ts"
import { CLOSE } from "#protocol/wire.ts"
import type { ClientFrame, ServerFrame } from "#protocol/wire.ts"

/** A network and a clock in the hand of the test. */
const makeWorld = () => {
  let now = 0
  const timers: { at: number; run: () => void }[] = []
  const sockets: { events: SocketEvents; sent: ClientFrame[]; closed: number | null }[] = []
  const world = {
    position: null as Position | null,
    applied: "applied" as "applied" | "gap",
    phases: [] as Phase[],
    frames: [] as ServerFrame[],
    sockets,
    last: () => sockets.at(-1) as (typeof sockets)[number],
    say: (frame: ServerFrame) => world.last().events.received(encodeServer(frame)),
    welcome: () =>
      world.say({
        kind: "WELCOME",
        version: 2,
        tenant: { id: "t", name: "T", demo: true },
        epoch: 1,
        seq: 1,
        mode: "live",
        atMs: 5,
      }),
    pass: (ms: number) => {
      const end = now + ms
      for (;;) {
        timers.sort((a, b) => a.at - b.at)
        const next = timers[0]
        if (next === undefined || next.at > end) break
        timers.shift()
        now = next.at
        next.run()
      }
      now = end
    },
  }
  const connection = connect({
    open: (events) => {
      const socket: (typeof sockets)[number] = { events, sent: [], closed: null }
      sockets.push(socket)
      return {
        send: (bytes) => socket.sent.push(decodeClient(bytes)),
        close: (code = 1000) => {
          socket.closed = code
        },
      }
    },
    encode: encodeClient,
    decode: decodeServer,
    now: () => now,
    dice: () => 0,
    after: (ms, run) => {
      const timer = { at: now + ms, run }
      timers.push(timer)
      return () => void timers.splice(timers.indexOf(timer), timers.includes(timer) ? 1 : 0)
    },
    apply: (frame) => {
      world.frames.push(frame)
      return frame.kind === "WELCOME" ? "applied" : world.applied
    },
    position: () => world.position,
    phaseChanged: (phase) => world.phases.push(phase),
    answered: () => {},
    lang: () => "en",
  })
  return Object.assign(world, { connection })
}
const DELTA: ServerFrame = {
  kind: "DELTA",
  epoch: 1,
  base: 1,
  seq: 2,
  atMs: 1,
  nodes: { slot: new Uint32Array(0), status: new Uint8Array(0), seenS: new Uint32Array(0) },
  links: { slot: new Uint32Array(0), status: new Uint8Array(0), utilAB: new Uint8Array(0), utilBA: new Uint8Array(0) },
  counts: { routers: 0, routersUp: 0, links: 0, linksDown: 0, linksHot: 0, sites: 0, subscribers: null },
}

test("HELLO first, SUB and PING after WELCOME", () => {
  const world = makeWorld()
  world.connection.subscribe({ focus: { kind: "device", id: "d1" }, cells: [], tiers: [], hidden: false })
  world.last().events.opened()
  world.welcome()
  assert.deepEqual(
    world.last().sent.map(({ kind }) => kind),
    ["HELLO", "SUB", "PING"],
  )
  const [hello, sub] = world.last().sent
  assert.equal(hello?.kind === "HELLO" ? hello.resume : 0, null)
  assert.deepEqual(sub?.kind === "SUB" ? sub.focus : null, { kind: "device", id: "d1" })
  assert.deepEqual(world.phases, ["live"])
})

test("after a dropped socket it comes back with the last applied place", () => {
  const world = makeWorld()
  world.last().events.opened()
  world.welcome()
  world.position = { epoch: 1, seq: 41 }
  world.last().events.closed(1006)
  assert.equal(world.phases.at(-1), "waiting")
  world.pass(BACKOFF_MIN_MS)
  assert.equal(world.sockets.length, 2)
  world.last().events.opened()
  const hello = world.last().sent[0]
  assert.deepEqual(hello?.kind === "HELLO" ? hello.resume : null, { epoch: 1, seq: 41 })
})

test("a gap resumes; gaps in a row ask for a keyframe", () => {
  const world = makeWorld()
  world.position = { epoch: 1, seq: 3 }
  world.applied = "gap"
  const resumes: unknown[] = []
  for (let round = 0; round < 3; round++) {
    world.last().events.opened()
    const hello = world.last().sent[0]
    resumes.push(hello?.kind === "HELLO" ? hello.resume : "none")
    world.welcome()
    world.say(DELTA)
    assert.equal(world.last().closed, CLOSE.GAP)
    world.pass(BACKOFF_MAX_MS)
  }
  assert.deepEqual(resumes, [{ epoch: 1, seq: 3 }, { epoch: 1, seq: 3 }, null])
})

test("a silent socket is given up, a pinged one is kept", () => {
  const world = makeWorld()
  world.last().events.opened()
  world.welcome()
  world.pass(PING_MS)
  world.say({ kind: "PONG", token: 2, atMs: 9 })
  world.pass(SILENCE_MS - PING_MS)
  assert.equal(world.last().closed, null)
  world.pass(SILENCE_MS + PING_MS)
  assert.notEqual(world.sockets[0]?.closed, null)
  assert.ok(world.sockets.length > 1)
})

test("bytes that are no frame end the socket, not the page", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      const world = makeWorld()
      world.last().events.opened()
      world.last().events.received(bytes)
      assert.ok(world.phases.length <= 1)
    }),
  )
  const world = makeWorld()
  world.last().events.opened()
  world.last().events.received(Uint8Array.of(0xc1))
  assert.equal(world.last().closed, CLOSE.BAD_FRAME)
})

test("told that its version or session is over, it stops for good", () => {
  for (const [code, phase] of [
    [CLOSE.VERSION, "outdated"],
    [CLOSE.SIGNED_OUT, "signed-out"],
  ] as const) {
    const world = makeWorld()
    world.last().events.opened()
    world.say({ kind: "BYE", code, reason: "over" })
    world.last().events.closed(code)
    world.pass(BACKOFF_MAX_MS * 10)
    assert.equal(world.phases.at(-1), phase)
    assert.equal(world.sockets.length, 1)
  }
})

test("events of an old socket are not heard any more", () => {
  const world = makeWorld()
  const old = world.last()
  world.connection.drop()
  world.pass(BACKOFF_MIN_MS)
  old.events.received(encodeServer(DELTA))
  old.events.closed(1006)
  assert.equal(world.frames.length, 0)
  assert.equal(world.sockets.length, 2)
})

test("backoff stays within 0.4 and 15 s and spreads", () => {
  fc.assert(
    fc.property(fc.nat(1_000), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (attempt, dice) => {
      const wait = backoffMs(attempt, dice)
      assert.ok(wait >= BACKOFF_MIN_MS && wait <= BACKOFF_MAX_MS)
    }),
  )
  assert.ok(backoffMs(20, 0.99) > backoffMs(20, 0) + 5_000)
})

test("the server's clock is known to half a round trip, however wrong the desk's is", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: -1e9, max: 1e9 }),
      fc.integer({ min: 0, max: 500 }),
      fc.integer({ min: 0, max: 500 }),
      (skew, out, back) => {
        const clock = makeServerClock()
        clock.answered(1_000, 1_000 + out + back, 1_000 + out + skew)
        const error = Math.abs(clock.now(5_000) - (5_000 + skew))
        assert.ok(error <= (out + back) / 2 + 1)
      },
    ),
  )
})
