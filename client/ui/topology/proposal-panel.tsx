/** One proposal: both ends on the map with the line that would be, what speaks for it and against, and the decision. */
import { useComputed } from "@preact/signals"
import { language, t } from "#client/i18n/translate.ts"
import { serverNowMs, twin } from "#client/state/app.ts"
import { can } from "#client/state/places.ts"
import { decideWish } from "#client/state/proposals.ts"
import { hurdleOf } from "#client/state/proposals-list.ts"
import type { Proposal } from "#client/state/proposals-list.ts"
import { go } from "#client/state/route.ts"
import { formatAge, formatBps, formatMoment, roleName } from "#client/ui/format.ts"
import { CloseIcon } from "#client/ui/icons.tsx"
import { Said } from "#client/ui/said.tsx"
import { ConfidenceBar } from "#client/ui/topology/confidence-bar.tsx"
import { OverMap } from "#client/ui/whatif/over-map.tsx"
import { paintProposed } from "#client/ui/whatif/paint.ts"
import type { LinkProposal, RoleProposal } from "#protocol/rest-generated.ts"

export const ProposalPanel = ({ proposal }: { proposal: Proposal }) => {
  const { row } = proposal
  return (
    <aside class="proposal-panel panel" data-testid="proposal" aria-labelledby="proposal-title">
      <Ground proposal={proposal} />
      <header class="panel-head">
        <div class="panel-title">
          <h2 id="proposal-title">{titleOf(proposal)}</h2>
          <button
            type="button"
            class="icon-button"
            aria-label={t("panel.close")}
            title={t("panel.close")}
            onClick={() => go({ item: null })}
          >
            <CloseIcon />
          </button>
        </div>
        <p class="panel-state">
          <ConfidenceBar confidence={row.confidence} />
          {row.state !== "open" && <span class="chip">{t(`proposals.${row.state}`)}</span>}
        </p>
      </header>
      <div class="panel-body" tabIndex={0} role="group" aria-labelledby="proposal-title">
        {row.state === "open" && <Acts proposal={proposal} />}
        <Decided row={row} />
        {proposal.kind === "link" ? <LinkBody row={proposal.row} /> : <RoleBody row={proposal.row} />}
      </div>
    </aside>
  )
}

const titleOf = (proposal: Proposal): string =>
  proposal.kind === "link"
    ? `${proposal.row.a.deviceName} ↔ ${proposal.row.b.deviceName}`
    : t("proposals.role.title", { name: proposal.row.device.name, role: roleName(proposal.row.role) })

const Ground = ({ proposal }: { proposal: Proposal }) => {
  const ids = proposal.kind === "link" ? [proposal.row.a.device, proposal.row.b.device] : [proposal.row.device.id]
  const state = twin.value
  const slots = ids.map((id) => state?.nodeById.get(id) ?? null)
  const key = slots.join(" ")
  const paint = useComputed(() => {
    void twin.value?.epoch
    return paintProposed(slots[0] ?? null, slots[1] ?? null)
  })
  return (
    <div class="proposal-map">
      <OverMap
        key={proposal.kind}
        label={t("proposals.map", { name: titleOf(proposal) })}
        paint={paint.value}
        veiled={true}
        extent={slots.filter((slot) => slot !== null)}
        extentKey={key}
        pick={null}
      />
    </div>
  )
}

const Acts = ({ proposal }: { proposal: Proposal }) => {
  if (!can("proposalDecide")) return <p class="quiet pad proposal-may">{t("proposals.needs")}</p>
  const hurdle = hurdleOf(proposal)
  const button = (wish: "accept" | "reject" | "edit", key: string, kind: string) => (
    <button type="button" class={kind} onClick={() => (decideWish.value = wish)}>
      {t(`proposals.${wish}`)} <kbd>{key}</kbd>
    </button>
  )
  return (
    <div class="proposal-acts">
      <div class="row-line">
        {button("accept", "y", "primary")}
        {button("reject", "x", "button danger-text")}
        {proposal.kind === "link" && button("edit", "e", "button")}
      </div>
      {hurdle !== "none" && <p class="quiet">{t(`proposals.hurdle.${hurdle}.why`)}</p>}
    </div>
  )
}

const Decided = ({ row: { decided, state } }: { row: LinkProposal | RoleProposal }) =>
  decided === null ? null : (
    <section class="block" data-testid="decided">
      <h3>{t("proposals.decided")}</h3>
      <p>
        <b>{t(state === "accepted" ? "proposals.accepted" : "proposals.rejected")}</b>{" "}
        {t("proposals.by", { name: decided.by, age: formatAge(language.value, serverNowMs.value - decided.atMs) })}
        <span class="quiet num"> · {formatMoment(language.value, decided.atMs)}</span>
      </p>
      {decided.note !== "" && <p class="proposal-note">{decided.note}</p>}
    </section>
  )

const LinkBody = ({ row }: { row: LinkProposal }) => (
  <>
    <section class="block">
      <h3>{t("link.ends")}</h3>
      <div class="ends">
        {(
          [
            ["A", row.a],
            ["B", row.b],
          ] as const
        ).map(([letter, end]) => (
          <div key={letter} class="end">
            <span class="quiet">{t("link.end", { letter })}</span>
            <b>{end.deviceName}</b>
            <span class="mono">{end.interface ?? t("proposals.port.unknown")}</span>
          </div>
        ))}
      </div>
      <p class="proposal-speed">
        {t("proposals.speed")}: <b class="num">{formatBps(language.value, row.speedBps)}</b>
      </p>
      {row.link !== null && (
        <button
          type="button"
          class="text-button"
          onClick={() =>
            go({ screen: "map", tab: null, item: null, selection: { kind: "link", id: row.link?.id ?? "" } })
          }
        >
          {t("proposals.open.link", { name: row.link.name })}
        </button>
      )}
    </section>
    {row.contradicts !== null && (
      <section class="block">
        <p class="held-box proposal-moves">
          <b>{t("proposals.contradicts")}</b>
          {row.contradicts.name}
        </p>
      </section>
    )}
    <Evidence row={row} />
    {row.against !== null && (
      <section class="block">
        <h3>{t("proposals.against")}</h3>
        <p class="proposal-against">
          <Said text={row.against} lead />
        </p>
      </section>
    )}
  </>
)

const Evidence = ({ row: { evidence } }: { row: LinkProposal }) => (
  <section class="block">
    <h3>
      {t("proposals.evidence")} <span class="count num">{evidence.length}</span>
    </h3>
    <ul class="evidence">
      {evidence.map(({ kind, text, weight }, at) => (
        <li key={at}>
          <span class="chip">{kind}</span>
          <span class="grow">
            <Said text={text} />
          </span>
          <meter min={0} max={1} value={weight} aria-label={t("proposals.weight", { weight: weight.toFixed(2) })} />
        </li>
      ))}
    </ul>
  </section>
)

const RoleBody = ({ row }: { row: RoleProposal }) => (
  <section class="block">
    <h3>{t("proposals.because")}</h3>
    <p>
      <Said text={row.because} lead />
    </p>
    <p class="proposal-speed">
      {t("proposals.declared")}: <b>{row.declared.length === 0 ? "—" : row.declared.map(roleName).join(", ")}</b>
    </p>
    <button
      type="button"
      class="text-button"
      onClick={() => go({ screen: "map", tab: null, item: null, selection: { kind: "device", id: row.device.id } })}
    >
      {t("drift.open.device")}
    </button>
  </section>
)
