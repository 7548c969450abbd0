/**
 * A quantile sketch with a known error: values are counted in bins whose bounds grow by a constant factor, so that any
 * quantile comes back within 1 % of the true value, and sketches of parts merge exactly into the sketch of the whole.
 * This is DDSketch (Masson, Rim, Lee, PVLDB 12(12), 2019) with the bins kept whole: 64-bit values cannot fill more of them
 * than BINS_MAX. The quantile is the nearest rank: the ceil(q * n)-th smallest of n values.
 */
import type { ByteReader, ByteWriter } from "#engine/storage/bits.ts"

/** A quantile is off by at most this share of its value. */
export const RELATIVE_ERROR = 0.01
const GAMMA = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR)
const LOG_GAMMA = Math.log(GAMMA)
/** Below it a value counts as zero: no unit of the registry has values that small. */
const LEAST = 1e-9
/** Makes every key of a positive value positive; negative values have the mirrored key, zero has 0. */
const OFFSET = 1 - Math.ceil(Math.log(LEAST) / LOG_GAMMA)
const KEY_MAX = 16_384
/** Keys that can exist. */
export const BINS_MAX = 2 * KEY_MAX + 1

/** Key of its bin -> how many values. */
export type Sketch = Map<number, number>

/** Keys ascend with the values. Finite values only. */
export const keyOf = (value: number): number => {
  const size = Math.abs(value)
  if (size < LEAST) return 0
  const key = Math.min(KEY_MAX, Math.max(1, Math.ceil(Math.log(size) / LOG_GAMMA) + OFFSET))
  return value < 0 ? -key : key
}

/** The value that is within 1 % of every value of the bin. */
export const valueOf = (key: number): number => {
  if (key === 0) return 0
  const size = (2 * Math.exp((Math.abs(key) - OFFSET) * LOG_GAMMA)) / (GAMMA + 1)
  return key < 0 ? -size : size
}

export const addTo = (sketch: Sketch, key: number, count: number): void => {
  sketch.set(key, (sketch.get(key) ?? 0) + count)
}

export const mergeInto = (sketch: Sketch, other: Sketch): void => {
  for (const [key, count] of other) addTo(sketch, key, count)
}

/** NaN for an empty sketch. `min` and `max` of the values bound the answer. */
export const quantileOf = (sketch: Sketch, q: number, min: number, max: number): number => {
  const keys = [...sketch.keys()].toSorted((a, b) => a - b)
  let count = 0
  for (const key of keys) count += sketch.get(key)!
  const rank = rankOf(q, count)
  let below = 0
  for (const key of keys) {
    below += sketch.get(key)!
    if (below >= rank) return clamp(valueOf(key), min, max)
  }
  return Number.NaN
}

/** 1-based nearest rank. The small subtraction undoes the rounding of q * n (0.95 * 20 is a hair above 19). */
export const rankOf = (q: number, count: number): number => Math.max(1, Math.ceil(q * count - 1e-9))

export const clamp = (value: number, min: number, max: number): number => Math.min(max, Math.max(min, value))

const DENSE = 0
const SPARSE = 1
const ESCAPE = 15

/** From the bin of `min`, which the reader knows: half a byte per bin, or gaps and counts where most bins are empty. */
export const writeSketch = (out: ByteWriter, sketch: Sketch, min: number): void => {
  const keys = [...sketch.keys()].toSorted((a, b) => a - b)
  const first = keyOf(min)
  const bins = keys.length === 0 ? 0 : keys.at(-1)! - first + 1
  const counts = keys.map((key) => sketch.get(key)!)
  // Sparse is two bytes a bin at least, dense half a byte and more for large counts.
  if (bins + 2 * counts.filter((count) => count >= ESCAPE).length > keys.length * 4) {
    out.byte(SPARSE)
    out.varint(keys.length)
    for (const [i, key] of keys.entries()) {
      out.varint(key - (keys[i - 1] ?? first))
      out.varint(counts[i]!)
    }
    return
  }
  out.byte(DENSE)
  out.varint(bins)
  const large: number[] = []
  for (let at = 0; at < bins; at += 2) {
    const halves = [at, at + 1].map((bin) => {
      const count = sketch.get(first + bin) ?? 0
      if (count >= ESCAPE) large.push(count - ESCAPE)
      return Math.min(count, ESCAPE)
    })
    out.byte((halves[0]! << 4) | halves[1]!)
  }
  for (const count of large) out.varint(count)
}

/** The inverse. Throws a RangeError for damaged bytes. */
export const readSketch = (input: ByteReader, min: number): Sketch => {
  const sketch: Sketch = new Map()
  const first = keyOf(min)
  const form = input.byte()
  const bins = input.varint()
  if (bins > BINS_MAX || form > SPARSE) throw new RangeError(`a sketch of form ${form} with ${bins} bins`)
  if (form === SPARSE) {
    for (let i = 0, key = first; i < bins; i++) {
      key += input.varint()
      sketch.set(key, input.varint())
    }
    return sketch
  }
  const escaped: number[] = []
  for (let at = 0; at < bins; at += 2) {
    const halves = input.byte()
    for (const [i, count] of [halves >> 4, halves & 15].entries()) {
      if (count === 0) continue
      sketch.set(first + at + i, count)
      if (count === ESCAPE) escaped.push(first + at + i)
    }
  }
  for (const key of escaped) addTo(sketch, key, input.varint())
  return sketch
}
