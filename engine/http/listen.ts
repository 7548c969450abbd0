/**
 * The node server under everything: plain or TLS, with every bound on what a socket may do before and while a request is
 * read. Half-open and idle sockets are cut, too many are refused, and closing ends all of them without hanging.
 */
import { createServer } from "node:http"
import type { RequestListener, Server, ServerOptions } from "node:http"
import { createServer as createTlsServer } from "node:https"
import type { Socket } from "node:net"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { makeConnections } from "#engine/http/connections.ts"
import type { CertificateKeeper } from "#engine/tls/keeper.ts"
import type { MetricsRegistry } from "#engine/metrics/registry.ts"

/** The port is taken, or may not be used, or the address is not this machine's. */
export class CannotListen extends Data.TaggedError("CannotListen")<{
  readonly host: string
  readonly port: number
  readonly code: string
}> {
  override get message(): string {
    const place = `${this.host}:${this.port}`
    if (this.code === "EADDRINUSE") return `${place} is in use by another program; set HELIOGRAPH_PORT to a free port`
    if (this.code === "EACCES") return `${place} may not be used by this user; set HELIOGRAPH_PORT above 1023`
    if (this.code === "EADDRNOTAVAIL") return `${this.host} is no address of this machine; set HELIOGRAPH_HOST`
    return `cannot listen on ${place}: ${this.code}`
  }
}

export const HEADERS_TIMEOUT_MS = 10_000
export const REQUEST_TIMEOUT_MS = 30_000
/** A socket on which nothing moves, in either direction, while a request is open: a reader that does not read. */
export const IDLE_TIMEOUT_MS = 90_000
const KEEP_ALIVE_MS = 10_000
export const CONNECTIONS_MAX = 10_000
export const HEADERS_BYTES_MAX = 16 * 1024
const HEADERS_MAX = 100

export interface ServerBounds {
  readonly headersTimeoutMs?: number
  readonly connectionsPerSource?: number
}

/** Not listening yet. `isProxy`: addresses that speak for many. */
export const nodeServer = (
  tls: CertificateKeeper | null,
  metrics: MetricsRegistry,
  isProxy: (address: string) => boolean,
  bounds: ServerBounds,
  onRequest: RequestListener,
): Server => {
  const headersTimeout = bounds.headersTimeoutMs ?? HEADERS_TIMEOUT_MS
  const options: ServerOptions = {
    headersTimeout,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionsCheckingInterval: Math.min(5_000, headersTimeout),
    keepAliveTimeout: KEEP_ALIVE_MS,
    maxHeaderSize: HEADERS_BYTES_MAX,
    // The tolerant parser is what smuggling needs; this is the default, held here against a flag of node.
    insecureHTTPParser: false,
    requireHostHeader: true,
  }
  const server: Server =
    tls === null ? createServer(options, onRequest) : createTlsServer({ ...options, ...tls.serverOptions() }, onRequest)
  if (tls !== null) tls.follow((context) => (server as ReturnType<typeof createTlsServer>).setSecureContext(context))
  server.maxHeadersCount = HEADERS_MAX
  server.maxConnections = CONNECTIONS_MAX
  server.setTimeout(IDLE_TIMEOUT_MS)
  const dropped = metrics.counter(
    "heliograph_http_connections_dropped_total",
    "Connections refused because there were too many.",
  )
  const connections = makeConnections(isProxy, bounds.connectionsPerSource)
  server.on("connection", (socket: Socket) => {
    if (!connections.admit(socket)) dropped.add()
  })
  server.on("drop", () => dropped.add())
  return server
}

export const listen = (
  server: Server,
  { host, port }: { readonly host: string; readonly port: number },
): Effect.Effect<void, CannotListen> =>
  Effect.callback<void, CannotListen>((resume) => {
    const failed = (cause: NodeJS.ErrnoException): void =>
      resume(Effect.fail(new CannotListen({ host, port, code: cause.code ?? "unknown" })))
    server.once("error", failed)
    server.listen({ host, port }, () => {
      server.off("error", failed)
      resume(Effect.void)
    })
  })

/** Requests in flight get a second; then every socket is ended. */
export const close = (server: Server): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    const force = setTimeout(() => server.closeAllConnections(), 1_000)
    server.close(() => {
      clearTimeout(force)
      resume(Effect.void)
    })
    server.closeIdleConnections()
  })
