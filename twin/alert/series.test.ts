/** [I4] A window kept up sample by sample equals one computed from scratch, whatever the samples do. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import type { RunSpec, SeriesSpec, WindowSpec } from "#twin/alert/series.ts"
import {
  countOf,
  expire,
  HEADER_CELLS,
  increaseOf,
  lacksRoom,
  maxOf,
  minOf,
  newestSamples,
  newestValue,
  newRow,
  oldestOf,
  p95Of,
  push,
  REFUSED,
  RUN_CELLS,
  runCount,
  runSinceMs,
  SAMPLES_MAX,
  sumOf,
  transitionsOf,
  widened,
  WINDOW_CELLS,
} from "#twin/alert/series.ts"
import type { Scratch } from "#twin/alert/window.fixture.ts"
import { dice, newScratch, scratchPush, scratchWindow } from "#twin/alert/window.fixture.ts"

const WINDOWS_MS = [5_000, 60_000, 600_000]
const isBad = (value: number): boolean => value > 50

/** Two series in a row, so that one that grows has to move the other. */
const layout = (windowsMs: readonly number[]): { readonly specs: readonly SeriesSpec[]; readonly cells: number } => {
  let cell = 0
  const take = (cells: number): number => (cell += cells) - cells
  const specs = [1, 2].map((metric): SeriesSpec => {
    const at = take(HEADER_CELLS)
    const windows = windowsMs.map((ms, sorted): WindowSpec => ({
      at: take(WINDOW_CELLS),
      ms,
      sum: true,
      min: true,
      max: true,
      transitions: true,
      increase: true,
      sorted,
    }))
    const runs: RunSpec[] = [{ at: take(RUN_CELLS), key: "bad", keep: 5, test: isBad }]
    return {
      metric,
      counter: true,
      at,
      windows,
      runs,
      buckets: [],
      keep: 5,
      spanMs: Math.max(...windowsMs),
      minQueue: true,
      maxQueue: true,
      sortedLists: windows.length,
    }
  })
  return { specs, cells: cell }
}

class Both {
  readonly specs: readonly SeriesSpec[]
  readonly #cells: number
  row: Float64Array
  readonly scratch: readonly Scratch[] = [newScratch(), newScratch()]
  nowMs = 0

  constructor(windowsMs: readonly number[]) {
    const { specs, cells } = layout(windowsMs)
    this.specs = specs
    this.#cells = cells
    this.row = newRow(specs, cells)
  }

  push(which: 0 | 1, atMs: number, value: number): void {
    const spec = this.specs[which] as SeriesSpec
    this.nowMs = Math.max(this.nowMs, atMs)
    if (lacksRoom(this.row, spec, value)) this.row = widened(this.row, this.specs, this.#cells, spec, value)
    const newest = push(this.row, spec, atMs, value, this.nowMs)
    assert.equal(newest, scratchPush(this.scratch[which] as Scratch, spec.spanMs, atMs, value, this.nowMs))
  }

  /** Compares everything that can be read. */
  compare(which: 0 | 1): void {
    const spec = this.specs[which] as SeriesSpec
    const scratch = this.scratch[which] as Scratch
    expire(this.row, spec, this.nowMs)
    for (const window of spec.windows) {
      const want = scratchWindow(scratch, window.ms, this.nowMs)
      const count = countOf(this.row, spec, window)
      const got = {
        count,
        sum: sumOf(this.row, window),
        min: count === 0 ? null : minOf(this.row, spec, window),
        max: count === 0 ? null : maxOf(this.row, spec, window),
        p95: count === 0 ? null : p95Of(this.row, spec, window),
        transitions: transitionsOf(this.row, window),
        increase: increaseOf(this.row, window),
        last: newestValue(this.row, spec),
      }
      assert.deepEqual(got, want, `window of ${window.ms} ms at ${this.nowMs}`)
    }
    const bad = scratch.samples.length - 1 - scratch.samples.findLastIndex(([, value]) => !isBad(value))
    const run = spec.runs[0] as RunSpec
    assert.equal(runCount(this.row, run), Math.min(bad, run.keep))
    assert.equal(this.row[spec.at + REFUSED], scratch.refused)
    // Of a run that began before everything that is still held only this much must be true.
    if (bad > 0) assert.ok(runSinceMs(this.row, run) <= (scratch.samples.at(-bad)?.[0] as number) || bad < 5)
  }

  /** Old samples matter to nobody; without this the oracle would take the whole afternoon. */
  trim(): void {
    for (const { samples } of this.scratch) {
      const first = samples.findIndex(([time]) => time > this.nowMs - 2 * 600_000)
      if (first > 200) samples.splice(0, first - 100)
    }
  }
}

/** What a second of a series can bring. */
const VALUES: ReadonlyArray<(random: () => number, last: number) => number> = [
  (random) => random() * 100,
  (random) => Math.floor(random() * 3),
  (random, last) => last + random() * 1e9,
  (random) => -random() * 40 - 0.1,
  () => 0,
  (_, last) => last,
  (random) => random() * 4e11,
]

const storm = (seed: number, samples: number): Both => {
  const random = dice(seed)
  const both = new Both(WINDOWS_MS)
  let clock = 1_700_000_000_000
  let last = 0
  for (let n = 0; n < samples; n++) {
    const luck = random()
    const which = luck < 0.9 ? 0 : 1
    const kind = VALUES[Math.floor(random() * VALUES.length)] as (typeof VALUES)[number]
    last = kind(random, last > 1e13 ? 0 : last)
    if (luck < 0.002) clock += 3_600_000
    else if (luck < 0.01) clock += Math.floor(random() * 90_000)
    else clock += Math.floor(random() * 2_000) + 1
    const late = random() < 0.02 ? Math.floor(random() * 900_000) : 0
    const again = random() < 0.01
    both.push(which, again ? both.nowMs : clock - late, last)
    if (random() < 0.05) both.compare(which)
    if (n % 500 === 0) both.trim()
  }
  both.compare(0)
  both.compare(1)
  return both
}

describe("windows", () => {
  test("[I4] a million random samples with gaps, late and repeated ones, resets and jumps: incremental = from scratch", () => {
    let samples = 0
    for (let seed = 1; seed <= 20; seed++) {
      storm(seed, 50_000)
      samples += 50_000
    }
    assert.equal(samples, 1_000_000)
  })

  test("[I4] every single step of short histories is equal", () => {
    const step = fc.record({
      ms: fc.constantFrom(1, 500, 1_000, 5_000, 61_000, 700_000),
      late: fc.constantFrom(0, 0, 0, 900, 4_000, 59_000),
      value: fc.oneof(fc.integer({ min: -3, max: 60 }), fc.double({ min: -1e9, max: 1e9, noNaN: true })),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const both = new Both(WINDOWS_MS)
        let clock = 1_000_000
        for (const { ms, late, value } of steps) {
          clock += ms
          both.push(0, clock - late, value)
          both.compare(0)
        }
      }),
    )
  })

  test("[I4] time alone empties a window", () => {
    const both = new Both(WINDOWS_MS)
    for (let n = 0; n < 50; n++) both.push(0, 1_000_000 + n * 1_000, n)
    for (const ms of [4_000, 5_000, 59_000, 600_000, 10_000_000]) {
      both.nowMs = 1_049_000 + ms
      both.compare(0)
    }
  })

  test("a ring stops at its bound: windows then cover the newest samples", () => {
    const both = new Both([86_400_000])
    const spec = both.specs[0] as SeriesSpec
    const window = spec.windows[0] as WindowSpec
    for (let n = 0; n < SAMPLES_MAX + 700; n++) both.push(0, 1_000_000 + n * 1_000, n % 97)
    assert.equal(countOf(both.row, spec, window), SAMPLES_MAX - 1)
    both.compare(0)
    assert.ok(both.row.length < SAMPLES_MAX * 6)
  })

  test("the sample before the window is the first of a rate, and stays readable", () => {
    const both = new Both([5_000])
    const spec = both.specs[0] as SeriesSpec
    const window = spec.windows[0] as WindowSpec
    for (const [second, value] of [
      [0, 10],
      [4, 20],
      [8, 40],
    ] as const)
      both.push(0, 1_000_000 + second * 1_000, value)
    assert.deepEqual(oldestOf(both.row, spec, window, true), { atMs: 1_000_000, value: 10 })
    assert.deepEqual(oldestOf(both.row, spec, window, false), { atMs: 1_004_000, value: 20 })
    assert.equal(increaseOf(both.row, window), 30)
  })

  test("a counter that falls was reset: what it counted since counts", () => {
    const both = new Both([60_000])
    const window = both.specs[0]?.windows[0] as WindowSpec
    for (const [second, value] of [
      [0, 1000],
      [10, 1500],
      [20, 200],
      [30, 260],
    ] as const)
      both.push(0, 1_000_000 + second * 1_000, value)
    assert.equal(increaseOf(both.row, window), 500 + 200 + 60)
  })

  test("the same fractions in and out twenty thousand times leave no dust", () => {
    const both = new Both([5_000])
    const spec = both.specs[0] as SeriesSpec
    const window = spec.windows[0] as WindowSpec
    for (let n = 0; n < 20_000; n++) both.push(0, 1_000_000 + n * 1_000, n % 2 === 0 ? 0.1 : 1e11 + 0.7)
    const lastMs = 1_000_000 + 19_999 * 1_000
    expire(both.row, spec, lastMs + 4_999)
    assert.equal(countOf(both.row, spec, window), 1)
    assert.equal(sumOf(both.row, window), 1e11 + Math.round((1e11 + 0.7 - 1e11) * 2 ** 40) / 2 ** 40)
    expire(both.row, spec, lastMs + 30_000)
    assert.equal(sumOf(both.row, window), 0)
    assert.equal(newestSamples(both.row, spec, 3).length, 3)
  })
})
