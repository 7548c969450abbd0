/** What the API asks about proposed links and roles: the port between handlers and engine/topology/proposals.ts. */
import type * as Effect from "effect/Effect"
import type { PROPOSAL_STATES, ProposalBody, RoleProposalBody } from "#engine/api/groups/topology-proposals.ts"
import type { Unavailable } from "#engine/api/ports.ts"
import type { DeclaredDevice, DeclaredLink } from "#engine/inventory-api/declared.ts"
import type { EditError, Editor } from "#engine/inventory-api/inventory-api.ts"

export type ProposalState = (typeof PROPOSAL_STATES)[number]
export type LinkProposal = typeof ProposalBody.Type
export type RoleProposal = typeof RoleProposalBody.Type

/** In the order of the list: open ones surest first, decided ones newest first. */
export interface Proposals<P> {
  readonly items: readonly P[]
  /** When the evidence was read. */
  readonly atMs: number
}
export interface AcceptedEnds {
  readonly a?: { readonly device: string; readonly interface: string }
  readonly b?: { readonly device: string; readonly interface: string }
  readonly capacityBps?: number | null
  readonly note?: string
}

/** Somebody who sees some sites only sees what lies with both ends in them. */
export interface ProposalsApi {
  readonly links: (who: Editor, state: ProposalState) => Effect.Effect<Proposals<LinkProposal>, Unavailable>
  readonly roles: (who: Editor, state: ProposalState) => Effect.Effect<Proposals<RoleProposal>, Unavailable>
  readonly acceptLink: (
    who: Editor,
    id: string,
    edited: AcceptedEnds,
  ) => Effect.Effect<{ readonly proposal: LinkProposal; readonly link: DeclaredLink }, EditError>
  readonly rejectLink: (who: Editor, id: string, note: string) => Effect.Effect<LinkProposal, EditError>
  readonly acceptRole: (
    who: Editor,
    id: string,
    note: string,
  ) => Effect.Effect<{ readonly proposal: RoleProposal; readonly device: DeclaredDevice }, EditError>
  readonly rejectRole: (who: Editor, id: string, note: string) => Effect.Effect<RoleProposal, EditError>
}
