/**
 * Which site a request comes from, and which it means. Browsers name their page in Origin and Sec-Fetch-Site and a page
 * cannot forge them; a request that changes something, or that opens a stream, must come from our own pages (OWASP CSRF
 * cheat sheet: verifying origin, Fetch Metadata). Programs send neither header and carry no stolen cookie, so they pass.
 */
import type { IncomingMessage } from "node:http"
import { BlockList, isIP } from "node:net"
import { TLSSocket } from "node:tls"

/** How browsers reach us. */
export interface Site {
  /** What stands in their address bar when a proxy stands between; null = the Host header counts. */
  readonly publicUrl: string | null
  /** This engine ends TLS itself. */
  readonly tls?: boolean
}

/** The one place that knows whether browsers speak https with us: HSTS, Secure and `__Host-` follow it. */
export const isHttps = ({ publicUrl, tls }: Site): boolean => tls === true || publicUrl?.startsWith("https:") === true

export const isForeign = (request: IncomingMessage, publicUrl: string | null): boolean => {
  const { origin, host } = request.headers
  if (isForeignSite(request)) return true
  if (origin === undefined) return false
  if (publicUrl !== null) return origin !== new URL(publicUrl).origin
  const url = URL.parse(origin)
  const scheme = request.socket instanceof TLSSocket ? "https:" : null
  if (url === null || url.origin !== origin || (scheme !== null && url.protocol !== scheme)) return true
  return url.host !== host?.toLowerCase().replace(scheme === null ? /:80$/ : /:443$/, "")
}

/** A page of another site makes its browser read from us: never, but for somebody who follows a link to one of our screens. */
export const isForeignRead = (request: IncomingMessage): boolean =>
  isForeignSite(request) && request.headers["sec-fetch-mode"] !== "navigate"

const isForeignSite = ({ headers: { "sec-fetch-site": site } }: IncomingMessage): boolean =>
  typeof site === "string" && site !== "same-origin" && site !== "none"

/**
 * Whether the Host header may mean us. A stranger's name that suddenly leads to our address (DNS rebinding) makes that
 * stranger's pages "same-origin" with us; so where we know our name, other names are refused. Addresses and names
 * without a dot pass: nobody can own those in public DNS, and monitors and containers use them.
 */
export const isOurHost = (host: string | undefined, publicUrl: string | null): boolean => {
  if (host === undefined || host.length > 255) return false
  if (publicUrl !== null && host.toLowerCase() === new URL(publicUrl).host) return true
  const url = URL.parse(`http://${host}/`)
  if (url === null || url.pathname !== "/" || url.username !== "" || host.includes("@")) return false
  const name = url.hostname.replace(/^\[|\]$/g, "")
  if (isIP(name) !== 0 || !name.includes(".")) return true
  return publicUrl !== null && name === new URL(publicUrl).hostname
}

/** Header fields that mean one thing: two of them are two opinions of where a request goes or who sends it. */
const SINGLE = new Set([
  "host",
  "authorization",
  "origin",
  "sec-fetch-site",
  "content-type",
  "content-length",
  "content-encoding",
  "idempotency-key",
  "if-match",
])

/** The name of a field that stands there twice; null = none does. Node keeps the first of some and joins others. */
export const repeatedField = ({ rawHeaders }: IncomingMessage): string | null => {
  const seen = new Set<string>()
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!.toLowerCase()
    if (!SINGLE.has(name)) continue
    if (seen.has(name)) return name
    seen.add(name)
  }
  return null
}

/** Where a proxy of ours may stand: this machine and private networks (RFC 1918, RFC 4193, RFC 6598). */
const NEAR = new BlockList()
for (const [base, bits] of [
  ["127.0.0.0", 8],
  ["10.0.0.0", 8],
  ["172.16.0.0", 12],
  ["192.168.0.0", 16],
  ["100.64.0.0", 10],
] as const)
  NEAR.addSubnet(base, bits, "ipv4")
NEAR.addSubnet("::1", 128, "ipv6")
NEAR.addSubnet("fc00::", 7, "ipv6")

export const isNear = (address: string): boolean => {
  const plain = address.replace(/^::ffff:/, "")
  return NEAR.check(plain, isIP(plain) === 6 ? "ipv6" : "ipv4")
}

/** The peer is a proxy that may speak for others: one is declared (publicUrl), it is near, and we do not end TLS ourselves. */
export const isFromProxy = (request: IncomingMessage, publicUrl: string | null): boolean => {
  const peer = request.socket.remoteAddress
  if (publicUrl === null || peer === undefined || request.socket instanceof TLSSocket) return false
  return isNear(peer)
}

/** The peer's address; behind a declared proxy the last one that the proxy has seen. */
export const sourceAddress = (request: IncomingMessage, publicUrl: string | null): string => {
  const forwarded = request.headers["x-forwarded-for"]
  const seen =
    typeof forwarded === "string" && isFromProxy(request, publicUrl) ? forwarded.split(",").at(-1)?.trim() : undefined
  return seen === undefined || seen === "" ? (request.socket.remoteAddress ?? "unknown") : seen.slice(0, 64)
}
