/**
 * Records what real routers tell when something breaks: the engine's own listeners and SNMP collector, without the
 * twin, and every input they make, in the form of timeline.ts. `node lab/frr/recorder.fixture.ts DIRECTORY` (root)
 * makes the committed timelines anew.
 */
import { writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { deviceId } from "#protocol/id.ts"
import type { DeviceId } from "#protocol/id.ts"
import { BGP_STATES, metricId, OSPF_STATES } from "#protocol/metric.ts"
import type { Sink } from "#engine/collectors/collector.ts"
import { FLEET_DEFAULTS, runFleet } from "#engine/collectors/fleet.ts"
import { makeFleetStats } from "#engine/collectors/fleet-stats.ts"
import { makeSnmpCollector } from "#engine/collectors/snmp/collector.ts"
import { makeSyslogStats, syslogListener } from "#engine/collectors/syslog/listener.ts"
import type { Target } from "#engine/collectors/target.ts"
import { makeTrapStats, trapListener } from "#engine/collectors/trap.ts"
import { freePort } from "#lab/drive/child.ts"
import type { FrrSecrets } from "#lab/frr/configs.ts"
import { frrImport } from "#lab/frr/import.ts"
import { FRR_ISP, MANAGEMENT } from "#lab/frr/isp.ts"
import type { FrrNetwork } from "#lab/frr/network.ts"
import { pause, run } from "#lab/frr/shell.ts"
import { TIMERS } from "#lab/frr/configs.ts"
import type { Entry, Header } from "#lab/frr/timeline.ts"
import { writeTimeline } from "#lab/frr/timeline.ts"
import { bringUp, takeDown } from "#lab/frr/up.ts"

type DeviceInput = Parameters<Sink["submit"]>[0]
type PollInput = Extract<DeviceInput, { readonly kind: "poll" }>

export interface Recorder {
  /** In the order of arrival. */
  readonly inputs: readonly DeviceInput[]
  /** Resolves when a present or coming input makes it true. */
  readonly until: (accept: () => boolean, timeoutMs: number, what: string) => Promise<void>
  /** Newest value of a metric; null = never told. */
  readonly value: (device: string, entity: string, metric: string) => number | null
  readonly stats: {
    readonly trap: ReturnType<typeof makeTrapStats>
    readonly syslog: ReturnType<typeof makeSyslogStats>
  }
  readonly stop: () => Promise<void>
}

/** Device ids are the routers' names here. */
export const startRecorder = async (
  secrets: FrrSecrets,
  ports: { readonly trap: number; readonly syslog: number },
  pollSeconds: number,
): Promise<Recorder> => {
  const targets: readonly Target[] = frrImport(FRR_ISP, secrets).devices.map(({ name, address, snmp }) => ({
    device: deviceId(name),
    name,
    address,
    pollSeconds,
    snmp,
    routeros: null,
  }))
  const byAddress = new Map(targets.map((target) => [target.address, target]))
  const inputs: DeviceInput[] = []
  const values = new Map<string, number>()
  const waiting = new Set<() => void>()
  const sink: Sink = {
    submit: (input) => {
      inputs.push(input)
      if (input.kind === "poll") remember(values, input)
      for (const wake of waiting) wake()
      return true
    },
  }
  const scope = Effect.runSync(Scope.make())
  const stats = { trap: makeTrapStats(), syslog: makeSyslogStats() }
  const start = Effect.gen(function* () {
    const fleet = yield* runFleet({
      targets,
      collectors: [makeSnmpCollector()],
      sink,
      settings: FLEET_DEFAULTS,
      stats: makeFleetStats(),
    })
    const confirm = (device: DeviceId): void => fleet.pollNow(device)
    yield* trapListener({
      host: MANAGEMENT.host,
      port: ports.trap,
      resolve: (address) => byAddress.get(address) ?? null,
      sink,
      stats: stats.trap,
      onTrap: ({ device }) => confirm(device),
    })
    yield* syslogListener({
      host: MANAGEMENT.host,
      port: ports.syslog,
      resolve: (address) => byAddress.get(address)?.device ?? null,
      sink,
      stats: stats.syslog,
      onEvent: confirm,
    })
  })
  await Effect.runPromise(Effect.provideService(start, Scope.Scope, scope))
  const until: Recorder["until"] = (accept, timeoutMs, what) =>
    new Promise((settle, reject) => {
      if (accept()) return settle()
      const end = (result: () => void): void => {
        waiting.delete(wake)
        clearTimeout(timer)
        result()
      }
      const wake = (): void => (accept() ? end(settle) : undefined)
      const timer = setTimeout(() => end(() => reject(new Error(`not within ${timeoutMs} ms: ${what}`))), timeoutMs)
      waiting.add(wake)
    })
  return {
    inputs,
    until,
    value: (device, entity, metric) => values.get(`${device} ${entity} ${metricId(metric as never)}`) ?? null,
    stats,
    stop: () => Effect.runPromise(Scope.close(scope, Exit.void)),
  }
}

/** States only, and a neighbour that a complete poll lacks is down: what the twin would make of it. */
const remember = (values: Map<string, number>, poll: PollInput): void => {
  for (const [key, value] of statesOf(poll)) values.set(key, value)
  for (const key of values.keys()) {
    const [device, entity = ""] = key.split(" ")
    if (device !== poll.device || poll.entities.includes(entity as never)) continue
    if (entity.startsWith("ospf:") && poll.complete.includes("ospf.neighbor")) values.delete(key)
    if (entity.startsWith("bgp:") && poll.complete.includes("bgp.peer")) values.delete(key)
  }
}

const STATES: ReadonlyMap<number, string> = new Map(
  (["interface.oper_up", "interface.admin_up", "ospf.neighbor.state", "bgp.peer.state"] as const).map((name) => [
    metricId(name),
    name,
  ]),
)

const statesOf = (poll: PollInput): ReadonlyMap<string, number> => {
  const states = new Map<string, number>()
  for (let i = 0; i < poll.metric.length; i++) {
    const metric = poll.metric[i] as number
    if (STATES.has(metric))
      states.set(`${poll.device} ${poll.entities[poll.entity[i] as number]} ${metric}`, poll.value[i] as number)
  }
  return states
}

// --- timelines

/** Inputs as entries of a timeline: events as they came, of polls only what changed. */
export const entriesOf = (inputs: readonly DeviceInput[], faultMs: number, fromMs: number): readonly Entry[] => {
  const values = new Map<string, number>()
  const silent = new Set<string>()
  const entries: Entry[] = []
  for (const input of inputs) {
    const at = { ms: input.atMs - faultMs, device: input.device }
    const keep = (entry: Entry): void => void (input.atMs >= fromMs && entries.push(entry))
    if (input.kind === "trap") {
      const { trap, oid, ifIndex, ifName, adminUp, remote, state = null, raw } = input
      keep({ ...at, kind: "trap", trap, oid, ifIndex, ifName, adminUp, remote, state, raw })
    } else if (input.kind === "syslog") {
      const { severity, message, event, count } = input
      keep({ ...at, kind: "syslog", severity, message, event, count })
    } else if (input.kind === "unreachable") {
      if (!silent.has(input.device)) keep({ ...at, kind: "unreachable", reason: input.reason, detail: input.detail })
      silent.add(input.device)
    } else {
      if (silent.delete(input.device)) keep({ ...at, kind: "answers" })
      for (const change of changesOf(values, input))
        keep({ ...at, startedMs: input.startedMs - faultMs, kind: "poll", ...change })
    }
  }
  return entries
}

type Change = Pick<Extract<Entry, { kind: "poll" }>, "entity" | "metric" | "old" | "new">

const changesOf = (values: Map<string, number>, poll: PollInput): readonly Change[] => {
  const before = new Map([...values].filter(([key]) => key.startsWith(`${poll.device} `)))
  remember(values, poll)
  const after = new Map([...values].filter(([key]) => key.startsWith(`${poll.device} `)))
  return [...new Set([...before.keys(), ...after.keys()])]
    .filter((key) => before.get(key) !== after.get(key))
    .map((key) => {
      const [, entity = "", metric = ""] = key.split(" ")
      const name = STATES.get(Number(metric)) ?? metric
      return { entity, metric: name, old: word(name, before.get(key)), new: word(name, after.get(key)) }
    })
}

/** Null = not listed. */
const word = (metric: string, value: number | undefined): string | null => {
  if (value === undefined) return null
  if (metric === "ospf.neighbor.state") return OSPF_STATES[value] ?? String(value)
  if (metric === "bgp.peer.state") return BGP_STATES[value] ?? String(value)
  return value === 1 ? "up" : "down"
}

interface Drill {
  readonly name: string
  readonly about: string
  readonly cause: Header["cause"]
  readonly breakIt: (network: FrrNetwork) => Promise<number>
  readonly mendIt: (network: FrrNetwork) => Promise<number>
  /** How long it stays broken, and how long is recorded after mending. */
  readonly brokenMs: number
  readonly mendedMs: number
}

const DRILLS: readonly Drill[] = [
  {
    name: "link-shut",
    about: "an operator shuts c1's end of the core link c1 - c2, and opens it again",
    cause: { kind: "link", a: "c1", b: "c2", shutAt: "c1" },
    breakIt: (network) => network.shut("c1", "c2"),
    mendIt: (network) => network.mend("c1", "c2"),
    brokenMs: 10_000,
    mendedMs: 8_000,
  },
  {
    name: "router-killed",
    about: "core router and route reflector c2 loses power, and gets it back",
    cause: { kind: "router", router: "c2" },
    breakIt: (network) => network.kill("c2"),
    mendIt: (network) => network.revive("c2"),
    brokenMs: 25_000,
    mendedMs: 20_000,
  },
  {
    name: "upstream-killed",
    about: "the upstream's router u1 loses power: the border's eBGP session and default route go",
    cause: { kind: "router", router: "u1" },
    breakIt: (network) => network.kill("u1"),
    mendIt: (network) => network.revive("u1"),
    brokenMs: 15_000,
    mendedMs: 15_000,
  },
  {
    name: "loss-75",
    about: "the core link c1 - c3 loses 75 % of all packets each way; no port goes down",
    cause: { kind: "loss", a: "c1", b: "c3", percent: 75 },
    breakIt: (network) => network.loss("c1", "c3", 75),
    mendIt: (network) => network.loss("c1", "c3", 0),
    brokenMs: 25_000,
    mendedMs: 10_000,
  },
]

const main = async (directory: string): Promise<void> => {
  const ports = { trap: await freePort(), syslog: await freePort() }
  const stateFile = join(tmpdir(), `heliograph-frr-${process.pid}.json`)
  const network = await bringUp({
    stateFile,
    receivers: { trap: `${MANAGEMENT.host}:${ports.trap}`, syslog: `${MANAGEMENT.host}:${ports.syslog}` },
    isTied: true,
  })
  try {
    await network.settled(120_000)
    const versions = await versionsOf()
    for (const drill of DRILLS) {
      const recorder = await startRecorder(network.state().secrets, ports, 1)
      await pause(5_000)
      const faultMs = await drill.breakIt(network)
      await pause(drill.brokenMs)
      const mendMs = await drill.mendIt(network)
      await pause(drill.mendedMs)
      await recorder.stop()
      const { name, about, cause } = drill
      const header: Header = {
        timeline: name,
        version: 1,
        about,
        tier: "real daemons",
        versions,
        recordedAt: new Date(faultMs).toISOString(),
        pollSeconds: 1,
        timers: TIMERS,
        cause,
        mendedMs: mendMs - faultMs,
      }
      const entries = entriesOf(recorder.inputs, faultMs, faultMs)
      writeFileSync(join(directory, `${name}.jsonl`), writeTimeline(header, entries))
      console.log(`${name}: ${entries.length} entries`)
      await network.settled(120_000)
    }
  } finally {
    await takeDown(stateFile)
  }
}

const versionsOf = async (): Promise<Record<string, string>> => {
  const dpkg = await run("dpkg-query", ["-W", "-f", "${Package} ${Version}\n", "frr", "snmpd", "lldpd"])
  return Object.fromEntries([
    ...dpkg
      .trim()
      .split("\n")
      .map((line) => line.split(" ", 2) as [string, string]),
    ["linux", (await run("uname", ["-r"])).trim()],
  ])
}

if (import.meta.main) await main(process.argv[2] ?? join(import.meta.dirname, "timelines"))
