/**
 * One run: a seeded life of an ISP and of the engine that watches it. Storms (faults, losses, kills, stalls) take turns with
 * calms, in which everything must have healed in time and every auditor compares; then the next storm begins. The result
 * is a function of the options alone.
 */
import process from "node:process"
import { RESTORE, FaultBoard } from "#lab/faults/board.ts"
import { FaultRefused } from "#lab/faults/names.ts"
import { generate } from "#lab/isp/generate.ts"
import { Network } from "#lab/isp/network.ts"
import { dice } from "#lab/isp/random.ts"
import type { Dice } from "#lab/isp/random.ts"
import { Auditor, Violation } from "#lab/sim/auditor.ts"
import { deviceOf, inventoryOf } from "#lab/sim/devices.ts"
import { startEngine } from "#lab/sim/engine.ts"
import type { Engine } from "#lab/sim/engine.ts"
import { FOREVER, Loop } from "#lab/sim/loop.ts"
import { CLEAN, Paths } from "#lab/sim/network-paths.ts"
import type { PlantedBug } from "#lab/sim/planted-bug.ts"
import { CALM, Storage } from "#lab/sim/storage.ts"
import { Trace } from "#lab/sim/trace.ts"
import { disagreements } from "#lab/sim/truth.ts"
import { Viewer } from "#lab/sim/viewers.ts"
import { TOPOLOGIES_MAX } from "#engine/tenant/inbox.ts"
import type { DeviceInput } from "#twin/input.ts"
import { BEHAVIOURS } from "#twin/cells.ts"

export interface RunOptions {
  readonly seed: number
  readonly hours: number
  readonly routers: number
  readonly bug: PlantedBug | null
}

export interface RunResult {
  readonly seed: number
  readonly inputs: number
  readonly events: number
  readonly crashes: number
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
/** Inboxes as small as this are looked at with every input. */
const TIGHT_EVENTS = 64
/** A device that rests (its breaker is open) is asked at least once a minute. */
const REST_MS = 60_000
/** Boot of a router, convergence of routing, a last poll's tries. */
const SLACK_MS = 30_000
const QUIET_MS = 500
const QUIET_WITHIN_MS = 120_000

export const runSimulation = async (options: RunOptions): Promise<RunResult> => {
  const run = new Run(options)
  return run.all()
}

class Run {
  readonly #options: RunOptions
  readonly #loop: Loop
  readonly #network: Network
  readonly #board: FaultBoard
  readonly #storage: Storage
  readonly #paths: Paths
  readonly #auditor: Auditor
  readonly #trace = new Trace()
  readonly #dice: Dice
  readonly #viewers: Viewer[] = []
  readonly #pollSeconds: number
  readonly #eventsMax: number
  readonly #snapshotEveryMs: number
  readonly #endMs: number
  #engine: Engine | null = null
  #wallOffsetMs = 0
  /** When the engine of now started. */
  #startOffsetMs = 0
  /** Starts with another clock than the life before began with. */
  #clockSetMeanwhile = 0
  #crashes = 0
  #frames = 0
  #noticedMs = 0
  /** What went wrong outside the stack of whoever runs the loop. */
  #violation: Violation | null = null

  constructor(options: RunOptions) {
    const { seed, routers, bug } = options
    this.#options = options
    this.#dice = dice(seed, "plan")
    this.#loop = new Loop(seed, START_MS)
    this.#endMs = START_MS + Math.round(options.hours * HOUR_MS)
    this.#network = new Network(generate({ routers, seed: 1 + (seed % 97) }), START_MS)
    this.#board = new FaultBoard(this.#network)
    this.#storage = new Storage(this.#loop, seed)
    this.#paths = new Paths(this.#loop, this.#network, seed)
    this.#auditor = new Auditor(this.#storage, bug?.steps?.() ?? BEHAVIOURS)
    this.#pollSeconds = this.#dice.pick([15, 30, 30, 60])
    this.#eventsMax = this.#dice.pick([2, 16, 8_192])
    this.#snapshotEveryMs = this.#dice.int(45_000, 240_000)
    const hooks = {
      onGap: (detail: string) => this.#wrong(new Violation("viewers", detail)),
      onBytes: (viewer: number, bytes: Uint8Array) => {
        this.#frames++
        this.#trace.number(viewer)
        this.#trace.bytes(bytes)
      },
      ...(bug?.frame === undefined ? {} : { onFrame: bug.frame() }),
    }
    for (let index = 0; index < 3; index++)
      this.#viewers.push(new Viewer(this.#loop, index, (make) => this.#engine?.accept(make) ?? null, hooks))
  }

  async all(): Promise<RunResult> {
    let violation: Violation | null = null
    const onStray = (error: unknown): void => this.#wrong(asViolation(error))
    process.on("unhandledRejection", onStray)
    try {
      this.#moveNetwork()
      this.#start()
      this.#look()
      for (const viewer of this.#viewers) viewer.connect()
      await this.#run(REST_MS)
      while (this.#loop.nowMs < this.#endMs) {
        await this.#stormOnce()
        await this.#calmOnce()
      }
      await this.#auditor.foldOn(true)
      this.#auditor.refold()
    } catch (error) {
      violation = asViolation(error)
    } finally {
      process.off("unhandledRejection", onStray)
      this.#engine?.kill()
    }
    this.#trace.text(violation?.message ?? "")
    return {
      seed: this.#options.seed,
      inputs: this.#auditor.inputs,
      events: this.#auditor.decided.length,
      crashes: this.#crashes,
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
    try {
      const { runtime = () => null, wires = () => [] } = this.#engine ?? {}
      this.#auditor.look(runtime(), wires())
      const now = runtime()
      if (now !== null && this.#dice.chance(0.03))
        void this.#auditor.barrier(now).catch((error: unknown) => this.#wrong(asViolation(error)))
    } catch (error) {
      this.#wrong(asViolation(error))
    }
    this.#loop.after(LOOK_MS, FOREVER, () => this.#look())
  }

  #start(): void {
    const { seed, bug } = this.#options
    if (this.#wallOffsetMs !== this.#startOffsetMs) this.#clockSetMeanwhile++
    this.#startOffsetMs = this.#wallOffsetMs
    this.#engine = startEngine(
      {
        loop: this.#loop,
        seed,
        storage: this.#storage,
        paths: this.#paths,
        wallMs: () => this.#loop.nowMs + this.#wallOffsetMs,
        inventory: inventoryOf(this.#network.isp, this.#pollSeconds),
        rev: 1,
        eventsMax: this.#eventsMax,
        snapshotEveryMs: this.#snapshotEveryMs,
        bug,
        onOffered: (input, taken) => this.#offered(input, taken),
        onRound: () => {
          this.#noticedMs = this.#loop.nowMs
        },
        onNotice: (notice) => {
          if (notice.kind === "failed" || notice.kind === "actor-crashed" || notice.kind === "snapshot-unusable")
            this.#wrong(new Violation("life", `${notice.kind}: ${notice.detail}`))
        },
      },
      (runtime) => this.#trace.text(`up at ${runtime.seq()}`),
    )
  }

  #offered(input: DeviceInput, taken: boolean): void {
    this.#auditor.offered(input, taken)
    const runtime = this.#engine?.runtime() ?? null
    if (runtime === null || this.#eventsMax > TIGHT_EVENTS) return
    const { waiting } = runtime.stats().inbox
    const most = this.#eventsMax + 2 * this.#options.routers + TOPOLOGIES_MAX
    if (waiting > most) this.#wrong(new Violation("bounds", `${waiting} inputs wait in an inbox of ${most}`))
  }

  #kill(): void {
    const { bug } = this.#options
    this.#engine?.kill()
    this.#engine = null
    bug?.killed?.(this.#storage)
    this.#auditor.lifeEnded()
    this.#crashes++
    if (this.#wallOffsetMs !== this.#startOffsetMs) this.#clockSetMeanwhile++
    this.#trace.text(`killed, the journal ends at ${this.#storage.lastSeq()}`)
    this.#loop.after(this.#dice.int(200, 20_000), FOREVER, () => this.#start())
  }

  // -- storms

  async #stormOnce(): Promise<void> {
    const untilMs = this.#loop.nowMs + this.#dice.int(120_000, 420_000)
    this.#paths.mood = {
      loss: this.#dice.pick([0, 0.02, 0.1, 0.3]),
      doubled: this.#dice.pick([0, 0.1, 0.5]),
      delayMsMax: this.#dice.pick([20, 200, 2_500]),
    }
    this.#storage.mood = {
      stall: this.#dice.pick([0, 0.02, 0.2]),
      stallMsMax: this.#dice.pick([500, 5_000, 30_000]),
      lostAnswer: this.#dice.pick([0, 0.02, 0.2]),
      snapshotRefused: this.#dice.pick([0, 0.3]),
    }
    while (this.#loop.nowMs < untilMs) {
      this.#disturb()
      await this.#run(this.#dice.int(500, 20_000))
    }
  }

  #disturb(): void {
    const lot = this.#dice.next()
    if (lot < 0.62) return this.#breakSomething()
    if (lot < 0.72 && this.#engine !== null) return this.#kill()
    if (lot < 0.78) {
      this.#storage.away = !this.#storage.away
      return
    }
    if (lot < 0.82) {
      this.#wallOffsetMs += this.#dice.pick([-1, 1]) * this.#dice.int(2_000, HOUR_MS)
      return
    }
    const viewer = this.#dice.pick(this.#viewers)
    if (lot < 0.88) viewer.stall()
    else if (lot < 0.94) viewer.setSpeed(this.#dice.pick([1, 20, 1_000]))
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
    this.#paths.mood = CLEAN
    this.#storage.mood = CALM
    this.#storage.away = false
    this.#wallOffsetMs = 0
    for (const viewer of this.#viewers) viewer.setSpeed(1_000)
    // An engine that is down comes back, stalled commits end, routers boot, routing converges.
    await this.#run(SLACK_MS + 30_000)
    await this.#run(2 * this.#pollSeconds * 1_000 + REST_MS)
    await this.#auditor.foldOn(false)
    await this.#quiet()
    const wrong = disagreements(this.#network, this.#runtime())
    if (wrong !== null) throw new Violation(wrong.auditor, wrong.detail)
    await this.#nothingHappens()
  }

  /** A moment without news, everything delivered: all pictures are compared. */
  async #quiet(): Promise<void> {
    const untilMs = this.#loop.nowMs + QUIET_WITHIN_MS
    for (;;) {
      await this.#run(50)
      const runtime = this.#engine?.runtime() ?? null
      if (runtime !== null && this.#isQuiet(runtime.seq(), runtime.durableSeq())) break
      if (this.#loop.nowMs > untilMs) throw new Violation("life", "no quiet moment comes")
    }
    const runtime = this.#runtime()
    await this.#auditor.foldOn(true)
    this.#auditor.compareLive(runtime)
    this.#auditor.compareEvents()
    for (const viewer of this.#viewers) this.#auditor.compareViewer(viewer, runtime)
    this.#trace.text(`quiet at ${runtime.seq()}`)
  }

  #isQuiet(seq: number, durableSeq: number): boolean {
    return (
      this.#loop.nowMs - this.#noticedMs >= QUIET_MS &&
      seq === durableSeq &&
      this.#viewers.every(({ wire, state }) => wire !== null && wire.idle() && state.epoch !== 0)
    )
  }

  /** No fault, so no event: whatever the machine's clock is set to, and though the engine may be killed. */
  async #nothingHappens(): Promise<void> {
    await this.#auditor.foldOn(true)
    const before = this.#auditor.decided.length
    const lot = this.#dice.next()
    if (lot < 0.5) this.#wallOffsetMs += this.#dice.pick([-1, 1]) * HOUR_MS
    else if (lot < 0.7) this.#kill()
    await this.#run(3 * this.#pollSeconds * 1_000 + 25_000)
    await this.#auditor.foldOn(true)
    const news = this.#auditor.decided.slice(before)
    this.#countReboots()
    const first = news[0]
    if (first !== undefined)
      throw new Violation(
        "false-alarm",
        `nothing happened, but ${first.id} ${first.type} ${first.subject} ${first.raw ?? ""}`,
      )
    const wrong = disagreements(this.#network, this.#runtime())
    if (wrong !== null)
      throw new Violation(
        wrong.auditor,
        `after ${lot < 0.5 ? "a step of the clock" : lot < 0.7 ? "a restart" : "nothing"}: ${wrong.detail}`,
      )
  }

  /**
   * One restart is one event at most, whoever tells it and how often. An engine that was down while the machine's clock was
   * set cannot tell that from a long absence, in which a young router may have restarted: such starts are excused.
   */
  #countReboots(): void {
    for (const { index, name } of this.#network.isp.routers) {
      const told = this.#auditor.decided.filter(
        ({ type, subject }) => type === "device.rebooted" && subject === deviceOf(index),
      ).length
      const most = this.#network.boots[index]! - 1 + this.#clockSetMeanwhile
      if (told > most) throw new Violation("false-alarm", `${name} started ${most} times, the twin says ${told}`)
    }
  }

  #runtime() {
    const runtime = this.#engine?.runtime() ?? null
    if (runtime === null) throw new Violation("life", "the engine did not come back")
    return runtime
  }
}

const asViolation = (error: unknown): Violation =>
  error instanceof Violation
    ? error
    : new Violation("life", error instanceof Error ? `${error.message}\n${error.stack ?? ""}` : String(error))
