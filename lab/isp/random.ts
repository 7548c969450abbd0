/**
 * The lab's dice: sfc32 (Chris Doty-Humphrey, PractRand), seeded by a number and a stream name, so that a new use of
 * chance in one place never changes what another place draws. Same seed, same network, on every machine.
 */
export interface Dice {
  /** Uniform in [0, 1). */
  readonly next: () => number
  /** Uniform in [low, high). */
  readonly between: (low: number, high: number) => number
  /** Whole number in [low, high], both included. */
  readonly int: (low: number, high: number) => number
  readonly chance: (probability: number) => boolean
  /** One of a non-empty list. */
  readonly pick: <T>(items: readonly T[]) => T
  /** Mean 0, standard deviation 1 (Irwin-Hall of 12: bounded to +-6, which suits load noise). */
  readonly normal: () => number
}

export const dice = (seed: number, stream: string): Dice => {
  const next = sfc32(seed >>> 0, hash(stream))
  const between = (low: number, high: number) => low + next() * (high - low)
  const int = (low: number, high: number) => low + Math.floor(next() * (high - low + 1))
  return {
    next,
    between,
    int,
    chance: (probability) => next() < probability,
    pick: (items) => items[int(0, items.length - 1)]!,
    normal: () => {
      let sum = -6
      for (let i = 0; i < 12; i++) sum += next()
      return sum
    },
  }
}

const sfc32 = (seed: number, stream: number): (() => number) => {
  let a = seed
  let b = stream
  let c = 0x9e3779b9
  let counter = 1
  const next = (): number => {
    const t = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = ((c << 21) | (c >>> 11)) + t
    return (t >>> 0) / 4294967296
  }
  for (let i = 0; i < 15; i++) next()
  return next
}

/** FNV-1a, 32 bits. */
const hash = (text: string): number => {
  let h = 0x811c9dc5
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  return h >>> 0
}
