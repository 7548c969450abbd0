import assert from "node:assert/strict"
import { test } from "node:test"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { makeTokens } from "#engine/collectors/tokens.ts"

test("never more holders than tokens, and waiters go first come first served", () =>
  Effect.runPromise(
    Effect.gen(function* () {
      const tokens = makeTokens(2)
      const order: number[] = []
      const gates = Array.from({ length: 6 }, () => Deferred.makeUnsafe<void>())
      const fibers: Fiber.Fiber<void>[] = []
      for (const [i, gate] of gates.entries())
        fibers.push(
          yield* Effect.forkChild(
            tokens.hold(
              Effect.andThen(
                Effect.sync(() => void order.push(i)),
                Deferred.await(gate),
              ),
            ),
            { startImmediately: true },
          ),
        )
      assert.deepEqual(order, [0, 1])
      assert.equal(tokens.waiting(), 4)
      for (const [i, gate] of gates.entries()) {
        yield* Deferred.succeed(gate, undefined)
        const fiber = fibers[i]
        if (fiber !== undefined) yield* Fiber.join(fiber)
        assert.deepEqual(order, [0, 1, 2, 3, 4, 5].slice(0, Math.min(6, i + 3)))
      }
      assert.equal(tokens.free(), 2)
    }),
  ))

test("a waiter or a holder that is interrupted leaves no token behind", () =>
  Effect.runPromise(
    Effect.gen(function* () {
      const tokens = makeTokens(1)
      const start = () => Effect.forkChild(tokens.hold(Effect.never), { startImmediately: true })
      const holder = yield* start()
      const waiters = [yield* start(), yield* start()]
      assert.equal(tokens.waiting(), 2)
      const [first, second] = waiters
      if (first !== undefined) yield* Fiber.interrupt(first)
      assert.equal(tokens.waiting(), 1)
      yield* Fiber.interrupt(holder)
      assert.equal(tokens.waiting(), 0)
      assert.equal(tokens.free(), 0)
      if (second !== undefined) yield* Fiber.interrupt(second)
      assert.equal(tokens.free(), 1)
    }),
  ))

test("10,000 waiters are served in linear work", () =>
  Effect.runPromise(
    Effect.gen(function* () {
      const tokens = makeTokens(10)
      let running = 0
      let most = 0
      const one = tokens.hold(
        Effect.gen(function* () {
          most = Math.max(most, ++running)
          yield* Effect.yieldNow
          running--
        }),
      )
      yield* Effect.forEach(Array.from({ length: 10_000 }), () => one, { concurrency: "unbounded", discard: true })
      assert.equal(most, 10)
      assert.equal(tokens.free(), 10)
    }),
  ))
