/**
 * The browser's copy of the twin: protocol/apply.ts does the applying, this file tells the screens about it. Typed arrays
 * outside any signal, because 10,000 changes a second must not wake the interface; listeners get the changed slots, and
 * the screens read counters and lists at their own pace.
 */
import { applyFrame, newViewState } from "#protocol/apply.ts"
import type { ViewState } from "#protocol/apply.ts"
import type { EventView } from "#protocol/view.ts"
import type { Delta, EventFrame, LinkDelta, NodeDelta, Snap } from "#protocol/wire.ts"

/** One keyframe's life: the columns change in place, the slots keep their meaning. */
export interface TwinState extends Readonly<ViewState> {
  /** Slots by id. */
  readonly nodeById: ReadonlyMap<string, number>
  readonly linkById: ReadonlyMap<string, number>
}

export interface TwinStats {
  keyframes: number
  deltas: number
  /** Times that a new socket went on from the state at hand; a keyframe right after it takes the count back. */
  resumes: number
}

export interface TwinListener {
  /** A new keyframe: every slot means something else now. */
  readonly replaced: (state: TwinState) => void
  readonly changed: (nodes: NodeDelta, links: LinkDelta) => void
  readonly happened: (events: readonly EventView[]) => void
}

export interface TwinStore {
  /** Null before the first whole keyframe. A new object after every frame. */
  readonly state: () => TwinState | null
  readonly stats: Readonly<TwinStats>
  readonly apply: (frame: Snap | Delta | EventFrame) => "applied" | "gap"
  /** Forgets the picture: what comes next is of something else. Listeners hear of it with the next keyframe. */
  readonly clear: () => void
  /** A WELCOME came on a new socket: with the same epoch the old state goes on. */
  readonly welcomed: (epoch: number) => void
  readonly listen: (listener: TwinListener) => () => void
}

export const makeTwinStore = (): TwinStore => {
  let view = newViewState()
  let state: TwinState | null = null
  let sockets = 0
  let resuming = false
  const stats: TwinStats = { keyframes: 0, deltas: 0, resumes: 0 }
  const listeners = new Set<TwinListener>()

  const keyframe = () => {
    const { nodes, links } = view
    state = { ...view, nodeById: slotsById(nodes.id), linkById: slotsById(links.id) }
    stats.keyframes++
    if (resuming) stats.resumes--
    resuming = false
    for (const listener of listeners) listener.replaced(state)
  }

  return {
    state: () => state,
    stats,
    apply: (frame) => {
      const result = applyFrame(view, frame)
      if (result === "gap") return "gap"
      if (result === "duplicate" || view.assembling !== null) return "applied"
      if (frame.kind === "SNAP") keyframe()
      else if (state !== null) {
        const { nodeById, linkById } = state
        state = { ...view, nodeById, linkById }
        resuming = false
        if (frame.kind === "DELTA") stats.deltas++
        for (const listener of listeners) {
          if (frame.kind === "DELTA") listener.changed(frame.nodes, frame.links)
          else listener.happened(frame.events)
        }
      }
      return "applied"
    },
    clear: () => {
      view = newViewState()
      state = null
      resuming = false
    },
    welcomed: (epoch) => {
      view.assembling = null
      sockets++
      resuming = sockets > 1 && state?.epoch === epoch
      if (resuming) stats.resumes++
    },
    listen: (listener) => {
      listeners.add(listener)
      if (state !== null) listener.replaced(state)
      return () => listeners.delete(listener)
    },
  }
}

const slotsById = (ids: readonly string[]): ReadonlyMap<string, number> => new Map(ids.map((id, slot) => [id, slot]))
