/**
 * The past: a moment is chosen (a while ago, a time, before an event), then the map shows it with a time line. Banner and
 * hatched frame stay as long as what is seen is not live, so that nobody takes the one for the other (PRODUCT.md X1).
 */
import { useSignal } from "@preact/signals"
import { useEffect } from "preact/hooks"
import { language, t } from "#client/i18n/translate.ts"
import { MapScreen } from "#client/screens/map.tsx"
import { serverNowMs, twin } from "#client/state/app.ts"
import { branchHere, leaveBranch } from "#client/state/branch.ts"
import {
  close,
  ended,
  events,
  firstMs,
  LEAD_MS,
  loadEvents,
  loadReplays,
  openAt,
  opening,
  others,
  refused,
  replay,
  watch,
} from "#client/state/replay.ts"
import { go } from "#client/state/route.ts"
import { may } from "#client/state/session.ts"
import { eventText, markOfSeverity, subjectName } from "#client/ui/event-text.ts"
import { formatDuration, formatMoment } from "#client/ui/format.ts"
import { MarkIcon } from "#client/ui/icons.tsx"
import { BranchStrip } from "#client/ui/replay/branch-strip.tsx"
import { problemText } from "#client/ui/problem-text.ts"
import { TimeBar } from "#client/ui/time-bar.tsx"

const DAY_MS = 86_400_000
const AGO_MS = [300_000, 900_000, 3_600_000, 21_600_000, DAY_MS] as const
/** Events to choose from; more stand on the events screen. */
const ROWS = 12

export const ReplayScreen = () => (replay.value === null ? <Choice /> : <Past />)

const Past = () => {
  const now = replay.value
  if (now === null) return null
  return (
    <div class={now.branch === null ? "replay-screen" : "replay-screen branched"}>
      <div class="replay-banner" role="status" aria-live="off" data-testid="replay-banner">
        <b>{t(now.branch === null ? "replay.banner" : "branch.banner")}</b>
        <span class="num">{formatMoment(language.value, serverNowMs.value)}</span>
        <span>
          {now.branch === null
            ? t("replay.banner.not")
            : t("branch.banner.not", { time: formatMoment(language.value, now.branch.sinceMs) })}
        </span>
        {!now.mine && <span>{t("replay.banner.by", { name: now.openedBy })}</span>}
        <span class="grow" />
        {now.mine && may("replay.run") && (
          <button
            type="button"
            class="button"
            onClick={() => void (now.branch === null ? branchHere() : leaveBranch())}
            data-testid="branch-button"
          >
            {t(now.branch === null ? "branch.open" : "branch.leave")}
          </button>
        )}
        <button type="button" class="text-button" onClick={() => (go({ moment: null }, true), close())}>
          {t("replay.choose")}
        </button>
        <button type="button" class="button" onClick={() => go({ screen: "map", moment: null })}>
          {t("replay.live")}
        </button>
      </div>
      <div class="replay-map">
        <MapScreen />
        <div class="replay-frame" aria-hidden="true" />
      </div>
      <div>
        <BranchStrip />
        <TimeBar />
      </div>
    </div>
  )
}

const Choice = () => {
  useEffect(() => {
    void loadReplays()
    void loadEvents(serverNowMs.peek() - DAY_MS, serverNowMs.peek())
  }, [])
  const mayOpen = may("replay.run")
  return (
    <div class="single replay-choice">
      <header class="screen-head">
        <h1>{t("replay.title")}</h1>
      </header>
      <div class="replay-choices panel" tabIndex={0} role="region" aria-label={t("replay.title")}>
        <p>{t("replay.why")}</p>
        <Problems />
        {mayOpen ? <Moments /> : <p class="quiet">{t("replay.needs")}</p>}
        <Others />
      </div>
    </div>
  )
}

const Problems = () => {
  const why = ended.value
  return (
    <>
      {why !== null && (
        <p class="problem" role="status">
          {why === "" ? t("replay.ended.unknown") : t("replay.ended", { reason: why })}
        </p>
      )}
      {refused.value !== null && (
        <p class="problem" role="alert">
          {problemText(refused.value)}
        </p>
      )}
      {opening.value && <p role="status">{t("replay.opening")}</p>}
    </>
  )
}

const Moments = () => {
  const lang = language.value
  const typed = useSignal("")
  const first = firstMs.value
  const now = serverNowMs.value
  const chosenMs = Date.parse(typed.value)
  return (
    <>
      {first !== null && <p class="quiet">{t("replay.since", { time: formatMoment(lang, first) })}</p>}
      <section class="block">
        <h2>{t("replay.recent")}</h2>
        <div class="replay-ago">
          {AGO_MS.map((ms) => (
            <button
              key={ms}
              type="button"
              class="button"
              disabled={opening.value || (first !== null && now - ms < first)}
              onClick={() => void openAt(now - ms)}
            >
              {t("replay.ago", { time: formatDuration(lang, ms) })}
            </button>
          ))}
        </div>
      </section>
      <form
        class="block replay-typed"
        onSubmit={(event) => {
          event.preventDefault()
          if (Number.isFinite(chosenMs)) void openAt(chosenMs)
        }}
      >
        <label>
          <span>{t("replay.moment")}</span>
          <input
            type="datetime-local"
            step={1}
            value={typed.value}
            onInput={(event) => (typed.value = event.currentTarget.value)}
          />
        </label>
        <button type="submit" class="button" disabled={opening.value || !Number.isFinite(chosenMs)}>
          {t("replay.open")}
        </button>
      </form>
      <section class="block">
        <h2>{t("replay.events")}</h2>
        <Happenings />
      </section>
    </>
  )
}

const Happenings = () => {
  const worth = events.value.filter(({ severity }) => ["critical", "major", "minor", "warning"].includes(severity))
  if (worth.length === 0) return <p class="quiet">{t("replay.events.none")}</p>
  return (
    <ul class="replay-events" data-list>
      {worth.slice(0, ROWS).map((event) => (
        <li key={event.id}>
          <button
            type="button"
            class="row"
            data-row
            disabled={opening.value}
            onClick={() => void openAt(event.atMs - LEAD_MS)}
          >
            <MarkIcon mark={markOfSeverity(event.severity)} size={12} />
            <span class="num quiet">{formatMoment(language.value, event.atMs)}</span>
            <b>{subjectName(event, twin.value)}</b>
            <span class="quiet ellipsis">{eventText(event)}</span>
          </button>
        </li>
      ))}
    </ul>
  )
}

const Others = () => {
  if (others.value.length === 0) return null
  return (
    <section class="block">
      <h2>{t("replay.others")}</h2>
      <ul class="replay-events">
        {others.value.map((one) => (
          <li key={one.id}>
            <button type="button" class="text-button" onClick={() => watch(one)}>
              {t("replay.others.watch", { time: formatMoment(language.value, one.atMs), name: one.openedBy })}
            </button>
          </li>
        ))}
      </ul>
    </section>
  )
}
