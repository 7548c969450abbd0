/**
 * The pollers that the snmp-cost benchmark compares, each a process of its own with the same dialogue: a line with the
 * number of requests per device in, a line of JSON with what the round cost out. A poller measures its own CPU, start-up
 * excluded.
 */
import { execFile, spawn, type ChildProcess } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { createInterface } from "node:readline"
import { promisify } from "node:util"
import { REPOSITORY } from "#lab/drive/child.ts"

export interface Round {
  readonly requests: number
  readonly varbinds: number
  /** Requests without a usable answer. */
  readonly failures: number
  /** User and system time of the whole process: garbage collection and compiling included. */
  readonly cpuUs: number
  readonly wallMs: number
}

export interface Poller {
  readonly play: (requestsPerDevice: number) => Promise<Round>
  readonly stop: () => Promise<void>
}

/** One line of a round has to come within this. */
const ROUND_TIMEOUT_MS = 300_000

/** `command` is a program with its arguments. Resolves when it has opened its sessions. */
export const startPoller = async (command: readonly [string, ...string[]]): Promise<Poller> => {
  const [program, ...args] = command
  const child = spawn(program, args, { cwd: REPOSITORY, stdio: ["pipe", "pipe", "pipe"] })
  let complaints = ""
  child.stderr.on("data", (chunk) => (complaints = `${complaints}${chunk}`.slice(-2000)))
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const next = async (): Promise<unknown> => {
    const timer = setTimeout(() => child.kill("SIGKILL"), ROUND_TIMEOUT_MS)
    const { value, done } = await lines.next()
    clearTimeout(timer)
    if (done === true) throw new Error(`${program} ${args[0]} ended: ${complaints}`)
    return JSON.parse(value as string)
  }
  await next()
  return {
    play: async (requestsPerDevice) => {
      child.stdin.write(`${requestsPerDevice}\n`)
      return (await next()) as Round
    },
    stop: () => stop(child),
  }
}

const stop = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, "exit")
  child.stdin?.end()
  await gone
}

export const node = (...args: readonly string[]): readonly [string, ...string[]] => [process.execPath, ...args]

export interface Program {
  readonly path: string
  readonly remove: () => void
}

export const HOW_TO_ENABLE = "apt-get install libsnmp-dev gcc"

/** libnetsnmp.c compiled into a directory of its own, or why that is not possible here. */
export const compileLibnetsnmp = async (): Promise<Program | string> => {
  const directory = mkdtempSync(join(tmpdir(), "heliograph-snmp-cost-"))
  const remove = (): void => rmSync(directory, { recursive: true, force: true })
  const path = join(directory, "libnetsnmp")
  const source = join(import.meta.dirname, "libnetsnmp.c")
  try {
    await promisify(execFile)("gcc", ["-O2", "-o", path, source, "-lnetsnmp"])
    return { path, remove }
  } catch (cause) {
    remove()
    const words = String((cause as { readonly stderr?: string }).stderr ?? cause)
    return words.split("\n").find((line) => /error|ENOENT/.test(line)) ?? words
  }
}
