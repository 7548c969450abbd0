/**
 * Windows from scratch: plain arrays, sorted, filtered and folded anew for every question, in exact whole numbers (BigInt)
 * where sums are concerned. It shares nothing with series.ts but the meaning, which is what a property test needs.
 */
import { SAMPLES_MAX } from "#twin/alert/series-layout.ts"
import { increment } from "#twin/alert/series.ts"

export interface Scratch {
  readonly samples: Array<readonly [atMs: number, value: number]>
  refused: number
}
export const newScratch = (): Scratch => ({ samples: [], refused: 0 })

/** The same words as `push`: late samples are taken back to the longest window, a time is taken once. */
export const scratchPush = (scratch: Scratch, spanMs: number, atMs: number, value: number, nowMs: number): boolean => {
  const { samples } = scratch
  const newest = samples.at(-1)?.[0] ?? Number.NEGATIVE_INFINITY
  if (atMs > newest) {
    samples.push([atMs, value])
    return true
  }
  const tooLate = atMs <= Math.max(newest, nowMs) - spanMs
  if (tooLate || samples.some(([time]) => time === atMs)) scratch.refused++
  else {
    samples.push([atMs, value])
    samples.sort((a, b) => a[0] - b[0])
  }
  return false
}

export interface ScratchWindow {
  readonly count: number
  readonly sum: number
  readonly min: number | null
  readonly max: number | null
  readonly p95: number | null
  readonly transitions: number
  readonly increase: number
  readonly last: number
  readonly values: readonly number[]
}

const PARTS = 2n ** 40n
const exact = (values: readonly number[]): number => {
  let parts = 0n
  for (const value of values)
    parts += BigInt(Math.floor(value)) * PARTS + BigInt(Math.round((value - Math.floor(value)) * 2 ** 40))
  const whole = parts >= 0n ? parts / PARTS : -((-parts + PARTS - 1n) / PARTS)
  return Number(whole) + Number(parts - whole * PARTS) / 2 ** 40
}

export const scratchWindow = (scratch: Scratch, ms: number, nowMs: number): ScratchWindow => {
  const { samples } = scratch
  const from = Math.max(
    samples.findIndex(([time]) => time > nowMs - ms),
    samples.length > SAMPLES_MAX ? samples.length - SAMPLES_MAX + 1 : 0,
  )
  const first = samples.some(([time]) => time > nowMs - ms) ? from : samples.length
  const inside = samples.slice(first)
  const values = inside.map(([, value]) => value)
  const sorted = values.toSorted((a, b) => a - b)
  const pairs = inside.flatMap(([, value], index) => {
    const before = samples[first + index - 1]
    return before === undefined ? [] : [[before[1], value] as const]
  })
  return {
    count: inside.length,
    sum: exact(values),
    min: sorted[0] ?? null,
    max: sorted.at(-1) ?? null,
    p95: sorted[Math.ceil(0.95 * sorted.length) - 1] ?? null,
    transitions: pairs.filter(([before, value]) => before !== value).length,
    increase: exact(pairs.map(([before, value]) => increment(before, value))),
    last: samples.at(-1)?.[1] ?? Number.NaN,
    values,
  }
}

/** Numbers from a seed (mulberry32), 0 <= x < 1. */
export const dice = (seed: number): (() => number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
