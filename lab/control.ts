/**
 * The lab's control port: HTTP on 127.0.0.1 behind a random bearer token. It hands out the inventory and the truth and
 * takes faults. The engine's collectors never use it.
 */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto"
import { once } from "node:events"
import { createServer } from "node:http"
import type { IncomingMessage, Server, ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { FaultRefused } from "#lab/faults/names.ts"
import type { Receiver } from "#lab/fleet.ts"
import type { Lab } from "#lab/lab.ts"
import { declaredServices } from "#lab/isp/services.ts"
import { truthOf } from "#lab/truth.ts"

/** Octets of a request's body. */
const BODY_MAX = 64 * 1024

export interface Control {
  readonly url: string
  readonly token: string
  readonly close: () => void
}

export const startControl = async (lab: Lab, port: number): Promise<Control> => {
  const token = randomBytes(24).toString("hex")
  const server = createServer((request, response) => void serve(lab, token, request, response))
  server.requestTimeout = 10_000
  server.listen(port, "127.0.0.1")
  await once(server, "listening")
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    token,
    close: () => closeNow(server),
  }
}

const closeNow = (server: Server): void => {
  server.close()
  server.closeAllConnections()
}

/** What the caller did wrong, with the status that says so. */
class Refused extends Error {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

const serve = async (lab: Lab, token: string, request: IncomingMessage, response: ServerResponse): Promise<void> => {
  try {
    if (!isAuthorised(request, token))
      throw new Refused(401, "the bearer token is missing or wrong: it is in the lab's state file")
    send(response, 200, await route(lab, request))
  } catch (cause) {
    if (cause instanceof Refused) send(response, cause.status, { ok: false, error: cause.message })
    else if (cause instanceof FaultRefused) send(response, 400, { ok: false, error: cause.message })
    else {
      console.error("lab: control request failed", cause)
      send(response, 500, { ok: false, error: "the lab failed; its standard error says how" })
    }
  }
}

const route = async (lab: Lab, request: IncomingMessage): Promise<unknown> => {
  const name = `${request.method} ${new URL(request.url ?? "/", "http://lab").pathname}`
  const body = request.method === "POST" || request.method === "PUT" ? await readBody(request) : null
  // The network moves to now after the body is in: a fault's atMs is the moment at which it happens.
  lab.touch()
  switch (name) {
    case "GET /import.json":
      return lab.importDocument()
    case "GET /services.json":
      return declaredServices(lab.isp)
    case "GET /truth":
      return truthOf(lab.network)
    case "GET /faults":
      return { faults: lab.faults.active() }
    case "GET /counts":
      return lab.fleet.counts
    case "POST /fault": {
      const { kind, args } = readFault(body)
      const applied = lab.faults.apply(kind, args)
      lab.touch()
      return { ok: true, ...applied }
    }
    case "PUT /target":
      lab.fleet.receivers = readReceivers(body)
      return { ok: true }
    default:
      throw new Refused(404, `there is no ${name}`)
  }
}

const readFault = (body: unknown): { readonly kind: string; readonly args: readonly string[] } => {
  const { kind, args = [] } = (body ?? {}) as { kind?: unknown; args?: unknown }
  if (typeof kind !== "string" || !Array.isArray(args) || !args.every((arg) => typeof arg === "string"))
    throw new Refused(400, 'a fault is {"kind": "cut", "args": ["A", "B"]}')
  return { kind, args }
}

const readReceivers = (body: unknown): { readonly trap: Receiver | null; readonly syslog: Receiver | null } => {
  const { trap = null, syslog = null } = (body ?? {}) as { trap?: unknown; syslog?: unknown }
  const read = (value: unknown, name: string): Receiver | null => {
    if (value === null) return null
    const receiver = typeof value === "string" ? parseReceiver(value) : null
    if (receiver === null) throw new Refused(400, `${name} must be "ADDRESS:PORT" or null`)
    return receiver
  }
  return { trap: read(trap, "trap"), syslog: read(syslog, "syslog") }
}

/** `127.0.0.1:10162`, and nothing outside 127/8: the lab only ever talks to its own machine. */
export const parseReceiver = (text: string): Receiver | null => {
  const match = /^(127\.\d{1,3}\.\d{1,3}\.\d{1,3}):(\d{1,5})$/.exec(text)
  if (match === null) return null
  const port = Number(match[2])
  return port > 0 && port < 65536 ? { address: match[1]!, port } : null
}

const isAuthorised = (request: IncomingMessage, token: string): boolean => {
  const digest = (text: string) => createHash("sha256").update(text).digest()
  return timingSafeEqual(digest(request.headers.authorization ?? ""), digest(`Bearer ${token}`))
}

const readBody = async (request: IncomingMessage): Promise<unknown> => {
  const chunks: Buffer[] = []
  let octets = 0
  for await (const chunk of request) {
    octets += (chunk as Buffer).length
    if (octets > BODY_MAX) throw new Refused(413, `a body has at most ${BODY_MAX} octets`)
    chunks.push(chunk as Buffer)
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8")) as unknown
  } catch {
    throw new Refused(400, "the body is not JSON")
  }
}

const send = (response: ServerResponse, status: number, value: unknown): void => {
  if (response.headersSent || response.destroyed) return
  const body = JSON.stringify(value)
  response
    .writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(body) })
    .end(body)
}
