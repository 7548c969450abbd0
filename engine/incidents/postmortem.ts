/**
 * The report of an incident, as Markdown or JSON: what happened when, what was the cause and how sure that is, what it cost,
 * what people did. Made from the incident alone, so that the same incident gives the same report. Names and notes are
 * others' words: Markdown is escaped.
 */
import type { CauseView, IncidentView, TimelineEntry } from "#protocol/incident.ts"

export interface Postmortem {
  readonly file: string
  readonly mediaType: string
  readonly text: string
}

export const postmortemOf = (view: IncidentView, format: "markdown" | "json"): Postmortem =>
  format === "json"
    ? {
        file: `incident-${view.id}.json`,
        mediaType: "application/json",
        text: `${JSON.stringify({ schema: "heliograph.postmortem/1", incident: view }, null, 2)}\n`,
      }
    : { file: `incident-${view.id}.md`, mediaType: "text/markdown; charset=utf-8", text: markdownOf(view) }

/** Everything that Markdown or HTML inside it could read as more than text; one line. */
export const escaped = (text: string): string =>
  text
    .replace(/\s+/gu, " ")
    .replace(/[\\`*_{}[\]()#+!|~<>&-]/gu, (char) =>
      char === "<" ? "&lt;" : char === ">" ? "&gt;" : char === "&" ? "&amp;" : `\\${char}`,
    )

const markdownOf = (view: IncidentView): string => {
  const { impact, symptoms } = view
  const lines = [
    `# ${escaped(view.title)}`,
    "",
    `| | |`,
    `|---|---|`,
    `| Incident | ${escaped(view.id)} |`,
    `| State | ${view.state}, ${view.severity}${view.during === null ? "" : `, during ${view.during}`} |`,
    `| Began | ${instant(view.startsAtMs)} |`,
    `| Ended | ${view.endsAtMs === null ? "not yet" : `${instant(view.endsAtMs)}, after ${lasted(view.endsAtMs - view.startsAtMs)}`} |`,
    `| Assigned to | ${view.assignee === null ? "nobody" : escaped(view.assignee)} |`,
    "",
    "## Cause",
    "",
    ...confirmedLines(view),
    ...(view.causes.length === 0 ? ["Nothing that was observed names a cause."] : view.causes.flatMap(causeLines)),
    "",
    "## Impact",
    "",
    `* Subscribers: ${subscribersWords(view)}`,
    `* Sites (${impact.sites.length}): ${listed(impact.sites)}`,
    `* Devices (${impact.devices.length}): ${listed(impact.devices.map((id) => symptoms.find(({ device }) => device === id)?.deviceName ?? id))}`,
    `* Links (${impact.links.length}): ${listed(impact.links)}`,
    "",
    `## Symptoms (${symptoms.length}, of which ${view.suppressed} were told to nobody)`,
    "",
    ...symptoms.map(
      ({ sinceMs, deviceName, summary, why }) =>
        `* ${instant(sinceMs)} ${escaped(deviceName)}: ${escaped(summary)}${why === null ? "" : ` (${escaped(why)})`}`,
    ),
    "",
    "## Timeline",
    "",
    ...view.timeline.map(timelineLine),
    "",
  ]
  return `${lines.join("\n")}`
}

const confirmedLines = ({ confirmed }: IncidentView): readonly string[] =>
  confirmed === null
    ? ["Not confirmed by anybody.", ""]
    : [
        `Confirmed by ${escaped(confirmed.by)}, ${instant(confirmed.atMs)}: **${confirmed.members.map(({ name }) => escaped(name)).join(", ")}**. ${escaped(confirmed.note)}`,
        "",
      ]

const causeLines = ({ members, confidence, rank, because, evidence }: CauseView): readonly string[] => [
  `Predicted (${rank}, ${Math.round(confidence * 100)} %): **${members.map(({ name }) => escaped(name)).join(" or ")}**. ${escaped(because)}`,
  "",
  ...evidence.map(
    ({ standing, atMs, text }) => `* ${standing}${atMs === null ? "" : `, ${instant(atMs)}`}: ${escaped(text)}`,
  ),
  "",
]

const timelineLine = ({ atMs, action, by, text }: TimelineEntry): string =>
  `* ${instant(atMs)} ${action}${by === "" ? "" : ` by ${escaped(by)}`}: ${escaped(text)}`

const subscribersWords = ({ impact: { subscribers, subscribersPart } }: IncidentView): string => {
  if (subscribers === null) return "not known"
  const part = subscribersPart === null ? "" : `, ${Math.round(subscribersPart * 1000) / 10} % of all`
  return `${subscribers.count} (${subscribers.quality}, as of ${instant(subscribers.atMs)})${part}`
}

const LISTED_MAX = 50
const listed = (names: readonly string[]): string => {
  if (names.length === 0) return "none"
  const more = names.length > LISTED_MAX ? `, and ${names.length - LISTED_MAX} more` : ""
  return names.slice(0, LISTED_MAX).map(escaped).join(", ") + more
}

/** UTC, RFC 3339. */
const instant = (ms: number): string => new Date(ms).toISOString()

const lasted = (ms: number): string => {
  const minutes = Math.floor(ms / 60_000)
  return minutes < 1
    ? `${Math.round(ms / 1000)} s`
    : minutes < 60
      ? `${minutes} min`
      : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}
