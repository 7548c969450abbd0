/**
 * Writes a PMTiles v3 archive: one file that a browser reads with HTTP ranges.
 * Own writer, because the npm package only reads. Byte-identical for equal input: entries are sorted, equal tiles are
 * stored once, gzip carries no time. Source: github.com/protomaps/PMTiles, spec/v3/spec.md; numbers in brackets are its chapters.
 */
import { gzipSync } from "node:zlib"

export interface Tile {
  readonly z: number
  readonly x: number
  readonly y: number
  /** Encoded vector tile, not compressed. */
  readonly data: Uint8Array
}

export interface ArchiveOptions {
  readonly minZoom: number
  readonly maxZoom: number
  /** Start view, WGS 84 degrees. */
  readonly center: { readonly longitude: number; readonly latitude: number; readonly zoom: number }
  /** TileJSON-like metadata: name, attribution, vector_layers. */
  readonly metadata: Readonly<Record<string, unknown>>
}

interface Entry {
  readonly tileId: number
  readonly offset: number
  readonly length: number
  runLength: number
}

const HEADER_BYTES = 127
/** The header and root directory must fit in a reader's first request [5]. */
const ROOT_MAX_BYTES = 16_384 - HEADER_BYTES
const LEAF_ENTRIES = 2_048
const COMPRESSION_GZIP = 2
const TILE_TYPE_MVT = 1

/** The whole archive in memory. Throws when two tiles have one place. */
export const writeArchive = (tiles: readonly Tile[], options: ArchiveOptions): Buffer => {
  const { entries, data, distinct } = layOut(tiles)
  const { root, leaves } = directories(entries)
  const metadata = gzip(Buffer.from(JSON.stringify(options.metadata)))
  const rootOffset = HEADER_BYTES
  const metadataOffset = rootOffset + root.length
  const leavesOffset = metadataOffset + metadata.length
  const dataOffset = leavesOffset + leaves.length
  const header = Buffer.alloc(HEADER_BYTES)
  header.write("PMTiles", 0, "latin1")
  header.writeUInt8(3, 7)
  const words = [rootOffset, root.length, metadataOffset, metadata.length, leavesOffset, leaves.length, dataOffset]
  words.push(data.length, tiles.length, entries.length, distinct)
  words.forEach((word, index) => header.writeBigUInt64LE(BigInt(word), 8 + index * 8))
  header.writeUInt8(1, 96) // clustered: data lies in the order of tile ids
  header.writeUInt8(COMPRESSION_GZIP, 97)
  header.writeUInt8(COMPRESSION_GZIP, 98)
  header.writeUInt8(TILE_TYPE_MVT, 99)
  header.writeUInt8(options.minZoom, 100)
  header.writeUInt8(options.maxZoom, 101)
  const degrees = [-180, -85.0511287, 180, 85.0511287]
  degrees.forEach((degree, index) => header.writeInt32LE(Math.round(degree * 1e7), 102 + index * 4))
  header.writeUInt8(options.center.zoom, 118)
  header.writeInt32LE(Math.round(options.center.longitude * 1e7), 119)
  header.writeInt32LE(Math.round(options.center.latitude * 1e7), 123)
  return Buffer.concat([header, root, metadata, leaves, data])
}

/** Position on the Hilbert curve, all lower zooms first [4.1]. */
export const tileId = (z: number, x: number, y: number): number => {
  let id = (4 ** z - 1) / 3
  let [tx, ty] = [x, y]
  for (let side = 2 ** (z - 1); side >= 1; side /= 2) {
    const rx = (tx & side) > 0 ? 1 : 0
    const ry = (ty & side) > 0 ? 1 : 0
    id += side * side * ((3 * rx) ^ ry)
    if (ry === 0) {
      if (rx === 1) [tx, ty] = [side - 1 - tx, side - 1 - ty]
      ;[tx, ty] = [ty, tx]
    }
  }
  return id
}

const layOut = (tiles: readonly Tile[]) => {
  const sorted = tiles
    .map((tile) => ({ id: tileId(tile.z, tile.x, tile.y), data: tile.data }))
    .sort((a, b) => a.id - b.id)
  const seen = new Map<string, { offset: number; length: number }>()
  const entries: Entry[] = []
  const chunks: Buffer[] = []
  let end = 0
  for (const { id, data } of sorted) {
    const last = entries.at(-1)
    if (last !== undefined && id < last.tileId + last.runLength) throw new Error(`PMTiles: tile id ${id} comes twice`)
    const key = Buffer.from(data).toString("latin1")
    let place = seen.get(key)
    if (place === undefined) {
      const packed = gzip(data)
      place = { offset: end, length: packed.length }
      seen.set(key, place)
      chunks.push(packed)
      end += packed.length
    }
    const follows = last !== undefined && last.tileId + last.runLength === id && last.offset === place.offset
    if (follows) last.runLength++
    else entries.push({ tileId: id, ...place, runLength: 1 })
  }
  return { entries, data: Buffer.concat(chunks), distinct: seen.size }
}

const directories = (entries: readonly Entry[]): { root: Buffer; leaves: Buffer } => {
  const whole = directory(entries)
  if (whole.length <= ROOT_MAX_BYTES) return { root: whole, leaves: Buffer.alloc(0) }
  const rootEntries: Entry[] = []
  const leaves: Buffer[] = []
  let end = 0
  for (let at = 0; at < entries.length; at += LEAF_ENTRIES) {
    const part = entries.slice(at, at + LEAF_ENTRIES)
    const leaf = directory(part)
    rootEntries.push({ tileId: part[0]?.tileId ?? 0, offset: end, length: leaf.length, runLength: 0 })
    leaves.push(leaf)
    end += leaf.length
  }
  return { root: directory(rootEntries), leaves: Buffer.concat(leaves) }
}

/** Varint columns: ids as deltas, run lengths, lengths, offsets (0 = right behind the entry before) [4.2]. */
const directory = (entries: readonly Entry[]): Buffer => {
  const bytes: number[] = []
  const varint = (value: number) => {
    let rest = value
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80)
    bytes.push(rest)
  }
  varint(entries.length)
  entries.forEach((entry, index) => varint(entry.tileId - (entries[index - 1]?.tileId ?? 0)))
  for (const entry of entries) varint(entry.runLength)
  for (const entry of entries) varint(entry.length)
  entries.forEach((entry, index) => {
    const before = entries[index - 1]
    const adjoins = before !== undefined && before.offset + before.length === entry.offset
    varint(adjoins ? 0 : entry.offset + 1)
  })
  return gzip(Buffer.from(bytes))
}

const gzip = (data: Uint8Array): Buffer => gzipSync(data, { level: 9 })
