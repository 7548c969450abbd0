/**
 * The ring of master keys: a file outside the database, 0600, one key a line. The first key wraps, all of them open. It is
 * made at the very first start, never again once anything is sealed, and read anew when it changes, so that another
 * process may rotate it under a running engine.
 */
import { createHash, randomBytes } from "node:crypto"
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, statSync, writeSync } from "node:fs"
import { dirname } from "node:path"
import * as Data from "effect/Data"

/** The master key cannot be used; `message` says which file or key and what to do. Never holds key material. */
export class MasterKeyUnusable extends Data.TaggedError("MasterKeyUnusable")<{
  readonly reason: "missing" | "unknown-key" | "readable-by-others" | "malformed" | "in-use"
  readonly message: string
}> {}

export interface MasterKey {
  /** Names the key without telling of it. */
  readonly id: string
  readonly key: Buffer
}

export interface MasterKeys {
  readonly file: string
  /** The first wraps; never empty. Throws MasterKeyUnusable when the file has become unusable. */
  readonly ring: () => readonly MasterKey[]
}

/** A rotation a day for a year; more than that is a mistake. */
const KEYS_MAX = 400

/** Throws MasterKeyUnusable when the file is there and cannot be used. */
export const openMasterKeys = (file: string): MasterKeys => {
  let seen = stampOf(file)
  let ring = readRing(file)
  return {
    file,
    ring: () => {
      const now = stampOf(file)
      // While it is away or being replaced, what was read stays good: the engine goes on polling.
      if (now !== null && now !== seen) {
        ring = readRing(file)
        seen = now
      }
      return ring
    },
  }
}

/** Changes with every replacement of the file; null when it is not there. */
const stampOf = (file: string): string | null => {
  const stat = statSync(file, { throwIfNoEntry: false, bigint: true })
  return stat === undefined ? null : `${stat.ino} ${stat.size} ${stat.mtimeNs}`
}

const readRing = (file: string): readonly MasterKey[] => {
  const { mode } = statSync(file)
  if ((mode & 0o077) !== 0) {
    throw unusable(
      "readable-by-others",
      `${file} may be read by others (mode ${(mode & 0o777).toString(8)}): chmod 600`,
    )
  }
  const keys = readFileSync(file, "utf8")
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line, index) => {
      const encoded = /^heliograph-master-key-1 ([A-Za-z0-9_-]{43})$/.exec(line)?.[1]
      if (encoded === undefined) throw unusable("malformed", `${file}: key ${index + 1} is not of the form expected`)
      const key = Buffer.from(encoded, "base64url")
      return { id: keyId(key), key }
    })
  if (keys.length === 0) throw unusable("malformed", `${file} holds no key`)
  if (keys.length > KEYS_MAX) throw unusable("malformed", `${file} holds more than ${KEYS_MAX} keys`)
  return keys
}

/** Durable before the first thing is sealed with it. Fails when another process has just made one. */
export const makeMasterKeys = (file: string): void => {
  writeDurably(file, "wx", `${HEAD}${keyLine()}`)
  syncDirectory(file)
}

/**
 * Puts a new key on top; returns its id. The old file stays whole until the new one is durable, so that a power cut
 * leaves one or the other. Whatever was sealed before still opens: the old keys follow.
 */
export const addMasterKey = (file: string): string => {
  readRing(file)
  const line = keyLine()
  const old = readFileSync(file, "utf8")
  const next = `${file}.${process.pid}.new`
  writeDurably(next, "w", `${HEAD}${line}${old.replaceAll(/^#.*\n/gm, "")}`)
  renameSync(next, file)
  syncDirectory(file)
  return readRing(file)[0]!.id
}

const HEAD =
  "# Opens the credentials in the database. Keep a copy where the database's backups are not.\n" +
  "# `heliograph vault rotate-master` puts a new key on top; `heliograph vault status` says which are still needed.\n"

const keyLine = (): string => `heliograph-master-key-1 ${randomBytes(32).toString("base64url")}\n`

const writeDurably = (file: string, flag: "w" | "wx", text: string): void => {
  const handle = openSync(file, flag, 0o600)
  try {
    writeSync(handle, text)
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

/** The new name itself must survive a power cut. Windows cannot open a directory, and needs it not. */
const syncDirectory = (file: string): void => {
  if (process.platform === "win32") return
  const handle = openSync(dirname(file), "r")
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

const keyId = (key: Buffer): string =>
  createHash("sha256").update("heliograph key id").update(key).digest("hex").slice(0, 16)

export const hasMasterKeys = (file: string): boolean => existsSync(file)

export const unusable = (reason: MasterKeyUnusable["reason"], message: string): MasterKeyUnusable =>
  new MasterKeyUnusable({ reason, message })

export const asUnusable = (error: unknown): MasterKeyUnusable =>
  error instanceof MasterKeyUnusable
    ? error
    : unusable("malformed", `the master key file cannot be used: ${(error as Error).message}`)
