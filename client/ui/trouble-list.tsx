/** The side list: what is wrong now, worst first, and what happened last. It is the map's twin in text. */
import { language, t, tCount } from "#client/i18n/translate.ts"
import { serverNowMs, shownReplay, staleReason, trouble, twin } from "#client/state/app.ts"
import { TROUBLE_ROWS } from "#client/state/limits.ts"
import { go } from "#client/state/route.ts"
import type { TroubleRow } from "#client/state/trouble.ts"
import { eventText, markOfSeverity, subjectName } from "#client/ui/event-text.ts"
import { formatAge, formatDuration } from "#client/ui/format.ts"
import { CheckIcon, MarkIcon } from "#client/ui/icons.tsx"
import { IncidentSide, sideTaken } from "#client/ui/incidents/incident-side.tsx"

const RECENT_EVENTS = 6

export const TroubleList = () => (
  <aside class="side panel" data-taken aria-labelledby={sideTaken() ? "side-incidents" : "trouble-title"}>
    <IncidentSide />
    {!sideTaken() && <Trouble />}
  </aside>
)

const Trouble = () => {
  const rows = trouble.value
  const shown = rows.slice(0, TROUBLE_ROWS)
  return (
    <>
      <header class="side-head">
        <h2 id="trouble-title">{t(shownReplay.value === null ? "trouble.title" : "replay.then")}</h2>
        {rows.length > 0 && <span class="count num">{rows.length}</span>}
      </header>
      {twin.value === null ? (
        <p class="calm quiet">{t("trouble.waiting")}</p>
      ) : rows.length === 0 && staleReason.value !== null ? (
        <p class="calm quiet">{t("trouble.none.stale")}</p>
      ) : rows.length === 0 ? (
        <div class="calm">
          <CheckIcon />
          <strong>{t("trouble.none")}</strong>
          <span class="quiet">{t("trouble.none.detail")}</span>
        </div>
      ) : (
        <ul class="rows" data-list data-testid="trouble">
          {shown.map((row) => (
            <li key={row.id}>
              <Row row={row} />
            </li>
          ))}
          {rows.length > shown.length && (
            <li class="more quiet">{t("trouble.more", { count: rows.length - shown.length })}</li>
          )}
        </ul>
      )}
      <RecentEvents />
    </>
  )
}

const Row = ({ row }: { row: TroubleRow }) => {
  const lang = language.value
  const now = serverNowMs.value
  return (
    <button
      type="button"
      class="row"
      data-row
      data-id={row.id}
      onClick={() => go({ selection: { kind: row.kind, id: row.id } })}
    >
      <MarkIcon mark={row.mark} />
      <span class="row-main">
        <span class="row-title">{row.title}</span>
        <span class="row-detail">
          <span class={`word-${row.mark}`}>{t(`health.${row.health}`)}</span>
          {row.cause !== null && <span>{eventText(row.cause)}</span>}
          {row.cause === null && row.seenS !== null && <span>{lastSeen(row.seenS, now)}</span>}
          {row.folded > 0 && <span>{tCount("trouble.folded", row.folded)}</span>}
          <span>{row.site}</span>
        </span>
      </span>
      {row.sinceMs !== null && <time class="num quiet">{formatDuration(lang, now - row.sinceMs)}</time>}
    </button>
  )
}

const lastSeen = (seenS: number, nowMs: number): string =>
  seenS === 0
    ? t("trouble.neverSeen")
    : t("trouble.lastSeen", { age: formatAge(language.value, nowMs - seenS * 1_000) })

const RecentEvents = () => {
  const state = twin.value
  const events = (state?.events ?? []).slice(-RECENT_EVENTS).reverse()
  return (
    <section class="recent" aria-labelledby="recent-title">
      <header class="side-head">
        <h3 id="recent-title">{t("events.recent")}</h3>
        <button type="button" class="text-button" onClick={() => go({ screen: "events" })}>
          {t("events.all")}
        </button>
      </header>
      {events.length === 0 && <p class="quiet pad">{t("events.none")}</p>}
      <ul class="event-rows">
        {events.map((event) => (
          <li key={event.id}>
            <MarkIcon mark={markOfSeverity(event.severity)} size={10} />
            <span class="row-main">
              <span class="ellipsis">{eventText(event)}</span>
              <span class="quiet ellipsis">{subjectName(event, state)}</span>
            </span>
            <time class="num quiet">{formatDuration(language.value, serverNowMs.value - event.atMs)}</time>
          </li>
        ))}
      </ul>
    </section>
  )
}
