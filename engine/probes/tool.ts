/**
 * The one place where programs are started: a file by its absolute path, arguments as a list, no shell, a bare
 * environment. Callers pass numbers, fixed options and address literals only (address.ts); nothing from a device or a
 * document ever becomes an option.
 */
import { spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { access, constants } from "node:fs/promises"
import { isAbsolute, join } from "node:path"

/** What a started program may see of our environment: no secret, and English output. */
const ENVIRONMENT = { LC_ALL: "C", PATH: "/usr/sbin:/usr/bin:/sbin:/bin" }
/** Looked through after PATH: services often start without the sbin folders. */
const USUAL_FOLDERS = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"]

/** Absolute path of a program, or null. A relative entry of PATH is not looked at. */
export const findTool = async (name: string, path: string = process.env["PATH"] ?? ""): Promise<string | null> => {
  for (const folder of [...path.split(":"), ...USUAL_FOLDERS]) {
    if (!isAbsolute(folder)) continue
    const file = join(folder, name)
    const isThere = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    )
    if (isThere) return file
  }
  return null
}

export interface ToolRun {
  readonly file: string
  readonly args: readonly string[]
  readonly stdin?: string
  readonly deadlineMs: number
}

export interface ToolResult {
  /** Null when it was killed at its deadline, or never started. */
  readonly code: number | null
  readonly lines: readonly string[]
  /** First line of stderr, for the operator. */
  readonly complaint: string
}

/** Lines of one run that are kept; a program that says more is cut off. */
const LINES_MAX = 2_000

/** Runs a program to its end or deadline. Never rejects. Aborting kills it. */
export const runTool = (run: ToolRun, signal?: AbortSignal): Promise<ToolResult> =>
  new Promise((settle) => {
    const lines: string[] = []
    let complaint = ""
    const child = startTool(run, {
      line: (line) => {
        if (lines.push(line) >= LINES_MAX) child.kill()
      },
      complaint: (line) => {
        complaint ||= line
      },
      ended: (code, why) => {
        clearTimeout(deadline)
        signal?.removeEventListener("abort", stop)
        settle({ code, lines, complaint: why ?? complaint })
      },
    })
    const stop = (): void => child.kill()
    const deadline = setTimeout(stop, run.deadlineMs)
    if (signal?.aborted === true) stop()
    signal?.addEventListener("abort", stop, { once: true })
  })

export interface ToolListener {
  readonly line: (line: string) => void
  /** A line of stderr. */
  readonly complaint: (line: string) => void
  /** Once. `why` is set when the program could not be started. */
  readonly ended: (code: number | null, why: string | null) => void
}

export interface Tool {
  readonly kill: () => void
}

/** Starts a program that may run for ever; its lines arrive as they come. */
export const startTool = (run: Pick<ToolRun, "file" | "args" | "stdin">, listener: ToolListener): Tool => {
  const child = spawn(run.file, [...run.args], {
    env: ENVIRONMENT,
    cwd: "/",
    stdio: [run.stdin === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    shell: false,
    windowsHide: true,
  })
  let isOver = false
  const ended = (code: number | null, why: string | null): void => {
    if (isOver) return
    isOver = true
    listener.ended(code, why)
  }
  child.on("error", (cause) => ended(null, `${run.file} cannot be run: ${cause.message}`))
  child.on("close", (code) => ended(code, null))
  eachLine(child.stdout, listener.line)
  eachLine(child.stderr, listener.complaint)
  // A program that dies before it has read its list is told by `close`.
  child.stdin?.on("error", () => undefined)
  child.stdin?.end(run.stdin)
  return { kill: () => void child.kill("SIGKILL") }
}

/** A longer line is cut there: no tool of ours prints such. */
const LINE_MAX = 512

const eachLine = (stream: ChildProcess["stdout"], take: (line: string) => void): void => {
  let rest = ""
  stream?.setEncoding("latin1")
  stream?.on("data", (text: string) => {
    const lines = (rest + text).split("\n")
    rest = (lines.pop() ?? "").slice(0, LINE_MAX)
    for (const line of lines) take(line.slice(0, LINE_MAX))
  })
  stream?.on("end", () => {
    if (rest !== "") take(rest)
  })
}
