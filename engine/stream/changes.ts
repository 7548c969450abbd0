/**
 * What changed when, for one tenant and one epoch: for every slot the seq of its last change, and the newest events.
 * From it any viewer's position gives the one coalesced difference to now, so that nothing is queued per viewer and a
 * resume costs the same as a skipped frame. Pure bookkeeping: O(slots) memory, O(slots) per difference.
 */
import type { RoundNotice } from "#engine/tenant/live-twin.ts"
import type { EventView } from "#protocol/view.ts"

/** Events kept for viewers that come back; who missed more gets a keyframe. */
export const EVENTS_KEPT = 2048

export interface Difference {
  /** Ascending slots. */
  readonly nodes: Uint32Array
  readonly links: Uint32Array
  /** Oldest first. */
  readonly events: readonly EventView[]
}

export interface Changes {
  readonly record: (notice: Pick<RoundNotice, "seq" | "nodes" | "links" | "events">) => void
  /** Everything that changed after `seq`; null when that reaches back further than is known here. */
  readonly since: (seq: number) => Difference | null
}

/** `fromSeq`: what happened up to here is not known. */
export const makeChanges = (nodes: number, links: number, fromSeq: number): Changes => {
  // Float64: a seq may pass 2^32.
  const nodeSeq = new Float64Array(nodes)
  const linkSeq = new Float64Array(links)
  const events: Array<{ readonly seq: number; readonly event: EventView }> = []
  /** Positions before this one are not served. */
  let floor = fromSeq
  return {
    record: (notice) => {
      for (const slot of notice.nodes) nodeSeq[slot] = notice.seq
      for (const slot of notice.links) linkSeq[slot] = notice.seq
      for (const event of notice.events) events.push({ seq: notice.seq, event })
      if (events.length <= EVENTS_KEPT) return
      const lost = events.splice(0, events.length - EVENTS_KEPT)
      floor = lost.at(-1)!.seq
    },
    since: (seq) => {
      if (seq < floor) return null
      const first = events.findLastIndex((one) => one.seq <= seq) + 1
      return {
        nodes: changedAfter(nodeSeq, seq),
        links: changedAfter(linkSeq, seq),
        events: events.slice(first).map((one) => one.event),
      }
    },
  }
}

const changedAfter = (seqs: Float64Array, seq: number): Uint32Array => {
  let count = 0
  for (let slot = 0; slot < seqs.length; slot++) if (seqs[slot]! > seq) count++
  const slots = new Uint32Array(count)
  for (let slot = 0, at = 0; at < count; slot++) if (seqs[slot]! > seq) slots[at++] = slot
  return slots
}
