/** A real WebSocket client of the live stream, with the browser's own codec and state, and a clock on every frame. */
import { once } from "node:events"
import WebSocket from "ws"
import { decodeServer, encodeClient } from "#protocol/codec.ts"
import { PROTOCOL_VERSION, PROTOCOL_VERSION_MIN, type ServerFrame, type Snap } from "#protocol/wire.ts"
import { HEALTH, type Health } from "#protocol/status.ts"

export interface Viewer {
  /** Decoded parts of the keyframe, in order. */
  readonly snap: () => Snap
  /** Slot of a link by the names of its ends; undefined when there is none. */
  readonly linkSlot: (a: string, b: string) => number | undefined
  readonly linkHealth: (slot: number) => Health
  readonly nodeHealth: (slot: number) => Health
  readonly nodeSeenS: (slot: number) => number
  readonly nodes: () => number
  /** Resolves with the wall-clock ms at which a frame made `accept` true (at once when it already is). */
  readonly until: (accept: () => boolean, timeoutMs: number) => Promise<number>
  /** ms from the newest evidence in a DELTA to its arrival here. */
  readonly deltaAgesMs: () => readonly number[]
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
  const ages: number[] = []
  const waiting = new Set<(atMs: number) => void>()
  let frames = 0
  let bytes = 0
  let snap: Snap | undefined
  const slots = new Map<string, number>()

  socket.on("message", (data: Buffer) => {
    const atMs = Date.now()
    frames++
    bytes += data.length
    snap = applied(snap, decodeServer(data), ages, slots, atMs)
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
      const wake = (atMs: number): void => {
        if (!accept()) return
        waiting.delete(wake)
        clearTimeout(timer)
        settle(atMs)
      }
      const timer = setTimeout(() => {
        waiting.delete(wake)
        reject(new Error(`nothing on the stream after ${timeoutMs} ms`))
      }, timeoutMs)
      waiting.add(wake)
    })
  await until(() => snap !== undefined && snap.part === snap.parts - 1, 20_000)
  const current = (): Snap => snap as Snap
  return {
    snap: current,
    linkSlot: (a, b) => slots.get(`${a}|${b}`) ?? slots.get(`${b}|${a}`),
    linkHealth: (slot) => HEALTH[(current().links.status[slot] ?? 0) & 7] as Health,
    nodeHealth: (slot) => HEALTH[(current().nodes.status[slot] ?? 0) & 7] as Health,
    nodeSeenS: (slot) => current().nodes.seenS[slot] ?? 0,
    nodes: () => current().nodes.id.length,
    until,
    deltaAgesMs: () => ages,
    frames: () => frames,
    bytes: () => bytes,
    close: async () => {
      socket.close()
      await once(socket, "close")
    },
  }
}

/** Folds one frame into the newest keyframe. Tenants of a drill fit one part. */
const applied = (
  snap: Snap | undefined,
  frame: ServerFrame,
  ages: number[],
  slots: Map<string, number>,
  atMs: number,
): Snap | undefined => {
  if (frame.kind === "SNAP") {
    if (frame.parts !== 1) throw new Error("this viewer reads keyframes of one part")
    slots.clear()
    const name = (slot: number): string => frame.nodes.name[slot] ?? "?"
    frame.links.id.forEach((_, slot) =>
      slots.set(`${name(frame.links.a[slot] as number)}|${name(frame.links.b[slot] as number)}`, slot),
    )
    return frame
  }
  if (frame.kind !== "DELTA" || snap === undefined) return snap
  ages.push(atMs - frame.atMs)
  frame.nodes.slot.forEach((slot, i) => {
    snap.nodes.status[slot] = frame.nodes.status[i] as number
    snap.nodes.seenS[slot] = frame.nodes.seenS[i] as number
  })
  frame.links.slot.forEach((slot, i) => {
    snap.links.status[slot] = frame.links.status[i] as number
  })
  return snap
}
