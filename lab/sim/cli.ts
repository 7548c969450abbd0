/** The command line of the simulation: which seeds, how long, with which planted bug; a line for each seed that fails. */
import process from "node:process"
import { BUGS, bugNamed } from "#lab/sim/bugs.ts"
import { runSimulation } from "#lab/sim/run.ts"
import type { RunResult } from "#lab/sim/run.ts"
import { Trace } from "#lab/sim/trace.ts"

const HELP = `usage: npm run sim -- [--seed N] [--hours H] [--routers R] [--seeds COUNT] [--seconds S] [--bug NAME]
       npm run sim -- --real [--seed N] [--routers N] [--steps N] [--poll-seconds N]

Runs the engine with two or three tenants, its database and disk, network, devices and viewers on one virtual clock, with
faults, kills, power cuts, changes of inventory and an auditor of everything. R is how many routers the network has; the
tenants watch parts of it. The same seed, hours and routers are the same run, to the last byte. Whole storms are run, so that a run may be some minutes
longer than asked. COUNT seeds follow each other from N on, no more than S seconds of them. Exit 1 when one fails.

--real: a real engine over sockets instead, which must come to agree with the lab after each fault.

Planted bugs: ${BUGS.map(({ name }) => name).join(", ")}
`

const DEFAULTS = { seed: 1, hours: 1, routers: 12, seeds: 1, seconds: 1e9 }
type Options = { -readonly [Key in keyof typeof DEFAULTS]: number } & { bug: string | null }

export const simCommand = async (args: readonly string[]): Promise<number> => {
  if (args.includes("--help")) return print(HELP, 0)
  const options = readOptions(args)
  if (typeof options === "string") return print(`${options}\n\n${HELP}`, 2)
  const results = await runSeeds(options)
  const total = summed(results)
  const { seed, hours, routers } = options
  const { coreSeconds, seconds, violations, ...figures } = total
  console.log(
    JSON.stringify({
      case: "sim",
      seed,
      hours,
      routers,
      ...figures,
      simHoursPerCoreSecond: round(total.simHours / coreSeconds),
      seeds: results.length,
      seedsPerMinute: round((results.length * 60) / seconds),
      failed: violations,
    }),
  )
  return violations.length === 0 ? 0 : 1
}

interface Timed extends RunResult {
  readonly coreSeconds: number
  readonly seconds: number
}

const runSeeds = async (options: Options): Promise<readonly Timed[]> => {
  const { hours, routers } = options
  const untilMs = performance.now() + options.seconds * 1_000
  const results: Timed[] = []
  for (let seed = options.seed; seed < options.seed + options.seeds && performance.now() < untilMs; seed++) {
    const startMs = performance.now()
    const cpu = process.cpuUsage()
    const bug = options.bug === null ? null : bugNamed(options.bug)
    const result = await runSimulation({ seed, hours, routers, bug })
    const used = process.cpuUsage(cpu)
    const seconds = (performance.now() - startMs) / 1_000
    results.push({ ...result, seconds, coreSeconds: (used.user + used.system) / 1e6 })
    if (result.violation !== null)
      console.log(`seed ${seed}, ${hours} h, ${routers} routers: ${result.violation.message}`)
  }
  return results
}

const summed = (results: readonly Timed[]) => {
  const sum = (of: (result: Timed) => number): number => results.reduce((total, result) => total + of(result), 0)
  const trace = new Trace()
  for (const { traceHash } of results) trace.text(traceHash)
  return {
    inputs: sum(({ inputs }) => inputs),
    events: sum(({ events }) => events),
    crashes: sum(({ crashes }) => crashes),
    restarts: sum(({ restarts }) => restarts),
    databaseCrashes: sum(({ databaseCrashes }) => databaseCrashes),
    inventories: sum(({ inventories }) => inventories),
    frames: sum(({ frames }) => frames),
    /** Of one seed its own, of several the hash of theirs. */
    traceHash: results.length === 1 ? results[0]!.traceHash : trace.digest(),
    simHours: round(sum(({ virtualMs }) => virtualMs) / 3_600_000),
    coreSeconds: sum(({ coreSeconds }) => coreSeconds),
    seconds: sum(({ seconds }) => seconds),
    violations: results.flatMap(({ seed, violation }) => (violation === null ? [] : [seed])),
  }
}

const readOptions = (args: readonly string[]): Options | string => {
  const options: Options = { ...DEFAULTS, bug: null }
  for (let i = 0; i < args.length; i += 2) {
    const name = (args[i] ?? "").replace(/^--/, "")
    const text = args[i + 1] ?? ""
    if (name === "bug") {
      if (bugNamed(text) === null) return `there is no planted bug "${text}"`
      options.bug = text
      continue
    }
    const value = Number(text)
    const isWhole = name === "hours" || name === "seconds" || Number.isInteger(value)
    if (!(name in DEFAULTS) || text === "" || !isWhole || !(value > 0))
      return `cannot read ${args.slice(i, i + 2).join(" ")}`
    options[name as keyof typeof DEFAULTS] = value
  }
  return options
}

const round = (value: number): number => Math.round(value * 1_000) / 1_000

const print = (text: string, code: number): number => {
  ;(code === 0 ? console.log : console.error)(text)
  return code
}
