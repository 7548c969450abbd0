/**
 * The live socket: HELLO with the last applied (epoch, seq), SUB with what is looked at, PING for age and latency,
 * reconnect with jittered backoff. It knows nothing of the screen and touches no global, so that it is tested with a
 * fake socket and clock. It never gives up, except when told that this version or session is over.
 *
 *   connecting --WELCOME--> live --close/silence--> waiting --backoff--> connecting
 *   any --BYE/close 4001--> outdated        any --BYE/close 4003--> signed-out
 */
import { backoffMs } from "#client/stream/backoff.ts"
import { CLOSE, PROTOCOL_VERSION, PROTOCOL_VERSION_MIN } from "#protocol/wire.ts"
import type { ClientFrame, ServerFrame, Sub } from "#protocol/wire.ts"

export type Phase = "connecting" | "live" | "waiting" | "outdated" | "signed-out"

export interface Position {
  readonly epoch: number
  readonly seq: number
}

/** What of WebSocket is used. */
export interface Socket {
  readonly send: (bytes: Uint8Array) => void
  readonly close: (code?: number) => void
}
export interface SocketEvents {
  readonly opened: () => void
  readonly received: (bytes: Uint8Array) => void
  readonly closed: (code: number) => void
}

export interface ConnectionPorts {
  readonly open: (events: SocketEvents) => Socket
  readonly encode: (frame: ClientFrame) => Uint8Array
  readonly decode: (bytes: Uint8Array) => ServerFrame
  readonly now: () => number
  readonly dice: () => number
  readonly after: (ms: number, run: () => void) => () => void
  /** Applies a frame; "gap" when it does not follow what was applied before. */
  readonly apply: (frame: ServerFrame) => "applied" | "gap"
  /** Last applied place in the stream; null before the first keyframe. */
  readonly position: () => Position | null
  readonly phaseChanged: (phase: Phase) => void
  readonly answered: (sentMs: number, nowMs: number, serverMs: number) => void
  readonly lang: () => string
}

export interface Connection {
  readonly subscribe: (sub: Omit<Sub, "kind">) => void
  readonly stop: () => void
  /** For tests and the developer's console: drops the socket as a network would. */
  readonly drop: () => void
}

export const PING_MS = 5_000
/** Without any frame for this long the socket counts as dead, whatever TCP believes. */
export const SILENCE_MS = 15_000
/** After this many gaps in a row the position is not trusted any more and a keyframe is asked for. */
const GAPS_BEFORE_KEYFRAME = 2

export const connect = (ports: ConnectionPorts): Connection => {
  let phase: Phase = "connecting"
  let socket: Socket | null = null
  let attempt = 0
  let gaps = 0
  let lastFrameMs = 0
  let cancelTimer = () => {}
  let wanted: Sub = { kind: "SUB", focus: null, cells: [], tiers: [], hidden: false }
  let token = 0
  let pinged: { token: number; atMs: number } | null = null

  const enter = (next: Phase) => {
    if (phase === next) return
    phase = next
    ports.phaseChanged(next)
  }
  const send = (frame: ClientFrame) => socket?.send(ports.encode(frame))
  const over = () => phase === "outdated" || phase === "signed-out"

  const open = () => {
    enter("connecting")
    lastFrameMs = ports.now()
    const mine: Socket = ports.open({
      opened: () => {
        if (socket !== mine) return
        const resume = gaps >= GAPS_BEFORE_KEYFRAME ? null : ports.position()
        const versions = { versionMin: PROTOCOL_VERSION_MIN, versionMax: PROTOCOL_VERSION }
        send({ kind: "HELLO", ...versions, resume, lang: ports.lang() })
      },
      received: (bytes) => {
        if (socket === mine) received(bytes)
      },
      closed: (code) => {
        if (socket === mine) closed(code)
      },
    })
    socket = mine
    watch()
  }

  /** Pings, and notices silence. One timer for the life of a socket. */
  const watch = () => {
    cancelTimer()
    cancelTimer = ports.after(PING_MS, () => {
      if (ports.now() - lastFrameMs >= SILENCE_MS) return drop(CLOSE.GAP)
      if (phase === "live") ping()
      watch()
    })
  }
  const ping = () => {
    token++
    pinged = { token, atMs: ports.now() }
    send({ kind: "PING", token })
  }

  const received = (bytes: Uint8Array) => {
    lastFrameMs = ports.now()
    let frame: ServerFrame
    try {
      frame = ports.decode(bytes)
    } catch {
      return drop(CLOSE.BAD_FRAME)
    }
    if (frame.kind === "BYE") return ended(frame.code)
    if (frame.kind === "PONG") {
      if (pinged?.token === frame.token) ports.answered(pinged.atMs, lastFrameMs, frame.atMs)
      return
    }
    if (ports.apply(frame) === "gap") {
      gaps++
      return drop(CLOSE.GAP)
    }
    if (frame.kind === "SNAP" || frame.kind === "DELTA") gaps = 0
    if (frame.kind === "WELCOME") {
      attempt = 0
      enter("live")
      send(wanted)
      ping()
    }
  }

  /** What a close code or BYE means for coming back. */
  const ended = (code: number) => {
    if (code === CLOSE.VERSION || code === CLOSE.SIGNED_OUT) {
      enter(code === CLOSE.VERSION ? "outdated" : "signed-out")
      stop()
    } else drop(code)
  }
  const closed = (code: number) => {
    socket = null
    if (code === CLOSE.VERSION || code === CLOSE.SIGNED_OUT) return ended(code)
    retry()
  }
  const drop = (code: number) => {
    const old = socket
    socket = null
    old?.close(code >= 4000 && code <= 4999 ? code : 1000)
    retry()
  }
  const retry = () => {
    if (over()) return
    enter("waiting")
    cancelTimer()
    cancelTimer = ports.after(backoffMs(attempt, ports.dice()), open)
    attempt++
  }
  const stop = () => {
    cancelTimer()
    const old = socket
    socket = null
    old?.close(1000)
  }

  open()
  return {
    subscribe: (sub) => {
      wanted = { kind: "SUB", ...sub }
      if (phase === "live") send(wanted)
    },
    stop,
    drop: () => drop(CLOSE.GAP),
  }
}

/** The browser's WebSocket as a Socket. */
export const openWebSocket =
  (url: string) =>
  (events: SocketEvents): Socket => {
    const socket = new WebSocket(url)
    socket.binaryType = "arraybuffer"
    socket.addEventListener("open", events.opened)
    socket.addEventListener("message", (event: MessageEvent<unknown>) => {
      if (event.data instanceof ArrayBuffer) events.received(new Uint8Array(event.data))
    })
    socket.addEventListener("close", (event) => events.closed(event.code))
    return {
      send: (bytes) => {
        if (socket.readyState === WebSocket.OPEN) socket.send(bytes as Uint8Array<ArrayBuffer>)
      },
      close: (code) => socket.close(code),
    }
  }
