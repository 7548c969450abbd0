/**
 * One tenant of a simulation: what its operator declares, the paths to its devices, its viewers and its auditor. It outlives
 * the engine's lives, and what it wants from the engine goes to the life of the moment.
 */
import type { Network } from "#lab/isp/network.ts"
import { dice as diceOf } from "#lab/isp/random.ts"
import type { Dice } from "#lab/isp/random.ts"
import { Alerts } from "#lab/sim/alerts.ts"
import { Auditor } from "#lab/sim/auditor.ts"
import type { Database } from "#lab/sim/database.ts"
import { Declared } from "#lab/sim/declared.ts"
import { namesOf } from "#lab/sim/devices.ts"
import type { Names } from "#lab/sim/devices.ts"
import type { Engine } from "#lab/sim/engine.ts"
import type { Loop } from "#lab/sim/loop.ts"
import { Paths } from "#lab/sim/network-paths.ts"
import { People } from "#lab/sim/people.ts"
import type { PlantedBug } from "#lab/sim/planted-bug.ts"
import { Viewer } from "#lab/sim/viewers.ts"
import type { ViewerHooks } from "#lab/sim/viewers.ts"
import { Violation } from "#lab/sim/violation.ts"
import type { History } from "#engine/storage/history.ts"
import type { TenantInfo } from "#engine/tenant/live-twin.ts"
import type { TenantRuntime } from "#engine/tenant/runtime.ts"
import { TOPOLOGIES_MAX } from "#engine/tenant/inbox.ts"
import { tenantId } from "#protocol/id.ts"
import type { BEHAVIOURS } from "#twin/cells.ts"
import type { DeviceInput, ProbedInput } from "#twin/input.ts"

/** Inboxes as small as this are looked at with every input. */
const TIGHT_EVENTS = 64
/** Small spools become full. */
const SPOOL_BYTES = [20_000, 1 << 30]
const AMPLE_BYTES = 1 << 20

export interface TenancyParts {
  readonly index: number
  readonly loop: Loop
  readonly seed: number
  readonly network: Network
  readonly database: Database
  readonly dice: Dice
  /** Of the network's routers. */
  readonly routers: readonly number[]
  readonly viewers: number
  readonly pollSeconds: number
  readonly steps: typeof BEHAVIOURS
  readonly judgement: PlantedBug["judgement"]
  readonly engine: () => Engine | null
  /** The spool cannot be written as it should. */
  readonly isDiskBad: () => boolean
  readonly hooks: (tenancy: Tenancy) => ViewerHooks
  readonly onWrong: (violation: Violation) => void
}

export class Tenancy {
  readonly index: number
  readonly info: TenantInfo
  readonly names: Names
  readonly declared: Declared
  readonly paths: Paths
  readonly auditor: Auditor
  readonly people: People
  readonly viewers: readonly Viewer[]
  readonly eventsMax: number
  readonly snapshotEveryMs: number
  readonly spoolBytes: number
  /** Compressing is a sixth of a run's time and always the same code: few seeds do it. */
  readonly compressMin: number
  /** Starts of its runtime so far. */
  starts = 0
  /** Of the newest life of its runtime. */
  history: History | null = null
  /** Longest window of samples in memory. */
  readonly windowMs: number
  /** The newest one, which may be dead by now. */
  runtime: TenantRuntime | null = null
  /** When its viewers were last told something. */
  noticedMs = 0
  readonly #parts: TenancyParts

  constructor(parts: TenancyParts) {
    const { index, loop, network, dice } = parts
    this.#parts = parts
    this.index = index
    this.info = {
      id: tenantId(`00000000-0000-4000-8000-00000000000${index + 1}`),
      slug: `sim-${index}`,
      name: `Simulated ISP ${index}`,
      demo: true,
    }
    this.names = namesOf(index)
    this.declared = new Declared(network.isp, this.names, parts.pollSeconds, parts.routers)
    this.paths = new Paths(loop, network, this.names, (router) => this.declared.routers.has(router), parts.seed)
    this.auditor = new Auditor(parts.database.tables(this.info.id), this.names.prefix, parts.steps)
    this.people = new People({
      loop,
      dice: diceOf(parts.seed, `people ${index}`),
      acts: this.auditor.acts,
      devices: () => [...this.declared.routers].map((router) => this.names.device(router)),
      current: () => this.current(),
      judgement: parts.judgement,
    })
    this.auditor.alerts = new Alerts(this.people.busyPct)
    this.eventsMax = dice.pick([2, 16, 8_192])
    this.snapshotEveryMs = dice.int(20_000, 200_000)
    this.windowMs = dice.pick([60_000, 150_000, 900_000])
    this.spoolBytes = dice.pick(SPOOL_BYTES)
    this.compressMin = dice.pick([512, 1e9, 1e9, 1e9, 1e9, 1e9, 1e9, 1e9])
    const hooks = parts.hooks(this)
    this.viewers = Array.from(
      { length: parts.viewers },
      (_, viewer) => new Viewer(loop, viewer, (make) => parts.engine()?.accept(this, make) ?? null, hooks),
    )
  }

  /** The runtime of the moment. */
  current(): TenantRuntime | null {
    return this.#parts.engine()?.runtime(this) ?? null
  }

  wrong(detail: string): void {
    this.#parts.onWrong(new Violation("life", `${this.info.slug}: ${detail}`))
  }

  offered(input: DeviceInput | ProbedInput, taken: boolean): void {
    this.auditor.offered(input, taken)
    if (this.eventsMax > TIGHT_EVENTS) return
    const waiting = this.current()?.stats().inbox.waiting ?? 0
    const most = this.eventsMax + 2 * this.#parts.network.isp.routers.length + TOPOLOGIES_MAX
    if (waiting > most) this.#parts.onWrong(new Violation("bounds", `${waiting} inputs wait in an inbox of ${most}`))
  }

  /** Once a virtual second. */
  look(): void {
    const runtime = this.current()
    const patient = this.spoolBytes < AMPLE_BYTES || this.#parts.isDiskBad()
    this.auditor.look(runtime, this.#parts.engine()?.wires(this) ?? [], this.#parts.loop.nowMs, patient)
    if (runtime !== null && this.#parts.dice.chance(0.03))
      void this.auditor
        .barrier(runtime)
        .catch((error: unknown) =>
          this.#parts.onWrong(error instanceof Violation ? error : new Violation("life", String(error))),
        )
  }
}
