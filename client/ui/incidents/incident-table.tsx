/**
 * The triage list as a grid: only the visible rows of thousands are in the page. One row is the keyboard's, moved by j, k
 * and the arrows; Enter opens the room.
 */
import { useSignal } from "@preact/signals"
import { useEffect, useRef } from "preact/hooks"
import { language, t, tCount } from "#client/i18n/translate.ts"
import { sliceOf, stepped } from "#client/state/alert-list.ts"
import { serverNowMs } from "#client/state/app.ts"
import { incidentCursor } from "#client/state/incidents.ts"
import { go } from "#client/state/route.ts"
import { untilWord } from "#client/ui/alerts/words.ts"
import { formatDuration, formatPercent } from "#client/ui/format.ts"
import { IncidentMark, SureBar } from "#client/ui/incidents/incident-mark.tsx"
import { causeName, customersWord, knownWord, sureWord } from "#client/ui/incidents/words.ts"
import type { IncidentRow } from "#protocol/incident.ts"

const ROW_PX = 62
const HEAD_PX = 34
const COLUMNS = ["what", "impact", "sure", "who", "since"] as const

export const IncidentTable = ({ rows }: { rows: readonly IncidentRow[] }) => {
  const body = useRef<HTMLDivElement>(null)
  const top = useSignal(0)
  const height = useSignal(600)
  const at = rows.findIndex(({ id }) => id === incidentCursor.value)
  useEffect(() => {
    const element = body.current
    if (element === null) return
    const resized = new ResizeObserver(() => (height.value = element.clientHeight))
    resized.observe(element)
    return () => resized.disconnect()
  }, [])
  useEffect(() => {
    const element = body.current
    if (element === null || at < 0) return
    const y = at * ROW_PX
    if (y < element.scrollTop) element.scrollTop = y
    else if (y + ROW_PX + HEAD_PX > element.scrollTop + element.clientHeight) {
      element.scrollTop = y + ROW_PX + HEAD_PX - element.clientHeight
    }
  }, [incidentCursor.value])
  const move = (step: number) => {
    const row = rows[stepped(rows.length, at, step)]
    if (row !== undefined) incidentCursor.value = row.id
  }
  const open = (row: IncidentRow | undefined) => {
    if (row === undefined) return
    incidentCursor.value = row.id
    go({ item: row.id })
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    const page = Math.max(1, Math.floor(height.value / ROW_PX) - 1)
    const step = {
      ArrowDown: 1,
      j: 1,
      ArrowUp: -1,
      k: -1,
      PageDown: page,
      PageUp: -page,
      Home: -rows.length,
      End: rows.length,
    }[event.key]
    if (step !== undefined) move(step)
    else if (event.key === "Enter") open(rows[at])
    else return
    event.preventDefault()
    event.stopPropagation()
  }
  const { first, end } = sliceOf(rows.length, top.value, height.value, ROW_PX)
  return (
    <div class="alert-list" data-list>
      <div
        ref={body}
        class="grid panel alerts-grid incidents-grid"
        role="grid"
        tabIndex={0}
        data-row
        aria-labelledby="incidents-title"
        aria-rowcount={rows.length + 1}
        aria-activedescendant={at < 0 ? undefined : `incident-row-${at}`}
        onScroll={(event) => (top.value = event.currentTarget.scrollTop)}
        onKeyDown={onKeyDown}
        onFocus={() => {
          if (at < 0) move(1)
        }}
      >
        <div class="grid-head" role="row" aria-rowindex={1}>
          {COLUMNS.map((column) => (
            <span key={column} role="columnheader">
              {t(`incidents.column.${column}`)}
            </span>
          ))}
        </div>
        <div role="rowgroup" style={{ height: `${rows.length * ROW_PX}px` }}>
          <div role="presentation" style={{ transform: `translateY(${first * ROW_PX}px)` }}>
            {rows.slice(first, end).map((row, nth) => (
              <Row key={row.id} row={row} index={first + nth} at={first + nth === at} press={() => open(row)} />
            ))}
          </div>
        </div>
      </div>
    </div>
  )
}

const Row = (props: { row: IncidentRow; index: number; at: boolean; press: () => void }) => {
  const { row, index, at, press } = props
  const { cause, suppressed } = row
  return (
    <div
      id={`incident-row-${index}`}
      class={`grid-row incident-row ${row.ack !== null || row.state !== "open" ? "held-back" : ""}`}
      role="row"
      aria-rowindex={index + 2}
      aria-selected={at}
      data-id={row.id}
      onClick={press}
    >
      <span role="gridcell" class="grid-name">
        <IncidentMark row={row} size={18} />
        <span class="unseen">{t(`alertSeverity.${row.severity}`)}</span>
        <span class="two">
          <b class="ellipsis">{row.title}</b>
          <small class="ellipsis quiet">
            {cause === null ? t("incident.cause.unknown") : causeName(cause.members)}
            {suppressed > 0 && ` · ${tCount("incident.folded", suppressed)}`}
          </small>
        </span>
      </span>
      <span role="gridcell" class="two">
        <Impact row={row} />
      </span>
      <span role="gridcell" class="two">
        {cause === null ? (
          <small class="quiet">{t("incident.sure.none")}</small>
        ) : (
          <>
            <span class="num">{sureWord(cause.confidence)}</span>
            <SureBar confidence={cause.confidence} />
          </>
        )}
      </span>
      <span role="gridcell" class="two">
        <Who row={row} />
      </span>
      <span role="gridcell" class="two num">
        <span>{formatDuration(language.value, (row.endsAtMs ?? serverNowMs.value) - row.startsAtMs)}</span>
        <small class={`incident-state state-${row.state}`}>{t(`incidents.state.${row.state}`)}</small>
      </span>
    </div>
  )
}

const Impact = ({ row: { impact } }: { row: IncidentRow }) => {
  const { subscribers, subscribersPart, sites, devices } = impact
  return (
    <>
      <span class="num" title={subscribers === null ? "" : knownWord(subscribers, serverNowMs.value)}>
        {subscribers === null ? (
          <span class="quiet">{t("incident.customers.unknown")}</span>
        ) : (
          <>
            <b>{customersWord(subscribers)}</b> {t("incident.customers")}
            {subscribersPart !== null && (
              <span class="quiet"> · {formatPercent(language.value, subscribersPart * 100)}</span>
            )}
          </>
        )}
      </span>
      <small class="quiet num">
        {tCount("incident.sites", sites)} · {tCount("incident.devices", devices)}
      </small>
    </>
  )
}

/** Who has it; when nobody has, that is what the eye must find. */
const Who = ({ row: { ack, assignee, escalated, during, state } }: { row: IncidentRow }) => (
  <>
    <span class="row-line tight">
      {assignee !== null && <span class="held-chip held-ack ellipsis">{assignee}</span>}
      {assignee === null && ack !== null && (
        <span class="held-chip held-ack ellipsis">{t("alerts.acked", { name: ack.by })}</span>
      )}
      {assignee === null && ack === null && state !== "closed" && <b class="nobody">{t("incident.nobody")}</b>}
      {escalated && <span class="chip word-critical">{t("incident.escalated")}</span>}
    </span>
    <span class="row-line tight">
      {during !== null && <span class="held-chip">{t(`incident.during.${during}`)}</span>}
      {ack !== null && state !== "closed" && <small class="quiet ellipsis">{untilWord(ack)}</small>}
    </span>
  </>
)
