/**
 * The living ISP: the truth that the lab's agents tell. Faults change it, time moves it on, and everything follows:
 * light on ports, OSPF, BGP, routes, traffic, subscribers. It has no clock and no I/O; `advance` gives it the time, and
 * a listener hears what changed.
 *
 * What the NOC can ask is in-band: a router without a live path to the NOC does not answer, whatever its health.
 */
import { dayFactors } from "#lab/isp/day.ts"
import { Bgp } from "#lab/isp/bgp.ts"
import type { BgpChange } from "#lab/isp/bgp.ts"
import { Flows, OCTETS_PER_PACKET } from "#lab/isp/flows.ts"
import { Households } from "#lab/isp/households.ts"
import type { Isp } from "#lab/isp/model.ts"
import { OSPF_FULL, Ospf } from "#lab/isp/ospf.ts"
import type { OspfChange } from "#lab/isp/ospf.ts"
import { components, graphOf } from "#lab/isp/spf.ts"
import type { Graph } from "#lab/isp/spf.ts"
import { Timers } from "#lab/isp/timers.ts"

/** From a change in the topology to new routes: SPF delay and FIB programming. Until then packets follow the old ones. */
export const REROUTE_MS = 200
/** Power to forwarding, and from there to an answering SNMP agent. Real boards take a minute; a demo should not. */
export const BOOT_MS = 5000
export const AGENT_START_MS = 2000
const TICK_MS = 1000
/** Counters start below this, so that a double counts every octet of the weeks to come. */
const OCTETS_AT_START_MAX = 2 ** 50
/** After a longer pause (a suspended laptop) the missed ticks are skipped: the rates of before the pause held. */
const TICKS_CAUGHT_UP_MAX = 60

export interface PortChange {
  readonly kind: "port"
  readonly atMs: number
  readonly port: number
  readonly up: boolean
}
/** The agent of a router that was off answers again. */
export interface Boot {
  readonly kind: "boot"
  readonly atMs: number
  readonly router: number
}
export type NetworkEvent = PortChange | OspfChange | BgpChange | Boot

export class Network {
  readonly isp: Isp
  /** Routers that speak no LLDP, MNDP or CDP and tell no addresses (switching.ts). */
  readonly quiet: ReadonlySet<number>
  readonly ospf: Ospf
  readonly bgp: Bgp
  readonly households: Households
  /** Powered and booted. */
  readonly alive: Uint8Array
  /** Alive, its agents started, and the NOC has a path to it. */
  readonly answers: Uint8Array
  /** Probability (0..1) that a management packet from this router is lost. */
  readonly answerLoss: Float64Array
  /** ifOperStatus up. */
  readonly portUp: Uint8Array
  readonly portChangedMs: Float64Array
  /** Times the port went down. */
  readonly portDowns: Uint32Array
  readonly bootedMs: Float64Array
  /** snmpEngineBoots. */
  readonly boots: Uint32Array
  readonly linkCut: Uint8Array
  /** A flapping port's transmitter is off right now. */
  readonly linkDark: Uint8Array
  readonly loopBps: Float64Array
  private readonly agentUp: Uint8Array
  private readonly graph: Graph
  private readonly flows: Flows
  private readonly timers = new Timers()
  private readonly forwards: Uint8Array
  private readonly inBase: Float64Array
  private readonly outBase: Float64Array
  private readonly dropBase: Float64Array
  private readonly powerEpoch: Uint32Array
  private readonly householdBps: Float64Array
  private readonly listeners: Array<(event: NetworkEvent) => void> = []
  private component: Int32Array
  private now: number
  private tickMs: number
  private topologyChanged = false
  private ratesChanged = false
  private rerouteAtMs = -Infinity
  private heard: NetworkEvent[] = []
  private telling = false

  constructor(isp: Isp, startMs: number, quiet: ReadonlySet<number> = new Set()) {
    this.quiet = quiet
    const routers = isp.routers.length
    this.isp = isp
    this.now = startMs
    this.tickMs = startMs + TICK_MS
    this.ospf = new Ospf(isp, startMs, this.timers, (change) => this.adjacencyChanged(change))
    this.bgp = new Bgp(isp, startMs, this.timers, (change) => this.heard.push(change))
    this.households = new Households(isp)
    this.graph = graphOf(
      routers,
      isp.links.map((link) => ({ a: isp.ports[link.a]!.router, b: isp.ports[link.b]!.router, cost: link.cost })),
    )
    this.flows = new Flows(isp, this.graph, startMs)
    this.alive = new Uint8Array(routers).fill(1)
    this.agentUp = new Uint8Array(routers).fill(1)
    this.answers = new Uint8Array(routers).fill(1)
    this.answerLoss = new Float64Array(routers)
    this.bootedMs = Float64Array.from(isp.routers, (router) => startMs - router.uptimeMsAtStart)
    this.boots = new Uint32Array(routers).fill(1)
    this.powerEpoch = new Uint32Array(routers)
    this.portUp = Uint8Array.from(isp.ports, (port) => (port.kind === "spare" ? 0 : 1))
    this.portChangedMs = Float64Array.from(isp.ports, (port) => this.bootedMs[port.router]! + 30_000)
    this.portDowns = new Uint32Array(isp.ports.length)
    this.linkCut = new Uint8Array(isp.links.length)
    this.linkDark = new Uint8Array(isp.links.length)
    this.loopBps = new Float64Array(isp.links.length)
    this.forwards = new Uint8Array(isp.links.length).fill(1)
    this.householdBps = new Float64Array(routers)
    this.component = components(this.graph, this.alive, this.forwards)
    this.flows.route(this.alive, this.forwards)
    this.settleRates()
    const before = (direction: (port: number) => number) =>
      Float64Array.from(isp.ports, (port) => -this.octetsBeforeStart(direction(port.index), port.router))
    this.inBase = before((port) => this.into(port))
    this.outBase = before((port) => this.outOf(port))
    this.dropBase = new Float64Array(isp.ports.length)
  }

  get nowMs(): number {
    return this.now
  }

  /** When something will happen by itself, at the latest the next tick. */
  nextMs(): number {
    return Math.min(this.tickMs, this.timers.nextMs())
  }

  listen(listener: (event: NetworkEvent) => void): void {
    this.listeners.push(listener)
  }

  /**
   * Moves on to a moment; a moment in the past changes nothing, and nor does a call from within a listener: everybody
   * hears of one moment before the next one comes.
   */
  advance(toMs: number): void {
    if (this.telling) return
    if (toMs - this.tickMs > TICKS_CAUGHT_UP_MAX * TICK_MS) this.tickMs = toMs - TICKS_CAUGHT_UP_MAX * TICK_MS
    while (this.nextMs() <= toMs) {
      this.now = Math.max(this.now, this.nextMs())
      while (this.timers.nextMs() <= this.now) this.timers.pop()()
      if (this.tickMs <= this.now) this.tick()
      this.settle()
    }
    this.now = Math.max(this.now, toMs)
  }

  /** Runs `due` at a moment of the network's time (faults use it). */
  schedule(atMs: number, due: () => void): void {
    this.timers.add(atMs, due)
  }

  // ---- faults: each of these happens now, and its first consequences are heard before it returns

  setCut(link: number, cut: boolean): void {
    this.linkCut[link] = cut ? 1 : 0
    this.relight(link)
    this.settle()
  }

  setDark(link: number, dark: boolean): void {
    this.linkDark[link] = dark ? 1 : 0
    this.relight(link)
    this.settle()
  }

  /** Power off. Nothing is sent by the router itself. */
  kill(router: number): void {
    this.powerEpoch[router]!++
    if (this.alive[router] === 1) {
      this.alive[router] = 0
      this.agentUp[router] = 0
      this.topologyChanged = true
      for (const port of this.isp.routers[router]!.ports) this.portUp[port] = 0
      for (const link of this.linksOf(router)) this.relight(link)
      this.households.forget(router)
    }
    this.settle()
  }

  /** Power on: it forwards after BOOT_MS and its agents answer AGENT_START_MS later. */
  revive(router: number): void {
    if (this.alive[router] === 1) return
    const epoch = ++this.powerEpoch[router]!
    const atMs = this.now + BOOT_MS
    this.timers.add(atMs, () => {
      if (this.powerEpoch[router] === epoch) this.booted(router, atMs)
    })
  }

  setLoop(link: number, bps: number): void {
    this.loopBps[link] = bps
    this.ratesChanged = true
    this.settle()
  }

  dropSessions(bng: number, share: number): void {
    this.households.drop(bng, share)
    this.ratesChanged = true
    this.settle()
  }

  // ---- what a router can say about itself

  inOctets(port: number): number {
    return Math.floor(this.flows.octetsAt(this.into(port), this.now) - this.inBase[port]!)
  }

  outOctets(port: number): number {
    return Math.floor(this.flows.octetsAt(this.outOf(port), this.now) - this.outBase[port]!)
  }

  /** Packets that a full (or dark) port could not send. */
  outDiscards(port: number): number {
    const dropped = this.flows.droppedOctetsAt(this.outOf(port), this.now) - this.dropBase[port]!
    return Math.floor(dropped / OCTETS_PER_PACKET)
  }

  inBps(port: number): number {
    return this.flows.rateAt(this.into(port))
  }

  outBps(port: number): number {
    return this.flows.rateAt(this.outOf(port))
  }

  /** Percent: what forwarding costs, and some restlessness. */
  cpuPercent(router: number): number {
    let [load, room] = [0, 1]
    for (const port of this.isp.routers[router]!.ports) {
      if (this.isp.ports[port]!.wire < 0) continue
      load += this.outBps(port)
      room += this.isp.ports[port]!.speedBps
    }
    const restless = (this.households.mood[router]! - 1) * 40
    return Math.round(Math.min(100, Math.max(1, 6 + (60 * load) / room + restless)))
  }

  memoryUsed(router: number): number {
    const { memoryBytes } = this.isp.routers[router]!
    const sessions = this.households.sessionsOn(router) ?? 0
    const restless = 1 + 0.05 * (this.households.mood[router]! - 1)
    return Math.round((0.28 * memoryBytes + sessions * 40_000) * restless)
  }

  /** Degrees Celsius. */
  temperature(router: number): number {
    return 36 + 0.2 * this.cpuPercent(router) + (router % 7)
  }

  /** Whether one router can send packets to another. */
  sees(from: number, to: number): boolean {
    return this.component[from] !== -1 && this.component[from] === this.component[to]
  }

  /** Adjacent links of a router. */
  linksOf(router: number): readonly number[] {
    return this.isp.routers[router]!.ports.filter((port) => this.isp.ports[port]!.kind === "link").map(
      (port) => this.isp.ports[port]!.wire,
    )
  }

  /** Links over which discovery (LLDP, MNDP, CDP) brings a router its neighbours' words. */
  heardLinks(router: number): readonly number[] {
    if (this.quiet.has(router)) return []
    const { links, ports } = this.isp
    return this.linksOf(router).filter((link) => {
      const { a, b } = links[link]!
      const [near, far] = ports[a]!.router === router ? [a, b] : [b, a]
      const them = ports[far]!.router
      return this.portUp[near] === 1 && this.alive[them] === 1 && !this.quiet.has(them)
    })
  }

  /** Powered, and the routing has a way from it to an upstream. */
  reachesInternet(router: number): boolean {
    return this.alive[router] === 1 && this.flows.reachesInternet(router)
  }

  /** The octet direction of a port, or -1 for a port without a wire: that reads as 0 everywhere. */
  private outOf(port: number): number {
    const { wire, end } = this.isp.ports[port]!
    return wire < 0 ? -1 : 2 * wire + end
  }

  private into(port: number): number {
    const { wire, end } = this.isp.ports[port]!
    return wire < 0 ? -1 : 2 * wire + 1 - end
  }

  // ---- how it moves

  private tick(): void {
    this.tickMs += TICK_MS
    this.households.tick((router) => this.isServed(router))
    this.ratesChanged = true
  }

  private isServed(router: number): boolean {
    const bng = this.isp.routers[router]!.bng!
    if (this.alive[router] === 0 || this.alive[bng] === 0) return false
    return this.sees(router, bng) && this.flows.reachesInternet(bng)
  }

  private booted(router: number, atMs: number): void {
    this.alive[router] = 1
    this.bootedMs[router] = atMs
    this.boots[router]!++
    this.topologyChanged = true
    this.bgp.restart(router, atMs)
    for (const port of this.isp.routers[router]!.ports) this.resetCounters(port, atMs)
    for (const link of this.linksOf(router)) this.relight(link)
    const epoch = this.powerEpoch[router]!
    this.timers.add(atMs + AGENT_START_MS, () => {
      if (this.powerEpoch[router] !== epoch) return
      this.agentUp[router] = 1
      this.topologyChanged = true
      this.heard.push({ kind: "boot", atMs: atMs + AGENT_START_MS, router })
    })
  }

  private resetCounters(port: number, atMs: number): void {
    this.inBase[port] = this.flows.octetsAt(this.into(port), atMs)
    this.outBase[port] = this.flows.octetsAt(this.outOf(port), atMs)
    this.dropBase[port] = this.flows.droppedOctetsAt(this.outOf(port), atMs)
    this.portDowns[port] = 0
    this.portChangedMs[port] = atMs
    if (this.isp.ports[port]!.kind !== "link" && this.isp.ports[port]!.kind !== "spare") this.portUp[port] = 1
  }

  /** Works out both ports of a link, and what OSPF makes of it. */
  private relight(link: number): void {
    const { a, b, transport, ospf } = this.isp.links[link]!
    const [aAlive, bAlive] = [a, b].map((port) => this.alive[this.isp.ports[port]!.router] === 1)
    const fibre = this.linkCut[link] === 0 && this.linkDark[link] === 0
    this.setPort(a, fibre && aAlive! && (bAlive! || transport))
    this.setPort(b, fibre && bAlive! && (aAlive! || transport))
    const hearing = fibre && aAlive! && bAlive!
    if (ospf) this.ospf.update(link, hearing, fibre && transport, this.now)
    this.topologyChanged = true
  }

  private setPort(port: number, up: boolean): void {
    if ((this.portUp[port] === 1) === up) return
    this.portUp[port] = up ? 1 : 0
    this.portChangedMs[port] = this.now
    if (!up) this.portDowns[port]!++
    if (this.alive[this.isp.ports[port]!.router] === 1) this.heard.push({ kind: "port", atMs: this.now, port, up })
  }

  private adjacencyChanged(change: OspfChange): void {
    this.heard.push(change)
    if (change.from === OSPF_FULL || change.to === OSPF_FULL) this.topologyChanged = true
  }

  /** Lets everything that follows from the changes of this moment happen, then tells the listeners. */
  private settle(): void {
    if (this.topologyChanged) this.settleTopology()
    if (this.ratesChanged) this.settleRates()
    if (this.heard.length === 0) return
    const events = this.heard
    this.heard = []
    this.telling = true
    try {
      for (const event of events) for (const listener of this.listeners) listener(event)
    } finally {
      this.telling = false
    }
  }

  private settleTopology(): void {
    this.topologyChanged = false
    const { links, noc } = this.isp
    for (let l = 0; l < links.length; l++) this.forwards[l] = this.doesForward(l) ? 1 : 0
    this.component = components(this.graph, this.alive, this.forwards)
    const seen = new Set(noc.map((router) => this.component[router]!))
    seen.delete(-1)
    for (let r = 0; r < this.answers.length; r++)
      this.answers[r] = this.agentUp[r] === 1 && seen.has(this.component[r]!) ? 1 : 0
    this.bgp.update(this.now, (session) => {
      const { a, b, link } = this.isp.sessions[session]!
      if (this.alive[a] === 0 || this.alive[b] === 0) return false
      if (link < 0) return this.sees(a, b)
      return this.portUp[links[link]!.a] === 1 && this.portUp[links[link]!.b] === 1
    })
    this.ratesChanged = true
    if (this.rerouteAtMs > this.now) return
    this.rerouteAtMs = this.now + REROUTE_MS
    this.timers.add(this.rerouteAtMs, () => {
      this.flows.route(this.alive, this.forwards)
      this.ratesChanged = true
    })
  }

  private doesForward(link: number): boolean {
    const { a, b, ospf } = this.isp.links[link]!
    if (this.portUp[a] === 0 || this.portUp[b] === 0) return false
    if (this.alive[this.isp.ports[a]!.router] === 0 || this.alive[this.isp.ports[b]!.router] === 0) return false
    return !ospf || this.ospf.state[link] === OSPF_FULL
  }

  private settleRates(): void {
    this.ratesChanged = false
    const day = dayFactors(this.now, UTC_OFFSET_HOURS)
    const { active, mood } = this.households
    const each = this.isp.peakBpsPerSubscriber * day.household
    for (let r = 0; r < this.householdBps.length; r++) {
      this.householdBps[r] = this.alive[r] === 1 ? active[r]! * mood[r]! * each : 0
    }
    this.flows.settle(this.now, this.householdBps, day.business, this.forwards, this.loopBps)
  }

  /** What the counter had counted when the lab was switched on: the mean rate over the router's uptime. */
  private octetsBeforeStart(direction: number, router: number): number {
    const counted = (this.flows.rateAt(direction) / 8000) * this.isp.routers[router]!.uptimeMsAtStart
    return Math.floor(Math.min(counted, OCTETS_AT_START_MAX))
  }
}

/** Brasilia time, which most of the country lives by. Other countries' demos get the same clock. */
const UTC_OFFSET_HOURS = -3
