/**
 * The incident room: what failed and how sure that is, on the left; how far it reaches, on map or graph, and what it
 * explains, in the middle; what happened and who did what, on the right. All of one incident on one screen.
 */
import { useSignal } from "@preact/signals"
import { useEffect, useMemo, useRef } from "preact/hooks"
import { language, t } from "#client/i18n/translate.ts"
import { call } from "#client/state/api.ts"
import { serverNowMs, twin } from "#client/state/app.ts"
import { blastOf, faultsOf } from "#client/state/blast.ts"
import { detail } from "#client/state/incidents.ts"
import type { IncidentWish } from "#client/state/incidents.ts"
import { can, screenOpen } from "#client/state/places.ts"
import { LEAD_MS } from "#client/state/replay.ts"
import { formatRoute, go, route } from "#client/state/route.ts"
import { formatFaults } from "#client/state/whatif-faults.ts"
import { untilWord } from "#client/ui/alerts/words.ts"
import { useAct } from "#client/ui/ask.ts"
import type { Act } from "#client/ui/ask.ts"
import { Problem } from "#client/ui/form.tsx"
import { formatDuration, formatMoment } from "#client/ui/format.ts"
import { CloseIcon } from "#client/ui/icons.tsx"
import { BlastGraph } from "#client/ui/incidents/blast-graph.tsx"
import { BlastMap } from "#client/ui/incidents/blast-map.tsx"
import { CauseCard } from "#client/ui/incidents/cause-card.tsx"
import { ImpactCard } from "#client/ui/incidents/impact-card.tsx"
import { IncidentActs } from "#client/ui/incidents/incident-acts.tsx"
import { IncidentMark } from "#client/ui/incidents/incident-mark.tsx"
import { Probing, Story } from "#client/ui/incidents/story.tsx"
import { Symptoms } from "#client/ui/incidents/symptoms.tsx"
import { ConfirmCauseDialog } from "#client/ui/incidents/word-dialogs.tsx"
import { memberName } from "#client/ui/incidents/words.ts"
import { saveFile } from "#client/ui/once.tsx"
import { problemText } from "#client/ui/problem-text.ts"
import { Said } from "#client/ui/said.tsx"
import type { IncidentView } from "#protocol/incident.ts"

interface RoomProps {
  readonly id: string
  readonly act: Act
  readonly run: (wish: IncidentWish) => void
}

export const Room = ({ id, act, run }: RoomProps) => {
  const now = detail.value
  const view = now?.id === id ? now.view : null
  const failure = now?.id === id ? now.failure : null
  if (view === null) {
    return (
      <section class="room" aria-label={t("incident.room")}>
        <p class="calm quiet" role="status">
          {failure === null ? t("panel.loading") : failure.status === 404 ? t("incident.gone") : problemText(failure)}
        </p>
        <p class="calm">
          <button type="button" class="button" onClick={() => go({ item: null })}>
            {t("incident.back")}
          </button>
        </p>
      </section>
    )
  }
  return (
    <section class="room" aria-labelledby="room-title" data-testid="room">
      <Head view={view} act={act} run={run} />
      {failure !== null && <Problem text={t("incident.stale", { reason: problemText(failure) })} />}
      <div class="room-body">
        <div class="room-why panel" tabIndex={0} role="region" aria-label={t("incident.cause")}>
          {view.causes.length === 0 && (
            <section class="block">
              <h3>{t("incident.cause")}</h3>
              <p>{t("incident.cause.none")}</p>
            </section>
          )}
          {view.causes.map((cause, nth) => (
            <CauseCard key={nth} cause={cause} nth={nth} of={view.causes.length} />
          ))}
          <Probing probing={view.probing} />
          <Confirmed view={view} />
        </div>
        <div class="room-middle">
          <Reach view={view} />
          <div class="panel room-symptoms" tabIndex={0} role="region" aria-label={t("incident.symptoms")}>
            <Symptoms view={view} />
          </div>
        </div>
        <div class="room-story panel" tabIndex={0} role="region" aria-label={t("incident.story")}>
          <Story timeline={view.timeline} />
        </div>
      </div>
    </section>
  )
}

const Head = ({ view, act, run }: { view: IncidentView; act: Act; run: (wish: IncidentWish) => void }) => {
  const { title, severity, state, startsAtMs, endsAtMs, ack, assignee, escalated, during } = view
  const heading = useRef<HTMLHeadingElement>(null)
  // The row that was pressed has left the page: reading goes on here.
  useEffect(() => {
    if (document.activeElement === document.body) heading.current?.focus({ preventScroll: true })
  }, [])
  const lasted = formatDuration(language.value, (endsAtMs ?? serverNowMs.value) - startsAtMs)
  return (
    <header class="room-head panel">
      <div class="room-title">
        <IncidentMark row={view} size={24} />
        <div class="room-names">
          <h1 id="room-title" ref={heading} tabIndex={-1}>
            <Said text={title} head />
          </h1>
          <p class="panel-state">
            <span class="chip">{t(`alertSeverity.${severity}`)}</span>
            <span class={`incident-state state-${state}`}>{t(`incidents.state.${state}`)}</span>
            <span class="num">
              {t("incident.since", { time: formatMoment(language.value, startsAtMs) })} · {lasted}
            </span>
            {during !== null && <span class="held-chip">{t(`incident.during.${during}`)}</span>}
            {escalated && <span class="chip word-critical">{t("incident.escalated")}</span>}
            {assignee !== null && <span class="held-chip held-ack">{t("incident.assigned", { name: assignee })}</span>}
            {ack !== null && (
              <span class="held-chip held-ack" title={untilWord(ack)}>
                {t("alerts.acked", { name: ack.by })}
              </span>
            )}
            {ack === null && assignee === null && state !== "closed" && <b class="nobody">{t("incident.nobody")}</b>}
            <span class="mono quiet">{view.id}</span>
          </p>
        </div>
        <button
          type="button"
          class="icon-button"
          aria-label={t("incident.back")}
          title={`${t("incident.back")} (Esc)`}
          onClick={() => go({ item: null, tab: null })}
        >
          <CloseIcon />
        </button>
      </div>
      <ImpactCard impact={view.impact} />
      <div class="room-acts">
        <IncidentActs view={view} act={act} run={run} keys />
        <span class="grow" />
        <Ways view={view} />
      </div>
    </header>
  )
}

/** Where to look further, and what to take away. */
const Ways = ({ view }: { view: IncidentView }) => {
  const act = useAct()
  const save = (format: "markdown" | "json") =>
    void act.run(
      () => call("incidents.postmortem", { params: { id: view.id }, query: { format } }),
      ({ file, mediaType, text }) => saveFile(file, mediaType, text),
    )
  const replay = formatRoute({
    screen: "replay",
    tab: null,
    selection: null,
    camera: null,
    moment: Math.max(0, view.startsAtMs - LEAD_MS),
  })
  const faults = formatFaults(faultsOf(view))
  return (
    <div class="row-line room-ways">
      <a class="button" href={formatRoute({ screen: "map", tab: null, selection: null, camera: null, item: view.id })}>
        {t("incident.on.map")}
      </a>
      {screenOpen("replay") && (
        <a class="button" href={replay} title={t("incident.replay.hint")}>
          {t("incident.replay")}
        </a>
      )}
      {screenOpen("whatif") && faults !== null && (
        <a
          class="button"
          href={formatRoute({ screen: "whatif", tab: null, selection: null, camera: null, item: faults })}
          title={t("incident.whatif.hint")}
        >
          {t("incident.whatif")}
        </a>
      )}
      <span class="segments" role="group" aria-label={t("incident.postmortem")}>
        <button type="button" aria-disabled={act.busy} onClick={() => save("markdown")}>
          {t("incident.postmortem")}
        </button>
        <button
          type="button"
          aria-label={t("incident.postmortem.json")}
          aria-disabled={act.busy}
          onClick={() => save("json")}
        >
          {t("incident.postmortem.short")}
        </button>
      </span>
      <Problem text={act.problem} />
    </div>
  )
}

/** In the address, `#/incidents/graph?open=ID`: what was sent to somebody shows the same. */
const VIEWS = ["map", "graph"] as const
const Reach = ({ view }: { view: IncidentView }) => {
  const shown = VIEWS.find((one) => one === route.value.tab) ?? VIEWS[0]
  const state = twin.value
  // Only a new answer or a new keyframe is a new reach: deltas must not lay out the graph anew.
  const blast = useMemo(
    () => (state === null ? null : blastOf(view, state)),
    [view.causes, view.impact, state?.nodes.id, state?.links.id],
  )
  return (
    <section class="reach panel" aria-label={t("incident.reach")}>
      <div class="reach-head">
        <h3>{t("incident.reach")}</h3>
        <ReachKey />
        <div class="segments" role="group" aria-label={t("incident.reach")}>
          {VIEWS.map((one) => (
            <button
              key={one}
              type="button"
              aria-pressed={shown === one}
              onClick={() => go({ tab: one === VIEWS[0] ? null : one }, true)}
            >
              {t(`incident.view.${one}`)}
            </button>
          ))}
        </div>
      </div>
      <div class="reach-body">
        {blast === null || state === null ? (
          <p class="calm quiet">{t("trouble.waiting")}</p>
        ) : shown === "map" ? (
          <BlastMap key={view.id} blast={blast} state={state} id={view.id} />
        ) : (
          <BlastGraph key={view.id} blast={blast} state={state} id={view.id} />
        )}
      </div>
    </section>
  )
}

/** What the shapes mean. */
export const ReachKey = () => (
  <ul class="reach-key">
    <li>
      <svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true" class="mark-critical">
        <path d="M8 4.2 11.8 8 8 11.8 4.2 8z" fill="currentColor" />
        <circle cx="8" cy="8" r="6.8" fill="none" stroke="var(--ink)" stroke-width="1.4" />
      </svg>
      {t("incident.key.cause")}
    </li>
    <li>
      <svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true" class="mark-critical">
        <circle cx="8" cy="8" r="5.4" fill="none" stroke="currentColor" stroke-width="1.5" />
        <path d="M4.4 9.8 9.8 4.4M6.2 11.6l5.4-5.4" stroke="currentColor" stroke-width="1" />
      </svg>
      {t("incident.key.hit")}
    </li>
    <li>
      <svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true" class="mark-critical">
        <circle cx="8" cy="8" r="6.6" fill="none" stroke="currentColor" stroke-width="1.2" stroke-dasharray="3 2.4" />
      </svg>
      {t("incident.key.site")}
    </li>
  </ul>
)

/** What it truly was, in an operator's word; it stays beside what the twin had said. */
const Confirmed = ({ view }: { view: IncidentView }) => {
  const asking = useSignal(false)
  const { confirmed } = view
  return (
    <section class="block confirmed">
      <h3>{t("incident.confirmed")}</h3>
      {confirmed === null ? (
        <p class="quiet">{t("incident.confirmed.none")}</p>
      ) : (
        <p>
          <b>{confirmed.members.map(memberName).join(", ")}</b>
          <span class="quiet">
            {" "}
            {t("incident.confirmed.by", { name: confirmed.by, time: formatMoment(language.value, confirmed.atMs) })}
          </span>
          {confirmed.note !== "" && <span class="line-text">{confirmed.note}</span>}
        </p>
      )}
      {can("incidentConfirm") && (
        <button type="button" class="button" onClick={() => (asking.value = true)}>
          {t(confirmed === null ? "incident.confirm" : "incident.confirm.again")}
        </button>
      )}
      {asking.value && <ConfirmCauseDialog view={view} close={() => (asking.value = false)} />}
    </section>
  )
}
