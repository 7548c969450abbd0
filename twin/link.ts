/**
 * A physical link as seen from both of its ends. Its routers tell it what their interface says; it decides whether the
 * link carries traffic, and how full it is. A link never polls and never guesses: no evidence is `unknown`.
 */
import type { LinkId } from "#protocol/id.ts"
import { sameStatus, UNKNOWN_STATUS } from "#protocol/status.ts"
import type { Status } from "#protocol/status.ts"
import type { Source } from "#protocol/view.ts"
import { durationText } from "#twin/duration.ts"
import type { Happening, Step } from "#twin/step.ts"

/** A direction at this fraction of capacity or more makes the link hot. */
export const HOT = 0.8

/** What a router says about its interface that carries this link. Sent when anything in it changed. */
export interface EndFact {
  readonly kind: "end"
  /** Slot of the link. */
  readonly link: number
  readonly end: "a" | "b"
  readonly operUp: boolean | null
  readonly adminUp: boolean | null
  /** Time and source of the oper state; null = never seen. */
  readonly atMs: number | null
  readonly source: Source | null
  /** The router answers; null = not tried yet. */
  readonly reachable: boolean | null
  /** The oper state is recent evidence: the router answers and is not stale, or the state is newer than its silence. */
  readonly fresh: boolean
  readonly speedBps: number | null
  /** Null when unknown or no longer fresh. */
  readonly rxBps: number | null
  readonly txBps: number | null
}

export interface LinkConfig {
  readonly id: LinkId
  readonly slot: number
  readonly capacityBps: number | null
  /** `name ifName` of each end, for reasons and events. */
  readonly a: string
  readonly b: string
}

export interface LinkState {
  readonly config: LinkConfig
  readonly a: EndFact | null
  readonly b: EndFact | null
  readonly status: Status
  readonly reasons: readonly string[]
  /** Fractions of capacity; null = unknown. */
  readonly utilAB: number | null
  readonly utilBA: number | null
  /** Effective capacity. */
  readonly capacityBps: number | null
  /** When the present health began; null while nothing was ever known. */
  readonly sinceMs: number | null
  /** When it went down, kept until it is seen up; null = not down. */
  readonly downSinceMs: number | null
}

export type LinkMsg =
  | { readonly kind: "configure"; readonly atMs: number; readonly config: LinkConfig }
  | { readonly kind: "ends"; readonly atMs: number; readonly facts: readonly EndFact[] }
  | { readonly kind: "timer"; readonly atMs: number }

/** What the tenant needs to know of a link. Sent when it changed, and after `configure`. */
export interface LinkFact {
  readonly kind: "link"
  readonly slot: number
  readonly status: Status
  /** A direction is at or above HOT of capacity. */
  readonly hot: boolean
}

export const newLink = (config: LinkConfig): LinkState => ({
  config,
  a: null,
  b: null,
  status: UNKNOWN_STATUS,
  reasons: [],
  utilAB: null,
  utilBA: null,
  capacityBps: config.capacityBps,
  sinceMs: null,
  downSinceMs: null,
})

export const stepLink = (state: LinkState, msg: LinkMsg): Step<LinkState, LinkFact> => {
  switch (msg.kind) {
    case "configure":
      return concluded(state, configured(state, msg.config), msg.atMs, true)
    case "ends":
      return concluded(state, msg.facts.reduce(heard, state), msg.atMs, false)
    case "timer":
      return concluded(state, state, msg.atMs, false)
  }
}

/** An end that is another interface now has told nothing yet; its router tells within the same input. */
const configured = (state: LinkState, config: LinkConfig): LinkState => ({
  ...state,
  config,
  a: config.a === state.config.a ? state.a : null,
  b: config.b === state.config.b ? state.b : null,
})

const heard = (state: LinkState, fact: EndFact): LinkState =>
  fact.end === "a" ? { ...state, a: fact } : { ...state, b: fact }

const concluded = (
  before: LinkState,
  heardState: LinkState,
  nowMs: number,
  always: boolean,
): Step<LinkState, LinkFact> => {
  const verdict = judgeLink(heardState)
  const status = sameStatus(before.status, verdict.status) ? before.status : verdict.status
  const capacityBps = capacityOf(heardState)
  const utilAB = utilisation(heardState.a?.txBps ?? heardState.b?.rxBps ?? null, capacityBps)
  const utilBA = utilisation(heardState.b?.txBps ?? heardState.a?.rxBps ?? null, capacityBps)
  const turned = status.health !== before.status.health
  const state: LinkState = {
    ...heardState,
    status,
    reasons: verdict.reasons,
    capacityBps,
    utilAB,
    utilBA,
    sinceMs: turned ? nowMs : before.sinceMs,
    downSinceMs: downSince(before, status, nowMs),
  }
  const redrawn = always || status !== before.status || utilAB !== before.utilAB || utilBA !== before.utilBA
  const told = always || status !== before.status || isHot(state) !== isHot(before)
  return {
    state,
    deltas: redrawn ? [{ column: "link", slot: state.config.slot, status, utilAB, utilBA }] : [],
    facts: told ? [{ kind: "link", slot: state.config.slot, status, hot: isHot(state) }] : [],
    events: linkEvents(before, state, nowMs),
    timerMs: null,
  }
}

/**
 * Either end that recently said "down" makes the link down. One end that says "up" is enough while none says down, but
 * when the other end's router does not answer that is half a proof, and shown as such: carrier equipment keeps a port up
 * whose far router is dead. Two silent routers leave it open. When nothing is fresh any more the last verdict stays,
 * marked stale: that polls stopped is no news of the link.
 */
const judgeLink = (state: LinkState): Verdict => {
  const ends = [
    { fact: state.a, name: state.config.a },
    { fact: state.b, name: state.config.b },
  ].filter((end): end is NamedEnd => end.fact !== null)
  const fresh = verdictOf(ends.filter((end) => end.fact.fresh))
  if (fresh !== null) return fresh.status.health === "ok" ? halved(fresh, ends) : fresh
  const stale = verdictOf(ends.filter((end) => end.fact.reachable === true))
  if (stale !== null) {
    const decided = isSeenUp(state.status) || state.status.health === "down"
    const kept = decided ? state : stale
    return { status: { ...kept.status, stale: true }, reasons: kept.reasons }
  }
  if (ends.length === 2 && ends.every((end) => end.fact.reachable === false))
    return { status: status("unreachable", "indeterminate"), reasons: ["the routers of both ends do not answer"] }
  return { status: status("unknown", "indeterminate"), reasons: ["neither end has told the state of its interface"] }
}

/** An "ok" of one end, unless the router of the other end is known not to answer. */
const halved = (ok: Verdict, ends: readonly NamedEnd[]): Verdict => {
  const silent = ends.find((end) => end.fact.reachable === false && !end.fact.fresh)
  return silent === undefined
    ? ok
    : {
        status: status("degraded", "indeterminate"),
        reasons: [`${silent.name} cannot confirm: its router does not answer`],
      }
}

/** At least one end says that it is up. */
const isSeenUp = ({ health }: Status): boolean => health === "ok" || health === "degraded"

interface Verdict {
  readonly status: Status
  readonly reasons: readonly string[]
}

interface NamedEnd {
  readonly fact: EndFact
  readonly name: string
}

/** Null = these ends know nothing. */
const verdictOf = (ends: readonly NamedEnd[]): Verdict | null => {
  const shut = ends.filter((end) => end.fact.adminUp === false)
  if (shut.length > 0)
    return {
      status: status("down", "warning"),
      reasons: shut.map((end) => `${end.name} is shut by an operator`),
    }
  const down = ends.filter((end) => end.fact.operUp === false)
  if (down.length > 0)
    return {
      status: status("down", "critical"),
      reasons: down.map((end) => `${end.name} is down (${end.fact.source ?? "unknown source"})`),
    }
  return ends.some((end) => end.fact.operUp === true) ? { status: status("ok", "cleared"), reasons: [] } : null
}

const status = (health: Status["health"], severity: Status["severity"]): Status => ({
  health,
  severity,
  maintenance: false,
  stale: false,
})

/** Declared, else the slower of the ends' known speeds; null = unknown. */
const capacityOf = (state: LinkState): number | null => {
  if (state.config.capacityBps !== null) return state.config.capacityBps
  const speeds = [state.a?.speedBps ?? 0, state.b?.speedBps ?? 0].filter((speed) => speed > 0)
  return speeds.length === 0 ? null : Math.min(...speeds)
}

const utilisation = (bps: number | null, capacityBps: number | null): number | null =>
  bps === null || capacityBps === null || !(capacityBps > 0) ? null : bps / capacityBps

const isHot = (state: LinkState): boolean =>
  isSeenUp(state.status) && Math.max(state.utilAB ?? 0, state.utilBA ?? 0) >= HOT

/** A link that fell silent while down is still down for its duration: only being seen up ends it. */
const downSince = (before: LinkState, now: Status, nowMs: number): number | null => {
  if (isSeenUp(now)) return null
  return now.health === "down" ? (before.downSinceMs ?? nowMs) : before.downSinceMs
}

const linkEvents = (before: LinkState, after: LinkState, nowMs: number): readonly Happening[] => {
  const fell = before.downSinceMs === null && after.downSinceMs !== null
  const mended = before.downSinceMs !== null && after.downSinceMs === null
  if (!fell && !mended) return []
  return [
    {
      atMs: nowMs,
      type: fell ? "link.down" : "link.up",
      severity: fell ? after.status.severity : "cleared",
      subject: after.config.id,
      subjectKind: "link",
      entity: "",
      old: before.status.health,
      new: after.status.health,
      raw: fell ? (after.reasons[0] ?? null) : `was down for ${durationText(nowMs - (before.downSinceMs ?? nowMs))}`,
      source: "twin",
    },
  ]
}
