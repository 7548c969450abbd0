/**
 * A week by the clock on the wall: bars where something is planned, the present as a line, a change of clocks as a band.
 * A drag over a column plans something there; by keyboard, the head of each day does.
 */
import { useSignal } from "@preact/signals"
import { useEffect, useRef } from "preact/hooks"
import { t } from "#client/i18n/translate.ts"
import { barsOf, DAY_MINUTES, draggedSpan, gapOf, stripesOf } from "#client/state/calendar.ts"
import type { Bar, Day } from "#client/state/calendar.ts"
import { localTime } from "#client/state/zone.ts"
import type { Planned } from "#client/ui/maintenance/planned.ts"
import { PlanStripe } from "#client/ui/maintenance/stripe.tsx"
import { clockWord, dayWord, kindWord, longDayWord, offsetWord, spanWord } from "#client/ui/maintenance/words.ts"
import { PlusIcon } from "#client/ui/icons.tsx"

const HOUR_PX = 44
const MINUTE_PX = HOUR_PX / 60
/** What one sees first: the working day, with some of the night before it. */
const FIRST_HOUR = 6
const HOURS = Array.from({ length: 24 }, (_, hour) => hour)
/** A press that moved less is no drag. */
const DRAG_PX = 6

interface WeekProps {
  readonly zone: string
  readonly days: readonly Day[]
  readonly entries: readonly Planned[]
  readonly nowMs: number
  readonly open: string | null
  readonly choose: (window: string) => void
  /** Null = this person plans nothing. */
  readonly plan: ((fromMs: number, toMs: number) => void) | null
}

export const WeekView = (props: WeekProps) => {
  const body = useRef<HTMLDivElement>(null)
  const short = props.entries.filter((entry) => !isLong(entry))
  const long = stripesOf(props.days, props.entries.filter(isLong), LONG_LANES)
  useEffect(() => {
    const tops = props.days.flatMap((day) => {
      const gap = gapOf(props.zone, day)
      return [...barsOf(props.zone, day, short), ...(gap === null ? [] : [gap])].map(({ top }) => top)
    })
    const first = Math.min(FIRST_HOUR * 60, ...tops.map((top) => Math.max(0, top - 20)))
    if (body.current !== null) body.current.scrollTop = first * MINUTE_PX
  }, [props.days[0]?.startMs])
  return (
    <div ref={body} class="week panel" tabIndex={0} role="region" aria-label={t("maintenance.week")}>
      <div class="week-heads">
        <span class="week-zone num">{offsetWord(props.zone, props.days[0]?.startMs ?? 0)}</span>
        {props.days.map((day) => (
          <DayHead key={day.startMs} {...props} day={day} />
        ))}
        {long.stripes.map((stripe) => (
          <PlanStripe
            key={stripe.entry.id}
            zone={props.zone}
            stripe={stripe}
            column={2}
            row={2}
            open={props.open}
            choose={props.choose}
          />
        ))}
        {long.hidden.map(
          (count, nth) =>
            count > 0 && (
              <span key={nth} class="quiet week-more num" style={{ gridColumn: nth + 2, gridRow: LONG_LANES + 2 }}>
                {t("maintenance.more", { count })}
              </span>
            ),
        )}
      </div>
      <div class="week-body" style={{ blockSize: `${24 * HOUR_PX}px` }}>
        <div class="week-hours" aria-hidden="true">
          {HOURS.map((hour) => (
            <span key={hour} class="num" style={{ insetBlockStart: `${hour * HOUR_PX}px` }}>
              {hour === 0 ? "" : `${String(hour).padStart(2, "0")}:00`}
            </span>
          ))}
        </div>
        {props.days.map((day) => (
          <Column key={day.startMs} {...props} entries={short} day={day} />
        ))}
      </div>
    </div>
  )
}

/** What lasts a day or more stands above the hours. */
const isLong = ({ fromMs, toMs }: Planned): boolean => toMs - fromMs >= 86_400_000
const LONG_LANES = 4

const isToday = (day: Day, nowMs: number): boolean => nowMs >= day.startMs && nowMs < day.endMs

const DayHead = ({ zone, day, nowMs, plan }: WeekProps & { day: Day }) => {
  const hours = (day.endMs - day.startMs) / 3_600_000
  return (
    <div class={`week-head ${isToday(day, nowMs) ? "today" : ""}`}>
      <span>{dayWord(zone, day.startMs + 43_200_000)}</span>
      {day.change !== null && (
        <span
          class="chip clock-change"
          title={t("maintenance.change.at", {
            time: clockWord(zone, day.change.atMs),
            offset: offsetWord(zone, day.change.atMs),
          })}
        >
          {t(day.change.byMs > 0 ? "maintenance.shorter" : "maintenance.longer", { hours })}
        </span>
      )}
      {plan !== null && (
        <button
          type="button"
          class="icon-button"
          aria-label={t("maintenance.plan.day", { day: longDayWord(zone, day.startMs + 43_200_000) })}
          title={t("maintenance.plan.day", { day: longDayWord(zone, day.startMs + 43_200_000) })}
          onClick={() => {
            const [from, to] = draggedSpan(zone, day, 22 * 60, 23 * 60)
            plan(from, to)
          }}
        >
          <PlusIcon />
        </button>
      )}
    </div>
  )
}

const Column = (props: WeekProps & { day: Day }) => {
  const { zone, day, entries, nowMs, plan } = props
  const drag = useSignal<{ readonly from: number; readonly to: number } | null>(null)
  const gap = gapOf(zone, day)
  const minutesAt = (event: PointerEvent & { readonly currentTarget: HTMLElement }): number =>
    (event.clientY - event.currentTarget.getBoundingClientRect().top) / MINUTE_PX
  const finish = () => {
    const now = drag.peek()
    drag.value = null
    if (now === null || plan === null || Math.abs(now.to - now.from) * MINUTE_PX < DRAG_PX) return
    const [from, to] = draggedSpan(zone, day, now.from, now.to)
    plan(from, to)
  }
  const dragged = drag.value === null ? null : draggedSpan(zone, day, drag.value.from, drag.value.to)
  return (
    <div
      class={`week-column ${isToday(day, nowMs) ? "today" : ""} ${plan === null ? "" : "plannable"}`}
      data-day={`${day.year}-${day.month}-${day.day}`}
      onPointerDown={(event) => {
        if (plan === null || event.button !== 0 || event.target !== event.currentTarget) return
        event.currentTarget.setPointerCapture(event.pointerId)
        const at = minutesAt(event)
        drag.value = { from: at, to: at }
      }}
      onPointerMove={(event) => {
        if (drag.peek() !== null) drag.value = { from: drag.peek()?.from ?? 0, to: minutesAt(event) }
      }}
      onPointerUp={finish}
      onPointerCancel={() => (drag.value = null)}
    >
      {gap !== null && (
        <span class={`week-gap ${gap.kind}`} style={placeOf(gap.top, gap.bottom)}>
          {t(`maintenance.${gap.kind}`)}
        </span>
      )}
      {barsOf(zone, day, entries).map((bar) => (
        <WeekBar key={bar.entry.id} zone={zone} bar={bar} open={props.open} choose={props.choose} />
      ))}
      {isToday(day, nowMs) && (
        <i class="week-now" style={{ insetBlockStart: `${localTime(zone, nowMs).minutes * MINUTE_PX}px` }} />
      )}
      {drag.value !== null && dragged !== null && (
        <span
          class="week-drag num"
          style={placeOf(Math.min(drag.value.from, drag.value.to), Math.max(drag.value.from, drag.value.to))}
        >
          {spanWord(zone, dragged[0], dragged[1])}
        </span>
      )}
    </div>
  )
}

const placeOf = (top: number, bottom: number) => ({
  insetBlockStart: `${Math.max(0, top) * MINUTE_PX}px`,
  blockSize: `${(Math.min(DAY_MINUTES, bottom) - Math.max(0, top)) * MINUTE_PX}px`,
})

const WeekBar = (props: { zone: string; bar: Bar<Planned>; open: string | null; choose: (window: string) => void }) => {
  const { zone, bar } = props
  const { window, fromMs, toMs } = bar.entry
  const time = spanWord(zone, fromMs, toMs)
  return (
    <button
      type="button"
      class={`plan-bar kind-${window.kind} state-${window.changeState ?? "none"} ${window.id === props.open ? "open" : ""} ${bar.begins ? "" : "cut-top"} ${bar.ends ? "" : "cut-bottom"}`}
      data-window={window.id}
      title={`${window.title} · ${time} · ${kindWord(window)}`}
      style={{
        ...placeOf(bar.top, bar.bottom),
        insetInlineStart: `calc(${(bar.lane / bar.lanes) * 100}% + 2px)`,
        inlineSize: `calc(${100 / bar.lanes}% - 5px)`,
      }}
      onClick={() => props.choose(window.id)}
    >
      <b>{window.title}</b>
      <span class="num">
        {bar.begins && bar.ends ? time : bar.begins ? `${clockWord(zone, fromMs)} →` : `→ ${clockWord(zone, toMs)}`}
      </span>
      <span class="unseen">{kindWord(window)}</span>
    </button>
  )
}
