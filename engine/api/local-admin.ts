/**
 * The local door to a running engine: HTTP over a unix socket in the data directory that only the engine's own user may
 * open (0600). Through it `heliograph import` changes the inventory so that the live twin has it at once. Whoever can
 * use it could also read the data directory, so it asks for no password.
 */
import { createHash } from "node:crypto"
import { chmodSync, mkdirSync, rmSync } from "node:fs"
import { createServer } from "node:http"
import type { IncomingMessage, Server, ServerResponse } from "node:http"
import { connect } from "node:net"
import { tmpdir, userInfo } from "node:os"
import { dirname, join, resolve } from "node:path"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Importer } from "#engine/api/ports.ts"
import type { ImportMode, ImportReport } from "#engine/import/document.ts"
import { IMPORT_BYTES_MAX } from "#engine/import/parse.ts"
import { parseFile } from "#engine/import/parse-file.ts"
import type { ImportError } from "#engine/import/parse.ts"
import type { LocalTenants } from "#engine/tenancy/local-tenants.ts"
import type { Log } from "#engine/log.ts"
import type { Counts } from "#protocol/view.ts"

export interface EngineStatus {
  readonly pid: number
  readonly version: string
  readonly url: string
  readonly uptimeS: number
  readonly tenants: ReadonlyArray<{
    readonly slug: string
    readonly name: string
    readonly demo: boolean
    readonly counts: Counts
  }>
}

/** Answers of POST /import, by their status. */
export type ImportAnswer =
  | { readonly status: 200; readonly report: ImportReport }
  /** The document is wrong. */
  | { readonly status: 422; readonly errors: readonly ImportError[]; readonly total: number }
  /** The document is right, but cannot be applied; 503 = not now. */
  | { readonly status: 409 | 503; readonly detail: string }

export interface LocalAdminOptions {
  readonly dataDir: string
  readonly importer: Importer
  readonly status: () => EngineStatus
  /** `/tenants...`: null = not one of its commands. */
  readonly tenants: LocalTenants
  readonly log: Log
}

/** Another engine answers on this data directory's socket. */
export class EngineAlreadyRuns extends Data.TaggedError("EngineAlreadyRuns")<{ readonly path: string }> {
  override get message(): string {
    return `another engine answers on ${this.path}: stop it, or use another HELIOGRAPH_DATA_DIR`
  }
}
export class LocalAdminFailed extends Data.TaggedError("LocalAdminFailed")<{
  readonly path: string
  readonly code: string
}> {
  override get message(): string {
    return `cannot listen on ${this.path}: ${this.code}`
  }
}

/** sun_path holds 108 bytes on Linux, 104 on macOS, closing zero included. */
const PATH_BYTES_MAX = 100

/** Where the engine of a data directory listens. A path too long for a socket moves to the temporary directory. */
export const localAdminPath = (dataDir: string): string => {
  const path = join(resolve(dataDir), "engine.sock")
  const name = createHash("sha256").update(path).digest("hex").slice(0, 24)
  if (process.platform === "win32") return `\\\\.\\pipe\\heliograph-${name}`
  return Buffer.byteLength(path) <= PATH_BYTES_MAX
    ? path
    : join(tmpdir(), `heliograph-${userInfo().uid}`, `${name}.sock`)
}

/** Listens until the scope closes. A socket file that nobody answers on is of an engine that died: it is replaced. */
export const makeLocalAdmin = (
  options: LocalAdminOptions,
): Effect.Effect<{ readonly path: string }, EngineAlreadyRuns | LocalAdminFailed, Scope.Scope> =>
  Effect.gen(function* () {
    const path = localAdminPath(options.dataDir)
    const server = createServer({ headersTimeout: 5_000, requestTimeout: 120_000 }, (request, response) => {
      route(options, request, response).catch((cause: unknown) => {
        options.log.error("the local channel hit a defect", { cause })
        response.destroy()
      })
    })
    server.maxConnections = 16
    yield* Effect.acquireRelease(
      Effect.tryPromise({
        try: () => listen(server, path),
        catch: (cause) => cause as EngineAlreadyRuns | LocalAdminFailed,
      }),
      () =>
        Effect.promise(async () => {
          server.closeAllConnections()
          await new Promise((settle) => server.close(settle))
        }),
    )
    return { path }
  })

const listen = async (server: Server, path: string): Promise<void> => {
  if (process.platform !== "win32") {
    if (await answers(path)) throw new EngineAlreadyRuns({ path })
    rmSync(path, { force: true })
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  }
  await new Promise<void>((settle, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) =>
      reject(new LocalAdminFailed({ path, code: cause.code ?? "unknown" })),
    )
    // The mask makes the socket 0600 from its first instant; chmod after it would leave a gap.
    const mask = process.platform === "win32" ? null : process.umask(0o177)
    server.listen(path, () => {
      if (process.platform !== "win32") chmodSync(path, 0o600)
      settle()
    })
    if (mask !== null) process.umask(mask)
  })
}

const answers = (path: string): Promise<boolean> =>
  new Promise((settle) => {
    const socket = connect(path)
    socket.once("connect", () => {
      socket.destroy()
      settle(true)
    })
    socket.once("error", () => settle(false))
  })

const route = async (options: LocalAdminOptions, request: IncomingMessage, response: ServerResponse): Promise<void> => {
  const url = new URL(request.url ?? "/", "http://local")
  if (request.method === "GET" && url.pathname === "/status") return reply(response, 200, options.status())
  if (request.method === "POST" && url.pathname === "/import") {
    const body = await readBody(request)
    if (body === null) return reply(response, 413, { detail: `more than ${IMPORT_BYTES_MAX} bytes` })
    const { status, ...rest } = await applyImport(options, body, url.searchParams.get("tenant"), {
      dryRun: url.searchParams.has("dryRun"),
      replace: url.searchParams.has("replace"),
    })
    return reply(response, status, rest)
  }
  if (url.pathname === "/tenants" || url.pathname.startsWith("/tenants/")) {
    const body = request.method === "POST" ? await readBody(request) : Buffer.alloc(0)
    if (body === null) return reply(response, 413, { detail: `more than ${IMPORT_BYTES_MAX} bytes` })
    const answer = await options.tenants(request.method ?? "", url.pathname, body)
    if (answer !== null) return reply(response, answer.status, answer.body)
  }
  return reply(response, 404, { detail: "not a command of this engine" })
}

const applyImport = async (
  { importer, log }: LocalAdminOptions,
  body: Buffer,
  tenant: string | null,
  mode: ImportMode,
): Promise<ImportAnswer> => {
  const parsed = parseFile(body)
  if (!parsed.ok) return { status: 422, errors: parsed.errors, total: parsed.total }
  const answer = await Effect.runPromise(
    importer.apply(tenant, parsed.document, mode).pipe(
      Effect.map((report): ImportAnswer => ({ status: 200, report })),
      Effect.catchTags({
        ImportFailed: ({ detail }) => Effect.succeed<ImportAnswer>({ status: 409, detail }),
        Unavailable: ({ detail }) => Effect.succeed<ImportAnswer>({ status: 503, detail }),
      }),
    ),
  )
  if (answer.status === 200 && !mode.dryRun)
    log.info("inventory imported", { tenant: tenant ?? "", revision: answer.report.rev })
  return answer
}

/** Null when it is larger than an import may be. */
const readBody = async (request: IncomingMessage): Promise<Buffer | null> => {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > IMPORT_BYTES_MAX) return null
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

const reply = (response: ServerResponse, status: number, body: unknown): void => {
  response.writeHead(status, { "Content-Type": "application/json", Connection: "close" })
  response.end(JSON.stringify(body))
}
