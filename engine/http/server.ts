/**
 * The one node http server: app shell, API, metrics, health, base map and the stream's upgrade. Everything passes one
 * front first (security headers, origin, body limits), so that no route can forget them. Released by its Scope without
 * hanging: upgraded sockets are ended before the server is closed (notes/effect4.md trap 13).
 */
import { timingSafeEqual } from "node:crypto"
import { createServer } from "node:http"
import type { IncomingMessage, Server, ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import type { Duplex } from "node:stream"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { FILES } from "#engine/access/entries.ts"
import { refusedBy, type Policy } from "#engine/access/policy.ts"
import type { ApiDeps } from "#engine/api/deps.ts"
import { openApiText } from "#engine/api/openapi.ts"
import { apiApp } from "#engine/http/api-app.ts"
import { answer, answerJson, answerProblem, PROBLEMS, setSecurityHeaders } from "#engine/http/answer.ts"
import type { Problem } from "#engine/http/answer.ts"
import { serveBasemap } from "#engine/http/basemap.ts"
import { presentedBy } from "#engine/http/cookie.ts"
import { isForeign } from "#engine/http/origin.ts"
import { loadStaticFiles } from "#engine/http/static-files.ts"
import type { StaticFiles } from "#engine/http/static-files.ts"
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

export interface HttpOptions {
  readonly host: string
  /** 0 = any free port. */
  readonly port: number
  readonly api: ApiDeps
  readonly metrics: MetricsRegistry
  /** Bearer token of /metrics, besides a session. */
  readonly metricsToken: Redacted.Redacted | null
  /** dist/client; null = no browser bundle (tests). */
  readonly staticDir: string | null
  /** The PMTiles archive on disk; null = none. Asked per request, so that it may arrive later. */
  readonly basemapPath: () => string | null
  /** Takes over the sockets of /stream; `end` must leave none of them open. */
  readonly stream: {
    readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void
    readonly end: () => void
  } | null
  /** False until the engine can serve: /healthz answers 503. */
  readonly ready: () => boolean
}

export interface Http {
  readonly port: number
  /** What a person opens. */
  readonly url: string
}

export const HEADERS_TIMEOUT_MS = 10_000
export const REQUEST_TIMEOUT_MS = 30_000
export const CONNECTIONS_MAX = 10_000
export const BODY_BYTES_MAX = 1024 * 1024
const URL_LENGTH_MAX = 4096

/** Listens until the scope closes. */
export const makeHttp = (options: HttpOptions): Effect.Effect<Http, CannotListen, Scope.Scope> =>
  Effect.gen(function* () {
    const files =
      options.staticDir === null ? null : yield* Effect.promise(() => loadStaticFiles(options.staticDir as string))
    const app = yield* apiApp(options.api)
    const scope = yield* Effect.scope
    const api = yield* NodeHttpServer.makeHandler(app, { scope })
    const requests = options.metrics.counter("heliograph_http_requests_total", "Requests answered, by class of status.")
    const front = makeFront(options, files, api)
    const server = createServer(
      { headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS, connectionsCheckingInterval: 5_000 },
      (request, response) => {
        response.once("finish", () => requests.add(1, { status: `${Math.floor(response.statusCode / 100)}xx` }))
        front(request, response)
      },
    )
    server.maxConnections = CONNECTIONS_MAX
    server.on("upgrade", (request, socket, head) => upgrade(options, request, socket, head))
    const dropped = options.metrics.counter(
      "heliograph_http_connections_dropped_total",
      "Connections refused because there were too many.",
    )
    server.on("drop", () => dropped.add())
    yield* Effect.acquireRelease(listen(server, options), () => close(server, options))
    const { port } = server.address() as AddressInfo
    const host = options.host.includes(":")
      ? `[${options.host}]`
      : options.host === "0.0.0.0"
        ? "127.0.0.1"
        : options.host
    return { port, url: options.api.publicUrl ?? `http://${host}:${port}` }
  })

const makeFront = (
  options: HttpOptions,
  files: StaticFiles | null,
  api: (request: IncomingMessage, response: ServerResponse) => void,
): ((request: IncomingMessage, response: ServerResponse) => void) => {
  const { publicUrl } = options.api
  const https = publicUrl?.startsWith("https:") === true
  const guarded: Readonly<
    Record<string, (request: IncomingMessage, response: ServerResponse) => void | Promise<void>>
  > = {
    "/metrics": (_, response) =>
      answer(response, 200, "text/plain; version=0.0.4; charset=utf-8", options.metrics.render()),
    "/openapi.json": (_, response) => answer(response, 200, "application/json", openApiText()),
    "/basemap.pmtiles": (request, response) => serveBasemap(request, response, options.basemapPath()),
  }
  const route = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const unfit = refusal(request, publicUrl)
    if (unfit !== null) return answerProblem(response, unfit)
    const path = pathOf(request)
    if (path === null) return answerProblem(response, PROBLEMS.notFound)
    if (path === "/healthz") return answerHealth(options, response)
    if (path === "/stream") return answerProblem(response, PROBLEMS.upgradeRequired)
    if (path.startsWith("/api/")) return api(request, response)
    const handler = Object.hasOwn(guarded, path) ? guarded[path] : undefined
    if (handler === undefined)
      return files === null ? answerProblem(response, PROBLEMS.notFound) : files.serve(request, response, path)
    if (path === "/metrics" && hasToken(request, options.metricsToken)) return handler(request, response)
    const refused = await refusedAt(FILES[path as keyof typeof FILES], request, options.api, https)
    return refused === null ? handler(request, response) : answerProblem(response, refused)
  }
  return (request, response) => {
    setSecurityHeaders(response, https)
    route(request, response).catch((cause: unknown) => {
      if (response.destroyed || isAborted(cause)) return response.destroy()
      options.api.log.error("a request could not be answered", { path: request.url ?? "", cause })
      return response.headersSent ? response.destroy() : answerProblem(response, PROBLEMS.defect)
    })
  }
}

/** What no route may see. */
const refusal = (request: IncomingMessage, publicUrl: string | null) => {
  if ((request.url ?? "").length > URL_LENGTH_MAX) return PROBLEMS.urlTooLong
  const changes = request.method !== "GET" && request.method !== "HEAD"
  if (changes && isForeign(request, publicUrl)) return PROBLEMS.foreignOrigin
  if (request.headers["transfer-encoding"] !== undefined) return PROBLEMS.lengthRequired
  return Number(request.headers["content-length"] ?? 0) > BODY_BYTES_MAX ? PROBLEMS.tooLarge : null
}

/** The decoded path without its query; null when it is none or holds control characters. */
const pathOf = (request: IncomingMessage): string | null => {
  const [raw = ""] = (request.url ?? "").split(/[?#]/, 1)
  if (!raw.startsWith("/")) return null
  try {
    const path = decodeURIComponent(raw)
    return /\p{Cc}/u.test(path) ? null : path
  } catch {
    return null
  }
}

const answerHealth = (options: HttpOptions, response: ServerResponse): void => {
  const ready = options.ready()
  answerJson(response, ready ? 200 : 503, {
    status: ready ? "ok" : "starting",
    version: options.api.version,
    uptimeS: Math.floor(process.uptime()),
  })
}

const refusedAt = async (
  policy: Policy,
  request: IncomingMessage,
  api: ApiDeps,
  https: boolean,
): Promise<Problem | null> => {
  const presented = presentedBy(request, https)
  if (presented === null) return PROBLEMS.notSignedIn
  const principal = await Effect.runPromise(
    api.doors.admit(presented).pipe(Effect.catchTag("Unavailable", () => Effect.succeed("unavailable" as const))),
  )
  if (principal === "unavailable") return PROBLEMS.unavailable
  if (principal === null) return PROBLEMS.notSignedIn
  const why = refusedBy(policy, principal)
  return why === null ? null : { ...PROBLEMS.forbidden, detail: why }
}

const hasToken = (request: IncomingMessage, token: Redacted.Redacted | null): boolean => {
  const given = /^Bearer ([^\s]{1,256})$/i.exec(request.headers.authorization ?? "")?.[1]
  if (token === null || given === undefined) return false
  const wanted = Buffer.from(Redacted.value(token))
  const bytes = Buffer.from(given)
  return bytes.length === wanted.length && timingSafeEqual(bytes, wanted)
}

const upgrade = (options: HttpOptions, request: IncomingMessage, socket: Duplex, head: Buffer): void => {
  socket.on("error", () => socket.destroy())
  if (options.stream === null || pathOf(request) !== "/stream") {
    socket.end("HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
    return
  }
  options.stream.upgrade(request, socket, head)
}

const listen = (server: Server, { host, port }: HttpOptions): Effect.Effect<void, CannotListen> =>
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
const close = (server: Server, options: HttpOptions): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    options.stream?.end()
    const force = setTimeout(() => server.closeAllConnections(), 1_000)
    server.close(() => {
      clearTimeout(force)
      resume(Effect.void)
    })
    server.closeIdleConnections()
  })

const isAborted = (cause: unknown): boolean =>
  cause instanceof Error &&
  "code" in cause &&
  (cause.code === "ERR_STREAM_PREMATURE_CLOSE" || cause.code === "ECONNRESET" || cause.code === "EPIPE")
