/** A maintenance window as a form fills it in: local times of its own time zone, an end instead of a length. Pure. */
import { fieldOf, instantOf, isZone, localTime, readField } from "#client/state/zone.ts"
import type { InputOf } from "#protocol/rest.ts"
import type { MaintenanceWindow } from "#protocol/rest-generated.ts"
import { WEEKDAYS } from "#protocol/maintenance.ts"
import type { Recurrence, SilenceKind, Weekday } from "#protocol/maintenance.ts"
import type { Scope } from "#protocol/rule.ts"

export interface WindowForm {
  readonly kind: SilenceKind
  readonly title: string
  readonly note: string
  readonly scope: Scope
  /** "" = every rule. */
  readonly rule: string
  readonly sparesCritical: boolean
  /** `2026-11-21T02:00`, local times of `timeZone`. */
  readonly starts: string
  readonly ends: string
  readonly every: Recurrence["every"]
  readonly on: readonly Weekday[]
  readonly timeZone: string
  /** Last day on which it may begin; "" = for ever. */
  readonly until: string
}
export type WindowBody = InputOf<"maintenance.create">["body"]

export const WINDOW_MAX_S = 31 * 86_400

export const freshWindow = (timeZone: string, fromMs: number, toMs: number): WindowForm => ({
  kind: "maintenance",
  title: "",
  note: "",
  scope: {},
  rule: "",
  sparesCritical: true,
  starts: fieldOf(timeZone, fromMs),
  ends: fieldOf(timeZone, toMs),
  every: "never",
  on: [],
  timeZone,
  until: "",
})

export const formOf = (window: MaintenanceWindow): WindowForm => {
  const {
    kind,
    title,
    note,
    scope,
    rule = "",
    sparesCritical,
    startsAtMs,
    durationSeconds,
    recurrence,
    timeZone,
  } = window
  return {
    kind,
    title,
    note,
    scope,
    rule,
    sparesCritical,
    starts: fieldOf(timeZone, startsAtMs),
    ends: fieldOf(timeZone, startsAtMs + durationSeconds * 1_000),
    every: recurrence.every,
    on: recurrence.every === "week" ? recurrence.on : [],
    timeZone,
    until: window.untilMs === null ? "" : fieldOf(timeZone, window.untilMs).slice(0, 10),
  }
}

/** What is wrong with it, or null: by the field that it stands at. */
export type FormMistake = "title" | "zone" | "starts" | "ends" | "long" | "days" | "until" | "over"

export const mistakeOf = (form: WindowForm, nowMs: number): FormMistake | null => {
  if (form.title.trim() === "") return "title"
  if (!isZone(form.timeZone)) return "zone"
  const from = readField(form.timeZone, form.starts)
  const to = readField(form.timeZone, form.ends)
  if (from === null) return "starts"
  if (to === null || to - from < 60_000) return "ends"
  if ((to - from) / 1_000 > Math.min(WINDOW_MAX_S, STEP_S[form.every])) return "long"
  if (form.every === "week" && form.on.length === 0) return "days"
  if (form.every === "never" && to <= nowMs) return "over"
  const until = untilOf(form)
  return form.until !== "" && (until === null || until < from) ? "until" : null
}
/** What recurs ends before it comes again. */
const STEP_S: Readonly<Record<Recurrence["every"], number>> = {
  never: WINDOW_MAX_S,
  day: 86_400,
  week: 7 * 86_400,
  month: WINDOW_MAX_S,
}

/** Only of a form without mistakes. */
export const bodyOf = (form: WindowForm): WindowBody => {
  const from = readField(form.timeZone, form.starts) ?? 0
  const to = readField(form.timeZone, form.ends) ?? 0
  return {
    kind: form.kind,
    title: form.title.trim(),
    note: form.note.trim(),
    scope: form.scope,
    ...(form.rule === "" ? {} : { rule: form.rule }),
    sparesCritical: form.sparesCritical,
    startsAtMs: from,
    durationSeconds: Math.round((to - from) / 1_000),
    recurrence:
      form.every === "week"
        ? { every: "week", on: WEEKDAYS.filter((day) => form.on.includes(day)) }
        : { every: form.every },
    timeZone: form.timeZone,
    untilMs: form.every === "never" ? null : untilOf(form),
  }
}

/** The end of the last day: what begins on it still counts. */
const untilOf = ({ until, timeZone }: WindowForm): number | null =>
  until === "" ? null : readField(timeZone, `${until}T23:59`)

/** The clocks skip this local time: it means a later one, which the form says. Null = it exists. */
export const skippedTo = (timeZone: string, field: string): string | null => {
  const at = isZone(timeZone) ? readField(timeZone, field) : null
  return at === null || fieldOf(timeZone, at) === field.slice(0, 16) ? null : fieldOf(timeZone, at).slice(11)
}

/** The local time comes twice on that day: the first is meant. */
export const comesTwice = (timeZone: string, field: string): boolean => {
  const at = isZone(timeZone) ? readField(timeZone, field) : null
  if (at === null) return false
  return [30, 60, 120].some((minutes) => {
    const later = at + minutes * 60_000
    const [a, b] = [localTime(timeZone, at), localTime(timeZone, later)]
    return a.day === b.day && a.minutes === b.minutes && instantOf(timeZone, b) === at
  })
}
