/**
 * HELIOGRAPH_BASEMAP_URL: an operator's own PMTiles archive, fetched once into the data directory and served from
 * there, so that browsers never ask another origin. Fetched again when the URL changes.
 */
import { createHash } from "node:crypto"
import { existsSync } from "node:fs"
import { open, rename, rm } from "node:fs/promises"
import { join } from "node:path"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"

export class BasemapDownloadFailed extends Data.TaggedError("BasemapDownloadFailed")<{ readonly message: string }> {}

/** A country at street level; the whole planet is 120 GB and belongs on a tile server. */
export const BASEMAP_BYTES_MAX = 8 * 1024 ** 3
const MAGIC = "PMTiles"

/** Path of the archive on this machine. Interruption stops the transfer and leaves nothing behind. */
export const downloadBasemap = (
  url: string,
  dataDir: string,
  onProgress: (bytes: number) => void = () => {},
): Effect.Effect<string, BasemapDownloadFailed> =>
  Effect.suspend(() => {
    const name = createHash("sha256").update(url).digest("hex").slice(0, 16)
    const path = join(dataDir, `basemap-${name}.pmtiles`)
    if (existsSync(path)) return Effect.succeed(path)
    return Effect.tryPromise({
      try: (signal) => fetchInto(url, path, signal, onProgress),
      catch: (cause) =>
        new BasemapDownloadFailed({
          message: `HELIOGRAPH_BASEMAP_URL ${url} could not be fetched: ${cause instanceof Error ? cause.message : "unknown reason"}`,
        }),
    })
  })

const fetchInto = async (
  url: string,
  path: string,
  signal: AbortSignal,
  onProgress: (bytes: number) => void,
): Promise<string> => {
  const response = await fetch(url, { signal })
  if (!response.ok || response.body === null) throw new Error(`the server answered ${response.status}`)
  const part = `${path}.${process.pid}.part`
  const file = await open(part, "w", 0o644)
  try {
    let bytes = 0
    for await (const chunk of response.body) {
      if (bytes === 0 && Buffer.from(chunk).toString("latin1", 0, MAGIC.length) !== MAGIC)
        throw new Error("what came is not a PMTiles archive")
      bytes += chunk.length
      if (bytes > BASEMAP_BYTES_MAX) throw new Error(`it is larger than ${BASEMAP_BYTES_MAX} bytes`)
      await file.write(chunk)
      onProgress(bytes)
    }
    if (bytes === 0) throw new Error("nothing came")
    await file.sync()
    await file.close()
    await rename(part, path)
    return path
  } finally {
    await file.close().catch(() => {})
    await rm(part, { force: true })
  }
}
