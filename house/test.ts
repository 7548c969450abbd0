/**
 * `npm test`: runs every `*.test.ts` of the house (or the files and folders named on the command line) with node's own
 * runner, one process a file, and says in its last lines what was skipped, why, and how to enable it. Suites that need
 * the machine for themselves (a software-GL page, benchmarks, the real routers in their namespaces) run after all others,
 * one at a time. What is drawn by chance (properties, simulation) is drawn from TEST_SEED; default: a number of this tree.
 */
import { execFileSync } from "node:child_process"
import { globSync, readFileSync } from "node:fs"
import { availableParallelism } from "node:os"
import { relative, resolve } from "node:path"
import process from "node:process"
import { run } from "node:test"
import { inspect } from "node:util"

const FOLDERS = ["protocol", "twin", "engine", "lab", "client", "bench", "house"]
const ALONE = /(^|\/)e2e\/|^bench\/(cases|hostile)\/|^lab\/frr\/frr\.test|^lab\/sim\/|^engine\/probes\/netem\.test/
/**
 * A file that has not ended by then is killed and counts as failed. node's own timeout sends SIGTERM, which a test
 * process that something keeps alive (a child that was not stopped, an open socket) survives for ever.
 */
const FILE_TIMEOUT_MS = Number(process.env["TEST_FILE_TIMEOUT_MS"] ?? 900_000)

interface Outcome {
  passed: number
  /** `file: test`, as they failed. */
  readonly failures: string[]
  readonly skipped: Map<string, string[]>
}

const main = async (): Promise<void> => {
  const root = resolve(import.meta.dirname, "..")
  process.chdir(root)
  const named = process.argv.slice(2).filter((arg) => !arg.startsWith("--"))
  const files = testFiles(named)
  if (files.length === 0) {
    console.error(`no test file under ${named.join(", ") || root}`)
    process.exitCode = 1
    return
  }
  process.env["TEST_SEED"] ??= String(seedOfTree())
  console.log(`TEST_SEED=${process.env["TEST_SEED"]}`)
  const started = performance.now()
  const alone = files.filter((file) => ALONE.test(file))
  const together = files.filter((file) => !alone.includes(file))
  const outcome: Outcome = { passed: 0, failures: [], skipped: new Map() }
  const watch = setInterval(killOverdue, Math.min(10_000, FILE_TIMEOUT_MS / 4))
  await runFiles(together, Math.max(1, availableParallelism()), outcome)
  await runFiles(alone, 1, outcome)
  clearInterval(watch)
  report(outcome, files.length, performance.now() - started)
  process.exitCode = outcome.failures.length === 0 && outcome.passed > 0 ? 0 : 1
}

/** Another one with every commit, the same wherever that commit is tested. Without git: the clock. */
const seedOfTree = (): number => {
  try {
    const tree = execFileSync("git", ["rev-parse", "HEAD^{tree}"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    })
    return Number.parseInt(tree.slice(0, 7), 16)
  } catch {
    return Math.floor(Date.now() / 1_000) % 1_000_000_000
  }
}

const firstSeen = new Map<number, number>()
/** Test processes are our only children. Without /proc nothing is killed. */
const killOverdue = (): void => {
  const now = performance.now()
  const children = childrenOf(process.pid)
  for (const pid of firstSeen.keys()) if (!children.includes(pid)) firstSeen.delete(pid)
  for (const pid of children) {
    const since = firstSeen.get(pid) ?? now
    firstSeen.set(pid, since)
    if (now - since < FILE_TIMEOUT_MS) continue
    console.log(`killed: process ${pid} had not ended after ${FILE_TIMEOUT_MS / 1000} s`)
    process.kill(pid, "SIGKILL")
  }
}
const childrenOf = (pid: number): number[] => {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean).map(Number)
  } catch {
    return []
  }
}

/** Everything, or what the names (files or folders) cover. */
const testFiles = (names: readonly string[]): string[] => {
  const patterns = names.length === 0 ? FOLDERS.map((folder) => `${folder}/**/*.test.ts`) : names.flatMap(namePatterns)
  return [...new Set(patterns.flatMap((pattern) => globSync(pattern)))].sort()
}
const namePatterns = (name: string): string[] =>
  name.endsWith(".ts") ? [name] : [`${name.replace(/\/$/, "")}/**/*.test.ts`]

const runFiles = async (files: string[], concurrency: number, outcome: Outcome): Promise<void> => {
  if (files.length === 0) return
  const tally = new Map<string, { tests: number; ms: number; failed: number }>()
  const events = run({ files, concurrency, execArgv: ["--import", new URL("seed.ts", import.meta.url).href] })
  for await (const event of events) {
    if (event.type === "test:stderr" || event.type === "test:stdout") {
      if (process.env["TEST_OUTPUT"] !== undefined) process.stdout.write(event.data.message)
      continue
    }
    if (event.type === "test:summary" && event.data.file !== undefined) {
      const file = relative(process.cwd(), event.data.file)
      const row = tally.get(file) ?? { tests: 0, ms: 0, failed: 0 }
      console.log(
        `${row.failed === 0 ? "  ok" : "FAIL"}  ${file}  ${row.tests} tests, ${Math.round(event.data.duration_ms)} ms`,
      )
      continue
    }
    if (event.type !== "test:pass" && event.type !== "test:fail") continue
    const { data } = event
    if (data.details.type === "suite" && event.type === "test:pass") continue
    const file = relative(process.cwd(), data.file ?? "?")
    const row = tally.get(file) ?? { tests: 0, ms: 0, failed: 0 }
    tally.set(file, row)
    row.tests++
    if (data.skip !== undefined && data.skip !== false) {
      const reason = typeof data.skip === "string" ? data.skip : "no reason given"
      outcome.skipped.set(reason, [...(outcome.skipped.get(reason) ?? []), `${file}: ${data.name}`])
    } else if (event.type === "test:pass") outcome.passed++
    else {
      row.failed++
      outcome.failures.push(`${file}: ${data.name}`)
      const { error } = event.data.details
      console.log(
        `FAIL  ${file}: ${data.name}\n${inspect(error.cause ?? error, { depth: 4 }).replaceAll(/^/gm, "      ")}`,
      )
    }
  }
}

const report = (outcome: Outcome, files: number, ms: number): void => {
  const skippedTests = [...outcome.skipped.values()].reduce((sum, names) => sum + names.length, 0)
  if (skippedTests > 0) {
    console.log(`\nskipped (${skippedTests} tests):`)
    for (const [reason, names] of outcome.skipped) {
      console.log(`  ${reason}`)
      for (const name of names.slice(0, 5)) console.log(`    - ${name}`)
      if (names.length > 5) console.log(`    - and ${names.length - 5} more`)
    }
  } else console.log("\nnothing was skipped")
  console.log(`${files} files, node ${process.version}, ${(ms / 1000).toFixed(1)} s`)
  for (const name of outcome.failures) console.log(`failed: ${name}`)
  console.log(`${outcome.passed} passed, ${outcome.failures.length} failed, ${skippedTests} skipped`)
}

await main()
