/**
 * "What is wrong now": every device and link that is not well, worst first, newest first among equals. A link that ends
 * at a device in trouble folds into that device's row: one cause, one line. Pure, so that it is tested without a screen.
 */
import { isTrouble, MARKS, markOfByte } from "#client/map/mark.ts"
import type { Mark } from "#client/map/mark.ts"
import type { TwinState } from "#client/state/twin-store.ts"
import { unpackStatus } from "#protocol/status.ts"
import type { Health } from "#protocol/status.ts"
import type { EventView } from "#protocol/view.ts"

export interface TroubleRow {
  readonly kind: "device" | "link"
  readonly slot: number
  readonly id: string
  readonly title: string
  readonly mark: Mark
  readonly health: Health
  readonly site: string
  /** Since when, as far as the events that we hold tell; null = before them. */
  readonly sinceMs: number | null
  /** The newest event about it; null when we hold none. */
  readonly cause: EventView | null
  /** Unix seconds of a device's newest answer, 0 = never; null for links. */
  readonly seenS: number | null
  /** Links in trouble that end here. */
  readonly folded: number
}

/** O(nodes + links + rows log rows). */
export const troubleOf = (state: TwinState): readonly TroubleRow[] => {
  const newest = newestEvents(state.events)
  const folded = new Map<number, number>()
  const rows: TroubleRow[] = []
  state.links.status.forEach((byte, slot) => {
    const mark = markOfByte(byte)
    if (!isTrouble(mark)) return
    const a = state.links.a[slot] as number
    const b = state.links.b[slot] as number
    const hosts = [a, b].filter((node) => isGone(state.nodes.status[node] as number))
    for (const host of hosts) folded.set(host, (folded.get(host) ?? 0) + 1)
    if (hosts.length === 0) rows.push(linkRow(state, slot, mark, newest))
  })
  state.nodes.status.forEach((byte, slot) => {
    const mark = markOfByte(byte)
    if (isTrouble(mark)) rows.push(deviceRow(state, slot, mark, newest, folded.get(slot) ?? 0))
  })
  return rows.sort(worstFirst)
}

export const linkTitle = (state: TwinState, slot: number): string =>
  `${state.nodes.name[state.links.a[slot] as number] ?? "?"} ↔ ${state.nodes.name[state.links.b[slot] as number] ?? "?"}`

export const siteOf = (state: TwinState, node: number): string =>
  state.sites.name[state.nodes.site[node] as number] ?? ""

const isGone = (byte: number): boolean => {
  const { health } = unpackStatus(byte)
  return isTrouble(markOfByte(byte)) && (health === "down" || health === "unreachable")
}

const linkRow = (state: TwinState, slot: number, mark: number, newest: Newest): TroubleRow => {
  const id = state.links.id[slot] as string
  const sites = [state.links.a[slot] as number, state.links.b[slot] as number].map((node) => siteOf(state, node))
  return {
    kind: "link",
    slot,
    id,
    title: linkTitle(state, slot),
    mark: MARKS[mark] as Mark,
    health: unpackStatus(state.links.status[slot] as number).health,
    site: [...new Set(sites)].join(" – "),
    sinceMs: newest.get(id)?.atMs ?? null,
    cause: newest.get(id) ?? null,
    seenS: null,
    folded: 0,
  }
}

const deviceRow = (state: TwinState, slot: number, mark: number, newest: Newest, folded: number): TroubleRow => {
  const id = state.nodes.id[slot] as string
  return {
    kind: "device",
    slot,
    id,
    title: state.nodes.name[slot] as string,
    mark: MARKS[mark] as Mark,
    health: unpackStatus(state.nodes.status[slot] as number).health,
    site: siteOf(state, slot),
    sinceMs: newest.get(id)?.atMs ?? null,
    cause: newest.get(id) ?? null,
    seenS: state.nodes.seenS[slot] as number,
    folded,
  }
}

type Newest = ReadonlyMap<string, EventView>
const newestEvents = (events: readonly EventView[]): Newest => new Map(events.map((event) => [event.subject, event]))

const worstFirst = (a: TroubleRow, b: TroubleRow): number =>
  MARKS.indexOf(a.mark) - MARKS.indexOf(b.mark) ||
  b.folded - a.folded ||
  (b.sinceMs ?? 0) - (a.sinceMs ?? 0) ||
  (a.title < b.title ? -1 : a.title > b.title ? 1 : a.slot - b.slot)
