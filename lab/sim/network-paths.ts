/**
 * The management network between the ISP's routers and the engine: datagrams are lost, doubled, overtaken and late, and
 * polls time out. What a router says is lab/isp's truth at the moment when it is asked; what arrives, and when, is by lot.
 */
import * as Effect from "effect/Effect"
import type { Collector, Poller } from "#engine/collectors/collector.ts"
import { PollFailed } from "#engine/collectors/collector.ts"
import { makeLanes } from "#engine/collectors/lanes.ts"
import { eventOf } from "#engine/collectors/syslog/event.ts"
import { parseSyslog } from "#engine/collectors/syslog/header.ts"
import type { Network, NetworkEvent } from "#lab/isp/network.ts"
import { OSPF_FULL, OSPF_GONE } from "#lab/isp/ospf.ts"
import { dice } from "#lab/isp/random.ts"
import type { Dice } from "#lab/isp/random.ts"
import { bgpWord, ospfWord, readRouter, sourcesOf } from "#lab/sim/devices.ts"
import type { Names, PolledSource } from "#lab/sim/devices.ts"
import type { Life, Loop } from "#lab/sim/loop.ts"
import { farPort, peerView } from "#lab/snmp/tables/routing.ts"
import { formatLine, linesOf } from "#lab/syslog/lines.ts"
import type { DeviceId } from "#protocol/id.ts"
import type { DeviceInput, PollInput, SyslogInput, TrapInput } from "#twin/input.ts"

export interface PathMood {
  /** Probability that a datagram is lost; a poll asks three times. */
  readonly loss: number
  readonly doubled: number
  /** Longest time on the way, ms. */
  readonly delayMsMax: number
}
export const CLEAN: PathMood = { loss: 0, doubled: 0, delayMsMax: 15 }

/** A line that makes a step of the twin throw (run.ts): what a defect in it would do to one actor. */
export const POISON = "poison"

/** Where the engine takes what the devices say; null while it is down: then datagrams reach nobody. */
export interface Ear {
  readonly life: Life
  readonly wallMs: () => number
  readonly event: (input: TrapInput | SyslogInput) => void
}

const TRIES = 3
const TRY_MS = 1_200
/** Inputs of the tenant that wait for its full inbox, as in the listeners. */
const WAITING_MAX = 10_000
const RETRY_MS = 50
/** The process does something else for so long at most before it reads its sockets. */
const BUSY_MS_MAX = 250

export class Paths {
  mood: PathMood = CLEAN
  ear: Ear | null = null
  /** Datagrams delivered; numbers each, so that the auditor can tell two of the same words apart. */
  delivered = 0
  lost = 0
  /** Polls, answered or given up. */
  readings = 0
  readonly #loop: Loop
  readonly #network: Network
  readonly #names: Names
  /** The operator has declared this router: the engine listens to it. */
  readonly #isKnown: (router: number) => boolean
  readonly #dice: Dice

  constructor(loop: Loop, network: Network, names: Names, isKnown: (router: number) => boolean, seed: number) {
    this.#loop = loop
    this.#network = network
    this.#names = names
    this.#isKnown = isKnown
    this.#dice = dice(seed, `management network of ${names.prefix}`)
    network.listen((event) => this.#happened(event))
  }

  /** The collector of one protocol, as the engine's fleet drives it. */
  collector(source: PolledSource, life: Life, wallMs: () => number): Collector {
    return {
      source,
      open: (target) => {
        const router = this.#names.router(target.device)
        if (!sourcesOf(this.#network.isp.routers[router]!).includes(source)) return null
        const poller: Poller = { poll: () => this.#poll(target.device, source, life, wallMs) }
        return Effect.succeed(poller)
      },
    }
  }

  #poll(
    device: DeviceId,
    source: PolledSource,
    life: Life,
    wallMs: () => number,
  ): Effect.Effect<PollInput, PollFailed> {
    return Effect.callback((resume) => {
      const startedMs = wallMs()
      let cancel = (): void => undefined
      const wait = (ms: number, then: () => void): void => {
        cancel = this.#loop.after(ms, life, then)
      }
      const attempt = (left: number): void => {
        if (left === 0)
          return resume(
            Effect.fail(new PollFailed({ reason: "timeout", detail: `no answer, reading ${++this.readings}` })),
          )
        wait(this.#delayMs(), () => {
          const router = this.#names.router(device)
          this.#network.advance(this.#loop.nowMs)
          if (this.#network.answers[router] === 0 || this.#isLost(router)) return wait(TRY_MS, () => attempt(left - 1))
          const answer = readRouter(this.#network, router, source, ++this.readings)
          wait(this.#delayMs(), () =>
            resume(Effect.succeed({ kind: "poll", device, source, startedMs, atMs: wallMs(), ...answer })),
          )
        })
      }
      attempt(TRIES)
      return Effect.sync(() => cancel())
    })
  }

  /** A router says something that a defect of the twin does not stand. */
  poison(router: number): void {
    this.#send(router, lineOf(`<30>${POISON}`))
  }

  #happened(event: NetworkEvent): void {
    for (const { router, make } of [...this.#traps(event), ...this.#lines(event)]) {
      if (this.#network.answers[router] === 0 || !this.#isKnown(router)) continue
      this.#send(router, make)
      if (this.#dice.chance(this.mood.doubled)) this.#send(router, make)
    }
  }

  #send(router: number, make: Make): void {
    if (this.#isLost(router)) {
      this.lost++
      return
    }
    const { ear } = this
    if (ear === null) return
    this.#loop.after(this.#delayMs(), ear.life, () => {
      const input = make(this.#names.device(router), ear.wallMs(), ++this.delivered)
      if (input !== null) ear.event(input)
    })
  }

  #isLost(router: number): boolean {
    return this.#dice.chance(Math.max(this.mood.loss, this.#network.answerLoss[router]!))
  }

  #delayMs(): number {
    return this.#dice.int(1, this.mood.delayMsMax)
  }

  /** RFC 2863 linkDown and linkUp, RFC 3418 coldStart, and the routing notifications of FRR. */
  #traps(event: NetworkEvent): readonly Outgoing[] {
    const { isp, alive } = this.#network
    const isFrr = (router: number): boolean => alive[router] === 1 && isp.routers[router]!.persona === "frr"
    switch (event.kind) {
      case "port": {
        const { router, ifIndex, name, adminUp } = isp.ports[event.port]!
        const named = isp.routers[router]!.persona === "routeros7"
        const what = { ifIndex, ifName: named ? name : null, adminUp }
        return [{ router, make: trapOf(event.up ? "linkUp" : "linkDown", what) }]
      }
      case "boot":
        return [{ router: event.router, make: trapOf("coldStart", {}) }]
      case "ospf": {
        if (event.to !== OSPF_GONE && event.to !== OSPF_FULL) return []
        const link = isp.links[event.link]!
        const ends = [link.a, link.b].map((port) => isp.ports[port]!.router).filter(isFrr)
        return ends.map((router) => {
          const remote = isp.routers[farPort(isp, link, router).router]!.loopback
          return { router, make: trapOf("ospfNbrStateChange", { remote, state: ospfWord(event.to) }) }
        })
      }
      case "bgp": {
        const session = isp.sessions[event.session]!
        return [session.a, session.b].filter(isFrr).map((router) => {
          const remote = peerView(isp, session, router).remoteAddress
          const state = bgpWord(event.established ? 6 : 3)
          return {
            router,
            make: trapOf(event.established ? "bgpEstablished" : "bgpBackwardTransition", { remote, state }),
          }
        })
      }
    }
  }

  /** Through the engine's own parser of syslog lines. */
  #lines(event: NetworkEvent): readonly Outgoing[] {
    return linesOf(this.#network, event).map((line) => {
      const text = formatLine(line, this.#network.isp.routers[line.router]!)
      return { router: line.router, make: lineOf(text) }
    })
  }
}

type Make = (device: DeviceId, atMs: number, number: number) => TrapInput | SyslogInput | null
interface Outgoing {
  readonly router: number
  readonly make: Make
}

const trapOf =
  (trap: TrapInput["trap"], what: Partial<TrapInput>): Make =>
  (device, atMs, number) => ({
    kind: "trap",
    device,
    atMs,
    trap,
    oid: trap,
    ifIndex: null,
    ifName: null,
    adminUp: null,
    remote: null,
    state: null,
    ...what,
    raw: `${trap} datagram ${number}`,
  })

const lineOf =
  (text: string): Make =>
  (device, atMs, number) => {
    const line = parseSyslog(Buffer.from(text))
    if (line === null) return null
    const { severity, topics, message } = line
    return {
      kind: "syslog",
      device,
      atMs,
      severity,
      topics: [...topics],
      message,
      event: eventOf(line),
      count: 1,
      raw: `${text} datagram ${number}`,
    }
  }

export interface Listening {
  readonly loop: Loop
  readonly life: Life
  readonly wallMs: () => number
  readonly submit: (input: DeviceInput) => boolean
  readonly pollNow: (device: DeviceId) => void
  readonly dice: Dice
}

/**
 * The listeners' side: what came while the process was busy is read at once, what a full inbox refuses is offered again, in
 * order, and what a device says by itself is confirmed by a poll.
 */
export const hearing = (listening: Listening): Ear & { readonly waiting: () => number } => {
  const { loop, life, wallMs, submit, pollNow } = listening
  const lanes = makeLanes<TrapInput | SyslogInput>({ submit }, WAITING_MAX)
  let arrived: Array<TrapInput | SyslogInput> = []
  const retry = (): void => {
    lanes.retry(() => undefined)
    if (lanes.waiting().length > 0) loop.after(RETRY_MS, life, retry)
  }
  const read = (): void => {
    const inputs = arrived
    arrived = []
    const waited = lanes.waiting().length > 0
    for (const input of inputs) {
      lanes.submit(input)
      if (input.kind === "trap" || input.event !== null) pollNow(input.device)
    }
    if (!waited && lanes.waiting().length > 0) loop.after(RETRY_MS, life, retry)
  }
  return {
    life,
    wallMs,
    waiting: () => lanes.waiting().length,
    event: (input) => {
      if (arrived.push(input) === 1) loop.after(listening.dice.int(0, BUSY_MS_MAX), life, read)
    },
  }
}
