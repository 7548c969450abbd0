/**
 * One column of float64 values, packed without loss by whichever of these is smallest for it:
 * CONST (one value), DELTA and DELTA2 (differences of decimal-scaled integers, and differences of those), RLE (runs of equal
 * differences), PACKED (differences in as few bits as the widest needs), XOR (Gorilla, Pelkonen et al. 2015, s4.1.2).
 * NaN, -0 and infinities come back bit for bit; integers are exact up to 2^51, everything else goes through XOR.
 */
import { BitReader, BitWriter, zigzag, varintSize, type ByteReader, type ByteWriter } from "#engine/storage/bits.ts"

const CONST = 0
const DELTA = 1
const DELTA2 = 2
const RLE = 3
const XOR = 4
const PACKED = 5

/** Decimal digits after the point that are tried: 10^0 .. 10^3. */
const SCALES = [1, 10, 100, 1000] as const
/** So that differences of differences stay exact in a double, zigzagged too. */
const INT_MAX = 2 ** 50

/** Writes encoding and payload of a column of at least one value. */
export const writeColumn = (out: ByteWriter, values: Float64Array): void => {
  if (isConstant(values)) {
    out.byte(CONST)
    out.float64(values[0]!)
    return
  }
  const scaled = scaledIntegers(values)
  if (scaled === null) {
    out.byte(XOR)
    writeXor(out, values)
    return
  }
  const first = differences(scaled.ints)
  const second = differences(first)
  const sizes = [varintBytes(first), varintBytes(second), rleBytes(first), packedBytes(first)]
  const least = Math.min(...sizes)
  out.byte([DELTA, DELTA2, RLE, PACKED][sizes.indexOf(least)]! | (scaled.scale << 4))
  if (least === sizes[0]) for (const value of first) out.zigzag(value)
  else if (least === sizes[1]) for (const value of second) out.zigzag(value)
  else if (least === sizes[2]) writeRle(out, first)
  else writePacked(out, first)
}

/** The inverse of writeColumn. Throws a RangeError for damaged bytes. */
export const readColumn = (input: ByteReader, count: number): Float64Array => {
  const head = input.byte()
  const values = new Float64Array(count)
  switch (head & 15) {
    case CONST:
      return values.fill(input.float64())
    case XOR:
      return readXor(input, values)
    case DELTA:
      for (let i = 0; i < count; i++) values[i] = input.zigzag()
      return unscale(sums(values), head >> 4)
    case DELTA2:
      for (let i = 0; i < count; i++) values[i] = input.zigzag()
      return unscale(sums(sums(values)), head >> 4)
    case RLE:
      return unscale(sums(readRle(input, values)), head >> 4)
    case PACKED:
      return unscale(sums(readPacked(input, values)), head >> 4)
    default:
      throw new RangeError(`column encoding ${head & 15} is not known`)
  }
}

const isConstant = (values: Float64Array): boolean => {
  const first = values[0]!
  // Object.is takes all NaNs for one, which is what comes out of a decoder too.
  for (const value of values) if (!Object.is(value, first)) return false
  return true
}

/** Null when no scale makes every value a whole number that gives exactly the value back. */
const scaledIntegers = (values: Float64Array): { ints: Float64Array; scale: number } | null => {
  const ints = new Float64Array(values.length)
  for (const [scale, factor] of SCALES.entries()) {
    let fits = true
    for (let i = 0; i < values.length && fits; i++) {
      const value = values[i]!
      const int = Math.round(value * factor)
      fits = Math.abs(int) <= INT_MAX && Object.is(int / factor, value) && !Object.is(value, -0)
      ints[i] = int
    }
    if (fits) return { ints, scale }
  }
  return null
}

/** First value, then what each adds to the one before. */
const differences = (values: Float64Array): Float64Array => {
  const out = new Float64Array(values.length)
  let previous = 0
  for (let i = 0; i < values.length; i++) {
    out[i] = values[i]! - previous
    previous = values[i]!
  }
  return out
}

const sums = (values: Float64Array): Float64Array => {
  for (let i = 1; i < values.length; i++) values[i] = values[i]! + values[i - 1]!
  return values
}

const unscale = (values: Float64Array, scale: number): Float64Array => {
  const factor = SCALES[scale]
  if (factor === undefined) throw new RangeError(`scale ${scale} is not known`)
  if (factor !== 1) for (let i = 0; i < values.length; i++) values[i] = values[i]! / factor
  return values
}

const varintBytes = (values: Float64Array): number => {
  let bytes = 0
  for (const value of values) bytes += varintSize(zigzag(value))
  return bytes
}

/** Calls back for each run of equal values. */
const runs = (values: Float64Array, run: (length: number, value: number) => void): void => {
  let start = 0
  for (let i = 1; i <= values.length; i++) {
    if (i < values.length && values[i] === values[start]) continue
    run(i - start, values[start]!)
    start = i
  }
}
const rleBytes = (values: Float64Array): number => {
  let bytes = 0
  runs(values, (length, value) => (bytes += varintSize(length) + varintSize(zigzag(value))))
  return bytes
}
const writeRle = (out: ByteWriter, values: Float64Array): void =>
  runs(values, (length, value) => {
    out.varint(length)
    out.zigzag(value)
  })
const readRle = (input: ByteReader, values: Float64Array): Float64Array => {
  for (let i = 0; i < values.length;) {
    const length = input.varint()
    if (length === 0 || length > values.length - i) throw new RangeError("a run is too long")
    values.fill(input.zigzag(), i, i + length)
    i += length
  }
  return values
}

/** The first value, the smallest difference, the width, then each difference above the smallest in `width` bits. */
interface Packing {
  readonly least: number
  readonly width: number
}
const packingOf = (values: Float64Array): Packing => {
  let least = Number.POSITIVE_INFINITY
  let most = Number.NEGATIVE_INFINITY
  for (let i = 1; i < values.length; i++) {
    least = Math.min(least, values[i]!)
    most = Math.max(most, values[i]!)
  }
  let width = 0
  while (2 ** width <= most - least) width++
  return { least, width }
}
const packedBytes = (values: Float64Array): number => {
  const { least, width } = packingOf(values)
  const header = varintSize(zigzag(values[0]!)) + varintSize(zigzag(least)) + 1
  return header + Math.ceil(((values.length - 1) * width) / 8)
}
const HALF = 2 ** 26
const writePacked = (out: ByteWriter, values: Float64Array): void => {
  const { least, width } = packingOf(values)
  out.zigzag(values[0]!)
  out.zigzag(least)
  out.byte(width)
  const bits = new BitWriter(out)
  for (let i = 1; i < values.length; i++) {
    const above = values[i]! - least
    if (width > 26) bits.write(Math.floor(above / HALF), width - 26)
    bits.write(above % HALF, Math.min(width, 26))
  }
  bits.end()
}
const readPacked = (input: ByteReader, values: Float64Array): Float64Array => {
  values[0] = input.zigzag()
  const least = input.zigzag()
  const width = input.byte()
  if (width > 53) throw new RangeError(`width ${width} is too large`)
  const bits = new BitReader(input)
  for (let i = 1; i < values.length; i++) {
    const high = width > 26 ? bits.read(width - 26) * HALF : 0
    values[i] = high + bits.read(Math.min(width, 26)) + least
  }
  return values
}

/** The value's two halves. */
const scratch = new DataView(new ArrayBuffer(8))
const high = (value: number): number => {
  scratch.setFloat64(0, value)
  return scratch.getUint32(0)
}
const low = (value: number): number => {
  scratch.setFloat64(0, value)
  return scratch.getUint32(4)
}
const double = (hi: number, lo: number): number => {
  scratch.setUint32(0, hi)
  scratch.setUint32(4, lo)
  return scratch.getFloat64(0)
}

/** 0 = same; 10 = meaningful bits within the last window; 11 = new window: 5 bits leading, 6 bits length - 1, bits. */
const writeXor = (out: ByteWriter, values: Float64Array): void => {
  out.float64(values[0]!)
  const bits = new BitWriter(out)
  let leading = 64
  let trailing = 0
  for (let i = 1; i < values.length; i++) {
    const hi = (high(values[i]!) ^ high(values[i - 1]!)) >>> 0
    const lo = (low(values[i]!) ^ low(values[i - 1]!)) >>> 0
    if (hi === 0 && lo === 0) {
      bits.write(0, 1)
      continue
    }
    const lead = Math.min(31, hi === 0 ? 32 + Math.clz32(lo) : Math.clz32(hi))
    const trail = lo === 0 ? 32 + trailingZeros(hi) : trailingZeros(lo)
    if (lead >= leading && trail >= trailing) {
      bits.write(0b10, 2)
    } else {
      leading = lead
      trailing = trail
      bits.write(0b11, 2)
      bits.write(leading, 5)
      bits.write(63 - leading - trailing, 6)
    }
    writeMiddle(bits, hi, lo, 64 - leading - trailing, trailing)
  }
  bits.end()
}

const readXor = (input: ByteReader, values: Float64Array): Float64Array => {
  values[0] = input.float64()
  const bits = new BitReader(input)
  let length = 0
  let trailing = 0
  for (let i = 1; i < values.length; i++) {
    if (bits.read(1) === 0) {
      values[i] = values[i - 1]!
      continue
    }
    if (bits.read(1) === 1) {
      const leading = bits.read(5)
      length = bits.read(6) + 1
      trailing = 64 - leading - length
      if (trailing < 0) throw new RangeError("an XOR window is too wide")
    }
    const [hi, lo] = readMiddle(bits, length, trailing)
    values[i] = double((high(values[i - 1]!) ^ hi) >>> 0, (low(values[i - 1]!) ^ lo) >>> 0)
  }
  return values
}

const trailingZeros = (word: number): number => 31 - Math.clz32(word & -word)

/** `length` bits of the 64 that end `trailing` bits before the right. */
const writeMiddle = (bits: BitWriter, hi: number, lo: number, length: number, trailing: number): void => {
  if (trailing >= 32) {
    bits.write(hi >>> (trailing - 32), length)
    return
  }
  const inLow = Math.min(length, 32 - trailing)
  if (length > inLow) bits.write(hi, length - inLow)
  bits.write(lo >>> trailing, inLow)
}
const readMiddle = (bits: BitReader, length: number, trailing: number): readonly [hi: number, lo: number] => {
  if (trailing >= 32) return [(bits.read(length) << (trailing - 32)) >>> 0, 0]
  const inLow = Math.min(length, 32 - trailing)
  const hi = length > inLow ? bits.read(length - inLow) : 0
  return [hi, (bits.read(inLow) << trailing) >>> 0]
}
