/** The calendar of times in which people want to be left alone: week or month, in the time zone that is asked for. */
import { signal, useSignal } from "@preact/signals"
import { useEffect } from "preact/hooks"
import { t } from "#client/i18n/translate.ts"
import { call } from "#client/state/api.ts"
import { serverNowMs, store } from "#client/state/app.ts"
import { monthOf, plusMonths, plusWeeks, weekOf } from "#client/state/calendar.ts"
import { can } from "#client/state/places.ts"
import { go, route } from "#client/state/route.ts"
import { freshWindow } from "#client/state/window-form.ts"
import { ownZone } from "#client/state/zone.ts"
import { useAsk } from "#client/ui/ask.ts"
import { BackIcon, ForwardIcon } from "#client/ui/icons.tsx"
import { MonthView } from "#client/ui/maintenance/month-view.tsx"
import { plannedOf } from "#client/ui/maintenance/planned.ts"
import { Upcoming } from "#client/ui/maintenance/upcoming.tsx"
import { WeekView } from "#client/ui/maintenance/week-view.tsx"
import { WindowDialog } from "#client/ui/maintenance/window-dialog.tsx"
import { WindowPanel } from "#client/ui/maintenance/window-panel.tsx"
import { dayWord, monthWord, offsetWord } from "#client/ui/maintenance/words.ts"
import { Loaded } from "#client/ui/table.tsx"
import type { MaintenanceWindow } from "#protocol/rest-generated.ts"

/** Where the calendar stands; null = at the present. It stays while the page does. */
const anchor = signal<number | null>(null)
const zone = signal(ownZone())
const HOUR_MS = 3_600_000

export const MaintenanceScreen = () => {
  const turn = useSignal(0)
  const planning = useSignal<readonly [number, number] | null>(null)
  const bump = () => void turn.value++
  useEffect(
    () =>
      store.listen({
        replaced: () => {},
        changed: () => {},
        happened: (events) => {
          if (events.some(({ type }) => /^(maintenance|change)\./.test(type))) bump()
        },
      }),
    [],
  )
  const month = route.value.tab === "month"
  const { item } = route.value
  const atMs = anchor.value ?? serverNowMs.value
  const weeks = month ? monthOf(zone.value, atMs) : [weekOf(zone.value, atMs)]
  const fromMs = weeks[0]?.[0]?.startMs ?? 0
  const toMs = weeks.at(-1)?.at(-1)?.endMs ?? 0
  const asked = useAsk(
    () => call("maintenance.calendar", { query: { from: fromMs, to: toMs } }),
    `${fromMs} ${toMs} ${turn.value}`,
  )
  const step = (by: number) =>
    (anchor.value = month ? plusMonths(zone.peek(), atMs, by) : plusWeeks(zone.peek(), atMs, by))
  const choose = (id: string) => go({ item: id })
  const plan = (from: number, to: number) => void (planning.value = [from, to])
  return (
    <div class="calendar">
      <header class="screen-head calendar-head">
        <h1>{t("maintenance.title")}</h1>
        <span class="calendar-span">
          {month
            ? monthWord(zone.value, atMs)
            : `${dayWord(zone.value, fromMs + 12 * HOUR_MS)} – ${dayWord(zone.value, toMs - 12 * HOUR_MS)}`}
        </span>
        <Steps month={month} step={step} />
        <ZonePick windows={asked.value?.windows ?? []} atMs={atMs} />
        {can("windowEdit") && (
          <button type="button" class="primary" onClick={() => plan(...nextHour(serverNowMs.peek()))}>
            {t("maintenance.new")}
          </button>
        )}
      </header>
      <div class="calendar-sides">
        <div class="calendar-main">
          <Loaded asked={asked}>
            {(answer) => {
              const common = {
                zone: zone.value,
                entries: plannedOf(answer),
                nowMs: serverNowMs.value,
                open: item,
                choose,
              }
              return (
                <>
                  {answer.truncated && <p class="notice">{t("maintenance.cut")}</p>}
                  {month ? (
                    <MonthView
                      {...common}
                      weeks={weeks}
                      atMs={atMs}
                      toWeek={(at) => {
                        anchor.value = at
                        go({ tab: null })
                      }}
                    />
                  ) : (
                    <WeekView {...common} days={weeks[0] ?? []} plan={can("windowEdit") ? plan : null} />
                  )}
                </>
              )
            }}
          </Loaded>
          <Key />
        </div>
        {item === null ? (
          <Upcoming turn={turn.value} zone={zone.value} choose={choose} />
        ) : (
          <WindowPanel key={item} id={item} turn={turn.value} zone={zone.value} changed={bump} />
        )}
      </div>
      {planning.value !== null && (
        <WindowDialog
          id={null}
          etag={null}
          form={freshWindow(zone.value, ...planning.value)}
          close={() => (planning.value = null)}
          done={(row) => {
            planning.value = null
            bump()
            go({ item: row.window.id })
          }}
        />
      )}
    </div>
  )
}

const nextHour = (nowMs: number): readonly [number, number] => {
  const from = Math.ceil(nowMs / HOUR_MS) * HOUR_MS
  return [from, from + HOUR_MS]
}

const Steps = ({ month, step }: { month: boolean; step: (by: number) => void }) => (
  <div class="calendar-steps">
    <button
      type="button"
      class="icon-button"
      aria-label={t(month ? "maintenance.back.month" : "maintenance.back.week")}
      onClick={() => step(-1)}
    >
      <BackIcon />
    </button>
    <button type="button" class="button" onClick={() => (anchor.value = null)}>
      {t("maintenance.today")}
    </button>
    <button
      type="button"
      class="icon-button"
      aria-label={t(month ? "maintenance.ahead.month" : "maintenance.ahead.week")}
      onClick={() => step(1)}
    >
      <ForwardIcon />
    </button>
    <div class="segments" role="group" aria-label={t("maintenance.view")}>
      {(["week", "month"] as const).map((view) => (
        <button
          key={view}
          type="button"
          aria-pressed={month === (view === "month")}
          onClick={() => go({ tab: view === "month" ? view : null })}
        >
          {t(`maintenance.${view}`)}
        </button>
      ))}
    </div>
  </div>
)

/** One's own, UTC, and those that the windows were planned in. */
const ZonePick = ({ windows, atMs }: { windows: readonly MaintenanceWindow[]; atMs: number }) => {
  const names = [...new Set([ownZone(), zone.value, "UTC", ...windows.map(({ timeZone }) => timeZone)])]
  return (
    <label class="pick-one zone-pick">
      <span class="unseen">{t("window.zone")}</span>
      <select value={zone.value} onChange={(event) => (zone.value = event.currentTarget.value)}>
        {names.map((name) => (
          <option key={name} value={name}>
            {name} ({offsetWord(name, atMs)})
          </option>
        ))}
      </select>
    </label>
  )
}

const Key = () => (
  <ul class="plan-key" aria-label={t("legend.label")}>
    {(["maintenance", "change", "mute"] as const).map((kind) => (
      <li key={kind}>
        <i class={`kind-${kind}`} />
        {t(`silenceKind.${kind}`)}
      </li>
    ))}
    {can("windowEdit") && <li class="quiet">{t("maintenance.drag")}</li>}
  </ul>
)
