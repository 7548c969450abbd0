import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { fpingArgs, fpingRoom, timeoutMsOf } from "#engine/probes/fping.ts"
import { PING_SECONDS, pingPlan, stretch } from "#engine/probes/plan.ts"
import { ROLES } from "#protocol/role.ts"

test("[C10] core, edge and route reflectors are pinged every 2 s, others every 10 s, unless told otherwise", () => {
  for (const role of ROLES) {
    const expected = ["core", "edge", "rr"].includes(role) ? 2 : 10
    assert.deepEqual(pingPlan(null, [role]), { intervalSeconds: expected }, role)
  }
  assert.deepEqual(pingPlan(null, ["bng", "edge"]), { intervalSeconds: 2 })
  assert.equal(pingPlan(0, ["core"]), null)
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 60 }), (asked) => {
      const seconds = pingPlan(asked, ["core"])?.intervalSeconds ?? 0
      assert.ok(seconds <= asked && (PING_SECONDS as readonly number[]).includes(seconds))
      assert.ok(!PING_SECONDS.some((rate) => rate > seconds && rate <= asked), "the next rate would have been too slow")
    }),
  )
})

test("[C10] the cap on packets per second holds for any mix of rates, and nobody is slowed below it", () => {
  const intervals = fc.array(
    fc.constantFrom(...PING_SECONDS).map((seconds) => seconds * 1_000),
    { maxLength: 500 },
  )
  fc.assert(
    fc.property(intervals, fc.integer({ min: 1, max: 3_000 }), (list, cap) => {
      const factor = stretch(list, cap)
      const rate = list.reduce((sum, ms) => sum + 1_000 / (ms * factor), 0)
      assert.ok(rate <= cap * (1 + 1e-9))
      assert.ok(factor === 1 || Math.abs(rate - cap) < 1e-6 * cap)
    }),
  )
})

test("[C9] one process sends for at most a tenth of its period, a millisecond apart, and waits less than a period", () => {
  for (const periodMs of PING_SECONDS.map((seconds) => seconds * 1_000)) {
    const room = fpingRoom(periodMs)
    assert.ok(room >= 100 && room <= 128 && room <= periodMs * 0.1)
    assert.ok(timeoutMsOf(periodMs) < periodMs)
    assert.deepEqual(fpingArgs(periodMs).slice(0, 5), ["-l", "-p", String(periodMs), "-i", "1"])
  }
})
