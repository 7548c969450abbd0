/**
 * The real-router lab on this machine: one network namespace per router, veth pairs as cables, FRR, snmpd and lldpd of
 * the distribution in PID, mount and UTS namespaces of their own. The management network is a bridge in a namespace
 * `hg-noc`; the host gets one interface into it, so that an engine on the host reaches all routers. Everything is named
 * `hg-`, and nothing else on the machine is touched.
 */
import { spawn } from "node:child_process"
import { randomBytes } from "node:crypto"
import { chmodSync, closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import type { FrrReceivers, FrrSecrets } from "#lab/frr/configs.ts"
import { configFiles } from "#lab/frr/configs.ts"
import type { FrrIsp, FrrLink, FrrRouter } from "#lab/frr/isp.ts"
import { bgpPeers, FRR_ISP, linkBetween, MANAGEMENT, ospfNeighbours, portsOf, routerNamed } from "#lab/frr/isp.ts"
import { ip, run, succeeds, whyNot } from "#lab/frr/shell.ts"
import type { FrrState, Hurt, Power } from "#lab/frr/state.ts"
import { isOn, readState, removeState, startTicks, writeState } from "#lab/frr/state.ts"

/** Something that the person who asked can put right; its message says how. */
export class FrrRefused extends Error {}

export const DEFAULT_RECEIVERS: FrrReceivers = {
  trap: `${MANAGEMENT.host}:10162`,
  syslog: `${MANAGEMENT.host}:10514`,
}

/** Configurations and sockets. One per machine, as the names of namespaces are. Readable by the frr user. */
const DIRECTORY = "/var/lib/heliograph-frr"
const PREFIX = "hg-"
const NOC = "hg-noc"
const HOST_INTERFACE = "hg-noc0"

export interface UpOptions {
  readonly stateFile: string
  readonly receivers?: FrrReceivers
  /** True: the routers lose power when this process ends, however it ends. */
  readonly isTied?: boolean
  /** How long to wait for another lab on this machine to be taken down; 0 = refuse at once. */
  readonly waitMs?: number
}

export interface FrrNetwork {
  readonly isp: FrrIsp
  readonly state: () => FrrState
  /** All of these resolve with the wall-clock ms at which the fault was set going. */
  readonly cut: (a: string, b: string) => Promise<number>
  readonly mend: (a: string, b: string) => Promise<number>
  readonly kill: (router: string) => Promise<number>
  readonly revive: (router: string) => Promise<number>
  readonly loss: (a: string, b: string, percent: number) => Promise<number>
  readonly rate: (a: string, b: string, mbit: number | null) => Promise<number>
  readonly adjacencies: () => Promise<readonly Adjacencies[]>
  /** Resolves when every router that has power has all the adjacencies that it can have; rejects with what lacks. */
  readonly settled: (timeoutMs: number) => Promise<void>
  readonly down: () => Promise<void>
}

/** What a router itself says, by vtysh. */
export interface Adjacencies {
  readonly router: string
  readonly isOn: boolean
  readonly ospfFull: number
  readonly bgpEstablished: number
}

// --- up and down

export const bringUp = async (options: UpOptions): Promise<FrrNetwork> => {
  const why = await whyNot()
  if (why !== null) throw new FrrRefused(why)
  await takeDirectory(options.waitMs ?? 0)
  await sweep(FRR_ISP)
  await refuseTakenNetwork()
  const secrets = newSecrets()
  const receivers = options.receivers ?? DEFAULT_RECEIVERS
  const isTied = options.isTied ?? false
  try {
    await cable(FRR_ISP)
    const power: Record<string, Power | null> = {}
    for (const router of FRR_ISP.routers) {
      writeConfigs(router, secrets, receivers, isTied)
      power[router.name] = powerOn(router, isTied)
    }
    writeOwner({ pids: Object.values(power).filter((one) => one !== null) })
    writeState(options.stateFile, { version: 1, secrets, receivers, isTied, power, hurts: [] })
    return openNetwork(options.stateFile)
  } catch (cause) {
    await sweep(FRR_ISP)
    rmSync(DIRECTORY, { recursive: true, force: true })
    throw cause
  }
}

/** The lab that runs, by its state file. */
export const openNetwork = (stateFile: string): FrrNetwork => {
  if (readState(stateFile) === null)
    throw new FrrRefused(`no real-router lab is known here: ${stateFile} is not there; start one: npm run lab -- frr up`)
  return network(FRR_ISP, stateFile)
}

/** Takes away whatever of a lab is on this machine, known or left over from a crash. */
export const takeDown = async (stateFile: string): Promise<void> => {
  const why = await whyNot()
  if (why !== null) throw new FrrRefused(why)
  for (const power of Object.values(readState(stateFile)?.power ?? {})) if (isOn(power)) process.kill(power.pid, "SIGKILL")
  await sweep(FRR_ISP)
  rmSync(DIRECTORY, { recursive: true, force: true })
  removeState(stateFile)
}

/** Processes that keep a lab alive: the `up` in the making, then its routers. */
interface Owner {
  readonly pids: readonly Power[]
}
const OWNER = join(DIRECTORY, "owner.json")

/** Makes the directory, which is also the lock between labs. A lab without a living process is a leftover. */
const takeDirectory = async (waitMs: number): Promise<void> => {
  const until = Date.now() + waitMs
  for (;;) {
    try {
      mkdirSync(DIRECTORY, { mode: 0o755 })
      writeOwner({ pids: [{ pid: process.pid, startTicks: startTicks(process.pid) ?? "" }] })
      return
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw cause
    }
    if (!isOwned()) rmSync(DIRECTORY, { recursive: true, force: true })
    else if (Date.now() >= until)
      throw new FrrRefused("a real-router lab is already up on this machine; take it down first: npm run lab -- frr down")
    else await pause(500)
  }
}

const isOwned = (): boolean => {
  try {
    return (JSON.parse(readFileSync(OWNER, "utf8")) as Owner).pids.some(isOn)
  } catch {
    return false
  }
}

const writeOwner = (owner: Owner): void => writeFileSync(OWNER, JSON.stringify(owner))

/** Ends every process in our namespaces and deletes them; cables go with their ends. */
const sweep = async (isp: FrrIsp): Promise<void> => {
  const wanted = new Set([NOC, ...isp.routers.map(({ name }) => PREFIX + name)])
  const present = (await run("ip", ["netns", "list"]))
    .split("\n")
    .map((line) => line.split(" ")[0] ?? "")
    .filter((name) => wanted.has(name))
  for (const name of present) {
    for (let round = 0; round < 100; round++) {
      const pids = (await run("ip", ["netns", "pids", name])).split("\n").filter((pid) => pid !== "")
      if (pids.length === 0) break
      for (const pid of pids) endProcess(Number(pid))
      await pause(20)
    }
    await run("ip", ["netns", "delete", name])
  }
  if (await succeeds(run("ip", ["link", "show", HOST_INTERFACE]))) await run("ip", ["link", "delete", HOST_INTERFACE])
}

const endProcess = (pid: number): void => {
  try {
    process.kill(pid, "SIGKILL")
  } catch {
    // It has ended by itself meanwhile.
  }
}

/** The host may already use the management network for something else; then we keep out. */
const refuseTakenNetwork = async (): Promise<void> => {
  const routes = JSON.parse(await run("ip", ["-j", "-4", "route", "show"])) as ReadonlyArray<{ dst: string; dev?: string }>
  const taken = routes.find(({ dst }) => dst !== "default" && overlaps(dst))
  if (taken !== undefined)
    throw new FrrRefused(
      `this machine already routes ${taken.dst} (${taken.dev ?? "?"}), which overlaps the lab's ${MANAGEMENT.network}/${MANAGEMENT.prefix}; enable: remove that route, or run the lab on another machine`,
    )
}

const overlaps = (destination: string): boolean => {
  const [address = "", length = "32"] = destination.split("/")
  const bits = Math.min(Number(length), MANAGEMENT.prefix)
  const number = (text: string): number => text.split(".").reduce((sum, octet) => sum * 256 + Number(octet), 0)
  return Math.floor(number(address) / 2 ** (32 - bits)) === Math.floor(number(MANAGEMENT.network) / 2 ** (32 - bits))
}

const newSecrets = (): FrrSecrets => {
  const secret = (): string => randomBytes(12).toString("hex")
  return { community: secret(), user: "heliograph", authPassword: secret(), privPassword: secret() }
}

/** Namespaces, management bridge, cables; everything is plugged in and switched on, no address but management's. */
const cable = async (isp: FrrIsp): Promise<void> => {
  await ip(null, [
    `netns add ${NOC}`,
    ...isp.routers.map(({ name }) => `netns add ${PREFIX}${name}`),
    `link add ${HOST_INTERFACE} type veth peer name host netns ${NOC}`,
    ...isp.routers.map(({ name }) => `link add mgmt netns ${PREFIX}${name} type veth peer name ${name} netns ${NOC}`),
    ...isp.links.map(
      ({ a, b }) =>
        `link add ${a.interface} netns ${PREFIX}${a.router} type veth peer name ${b.interface} netns ${PREFIX}${b.router}`,
    ),
    `addr add ${MANAGEMENT.host}/${MANAGEMENT.prefix} dev ${HOST_INTERFACE}`,
    `link set ${HOST_INTERFACE} up`,
  ])
  await ip(NOC, [
    "link add br0 type bridge",
    "link set br0 up",
    ...["host", ...isp.routers.map(({ name }) => name)].flatMap((name) => [
      `link set ${name} master br0`,
      `link set ${name} up`,
    ]),
  ])
  for (const { name, management } of isp.routers)
    await ip(PREFIX + name, [
      "link set lo up",
      `addr add ${management}/${MANAGEMENT.prefix} dev mgmt`,
      ...interfacesOf(isp, name).map((one) => `link set ${one} up`),
    ])
}

/** Management first: a router that loses power must not tell of its own end. */
const interfacesOf = (isp: FrrIsp, name: string): readonly string[] => [
  "mgmt",
  ...portsOf(isp, name).map(({ own }) => own.interface),
]

const directoryOf = (name: string): string => join(DIRECTORY, name)

const writeConfigs = (router: FrrRouter, secrets: FrrSecrets, receivers: FrrReceivers, isTied: boolean): void => {
  const directory = directoryOf(router.name)
  mkdirSync(join(directory, "snmp"), { recursive: true })
  chmodSync(directory, 0o755)
  const files = configFiles(router, { isp: FRR_ISP, secrets, receivers, directory, isTied })
  for (const [name, text] of Object.entries(files))
    writeFileSync(join(directory, name), text, { mode: name === "snmpd.conf" ? 0o600 : 0o644 })
}

const powerOn = (router: FrrRouter, isTied: boolean): Power => {
  const directory = directoryOf(router.name)
  const log = openSync(join(directory, "power.log"), "a")
  const child = spawn(
    "ip",
    `netns exec ${PREFIX}${router.name} unshare --uts --mount --pid --fork --mount-proc --kill-child bash ${directory}/power-on.sh`.split(" "),
    { stdio: [isTied ? "pipe" : "ignore", log, log], detached: !isTied },
  )
  closeSync(log)
  child.unref()
  ;(child.stdin as unknown as { unref?: () => void } | null)?.unref?.()
  const { pid } = child
  const ticks = pid === undefined ? null : startTicks(pid)
  if (pid === undefined || ticks === null) throw new Error(`${router.name} did not start: see ${directory}/power.log`)
  return { pid, startTicks: ticks }
}

// --- the running network

const network = (isp: FrrIsp, stateFile: string): FrrNetwork => {
  const state = (): FrrState => {
    const read = readState(stateFile)
    if (read === null) throw new FrrRefused(`${stateFile} is gone: the lab has been taken down`)
    return read
  }
  const save = (change: Partial<FrrState>): void => writeState(stateFile, { ...state(), ...change })

  const routerOf = (name: string): FrrRouter => {
    const router = routerNamed(isp, name)
    if (router !== undefined) return router
    throw new FrrRefused(`there is no router "${name}"; there are: ${isp.routers.map((one) => one.name).join(", ")}`)
  }
  const linkOf = (a: string, b: string): FrrLink => {
    routerOf(a)
    routerOf(b)
    const link = linkBetween(isp, a, b)
    if (link !== undefined) return link
    const to = portsOf(isp, a).map(({ far }) => far.router)
    throw new FrrRefused(`no link joins ${a} and ${b}; ${a} has links to ${to.join(", ")}`)
  }
  const hurtOf = ({ a, b }: FrrLink): Hurt =>
    state().hurts.find((one) => one.a === a.router && one.b === b.router) ?? {
      a: a.router,
      b: b.router,
      shutAt: null,
      lossPercent: 0,
      rateMbit: null,
    }
  const hurt = (link: FrrLink, change: Partial<Hurt>): void => {
    const next = { ...hurtOf(link), ...change }
    const others = state().hurts.filter(({ a, b }) => a !== next.a || b !== next.b)
    const isHealthy = next.shutAt === null && next.lossPercent === 0 && next.rateMbit === null
    save({ hurts: isHealthy ? others : [...others, next] })
  }
  const endAt = (link: FrrLink, name: string) => (link.a.router === name ? link.a : link.b)

  const cut = async (a: string, b: string): Promise<number> => {
    const link = linkOf(a, b)
    const shut = hurtOf(link).shutAt
    if (shut !== null) throw new FrrRefused(`${a} - ${b} is already shut, at ${shut}`)
    const atMs = Date.now()
    await ip(PREFIX + a, [`link set ${endAt(link, a).interface} down`])
    hurt(link, { shutAt: a })
    return atMs
  }
  const mend = async (a: string, b: string): Promise<number> => {
    const link = linkOf(a, b)
    const { shutAt } = hurtOf(link)
    if (shutAt === null) throw new FrrRefused(`${a} - ${b} is not shut`)
    const atMs = Date.now()
    // A dead router's ports stay dark until it is revived.
    if (isOn(state().power[shutAt])) await ip(PREFIX + shutAt, [`link set ${endAt(link, shutAt).interface} up`])
    hurt(link, { shutAt: null })
    return atMs
  }
  const kill = async (name: string): Promise<number> => {
    routerOf(name)
    const power = state().power[name]
    if (!isOn(power)) throw new FrrRefused(`${name} has no power already`)
    const atMs = Date.now()
    // Light first: a killed process would still close its TCP sessions, which a power cut does not.
    await ip(PREFIX + name, interfacesOf(isp, name).map((one) => `link set ${one} down`))
    process.kill(power.pid, "SIGKILL")
    await ended(power)
    save({ power: { ...state().power, [name]: null } })
    return atMs
  }
  const revive = async (name: string): Promise<number> => {
    const router = routerOf(name)
    const { power, hurts, isTied } = state()
    if (isOn(power[name])) throw new FrrRefused(`${name} has power`)
    const shut = hurts.flatMap(({ a, b, shutAt }) => (shutAt === name ? [endAt(linkOf(a, b), name).interface] : []))
    const atMs = Date.now()
    await ip(
      PREFIX + name,
      interfacesOf(isp, name).filter((one) => !shut.includes(one)).map((one) => `link set ${one} up`),
    )
    const on = powerOn(router, isTied)
    save({ power: { ...state().power, [name]: on } })
    writeOwner({ pids: Object.values(state().power).filter((one) => one !== null) })
    return atMs
  }
  const loss = async (a: string, b: string, percent: number): Promise<number> => {
    if (!(percent >= 0 && percent <= 100)) throw new FrrRefused(`a loss is 0 to 100 percent, not ${percent}`)
    const link = linkOf(a, b)
    const atMs = Date.now()
    for (const end of [link.a, link.b]) await lose(PREFIX + end.router, end.interface, percent)
    hurt(link, { lossPercent: percent })
    return atMs
  }
  const rate = async (a: string, b: string, mbit: number | null): Promise<number> => {
    if (mbit !== null && !(mbit > 0 && mbit <= 100_000)) throw new FrrRefused(`a rate is 1 to 100000 Mbit/s, not ${mbit}`)
    const link = linkOf(a, b)
    const atMs = Date.now()
    for (const end of [link.a, link.b]) await shape(PREFIX + end.router, end.interface, mbit)
    hurt(link, { rateMbit: mbit })
    return atMs
  }

  const adjacencies = (): Promise<readonly Adjacencies[]> => {
    const { power } = state()
    return Promise.all(isp.routers.map(({ name }) => adjacenciesOf(name, power[name])))
  }
  const settled = async (timeoutMs: number): Promise<void> => {
    const until = Date.now() + timeoutMs
    for (;;) {
      const lacking = lackingOf(isp, state(), await adjacencies())
      if (lacking.length === 0) return
      if (Date.now() > until) throw new Error(`not settled after ${timeoutMs} ms: ${lacking.join("; ")}`)
      await pause(500)
    }
  }
  return { isp, state, cut, mend, kill, revive, loss, rate, adjacencies, settled, down: () => takeDown(stateFile) }
}

/** Drops packets as they come in, all protocols alike. nftables, because not every kernel has netem. */
const lose = async (namespace: string, name: string, percent: number): Promise<void> => {
  const table = `netdev hg_${name}`
  const rules =
    percent === 0
      ? ""
      : `table ${table} { chain lose { type filter hook ingress device "${name}" priority 0; numgen random mod 1000 < ${Math.round(percent * 10)} drop; }; }\n`
  await run("ip", ["netns", "exec", namespace, "nft", "-f", "-"], `add table ${table}\ndelete table ${table}\n${rules}`)
}

const shape = async (namespace: string, name: string, mbit: number | null): Promise<void> => {
  const tc = ["netns", "exec", namespace, "tc", "qdisc"]
  if (mbit !== null)
    await run("ip", [...tc, "replace", "dev", name, "root", "tbf", "rate", `${mbit}mbit`, "burst", "64kb", "latency", "200ms"])
  else await succeeds(run("ip", [...tc, "delete", "dev", name, "root"]))
}

const adjacenciesOf = async (router: string, power: Power | null | undefined): Promise<Adjacencies> => {
  if (!isOn(power)) return { router, isOn: false, ospfFull: 0, bgpEstablished: 0 }
  const [ospf, bgp] = await Promise.all([
    vtysh<{ neighbors?: Record<string, ReadonlyArray<{ nbrState?: string; state?: string }>> }>(power, "show ip ospf neighbor json"),
    vtysh<{ ipv4Unicast?: { peers?: Record<string, { state?: string }> } }>(power, "show bgp summary json"),
  ])
  const neighbours = Object.values(ospf?.neighbors ?? {}).flat()
  const peers = Object.values(bgp?.ipv4Unicast?.peers ?? {})
  return {
    router,
    isOn: true,
    ospfFull: neighbours.filter(({ nbrState, state }) => (nbrState ?? state ?? "").startsWith("Full")).length,
    bgpEstablished: peers.filter(({ state }) => state === "Established").length,
  }
}

/** Null while the router has not started yet. */
const vtysh = async <Answer>({ pid }: Power, command: string): Promise<Answer | null> => {
  try {
    const inside = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ")[0] ?? ""
    const text = await run("nsenter", ["--target", inside, "--mount", "--net", "--pid", "vtysh", "-c", command])
    return JSON.parse(text) as Answer
  } catch {
    return null
  }
}

/** What is missing, in words. Sessions over what was broken on purpose are not expected. */
const lackingOf = (isp: FrrIsp, state: FrrState, seen: readonly Adjacencies[]): readonly string[] =>
  seen.flatMap(({ router, isOn: on, ospfFull, bgpEstablished }) => {
    if (!on) return []
    const works = (far: string): boolean => isOn(state.power[far])
    const isWhole = (far: string): boolean =>
      works(far) &&
      !state.hurts.some(
        ({ a, b, shutAt, lossPercent }) => [a, b].includes(router) && [a, b].includes(far) && (shutAt !== null || lossPercent > 0),
      )
    const ospf = ospfNeighbours(isp, router).filter(isWhole).length
    const bgp = bgpPeers(isp, router).filter(({ remote, remoteAsn }) =>
      remoteAsn === routerNamed(isp, router)?.asn ? works(remote) : isWhole(remote),
    ).length
    return [
      ...(ospfFull < ospf ? [`${router} has ${ospfFull} of ${ospf} OSPF neighbours`] : []),
      ...(bgpEstablished < bgp ? [`${router} has ${bgpEstablished} of ${bgp} BGP sessions`] : []),
    ]
  })

const ended = async (power: Power): Promise<void> => {
  for (let round = 0; round < 250 && isOn(power); round++) await pause(20)
}

const pause = (ms: number): Promise<void> => new Promise((wake) => setTimeout(wake, ms))
