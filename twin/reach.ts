/**
 * Whether a router answers, source by source. A device is unreachable when the newest attempt of every one of its sources
 * failed; while one of several works, only the monitoring is degraded. Silence is data: it comes as an input.
 * Ping is one more voice, with two limits: where nobody can ping it is not waited for, and an old verdict says nothing.
 */
import { metricId } from "#protocol/metric.ts"
import type { Source } from "#protocol/view.ts"
import { durationText } from "#twin/duration.ts"
import type { UnreachableInput } from "#twin/input.ts"
import type { Pace, Uptime } from "#twin/pace.ts"
import type { RouterState, Turn } from "#twin/router.ts"
import { packOrigin } from "#twin/source.ts"
import type { Happening } from "#twin/step.ts"
import { DEVICE_LAYOUT, grownTable } from "#twin/values.ts"
import type { ValueTable } from "#twin/values.ts"

/** One collector's relation with a router. */
export interface SourceState {
  readonly source: Source
  /** Null = not tried yet. */
  readonly up: boolean | null
  readonly lastOkMs: number | null
  readonly lastTryMs: number | null
  /** Why the newest attempt failed; null while it works. */
  readonly error: string | null
  /** Uptime that its last answer told, s. */
  readonly uptimeSeconds: number | null
  /** World.unseenMs at its last answer; absent in states of before = 0. */
  readonly unseenMs?: number
  /** How fast its uptime runs; absent until it told one twice, and in states of before. */
  readonly pace?: Pace
  /** The answer that counters are measured from, when that is not the last one (Span.tooSoon). */
  readonly base?: Uptime
}

const MAX_ERROR = 256

/**
 * Pings are reported at least once a minute (engine/probes/ping-report.ts); a verdict older than three of those came
 * from a prober that stopped, and is no evidence of a router's life.
 */
export const PROBE_STALE_MS = 180_001

/** A source that reads the device, not only its pulse. */
export const isManagement = ({ source }: Pick<SourceState, "source">): boolean => source !== "probe"

/** Somebody reads the device: what it last told of itself is current. */
export const isManaged = (sources: readonly SourceState[]): boolean =>
  sources.some((known) => isManagement(known) && known.up === true)

/** The source has said something that counts at `atMs`. */
export const hasSay = (known: SourceState, atMs: number): boolean =>
  isManagement(known) || (known.lastTryMs !== null && atMs - known.lastTryMs < PROBE_STALE_MS)

/** The metric that says whether a source answers. */
export const SOURCE_FLAG: Partial<Record<Source, "device.snmp.up" | "device.api.up">> = {
  snmp: "device.snmp.up",
  routeros: "device.api.up",
}

export const untried = (source: Source): SourceState => ({
  source,
  up: null,
  lastOkMs: null,
  lastTryMs: null,
  error: null,
  uptimeSeconds: null,
})

/** Not later than what the source said before: a duplicate or a straggler, which must not undo newer knowledge. */
export const isOutOfOrder = (state: RouterState, source: Source, atMs: number): boolean => {
  const last = state.sources.find((known) => known.source === source)?.lastTryMs ?? null
  return last !== null && atMs <= last
}

/** A poll that got no answer. */
export const silent = (state: RouterState, input: UnreachableInput): Turn => {
  if (isOutOfOrder(state, input.source, input.atMs))
    return { state: { ...state, outOfOrder: state.outOfOrder + 1 }, events: [] }
  const error = `${input.reason}: ${input.detail}`.slice(0, MAX_ERROR)
  const device = withSourceFlag(state.device, input)
  return attempted({ ...state, device }, input.source, input.atMs, { up: false, error })
}

/** device.snmp.up / device.api.up = 0: nobody else can write them while the source is silent. */
const withSourceFlag = (device: ValueTable, input: UnreachableInput): ValueTable => {
  const name = SOURCE_FLAG[input.source]
  if (name === undefined) return device
  const column = DEVICE_LAYOUT.columnOf[metricId(name)] as number
  const flagged = grownTable(device, 1, DEVICE_LAYOUT.width)
  flagged.value[column] = 0
  flagged.atMs[column] = input.atMs
  flagged.origin[column] = packOrigin(input.source, false)
  return flagged
}

/** What one attempt of one source told about reachability. `ok.uptimeSeconds` null = the answer had none. */
export const attempted = (
  state: RouterState,
  source: Source,
  atMs: number,
  attempt:
    | ({ readonly up: true } & Pick<SourceState, "uptimeSeconds" | "unseenMs" | "pace" | "base">)
    | { readonly up: false; readonly error: string },
): Turn => {
  const before = state.sources.find((known) => known.source === source) ?? untried(source)
  const after: SourceState = attempt.up
    ? { source, lastOkMs: atMs, lastTryMs: atMs, error: null, ...attempt }
    : { ...before, up: false, lastTryMs: atMs, error: attempt.error }
  const sources = state.sources.includes(before)
    ? state.sources.map((known) => (known === before ? after : known))
    : [...state.sources, after]
  const reachable = reachableBy(sources, atMs)
  const counts = source !== "probe" || !state.config.sources.some((configured) => configured !== "probe")
  const turned = reachable !== state.reachable
  const next: RouterState = {
    ...state,
    sources,
    reachable,
    reachableSinceMs: turned ? atMs : state.reachableSinceMs,
    heardMs: counts ? Math.max(atMs, state.heardMs ?? 0) : state.heardMs,
  }
  return { state: next, events: turned ? reachEvents(state, next, after) : sourceEvents(next, before, after) }
}

/** True when any answers, false when all that have a say were tried and none does, null while that is open. */
export const reachableBy = (sources: readonly SourceState[], atMs: number): boolean | null => {
  const voices = sources.filter((source) => hasSay(source, atMs))
  if (voices.some((source) => source.up === true)) return true
  return voices.length > 0 && voices.every((source) => source.up === false) ? false : null
}

/** First contact is no news; the first silence is. */
const reachEvents = (before: RouterState, after: RouterState, cause: SourceState): readonly Happening[] => {
  if (after.reachable === null || (after.reachable && before.reachable === null)) return []
  const silentMs =
    cause.lastTryMs !== null && before.reachableSinceMs !== null ? cause.lastTryMs - before.reachableSinceMs : 0
  return [
    {
      atMs: cause.lastTryMs ?? 0,
      type: "device.reachable.changed",
      severity: after.reachable ? "cleared" : "critical",
      subject: after.config.device,
      subjectKind: "device",
      entity: "",
      old: before.reachable === null ? null : before.reachable ? "up" : "down",
      new: after.reachable ? "up" : "down",
      raw: after.reachable ? `answers again after ${durationText(silentMs)}` : cause.error,
      source: cause.source,
    },
  ]
}

/** One source turned while the device as a whole did not. */
const sourceEvents = (state: RouterState, before: SourceState, after: SourceState): readonly Happening[] => {
  if (state.sources.length < 2 || before.up === after.up || (before.up === null && after.up === true)) return []
  if (!isManagement(after)) return pingEvents(state, before, after)
  const changed: Happening = {
    atMs: after.lastTryMs ?? 0,
    type: "device.api.changed",
    severity: after.up ? "cleared" : "warning",
    subject: state.config.device,
    subjectKind: "device",
    entity: "",
    old: before.up === null ? null : before.up ? "up" : "down",
    new: after.up ? "up" : "down",
    raw: after.error,
    source: after.source,
  }
  if (after.up || state.reachable !== true) return [changed]
  return [changed, { ...changed, type: "monitoring.degraded", old: null, new: after.source }]
}

/** A router that has never answered ping filters it: that it goes on so is no news. */
const pingEvents = (state: RouterState, before: SourceState, after: SourceState): readonly Happening[] =>
  before.up === null
    ? []
    : [
        {
          atMs: after.lastTryMs ?? 0,
          type: after.up ? "probe.recovered" : "probe.degraded",
          severity: after.up ? "cleared" : "warning",
          subject: state.config.device,
          subjectKind: "device",
          entity: "",
          old: before.up ? "up" : "down",
          new: after.up ? "up" : "down",
          raw: after.error,
          source: after.source,
        },
      ]
