/** Charts: bounded, within the data's own minimum and maximum, and honest about gaps. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { downsample } from "#engine/storage/downsample.ts"

const series = (samples: ReadonlyArray<readonly [atMs: number, value: number]>) => ({
  atMs: Float64Array.from(samples, ([atMs]) => atMs),
  value: Float64Array.from(samples, ([, value]) => value),
})

test("[U9] at most the asked points, ascending, within the range, min <= avg <= max, and no sample is left out", () => {
  const samples = fc
    .array(fc.tuple(fc.integer({ min: 1, max: 100_000 }), fc.integer({ min: -1000, max: 1000 })), { maxLength: 400 })
    .map((steps) => {
      let atMs = 0
      return steps.map(([step, value]) => [(atMs += step), value] as const)
    })
  fc.assert(
    fc.property(
      samples,
      fc.integer({ min: 1, max: 100 }),
      fc.nat(10_000_000),
      fc.nat(10_000_000),
      (all, most, a, b) => {
        const [fromMs, toMs] = a < b ? [a, b] : [b, a]
        const points = downsample(series(all), fromMs, toMs, most)
        assert.ok(points.atMs.length <= most)
        const inside = all.filter(([atMs]) => atMs >= fromMs && atMs <= toMs).map(([, value]) => value)
        const known = points.min.filter((it) => it !== null)
        if (inside.length > 0) {
          assert.equal(Math.min(...known), Math.min(...inside))
          assert.equal(Math.max(...points.max.filter((it) => it !== null)), Math.max(...inside))
        } else assert.equal(points.atMs.length, 0)
        for (let i = 0; i < points.atMs.length; i++) {
          assert.ok(i === 0 || points.atMs[i]! > points.atMs[i - 1]!, "ascending")
          assert.ok(points.atMs[i]! >= fromMs && points.atMs[i]! <= toMs, "in range")
          if (points.avg[i] === null) continue
          assert.ok(points.min[i]! <= points.avg[i]! + 1e-9 && points.avg[i]! <= points.max[i]! + 1e-9)
        }
      },
    ),
    { numRuns: 500 },
  )
})

test("[U9] a pause that is long for its surroundings is a null between its ends; a slower polling interval is not", () => {
  const every = (fromMs: number, toMs: number, stepMs: number) =>
    Array.from({ length: Math.floor((toMs - fromMs) / stepMs) + 1 }, (_, i) => [fromMs + i * stepMs, 1] as const)
  const outage = downsample(series([...every(0, 100_000, 10_000), ...every(400_000, 500_000, 10_000)]), 0, 1e6, 600)
  assert.deepEqual(
    outage.atMs.filter((_, i) => outage.avg[i] === null),
    [250_000],
  )
  const slower = downsample(series([...every(0, 100_000, 10_000), ...every(400_000, 4_000_000, 300_000)]), 0, 1e7, 600)
  assert.ok(!slower.avg.slice(12).includes(null))
})

test("[U9] NaN (nothing can be known) is null, also alone in a bucket, and never pulls an average", () => {
  const points = downsample(
    series([
      [0, 1],
      [10, Number.NaN],
      [20, 3],
    ]),
    0,
    100,
    600,
  )
  assert.deepEqual(points.avg, [1, null, 3])
  const bucketed = downsample(
    series(Array.from({ length: 100 }, (_, i) => [i * 10, i >= 40 && i < 60 ? Number.NaN : 5])),
    0,
    999,
    10,
  )
  assert.equal(bucketed.bucketMs, 100)
  assert.deepEqual(new Set(bucketed.avg), new Set([5, null]))
})
