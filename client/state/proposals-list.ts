/**
 * The inbox of proposals as its screen thinks of it: what can be accepted at a key, what asks for a look first, what a bulk
 * would take, and what was decided. Pure: asking the engine is state/proposals.ts.
 */
import type { LinkProposal, RoleProposal } from "#protocol/rest-generated.ts"

export type Proposal =
  | { readonly kind: "link"; readonly id: string; readonly row: LinkProposal }
  | { readonly kind: "role"; readonly id: string; readonly row: RoleProposal }

export const asLink = (row: LinkProposal): Proposal => ({ kind: "link", id: row.id, row })
export const asRole = (row: RoleProposal): Proposal => ({ kind: "role", id: row.id, row })

/** What stands between a proposal and its acceptance: nothing, an end without a port, or a declared link that would move. */
export type Hurdle = "none" | "port" | "moves"
export const hurdleOf = (proposal: Proposal): Hurdle => {
  if (proposal.kind === "role") return "none"
  const { a, b, contradicts } = proposal.row
  if (a.interface === null || b.interface === null) return "port"
  return contradicts === null ? "none" : "moves"
}

/** One go of the bulk: one request each, one after the other. */
export const BULK_MAX = 500

export interface Bulk {
  readonly taken: readonly Proposal[]
  /** Sure enough, but somebody has to look: a port is missing, or a declared link would move. */
  readonly left: readonly Proposal[]
}
/** Surest first. Two that want the same port are not both taken: the surer one is. */
export const bulkOf = (all: readonly Proposal[], minConfidence: number): Bulk => {
  const sure = all
    .filter(({ row }) => row.state === "open" && row.confidence >= minConfidence)
    .sort((x, y) => y.row.confidence - x.row.confidence || (x.id < y.id ? -1 : 1))
  const used = new Set<string>()
  const taken: Proposal[] = []
  const left: Proposal[] = []
  for (const one of sure) {
    const ports = portsOf(one)
    const clear = hurdleOf(one) === "none" && ports.every((port) => !used.has(port)) && taken.length < BULK_MAX
    if (clear) for (const port of ports) used.add(port)
    ;(clear ? taken : left).push(one)
  }
  return { taken, left }
}
const portsOf = (proposal: Proposal): readonly string[] =>
  proposal.kind === "role"
    ? [JSON.stringify([proposal.row.device.id])]
    : [proposal.row.a, proposal.row.b].map((end) => JSON.stringify([end.device, end.interface]))

/** Newest decision first. */
export const historyOf = (all: readonly Proposal[]): readonly Proposal[] =>
  all
    .filter(({ row }) => row.decided !== null)
    .sort((x, y) => (y.row.decided?.atMs ?? 0) - (x.row.decided?.atMs ?? 0) || (x.id < y.id ? -1 : 1))

/** Where the keyboard goes after the row at `at` has left the list. */
export const afterOf = (all: readonly Proposal[], at: number): string | null => (all[at + 1] ?? all[at - 1])?.id ?? null
