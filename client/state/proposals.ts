/**
 * The proposals of now and what was decided, as the engine lists them. Read when the inbox opens, after every decision and
 * on request; proposals change with the network, slowly, so that nobody is asked in between.
 */
import { computed, signal } from "@preact/signals"
import { call } from "#client/state/api.ts"
import type { Answer, Failure } from "#client/state/api.ts"
import { allPages } from "#client/state/pages.ts"
import { route } from "#client/state/route.ts"
import { asLink, asRole, historyOf } from "#client/state/proposals-list.ts"
import type { Proposal } from "#client/state/proposals-list.ts"

export type Inbox = "links" | "roles" | "history"
const PAGE = 500

export const inbox = computed<Inbox>(() => {
  const { tab } = route.value
  return tab === "roles" || tab === "history" ? tab : "links"
})

interface Lists {
  readonly links: readonly Proposal[] | null
  readonly roles: readonly Proposal[] | null
  readonly history: readonly Proposal[] | null
}
const NONE: Lists = { links: null, roles: null, history: null }
export const lists = signal<Lists>(NONE)
/** When the evidence was read, by the engine's clock; null = not told yet. */
export const evidenceMs = signal<number | null>(null)
export const proposalsFailure = signal<Failure | null>(null)

/** The row of the keyboard; null = none yet. */
export const proposalCursor = signal<string | null>(null)
/** Set by the y, x and e keys; the screen follows. */
export const decideWish = signal<"accept" | "reject" | "edit" | null>(null)

let turn = 0
export const readProposals = async (which: Inbox): Promise<void> => {
  const mine = ++turn
  const answer = await (which === "links" ? linksOf("open") : which === "roles" ? rolesOf("open") : decided())
  if (mine !== turn) return
  proposalsFailure.value = answer.ok ? null : answer
  if (answer.ok) lists.value = { ...lists.peek(), [which]: answer.value }
}

type State = "open" | "accepted" | "rejected"
const linksOf = (state: State) =>
  mapped(
    allPages(async (cursor) => {
      const answer = await call("topologyProposals.list", { query: { limit: PAGE, cursor, state } })
      if (answer.ok) evidenceMs.value = answer.value.atMs
      return answer
    }),
    asLink,
  )
const rolesOf = (state: State) =>
  mapped(
    allPages(async (cursor) => {
      const answer = await call("topologyProposals.roles", { query: { limit: PAGE, cursor, state } })
      if (answer.ok) evidenceMs.value = answer.value.atMs
      return answer
    }),
    asRole,
  )

const decided = async (): Promise<Answer<readonly Proposal[]>> => {
  const all: Proposal[] = []
  for (const ask of [linksOf, rolesOf]) {
    for (const state of ["accepted", "rejected"] as const) {
      const answer = await ask(state)
      if (!answer.ok) return answer
      all.push(...answer.value)
    }
  }
  return { ok: true, value: historyOf(all), etag: null }
}

const mapped = async <A, B>(
  asked: Promise<Answer<readonly A[]>>,
  run: (row: A) => B,
): Promise<Answer<readonly B[]>> => {
  const answer = await asked
  return answer.ok ? { ok: true, value: answer.value.map(run), etag: null } : answer
}

export interface Ends {
  readonly a?: { readonly device: string; readonly interface: string }
  readonly b?: { readonly device: string; readonly interface: string }
  readonly capacityBps?: number | null
}
export const accept = async ({ kind, id }: Proposal, ends: Ends = {}): Promise<Answer<unknown>> =>
  kind === "link"
    ? call("topologyProposals.accept", { params: { id }, body: ends })
    : call("topologyProposals.acceptRole", { params: { id }, body: {} })
export const reject = async ({ kind, id }: Proposal, note: string): Promise<Answer<unknown>> =>
  kind === "link"
    ? call("topologyProposals.reject", { params: { id }, body: { note } })
    : call("topologyProposals.rejectRole", { params: { id }, body: { note } })
