/**
 * What a replay makes of an engine's journal, asked for by `heliograph replay` as a user would: the events that the fold
 * decides, and the marks of the live twin that it proves equal. Texts of events are compared as that command prints them.
 */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { runCommand } from "#lab/drive/engine.ts"
import type { EventView } from "#protocol/view.ts"

export interface Folded {
  /** One line per event, as `lineOf` makes it; from the asked moment on. */
  readonly events: readonly string[]
  readonly inputs: number
  /** Times as fast as life, without proof. */
  readonly speed: number
  readonly stateHash: string
}

export interface Proof {
  /** Marks that the live twin left, and how many of them the fold reached alike. */
  readonly marks: number
  readonly equal: number
  /** What the command said when they differ; null = equal. */
  readonly problem: string | null
  /** Times as fast as life. */
  readonly speed: number
  /** Null = none were asked. */
  readonly seeks: Seeks | null
}

export interface Seeks {
  readonly seekMsP50: number
  readonly seekMsP95: number
  readonly seekMsMax: number
  readonly seekInputsMax: number
  readonly seekWarmMsP50: number
  readonly seekWarmMsP95: number
  readonly seekWarmMsMax: number
}

interface Summary extends Partial<Seeks> {
  readonly inputs: number
  readonly instants: number
  readonly equal: number
  readonly speed: number
  readonly stateHash: string
}

export const fold = async (dataDir: string, fromMs: number, toMs: number | null = null): Promise<Folded> => {
  const { code, out, err } = await replay(dataDir, fromMs, ["--events", ...untilOf(toMs)])
  if (code !== 0) throw new Error(`heliograph replay --events: exit ${code}\n${err}`)
  const lines = out.trimEnd().split("\n")
  const { inputs, speed, stateHash } = JSON.parse(lines.at(-1) as string) as Summary
  return { events: lines.slice(0, -1), inputs, speed, stateHash }
}

export const prove = async (
  dataDir: string,
  fromMs: number,
  seeks = 0,
  seed = 1,
  toMs: number | null = null,
): Promise<Proof> => {
  const { code, out, err } = await replay(dataDir, fromMs, [
    "--verify",
    ...untilOf(toMs),
    "--seek",
    String(seeks),
    "--seed",
    String(seed),
  ])
  if (code !== 0) return { marks: 1, equal: 0, problem: err.trim(), speed: Number.NaN, seeks: null }
  const summary = JSON.parse(out.trimEnd().split("\n").at(-1) as string) as Summary
  return {
    marks: summary.instants,
    equal: summary.equal,
    problem: null,
    speed: summary.speed,
    seeks: summary.seekMsP50 === undefined ? null : (summary as Seeks),
  }
}

/** What a branch came to, and the hash of the past that it was taken of, which must be that of a replay without one. */
export const branched = async (
  dataDir: string,
  forkMs: number,
  toMs: number,
  lines: readonly unknown[],
): Promise<{ readonly onlyNow: number; readonly otherwise: number; readonly stateHash: string }> => {
  const file = join(dataDir, "branch.jsonl")
  writeFileSync(file, lines.map((line) => JSON.stringify(line)).join("\n"), { mode: 0o600 })
  const [at, to] = [new Date(forkMs).toISOString(), new Date(toMs).toISOString()]
  const { code, out, err } = await runCommand(["replay", "--fork-at", at, "--to", to, "--inputs", file], {
    HELIOGRAPH_DATA_DIR: dataDir,
  })
  if (code !== 0) throw new Error(`heliograph replay --fork-at: exit ${code}\n${err}`)
  return JSON.parse(out.trimEnd().split("\n").at(-1) as string)
}

/** Null = now. */
const untilOf = (toMs: number | null): readonly string[] =>
  toMs === null ? [] : ["--to", new Date(toMs).toISOString()]

const replay = (dataDir: string, fromMs: number, options: readonly string[]) =>
  runCommand(["replay", "--from", new Date(fromMs).toISOString(), ...options], { HELIOGRAPH_DATA_DIR: dataDir })

/** As engine/cli/replay.ts prints an event. */
export const lineOf = ({ atMs, type, severity, subject, entity, old, new: now }: EventView): string =>
  `${new Date(atMs).toISOString()}  ${severity.padEnd(13)} ${type}  ${subject} ${JSON.stringify(entity)} ${JSON.stringify(old)} -> ${JSON.stringify(now)}`

/**
 * Decisions of the engine's own list (newest first, as the API gives it) that the fold does not have, and the other way
 * round. The fold goes on to the engine's end, so what it decides after the newest listed event was not looked at.
 */
export const differing = (
  folded: readonly string[],
  stored: readonly EventView[],
  report: (line: string) => void,
): number => {
  const lines = stored.map(lineOf)
  const end = folded.lastIndexOf(lines[0] ?? "")
  const invented = missingIn(folded, lines)
  const forgotten = missingIn(lines, end < 0 ? folded : folded.slice(0, end + 1))
  for (const line of invented.slice(0, SHOWN)) report(`not in the fold: ${line}`)
  for (const line of forgotten.slice(0, SHOWN)) report(`only in the fold: ${line}`)
  return invented.length + forgotten.length
}

const SHOWN = 5

/** What of `wanted` is not in `found`, each as often as it stands there. */
export const missingIn = (found: readonly string[], wanted: readonly string[]): readonly string[] => {
  const counts = new Map<string, number>()
  for (const line of found) counts.set(line, (counts.get(line) ?? 0) + 1)
  return wanted.filter((line) => {
    const count = counts.get(line) ?? 0
    counts.set(line, count - 1)
    return count <= 0
  })
}
