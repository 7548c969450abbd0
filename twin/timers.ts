/**
 * One wish per actor for a `timer` message, as an indexed binary heap ordered by (due, actor): deterministic, O(log n) to
 * change a wish, never more entries than actors. Time is the twin's: nothing here looks at a clock.
 */
export interface Timers {
  readonly actors: number
  /** Replaces the wish of `actor`; null = none. Times are whole ms. */
  readonly set: (actor: number, dueMs: number | null) => void
  readonly due: (actor: number) => number | null
  /** Removes and returns the first wish due at or before `atMs`; null = none. */
  readonly takeDue: (atMs: number) => { readonly actor: number; readonly dueMs: number } | null
}

export const makeTimers = (actors: number): Timers => {
  const dueMs = new Float64Array(actors).fill(Number.NaN)
  /** Heap of actors, and where each actor is in it; -1 = nowhere. */
  const heap = new Int32Array(actors)
  const place = new Int32Array(actors).fill(-1)
  let size = 0

  const before = (x: number, y: number): boolean => {
    const dueX = dueMs[x] as number
    const dueY = dueMs[y] as number
    return dueX < dueY || (dueX === dueY && x < y)
  }
  const put = (index: number, actor: number): void => {
    heap[index] = actor
    place[actor] = index
  }
  const up = (start: number, actor: number): void => {
    let index = start
    while (index > 0) {
      const parent = (index - 1) >> 1
      const other = heap[parent] as number
      if (!before(actor, other)) break
      put(index, other)
      index = parent
    }
    put(index, actor)
  }
  const down = (start: number, actor: number): void => {
    let index = start
    for (;;) {
      let child = 2 * index + 1
      if (child >= size) break
      if (child + 1 < size && before(heap[child + 1] as number, heap[child] as number)) child++
      if (!before(heap[child] as number, actor)) break
      put(index, heap[child] as number)
      index = child
    }
    put(index, actor)
  }
  const remove = (actor: number): void => {
    const index = place[actor] as number
    if (index < 0) return
    place[actor] = -1
    dueMs[actor] = Number.NaN
    size--
    if (index === size) return
    const last = heap[size] as number
    put(index, last)
    up(index, last)
    down(place[last] as number, last)
  }
  return {
    actors,
    set: (actor, due) => {
      if (!(actor >= 0 && actor < actors)) throw new RangeError(`actor ${actor} of ${actors}`)
      if (due === null || Number.isNaN(due)) return remove(actor)
      if ((place[actor] as number) < 0) put(size++, actor)
      dueMs[actor] = due
      up(place[actor] as number, actor)
      down(place[actor] as number, actor)
    },
    due: (actor) => ((place[actor] ?? -1) < 0 ? null : (dueMs[actor] as number)),
    takeDue: (atMs) => {
      const actor = heap[0] as number
      if (size === 0 || !((dueMs[actor] as number) <= atMs)) return null
      const due = dueMs[actor] as number
      remove(actor)
      return { actor, dueMs: due }
    },
  }
}
