/** The rows of the inbox: by keyboard j and k move, Enter opens, y accepts, x rejects, e corrects the ends. */
import { language, t } from "#client/i18n/translate.ts"
import { serverNowMs } from "#client/state/app.ts"
import { decideWish, proposalCursor } from "#client/state/proposals.ts"
import { hurdleOf } from "#client/state/proposals-list.ts"
import type { Proposal } from "#client/state/proposals-list.ts"
import { go } from "#client/state/route.ts"
import { formatAge, roleName } from "#client/ui/format.ts"
import { Said } from "#client/ui/said.tsx"
import { ConfidenceBar } from "#client/ui/topology/confidence-bar.tsx"
import { Fragment } from "preact"
import { useEffect, useRef } from "preact/hooks"

const STEP: Readonly<Record<string, number>> = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, PageDown: 10, PageUp: -10 }
const WISH = { y: "accept", x: "reject", e: "edit" } as const
/** Rows in the page; beyond it the surest are enough for an evening. */
export const ROWS_SHOWN = 400

export const ProposalList = ({ rows, open }: { rows: readonly Proposal[]; open: string | null }) => {
  const body = useRef<HTMLDivElement>(null)
  const at = rows.findIndex(({ id }) => id === proposalCursor.value)
  useEffect(() => {
    body.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" })
  }, [proposalCursor.value])
  const move = (step: number) => {
    const row = rows[Math.max(0, Math.min(rows.length - 1, at < 0 ? 0 : at + step))]
    if (row === undefined) return
    proposalCursor.value = row.id
    if (open !== null) go({ item: row.id }, true)
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    const step = STEP[event.key]
    const wish = WISH[event.key as keyof typeof WISH]
    const row = rows[at]
    if (step !== undefined) move(step)
    else if (event.key === "Home") move(-rows.length)
    else if (event.key === "End") move(rows.length)
    else if (event.key === "Enter" && row !== undefined) go({ item: row.id })
    else if (wish !== undefined) decideWish.value = wish
    else return
    event.preventDefault()
    event.stopPropagation()
  }
  return (
    <div class="proposal-list panel" data-list>
      <div
        ref={body}
        class="grid proposals-grid"
        role="grid"
        tabIndex={0}
        data-row
        aria-labelledby="topology-title"
        aria-rowcount={rows.length}
        aria-activedescendant={at < 0 ? undefined : `proposal-${at}`}
        onKeyDown={onKeyDown}
        onFocus={() => {
          if (at < 0) move(0)
        }}
      >
        {rows.slice(0, ROWS_SHOWN).map((row, index) => (
          <Row key={row.id} proposal={row} index={index} at={index === at} open={row.id === open} />
        ))}
      </div>
      {rows.length > ROWS_SHOWN && <p class="quiet pad">{t("whatif.more", { count: rows.length - ROWS_SHOWN })}</p>}
    </div>
  )
}

const Row = (props: { proposal: Proposal; index: number; at: boolean; open: boolean }) => {
  const { proposal, index } = props
  const { decided, state, confidence } = proposal.row
  const hurdle = hurdleOf(proposal)
  return (
    <div
      id={`proposal-${index}`}
      class={`proposal-row ${props.open ? "open" : ""}`}
      role="row"
      aria-rowindex={index + 1}
      aria-selected={props.at}
      data-id={proposal.id}
      onClick={() => {
        proposalCursor.value = proposal.id
        go({ item: proposal.id })
      }}
    >
      <span role="gridcell" class="proposal-what">
        {proposal.kind === "link" ? (
          <>
            <End end={proposal.row.a} /> <span class="quiet proposal-dash">┄</span> <End end={proposal.row.b} />
          </>
        ) : (
          <>
            <b>{proposal.row.device.name}</b> <span class="quiet">→</span> {roleName(proposal.row.role)}
          </>
        )}
        <span class="proposal-detail quiet">
          {decided === null ? (
            reasonsOf(proposal).map((text, at) => (
              <Fragment key={at}>
                {at > 0 && " · "}
                <Said text={text} />
              </Fragment>
            ))
          ) : (
            <>
              <span class={state === "accepted" ? "word-accepted" : "word-rejected"}>{t(`proposals.${state}`)}</span>{" "}
              {t("proposals.by", {
                name: decided.by,
                age: formatAge(language.value, serverNowMs.value - decided.atMs),
              })}
              {decided.note !== "" && ` · ${decided.note}`}
            </>
          )}
        </span>
      </span>
      <span role="gridcell" class="proposal-sure">
        <ConfidenceBar confidence={confidence} />
        {decided === null && hurdle !== "none" && (
          <span class={`chip ${hurdle === "moves" ? "word-major" : ""}`}>{t(`proposals.hurdle.${hurdle}`)}</span>
        )}
      </span>
    </div>
  )
}

const End = ({ end }: { end: { readonly deviceName: string; readonly interface: string | null } }) => (
  <span class="proposal-end">
    <b>{end.deviceName}</b> <span class="mono quiet">{end.interface ?? "?"}</span>
  </span>
)

const reasonsOf = (proposal: Proposal): readonly string[] =>
  proposal.kind === "role"
    ? [proposal.row.because]
    : proposal.row.evidence
        .toSorted((a, b) => b.weight - a.weight)
        .slice(0, 2)
        .map(({ text }) => text)
