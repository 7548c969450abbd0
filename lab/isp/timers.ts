/**
 * What the network has to do later, in time order. The network owns no clock: whoever drives it asks for the time of
 * the next entry and calls back then, with a real clock or a simulated one. It holds a few entries per link, session and
 * router at most (superseded ones stay until they are due, and then do nothing), none of them for longer than a minute
 * but a flap's half period.
 */
export type Due = () => void

export class Timers {
  private readonly heap: Array<{ readonly atMs: number; readonly order: number; readonly due: Due }> = []
  private order = 0

  /** Entries of the same time run in the order in which they were added. */
  add(atMs: number, due: Due): void {
    const heap = this.heap
    heap.push({ atMs, order: this.order++, due })
    for (let at = heap.length - 1; at > 0;) {
      const parent = (at - 1) >> 1
      if (!this.before(at, parent)) break
      this.swap(at, parent)
      at = parent
    }
  }

  /** Infinity when nothing waits. */
  nextMs(): number {
    return this.heap[0]?.atMs ?? Infinity
  }

  /** Removes the first entry. Call only when there is one. */
  pop(): Due {
    const heap = this.heap
    const first = heap[0]!
    const last = heap.pop()!
    if (heap.length > 0) {
      heap[0] = last
      for (let at = 0; ;) {
        const left = 2 * at + 1
        if (left >= heap.length) break
        const child = left + 1 < heap.length && this.before(left + 1, left) ? left + 1 : left
        if (!this.before(child, at)) break
        this.swap(child, at)
        at = child
      }
    }
    return first.due
  }

  private before(x: number, y: number): boolean {
    const [a, b] = [this.heap[x]!, this.heap[y]!]
    return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)
  }

  private swap(x: number, y: number): void {
    const kept = this.heap[x]!
    this.heap[x] = this.heap[y]!
    this.heap[y] = kept
  }
}
