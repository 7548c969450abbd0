/**
 * The automatic timeline of an incident. What people did and wrote is never dropped; of what the twin wrote the first and
 * the newest lines stay when there are too many, and a line says how many are left out.
 */
import type { TimelineEntry } from "#protocol/incident.ts"
import type { Incident } from "#twin/incident/state.ts"

/** Lines by the twin. */
export const LINES_MAX = 200
/** Of these, the first that stay for good. */
const FIRST_LINES = 40
/** Lines by people; more are refused. */
export const PEOPLE_LINES_MAX = 200
export const TEXT_MAX = 2_000

export const isFull = ({ timeline }: Pick<Incident, "timeline">): boolean =>
  timeline.filter(({ by }) => by !== "").length >= PEOPLE_LINES_MAX

export const written = <T extends Pick<Incident, "timeline" | "updatedAtMs">>(
  incident: T,
  entry: TimelineEntry,
): T => ({
  ...incident,
  timeline: bounded([...incident.timeline, { ...entry, text: entry.text.slice(0, TEXT_MAX) }]),
  updatedAtMs: Math.max(incident.updatedAtMs, entry.atMs),
})

const bounded = (timeline: readonly TimelineEntry[]): readonly TimelineEntry[] => {
  const own = timeline.filter(({ by }) => by === "")
  if (own.length <= LINES_MAX) return timeline
  const gone = own[FIRST_LINES] as TimelineEntry
  const next = own[FIRST_LINES + 1] as TimelineEntry
  const before = LEFT_OUT.exec(gone.text)?.[1]
  const count = before === undefined ? 2 : Number(before) + 1
  const line: TimelineEntry = { atMs: next.atMs, action: "event", by: "", text: `${count} lines are left out here` }
  return timeline.flatMap((entry) => (entry === gone ? [line] : entry === next ? [] : [entry]))
}

const LEFT_OUT = /^(\d+) lines are left out here$/
