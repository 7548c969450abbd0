/**
 * A local file of records that survives a crash: what is appended is on the disk (fdatasync) before append resolves.
 * Frames are [length u32][CRC-32 u32][bytes], little-endian. A torn or damaged tail is cut off when the file is opened: those
 * records were never acknowledged. Records are read in order and the file is emptied once all have been taken.
 */
import { dirname } from "node:path"
import { crc32 } from "node:zlib"
import { NODE_DISK, type Disk, type DiskFile } from "#engine/storage/disk.ts"

export interface Spool {
  /** Durable when it resolves; after a rejection nothing of this call is in the spool. One call at a time, no empty record. */
  readonly append: (records: readonly Buffer[]) => Promise<void>
  /** The next records after the ones taken, at most about `maxBytes` of them (at least one); [] = all are taken. */
  readonly peek: (maxBytes: number) => Promise<readonly Buffer[]>
  /** Marks the first `count` records of the last peek as taken. */
  readonly take: (count: number) => void
  /** Empties the file. Only when all records are taken. After a rejection they may be offered again at the next opening. */
  readonly clear: () => Promise<void>
  /** Bytes in the file, taken or not. */
  readonly size: () => number
  /** Bytes not yet taken. */
  readonly pending: () => number
  readonly close: () => Promise<void>
}

const HEADER = 8
/** A frame that claims to be longer is damage. */
const RECORD_MAX = 256 << 20

/** Opens or makes the file; every record in it counts as not taken. */
export const openSpool = async (path: string, disk: Disk = NODE_DISK): Promise<Spool> => {
  const isNew = !(await disk.exists(path))
  const file = await disk.open(path)
  // A file whose name is not on the disk goes with the power, however well its bytes were synced.
  if (isNew) await disk.syncFolder(dirname(path))
  const found = await file.size()
  let end = await soundLength(file, found)
  if (end < found) {
    await file.truncate(end)
    await file.datasync()
  }
  let taken = 0
  let peeked: readonly number[] = []

  return {
    append: async (records) => {
      if (records.some((record) => record.length === 0)) throw new RangeError("a record of a spool may not be empty")
      const bytes = Buffer.concat(records.flatMap((record) => [headerOf(record), record]))
      try {
        await writeAll(file, bytes, end)
        await file.datasync()
      } catch (error) {
        // Half a frame must not stay in front of the next one.
        await file.truncate(end).catch(() => {})
        throw error
      }
      end += bytes.length
    },
    peek: async (maxBytes) => {
      const records = await readFrames(file, taken, end, maxBytes)
      peeked = records.map((record) => HEADER + record.length)
      return records
    },
    take: (count) => {
      for (const length of peeked.slice(0, count)) taken += length
      peeked = peeked.slice(count)
    },
    clear: async () => {
      if (taken !== end) throw new Error("a spool may be cleared only when everything in it was taken")
      await file.truncate(0)
      // From here on the file is empty, synced or not: what comes next must not stand behind a hole.
      taken = 0
      end = 0
      await file.datasync()
    },
    size: () => end,
    pending: () => end - taken,
    close: () => file.close(),
  }
}

const headerOf = (record: Buffer): Buffer => {
  const header = Buffer.alloc(HEADER)
  header.writeUInt32LE(record.length, 0)
  header.writeUInt32LE(crc32(record), 4)
  return header
}

/** How many bytes from the start are whole, undamaged frames. Reads the file once, a record at a time. */
const soundLength = async (file: DiskFile, length: number): Promise<number> => {
  for (let offset = 0; ;) {
    const record = await readFrame(file, offset, length)
    if (record === null) return offset
    offset += HEADER + record.length
  }
}

const readFrames = async (file: DiskFile, from: number, to: number, maxBytes: number): Promise<readonly Buffer[]> => {
  const records: Buffer[] = []
  for (let offset = from; offset < to && (records.length === 0 || offset - from < maxBytes);) {
    const record = await readFrame(file, offset, to)
    if (record === null) throw new Error("the spool was damaged while it was open")
    records.push(record)
    offset += HEADER + record.length
  }
  return records
}

/** Null = there is no whole, undamaged frame at this offset. */
const readFrame = async (file: DiskFile, offset: number, end: number): Promise<Buffer | null> => {
  if (offset + HEADER > end) return null
  const header = Buffer.alloc(HEADER)
  await file.read(header, offset)
  const length = header.readUInt32LE(0)
  // Nobody writes an empty record, but zeros, which a file system leaves where bytes did not get, would be many of them.
  if (length === 0 || length > RECORD_MAX || offset + HEADER + length > end) return null
  const record = Buffer.alloc(length)
  await file.read(record, offset + HEADER)
  return crc32(record) === header.readUInt32LE(4) ? record : null
}

const writeAll = async (file: DiskFile, bytes: Buffer, at: number): Promise<void> => {
  for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done), at + done)
}
