/**
 * GET /basemap.pmtiles: the one archive of the base map, by byte range (RFC 9110 s14), as the PMTiles reader of the
 * browser asks for it. One range per request; the file's name is the engine's, never the request's.
 */
import { open } from "node:fs/promises"
import type { IncomingMessage, ServerResponse } from "node:http"
import { pipeline } from "node:stream/promises"
import { answerProblem, PROBLEMS } from "#engine/http/answer.ts"

export const serveBasemap = async (
  request: IncomingMessage,
  response: ServerResponse,
  path: string | null,
): Promise<void> => {
  if (request.method !== "GET" && request.method !== "HEAD") return answerProblem(response, PROBLEMS.wrongMethod)
  const file = path === null ? null : await open(path, "r").catch(() => null)
  if (file === null) return answerProblem(response, PROBLEMS.notFound)
  try {
    const { size, mtimeMs } = await file.stat()
    const etag = `"${size.toString(36)}-${Math.floor(mtimeMs).toString(36)}"`
    response.setHeader("Accept-Ranges", "bytes")
    response.setHeader("ETag", etag)
    response.setHeader("Cache-Control", "private, no-cache")
    response.setHeader("Content-Type", "application/vnd.pmtiles")
    if (request.headers["if-none-match"] === etag) {
      response.writeHead(304).end()
      return
    }
    const range =
      request.headers["if-range"] !== undefined && request.headers["if-range"] !== etag
        ? undefined
        : request.headers.range
    const part = readRange(range, size)
    if (part === null) {
      response.setHeader("Content-Range", `bytes */${size}`)
      return answerProblem(response, PROBLEMS.badRange)
    }
    const whole = part.from === 0 && part.to === size - 1 && range === undefined
    if (!whole) response.setHeader("Content-Range", `bytes ${part.from}-${part.to}/${size}`)
    response.writeHead(whole ? 200 : 206, { "Content-Length": part.to - part.from + 1 })
    if (request.method === "HEAD" || size === 0) response.end()
    else await pipeline(file.createReadStream({ start: part.from, end: part.to, autoClose: false }), response)
  } finally {
    await file.close()
  }
}

/**
 * The bytes to send, both ends included; null when they do not exist. A form that we do not serve (several ranges,
 * other units) counts as no range at all, which RFC 9110 s14.2 allows.
 */
export const readRange = (
  header: string | undefined,
  size: number,
): { readonly from: number; readonly to: number } | null => {
  const whole = { from: 0, to: size - 1 }
  const found = header === undefined ? null : /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header.trim())
  if (found === null || (found[1] === "" && found[2] === "")) return whole
  if (found[1] === "") {
    const last = Number(found[2])
    return last === 0 || size === 0 ? null : { from: Math.max(0, size - last), to: size - 1 }
  }
  const from = Number(found[1])
  const to = found[2] === "" ? size - 1 : Math.min(Number(found[2]), size - 1)
  return from >= size || from > to ? null : { from, to }
}
