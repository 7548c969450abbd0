/**
 * The state that the shaders read: four bytes per node and per link in a texture 256 texels wide. A change costs four
 * bytes and one dirty row; the shader fades from the previous mark to the present one by its tick, so nothing runs per
 * frame on the CPU. Ticks wrap every 3.2 s; `settle` ends finished fades before a wrap could show them again.
 *
 *         byte 0      byte 1   byte 2                    byte 3
 * node    role tier   0        mark | previous << 4      tick (bits 0-4) | flags << 5
 * link    utilAB      utilBA   mark | previous << 4      tick (bits 0-4) | flags << 5
 */
export const WIDTH = 256
/** Milliseconds per tick of the fade. */
export const TICK_MS = 100
/** Ticks fit five bits. */
export const TICKS = 32
export const FADE_MS = 700
export const FLAG_SELECTED = 1
export const FLAG_BROKEN = 2
/** Backbone or aggregation: drawn wider. */
export const FLAG_MAJOR = 4

export interface Texels {
  readonly bytes: Uint8Array
  readonly height: number
  /** First and last row to upload again; null = nothing changed. */
  dirty: { first: number; last: number } | null
  /** Slots whose fade still runs. */
  readonly fading: Set<number>
}

/** At least one row, as a texture cannot be empty. */
export const makeTexels = (count: number): Texels => {
  const height = Math.max(1, Math.ceil(count / WIDTH))
  return { bytes: new Uint8Array(WIDTH * height * 4), height, dirty: { first: 0, last: height - 1 }, fading: new Set() }
}

export const tickOf = (nowMs: number): number => Math.floor(nowMs / TICK_MS) & 31

/** With `fade`, the shader goes over from the mark before; without, the mark stands at once. */
export const setMark = (texels: Texels, slot: number, mark: number, tick: number, fade: boolean): void => {
  const at = slot * 4
  const present = (texels.bytes[at + 2] as number) & 15
  if (present === mark) return
  texels.bytes[at + 2] = mark | ((fade ? present : mark) << 4)
  if (fade) {
    texels.bytes[at + 3] = ((texels.bytes[at + 3] as number) & 0xe0) | (tick & 31)
    texels.fading.add(slot)
  }
  touch(texels, slot)
}

export const setByte = (texels: Texels, slot: number, byte: 0 | 1, value: number): void => {
  if (texels.bytes[slot * 4 + byte] === value) return
  texels.bytes[slot * 4 + byte] = value
  touch(texels, slot)
}

export const setFlag = (texels: Texels, slot: number, flag: number, on: boolean): void => {
  const at = slot * 4 + 3
  const before = texels.bytes[at] as number
  const after = on ? before | (flag << 5) : before & ~(flag << 5)
  if (before === after) return
  texels.bytes[at] = after
  touch(texels, slot)
}

/** Ends fades that are over. True while others still run: then one more frame is due. */
export const settle = (texels: Texels, tick: number): boolean => {
  for (const slot of texels.fading) {
    const age = ((tick & 31) - ((texels.bytes[slot * 4 + 3] as number) & 31) + 32) & 31
    if (age * TICK_MS <= FADE_MS) continue
    const mark = (texels.bytes[slot * 4 + 2] as number) & 15
    texels.bytes[slot * 4 + 2] = mark | (mark << 4)
    texels.fading.delete(slot)
    touch(texels, slot)
  }
  return texels.fading.size > 0
}

const touch = (texels: Texels, slot: number): void => {
  const row = Math.floor(slot / WIDTH)
  if (texels.dirty === null) texels.dirty = { first: row, last: row }
  else texels.dirty = { first: Math.min(texels.dirty.first, row), last: Math.max(texels.dirty.last, row) }
}
