import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { makeManualClock, makeProcessClock } from "#engine/actors/clock.ts"
import { makeTimers } from "#engine/actors/timers.ts"

test("[T1] timers fire once, at their time, in the order of (time, request), whatever is added and cancelled", () => {
  const command = fc.oneof(
    { weight: 3, arbitrary: fc.record({ kind: fc.constant("add" as const), ms: fc.integer({ min: 0, max: 50 }) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("cancel" as const), which: fc.nat(40) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("advance" as const), ms: fc.nat(30) }) },
  )
  fc.assert(
    fc.property(fc.array(command, { maxLength: 80 }), (commands) => {
      const clock = makeManualClock()
      const timers = makeTimers(clock)
      const fired: Array<readonly [number, number]> = []
      let waiting: Array<{ due: number; id: number; cancel: () => void }> = []
      const expected: Array<readonly [number, number]> = []
      let id = 0
      for (const step of [...commands, { kind: "advance" as const, ms: 100 }]) {
        if (step.kind === "add") {
          const mine = id++
          const { cancel } = timers.after(step.ms, () => fired.push([clock.nowMs(), mine]))
          waiting.push({ due: clock.nowMs() + Math.max(1, step.ms), id: mine, cancel })
        } else if (step.kind === "cancel") {
          const [gone] = waiting.splice(step.which, 1)
          gone?.cancel()
          gone?.cancel()
        } else {
          const now = clock.nowMs() + step.ms
          const due = waiting.filter((timer) => timer.due <= now).sort((a, b) => a.due - b.due || a.id - b.id)
          waiting = waiting.filter((timer) => timer.due > now)
          expected.push(...due.map((timer) => [timer.due, timer.id] as const))
          clock.advanceTo(now)
        }
        assert.equal(timers.size(), waiting.length)
      }
      assert.deepEqual(fired, expected)
    }),
  )
})

test("[T2] a timer that asks for itself again advances with the time instead of spinning", () => {
  const clock = makeManualClock()
  const timers = makeTimers(clock)
  let fired = 0
  const again = (): void => {
    fired++
    timers.after(0, again)
  }
  timers.after(0, again)
  clock.advanceTo(10)
  assert.equal(fired, 10)
})

test("[T3] on the process clock a timer fires after its delay, and a cancelled one never", async () => {
  const timers = makeTimers(makeProcessClock())
  const startMs = Date.now()
  const cancelled = timers.after(1, () => assert.fail("cancelled"))
  cancelled.cancel()
  await new Promise<void>((resolve) => timers.after(20, resolve))
  assert.ok(Date.now() - startMs >= 19)
  assert.equal(timers.size(), 0)
})

test("[T4] closed timers never fire and hold nothing", () => {
  const clock = makeManualClock()
  const timers = makeTimers(clock)
  timers.after(5, () => assert.fail("closed"))
  timers.close()
  timers.after(5, () => assert.fail("closed"))
  clock.advanceTo(100)
  assert.equal(timers.size(), 0)
})
