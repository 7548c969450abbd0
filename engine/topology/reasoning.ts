/**
 * Everything that reasons about the network behind doors, put together: what-if, proposals, declared structure. One thread
 * computes (engine/whatif), so that ten thousand routers do not hold up a poll.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { Unavailable } from "#engine/api/ports.ts"
import type { Tenants } from "#engine/tenant/registry.ts"
import type { ProposalsApi } from "#engine/topology/proposals-api.ts"
import type { StructureApi } from "#engine/topology/structure-api.ts"
import { makeReasoningThread } from "#engine/whatif/thread.ts"
import type { WhatIfApi } from "#engine/whatif/what-if-api.ts"
import { makeWhatIfs } from "#engine/whatif/what-ifs.ts"

export interface Reasoning {
  readonly whatIf: WhatIfApi
  readonly proposals: ProposalsApi
  readonly structure: StructureApi
}

export interface ReasoningOptions {
  readonly tenants: Pick<Tenants, "runtime">
  /** Of the database that has the tenant's rows; null = it is away. Holds a password. */
  readonly appUrl: (slug: string) => string | null
  readonly nowMs: () => number
}

export const makeReasoning = ({
  tenants,
  appUrl,
  nowMs,
}: ReasoningOptions): Effect.Effect<Reasoning, never, Scope.Scope> =>
  Effect.gen(function* () {
    const thread = yield* Effect.acquireRelease(
      Effect.sync(() => makeReasoningThread()),
      (it) => Effect.sync(() => it.end()),
    )
    const away = () => Effect.fail(new Unavailable({ detail: "this engine does not compute it yet" }))
    return {
      whatIf: makeWhatIfs({
        thread,
        momentOf: (tenant) => tenants.runtime(tenant)?.inside() ?? null,
        appUrl: (tenant) => {
          const slug = tenants.runtime(tenant)?.tenant.slug
          return slug === undefined ? null : appUrl(slug)
        },
        nowMs,
      }),
      proposals: { links: away, roles: away, acceptLink: away, rejectLink: away, acceptRole: away, rejectRole: away },
      structure: { all: away, get: away, put: away, remove: away },
    }
  })
