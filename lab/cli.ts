/**
 * `npm run lab -- ...`: starts an emulated ISP, or breaks things in the one that runs (`npm start`, or `start` here). It
 * finds that one by the state file which the lab writes into the data directory.
 */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import type { ActiveFault } from "#lab/faults/board.ts"
import { RESTORE } from "#lab/faults/board.ts"
import { suggestion } from "#lab/faults/names.ts"
import { FAULTS } from "#lab/faults/registry.ts"
import { OPTIONS_HELP, readOptions, runLab } from "#lab/main.ts"
import type { LabState } from "#lab/main.ts"
import type { Truth } from "#lab/truth.ts"

/** How long the running lab may take to answer. */
const ANSWER_MS = 10_000

const faultHelp = FAULTS.flatMap(({ kind, undo, usage, about }) => [
  `  ${`${kind} ${usage}`.padEnd(24)} ${about}`,
  ...(undo === null
    ? []
    : [`  ${`${undo} ${usage.replace(/ \[(SECONDS|FACTOR|PERCENT)\]/, "")}`.padEnd(24)} and take it back`]),
]).join("\n")

const HELP = `usage: npm run lab -- COMMAND

  start [options]          start an emulated ISP of its own and keep it running
  status                   what runs, what is down
  list [links|routers|sites]
  faults                   what is broken now
  replay FILE.snmprec --listen ADDRESS:PORT [--community NAME]
                           serve a recording of a real device by SNMP v2c
  kit ...                  files to build the reference lab with CHR images of your own: npm run lab -- kit --help
  frr ...                  12 real routers in network namespaces (needs root): npm run lab -- frr --help
  fault NAME ...           break or mend something:

${faultHelp.replace(/^/gm, "  ")}
    ${RESTORE.padEnd(24)} take everything back

options of start:
${OPTIONS_HELP}

The running lab is found by HELIOGRAPH_DATA_DIR/lab.json (default ./data/lab.json).
`

/** What went wrong, said to a person; the command line ends with 1. */
class Failed extends Error {}

const COMMANDS: Readonly<Record<string, (args: readonly string[]) => Promise<void>>> = {
  start: async (args) => {
    const options = readOptions(args)
    if (typeof options === "string") throw new Failed(`${options}; see npm run lab -- --help`)
    await runLab({ ...options, state: options.state ?? stateFile() }, (line) => {
      const { routers, links } = JSON.parse(line) as { readonly routers: number; readonly links: number }
      console.log(`an ISP of ${routers} routers and ${links} links is running; Ctrl-C ends it`)
      console.log(`import it: GET /import.json at the control URL in ${options.state ?? stateFile()}`)
    })
  },
  replay: async (args) => {
    const { replay } = await import("#lab/replay/main.ts")
    await replay(args, (line) => console.log(line))
  },
  status: async () => showStatus(await call<Truth>("GET", "/truth"), (await activeFaults()).length),
  list: async (args) => showList(await call<Truth>("GET", "/truth"), args[0] ?? "links"),
  faults: async () => {
    const faults = await activeFaults()
    if (faults.length === 0) console.log("nothing is broken")
    for (const { kind, text, sinceMs } of faults)
      console.log(`${kind.padEnd(10)} ${text}, for ${Math.round((Date.now() - sinceMs) / 1000)} s`)
  },
  fault: async ([kind, ...args]) => {
    if (kind === undefined) throw new Failed(`which fault?\n\n${faultHelp}`)
    const { text } = await call<{ readonly text: string }>("POST", "/fault", { kind, args })
    console.log(`${kind}: ${text}`)
  },
}

const main = async ([name, ...args]: readonly string[]): Promise<number> => {
  // Loaded only when asked for: they have nothing in common with the emulated ISP.
  if (name === "frr") return (await import("#lab/frr/cli.ts")).frrCommand(args)
  if (name === "kit") return (await import("#lab/kits/cli.ts")).kitCommand(args)
  if (name === undefined || name === "help" || [name, ...args].includes("--help")) {
    console.log(HELP)
    return 0
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  if (command === undefined) {
    console.error(`lab: there is no command "${name}"${suggestion(name, Object.keys(COMMANDS))}\n\n${HELP}`)
    return 2
  }
  try {
    await command(args)
    return 0
  } catch (cause) {
    console.error(`lab: ${cause instanceof Error ? cause.message : String(cause)}`)
    return 1
  }
}

const stateFile = (): string => join(process.env["HELIOGRAPH_DATA_DIR"] ?? "data", "lab.json")

const activeFaults = async (): Promise<readonly ActiveFault[]> =>
  (await call<{ readonly faults: readonly ActiveFault[] }>("GET", "/faults")).faults

const readState = (): LabState => {
  try {
    return JSON.parse(readFileSync(stateFile(), "utf8")) as LabState
  } catch {
    throw new Failed(`no lab runs here: ${stateFile()} is not there. Start one with npm start, or npm run lab -- start`)
  }
}

const call = async <Answer>(method: string, path: string, body?: unknown): Promise<Answer> => {
  const { controlUrl, token } = readState()
  let response: Response
  try {
    response = await fetch(new URL(path, controlUrl), {
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      signal: AbortSignal.timeout(ANSWER_MS),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
  } catch {
    throw new Failed(`the lab of ${stateFile()} does not answer: it has ended, or belongs to another machine`)
  }
  const answer = (await response.json()) as Answer & { readonly error?: string }
  if (!response.ok) throw new Failed(answer.error ?? `the lab answered ${response.status}`)
  return answer
}

const showStatus = (truth: Truth, faults: number): void => {
  const { routers, links, bgp } = truth
  const count = <T>(all: readonly T[], of: (one: T) => boolean) => all.filter(of).length
  const hot = count(links, (link) => Math.max(link.utilAbPct, link.utilBaPct) >= 80)
  console.log(truth.name)
  console.log(`routers      ${count(routers, (router) => router.alive)} of ${routers.length} alive`)
  console.log(`reachable    ${count(routers, (router) => router.answers)} of ${routers.length} from the NOC`)
  console.log(`links        ${count(links, (link) => link.up)} of ${links.length} up, ${hot} at 80 % or more`)
  console.log(`BGP          ${bgp.established} of ${bgp.sessions} sessions established`)
  console.log(`subscribers  ${routers.reduce((sum, { pppoe }) => sum + (pppoe ?? 0), 0)} PPPoE sessions`)
  console.log(`faults       ${faults}`)
}

const showList = (truth: Truth, what: string): void => {
  if (what === "routers")
    for (const { name, site, roles, persona, alive, answers, pppoe } of truth.routers) {
      const state = !alive ? "dead" : answers ? "" : "unreachable"
      console.log(
        `${name.padEnd(14)} ${roles.join("+").padEnd(9)} ${persona.padEnd(10)} ${site.padEnd(28)} ${pppoe ?? ""} ${state}`,
      )
    }
  else if (what === "sites")
    for (const site of new Set(truth.routers.map((router) => router.site)))
      console.log(
        `${site.padEnd(28)} ${truth.routers
          .filter((router) => router.site === site)
          .map(({ name }) => name)
          .join(", ")}`,
      )
  else if (what === "links")
    for (const link of truth.links) {
      const load = `${Math.max(link.utilAbPct, link.utilBaPct).toFixed(0)} %`
      const ends = `${link.a.padEnd(14)} ${link.aInterface.padEnd(16)} ${link.b.padEnd(14)} ${link.bInterface.padEnd(16)}`
      console.log(
        `${ends} ${link.tier.padEnd(8)} ${`${link.capacityBps / 1e9}G`.padStart(6)} ${load.padStart(6)} ${link.up ? "" : "down"}`,
      )
    }
  else throw new Failed(`there is no list of "${what}"${suggestion(what, ["links", "routers", "sites"])}`)
}

process.exitCode = await main(process.argv.slice(2))
// The lab of `start` may have open connections left, `replay` a stdin; everything else has nothing to wait for.
if (process.argv[2] === "start" || process.argv[2] === "replay") process.exit()
