import assert from "node:assert/strict"
import { test } from "node:test"
import * as fc from "fast-check"
import type { BreakerSignal, BreakerState } from "#engine/collectors/breaker.ts"
import {
  answered,
  attempt,
  BREAKER_SIGNALS,
  BREAKER_STATES,
  BREAKER_TABLE,
  CLOSED_BREAKER,
  FAILURES_TO_OPEN,
  heard,
  HEARD_REST_MS,
  REST_MS,
} from "#engine/collectors/breaker.ts"

test("[C6] the breaker's table has every state and signal, and says what the drawing says", () => {
  const drawn: Array<[BreakerState, BreakerSignal, BreakerState]> = [
    ["closed", "success", "closed"],
    ["closed", "failure", "closed"],
    ["closed", "tripped", "open"],
    ["closed", "cooled", "closed"],
    ["open", "success", "closed"],
    ["open", "failure", "open"],
    ["open", "tripped", "open"],
    ["open", "cooled", "halfOpen"],
    ["halfOpen", "success", "closed"],
    ["halfOpen", "failure", "open"],
    ["halfOpen", "tripped", "open"],
    ["halfOpen", "cooled", "halfOpen"],
  ]
  assert.equal(drawn.length, BREAKER_STATES.length * BREAKER_SIGNALS.length)
  for (const [state, signal, next] of drawn) assert.equal(BREAKER_TABLE[state][signal], next, `${state} ${signal}`)
})

test("[C6] four failures and an answer keep it closed; five in a row open it", () => {
  let breaker = CLOSED_BREAKER
  for (let i = 1; i < FAILURES_TO_OPEN; i++) breaker = answered(breaker, false, i)
  assert.equal(breaker.state, "closed")
  assert.equal(answered(breaker, true, 5).failures, 0)
  assert.equal(answered(breaker, false, 5).state, "open")
})

/** Any asker, however eager: it asks at growing times and learns the answers in order. */
const run = fc.array(fc.record({ gapMs: fc.nat(30_000), tookMs: fc.nat(5_000), ok: fc.boolean() }), { maxLength: 200 })

test("[C6] after five failures in a row there is at most one attempt in 60 s, until an answer comes", () => {
  fc.assert(
    fc.property(run, (steps) => {
      let breaker = CLOSED_BREAKER
      let nowMs = 0
      let inARow = 0
      let lastAttemptMs = Number.NEGATIVE_INFINITY
      for (const { gapMs, tookMs, ok } of steps) {
        nowMs += gapMs
        const begun = attempt(breaker, nowMs)
        if (begun === null) {
          assert.ok(inARow >= FAILURES_TO_OPEN, "refused although it had not failed five times")
          assert.ok(nowMs - lastAttemptMs < REST_MS + 5_000, "refused although it had rested")
          continue
        }
        if (inARow >= FAILURES_TO_OPEN) assert.ok(nowMs - lastAttemptMs >= REST_MS)
        lastAttemptMs = nowMs
        nowMs += tookMs
        breaker = answered(begun, ok, nowMs)
        inARow = ok ? 0 : inARow + 1
        assert.equal(breaker.state === "closed", inARow < FAILURES_TO_OPEN)
      }
    }),
  )
})

test("a resting device that speaks is tried at once, yet at most once in ten seconds; a closed breaker stays as it is", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(15_000), { minLength: 1, maxLength: 100 }), (gaps) => {
      let breaker = CLOSED_BREAKER
      assert.equal(heard(breaker, 0), breaker)
      for (let i = 0; i < FAILURES_TO_OPEN; i++) breaker = answered(breaker, false, 0)
      let nowMs = 0
      let lastMs = 0
      for (const gap of gaps) {
        nowMs += gap
        const begun = attempt(heard(breaker, nowMs), nowMs)
        assert.equal(begun !== null, nowMs - lastMs >= HEARD_REST_MS, `${nowMs - lastMs} ms after the last attempt`)
        if (begun === null) continue
        breaker = answered(begun, false, nowMs)
        lastMs = nowMs
      }
    }),
  )
})
