/**
 * An incident: alarms that belong together under one root cause, or a few, with what it costs and what was done about it
 * (PRODUCT.md: Incident, Correlation; ITIL). The twin opens, correlates and closes it, people acknowledge, assign and
 * annotate it; both are inputs of the journal, so that a replay has the same incidents under the same names.
 */
import type { AlertSeverity } from "#protocol/rule.ts"

export const INCIDENT_STATES = ["open", "recovering", "closed"] as const
export type IncidentState = (typeof INCIDENT_STATES)[number]

/** What can have failed. A class of causes that nothing seen so far tells apart is one candidate with several members. */
export const FAULT_TYPES = [
  "interface",
  "link",
  "router",
  "site-power",
  "srlg",
  "upstream",
  "route-reflector",
  "congestion",
  "flapping",
  "management-plane",
] as const
export type FaultType = (typeof FAULT_TYPES)[number]

/** One element that may be the cause. */
export interface CauseMember {
  readonly fault: FaultType
  /** Device, link, site or group; with an interface also its name. */
  readonly kind: "device" | "link" | "site" | "srlg" | "interface"
  readonly id: string
  readonly entity?: string
  /** As an operator knows it. */
  readonly name: string
}

export const STANDINGS = ["for", "against", "missing"] as const
/** One piece of evidence: it speaks for the cause, against it, or was expected and is not there (yet). */
export interface EvidenceView {
  /** twin/rca/evidence registry. */
  readonly kind: string
  readonly standing: (typeof STANDINGS)[number]
  readonly atMs: number | null
  readonly device: string | null
  readonly entity: string
  /** One sentence. */
  readonly text: string
}

export interface CauseView {
  readonly members: readonly CauseMember[]
  /** Calibrated: of causes said with 0.9, nine in ten are right (docs/rca.md). */
  readonly confidence: number
  readonly rank: "primary" | "contributing"
  /** One sentence: why this and not another. */
  readonly because: string
  readonly evidence: readonly EvidenceView[]
  readonly sinceMs: number
}

/** Each number with how it is known; null = not known (law 1). */
export interface ImpactView {
  readonly sites: readonly string[]
  readonly devices: readonly string[]
  readonly links: readonly string[]
  readonly services: readonly string[]
  /** From session counts before the fault, without identities. */
  readonly subscribers: {
    readonly count: number
    readonly quality: "measured" | "estimated"
    readonly atMs: number
  } | null
  /** Part of the tenant's subscribers, 0..1: PRODUCT.md I3 classes incidents by it. */
  readonly subscribersPart: number | null
}

export const INCIDENT_ACTIONS = [
  "opened",
  "updated",
  "cause",
  "recovering",
  "closed",
  "reopened",
  "acked",
  "unacked",
  "assigned",
  "noted",
  "escalated",
  "confirmed",
] as const
export type IncidentAction = (typeof INCIDENT_ACTIONS)[number]

/** A line of the automatic timeline. */
export interface TimelineEntry {
  readonly atMs: number
  readonly action: IncidentAction | "event" | "alert"
  /** Who: "" = the twin. */
  readonly by: string
  readonly text: string
  readonly device?: string
  readonly entity?: string
}

/** How what the twin had said stands beside what was confirmed. */
export interface Verdict {
  /** What the twin had named first; null = it had named nothing. */
  readonly fault: FaultType | null
  /** As it was said at the time; null = nothing was. */
  readonly confidence: number | null
  /** An element that was confirmed is among those that were named. */
  readonly isRight: boolean
}

export interface IncidentRow {
  /** `<seq>-<index>` of the journal where it opened. */
  readonly id: string
  readonly title: string
  readonly state: IncidentState
  readonly severity: AlertSeverity
  readonly startsAtMs: number
  /** When the last alert recovered; null = not yet. */
  readonly endsAtMs: number | null
  readonly updatedAtMs: number
  readonly cause: Pick<CauseView, "members" | "confidence"> | null
  readonly alerts: number
  /** Symptoms that the cause explains: nobody is told of them one by one. */
  readonly suppressed: number
  readonly impact: Pick<ImpactView, "subscribers" | "subscribersPart"> & {
    readonly sites: number
    readonly devices: number
  }
  readonly ack: { readonly by: string; readonly atMs: number; readonly untilMs: number } | null
  readonly assignee: string | null
  readonly escalated: boolean
  readonly during: "maintenance" | "change" | null
}

export interface IncidentView extends Omit<IncidentRow, "impact" | "cause"> {
  readonly causes: readonly CauseView[]
  readonly impact: ImpactView
  readonly symptoms: ReadonlyArray<{
    /** protocol/alert.ts alertId, or "" for evidence without a rule. */
    readonly alert: string
    readonly device: string
    readonly deviceName: string
    readonly entity: string
    readonly summary: string
    readonly sinceMs: number
    /** Index into causes; null = unexplained. */
    readonly explainedBy: number | null
    /** "Why suppressed", in words. */
    readonly why: string | null
  }>
  readonly timeline: readonly TimelineEntry[]
  /** What an operator said was the true cause. */
  readonly confirmed: {
    readonly by: string
    readonly atMs: number
    readonly members: readonly CauseMember[]
    readonly note: string
    /** What the twin had said by then; absent in what was confirmed before this was kept. */
    readonly verdict?: Verdict
  } | null
  /** Asked of the network now, because it would tell the members of a class apart. */
  readonly probing: ReadonlyArray<{ readonly text: string; readonly atMs: number; readonly answer: string | null }>
}
