/**
 * PostgreSQL refuses to run as root. When the engine runs as root, the server runs as `postgres` or `nobody`, and its files
 * must lie where that user can reach them. The data directory itself is opened for passing through (0711; what is secret in
 * it is 0600). One below somebody's 0700 directory, like /root, stays out of reach: then the cluster moves to
 * /var/lib/heliograph-<hash of the data directory>. Not root: everything stays as it is.
 */
import { createHash } from "node:crypto"
import { chmodSync, chownSync, existsSync, readFileSync, realpathSync, statSync } from "node:fs"
import { dirname, join } from "node:path"

export interface ServerUser {
  readonly name: string
  readonly uid: number
  readonly gid: number
}

export interface Place {
  /** Where `pg` (the cluster) and `pg-run` (its socket) are. */
  readonly stateDir: string
  /** Null = the server runs as ourselves. */
  readonly user: ServerUser | null
  /** stateDir is not the data directory, because `user` could not reach that. */
  readonly moved: boolean
}

/** Decides where the cluster of an existing data directory lives and who runs it. Creates nothing. */
export const choosePlace = (dataDir: string): Place => {
  if (process.getuid?.() !== 0) return { stateDir: dataDir, user: null, moved: false }
  const elsewhere = `/var/lib/heliograph-${createHash("sha256").update(realpathSync(dataDir)).digest("hex").slice(0, 12)}`
  for (const stateDir of [dataDir, elsewhere]) {
    const owner = ownerOf(join(stateDir, "pg"))
    if (owner !== null && owner.uid !== 0) return { stateDir, user: owner, moved: stateDir === elsewhere }
  }
  const user = passwdUser("postgres") ?? passwdUser("nobody") ?? { name: "65534", uid: 65534, gid: 65534 }
  return canReach(user, dataDir)
    ? { stateDir: dataDir, user, moved: false }
    : { stateDir: elsewhere, user, moved: true }
}

/** As root: makes our own data directory passable (never readable) for the server's user. */
export const letServerIn = (dataDir: string): void => {
  const { mode, uid } = statSync(dataDir)
  if (process.getuid?.() === 0 && uid === 0 && (mode & 0o011) !== 0o011) chmodSync(dataDir, (mode & 0o777) | 0o011)
}

/** Whether the user may enter the directory and each one above it (mode bits; access lists are not read). */
export const canReach = (user: ServerUser, path: string): boolean => {
  for (let dir = realpathSync(path); ; dir = dirname(dir)) {
    const { mode, uid, gid } = statSync(dir)
    const execute = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001
    if ((mode & execute) === 0) return false
    if (dir === dirname(dir)) return true
  }
}

/** Gives a path to the server's user; nothing to do when we run it as ourselves. */
export const giveTo = (user: ServerUser | null, path: string): void => {
  if (user !== null) chownSync(path, user.uid, user.gid)
}

const ownerOf = (path: string): ServerUser | null => {
  if (!existsSync(path)) return null
  const { uid, gid } = statSync(path)
  return { name: String(uid), uid, gid }
}

const passwdUser = (name: string): ServerUser | null => {
  try {
    const line = readFileSync("/etc/passwd", "utf8")
      .split("\n")
      .find((it) => it.startsWith(`${name}:`))
    const [, , uid, gid] = line?.split(":") ?? []
    return uid === undefined || gid === undefined ? null : { name, uid: Number(uid), gid: Number(gid) }
  } catch {
    return null
  }
}
