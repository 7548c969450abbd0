/**
 * Which site a request comes from. Browsers name it in Origin and Sec-Fetch-Site and a page cannot forge them; a
 * request that changes something, or that opens a stream, must come from our own pages (OWASP CSRF cheat sheet:
 * verifying origin, Fetch Metadata). Programs send neither header and carry no stolen cookie, so they pass.
 */
import type { IncomingMessage } from "node:http"

/** `publicUrl`: what browsers have in their address bar when a proxy stands between; else the Host header counts. */
export const isForeign = (request: IncomingMessage, publicUrl: string | null): boolean => {
  const { origin, host, "sec-fetch-site": site } = request.headers
  if (typeof site === "string" && site !== "same-origin" && site !== "none") return true
  if (origin === undefined) return false
  if (publicUrl !== null) return origin !== new URL(publicUrl).origin
  const url = URL.parse(origin)
  return url === null || url.origin !== origin || url.host !== host?.toLowerCase()
}

/** The peer's address; behind a declared proxy the last one that the proxy has seen. */
export const sourceAddress = (request: IncomingMessage, publicUrl: string | null): string => {
  const forwarded = request.headers["x-forwarded-for"]
  const seen = publicUrl === null || typeof forwarded !== "string" ? undefined : forwarded.split(",").at(-1)?.trim()
  return seen === undefined || seen === "" ? (request.socket.remoteAddress ?? "unknown") : seen.slice(0, 64)
}
