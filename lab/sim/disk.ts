/**
 * A model of the local file system for the journal's spool: what a file holds for its process, and what of it a power cut
 * leaves. Writes and truncations live in the page cache, which survives a kill -9; until `datasync` (of a file) and
 * `syncFolder` (of the names) a power cut may lose them, keep a part of them, or leave zeros where they should be (POSIX
 * promises no more). Calls may fail, by lot, as they do on a full or dying disk.
 */
import { dirname } from "node:path"
import { dice } from "#lab/isp/random.ts"
import type { Dice } from "#lab/isp/random.ts"
import type { Life, Loop } from "#lab/sim/loop.ts"
import type { Disk, DiskFile } from "#engine/storage/disk.ts"

/** Probabilities per call. */
export interface DiskMood {
  readonly writeFails: number
  readonly syncFails: number
  readonly truncateFails: number
}
export const SOUND: DiskMood = { writeFails: 0, syncFails: 0, truncateFails: 0 }

const SYNC_MS_MAX = 6

interface Inode {
  /** What its process reads. */
  cache: Buffer
  /** What is on the platter. */
  synced: Buffer
}

export class SimDisk {
  mood: DiskMood = SOUND
  /** Bytes of spools that a power cut took though nobody had been told that they were safe. */
  torn = 0
  /** Planted: datasync answers without having done anything. */
  syncsLie = false
  readonly #loop: Loop
  readonly #dice: Dice
  /** What each process sees, and what a power cut leaves. */
  #names = new Map<string, Inode>()
  #syncedNames = new Map<string, Inode>()

  constructor(loop: Loop, seed: number) {
    this.#loop = loop
    this.#dice = dice(seed, "disk")
  }

  /** The disk as one life of the engine uses it. */
  for(life: Life): Disk {
    return {
      exists: async (path) => this.#names.has(path),
      open: async (path) => {
        const known = this.#names.get(path)
        if (known !== undefined) return this.#file(known, life)
        const inode: Inode = { cache: Buffer.alloc(0), synced: Buffer.alloc(0) }
        this.#names.set(path, inode)
        return this.#file(inode, life)
      },
      rename: async (from, to) => {
        const inode = this.#names.get(from)
        if (inode === undefined) throw failure("ENOENT")
        this.#names.delete(from)
        this.#names.set(to, inode)
      },
      makeFolder: async () => undefined,
      syncFolder: (path) =>
        this.#slowly(life, () => {
          for (const name of new Set([...this.#names.keys(), ...this.#syncedNames.keys()])) {
            if (dirname(name) !== path) continue
            const inode = this.#names.get(name)
            if (inode === undefined) this.#syncedNames.delete(name)
            else this.#syncedNames.set(name, inode)
          }
        }),
    }
  }

  /** The machine loses its power. Nobody is alive to see it. */
  powerCut(): void {
    const names = new Map<string, Inode>()
    for (const [name, inode] of this.#syncedNames) names.set(name, inode)
    // A new name may have reached the disk by itself.
    for (const [name, inode] of this.#names)
      if (!names.has(name) && !this.#isThere(names, inode) && this.#dice.chance(0.5)) names.set(name, inode)
    for (const inode of new Set(names.values())) {
      const left = this.#leftOf(inode)
      if (!left.equals(inode.cache)) this.torn += Math.abs(inode.cache.length - left.length)
      inode.cache = left
      inode.synced = left
    }
    this.#names = names
    this.#syncedNames = new Map(names)
  }

  /** Bytes of all files now. */
  bytes(): number {
    let sum = 0
    for (const { cache } of this.#names.values()) sum += cache.length
    return sum
  }

  #isThere(names: ReadonlyMap<string, Inode>, inode: Inode): boolean {
    return [...names.values()].includes(inode)
  }

  #leftOf({ cache, synced }: Inode): Buffer {
    if (cache.equals(synced)) return synced
    const lot = this.#dice.next()
    if (lot < 0.25) return synced
    if (lot < 0.4) return cache
    // The file has its new length, and of what was written only the first part: the rest is zeros, or old bytes.
    const torn = Buffer.alloc(Math.max(cache.length, synced.length))
    if (lot < 0.7) synced.copy(torn)
    const kept = this.#dice.int(0, cache.length)
    cache.copy(torn, 0, 0, kept)
    // What both have, nobody can lose.
    for (let i = 0; i < Math.min(cache.length, synced.length); i++) if (cache[i] === synced[i]) torn[i] = cache[i]!
    return torn.subarray(0, lot < 0.55 ? torn.length : Math.max(kept, Math.min(cache.length, synced.length)))
  }

  #file(inode: Inode, life: Life): DiskFile {
    let closed = false
    const check = (): void => {
      if (closed) throw failure("EBADF")
    }
    return {
      size: async () => inode.cache.length,
      read: async (into, at) => {
        check()
        return inode.cache.copy(into, 0, at, at + into.length)
      },
      write: async (bytes, at) => {
        check()
        if (this.#dice.chance(this.mood.writeFails)) throw failure("ENOSPC")
        // Sometimes in two parts, between which the process may die.
        const count = bytes.length > 1 && this.#dice.chance(0.2) ? this.#dice.int(1, bytes.length - 1) : bytes.length
        const whole = Buffer.alloc(Math.max(inode.cache.length, at + count))
        inode.cache.copy(whole)
        bytes.copy(whole, at, 0, count)
        inode.cache = whole
        if (count < bytes.length) await this.#slowly(life, () => undefined)
        return count
      },
      truncate: async (length) => {
        check()
        if (this.#dice.chance(this.mood.truncateFails)) throw failure("EIO")
        const cut = Buffer.alloc(length)
        inode.cache.copy(cut)
        inode.cache = cut
      },
      datasync: () => {
        check()
        const fails = this.#dice.chance(this.mood.syncFails)
        return this.#slowly(life, () => {
          if (fails) throw failure("EIO")
          if (!this.syncsLie) inode.synced = Buffer.from(inode.cache)
        })
      },
      close: async () => {
        closed = true
      },
    }
  }

  /** The call of a process that is dead by then has not happened. */
  #slowly(life: Life, act: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#loop.after(this.#dice.int(1, SYNC_MS_MAX), life, () => {
        try {
          act()
          resolve()
        } catch (error) {
          reject(error as Error)
        }
      })
    })
  }
}

const failure = (code: string): Error => Object.assign(new Error(`${code}: the simulated disk refuses`), { code })
