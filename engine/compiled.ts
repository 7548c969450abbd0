/**
 * The engine's own modules, compiled: Node keeps stripped types and V8's code in the data directory, by the hash of each
 * source, so that a start after a crash does not compile a thousand files again while polls wait (half of the CPU of a small
 * tenant's recovery). A cache only: it may be deleted at any time.
 */
import { mkdirSync, statSync } from "node:fs"
import { enableCompileCache, flushCompileCache } from "node:module"
import { join } from "node:path"
import process from "node:process"

/** In the data directory. */
export const COMPILED = "compiled"
const OTHERS_WRITE = 0o022

/** What is there is used; false = nothing is, or nothing that may be trusted: everything works without. */
export const useCompiled = (dataDir: string): boolean => {
  const place = join(dataDir, COMPILED)
  try {
    // What lies in there is run as it is: nobody else may write to it.
    if (!isOurs(dataDir) || !isOurs(place)) return false
  } catch {
    return false
  }
  return enableCompileCache(place).directory !== undefined
}

/** The same for who may make it: the engine. The data directory is made as its storage makes it (storage/launcher.ts). */
export const beginCompiled = (dataDir: string): boolean => {
  try {
    mkdirSync(dataDir, { recursive: true, mode: process.getuid?.() === 0 ? 0o755 : 0o700 })
    mkdirSync(join(dataDir, COMPILED), { recursive: true, mode: 0o700 })
  } catch {
    // Whoever needs the directory says what is wrong with it.
    return false
  }
  return useCompiled(dataDir)
}

const isOurs = (path: string): boolean => {
  const { uid, mode } = statSync(path)
  return uid === (process.geteuid?.() ?? uid) && (mode & OTHERS_WRITE) === 0
}

/** Node itself writes at its end, which a kill never comes to. */
export const keepCompiled = (): void => flushCompileCache()
