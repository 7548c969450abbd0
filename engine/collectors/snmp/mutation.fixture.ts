/**
 * Structure-aware mutation of SNMP messages, reproducible by seed: lengths, tags, integers and cuts, where parsers break
 * (notes/hostile.md s1: this found every net-snmp crash in seconds). FUZZ_RUNS sets how many inputs a test throws.
 */
export type Dice = (below: number) => number

/** mulberry32. */
export const makeDice = (seed: number): Dice => {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

export const FUZZ_INPUTS = Number(process.env["FUZZ_RUNS"] ?? 10_000)

const TAGS = [
  0x02, 0x03, 0x04, 0x05, 0x06, 0x30, 0x40, 0x41, 0x42, 0x43, 0x44, 0x46, 0x80, 0x81, 0x82, 0xa0, 0xa2, 0xa4, 0xa6,
  0xa7, 0xa8, 0xff,
]
const EDGES = [0x00, 0x01, 0x7f, 0x80, 0x81, 0x82, 0x84, 0xfe, 0xff]

/** One to four changes, or none: an honest packet must go on being taken. */
export const mutate = (honest: Buffer, dice: Dice): Buffer => {
  let bytes: Buffer = Buffer.from(honest)
  for (let changes = dice(5); changes > 0 && bytes.length > 0; changes--) bytes = change(bytes, dice)
  return bytes
}

const change = (bytes: Buffer, dice: Dice): Buffer => {
  const at = dice(bytes.length)
  switch (dice(8)) {
    case 0:
      bytes[at] = dice(256)
      return bytes
    case 1:
      bytes[at] = TAGS[dice(TAGS.length)] as number
      return bytes
    case 2:
      bytes[at] = EDGES[dice(EDGES.length)] as number
      return bytes
    case 3:
      bytes[at] = ((bytes[at] as number) + (dice(2) === 0 ? 1 : 255)) & 255
      return bytes
    case 4:
      return bytes.subarray(0, at)
    case 5:
      return Buffer.concat([bytes.subarray(0, at), Buffer.alloc(dice(9), dice(256)), bytes.subarray(at)])
    case 6:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(Math.min(bytes.length, at + 1 + dice(8)))])
    default: {
      // Doubles a stretch, as a repeated binding would.
      const end = Math.min(bytes.length, at + 1 + dice(40))
      return Buffer.concat([bytes.subarray(0, end), bytes.subarray(at)])
    }
  }
}
