/** Ties the engine's readings of itself to what runs: every tenant's services, this process, and the clock. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { makeSelfWatch, processReadings, watchSelf, type WatchedTenant } from "#engine/self/self-watch.ts"
import type { TenantServices } from "#engine/tenant-services.ts"
import type { LiveTwin } from "#engine/tenant/live-twin.ts"

export interface SelvesOptions {
  readonly tenants: () => Iterable<TenantServices>
  /** The platform's own twin; null = it does not run now. */
  readonly platform: () => LiveTwin | null
  readonly dataDir: string
  readonly viewersDropped: () => number
}

/** Until the scope closes. */
export const tellSelves = (options: SelvesOptions): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { tenants, platform, dataDir, viewersDropped } = options
    const readings = yield* processReadings(dataDir, viewersDropped)
    yield* watchSelf(
      makeSelfWatch({
        tenants: () => [...tenants()].map(watched),
        platformTenant: () => platform()?.tenant.id ?? null,
        platform: readings,
        nowMs: Date.now,
      }),
    )
  })

const watched = ({ twin, stats, journalStatus, history, ingest, fleetStats }: TenantServices): WatchedTenant => ({
  twin,
  runtime: stats,
  journal: journalStatus,
  history: () => history()?.status() ?? null,
  ingest,
  fleet: fleetStats,
})
