/** A month in whole weeks: what is planned as stripes under the days, what does not fit as a number that leads to the week. */
import { t } from "#client/i18n/translate.ts"
import { stripesOf } from "#client/state/calendar.ts"
import type { Day } from "#client/state/calendar.ts"
import { civilOf } from "#client/state/zone.ts"
import type { Planned } from "#client/ui/maintenance/planned.ts"
import { PlanStripe } from "#client/ui/maintenance/stripe.tsx"
import { clockWord, longDayWord, weekdayNames } from "#client/ui/maintenance/words.ts"

/** Stripes under each other before the rest is a number. */
const LANES = 3

interface MonthProps {
  readonly zone: string
  readonly weeks: readonly (readonly Day[])[]
  readonly entries: readonly Planned[]
  /** Some instant of the month: days of others are paler. */
  readonly atMs: number
  readonly nowMs: number
  readonly open: string | null
  readonly choose: (window: string) => void
  readonly toWeek: (atMs: number) => void
}

export const MonthView = (props: MonthProps) => (
  <div class="month panel" tabIndex={0} role="region" aria-label={t("maintenance.month")}>
    <div class="month-heads" aria-hidden="true">
      {weekdayNames("short").map((name) => (
        <span key={name}>{name}</span>
      ))}
    </div>
    {props.weeks.map((week) => (
      <Week key={week[0]?.startMs} {...props} week={week} />
    ))}
  </div>
)

const Week = (props: MonthProps & { week: readonly Day[] }) => {
  const { week, zone, nowMs } = props
  const { month } = civilOf(zone, props.atMs)
  const { stripes, hidden } = stripesOf(week, props.entries, LANES)
  return (
    <div class="month-week">
      {week.map((day, nth) => {
        const today = nowMs >= day.startMs && nowMs < day.endMs
        const noon = day.startMs + 43_200_000
        return (
          <div
            key={day.startMs}
            class={`month-day ${day.month === month ? "" : "other"} ${today ? "today" : ""}`}
            style={{ gridColumn: nth + 1 }}
          >
            <button
              type="button"
              class="month-number num"
              aria-label={longDayWord(zone, noon)}
              onClick={() => props.toWeek(noon)}
            >
              {day.day}
            </button>
            {day.change !== null && (
              <span
                class="clock-change"
                title={t("maintenance.change.at", { time: clockWord(zone, day.change.atMs), offset: "" })}
              >
                {day.change.byMs > 0 ? "−" : "+"}
                {Math.abs(day.change.byMs) / 3_600_000} h
              </span>
            )}
            {(hidden[nth] ?? 0) > 0 && (
              <button type="button" class="month-more text-button" onClick={() => props.toWeek(noon)}>
                {t("maintenance.more", { count: hidden[nth] ?? 0 })}
              </button>
            )}
          </div>
        )
      })}
      {stripes.map((stripe) => (
        <PlanStripe
          key={stripe.entry.id}
          zone={zone}
          stripe={stripe}
          column={1}
          row={2}
          open={props.open}
          choose={props.choose}
        />
      ))}
    </div>
  )
}
