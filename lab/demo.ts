/**
 * `npm start`: Heliograph with a living ISP to look at. The engine runs here; the emulated ISP runs in a process of its
 * own, which the engine reaches only through sockets, like any network. Its tenant is flagged demo, and every screen
 * says so. Production starts the engine alone: `npm run -s heliograph -- start`.
 */
import { spawn, type ChildProcess } from "node:child_process"
import { once } from "node:events"
import { readFile, writeFile } from "node:fs/promises"
import { join, resolve } from "node:path"
import process from "node:process"
import { createInterface } from "node:readline"
import { runEngine, type Running } from "#engine/start.ts"
import { configFromProcess } from "#engine/config.ts"
import { ADDRESS_TAKEN } from "#lab/bind.ts"

const HELP = `usage: npm start -- [--routers N] [--seed N]

Starts Heliograph with an emulated ISP of N routers (default 120) and prints the address to open.
  --routers N   size of the emulated ISP, 12 to 2000
  --seed N      another seed is another ISP (default 1)
  --help        this text

Settings are environment variables (HELIOGRAPH_PORT, HELIOGRAPH_DATA_DIR, DATABASE_URL, ...):
  npm run -s heliograph -- config      lists them all
Try, in a second terminal:
  npm run -s lab -- list links         what there is to break
  npm run -s lab -- fault cut A B      cut the link between routers A and B
  npm run -s lab -- fault mend A B     and mend it
To monitor your own network, without the emulated one:
  npm run -s heliograph -- start
`

export const DEMO_TENANT = { slug: "demo", name: "Aurora Telecom", demo: true } as const
/** The lab binds sockets for each router; a thousand take about a second. */
const LAB_READY_MS = 60_000

interface Options {
  readonly routers: number
  readonly seed: number
}

const main = async (args: readonly string[]): Promise<number> => {
  if (args.includes("--help")) return print(HELP, 0)
  const options = readOptions(args)
  if (typeof options === "string") return print(`${options}\n\n${HELP}`, 2)
  const config = configFromProcess()
  if (config === null) return 2
  let lab: Lab | undefined
  return runEngine(config, {
    firstTenant: DEMO_TENANT,
    whenUp: async (running) => {
      const started = performance.now()
      lab = await startLab(options, running, config.dataDir)
      const document = await fetchImport(lab)
      await running.ensureTenant(DEMO_TENANT)
      await forgetOtherNetwork(running, options, config.dataDir)
      const report = await running.importText(DEMO_TENANT.slug, document)
      running.progress(
        `emulated ISP: ${report.devices.added + report.devices.updated + report.devices.unchanged} routers`,
        performance.now() - started,
      )
    },
    whenDown: async () => {
      await lab?.stop()
    },
  })
}

/**
 * Another size or seed is another ISP whose routers bear the same names: what the twin remembers of the old ones (a
 * neighbour that vanished, say) must not be told of the new ones.
 */
const forgetOtherNetwork = async (running: Running, options: Options, dataDir: string): Promise<void> => {
  const file = join(dataDir, "demo.json")
  const now = JSON.stringify(options)
  const before = await readFile(file, "utf8").catch(() => null)
  if (before !== null && before !== now) await running.importText(DEMO_TENANT.slug, NO_NETWORK)
  if (before !== now) await writeFile(file, now)
}
const NO_NETWORK = JSON.stringify({ sites: [], devices: [], links: [], providers: [], services: [] })

const readOptions = (args: readonly string[]): Options | string => {
  const options = { routers: 120, seed: 1 }
  for (let i = 0; i < args.length; i += 2) {
    const value = Number(args[i + 1])
    if (args[i] === "--routers" && Number.isInteger(value) && value >= 12 && value <= 2000) options.routers = value
    else if (args[i] === "--seed" && Number.isInteger(value) && value >= 0) options.seed = value
    else return `cannot read ${args.slice(i, i + 2).join(" ")}`
  }
  return options
}

interface Lab {
  readonly controlUrl: string
  readonly token: string
  readonly stop: () => Promise<void>
}

/** Another demo may have the first net; the same network has other addresses then. */
const NETS = Array.from({ length: 8 }, (_, i) => `127.${16 + i}`)

/** The lab ends when its stdin closes, so it never outlives this process, however this one ends. */
const startLab = async (options: Options, running: Running, dataDir: string): Promise<Lab> => {
  for (const net of NETS) {
    const child = spawnLab(options, running, dataDir, net)
    try {
      return labOf(child, await firstLine(child), running)
    } catch (error) {
      child.kill()
      if (child.exitCode !== ADDRESS_TAKEN) throw error
      running.progress(`${net}.0.0/16 has another lab, trying the next`, null)
    }
  }
  throw new Error(`each of ${NETS[0]} to ${NETS.at(-1)} has a lab already: stop one`)
}

const spawnLab = (options: Options, running: Running, dataDir: string, net: string): ChildProcess => {
  const target = (port: number): string => `127.0.0.1:${port}`
  return spawn(
    process.execPath,
    [
      resolve(import.meta.dirname, "main.ts"),
      "--routers",
      String(options.routers),
      "--seed",
      String(options.seed),
      "--net",
      net,
      "--trap-target",
      target(running.trapPort),
      "--syslog-target",
      target(running.syslogPort),
      "--state",
      join(dataDir, "lab.json"),
    ],
    // A process group of its own: Ctrl-C goes to the engine first, which then closes the lab.
    { stdio: ["pipe", "pipe", "inherit"], detached: true },
  )
}

const labOf = (child: ChildProcess, ready: string, running: Running): Lab => {
  const { controlUrl, token } = JSON.parse(ready) as { controlUrl: string; token: string }
  child.once("exit", (code) => {
    if (code !== 0 && code !== null)
      running.progress(`the emulated ISP ended with code ${code}; its routers will show as unreachable`, null)
  })
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, "exit")
    child.stdin?.end()
    await gone
  }
  return { controlUrl, token, stop }
}

const firstLine = (child: ChildProcess): Promise<string> =>
  new Promise((settle, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`the emulated ISP was not ready after ${LAB_READY_MS} ms`)),
      LAB_READY_MS,
    )
    const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })
    lines.once("line", (line) => {
      clearTimeout(timer)
      settle(line)
    })
    child.once("error", reject)
    child.once("exit", (code) => {
      clearTimeout(timer)
      reject(new Error(`the emulated ISP ended with code ${code} before it was ready`))
    })
  })

/** The network, and what its operator declared beside it. */
const fetchImport = async (lab: Lab): Promise<string> => {
  const [network, declared] = await Promise.all([fetched(lab, "/import.json"), fetched(lab, "/services.json")])
  return JSON.stringify({ ...network, ...declared })
}

const fetched = async (lab: Lab, path: string): Promise<object> => {
  const response = await fetch(new URL(path, lab.controlUrl), { headers: { authorization: `Bearer ${lab.token}` } })
  if (!response.ok) throw new Error(`the emulated ISP did not give its inventory: ${response.status}`)
  return (await response.json()) as object
}

const print = (text: string, code: number): number => {
  ;(code === 0 ? console.log : console.error)(text)
  return code
}

process.exitCode = await main(process.argv.slice(2))
