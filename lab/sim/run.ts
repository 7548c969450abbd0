/**
 * One run: a seeded life of an ISP, of two or three tenants who watch parts of it, and of the engine that serves them. Storms
 * take turns with calms, in which every auditor compares. The result is a function of the options alone.
 */
import process from "node:process"
import type { Violation } from "#lab/sim/violation.ts"
import { calm, REST_MS } from "#lab/sim/calm.ts"
import { storm } from "#lab/sim/storm.ts"
import type { Tenancy } from "#lab/sim/tenancy.ts"
import { asViolation, START_MS, World } from "#lab/sim/world.ts"
import type { RunOptions } from "#lab/sim/world.ts"

/**
 * Of the runs: a tenth of one's time. That groups do not matter is told by every mark of every run as well, for the live twin
 * takes its inputs in groups and the auditor one by one.
 */
const REFOLDS = 1 / 6

export interface RunResult {
  readonly seed: number
  readonly tenants: number
  readonly inputs: number
  readonly events: number
  /** Ends of the process, power cuts included; ends of one tenant's runtime; of the database. */
  readonly crashes: number
  readonly restarts: number
  readonly databaseCrashes: number
  readonly inventories: number
  readonly frames: number
  readonly turns: number
  readonly traceHash: string
  /** Null = every auditor was content. */
  readonly violation: Violation | null
  readonly virtualMs: number
}

export const runSimulation = async (options: RunOptions): Promise<RunResult> => {
  const world = new World(options)
  let violation: Violation | null = null
  const onStray = (error: unknown): void => world.wrong(asViolation(error))
  process.on("unhandledRejection", onStray)
  try {
    world.moveNetwork()
    world.start()
    world.look()
    world.upkeep()
    for (const { viewers } of world.tenancies) for (const viewer of viewers) viewer.connect()
    await world.run(REST_MS)
    while (world.loop.nowMs < world.endMs) {
      await storm(world)
      await calm(world)
    }
    const refolds = world.dice.chance(REFOLDS)
    for (const { auditor } of world.tenancies) {
      await auditor.foldOn(true)
      if (refolds) auditor.refold()
      auditor.reread()
    }
  } catch (error) {
    violation = asViolation(error)
  } finally {
    process.off("unhandledRejection", onStray)
    world.engine?.kill()
  }
  world.trace.text(violation?.message ?? "")
  const sum = (of: (tenancy: Tenancy) => number): number =>
    world.tenancies.reduce((total, tenancy) => total + of(tenancy), 0)
  return {
    seed: world.options.seed,
    tenants: world.tenancies.length,
    inputs: sum(({ auditor }) => auditor.inputs),
    events: sum(({ auditor }) => auditor.decided.length),
    crashes: world.crashes,
    restarts: world.restarts,
    databaseCrashes: world.database.crashes,
    inventories: world.inventories,
    frames: world.frames,
    turns: world.loop.turns,
    traceHash: world.trace.digest(),
    violation,
    virtualMs: world.loop.nowMs - START_MS,
  }
}
