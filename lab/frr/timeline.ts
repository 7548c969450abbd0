/**
 * Fault timelines of real routers: JSON lines, a header and then what the routers told, in the order of its time, in
 * milliseconds since the fault. The cause is known, so that they are ground truth for root-cause analysis. Recorded by
 * recorder.fixture.ts; read with `readTimeline`.
 */

export interface Header {
  readonly timeline: string
  readonly version: 1
  readonly about: string
  readonly tier: "real daemons"
  /** Package or kernel -> version. */
  readonly versions: Readonly<Record<string, string>>
  readonly recordedAt: string
  readonly pollSeconds: number
  /** Seconds. */
  readonly timers: Readonly<Record<string, number>>
  readonly cause:
    | { readonly kind: "link"; readonly a: string; readonly b: string; readonly shutAt: string }
    | { readonly kind: "router"; readonly router: string }
    | { readonly kind: "loss"; readonly a: string; readonly b: string; readonly percent: number }
  /** When the fault was taken back, milliseconds after it. */
  readonly mendedMs: number
}

/** `ms` is when the engine had it, milliseconds after the fault; `device` a router of isp.ts. */
export type Entry = { readonly ms: number; readonly device: string } & (
  | {
      readonly kind: "trap"
      readonly trap: string
      readonly oid: string
      readonly ifIndex: number | null
      readonly ifName: string | null
      readonly adminUp: boolean | null
      readonly remote: string | null
      readonly state: string | null
      readonly raw: string
    }
  | {
      readonly kind: "syslog"
      readonly severity: number
      readonly message: string
      /** As the engine typed it at the time of the recording; null = it meant nothing. */
      readonly event: Readonly<Record<string, unknown>> | null
      readonly count: number
    }
  /** A state that a poll saw changed; null = the row was not there. `startedMs`: when the poll's first request left. */
  | {
      readonly kind: "poll"
      readonly startedMs: number
      readonly entity: string
      readonly metric: string
      readonly old: string | null
      readonly new: string | null
    }
  /** The first of a row of failed polls. */
  | { readonly kind: "unreachable"; readonly reason: string; readonly detail: string }
  /** The first good poll after failed ones. */
  | { readonly kind: "answers" }
)

export interface Timeline {
  readonly header: Header
  readonly entries: readonly Entry[]
}

const KINDS = ["trap", "syslog", "poll", "unreachable", "answers"]

export const writeTimeline = (header: Header, entries: readonly Entry[]): string =>
  [header, ...entries.toSorted((a, b) => a.ms - b.ms)].map((line) => `${JSON.stringify(line)}\n`).join("")

/** Throws an Error that names the line. */
export const readTimeline = (text: string): Timeline => {
  const [first, ...rest] = text.trimEnd().split("\n")
  const header = parse(first ?? "", 1) as unknown as Header
  if (header.version !== 1 || typeof header.timeline !== "string" || header.tier !== "real daemons")
    throw new Error("line 1: not the header of a timeline, version 1")
  const entries = rest.map((line, index) => {
    const entry = parse(line, index + 2)
    if (
      typeof entry["ms"] !== "number" ||
      typeof entry["device"] !== "string" ||
      !KINDS.includes(String(entry["kind"]))
    )
      throw new Error(`line ${index + 2}: an entry has ms, device and a kind of ${KINDS.join(", ")}`)
    return entry as unknown as Entry
  })
  return { header, entries }
}

const parse = (line: string, number: number): Readonly<Record<string, unknown>> => {
  try {
    const value = JSON.parse(line) as unknown
    if (typeof value === "object" && value !== null) return value as Readonly<Record<string, unknown>>
  } catch {
    // Said below, with the place.
  }
  throw new Error(`line ${number}: not a JSON object`)
}
