/**
 * Tells every tenant's twin how its engine does, a few times a minute: an input of the journal, judged by the rules of the
 * pack "engine" (twin/alert/packs/engine.ts). A tenant that is being rebuilt is told nothing meanwhile.
 */
import { statfsSync } from "node:fs"
import { monitorEventLoopDelay } from "node:perf_hooks"
import { getHeapStatistics } from "node:v8"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import {
  makeTenantReader,
  ofPlatform,
  selfPoll,
  type PlatformReadings,
  type TenantReader,
  type TenantReadings,
} from "#engine/self/self-poll.ts"
import type { LiveTwin } from "#engine/tenant/live-twin.ts"
import type { TenantId } from "#protocol/id.ts"

/** Between two readings: several in the shortest window of the shipped rules. */
export const SELF_EVERY_MS = 15_000

export interface WatchedTenant extends TenantReadings {
  readonly twin: Pick<LiveTwin, "tenant" | "submit">
}

export interface SelfWatchOptions {
  readonly tenants: () => readonly WatchedTenant[]
  /** The tenant that hears of the whole engine; null = it does not run. */
  readonly platformTenant: () => TenantId | null
  readonly platform: PlatformReadings
  readonly nowMs: () => number
}

export interface SelfWatch {
  /** One reading of everybody. */
  readonly tell: () => void
}

export const makeSelfWatch = ({ tenants, platformTenant, platform, nowMs }: SelfWatchOptions): SelfWatch => {
  /** By the tenant's life: one that was closed and opened again begins anew. */
  const readers = new WeakMap<WatchedTenant["fleet"], TenantReader>()
  const readerOf = (tenant: WatchedTenant): TenantReader => {
    const known = readers.get(tenant.fleet)
    if (known !== undefined) return known
    const made = makeTenantReader(tenant)
    readers.set(tenant.fleet, made)
    return made
  }
  return {
    tell: () => {
      const home = platformTenant()
      for (const tenant of tenants()) {
        const atMs = Math.floor(nowMs())
        const own = readerOf(tenant).read(atMs)
        const whole = tenant.twin.tenant.id === home ? ofPlatform(platform) : []
        // A full inbox refuses it: the next reading says more than this one.
        tenant.twin.submit(selfPoll(atMs, [...own, ...whole]))
      }
    },
  }
}

/** Until the scope closes. */
export const watchSelf = (watch: SelfWatch): Effect.Effect<void, never, Scope.Scope> =>
  Effect.asVoid(Effect.forkScoped(Effect.forever(Effect.andThen(Effect.sleep(SELF_EVERY_MS), Effect.sync(watch.tell)))))

/** The sampler's own period: a delay shorter than this cannot be seen. */
const RESOLUTION_MS = 10
/** Over so many readings: a minute. */
const DELAY_READINGS = 4

/** Of this process, and of the file system that the data directory is on. */
export const processReadings = (
  dataDir: string,
  viewersDropped: () => number,
): Effect.Effect<PlatformReadings, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
      delay.enable()
      let readings = 0
      const readP99 = (): number => {
        const ms = Math.round(Math.max(0, delay.percentile(99) / 1e6 - RESOLUTION_MS))
        if (++readings % DELAY_READINGS === 0) delay.reset()
        return ms
      }
      return { delay, readP99 }
    }),
    ({ delay }) => Effect.sync(() => void delay.disable()),
  ).pipe(
    Effect.map(({ readP99 }) => ({
      eventLoopDelayP99Ms: readP99,
      heapUsedPct: () => {
        const { used_heap_size, heap_size_limit } = getHeapStatistics()
        return Math.round((1_000 * used_heap_size) / heap_size_limit) / 10
      },
      diskFreePct: () => diskFreePct(dataDir),
      viewersDropped,
    })),
  )

const diskFreePct = (dataDir: string): number | null => {
  try {
    const { bavail, blocks } = statfsSync(dataDir)
    return blocks === 0 ? null : Math.round((1_000 * bavail) / blocks) / 10
  } catch {
    return null
  }
}
