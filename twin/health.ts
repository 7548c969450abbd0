/**
 * The end of every router step: what the router's health is now, in one word with its reasons, and whom it has to tell.
 * Facts go out only when they differ from what was told before, so a quiet poll costs its links and its tenant little.
 */
import { interfaceKey } from "#protocol/id.ts"
import { metricId } from "#protocol/metric.ts"
import { sameStatus } from "#protocol/status.ts"
import type { Status } from "#protocol/status.ts"
import { isAdjacencyUp, isRouting, stateName } from "#twin/adjacency.ts"
import { ADMIN, flagOf, INTERFACE_LAYOUT, level, OPER, RX_BPS, SPEED, TX_BPS } from "#twin/interface.ts"
import type { EndFact } from "#twin/link.ts"
import type { NodeFact, Port, RouterFact, RouterState, Turn } from "#twin/router.ts"
import { originSource } from "#twin/source.ts"
import { hasSay, isManaged, isManagement } from "#twin/reach.ts"
import type { SourceState } from "#twin/reach.ts"
import type { Step } from "#twin/step.ts"
import { DEVICE_LAYOUT } from "#twin/values.ts"

/** Evidence is stale after this many polling intervals without an attempt. */
export const STALE_POLLS = 3
/** A device whose breaker is open is tried at least this often (PRODUCT.md C6), so its silence is not stale sooner. */
export const BREAKER_RETRY_SECONDS = 60
export const MAX_REASONS = 16

/** Judges a turn and says what changed. `always` = tell everything, changed or not (after a configure). */
export const conclude = (
  before: RouterState,
  turn: Turn,
  nowMs: number,
  always: boolean,
): Step<RouterState, RouterFact> => {
  const { state: turned } = turn
  const dueMs = turned.heardMs === null ? null : turned.heardMs + staleAfterMs(turned)
  const stale = dueMs !== null && nowMs >= dueMs
  const { status, reasons } = judged(turned, stale, nowMs)
  const next = { ...turned, stale, status: sameStatus(before.status, status) ? before.status : status, reasons }
  const ends = next.config.ports.map((port, index) => endOf(next, port, always ? null : (before.ends[index] ?? null)))
  const node = nodeOf(next)
  const facts: RouterFact[] = ends.filter((end, index) => always || end !== before.ends[index])
  const tellNode = always || before.told === null || !sameNode(before.told, node)
  if (tellNode) facts.push(node)
  return {
    state: { ...next, ends, told: tellNode ? node : before.told },
    deltas: [],
    facts,
    events: turn.events,
    timerMs: stale ? null : dueMs,
  }
}

const staleAfterMs = (state: RouterState): number => {
  // Pings are told at least once a minute, too: the bound of a device that is only pinged.
  const isResting = state.reachable !== null && !isManaged(state.sources)
  const interval = isResting ? Math.max(state.config.pollSeconds, BREAKER_RETRY_SECONDS) : state.config.pollSeconds
  return STALE_POLLS * interval * 1000 + 1
}

const judged = (
  state: RouterState,
  stale: boolean,
  nowMs: number,
): { readonly status: Status; readonly reasons: readonly string[] } => {
  const as = (health: Status["health"], severity: Status["severity"]): Status => ({
    health,
    severity,
    maintenance: false,
    stale,
  })
  if (state.reachable === null) return { status: as("unknown", "indeterminate"), reasons: ["not polled yet"] }
  const silent = state.sources.filter((source) => source.up === false && hasSay(source, nowMs))
  if (!state.reachable) return { status: as("unreachable", "critical"), reasons: silent.map(silence) }
  const ports = state.config.ports.flatMap((port) => downPort(state, port))
  const unmanaged = silent.some(isManagement) && !isManaged(state.sources)
  const faults = [
    ...ports,
    ...(unmanaged ? ["it answers ping, but not its management plane"] : []),
    ...silent.filter((source) => !isFilter(source)).map(silence),
    ...adjacenciesDown(state),
  ]
  const notes = [...silent.filter(isFilter).map((source) => `${silence(source)}, and never was one`), ...offPace(state)]
  const reasons = [...faults, ...notes].slice(0, MAX_REASONS)
  if (faults.length === 0) return { status: as("ok", "cleared"), reasons }
  return { status: as("degraded", ports.length > 0 ? "major" : unmanaged ? "minor" : "warning"), reasons }
}

const silence = ({ source, error }: SourceState): string => `${source}: ${error ?? "no answer"}`

/** Never answered a ping though it is there: worth a word, but no fault. Networks filter ICMP on purpose. */
const isFilter = (source: SourceState): boolean => !isManagement(source) && source.lastOkMs === null

/** Its uptime does not run with time: worth a word, for its rates are estimates then, but no fault of the network. */
const offPace = ({ sources }: RouterState): readonly string[] =>
  sources.flatMap(({ source, pace }) => {
    if (pace === undefined || pace.ratio === 1) return []
    const percent = Math.round(100 * pace.ratio)
    return [`its uptime, as ${source} tells it, runs at ${percent} % of time: rates go by our clock, as estimates`]
  })

/** An interface that carries a link and is down though nobody shut it. */
const downPort = (state: RouterState, port: Port): readonly string[] => {
  const row = state.interfaces.keys.indexOf(interfaceKey(port.ifName))
  if (row < 0 || flagOf(state.interfaces, row, OPER) !== false) return []
  return flagOf(state.interfaces, row, ADMIN) === false ? [] : [`${port.ifName} is down and carries a link`]
}

const adjacenciesDown = (state: RouterState): readonly string[] => {
  const down: string[] = []
  for (const one of state.adjacencies) {
    const { kind, state: at, remote } = one
    if (isRouting(kind) && !isAdjacencyUp(one) && down.length < MAX_REASONS)
      down.push(`${kind === "bgp" ? "BGP peer" : "OSPF neighbour"} ${remote} is ${stateName(kind, at)}`)
  }
  return down
}

/** What the link of this port hears; `before` itself when nothing in it changed. */
const endOf = (state: RouterState, port: Port, before: EndFact | null): EndFact => {
  const { interfaces } = state
  const row = interfaces.keys.indexOf(interfaceKey(port.ifName))
  const index = row * INTERFACE_LAYOUT.width + OPER
  const operUp = row < 0 ? null : flagOf(interfaces, row, OPER)
  const atMs = operUp === null ? null : (interfaces.levels.atMs[index] as number)
  const answers = isManaged(state.sources) && !state.stale
  // A trap that came after the polls fell silent is still news of this end.
  const outspoken =
    state.reachable !== null && !isManaged(state.sources) && atMs !== null && atMs > silentSinceMs(state)
  const end: EndFact = {
    kind: "end",
    link: port.link,
    end: port.end,
    operUp,
    adminUp: row < 0 ? null : flagOf(interfaces, row, ADMIN),
    atMs,
    source: operUp === null ? null : originSource(interfaces.levels.origin[index] as number),
    reachable: state.reachable,
    fresh: answers || outspoken,
    speedBps: row < 0 ? null : level(interfaces, row, SPEED),
    rxBps: row < 0 || !answers ? null : level(interfaces, row, RX_BPS),
    txBps: row < 0 || !answers ? null : level(interfaces, row, TX_BPS),
  }
  return before !== null && sameEnd(before, end) ? before : end
}

/** Since when nobody reads the device, as far as that is known; 0 = nobody ever did. */
const silentSinceMs = (state: RouterState): number =>
  state.reachable === false
    ? (state.reachableSinceMs ?? 0)
    : state.sources.filter(isManagement).reduce((newest, source) => Math.max(newest, source.lastOkMs ?? 0), 0)

const SUBSCRIBERS = DEVICE_LAYOUT.columnOf[metricId("pppoe.sessions.active")] as number

const nodeOf = (state: RouterState): NodeFact => {
  const seenMs = state.sources.reduce((newest, source) => Math.max(newest, source.lastOkMs ?? 0), 0)
  const subscribers = state.device.value[SUBSCRIBERS] as number
  const answers = isManaged(state.sources) && !state.stale
  return {
    kind: "node",
    slot: state.config.slot,
    status: state.status,
    reachable: state.reachable,
    seenS: Math.floor(seenMs / 1000),
    subscribers: answers && !Number.isNaN(subscribers) ? subscribers : null,
  }
}

const sameNode = (a: NodeFact, b: NodeFact): boolean =>
  a.slot === b.slot &&
  a.seenS === b.seenS &&
  a.reachable === b.reachable &&
  a.subscribers === b.subscribers &&
  sameStatus(a.status, b.status)

const sameEnd = (a: EndFact, b: EndFact): boolean =>
  a.operUp === b.operUp &&
  a.adminUp === b.adminUp &&
  a.atMs === b.atMs &&
  a.source === b.source &&
  a.reachable === b.reachable &&
  a.fresh === b.fresh &&
  a.speedBps === b.speedBps &&
  a.rxBps === b.rxBps &&
  a.txBps === b.txBps &&
  a.link === b.link &&
  a.end === b.end
