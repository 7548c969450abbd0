/** The process clock on a machine whose clock is set, and which sleeps. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { makeProcessClock } from "#engine/actors/clock.ts"
import type { ProcessClock } from "#engine/actors/clock.ts"
import { makeTimers } from "#engine/actors/timers.ts"

const START_MS = 1_760_000_000_000
const HOUR_MS = 3_600_000

/** A machine in a test's hand. */
const machine = () => {
  const it = { mono: 5_000, offset: START_MS - 5_000, slept: 0, fire: (): void => undefined }
  const clock: ProcessClock = makeProcessClock({
    wallMs: () => it.mono + it.offset,
    sleptMs: () => it.slept,
    turns: {
      monoMs: () => it.mono,
      later: (ms, action) => {
        it.fire = () => {
          it.mono += ms
          action()
        }
        return () => undefined
      },
    },
  })
  return { it, clock }
}

test("it is the machine's clock while that is not set", () => {
  const { it, clock } = machine()
  for (let i = 0; i < 100; i++) {
    it.mono += 977
    // NTP slews by parts of a millisecond.
    it.offset += i % 2
    assert.equal(clock.nowMs(), it.mono + it.offset)
    assert.equal(clock.skewMs(), 0)
  }
})

test("[13] set back or forward by an hour, time goes on at its pace, within 2 %, and agrees again in the end", () => {
  for (const step of [-HOUR_MS, HOUR_MS]) {
    const { it, clock } = machine()
    const before = clock.nowMs()
    it.offset += step
    it.mono += 10_000
    const passed = clock.nowMs() - before
    assert.ok(Math.abs(passed - 10_000) <= 201, `${passed} ms in 10 s after a step of ${step}`)
    assert.equal(clock.nowMs() - clock.skewMs(), it.mono + it.offset, "what others read can be corrected")
    for (let i = 0; i < 51 * 360; i++) {
      it.mono += 10_000
      clock.nowMs()
    }
    assert.ok(Math.abs(clock.nowMs() - it.mono - it.offset) < 1_000)
    assert.equal(clock.skewMs(), 0)
  }
})

test("a machine that slept: the time has really passed", () => {
  const { it, clock } = machine()
  const before = clock.nowMs()
  it.offset += 8 * HOUR_MS
  it.slept += 8 * HOUR_MS
  it.mono += 1_000
  assert.equal(clock.nowMs() - before, 8 * HOUR_MS + 1_000)
  assert.equal(clock.skewMs(), 0)
})

test("what an earlier life kept is never in the future", () => {
  const { clock, it } = machine()
  clock.notBefore(START_MS + HOUR_MS)
  assert.equal(clock.nowMs(), START_MS + HOUR_MS)
  it.mono += 50_000
  assert.ok(clock.nowMs() >= START_MS + HOUR_MS + 49_000, "and it does not stand still")
})

test("timers wait their time though the clock is set back meanwhile", () => {
  const { it, clock } = machine()
  const timers = makeTimers(clock)
  const fired: number[] = []
  const before = it.mono
  timers.after(1_000, () => fired.push(it.mono - before))
  it.offset -= HOUR_MS
  for (const _ of [1, 2, 3]) if (fired.length === 0) it.fire()
  assert.ok(fired.length === 1 && fired[0]! < 1_050, `fired after ${fired.join()} ms`)
})

test("it never goes back, whatever is set, slept or waited", () => {
  const act = fc.record({ ms: fc.nat(100_000), step: fc.integer({ min: -HOUR_MS, max: HOUR_MS }), isSet: fc.boolean() })
  fc.assert(
    fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
      const { it, clock } = machine()
      let newest = clock.nowMs()
      for (const { ms, step, isSet } of acts) {
        it.mono += ms
        if (isSet) it.offset += step
        const now = clock.nowMs()
        // A second's difference is followed as it is.
        assert.ok(now >= newest && now - newest <= ms * 1.02 + 1_001, `${now - newest} ms in ${ms} ms`)
        newest = now
      }
    }),
  )
})
