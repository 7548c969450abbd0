/**
 * An ISP whose links and routers fail by a seeded die, watched for some minutes; then the engine is stopped and its past is
 * proven: at every mark that the live twin left, a fold of the journal is the same twin, bit by bit. How fast that folds
 * compared with life, and how long a jump to a random moment takes.
 */
import { readdirSync, statSync } from "node:fs"
import { join } from "node:path"
import type { Case } from "#bench/case.ts"
import { differing, fold, prove } from "#bench/fold.ts"
import { round } from "#bench/statistics.ts"
import { withDrill } from "#lab/drive/drill.ts"

export const replay: Case = {
  name: "replay",
  about: "marks of a live twin that a replay reaches alike, speed against real time, milliseconds per seek",
  tier: "emulator (ours)",
  full: { minutes: 10, routers: 120, pollSeconds: 10, informsPerSecond: 1, snapshotSeconds: 5, seeks: 100, seed: 1 },
  small: { minutes: 0.1, routers: 12, pollSeconds: 1, informsPerSecond: 5, snapshotSeconds: 1, seeks: 5, seed: 1 },
  run: async (parameters, report) => {
    const { minutes, seeks, seed, ...load } = parameters as Readonly<
      Record<"minutes" | "routers" | "pollSeconds" | "informsPerSecond" | "snapshotSeconds" | "seeks" | "seed", number>
    >
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
      const lifeS = (Date.now() - drill.loadFromMs) / 1_000
      const proof = await prove(drill.dataDir, drill.loadFromMs, seeks, seed)
      if (proof.problem !== null) report(proof.problem)
      const folded = await fold(drill.dataDir, drill.loadFromMs)
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
          seek_p50_ms: proof.seekMsP50,
          seek_p95_ms: proof.seekMsP95,
          database_bytes: directoryBytes(join(drill.dataDir, "pg", "base")),
        },
        outcome: { equal: proof.problem === null, otherwise },
      }
    })
  },
}

/** What the tables, indexes and catalogues take on disk; the write-ahead log is not in it. */
const directoryBytes = (path: string): number =>
  readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0)
