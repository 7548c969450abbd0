/**
 * OSPF adjacencies, one per link inside the ISP. Timers are fast ones, as an ISP sets them on point-to-point links:
 * hello 1 s, dead 4 s. Timings of forming were measured on FRR (0.9 s from light to Full, through ExStart and Loading).
 */
import type { Isp } from "#lab/isp/model.ts"
import type { Timers } from "#lab/isp/timers.ts"

/** RFC 4750 ospfNbrState numbers; 0 = there is no such neighbour: a lost one's row disappears, it does not say down. */
export const OSPF_GONE = 0
export const OSPF_FULL = 8
export const OSPF_STATE_NAMES = [
  "",
  "Down",
  "Attempt",
  "Init",
  "2-Way",
  "ExStart",
  "Exchange",
  "Loading",
  "Full",
] as const
export const DEAD_INTERVAL_MS = 4000
/** [after ms, state] from the moment both ends can hear each other. */
const FORMING: ReadonlyArray<readonly [number, number]> = [
  [100, 3],
  [500, 5],
  [700, 7],
  [900, OSPF_FULL],
]

export interface OspfChange {
  readonly kind: "ospf"
  readonly atMs: number
  readonly link: number
  readonly from: number
  readonly to: number
}

export class Ospf {
  readonly state: Uint8Array
  /** Since when the state holds. */
  readonly sinceMs: Float64Array
  /** Changes since the lab began; RFC 4750 ospfNbrEvents. */
  readonly changes: Uint32Array
  /** Grows with every change of any adjacency: agents cache their neighbour rows by it. */
  version = 0
  private readonly hearing: Uint8Array
  private readonly epoch: Uint32Array
  private readonly timers: Timers
  private readonly changed: (change: OspfChange) => void

  /** All adjacencies of usable links start Full, as in a network that has been running. */
  constructor(isp: Isp, startMs: number, timers: Timers, changed: (change: OspfChange) => void) {
    this.timers = timers
    this.changed = changed
    this.state = Uint8Array.from(isp.links, (link) => (link.ospf ? OSPF_FULL : OSPF_GONE))
    this.hearing = Uint8Array.from(isp.links, (link) => (link.ospf ? 1 : 0))
    this.sinceMs = Float64Array.from(isp.links, ({ a, b }) => {
      const uptime = (port: number) => isp.routers[isp.ports[port]!.router]!.uptimeMsAtStart
      return startMs - Math.min(uptime(a), uptime(b))
    })
    this.changes = new Uint32Array(isp.links.length).fill(6)
    this.epoch = new Uint32Array(isp.links.length)
  }

  /**
   * `hearing`: hellos pass both ways. `light`: a living end still has its port up; then the loss is noticed only when
   * the dead interval runs out, otherwise at once.
   */
  update(link: number, hearing: boolean, light: boolean, nowMs: number): void {
    if (hearing && this.hearing[link] === 0) {
      this.hearing[link] = 1
      const epoch = ++this.epoch[link]!
      // A silence shorter than the dead interval ends with a restarted neighbour: the adjacency is formed anew.
      if (this.state[link] !== OSPF_GONE) this.become(link, OSPF_GONE, nowMs)
      for (const [afterMs, state] of FORMING) this.later(link, epoch, nowMs + afterMs, state)
    } else if (!hearing && (this.hearing[link] === 1 || !light)) {
      const epoch = ++this.epoch[link]!
      this.hearing[link] = 0
      if (this.state[link] === OSPF_GONE) return
      if (light) this.later(link, epoch, nowMs + DEAD_INTERVAL_MS, OSPF_GONE)
      else this.become(link, OSPF_GONE, nowMs)
    }
  }

  private later(link: number, epoch: number, atMs: number, state: number): void {
    this.timers.add(atMs, () => {
      if (this.epoch[link] === epoch) this.become(link, state, atMs)
    })
  }

  private become(link: number, to: number, atMs: number): void {
    const from = this.state[link]!
    this.state[link] = to
    this.sinceMs[link] = atMs
    this.changes[link]!++
    this.version++
    this.changed({ kind: "ospf", atMs, link, from, to })
  }
}
