/**
 * One run: a seeded life of an ISP, of two or three tenants who watch parts of it, and of the engine that serves them. Storms
 * (faults, losses, kills, power cuts, stalls, changes of inventory) take turns with calms, in which everything must have
 * healed in time and every auditor compares; then the next storm begins. The result is a function of the options alone.
 */
import process from "node:process"
import { rowOf, batchOf } from "#engine/storage/journal-row.ts"
import { insertRows } from "#engine/storage/journal-table.ts"
import * as codec from "#engine/tenant/journal-codec.ts"
import type { TenantNotice, TenantRuntime } from "#engine/tenant/runtime.ts"
import { RESTORE, FaultBoard } from "#lab/faults/board.ts"
import { FaultRefused } from "#lab/faults/names.ts"
import { generate } from "#lab/isp/generate.ts"
import { Network } from "#lab/isp/network.ts"
import { dice } from "#lab/isp/random.ts"
import type { Dice } from "#lab/isp/random.ts"
import { Violation } from "#lab/sim/auditor.ts"
import { CALM, Database } from "#lab/sim/database.ts"
import { SimDisk, SOUND } from "#lab/sim/disk.ts"
import { simulated } from "#lab/sim/effects.ts"
import { startEngine } from "#lab/sim/engine.ts"
import type { Engine } from "#lab/sim/engine.ts"
import { FOREVER, Loop } from "#lab/sim/loop.ts"
import { CLEAN, POISON } from "#lab/sim/network-paths.ts"
import type { PlantedBug } from "#lab/sim/planted-bug.ts"
import type { JournalTableRow } from "#lab/sim/tables.ts"
import { Tenancy } from "#lab/sim/tenancy.ts"
import { Trace } from "#lab/sim/trace.ts"
import { disagreements } from "#lab/sim/truth.ts"
import { BEHAVIOURS } from "#twin/cells.ts"
import * as Effect from "effect/Effect"

export interface RunOptions {
  readonly seed: number
  readonly hours: number
  readonly routers: number
  readonly bug: PlantedBug | null
}

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

const START_MS = Date.UTC(2026, 0, 15, 12)
const HOUR_MS = 3_600_000
const LOOK_MS = 1_000
/** A device that rests (its breaker is open) is asked at least once a minute. */
const REST_MS = 60_000
/** Boot of a router, convergence of routing, a last poll's tries. */
const SLACK_MS = 30_000
const QUIET_MS = 500
const QUIET_WITHIN_MS = 120_000
/** A tenant that kept failing, or a device whose actor did, is set aside for a while. */
const RELEASED_WITHIN_MS = 2 * HOUR_MS
const UPKEEP_MS = 60_000

export const runSimulation = async (options: RunOptions): Promise<RunResult> => {
  const run = new Run(options)
  return run.all()
}

class Run {
  readonly #options: RunOptions
  readonly #loop: Loop
  readonly #network: Network
  readonly #board: FaultBoard
  readonly #database: Database
  readonly #disk: SimDisk
  readonly #tenancies: readonly Tenancy[]
  readonly #trace = new Trace()
  readonly #dice: Dice
  readonly #pollSeconds: number
  readonly #endMs: number
  #engine: Engine | null = null
  #lives = 0
  #wallOffsetMs = 0
  /** When the engine of now started. */
  #startOffsetMs = 0
  /** Starts with another clock than the life before began with. */
  #clockSetMeanwhile = 0
  #crashes = 0
  #restarts = 0
  #inventories = 0
  #frames = 0
  /** What went wrong outside the stack of whoever runs the loop. */
  #violation: Violation | null = null

  constructor(options: RunOptions) {
    const { seed, routers, bug } = options
    this.#options = options
    this.#dice = dice(seed, "plan")
    this.#loop = new Loop(seed, START_MS)
    this.#endMs = START_MS + Math.round(options.hours * HOUR_MS)
    this.#network = new Network(networkOf(routers, 1 + (seed % 97)), START_MS)
    this.#board = new FaultBoard(this.#network)
    this.#database = new Database(this.#loop, seed, (detail) => this.#wrong(new Violation("isolation", detail)))
    this.#disk = new SimDisk(this.#loop, seed)
    bug?.disk?.(this.#disk)
    this.#pollSeconds = this.#dice.pick([15, 30, 30, 60])
    const tenants = this.#dice.pick([2, 2, 3])
    this.#tenancies = Array.from({ length: tenants }, (_, index) => this.#tenancy(index))
  }

  #tenancy(index: number): Tenancy {
    const { seed, routers, bug } = this.#options
    const lots = dice(seed, `tenant ${index}`)
    // The first watches most of the network, the others a few routers each.
    const share = index === 0 ? lots.int(routers >> 1, routers) : lots.int(2, Math.max(3, routers >> 2))
    const all = Array.from({ length: routers }, (_, router) => router)
    const onFrame = bug?.frame?.()
    return new Tenancy({
      index,
      loop: this.#loop,
      seed,
      network: this.#network,
      database: this.#database,
      dice: lots,
      routers: all.sort(() => lots.next() - 0.5).slice(0, share),
      viewers: index === 0 ? 2 : 1,
      pollSeconds: this.#pollSeconds,
      steps: this.#steps(false),
      engine: () => this.#engine,
      isDiskBad: () => this.#disk.mood !== SOUND,
      hooks: (tenancy) => ({
        onGap: (detail) => this.#wrong(new Violation("viewers", detail)),
        onBytes: (viewer, bytes) => {
          this.#frames++
          this.#trace.number(10 * index + viewer)
          this.#trace.bytes(bytes)
          try {
            tenancy.auditor.frame(bytes)
          } catch (error) {
            this.#wrong(asViolation(error))
          }
        },
        ...(onFrame === undefined ? {} : { onFrame }),
      }),
      onWrong: (violation) => this.#wrong(violation),
    })
  }

  async all(): Promise<RunResult> {
    let violation: Violation | null = null
    const onStray = (error: unknown): void => this.#wrong(asViolation(error))
    process.on("unhandledRejection", onStray)
    try {
      this.#moveNetwork()
      this.#start()
      this.#look()
      this.#upkeep()
      for (const { viewers } of this.#tenancies) for (const viewer of viewers) viewer.connect()
      await this.#run(REST_MS)
      while (this.#loop.nowMs < this.#endMs) {
        await this.#stormOnce()
        await this.#calmOnce()
      }
      for (const { auditor } of this.#tenancies) {
        await auditor.foldOn(true)
        auditor.refold()
        auditor.reread()
      }
    } catch (error) {
      violation = asViolation(error)
    } finally {
      process.off("unhandledRejection", onStray)
      this.#engine?.kill()
    }
    this.#trace.text(violation?.message ?? "")
    const sum = (of: (tenancy: Tenancy) => number): number =>
      this.#tenancies.reduce((total, tenancy) => total + of(tenancy), 0)
    return {
      seed: this.#options.seed,
      tenants: this.#tenancies.length,
      inputs: sum(({ auditor }) => auditor.inputs),
      events: sum(({ auditor }) => auditor.decided.length),
      crashes: this.#crashes,
      restarts: this.#restarts,
      databaseCrashes: this.#database.crashes,
      inventories: this.#inventories,
      frames: this.#frames,
      turns: this.#loop.turns,
      traceHash: this.#trace.digest(),
      violation,
      virtualMs: this.#loop.nowMs - START_MS,
    }
  }

  #wrong(violation: Violation): void {
    this.#violation ??= violation
  }

  async #run(ms: number): Promise<void> {
    const untilMs = this.#loop.nowMs + ms
    // In pieces, so that what an auditor found ends the run soon.
    while (this.#loop.nowMs < untilMs) {
      await this.#loop.runTo(Math.min(untilMs, this.#loop.nowMs + LOOK_MS))
      if (this.#violation !== null) throw this.#violation
    }
  }

  // -- the moving parts

  /** The ISP lives by its own next moment, faults included. */
  #moveNetwork(): void {
    this.#network.advance(this.#loop.nowMs)
    this.#loop.after(Math.max(1, this.#network.nextMs() - this.#loop.nowMs), FOREVER, () => this.#moveNetwork())
  }

  #look(): void {
    this.#guarded(() => {
      for (const tenancy of this.#tenancies) tenancy.look()
    })
    this.#loop.after(LOOK_MS, FOREVER, () => this.#look())
  }

  /** What the nightly jobs do to the journal's table, all day. */
  #upkeep(): void {
    const { info } = this.#dice.pick(this.#tenancies)
    if (this.#dice.chance(0.7)) this.#database.compact(info.id, merged)
    else this.#database.prune(info.id)
    this.#loop.after(this.#dice.int(UPKEEP_MS / 4, UPKEEP_MS), FOREVER, () => this.#upkeep())
  }

  #guarded(act: () => void): void {
    try {
      act()
    } catch (error) {
      this.#wrong(asViolation(error))
    }
  }

  /** The twin's steps, and a defect: a line that says so makes the step of its router throw, in every fold alike. */
  #steps(live: boolean): typeof BEHAVIOURS {
    const { bug } = this.#options
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

  #start(): void {
    const { seed, bug } = this.#options
    if (this.#wallOffsetMs !== this.#startOffsetMs) this.#clockSetMeanwhile++
    this.#startOffsetMs = this.#wallOffsetMs
    this.#engine = startEngine({
      loop: this.#loop,
      seed,
      life: ++this.#lives,
      database: this.#database,
      disk: this.#disk,
      tenancies: this.#tenancies,
      wallMs: () => this.#loop.nowMs + this.#wallOffsetMs,
      bug,
      steps: (live) => this.#steps(live),
      onNotice: (tenancy, notice) => this.#noticed(tenancy, notice),
      onUp: (tenancy, runtime) =>
        this.#guarded(() => {
          tenancy.auditor.up(runtime.seq())
          this.#trace.text(`${tenancy.info.slug} up at ${runtime.seq()}`)
        }),
    })
  }

  #noticed({ info }: Tenancy, { kind, detail }: TenantNotice): void {
    if (kind === "failed" || kind === "snapshot-unusable" || (kind === "actor-crashed" && !detail.includes(POISON)))
      this.#wrong(new Violation("life", `${info.slug}: ${kind}: ${detail}`))
  }

  /** kill -9; false = it is down already. */
  #kill(): boolean {
    if (this.#engine === null) return false
    this.#engine.kill()
    this.#engine = null
    for (const { info } of this.#tenancies) this.#options.bug?.killed?.(this.#database.tables(info.id))
    this.#crashes++
    if (this.#wallOffsetMs !== this.#startOffsetMs) this.#clockSetMeanwhile++
    this.#trace.text("killed")
    this.#loop.after(this.#dice.int(200, 20_000), FOREVER, () => this.#start())
    return true
  }

  /** Of the one machine on which engine and database run. */
  #powerCut(): void {
    if (!this.#kill()) return
    this.#database.crash()
    this.#disk.powerCut()
    this.#trace.text("power cut")
    this.#loop.after(this.#dice.int(100, 5_000), FOREVER, () => {
      this.#database.away = false
    })
  }

  /** An engine that was fenced off long ago, and does not know it, writes what nobody else has ever seen. */
  #ghost(): void {
    const { info } = this.#dice.pick(this.#tenancies)
    const { epoch } = this.#database.tables(info.id)
    const { database, loop } = { database: this.#database, loop: this.#loop }
    const next = database.tables(info.id).lastSeq() + 1
    if (epoch < 2) return
    const input = { kind: "certificate" as const, atMs: loop.nowMs, names: "ghost", endsOn: "", days: 0 }
    const row = rowOf([{ seq: next, input }], epoch - 1, codec)
    const db = database.shapeFor(FOREVER)
    const write = insertRows(this.#options.bug?.ghost?.(db, epoch) ?? db, info.id, epoch - 1, [row])
    const inTime = simulated(loop, FOREVER, () => loop.nowMs)
    void Effect.runPromise(inTime(Effect.exit(write)))
  }

  // -- storms

  async #stormOnce(): Promise<void> {
    const untilMs = this.#loop.nowMs + this.#dice.int(90_000, 300_000)
    this.#disk.mood = this.#dice.pick([
      SOUND,
      SOUND,
      { writeFails: 0.1, syncFails: 0.1, truncateFails: 0.5 },
      { writeFails: 0, syncFails: 0, truncateFails: 0.8 },
    ])
    for (const { paths, info } of this.#tenancies) {
      paths.mood = {
        loss: this.#dice.pick([0, 0.02, 0.1, 0.3]),
        doubled: this.#dice.pick([0, 0.1, 0.5]),
        delayMsMax: this.#dice.pick([20, 200, 2_500]),
      }
      this.#database.moods.set(info.id, {
        stall: this.#dice.pick([0, 0.02, 0.2]),
        stallMsMax: this.#dice.pick([500, 5_000, 30_000]),
        lostAnswer: this.#dice.pick([0, 0.02, 0.2]),
        reset: this.#dice.pick([0, 0.02, 0.2]),
      })
    }
    while (this.#loop.nowMs < untilMs) {
      this.#disturb()
      await this.#run(this.#dice.int(500, 20_000))
    }
  }

  #disturb(): void {
    const tenancy = this.#dice.pick(this.#tenancies)
    const lot = this.#dice.next()
    if (lot < 0.46) this.#breakSomething()
    else if (lot < 0.52) this.#kill()
    else if (lot < 0.55) this.#powerCut()
    else if (lot < 0.61) this.#crashTenant(tenancy)
    else if (lot < 0.65) tenancy.paths.poison(this.#dice.pick([...tenancy.declared.routers]))
    else if (lot < 0.69) this.#toggleDatabase()
    else if (lot < 0.74) this.#toggleFreeze(tenancy)
    else if (lot < 0.77) this.#wallOffsetMs += this.#dice.pick([-1, 1]) * this.#dice.int(2_000, HOUR_MS)
    else if (lot < 0.86) this.#changeInventory(tenancy)
    else if (lot < 0.88) this.#ghost()
    else this.#disturbViewer(tenancy)
  }

  #crashTenant(tenancy: Tenancy): void {
    if (this.#engine?.runtime(tenancy) == null) return
    this.#restarts++
    this.#trace.text(`crash of ${tenancy.info.slug}`)
    this.#engine.crash(tenancy)
  }

  #toggleDatabase(): void {
    if (this.#database.away) this.#database.away = false
    else this.#database.crash()
  }

  #toggleFreeze({ info }: Tenancy): void {
    if (this.#database.isFrozen(info.id)) this.#database.thaw(info.id)
    else this.#database.freeze(info.id)
  }

  #changeInventory(tenancy: Tenancy): void {
    this.#inventories++
    this.#trace.text(`${tenancy.info.slug}: ${tenancy.declared.change(this.#dice)}`)
    this.#engine?.inventoryChanged(tenancy)
  }

  #disturbViewer({ viewers }: Tenancy): void {
    const viewer = this.#dice.pick(viewers)
    const lot = this.#dice.next()
    if (lot < 0.33) viewer.stall()
    else if (lot < 0.66) viewer.setSpeed(this.#dice.pick([1, 20, 1_000]))
    else viewer.wire?.cut()
  }

  /** A verb of lab/faults on something that exists. */
  #breakSomething(): void {
    const { isp } = this.#network
    const routerName = (): string => this.#dice.pick(isp.routers).name
    const link = this.#dice.pick(isp.links)
    const ends = [link.a, link.b].map((port) => isp.routers[isp.ports[port]!.router]!.name)
    const port = isp.ports[link.a]!.name
    const verbs: ReadonlyArray<readonly [string, readonly string[]]> = [
      ["cut", [...ends, port]],
      ["cut", [...ends, port]],
      ["mend", [...ends, port]],
      ["kill", [routerName()]],
      ["revive", [routerName()]],
      ["flap", [...ends, String(this.#dice.int(2, 40))]],
      ["steady", ends],
      ["congest", ends],
      ["isolate", [this.#dice.pick(isp.sites).id]],
      ["lose", [routerName(), String(this.#dice.int(20, 100))]],
      ["drop-pppoe", [routerName()]],
      [RESTORE, []],
    ]
    const [verb, args] = this.#dice.pick(verbs)
    try {
      this.#board.apply(verb, args)
      this.#trace.text(`${verb} ${args.join(" ")}`)
    } catch (error) {
      // Nothing to mend there, two links between the two, no BNG: another time.
      if (!(error instanceof FaultRefused)) throw error
    }
  }

  // -- calms

  async #calmOnce(): Promise<void> {
    this.#board.apply(RESTORE, [])
    this.#disk.mood = SOUND
    this.#database.away = false
    this.#wallOffsetMs = 0
    for (const { paths, info, viewers } of this.#tenancies) {
      paths.mood = CLEAN
      this.#database.moods.set(info.id, CALM)
      this.#database.thaw(info.id)
      for (const viewer of viewers) viewer.setSpeed(1_000)
    }
    await this.#released()
    // Stalled commits end, routers boot, routing converges, and everybody is polled.
    await this.#run(SLACK_MS + 2 * this.#pollSeconds * 1_000 + REST_MS)
    for (const tenancy of this.#tenancies) await tenancy.auditor.foldOn(false)
    await this.#quiet()
    this.#agree("")
    await this.#nothingHappens()
  }

  /** An engine that is down comes back, and what its supervisors set aside is given another chance. */
  async #released(): Promise<void> {
    const untilMs = this.#loop.nowMs + RELEASED_WITHIN_MS
    const isUp = (tenancy: Tenancy): boolean => tenancy.current()?.stats().quarantined.length === 0
    for (; !this.#tenancies.every(isUp); await this.#run(LOOK_MS))
      if (this.#loop.nowMs > untilMs) throw new Violation("life", "a tenant does not come back")
  }

  /** A moment without news, everything delivered: all pictures are compared. */
  async #quiet(): Promise<void> {
    const untilMs = this.#loop.nowMs + QUIET_WITHIN_MS
    const left = new Set(this.#tenancies)
    while (left.size > 0) {
      await this.#run(50)
      if (this.#loop.nowMs > untilMs) throw new Violation("life", `no quiet moment comes`)
      for (const tenancy of left) {
        if (!this.#isQuiet(tenancy)) continue
        await this.#compare(tenancy)
        left.delete(tenancy)
      }
    }
  }

  async #compare(tenancy: Tenancy): Promise<void> {
    const { auditor, viewers } = tenancy
    const runtime = this.#runtime(tenancy)
    await auditor.foldOn(true)
    auditor.compareLive(runtime)
    auditor.compareEvents()
    for (const viewer of viewers) auditor.compareViewer(viewer, runtime)
    this.#trace.text(`${tenancy.info.slug} quiet at ${runtime.seq()}`)
  }

  #isQuiet(tenancy: Tenancy): boolean {
    const runtime = tenancy.current()
    return (
      runtime !== null &&
      this.#loop.nowMs - tenancy.noticedMs >= QUIET_MS &&
      runtime.seq() === runtime.durableSeq() &&
      runtime.seq() === this.#database.tables(tenancy.info.id).lastSeq() &&
      tenancy.viewers.every(({ wire, state }) => wire !== null && wire.idle() && state.epoch !== 0)
    )
  }

  /** No fault, so no event: whatever the machine's clock is set to, and though the engine or a tenant may be killed. */
  async #nothingHappens(): Promise<void> {
    for (const { auditor } of this.#tenancies) await auditor.foldOn(true)
    const before = this.#tenancies.map(({ auditor }) => auditor.decided.length)
    const lot = this.#dice.next()
    if (lot < 0.4) this.#wallOffsetMs += this.#dice.pick([-1, 1]) * HOUR_MS
    else if (lot < 0.6) this.#kill()
    else if (lot < 0.8) this.#crashTenant(this.#dice.pick(this.#tenancies))
    await this.#run(2 * this.#pollSeconds * 1_000 + 25_000)
    for (const [i, { auditor }] of this.#tenancies.entries()) {
      await auditor.foldOn(true)
      const [first] = auditor.decided.slice(before[i])
      if (first !== undefined)
        throw new Violation(
          "false-alarm",
          `nothing happened, but ${first.id} ${first.type} ${first.subject} ${first.raw ?? ""}`,
        )
    }
    this.#countReboots()
    this.#agree(lot < 0.4 ? "after a step of the clock: " : lot < 0.8 ? "after a restart: " : "")
  }

  /** With what the lab knows. */
  #agree(when: string): void {
    for (const tenancy of this.#tenancies) {
      const { names, declared } = tenancy
      const wrong = disagreements(this.#network, this.#runtime(tenancy), names, declared)
      if (wrong !== null) throw new Violation(wrong.auditor, `${when}${tenancy.info.slug}: ${wrong.detail}`)
    }
  }

  /**
   * One restart is one event at most, whoever tells it and how often. An engine that was down while the machine's clock was
   * set cannot tell that from a long absence, in which a young router may have restarted: such starts are excused.
   */
  #countReboots(): void {
    for (const { auditor, names } of this.#tenancies) {
      const told = new Map<string, number>()
      for (const { type, subject } of auditor.decided)
        if (type === "device.rebooted") told.set(subject, 1 + (told.get(subject) ?? 0))
      for (const { index, name } of this.#network.isp.routers) {
        const most = this.#network.boots[index]! - 1 + this.#clockSetMeanwhile
        const times = told.get(names.device(index)) ?? 0
        if (times > most) throw new Violation("false-alarm", `${name} started ${most} times, the twin says ${times}`)
      }
    }
  }

  #runtime(tenancy: Tenancy): TenantRuntime {
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

const asViolation = (error: unknown): Violation =>
  error instanceof Violation
    ? error
    : new Violation("life", error instanceof Error ? `${error.message}\n${error.stack ?? ""}` : String(error))
