/**
 * What can be asked of the reasoning about a network, and what comes back: plain data, because questions go to a thread and
 * answers come from it. Answers name things by id and name: slots never leave the thread.
 */
import type {
  BlindSpotsBody,
  DriftBody,
  FaultBody,
  PathsBody,
  RankingBody,
  WhatIfBody,
} from "#engine/api/groups/what-if.ts"
import type { DriftKind, ElementKind, SinglePoints } from "#engine/whatif/what-if-api.ts"
import type { ProposedLink } from "#twin/propose/propose.ts"
import type { ProposedRole } from "#twin/propose/roles.ts"

export type Question =
  /** `routesOf`: a device whose routing table is wanted as well; null = none is. */
  | { readonly kind: "ask"; readonly faults: readonly FaultBody[]; readonly routesOf: string | null }
  | { readonly kind: "nextFailures"; readonly limit: number; readonly element: ElementKind | null }
  | { readonly kind: "singlePoints" }
  | { readonly kind: "paths"; readonly from: string; readonly to: string; readonly k: number }
  | { readonly kind: "blindSpots" }
  | { readonly kind: "drift"; readonly limit: number; readonly drift: DriftKind | null }
  | { readonly kind: "proposals" }
  | { readonly kind: "redundancy" }

export interface Proposed {
  readonly atMs: number
  readonly seq: number
  readonly links: readonly ProposedLinkRow[]
  readonly roles: readonly ProposedRole[]
}
export interface ProposedLinkRow extends ProposedLink {
  /** Of the slower port; null = not known. */
  readonly speedBps: number | null
}

/** Devices that the plan gives two ways and that have one now, or none but the one that they hang on. */
export interface LostRedundancy {
  readonly atMs: number
  readonly seq: number
  readonly lost: ReadonlyArray<{ readonly device: string; readonly why: string }>
}

export interface Answers {
  readonly ask: typeof WhatIfBody.Type
  readonly nextFailures: typeof RankingBody.Type
  readonly singlePoints: SinglePoints
  readonly paths: typeof PathsBody.Type
  readonly blindSpots: typeof BlindSpotsBody.Type
  readonly drift: typeof DriftBody.Type
  readonly proposals: Proposed
  readonly redundancy: LostRedundancy
}
export type AnswerOf<Q extends Question> = Answers[Q["kind"]]

/** The question cannot be answered as asked; its words are for the operator. */
export class Impossible extends Error {}
