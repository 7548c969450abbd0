/**
 * The triage list as a grid: only the visible rows of thousands are in the page. One row is the keyboard's; it is moved
 * by j, k and the arrows, Enter opens why it is there. A group's head is a row too.
 */
import { useSignal } from "@preact/signals"
import { useEffect, useRef } from "preact/hooks"
import { language, t } from "#client/i18n/translate.ts"
import { closedGroups, cursor } from "#client/state/alerts.ts"
import { sliceOf, stepped } from "#client/state/alert-list.ts"
import type { GroupRow, ListRow } from "#client/state/alert-list.ts"
import { serverNowMs } from "#client/state/app.ts"
import { go } from "#client/state/route.ts"
import { AlertMark } from "#client/ui/alerts/alert-mark.tsx"
import { entityWord, markOfSeverityWord, siteName, untilWord } from "#client/ui/alerts/words.ts"
import { formatAge, formatDuration } from "#client/ui/format.ts"
import { ChevronIcon, MarkIcon } from "#client/ui/icons.tsx"
import type { Alert } from "#protocol/rest-generated.ts"

const ROW_PX = 54
const HEAD_PX = 34
const COLUMNS = ["what", "where", "state", "told", "since"] as const
const keyOf = (row: ListRow): string => (row.kind === "group" ? row.key : row.alert.id)

export const AlertTable = ({ rows, open }: { rows: readonly ListRow[]; open: string | null }) => {
  const body = useRef<HTMLDivElement>(null)
  const top = useSignal(0)
  const height = useSignal(600)
  const at = rows.findIndex((row) => keyOf(row) === cursor.value)
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
  }, [cursor.value])
  const move = (step: number) => {
    const row = rows[stepped(rows.length, at, step)]
    if (row === undefined) return
    cursor.value = keyOf(row)
    // An open panel follows the keyboard; a closed one waits for Enter.
    if (open !== null && row.kind === "alert") go({ item: row.alert.id }, true)
  }
  const act = (row: ListRow | undefined) => {
    if (row === undefined) return
    cursor.value = keyOf(row)
    if (row.kind === "group") toggle(row.key)
    else go({ item: row.alert.id })
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
    }
    const row = rows[at]
    const known = step[event.key as keyof typeof step]
    if (known !== undefined) move(known)
    else if (event.key === "Enter" || (event.key === " " && row?.kind === "group")) act(row)
    else if (row?.kind === "group" && event.key === (row.open ? "ArrowLeft" : "ArrowRight")) toggle(row.key)
    else return
    event.preventDefault()
    event.stopPropagation()
  }
  const { first, end } = sliceOf(rows.length, top.value, height.value, ROW_PX)
  return (
    <div class="alert-list" data-list>
      <div
        ref={body}
        class="grid panel alerts-grid"
        role="grid"
        tabIndex={0}
        data-row
        aria-labelledby="alerts-title"
        aria-rowcount={rows.length + 1}
        aria-activedescendant={at < 0 ? undefined : `alert-row-${at}`}
        onScroll={(event) => (top.value = event.currentTarget.scrollTop)}
        onKeyDown={onKeyDown}
        onFocus={() => {
          if (at < 0) move(1)
        }}
      >
        <div class="grid-head" role="row" aria-rowindex={1}>
          {COLUMNS.map((column) => (
            <span key={column} role="columnheader">
              {t(`alerts.column.${column}`)}
            </span>
          ))}
        </div>
        <div role="rowgroup" style={{ height: `${rows.length * ROW_PX}px` }}>
          <div role="presentation" style={{ transform: `translateY(${first * ROW_PX}px)` }}>
            {rows.slice(first, end).map((row, nth) => {
              const index = first + nth
              const place = { index, at: index === at, press: () => act(row) }
              return row.kind === "group" ? (
                <Group key={row.key} row={row} {...place} />
              ) : (
                <Row key={row.alert.id} alert={row.alert} open={row.alert.id === open} {...place} />
              )
            })}
          </div>
        </div>
      </div>
    </div>
  )
}

const toggle = (key: string): void => {
  const next = new Set(closedGroups.peek())
  if (!next.delete(key)) next.add(key)
  closedGroups.value = next
}

interface Place {
  readonly index: number
  /** The keyboard is here. */
  readonly at: boolean
  readonly press: () => void
}

const Group = ({ row, index, at, press }: { row: GroupRow } & Place) => (
  <div
    id={`alert-row-${index}`}
    class="grid-row alert-group"
    role="row"
    aria-rowindex={index + 2}
    aria-selected={at}
    aria-expanded={row.open}
    title={t(row.open ? "alerts.group.close" : "alerts.group.open", { name: row.title })}
    onClick={press}
  >
    <span role="gridcell" class="grid-name">
      <ChevronIcon open={row.open} />
      <MarkIcon mark={markOfSeverityWord(row.severity)} size={12} />
      <b class="ellipsis">{row.title}</b>
      <span class="count num">{row.count}</span>
    </span>
  </div>
)

const Row = ({ alert, open, index, at, press }: { alert: Alert; open: boolean } & Place) => {
  const lang = language.value
  const now = serverNowMs.value
  const entity = entityWord(alert.entity)
  return (
    <div
      id={`alert-row-${index}`}
      class={`grid-row alert-row ${alert.heldBack === null ? "" : "held-back"} ${open ? "open" : ""}`}
      role="row"
      aria-rowindex={index + 2}
      aria-selected={at}
      data-id={alert.id}
      onClick={press}
    >
      <span role="gridcell" class="grid-name">
        <AlertMark alert={alert} />
        <span class="unseen">{t(`alertSeverity.${alert.severity}`)}</span>
        <span class="two">
          <b class="ellipsis">{alert.summary}</b>
          <small class="ellipsis quiet">{alert.ruleName}</small>
        </span>
      </span>
      <span role="gridcell" class="two">
        <span class="ellipsis">
          {alert.deviceName}
          {entity !== "" && <span class="mono quiet"> · {entity}</span>}
        </span>
        <small class="ellipsis quiet">{siteName(alert.site)}</small>
      </span>
      <span role="gridcell" class="two">
        <span class={`alert-state state-${alert.state}`}>{t(`alertState.${alert.state}`)}</span>
        {alert.flapping && <small class="word-warning">{t("alerts.flapping")}</small>}
      </span>
      <span role="gridcell" class="two">
        <Told alert={alert} />
      </span>
      <span role="gridcell" class="two num">
        <span>{formatDuration(lang, now - alert.sinceMs)}</span>
        <small class="quiet">{t("alerts.known", { age: formatAge(lang, now - alert.knownMs) })}</small>
      </span>
    </div>
  )
}

/** Why nobody is told, or who has it. Somebody's hand weighs more than the machine's reason. */
const Told = ({ alert }: { alert: Alert }) => {
  const { ack, heldBack, state } = alert
  if (ack !== null) {
    return (
      <>
        <span class="held-chip held-ack ellipsis">{t("alerts.acked", { name: ack.by })}</span>
        <small class="quiet ellipsis">{untilWord(ack)}</small>
      </>
    )
  }
  if (heldBack !== null) {
    return (
      <>
        <span class="held-chip ellipsis" title={heldBack.reason}>
          {t(`heldBack.${heldBack.by}`)}
        </span>
        <small class="quiet ellipsis">{untilWord(heldBack)}</small>
      </>
    )
  }
  return <small class="quiet">{state === "pending" ? "" : t("alerts.told")}</small>
}
