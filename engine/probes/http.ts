/**
 * One HTTP(S) GET to a pinned address: no name is looked up, no redirect followed, no proxy or cookie used, and the
 * body is read only as far as its cap. The certificate is looked at, not believed: routers sign their own, and the probe
 * sends nothing worth protecting. Everything that comes back is hostile and cut to size.
 */
import { request as httpRequest } from "node:http"
import type { ClientRequest, IncomingMessage, RequestOptions } from "node:http"
import { request as httpsRequest } from "node:https"
import { isIP } from "node:net"
import { TLSSocket } from "node:tls"
import type { Literal } from "#engine/probes/address.ts"
import { reasonOf } from "#engine/probes/tcp.ts"

export interface HttpAsk {
  readonly to: Literal
  readonly port: number
  readonly tls: boolean
  /** Path and query, beginning with `/`. */
  readonly path: string
  /** For the Host field and SNI; null = the address. */
  readonly host: string | null
  readonly deadlineMs: number
  /** Octets of the body that are read; 0 = the head is enough. */
  readonly bodyMax: number
}

export interface TlsDetails {
  readonly protocol: string | null
  readonly cipher: string | null
  /** A public authority vouches for it, for this name, today. */
  readonly trusted: boolean
  /** Why not. */
  readonly problem: string | null
  readonly subject: string | null
  /** Unix ms. */
  readonly validToMs: number | null
  /** SHA-256, hex pairs joined by colons. */
  readonly fingerprint: string | null
}

export interface HttpResult {
  /** Null when no head came back. */
  readonly status: number | null
  /** From the start to the end of the head; null as status. */
  readonly latencyMs: number | null
  /** Where a redirect points to; it is not followed. */
  readonly location: string | null
  readonly bodyBytes: number
  /** The body went on beyond its cap. */
  readonly truncated: boolean
  readonly tls: TlsDetails | null
  /** Why there is no status, or no whole body; null when all is well. */
  readonly error: string | null
}

/** Octets of the response head. */
const HEAD_MAX = 16_384
const TEXT_MAX = 200

/** Ends within the deadline whatever the server does; never rejects. */
export const httpProbe = (ask: HttpAsk, signal?: AbortSignal): Promise<HttpResult> =>
  new Promise((settle) => {
    const startedMs = performance.now()
    let result: HttpResult = NOTHING
    const end = (more: Partial<HttpResult>): void => {
      if (isOver) return
      isOver = true
      clearTimeout(deadline)
      signal?.removeEventListener("abort", stop)
      settle({ ...result, ...more })
      sent?.destroy()
    }
    let isOver = false
    let sent: ClientRequest | null = null
    const stop = (): void => end({ error: "stopped" })
    const deadline = setTimeout(() => end({ error: `not done within ${ask.deadlineMs} ms` }), ask.deadlineMs)
    signal?.addEventListener("abort", stop, { once: true })
    if (signal?.aborted === true) return stop()
    try {
      sent = (ask.tls ? httpsRequest : httpRequest)(optionsOf(ask))
    } catch (cause) {
      // Node refuses paths and names that would break the request's syntax.
      return end({ error: cause instanceof Error ? cause.message.slice(0, TEXT_MAX) : "it cannot be asked" })
    }
    sent.on("error", (cause: NodeJS.ErrnoException) => end({ error: reasonOf(cause) }))
    // A server that answers 101 to a GET is none that we talk to.
    sent.on("upgrade", (_, socket) => {
      socket.destroy()
      end({ error: "the server switched protocols" })
    })
    sent.on("response", (response) => {
      result = headOf(response, performance.now() - startedMs)
      readBody(response, ask.bodyMax, end)
    })
    sent.end()
  })

const NOTHING: HttpResult = {
  status: null,
  latencyMs: null,
  location: null,
  bodyBytes: 0,
  truncated: false,
  tls: null,
  error: null,
}

const optionsOf = ({
  to,
  port,
  tls,
  path,
  host,
}: HttpAsk): RequestOptions & { readonly rejectUnauthorized: boolean } => {
  const shown = to.family === 6 ? `[${to.text}]` : to.text
  const name = host ?? shown
  const isUsual = port === (tls ? 443 : 80)
  return {
    method: "GET",
    host: to.text,
    family: to.family,
    port,
    path,
    // No shared sockets: a probe measures a connection of its own.
    agent: false,
    maxHeaderSize: HEAD_MAX,
    rejectUnauthorized: false,
    headers: {
      host: isUsual ? name : `${name}:${port}`,
      "user-agent": "heliograph-probe",
      accept: "*/*",
      connection: "close",
    },
    // RFC 6066: no address as a server name.
    ...(tls && host !== null && isIP(host) === 0 ? { servername: host } : {}),
  }
}

const headOf = (response: IncomingMessage, latencyMs: number): HttpResult => ({
  ...NOTHING,
  status: response.statusCode ?? null,
  latencyMs,
  location: response.headers.location?.slice(0, TEXT_MAX) ?? null,
  tls: response.socket instanceof TLSSocket ? tlsOf(response.socket) : null,
})

const tlsOf = (socket: TLSSocket): TlsDetails => {
  const certificate = socket.getPeerCertificate()
  const validToMs = Date.parse(certificate.valid_to ?? "")
  const { CN } = (certificate.subject ?? {}) as { readonly CN?: string | string[] }
  return {
    protocol: socket.getProtocol(),
    cipher: socket.getCipher()?.name ?? null,
    trusted: socket.authorized,
    problem: socket.authorized ? null : String(socket.authorizationError ?? "unknown").slice(0, TEXT_MAX),
    subject: CN === undefined ? null : [CN].flat().join(", ").slice(0, TEXT_MAX),
    validToMs: Number.isNaN(validToMs) ? null : validToMs,
    fingerprint: certificate.fingerprint256 ?? null,
  }
}

const readBody = (response: IncomingMessage, bodyMax: number, end: (more: Partial<HttpResult>) => void): void => {
  if (bodyMax === 0) return end({})
  let bodyBytes = 0
  response.on("data", (chunk: Buffer) => {
    bodyBytes += chunk.length
    if (bodyBytes > bodyMax) end({ bodyBytes: bodyMax, truncated: true })
  })
  response.on("end", () => end({ bodyBytes }))
  response.on("error", (cause: NodeJS.ErrnoException) => end({ bodyBytes, error: reasonOf(cause) }))
}
