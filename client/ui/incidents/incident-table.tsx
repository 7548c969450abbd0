/** The triage list of incidents: Enter opens the room. */
import { headline } from "#client/i18n/said.ts"
import { language, t, tCount } from "#client/i18n/translate.ts"
import { serverNowMs } from "#client/state/app.ts"
import { incidentCursor } from "#client/state/incidents.ts"
import { go } from "#client/state/route.ts"
import { untilWord } from "#client/ui/alerts/words.ts"
import { formatDuration, formatPercent } from "#client/ui/format.ts"
import { GridList } from "#client/ui/grid-list.tsx"
import type { RowPlace } from "#client/ui/grid-list.tsx"
import { IncidentMark, SureBar } from "#client/ui/incidents/incident-mark.tsx"
import { causeBeside, customersWord, knownWord, sureWord, whatWord } from "#client/ui/incidents/words.ts"
import { Said } from "#client/ui/said.tsx"
import type { IncidentRow } from "#protocol/incident.ts"

const ROW_PX = 62
const COLUMNS = ["what", "impact", "sure", "who", "since"] as const

export const IncidentTable = ({ rows }: { rows: readonly IncidentRow[] }) => (
  <GridList
    name="incident"
    class="incidents-grid"
    labelledBy="incidents-title"
    rows={rows}
    rowPx={ROW_PX}
    columns={COLUMNS.map((column) => t(`incidents.column.${column}`))}
    keyOf={({ id }) => id}
    cursor={incidentCursor}
    open={({ id }) => go({ item: id })}
    row={(row, place) => <Row key={row.id} row={row} place={place} />}
  />
)

const Row = ({ row, place }: { row: IncidentRow; place: RowPlace }) => {
  const { cause, suppressed } = row
  const detail = [causeBeside(row), whatWord(row), suppressed > 0 ? tCount("incident.folded", suppressed) : null]
  return (
    <div
      {...place}
      class={`grid-row incident-row ${row.ack !== null || row.state !== "open" ? "held-back" : ""}`}
      role="row"
      data-id={row.id}
    >
      <span role="gridcell" class="grid-name">
        <IncidentMark row={row} size={18} />
        <span class="unseen">{t(`alertSeverity.${row.severity}`)}</span>
        <span class="two">
          <b class="ellipsis" title={headline(row.title)}>
            <Said text={row.title} head />
          </b>
          <small class="ellipsis quiet">{detail.filter((part) => part !== null).join(" · ")}</small>
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
