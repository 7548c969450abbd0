/** The engine's own database server, found as an operator would find it, to be killed or stopped in a drill. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"

/** Of the server that works in this data directory now. */
export const postmasterPid = (dataDir: string): number => {
  const pid = Number.parseInt(readFileSync(join(dataDir, "pg", "postmaster.pid"), "utf8"), 10)
  if (!Number.isInteger(pid)) throw new Error(`${dataDir} holds no running database server`)
  return pid
}

/** Server processes that serve the engine's connections. */
export const backendPids = (postmaster: number): readonly number[] =>
  childrenOf(postmaster).filter((pid) => /^postgres: .*heliograph_/.test(commandOf(pid)))

/** SIGSTOP to the whole server: it accepts, answers and writes nothing. Gives what lets it go on again. */
export const pausePostgres = (dataDir: string): (() => void) => {
  const postmaster = postmasterPid(dataDir)
  const all = [postmaster, ...childrenOf(postmaster)]
  for (const pid of all) signal(pid, "SIGSTOP")
  return () => {
    for (const pid of all) signal(pid, "SIGCONT")
  }
}

export const killNow = (pid: number): void => signal(pid, "SIGKILL")

const signal = (pid: number, name: NodeJS.Signals): void => {
  try {
    process.kill(pid, name)
  } catch (error) {
    // It ended by itself meanwhile.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error
  }
}

const childrenOf = (pid: number): readonly number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number)

const commandOf = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ")
  } catch {
    return ""
  }
}
