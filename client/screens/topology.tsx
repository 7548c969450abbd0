/**
 * The inbox of proposals: links and roles that the devices' own words suggest. Nothing is declared until somebody accepts
 * it; what was decided, by whom and when, stands under history.
 */
import { useSignal, useSignalEffect } from "@preact/signals"
import { useEffect } from "preact/hooks"
import { language, t } from "#client/i18n/translate.ts"
import { serverNowMs } from "#client/state/app.ts"
import { can } from "#client/state/places.ts"
import {
  accept,
  decideWish,
  evidenceMs,
  inbox,
  lists,
  proposalCursor,
  proposalsFailure,
  readProposals,
} from "#client/state/proposals.ts"
import type { Inbox } from "#client/state/proposals.ts"
import { afterOf, hurdleOf } from "#client/state/proposals-list.ts"
import type { Proposal } from "#client/state/proposals-list.ts"
import { go, route } from "#client/state/route.ts"
import { useAct } from "#client/ui/ask.ts"
import { Notice, Problem } from "#client/ui/form.tsx"
import { formatAge, formatNumber } from "#client/ui/format.ts"
import { CheckIcon } from "#client/ui/icons.tsx"
import { problemText } from "#client/ui/problem-text.ts"
import { BulkDialog, EndsDialog, nameOf, RejectDialog } from "#client/ui/topology/decide-dialogs.tsx"
import { ProposalList } from "#client/ui/topology/proposal-list.tsx"
import { ProposalPanel } from "#client/ui/topology/proposal-panel.tsx"
import { ServicesPane } from "#client/ui/topology/service-list.tsx"
import { TopologyTabs } from "#client/ui/topology/tabs.tsx"

export const TopologyScreen = () => (route.value.tab === "services" ? <ServicesPane /> : <Proposals />)

const Proposals = () => {
  const which = inbox.value
  const { item } = route.value
  const rows = lists.value[which] ?? []
  const open = rows.find(({ id }) => id === item) ?? null
  const asking = useSignal<{ readonly kind: "reject" | "ends" | "bulk"; readonly proposal: Proposal | null } | null>(
    null,
  )
  const said = useSignal<string | null>(null)
  const act = useAct()
  useEffect(() => void readProposals(which), [which])
  useEffect(() => {
    if (item !== null) proposalCursor.value = item
  }, [item])
  useEscape()
  const decided = (proposal: Proposal, text: string) => {
    const next = afterOf(
      rows,
      rows.findIndex(({ id }) => id === proposal.id),
    )
    asking.value = null
    said.value = text
    proposalCursor.value = next
    if (route.peek().item !== null) go({ item: next }, true)
    void readProposals(which)
  }
  const follow = (wish: "accept" | "reject" | "edit") => {
    const proposal = lists.peek()[which]?.find(({ id }) => id === proposalCursor.peek())
    if (proposal === undefined || proposal.row.state !== "open" || !can("proposalDecide")) return
    const hurdle = hurdleOf(proposal)
    if (wish === "reject") asking.value = { kind: "reject", proposal }
    else if (proposal.kind === "link" && (wish === "edit" || hurdle !== "none"))
      asking.value = { kind: "ends", proposal }
    else if (wish === "accept") {
      void act.run(
        () => accept(proposal),
        () => decided(proposal, t("proposals.done.accepted", { name: nameOf(proposal) })),
      )
    }
  }
  useSignalEffect(() => {
    const wish = decideWish.value
    if (wish === null) return
    decideWish.value = null
    follow(wish)
  })
  const now = asking.value
  return (
    <div class={open === null ? "single" : "split topology-split"}>
      <section class="list-side" aria-labelledby="topology-title">
        <Head which={which} rows={rows} bulk={() => (asking.value = { kind: "bulk", proposal: null })} />
        {said.value !== null && <Notice>{said.value}</Notice>}
        <Problem text={act.problem} />
        <Stale />
        {rows.length > 0 ? <ProposalList rows={rows} open={item} /> : <Empty which={which} />}
      </section>
      {open !== null && <ProposalPanel proposal={open} />}
      {now?.kind === "reject" && now.proposal !== null && (
        <RejectDialog
          proposal={now.proposal}
          close={() => (asking.value = null)}
          done={() =>
            now.proposal !== null && decided(now.proposal, t("proposals.done.rejected", { name: nameOf(now.proposal) }))
          }
        />
      )}
      {now?.kind === "ends" && now.proposal?.kind === "link" && (
        <EndsDialog
          row={now.proposal.row}
          close={() => (asking.value = null)}
          done={() =>
            now.proposal !== null && decided(now.proposal, t("proposals.done.accepted", { name: nameOf(now.proposal) }))
          }
        />
      )}
      {now?.kind === "bulk" && (
        <BulkDialog rows={rows} close={() => (asking.value = null)} done={() => void readProposals(which)} />
      )}
    </div>
  )
}

const Head = ({ which, rows, bulk }: { which: Inbox; rows: readonly Proposal[]; bulk: () => void }) => {
  const read = evidenceMs.value
  return (
    <header class="screen-head">
      <h1 id="topology-title">{t("proposals.title")}</h1>
      <span class="count num" data-testid="proposal-count">
        {formatNumber(language.value, rows.length)}
      </span>
      <TopologyTabs which={which} />
      <span class="grow" />
      {which !== "history" && can("proposalDecide") && rows.length > 0 && (
        <button type="button" class="button" onClick={bulk}>
          {t("proposals.bulk.open")}
        </button>
      )}
      <span class="quiet topology-note">
        {which !== "history" && can("proposalDecide") && rows.length > 0 && `${t("proposals.keys")} `}
        {read !== null && t("proposals.read", { age: formatAge(language.value, serverNowMs.value - read) })}{" "}
        <button type="button" class="text-button" onClick={() => void readProposals(which)}>
          {t("proposals.again")}
        </button>
      </span>
    </header>
  )
}

const Stale = () =>
  proposalsFailure.value === null ? null : (
    <Problem text={t("proposals.failed", { reason: problemText(proposalsFailure.value) })} />
  )

const Empty = ({ which }: { which: Inbox }) => {
  if (lists.value[which] === null) {
    return proposalsFailure.value === null ? <p class="calm quiet">{t("panel.loading")}</p> : null
  }
  return (
    <div class="calm panel">
      <CheckIcon />
      <strong>{t(`proposals.none.${which}`)}</strong>
      <span class="quiet proposal-explain">{t(`proposals.none.${which}.why`)}</span>
    </div>
  )
}

/** Escape closes what is open, unless somebody types or a dialog has the keyboard. */
const useEscape = (): void => {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const typing = event.target instanceof HTMLElement && event.target.closest("input, textarea, select") !== null
      if (event.key === "Escape" && !typing && document.querySelector("dialog[open]") === null) go({ item: null })
    }
    document.addEventListener("keydown", onKey)
    return () => document.removeEventListener("keydown", onKey)
  }, [])
}
