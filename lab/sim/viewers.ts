/**
 * Browsers at the other end of a simulated WebSocket: they keep the picture with the real codec and protocol/apply.ts, read
 * slowly, stop reading, vanish without a word and come back with the place where they were. The socket is what the
 * engine's session (engine/stream/session.ts) sees of `ws`: ordered bytes, a buffer that grows when nobody reads.
 */
import { EventEmitter } from "node:events"
import type { WebSocket } from "ws"
import { LIMITS } from "#engine/stream/limits.ts"
import type { StreamLimits } from "#engine/stream/limits.ts"
import { applyFrame, newViewState } from "#protocol/apply.ts"
import type { ViewState } from "#protocol/apply.ts"
import { decodeServer, encodeClient } from "#protocol/codec.ts"
import { PROTOCOL_VERSION, PROTOCOL_VERSION_MIN } from "#protocol/wire.ts"
import type { ClientFrame } from "#protocol/wire.ts"
import type { Life, Loop } from "#lab/sim/loop.ts"
import { FOREVER } from "#lab/sim/loop.ts"

const PING_MS = 10_000
/** The stream's own limits, but for a buffer that so small a network can fill. */
export const SIM_LIMITS: StreamLimits = { ...LIMITS, bufferedBytesMax: 1_024 }

/** One connection, both ends. The server's end dies with the engine's life; the bytes under way do not. */
export class Wire extends EventEmitter {
  readonly OPEN = 1
  readyState = 1
  bufferedAmount = 0
  /** Frames sent although more than the limit had waited for a while. */
  overruns = 0
  #overSinceMs: number | null = null
  readonly #loop: Loop
  readonly #server: Life
  readonly #queue: Uint8Array[] = []
  #reading = false
  #received: (bytes: Uint8Array) => void
  #gone: () => void
  #bytesPerMs: number

  constructor(loop: Loop, server: Life, bytesPerMs: number, received: (bytes: Uint8Array) => void, gone: () => void) {
    super()
    this.#loop = loop
    this.#server = server
    this.#bytesPerMs = bytesPerMs
    this.#received = received
    this.#gone = gone
  }

  // -- as the server's session uses it

  send(bytes: Uint8Array): void {
    if (this.readyState !== this.OPEN) return
    if (this.#overSinceMs !== null && this.#overSinceMs < this.#loop.nowMs) this.overruns++
    this.#queue.push(bytes.slice())
    this.bufferedAmount += bytes.length
    if (this.bufferedAmount > SIM_LIMITS.bufferedBytesMax) this.#overSinceMs ??= this.#loop.nowMs
    this.#read()
  }
  ping(): void {
    if (this.#bytesPerMs > 0) this.#loop.after(20, this.#server, () => this.emit("pong"))
  }
  close(): void {
    this.#loop.after(20, FOREVER, () => this.cut())
  }
  terminate(): void {
    this.cut()
  }

  // -- as the browser uses it

  /** 0 = it reads no more, and says nothing. */
  setSpeed(bytesPerMs: number): void {
    this.#bytesPerMs = bytesPerMs
    this.#read()
  }
  say(frame: ClientFrame): void {
    const bytes = Buffer.from(encodeClient(frame))
    this.#loop.after(10, this.#server, () => {
      if (this.readyState === this.OPEN) this.emit("message", bytes, true)
    })
  }
  /** Both ends learn that it is over; what was under way is lost. */
  cut(): void {
    if (this.readyState !== this.OPEN) return
    this.readyState = 3
    this.#queue.length = 0
    if (this.#server.alive) this.emit("close")
    this.#gone()
  }
  idle(): boolean {
    return this.#queue.length === 0 && !this.#reading
  }

  #read(): void {
    const first = this.#queue[0]
    if (this.#reading || first === undefined || this.#bytesPerMs === 0) return
    this.#reading = true
    this.#loop.after(5 + first.length / this.#bytesPerMs, FOREVER, () => {
      this.#reading = false
      if (this.readyState !== this.OPEN) return
      this.#queue.shift()
      this.bufferedAmount -= first.length
      if (this.bufferedAmount <= SIM_LIMITS.bufferedBytesMax) this.#overSinceMs = null
      this.#received(first)
      this.#read()
    })
  }
}

/** Opens the server's end of a wire; null while no engine is there to be connected to. */
export type Accept = (make: (server: Life) => Wire) => { readonly wire: Wire; readonly socket: WebSocket } | null

export interface ViewerHooks {
  /** Planted bugs of the network between: null = the frame is lost. */
  readonly onFrame?: (bytes: Uint8Array) => Uint8Array | null
  readonly onGap: (detail: string) => void
  readonly onBytes: (viewer: number, bytes: Uint8Array) => void
}

export class Viewer {
  readonly index: number
  state: ViewState = newViewState()
  wire: Wire | null = null
  /** The page is open. */
  present = true
  frames = 0
  bytesPerMs = 1_000
  readonly #loop: Loop
  readonly #accept: Accept
  readonly #hooks: ViewerHooks

  constructor(loop: Loop, index: number, accept: Accept, hooks: ViewerHooks) {
    this.#loop = loop
    this.index = index
    this.#accept = accept
    this.#hooks = hooks
  }

  connect(): void {
    if (this.wire !== null || !this.present) return
    let mine: Wire | null = null
    const gone = (): void => {
      if (this.wire !== mine) return
      this.wire = null
      this.#loop.after(500, FOREVER, () => this.connect())
    }
    const opened = this.#accept(
      (server) => new Wire(this.#loop, server, this.bytesPerMs, (bytes) => this.#take(bytes), gone),
    )
    if (opened === null) {
      this.#loop.after(500, FOREVER, () => this.connect())
      return
    }
    mine = opened.wire
    this.wire = mine
    const { epoch, seq } = this.state
    mine.say({
      kind: "HELLO",
      versionMin: PROTOCOL_VERSION_MIN,
      versionMax: PROTOCOL_VERSION,
      resume: epoch === 0 ? null : { epoch, seq },
      lang: "en",
    })
    this.#keepAlive(mine)
  }

  /** Reads no more, without a word: a laptop that was closed. */
  stall(): void {
    this.bytesPerMs = 0
    this.wire?.setSpeed(0)
  }
  setSpeed(bytesPerMs: number): void {
    this.bytesPerMs = bytesPerMs
    this.wire?.setSpeed(bytesPerMs)
  }

  #keepAlive(wire: Wire): void {
    this.#loop.after(PING_MS, FOREVER, () => {
      if (this.wire !== wire) return
      if (this.bytesPerMs > 0) wire.say({ kind: "PING", token: 1 })
      this.#keepAlive(wire)
    })
  }

  #take(received: Uint8Array): void {
    const bytes = this.#hooks.onFrame === undefined ? received : this.#hooks.onFrame(received)
    if (bytes === null) return
    this.frames++
    this.#hooks.onBytes(this.index, bytes)
    const frame = decodeServer(bytes)
    if (frame.kind !== "SNAP" && frame.kind !== "DELTA" && frame.kind !== "EVENT") return
    if (applyFrame(this.state, frame) !== "gap") return
    this.#hooks.onGap(`viewer ${this.index}: a ${frame.kind} does not fit on ${this.state.epoch}/${this.state.seq}`)
    // SPEC.md R1: it comes back with its place.
    this.wire?.cut()
  }
}
