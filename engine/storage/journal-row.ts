/**
 * One row of the journal: the inputs of one append, packed. The same row goes to the table or, while the database is
 * away, to the spool, and a retry sends exactly the same row again: that is what makes "exactly once" simple.
 */
import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib"
import type { Sequenced } from "#twin/input.ts"

/** engine/tenant/journal-codec.ts: inputs to bytes and back. */
export interface BatchCodec {
  readonly encodeBatch: (batch: readonly Sequenced[]) => Uint8Array
  readonly decodeBatch: (bytes: Uint8Array) => readonly Sequenced[]
}

export interface JournalRow {
  /** Of its first input. */
  readonly seq: number
  readonly count: number
  readonly epoch: number
  /** Newest input. */
  readonly atMs: number
  readonly data: Buffer
}

/** First byte of `data`. */
const PLAIN = 0
const ZSTD = 1
/** Smaller rows do not gain enough to pay for the call (about 50 us). */
const COMPRESS_MIN = 512
const DECOMPRESSED_MAX = 512 << 20
/** Year 9999: what the column accepts. */
const AT_MAX = 253_402_300_799_999

export const rowOf = (
  batch: readonly Sequenced[],
  epoch: number,
  codec: BatchCodec,
  compressMin = COMPRESS_MIN,
): JournalRow => {
  let atMs = 0
  for (const { input } of batch) atMs = Math.max(atMs, input.atMs)
  const bytes = codec.encodeBatch(batch)
  return {
    seq: batch[0]!.seq,
    count: batch.length,
    epoch,
    atMs: Math.min(AT_MAX, Math.trunc(atMs)),
    data:
      bytes.length < compressMin
        ? Buffer.concat([Buffer.from([PLAIN]), bytes])
        : Buffer.concat([Buffer.from([ZSTD]), zstdCompressSync(bytes, { ...FAST, chunkSize: roomFor(bytes.length) })]),
  }
}
// A journal of polls shrinks 5 times at level 1; higher levels cost more and gain nothing (measured).
const FAST = { params: { [constants.ZSTD_c_compressionLevel]: 1 } }

/** Throws what the codec throws for damaged bytes, or an Error of the decompression. */
export const batchOf = (data: Buffer, codec: BatchCodec): readonly Sequenced[] =>
  codec.decodeBatch(
    data[0] === ZSTD
      ? zstdDecompressSync(data.subarray(1), {
          maxOutputLength: DECOMPRESSED_MAX,
          chunkSize: roomFor(data.length * SHRINKS),
        })
      : data.subarray(1),
  )

/** How much smaller a row of polls gets, about. */
const SHRINKS = 6
/** The piece of memory that zlib works with: its own choice, 16 kB whatever the row, was most of the journal's garbage. */
const roomFor = (bytes: number): number => Math.min(64 << 10, Math.max(1 << 10, bytes))

const HEADER = 28

/** The row as a record of the spool. */
export const packRow = (row: JournalRow): Buffer => {
  const header = Buffer.alloc(HEADER)
  header.writeDoubleLE(row.seq, 0)
  header.writeDoubleLE(row.epoch, 8)
  header.writeDoubleLE(row.atMs, 16)
  header.writeUInt32LE(row.count, 24)
  return Buffer.concat([header, row.data])
}

export const unpackRow = (record: Buffer): JournalRow => ({
  seq: record.readDoubleLE(0),
  epoch: record.readDoubleLE(8),
  atMs: record.readDoubleLE(16),
  count: record.readUInt32LE(24),
  data: record.subarray(HEADER),
})
