/**
 * An ISP whose links and routers fail by a seeded die, watched for some minutes; then the engine is stopped and its past is
 * proven: at every mark that the live twin left, a fold of the journal is the same twin, bit by bit. How fast that folds
 * compared with life, with the proof and without, and how long a jump to a random moment takes: the first ones, which find
 * nothing but checkpoints, and those after them. A branch of it hears of an outage that never was, and the past stays as it
 * was. Links fail one after the other every `flapMs`: the default is a storm without end; a fault in 15 s is a bad day.
 */
import { readdirSync, readFileSync, statSync } from "node:fs"
import { loadavg } from "node:os"
import { join } from "node:path"
import type { Case } from "#bench/case.ts"
import { branched, differing, fold, prove } from "#bench/fold.ts"
import { round } from "#bench/statistics.ts"
import { withDrill, type Drill } from "#lab/drive/drill.ts"

type Parameter =
  | "minutes"
  | "routers"
  | "pollSeconds"
  | "informsPerSecond"
  | "snapshotSeconds"
  | "seeks"
  | "flapMs"
  | "seed"

export const replay: Case = {
  name: "replay",
  about: "marks of a live twin that a replay reaches alike, speed against real time, milliseconds per seek",
  tier: "emulator (ours)",
  full: {
    minutes: 10,
    routers: 120,
    pollSeconds: 10,
    informsPerSecond: 1,
    snapshotSeconds: 5,
    seeks: 100,
    flapMs: 400,
    seed: 1,
  },
  small: {
    minutes: 0.1,
    routers: 12,
    pollSeconds: 1,
    informsPerSecond: 5,
    snapshotSeconds: 1,
    seeks: 5,
    flapMs: 400,
    seed: 1,
  },
  run: async (parameters, report) => {
    const { minutes, seeks, seed, ...load } = parameters as Readonly<Record<Parameter, number>>
    return withDrill({ ...load, seed }, async (drill) => {
      for (const untilMs = drill.loadFromMs + minutes * 60_000; Date.now() < untilMs;) {
        await new Promise((wake) => setTimeout(wake, Math.min(30_000, Math.max(0, untilMs - Date.now()))))
        report(`${round((Date.now() - drill.loadFromMs) / 60_000)} min, ${drill.viewer().told().length} events told`)
      }
      await drill.settle()
      const metrics = await drill.engine().metrics(drill.cookie())
      const samples = [...metrics].reduce(
        (sum, [key, value]) => (key.startsWith("heliograph_samples_total") ? sum + value : sum),
        0,
      )
      await drill.stop()
      const endMs = Date.now()
      const lifeS = (endMs - drill.loadFromMs) / 1_000
      const proof = await prove(drill.dataDir, drill.loadFromMs, seeks, seed, endMs)
      if (proof.problem !== null) report(proof.problem)
      const folded = await fold(drill.dataDir, drill.loadFromMs, endMs)
      const branch = await forkedAt(drill, drill.loadFromMs + lifeS * 500)
      const otherwise = differing(folded.events, drill.storedEvents(), report)
      return {
        figures: {
          life_s: round(lifeS, 0),
          inputs_folded: folded.inputs,
          samples,
          events: drill.storedEvents().length,
          marks: proof.marks,
          marks_equal: proof.equal,
          decisions_differing: otherwise,
          speed_x_real_time: proof.speed,
          speed_without_proof: folded.speed,
          seek_first_p50_ms: proof.seeks?.seekMsP50 ?? null,
          seek_first_p95_ms: proof.seeks?.seekMsP95 ?? null,
          seek_first_max_ms: proof.seeks?.seekMsMax ?? null,
          seek_first_inputs_max: proof.seeks?.seekInputsMax ?? null,
          seek_p50_ms: proof.seeks?.seekWarmMsP50 ?? null,
          seek_p95_ms: proof.seeks?.seekWarmMsP95 ?? null,
          seek_max_ms: proof.seeks?.seekWarmMsMax ?? null,
          branch_events_of_its_own: branch.onlyNow,
          branch_actors_otherwise: branch.otherwise,
          branch_past_untouched: Number(branch.isUntouched),
          load_average_1m: round(loadavg()[0] ?? 0),
          database_bytes: directoryBytes(join(drill.dataDir, "pg", "base")),
        },
        outcome: { equal: proof.problem === null, otherwise, untouched: branch.isUntouched },
      }
    })
  },
}

/** An outage of the first router that never was, heard by a branch for a minute. */
const forkedAt = async (drill: Drill, forkMs: number) => {
  const { devices } = JSON.parse(readFileSync(join(drill.dataDir, "drive-import.json"), "utf8")) as {
    readonly devices: ReadonlyArray<{ readonly name: string; readonly sources?: readonly string[] }>
  }
  const router = devices[0]!
  const lines = Array.from({ length: 6 }, (_, i) => ({
    at: `+${1 + 10 * i}s`,
    kind: "unreachable",
    device: router.name,
    source: router.sources?.[0] ?? "snmp",
  }))
  const toMs = forkMs + 61_000
  const { onlyNow, otherwise, stateHash } = await branched(drill.dataDir, forkMs, toMs, lines)
  const past = await fold(drill.dataDir, forkMs, toMs)
  return { onlyNow, otherwise, isUntouched: past.stateHash === stateHash }
}

/** What the tables, indexes and catalogues take on disk; the write-ahead log is not in it. */
const directoryBytes = (path: string): number =>
  readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0)
