/**
 * What a viewer keeps of the live stream, and how a keyframe, a delta and an event frame change it: SPEC.md rules [K], [D]
 * and [E]. Used by the browser and by the bench's clients. Columns are changed in place (a screen uploads the rows that a
 * delta names); nothing else is touched when a frame does not apply.
 */
import type { Counts, EventView } from "#protocol/view.ts"
import type { Delta, EventFrame, LinkColumns, NodeColumns, SiteColumns, Snap } from "#protocol/wire.ts"

/** Events that a viewer keeps, newest last; older ones are dropped. */
export const MAX_EVENTS = 512

/** `gap` = the frame cannot be applied and the viewer must resume ([R1]); `duplicate` = it holds nothing new. */
export type Applied = "applied" | "gap" | "duplicate"

export interface ViewState {
  /** 0 = nothing yet. */
  epoch: number
  /** Everything up to here is applied. */
  seq: number
  /** Newest evidence, server clock. */
  atMs: number
  sites: SiteColumns
  nodes: NodeColumns
  links: LinkColumns
  counts: Counts
  /** Newest last, at most MAX_EVENTS. */
  events: readonly EventView[]
  /** A keyframe whose later parts are still to come; null = complete. */
  assembling: Assembling | null
}

/** The parts of one keyframe so far, in order. */
export interface Assembling {
  readonly epoch: number
  readonly seq: number
  readonly parts: readonly Snap[]
}

export const newViewState = (): ViewState => ({
  epoch: 0,
  seq: 0,
  atMs: 0,
  sites: {
    id: [],
    name: [],
    latitude: new Float64Array(0),
    longitude: new Float64Array(0),
    placeGuessed: new Uint8Array(0),
  },
  nodes: noNodes(),
  links: noLinks(),
  counts: { routers: 0, routersUp: 0, links: 0, linksDown: 0, linksHot: 0, sites: 0, subscribers: null },
  events: [],
  assembling: null,
})

/** `applied` for a part that is not the last means: taken, the picture is still the old one. */
export const applyFrame = (state: ViewState, frame: Snap | Delta | EventFrame): Applied => {
  switch (frame.kind) {
    case "SNAP":
      return applySnap(state, frame)
    case "DELTA":
      return applyDelta(state, frame)
    case "EVENT":
      return applyEvents(state, frame)
  }
}

const applySnap = (state: ViewState, snap: Snap): Applied => {
  if (snap.part > 0 && !continues(state.assembling, snap)) return "gap"
  const parts = snap.part === 0 ? [snap] : [...(state.assembling?.parts ?? []), snap]
  if (parts.length < snap.parts) {
    state.assembling = { epoch: snap.epoch, seq: snap.seq, parts }
    return "applied"
  }
  const first = parts[0] as Snap
  state.assembling = null
  state.epoch = snap.epoch
  state.seq = snap.seq
  state.atMs = snap.atMs
  state.sites = first.sites
  state.nodes = parts.length === 1 ? first.nodes : joinedNodes(parts.map((part) => part.nodes))
  state.links = parts.length === 1 ? first.links : joinedLinks(parts.map((part) => part.links))
  state.counts = first.counts
  state.events = first.events.slice(-MAX_EVENTS)
  return "applied"
}

const continues = (assembling: Assembling | null, snap: Snap): boolean =>
  assembling !== null &&
  assembling.epoch === snap.epoch &&
  assembling.seq === snap.seq &&
  assembling.parts.length === snap.part

const applyDelta = (state: ViewState, delta: Delta): Applied => {
  if (delta.epoch !== state.epoch || delta.base > state.seq) return "gap"
  if (delta.seq <= state.seq) return "duplicate"
  const { nodes, links } = delta
  if (beyond(nodes.slot, state.nodes.status.length) || beyond(links.slot, state.links.status.length)) return "gap"
  for (let i = 0; i < nodes.slot.length; i++) {
    const slot = nodes.slot[i] as number
    state.nodes.status[slot] = nodes.status[i] as number
    state.nodes.seenS[slot] = nodes.seenS[i] as number
  }
  for (let i = 0; i < links.slot.length; i++) {
    const slot = links.slot[i] as number
    state.links.status[slot] = links.status[i] as number
    state.links.utilAB[slot] = links.utilAB[i] as number
    state.links.utilBA[slot] = links.utilBA[i] as number
  }
  state.seq = delta.seq
  state.atMs = Math.max(state.atMs, delta.atMs)
  state.counts = delta.counts
  return "applied"
}

/** Slots ascend (the codec checks it), so the last one tells. */
const beyond = (slots: Uint32Array, length: number): boolean => (slots[slots.length - 1] ?? -1) >= length

/** Events do not move the viewer's seq: the delta that follows does ([E2]). */
const applyEvents = (state: ViewState, frame: EventFrame): Applied => {
  if (frame.epoch !== state.epoch || frame.base > state.seq) return "gap"
  const last = state.events[state.events.length - 1]
  const news = last === undefined ? frame.events : frame.events.filter((event) => isAfter(event.id, last.id))
  if (news.length === 0) return "duplicate"
  state.events = [...state.events, ...news].slice(-MAX_EVENTS)
  return "applied"
}

/** Order of event ids, `<seq>-<index>`. */
export const isAfter = (id: string, other: string): boolean => {
  const [seq = 0, index = 0] = id.split("-").map(Number)
  const [otherSeq = 0, otherIndex = 0] = other.split("-").map(Number)
  return seq > otherSeq || (seq === otherSeq && index > otherIndex)
}

const joinedNodes = (parts: readonly NodeColumns[]): NodeColumns => ({
  id: parts.flatMap((part) => part.id),
  name: parts.flatMap((part) => part.name),
  site: joined(
    Uint32Array,
    parts.map((part) => part.site),
  ),
  role: joined(
    Uint8Array,
    parts.map((part) => part.role),
  ),
  status: joined(
    Uint8Array,
    parts.map((part) => part.status),
  ),
  seenS: joined(
    Uint32Array,
    parts.map((part) => part.seenS),
  ),
})

const joinedLinks = (parts: readonly LinkColumns[]): LinkColumns => ({
  id: parts.flatMap((part) => part.id),
  a: joined(
    Uint32Array,
    parts.map((part) => part.a),
  ),
  b: joined(
    Uint32Array,
    parts.map((part) => part.b),
  ),
  capacityBps: joined(
    Float64Array,
    parts.map((part) => part.capacityBps),
  ),
  status: joined(
    Uint8Array,
    parts.map((part) => part.status),
  ),
  utilAB: joined(
    Uint8Array,
    parts.map((part) => part.utilAB),
  ),
  utilBA: joined(
    Uint8Array,
    parts.map((part) => part.utilBA),
  ),
})

const joined = <C extends Uint8Array | Uint32Array | Float64Array>(
  make: new (length: number) => C,
  parts: readonly C[],
): C => {
  const whole = new make(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

const noNodes = (): NodeColumns => joinedNodes([])
const noLinks = (): LinkColumns => joinedLinks([])
