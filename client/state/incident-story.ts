/**
 * An incident's story in reading order: the time line of the twin and of people as one, lines that repeat folded into one
 * with a count, and evidence sorted by what it says. Pure.
 */
import type { EvidenceView, IncidentView, TimelineEntry } from "#protocol/incident.ts"

export interface StoryLine {
  /** Of the newest when several were folded. */
  readonly entry: TimelineEntry
  readonly count: number
  /** Of the oldest that was folded in. */
  readonly firstMs: number
  /** A person did it. */
  readonly byHand: boolean
}

/** What the twin writes again and again while nothing new happens. */
const FOLDABLE: ReadonlySet<TimelineEntry["action"]> = new Set(["updated", "event", "alert", "cause"])

/**
 * Newest first. Neighbours that say the same thing of the same entity are one line; what a person did is never folded.
 * Of equal times the later in the engine's order is the newer.
 */
export const storyOf = (timeline: readonly TimelineEntry[]): readonly StoryLine[] => {
  const order = timeline.map((entry, at) => ({ entry, at })).sort((a, b) => b.entry.atMs - a.entry.atMs || b.at - a.at)
  const lines: StoryLine[] = []
  for (const { entry } of order) {
    const last = lines.at(-1)
    if (last !== undefined && last.entry.by === "" && entry.by === "" && sameWords(last.entry, entry)) {
      lines[lines.length - 1] = { ...last, count: last.count + 1, firstMs: entry.atMs }
    } else lines.push({ entry, count: 1, firstMs: entry.atMs, byHand: entry.by !== "" })
  }
  return lines
}

const sameWords = (a: TimelineEntry, b: TimelineEntry): boolean =>
  FOLDABLE.has(a.action) && a.action === b.action && a.text === b.text && a.device === b.device && a.entity === b.entity

export interface Evidence {
  readonly for: readonly EvidenceView[]
  readonly against: readonly EvidenceView[]
  readonly missing: readonly EvidenceView[]
}
/** Newest first; what has no time stands last, in the engine's order. */
export const evidenceOf = (evidence: readonly EvidenceView[]): Evidence => {
  const of = (standing: EvidenceView["standing"]) =>
    evidence
      .filter((one) => one.standing === standing)
      .sort((a, b) => (b.atMs ?? Number.NEGATIVE_INFINITY) - (a.atMs ?? Number.NEGATIVE_INFINITY) || 0)
  return { for: of("for"), against: of("against"), missing: of("missing") }
}

type Symptom = IncidentView["symptoms"][number]
export interface SymptomGroup {
  /** Null = no cause explains them. */
  readonly cause: number | null
  readonly symptoms: readonly Symptom[]
}
/** What no cause explains first, as it may be a fault of its own; then by cause. Oldest first inside: that is how it spread. */
export const symptomGroups = (symptoms: readonly Symptom[]): readonly SymptomGroup[] => {
  const causes = [...new Set(symptoms.map(({ explainedBy }) => explainedBy))].sort((a, b) => (a ?? -1) - (b ?? -1))
  return causes.map((cause) => ({
    cause,
    symptoms: symptoms
      .filter(({ explainedBy }) => explainedBy === cause)
      .sort((a, b) => a.sinceMs - b.sinceMs || (a.deviceName < b.deviceName ? -1 : 1)),
  }))
}
