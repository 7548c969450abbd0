/** What the API asks the what-if engine: the port between handlers and the thread that computes (engine/whatif/what-ifs.ts). */
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import type {
  BlindSpotsBody,
  DriftBody,
  FaultBody,
  PathsBody,
  RankingBody,
  SinglePointRow,
  WhatIfBody,
} from "#engine/api/groups/what-if.ts"
import type { Unavailable } from "#engine/api/ports.ts"
import type { TenantId } from "#protocol/id.ts"

/** It cannot be answered as asked; `detail` is for the operator. */
export class WhatIfRefused extends Data.TaggedError("WhatIfRefused")<{ readonly detail: string }> {
  override get message(): string {
    return this.detail
  }
}

type Answer<A> = Effect.Effect<A, WhatIfRefused | Unavailable>

export type ElementKind = (typeof RankingBody.Type)["candidates"][number]["element"]["kind"]
export type DriftItem = (typeof DriftBody.Type)["items"][number]
export type DriftKind = DriftItem["kind"]
export interface SinglePoints {
  readonly atMs: number
  readonly seq: number
  /** By name of the device. */
  readonly points: readonly (typeof SinglePointRow.Type)[]
  readonly assumptions: readonly string[]
}

/** All of the whole network: somebody who sees some sites only is refused before. */
export interface WhatIfApi {
  /** `routesOf` null = nobody's routes. Here and below `atMs` null = now. */
  readonly ask: (
    tenant: TenantId,
    faults: readonly FaultBody[],
    atMs: number | null,
    routesOf: string | null,
  ) => Answer<typeof WhatIfBody.Type>
  readonly nextFailures: (
    tenant: TenantId,
    limit: number,
    kind: ElementKind | null,
    atMs: number | null,
  ) => Answer<typeof RankingBody.Type>
  readonly singlePoints: (tenant: TenantId, atMs: number | null) => Answer<SinglePoints>
  readonly paths: (
    tenant: TenantId,
    from: string,
    to: string,
    k: number,
    atMs: number | null,
  ) => Answer<typeof PathsBody.Type>
  readonly blindSpots: (tenant: TenantId, atMs: number | null) => Answer<typeof BlindSpotsBody.Type>
  readonly drift: (
    tenant: TenantId,
    limit: number,
    kind: DriftKind | null,
    atMs: number | null,
  ) => Answer<typeof DriftBody.Type>
}
