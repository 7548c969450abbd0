/**
 * One router: its sources, values, interfaces and adjacencies, folded from polls, traps, syslog lines and silences.
 * It judges its own health, is judged by the rules (twin/judge/), and tells its links and its tenant what changed. SNMP and RouterOS feed the same interfaces:
 * the newest evidence wins, and counters of one source are never compared with those of another.
 */
import type { DeviceId } from "#protocol/id.ts"
import type { TextFact } from "#protocol/metric.ts"
import type { ServiceCondition, ServiceHealth } from "#protocol/service.ts"
import type { Status } from "#protocol/status.ts"
import { UNKNOWN_STATUS } from "#protocol/status.ts"
import type { Source } from "#protocol/view.ts"
import type { AlertCommand } from "#twin/alert/command.ts"
import type { AdjacencyTable } from "#twin/adjacency.ts"
import { NO_ADJACENCIES } from "#twin/adjacency.ts"
import { redundancyHappening, serviceHappenings } from "#twin/happening.ts"
import { conclude } from "#twin/health.ts"
import type { DeviceInput } from "#twin/input.ts"
import type { InterfaceTable } from "#twin/interface.ts"
import { NO_INTERFACES } from "#twin/interface.ts"
import type { EndFact } from "#twin/link.ts"
import type { AlertsFact } from "#twin/judge/alert-rows.ts"
import type { RouterJudgement } from "#twin/judge/judged.ts"
import { withJudgement } from "#twin/judge/judged.ts"
import type { Judge } from "#twin/judge/judging.ts"
import { notified } from "#twin/notice.ts"
import { polled } from "#twin/poll.ts"
import { probed } from "#twin/probe.ts"
import { reachableBy, silent, untried } from "#twin/reach.ts"
import type { SourceState } from "#twin/reach.ts"
import type { Happening, Step } from "#twin/step.ts"
import type { ValueTable } from "#twin/values.ts"
import { DEVICE_LAYOUT, emptyTable } from "#twin/values.ts"

/** An interface that carries a link. */
export interface Port {
  readonly ifName: string
  /** Slot of the link. */
  readonly link: number
  readonly end: "a" | "b"
}

export interface RouterConfig {
  readonly device: DeviceId
  readonly slot: number
  readonly pollSeconds: number
  readonly sources: readonly Source[]
  readonly ports: readonly Port[]
}

export interface RouterState {
  readonly config: RouterConfig
  readonly sources: readonly SourceState[]
  /** One row, DEVICE_LAYOUT. */
  readonly device: ValueTable
  readonly texts: Readonly<Partial<Record<TextFact, string>>>
  readonly interfaces: InterfaceTable
  readonly adjacencies: AdjacencyTable
  /** Any source answers, be it only to ping; null = not known yet. */
  readonly reachable: boolean | null
  readonly reachableSinceMs: number | null
  /** Newest poll or failed attempt; of a ping only where nothing else asks the device. */
  readonly heardMs: number | null
  readonly stale: boolean
  /** Health before the tenant's view of neighbours. */
  readonly status: Status
  /** Worst first, in words. */
  readonly reasons: readonly string[]
  /** Start of the device as far as the last reboot told; null = no reboot seen. */
  readonly bootMs: number | null
  /** Absent in states of before. */
  readonly bootTold?: BootTold | null
  /** What was last told to the link of each port. */
  readonly ends: readonly EndFact[]
  /** Last told to the tenant. */
  readonly told: NodeFact | null
  /** Rows refused: unknown or derived metric, wrong entity, not finite, over a bound. */
  readonly refused: number
  /** Inputs no newer than what the same source had said. */
  readonly outOfOrder: number
  /** Null = no rules are set. */
  readonly judgement: RouterJudgement | null
}

interface Judged {
  readonly atMs: number
  /** By what it is judged now; null or absent = there are no rules. */
  readonly judge?: Judge | null
}

export type RouterMsg =
  | { readonly kind: "configure"; readonly config: RouterConfig; readonly atMs: number }
  /** Other rules, silences or facts: what a message of its own would have told it too (twin/judge/walk.ts). */
  | ({ readonly kind: "judge" } & Judged)
  /** `unseenMs`: World.unseenMs; absent = 0. */
  | ({ readonly kind: "input"; readonly input: DeviceInput; readonly unseenMs?: number } & Judged)
  /** To its alerts: acknowledged by a person, suppressed by the tenant. */
  | ({ readonly kind: "command"; readonly command: AlertCommand } & Judged)
  /** Its second way is gone although the plan has one, or is back; `by` = on what everything hangs now. */
  | ({ readonly kind: "redundancy"; readonly lost: boolean; readonly by: string | null } & Judged)
  /** A service that is told by it does otherwise; `condition` null = it tells it no more. */
  | ({
      readonly kind: "service"
      readonly service: string
      readonly old: ServiceHealth
      readonly condition: ServiceCondition | null
    } & Judged)
  | ({ readonly kind: "timer" } & Judged)

/** What the tenant needs to know of a router. Sent when it changed, and after `configure`. */
export interface NodeFact {
  readonly kind: "node"
  readonly slot: number
  readonly status: Status
  readonly reachable: boolean | null
  /** Unix seconds of the newest answer; 0 = never. */
  readonly seenS: number
  /** pppoe.sessions.active while it answers and is not stale; null = not measured. */
  readonly subscribers: number | null
}

export type RouterFact = EndFact | NodeFact | AlertsFact

export const newRouter = (config: RouterConfig): RouterState => ({
  config,
  sources: config.sources.map(untried),
  device: emptyTable(1, DEVICE_LAYOUT.width),
  texts: {},
  interfaces: NO_INTERFACES,
  adjacencies: NO_ADJACENCIES,
  reachable: null,
  reachableSinceMs: null,
  heardMs: null,
  stale: false,
  status: UNKNOWN_STATUS,
  reasons: [],
  bootMs: null,
  bootTold: null,
  ends: [],
  told: null,
  refused: 0,
  outOfOrder: 0,
  judgement: null,
})

/** What a message made of a router, before it is judged. */
export interface Turn {
  readonly state: RouterState
  readonly events: readonly Happening[]
}

/** The twin's own time when an input is taken. */
export interface Seen {
  /** World.atMs: what it is by the input's own may be another, when a clock was set. */
  readonly nowMs: number
  /** World.unseenMs. */
  readonly unseenMs: number
}

/** A start that was told: when, and what World.unseenMs was then. */
export interface BootTold {
  readonly atMs: number
  readonly unseenMs: number
  /** Of a trap or line: World.atMs when it was heard, and when each source had answered last. */
  readonly heard?: { readonly atMs: number; readonly lastOkMs: ReadonlyArray<number | null> }
}

export const stepRouter = (state: RouterState, msg: RouterMsg): Step<RouterState, RouterFact> =>
  withJudgement(state, msg, stepMonitoring(state, msg))

const stepMonitoring = (state: RouterState, msg: RouterMsg): Step<RouterState, RouterFact> => {
  switch (msg.kind) {
    case "configure":
      return conclude(state, { state: configured(state, msg.config, msg.atMs), events: [] }, msg.atMs, true)
    case "input":
      return conclude(
        state,
        inputTaken(state, msg.input, { nowMs: msg.atMs, unseenMs: msg.unseenMs ?? 0 }),
        msg.atMs,
        false,
      )
    case "redundancy":
      return conclude(state, { state, events: [redundancyHappening(state, msg)] }, msg.atMs, false)
    case "service":
      return conclude(state, { state, events: serviceHappenings(state, msg) }, msg.atMs, false)
    case "timer":
    case "judge":
    case "command":
      return conclude(state, { state, events: [] }, msg.atMs, false)
  }
}

const inputTaken = (state: RouterState, input: DeviceInput, seen: Seen): Turn => {
  switch (input.kind) {
    case "poll":
      return input.source === "probe" ? probed(state, input) : polled(state, input, seen)
    case "unreachable":
      return silent(state, input)
    case "trap":
    case "syslog":
      return notified(state, input, seen)
  }
}

/**
 * Sources that are no longer configured are forgotten: neither their answers nor their silence count any more. With the
 * same sources as before nothing is weighed anew: whether a router answers turns when a source speaks, not by the clock.
 */
const configured = (state: RouterState, config: RouterConfig, atMs: number): RouterState => {
  const sources = config.sources.map(
    (source) => state.sources.find((known) => known.source === source) ?? untried(source),
  )
  if (sources.length === state.sources.length && sources.every((source) => state.sources.includes(source)))
    return { ...state, config }
  const reachable = reachableBy(sources, atMs)
  const reachableSinceMs = reachable === state.reachable ? state.reachableSinceMs : atMs
  return { ...state, config, sources, reachable, reachableSinceMs }
}
