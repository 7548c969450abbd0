/** Runs the engine's fixture of journal and history in a process of its own; its figures, rounded. */
import { spawn } from "node:child_process"
import { once } from "node:events"
import process from "node:process"
import type { Parameters } from "#bench/case.ts"
import { round } from "#bench/statistics.ts"
import { REPOSITORY } from "#lab/drive/child.ts"

/** Rejects with what it complained about. */
export const runFixture = async (
  mode: "samples" | "charts",
  parameters: Parameters,
): Promise<Readonly<Record<string, number>>> => {
  const words = ["engine/storage/history-bench.fixture.ts", mode, JSON.stringify(parameters)]
  const child = spawn(process.execPath, words, { cwd: REPOSITORY, stdio: ["ignore", "pipe", "pipe"] })
  let [said, complaint] = ["", ""]
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (said += chunk))
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => (complaint += chunk))
  const [code] = (await once(child, "close")) as [number | null]
  if (code !== 0) throw new Error(`the fixture ended with ${code}: ${complaint}${said}`)
  const figures = JSON.parse(said) as Record<string, number>
  return Object.fromEntries(Object.entries(figures).map(([name, value]) => [name, round(value, 3)]))
}
