/**
 * The proof of the audit at size: rows of the hash chain that `heliograph audit verify` reads and recomputes a second,
 * beside the running engine, and how long an act waits for its row. A fixture of the engine writes the rows, because no
 * user makes a million of them; what is measured is the command that a user runs. Goal 30 of the notes: 10^6 in 10 s.
 */
import { spawn } from "node:child_process"
import { once } from "node:events"
import process from "node:process"
import type { Case } from "#bench/case.ts"
import { quantile, round } from "#bench/statistics.ts"
import { REPOSITORY } from "#lab/drive/child.ts"
import { startEngine, temporaryDataDir, type Engine } from "#lab/drive/engine.ts"

export const audit: Case = {
  name: "audit",
  about: "rows of the audit verified a second, and milliseconds that an act takes with its row",
  tier: "emulator (ours)",
  full: { rows: 1_000_000, acts: 500 },
  small: { rows: 2_000, acts: 20 },
  run: async ({ rows = 0, acts = 0 }, report) => {
    const data = await temporaryDataDir()
    let engine: Engine | undefined
    try {
      engine = await startEngine({ dataDir: data.path })
      const actsMs = await act(engine, acts)
      const before = await verify(data.path)
      await tool(data.path, "engine/audit/fill.fixture.ts", String(rows))
      report(`${rows} rows written`)
      const after = await verify(data.path)
      report(`${after.rows} rows verified in ${after.seconds.toFixed(2)} s`)
      return {
        figures: {
          rows_per_s: Math.round(after.rows / after.seconds),
          verify_s: round(after.seconds, 2),
          act_ms_p50: round(quantile(actsMs, 0.5), 2),
          act_ms_p99: round(quantile(actsMs, 0.99), 2),
        },
        outcome: { intact: before.intact && after.intact, added: after.rows - before.rows },
      }
    } finally {
      await engine?.child.stop()
      await data.remove()
    }
  },
}

/** Site after site, one at a time: what each takes is mostly its transaction. */
const act = async (engine: Engine, count: number): Promise<number[]> => {
  const cookie = await engine.signIn()
  const tookMs: number[] = []
  for (let n = 0; n < count; n++) {
    const startedMs = performance.now()
    const answer = await fetch(`${engine.url}/api/v1/sites/bench-${n}`, {
      method: "PUT",
      headers: { cookie, "content-type": "application/json", origin: engine.url },
      body: JSON.stringify({ name: `Bench ${n}`, latitude: 1, longitude: 1 }),
    })
    if (!answer.ok) throw new Error(`a site was refused: ${answer.status} ${await answer.text()}`)
    await answer.arrayBuffer()
    tookMs.push(performance.now() - startedMs)
  }
  return tookMs
}

interface Verdict {
  readonly intact: boolean
  readonly rows: number
  readonly seconds: number
}

const verify = async (dataDir: string): Promise<Verdict> =>
  JSON.parse(await tool(dataDir, "engine/cli.ts", "audit", "verify", "--json")) as Verdict

/** A command on the engine's data directory; rejects with what it said when it fails. */
const tool = async (dataDir: string, ...words: readonly string[]): Promise<string> => {
  const child = spawn(process.execPath, words, {
    cwd: REPOSITORY,
    env: { ...process.env, HELIOGRAPH_DATA_DIR: dataDir },
    stdio: ["ignore", "pipe", "pipe"],
  })
  let [said, complaint] = ["", ""]
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (said += chunk))
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => (complaint += chunk))
  const [code] = (await once(child, "close")) as [number | null]
  if (code !== 0) throw new Error(`${words.join(" ")} ended with ${code}: ${complaint}${said}`)
  return said
}
