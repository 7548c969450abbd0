/**
 * What the twin remembers of incidents: plain data, part of every snapshot, written by the desk (desk.ts) only. Names and
 * words are kept as they were said, so that an incident stays readable when a device has been renamed or is gone.
 */
import type {
  CauseMember,
  CauseView,
  ImpactView,
  IncidentState,
  IncidentView,
  TimelineEntry,
} from "#protocol/incident.ts"
import type { AlertSeverity } from "#protocol/rule.ts"
import type { Question } from "#twin/incident/question.ts"

/** Not closed, of one tenant. More are not opened, and the tenant is told (monitoring.degraded). */
export const OPEN_MAX = 200
/** Closed ones that the twin holds, for as long as they may come back; the engine's table keeps all (docs/incidents.md). */
export const CLOSED_MAX = 100
/** Of one incident; more are counted, and named nowhere. */
export const SYMPTOMS_MAX = 1_024
/** Alerts that wait for a place; the oldest go. */
export const LOOSE_MAX = 2_000
/** Causes that wait, lest one fault is told as two. */
export const HELD_MAX = 64

export interface Symptom {
  /** alertId of protocol/alert.ts; "" = evidence without a rule. */
  readonly alert: string
  /** Evidence kind of twin/rca; "" = an alert. */
  readonly kind: string
  readonly device: string
  readonly deviceName: string
  readonly site: string
  readonly entity: string
  readonly summary: string
  /** Null = evidence has none. */
  readonly severity: AlertSeverity | null
  readonly sinceMs: number
  /** Null = it goes on. */
  readonly endedMs: number | null
  /** CauseState.key; null = unexplained. */
  readonly explainedBy: string | null
  readonly why: string | null
  /** An alert that says what happened, and ends by time alone (isNews of placing.ts); absent = it lasts as long as what is wrong. */
  readonly isNews?: true
}

export interface CauseState extends CauseView {
  /** Of the element that failed, however it failed: `link:ID`, `device:ID`, `site:ID`, `group:NAME`. */
  readonly key: string
  /** Of all members. */
  readonly keys: readonly string[]
  /** Most alarms that it has explained: a cause that explains fewer does not take its place. */
  readonly weight: number
}

/** What is held back while the cause lasts. */
export interface Quieted {
  readonly device: string
  /** "*" = the whole device. */
  readonly entity: string
  /** Only this rule; absent = all of them. */
  readonly rule?: string
}

export interface Incident {
  readonly id: string
  readonly state: IncidentState
  readonly title: string
  readonly severity: AlertSeverity
  readonly startsAtMs: number
  readonly endsAtMs: number | null
  readonly closedMs: number | null
  readonly closedBy: string
  readonly updatedAtMs: number
  /** Primary first. */
  readonly causes: readonly CauseState[]
  readonly symptoms: readonly Symptom[]
  /** Symptoms beyond SYMPTOMS_MAX. */
  readonly unlisted: number
  readonly impact: ImpactView
  /** The impact must be worked out (anew). */
  readonly impactDue: boolean
  readonly timeline: readonly TimelineEntry[]
  readonly ack: IncidentView["ack"]
  readonly assignee: string | null
  readonly escalated: boolean
  readonly during: IncidentView["during"]
  readonly confirmed: IncidentView["confirmed"]
  readonly probing: readonly Question[]
  readonly quieted: readonly Quieted[]
  /** Its cause is at this provider, whose transit is out; absent = it is not. */
  readonly transit?: string
}

/** An alert that has no incident (yet). */
export interface LooseAlert {
  readonly device: string
  readonly rule: string
  readonly entity: string
  readonly severity: AlertSeverity
  readonly firedMs: number
}

/** A cause beside a young incident: it may turn out to be the same fault. */
export interface HeldCause {
  readonly key: string
  readonly sinceMs: number
}

export const NO_IMPACT: ImpactView = {
  sites: [],
  devices: [],
  links: [],
  services: [],
  subscribers: null,
  subscribersPart: null,
}

export const placeKey = (device: string, entity: string): string => `${device} ${entity}`

export type { CauseMember }
