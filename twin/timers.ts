/**
 * One wish per actor for a `timer` message, as an indexed binary heap ordered by (due, actor): deterministic, O(log n) to
 * change a wish, never more entries than actors. Time is the twin's: nothing here looks at a clock.
 */
export interface Timers {
  /** Replaces the wish of `actor`; null = none. Times are whole ms. */
  readonly set: (actor: number, dueMs: number | null) => void
  readonly due: (actor: number) => number | null
  /** Removes and returns the first wish due at or before `atMs`; null = none. */
  readonly takeDue: (atMs: number) => { readonly actor: number; readonly dueMs: number } | null
}
