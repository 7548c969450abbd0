/** The hub against viewers of every pace: whatever was skipped or cut, the picture ends up equal to the twin's. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { silentLog } from "#engine/log.ts"
import { makeMetrics } from "#engine/metrics/registry.ts"
import { EVENTS_KEPT } from "#engine/stream/changes.ts"
import { DOWN, makeFakeTwin, OK } from "#engine/stream/fake-twin.fixture.ts"
import type { FakeTwin } from "#engine/stream/fake-twin.fixture.ts"
import { PART_LINKS, PART_NODES } from "#engine/stream/frames.ts"
import { makeHub } from "#engine/stream/hub.ts"
import type { Hub, Viewer } from "#engine/stream/hub.ts"
import { LIMITS } from "#engine/stream/limits.ts"
import { makeStreamStats } from "#engine/stream/stats.ts"
import { applyFrame, newViewState } from "#protocol/apply.ts"
import { decodeServer } from "#protocol/codec.ts"
import type { ServerFrame } from "#protocol/wire.ts"

interface Watcher extends Viewer {
  readonly frames: ServerFrame[]
  readonly bytes: Uint8Array[]
  readonly state: ReturnType<typeof newViewState>
  ready: () => boolean
}

const watcher = (state = newViewState()): Watcher => {
  const frames: ServerFrame[] = []
  const bytes: Uint8Array[] = []
  return {
    frames,
    bytes,
    state,
    ready: () => true,
    send: (packed) => {
      bytes.push(packed)
      const frame = decodeServer(packed)
      frames.push(frame)
      if (frame.kind === "SNAP" || frame.kind === "DELTA" || frame.kind === "EVENT")
        assert.notEqual(applyFrame(state, frame), "gap", frame.kind)
    },
  }
}

/** Frames without a pause, and no clock of its own: a test moves `at.ms`. */
const hubOf = (twin: FakeTwin, at = { ms: 0 }, frameGapMs = 0): Hub =>
  makeHub(twin, {
    limits: { ...LIMITS, frameGapMs },
    stats: makeStreamStats(makeMetrics()),
    log: silentLog,
    nowMs: () => at.ms,
    monotonicMs: () => at.ms,
  })

const agrees = (watching: Watcher, twin: FakeTwin): void => {
  assert.equal(watching.state.epoch, twin.epoch())
  assert.deepEqual(watching.state.nodes.status, twin.columns().nodeStatus)
  assert.deepEqual(watching.state.nodes.seenS, twin.columns().nodeSeenS)
  assert.deepEqual(watching.state.links.status, twin.columns().linkStatus)
  assert.deepEqual(watching.state.links.utilAB, twin.columns().linkUtilAB)
  assert.deepEqual(watching.state.links.utilBA, twin.columns().linkUtilBA)
  assert.deepEqual(
    watching.state.events.map((event) => event.id),
    twin.recentEvents().map((event) => event.id),
  )
}

const kinds = (watching: Watcher): readonly string[] => watching.frames.map((frame) => frame.kind)

const action = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant("node" as const), slot: fc.nat(19), seenS: fc.nat(5) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("link" as const),
      slot: fc.nat(29),
      util: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("event" as const), count: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("stall" as const), who: fc.nat(2), on: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("reconnect" as const), who: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("topology" as const) }) },
)

test("[D3] [R2] [R4] viewers that stall, drop and come back all end with the twin's own picture and every event once", () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
      const twin = makeFakeTwin("a", 20, 30)
      const hub = hubOf(twin)
      const watching = [watcher(), watcher(), watcher()]
      for (const one of watching) hub.join(one, null)
      for (const step of actions) {
        if (step.do === "node")
          twin.round({ deltas: [{ column: "node", slot: step.slot, status: DOWN, seenS: step.seenS }] })
        else if (step.do === "link")
          twin.round({
            deltas: [{ column: "link", slot: step.slot, status: OK, utilAB: step.util, utilBA: null }],
            inputs: 3,
          })
        else if (step.do === "event") twin.round({ events: Array.from({ length: step.count }, () => "something") })
        else if (step.do === "stall") watching[step.who]!.ready = () => !step.on
        else if (step.do === "topology") twin.replace(20, 30)
        else {
          const old = watching[step.who]!
          hub.leave(old)
          const back = watcher(old.state)
          watching[step.who] = back
          hub.join(back, { epoch: old.state.epoch, seq: old.state.seq })
        }
      }
      for (const one of watching) one.ready = () => true
      twin.round({ events: ["last"] })
      for (const one of watching) agrees(one, twin)
      hub.close()
      assert.equal(twin.listeners(), 0)
    }),
    { numRuns: 200 },
  )
})

test("[R5] a frame is packed once for all viewers at one place", () => {
  const twin = makeFakeTwin("a", 4, 4)
  const hub = hubOf(twin)
  const watching = [watcher(), watcher(), watcher()]
  for (const one of watching) hub.join(one, null)
  twin.round({ deltas: [{ column: "node", slot: 1, status: DOWN, seenS: 1 }] })
  assert.equal(watching[0]!.bytes.at(-1), watching[1]!.bytes.at(-1))
  assert.equal(watching[1]!.bytes.at(-1), watching[2]!.bytes.at(-1))
  assert.equal(watching[0]!.bytes[0], watching[2]!.bytes[0], "the keyframe too")
})

test("[K1] newcomers share a recent keyframe, and a delta takes them from it to now", () => {
  const at = { ms: 0 }
  const twin = makeFakeTwin("a", 4, 4)
  const hub = hubOf(twin, at)
  const early = watcher()
  hub.join(early, null)
  twin.round({ deltas: [{ column: "node", slot: 1, status: DOWN, seenS: 1 }], events: ["x"] })
  const late = watcher()
  hub.join(late, null)
  assert.equal(late.bytes[0], early.bytes[0])
  assert.deepEqual(kinds(late), ["SNAP", "EVENT", "DELTA"])
  agrees(late, twin)
  at.ms += LIMITS.keyframeReuseMs
  const last = watcher()
  hub.join(last, null)
  assert.deepEqual(kinds(last), ["SNAP"])
  agrees(last, twin)
})

test("[E2] events go before the delta of their span", () => {
  const twin = makeFakeTwin("a", 4, 4)
  const hub = hubOf(twin)
  const one = watcher()
  hub.join(one, null)
  twin.round({ events: ["x"], deltas: [{ column: "node", slot: 0, status: DOWN, seenS: 1 }] })
  assert.deepEqual(kinds(one), ["SNAP", "EVENT", "DELTA"])
})

test("[R3] another epoch, a place in the future, and lost events lead to a keyframe", () => {
  const twin = makeFakeTwin("a", 4, 4)
  const hub = hubOf(twin)
  const start = { epoch: twin.epoch(), seq: twin.seq() }
  const joined = (resume: { epoch: number; seq: number }): readonly string[] => {
    const one = watcher({ ...newViewState(), epoch: resume.epoch, seq: resume.seq })
    hub.join(one, resume)
    hub.leave(one)
    return kinds(one)
  }
  assert.deepEqual(joined(start), [], "at the newest place there is nothing to send")
  assert.deepEqual(joined({ epoch: start.epoch - 1, seq: start.seq }), ["SNAP"])
  assert.deepEqual(joined({ epoch: start.epoch, seq: start.seq + 1 }), ["SNAP"])
  assert.deepEqual(joined({ epoch: start.epoch, seq: start.seq - 1 }), ["SNAP"], "before the hub began to listen")
  for (let index = 0; index <= EVENTS_KEPT; index++) twin.round({ events: ["x"] })
  assert.deepEqual(joined(start), ["SNAP"], "its oldest event has left the ring")
  assert.deepEqual(joined({ epoch: start.epoch, seq: start.seq + 2 }).includes("SNAP"), false)
})

test("[K1] a big tenant's keyframe comes in bounded parts that join to the whole", () => {
  const nodes = 2 * PART_NODES + 1
  const links = PART_LINKS + 1
  const twin = makeFakeTwin("big", nodes, links)
  const one = watcher()
  hubOf(twin).join(one, null)
  assert.deepEqual(kinds(one), ["SNAP", "SNAP", "SNAP"])
  for (const frame of one.frames)
    assert.ok(frame.kind === "SNAP" && frame.nodes.id.length <= PART_NODES && frame.links.id.length <= PART_LINKS)
  assert.deepEqual([one.state.nodes.id.length, one.state.links.id.length], [nodes, links])
  assert.equal(one.state.nodes.name[nodes - 1], twin.inventory().devices[nodes - 1]!.name)
  assert.equal(one.state.links.b[links - 1], (links - 1 + 1) % nodes)
  agrees(one, twin)
})

test("the first change after a pause goes out at once, the next ones together after the gap", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] })
  const at = { ms: 1_000 }
  const pass = (ms: number): void => {
    at.ms += ms
    t.mock.timers.tick(ms)
  }
  const twin = makeFakeTwin("a", 4, 4)
  const hub = hubOf(twin, at, 50)
  const one = watcher()
  hub.join(one, null)
  const change = (slot: number): void =>
    void twin.round({ deltas: [{ column: "node", slot, status: DOWN, seenS: at.ms }] })
  change(0)
  assert.deepEqual(kinds(one), ["SNAP", "DELTA"])
  change(1)
  pass(20)
  change(2)
  assert.deepEqual(kinds(one), ["SNAP", "DELTA"])
  pass(30)
  assert.deepEqual(kinds(one), ["SNAP", "DELTA", "DELTA"])
  const last = one.frames.at(-1)
  assert.ok(last?.kind === "DELTA")
  assert.deepEqual([...last.nodes.slot], [1, 2])
  hub.close()
})

test("a round with events does not wait for the gap of quiet rounds", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] })
  const twin = makeFakeTwin("a", 3, 3)
  const at = { ms: 1_000 }
  const hub = hubOf(twin, at, 50)
  const one = watcher()
  hub.join(one, null)
  twin.round({ deltas: [{ column: "node", slot: 0, status: OK, seenS: 1 }] })
  const sent = one.frames.length
  at.ms += LIMITS.urgentGapMs
  twin.round({ deltas: [{ column: "node", slot: 1, status: OK, seenS: 1 }] })
  assert.equal(one.frames.length, sent, "a quiet change waits")
  twin.round({ deltas: [{ column: "node", slot: 2, status: DOWN, seenS: 1 }], events: ["device.reachable.changed"] })
  assert.ok(one.frames.length > sent, "what happened goes at once, and takes the quiet change along")
  agrees(one, twin)
  hub.close()
})

test("[F1] [F2] focus: at once, after a change, once a second at most; strange ids get nothing", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] })
  const at = { ms: 1_000 }
  const twin = makeFakeTwin("a", 4, 4)
  const hub = hubOf(twin, at)
  const one = watcher()
  hub.join(one, null)
  const focused = (): number => one.frames.filter((frame) => frame.kind === "FOCUS").length
  hub.focus(one, { kind: "device", id: "b-device-000000" })
  assert.equal(focused(), 0)
  hub.focus(one, { kind: "link", id: "a-link-000001" })
  assert.equal(focused(), 1)
  twin.round({ deltas: [{ column: "node", slot: 0, status: DOWN, seenS: 1 }] })
  assert.equal(focused(), 1, "not an end of that link")
  twin.round({ deltas: [{ column: "node", slot: 2, status: DOWN, seenS: 1 }] })
  twin.round({ deltas: [{ column: "node", slot: 1, status: DOWN, seenS: 1 }] })
  assert.equal(focused(), 1, "within the second")
  at.ms += 1_000
  t.mock.timers.tick(1_000)
  assert.equal(focused(), 2, "both changes in one frame")
  hub.focus(one, null)
  twin.round({ deltas: [{ column: "node", slot: 1, status: OK, seenS: 2 }] })
  at.ms += 5_000
  t.mock.timers.tick(5_000)
  assert.equal(focused(), 2)
  hub.close()
})

test("a device's endless text cannot make a frame that viewers must refuse", () => {
  const twin = makeFakeTwin("a", 1, 1)
  const hub = hubOf(twin)
  const one = watcher()
  hub.join(one, null)
  const notice = twin.round({ events: ["x"] })
  const long = {
    ...notice.events[0]!,
    id: `${notice.seq + 1}-0`,
    raw: "r".repeat(100_000),
    old: "o".repeat(5_000),
    entity: "e".repeat(5_000),
  }
  const heard = { ...notice, seq: notice.seq + 1, events: [long] }
  Object.assign(twin, { seq: () => heard.seq })
  const listening: Array<(notice: typeof heard) => void> = []
  Object.assign(twin, { onRound: (listener: (notice: typeof heard) => void) => (listening.push(listener), () => {}) })
  const second = hubOf(twin)
  const two = watcher()
  second.join(two, null)
  for (const listener of listening) listener({ ...heard, seq: heard.seq + 1 })
  const frame = two.frames.find((one) => one.kind === "EVENT")
  assert.ok(frame?.kind === "EVENT")
  assert.equal(frame.events[0]?.raw?.length, 16_384)
})

test("a defect in the twin's view ends with a fresh keyframe, not with a dead process", () => {
  const twin = makeFakeTwin("a", 4, 4)
  const hub = hubOf(twin)
  const one = watcher()
  hub.join(one, null)
  const counts = twin.counts
  Object.assign(twin, {
    counts: () => {
      throw new Error("defect")
    },
  })
  twin.round({ deltas: [{ column: "node", slot: 1, status: DOWN, seenS: 1 }] })
  Object.assign(twin, { counts })
  twin.round({ deltas: [{ column: "node", slot: 2, status: DOWN, seenS: 1 }] })
  assert.deepEqual(kinds(one), ["SNAP", "SNAP"])
  agrees(one, twin)
})
