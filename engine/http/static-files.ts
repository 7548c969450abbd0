/**
 * The browser bundle, read into memory once and served by name from a map, so that no path of a request ever reaches
 * the file system. Hashed assets are immutable; compressed forms are made on first demand and kept beside the file.
 */
import { createHash } from "node:crypto"
import { readdir, readFile } from "node:fs/promises"
import type { IncomingMessage, ServerResponse } from "node:http"
import { extname, join, relative, sep } from "node:path"
import { promisify } from "node:util"
import { brotliCompress, constants, gzip } from "node:zlib"
import { answerProblem, PROBLEMS } from "#engine/http/answer.ts"

/** All files together, uncompressed. A bundle beyond it is a mistake of the build. */
export const STATIC_BYTES_MAX = 64 * 1024 * 1024

export interface StaticFiles {
  /** Answers any GET or HEAD that is not the API's: a file, the app shell, or 404. */
  readonly serve: (request: IncomingMessage, response: ServerResponse, path: string) => Promise<void>
  readonly count: number
}

interface File {
  readonly type: string
  readonly cache: string
  readonly plain: Variant
  readonly packed: Map<Encoding, Promise<Variant>>
}
interface Variant {
  readonly bytes: Buffer
  readonly etag: string
}
type Encoding = "br" | "gzip"

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".webmanifest": "application/manifest+json",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".webp": "image/webp",
  ".woff2": "font/woff2",
  ".pbf": "application/x-protobuf",
  ".txt": "text/plain; charset=utf-8",
}
/** Worth compressing: the others are compressed already. */
const PACKABLE = /^(text\/|application\/(json|manifest|x-protobuf)|image\/svg)/
const PACK_BYTES_MIN = 1024

/** Rejects when the directory cannot be read or is too big. Dot files are left out. */
export const loadStaticFiles = async (directory: string): Promise<StaticFiles> => {
  const files = new Map<string, File>()
  let total = 0
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    const name = relative(directory, path).split(sep).join("/")
    if (!entry.isFile() || name.split("/").some((part) => part.startsWith("."))) continue
    const bytes = await readFile(path)
    total += bytes.length
    if (total > STATIC_BYTES_MAX) throw new Error(`${directory} holds more than ${STATIC_BYTES_MAX} bytes`)
    files.set(`/${name}`, {
      type: TYPES[extname(name).toLowerCase()] ?? "application/octet-stream",
      // Vite puts a hash of the content before the extension: such a name never means other bytes.
      cache: /-[\w-]{8,}\.\w+$/.test(name) ? "public, max-age=31536000, immutable" : "no-cache",
      plain: { bytes, etag: `"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"` },
      packed: new Map(),
    })
  }
  return { count: files.size, serve: (request, response, path) => serve(files, request, response, path) }
}

const serve = async (
  files: ReadonlyMap<string, File>,
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
): Promise<void> => {
  if (request.method !== "GET" && request.method !== "HEAD") return answerProblem(response, PROBLEMS.wrongMethod)
  const file = files.get(path) ?? (isScreen(path) ? files.get("/index.html") : undefined)
  if (file === undefined) return answerProblem(response, PROBLEMS.notFound)
  const encoding = chooseEncoding(file, request.headers["accept-encoding"])
  const variant = encoding === null ? file.plain : await packed(file, encoding)
  response.setHeader("ETag", variant.etag)
  response.setHeader("Cache-Control", file.cache)
  response.setHeader("Vary", "Accept-Encoding")
  if (matches(request.headers["if-none-match"], variant.etag)) {
    response.writeHead(304).end()
    return
  }
  response.writeHead(200, {
    "Content-Type": file.type,
    "Content-Length": variant.bytes.length,
    ...(encoding === null ? {} : { "Content-Encoding": encoding }),
  })
  response.end(request.method === "HEAD" ? undefined : variant.bytes)
}

/** Addresses of screens (`/`, `/devices/...`) get the app shell; whatever looks like a file must exist. */
const isScreen = (path: string): boolean => !path.slice(path.lastIndexOf("/")).includes(".")

const chooseEncoding = (file: File, accept: string | string[] | undefined): Encoding | null => {
  if (typeof accept !== "string" || !PACKABLE.test(file.type) || file.plain.bytes.length < PACK_BYTES_MIN) return null
  const offered = accept.split(",").map((part) => part.split(";").map((word) => word.trim()))
  const takes = (name: Encoding): boolean =>
    offered.some(([coding, q]) => coding === name && !/^q=0(\.0*)?$/.test(q ?? ""))
  return takes("br") ? "br" : takes("gzip") ? "gzip" : null
}

const brotli = promisify(brotliCompress)
const deflate = promisify(gzip)

/** Compressed off the main thread, once per file and encoding. */
const packed = (file: File, encoding: Encoding): Promise<Variant> => {
  const known = file.packed.get(encoding)
  if (known !== undefined) return known
  const { bytes, etag } = file.plain
  const made = (
    encoding === "br" ? brotli(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 6 } }) : deflate(bytes)
  ).then((packedBytes) => ({ bytes: packedBytes, etag: `${etag.slice(0, -1)}-${encoding}"` }))
  file.packed.set(encoding, made)
  return made
}

const matches = (header: string | undefined, etag: string): boolean =>
  header !== undefined && header.split(",").some((one) => one.trim().replace(/^W\//, "") === etag)
