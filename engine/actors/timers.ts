/**
 * All timers of one actor system: a binary heap ordered by (due time, order of request) behind one wake-up of the
 * clock. A sleeping fiber or a setTimeout per actor would cost a hundred times more (notes/actors.md).
 */
import type { ActorClock } from "#engine/actors/clock.ts"

/** Above this many waiting timers, asking for one more is a defect of the asker: it throws. */
export const TIMERS_MAX = 1_000_000

export interface Timer {
  readonly cancel: () => void
}

export interface Timers {
  /** Calls `fire` once, `ms` from now, rounded up to whole milliseconds and at least 1: time passes between firings. */
  readonly after: (ms: number, fire: () => void) => Timer
  readonly size: () => number
  /** Drops everything; nothing fires after this. */
  readonly close: () => void
}

interface Entry {
  readonly dueMs: number
  readonly order: number
  readonly fire: () => void
  /** Index in the heap, -1 once fired or cancelled. */
  place: number
}

export const makeTimers = (clock: ActorClock): Timers => {
  const heap: Entry[] = []
  let order = 0
  let closed = false
  let firing = false
  let armedMs = Infinity
  let disarm: (() => void) | null = null

  const arm = (): void => {
    const first = heap[0]
    if (firing || (first !== undefined && first.dueMs === armedMs)) return
    disarm?.()
    disarm = null
    armedMs = Infinity
    if (first === undefined || closed) return
    armedMs = first.dueMs
    disarm = clock.wakeAt(first.dueMs, fireDue)
  }

  const fireDue = (): void => {
    disarm = null
    armedMs = Infinity
    firing = true
    const now = clock.nowMs()
    try {
      for (let first = heap[0]; first !== undefined && first.dueMs <= now; first = heap[0]) {
        remove(heap, first)
        first.fire()
      }
    } finally {
      firing = false
      arm()
    }
  }

  return {
    after: (ms, fire) => {
      if (closed) return { cancel: () => undefined }
      if (!Number.isFinite(ms)) throw new RangeError(`a timer needs a finite delay, not ${ms}`)
      if (heap.length >= TIMERS_MAX) throw new RangeError(`more than ${TIMERS_MAX} timers wait in one actor system`)
      const entry: Entry = { dueMs: clock.nowMs() + Math.max(1, Math.ceil(ms)), order: order++, fire, place: -1 }
      insert(heap, entry)
      arm()
      return {
        cancel: () => {
          if (entry.place < 0) return
          remove(heap, entry)
          arm()
        },
      }
    },
    size: () => heap.length,
    close: () => {
      closed = true
      for (const entry of heap) entry.place = -1
      heap.length = 0
      arm()
    },
  }
}

const before = (a: Entry, b: Entry): boolean => a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order)

const insert = (heap: Entry[], entry: Entry): void => {
  heap.push(entry)
  rise(heap, entry, heap.length - 1)
}

const remove = (heap: Entry[], entry: Entry): void => {
  const hole = entry.place
  entry.place = -1
  const last = heap.pop() as Entry
  if (last === entry) return
  rise(heap, last, hole)
  sink(heap, last, last.place)
}

const rise = (heap: Entry[], entry: Entry, from: number): void => {
  let place = from
  while (place > 0) {
    const up = (place - 1) >> 1
    const parent = heap[up] as Entry
    if (!before(entry, parent)) break
    heap[place] = parent
    parent.place = place
    place = up
  }
  heap[place] = entry
  entry.place = place
}

const sink = (heap: Entry[], entry: Entry, from: number): void => {
  let place = from
  for (;;) {
    let down = 2 * place + 1
    if (down >= heap.length) break
    if (down + 1 < heap.length && before(heap[down + 1] as Entry, heap[down] as Entry)) down++
    const child = heap[down] as Entry
    if (!before(child, entry)) break
    heap[place] = child
    child.place = place
    place = down
  }
  heap[place] = entry
  entry.place = place
}
