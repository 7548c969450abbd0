import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import {
  ABSURD_BPS,
  counterDelta,
  counterRate,
  elapsedSeconds,
  mayWrapUnseen,
  NOT_YET,
  restarted,
  SPEED_SLACK,
  UPTIME_WRAP_SECONDS,
} from "#twin/counter.ts"
import type { CounterSample } from "#twin/counter.ts"

const sample = (change: Partial<CounterSample> = {}): CounterSample => ({
  value: 1000,
  atMs: 1_000_000,
  bits: 64,
  discontinuitySeconds: null,
  uptimeSeconds: 5000,
  ...change,
})

const anySample: fc.Arbitrary<CounterSample> = fc.record({
  value: fc.oneof(
    fc.nat(),
    fc.double({ min: 0, max: 2 ** 64, noNaN: true }),
    fc.bigInt({ min: 0n, max: 2n ** 64n }).map(Number),
  ),
  atMs: fc.integer({ min: 0, max: 1e7 }),
  bits: fc.constantFrom(0 as const, 32 as const, 64 as const),
  discontinuitySeconds: fc.option(fc.nat(3)),
  uptimeSeconds: fc.option(fc.nat(50_000_000)),
})

describe("[C2] counter to rate", () => {
  test("never negative, never NaN, never more than any port carries", () => {
    fc.assert(
      fc.property(
        anySample,
        anySample,
        fc.option(fc.double({ min: 1, max: 1e12, noNaN: true })),
        (prev, next, most) => {
          const rate = counterRate(prev, next, most)
          if (rate === null) return
          assert.ok(rate >= 0 && rate <= (ABSURD_BPS / 8) * (1 + 1e-9), String(rate))
          assert.ok(next.atMs > prev.atMs)
          if (next.value < prev.value && most !== null)
            assert.ok(rate <= most * (1 + 1e-9), "a wrap is believed within the speed only")
        },
      ),
      { numRuns: 3000 },
    )
  })

  test("the true rate comes back through any number of samples and exact Counter32 wraps", () => {
    const steps = fc.array(fc.tuple(fc.integer({ min: 1, max: 60_000 }), fc.nat(1e6)), { minLength: 1, maxLength: 50 })
    fc.assert(
      fc.property(fc.nat(2 ** 32 - 1), steps, (start, list) => {
        let [total, atMs] = [start, 1]
        for (const [ms, octets] of list) {
          const prev = sample({ value: total % 2 ** 32, atMs, bits: 32, uptimeSeconds: null })
          total += octets
          atMs += ms
          const next = sample({ value: total % 2 ** 32, atMs, bits: 32, uptimeSeconds: null })
          assert.equal(
            counterRate(prev, next, null),
            octets / (ms / 1000) <= ABSURD_BPS / 8 ? octets / (ms / 1000) : null,
          )
        }
      }),
    )
  })

  test("a Counter64 wraps at 2^64; a Counter64 that was cleared does not", () => {
    const prev = sample({ value: 2 ** 64 - 4096 })
    assert.equal(counterRate(prev, sample({ value: 4096, atMs: 1_010_000, uptimeSeconds: 5010 }), 1e9), 819.2)
    const cleared = sample({ value: 0, atMs: 1_010_000, uptimeSeconds: 5010 })
    assert.equal(counterRate(sample({ value: 1e9 }), cleared, null), null)
    assert.equal(counterRate(sample({ value: 1e9 }), cleared, 1.25e9), null)
  })

  test("a Counter32 that was cleared on a slow line is not taken for a wrap", () => {
    const prev = sample({ value: 3e9, bits: 32 })
    const next = sample({ value: 0, bits: 32, atMs: 1_010_000, uptimeSeconds: 5010 })
    assert.equal(counterRate(prev, next, (1e8 / 8) * SPEED_SLACK), null)
  })

  test("restart, discontinuity, another size, time standing still: no rate", () => {
    const next = sample({ value: 2000, atMs: 1_010_000, uptimeSeconds: 5010 })
    assert.equal(counterRate(sample(), next, null), 100)
    assert.equal(counterRate(sample(), { ...next, uptimeSeconds: 3 }, null), null)
    assert.equal(counterRate(sample({ discontinuitySeconds: 1 }), { ...next, discontinuitySeconds: 2 }, null), null)
    assert.equal(counterRate(sample({ discontinuitySeconds: 1 }), { ...next, discontinuitySeconds: 1 }, null), 100)
    assert.equal(counterRate(sample(), { ...next, bits: 32 }, null), null)
    assert.equal(counterRate(sample(), { ...next, atMs: 1_000_000 }, null), null)
    assert.equal(counterRate(sample(), { ...next, atMs: 999_999 }, null), null)
  })

  test("garbage in, NaN out", () => {
    for (const [prev, next] of [
      [-1, 5],
      [5, -1],
      [Number.NaN, 5],
      [5, Number.NaN],
      [5, Number.POSITIVE_INFINITY],
      [2 ** 33, 5],
    ] as const)
      assert.ok(Number.isNaN(counterDelta(prev, next, 32, 1e12)), `${prev} ${next}`)
  })

  test("a Counter32 on a line fast enough to wrap between polls is only an estimate", () => {
    assert.equal(mayWrapUnseen(32, (1e9 / 8) * 60), true)
    assert.equal(mayWrapUnseen(32, (1e8 / 8) * 10), false)
    assert.equal(mayWrapUnseen(64, 1e12), false)
  })
})

describe("restarts", () => {
  test("an uptime that runs with the clock is no restart, through the 497-day wrap of sysUpTime", () => {
    const steps = fc.array(fc.double({ min: 1, max: 3600, noNaN: true }), { minLength: 1, maxLength: 40 })
    fc.assert(
      fc.property(
        fc.double({ min: UPTIME_WRAP_SECONDS - 7200, max: UPTIME_WRAP_SECONDS + 10, noNaN: true }),
        steps,
        (start, list) => {
          let up = start
          for (const seconds of list) {
            const prev = up % UPTIME_WRAP_SECONDS
            up += seconds
            assert.equal(restarted(prev, up % UPTIME_WRAP_SECONDS, seconds), false)
          }
        },
      ),
    )
  })

  test("a restart is seen, also after a silence in which the uptime grew past its old value", () => {
    assert.equal(restarted(1_000_000, 4, 10), true)
    assert.equal(restarted(100, 2000, 3600), true)
    assert.equal(restarted(100, 3699, 3600), false)
    assert.equal(restarted(UPTIME_WRAP_SECONDS - 100_000, 4, 10), true)
  })
})

describe("[W9] the time between two samples", () => {
  const next = (change: Partial<CounterSample>) => sample({ value: 121_000, ...change })

  test("a clock that was set back while nobody ran makes no traffic: the device's own uptime counts", () => {
    // Two minutes went by; ours says 2 s, and 480 kbit/s would look like 60 times the truth.
    assert.equal(counterRate(sample(), next({ atMs: 1_002_000, uptimeSeconds: 5120 }), null), 1000)
    assert.equal(counterRate(sample(), next({ atMs: 1_120_000, uptimeSeconds: 5120 }), null), 1000)
  })

  test("a clock that was set forward gives no rate: the line may have been idle, or its own time stood still", () => {
    assert.equal(counterRate(sample(), next({ atMs: 1_000_000 + 3_600_000, uptimeSeconds: 5120 }), null), null)
  })

  test("an agent without uptime is measured by our clock", () => {
    assert.equal(counterRate(sample(), next({ atMs: 1_120_000, uptimeSeconds: null }), null), 1000)
  })

  test("the same uptime twice is no proof of our clock: it was set forward, or the device's own stands still", () => {
    assert.equal(elapsedSeconds(5000, 5000, 3608), Number.NaN)
    assert.equal(elapsedSeconds(5000, 5000, 120), Number.NaN)
    assert.equal(elapsedSeconds(5000, 5000, 0.9), NOT_YET)
    // Unless that is known of it.
    assert.equal(elapsedSeconds(5000, 5000, 120, 0), 120)
  })

  test("whole seconds say too little of a short time: it is not told yet", () => {
    // Our clock stood still for a second while nobody ran: three seconds of the device are between two and four.
    assert.equal(elapsedSeconds(3_092_806, 3_092_809, 1.11), NOT_YET)
    assert.equal(elapsedSeconds(3_092_806, 3_092_808, 2), NOT_YET)
    assert.equal(elapsedSeconds(3_092_806, 3_092_816, 10.4), 10.4)
    // Hundredths say enough.
    assert.equal(elapsedSeconds(3_092_806.31, 3_092_808.5, 1.11), 3_092_808.5 - 3_092_806.31)
    assert.equal(elapsedSeconds(3_092_806.31, 3_092_807.4, 1.11), 1.11)
    // A poll that lasted: the next one knows.
    assert.equal(elapsedSeconds(3_092_806, 3_092_816, 15), NOT_YET)
    assert.equal(elapsedSeconds(3_092_806, 3_092_826, 25), 25)
  })

  test("whole seconds, polls that last and a clock that catches up are no disagreement", () => {
    const honest = fc.record({
      seconds: fc.double({ min: 10, max: 3600, noNaN: true }),
      slew: fc.double({ min: -0.02, max: 0.02, noNaN: true }),
      from: fc.double({ min: 100, max: UPTIME_WRAP_SECONDS, noNaN: true }),
      late: fc.double({ min: -1, max: 1, noNaN: true }),
    })
    fc.assert(
      fc.property(honest, ({ seconds, slew, from, late }) => {
        const told = (up: number): number => Math.floor(up) % UPTIME_WRAP_SECONDS
        const clockSeconds = seconds * (1 + slew) + late
        assert.equal(elapsedSeconds(told(from), told(from + seconds), clockSeconds), clockSeconds)
      }),
    )
  })

  test("property: whatever our clock was set to meanwhile, no rate is wrong by much more than half", () => {
    const pair = fc.record({
      truly: fc.oneof(fc.double({ min: 0.05, max: 12, noNaN: true }), fc.double({ min: 0.05, max: 400, noNaN: true })),
      clock: fc.oneof(
        fc.double({ min: 0.05, max: 12, noNaN: true }),
        fc.double({ min: 0.05, max: 4_000, noNaN: true }),
      ),
      from: fc.double({ min: 5_000, max: 1e6, noNaN: true }),
      step: fc.constantFrom(1, 0.01),
    })
    const seen = { told: 0, not: 0 }
    fc.assert(
      fc.property(pair, ({ truly, clock, from, step }) => {
        const uptime = (at: number): number => Math.floor(at / step) * step
        const seconds = elapsedSeconds(uptime(from), uptime(from + truly), clock)
        const isTold = seconds > 0
        seen[isTold ? "told" : "not"]++
        // 1.52: the floors of two uptimes, beside the half.
        if (isTold) assert.ok(seconds / truly < 1.52 && truly / seconds < 1.52, `${seconds} of ${truly}`)
      }),
      { numRuns: 3_000 },
    )
    assert.ok(seen.told > 0 && seen.not > 0)
  })

  test("whatever both clocks say, what is taken is neither's shorter time, nor any other", () => {
    const uptime = fc.oneof(fc.nat(100_000), fc.double({ min: 0, max: UPTIME_WRAP_SECONDS, noNaN: true }))
    fc.assert(
      fc.property(uptime, uptime, fc.double({ min: 0.1, max: 1e5, noNaN: true }), (prev, next, clockSeconds) => {
        const seconds = elapsedSeconds(prev, next, clockSeconds)
        assert.ok(Number.isNaN(seconds) || seconds === NOT_YET || seconds >= clockSeconds, `${seconds}`)
      }),
      { numRuns: 1000 },
    )
  })
})
