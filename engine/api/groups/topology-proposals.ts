/**
 * Links and roles that the devices' own words suggest (docs/topology.md), and what people decided about them. A proposal is
 * never a link until somebody accepts it; a rejected one comes back only when there is other evidence.
 */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import { filter, Id, maybe, name, named, Page, word } from "#engine/api/groups/fields.ts"
import { DeclaredDevice, DeclaredLink } from "#engine/api/groups/inventory.ts"
import { LinkRef, Ref } from "#engine/api/groups/refs.ts"
import { BadQuery, Conflict, NotFound, QuotaExceeded, Refused, ServiceUnavailable } from "#engine/api/problems.ts"
import { SignedIn } from "#engine/api/signed-in.ts"
import { ROLES } from "#protocol/role.ts"

export const PROPOSAL_STATES = ["open", "accepted", "rejected"] as const
export const NOTE_MAX = 1_000

const Decided = maybe(
  Schema.Struct({
    by: Schema.String,
    atMs: Schema.Finite,
    note: Schema.String,
  }),
)
const ProposedEnd = Schema.Struct({
  device: Schema.String,
  deviceName: Schema.String,
  /** Null = nothing names it: whoever accepts says which. */
  interface: maybe(Schema.String),
})
export const ProposalBody = named(
  "LinkProposal",
  Schema.Struct({
    id: Schema.String,
    state: Schema.Literals(PROPOSAL_STATES),
    a: ProposedEnd,
    b: ProposedEnd,
    /** 0..0.99 */
    confidence: Schema.Finite,
    evidence: Schema.Array(Schema.Struct({ kind: Schema.String, text: Schema.String, weight: Schema.Finite })),
    /** Speed of the slower port, as measured; null = not known. */
    speedBps: maybe(Schema.Finite),
    /** The declared link whose end would move; null = a new link. */
    contradicts: maybe(LinkRef),
    against: maybe(Schema.String),
    /** Who accepted or rejected it; null while open. */
    decided: Decided,
    /** The link that came of it. */
    link: maybe(LinkRef),
  }),
)
export const RoleProposalBody = named(
  "RoleProposal",
  Schema.Struct({
    id: Schema.String,
    state: Schema.Literals(PROPOSAL_STATES),
    device: Ref,
    role: Schema.Literals(ROLES),
    /** What is declared: accepting adds to it. */
    declared: Schema.Array(Schema.String),
    confidence: Schema.Finite,
    because: Schema.String,
    decided: Decided,
  }),
)
const End = Schema.Struct({ device: word(64), interface: name(200) })
const Listing = {
  ...Page,
  /** Default: open. */
  state: Schema.optionalKey(Schema.Literals(PROPOSAL_STATES)),
  minConfidence: Schema.optionalKey(
    Schema.NumberFromString.check(Schema.isFinite(), Schema.isBetween({ minimum: 0, maximum: 1 })),
  ),
  device: filter(64),
}
const listed = <S extends Schema.Top>(row: S) =>
  Schema.Struct({
    items: Schema.Array(row),
    next: maybe(Schema.String),
    total: Schema.Finite,
    /** When the evidence was read. */
    atMs: Schema.Finite,
  })
const Note = Schema.Struct({ note: word(NOTE_MAX) })

export class TopologyProposalsGroup extends HttpApiGroup.make("topologyProposals")
  .add(
    HttpApiEndpoint.get("list", "/topology-proposals", {
      query: Listing,
      success: listed(ProposalBody),
      error: [BadQuery, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "Proposed links, surest first; what was decided, newest first"),
    HttpApiEndpoint.post("accept", "/topology-proposals/:id/accept", {
      params: Id,
      /** Ends as corrected by the operator, in the order of the proposal; a capacity of null = the slower end's speed. */
      payload: Schema.Struct({
        a: Schema.optionalKey(End),
        b: Schema.optionalKey(End),
        capacityBps: Schema.optionalKey(Schema.NullOr(Schema.Finite)),
        note: Schema.optionalKey(word(NOTE_MAX)),
      }),
      success: Schema.Struct({ proposal: ProposalBody, link: DeclaredLink }),
      error: [NotFound, Refused, Conflict, QuotaExceeded, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "Declare the link, or move the end of the one that it contradicts"),
    HttpApiEndpoint.post("reject", "/topology-proposals/:id/reject", {
      params: Id,
      payload: Note,
      success: ProposalBody,
      error: [NotFound, Conflict, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "Never propose it again on this evidence"),
    HttpApiEndpoint.get("roles", "/role-proposals", {
      query: Listing,
      success: listed(RoleProposalBody),
      error: [BadQuery, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "Proposed roles, surest first; what was decided, newest first"),
    HttpApiEndpoint.post("acceptRole", "/role-proposals/:id/accept", {
      params: Id,
      payload: Schema.Struct({ note: Schema.optionalKey(word(NOTE_MAX)) }),
      success: Schema.Struct({ proposal: RoleProposalBody, device: DeclaredDevice }),
      error: [NotFound, Refused, Conflict, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "Give the device this role besides those that it has"),
    HttpApiEndpoint.post("rejectRole", "/role-proposals/:id/reject", {
      params: Id,
      payload: Note,
      success: RoleProposalBody,
      error: [NotFound, Conflict, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "Never propose this role for this device again"),
  )
  .middleware(SignedIn) {}
