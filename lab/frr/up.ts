/**
 * Builds the real-router lab on this machine and takes it away: one network namespace per router, cables in a panel, FRR, snmpd and lldpd of the distribution in PID, mount and UTS namespaces of their own. The management network is a
 * bridge in a namespace `hg-noc`; the host gets one interface into it, so that an engine on the host reaches all
 * routers. Everything is named `hg-`, and nothing else on the machine is touched.
 */
import { randomBytes } from "node:crypto"
import { chmodSync, existsSync, mkdirSync, rmSync, statSync, writeFileSync } from "node:fs"
import { join, resolve } from "node:path"
import process from "node:process"
import type { FrrReceivers, FrrSecrets } from "#lab/frr/configs.ts"
import { configFiles } from "#lab/frr/configs.ts"
import type { FrrIsp, FrrRouter } from "#lab/frr/isp.ts"
import { FRR_ISP, MANAGEMENT } from "#lab/frr/isp.ts"
import { openNetwork, type FrrNetwork } from "#lab/frr/network.ts"
import {
  DIRECTORY,
  directoryOf,
  FrrRefused,
  interfacesOf,
  livingOwner,
  namespaceOf,
  powerOn,
  writeOwner,
} from "#lab/frr/power.ts"
import { cableLines, PANEL, plugLines } from "#lab/frr/panel.ts"
import { ip, pause, run, succeeds, whyNot } from "#lab/frr/shell.ts"
import type { Power } from "#lab/frr/state.ts"
import { removeState, startTicks, writeState } from "#lab/frr/state.ts"

export const DEFAULT_RECEIVERS: FrrReceivers = {
  trap: `${MANAGEMENT.host}:10162`,
  syslog: `${MANAGEMENT.host}:10514`,
}
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

export const bringUp = async (options: UpOptions): Promise<FrrNetwork> => {
  const why = await whyNot()
  if (why !== null) throw new FrrRefused(why)
  const stateFile = resolve(options.stateFile)
  await takeDirectory(stateFile, options.waitMs ?? 0)
  const secrets = newSecrets()
  const receivers = options.receivers ?? DEFAULT_RECEIVERS
  const isTied = options.isTied ?? false
  try {
    await sweep(FRR_ISP)
    await refuseTakenNetwork()
    await cable(FRR_ISP)
    const power: Record<string, Power | null> = {}
    for (const router of FRR_ISP.routers) {
      writeConfigs(router, secrets, receivers, isTied)
      power[router.name] = powerOn(router, isTied)
    }
    writeOwner({ stateFile, pids: Object.values(power).filter((one) => one !== null) })
    writeState(stateFile, { version: 2, secrets, receivers, isTied, power, hurts: [] })
    return openNetwork(stateFile)
  } catch (cause) {
    await sweep(FRR_ISP)
    rmSync(DIRECTORY, { recursive: true, force: true })
    throw cause
  }
}

/** Takes away the lab of this state file, or whatever a crash left; never a living lab that is somebody else's. */
export const takeDown = async (stateFile: string): Promise<void> => {
  const why = await whyNot()
  if (why !== null) throw new FrrRefused(why)
  const owner = livingOwner()
  if (owner !== null && owner.stateFile !== resolve(stateFile))
    throw new FrrRefused(`the lab on this machine was started with --state ${owner.stateFile}: name that`)
  // While its routers die it is ours: who waits for the machine must not take it for a leftover.
  if (existsSync(DIRECTORY)) writeOwner({ stateFile: resolve(stateFile), pids: [ownPower()] })
  await sweep(FRR_ISP)
  rmSync(DIRECTORY, { recursive: true, force: true })
  removeState(stateFile)
}

/** Makes the directory, which is also the lock between labs. A lab without a living process is a leftover. */
const takeDirectory = async (stateFile: string, waitMs: number): Promise<void> => {
  const until = Date.now() + waitMs
  for (;;) {
    try {
      mkdirSync(DIRECTORY, { mode: 0o755 })
      writeOwner({ stateFile, pids: [ownPower()] })
      return
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw cause
    }
    const owner = livingOwner()
    if (owner === null && isOld(DIRECTORY)) rmSync(DIRECTORY, { recursive: true, force: true })
    else if (Date.now() >= until)
      throw new FrrRefused(
        `a real-router lab is already up on this machine; take it down first: npm run lab -- frr down --state ${owner?.stateFile ?? "FILE"}`,
      )
    else await pause(500)
  }
}

const ownPower = (): Power => ({ pid: process.pid, startTicks: startTicks(process.pid) ?? "" })

/** Not of a moment ago: another `up` makes the directory just before it says whose it is. */
const isOld = (directory: string): boolean => {
  try {
    return Date.now() - statSync(directory).mtimeMs > 2_000
  } catch {
    return false
  }
}

/** Ends every process in our namespaces and deletes them; cables go with their ends. */
const sweep = async (isp: FrrIsp): Promise<void> => {
  const wanted = new Set([NOC, PANEL, ...isp.routers.map(({ name }) => namespaceOf(name))])
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
  const routes = JSON.parse(await run("ip", ["-j", "-4", "route", "show"])) as ReadonlyArray<{
    dst: string
    dev?: string
  }>
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
    `netns add ${PANEL}`,
    ...isp.routers.map(({ name }) => `netns add ${namespaceOf(name)}`),
    `link add ${HOST_INTERFACE} type veth peer name host netns ${NOC}`,
    ...isp.routers.map(
      ({ name }) => `link add mgmt netns ${namespaceOf(name)} type veth peer name ${name} netns ${NOC}`,
    ),
    ...plugLines(isp, namespaceOf),
    `addr add ${MANAGEMENT.host}/${MANAGEMENT.prefix} dev ${HOST_INTERFACE}`,
    `link set ${HOST_INTERFACE} up`,
  ])
  await ip(PANEL, cableLines(isp))
  await ip(NOC, [
    "link add br0 type bridge",
    "link set br0 up",
    ...["host", ...isp.routers.map(({ name }) => name)].flatMap((name) => [
      `link set ${name} master br0`,
      `link set ${name} up`,
    ]),
  ])
  for (const { name, management } of isp.routers)
    await ip(namespaceOf(name), [
      "link set lo up",
      `addr add ${management}/${MANAGEMENT.prefix} dev mgmt`,
      ...interfacesOf(isp, name).map((one) => `link set ${one} up`),
    ])
}

const writeConfigs = (router: FrrRouter, secrets: FrrSecrets, receivers: FrrReceivers, isTied: boolean): void => {
  const directory = directoryOf(router.name)
  mkdirSync(join(directory, "snmp"), { recursive: true })
  chmodSync(directory, 0o755)
  const files = configFiles(router, { isp: FRR_ISP, secrets, receivers, directory, isTied })
  for (const [name, text] of Object.entries(files))
    writeFileSync(join(directory, name), text, { mode: name === "snmpd.conf" ? 0o600 : 0o644 })
}
