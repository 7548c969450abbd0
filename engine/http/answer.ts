/** Answers that need no API: problems (RFC 9457), JSON and text, with the headers that every answer carries. */
import { STATUS_CODES } from "node:http"
import type { ServerResponse } from "node:http"

/**
 * Everything is loaded from our own origin, nothing inline; MapLibre and uPlot style through the CSSOM, which no policy
 * restricts. Blob images are allowed because MapLibre decodes sprites and tiles through them. `connect-src 'self'` covers
 * the stream (CSP3: ws of the same host and port).
 */
export const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "worker-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data: blob:",
  "style-src 'self'",
  "font-src 'self'",
  "manifest-src 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  // No text becomes script or HTML but by the one policy of client/trusted-types.ts.
  "require-trusted-types-for 'script'",
  "trusted-types default",
].join("; ")

/** How far browsers are told to use https alone; null = not at all. */
export type Hsts = "host" | "subdomains" | null

export const setSecurityHeaders = (response: ServerResponse, hsts: Hsts): void => {
  response.setHeader("Content-Security-Policy", CONTENT_SECURITY_POLICY)
  response.setHeader("X-Content-Type-Options", "nosniff")
  response.setHeader("Referrer-Policy", "no-referrer")
  response.setHeader("Cross-Origin-Opener-Policy", "same-origin")
  response.setHeader("Cross-Origin-Resource-Policy", "same-origin")
  response.setHeader("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
  response.setHeader("Cache-Control", "no-store")
  if (hsts !== null)
    response.setHeader("Strict-Transport-Security", `max-age=31536000${hsts === "host" ? "" : "; includeSubDomains"}`)
}

export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail?: string
}

const problem = (status: number, name: string, title: string): Problem => ({
  type: `urn:heliograph:${name}`,
  title,
  status,
})
export const PROBLEMS = {
  notSignedIn: problem(401, "not-signed-in", "Sign in first"),
  forbidden: problem(403, "forbidden", "You may not do this"),
  foreignOrigin: problem(403, "foreign-origin", "Only this site's own pages may ask for that"),
  notFound: problem(404, "not-found", "There is no such thing here"),
  wrongMethod: problem(405, "wrong-method", "That method is not served here"),
  lengthRequired: problem(411, "length-required", "A body must come with its Content-Length"),
  ambiguous: problem(400, "ambiguous-request", "The request can be read in two ways"),
  packedBody: problem(415, "packed-body", "A body must come without Content-Encoding"),
  wrongHost: problem(421, "wrong-host", "This engine does not answer for that host name; set HELIOGRAPH_PUBLIC_URL"),
  tooSlow: problem(503, "too-slow", "This took longer than a request may take"),
  tooLarge: problem(413, "too-large", "The body is too large"),
  urlTooLong: problem(414, "url-too-long", "The address is too long"),
  badRange: problem(416, "bad-range", "That part does not exist"),
  upgradeRequired: problem(426, "upgrade-required", "This address speaks WebSocket only"),
  tooManyViewers: problem(503, "too-many-viewers", "This tenant has as many live streams open as it may have"),
  unavailable: problem(503, "unavailable", "Something this needs is away; try again soon"),
  defect: problem(500, "defect", "The engine made a mistake; it is in the log"),
} as const

export const answerProblem = (response: ServerResponse, { type, title, status, detail }: Problem): void => {
  const body = JSON.stringify({ type, title, status, ...(detail === undefined ? {} : { detail }) })
  if (status >= 400 && status !== 401 && status !== 404) response.setHeader("Connection", "close")
  answer(response, status, "application/problem+json", body)
}

/** For a socket that has no ServerResponse (any more); the connection ends with it. */
export const rawProblem = ({ type, title, status, detail }: Problem): string => {
  const body = JSON.stringify({ type, title, status, ...(detail === undefined ? {} : { detail }) })
  return (
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\n` +
    `Content-Type: application/problem+json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
  )
}

export const answerJson = (response: ServerResponse, status: number, body: unknown): void =>
  answer(response, status, "application/json", JSON.stringify(body))

export const answer = (response: ServerResponse, status: number, type: string, body: string): void => {
  const bytes = Buffer.from(body)
  response.writeHead(status, { "Content-Type": type, "Content-Length": bytes.length })
  response.end(response.req.method === "HEAD" ? undefined : bytes)
}
