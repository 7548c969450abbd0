/**
 * What the hostile benchmark throws at, each in a child process of its own, so that memory is the victim's alone and a
 * crash is one victim's. The children stand beside what they attack: a benchmark imports nothing of the engine.
 */
import { execFile } from "node:child_process"
import process from "node:process"
import { promisify } from "node:util"
import { REPOSITORY } from "#lab/drive/child.ts"

/** As engine/collectors/snmp/hostile-meter.fixture.ts prints it. */
export interface HostileReport {
  readonly inputs: number
  readonly taken: number
  readonly escapes: number
  readonly firstEscape: { readonly index: number; readonly hex: string; readonly error: string } | null
  readonly slowestMs: number
  readonly slowestGcMs: number
  readonly slowestCpuMs: number
  readonly slowestCpuHex: string
  readonly overLimit: number
  readonly overLimitCpu: number
  readonly gcPauseMsMax: number
  readonly seconds: number
  readonly rssMiB: readonly number[]
  readonly rssMiBBefore: number
  readonly rssMiBAfter: number
  readonly heapMiBBefore: number
  readonly heapMiBAfter: number
}

const ENGINE_SIDE = "engine/collectors/snmp/hostile.fixture.ts"
const LAB_SIDE = "lab/snmp/hostile.fixture.ts"

/** Name and command, without inputs and seed. */
export const TARGETS = {
  decoder: { what: "gate and decoder", command: [ENGINE_SIDE, "decoder"] },
  v2c: { what: "v2c client", command: [ENGINE_SIDE, "v2c"] },
  v3: { what: "v3 client", command: [ENGINE_SIDE, "v3"] },
  trap: { what: "trap receiver, v2c and v3", command: [ENGINE_SIDE, "trap"] },
  agent: { what: "the lab's agents, v2c and v3", command: [LAB_SIDE] },
} as const satisfies Readonly<Record<string, { readonly what: string; readonly command: readonly string[] }>>
export type Target = keyof typeof TARGETS

const TIMEOUT_MS = 1_800_000

/** Rejects when the victim's process died, which is the worst escape: the message holds what it said. */
export const attack = async (target: Target, inputs: number, seed: number): Promise<HostileReport> => {
  const args = [...TARGETS[target].command, String(inputs), String(seed)]
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: REPOSITORY, timeout: TIMEOUT_MS })
  return JSON.parse(stdout) as HostileReport
}

/**
 * Seeds that once found something: each is thrown again in every run, for good.
 * agent 1: a SET whose binding held more than a name and a value was answered with the excess echoed.
 */
export const KEPT_SEEDS: Readonly<Record<Target, readonly number[]>> = {
  decoder: [],
  v2c: [],
  v3: [],
  trap: [],
  agent: [1],
}
