/**
 * Which tenants run in this engine. Each has a scope of its own: stopping one ends its fleet, its listeners' entries, its
 * streams and its twin (flushed and saved), and touches no other. Starts and stops of one tenant take turns.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import type { DbError } from "#engine/storage/db.ts"
import type { MasterKeyUnusable, VaultRefused } from "#engine/storage/vault.ts"
import type { Stream } from "#engine/stream/stream.ts"
import type { TenantServices } from "#engine/tenant-services.ts"
import type { TenantInfo } from "#engine/tenant/live-twin.ts"
import type { TenantNotStarted, Tenants } from "#engine/tenant/registry.ts"
import type { TenantId } from "#protocol/id.ts"

export type StartFailed = TenantNotStarted | MasterKeyUnusable | VaultRefused | DbError

export interface Running {
  readonly services: ReadonlyMap<TenantId, TenantServices>
  /** Nothing happens when it runs already. */
  readonly start: (tenant: TenantInfo) => Effect.Effect<void, StartFailed>
  /** Returns when nothing of it runs any more. Nothing happens when it does not run. */
  readonly stop: (tenant: TenantId) => Effect.Effect<void>
}

export interface RunningOptions {
  readonly open: (tenant: TenantInfo) => Effect.Effect<TenantServices, StartFailed, Scope.Scope>
  readonly tenants: Pick<Tenants, "close">
  readonly stream: Pick<Stream, "attach" | "detach">
}

/** What runs stops with the scope, in reverse order of starting. */
export const makeRunning = ({ open, tenants, stream }: RunningOptions): Effect.Effect<Running, never, Scope.Scope> =>
  Effect.gen(function* () {
    const parent = yield* Effect.scope
    const services = new Map<TenantId, TenantServices>()
    const scopes = new Map<TenantId, Scope.Closeable>()
    const oneAtATime = yield* Semaphore.make(1)

    const start = (tenant: TenantInfo): Effect.Effect<void, StartFailed> =>
      Effect.gen(function* () {
        if (services.has(tenant.id)) return
        const scope = yield* Scope.fork(parent)
        const opened = yield* open(tenant).pipe(
          Scope.provide(scope),
          Effect.onError(() => Effect.andThen(Scope.close(scope, Exit.void), tenants.close(tenant.id))),
        )
        scopes.set(tenant.id, scope)
        services.set(tenant.id, opened)
        stream.attach(opened.twin)
      })
    const stop = (tenant: TenantId): Effect.Effect<void> =>
      Effect.gen(function* () {
        const running = services.get(tenant)
        const scope = scopes.get(tenant)
        if (running === undefined || scope === undefined) return
        services.delete(tenant)
        scopes.delete(tenant)
        stream.detach(running.twin)
        yield* Scope.close(scope, Exit.void)
        yield* tenants.close(tenant)
      })
    return {
      services,
      start: (tenant) => oneAtATime.withPermits(1)(start(tenant)),
      stop: (tenant) => oneAtATime.withPermits(1)(Effect.uninterruptible(stop(tenant))),
    }
  })
