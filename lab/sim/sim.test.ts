/**
 * The whole engine on one virtual clock: the same seed is the same run, kept seeds stay mended, and as many fresh seeds as
 * fit in two minutes find nothing.
 */
import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { appendFileSync, readFileSync } from "node:fs"
import { availableParallelism } from "node:os"
import { resolve } from "node:path"
import process from "node:process"
import { test } from "node:test"
import { runSimulation } from "#lab/sim/run.ts"

/** Fresh seeds: at most so many, in at most so many seconds. SIM_SECONDS asks for a longer night. */
const FRESH_SEEDS = 500
const FRESH_SECONDS = Number(process.env["SIM_SECONDS"] ?? 300)

/** Where they begin: fresh with every commit, and the same wherever that commit is tested (house/test.ts). */
const freshFrom = (): number => Number(process.env["TEST_SEED"] ?? Math.floor(Date.now() / 1_000) % 1_000_000_000)

/** Seeds that failed: the next run begins with them, and whoever mends one says what it was. */
const KEPT = resolve(import.meta.dirname, "seeds.txt")
/** As lab/sim/cli.ts tells it. */
const FAILED = /^seed (\d+), ([\d.]+) h, (\d+) routers: (.*)$/gm

interface Line {
  readonly traceHash: string
  readonly seeds: number
  readonly simHours: number
  readonly simHoursPerCoreSecond: number
  readonly seedsPerMinute: number
  readonly failed: readonly number[]
}

const sim = async (...args: string[]): Promise<{ readonly code: number | null; readonly out: string }> => {
  const child = spawn(process.execPath, [resolve(import.meta.dirname, "../sim.ts"), ...args])
  let out = ""
  child.stdout.on("data", (chunk) => (out += chunk))
  child.stderr.on("data", (chunk) => (out += chunk))
  const [code] = (await once(child, "close")) as [number | null]
  return { code, out }
}
const lastLine = (out: string): Line => JSON.parse(out.trim().split("\n").at(-1) ?? "") as Line

test("[1] the same seed is the same run to the last byte, in this process and in another one", async () => {
  const options = { seed: 11, hours: 0.1, routers: 12, bug: null }
  const first = await runSimulation(options)
  const other = await runSimulation({ ...options, seed: 12 })
  const again = await runSimulation(options)
  assert.deepEqual(again, first)
  assert.notEqual(other.traceHash, first.traceHash)
  assert.ok(first.inputs > 100 && first.frames > 100 && first.crashes > 0)
  const { out } = await sim("--seed", "11", "--hours", "0.1")
  assert.equal(lastLine(out).traceHash, first.traceHash)
})

test("[W11] seeds that failed once hold", { timeout: 900_000 }, async () => {
  const rows = readFileSync(KEPT, "utf8").split("\n")
  const kept = rows.filter((row) => /^\d/.test(row)).map((row) => row.split(" ").slice(0, 3).map(Number))
  assert.ok(kept.length > 0)
  for (const [seed = 0, hours = 0, routers = 0] of kept) {
    const { violation } = await runSimulation({ seed, hours, routers, bug: null })
    assert.equal(violation, null, `seed ${seed}: ${violation?.message}`)
  }
})

test("[3] [4] [5] [13] fresh seeds find nothing", { timeout: FRESH_SECONDS * 1_000 + 300_000 }, async (t) => {
  const base = freshFrom()
  const workers = Math.min(4, availableParallelism())
  const each = Math.ceil(FRESH_SEEDS / workers)
  const runs = await Promise.all(
    Array.from({ length: workers }, (_, i) =>
      sim(
        "--seed",
        String(base + i * each),
        "--seeds",
        String(each),
        "--hours",
        "0.1",
        "--seconds",
        String(FRESH_SECONDS),
      ),
    ),
  )
  const lines = runs.map(({ out }) => lastLine(out))
  const seeds = lines.reduce((sum, line) => sum + line.seeds, 0)
  const hours = lines.reduce((sum, line) => sum + line.simHours, 0)
  t.diagnostic(`${seeds} fresh seeds of ${FRESH_SEEDS} from ${base} on, ${hours.toFixed(1)} simulated hours`)
  console.log(`${seeds} fresh seeds of ${FRESH_SEEDS} from ${base} on, ${hours.toFixed(1)} simulated hours`)
  assert.ok(seeds > 0)
  for (const { out } of runs)
    for (const [, seed, h, routers, what = ""] of out.matchAll(FAILED))
      appendFileSync(KEPT, `${seed} ${h} ${routers} found, not mended: ${what}\n`)
  for (const { code, out } of runs) assert.equal(code, 0, `${out}\nkept in lab/sim/seeds.txt`)
})

test("a word that the simulator does not know is named", async () => {
  const { code, out } = await sim("--sede", "7")
  assert.equal(code, 2)
  assert.match(out, /cannot read --sede 7/)
})
