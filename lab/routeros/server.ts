/**
 * A router's API port. While the router is dead or cut off, connections stay open and nothing comes back, as on a real
 * network; a router that booted again knows none of its old connections and resets them.
 */
import { once } from "node:events"
import { createServer } from "node:net"
import type { AddressInfo, Server, Socket } from "node:net"
import { bindAdvice } from "#lab/bind.ts"
import type { Network, NetworkEvent } from "#lab/isp/network.ts"
import { ApiProtocolError, SentenceDecoder, encodeSentence } from "#lab/routeros/codec.ts"
import { ApiSession } from "#lab/routeros/session.ts"
import type { LogLine } from "#lab/syslog/lines.ts"

/** RouterOS' own limit on API sessions is 20. */
const SESSIONS_MAX = 20
/** Log lines a router keeps in memory, newest kept (RouterOS: memory-lines=1000; ours are few). */
const LOG_LINES_MAX = 100
/** A client that does not read while it asks is cut off when this much waits for it, octets. */
const UNSENT_MAX = 16 * 2 ** 20
/** Bytes held back while the router cannot be reached; TCP's window would stop the client about here. */
const HELD_MAX = 64 * 1024
/** How often a held connection looks whether the router can be reached again. */
const HELD_CHECK_MS = 250

export class ApiServer {
  readonly port: number
  private readonly network: Network
  private readonly router: number
  private readonly clock: () => number
  private readonly server: Server
  private readonly connections = new Set<Connection>()
  private readonly log: LogLine[] = []

  static async listen(
    network: Network,
    router: number,
    clock: () => number,
    address: string,
    port: number,
  ): Promise<ApiServer> {
    const server = createServer({ noDelay: true })
    server.listen({ host: address, port, exclusive: true })
    try {
      await once(server, "listening")
    } catch (cause) {
      throw new Error(bindAdvice(cause as NodeJS.ErrnoException, address, port), { cause })
    }
    return new ApiServer(network, router, clock, server)
  }

  private constructor(network: Network, router: number, clock: () => number, server: Server) {
    this.network = network
    this.router = router
    this.clock = clock
    this.server = server
    this.port = (server.address() as AddressInfo).port
    server.on("connection", (socket) => this.connected(socket))
    network.listen((event) => this.heard(event))
  }

  close(): void {
    this.server.close()
    for (const connection of this.connections) connection.drop()
  }

  /** A line of this router's log. */
  logged(line: LogLine): void {
    this.log.push(line)
    if (this.log.length > LOG_LINES_MAX) this.log.shift()
    for (const connection of this.connections) connection.session.logged(line)
  }

  private connected(socket: Socket): void {
    if (this.connections.size >= SESSIONS_MAX) return void socket.destroy()
    const asked = { network: this.network, router: this.router, log: this.log }
    const connection = new Connection(socket, asked, () => {
      this.network.advance(this.clock())
      return this.network.answers[this.router] === 1
    })
    this.connections.add(connection)
    socket.on("close", () => this.connections.delete(connection))
  }

  private heard(event: NetworkEvent): void {
    if (this.connections.size === 0) return
    if (event.kind === "boot" && event.router === this.router)
      for (const connection of this.connections) connection.drop()
    else for (const connection of this.connections) connection.session.heard(event)
  }
}

class Connection {
  readonly session: ApiSession
  private readonly socket: Socket
  private readonly reachable: () => boolean
  private readonly decoder = new SentenceDecoder()
  private held: Buffer[] = []
  private heldOctets = 0
  private check: NodeJS.Timeout | null = null

  constructor(socket: Socket, asked: ConstructorParameters<typeof ApiSession>[0], reachable: () => boolean) {
    this.socket = socket
    this.reachable = reachable
    this.session = new ApiSession(
      asked,
      (words) => this.send(words),
      () => socket.end(),
    )
    socket.on("data", (chunk) => this.received(chunk as Buffer))
    // A reset by the client is the client's business.
    socket.on("error", () => {})
    socket.on("close", () => {
      if (this.check !== null) clearTimeout(this.check)
      this.session.end()
    })
  }

  /** As a router does that does not know this connection. */
  drop(): void {
    this.socket.resetAndDestroy()
  }

  private send(words: readonly string[]): void {
    // A stream of a router that the NOC cannot reach loses nothing: TCP repeats it. We just do not add to it.
    if (!this.reachable()) return
    if (this.socket.writableLength > UNSENT_MAX) return void this.socket.destroy()
    this.socket.write(encodeSentence(words))
  }

  private received(chunk: Buffer): void {
    this.held.push(chunk)
    this.heldOctets += chunk.length
    if (this.heldOctets > HELD_MAX) this.socket.pause()
    if (this.check === null) this.work()
  }

  /** Works off what came in, now or when the router can be reached again. */
  private work(): void {
    this.check = null
    if (this.socket.destroyed) return
    if (!this.reachable()) {
      this.check = setTimeout(() => this.work(), HELD_CHECK_MS)
      return
    }
    const chunks = this.held
    this.held = []
    this.heldOctets = 0
    this.socket.resume()
    try {
      this.socket.cork()
      for (const chunk of chunks) for (const sentence of this.decoder.push(chunk)) this.session.take(sentence)
    } catch (cause) {
      if (!(cause instanceof ApiProtocolError)) throw cause
      this.socket.destroy()
    } finally {
      this.socket.uncork()
    }
  }
}
