/** The emulated ISP as a process of its own, spoken to over its control port as a user of `npm run lab` would. */
import process from "node:process"
import { ADDRESS_TAKEN } from "#lab/bind.ts"
import { startChild, type Child } from "#lab/drive/child.ts"

export interface LabLink {
  readonly a: string
  readonly b: string
  readonly up: boolean
  readonly tier?: string
}
export interface LabTruth {
  readonly routers: ReadonlyArray<{
    readonly name: string
    readonly site: string
    readonly alive: boolean
    readonly answers: boolean
    readonly roles: readonly string[]
  }>
  readonly links: readonly LabLink[]
}
export interface Lab {
  readonly child: Child
  readonly importDocument: () => Promise<Record<string, unknown>>
  /** Providers and services that its operator has declared: parts of an import document. */
  readonly services: () => Promise<Record<string, unknown>>
  readonly truth: () => Promise<LabTruth>
  /** Applies a fault; returns the wall-clock ms at which the network changed. */
  readonly fault: (kind: string, ...args: string[]) => Promise<number>
  readonly setTargets: (trap: string | null, syslog: string | null) => Promise<void>
  readonly stop: () => Promise<void>
}

export interface LabOptions {
  readonly routers: number
  readonly seed: number
  /** Routers that stand at one site of their own; absent = no such site. */
  readonly bigSite?: number
  readonly trap: string
  readonly syslog: string
  readonly stateFile: string
}

/** Labs that run side by side on one machine must not share addresses; 127.16 is the demo's. */
const privateNet = (): string => `127.${32 + ((process.pid * 7 + started++) % 200)}`
let started = 0
/** Nets that are tried before a machine full of labs is an error. */
const NETS_MAX = 8

export const startLab = async (options: LabOptions): Promise<Lab> => {
  for (let left = NETS_MAX; ; left--) {
    const child = labIn(privateNet(), options)
    try {
      return await labOf(child)
    } catch (error) {
      await child.stop()
      if (left === 1 || child.process.exitCode !== ADDRESS_TAKEN) throw error
    }
  }
}

const labIn = (net: string, options: LabOptions): Child =>
  startChild(
    [
      "lab/main.ts",
      "--routers",
      String(options.routers),
      "--seed",
      String(options.seed),
      "--big-site",
      String(options.bigSite ?? 0),
      "--trap-target",
      options.trap,
      "--syslog-target",
      options.syslog,
      "--state",
      options.stateFile,
      "--net",
      net,
    ],
    {},
  )

/** Rejects when it ends before it is ready. */
const labOf = async (child: Child): Promise<Lab> => {
  const ready = JSON.parse(await child.line((line) => line.includes('"ready"'), 60_000)) as {
    controlUrl: string
    token: string
  }
  const call = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const response = await fetch(new URL(path, ready.controlUrl), {
      method,
      headers: { authorization: `Bearer ${ready.token}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    if (!response.ok) throw new Error(`lab ${method} ${path}: ${response.status} ${await response.text()}`)
    return response.json()
  }
  return {
    child,
    importDocument: async () => (await call("GET", "/import.json")) as Record<string, unknown>,
    services: async () => (await call("GET", "/services.json")) as Record<string, unknown>,
    truth: async () => (await call("GET", "/truth")) as LabTruth,
    fault: async (kind, ...args) => ((await call("POST", "/fault", { kind, args })) as { atMs: number }).atMs,
    setTargets: async (trap, syslog) => void (await call("PUT", "/target", { trap, syslog })),
    stop: () => child.stop(),
  }
}
