/** What happened: the stream's newest events on top, older ones from the engine's list on request. */
import { useComputed, useSignal } from "@preact/signals"
import { language, t } from "#client/i18n/translate.ts"
import { call } from "#client/state/api.ts"
import { serverNowMs, twin } from "#client/state/app.ts"
import { go } from "#client/state/route.ts"
import { plain } from "#client/state/search.ts"
import { eventText, markOfSeverity, subjectName, twinSays } from "#client/ui/event-text.ts"
import { formatTime } from "#client/ui/format.ts"
import { MarkIcon } from "#client/ui/icons.tsx"
import { Said } from "#client/ui/said.tsx"
import type { EventView } from "#protocol/view.ts"

const PAGE = 100

export const EventsScreen = () => {
  const older = useSignal<readonly EventView[]>([])
  const cursor = useSignal<string | null | undefined>(undefined)
  const problem = useSignal<string | null>(null)
  const filter = useSignal("")
  const rows = useComputed(() => {
    const state = twin.value
    const live = [...(state?.events ?? [])].reverse()
    const known = new Set(live.map(({ id }) => id))
    const all = [...live, ...older.value.filter(({ id }) => !known.has(id))]
    const words = plain(filter.value).split(/\s+/).filter(Boolean)
    if (words.length === 0) return all
    return all.filter((event) => {
      const text = plain(`${eventText(event)} ${subjectName(event, state)} ${event.raw ?? ""}`)
      return words.every((word) => text.includes(word))
    })
  })
  const loadOlder = async () => {
    const answer = await call("past.events", { query: { limit: PAGE, cursor: cursor.value ?? undefined } })
    problem.value = answer.ok ? null : t("events.failed", { reason: answer.reason })
    if (!answer.ok) return
    older.value = [...older.value, ...answer.value.items]
    cursor.value = answer.value.next
  }
  return (
    <div class="single">
      <header class="screen-head">
        <h1>{t("events.title")}</h1>
        <span class="count num">{rows.value.length}</span>
        <input
          class="filter"
          type="search"
          aria-label={t("events.filter")}
          placeholder={t("events.filter")}
          value={filter.value}
          onInput={(event) => (filter.value = event.currentTarget.value)}
        />
      </header>
      <div class="event-list panel" tabIndex={0} role="region" aria-label={t("events.title")}>
        {rows.value.length === 0 ? (
          <p class="calm quiet">{t("events.none")}</p>
        ) : (
          <table class="table">
            <thead>
              <tr>
                <th>{t("events.column.time")}</th>
                <th>{t("events.column.severity")}</th>
                <th>{t("events.column.subject")}</th>
                <th>{t("events.column.what")}</th>
              </tr>
            </thead>
            <tbody data-list>
              {rows.value.map((event) => (
                <EventRow key={event.id} event={event} />
              ))}
            </tbody>
          </table>
        )}
        {problem.value !== null && (
          <p class="problem" role="alert">
            {problem.value}
          </p>
        )}
        {cursor.value !== null && (
          <button type="button" class="text-button older" onClick={() => void loadOlder()}>
            {t("events.older")}
          </button>
        )}
      </div>
    </div>
  )
}

/** What the network said, as it said it; what the twin said, in the reader's language. */
const Raw = ({ event }: { event: EventView }) => {
  if (event.raw === null) return null
  if (event.source !== "twin") return <code class="raw">{event.raw}</code>
  const says = twinSays(event)
  return says === null ? null : (
    <small class="cell-detail quiet">
      <Said text={says} />
    </small>
  )
}

const EventRow = ({ event }: { event: EventView }) => {
  const kind = event.subjectKind
  const name = subjectName(event, twin.value)
  return (
    <tr>
      <td class="num">{formatTime(language.value, event.atMs, serverNowMs.value)}</td>
      <td>
        <MarkIcon mark={markOfSeverity(event.severity)} size={11} /> {t(`severity.${event.severity}`)}
      </td>
      <td>
        {kind === "tenant" ? (
          name
        ) : (
          <button
            type="button"
            class="text-button strong"
            data-row
            onClick={() => go({ screen: "map", selection: { kind, id: event.subject } })}
          >
            {name}
          </button>
        )}
      </td>
      <td>
        {eventText(event)} <span class="quiet">· {event.source}</span>
        <Raw event={event} />
      </td>
    </tr>
  )
}
