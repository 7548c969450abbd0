/** A real ws client that keeps the picture as SPEC.md says (protocol/apply.ts), and lets a test wait for what it saw. */
import { once } from "node:events"
import WebSocket from "ws"
import { applyFrame, newViewState } from "#protocol/apply.ts"
import type { ViewState } from "#protocol/apply.ts"
import { decodeServer, encodeClient } from "#protocol/codec.ts"
import { PROTOCOL_VERSION, PROTOCOL_VERSION_MIN } from "#protocol/wire.ts"
import type { ClientFrame, ServerFrame } from "#protocol/wire.ts"

export interface TestViewer {
  readonly socket: WebSocket
  readonly frames: ServerFrame[]
  readonly state: ViewState
  /** Every byte received, for canaries. */
  readonly bytes: Buffer[]
  readonly send: (frame: ClientFrame) => void
  /** Resolves as soon as the condition holds; rejects when the socket closes before. */
  readonly until: (holds: () => boolean) => Promise<void>
  readonly closed: Promise<number>
  readonly close: () => Promise<void>
}

export const hello = (resume: { epoch: number; seq: number } | null = null): ClientFrame => ({
  kind: "HELLO",
  versionMin: PROTOCOL_VERSION_MIN,
  versionMax: PROTOCOL_VERSION,
  resume,
  lang: "en",
})

/** Upgrades; with `state` the picture of an earlier socket goes on. */
export const openViewer = async (
  url: string,
  headers: Readonly<Record<string, string>>,
  state: ViewState = newViewState(),
): Promise<TestViewer> => {
  const socket = new WebSocket(url.replace(/^http/, "ws"), { headers })
  const frames: ServerFrame[] = []
  const bytes: Buffer[] = []
  const waiting = new Set<() => void>()
  socket.on("message", (data: Buffer) => {
    bytes.push(data)
    const frame = decodeServer(data)
    frames.push(frame)
    if (frame.kind === "SNAP" || frame.kind === "DELTA" || frame.kind === "EVENT") {
      if (applyFrame(state, frame) === "gap") throw new Error(`a gap at ${frame.kind} ${state.seq}`)
    }
    for (const check of waiting) check()
  })
  socket.on("error", () => {})
  const closed = new Promise<number>((settle) => socket.once("close", settle))
  await Promise.race([once(socket, "open"), closed.then(() => Promise.reject(new Error("no upgrade")))])
  return {
    socket,
    frames,
    bytes,
    state,
    closed,
    send: (frame) => socket.send(encodeClient(frame)),
    until: (holds) =>
      new Promise((settle, reject) => {
        const check = (): void => {
          if (!holds()) return
          waiting.delete(check)
          settle()
        }
        waiting.add(check)
        void closed.then((code) => reject(new Error(`closed with ${code}`)))
        check()
      }),
    close: async () => {
      socket.close()
      await closed
    },
  }
}

export const kindsOf = (viewer: TestViewer): readonly string[] => viewer.frames.map((frame) => frame.kind)
