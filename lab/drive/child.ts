/** A child process of a drill or a benchmark: started, waited for, measured through /proc, and always ended. */
import { spawn, type ChildProcess } from "node:child_process"
import { once } from "node:events"
import { readFileSync } from "node:fs"
import { createServer, type AddressInfo } from "node:net"
import { resolve } from "node:path"
import { createInterface } from "node:readline"
import process from "node:process"

export const REPOSITORY = resolve(import.meta.dirname, "../..")
/** USER_HZ: 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100
/** How long the last words of a process that ended are waited for. */
const LAST_WORDS_MS = 1_000

export interface Child {
  readonly process: ChildProcess
  readonly pid: number
  /** Lines of stdout so far, at most the newest 1,000. */
  readonly lines: readonly string[]
  /** The same of stderr: an engine's log. */
  readonly errors: readonly string[]
  /** Resolves with the first stdout line (past or coming) that `accept` takes; rejects when the child ends first. */
  readonly line: (accept: (line: string) => boolean, timeoutMs: number) => Promise<string>
  /** SIGTERM, then SIGKILL after 15 s; resolves when it is gone. */
  readonly stop: (signal?: NodeJS.Signals) => Promise<void>
}

export const startChild = (args: readonly string[], env: Readonly<Record<string, string>>): Child => {
  const child = spawn(process.execPath, args, {
    cwd: REPOSITORY,
    env: { ...process.env, ...env },
    stdio: ["pipe", "pipe", "pipe"],
  })
  const lines: string[] = []
  const errors: string[] = []
  const watchers = new Set<(line: string) => void>()
  const keep = (list: string[], line: string): void => {
    list.push(line)
    if (list.length > 1000) list.shift()
  }
  createInterface({ input: child.stdout }).on("line", (line) => {
    keep(lines, line)
    for (const watcher of watchers) watcher(line)
  })
  createInterface({ input: child.stderr }).on("line", (line) => keep(errors, line))

  const line = (accept: (line: string) => boolean, timeoutMs: number): Promise<string> =>
    new Promise((settle, reject) => {
      const seen = lines.find(accept)
      if (seen !== undefined) return settle(seen)
      const end = (result: () => void): void => {
        watchers.delete(watcher)
        clearTimeout(timer)
        child.off("exit", onExit)
        result()
      }
      const words = (): string => [...lines, ...errors].slice(-20).join("\n")
      const watcher = (text: string): void => (accept(text) ? end(() => settle(text)) : undefined)
      const fail = (): void => end(() => reject(new Error(`${args.join(" ")} ended:\n${words()}`)))
      // Its last words may still be in the pipe; a child of its own may hold that open.
      const onExit = (): void => {
        child.once("close", fail)
        setTimeout(fail, LAST_WORDS_MS).unref()
      }
      const timer = setTimeout(
        () => end(() => reject(new Error(`${args.join(" ")}: nothing after ${timeoutMs} ms:\n${words()}`))),
        timeoutMs,
      )
      watchers.add(watcher)
      child.once("exit", onExit)
    })

  const stop = async (signal: NodeJS.Signals = "SIGTERM"): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, "exit")
    child.kill(signal)
    const hard = setTimeout(() => child.kill("SIGKILL"), 15_000)
    await gone
    clearTimeout(hard)
  }
  return { process: child, pid: child.pid as number, lines, errors, line, stop }
}

/** A TCP port that was free a moment ago. */
export const freePort = async (): Promise<number> => {
  const server = createServer()
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, "close")
  return port
}

/** CPU seconds that the process has used so far; null where /proc is not there. */
export const cpuSeconds = (pid: number): number | null => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
  } catch {
    return null
  }
}

/** Resident memory in MiB; null where /proc is not there. */
export const rssMiB = (pid: number): number | null => {
  try {
    const match = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))
    return match === null ? null : Number(match[1]) / 1024
  } catch {
    return null
  }
}
