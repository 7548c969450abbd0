/**
 * Restarts of a device. Its uptime tells (both sources may), so may a coldStart trap or a syslog line: one restart is one
 * event, whoever tells it first. Our own time may jump between two inputs, when nobody ran and the clock was set meanwhile: what
 * is said of a time that somebody saw (`unseenMs` is what of it nobody did, so far) holds whatever the clock was set to.
 */
import { restarted } from "#twin/counter.ts"
import type { BootTold, RouterState, Seen, Turn } from "#twin/router.ts"
import { deviceHappening } from "#twin/happening.ts"
import type { Evidence } from "#twin/happening.ts"

/** Two tellings of a start within this time speak of the same start: agents come up after their kernel. */
export const SAME_BOOT_MS = 120_000

/** Uptimes that one source told, one after the other. */
export interface Uptimes {
  readonly lastOkMs: number
  readonly lastUptime: number
  readonly atMs: number
  readonly uptime: number
  /** Of the time between them nobody saw so much, ms. */
  readonly unseenMs: number
  /** How fast it is known to run (twin/pace.ts); 1 = with time. */
  readonly pace: number
}

/** The device started between them. An uptime that merely is too short for a time that nobody saw proves nothing. */
export const startedBetween = ({ lastOkMs, lastUptime, atMs, uptime, unseenMs, pace }: Uptimes): boolean => {
  const counted = (ms: number): number => (ms / 1000) * Math.min(1, pace)
  return (
    restarted(lastUptime, uptime, counted(atMs - lastOkMs)) &&
    restarted(lastUptime, uptime, counted(atMs - lastOkMs - unseenMs))
  )
}

/**
 * The device says that it starts (a trap, a line), at the time of the evidence. By a clock that was set back since a start was
 * told, nobody knows whether this one came before it (agents repeat what nobody acknowledged): if not, its uptime will tell.
 */
export const toldToStart = (state: RouterState, { nowMs, unseenMs }: Seen, evidence: Evidence): Turn => {
  if (state.bootTold != null && evidence.atMs < state.bootTold.atMs) return { state, events: [] }
  const unseenSince = state.bootTold == null ? 0 : unseenMs - state.bootTold.unseenMs
  const heard = { atMs: nowMs, lastOkMs: state.sources.map(({ lastOkMs }) => lastOkMs) }
  const told = { atMs: evidence.atMs, unseenMs, heard }
  return started(state, evidence.atMs, SAME_BOOT_MS + unseenSince, told, evidence)
}

/** Its uptime says that it started since its source answered last, at `lastOkMs`. */
export const foundStarted = (
  state: RouterState,
  { lastOkMs, uptime }: Pick<Uptimes, "lastOkMs" | "uptime">,
  seen: Seen,
  evidence: Evidence,
): Turn => {
  const { atMs } = evidence
  const seenMs = seenSinceTold(state, lastOkMs, seen, atMs)
  // This uptime may go back to before it was told.
  if (seenMs !== null && uptime * 1000 + SAME_BOOT_MS >= seenMs) return { state, events: [] }
  const told = { atMs, unseenMs: seen.unseenMs }
  return started(state, Math.round(atMs - uptime * 1000), SAME_BOOT_MS, told, evidence)
}

/**
 * How much of the time was seen since a start was told, if that was after the source's last answer; null = it was not. In what
 * order they came holds whatever the clock was set to, and then our own time may know better than the times that were written on
 * them.
 */
const seenSinceTold = (
  { bootTold }: RouterState,
  lastOkMs: number,
  { nowMs, unseenMs }: Seen,
  atMs: number,
): number | null => {
  if (bootTold == null) return null
  const { heard } = bootTold
  const unseenSince = unseenMs - bootTold.unseenMs
  const ms = atMs - bootTold.atMs
  if (heard?.lastOkMs.includes(lastOkMs) === true) return Math.min(ms, nowMs - heard.atMs) - unseenSince
  return bootTold.atMs > lastOkMs ? ms - unseenSince : null
}

/** The device started at about `bootMs`, give or take `slackMs`. */
const started = (state: RouterState, bootMs: number, slackMs: number, bootTold: BootTold, evidence: Evidence): Turn => {
  if (state.bootMs !== null && Math.abs(bootMs - state.bootMs) <= slackMs) return { state, events: [] }
  const what = { type: "device.rebooted", severity: "warning", old: null, new: null } as const
  return { state: { ...state, bootMs, bootTold }, events: [deviceHappening(state, evidence, what)] }
}
