/**
 * The windows that are still being filled: one per device and collector, packed (packed-window.ts). When one is full or its
 * time is over it is handed on, sealed. No database in here.
 */
import { PackedWindow, type Shape } from "#engine/storage/packed-window.ts"
import type { Source } from "#protocol/view.ts"
import type { PollInput } from "#twin/input.ts"

export interface OpenWindow {
  readonly device: string
  readonly source: Source
  readonly window: PackedWindow
  /** Number of the time slot that its polls lie in. */
  readonly slot: number
  /** Sealed at so many polls. */
  readonly pollsMax: number
}

export interface WindowLimits {
  /** Longest window. ms */
  readonly windowMs: number
  /** A window is sealed at this many polls at the latest (up to half more, staggered by device). */
  readonly windowPolls: number
}

/** Shapes of polls that are kept for the next window; beyond it the oldest is made anew. */
const SHAPES_MAX = 50_000

export const keyOf = (source: string, device: string): string => `${source} ${device}`

export class OpenWindows {
  readonly #limits: WindowLimits
  readonly #onSealed: (sealed: OpenWindow) => void
  /** In the order in which they were opened. */
  readonly #open = new Map<string, OpenWindow>()
  /** Of the newest polls, by source and device. */
  readonly #shapes = new Map<string, Shape>()
  /** First input of the window that was opened last. */
  #newestFirst = 0
  /** The window that was opened first has the oldest input: so it is, unless polls come out of order. */
  #inOrder = true

  constructor(limits: WindowLimits, onSealed: (sealed: OpenWindow) => void) {
    this.#limits = limits
    this.#onSealed = onSealed
  }

  add(seq: number, poll: PollInput): void {
    const key = keyOf(poll.source, poll.device)
    const spread = spreadOf(poll.device)
    // Slots of one device begin at its own phase: windows do not all end at once.
    const slot = Math.floor(poll.atMs / this.#limits.windowMs + spread)
    let open = this.#open.get(key)
    if (open !== undefined && open.slot !== slot) {
      this.#seal(key, open)
      open = undefined
    }
    if (open === undefined) {
      const pollsMax = Math.round(this.#limits.windowPolls * (1 + spread / 2))
      open = { device: poll.device, source: poll.source, window: new PackedWindow(), slot, pollsMax }
      if (this.#open.size === 0) this.#inOrder = true
      else this.#inOrder &&= seq > this.#newestFirst
      this.#newestFirst = seq
      this.#open.set(key, open)
    }
    this.#remember(key, open.window.add(seq, poll, this.#shapes.get(key) ?? null))
    if (open.window.seq.length >= open.pollsMax) this.#seal(key, open)
  }

  /** Those whose time is over at `nowMs`: a device that fell silent never fills its window. */
  sealPast(nowMs: number): void {
    for (const [key, open] of this.#open)
      if (Math.floor(nowMs / this.#limits.windowMs + spreadOf(open.device)) > open.slot) this.#seal(key, open)
  }

  sealAll(): void {
    for (const [key, open] of this.#open) this.#seal(key, open)
  }

  has(key: string): boolean {
    return this.#open.has(key)
  }

  all(): Iterable<OpenWindow> {
    return this.#open.values()
  }

  /** Null = none is open. */
  oldestSeq(): number | null {
    let oldest: number | null = null
    for (const { window } of this.#open.values()) {
      const first = window.seq[0]!
      if (oldest === null || first < oldest) oldest = first
      if (this.#inOrder) return oldest
    }
    return oldest
  }

  #seal(key: string, open: OpenWindow): void {
    this.#open.delete(key)
    open.window.trim()
    this.#onSealed(open)
  }

  #remember(key: string, shape: Shape): void {
    if (this.#shapes.get(key) === shape) return
    this.#shapes.set(key, shape)
    if (this.#shapes.size <= SHAPES_MAX) return
    const oldest = this.#shapes.keys().next()
    if (oldest.done !== true) this.#shapes.delete(oldest.value)
  }
}

/** 0..1, the same for a device for ever: spreads the ends of windows over time (FNV-1a). */
const spreadOf = (device: string): number => {
  let hash = 0x811c9dc5
  for (let i = 0; i < device.length; i++) hash = Math.imul(hash ^ device.charCodeAt(i), 0x01000193)
  return (hash >>> 0) / 2 ** 32
}
