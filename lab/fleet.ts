/**
 * Gives every router its sockets: an SNMP agent on UDP and a RouterOS API on TCP, each on the router's own loopback
 * address, and sends its traps and syslog lines from there. What the network says of a router decides whether a
 * datagram is answered: a dead or cut-off router is silent, it does not refuse.
 */
import { createSocket } from "node:dgram"
import type { Socket } from "node:dgram"
import { once } from "node:events"
import { dice } from "#lab/isp/random.ts"
import type { Dice } from "#lab/isp/random.ts"
import type { Endpoint } from "#lab/isp/import.ts"
import type { Network, NetworkEvent } from "#lab/isp/network.ts"
import { bindAdvice } from "#lab/bind.ts"
import { ApiServer } from "#lab/routeros/server.ts"
import { SnmpAgent } from "#lab/snmp/agent.ts"
import { notificationsOf } from "#lab/snmp/traps.ts"
import { formatLine, linesOf } from "#lab/syslog/lines.ts"

/** Where traps or syslog lines go. */
export interface Receiver {
  readonly address: string
  readonly port: number
}
export interface Receivers {
  readonly trap: Receiver | null
  readonly syslog: Receiver | null
}

export interface FleetOptions {
  /** First two octets of the routers' addresses, inside 127/8. */
  readonly net: string
  /** The same on every address, or 0: the system picks one for each. */
  readonly snmpPort: number
  readonly apiPort: number
}

export const FLEET_DEFAULTS: FleetOptions = { net: "127.16", snmpPort: 16100, apiPort: 18728 }

/** Sockets bound at the same time while starting. */
const BIND_CONCURRENCY = 64

export interface FleetCounts {
  snmpRequests: number
  snmpAnswers: number
  traps: number
  syslogLines: number
}

export class Fleet {
  readonly endpoints: readonly Endpoint[]
  readonly counts: FleetCounts = { snmpRequests: 0, snmpAnswers: 0, traps: 0, syslogLines: 0 }
  receivers: Receivers = { trap: null, syslog: null }
  private readonly network: Network
  private readonly clock: () => number
  private readonly agents: readonly SnmpAgent[]
  private readonly sockets: readonly Socket[]
  private readonly apis: ReadonlyArray<ApiServer | null>
  private readonly dice: Dice
  private trapId = 1

  /** Binds everything. Rejects with a sentence for the operator when an address is taken or not there. */
  static async start(network: Network, clock: () => number, options: FleetOptions): Promise<Fleet> {
    const plan = await addressPlan(network, options)
    const sockets: Socket[] = []
    const apis: Array<ApiServer | null> = []
    try {
      for (let from = 0; from < network.isp.routers.length; from += BIND_CONCURRENCY) {
        const batch = network.isp.routers.slice(from, from + BIND_CONCURRENCY)
        const bound = await Promise.allSettled(
          batch.map(async ({ index, routeros }) => {
            const { address, snmpPort, apiPort } = plan(index)
            sockets[index] = await bindUdp(address, snmpPort)
            apis[index] = routeros === null ? null : await ApiServer.listen(network, index, clock, address, apiPort)
          }),
        )
        for (const result of bound) if (result.status === "rejected") throw result.reason
      }
    } catch (cause) {
      for (const socket of sockets) socket?.close()
      for (const api of apis) api?.close()
      throw cause
    }
    return new Fleet(network, clock, sockets, apis)
  }

  private constructor(
    network: Network,
    clock: () => number,
    sockets: readonly Socket[],
    apis: ReadonlyArray<ApiServer | null>,
  ) {
    this.network = network
    this.clock = clock
    this.sockets = sockets
    this.apis = apis
    this.dice = dice(network.isp.seed, "management loss")
    this.agents = network.isp.routers.map((router) => new SnmpAgent(network, router.index))
    this.endpoints = sockets.map((socket, index) => {
      const { address, port } = socket.address()
      return { address, snmpPort: port, apiPort: apis[index]?.port ?? null }
    })
    sockets.forEach((socket, router) => {
      socket.on("message", (datagram, from) => this.asked(router, datagram, from))
      // ICMP errors of a manager that went away: nothing to do.
      socket.on("error", () => {})
    })
    network.listen((event) => this.happened(event))
  }

  close(): void {
    for (const socket of this.sockets) socket.close()
    for (const api of this.apis) api?.close()
  }

  private asked(router: number, datagram: Buffer, from: Receiver): void {
    this.counts.snmpRequests++
    this.network.advance(this.clock())
    if (!this.passes(router)) return
    const answer = this.agents[router]!.answer(datagram)
    // Nobody can be answered on port 0, and send() throws at it.
    if (answer === null || from.port === 0) return
    this.counts.snmpAnswers++
    // send() takes the bytes later; the agent's buffer is shared.
    this.sockets[router]!.send(Buffer.from(answer), from.port, from.address, ignore)
  }

  private happened(event: NetworkEvent): void {
    const { trap, syslog } = this.receivers
    if (trap !== null)
      for (const { router, varbinds } of notificationsOf(this.network, event)) {
        if (!this.passes(router)) continue
        this.counts.traps++
        const message = this.agents[router]!.notification(varbinds, this.trapId++ % 2147483647)
        this.sockets[router]!.send(message, trap.port, trap.address, ignore)
      }
    for (const line of linesOf(this.network, event)) {
      this.apis[line.router]?.logged(line)
      if (syslog === null || !this.passes(line.router)) continue
      this.counts.syslogLines++
      const text = formatLine(line, this.network.isp.routers[line.router]!)
      this.sockets[line.router]!.send(text, syslog.port, syslog.address, ignore)
    }
  }

  /** Whether a management packet gets from or to this router. */
  private passes(router: number): boolean {
    if (this.network.answers[router] === 0) return false
    const loss = this.network.answerLoss[router]!
    return loss === 0 || !this.dice.chance(loss)
  }
}

/** UDP promises nothing, and neither does a device: a send that fails is a lost packet. */
const ignore = (): void => {}

type AddressPlan = (router: number) => { readonly address: string; readonly snmpPort: number; readonly apiPort: number }

/**
 * Linux answers on all of 127/8 without setup. Elsewhere every router gets a port of 127.0.0.1 instead; its traps then
 * cannot be told apart by their source address.
 */
const addressPlan = async (network: Network, { net, snmpPort, apiPort }: FleetOptions): Promise<AddressPlan> => {
  const aliases = await canBind(`${net}.0.1`)
  if (aliases) return (router) => ({ address: aliasOf(net, router), snmpPort, apiPort })
  const routers = network.isp.routers.length
  const nth = (port: number, router: number) => (port === 0 ? 0 : port + router)
  if (Math.max(snmpPort, apiPort) + routers > 65535)
    throw new Error(`${routers} routers do not fit above port ${snmpPort} on 127.0.0.1`)
  return (router) => ({ address: "127.0.0.1", snmpPort: nth(snmpPort, router), apiPort: nth(apiPort, router) })
}

/** 127.16.0.1 ... 127.16.0.254, 127.16.1.1 ...: no network or broadcast addresses, some tools refuse them. */
const aliasOf = (net: string, router: number): string => `${net}.${Math.floor(router / 254)}.${(router % 254) + 1}`

const canBind = async (address: string): Promise<boolean> => {
  const socket = createSocket("udp4")
  try {
    socket.bind(0, address)
    await once(socket, "listening")
    return true
  } catch {
    return false
  } finally {
    socket.close()
  }
}

const bindUdp = async (address: string, port: number): Promise<Socket> => {
  const socket = createSocket("udp4")
  socket.bind({ address, port, exclusive: true })
  try {
    await once(socket, "listening")
    return socket
  } catch (cause) {
    socket.close()
    throw new Error(bindAdvice(cause as NodeJS.ErrnoException, address, port), { cause })
  }
}
