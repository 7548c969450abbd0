/** Proposed links and roles. What accepting and rejecting do stands in engine/topology/proposals.ts. */
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import { Api } from "#engine/api/contract.ts"
import type { ApiDeps } from "#engine/api/deps.ts"
import { editorOf, problemOf, type Why } from "#engine/api/handlers/inventory.ts"
import { overQuota } from "#engine/api/handlers/over-quota.ts"
import { unavailable } from "#engine/api/handlers/request.ts"
import { PAGE_DEFAULT, readCursor, writeCursor } from "#engine/api/lists.ts"
import type { Unavailable } from "#engine/api/ports.ts"
import { BadQuery } from "#engine/api/problems.ts"
import { Caller } from "#engine/api/signed-in.ts"
import type { EditError, Editor } from "#engine/inventory-api/inventory-api.ts"
import type { Proposals, ProposalState } from "#engine/topology/proposals-api.ts"

interface Query {
  readonly limit?: number
  readonly cursor?: string
  readonly state?: ProposalState
  readonly minConfidence?: number
  readonly device?: string
}

export const topologyProposals = (deps: ApiDeps) => {
  const store = deps.proposals
  const away = unavailable(deps)
  const as = <A, W extends Why>(whys: readonly W[], act: (who: Editor) => Effect.Effect<A, EditError>) =>
    Effect.flatMap(Caller, (caller) =>
      act(editorOf(caller)).pipe(
        Effect.catchTag("Unavailable", away),
        Effect.catchTag("QuotaPassed", overQuota),
        Effect.catchTag("EditRefused", (error) => problemOf(whys, error)),
      ),
    )
  const listed = <P extends { readonly id: string; readonly confidence: number }>(
    query: Query,
    read: (who: Editor, state: ProposalState) => Effect.Effect<Proposals<P>, Unavailable>,
    devicesOf: (proposal: P) => readonly string[],
  ) =>
    Effect.gen(function* () {
      const after = readCursor(query.cursor)
      if (after === null) return yield* new BadQuery({ detail: "`cursor` is not one that this list gave out" })
      const caller = yield* Caller
      const { items, atMs } = yield* read(editorOf(caller), query.state ?? "open").pipe(
        Effect.catchTag("Unavailable", away),
      )
      const { minConfidence = 0, device } = query
      const wanted = items.filter(
        (one) => one.confidence >= minConfidence && (device === undefined || devicesOf(one).includes(device)),
      )
      // Not by key: the order is that of confidence. A row that went meanwhile begins the list anew.
      const from = after === undefined ? 0 : wanted.findIndex(({ id }) => id === after) + 1
      const rows = wanted.slice(from, from + (query.limit ?? PAGE_DEFAULT))
      const last = rows.at(-1)
      const isMore = last !== undefined && from + rows.length < wanted.length
      return { items: rows, next: isMore ? writeCursor(last.id) : null, total: wanted.length, atMs }
    })

  return HttpApiBuilder.group(Api, "topologyProposals", (handlers) =>
    handlers
      .handle("list", ({ query }) => listed(query, store.links, ({ a, b }) => [a.device, b.device]))
      .handle("accept", ({ params, payload }) =>
        as(["notFound", "refused", "conflict"], (who) => store.acceptLink(who, params.id, payload)),
      )
      .handle("reject", ({ params, payload }) =>
        as(["notFound", "conflict"], (who) => store.rejectLink(who, params.id, payload.note)),
      )
      .handle("roles", ({ query }) => listed(query, store.roles, ({ device }) => [device.id]))
      .handle("acceptRole", ({ params, payload }) =>
        as(["notFound", "refused", "conflict"], (who) => store.acceptRole(who, params.id, payload.note ?? "")),
      )
      .handle("rejectRole", ({ params, payload }) =>
        as(["notFound", "conflict"], (who) => store.rejectRole(who, params.id, payload.note)),
      ),
  )
}
