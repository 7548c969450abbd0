/** What one actor promises: its mailbox, its poison messages, its effects and timers, and asking it. */
import assert from "node:assert/strict"
import { test } from "node:test"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import type { ActorSpec } from "#engine/actors/actor.ts"
import { ask, AskRefused, AskTimeout } from "#engine/actors/ask.ts"
import type { Reply } from "#engine/actors/ask.ts"
import { TIMERS_PER_ACTOR_MAX, EFFECTS_PER_ACTOR_MAX } from "#engine/actors/cell.ts"
import { DEAD_LETTERS_KEPT } from "#engine/actors/dead-letters.ts"
import { makeKit, recorder, supervisor } from "#engine/actors/kit.fixture.ts"

test("[A1] a poison message goes to the dead letters, the rest is handled, the state before it stays good", async (t) => {
  const kit = await makeKit(t)
  const child = kit.system.spawn(kit.system.root, "child", recorder())
  for (const message of ["one", "boom\u001b[31m red", "two"]) child.tell(message)
  kit.pump()
  assert.deepEqual(child.peek(), ["one", "two"])
  const [letter] = kit.system.deadLetters.recent()
  assert.deepEqual([letter?.actor, letter?.reason, letter?.message], ["child", "poison", "boom\u001b[31m red"])
  assert.equal(letter?.error, "Error: child boom [31m red", "no control character reaches a terminal")
  const stats = kit.system.stats().types.get("recorder")
  assert.deepEqual([stats?.crashes, stats?.restarts, stats?.processed, stats?.depth], [1, 1, 3, 0])
})

test("[A2] restartFrom init forgets the state, lastGood keeps it", async (t) => {
  const kit = await makeKit(t)
  const sup = kit.system.supervisor(kit.system.root, "sup", supervisor())
  const forgets = kit.system.spawn(sup, "forgets", recorder({ restartFrom: "init" }))
  const keeps = kit.system.spawn(sup, "keeps", recorder({ restartFrom: "lastGood" }))
  for (const actor of [forgets, keeps]) for (const message of ["one", "boom", "two"]) actor.tell(message)
  kit.pump()
  assert.deepEqual([forgets.peek(), keeps.peek()], [["two"], ["one", "two"]])
})

test("[A3] a full mailbox refuses and counts; it takes again after a turn", async (t) => {
  const kit = await makeKit(t)
  const child = kit.system.spawn(kit.system.root, "child", recorder({ mailboxMax: 2 }))
  assert.deepEqual([child.tell("1"), child.tell("2"), child.tell("3")], [true, true, false])
  kit.pump()
  assert.equal(child.tell("4"), true)
  kit.pump()
  assert.deepEqual(child.peek(), ["1", "2", "4"])
  assert.equal(kit.system.stats().types.get("recorder")?.refused, 1)
  assert.equal(kit.system.stats().deadLetters.full, 1)
})

test("[A4] telemetry is coalesced by key: last value, first place; also when the mailbox is full", async (t) => {
  const kit = await makeKit(t)
  const coalesceKey = (message: string): string | null =>
    message.includes("=") ? (message.split("=")[0] ?? null) : null
  const child = kit.system.spawn(kit.system.root, "child", recorder({ mailboxMax: 3, coalesceKey }))
  for (const message of ["cpu=1", "event", "temp=1", "cpu=2"]) assert.equal(child.tell(message), true)
  assert.equal(child.tell("refused"), false)
  kit.pump()
  assert.deepEqual(child.peek(), ["cpu=2", "event", "temp=1"])
  assert.equal(kit.system.stats().types.get("recorder")?.coalesced, 1)
  assert.equal(child.tell("cpu=3"), true)
  kit.pump()
  assert.equal(child.peek()?.at(-1), "cpu=3", "a handled value is never replaced")
})

test("[A5] what a poison message emitted is dropped, what good ones of the same turn emitted is kept", async (t) => {
  const kit = await makeKit(t)
  const emitted: string[] = []
  const spec: ActorSpec<number, string, string> = {
    type: "emitter",
    init: Effect.succeed(0),
    receive: (count, message, ctx) => {
      ctx.emit(`${message} ${count}`)
      if (message === "boom") throw new Error("after emitting")
      return count + 1
    },
    onEmit: (outs, id) => emitted.push(...outs.map((out) => `${id}: ${out}`)),
    mailboxMax: 10,
    restart: "permanent",
    restartFrom: "lastGood",
  }
  const child = kit.system.spawn(kit.system.root, "child", spec)
  for (const message of ["a", "boom", "b"]) child.tell(message)
  kit.pump()
  assert.deepEqual(emitted, ["child: a 0", "child: b 1"])
})

test("[A6] a listener of emissions that throws is the actor's crash, not the pump's", async (t) => {
  const kit = await makeKit(t)
  const spec: ActorSpec<number, string, string> = {
    type: "emitter",
    init: Effect.succeed(0),
    receive: (count, message, ctx) => {
      ctx.emit(message)
      return count + 1
    },
    onEmit: () => {
      throw new Error("listener")
    },
    mailboxMax: 10,
    restart: "permanent",
    restartFrom: "lastGood",
  }
  const child = kit.system.spawn(kit.system.root, "child", spec)
  const other = kit.system.spawn(kit.system.root, "other", recorder())
  child.tell("a")
  other.tell("b")
  kit.pump()
  assert.deepEqual(kit.kinds(), ["crashed child", "restarted child"])
  assert.deepEqual(other.peek(), ["b"])
})

test("[A7] answers of effects come back as messages", async (t) => {
  const kit = await makeKit(t)
  const spec = recorder({
    receive: (state, message, ctx) => {
      if (message === "go")
        ctx.run(Effect.succeed(42), (exit) => (Exit.isSuccess(exit) ? `answer ${exit.value}` : "failed"))
      if (message === "fail") ctx.run(Effect.fail("no"), (exit) => (Exit.isSuccess(exit) ? "?" : "failed as data"))
      return [...state, message]
    },
  })
  const child = kit.system.spawn(kit.system.root, "child", spec)
  child.tell("go")
  child.tell("fail")
  kit.pump()
  assert.deepEqual(child.peek(), ["go", "fail", "answer 42", "failed as data"])
})

test("[A8] a crash interrupts the actor's effects, waits for them, and drops their answers", async (t) => {
  const kit = await makeKit(t)
  const log: string[] = []
  let finish = (): void => undefined
  const slowEnd = Effect.callback<void>((resume) => {
    finish = () => resume(Effect.sync(() => void log.push("effect ended")))
  })
  const spec = recorder({
    init: Effect.sync(() => (log.push("init"), [])),
    restartFrom: "init",
    receive: (state, message, ctx) => {
      if (message === "boom") throw new Error("boom")
      if (message === "go")
        ctx.run(
          Effect.onInterrupt(Effect.never, () => slowEnd),
          () => "stale answer",
        )
      return [...state, message]
    },
  })
  const child = kit.system.spawn(kit.system.root, "child", spec)
  child.tell("go")
  child.tell("boom")
  child.tell("after")
  kit.pump()
  assert.deepEqual([log, child.status()], [["init"], "waiting"], "the new life waits for the old one's effects")
  finish()
  kit.pump()
  assert.deepEqual(log, ["init", "effect ended", "init"])
  assert.deepEqual(child.peek(), ["after"])
})

test("[A9] timers of a life that is over are dropped; `started` arms new ones", async (t) => {
  const kit = await makeKit(t)
  let life = 0
  const spec = recorder({
    started: (_state, ctx) => ctx.after(100, `tick of life ${++life}`),
  })
  const child = kit.system.spawn(kit.system.root, "child", spec)
  kit.clock.advanceTo(kit.clock.nowMs() + 50)
  child.tell("boom")
  kit.pump()
  kit.clock.advanceTo(kit.clock.nowMs() + 50)
  kit.pump()
  assert.deepEqual(child.peek(), [])
  kit.clock.advanceTo(kit.clock.nowMs() + 50)
  kit.pump()
  assert.deepEqual(child.peek(), ["tick of life 2"])
})

test("[A10] effects and timers of one actor are bounded; its own answers are never refused", async (t) => {
  const kit = await makeKit(t)
  const refused: boolean[] = []
  const spec = recorder({
    mailboxMax: 1,
    receive: (state, message, ctx) => {
      if (message === "effects")
        for (let n = 0; n <= EFFECTS_PER_ACTOR_MAX; n++) refused.push(!ctx.run(Effect.never, () => "never"))
      if (message === "timers") for (let n = 0; n < TIMERS_PER_ACTOR_MAX; n++) ctx.after(5, `tick ${n}`)
      if (message === "one timer more") ctx.after(5, "too many")
      return [...state, message]
    },
  })
  const child = kit.system.spawn(kit.system.root, "child", spec)
  child.tell("effects")
  kit.pump()
  assert.deepEqual([refused.filter(Boolean).length, refused.length], [1, EFFECTS_PER_ACTOR_MAX + 1])
  child.tell("timers")
  kit.pump()
  kit.clock.advanceTo(kit.clock.nowMs() + 5)
  kit.pump()
  assert.equal(child.peek()?.length, 2 + TIMERS_PER_ACTOR_MAX)
  child.tell("timers")
  kit.pump()
  child.tell("one timer more")
  kit.pump()
  assert.match(kit.system.deadLetters.recent()[0]?.error ?? "", /waits for 64 timers/)
})

test("[A11] ask: the answer arrives after the answering turn, the deadline is kept, a refusal is told at once", async (t) => {
  const kit = await makeKit(t)
  type Question = { readonly kind: "now" | "never" | "crash"; readonly reply: Reply<string> }
  const log: string[] = []
  const late: Array<Reply<string>> = []
  const spec: ActorSpec<number, Question> = {
    type: "oracle",
    init: Effect.succeed(0),
    receive: (count, question) => {
      if (question.kind === "crash") throw new Error("on the question")
      if (question.kind === "never") late.push(question.reply)
      else question.reply(`answer ${count}`)
      log.push("turn over")
      return count + 1
    },
    mailboxMax: 2,
    restart: "permanent",
    restartFrom: "lastGood",
  }
  const oracle = kit.system.spawn(kit.system.root, "oracle", spec)
  const put = (kind: Question["kind"]) =>
    Effect.runPromise(
      Effect.result(
        Effect.tap(
          ask<Question, string>(kit.system, oracle, (reply) => ({ kind, reply }), 1_000),
          () => Effect.sync(() => log.push("asker runs")),
        ),
      ),
    )
  const answered = put("now")
  kit.pump()
  assert.deepEqual(log, ["turn over", "asker runs"])
  assert.equal(Result.getOrThrow(await answered), "answer 0")

  const [forgotten, crashed, refused] = [put("never"), put("crash"), put("now")]
  const refusal = await refused
  assert.ok(Result.isFailure(refusal) && refusal.failure instanceof AskRefused)
  assert.equal(refusal.failure.status, "running")
  kit.pump()
  kit.clock.advanceTo(kit.clock.nowMs() + 1_000)
  for (const result of [await forgotten, await crashed]) {
    assert.ok(Result.isFailure(result) && result.failure instanceof AskTimeout)
    assert.equal(result.failure.deadlineMs, 1_000)
  }
  late[0]?.("too late")
  assert.equal(kit.system.stats().deadLetters.late, 1)
  assert.equal(kit.system.stats().timers, 0)
})

test("[A12] stop: effects end first, what waits goes to the dead letters, later tells are refused", async (t) => {
  const kit = await makeKit(t)
  const child = kit.system.spawn(kit.system.root, "child", recorder())
  child.tell("handled")
  kit.pump()
  child.tell("never handled")
  await Effect.runPromise(kit.system.stop(child))
  assert.equal(child.status(), "stopped")
  assert.equal(child.tell("refused"), false)
  kit.pump()
  assert.deepEqual(child.peek(), ["handled"])
  assert.deepEqual(
    kit.system.deadLetters.recent().map((letter) => [letter.reason, letter.message]),
    [
      ["stopped", "never handled"],
      ["stopped", "refused"],
    ],
  )
  const stats = kit.system.stats().types.get("recorder")
  assert.deepEqual([stats?.actors, stats?.depth], [0, 0])
})

test("[A13] the dead letters keep the newest few and count all", async (t) => {
  const kit = await makeKit(t)
  const sup = kit.system.supervisor(kit.system.root, "sup", supervisor({ intensity: 1e6 }))
  const child = kit.system.spawn(sup, "child", recorder())
  for (let n = 0; n < DEAD_LETTERS_KEPT + 10; n++) child.tell(`boom ${n}`)
  kit.pump()
  const recent = kit.system.deadLetters.recent()
  assert.equal(recent.length, DEAD_LETTERS_KEPT)
  assert.deepEqual([recent[0]?.message, recent.at(-1)?.message], ["boom 10", `boom ${DEAD_LETTERS_KEPT + 9}`])
  assert.equal(kit.system.stats().deadLetters.poison, DEAD_LETTERS_KEPT + 10)
})

test("[A14] an actor that stops itself finishes its message and no other", async (t) => {
  const kit = await makeKit(t)
  const child = kit.system.spawn(kit.system.root, "child", recorder({ restart: "transient" }))
  for (const message of ["one", "stop", "never"]) child.tell(message)
  kit.pump()
  assert.deepEqual([child.status(), child.peek()], ["stopped", ["one", "stop"]])
  assert.deepEqual(kit.kinds(), [])
})
