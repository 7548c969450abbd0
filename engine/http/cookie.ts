/**
 * The session cookie: opaque, HttpOnly, SameSite=Strict. Behind https it is Secure and takes the `__Host-` prefix
 * (RFC 6265bis s4.1.3), so that neither a neighbour domain nor plain http can set it; over plain http, on a NOC's own
 * machine, browsers would drop such a cookie.
 */
import type { IncomingMessage } from "node:http"
import type { Presented } from "#engine/access/principal.ts"
import { SESSION_COOKIE } from "#engine/api/signed-in.ts"

export const cookieName = (https: boolean): string => (https ? `__Host-${SESSION_COOKIE}` : SESSION_COOKIE)

/** The value of one cookie of a Cookie header; null when it is not there, or is there twice with two values. */
export const readCookie = (header: string | undefined, name: string): string | null => {
  if (header === undefined) return null
  let found: string | null = null
  for (const part of header.split(";")) {
    const equals = part.indexOf("=")
    if (equals < 0 || part.slice(0, equals).trim() !== name) continue
    const value = part.slice(equals + 1).trim()
    if (found !== null && found !== value) return null
    found = value
  }
  // 256: longer than any token of ours, short enough to hash for nothing.
  return found === null || found === "" || found.length > 256 ? null : found
}

/** The Set-Cookie value that opens a session; `maxAgeS` 0 ends it. */
export const sessionCookie = (token: string, maxAgeS: number, https: boolean): string =>
  `${cookieName(https)}=${token}; Path=/; Max-Age=${Math.max(0, Math.floor(maxAgeS))}; HttpOnly; SameSite=Strict${https ? "; Secure" : ""}`

/** What a request proves itself with: a bearer token if it has one, else the session cookie; null = nothing. */
export const presentedBy = (request: IncomingMessage, https: boolean): Presented | null => {
  const bearer = /^Bearer ([^\s]{1,256})$/i.exec(request.headers.authorization ?? "")?.[1]
  if (bearer !== undefined) return { kind: "bearer", token: bearer }
  const cookie = readCookie(request.headers.cookie, cookieName(https))
  return cookie === null ? null : { kind: "cookie", token: cookie }
}
