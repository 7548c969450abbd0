/**
 * What a simulation is made of and how it moves by itself: the ISP, two or three tenants, database, disk and the engine's
 * lives on one clock; and what can be done to it from outside, each in one call. Storms and calms (storm.ts, calm.ts) are
 * written in these words.
 */
import { rowOf, batchOf } from "#engine/storage/journal-row.ts"
import * as codec from "#engine/tenant/journal-codec.ts"
import type { TenantNotice, TenantRuntime } from "#engine/tenant/runtime.ts"
import { FaultBoard } from "#lab/faults/board.ts"
import { generate } from "#lab/isp/generate.ts"
import { Network } from "#lab/isp/network.ts"
import { dice } from "#lab/isp/random.ts"
import type { Dice } from "#lab/isp/random.ts"
import { Violation } from "#lab/sim/violation.ts"
import { Heat } from "#lab/sim/cause.ts"
import { Database } from "#lab/sim/database.ts"
import { SimDisk, SOUND } from "#lab/sim/disk.ts"
import { startEngine } from "#lab/sim/engine.ts"
import type { Engine } from "#lab/sim/engine.ts"
import { Loads } from "#lab/sim/loads.ts"
import { FOREVER, Loop } from "#lab/sim/loop.ts"
import { POISON } from "#lab/sim/network-paths.ts"
import type { PlantedBug } from "#lab/sim/planted-bug.ts"
import type { JournalTableRow } from "#lab/sim/tables.ts"
import { Tenancy } from "#lab/sim/tenancy.ts"
import { Trace } from "#lab/sim/trace.ts"
import { BEHAVIOURS } from "#twin/cells.ts"

export interface RunOptions {
  readonly seed: number
  readonly hours: number
  readonly routers: number
  readonly bug: PlantedBug | null
}

export const START_MS = Date.UTC(2026, 0, 15, 12)
export const HOUR_MS = 3_600_000
export const LOOK_MS = 1_000
const UPKEEP_MS = 40_000

export class World {
  readonly options: RunOptions
  readonly loop: Loop
  readonly network: Network
  readonly board: FaultBoard
  readonly database: Database
  readonly disk: SimDisk
  readonly tenancies: readonly Tenancy[]
  readonly heat: Heat
  readonly loads: Loads
  readonly trace = new Trace()
  readonly dice: Dice
  readonly pollSeconds: number
  readonly endMs: number
  engine: Engine | null = null
  lives = 0
  wallOffsetMs = 0
  crashes = 0
  restarts = 0
  inventories = 0
  frames = 0
  /** What went wrong outside the stack of whoever runs the loop. */
  violation: Violation | null = null

  constructor(options: RunOptions) {
    const { seed, routers, bug } = options
    this.options = options
    this.dice = dice(seed, "plan")
    this.loop = new Loop(seed, START_MS)
    this.endMs = START_MS + Math.round(options.hours * HOUR_MS)
    this.network = new Network(networkOf(routers, 1 + (seed % 97)), START_MS)
    this.heat = new Heat(this.network)
    this.loads = new Loads(this.network)
    this.board = new FaultBoard(this.network)
    this.database = new Database(this.loop, seed, (detail) => this.wrong(new Violation("isolation", detail)))
    this.disk = new SimDisk(this.loop, seed)
    bug?.disk?.(this.disk)
    this.pollSeconds = this.dice.pick([15, 30, 30, 60])
    const tenants = this.dice.pick([2, 2, 3])
    this.tenancies = Array.from({ length: tenants }, (_, index) => this.tenancy(index))
  }

  tenancy(index: number): Tenancy {
    const { seed, routers, bug } = this.options
    const lots = dice(seed, `tenant ${index}`)
    // The first watches most of the network, the others a few routers each.
    const share = index === 0 ? lots.int(routers >> 1, routers) : lots.int(2, Math.max(3, routers >> 2))
    const all = Array.from({ length: routers }, (_, router) => router)
    const onFrame = bug?.frame?.()
    return new Tenancy({
      index,
      loop: this.loop,
      seed,
      network: this.network,
      database: this.database,
      dice: lots,
      routers: all.sort(() => lots.next() - 0.5).slice(0, share),
      viewers: index === 0 ? 2 : 1,
      pollSeconds: this.pollSeconds,
      steps: this.steps(false),
      judgement: bug?.judgement,
      engine: () => this.engine,
      isDiskBad: () => this.disk.mood !== SOUND,
      hooks: (tenancy) => ({
        onGap: (detail) => this.wrong(new Violation("viewers", detail)),
        onBytes: (viewer, bytes) => {
          this.frames++
          this.trace.number(10 * index + viewer)
          this.trace.bytes(bytes)
          try {
            tenancy.auditor.frame(bytes)
          } catch (error) {
            this.wrong(asViolation(error))
          }
        },
        ...(onFrame === undefined ? {} : { onFrame }),
      }),
      onWrong: (violation) => this.wrong(violation),
    })
  }

  wrong(violation: Violation): void {
    this.violation ??= violation
  }

  async run(ms: number): Promise<void> {
    const untilMs = this.loop.nowMs + ms
    // In pieces, so that what an auditor found ends the run soon.
    while (this.loop.nowMs < untilMs) {
      await this.loop.runTo(Math.min(untilMs, this.loop.nowMs + LOOK_MS))
      if (this.violation !== null) throw this.violation
    }
  }

  // -- the moving parts

  /** The ISP lives by its own next moment, faults included. */
  moveNetwork(): void {
    this.network.advance(this.loop.nowMs)
    this.loop.after(Math.max(1, this.network.nextMs() - this.loop.nowMs), FOREVER, () => this.moveNetwork())
  }

  look(): void {
    this.guarded(() => {
      this.heat.look()
      this.loads.look(this.tenancies)
      for (const tenancy of this.tenancies) tenancy.look()
    })
    this.loop.after(LOOK_MS, FOREVER, () => this.look())
  }

  /** What the nightly jobs do to the journal's table, all day. */
  upkeep(): void {
    const { info } = this.dice.pick(this.tenancies)
    if (this.dice.chance(0.7)) this.database.compact(info.id, merged)
    else this.database.prune(info.id)
    this.loop.after(this.dice.int(UPKEEP_MS / 4, UPKEEP_MS), FOREVER, () => this.upkeep())
  }

  guarded(act: () => void): void {
    try {
      act()
    } catch (error) {
      this.wrong(asViolation(error))
    }
  }

  /** The twin's steps, and a defect: a line that says so makes the step of its router throw, in every fold alike. */
  steps(live: boolean): typeof BEHAVIOURS {
    const { bug } = this.options
    const steps = (live ? (bug?.liveSteps ?? bug?.steps) : bug?.steps)?.() ?? BEHAVIOURS
    return {
      ...steps,
      router: (state, msg) => {
        if (msg.kind === "input" && msg.input.kind === "syslog" && msg.input.message.includes(POISON))
          throw new Error(POISON)
        return steps.router(state, msg)
      },
    }
  }

  start(): void {
    const { seed, bug } = this.options
    this.engine = startEngine({
      loop: this.loop,
      seed,
      life: ++this.lives,
      database: this.database,
      disk: this.disk,
      tenancies: this.tenancies,
      wallMs: () => this.loop.nowMs + this.wallOffsetMs,
      bug,
      steps: (live) => this.steps(live),
      onNotice: (tenancy, notice) => this.noticed(tenancy, notice),
      onUp: (tenancy, runtime) =>
        this.guarded(() => {
          tenancy.auditor.up(runtime.seq())
          tenancy.people.follow()
          this.trace.text(`${tenancy.info.slug} up at ${runtime.seq()}`)
        }),
    })
  }

  noticed({ info }: Tenancy, { kind, detail }: TenantNotice): void {
    if (kind === "failed" || kind === "snapshot-unusable" || (kind === "actor-crashed" && !detail.includes(POISON)))
      this.wrong(new Violation("life", `${info.slug}: ${kind}: ${detail}`))
  }

  /** kill -9; false = it is down already. */
  kill(): boolean {
    if (this.engine === null) return false
    this.engine.kill()
    this.engine = null
    for (const { info } of this.tenancies) this.options.bug?.killed?.(this.database.tables(info.id))
    this.crashes++
    this.trace.text("killed")
    this.loop.after(this.dice.int(200, 20_000), FOREVER, () => this.start())
    return true
  }

  /** Of the one machine on which engine and database run. */
  powerCut(): void {
    if (!this.kill()) return
    this.database.crash()
    this.disk.powerCut()
    this.trace.text("power cut")
    this.loop.after(this.dice.int(100, 5_000), FOREVER, () => {
      this.database.away = false
    })
  }

  setClock(offsetMs: number): void {
    this.wallOffsetMs = offsetMs
  }

  crashTenant(tenancy: Tenancy): void {
    if (this.engine?.runtime(tenancy) == null) return
    this.restarts++
    this.trace.text(`crash of ${tenancy.info.slug}`)
    this.engine.crash(tenancy)
  }

  changeInventory(tenancy: Tenancy): void {
    this.inventories++
    this.trace.text(`${tenancy.info.slug}: ${tenancy.declared.change(this.dice)}`)
    this.engine?.inventoryChanged(tenancy)
  }

  runtime(tenancy: Tenancy): TenantRuntime {
    const runtime = tenancy.current()
    if (runtime === null) throw new Violation("life", `${tenancy.info.slug} did not come back`)
    return runtime
  }
}

/** Networks do not change by being looked at, and making one costs more than some minutes of its life. */
const networks = new Map<string, ReturnType<typeof generate>>()
const networkOf = (routers: number, seed: number): ReturnType<typeof generate> => {
  const key = `${routers} ${seed}`
  let isp = networks.get(key)
  if (isp === undefined) networks.set(key, (isp = generate({ routers, seed })))
  return isp
}

/** As the compactor: many rows, one row that says the same. */
const merged = (rows: readonly JournalTableRow[]): JournalTableRow => {
  const batch = rows.flatMap(({ data }) => batchOf(data, codec))
  return rowOf(batch, rows.at(-1)!.epoch, codec, Number.POSITIVE_INFINITY)
}

export const asViolation = (error: unknown): Violation =>
  error instanceof Violation
    ? error
    : new Violation("life", error instanceof Error ? `${error.message}\n${error.stack ?? ""}` : String(error))
