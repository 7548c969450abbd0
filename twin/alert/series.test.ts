/** [I4] A window kept up sample by sample equals one computed from scratch, whatever the samples do. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import type { RunSpec, SeriesSpec, WindowSpec } from "#twin/alert/series-layout.ts"
import {
  blockOf,
  CLOCK,
  HEADER_CELLS,
  newRow,
  readied,
  RUN_CELLS,
  SAMPLES_MAX,
  SUM_CELLS,
} from "#twin/alert/series-layout.ts"
import {
  countOf,
  increaseOf,
  maxOf,
  minOf,
  newestSamples,
  newestValue,
  oldestOf,
  p95Of,
  runCount,
  runSinceMs,
  sumOf,
  tallyOf,
  transitionsOf,
} from "#twin/alert/series-read.ts"
import { expire, NEWEST, push, REFUSED, UNREADY } from "#twin/alert/series.ts"
import type { Scratch } from "#twin/alert/window.fixture.ts"
import { dice, newScratch, scratchPush, scratchWindow } from "#twin/alert/window.fixture.ts"

const WINDOWS_MS = [5_000, 60_000, 600_000]
/** -0 is 0: which of the two a maximum keeps is nobody's business. */
const unsigned = (value: number): number => value + 0
const isBad = (value: number): boolean => value > 50

/** Numbers that samples are compared with. */
const LIMITS = [0, 50, 1e9]

/** Three series in a row, so that one that grows has to move the others, and some share their times. */
const layout = (windowsMs: readonly number[]): readonly SeriesSpec[] =>
  [1, 2, 3].map((metric, index): SeriesSpec => {
    let cell = HEADER_CELLS
    const take = (cells: number): number => (cell += cells) - cells
    const windows = windowsMs.map((ms): WindowSpec => ({
      at: take(1),
      ms,
      sum: take(SUM_CELLS),
      transitions: take(1),
      increase: take(SUM_CELLS),
      tallies: LIMITS.map((over) => ({ at: take(1), over })),
    }))
    const runs: RunSpec[] = [{ at: take(RUN_CELLS), key: "bad", keep: 5, test: isBad }]
    const spanMs = Math.max(...windowsMs)
    return { metric, counter: true, index, cells: cell, windows, runs, buckets: [], keep: 5, spanMs }
  })

type Which = 0 | 1 | 2
class Both {
  readonly specs: readonly SeriesSpec[]
  row: Float64Array
  readonly scratch: readonly Scratch[] = [newScratch(), newScratch(), newScratch()]
  nowMs = 0

  constructor(windowsMs: readonly number[]) {
    this.specs = layout(windowsMs)
    this.row = newRow(this.specs)
  }

  push(which: Which, atMs: number, value: number): void {
    const spec = this.specs[which] as SeriesSpec
    const scratch = this.scratch[which] as Scratch
    this.nowMs = Math.max(this.nowMs, atMs)
    let pushed = push(this.row, this.specs, spec, atMs, value, this.nowMs)
    if (pushed === UNREADY) {
      this.row = readied(this.row, this.specs, spec, atMs, value)
      pushed = push(this.row, this.specs, spec, atMs, value, this.nowMs)
    }
    const refused = scratch.refused
    assert.equal(pushed === NEWEST, scratchPush(scratch, spec.spanMs, atMs, value, this.nowMs))
    assert.equal(pushed === REFUSED, scratch.refused > refused)
    assert.notEqual(pushed, UNREADY, "whoever is readied has room")
  }

  /** Compares everything that can be read. */
  compare(which: Which): void {
    const spec = this.specs[which] as SeriesSpec
    const scratch = this.scratch[which] as Scratch
    expire(this.row, spec, this.nowMs)
    for (const window of spec.windows) {
      const want = scratchWindow(scratch, window.ms, this.nowMs)
      const count = countOf(this.row, spec, window)
      const got = {
        count,
        sum: sumOf(this.row, spec, window),
        min: count === 0 ? null : minOf(this.row, spec, window),
        max: count === 0 ? null : maxOf(this.row, spec, window),
        p95: count === 0 ? null : p95Of(this.row, spec, window),
        transitions: transitionsOf(this.row, spec, window),
        increase: increaseOf(this.row, spec, window),
        last: newestValue(this.row, spec),
        values: newestSamples(this.row, spec, count).map(([, value]) => value),
      }
      assert.deepEqual(got, want, `window of ${window.ms} ms at ${this.nowMs}`)
      for (const { at, over } of window.tallies)
        assert.equal(tallyOf(this.row, spec, at), want.values.filter((value) => value > over).length)
    }
    const bad = scratch.samples.length - 1 - scratch.samples.findLastIndex(([, value]) => !isBad(value))
    const run = spec.runs[0] as RunSpec
    assert.equal(runCount(this.row, spec, run), Math.min(bad, run.keep))
    // Of a run that began before everything that is still held only this much must be true.
    if (bad > 0) assert.ok(runSinceMs(this.row, spec, run) <= (scratch.samples.at(-bad)?.[0] as number) || bad < 5)
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
    // Mostly two of them are measured together, as a poll does; then one alone, as a trap does.
    const together = luck < 0.5
    const which = luck < 0.9 ? 0 : luck < 0.97 ? 1 : 2
    const kind = VALUES[Math.floor(random() * VALUES.length)] as (typeof VALUES)[number]
    last = kind(random, last > 1e13 ? 0 : last)
    if (luck < 0.002) clock += 3_600_000
    else if (luck < 0.01) clock += Math.floor(random() * 90_000)
    else clock += Math.floor(random() * 2_000) + 1
    const late = random() < 0.02 ? Math.floor(random() * 900_000) : 0
    const again = random() < 0.01
    const atMs = again ? both.nowMs : clock - late
    both.push(which, atMs, last)
    if (together) both.push(1, atMs, last < 1 ? 0 : -last)
    if (random() < 0.03) both.compare(which)
    if (n % 500 === 0) both.trim()
  }
  for (const which of [0, 1, 2] as const) both.compare(which)
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
      value: fc.oneof(fc.integer({ min: -3, max: 60 }), fc.double({ min: -1e9, max: 1e9, noNaN: true }).map(unsigned)),
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

  test("what is measured at the same instants holds its times once, and parts when it is not any more", () => {
    const both = new Both([60_000])
    const clocks = (): number => new Set(both.specs.map((spec) => both.row[blockOf(both.row, spec) + CLOCK])).size
    const poll = (second: number, ...which: readonly Which[]): void => {
      for (const one of which) {
        both.push(one, 1_000_000 + second * 1_000, (second * (one + 7)) % 97)
        both.compare(one)
      }
    }
    for (let second = 0; second < 300; second += 10) poll(second, 0, 1, 2)
    assert.equal(clocks(), 1)
    const shared = both.row.length
    poll(305, 1)
    for (let second = 310; second < 600; second += 10) poll(second, 0, 1, 2)
    assert.equal(clocks(), 2, "a trap told of the second one alone")
    poll(600, 2)
    for (let second = 610; second < 900; second += 10) poll(second, 0, 1, 2)
    assert.equal(clocks(), 3)
    assert.ok(both.row.length <= shared + 2 * 24, `${both.row.length} cells after ${shared}`)
  })

  test("what is never measured takes one cell", () => {
    const both = new Both([60_000])
    assert.equal(both.row.length, 3)
    both.push(1, 1_000_000, 5)
    assert.equal(blockOf(both.row, both.specs[0] as SeriesSpec), 0)
    assert.ok(blockOf(both.row, both.specs[1] as SeriesSpec) > 0)
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
    assert.equal(increaseOf(both.row, spec, window), 30)
  })

  test("a counter that falls was reset: what it counted since counts", () => {
    const both = new Both([60_000])
    const spec = both.specs[0] as SeriesSpec
    const window = spec.windows[0] as WindowSpec
    for (const [second, value] of [
      [0, 1000],
      [10, 1500],
      [20, 200],
      [30, 260],
    ] as const)
      both.push(0, 1_000_000 + second * 1_000, value)
    assert.equal(increaseOf(both.row, spec, window), 500 + 200 + 60)
  })

  test("the same fractions in and out twenty thousand times leave no dust", () => {
    const both = new Both([5_000])
    const spec = both.specs[0] as SeriesSpec
    const window = spec.windows[0] as WindowSpec
    for (let n = 0; n < 20_000; n++) both.push(0, 1_000_000 + n * 1_000, n % 2 === 0 ? 0.1 : 1e11 + 0.7)
    const lastMs = 1_000_000 + 19_999 * 1_000
    expire(both.row, spec, lastMs + 4_999)
    assert.equal(countOf(both.row, spec, window), 1)
    assert.equal(sumOf(both.row, spec, window), 1e11 + Math.round((1e11 + 0.7 - 1e11) * 2 ** 40) / 2 ** 40)
    expire(both.row, spec, lastMs + 30_000)
    assert.equal(sumOf(both.row, spec, window), 0)
    assert.equal(newestSamples(both.row, spec, 3).length, 3)
  })
})
