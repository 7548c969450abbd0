/** What fires now: a triage list, worst first, and beside it why. Live by the stream; by keyboard j k, Enter, a, m. */
import { useComputed, useSignal, useSignalEffect } from "@preact/signals"
import { useEffect } from "preact/hooks"
import { language, t } from "#client/i18n/translate.ts"
import { rowsOf, shownAlerts } from "#client/state/alert-list.ts"
import {
  actWish,
  alertFilter,
  alerts,
  alertsCut,
  alertsFailure,
  alertsReadMs,
  closedGroups,
  cursor,
  grouping,
} from "#client/state/alerts.ts"
import { serverNowMs } from "#client/state/app.ts"
import { can } from "#client/state/places.ts"
import { LIST_ROWS } from "#client/state/pages.ts"
import { go, route } from "#client/state/route.ts"
import { useAct } from "#client/ui/ask.ts"
import { MuteDialog, takeOrGive } from "#client/ui/alerts/alert-acts.tsx"
import { AlertFilters } from "#client/ui/alerts/alert-filters.tsx"
import { AlertTable } from "#client/ui/alerts/alert-table.tsx"
import { WhyPanel } from "#client/ui/alerts/why-panel.tsx"
import { siteName } from "#client/ui/alerts/words.ts"
import { Problem } from "#client/ui/form.tsx"
import { formatAge, formatNumber } from "#client/ui/format.ts"
import { CheckIcon } from "#client/ui/icons.tsx"
import { problemText } from "#client/ui/problem-text.ts"
import type { Alert } from "#protocol/rest-generated.ts"

export const AlertsScreen = () => {
  const muting = useSignal<Alert | null>(null)
  const act = useAct()
  const shown = useComputed(() => shownAlerts(alerts.value ?? [], alertFilter.value, siteName))
  const rows = useComputed(() => rowsOf(shown.value, grouping.value, closedGroups.value))
  const { item } = route.value
  useEffect(() => {
    if (item !== null) cursor.value = item
  }, [item])
  useSignalEffect(() => {
    const wish = actWish.value
    if (wish === null) return
    actWish.value = null
    const alert = alerts.peek()?.find(({ id }) => id === cursor.peek())
    if (alert === undefined || !can("alertAck")) return
    if (wish === "ack") takeOrGive(act, alert)
    else muting.value = alert
  })
  useEscape(() => go({ item: null }))
  return (
    <div class={item === null ? "single" : "split alerts-split"}>
      <section class="list-side" aria-labelledby="alerts-title">
        <header class="screen-head">
          <h1 id="alerts-title">{t("alerts.title")}</h1>
          <span class="count num" data-testid="alert-count">
            {formatNumber(language.value, shown.value.length)}
          </span>
          <span class="quiet alerts-keys">{t("alerts.keys")}</span>
          <AlertFilters />
        </header>
        <Stale />
        <Problem text={act.problem} />
        {alertsCut.value && <p class="quiet pad">{t("alerts.cut", { count: LIST_ROWS })}</p>}
        {rows.value.length > 0 ? <AlertTable rows={rows.value} open={item} /> : <Nothing />}
      </section>
      {item !== null && <WhyPanel key={item} id={item} mute={(alert) => (muting.value = alert)} />}
      {muting.value !== null && <MuteDialog alert={muting.value} close={() => (muting.value = null)} />}
    </div>
  )
}

const Nothing = () => {
  if (alerts.value === null) return <p class="calm quiet">{t("panel.loading")}</p>
  if (alerts.value.length > 0) return <p class="calm quiet">{t("alerts.none.match")}</p>
  return (
    <div class="calm">
      <CheckIcon />
      <strong>{t("alerts.none")}</strong>
      <span class="quiet">{t("alerts.none.detail")}</span>
    </div>
  )
}

/** A list that could not be read again says how old it is. */
const Stale = () => {
  const failure = alertsFailure.value
  if (failure === null) return null
  const age = alertsReadMs.value === null ? "—" : formatAge(language.value, serverNowMs.value - alertsReadMs.value)
  return <Problem text={t("alerts.failed", { age, reason: problemText(failure) })} />
}

/** Escape closes what is open, unless somebody types or a dialog has the keyboard. */
const useEscape = (close: () => void): void => {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const busy =
        event.target instanceof HTMLElement && event.target.closest("input, textarea, select, dialog") !== null
      if (event.key === "Escape" && !busy && document.querySelector("dialog[open]") === null) close()
    }
    document.addEventListener("keydown", onKey)
    return () => document.removeEventListener("keydown", onKey)
  }, [])
}
