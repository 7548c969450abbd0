/** Rollups come back from their bytes: whole numbers and decimals exactly, rates as exactly as the row promises. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import {
  addBucket,
  alone,
  bucketAt,
  bucketsOf,
  emptyBucket,
  FIVE_MINUTES,
  HOUR_MS,
  isRolledUp,
  ONE_HOUR,
  p95Bucket,
  type Buckets,
  type Resolution,
} from "#engine/storage/rollup.ts"
import { openRollups, packRollups } from "#engine/storage/rollup-codec.ts"
import { interfaceKey, type EntityKey } from "#protocol/id.ts"
import { metricByName } from "#protocol/metric.ts"

const kind = fc.constantFrom("still", "whole", "decimal", "rate", "negative")
const samples = fc
  .tuple(
    kind,
    fc.array(fc.tuple(fc.nat(3_599_999), fc.double({ min: 0, max: 1, noNaN: true })), { minLength: 1, maxLength: 200 }),
  )
  .map(([of, rows]) => {
    const make: Record<typeof of, (dice: number) => number> = {
      still: () => 1e9,
      whole: (dice) => Math.floor(dice * 100),
      decimal: (dice) => 41 + Math.round(dice * 10) / 10,
      rate: (dice) => dice * 1e9 + 1 / 3,
      negative: (dice) => -30 + Math.round(dice * 1000) / 1000,
    }
    const sorted = [...new Map(rows)].toSorted(([a], [b]) => a - b)
    return {
      atMs: Float64Array.from(sorted, ([at]) => at),
      value: Float64Array.from(sorted, ([, dice]) => make[of](dice)),
    }
  })

const near = (a: number, b: number, share: number): void =>
  assert.ok(Object.is(a, b) || Math.abs(a - b) <= share * Math.abs(b) + 1e-12, `${a}, not ${b}`)

const assertSame = (got: Buckets, wanted: Buckets, { sketched }: Resolution): void => {
  assert.deepEqual([...got.count], [...wanted.count])
  for (let i = 0; i < wanted.count.length; i++) {
    if (wanted.count[i] === 0) continue
    const share = sketched ? 0 : 2 ** -23
    near(got.min[i]!, wanted.min[i]!, share)
    near(got.max[i]!, wanted.max[i]!, share)
    near(got.sum[i]!, wanted.sum[i]!, sketched ? 1e-12 : 2 ** -23)
    if (wanted.p95 !== null) near(got.p95![i]!, wanted.p95[i]!, 0.0101)
    else near(p95Bucket(bucketAt(got, i)), p95Bucket(bucketAt(wanted, i)), 0)
  }
}

test("[W9] property: packed and opened, every series is what it was", () => {
  fc.assert(
    fc.property(
      fc.array(samples, { minLength: 1, maxLength: 12 }),
      fc.constantFrom(FIVE_MINUTES, ONE_HOUR),
      (all, res) => {
        const rollups = new Map<EntityKey, Map<number, Buckets>>()
        for (const [i, series] of all.entries()) {
          const entity = interfaceKey(`ether${i % 3}`)
          const metrics = rollups.get(entity) ?? new Map<number, Buckets>()
          rollups.set(entity, metrics.set(i, bucketsOf(series, 0, res)!))
        }
        const packed = packRollups(rollups, res.perRow, res.sketched)
        const back = openRollups(packed)
        for (const [entity, metrics] of rollups) {
          for (const [metric, buckets] of metrics) {
            assertSame(back.get(entity)!.get(metric)!, buckets, res)
            const one = openRollups(packed, { entity, metric })
            assert.deepEqual([...one.keys()], [entity])
            assertSame(one.get(entity)!.get(metric)!, buckets, res)
          }
        }
      },
    ),
  )
})

test("[W9] property: an hour made of its twelve parts is the hour", () => {
  fc.assert(
    fc.property(samples, (series) => {
      const whole = bucketAt(bucketsOf(series, 0, ONE_HOUR)!, 0)
      const parts = bucketsOf(series, 0, { ...FIVE_MINUTES, sketched: true })!
      const sum = emptyBucket(true)
      for (let i = 0; i < 12; i++) addBucket(sum, bucketAt(parts, i))
      assert.deepEqual([sum.count, sum.min, sum.max, sum.sketch], [whole.count, whole.min, whole.max, whole.sketch])
      near(sum.sum, whole.sum, 1e-12)
      assert.equal(bucketAt(alone(sum), 0).count, whole.count)
    }),
  )
})

test("a series that stood still takes a few bytes, and its percentile needs no sketch", () => {
  const still = { atMs: Float64Array.from({ length: 120 }, (_, i) => i * 30_000), value: new Float64Array(120).fill(1) }
  const rollups = new Map([[interfaceKey("a"), new Map([[30, bucketsOf(still, 0, ONE_HOUR)!]])]])
  const packed = packRollups(rollups, 1, true)
  assert.ok(packed.data.length < 30 && packed.sketch!.length === 0)
  const back = openRollups(packed).get(interfaceKey("a"))!.get(30)!
  assert.deepEqual([p95Bucket(bucketAt(back, 0)), back.count[0], back.sum[0]], [1, 120, 120])
})

test("samples outside the row's time and unknown ones are not counted", () => {
  const series = { atMs: Float64Array.of(-1, 0, 10, HOUR_MS), value: Float64Array.of(1, 2, Number.NaN, 4) }
  assert.deepEqual([...bucketsOf(series, 0, ONE_HOUR)!.sum], [2])
  assert.equal(bucketsOf(series, 2 * HOUR_MS, ONE_HOUR), null)
})

test("counters and identifiers are not rolled up, rates and levels are", () => {
  const rolled = (name: string): boolean => isRolledUp(metricByName(name)!)
  assert.deepEqual(["interface.rx_bps", "device.cpu_pct", "interface.oper_up", "ospf.neighbor.up"].map(rolled), [
    true,
    true,
    true,
    true,
  ])
  assert.deepEqual(["interface.rx_bytes_total", "interface.if_index", "interface.counter_bits"].map(rolled), [
    false,
    false,
    false,
  ])
})

test("property: bad bytes are a RangeError, never a crash or endless work", () => {
  const series = { atMs: Float64Array.of(1, 2), value: Float64Array.of(1, 2.5) }
  const rollups = new Map([[interfaceKey("a"), new Map([[30, bucketsOf(series, 0, FIVE_MINUTES)!]])]])
  const { data } = packRollups(rollups, 12, false)
  fc.assert(
    fc.property(fc.nat(data.length - 1), fc.nat(255), fc.nat(data.length), (at, byte, length) => {
      const bad = Buffer.from(data.subarray(0, length))
      if (at < bad.length) bad[at] = byte
      try {
        openRollups({ data: bad, sketch: null })
      } catch (error) {
        assert.ok(error instanceof RangeError, String(error))
      }
    }),
  )
})
