/**
 * Times in which people want to be left alone: maintenance windows, changes under way, mutes. What they cover goes on being
 * judged; nobody is told (PRODUCT.md I6). A window may recur in the local time of a place; the engine works its occurrences
 * out ahead, so that the twin sees only instants and needs no calendar.
 */
import type { Scope } from "#protocol/rule.ts"

export const SILENCE_KINDS = ["maintenance", "change", "mute"] as const
export type SilenceKind = (typeof SILENCE_KINDS)[number]

/** What the twin knows of a window: an input of the journal carries the tenant's whole list. */
export interface Silence {
  readonly id: string
  readonly kind: SilenceKind
  /** In words, as "why suppressed" says it. */
  readonly reason: string
  readonly scope: Scope
  /** Only this rule; absent = every rule. */
  readonly rule?: string
  /** Critical alerts are told all the same. */
  readonly sparesCritical: boolean
  /** [from, to) in whole ms, ascending, not overlapping. */
  readonly times: ReadonlyArray<readonly [fromMs: number, toMs: number]>
}

/** Silences of a tenant, and occurrences of one, at most. */
export const SILENCES_MAX = 2_000
export const OCCURRENCES_MAX = 100

export const WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const
export type Weekday = (typeof WEEKDAYS)[number]

export type Recurrence =
  | { readonly every: "never" }
  | { readonly every: "day" }
  | { readonly every: "week"; readonly on: readonly Weekday[] }
  /** The same day of each month; months without it are passed over. */
  | { readonly every: "month" }

/** PRODUCT.md: Change. A maintenance window and a mute have none. */
export const CHANGE_STATES = ["planned", "in_progress", "completed", "canceled"] as const
export type ChangeState = (typeof CHANGE_STATES)[number]

/** What an operator plans. */
export interface MaintenanceWindow {
  readonly id: string
  readonly kind: SilenceKind
  readonly title: string
  /** Why, for whom; free text. */
  readonly note: string
  readonly scope: Scope
  readonly rule?: string
  readonly sparesCritical: boolean
  /** First occurrence. */
  readonly startsAtMs: number
  readonly durationSeconds: number
  readonly recurrence: Recurrence
  /** IANA name: recurrences keep its local time through changes of daylight saving. */
  readonly timeZone: string
  /** No occurrence begins later; null = for ever. */
  readonly untilMs: number | null
  /** Kind change only. */
  readonly changeState?: ChangeState
}
