/**
 * Syslog over connections: TCP (RFC 6587) and TLS (RFC 5425, TLS 1.2 or newer with the engine's own certificate). Devices
 * are known by their address here too, before the handshake; no certificate is asked of them, because RouterOS presents
 * none. What a connection may hold, how long it may be silent and how many there may be is bounded.
 */
import * as net from "node:net"
import * as tls from "node:tls"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { makeFramer } from "#engine/collectors/syslog/frames.ts"
import type { Intake, SyslogOptions } from "#engine/collectors/syslog/listener.ts"
import type { CertificateKeeper } from "#engine/tls/keeper.ts"

/** The port could not be opened. `detail` says what to do. */
export class SyslogListenFailed extends Data.TaggedError("SyslogListenFailed")<{
  readonly host: string
  readonly port: number
  readonly detail: string
}> {}

export interface TcpSettings {
  /** Of TCP and of TLS each. */
  readonly maxConnections: number
  /** Silence after which a connection is closed. */
  readonly idleMs: number
  /** Silence after which a line without an end is taken as it is (RouterOS ends none). */
  readonly flushMs: number
}
export const TCP_DEFAULTS: TcpSettings = { maxConnections: 1_024, idleMs: 600_000, flushMs: 250 }

export interface TlsPort {
  /** 0 = any free one. */
  readonly port: number
  readonly certificate: Pick<CertificateKeeper, "serverOptions" | "follow">
}

export interface Streams {
  readonly tcpPort: number
  readonly tlsPort: number | null
  /** Reads on where it was paused. */
  readonly resume: () => void
}

export const serveStreams = (
  options: SyslogOptions,
  tcpPort: number,
  intake: Intake,
): Effect.Effect<Streams, SyslogListenFailed, Scope.Scope> =>
  Effect.gen(function* () {
    const sockets = new Set<net.Socket>()
    const tcp = yield* opened(options, net.createServer(), tcpPort, "TCP")
    tcp.on("connection", (socket) => {
      if (admitted(socket, options, intake)) serve(socket, socket.remoteAddress ?? "", options, intake, sockets)
    })
    const secure = options.tls == null ? null : yield* openTls(options, options.tls, intake, sockets)
    yield* Effect.addFinalizer(() => Effect.sync(() => sockets.forEach((socket) => socket.destroy())))
    return {
      tcpPort: portOf(tcp),
      tlsPort: secure === null ? null : portOf(secure),
      resume: () => sockets.forEach((socket) => socket.resume()),
    }
  })

const portOf = (server: net.Server): number => (server.address() as net.AddressInfo).port

const openTls = (
  options: SyslogOptions,
  { port, certificate }: TlsPort,
  intake: Intake,
  sockets: Set<net.Socket>,
): Effect.Effect<tls.Server, SyslogListenFailed, Scope.Scope> =>
  Effect.suspend(() => {
    // The keeper's options are for https; syslog has no name in ALPN.
    const { ALPNProtocols: _http, ...context } = certificate.serverOptions()
    const server = tls.createServer(context)
    certificate.follow((next) => server.setSecureContext(next))
    // Strangers cost no handshake. The server's own listener for this event comes first and is harmless to a dead socket.
    server.prependListener("connection", (socket: net.Socket) => void admitted(socket, options, intake))
    server.on("tlsClientError", (_error, socket) => {
      if (intake.isKnown(socket.remoteAddress ?? "")) options.stats.tlsFailed++
      socket.destroy()
    })
    server.on("secureConnection", (socket) => serve(socket, socket.remoteAddress ?? "", options, intake, sockets))
    return opened(options, server, port, "TLS")
  })

/** False for a stranger, who is cut. */
const admitted = (socket: net.Socket, { stats }: SyslogOptions, intake: Intake): boolean => {
  socket.on("error", () => undefined)
  if (intake.isKnown(socket.remoteAddress ?? "")) return true
  stats.tcpRefused++
  socket.destroy()
  return false
}

const opened = <Server extends net.Server>(
  options: SyslogOptions,
  server: Server,
  port: number,
  kind: "TCP" | "TLS",
): Effect.Effect<Server, SyslogListenFailed, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.callback<Server, SyslogListenFailed>((resume) => {
      server.maxConnections = (options.tcp ?? TCP_DEFAULTS).maxConnections
      server.on("drop", () => options.stats.tcpRefused++)
      const refuse = (error: Error): void => resume(Effect.fail(listenFailed(options.host, port, kind, error)))
      server.once("error", refuse)
      server.listen(port, options.host, () => {
        server.off("error", refuse)
        server.on("error", () => undefined)
        resume(Effect.succeed(server))
      })
    }),
    () => Effect.sync(() => server.close()),
  )

const serve = (
  socket: net.Socket,
  address: string,
  options: SyslogOptions,
  intake: Intake,
  sockets: Set<net.Socket>,
): void => {
  const { stats } = options
  const { idleMs, flushMs } = options.tcp ?? TCP_DEFAULTS
  socket.on("error", () => undefined)
  stats.tcpConnections++
  sockets.add(socket)
  const framer = makeFramer()
  const emit = (message: Buffer, truncated: boolean): void => intake.take(message, address, truncated)
  const silence = setTimeout(() => framer.flush(emit), flushMs)
  socket.setTimeout(idleMs, () => socket.destroy())
  socket.on("data", (chunk: Buffer) => {
    silence.refresh()
    if (framer.push(chunk, emit) !== null) {
      stats.badStreams++
      socket.destroy()
    } else if (intake.crowded(address)) socket.pause()
  })
  socket.on("close", () => {
    clearTimeout(silence)
    framer.flush(emit)
    sockets.delete(socket)
    stats.tcpConnections--
  })
}

export const listenFailed = (
  host: string,
  port: number,
  kind: "UDP" | "TCP" | "TLS",
  error: NodeJS.ErrnoException,
): SyslogListenFailed => {
  const advice: Record<string, string> = {
    EACCES: "ports below 1024 need the capability CAP_NET_BIND_SERVICE: choose another port, or grant it",
    EADDRINUSE: "another program listens there: stop it, or choose another port",
    EADDRNOTAVAIL: "this machine has no such address: choose one of its own, or 0.0.0.0",
  }
  const code = error.code ?? error.name
  return new SyslogListenFailed({ host, port, detail: `syslog ${kind} ${host}:${port}: ${advice[code] ?? code}` })
}
