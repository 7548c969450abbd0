/** The triage list of alerts: Enter opens why one is there. A group's head is a row too. */
import { said } from "#client/i18n/said.ts"
import { language, t } from "#client/i18n/translate.ts"
import { closedGroups, cursor } from "#client/state/alerts.ts"
import type { GroupRow, ListRow } from "#client/state/alert-list.ts"
import { serverNowMs } from "#client/state/app.ts"
import { go } from "#client/state/route.ts"
import { AlertMark } from "#client/ui/alerts/alert-mark.tsx"
import { entityWord, markOfSeverityWord, reasonWord, siteName, untilWord } from "#client/ui/alerts/words.ts"
import { formatAge, formatDuration } from "#client/ui/format.ts"
import { GridList } from "#client/ui/grid-list.tsx"
import type { RowPlace } from "#client/ui/grid-list.tsx"
import { ChevronIcon, MarkIcon } from "#client/ui/icons.tsx"
import { Said } from "#client/ui/said.tsx"
import type { Alert } from "#protocol/rest-generated.ts"

const ROW_PX = 54
const COLUMNS = ["what", "where", "state", "told", "since"] as const
const keyOf = (row: ListRow): string => (row.kind === "group" ? row.key : row.alert.id)

export const AlertTable = ({ rows, open }: { rows: readonly ListRow[]; open: string | null }) => (
  <GridList
    name="alert"
    labelledBy="alerts-title"
    rows={rows}
    rowPx={ROW_PX}
    columns={COLUMNS.map((column) => t(`alerts.column.${column}`))}
    keyOf={keyOf}
    cursor={cursor}
    open={(row) => (row.kind === "group" ? toggle(row.key) : go({ item: row.alert.id }))}
    // An open panel follows the keyboard; a closed one waits for Enter.
    moved={(row) => {
      if (open !== null && row.kind === "alert") go({ item: row.alert.id }, true)
    }}
    onKey={(key, row) => {
      if (row.kind !== "group" || (key !== " " && key !== (row.open ? "ArrowLeft" : "ArrowRight"))) return false
      toggle(row.key)
      return true
    }}
    row={(row, place) =>
      row.kind === "group" ? (
        <Group key={row.key} row={row} place={place} />
      ) : (
        <Row key={row.alert.id} alert={row.alert} open={row.alert.id === open} place={place} />
      )
    }
  />
)

const toggle = (key: string): void => {
  const next = new Set(closedGroups.peek())
  if (!next.delete(key)) next.add(key)
  closedGroups.value = next
}

const Group = ({ row, place }: { row: GroupRow; place: RowPlace }) => (
  <div
    {...place}
    class="grid-row alert-group"
    role="row"
    aria-expanded={row.open}
    title={t(row.open ? "alerts.group.close" : "alerts.group.open", { name: said(row.title) })}
  >
    <span role="gridcell" class="grid-name">
      <ChevronIcon open={row.open} />
      <MarkIcon mark={markOfSeverityWord(row.severity)} size={12} />
      <b class="ellipsis">{said(row.title)}</b>
      <span class="count num">{row.count}</span>
    </span>
  </div>
)

const Row = ({ alert, open, place }: { alert: Alert; open: boolean; place: RowPlace }) => {
  const lang = language.value
  const now = serverNowMs.value
  const entity = entityWord(alert.entity)
  return (
    <div
      {...place}
      class={`grid-row alert-row ${alert.heldBack === null ? "" : "held-back"} ${open ? "open" : ""}`}
      role="row"
      data-id={alert.id}
    >
      <span role="gridcell" class="grid-name">
        <AlertMark alert={alert} />
        <span class="unseen">{t(`alertSeverity.${alert.severity}`)}</span>
        <span class="two">
          <b class="ellipsis" title={said(alert.summary)}>
            <Said text={alert.summary} />
          </b>
          <small class="ellipsis quiet">{said(alert.ruleName)}</small>
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
        <span class="held-chip ellipsis" title={reasonWord(heldBack)}>
          {t(`heldBack.${heldBack.by}`)}
        </span>
        <small class="quiet ellipsis">{untilWord(heldBack)}</small>
      </>
    )
  }
  return <small class="quiet">{state === "pending" ? "" : t("alerts.told")}</small>
}
