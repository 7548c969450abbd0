/**
 * The lab as a process of its own: `node lab/main.ts --routers 120 --trap-target 127.0.0.1:10162 ...`. Its standard output
 * is one JSON line, when everything listens. It ends when its standard input closes, so that it never outlives whoever
 * started it, and on SIGTERM or SIGINT.
 */
import { chmodSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { dirname } from "node:path"
import process from "node:process"
import { ADDRESS_TAKEN, isAddressTaken } from "#lab/bind.ts"
import { parseReceiver, startControl } from "#lab/control.ts"
import { FLEET_DEFAULTS } from "#lab/fleet.ts"
import type { FleetOptions, Receiver } from "#lab/fleet.ts"
import { BIG_SITE_MAX, BIG_SITE_MIN } from "#lab/isp/big-site.ts"
import { DEFAULT_ROUTERS, DEFAULT_SEED } from "#lab/isp/generate.ts"
import { ROUTERS_MAX, ROUTERS_MIN } from "#lab/isp/topology.ts"
import { Lab } from "#lab/lab.ts"

export const OPTIONS_HELP = `  --routers N                size of the ISP, ${ROUTERS_MIN} to ${ROUTERS_MAX} (default ${DEFAULT_ROUTERS})
  --seed N                   another seed is another ISP (default ${DEFAULT_SEED})
  --big-site N               so many of them at one site, ${BIG_SITE_MIN} to ${BIG_SITE_MAX} (default 0: no such site)
  --country CODE             where it stands (default BR)
  --net A.B                  first half of the routers' addresses, in 127/8 (default ${FLEET_DEFAULTS.net})
  --snmp-port N              the same on every router, 0 = any free one (default ${FLEET_DEFAULTS.snmpPort})
  --api-port N               RouterOS API, likewise (default ${FLEET_DEFAULTS.apiPort})
  --poll-seconds N           polling interval in the import document (default: the engine's)
  --trap-target ADDRESS:PORT   where traps go (default: nowhere)
  --syslog-target ADDRESS:PORT where syslog lines go (default: nowhere)
  --control-port N           control HTTP on 127.0.0.1 (default 0: any free port)
  --state FILE               write the control URL and token there (mode 0600)`

export interface MainOptions extends FleetOptions {
  readonly routers: number
  readonly seed: number
  readonly bigSite: number
  readonly country: string
  readonly pollSeconds: number | null
  readonly trapTarget: Receiver | null
  readonly syslogTarget: Receiver | null
  readonly controlPort: number
  readonly state: string | null
}

/** The options, or a sentence about the one that cannot be read. */
export const readOptions = (args: readonly string[]): MainOptions | string => {
  const options: Mutable = {
    routers: DEFAULT_ROUTERS,
    seed: DEFAULT_SEED,
    bigSite: 0,
    country: "BR",
    ...FLEET_DEFAULTS,
    pollSeconds: null,
    trapTarget: null,
    syslogTarget: null,
    controlPort: 0,
    state: null,
  }
  for (let i = 0; i < args.length; i += 2) {
    const [name, value] = [args[i]!, args[i + 1]]
    if (value === undefined) return `${name} needs a value`
    const whole = (low: number, high: number): number | null => {
      const number = Number(value)
      return /^\d+$/.test(value) && number >= low && number <= high ? number : null
    }
    const read = READERS[name]
    if (read === undefined) return `there is no option ${name}`
    const bad = read(options, value, whole)
    if (bad !== null) return `${name} must be ${bad}, not "${value}"`
  }
  return options
}

type Mutable = { -readonly [Key in keyof MainOptions]: MainOptions[Key] }
type Reader = (options: Mutable, value: string, whole: (low: number, high: number) => number | null) => string | null

/** Sets one option, or says what it must be. */
const wholeOption =
  (
    key: "routers" | "bigSite" | "seed" | "snmpPort" | "apiPort" | "pollSeconds" | "controlPort",
    low: number,
    high: number,
  ): Reader =>
  (options, _, whole) => {
    const number = whole(low, high)
    if (number === null) return `a whole number from ${low} to ${high}`
    options[key] = number
    return null
  }
const receiverOption =
  (key: "trapTarget" | "syslogTarget"): Reader =>
  (options, value) => {
    const receiver = parseReceiver(value)
    if (receiver === null) return "an address of this machine with a port, such as 127.0.0.1:10162"
    options[key] = receiver
    return null
  }
const textOption =
  (key: "country" | "net" | "state", pattern: RegExp, what: string): Reader =>
  (options, value) => {
    if (!pattern.test(value)) return what
    options[key] = value
    return null
  }

const READERS: Readonly<Record<string, Reader>> = {
  "--routers": wholeOption("routers", ROUTERS_MIN, ROUTERS_MAX),
  "--big-site": wholeOption("bigSite", 0, BIG_SITE_MAX),
  "--seed": wholeOption("seed", 0, 4294967295),
  "--country": textOption("country", /^[A-Z]{2}$/, "a country code of two capital letters"),
  "--net": textOption("net", /^127\.\d{1,3}$/, "two octets in 127/8, such as 127.17"),
  "--snmp-port": wholeOption("snmpPort", 0, 65535),
  "--api-port": wholeOption("apiPort", 0, 65535),
  "--poll-seconds": wholeOption("pollSeconds", 1, 86_400),
  "--trap-target": receiverOption("trapTarget"),
  "--syslog-target": receiverOption("syslogTarget"),
  "--control-port": wholeOption("controlPort", 0, 65535),
  "--state": textOption("state", /./, "a file name"),
}

/** What `--state FILE` holds: how lab/cli.ts finds a running lab. */
export interface LabState {
  readonly controlUrl: string
  readonly token: string
  readonly pid: number
}

/** Resolves when the lab has ended. */
export const runLab = async (options: MainOptions, ready: (line: string) => void): Promise<void> => {
  // Listened for from the start: whoever reads the ready line may end us in the next moment.
  const ended = theEnd()
  const lab = await Lab.start({ ...options, receivers: { trap: options.trapTarget, syslog: options.syslogTarget } })
  const control = await startControl(lab, options.controlPort)
  if (options.state !== null)
    writeState(options.state, { controlUrl: control.url, token: control.token, pid: process.pid })
  const { routers, links } = lab.isp
  ready(
    JSON.stringify({
      ready: true,
      controlUrl: control.url,
      token: control.token,
      routers: routers.length,
      links: links.length,
    }),
  )
  await ended
  control.close()
  lab.close()
  if (options.state !== null) rmSync(options.state, { force: true })
}

const theEnd = (): Promise<void> =>
  new Promise((ended) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => ended())
    process.stdin.once("end", () => ended()).once("close", () => ended())
    process.stdin.resume()
  })

/** Readable by its owner only from the first byte on, and never half written. */
const writeState = (file: string, state: LabState): void => {
  mkdirSync(dirname(file), { recursive: true })
  const draft = `${file}.${process.pid}`
  writeFileSync(draft, `${JSON.stringify(state)}\n`, { mode: 0o600 })
  chmodSync(draft, 0o600)
  renameSync(draft, file)
}

if (import.meta.main) {
  const options = readOptions(process.argv.slice(2))
  if (typeof options === "string") {
    console.error(`lab: ${options}\n\nusage: node lab/main.ts [options]\n${OPTIONS_HELP}`)
    process.exitCode = 2
  } else
    try {
      await runLab(options, (line) => process.stdout.write(`${line}\n`))
      // A manager's half-open TCP connection must not keep a finished lab alive.
      process.exit(0)
    } catch (cause) {
      console.error(`lab: ${cause instanceof Error ? cause.message : String(cause)}`)
      // Standard input and what is bound already would keep it alive for ever.
      process.exit(isAddressTaken(cause) ? ADDRESS_TAKEN : 1)
    }
}
