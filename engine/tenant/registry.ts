/**
 * All tenants that run in this process, each an actor: its life is its runtime, its crash is its runtime's failure, its
 * restart rebuilds the twin from snapshot and journal. A tenant that keeps failing is set aside with growing pauses;
 * the others never notice (T4).
 */
import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { ActorHandle, ActorSpec, LifeNotice } from "#engine/actors/actor.ts"
import { errorLine } from "#engine/actors/dead-letters.ts"
import type { ActorSystem, SystemOptions, SystemStats } from "#engine/actors/system.ts"
import { makeActorSystem } from "#engine/actors/system.ts"
import type { SupervisorSpec } from "#engine/actors/supervisor.ts"
import type { Incidents, Judgement, LiveTwin } from "#engine/tenant/live-twin.ts"
import type { RecoverError } from "#engine/tenant/recover.ts"
import type { TenantRuntime, TenantRuntimeOptions } from "#engine/tenant/runtime.ts"
import { makeTenantRuntime } from "#engine/tenant/runtime.ts"
import { makeStandingTwin } from "#engine/tenant/standing-twin.ts"
import type { StandingTwin } from "#engine/tenant/standing-twin.ts"
import type { TenantId } from "#protocol/id.ts"

/** Five restarts with growing pauses, then aside for half a minute and more: the cause is likely to stay. */
export const TENANT_SUPERVISOR: SupervisorSpec = {
  strategy: "one_for_one",
  intensity: 5,
  periodMs: 60_000,
  backoff: { baseMs: 500, maxMs: 10_000, jitter: 0.3 },
  tooMany: "quarantine",
  quarantine: { baseMs: 30_000, maxMs: 600_000, jitter: 0.3 },
}

/** The first start of a tenant failed; nothing of it runs. */
export class TenantNotStarted extends Data.TaggedError("TenantNotStarted")<{
  readonly tenant: TenantId
  readonly detail: string
}> {
  override get message(): string {
    return `tenant ${this.tenant} did not start: ${this.detail}`
  }
}

/** Run anew for every start of the runtime: epochBase must have grown, and the inventory may have changed. */
export type LoadTenant = Effect.Effect<TenantRuntimeOptions, unknown, Scope.Scope>

export interface Tenants {
  /** Starts a tenant and keeps it running; waits until it does. The twin stays the same object through restarts. */
  readonly open: (tenant: TenantId, load: LoadTenant) => Effect.Effect<LiveTwin, TenantNotStarted>
  /** Stops a tenant's runtime in order (flush, snapshot). Nothing happens when it does not run. */
  readonly close: (tenant: TenantId) => Effect.Effect<void>
  /** Null when this tenant's twin does not run here. */
  readonly byTenant: (tenant: TenantId) => LiveTwin | null
  readonly all: () => readonly LiveTwin[]
  /** Rules, silences and alerts of a tenant whose twin runs here, else null. The same object through restarts. */
  readonly judgement: (tenant: TenantId) => Judgement | null
  /** See `judgement`. */
  readonly incidents: (tenant: TenantId) => Incidents | null
  /** The runtime of the moment; null while it is being rebuilt. */
  readonly runtime: (tenant: TenantId) => TenantRuntime | null
  /** Crashes a tenant's runtime, as a defect would. False when it does not run. */
  readonly kill: (tenant: TenantId, reason: string) => boolean
  readonly stats: () => SystemStats
}

export interface TenantsOptions {
  readonly onNotice?: (notice: LifeNotice) => void
  readonly supervisor?: SupervisorSpec
  /** Time, chance and turns of the supervisor, for simulations; default: the process's own. */
  readonly world?: Required<Pick<SystemOptions, "clock" | "dice" | "soon" | "monoMs">>
}

/** When the scope closes, every tenant is stopped in order. */
export const makeTenants = (options: TenantsOptions = {}): Effect.Effect<Tenants, never, Scope.Scope> =>
  Effect.map(
    makeActorSystem({
      name: "tenants",
      root: options.supervisor ?? TENANT_SUPERVISOR,
      ...(options.onNotice === undefined ? {} : { onNotice: options.onNotice }),
      ...options.world,
    }),
    (system) => {
      const entries = new Map<TenantId, Entry>()
      // Not on the stack of an actor's own start: the one who waits may do anything, closing the tenant included.
      const soon = options.world?.soon ?? ((action: () => void): void => void setImmediate(action))
      const entry = (tenant: TenantId): Entry | null => entries.get(tenant) ?? null
      const running = (): readonly StandingTwin[] =>
        [...entries.values()].flatMap(({ standing }) => (standing === null ? [] : [standing]))
      const close = (tenant: TenantId): Effect.Effect<void> =>
        Effect.suspend(() => {
          const gone = entry(tenant)
          entries.delete(tenant)
          return gone?.actor === null || gone === null ? Effect.void : system.stop(gone.actor)
        })
      return {
        open: (tenant, load) => open(system, entries, tenant, load, soon),
        close,
        byTenant: (tenant) => entry(tenant)?.standing?.twin ?? null,
        all: () => running().map((standing) => standing.twin),
        judgement: (tenant) => entry(tenant)?.standing?.judgement ?? null,
        incidents: (tenant) => entry(tenant)?.standing?.incidents ?? null,
        runtime: (tenant) => entry(tenant)?.standing?.current() ?? null,
        kill: (tenant, reason) => entry(tenant)?.actor?.tell({ kind: "failed", error: new Error(reason) }) ?? false,
        stats: system.stats,
      }
    },
  )

type Soon = (action: () => void) => void

/** A runtime's life is over: the actor dies of it. */
type TenantMsg = { readonly kind: "failed"; readonly error: Error }

interface Entry {
  actor: ActorHandle<TenantRuntime, TenantMsg> | null
  /** Null until the first start succeeded. */
  standing: StandingTwin | null
  /** Waits for the first start; null afterwards. */
  opened: ((result: Effect.Effect<LiveTwin, TenantNotStarted>) => void) | null
}

const open = (
  system: ActorSystem,
  entries: Map<TenantId, Entry>,
  tenant: TenantId,
  load: LoadTenant,
  soon: Soon,
): Effect.Effect<LiveTwin, TenantNotStarted> =>
  Effect.callback((resume) => {
    if (entries.has(tenant))
      return resume(Effect.fail(new TenantNotStarted({ tenant, detail: "it is open already; close it first" })))
    const entry: Entry = { actor: null, standing: null, opened: resume }
    entries.set(tenant, entry)
    const refuse = (detail: string): void => {
      const opened = entry.opened
      if (opened === null) return
      entry.opened = null
      entries.delete(tenant)
      if (entry.actor !== null) system.dismiss(entry.actor)
      opened(Effect.fail(new TenantNotStarted({ tenant, detail })))
    }
    entry.actor = system.spawn(system.root, tenant, tenantActor(entry, load, refuse, soon))
  })

const tenantActor = (
  entry: Entry,
  load: LoadTenant,
  refuse: (detail: string) => void,
  soon: Soon,
): ActorSpec<TenantRuntime, TenantMsg> => ({
  type: "tenant-runtime",
  init: load.pipe(
    Effect.flatMap((options) => runtimeOf(entry, options)),
    Effect.tapCause((cause) => Effect.sync(() => soon(() => refuse(errorLine(Cause.squash(cause)))))),
  ),
  started: () =>
    soon(() => {
      const { opened, standing } = entry
      entry.opened = null
      if (standing !== null) opened?.(Effect.succeed(standing.twin))
    }),
  receive: (_runtime, message) => {
    throw message.error
  },
  mailboxMax: 4,
  restart: "permanent",
  restartFrom: "init",
})

const runtimeOf = (
  entry: Entry,
  options: TenantRuntimeOptions,
): Effect.Effect<TenantRuntime, RecoverError, Scope.Scope> =>
  makeTenantRuntime({
    ...options,
    onFailed: (error) => {
      options.onFailed?.(error)
      entry.actor?.tell({ kind: "failed", error })
    },
  }).pipe(
    // Before the runtime stops, the twin must refuse inputs: finalizers run newest first.
    Effect.tap((runtime) =>
      Effect.acquireRelease(
        Effect.sync(() => attach(entry, runtime, options)),
        () => Effect.sync(() => entry.standing?.detach()),
      ),
    ),
  )

const attach = (entry: Entry, runtime: TenantRuntime, { onNotice }: TenantRuntimeOptions): void => {
  if (entry.standing !== null) return entry.standing.attach(runtime)
  entry.standing = makeStandingTwin(runtime, (detail) =>
    onNotice?.({ kind: "listener-threw", atMs: Date.now(), subject: "", detail, untilMs: null }),
  )
}
