/**
 * Serves dist/ and a small fake of the engine's contract (session, stream, details, history, events), so that the client
 * is developed and tested without the engine. Tests only: never shipped, never started by the product. Any password but
 * "wrong" signs in, "totp" asks for a second factor, "slow" for a wait; the user's name is the role. `node client/e2e/fixture-server.ts [nodes]` runs it by hand.
 */
import { createReadStream } from "node:fs"
import { readFile, stat } from "node:fs/promises"
import { createServer } from "node:http"
import type { IncomingMessage, ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { extname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { WebSocketServer } from "ws"
import { makeDoors, problem, TOTP_CODE } from "#client/e2e/fixture-doors.ts"
import type { Doors, Reply } from "#client/e2e/fixture-doors.ts"
import { makeHub } from "#client/e2e/fixture-hub.ts"
import type { Hub } from "#client/e2e/fixture-hub.ts"
import { makeIncidents } from "#client/e2e/fixture-incidents.ts"
import type { Incidents } from "#client/e2e/fixture-incidents.ts"
import { makeInventory } from "#client/e2e/fixture-inventory.ts"
import { makeJudgement } from "#client/e2e/fixture-judgement.ts"
import type { Judgement } from "#client/e2e/fixture-judgement.ts"
import { makeDice, makeFixtureNetwork } from "#client/e2e/fixture-network.ts"
import type { FixtureNetwork } from "#client/e2e/fixture-network.ts"
import { makeProposals } from "#client/e2e/fixture-proposals.ts"
import type { FixtureProposals } from "#client/e2e/fixture-proposals.ts"
import { fixtureDevice, fixtureLink } from "#client/e2e/fixture-views.ts"
import { makeWhatIf } from "#client/e2e/fixture-whatif.ts"
import type { FixtureWhatIf } from "#client/e2e/fixture-whatif.ts"

export interface FixtureOptions {
  readonly nodes: number
  readonly seed?: number
  readonly demo?: boolean
  /** Milliseconds between deltas of load; 0 = a still network. */
  readonly tickMs?: number
  /** Where the built client lies; the repository's dist/ by default. */
  readonly dist?: string
  /** Name of an identity provider to offer. */
  readonly oidc?: string
}

export interface Fixture {
  readonly url: string
  readonly network: FixtureNetwork
  readonly judgement: Judgement
  readonly whatIf: FixtureWhatIf
  readonly proposals: FixtureProposals
  readonly incidents: Incidents
  /** The stream tells that incidents changed. */
  readonly tellIncidents: () => void
  /** The stream tells that alerts changed. */
  readonly tellAlerts: () => void
  /** Breaks link `slot`; its id. */
  readonly cut: (slot: number) => string
  readonly mend: (slot: number) => void
  readonly kill: (node: number) => void
  /** Gives a device another mark. */
  readonly mark: (node: number, mark: "major" | "warning" | "maintenance" | "unknown") => void
  /** Closes every socket as a network would, and counts what came. */
  readonly dropSockets: () => void
  /** While on, no socket is let in. */
  readonly refuse: (on: boolean) => void
  readonly stats: { sockets: number; keyframes: number }
  readonly close: () => Promise<void>
}

/** The engine's policy, word for word (engine/http/http.test.ts compares them). */
export const CSP =
  "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'; img-src 'self' data: blob:; " +
  "style-src 'self'; font-src 'self'; manifest-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; " +
  "require-trusted-types-for 'script'; trusted-types default"
const DIST = fileURLToPath(new URL("../../dist/", import.meta.url))
const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
}

export const startFixture = async (options: FixtureOptions): Promise<Fixture> => {
  const network = makeFixtureNetwork(options.nodes, options.seed ?? 1, Math.floor(Date.now() / 1_000))
  const hub = makeHub(network, options.demo !== false)
  const doors = makeDoors(Date.now(), { name: "Norte Fibra", demo: options.demo !== false })
  const inventory = makeInventory(network)
  const judgement = makeJudgement(network, Date.now())
  const whatIf = makeWhatIf(network)
  const proposals = makeProposals(network)
  const incidents = makeIncidents()
  const server = createServer((request, response) => {
    answer(request, response, {
      network,
      hub,
      doors,
      inventory,
      judgement,
      whatIf,
      proposals,
      incidents,
      oidc: options.oidc ?? null,
      dist: options.dist ?? DIST,
    }).catch((error: unknown) => {
      response.writeHead(500).end(String(error))
    })
  })
  const sockets = new WebSocketServer({ noServer: true })
  let refusing = false
  server.on("upgrade", (request, socket, head) => {
    if (refusing || request.url !== "/stream" || !signedIn(request)) return socket.destroy()
    sockets.handleUpgrade(request, socket, head, (client) => hub.join(client))
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const dice = makeDice(99)
  const timer = setInterval(() => hub.wobble(dice), options.tickMs === 0 ? 3_600_000 : (options.tickMs ?? 1_000))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    network,
    judgement,
    whatIf,
    proposals,
    incidents,
    tellIncidents: hub.tellIncidents,
    tellAlerts: hub.tellAlerts,
    cut: hub.cut,
    mend: hub.mend,
    kill: hub.kill,
    mark: hub.mark,
    dropSockets: hub.drop,
    refuse: (on) => {
      refusing = on
    },
    stats: hub.stats,
    close: async () => {
      clearInterval(timer)
      hub.drop()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const signedIn = (request: IncomingMessage): boolean => userOf(request) !== null
/** The cookie names its user: "sid=fixture-viewer". */
const userOf = (request: IncomingMessage): string | null =>
  /(^|; )sid=fixture-(\w+)/.exec(request.headers.cookie ?? "")?.[2] ?? null

interface Served {
  readonly network: FixtureNetwork
  readonly hub: Hub
  readonly doors: Doors
  readonly inventory: ReturnType<typeof makeInventory>
  readonly judgement: Judgement
  readonly whatIf: FixtureWhatIf
  readonly proposals: FixtureProposals
  readonly incidents: Incidents
  readonly oidc: string | null
  readonly dist: string
}

const answer = async (request: IncomingMessage, response: ServerResponse, served: Served) => {
  const { network, hub, doors, inventory, judgement, incidents, whatIf, proposals, dist } = served
  const url = new URL(request.url ?? "/", "http://fixture")
  const json = (value: unknown, status = 200) =>
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value))
  if (!url.pathname.startsWith("/api/") && url.pathname !== "/basemap.pmtiles")
    return serveFile(dist, url.pathname, response)
  if (url.pathname === "/api/v1/session" && request.method === "POST") {
    const body = await bodyOf(request)
    const refused = refusal(body)
    if (refused !== null) return send(response, refused)
    const user = String(body["user"])
    return response.writeHead(204, { "set-cookie": `sid=fixture-${user}; HttpOnly; SameSite=Strict; Path=/` }).end()
  }
  if (url.pathname === "/api/v1/session/ways") {
    return json({ password: true, oidc: served.oidc === null ? null : { name: served.oidc } })
  }
  if (url.pathname === "/api/v1/invitations/accept") {
    const { token } = await bodyOf(request)
    return send(response, token === "gone" ? problem(404, "not-found") : { status: 204 })
  }
  const user = userOf(request)
  if (user === null) return response.writeHead(401).end()
  if (url.pathname === "/basemap.pmtiles") return serveRange(dist, request, response)
  if (url.pathname === "/api/v1/session" && request.method === "DELETE") {
    return response.writeHead(204, { "set-cookie": "sid=; Max-Age=0; Path=/" }).end()
  }
  if (url.pathname === "/api/v1/session") {
    return json(doors.session(user))
  }
  const path = url.pathname.replace("/api/v1", "")
  const method = request.method ?? "GET"
  for (const [wanted, pattern, handle] of [
    ...doors.table,
    ...inventory.table,
    ...judgement.table,
    ...whatIf.table,
    ...proposals.table,
    ...incidents.table,
  ]) {
    const parts = wanted === method ? pattern.exec(path) : null
    if (parts === null) continue
    const body = method === "GET" ? {} : await bodyOf(request)
    return send(
      response,
      handle(
        { method, path, query: url.searchParams, body, user, ifMatch: request.headers["if-match"] ?? null },
        parts.slice(1).map(decodeURIComponent),
      ),
    )
  }
  const [, kind, id = ""] = /^\/api\/v1\/(devices|links)\/(.+)$/.exec(url.pathname) ?? []
  if (kind !== undefined) {
    const view = kind === "devices" ? (inventory.view(id) ?? fixtureDevice(network, id)) : fixtureLink(network, id)
    return view === null ? json({}, 404) : json(view)
  }
  if (url.pathname === "/api/v1/history") return json(history(url.searchParams))
  if (url.pathname === "/api/v1/events") return json({ items: hub.events.toReversed(), next: null })
  return response.writeHead(404).end()
}

const send = (response: ServerResponse, { status, body, headers }: Reply) =>
  response
    .writeHead(status, { "content-type": "application/json", ...headers })
    .end(body === undefined ? undefined : JSON.stringify(body))

const bodyOf = async (request: IncomingMessage): Promise<Readonly<Record<string, unknown>>> => {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const text = Buffer.concat(chunks).toString()
  return text === "" ? {} : (JSON.parse(text) as Record<string, unknown>)
}

/** What the sign-in says no to; null = in. */
const refusal = ({ password, code }: Readonly<Record<string, unknown>>): Reply | null => {
  if (password === "wrong") return problem(401, "wrong-credentials")
  if (password === "slow") return { ...problem(429, "too-many-attempts"), headers: { "retry-after": "75" } }
  if (password !== "totp" || code === TOTP_CODE) return null
  return problem(401, code === undefined ? "second-factor-needed" : "wrong-credentials")
}

/** A daily curve with noise that depends only on the question. */
const history = (query: URLSearchParams) => {
  const [from, to, points] = ["from", "to", "points"].map((name) => Number(query.get(name))) as [number, number, number]
  const metric = query.get("metric") ?? ""
  const dice = makeDice(
    [...`${query.get("device")}${query.get("entity")}${metric}`].reduce(
      (sum, c) => Math.imul(sum, 31) + c.charCodeAt(0),
      7,
    ),
  )
  const scale = metric.endsWith("bps")
    ? 2e9 + dice() * 5e9
    : metric.startsWith("pppoe")
      ? 1_800
      : metric.endsWith("bytes")
        ? 4e8
        : 45
  const count = Math.min(points, 240)
  const atMs = Array.from({ length: count }, (_, index) => from + ((to - from) * index) / count)
  let drift = 0.5
  const avg = atMs.map((at) => {
    drift = Math.max(0.1, Math.min(1, drift + (dice() - 0.5) * 0.12))
    return scale * drift * (0.75 + 0.25 * Math.sin(at / 13_000_000))
  })
  return { metric, unit: "", source: "snmp", atMs, avg, min: avg.map((v) => v * 0.9), max: avg.map((v) => v * 1.1) }
}

const serveFile = async (dist: string, path: string, response: ServerResponse) => {
  const name = path === "/" ? "/index.html" : path
  const file = join(dist, "client", name)
  const body = name.includes("..") ? null : await readFile(file).catch(() => null)
  if (body === null) return response.writeHead(404).end()
  response
    .writeHead(200, {
      "content-type": TYPES[extname(name)] ?? "application/octet-stream",
      "content-security-policy": CSP,
    })
    .end(body)
}

const serveRange = async (dist: string, request: IncomingMessage, response: ServerResponse) => {
  const file = join(dist, "basemap.pmtiles")
  const { size } = await stat(file)
  const [, first = "0", last = ""] = /bytes=(\d+)-(\d*)/.exec(request.headers.range ?? "") ?? []
  const start = Number(first)
  const end = Math.min(size - 1, last === "" ? size - 1 : Number(last))
  response.writeHead(206, {
    "content-range": `bytes ${start}-${end}/${size}`,
    "content-length": end - start + 1,
    etag: `"${size}"`,
  })
  createReadStream(file, { start, end }).pipe(response)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const fixture = await startFixture({ nodes: Number(process.argv[2] ?? 120) })
  console.log(fixture.url)
}
