/** A real WebSocket client of the live stream, with the browser's own codec and state, and a clock on every frame. */
import { once } from "node:events"
import WebSocket from "ws"
import { applyFrame, newViewState, type ViewState } from "#protocol/apply.ts"
import { decodeServer, encodeClient } from "#protocol/codec.ts"
import { PROTOCOL_VERSION, PROTOCOL_VERSION_MIN } from "#protocol/wire.ts"
import { unpackStatus, type Health } from "#protocol/status.ts"
import type { EventView } from "#protocol/view.ts"

export interface Viewer {
  readonly state: ViewState
  /** Slot of a link by the names of its ends; undefined when there is none. */
  readonly linkSlot: (a: string, b: string) => number | undefined
  readonly linkHealth: (slot: number) => Health
  readonly nodeHealth: (slot: number) => Health
  /** Unix seconds of the newest answer; 0 = never. */
  readonly nodeSeenS: (slot: number) => number
  readonly nodes: () => number
  /** Resolves with the wall-clock ms at which a frame made `accept` true (at once when it already is). */
  readonly until: (accept: () => boolean, timeoutMs: number) => Promise<number>
  /** ms from the newest evidence in a DELTA to its arrival here. */
  readonly deltaAgesMs: () => readonly number[]
  /** Every event that was told since this viewer came, oldest first; not those of its keyframe. */
  readonly told: () => readonly EventView[]
  readonly frames: () => number
  readonly bytes: () => number
  readonly close: () => Promise<void>
}

export const openViewer = async (url: string, cookie: string): Promise<Viewer> => {
  const socket = new WebSocket(`${url.replace("http", "ws")}/stream`, {
    headers: { cookie, origin: url },
    perMessageDeflate: false,
  })
  socket.binaryType = "nodebuffer"
  const state = newViewState()
  const ages: number[] = []
  const told: EventView[] = []
  const waiting = new Set<(atMs: number) => void>()
  let frames = 0
  let bytes = 0

  socket.on("message", (data: Buffer) => {
    const atMs = Date.now()
    frames++
    bytes += data.length
    const frame = decodeServer(data)
    if (frame.kind === "DELTA") ages.push(atMs - frame.atMs)
    if (frame.kind === "EVENT") told.push(...frame.events)
    if (frame.kind === "SNAP" || frame.kind === "DELTA" || frame.kind === "EVENT") {
      if (applyFrame(state, frame) === "gap") socket.close(4000, "a gap in a stream that never broke")
    }
    for (const wake of waiting) wake(atMs)
  })
  await once(socket, "open")
  socket.send(
    encodeClient({
      kind: "HELLO",
      versionMax: PROTOCOL_VERSION,
      versionMin: PROTOCOL_VERSION_MIN,
      resume: null,
      lang: "en",
    }),
  )

  const until = (accept: () => boolean, timeoutMs: number): Promise<number> =>
    new Promise((settle, reject) => {
      if (accept()) return settle(Date.now())
      const end = (result: () => void): void => {
        waiting.delete(wake)
        clearTimeout(timer)
        socket.off("close", onClose)
        result()
      }
      const wake = (atMs: number): void => (accept() ? end(() => settle(atMs)) : undefined)
      const onClose = (code: number): void => end(() => reject(new Error(`the stream was closed with ${code}`)))
      const timer = setTimeout(
        () => end(() => reject(new Error(`not seen on the stream within ${timeoutMs} ms`))),
        timeoutMs,
      )
      waiting.add(wake)
      socket.once("close", onClose)
    })
  await until(() => state.epoch !== 0 && state.assembling === null, 20_000)

  return {
    state,
    linkSlot: slotFinder(state),
    linkHealth: (slot) => unpackStatus(state.links.status[slot] ?? 0).health,
    nodeHealth: (slot) => unpackStatus(state.nodes.status[slot] ?? 0).health,
    nodeSeenS: (slot) => state.nodes.seenS[slot] ?? 0,
    nodes: () => state.nodes.id.length,
    until,
    deltaAgesMs: () => ages,
    told: () => told,
    frames: () => frames,
    bytes: () => bytes,
    close: async () => {
      const closed = once(socket, "close")
      socket.close()
      await closed
    },
  }
}

/** Slots by names, read anew after each change of the inventory. */
const slotFinder = (state: ViewState): Viewer["linkSlot"] => {
  let epoch = 0
  let slots = new Map<string, number>()
  return (a, b) => {
    if (epoch !== state.epoch) {
      const name = (slot: number | undefined): string => state.nodes.name[slot ?? -1] ?? "?"
      slots = new Map(
        state.links.id.map((_, slot) => [`${name(state.links.a[slot])}|${name(state.links.b[slot])}`, slot]),
      )
      epoch = state.epoch
    }
    return slots.get(`${a}|${b}`) ?? slots.get(`${b}|${a}`)
  }
}
