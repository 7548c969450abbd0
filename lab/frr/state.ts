/** What `up` leaves for the commands after it: where the lab lives, its secrets, its processes, what is broken. */
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { dirname } from "node:path"
import process from "node:process"
import type { FrrReceivers, FrrSecrets } from "#lab/frr/configs.ts"

/** A process, safe against a reused pid: field 22 of /proc/PID/stat tells when it started. */
export interface Power {
  readonly pid: number
  readonly startTicks: string
}

/** A link that was hurt on purpose; absent = untouched. */
export interface Hurt {
  readonly a: string
  readonly b: string
  /** Nothing passes, although nobody has shut a port. */
  readonly isCut: boolean
  /** The router whose end was shut by an operator; null = neither. */
  readonly shutAt: string | null
  /** Packets lost each way, percent; 0 = none. */
  readonly lossPercent: number
  /** Null = as fast as the machine. */
  readonly rateMbit: number | null
}

export interface FrrState {
  readonly version: 2
  readonly secrets: FrrSecrets
  readonly receivers: FrrReceivers
  readonly isTied: boolean
  /** By router; null = killed. */
  readonly power: Readonly<Record<string, Power | null>>
  readonly hurts: readonly Hurt[]
}

export const readState = (file: string): FrrState | null => {
  try {
    const state = JSON.parse(readFileSync(file, "utf8")) as FrrState
    return state.version === 2 ? state : null
  } catch {
    return null
  }
}

/** Readable by its owner only from the first byte on (it holds credentials), and never half written. */
export const writeState = (file: string, state: FrrState): void => {
  mkdirSync(dirname(file), { recursive: true })
  const draft = `${file}.${process.pid}`
  writeFileSync(draft, `${JSON.stringify(state)}\n`, { mode: 0o600 })
  chmodSync(draft, 0o600)
  renameSync(draft, file)
}

export const removeState = (file: string): void => rmSync(file, { force: true })

/** Null when there is no such process (any more). */
export const startTicks = (pid: number): string | null => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
    // The name in parentheses may hold anything; fields are counted behind it. A zombie has ended.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
    return fields[0] === "Z" ? null : (fields[19] ?? null)
  } catch {
    return null
  }
}

export const isOn = (power: Power | null | undefined): power is Power =>
  power !== null && power !== undefined && startTicks(power.pid) === power.startTicks
