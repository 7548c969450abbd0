/** Fairness between actors, slices of the event loop, and phases in a fixed order. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import * as Effect from "effect/Effect"
import type { ActorHandle, ActorSpec } from "#engine/actors/actor.ts"
import { makeKit, recorder, supervisor } from "#engine/actors/kit.fixture.ts"
import { MESSAGES_PER_TURN, SLICE_MS, SWEEPS_MAX } from "#engine/actors/pump.ts"

test("[P1] a busy actor does not starve the others: one turn of it, then everyone else", async (t) => {
  const kit = await makeKit(t)
  const order: string[] = []
  const spec = recorder({
    mailboxMax: 100_000,
    receive: (state, _message, ctx) => {
      if (order.at(-1) !== ctx.id) order.push(ctx.id)
      return state
    },
  })
  const [busy, one, two] = ["busy", "one", "two"].map((id) => kit.system.spawn(kit.system.root, id, spec))
  for (let n = 0; n < 3 * MESSAGES_PER_TURN; n++) busy?.tell("work")
  one?.tell("small")
  two?.tell("small")
  kit.pump()
  assert.deepEqual(order, ["busy", "one", "two", "busy"])
})

test("[P2] an actor that keeps telling itself leaves the event loop its turns", async (t) => {
  let monoMs = 0
  const kit = await makeKit(t, { monoMs: () => monoMs })
  let runs = 0
  const spec: ActorSpec<number, string> = {
    type: "selfish",
    init: Effect.succeed(0),
    receive: (count, message, ctx) => {
      runs++
      monoMs += 0.01
      if (runs < 10_000) ctx.run(Effect.void, () => message)
      return count + 1
    },
    mailboxMax: 10,
    restart: "permanent",
    restartFrom: "lastGood",
  }
  kit.system.spawn(kit.system.root, "selfish", spec).tell("again")
  const slices = kit.pump()
  assert.equal(runs, 10_000)
  // 100 ms of work; a slice may run over by what happens between two looks at the clock.
  assert.ok(slices >= Math.floor(100 / (SLICE_MS + 1)), `${slices} slices`)
})

test("[P3] 10,000 actors: all messages handled once and in order, the whole tree stopped", async (t) => {
  const kit = await makeKit(t)
  const sup = kit.system.supervisor(kit.system.root, "sup", supervisor())
  const spec: ActorSpec<number, number> = {
    type: "counter",
    init: Effect.succeed(0),
    receive: (expected, message) => {
      assert.equal(message, expected)
      return expected + 1
    },
    mailboxMax: 10,
    restart: "permanent",
    restartFrom: "lastGood",
  }
  const actors = Array.from({ length: 10_000 }, (_, n) => kit.system.spawn(sup, `actor ${n}`, spec))
  for (let round = 0; round < 5; round++) {
    for (const actor of actors) assert.equal(actor.tell(round), true)
    if (round % 2 === 0) kit.pump()
  }
  kit.pump()
  assert.ok(actors.every((actor) => actor.peek() === 5))
  assert.equal(kit.system.stats().types.get("counter")?.processed, 50_000)
  await kit.close()
  assert.ok(actors.every((actor) => actor.status() === "stopped"))
})

test("[P4] drainPhase gives the same emissions and states whatever the order of telling between actors", async (t) => {
  const telling = fc.array(fc.record({ actor: fc.nat(4), message: fc.integer({ min: -3, max: 100 }) }), {
    maxLength: 30,
  })
  const shuffled = telling.chain((messages) =>
    fc.tuple(fc.constant(messages), fc.shuffledSubarray(messages, { minLength: messages.length })),
  )
  await fc.assert(
    fc.asyncProperty(shuffled, async ([messages, mixed]) => {
      // Keep each actor's own order; mix only between actors.
      const queues = new Map<number, number[]>()
      for (const { actor, message } of messages) queues.set(actor, [...(queues.get(actor) ?? []), message])
      const remixed = mixed.map(({ actor }) => ({ actor, message: queues.get(actor)?.shift() as number }))
      assert.deepEqual(await runPhase(t, messages), await runPhase(t, remixed))
    }),
    { numRuns: 40 },
  )
})

/** Negative messages are poison. Spawned in reverse, so that the index and not the birth decides. */
const runPhase = async (
  t: Parameters<typeof makeKit>[0],
  messages: ReadonlyArray<{ readonly actor: number; readonly message: number }>,
): Promise<unknown> => {
  const kit = await makeKit(t, { root: supervisor({ tooMany: "report" }) })
  const emitted: string[] = []
  const spec: ActorSpec<number, number, string> = {
    type: "adder",
    phase: 3,
    init: Effect.succeed(0),
    receive: (sum, message, ctx) => {
      ctx.emit(`${ctx.index}: ${sum} + ${message}`)
      if (message < 0) throw new Error("negative")
      return sum + message
    },
    onEmit: (outs) => emitted.push(...outs),
    mailboxMax: 100,
    restart: "permanent",
    restartFrom: "lastGood",
  }
  const actors: Array<ActorHandle<number, number>> = []
  for (let index = 4; index >= 0; index--)
    actors[index] = kit.system.spawn(kit.system.root, `adder ${index}`, spec, { index })
  for (const { actor, message } of messages) actors[actor]?.tell(message)
  assert.equal(kit.pump(), 0, "the pump leaves phased actors alone")
  assert.equal(kit.system.drainPhase(3), messages.length)
  return { emitted, states: actors.map((actor) => actor.peek()) }
}

test("[P5] drainPhase runs one phase only, and what its actors tell each other, but not without end", async (t) => {
  const kit = await makeKit(t)
  const phased = (phase: number, other: () => ActorHandle<number, string>): ActorSpec<number, string> => ({
    type: "phased",
    phase,
    init: Effect.succeed(0),
    receive: (count, message) => {
      other().tell(message)
      return count + 1
    },
    mailboxMax: 10,
    restart: "permanent",
    restartFrom: "lastGood",
  })
  const late: ActorHandle<number, string> = kit.system.spawn(
    kit.system.root,
    "late",
    phased(2, () => late),
  )
  const ping: ActorHandle<number, string> = kit.system.spawn(
    kit.system.root,
    "ping",
    phased(1, () => pong),
  )
  const pong: ActorHandle<number, string> = kit.system.spawn(
    kit.system.root,
    "pong",
    phased(1, () => ping),
  )
  ping.tell("ball")
  late.tell("waits for its phase")
  assert.equal(kit.system.drainPhase(1), SWEEPS_MAX)
  assert.equal(late.peek(), 0)
  assert.equal(kit.system.drainPhase(1), SWEEPS_MAX, "the rest waits for the next call")
})

test("[P6] drainPhase from inside a turn is refused: it is the reducer's crash", async (t) => {
  const kit = await makeKit(t)
  const spec = recorder({
    receive: (state) => {
      kit.system.drainPhase(1)
      return state
    },
  })
  kit.system.spawn(kit.system.root, "child", spec).tell("drain")
  kit.pump()
  assert.match(kit.system.deadLetters.recent()[0]?.error ?? "", /inside a turn/)
})
