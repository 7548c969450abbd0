/** Chance that repeats: for whatever picks at random and must be able to pick the same again. Never for secrets. */

/** Numbers in [0, 1) by mulberry32 (Tommy Ettinger): the same seed gives the same ones on every machine. */
export const diceOf = (seed: number): (() => number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}
