/**
 * Everything that reasons about the network behind doors, put together: what-if, proposals, declared structure. One thread
 * computes (engine/whatif), so that ten thousand routers do not hold up a poll.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { InventoryApi } from "#engine/inventory-api/inventory-api.ts"
import type { DbShape } from "#engine/storage/db.ts"
import type { Tenants } from "#engine/tenant/registry.ts"
import type { ProposalsApi } from "#engine/topology/proposals-api.ts"
import type { StructureApi } from "#engine/topology/structure-api.ts"
import { makeProposals } from "#engine/topology/proposals.ts"
import { makeStructures } from "#engine/topology/structures.ts"
import { makeReasoningThread } from "#engine/whatif/thread.ts"
import type { WhatIfApi } from "#engine/whatif/what-if-api.ts"
import { makeWhatIfs } from "#engine/whatif/what-ifs.ts"
import type { TenantId } from "#protocol/id.ts"

export interface Reasoning {
  readonly whatIf: WhatIfApi
  readonly proposals: ProposalsApi
  readonly structure: StructureApi
}

export interface ReasoningOptions {
  readonly db: DbShape
  readonly inventory: Pick<InventoryApi, "read" | "edit">
  readonly tenants: Pick<Tenants, "runtime">
  /** Of the database that has the tenant's rows; null = it is away. Holds a password. */
  readonly appUrl: (slug: string) => string | null
  readonly nowMs: () => number
}

export const makeReasoning = ({
  db,
  inventory,
  tenants,
  appUrl,
  nowMs,
}: ReasoningOptions): Effect.Effect<Reasoning, never, Scope.Scope> =>
  Effect.gen(function* () {
    const thread = yield* Effect.acquireRelease(
      Effect.sync(() => makeReasoningThread()),
      (it) => Effect.sync(() => it.end()),
    )
    const momentOf = (tenant: TenantId) => tenants.runtime(tenant)?.inside() ?? null
    return {
      whatIf: makeWhatIfs({
        thread,
        momentOf,
        appUrl: (tenant) => {
          const slug = tenants.runtime(tenant)?.tenant.slug
          return slug === undefined ? null : appUrl(slug)
        },
        nowMs,
      }),
      proposals: makeProposals({ db, inventory, thread, momentOf, nowMs }),
      structure: makeStructures(inventory),
    }
  })
