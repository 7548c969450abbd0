/**
 * One life of the engine, from its start to its kill: the tenant's real runtime, standing twin, hub, sessions, fleet and
 * writer of events, all on the simulation's loop. A kill is a kill -9: nothing of this life ever runs again, and what the
 * storage model had not made durable is gone.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type { WebSocket } from "ws"
import type { Principal } from "#engine/access/principal.ts"
import { makeProcessClock } from "#engine/actors/clock.ts"
import { makeFleetStats } from "#engine/collectors/fleet-stats.ts"
import { FLEET_DEFAULTS, runFleet } from "#engine/collectors/fleet.ts"
import { silentLog } from "#engine/log.ts"
import { makeMetrics } from "#engine/metrics/registry.ts"
import { makeHub } from "#engine/stream/hub.ts"
import type { Hub } from "#engine/stream/hub.ts"
import { openSession } from "#engine/stream/session.ts"
import type { StreamSession } from "#engine/stream/session.ts"
import { makeStreamStats } from "#engine/stream/stats.ts"
import { writeEvents } from "#engine/tenant/event-writer.ts"
import type { RoundNotice, TenantInfo } from "#engine/tenant/live-twin.ts"
import { makeTenantRuntime } from "#engine/tenant/runtime.ts"
import type { TenantNotice, TenantRuntime } from "#engine/tenant/runtime.ts"
import { makeStandingTwin } from "#engine/tenant/standing-twin.ts"
import type { StandingTwin } from "#engine/tenant/standing-twin.ts"
import { dice } from "#lab/isp/random.ts"
import type { PlantedBug } from "#lab/sim/planted-bug.ts"
import { simulated } from "#lab/sim/effects.ts"
import type { Life, Loop } from "#lab/sim/loop.ts"
import { hearing } from "#lab/sim/network-paths.ts"
import type { Paths } from "#lab/sim/network-paths.ts"
import type { Storage } from "#lab/sim/storage.ts"
import { SIM_LIMITS } from "#lab/sim/viewers.ts"
import type { Wire } from "#lab/sim/viewers.ts"
import { tenantId } from "#protocol/id.ts"
import type { EventView } from "#protocol/view.ts"
import type { Inventory } from "#protocol/inventory.ts"
import { BEHAVIOURS } from "#twin/cells.ts"
import type { DeviceInput } from "#twin/input.ts"

export const TENANT: TenantInfo = {
  id: tenantId("00000000-0000-4000-8000-000000000001"),
  slug: "sim",
  name: "Simulated ISP",
  demo: true,
}
const EPOCHS_PER_LIFE = 2 ** 20
/** A runtime that failed is built anew after this. */
const REBUILD_MS = 500
const VIEWER: Principal = {
  userId: "viewer",
  userName: "viewer",
  tenant: TENANT.id,
  roles: ["noc_viewer"],
  permissions: new Set(),
  sites: null,
  credential: { kind: "session", id: "viewer", expiresAtMs: Number.MAX_SAFE_INTEGER },
  secondFactor: "ok",
  grant: null,
}

export interface EngineParts {
  readonly loop: Loop
  readonly seed: number
  readonly storage: Storage
  readonly paths: Paths
  /** The machine's clock, whatever somebody sets it to. */
  readonly wallMs: () => number
  readonly inventory: Inventory
  readonly rev: number
  /** Small ones make the inbox push back. */
  readonly eventsMax: number
  readonly snapshotEveryMs: number
  readonly bug: PlantedBug | null
  readonly onOffered: (input: DeviceInput, taken: boolean) => void
  readonly onRound: (notice: RoundNotice) => void
  readonly onNotice: (notice: TenantNotice) => void
}

export interface Engine {
  readonly life: Life
  /** Null while it is being built, or rebuilt. */
  readonly runtime: () => TenantRuntime | null
  readonly accept: (make: (server: Life) => Wire) => { readonly wire: Wire; readonly socket: WebSocket } | null
  readonly wires: () => readonly Wire[]
  /** Events that wait for room in the inbox. */
  readonly waiting: () => number
  readonly kill: () => void
}

/** Begins a life; it is ready when its runtime has recovered. `onReady` is told of every runtime of this life. */
export const startEngine = (parts: EngineParts, onReady: (runtime: TenantRuntime) => void): Engine => {
  const { loop, storage, paths, bug } = parts
  const life: Life = { alive: true }
  const turns = loop.turnsOf(life)
  const wallMs = parts.wallMs
  const clock = makeProcessClock({ wallMs, turns, sleptMs: () => 0 })
  const lots = dice(parts.seed + storage.lease, "engine")
  const run = <A, E>(effect: Effect.Effect<A, E>): void => void Effect.runFork(simulated(loop, life, wallMs)(effect))
  const wires = new Set<Wire>()
  let standing: StandingTwin | null = null
  let hub: Hub | null = null
  let waiting = (): number => 0

  const build = Effect.suspend(() => {
    const scope = Scope.makeUnsafe()
    const journal = storage.journalFor(life)
    const snapshots = storage.snapshotsFor(life)
    const failed = (): void => {
      standing?.detach()
      void loop.after(REBUILD_MS, life, () => run(Scope.close(scope, Exit.void).pipe(Effect.andThen(build))))
    }
    return makeTenantRuntime({
      tenant: TENANT,
      rev: parts.rev,
      inventory: parts.inventory,
      epochBase: storage.lease * EPOCHS_PER_LIFE,
      journal: bug?.journal?.(journal, { storage, loop, life }) ?? journal,
      snapshots: bug?.snapshots?.(snapshots, { storage, loop, life }) ?? snapshots,
      clock: bug?.clock?.(clock, wallMs) ?? clock,
      turns,
      eventsMax: () => bug?.eventsMax ?? parts.eventsMax,
      snapshotEveryMs: parts.snapshotEveryMs,
      dice: lots.next,
      onNotice: parts.onNotice,
      onFailed: failed,
      steps: (bug?.liveSteps ?? bug?.steps)?.() ?? BEHAVIOURS,
    }).pipe(
      Scope.provide(scope),
      Effect.tap((runtime) => Effect.sync(() => ready(bug?.runtime?.(runtime) ?? runtime))),
    )
  })

  const ready = (runtime: TenantRuntime): void => {
    if (standing !== null) {
      standing.attach(runtime)
      return onReady(runtime)
    }
    standing = makeStandingTwin(runtime, (detail) => {
      throw new Error(`a listener threw: ${detail}`)
    })
    onReady(runtime)
    outside(standing)
  }

  /** All that stands around the twin for the whole of this life. */
  const outside = ({ twin, current }: StandingTwin): void => {
    twin.onRound(parts.onRound)
    const stats = makeStreamStats(makeMetrics())
    const seen = bug?.stream?.(twin) ?? twin
    hub = makeHub(seen, {
      limits: SIM_LIMITS,
      stats,
      log: silentLog,
      nowMs: clock.nowMs,
      monotonicMs: turns.monoMs,
      later: turns.later,
    })
    const handIn = bug?.submit?.((input) => twin.submit(input)) ?? ((input: DeviceInput) => twin.submit(input))
    const submit = (input: DeviceInput): boolean => {
      const taken = handIn(input)
      parts.onOffered(input, taken)
      return taken
    }
    run(
      Effect.gen(function* () {
        yield* writeEvents({
          twin: bug?.eventTwin?.(twin) ?? twin,
          recoveredEvents: () => bug?.recoveredEvents?.(current()) ?? current()?.recoveredEvents() ?? [],
          append: (events) => Effect.tryPromise({ try: () => appendEvents(events), catch: (cause) => cause as Error }),
          onGivenUp: (events) => {
            throw new Error(`${events} events were given up`)
          },
        })
        const fleet = yield* runFleet({
          targets: twin.inventory().devices.map(({ id, name, address, pollSeconds }) => ({
            device: id,
            name,
            address,
            pollSeconds,
            snmp: null,
            routeros: null,
          })),
          collectors: (["snmp", "routeros"] as const).map((source) => {
            const collector = paths.collector(source, life, wallMs)
            return bug?.collector?.(collector, { loop, life }) ?? collector
          }),
          sink: { submit },
          settings: FLEET_DEFAULTS,
          stats: makeFleetStats(),
        })
        const ear = hearing({ loop, life, wallMs, submit, pollNow: fleet.pollNow, dice: lots })
        waiting = ear.waiting
        paths.ear = ear
        return yield* Effect.never
      }).pipe(Effect.scoped),
    )
  }
  const appendEvents = (events: readonly EventView[]): Promise<void> =>
    bug?.appendEvents?.(events, storage, life) ?? storage.appendEvents(life, events)

  run(build)
  return {
    life,
    runtime: () => standing?.current() ?? null,
    accept: (make) => {
      if (hub === null || !life.alive) return null
      const wire = make(life)
      wires.add(wire)
      const socket = (bug?.deafSockets === true ? deaf(wire) : wire) as unknown as WebSocket
      const session: StreamSession = openSession(socket, {
        hub,
        who: VIEWER,
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
    },
    wires: () => [...wires],
    waiting: () => waiting(),
    kill: () => {
      life.alive = false
      paths.ear = null
      storage.killed()
      for (const wire of wires) wire.cut()
      wires.clear()
    },
  }
}

/** A socket that says that nothing waits in it. */
const deaf = (wire: Wire): Wire =>
  new Proxy(wire, {
    get: (target, name) => {
      if (name === "bufferedAmount") return 0
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === "function" ? (value.bind(target) as unknown) : value
    },
  })
