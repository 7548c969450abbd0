/**
 * One viewer's connection: what it may say, when it is heard, and when it ends. Raw ws, because its bufferedAmount is
 * the only honest back-pressure there is (notes/effect4.md trap 12).
 *
 *   upgraded --HELLO--> live --close/limits--> ended
 *   ends with 4001 no common version, 4002 bad frame or too many, 4003 signed out, 4008 does not drain
 */
import type { RawData, WebSocket } from "ws"
import type { Turns } from "#engine/actors/turns.ts"
import type { Principal } from "#engine/access/principal.ts"
import type { Hub, Viewer } from "#engine/stream/hub.ts"
import type { StreamLimits } from "#engine/stream/limits.ts"
import type { StreamStats } from "#engine/stream/stats.ts"
import { makeTokenBucket } from "#engine/stream/token-bucket.ts"
import { BadFrame, decodeClient, encodeServer } from "#protocol/codec.ts"
import { CLOSE, PROTOCOL_VERSION, PROTOCOL_VERSION_MIN } from "#protocol/wire.ts"
import type { ClientFrame, ClientHello, ServerHello } from "#protocol/wire.ts"

/** RFC 6455 s7.4.1. */
const GOING_AWAY = 1001

export interface StreamSession {
  readonly who: Principal
  /** Pings, and ends what is silent or over its time. */
  readonly sweep: () => void
  readonly signOut: () => void
  /** At the engine's end: 1001, then gone. */
  readonly end: () => void
}

/** How fast the tenant's frames may go out; over it viewers are coalesced like those that do not drain. */
export interface Pace {
  readonly mayGo: () => boolean
  readonly went: (bytes: number) => void
}
export const FREE: Pace = { mayGo: () => true, went: () => undefined }

export interface SessionOptions {
  readonly hub: Hub
  readonly who: Principal
  readonly limits: StreamLimits
  readonly stats: StreamStats
  /** What the WELCOME says (SPEC Y1); default: live. */
  readonly mode?: ServerHello["mode"]
  /** Default: as fast as it drains. */
  readonly pace?: Pace
  /** Unix time. */
  readonly nowMs: () => number
  /** For every waiting and counting. */
  readonly monotonicMs: () => number
  /** Default: the process's event loop, which such a wait does not keep alive. */
  readonly later?: Turns["later"]
  readonly closed: () => void
}

/** After a close frame the peer gets this long to answer; a stalled one never does. */
const LINGER_MS = 1_000
/** The same while the engine waits for it to stop. */
const LINGER_AT_END_MS = 200

/** A wait that does not keep the process alive. */
const inPassing: Turns["later"] = (ms, action) => {
  const timer = setTimeout(action, ms).unref()
  return () => clearTimeout(timer)
}

export const openSession = (socket: WebSocket, options: SessionOptions): StreamSession => {
  const { hub, who, limits, stats, pace = FREE, nowMs, monotonicMs, later = inPassing } = options
  const bucket = makeTokenBucket(limits.framesPerS, limits.framesBurst, monotonicMs())
  const openedMs = monotonicMs()
  let live = false
  let ended = false
  let heardMs = openedMs
  let pingedMs = openedMs
  let hidden = false
  let sentMs = Number.NEGATIVE_INFINITY
  let stalledMs: number | null = null

  const end = (code: number, reason: string, bye = false): void => {
    if (ended) return
    ended = true
    hub.leave(viewer)
    stats.closed.add(1, { reason })
    if (bye && socket.readyState === socket.OPEN) socket.send(encodeServer({ kind: "BYE", code, reason }))
    socket.close(code, reason)
    later(code === GOING_AWAY ? LINGER_AT_END_MS : LINGER_MS, () => socket.terminate())
  }

  const viewer: Viewer = {
    ready: (now) => {
      if (socket.bufferedAmount > limits.bufferedBytesMax) {
        stalledMs ??= now
        if (now - stalledMs >= limits.stalledMsMax) end(CLOSE.SLOW, "slow")
        return false
      }
      stalledMs = null
      return (!hidden || now - sentMs >= limits.hiddenGapMs) && pace.mayGo()
    },
    send: (bytes) => {
      sentMs = monotonicMs()
      stats.bytes.add(bytes.length)
      pace.went(bytes.length)
      socket.send(bytes)
    },
  }

  const hello = (frame: ClientHello): void => {
    const version = Math.min(frame.versionMax, PROTOCOL_VERSION)
    if (version < Math.max(frame.versionMin, PROTOCOL_VERSION_MIN)) return end(CLOSE.VERSION, "version", true)
    live = true
    const { tenant } = hub.twin
    viewer.send(
      encodeServer({
        kind: "WELCOME",
        version,
        tenant: { id: tenant.id, name: tenant.name, demo: tenant.demo },
        epoch: hub.twin.epoch(),
        seq: hub.twin.seq(),
        mode: options.mode ?? "live",
        atMs: nowMs(),
      }),
    )
    hub.join(viewer, frame.resume)
  }

  const received = (frame: ClientFrame): void => {
    if (!live) return frame.kind === "HELLO" ? hello(frame) : end(CLOSE.BAD_FRAME, "bad-frame")
    switch (frame.kind) {
      case "HELLO":
        return end(CLOSE.BAD_FRAME, "bad-frame")
      case "SUB":
        hidden = frame.hidden
        return hub.focus(viewer, frame.focus)
      case "PING":
        // Not for a socket that does not drain: answers would be a queue without end.
        if (socket.bufferedAmount <= limits.bufferedBytesMax)
          viewer.send(encodeServer({ kind: "PONG", token: frame.token, atMs: nowMs() }))
    }
  }

  const heard = (): boolean => {
    heardMs = monotonicMs()
    if (bucket.take(heardMs)) return !ended
    end(CLOSE.BAD_FRAME, "too-many-frames")
    return false
  }

  socket.on("message", (data: RawData, isBinary: boolean) => {
    if (!heard()) return
    if (!isBinary || !Buffer.isBuffer(data)) return end(CLOSE.BAD_FRAME, "bad-frame")
    try {
      received(decodeClient(data))
    } catch (cause) {
      if (!(cause instanceof BadFrame)) throw cause
      end(CLOSE.BAD_FRAME, "bad-frame")
    }
  })
  socket.on("ping", heard)
  socket.on("pong", heard)
  socket.on("error", () => end(CLOSE.BAD_FRAME, "bad-frame"))
  socket.once("close", () => {
    ended = true
    hub.leave(viewer)
    options.closed()
  })

  return {
    who,
    signOut: () => end(CLOSE.SIGNED_OUT, "signed-out", true),
    end: () => end(GOING_AWAY, "engine-stops"),
    sweep: () => {
      if (ended) return
      const now = monotonicMs()
      if (nowMs() >= who.credential.expiresAtMs) return end(CLOSE.SIGNED_OUT, "signed-out", true)
      if (!live && now - openedMs >= limits.helloMsMax) return end(CLOSE.BAD_FRAME, "no-hello")
      if (now - heardMs >= limits.silentMsMax) {
        stats.closed.add(1, { reason: "silent" })
        return socket.terminate()
      }
      if (now - pingedMs < limits.pingEveryMs) return
      pingedMs = now
      socket.ping()
    },
  }
}
