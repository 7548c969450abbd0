/**
 * One engine per data directory. The lock is the operating system's own file lock (fcntl), so that it dies with its
 * process, however that ends: nothing is ever stale, also where process ids start again (containers). Node offers no
 * file locks, SQLite does: `engine.lock` is an empty SQLite file held in an exclusive transaction; `engine.pid` beside
 * it only tells people who holds it.
 */
import { DatabaseSync } from "node:sqlite"
import { readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as Data from "effect/Data"

/** Another process runs on this data directory. `pid` is null in the instant before it has written its own. */
export class DataDirInUse extends Data.TaggedError("DataDirInUse")<{
  readonly dataDir: string
  readonly pid: number | null
}> {
  override get message(): string {
    const who = this.pid === null ? "another process" : `process ${this.pid}`
    return `${this.dataDir} is in use by ${who}: stop it, or start with another HELIOGRAPH_DATA_DIR`
  }
}

export interface DataLock {
  readonly release: () => void
}

/** Takes the lock of an existing directory at once, or throws DataDirInUse. */
export const lockDataDir = (dataDir: string): DataLock => {
  const pidFile = join(dataDir, "engine.pid")
  const database = new DatabaseSync(join(dataDir, "engine.lock"))
  try {
    database.exec("pragma busy_timeout = 0; pragma journal_mode = memory; begin exclusive")
  } catch (error) {
    database.close()
    if ((error as { errcode?: number }).errcode !== SQLITE_BUSY) throw error
    throw new DataDirInUse({ dataDir, pid: readPid(pidFile) })
  }
  writeFileSync(pidFile, `${process.pid}\n`)
  return {
    release: () => {
      rmSync(pidFile, { force: true })
      database.close()
    },
  }
}

const SQLITE_BUSY = 5

const readPid = (file: string): number | null => {
  try {
    const pid = Number.parseInt(readFileSync(file, "utf8"), 10)
    return Number.isInteger(pid) ? pid : null
  } catch {
    return null
  }
}
