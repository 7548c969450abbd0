/**
 * BGP sessions. Inside the ISP they run between loopbacks and survive a reroute; a peer that cannot be reached is noticed
 * when the hold time (9 s, keepalive 3 s) runs out. Across a link to an upstream they fall with the port (RFC 4271 s8
 * leaves it open; every vendor's "fast external fall-over" does it).
 */
import type { Isp } from "#lab/isp/model.ts"
import type { Timers } from "#lab/isp/timers.ts"

/** RFC 4273 bgpPeerState numbers. */
export const BGP_ACTIVE = 3
export const BGP_ESTABLISHED = 6
export const HOLD_MS = 9000
export const KEEPALIVE_MS = 3000

export interface BgpChange {
  readonly kind: "bgp"
  readonly atMs: number
  readonly session: number
  readonly established: boolean
}

export class Bgp {
  readonly state: Uint8Array
  readonly sinceMs: Float64Array
  /** Times established since the lab began, plus one; RFC 4273 bgpPeerFsmEstablishedTransitions. */
  readonly transitions: Uint32Array
  private readonly wanted: Uint8Array
  private readonly epoch: Uint32Array
  private readonly isp: Isp
  private readonly timers: Timers
  private readonly changed: (change: BgpChange) => void

  constructor(isp: Isp, startMs: number, timers: Timers, changed: (change: BgpChange) => void) {
    this.isp = isp
    this.timers = timers
    this.changed = changed
    this.state = new Uint8Array(isp.sessions.length).fill(BGP_ESTABLISHED)
    this.wanted = new Uint8Array(isp.sessions.length).fill(1)
    this.epoch = new Uint32Array(isp.sessions.length)
    this.transitions = new Uint32Array(isp.sessions.length).fill(1)
    this.sinceMs = Float64Array.from(isp.sessions, ({ a, b }) => {
      return startMs - Math.min(isp.routers[a]!.uptimeMsAtStart, isp.routers[b]!.uptimeMsAtStart)
    })
  }

  /** After reachability changed. `possible(s)`: the two ends can exchange packets now. */
  update(nowMs: number, possible: (session: number) => boolean): void {
    for (let s = 0; s < this.state.length; s++) {
      const want = possible(s) ? 1 : 0
      if (want === this.wanted[s]) continue
      this.wanted[s] = want
      const epoch = ++this.epoch[s]!
      if (want === 1 && this.state[s] === BGP_ESTABLISHED) continue
      if (want === 1) this.later(s, epoch, nowMs + connectMs(s), BGP_ESTABLISHED)
      else if (this.isp.sessions[s]!.link >= 0) this.become(s, BGP_ACTIVE, nowMs)
      else this.later(s, epoch, nowMs + HOLD_MS, BGP_ACTIVE)
    }
  }

  /** A router that restarted has lost its side of every session; the peer learns it from the new OPEN. */
  restart(router: number, nowMs: number): void {
    for (const { index, a, b } of this.isp.sessions) {
      if (a !== router && b !== router) continue
      if (this.state[index] === BGP_ESTABLISHED) this.become(index, BGP_ACTIVE, nowMs)
      // The next update sees it as newly possible.
      this.wanted[index] = 0
      this.epoch[index]!++
    }
  }

  private later(session: number, epoch: number, atMs: number, state: number): void {
    this.timers.add(atMs, () => {
      if (this.epoch[session] === epoch && this.state[session] !== state) this.become(session, state, atMs)
    })
  }

  private become(session: number, state: number, atMs: number): void {
    this.state[session] = state
    this.sinceMs[session] = atMs
    if (state === BGP_ESTABLISHED) this.transitions[session]!++
    this.changed({ kind: "bgp", atMs, session, established: state === BGP_ESTABLISHED })
  }
}

/** Connect retries are spread over 2 to 6 s, the same for a session every time. */
const connectMs = (session: number): number => 2000 + ((session * 2654435761) % 4096)
