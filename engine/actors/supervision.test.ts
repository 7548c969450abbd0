/** The supervision matrix: every strategy, restart type, backoff, intensity and period, escalation, quarantine. */
import assert from "node:assert/strict"
import { test } from "node:test"
import * as Effect from "effect/Effect"
import type { ActorHandle } from "#engine/actors/actor.ts"
import { makeKit, recorder, supervisor } from "#engine/actors/kit.fixture.ts"
import type { Kit, LogMsg } from "#engine/actors/kit.fixture.ts"
import { START_RETRY_MS, STOP_DEADLINE_MS } from "#engine/actors/tree.ts"

type Recorder = ActorHandle<readonly string[], LogMsg>

/** Three children whose state counts their own starts from init. */
const threeChildren = (kit: Kit, strategy: "one_for_one" | "one_for_all" | "rest_for_one") => {
  const sup = kit.system.supervisor(kit.system.root, "sup", supervisor({ strategy }))
  const starts: string[] = []
  const child = (id: string): Recorder =>
    kit.system.spawn(sup, id, recorder({ restartFrom: "init", init: Effect.sync(() => (starts.push(id), [])) }))
  return { starts, children: { a: child("a"), b: child("b"), c: child("c") } }
}

for (const { strategy, restarted } of [
  { strategy: "one_for_one", restarted: ["b"] },
  { strategy: "one_for_all", restarted: ["a", "b", "c"] },
  { strategy: "rest_for_one", restarted: ["b", "c"] },
] as const) {
  test(`[S1] ${strategy} restarts ${restarted.join(", ")} when b crashes, in the order of their start`, async (t) => {
    const kit = await makeKit(t)
    const { starts, children } = threeChildren(kit, strategy)
    for (const child of Object.values(children)) child.tell("kept by those who do not restart")
    kit.pump()
    starts.length = 0
    children.b.tell("boom")
    kit.pump()
    assert.deepEqual(starts, restarted)
    for (const [id, child] of Object.entries(children)) {
      const wasRestarted = (restarted as readonly string[]).includes(id)
      assert.deepEqual(child.peek(), wasRestarted ? [] : ["kept by those who do not restart"], id)
      assert.equal(child.status(), "running")
    }
  })
}

test("[S2] a sibling stopped by one_for_all keeps what waits in its mailbox", async (t) => {
  const kit = await makeKit(t)
  const { children } = threeChildren(kit, "one_for_all")
  children.b.tell("boom")
  children.c.tell("told before the crash, handled after the restart")
  kit.pump()
  assert.deepEqual(children.c.peek(), ["told before the crash, handled after the restart"])
})

test("[S3] restart types: permanent always, transient after a crash only, temporary never", async (t) => {
  const kit = await makeKit(t)
  const sup = kit.system.supervisor(kit.system.root, "sup", supervisor({ intensity: 100 }))
  const matrix = [
    { restart: "permanent", ending: "stop", status: "running" },
    { restart: "permanent", ending: "boom", status: "running" },
    { restart: "transient", ending: "stop", status: "stopped" },
    { restart: "transient", ending: "boom", status: "running" },
    { restart: "temporary", ending: "stop", status: "stopped" },
    { restart: "temporary", ending: "boom", status: "stopped" },
  ] as const
  for (const { restart, ending, status } of matrix) {
    const child = kit.system.spawn(sup, `${restart}-${ending}`, recorder({ restart }))
    child.tell(ending)
    kit.pump()
    assert.equal(child.status(), status, `${restart} after ${ending}`)
    assert.equal(child.tell("later"), status === "running")
  }
})

test("[S4] backoff: first restart at once, then doubling up to the cap, less what the dice take", async (t) => {
  let die = 0
  const kit = await makeKit(t, { dice: () => die })
  const backoff = { baseMs: 100, maxMs: 300, jitter: 0.5 }
  const sup = kit.system.supervisor(kit.system.root, "sup", supervisor({ intensity: 9, periodMs: 1e9, backoff }))
  const child = kit.system.spawn(sup, "child", recorder())
  const crashAndWait = (): number => {
    child.tell("boom")
    kit.pump()
    const from = kit.clock.nowMs()
    while (child.status() !== "running") kit.clock.advanceTo(kit.clock.nowMs() + 1)
    return kit.clock.nowMs() - from
  }
  assert.deepEqual([crashAndWait(), crashAndWait(), crashAndWait(), crashAndWait()], [0, 100, 200, 300])
  die = 1
  assert.equal(crashAndWait(), 150)
})

test("[S5] messages told during the backoff wait and are handled after the restart", async (t) => {
  const kit = await makeKit(t)
  const backoff = { baseMs: 100, maxMs: 100, jitter: 0 }
  const sup = kit.system.supervisor(kit.system.root, "sup", supervisor({ backoff }))
  const child = kit.system.spawn(sup, "child", recorder())
  for (const message of ["boom", "boom", "kept"]) child.tell(message)
  kit.pump()
  assert.equal(child.status(), "waiting")
  assert.equal(child.tell("told while waiting"), true)
  kit.clock.advanceTo(kit.clock.nowMs() + 100)
  kit.pump()
  assert.deepEqual(child.peek(), ["kept", "told while waiting"])
})

test("[S6] intensity and period: one crash too many escalates, the same crashes spread out do not", async (t) => {
  const spread = await makeKit(t)
  const calm = spread.system.spawn(
    spread.system.supervisor(spread.system.root, "sup", supervisor({ intensity: 3, periodMs: 10_000 })),
    "calm",
    recorder(),
  )
  for (let crash = 0; crash < 20; crash++) {
    calm.tell("boom")
    spread.pump()
    spread.clock.advanceTo(spread.clock.nowMs() + 3_334)
  }
  assert.equal(spread.kinds().filter((kind) => kind.startsWith("escalated")).length, 0)

  const dense = await makeKit(t)
  const sup = dense.system.supervisor(dense.system.root, "sup", supervisor({ intensity: 3, periodMs: 10_000 }))
  const sick = dense.system.spawn(sup, "sick", recorder())
  for (let crash = 0; crash < 4; crash++) {
    sick.tell("boom")
    dense.pump()
    dense.clock.advanceTo(dense.clock.nowMs() + 3_333)
  }
  assert.equal(dense.kinds().filter((kind) => kind.startsWith("escalated")).length, 1)
})

test("[S7] escalation: the supervisor stops its children, its own supervisor restarts it and them from init", async (t) => {
  const kit = await makeKit(t)
  const outer = kit.system.supervisor(kit.system.root, "outer", supervisor())
  const inner = kit.system.supervisor(outer, "inner", supervisor({ intensity: 1 }))
  const sick = kit.system.spawn(inner, "sick", recorder())
  const sibling = kit.system.spawn(inner, "sibling", recorder())
  const cousin = kit.system.spawn(outer, "cousin", recorder())
  sibling.tell("lost with the supervisor")
  cousin.tell("kept")
  sick.tell("boom")
  sick.tell("boom again")
  kit.pump()
  assert.deepEqual(kit.kinds(), [
    "crashed sick",
    "restarted sick",
    "crashed sick",
    "escalated sick",
    "crashed inner",
    "restarted inner",
  ])
  assert.deepEqual([sick.peek(), sibling.peek(), cousin.peek()], [[], [], ["kept"]])
  assert.deepEqual([sick.status(), sibling.status(), cousin.status()], ["running", "running", "running"])
  assert.deepEqual(kit.failures, [])
})

test("[S8] when the root gives up, everything is stopped, tells are refused and the owner is told once", async (t) => {
  const kit = await makeKit(t, { root: supervisor({ intensity: 0 }) })
  const sick = kit.system.spawn(kit.system.root, "sick", recorder())
  const other = kit.system.spawn(kit.system.root, "other", recorder())
  sick.tell("boom")
  kit.pump()
  assert.equal(kit.failures.length, 1)
  assert.match(String(kit.failures[0]), /gave up/)
  assert.deepEqual([sick.status(), other.status()], ["stopped", "stopped"])
  assert.equal(other.tell("too late"), false)
})

test("[S9] quarantine: the fifth crash in 60 s sets one actor aside, nobody else, and it comes back", async (t) => {
  const kit = await makeKit(t)
  const spec = supervisor({ intensity: 4, periodMs: 60_000, tooMany: "quarantine" })
  const sup = kit.system.supervisor(kit.system.root, "devices", spec)
  const sick = kit.system.spawn(sup, "sick", recorder())
  const healthy = kit.system.spawn(sup, "healthy", recorder())
  sick.tell("good")
  for (let crash = 0; crash < 5; crash++) sick.tell("boom")
  sick.tell("waits when the door shuts")
  healthy.tell("boom")
  healthy.tell("still here")
  kit.pump()
  assert.equal(sick.status(), "quarantined")
  assert.equal(sick.tell("refused"), false)
  assert.deepEqual(healthy.peek(), ["still here"])
  const notice = kit.notices.find((each) => each.kind === "quarantined")
  assert.deepEqual([notice?.id, notice?.untilMs], ["sick", kit.clock.nowMs() + 60_000])
  const stats = kit.system.stats().types.get("recorder")
  assert.deepEqual([stats?.quarantined, stats?.quarantines, stats?.depth], [1, 1, 0])
  assert.equal(kit.system.stats().deadLetters.quarantined, 2)

  kit.clock.advanceTo(kit.clock.nowMs() + 60_000)
  assert.equal(sick.status(), "running")
  assert.ok(kit.kinds().includes("released sick"))
  sick.tell("back")
  kit.pump()
  assert.deepEqual(sick.peek(), ["good", "back"], "the last good state survives the quarantine")
  assert.equal(kit.system.stats().types.get("recorder")?.quarantined, 0)
})

test("[S10] a quarantine soon after the last one is twice as long; after a calm time it is short again", async (t) => {
  const kit = await makeKit(t)
  const quarantine = { baseMs: 1_000, maxMs: 8_000, jitter: 0 }
  const spec = supervisor({ intensity: 0, tooMany: "quarantine", quarantine })
  const sick = kit.system.spawn(kit.system.supervisor(kit.system.root, "sup", spec), "sick", recorder())
  const lengths: number[] = []
  const crash = (): void => {
    sick.tell("boom")
    kit.pump()
    const untilMs = kit.notices.findLast((each) => each.kind === "quarantined")?.untilMs ?? NaN
    lengths.push(untilMs - kit.clock.nowMs())
    kit.clock.advanceTo(untilMs)
  }
  for (let nth = 0; nth < 5; nth++) crash()
  kit.clock.advanceTo(kit.clock.nowMs() + 8_000)
  crash()
  assert.deepEqual(lengths, [1_000, 2_000, 4_000, 8_000, 8_000, 1_000])
})

test("[S11] report: too many crashes are told like a quarantine, but the actor goes on with its last good state", async (t) => {
  const kit = await makeKit(t)
  const spec = supervisor({ intensity: 1, tooMany: "report" })
  const sick = kit.system.spawn(kit.system.supervisor(kit.system.root, "sup", spec), "sick", recorder())
  for (const message of ["one", "boom", "two", "boom", "three", "boom", "four", "boom", "five"]) sick.tell(message)
  kit.pump()
  assert.deepEqual(sick.peek(), ["one", "two", "three", "four", "five"])
  assert.equal(sick.status(), "running")
  assert.deepEqual(
    kit.notices.filter((each) => each.kind === "quarantined").map((each) => each.id),
    ["sick", "sick"],
  )
  kit.clock.advanceTo(kit.clock.nowMs() + 10 * 60_000)
  assert.equal(kit.kinds().filter((kind) => kind === "released sick").length, 1, "one release for the longest")
})

test("[S12] an init that fails is a crash: retried after a pause, then with backoff, then it escalates", async (t) => {
  const kit = await makeKit(t)
  const backoff = { baseMs: 100, maxMs: 100, jitter: 0 }
  const sup = kit.system.supervisor(kit.system.root, "sup", supervisor({ intensity: 2, backoff }))
  let tries = 0
  const spec = recorder({ init: Effect.suspend(() => (++tries < 3 ? Effect.fail("no snapshot") : Effect.succeed([]))) })
  const child = kit.system.spawn(sup, "child", spec)
  assert.equal(tries, 1)
  kit.clock.advanceTo(kit.clock.nowMs() + START_RETRY_MS)
  assert.equal(tries, 2)
  assert.equal(child.status(), "waiting")
  kit.clock.advanceTo(kit.clock.nowMs() + 100)
  assert.equal(tries, 3)
  assert.equal(child.status(), "running")
})

test("[S18] what can never start, without any backoff, neither overflows the stack nor spins", async (t) => {
  const kit = await makeKit(t, { root: supervisor({ intensity: 1e6, periodMs: 1e9 }) })
  let tries = 0
  const bad = recorder({ init: Effect.suspend(() => Effect.fail(`try ${++tries}`)) })
  const strict = kit.system.supervisor(kit.system.root, "strict", supervisor({ intensity: 0 }))
  kit.system.spawn(strict, "escalates each time", bad)
  const badHook = recorder({
    started: () => {
      tries++
      throw new Error("started")
    },
  })
  kit.system.spawn(kit.system.root, "fails in its hook", badHook)
  assert.equal(tries, 2)
  kit.clock.advanceTo(kit.clock.nowMs() + 100 * START_RETRY_MS)
  assert.equal(tries, 202)
})

test("[S13] an init that takes its time: messages wait, then are handled", async (t) => {
  const kit = await makeKit(t)
  let loaded = (_state: readonly string[]): void => undefined
  const init = Effect.callback<readonly string[]>((resume) => {
    loaded = (state) => resume(Effect.succeed(state))
  })
  const child = kit.system.spawn(kit.system.root, "child", recorder({ init }))
  child.tell("early")
  kit.pump()
  assert.equal(child.status(), "starting")
  assert.equal(child.peek(), null)
  loaded(["from the snapshot"])
  kit.pump()
  assert.deepEqual(child.peek(), ["from the snapshot", "early"])
})

test("[S14] whole-tree shutdown: newest first, scopes closed, timers and effects gone", async (t) => {
  const kit = await makeKit(t)
  const closed: string[] = []
  const spec = (id: string) =>
    recorder({
      init: Effect.as(
        Effect.acquireRelease(Effect.void, () => Effect.sync(() => closed.push(id))),
        [],
      ),
      started: (_state, ctx) => {
        ctx.after(1_000, "late")
        ctx.run(
          Effect.onInterrupt(Effect.never, () => Effect.sync(() => closed.push(`${id}'s effect`))),
          () => "never",
        )
      },
    })
  const sup = kit.system.supervisor(kit.system.root, "sup", supervisor())
  const actors = ["a", "b"].map((id) => kit.system.spawn(sup, id, spec(id)))
  actors.push(kit.system.spawn(kit.system.root, "c", spec("c")))
  await kit.close()
  assert.deepEqual(closed, ["c's effect", "c", "b's effect", "b", "a's effect", "a"])
  assert.deepEqual(
    actors.map((actor) => actor.status()),
    ["stopped", "stopped", "stopped"],
  )
  kit.clock.advanceTo(kit.clock.nowMs() + 10_000)
  assert.equal(kit.system.stats().timers, 0)
  assert.equal(kit.system.stats().types.get("recorder")?.actors, 0)
})

test("[S15] a finalizer that hangs delays its siblings' restart until the deadline, and is counted as stuck", async (t) => {
  const kit = await makeKit(t)
  const sup = kit.system.supervisor(kit.system.root, "sup", supervisor({ strategy: "one_for_all" }))
  const hangs = recorder({
    type: "hanging",
    started: (_state, ctx) =>
      void ctx.run(
        Effect.onInterrupt(Effect.never, () => Effect.never),
        () => "never",
      ),
  })
  const sick = kit.system.spawn(sup, "sick", recorder())
  const hanging = kit.system.spawn(sup, "hanging", hangs)
  sick.tell("boom")
  kit.pump()
  assert.deepEqual([sick.status(), hanging.status()], ["waiting", "waiting"])
  kit.clock.advanceTo(kit.clock.nowMs() + STOP_DEADLINE_MS)
  assert.deepEqual([sick.status(), hanging.status()], ["running", "running"])
  assert.equal(kit.system.stats().types.get("hanging")?.stuck, 1)
  // The scope of this test closes with the hanging effect still there: its deadline passes in the system's time.
  const closing = kit.close()
  kit.clock.advanceTo(kit.clock.nowMs() + STOP_DEADLINE_MS)
  await closing
})

test("[S16] a crash while a restart is planned: the newer plan wins, nobody is started twice", async (t) => {
  const kit = await makeKit(t)
  const backoff = { baseMs: 100, maxMs: 100, jitter: 0 }
  const sup = kit.system.supervisor(
    kit.system.root,
    "sup",
    supervisor({ strategy: "rest_for_one", intensity: 9, backoff }),
  )
  const starts: string[] = []
  const child = (id: string): Recorder =>
    kit.system.spawn(sup, id, recorder({ restartFrom: "init", init: Effect.sync(() => (starts.push(id), [])) }))
  const [a, b] = [child("a"), child("b")]
  b.tell("boom")
  kit.pump() // the first restart is immediate
  b.tell("boom")
  kit.pump() // b waits 100 ms
  kit.clock.advanceTo(kit.clock.nowMs() + 50)
  a.tell("boom")
  kit.pump() // a and b wait 100 ms more
  starts.length = 0
  kit.clock.advanceTo(kit.clock.nowMs() + 50)
  assert.deepEqual(starts, [], "the older plan for b is void")
  kit.clock.advanceTo(kit.clock.nowMs() + 50)
  assert.deepEqual(starts, ["a", "b"])
})

test("[S17] a listener of notices that throws does not disturb supervision, and is counted", async (t) => {
  const kit = await makeKit(t, {
    onNotice: () => {
      throw new Error("listener")
    },
  })
  const child = kit.system.spawn(kit.system.root, "child", recorder())
  child.tell("boom")
  child.tell("good")
  kit.pump()
  assert.deepEqual(child.peek(), ["good"])
  assert.ok(kit.system.stats().noticesLost >= 1)
})
