/**
 * Everything that reasons about the network behind doors, put together: what-if, proposals, declared structure. One thread
 * computes (engine/whatif), so that ten thousand routers do not hold up a poll.
 */
import * as Effect from "effect/Effect"
import { Unavailable } from "#engine/api/ports.ts"
import type { ProposalsApi } from "#engine/topology/proposals-api.ts"
import type { StructureApi } from "#engine/topology/structure-api.ts"
import type { WhatIfApi } from "#engine/whatif/what-if-api.ts"

export interface Reasoning {
  readonly whatIf: WhatIfApi
  readonly proposals: ProposalsApi
  readonly structure: StructureApi
}

export const makeReasoning = (): Reasoning => {
  const away = () => Effect.fail(new Unavailable({ detail: "this engine does not compute it yet" }))
  return {
    whatIf: { ask: away, nextFailures: away, singlePoints: away, paths: away, blindSpots: away, drift: away },
    proposals: { links: away, roles: away, acceptLink: away, rejectLink: away, acceptRole: away, rejectRole: away },
    structure: { all: away, get: away, put: away, remove: away },
  }
}
