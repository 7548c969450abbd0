/**
 * One router of the real-router lab on this machine: its names, its ports, its power. Shared by what builds the lab
 * (up.ts) and what breaks it (network.ts); also says whose lab it is that runs here.
 */
import { spawn } from "node:child_process"
import { closeSync, openSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { FrrIsp, FrrRouter } from "#lab/frr/isp.ts"
import { portsOf } from "#lab/frr/isp.ts"
import type { Power } from "#lab/frr/state.ts"
import { isOn, startTicks } from "#lab/frr/state.ts"

/** Something that the person who asked can put right; its message says how. */
export class FrrRefused extends Error {}

/** Configurations and sockets. One per machine, as the names of namespaces are. Readable by the frr user. */
export const DIRECTORY = "/var/lib/heliograph-frr"

export const namespaceOf = (router: string): string => `hg-${router}`
export const directoryOf = (router: string): string => join(DIRECTORY, router)

/** Management first: a router that loses power must not tell of its own end. */
export const interfacesOf = (isp: FrrIsp, name: string): readonly string[] => [
  "mgmt",
  ...portsOf(isp, name).map(({ own }) => own.interface),
]

export const powerOn = (router: FrrRouter, isTied: boolean): Power => {
  const directory = directoryOf(router.name)
  const log = openSync(join(directory, "power.log"), "a")
  const child = spawn(
    "ip",
    `netns exec ${namespaceOf(router.name)} unshare --uts --mount --pid --fork --mount-proc --kill-child bash ${directory}/power-on.sh`.split(
      " ",
    ),
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

// --- whose lab it is

/** Whose lab this is, and the processes that keep it alive: the `up` in the making, then its routers. */
interface Owner {
  readonly stateFile: string
  readonly pids: readonly Power[]
}
const OWNER = join(DIRECTORY, "owner.json")

/** Null = nobody's: there is none, or what is there was left over by a crash. */
export const livingOwner = (): Owner | null => {
  try {
    const owner = JSON.parse(readFileSync(OWNER, "utf8")) as Owner
    return owner.pids.some(isOn) ? owner : null
  } catch {
    return null
  }
}

export const writeOwner = (owner: Owner): void => writeFileSync(OWNER, JSON.stringify(owner))
