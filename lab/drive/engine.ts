/** Heliograph as a process of its own, started and fed as a user would: environment, command line, HTTP. */
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { spawn } from "node:child_process"
import { once } from "node:events"
import process from "node:process"
import { freePort, REPOSITORY, startChild, type Child } from "#lab/drive/child.ts"

export const PASSWORD = "drive-only-password"
/** A first start creates a database cluster and may build the client. */
const START_TIMEOUT_MS = 180_000
const LAST_WORDS_MS = 500

export interface Engine {
  readonly child: Child
  readonly url: string
  readonly dataDir: string
  readonly trapPort: number
  readonly syslogPort: number
  /** Cookie header of a signed-in session. */
  readonly signIn: () => Promise<string>
  readonly importDocument: (document: unknown) => Promise<string>
  /** Prometheus samples by `name{labels}`. */
  readonly metrics: (cookie: string) => Promise<ReadonlyMap<string, number>>
  readonly json: (path: string, cookie: string) => Promise<unknown>
}

export interface EngineOptions {
  readonly dataDir: string
  readonly env?: Readonly<Record<string, string>>
  /** What is run; `heliograph start` by default. */
  readonly command?: readonly string[]
  readonly ports?: { readonly http: number; readonly trap: number; readonly syslog: number }
}

export const temporaryDataDir = async (): Promise<{ readonly path: string; readonly remove: () => Promise<void> }> => {
  const path = await mkdtemp(join(tmpdir(), "heliograph-drive-"))
  // Passable, so that a database server that may not run as root lives in here as well, and goes with it.
  await chmod(path, 0o711)
  return { path, remove: () => rm(path, { recursive: true, force: true, maxRetries: 5 }) }
}

export const choosePorts = async (): Promise<{ http: number; trap: number; syslog: number }> => ({
  http: await freePort(),
  trap: await freePort(),
  syslog: await freePort(),
})

export const startEngine = async (options: EngineOptions): Promise<Engine> => {
  const ports = options.ports ?? (await choosePorts())
  const env = {
    HELIOGRAPH_PORT: String(ports.http),
    HELIOGRAPH_DATA_DIR: options.dataDir,
    HELIOGRAPH_TRAP_PORT: String(ports.trap),
    HELIOGRAPH_SYSLOG_PORT: String(ports.syslog),
    HELIOGRAPH_LISTEN_HOST: "127.0.0.1",
    // The networks that are driven here live on this machine.
    HELIOGRAPH_LOOPBACK_TARGETS: "allow",
    HELIOGRAPH_ADMIN_PASSWORD: PASSWORD,
    ...options.env,
  }
  const child = startChild(options.command ?? ["engine/cli.ts", "start"], env)
  const url = `http://127.0.0.1:${ports.http}`
  await healthy(url, child)
  const call = async (path: string, cookie: string): Promise<Response> => {
    const response = await fetch(new URL(path, url), { headers: { cookie } })
    if (!response.ok) throw new Error(`GET ${path}: ${response.status} ${await response.text()}`)
    return response
  }
  return {
    child,
    url,
    dataDir: options.dataDir,
    trapPort: ports.trap,
    syslogPort: ports.syslog,
    signIn: () => signIn(url),
    importDocument: (document) => importDocument(document, options.dataDir, env),
    metrics: async (cookie) => parsePrometheus(await (await call("/metrics", cookie)).text()),
    json: async (path, cookie) => (await call(path, cookie)).json(),
  }
}

const healthy = async (url: string, child: Child): Promise<void> => {
  const until = Date.now() + START_TIMEOUT_MS
  for (;;) {
    const ok = await fetch(new URL("/healthz", url)).then(
      (response) => response.ok,
      () => false,
    )
    if (ok) return
    const { exitCode, signalCode } = child.process
    const ended = exitCode === null ? signalCode : `exit ${exitCode}`
    if (ended !== null || Date.now() > until) {
      // Its reason stands on stderr, and may still be in the pipe.
      await new Promise((wake) => setTimeout(wake, LAST_WORDS_MS))
      const words = [...child.lines.slice(-20), ...child.errors.slice(-20)].join("\n")
      throw new Error(`the engine did not come up (${ended ?? "it still runs"}):\n${words}`)
    }
    await new Promise((wake) => setTimeout(wake, 50))
  }
}

const signIn = async (url: string): Promise<string> => {
  const response = await fetch(new URL("/api/v1/session", url), {
    method: "POST",
    headers: { "content-type": "application/json", origin: url },
    body: JSON.stringify({ user: "admin", password: PASSWORD }),
  })
  const cookie = response.headers.getSetCookie()[0]?.split(";")[0]
  if (response.status !== 204 || cookie === undefined)
    throw new Error(`sign-in: ${response.status} ${await response.text()}`)
  return cookie
}

const importDocument = async (
  document: unknown,
  dataDir: string,
  env: Readonly<Record<string, string>>,
): Promise<string> => {
  const file = join(dataDir, "drive-import.json")
  await writeFile(file, JSON.stringify(document), { mode: 0o600 })
  const { code, out, err } = await runCommand(["import", file], env)
  if (code !== 0) throw new Error(`heliograph import: exit ${code}\n${out}${err}`)
  return out
}

export interface Ran {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** `heliograph ...args` as a user runs it, beside an engine or without one. */
export const runCommand = async (args: readonly string[], env: Readonly<Record<string, string>>): Promise<Ran> => {
  const child = spawn(process.execPath, ["engine/cli.ts", ...args], {
    cwd: REPOSITORY,
    env: { ...process.env, ...env },
  })
  const text = { out: "", err: "" }
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (text.out += chunk))
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => (text.err += chunk))
  const [code] = (await once(child, "close")) as [number | null]
  return { code, ...text }
}

/** Text exposition format 0.0.4, without timestamps. */
const parsePrometheus = (text: string): ReadonlyMap<string, number> =>
  new Map(
    text
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"))
      .map((line) => {
        const space = line.lastIndexOf(" ")
        return [line.slice(0, space), Number(line.slice(space + 1))] as const
      }),
  )
