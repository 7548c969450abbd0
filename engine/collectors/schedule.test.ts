import assert from "node:assert/strict"
import { test } from "node:test"
import * as fc from "fast-check"
import { cycleAfter, dueMs, makeSlotPool, phaseOf, stableHash } from "#engine/collectors/schedule.ts"

const perSecond = (slots: number, intervalMs: number, jitter: number, fromS: number, toS: number): number[] => {
  const counts = Array.from({ length: toS - fromS }, () => 0)
  for (let slot = 0; slot < slots; slot++) {
    let cycle = cycleAfter(slot, fromS * 1_000 - 1, intervalMs, jitter)
    for (;;) {
      const second = Math.floor(dueMs(slot, cycle++, intervalMs, jitter) / 1_000) - fromS
      if (second >= counts.length) break
      counts[second] = (counts[second] ?? 0) + 1
    }
  }
  return counts
}

test("[C5] 1,000 devices every 10 s: each second of five minutes carries the mean within 20 %", () => {
  for (const jitter of [0.1, 0.15, 0.2]) {
    const counts = perSecond(1_000, 10_000, jitter, 20, 320)
    const mean = 1_000 / 10
    const worst = Math.max(...counts.map((count) => Math.abs(count - mean) / mean))
    assert.ok(worst <= 0.2, `jitter ${jitter}: worst second is ${(worst * 100).toFixed(1)} % off`)
  }
})

test("[C5] other fleets are as even: 300 to 3,000 devices, 10 to 60 s", () => {
  for (const [devices, seconds] of [
    [300, 10],
    [1_000, 30],
    [3_000, 10],
    [3_000, 60],
  ] as const) {
    const counts = perSecond(devices, seconds * 1_000, 0.15, 120, 240)
    const mean = devices / seconds
    // A whole poll is the smallest step there is: 20 % or two polls.
    for (const count of counts)
      assert.ok(Math.abs(count - mean) <= Math.max(2, mean * 0.2), `${devices}/${seconds}: ${count}`)
  }
})

const slotAndInterval = {
  slot: fc.nat(100_000),
  intervalMs: fc.integer({ min: 1_000, max: 86_400_000 }),
  jitter: fc.double({ min: 0.1, max: 0.2, noNaN: true }),
  cycle: fc.nat(10_000),
}

test("[C5] successive polls of one device are in order and within interval x (1 +- jitter)", () => {
  fc.assert(
    fc.property(fc.record(slotAndInterval), ({ slot, intervalMs, jitter, cycle }) => {
      const gap = dueMs(slot, cycle + 1, intervalMs, jitter) - dueMs(slot, cycle, intervalMs, jitter)
      assert.ok(Math.abs(gap - intervalMs) <= intervalMs * jitter + 1)
      assert.ok(phaseOf(slot) >= 0 && phaseOf(slot) < 1)
    }),
  )
})

test("cycleAfter is the first cycle that is due later", () => {
  fc.assert(
    fc.property(fc.record({ ...slotAndInterval, nowMs: fc.nat(2 ** 31) }), ({ slot, intervalMs, jitter, nowMs }) => {
      const cycle = cycleAfter(slot, nowMs, intervalMs, jitter)
      assert.ok(dueMs(slot, cycle, intervalMs, jitter) > nowMs)
      if (cycle > 0) assert.ok(dueMs(slot, cycle - 1, intervalMs, jitter) <= nowMs)
    }),
  )
})

test("a slot is held by one poller at a time, and the lowest free one is given", () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.nat(50), { nil: undefined }), { maxLength: 200 }), (steps) => {
      const pool = makeSlotPool()
      const held = new Set<number>()
      for (const step of steps) {
        const mine = [...held][step ?? Number.MAX_SAFE_INTEGER]
        if (mine === undefined) {
          const slot = pool.take()
          for (let lower = 0; lower < slot; lower++) assert.ok(held.has(lower))
          assert.ok(!held.has(slot))
          held.add(slot)
        } else {
          held.delete(mine)
          pool.give(mine)
        }
      }
    }),
  )
})

test("the hash is FNV-1a", () => {
  // Published vectors of the FNV page: "" and "a", "foobar".
  assert.equal(stableHash(""), 0x811c9dc5)
  assert.equal(stableHash("a"), 0xe40c292c)
  assert.equal(stableHash("foobar"), 0xbf9cf968)
})
