/** The time line of a replay: where it stands, what happened on it, and the hands on it: play, speed, jump, next event. */
import { useComputed } from "@preact/signals"
import type { ComponentChildren } from "preact"
import { useEffect } from "preact/hooks"
import { language, t } from "#client/i18n/translate.ts"
import { serverNowMs } from "#client/state/app.ts"
import {
  events,
  firstMs,
  loadEvents,
  moveBy,
  refused,
  replay,
  span,
  SPEEDS,
  steer,
  togglePlay,
  toNextEvent,
} from "#client/state/replay.ts"
import { marksOf, rangeOf, shareOf, SPAN_NAMES } from "#client/state/time-range.ts"
import { markOfSeverity } from "#client/ui/event-text.ts"
import { formatMoment, formatNumber } from "#client/ui/format.ts"
import { BackIcon, ForwardIcon, NextEventIcon, PauseIcon, PlayIcon } from "#client/ui/icons.tsx"
import { MOVE_MS } from "#client/ui/shortcuts.ts"
import { problemText } from "#client/ui/problem-text.ts"

export const TimeBar = () => {
  const range = useComputed(() => rangeOf(span.value, replay.value?.toMs ?? 0, firstMs.value))
  const marks = useComputed(() => {
    const told = events.value.map(({ atMs, severity }) => ({ atMs, mark: markOfSeverity(severity) }))
    return marksOf(told, range.value)
  })
  const { fromMs, toMs } = range.value
  useEffect(() => void loadEvents(fromMs, toMs), [fromMs, toMs])
  const now = replay.value
  if (now === null) return null
  const atMs = Math.max(fromMs, Math.min(toMs, serverNowMs.value))
  const problem = refused.value === null ? now.problem : problemText(refused.value)
  return (
    <section class="time-bar panel" aria-label={t("replay.bar")} data-testid="time-bar">
      <div class="time-track">
        <div class="time-marks" aria-hidden="true">
          {marks.value.map((mark) => (
            <i key={mark.share} class={`mark-${mark.mark}`} style={{ insetInlineStart: `${mark.share * 100}%` }} />
          ))}
          <b style={{ inlineSize: `${shareOf(atMs, range.value) * 100}%` }} />
        </div>
        <input
          type="range"
          min={Math.ceil(fromMs / 1_000)}
          max={Math.floor(toMs / 1_000)}
          value={Math.round(atMs / 1_000)}
          disabled={!now.mine}
          aria-label={t("replay.position")}
          aria-valuetext={formatMoment(language.value, atMs)}
          onInput={(event) => void steer({ atMs: event.currentTarget.valueAsNumber * 1_000 })}
        />
        <span class="time-ends quiet num" aria-hidden="true">
          <span>{formatMoment(language.value, fromMs)}</span>
          <span>{formatMoment(language.value, toMs)}</span>
        </span>
      </div>
      <div class="time-hands">
        {now.mine && <Hands playing={now.playing} />}
        <span class="time-now num">{formatMoment(language.value, serverNowMs.value)}</span>
        {problem !== null && (
          <span class="problem" role="alert">
            {refused.value === null ? t("replay.trouble", { reason: problem }) : problem}
          </span>
        )}
        <span class="grow" />
        {now.mine && (
          <Choices label={t("replay.speed")}>
            {SPEEDS.map((speed) => (
              <button
                key={speed}
                type="button"
                aria-pressed={now.speed === speed}
                onClick={() => void steer({ speed })}
              >
                {t("replay.speed.value", { times: formatNumber(language.value, speed) })}
              </button>
            ))}
          </Choices>
        )}
        <Choices label={t("replay.span")}>
          {SPAN_NAMES.map((name) => (
            <button key={name} type="button" aria-pressed={span.value === name} onClick={() => (span.value = name)}>
              {t(`chart.range.${name}`)}
            </button>
          ))}
        </Choices>
      </div>
    </section>
  )
}

const Hands = ({ playing }: { playing: boolean }) => (
  <>
    <Hand label={t("replay.back")} keys="←" run={() => moveBy(-MOVE_MS)}>
      <BackIcon />
    </Hand>
    <button
      type="button"
      class="icon-button time-play"
      aria-label={t(playing ? "replay.pause" : "replay.play")}
      title={t(playing ? "replay.pause" : "replay.play")}
      onClick={togglePlay}
    >
      {playing ? <PauseIcon /> : <PlayIcon />}
    </button>
    <Hand label={t("replay.forward")} keys="→" run={() => moveBy(MOVE_MS)}>
      <ForwardIcon />
    </Hand>
    <Hand label={t("replay.next")} keys="n" run={toNextEvent}>
      <NextEventIcon />
    </Hand>
  </>
)

const Hand = (props: { label: string; keys: string; run: () => void; children: ComponentChildren }) => (
  <button
    type="button"
    class="icon-button"
    aria-label={props.label}
    title={`${props.label} (${props.keys})`}
    onClick={props.run}
  >
    {props.children}
  </button>
)

const Choices = ({ label, children }: { label: string; children: ComponentChildren }) => (
  <div class="segments" role="group" aria-label={label}>
    {children}
  </div>
)
