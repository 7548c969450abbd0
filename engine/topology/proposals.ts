/**
 * The inbox of proposed links and roles (PRODUCT.md W3, W4, W6): what the devices suggest comes from the reasoning thread,
 * fresh whenever somebody looks; what people decided comes from the database. A rejected proposal stays away until there
 * is evidence that was not there when it was rejected, ever. Accepting is an edit of the inventory like any other.
 */
import * as Effect from "effect/Effect"
import { Unavailable } from "#engine/api/ports.ts"
import { notFound, refused } from "#engine/inventory-api/edit-refused.ts"
import type { EditError, Editor, InventoryApi } from "#engine/inventory-api/inventory-api.ts"
import { NO_EDIT } from "#engine/storage/inventory-change.ts"
import type { DbShape, Tx } from "#engine/storage/db.ts"
import {
  readDecisions,
  readRejected,
  writeDecision,
  type Decision,
  type ProposalKind,
} from "#engine/topology/decision-rows.ts"
import { acceptedLink, acceptedRole, movedLink, type Deciding, type Ends } from "#engine/topology/proposal-edits.ts"
import type {
  AcceptedEnds,
  LinkProposal,
  Proposals,
  ProposalsApi,
  ProposalState,
  RoleProposal,
} from "#engine/topology/proposals-api.ts"
import { openLinks, openRoles, type Open } from "#engine/topology/open-proposals.ts"
import type { TwinMoment } from "#engine/whatif/lean.ts"
import type { Proposed } from "#engine/whatif/question.ts"
import type { ReasoningThread } from "#engine/whatif/thread.ts"
import type { TenantId } from "#protocol/id.ts"
import { hasNews } from "#twin/propose/propose.ts"

export interface ProposalsOptions {
  readonly db: DbShape
  readonly inventory: Pick<InventoryApi, "read" | "edit">
  readonly thread: Pick<ReasoningThread, "ask">
  readonly momentOf: (tenant: TenantId) => TwinMoment | null
  readonly nowMs: () => number
}

/** As the devices say it now, whatever anybody decided: what an exchange of two ends is checked against. */
const AGREES_FROM = 0.6

export const makeProposals = (options: ProposalsOptions): ProposalsApi => {
  const { db, inventory, nowMs } = options
  const inTx = <A>(who: Editor, read: (tx: Tx) => Promise<A>): Effect.Effect<A, Unavailable> =>
    db
      .tenant(who.tenant)(read)
      .pipe(Effect.catchTag("DbError", ({ message }) => away(message)))
  const proposed = (who: Editor): Effect.Effect<Proposed, Unavailable> =>
    Effect.tryPromise({
      try: () => options.thread.ask(who.tenant, () => options.momentOf(who.tenant), { kind: "proposals" }),
      catch: (error) => new Unavailable({ detail: error instanceof Error ? error.message : String(error) }),
    })
  const open = <P>(
    who: Editor,
    kind: ProposalKind,
    pick: (found: Proposed, moment: TwinMoment, who: Editor) => ReadonlyArray<Open<P>>,
  ): Effect.Effect<{ readonly found: ReadonlyArray<Open<P>>; readonly proposed: Proposed }, Unavailable> =>
    Effect.gen(function* () {
      const all = yield* proposed(who)
      const moment = options.momentOf(who.tenant)
      if (moment === null) return yield* away("the tenant is being restarted")
      const rejected = yield* inTx(who, (tx) => readRejected(tx, who.tenant, kind))
      const found = pick(all, moment, who).filter(({ id, evidenceKey }) => {
        const before = rejected.get(id)
        return before === undefined || hasNews(before, evidenceKey)
      })
      return { found, proposed: all }
    })
  const links = (who: Editor) => open(who, "link", openLinks)
  const roles = (who: Editor) => open(who, "role", openRoles)
  const listed = <P extends object>(
    who: Editor,
    kind: ProposalKind,
    state: ProposalState,
    fresh: Effect.Effect<{ readonly found: ReadonlyArray<Open<P>>; readonly proposed: Proposed }, Unavailable>,
    devicesOf: (proposal: P) => readonly string[],
  ): Effect.Effect<Proposals<P>, Unavailable> =>
    Effect.gen(function* () {
      if (state === "open") {
        const { found, proposed: all } = yield* fresh
        return { items: found.map(({ proposal }) => proposal), atMs: all.atMs }
      }
      const decisions = yield* inTx(who, (tx) => readDecisions(tx, who.tenant, kind, state))
      const items = decisions.map((one) => shown<P>(one))
      const isSeen = yield* sees(options, who)
      return { items: items.filter((one) => devicesOf(one).every(isSeen)), atMs: nowMs() }
    })
  const found = <P>(
    id: string,
    from: Effect.Effect<{ readonly found: ReadonlyArray<Open<P>>; readonly proposed: Proposed }, Unavailable>,
  ): Effect.Effect<{ readonly one: Open<P>; readonly proposed: Proposed }, EditError> =>
    Effect.flatMap(from, ({ found: all, proposed: whole }) => {
      const one = all.find((candidate) => candidate.id === id)
      return one === undefined ? Effect.fail(notFound()) : Effect.succeed({ one, proposed: whole })
    })
  const deciding = <P extends object>(
    who: Editor,
    kind: ProposalKind,
    one: Open<P>,
    decision: Decision["decision"],
    note: string,
    proposal: P,
  ): Deciding & { readonly row: Decision } => {
    const row: Decision = {
      kind,
      id: one.id,
      decision,
      evidenceKey: one.evidenceKey,
      body: proposal,
      note,
      by: who.by.name,
      atMs: nowMs(),
    }
    return {
      action: decision === "accepted" ? "proposal.accept" : "proposal.reject",
      proposal: { id: one.id, confidence: one.confidence, note },
      beside: (tx) => writeDecision(tx, who.tenant, row),
      row,
    }
  }
  const reject = <P extends object>(
    who: Editor,
    kind: ProposalKind,
    id: string,
    note: string,
    from: Effect.Effect<{ readonly found: ReadonlyArray<Open<P>>; readonly proposed: Proposed }, Unavailable>,
    nameOf: (proposal: P) => string,
  ): Effect.Effect<P, EditError> =>
    Effect.gen(function* () {
      const { one } = yield* found(id, from)
      const { row, ...how } = deciding(who, kind, one, "rejected", note, one.proposal)
      return yield* inventory.edit(who, () => ({
        edit: NO_EDIT,
        act: () => ({
          action: how.action,
          object: { kind: `${kind}-proposal`, id, name: nameOf(one.proposal) },
          before: null,
          after: how.proposal,
        }),
        report: () => ({}),
        answer: () => shown<P>(row),
        beside: how.beside,
      }))
    })

  return {
    links: (who, state) => listed(who, "link", state, links(who), ({ a, b }: LinkProposal) => [a.device, b.device]),
    roles: (who, state) => listed(who, "role", state, roles(who), ({ device }: RoleProposal) => [device.id]),
    acceptLink: (who, id, edited) =>
      Effect.gen(function* () {
        const { one, proposed: all } = yield* found(id, links(who))
        const ends = endsOf(one.proposal, edited)
        if (typeof ends === "string") return yield* refused(ends)
        const { contradicts } = one.proposal
        const how = deciding(who, "link", one, "accepted", edited.note ?? "", one.proposal)
        const plan =
          contradicts === null
            ? acceptedLink(who, ends, edited.capacityBps ?? null, how)
            : movedLink(who, contradicts.id, ends, edited.capacityBps, (other) => says(all, other), how)
        const link = yield* inventory.edit(who, plan)
        const name = `${one.proposal.a.deviceName} ${ends.a.interface} - ${one.proposal.b.deviceName} ${ends.b.interface}`
        return { proposal: { ...shown<LinkProposal>(how.row), link: { id: link.id, name } }, link }
      }),
    rejectLink: (who, id, note) =>
      reject(who, "link", id, note, links(who), ({ a, b }) =>
        [a, b].map((end) => `${end.deviceName} ${end.interface ?? "?"}`).join(" - "),
      ),
    acceptRole: (who, id, note) =>
      Effect.gen(function* () {
        const { one } = yield* found(id, roles(who))
        const how = deciding(who, "role", one, "accepted", note, one.proposal)
        const { device, role } = one.proposal
        const declared = yield* inventory.edit(who, acceptedRole(who, device.id, role, how))
        return { proposal: shown<RoleProposal>(how.row), device: declared }
      }),
    rejectRole: (who, id, note) =>
      reject(who, "role", id, note, roles(who), ({ device, role }) => `${device.name} ${role}`),
  }
}

const away = (message: string) => Effect.fail(new Unavailable({ detail: message.split("\n")[0] ?? "it is away" }))

/** A decided proposal: as it stood then, with who decided and when. */
const shown = <P extends object>({ body, decision, by, atMs, note }: Decision): P =>
  ({ ...body, state: decision, decided: { by, atMs, note } }) as P

const sees = ({ momentOf }: ProposalsOptions, who: Editor): Effect.Effect<(device: string) => boolean> =>
  Effect.sync((): ((device: string) => boolean) => {
    const { sites } = who
    if (sites === null) return () => true
    const devices = momentOf(who.tenant)?.world.topology.inventory.devices ?? []
    const seen = new Set<string>(devices.filter(({ site }) => sites.includes(site)).map(({ id }) => id))
    return (device) => seen.has(device)
  })

/** As edited; a text says what is missing. */
const endsOf = ({ a, b }: LinkProposal, edited: AcceptedEnds): Ends | string => {
  const end = (side: "a" | "b") => {
    const proposal = side === "a" ? a : b
    const given = edited[side]
    if (given !== undefined) return given
    return proposal.interface === null ? null : { device: proposal.device, interface: proposal.interface }
  }
  const [first, second] = [end("a"), end("b")]
  if (first !== null && second !== null) return { a: first, b: second }
  return `nothing names the interface of ${(first === null ? a : b).deviceName}: say which it is`
}

/** Whether some proposal, rejected or not, has just these ends. */
const says = ({ links }: Proposed, { a, b }: Ends): boolean => {
  const isEnd = (x: { readonly device: string; readonly interface: string | null }, y: Ends["a"]): boolean =>
    x.device === y.device && x.interface === y.interface
  return links.some(
    (one) =>
      one.confidence >= AGREES_FROM && ((isEnd(one.a, a) && isEnd(one.b, b)) || (isEnd(one.a, b) && isEnd(one.b, a))),
  )
}
