/**
 * One life of the engine's process, from its start to its kill, on the simulation's loop: the real registry with its
 * supervisor, and for each tenant the real journal, spool and snapshots over the model of the database, the real runtime,
 * standing twin, hub, sessions, fleet, follower of the inventory and writer of events. A kill is a kill -9: nothing of this
 * life ever runs again.
 */
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import type { WebSocket } from "ws"
import type { Principal } from "#engine/access/principal.ts"
import { makeProcessClock } from "#engine/actors/clock.ts"
import type { ActorClock } from "#engine/actors/clock.ts"
import { makeFleetStats } from "#engine/collectors/fleet-stats.ts"
import { FLEET_DEFAULTS, runFleet } from "#engine/collectors/fleet.ts"
import type { FleetControl } from "#engine/collectors/fleet.ts"
import type { Target } from "#engine/collectors/target.ts"
import { answerProbes } from "#engine/incidents/probing.ts"
import { silentLog } from "#engine/log.ts"
import { makeMetrics } from "#engine/metrics/registry.ts"
import { appendEvents } from "#engine/storage/events.ts"
import { openHistory } from "#engine/storage/history.ts"
import type { History, HistoryTurns } from "#engine/storage/history.ts"
import { openJournal } from "#engine/storage/journal.ts"
import { openSnapshots } from "#engine/storage/snapshots.ts"
import { makeHub } from "#engine/stream/hub.ts"
import type { Hub } from "#engine/stream/hub.ts"
import { openSession } from "#engine/stream/session.ts"
import type { StreamSession } from "#engine/stream/session.ts"
import { makeStreamStats } from "#engine/stream/stats.ts"
import { writeEvents } from "#engine/tenant/event-writer.ts"
import { makeFollower } from "#engine/tenant/inventory-follower.ts"
import * as codec from "#engine/tenant/journal-codec.ts"
import type { LiveTwin } from "#engine/tenant/live-twin.ts"
import type { JournalPort } from "#engine/tenant/ports.ts"
import { makeTenants } from "#engine/tenant/registry.ts"
import type { LoadTenant, Tenants } from "#engine/tenant/registry.ts"
import type { TenantNotice, TenantRuntime } from "#engine/tenant/runtime.ts"
import { dice } from "#lab/isp/random.ts"
import type { Dice } from "#lab/isp/random.ts"
import type { Database } from "#lab/sim/database.ts"
import type { Stored } from "#lab/sim/declared.ts"
import type { SimDisk } from "#lab/sim/disk.ts"
import { simulated } from "#lab/sim/effects.ts"
import type { Life, Loop } from "#lab/sim/loop.ts"
import { hearing } from "#lab/sim/network-paths.ts"
import type { Place, PlantedBug } from "#lab/sim/planted-bug.ts"
import type { Tenancy } from "#lab/sim/tenancy.ts"
import { SIM_LIMITS } from "#lab/sim/viewers.ts"
import type { Wire } from "#lab/sim/viewers.ts"
import type { BEHAVIOURS } from "#twin/cells.ts"
import type { DeviceInput } from "#twin/input.ts"

const EPOCHS_PER_LIFE = 2 ** 20
/** A tenant whose first start failed is tried again after this. */
const REOPEN_MS = 1_000
const DATA_DIR = "/data"

export interface EngineParts {
  readonly loop: Loop
  readonly seed: number
  /** Number of this life. */
  readonly life: number
  readonly database: Database
  readonly disk: SimDisk
  readonly tenancies: readonly Tenancy[]
  /** The machine's clock, whatever somebody sets it to. */
  readonly wallMs: () => number
  readonly bug: PlantedBug | null
  /** The twin's steps, with the defect that a poisoned line meets. */
  readonly steps: (live: boolean) => typeof BEHAVIOURS
  readonly onNotice: (tenancy: Tenancy, notice: TenantNotice) => void
  /** A new runtime of a tenant is there. */
  readonly onUp: (tenancy: Tenancy, runtime: TenantRuntime) => void
}

export interface Engine {
  readonly life: Life
  /** Null while it is being built, or rebuilt. */
  readonly runtime: (tenancy: Tenancy) => TenantRuntime | null
  /** A browser of this tenant connects. */
  readonly accept: (tenancy: Tenancy, make: (server: Life) => Wire) => Accepted | null
  readonly wires: (tenancy: Tenancy) => readonly Wire[]
  /** Its inventory was changed in the database. */
  readonly inventoryChanged: (tenancy: Tenancy) => void
  /** A defect ends a tenant's runtime; its supervisor starts it anew. */
  readonly crash: (tenancy: Tenancy) => void
  readonly kill: () => void
}

interface Accepted {
  readonly wire: Wire
  readonly socket: WebSocket
}

/** What stands around one tenant's twin for the whole of this life. */
interface Outside {
  readonly hub: Hub
  readonly changed: (stored: Stored) => void
}

interface Process {
  readonly parts: EngineParts
  readonly life: Life
  readonly clock: ActorClock
  readonly lots: Dice
  readonly run: <A, E>(effect: Effect.Effect<A, E>) => Promise<A>
}

/** Begins a life; each tenant is ready when its runtime has recovered. */
export const startEngine = (parts: EngineParts): Engine => {
  const { loop, bug, wallMs } = parts
  const life: Life = { alive: true }
  const turns = loop.turnsOf(life)
  const clock = makeProcessClock({ wallMs, turns, sleptMs: () => 0 })
  const lots = dice(parts.seed + 31 * parts.life, "engine")
  const inTime = simulated(loop, life, wallMs)
  const process: Process = {
    parts,
    life,
    clock,
    lots,
    run: (effect) => Effect.runPromise(inTime(effect)),
  }
  const outsides = new Map<Tenancy, Outside>()
  const wires = new Map<Tenancy, Set<Wire>>(parts.tenancies.map((tenancy) => [tenancy, new Set()]))
  let tenants: Tenants | null = null

  const main = Effect.gen(function* () {
    const world = { clock, dice: lots.next, soon: turns.soon, monoMs: turns.monoMs }
    const registry = yield* makeTenants({ world })
    tenants = registry
    for (const tenancy of parts.tenancies) yield* Effect.forkChild(tenant(registry, tenancy))
    return yield* Effect.never
  }).pipe(Effect.scoped)

  const tenant = (registry: Tenants, tenancy: Tenancy): Effect.Effect<void> =>
    registry.open(tenancy.info.id, load(process, tenancy)).pipe(
      Effect.flatMap((twin) =>
        Effect.scoped(
          Effect.gen(function* () {
            outsides.set(tenancy, yield* outside(process, tenancy, registry, twin))
            return yield* Effect.never
          }),
        ),
      ),
      Effect.catch(() =>
        Effect.andThen(
          Effect.sleep(REOPEN_MS),
          Effect.suspend(() => tenant(registry, tenancy)),
        ),
      ),
    )

  void process.run(main)
  return {
    life,
    runtime: (tenancy) => tenants?.runtime(tenancy.info.id) ?? null,
    accept: (tenancy, make) => {
      const shown = parts.tenancies[bug?.hubOf?.(tenancy.index, lots.next()) ?? tenancy.index]
      const hub = shown === undefined ? undefined : outsides.get(shown)?.hub
      if (hub === undefined || !life.alive) return null
      return accept(process, tenancy, hub, make(life), wires.get(tenancy) as Set<Wire>)
    },
    wires: (tenancy) => [...(wires.get(tenancy) ?? [])],
    inventoryChanged: (tenancy) => outsides.get(tenancy)?.changed(tenancy.declared.stored()),
    crash: (tenancy) => void tenants?.kill(tenancy.info.id, "killed by the simulation"),
    kill: () => {
      life.alive = false
      parts.database.killed(life)
      for (const tenancy of parts.tenancies) tenancy.paths.ear = null
      for (const of of wires.values()) for (const wire of of) wire.cut()
    },
  }
}

/** As engine/tenant-services.ts: storage is opened anew for every life of the runtime. */
const load = ({ parts, life, lots }: Process, tenancy: Tenancy): LoadTenant =>
  Effect.gen(function* () {
    const { loop, database, disk, bug } = parts
    const { id } = tenancy.info
    const place: Place = { database, loop, life, tenancy, starts: ++tenancy.starts }
    const shape = database.shapeFor(life)
    const db = bug?.db?.(shape, place) ?? shape
    const journal = yield* openJournal({
      db,
      tenant: id,
      dataDir: DATA_DIR,
      codec,
      holder: "simulation",
      log: () => undefined,
      disk: disk.for(life),
      run: (effect, options) => Effect.runPromise(simulated(loop, life, parts.wallMs)(effect), options),
      limits: { spoolBytes: tenancy.spoolBytes, compressMin: tenancy.compressMin },
    })
    const history = yield* openHistory({
      db,
      tenant: id,
      journal,
      log: () => undefined,
      // Windows as short as a run.
      limits: { windowMs: tenancy.windowMs, windowPolls: 6 },
      turns: historyTurns(loop, life, parts.wallMs),
    })
    tenancy.history = history
    const snapshots = openSnapshots(db, id, journal.lease)
    const { rev, inventory } = tenancy.declared.stored()
    const turns = loop.turnsOf(life)
    // Of its own, as in the engine: what one tenant's journal knows of the time is nothing to another.
    const clock = makeProcessClock({ wallMs: parts.wallMs, turns, sleptMs: () => 0 })
    return {
      tenant: tenancy.info,
      rev,
      inventory,
      epochBase: journal.lease.epoch * EPOCHS_PER_LIFE,
      journal: remembering(bug?.journal?.(journal, place) ?? journal, bug?.history?.(history, place) ?? history),
      snapshots: bug?.snapshots?.(snapshots, place) ?? snapshots,
      clock: bug?.clock?.(clock, parts.wallMs) ?? clock,
      turns,
      eventsMax: () => bug?.eventsMax ?? tenancy.eventsMax,
      snapshotEveryMs: tenancy.snapshotEveryMs,
      dice: lots.next,
      onNotice: (notice) => parts.onNotice(tenancy, notice),
      steps: parts.steps(true),
    }
  })

/** As engine/tenant-services.ts: durable polls go on into the history. */
const remembering = (journal: JournalPort, history: History): JournalPort => ({
  ...journal,
  append: async (batch) => {
    await journal.append(batch)
    for (const { seq, input } of batch) if (input.kind === "poll") history.append(seq, input)
  },
  readFrom: (seq) => journal.readFrom(seq),
  lastSeq: () => journal.lastSeq(),
})

const historyTurns = (loop: Loop, life: Life, wallMs: () => number): HistoryTurns => ({
  breathe: () => new Promise((resolve) => loop.turnsOf(life).soon(resolve)),
  pause: (ms, signal) =>
    new Promise((resolve) => {
      const cancel = loop.after(ms, life, resolve)
      signal.addEventListener("abort", () => {
        cancel()
        resolve()
      })
    }),
  run: (effect) => Effect.runPromise(simulated(loop, life, wallMs)(effect)),
})

const outside = (
  process: Process,
  tenancy: Tenancy,
  registry: Tenants,
  twin: LiveTwin,
): Effect.Effect<Outside, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { parts, life, clock, lots, run } = process
    const { loop, database, bug, wallMs } = parts
    const current = (): TenantRuntime | null => registry.runtime(tenancy.info.id)
    const up = (): void => {
      const runtime = current()
      if (runtime !== null && tenancy.runtime !== runtime) {
        tenancy.runtime = runtime
        parts.onUp(tenancy, runtime)
      }
    }
    up()
    twin.onRound(() => {
      up()
      tenancy.noticedMs = loop.nowMs
    })
    const turns = loop.turnsOf(life)
    const hub = makeHub(bug?.stream?.(twin) ?? twin, {
      limits: SIM_LIMITS,
      stats: makeStreamStats(makeMetrics()),
      log: silentLog,
      nowMs: clock.nowMs,
      monotonicMs: turns.monoMs,
      later: turns.later,
    })
    const handIn = bug?.submit?.((input) => twin.submit(input)) ?? ((input: DeviceInput) => twin.submit(input))
    const submit = (input: DeviceInput): boolean => {
      const taken = handIn(input)
      tenancy.offered(input, taken)
      return taken
    }
    const answered: LiveTwin["submit"] = (input) => {
      const taken = twin.submit(input)
      if (input.kind === "probed") tenancy.offered(input, taken)
      return taken
    }
    const db = database.shapeFor(life)
    const append: NonNullable<PlantedBug["appendEvents"]> = bug?.appendEvents ?? ((events, write) => write(events))
    yield* writeEvents({
      twin: bug?.eventTwin?.(twin) ?? twin,
      recoveredEvents: () => bug?.recoveredEvents?.(current()) ?? current()?.recoveredEvents() ?? [],
      append: (events) =>
        Effect.tryPromise({
          try: () =>
            append(
              events,
              (some) => run(appendEvents(db, tenancy.info.id, some)),
              (some) => run(appendEvents(db, parts.tenancies[0]!.info.id, some)),
            ),
          catch: (cause) => cause as Error,
        }),
      onGivenUp: (events) => tenancy.wrong(`${events} events were given up`),
    })
    const fleet = yield* runFleet({
      targets: targetsOf(tenancy.declared.stored()),
      collectors: (["snmp", "routeros"] as const).map((source) => {
        const collector = tenancy.paths.collector(source, life, wallMs)
        return bug?.collector?.(collector, { loop, life }) ?? collector
      }),
      sink: { submit },
      settings: FLEET_DEFAULTS,
      stats: makeFleetStats(),
    })
    // Nothing here is pinged: what the twin asks is read by the fleet, or refused.
    yield* answerProbes({
      twin: { ...twin, submit: answered },
      entryOf: (device) => {
        const target = targetsOf(tenancy.declared.stored()).find((one) => one.device === device)
        if (target === undefined) return null
        const { pollNow, readNow } = fleet
        return {
          tenant: tenancy.info.id,
          target,
          sink: { submit },
          pollNow: () => pollNow(device),
          readNow: () => readNow(device),
        }
      },
      quotas: { take: () => true },
      ping: () => Promise.resolve(null),
      nowMs: wallMs,
    })
    tenancy.paths.ear = hearing({ loop, life, wallMs, submit, pollNow: fleet.pollNow, dice: lots })
    const followed = yield* makeFollower(follow(twin, fleet, bug))
    // A revision stored while the twin started.
    const changed = (stored: Stored): void => void run(Effect.ignore(followed(stored)))
    changed(tenancy.declared.stored())
    return { hub, changed }
  })

const follow =
  (twin: LiveTwin, fleet: FleetControl, bug: PlantedBug | null) =>
  (stored: Stored): Effect.Effect<void, Error> =>
    Effect.andThen(
      Effect.tryPromise({
        try: () => twin.setInventory(stored.rev, stored.inventory),
        catch: (cause) => cause as Error,
      }),
      bug?.fleetStays === true ? Effect.void : fleet.setTargets(targetsOf(stored)),
    )

const targetsOf = ({ inventory }: Stored): readonly Target[] =>
  inventory.devices.map(({ id, name, address, pollSeconds }) => ({
    device: id,
    name,
    address,
    pollSeconds,
    snmp: null,
    routeros: null,
  }))

const accept = (process: Process, tenancy: Tenancy, hub: Hub, wire: Wire, wires: Set<Wire>): Accepted => {
  const { parts, life, clock } = process
  const { loop, bug } = parts
  const turns = loop.turnsOf(life)
  wires.add(wire)
  const socket = (bug?.deafSockets === true ? deaf(wire) : wire) as unknown as WebSocket
  const session: StreamSession = openSession(socket, {
    hub,
    who: viewerOf(tenancy),
    limits: SIM_LIMITS,
    stats: makeStreamStats(makeMetrics()),
    nowMs: clock.nowMs,
    monotonicMs: turns.monoMs,
    later: turns.later,
    closed: () => wires.delete(wire),
  })
  const sweep = (): void => {
    if (!wires.has(wire)) return
    session.sweep()
    loop.after(SIM_LIMITS.sweepMs, life, sweep)
  }
  loop.after(SIM_LIMITS.sweepMs, life, sweep)
  return { wire, socket }
}

const viewerOf = ({ info }: Tenancy): Principal => ({
  userId: "viewer",
  userName: "viewer",
  tenant: info.id,
  roles: ["noc_viewer"],
  permissions: new Set(),
  sites: null,
  credential: { kind: "session", id: "viewer", expiresAtMs: Number.MAX_SAFE_INTEGER },
  secondFactor: "ok",
  grant: null,
})

/** A socket that says that nothing waits in it. */
const deaf = (wire: Wire): Wire =>
  new Proxy(wire, {
    get: (target, name) => {
      if (name === "bufferedAmount") return 0
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === "function" ? (value.bind(target) as unknown) : value
    },
  })
