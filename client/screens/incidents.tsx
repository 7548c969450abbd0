/** Incidents: the list that a bad night begins with, and the room of the one that is open. By keyboard j k, Enter, a g n e c. */
import { useComputed } from "@preact/signals"
import { useEffect, useLayoutEffect } from "preact/hooks"
import { language, t, tCount } from "#client/i18n/translate.ts"
import { serverNowMs, shownReplay } from "#client/state/app.ts"
import { CLOSED_ROWS } from "#client/state/closed-incidents.ts"
import { shownIncidents } from "#client/state/incident-list.ts"
import {
  closedMore,
  detail,
  foundIds,
  incidentCursor,
  incidentFilter,
  incidents,
  incidentsCut,
  incidentsFailure,
  incidentsReadMs,
  readMoreClosed,
  tally,
} from "#client/state/incidents.ts"
import { go, route } from "#client/state/route.ts"
import { session } from "#client/state/session.ts"
import { momentWord } from "#client/ui/alerts/words.ts"
import { Problem } from "#client/ui/form.tsx"
import { formatAge, formatNumber } from "#client/ui/format.ts"
import { CheckIcon } from "#client/ui/icons.tsx"
import { useIncidentActs } from "#client/ui/incidents/incident-acts.tsx"
import type { Actable } from "#client/ui/incidents/incident-acts.tsx"
import { FeedbackPanel } from "#client/ui/incidents/feedback-panel.tsx"
import { IncidentFilters } from "#client/ui/incidents/incident-filters.tsx"
import { IncidentTable } from "#client/ui/incidents/incident-table.tsx"
import { Room } from "#client/ui/incidents/room.tsx"
import { problemText } from "#client/ui/problem-text.ts"

export const IncidentsScreen = () => {
  const { item } = route.value
  const target = (): Actable | null => {
    if (item !== null) return detail.value?.id === item ? detail.value.view : null
    return incidents.value?.find(({ id }) => id === incidentCursor.value) ?? null
  }
  const { act, dialog, run } = useIncidentActs(target)
  useEffect(() => {
    if (item !== null) incidentCursor.value = item
  }, [item])
  useEscape(() => go({ item: null, tab: null }))
  return (
    <div class="single incidents-screen">
      {item === null ? (
        <List problem={act.problem} />
      ) : (
        <Room
          key={item}
          id={item}
          act={act}
          run={(wish) => {
            const on = target()
            if (on !== null) run(wish, on)
          }}
        />
      )}
      {dialog}
    </div>
  )
}

const List = ({ problem }: { problem: string | null }) => {
  const rows = useComputed(() =>
    shownIncidents(incidents.value ?? [], incidentFilter.value, session.value?.user.name ?? "", foundIds.value),
  )
  const { live, needsYou, subscribers } = tally.value
  return (
    <section class="list-side" aria-labelledby="incidents-title">
      <header class="screen-head">
        <h1 id="incidents-title">{t("incidents.title")}</h1>
        <span class="count num" data-testid="incident-count">
          {formatNumber(language.value, rows.value.length)}
        </span>
        {live > 0 && (
          <span class="incident-sum num">
            {needsYou > 0 && <b class="nobody">{tCount("incidents.needs", needsYou)}</b>}
            {subscribers !== null && <span class="quiet">{tCount("incidents.hit", subscribers)}</span>}
          </span>
        )}
        <span class="quiet alerts-keys">{t("incidents.keys")}</span>
        <IncidentFilters />
      </header>
      <Stale />
      <Problem text={problem} />
      {incidentsCut.value !== null && <p class="quiet pad">{t("alerts.cut", { count: incidentsCut.value })}</p>}
      {incidentFilter.value.state === "closed" && <FeedbackPanel />}
      {rows.value.length > 0 ? <IncidentTable rows={rows.value} /> : <Nothing />}
      <More />
    </section>
  )
}

/** The engine does not count what is over: there is more, or there is not. */
const More = () => {
  const more = closedMore.value
  if (more === null) return null
  const count = formatNumber(language.value, more.shown)
  return (
    <p class="quiet incidents-more" data-testid="closed-more">
      {t(more.isFull ? "incidents.more.full" : "incidents.more", { count })}{" "}
      {!more.isFull && (
        <button type="button" class="text-button" onClick={() => void readMoreClosed()}>
          {t("incidents.more.read", { count: formatNumber(language.value, CLOSED_ROWS) })}
        </button>
      )}
    </p>
  )
}

/** Quiet is a statement, so it says when it was last looked. */
const Nothing = () => {
  const readMs = incidentsReadMs.value
  if (incidents.value === null) {
    return <p class="calm quiet">{incidentsFailure.value === null ? t("panel.loading") : t("incidents.unread")}</p>
  }
  const looked =
    readMs === null
      ? ""
      : t("incidents.looked", { time: momentWord(readMs), age: formatAge(language.value, serverNowMs.value - readMs) })
  const { state } = incidentFilter.value
  if (incidents.value.length > 0 || (state !== "live" && state !== "all")) {
    return (
      <div class="calm quiet">
        <span>{t("incidents.none.match")}</span>
        <span class="num">{looked}</span>
      </div>
    )
  }
  return (
    <div class="calm" data-testid="incidents-quiet">
      <CheckIcon />
      <strong>{t("incidents.none")}</strong>
      <span class="quiet">{t("incidents.none.detail")}</span>
      <span class="quiet num">{looked}</span>
    </div>
  )
}

const Stale = () => {
  const failure = incidentsFailure.value
  if (failure === null && shownReplay.value === null) return null
  const readMs = incidentsReadMs.value
  const age = readMs === null ? "—" : formatAge(language.value, serverNowMs.value - readMs)
  return failure === null ? null : <Problem text={t("alerts.failed", { age, reason: problemText(failure) })} />
}

/** Escape leaves the room, unless somebody types or a dialog has the keyboard. Before the first paint: what is seen can be left. */
const useEscape = (close: () => void): void => {
  useLayoutEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const busy =
        event.target instanceof HTMLElement && event.target.closest("input, textarea, select, dialog") !== null
      if (event.key === "Escape" && !busy && document.querySelector("dialog[open]") === null) close()
    }
    document.addEventListener("keydown", onKey)
    return () => document.removeEventListener("keydown", onKey)
  }, [])
}
