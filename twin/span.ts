/**
 * The time between two polls of one source, by our clock and by the device's own uptime (twin/counter.ts says whose counts):
 * whether it restarted meanwhile, how long it was, and whether that can be told yet.
 */
import { elapsedSeconds, NOT_YET } from "#twin/counter.ts"
import { paceAfter } from "#twin/pace.ts"
import type { Uptime } from "#twin/pace.ts"
import type { SourceState } from "#twin/reach.ts"
import { startedBetween } from "#twin/reboot.ts"
import type { Uptimes } from "#twin/reboot.ts"

/** The time since the poll that a poll's counters are compared with. */
export interface Span {
  /** The agent started since: counters cannot be compared. */
  readonly restarted: boolean
  /** When that poll was; null = there is none, or it told no uptime. */
  readonly sinceMs: number | null
  /** How much longer than by our clock it was since, s; NaN = nobody knows how long: then nothing has a rate. */
  readonly lostSeconds: number
  /** It is too short to tell its length: rates stay as they are, and the next poll is compared with the same older one. */
  readonly tooSoon: boolean
  /** Not our own time, or against a device whose time is wrong. */
  readonly isEstimate: boolean
}

export interface Timed {
  /** Null = nothing to compare. */
  readonly uptimes: Uptimes | null
  readonly span: Span
  /** What to remember of the source. */
  readonly kept: Pick<SourceState, "pace" | "base">
}

/** `source` as it was before this poll, which told `uptime`; `unseenMs` is World.unseenMs of now. */
export const timedBy = (
  source: SourceState | undefined,
  atMs: number,
  uptime: number | null,
  unseenMs: number,
): Timed => {
  const last = source === undefined ? null : lastOf(source)
  const base = source?.base ?? last
  const pace = uptime === null ? source?.pace : paceAfter(source?.pace, { atMs, seconds: uptime })
  const kept = pace === undefined ? {} : { pace }
  const ratio = pace?.ratio ?? 1
  const span = { restarted: false, sinceMs: base?.atMs ?? null, lostSeconds: 0, tooSoon: false, isEstimate: false }
  if (source === undefined || uptime === null || last === null || base === null) return { uptimes: null, span, kept }
  const uptimes: Uptimes = {
    lastOkMs: last.atMs,
    lastUptime: last.seconds,
    atMs,
    uptime,
    unseenMs: unseenMs - (source.unseenMs ?? 0),
    pace: ratio,
  }
  if (startedBetween(uptimes)) return { uptimes, span: { ...span, restarted: true }, kept }
  const clockSeconds = (atMs - base.atMs) / 1000
  const seconds = elapsedSeconds(base.seconds, uptime, clockSeconds, ratio)
  if (seconds === NOT_YET) return { uptimes, span: { ...span, tooSoon: true }, kept: { ...kept, base } }
  const lostSeconds = seconds - clockSeconds
  return { uptimes, span: { ...span, lostSeconds, isEstimate: lostSeconds > 0 || ratio !== 1 }, kept }
}

const lastOf = ({ lastOkMs, uptimeSeconds }: SourceState): Uptime | null =>
  lastOkMs === null || uptimeSeconds === null ? null : { atMs: lastOkMs, seconds: uptimeSeconds }
