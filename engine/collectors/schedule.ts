/**
 * When each (device, collector) is due: pure arithmetic, no clock. Every one of N pollers with the same interval holds
 * a slot; phase and jitter are a two-dimensional low-discrepancy sequence of the slot (the R2 sequence: powers of the
 * plastic number), so that any second carries its fair share of requests (PRODUCT.md C5: within 20 % of the mean).
 * A plain hash as phase would not do: 1,000 hashed phases over 10 s put 100 +- 10 into a second, outside 20 % every
 * half minute. The hash only orders the pollers, so that the same fleet gets the same phases after a restart.
 */

/** 1/g and 1/g^2 of the plastic number g = 1.3247..., the generalised golden ratio of two dimensions. */
const PHASE_STEP = 0.7548776662466927
const JITTER_STEP = 0.5698402909980532
/** The golden ratio moves each poller's jitter from cycle to cycle: evenly, and with no period of its own. */
const CYCLE_STEP = 0.6180339887498949

/** Where in its interval a slot lies, 0 <= phase < 1. */
export const phaseOf = (slot: number): number => fraction(0.5 + slot * PHASE_STEP)

/**
 * When a slot is due in a cycle: whole milliseconds since the fleet's start.
 * `jitter` is the width of the jitter as a share of the interval (0.1..0.2): successive polls are
 * interval x (1 +- jitter) apart, and always in order.
 */
export const dueMs = (slot: number, cycle: number, intervalMs: number, jitter: number): number => {
  const shift = jitter * fraction(0.5 + slot * JITTER_STEP + cycle * CYCLE_STEP)
  return Math.round(intervalMs * (cycle + phaseOf(slot) + shift))
}

/** The first cycle that is due later than `nowMs`. O(1). */
export const cycleAfter = (slot: number, nowMs: number, intervalMs: number, jitter: number): number => {
  let cycle = Math.max(0, Math.floor(nowMs / intervalMs - phaseOf(slot) - jitter))
  while (dueMs(slot, cycle, intervalMs, jitter) <= nowMs) cycle++
  return cycle
}

/** FNV-1a, 32 bits: an order of names that has nothing to do with how people name routers. */
export const stableHash = (text: string): number => {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash >>> 0
}

/** Where a name stands among all others, 0..1: evenly even for names that differ in their last letter (MurmurHash3's mixing). */
export const placeOf = (name: string): number => {
  let mixed = stableHash(name)
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32
}

/** Slots of one interval. The lowest free one is given out, so that the sequence has no holes after additions. */
export interface SlotPool {
  readonly take: () => number
  readonly give: (slot: number) => void
}

export const makeSlotPool = (): SlotPool => {
  let next = 0
  /** Descending, so that pop() is the lowest. */
  const free: number[] = []
  return {
    take: () => free.pop() ?? next++,
    give: (slot) => {
      const at = free.findIndex((other) => other < slot)
      free.splice(at < 0 ? free.length : at, 0, slot)
    },
  }
}

const fraction = (x: number): number => x - Math.floor(x)
