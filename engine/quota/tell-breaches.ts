/**
 * A breach of a quota is an input of the tenant's twin, so that it is journaled, replayed and shown like everything that
 * happened (`quota.exceeded`). Told on the next turn of the event loop: most breaches are found inside the very door that
 * the input goes through.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Quotas } from "#engine/quota/quotas.ts"
import type { LiveTwin } from "#engine/tenant/live-twin.ts"
import type { TenantId } from "#protocol/id.ts"

export const tellBreaches = (
  quotas: Quotas,
  twinOf: (tenant: TenantId) => Pick<LiveTwin, "submit"> | null,
  nowMs: () => number,
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.asVoid(
    Effect.acquireRelease(
      Effect.sync(() =>
        quotas.onBreach(({ tenant, quota, limit, times }) => {
          const atMs = Math.floor(nowMs())
          // A twin that refuses is full of events already, or stopping; the counter on /metrics has it all the same.
          setImmediate(() => twinOf(tenant)?.submit({ kind: "quota", atMs, quota, limit, times }))
        }),
      ),
      (stop) => Effect.sync(stop),
    ),
  )
