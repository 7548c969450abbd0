/**
 * CPU per varbind of our v2c path, beside a C program on libnetsnmp and the npm package net-snmp alone: the same agents,
 * the same GETBULK, one request in flight on every device, rounds interleaved so that the machine's moods hit all alike.
 * The emulated agents share the machine and are the bottleneck; a poller's own CPU is what is compared, not its speed.
 */
import { rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import type { Case } from "#bench/case.ts"
import { compileLibnetsnmp, HOW_TO_ENABLE, node, startPoller } from "#bench/snmp-cost/pollers.ts"
import type { Poller, Round } from "#bench/snmp-cost/pollers.ts"
import { quantile, round } from "#bench/statistics.ts"
import { startLab } from "#lab/drive/lab.ts"

/** The columns that a poll reads of each port: states, errors, discards and the 64-bit counters of IF-MIB. */
const OIDS = [
  "1.3.6.1.2.1.2.2.1.8",
  "1.3.6.1.2.1.2.2.1.13",
  "1.3.6.1.2.1.2.2.1.14",
  "1.3.6.1.2.1.2.2.1.19",
  "1.3.6.1.2.1.2.2.1.20",
  "1.3.6.1.2.1.31.1.1.1.6",
  "1.3.6.1.2.1.31.1.1.1.7",
  "1.3.6.1.2.1.31.1.1.1.10",
]
/** Times 8 columns: 48 values in a datagram of about 1 KB. */
const MAX_REPETITIONS = "6"

/** In the order of the report; each pays for its own whole process. */
const CONTESTANTS = ["client", "poll", "npm", "libnetsnmp"] as const
type Contestant = (typeof CONTESTANTS)[number]

export const snmpCost: Case = {
  name: "snmp-cost",
  about: "CPU us per varbind of our v2c path, libnetsnmp (C) and npm net-snmp, same agents, interleaved",
  tier: "emulator (ours)",
  full: { routers: 200, requests: 100, rounds: 7, seed: 1 },
  small: { routers: 12, requests: 20, rounds: 1, seed: 1 },
  run: async (parameters, report) => {
    const { routers, requests, rounds, seed } = parameters as {
      routers: number
      requests: number
      rounds: number
      seed: number
    }
    const played = await withContestants(routers, seed, report, (pollers) => play(pollers, requests, rounds, report))
    const costs = Object.fromEntries(
      CONTESTANTS.map((name) => [name, median(played.get(name)?.map((one) => one.cpuUs / one.varbinds))]),
    ) as Record<Contestant, number | null>
    const ratio = (of: number | null, to: number | null): number | null =>
      of === null || to === null || to === 0 ? null : round(of / to, 2)
    const client = played.get("client") ?? []
    // Whole polls ask in their own way; of the others, every round that lost nothing has read the same.
    const whole = [...played].filter(([name]) => name !== "poll").flatMap(([, all]) => all)
    const varbinds = new Set(whole.filter((one) => one.failures === 0).map((one) => one.varbinds))
    if (varbinds.size !== 1) throw new Error(`the pollers did not read the same: ${[...varbinds].join(", ")} varbinds`)
    return {
      figures: {
        varbinds_per_round: client[0]?.varbinds ?? null,
        varbinds_per_answer: round((client[0]?.varbinds ?? 0) / (client[0]?.requests ?? 1)),
        client_cpu_us_per_varbind: rounded(costs.client),
        whole_poll_cpu_us_per_varbind: rounded(costs.poll),
        npm_cpu_us_per_varbind: rounded(costs.npm),
        libnetsnmp_cpu_us_per_varbind: rounded(costs.libnetsnmp),
        client_to_libnetsnmp: ratio(costs.client, costs.libnetsnmp),
        npm_to_libnetsnmp: ratio(costs.npm, costs.libnetsnmp),
        npm_to_client: ratio(costs.npm, costs.client),
        whole_poll_to_client: ratio(costs.poll, costs.client),
        requests_without_answer: [...played.values()].flat().reduce((sum, one) => sum + one.failures, 0),
      },
      outcome: [...varbinds],
    }
  },
}

/** One round of each to warm up (compiled code, discovery), then `rounds` of each by turns, a new one first each time. */
const play = async (
  pollers: ReadonlyMap<Contestant, Poller>,
  requests: number,
  rounds: number,
  report: (line: string) => void,
): Promise<ReadonlyMap<Contestant, readonly Round[]>> => {
  const names = [...pollers.keys()]
  const played = new Map<Contestant, Round[]>(names.map((name) => [name, []]))
  for (let i = 0; i <= rounds; i++) {
    for (let turn = 0; turn < names.length; turn++) {
      const name = names[(i + turn) % names.length] as Contestant
      const one = await (pollers.get(name) as Poller).play(name === "poll" ? Math.ceil(requests / 10) : requests)
      const words = `${round(one.cpuUs / one.varbinds, 3)} us/varbind, ${one.varbinds} varbinds in ${round(one.wallMs, 0)} ms`
      report(`${i === 0 ? "warm-up" : `round ${i}`} ${name}: ${words}`)
      if (i > 0) played.get(name)?.push(one)
    }
  }
  return played
}

const withContestants = async <A>(
  routers: number,
  seed: number,
  report: (line: string) => void,
  use: (pollers: ReadonlyMap<Contestant, Poller>) => Promise<A>,
): Promise<A> => {
  const lab = await startLab({ routers, seed, trap: NOWHERE, syslog: NOWHERE, stateFile: temporary("lab.json") })
  const targets = temporary("targets")
  const program = await compileLibnetsnmp()
  const pollers = new Map<Contestant, Poller>()
  try {
    await lab.setTargets(null, null)
    writeFileSync(targets, v2cTargets(await lab.importDocument()), { mode: 0o600 })
    const ours = "engine/collectors/snmp/cost.fixture.ts"
    const args = [targets, MAX_REPETITIONS, ...OIDS]
    pollers.set("client", await startPoller(node(ours, "client", ...args)))
    pollers.set("poll", await startPoller(node(ours, "poll", ...args)))
    pollers.set("npm", await startPoller(node("bench/snmp-cost/net-snmp-npm.ts", ...args)))
    if (typeof program === "string") report(`SKIPPED libnetsnmp: ${program}; enable: ${HOW_TO_ENABLE}`)
    else pollers.set("libnetsnmp", await startPoller([program.path, ...args]))
    return await use(pollers)
  } finally {
    for (const poller of pollers.values()) await poller.stop()
    if (typeof program !== "string") program.remove()
    await lab.stop()
    rmSync(targets, { force: true })
  }
}

const NOWHERE = "127.0.0.1:9"
const temporary = (name: string): string => join(tmpdir(), `heliograph-snmp-cost-${process.pid}-${name}`)

/** Those of the lab's devices that speak v2c, a line each. */
const v2cTargets = (document: Record<string, unknown>): string => {
  const devices = document["devices"] as ReadonlyArray<{
    readonly address: string
    readonly snmp: { readonly version: string; readonly port: number; readonly community?: string }
  }>
  return devices
    .filter(({ snmp }) => snmp.version === "2c")
    .map(({ address, snmp }) => `${address} ${snmp.port} ${snmp.community}\n`)
    .join("")
}

const median = (values: readonly number[] | undefined): number | null =>
  values === undefined || values.length === 0 ? null : quantile(values, 0.5)
const rounded = (value: number | null): number | null => (value === null ? null : round(value, 3))
