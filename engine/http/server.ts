/**
 * The one node http server: app shell, API, metrics, health, base map and the stream's upgrade. Everything passes one
 * front first (security headers, origin, body limits), so that no route can forget them. Released by its Scope without
 * hanging: upgraded sockets are ended before the server is closed (notes/effect4.md trap 13).
 */
import { timingSafeEqual } from "node:crypto"
import type { IncomingMessage, ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import type { Duplex } from "node:stream"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { FILES } from "#engine/access/entries.ts"
import { refusedBy, type Policy } from "#engine/access/policy.ts"
import type { ApiDeps } from "#engine/api/deps.ts"
import { DOCS_POLICY, docsPage } from "#engine/api/docs-page.ts"
import { openApiText } from "#engine/api/openapi.ts"
import { apiApp } from "#engine/http/api-app.ts"
import {
  answer,
  answerJson,
  answerProblem,
  PROBLEMS,
  rawProblem,
  setSecurityHeaders,
  type Hsts,
} from "#engine/http/answer.ts"
import type { Problem } from "#engine/http/answer.ts"
import { serveBasemap } from "#engine/http/basemap.ts"
import { presentedBy } from "#engine/http/cookie.ts"
import { close, listen, nodeServer } from "#engine/http/listen.ts"
import type { CannotListen, ServerBounds } from "#engine/http/listen.ts"
import { HANDBOOK_POLICY } from "#engine/http/handbook-page.ts"
import { HANDBOOK, handbookAt } from "#engine/http/handbook.ts"
import { isHttps, isNear } from "#engine/http/origin.ts"
import { refusal } from "#engine/http/refusal.ts"
import type { Front } from "#engine/http/refusal.ts"
import { loadStaticFiles } from "#engine/http/static-files.ts"
import type { StaticFiles } from "#engine/http/static-files.ts"
import type { MetricsRegistry } from "#engine/metrics/registry.ts"
import type { Oidc } from "#engine/oidc/oidc.ts"
import type { CertificateKeeper } from "#engine/tls/keeper.ts"

export interface HttpOptions {
  readonly host: string
  /** 0 = any free port. */
  readonly port: number
  readonly api: ApiDeps
  /** Serves TLS with this pair (then `api.tls` is true); absent or null = plain HTTP. */
  readonly tls?: CertificateKeeper | null
  /** Over https; absent = for this host. */
  readonly hsts?: NonNullable<Hsts>
  readonly bounds?: ServerBounds & { readonly answerMsMax?: number }
  readonly metrics: MetricsRegistry
  /** Bearer token of /metrics, besides a session. */
  readonly metricsToken: Redacted.Redacted | null
  /** dist/client; null = no browser bundle (tests). */
  readonly staticDir: string | null
  /** The PMTiles archive on disk; null = none. Asked per request, so that it may arrive later. */
  readonly basemapPath: () => string | null
  /** Signing in by an OpenID issuer; absent or null = there is none. */
  readonly oidc?: Oidc | null
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

/** From the request's head to the answer's head. An import of a large network is the longest that there is. */
export const ANSWER_MS_MAX = 60_000

/** Listens until the scope closes. */
export const makeHttp = (options: HttpOptions): Effect.Effect<Http, CannotListen, Scope.Scope> =>
  Effect.gen(function* () {
    const files =
      options.staticDir === null ? null : yield* Effect.promise(() => loadStaticFiles(options.staticDir as string))
    const app = yield* apiApp(options.api)
    const scope = yield* Effect.scope
    const api = yield* NodeHttpServer.makeHandler(app, { scope })
    const requests = options.metrics.counter("heliograph_http_requests_total", "Requests answered, by class of status.")
    const respond = makeFront(options, files, api)
    const { publicUrl } = options.api
    const isProxy = (address: string): boolean => publicUrl !== null && options.tls == null && isNear(address)
    const server = nodeServer(
      options.tls ?? null,
      options.metrics,
      isProxy,
      options.bounds ?? {},
      (request, response) => {
        response.once("finish", () => requests.add(1, { status: `${Math.floor(response.statusCode / 100)}xx` }))
        endInTime(response, options.bounds?.answerMsMax ?? ANSWER_MS_MAX)
        respond(request, response)
      },
    )
    server.on("upgrade", (request, socket, head) => upgrade(options, request, socket, head))
    yield* Effect.acquireRelease(listen(server, options), () =>
      Effect.andThen(
        Effect.sync(() => options.stream?.end()),
        close(server),
      ),
    )
    const { port } = server.address() as AddressInfo
    const host = options.host.includes(":")
      ? `[${options.host}]`
      : options.host === "0.0.0.0"
        ? "127.0.0.1"
        : options.host
    return { port, url: publicUrl ?? `${isHttps(options.api) ? "https" : "http"}://${host}:${port}` }
  })

const frontOf = ({ api, host }: HttpOptions): Front => ({
  publicUrl: api.publicUrl,
  checkHost: api.publicUrl !== null || isLoopback(host),
})
const isLoopback = (host: string): boolean => host === "localhost" || host === "::1" || host.startsWith("127.")

/** Whoever answers late is not waited for: the caller is told, and closing the socket interrupts the handler. */
const endInTime = (response: ServerResponse, withinMs: number): void => {
  const timer = setTimeout(() => {
    const { socket } = response
    // An answer that has begun is bounded by the socket's idle timeout instead: a long download is no mistake.
    if (response.headersSent || socket === null) return
    socket.end(rawProblem(PROBLEMS.tooSlow))
    response.destroy()
  }, withinMs)
  response.once("close", () => clearTimeout(timer))
}

const makeFront = (
  options: HttpOptions,
  files: StaticFiles | null,
  api: (request: IncomingMessage, response: ServerResponse) => void,
): ((request: IncomingMessage, response: ServerResponse) => void) => {
  const front = frontOf(options)
  const https = isHttps(options.api)
  const guarded: Readonly<
    Record<string, (request: IncomingMessage, response: ServerResponse) => void | Promise<void>>
  > = {
    "/metrics": (_, response) =>
      answer(response, 200, "text/plain; version=0.0.4; charset=utf-8", options.metrics.render()),
    "/openapi.json": (_, response) => answer(response, 200, "application/json", openApiText()),
    "/api/docs": (_, response) => {
      response.setHeader("Content-Security-Policy", DOCS_POLICY)
      answer(response, 200, "text/html; charset=utf-8", docsPage())
    },
    [HANDBOOK]: (request, response) => {
      const page = handbookAt(pathOf(request) ?? "")
      if (page === null) return answerProblem(response, PROBLEMS.notFound)
      response.setHeader("Content-Security-Policy", HANDBOOK_POLICY)
      answer(response, 200, "text/html; charset=utf-8", page)
    },
    "/basemap.pmtiles": (request, response) => serveBasemap(request, response, options.basemapPath()),
  }
  const route = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const unfit = refusal(request, front)
    if (unfit !== null) return answerProblem(response, unfit)
    const path = pathOf(request)
    if (path === null) return answerProblem(response, PROBLEMS.notFound)
    if (path === "/healthz") return answerHealth(options, response)
    if (path === "/stream") return answerProblem(response, PROBLEMS.upgradeRequired)
    if (path === "/oidc/start" || path === "/oidc/callback") {
      const handle = path === "/oidc/start" ? options.oidc?.start : options.oidc?.callback
      return handle === undefined ? answerProblem(response, PROBLEMS.notFound) : handle(request, response)
    }
    if (path.startsWith("/api/") && path !== "/api/docs") return api(request, response)
    const known = path.startsWith(HANDBOOK) ? HANDBOOK : path
    const handler = Object.hasOwn(guarded, known) ? guarded[known] : undefined
    if (handler === undefined)
      return files === null ? answerProblem(response, PROBLEMS.notFound) : files.serve(request, response, path)
    if (path === "/metrics" && hasToken(request, options.metricsToken)) return handler(request, response)
    const refused = await refusedAt(FILES[known as keyof typeof FILES], request, options.api, https)
    return refused === null ? handler(request, response) : answerProblem(response, refused)
  }
  return (request, response) => {
    setSecurityHeaders(response, https ? (options.hsts ?? "host") : null)
    route(request, response).catch((cause: unknown) => {
      if (response.destroyed || isAborted(cause)) return response.destroy()
      options.api.log.error("a request could not be answered", { path: request.url ?? "", cause })
      return response.headersSent ? response.destroy() : answerProblem(response, PROBLEMS.defect)
    })
  }
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
  const unfit = refusal(request, frontOf(options))
  if (unfit !== null) return void socket.end(rawProblem(unfit))
  if (options.stream === null || pathOf(request) !== "/stream") {
    socket.end("HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
    return
  }
  options.stream.upgrade(request, socket, head)
}

const isAborted = (cause: unknown): boolean =>
  cause instanceof Error &&
  "code" in cause &&
  (cause.code === "ERR_STREAM_PREMATURE_CLOSE" || cause.code === "ECONNRESET" || cause.code === "EPIPE")
