/** `npm run lab -- frr ...`: real routers (FRRouting, net-snmp, lldpd) in network namespaces of this machine. */
import { join } from "node:path"
import process from "node:process"
import { parseReceiver } from "#lab/frr/receiver.ts"
import { frrImport } from "#lab/frr/import.ts"
import { bgpPeers, FRR_ISP, MANAGEMENT, ospfNeighbours } from "#lab/frr/isp.ts"
import { openNetwork } from "#lab/frr/network.ts"
import type { FrrNetwork } from "#lab/frr/network.ts"
import { FrrRefused } from "#lab/frr/power.ts"
import { isOn } from "#lab/frr/state.ts"
import { bringUp, DEFAULT_RECEIVERS, takeDown } from "#lab/frr/up.ts"

export const FRR_HELP = `usage: npm run lab -- frr COMMAND [--state FILE]

  up [options]             12 real routers: FRR, snmpd, lldpd in network namespaces (root)
  down                     take them away, with whatever a crash left
  status                   power, OSPF and BGP of each router, as it says itself
  list                     routers and their management addresses
  links                    links, their interfaces, what is broken
  cut A B                  cut the cable between A and B: both ends lose the light
  shut A B                 shut A's end of the link to B, as an operator does
  mend A B                 and make either whole again
  kill R                   cut router R's power
  revive R                 and give it back
  loss A B PERCENT         lose packets each way; 0 ends it
  rate A B MBIT            limit each way to MBIT; 0 ends it
  import                   print the import document: npm run -s lab -- frr import > frr.json

options of up:
  --trap-target ADDRESS:PORT     where traps go (default ${DEFAULT_RECEIVERS.trap})
  --syslog-target ADDRESS:PORT   where syslog goes (default ${DEFAULT_RECEIVERS.syslog})
                                 both on ${MANAGEMENT.host}, this machine's address in the lab

The state file is HELIOGRAPH_DATA_DIR/frr.json (default ./data/frr.json). It and the import document hold credentials.
`

/** The routers of a loaded machine come up in half a minute. */
const SETTLE_MS = 120_000

/** Exit code. */
export const frrCommand = async (args: readonly string[]): Promise<number> => {
  const [name, ...rest] = args
  if (name === undefined || name === "help" || args.includes("--help")) {
    console.log(FRR_HELP)
    return 0
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  if (command === undefined) {
    console.error(`lab: frr has no command "${name}"\n\n${FRR_HELP}`)
    return 2
  }
  try {
    await command(readArguments(rest))
    return 0
  } catch (cause) {
    console.error(`lab: ${cause instanceof Error ? cause.message : String(cause)}`)
    return 1
  }
}

interface Arguments {
  readonly words: readonly string[]
  readonly stateFile: string
  readonly trap: string
  readonly syslog: string
}

const readArguments = (args: readonly string[]): Arguments => {
  const words: string[] = []
  const read = {
    "--state": defaultStateFile(),
    "--trap-target": DEFAULT_RECEIVERS.trap,
    "--syslog-target": DEFAULT_RECEIVERS.syslog,
  }
  for (let i = 0; i < args.length; i++) {
    const word = args[i] as string
    if (!word.startsWith("--")) {
      words.push(word)
      continue
    }
    if (!Object.hasOwn(read, word)) throw new FrrRefused(`there is no option ${word}; see npm run lab -- frr --help`)
    const value = args[++i]
    if (value === undefined) throw new FrrRefused(`${word} needs a value`)
    read[word as keyof typeof read] = value
  }
  for (const option of ["--trap-target", "--syslog-target"] as const)
    if (parseReceiver(read[option]) === null)
      throw new FrrRefused(
        `${option} must be ${MANAGEMENT.host}:PORT, this machine's address in the lab, not "${read[option]}"`,
      )
  return { words, stateFile: read["--state"], trap: read["--trap-target"], syslog: read["--syslog-target"] }
}

const defaultStateFile = (): string => join(process.env["HELIOGRAPH_DATA_DIR"] ?? "data", "frr.json")

type Command = (args: Arguments) => Promise<void>

const COMMANDS: Readonly<Record<string, Command>> = {
  up: async ({ stateFile, trap, syslog }) => {
    const started = performance.now()
    const seconds = (): string => ((performance.now() - started) / 1000).toFixed(1)
    const network = await bringUp({ stateFile, receivers: { trap, syslog } })
    console.log(`${FRR_ISP.routers.length} routers have power after ${seconds()} s; waiting for OSPF and BGP`)
    await network.settled(SETTLE_MS)
    console.log(`all adjacencies are up after ${seconds()} s; import them: npm run -s lab -- frr import > frr.json`)
  },
  down: async ({ stateFile }) => {
    await takeDown(stateFile)
    console.log("the real-router lab is gone")
  },
  status: async ({ stateFile }) => showStatus(openNetwork(stateFile)),
  list: async ({ stateFile }) => showRouters(openNetwork(stateFile)),
  links: async ({ stateFile }) => showLinks(openNetwork(stateFile)),
  import: async ({ stateFile }) =>
    console.log(JSON.stringify(frrImport(FRR_ISP, openNetwork(stateFile).state().secrets), null, 2)),
  cut: fault(2, (network, [a, b]) => network.cut(a, b)),
  shut: fault(2, (network, [a, b]) => network.shut(a, b)),
  mend: fault(2, (network, [a, b]) => network.mend(a, b)),
  kill: fault(1, (network, [router]) => network.kill(router)),
  revive: fault(1, (network, [router]) => network.revive(router)),
  loss: fault(3, (network, [a, b, percent]) => network.loss(a, b, numberOf(percent, "PERCENT"))),
  rate: fault(3, (network, [a, b, mbit]) => network.rate(a, b, numberOf(mbit, "MBIT") || null)),
}

/** A command with exactly `count` words behind it. Function declaration: the table above is made before. */
function fault(
  count: number,
  apply: (network: FrrNetwork, words: readonly [string, string, string]) => Promise<number>,
): Command {
  return async ({ words, stateFile }) => {
    if (words.length !== count)
      throw new FrrRefused(`${count} words are needed, not ${words.length}; see npm run lab -- frr --help`)
    await apply(openNetwork(stateFile), [words[0] ?? "", words[1] ?? "", words[2] ?? ""])
    console.log("done")
  }
}

const numberOf = (text: string, what: string): number => {
  const number = Number(text)
  if (text === "" || !Number.isFinite(number) || number < 0) throw new FrrRefused(`${what} is a number, not "${text}"`)
  return number
}

const showStatus = async (network: FrrNetwork): Promise<void> => {
  for (const { router, isOn: on, ospfFull, bgpEstablished } of await network.adjacencies()) {
    const ospf = `OSPF ${ospfFull} of ${ospfNeighbours(FRR_ISP, router).length} full`
    const bgp = `BGP ${bgpEstablished} of ${bgpPeers(FRR_ISP, router).length} established`
    console.log(on ? `${router.padEnd(4)} ${ospf.padEnd(20)} ${bgp}` : `${router.padEnd(4)} no power`)
  }
}

const showRouters = (network: FrrNetwork): void => {
  const { power } = network.state()
  for (const { name, roles, site, management, loopback, asn, snmp } of FRR_ISP.routers)
    console.log(
      `${name.padEnd(4)} ${roles.join("+").padEnd(9)} ${site.padEnd(4)} ${management.padEnd(12)} loopback ${loopback.padEnd(12)} AS ${asn} SNMP v${snmp.padEnd(2)} ${isOn(power[name]) ? "" : "no power"}`,
    )
}

const showLinks = (network: FrrNetwork): void => {
  const { hurts } = network.state()
  for (const { a, b, kind } of FRR_ISP.links) {
    const hurt = hurts.find((one) => one.a === a.router && one.b === b.router)
    const words = [
      ...(hurt?.isCut === true ? ["cut"] : []),
      ...(hurt?.shutAt === undefined || hurt.shutAt === null ? [] : [`shut at ${hurt.shutAt}`]),
      ...(hurt !== undefined && hurt.lossPercent > 0 ? [`loses ${hurt.lossPercent} %`] : []),
      ...(hurt?.rateMbit === undefined || hurt.rateMbit === null ? [] : [`limited to ${hurt.rateMbit} Mbit/s`]),
    ]
    console.log(
      `${a.router.padEnd(4)} ${a.interface.padEnd(5)} ${b.router.padEnd(4)} ${b.interface.padEnd(5)} ${kind.padEnd(8)} ${a.address} - ${b.address} ${words.join(", ")}`,
    )
  }
}
