/** The map's own triage: open incidents above everything else, and the chosen one opened up: how sure, why, what to do. */
import { useEffect } from "preact/hooks"
import { capital } from "#client/i18n/said.ts"
import { language, t, tCount } from "#client/i18n/translate.ts"
import { serverNowMs, shownReplay } from "#client/state/app.ts"
import { needsSomebody, triageOrder } from "#client/state/incident-list.ts"
import { evidenceOf } from "#client/state/incident-story.ts"
import { incidents, openIncident, tally } from "#client/state/incidents.ts"
import { formatRoute, go, route } from "#client/state/route.ts"
import { formatDuration } from "#client/ui/format.ts"
import { IncidentActs, useIncidentActs } from "#client/ui/incidents/incident-acts.tsx"
import { IncidentMark, SureBar } from "#client/ui/incidents/incident-mark.tsx"
import { causeName, customersWord, sureWord, whatWord } from "#client/ui/incidents/words.ts"
import { Said } from "#client/ui/said.tsx"
import type { IncidentRow, IncidentView } from "#protocol/incident.ts"

/** More stand in the list of their own. */
const ROWS = 12
/** The strongest reasons; the room has all. */
const REASONS = 4

/** Null = nothing is open, or what is shown is the past. */
export const IncidentSide = () => {
  if (shownReplay.value !== null || tally.value.live === 0) return null
  const rows = (incidents.value ?? []).filter(({ state }) => state !== "closed").sort(triageOrder)
  const chosen = rows.find(({ id }) => id === route.value.item) ?? null
  const shown =
    chosen === null || rows.indexOf(chosen) < ROWS ? rows.slice(0, ROWS) : [chosen, ...rows.slice(0, ROWS - 1)]
  return (
    <section class={`incident-side ${chosen === null ? "" : "chosen"}`} aria-labelledby="side-incidents">
      <header class="side-head">
        <h2 id="side-incidents">{t("incidents.title")}</h2>
        <span class="count num">{rows.length}</span>
        <span class="grow" />
        <a class="text-button" href={formatRoute({ screen: "incidents", tab: null, selection: null, camera: null })}>
          {t("incidents.all")}
        </a>
      </header>
      <ul class="rows" data-list data-testid="side-incidents">
        {shown.map((row) => (
          <li key={row.id} class={row === chosen ? "open" : ""}>
            <SideRow row={row} open={row === chosen} />
            {row === chosen && <Chosen />}
          </li>
        ))}
        {rows.length > shown.length && (
          <li class="more quiet">{t("trouble.more", { count: rows.length - shown.length })}</li>
        )}
      </ul>
    </section>
  )
}

/** True while the chosen incident has the side for itself. */
export const sideTaken = (): boolean => shownReplay.value === null && openIncident.value !== null

const SideRow = ({ row, open }: { row: IncidentRow; open: boolean }) => {
  const { suppressed, impact, ack, assignee } = row
  return (
    <button
      type="button"
      class={`row ${needsSomebody(row) ? "" : "taken"}`}
      data-row
      data-id={row.id}
      aria-expanded={open}
      onClick={() => go({ item: open ? null : row.id, selection: null })}
    >
      <IncidentMark row={row} />
      <span class="row-main">
        <span class="row-title">
          <Said text={row.title} head />
        </span>
        <span class="row-detail">
          <span>{whatWord(row) ?? t("incident.cause.unknown")}</span>
          {impact.subscribers !== null && (
            <span class="num">
              {customersWord(impact.subscribers)} {t("incident.customers")}
            </span>
          )}
          {suppressed > 0 && <span class="num">{tCount("incident.folded", suppressed)}</span>}
          {assignee !== null && <span>{assignee}</span>}
          {assignee === null && ack !== null && <span>{t("alerts.acked", { name: ack.by })}</span>}
        </span>
      </span>
      <time class="num quiet">{formatDuration(language.value, serverNowMs.value - row.startsAtMs)}</time>
    </button>
  )
}

const Chosen = () => {
  const view = openIncident.value
  const { act, dialog, run } = useIncidentActs(() => view)
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const typing =
        event.target instanceof HTMLElement && event.target.closest("input, textarea, select, dialog") !== null
      const { selection } = route.peek()
      if (event.key === "Escape" && !typing && selection === null && document.querySelector("dialog[open]") === null) {
        go({ item: null })
      }
    }
    document.addEventListener("keydown", onKey)
    return () => document.removeEventListener("keydown", onKey)
  }, [])
  if (view === null) return <p class="quiet pad">{t("panel.loading")}</p>
  return (
    <div class="incident-chosen" data-testid="chosen">
      <Why view={view} />
      <IncidentActs view={view} act={act} run={(wish) => run(wish, view)} keys={false} />
      <p class="row-line">
        <a
          class="primary room-link"
          href={formatRoute({ screen: "incidents", tab: null, selection: null, camera: null, item: view.id })}
        >
          {t("incident.open.room")}
        </a>
        <a
          class="button"
          href={formatRoute({ screen: "graph", tab: null, selection: null, camera: null, item: view.id })}
        >
          {t("incident.on.graph")}
        </a>
      </p>
      {dialog}
    </div>
  )
}

const Why = ({ view }: { view: IncidentView }) => {
  const cause = view.causes[0]
  if (cause === undefined) return <p class="quiet">{t("incident.cause.none")}</p>
  const reasons = evidenceOf(cause.evidence).for.slice(0, REASONS)
  return (
    <>
      <p class="cause-sure">
        <span class="quiet">{t("incident.sure")}</span>
        <SureBar confidence={cause.confidence} />
        <b class="num">{sureWord(cause.confidence)}</b>
      </p>
      {cause.members.length > 1 && <p>{capital(causeName(cause.members))}</p>}
      <h3>{t("incident.why")}</h3>
      <p>
        <Said text={cause.because} />
      </p>
      <ol class="why-list">
        {reasons.map((one, at) => (
          <li key={at}>
            <Said text={one.text} lead />
          </li>
        ))}
      </ol>
    </>
  )
}
