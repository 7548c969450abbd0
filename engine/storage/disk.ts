/**
 * The few calls to the file system on which the journal's spool stands, as an argument: the process's own by default, and in
 * a simulation a disk that loses and tears whatever was not synced (lab/sim/disk.ts). What a caller may rely on after a
 * power cut is only what `datasync` (a file's bytes) and `syncFolder` (which names are there) have confirmed.
 */
import { constants } from "node:fs"
import { access, mkdir, open, rename } from "node:fs/promises"

export interface DiskFile {
  readonly size: () => Promise<number>
  /** Fills `into` from `at` on; returns how many bytes there were. */
  readonly read: (into: Buffer, at: number) => Promise<number>
  /** Writes at least one byte of `bytes` at `at`; returns how many. */
  readonly write: (bytes: Buffer, at: number) => Promise<number>
  readonly truncate: (length: number) => Promise<void>
  readonly datasync: () => Promise<void>
  /** After what is under way. */
  readonly close: () => Promise<void>
}

export interface Disk {
  readonly exists: (path: string) => Promise<boolean>
  /** Opens for reading and writing; makes the file when it is not there. */
  readonly open: (path: string) => Promise<DiskFile>
  readonly rename: (from: string, to: string) => Promise<void>
  /** With its parents, for the owner only. */
  readonly makeFolder: (path: string) => Promise<void>
  /** Which names a folder has is on the disk when it resolves. */
  readonly syncFolder: (path: string) => Promise<void>
}

const { O_RDWR, O_CREAT } = constants

export const NODE_DISK: Disk = {
  exists: async (path) => {
    try {
      await access(path)
      return true
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return false
      throw error
    }
  },
  open: async (path) => {
    const file = await open(path, O_RDWR | O_CREAT, 0o600)
    return {
      size: async () => (await file.stat()).size,
      read: async (into, at) => (await file.read(into, 0, into.length, at)).bytesRead,
      write: async (bytes, at) => (await file.write(bytes, 0, bytes.length, at)).bytesWritten,
      truncate: (length) => file.truncate(length),
      datasync: () => file.datasync(),
      close: () => file.close(),
    }
  },
  rename,
  makeFolder: async (path) => void (await mkdir(path, { recursive: true, mode: 0o700 })),
  syncFolder: async (path) => {
    // Windows knows no such thing: a folder cannot be opened there, and its names are kept with the file.
    if (process.platform === "win32") return
    const folder = await open(path, "r")
    try {
      await folder.sync()
    } finally {
      await folder.close()
    }
  },
}
