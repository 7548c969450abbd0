/**
 * The whole tenant: counts, site health, and how each router is shown. A silent router whose neighbours are silent too
 * proves nothing about itself, so it is shown hollow (indeterminate); one with a living neighbour is critical.
 * Everything is kept incrementally: one router's change costs its degree, not the size of the network.
 */
import type { Severity, Status } from "#protocol/status.ts"
import { sameStatus, SEVERITY, UNKNOWN_STATUS } from "#protocol/status.ts"
import type { Counts } from "#protocol/view.ts"
import type { Chunked } from "#twin/chunked.ts"
import { at, chunkedOf, replaced } from "#twin/chunked.ts"
import type { AlertCommand } from "#twin/alert/command.ts"
import type { AlertsFact } from "#twin/judge/alert-rows.ts"
import type { AlertTable } from "#twin/judge/alert-table.ts"
import { alertsTaken, noAlerts } from "#twin/judge/alert-table.ts"
import type { LinkFact } from "#twin/link.ts"
import type { NodeFact } from "#twin/router.ts"
import type { ColumnDelta, Step } from "#twin/step.ts"

export interface TenantConfig {
  readonly routers: number
  readonly links: number
  /** Site index of each router. */
  readonly siteOf: Uint32Array
  readonly sites: number
  /** Neighbours of router r: neighbour[from[r]] .. neighbour[from[r + 1] - 1]; a parallel link counts again. */
  readonly from: Uint32Array
  readonly neighbour: Uint32Array
}

/** What the tenant keeps of one router. */
export interface NodeNote {
  readonly fact: NodeFact | null
  /** Links to a router that answers. */
  readonly reachableNeighbours: number
  readonly shown: Status
}

const UNTOLD: NodeNote = { fact: null, reachableNeighbours: 0, shown: UNKNOWN_STATUS }

/** Routers of one site by shown severity (index into SEVERITY). */
export type SiteTally = readonly number[]

export interface TenantState {
  readonly config: TenantConfig
  readonly nodes: Chunked<NodeNote>
  readonly links: Chunked<LinkFact | null>
  readonly sites: readonly SiteTally[]
  readonly counts: Counts
  /** Routers that report subscribers. */
  readonly measuringSubscribers: number
  readonly alerts: AlertTable
}

export type TenantMsg =
  | { readonly kind: "configure"; readonly atMs: number; readonly config: TenantConfig }
  | {
      readonly kind: "facts"
      readonly atMs: number
      readonly nodes: readonly NodeFact[]
      readonly links: readonly LinkFact[]
      readonly alerts: readonly AlertsFact[]
    }
  | { readonly kind: "timer"; readonly atMs: number }

/** To the alerts of a router: a suppression whose reason only the whole network shows, and its end. */
export interface AlertOrder {
  readonly kind: "order"
  readonly slot: number
  readonly command: AlertCommand
}

/** The tenant is the last phase; what it orders reaches the routers in the same input (twin/round.ts). */
export type TenantFact = AlertOrder

export const NO_TENANT: TenantConfig = {
  routers: 0,
  links: 0,
  siteOf: new Uint32Array(0),
  sites: 0,
  from: new Uint32Array(1),
  neighbour: new Uint32Array(0),
}

export const newTenant = (config: TenantConfig): TenantState => ({
  config,
  nodes: chunkedOf(config.routers, UNTOLD),
  links: chunkedOf<LinkFact | null>(config.links, null),
  sites: emptySites(config),
  counts: {
    routers: config.routers,
    routersUp: 0,
    links: config.links,
    linksDown: 0,
    linksHot: 0,
    sites: config.sites,
    subscribers: null,
  },
  measuringSubscribers: 0,
  alerts: noAlerts(config.routers),
})

/** A new shape starts from nothing: after a change of topology every router and link tells its fact again. */
export const stepTenant = (state: TenantState, msg: TenantMsg): Step<TenantState, TenantFact> => {
  switch (msg.kind) {
    case "configure":
      return said(newTenant(msg.config), [])
    case "facts":
      return factsTaken(msg.alerts.length === 0 ? state : heardAlerts(state, msg.alerts), msg.nodes, msg.links)
    case "timer":
      return said(state, [])
  }
}

const said = (state: TenantState, deltas: readonly ColumnDelta[]): Step<TenantState, TenantFact> => ({
  state,
  deltas,
  facts: [],
  events: [],
  timerMs: null,
})

const heardAlerts = (state: TenantState, facts: readonly AlertsFact[]): TenantState => ({
  ...state,
  alerts: facts.reduce(alertsTaken, state.alerts),
})

const factsTaken = (
  before: TenantState,
  nodes: readonly NodeFact[],
  links: readonly LinkFact[],
): Step<TenantState, TenantFact> => {
  const redraw = new Set<number>()
  let state = nodes.reduce((taken, fact) => nodeTaken(taken, fact, redraw), before)
  state = links.reduce(linkTaken, state)
  const deltas: ColumnDelta[] = []
  for (const slot of [...redraw].sort((a, b) => a - b)) {
    const note = at(state.nodes, slot)
    if (note.fact === null) continue
    const shown = shownOf(state.config, slot, note.fact, note.reachableNeighbours)
    if (!sameStatus(shown, note.shown)) state = showing(state, slot, note, shown)
    deltas.push({ column: "node", slot, status: shown, seenS: note.fact.seenS })
  }
  return said(state, deltas)
}

/** Takes a router's fact; adds to `redraw` who may look different now. */
const nodeTaken = (state: TenantState, fact: NodeFact, redraw: Set<number>): TenantState => {
  const note = at(state.nodes, fact.slot)
  redraw.add(fact.slot)
  let nodes = replaced(state.nodes, fact.slot, { ...note, fact })
  const change = Number(fact.reachable === true) - Number(note.fact?.reachable === true)
  if (change !== 0) {
    const { from, neighbour } = state.config
    for (let i = from[fact.slot] as number; i < (from[fact.slot + 1] as number); i++) {
      const slot = neighbour[i] as number
      const other = at(nodes, slot)
      nodes = replaced(nodes, slot, { ...other, reachableNeighbours: other.reachableNeighbours + change })
      if (other.fact?.reachable === false) redraw.add(slot)
    }
  }
  return { ...state, nodes, ...countedNode(state, note.fact, fact) }
}

/** Silent among silent neighbours proves nothing of itself; without links there is no neighbour to excuse it. */
const shownOf = (config: TenantConfig, slot: number, fact: NodeFact, reachableNeighbours: number): Status => {
  const hasLinks = config.from[slot] !== config.from[slot + 1]
  const hollow = fact.status.health === "unreachable" && hasLinks && reachableNeighbours === 0
  return hollow ? { ...fact.status, severity: "indeterminate" } : fact.status
}

const showing = (state: TenantState, slot: number, note: NodeNote, shown: Status): TenantState => ({
  ...state,
  nodes: replaced(state.nodes, slot, { ...note, shown }),
  sites: tallied(state.sites, state.config.siteOf[slot] as number, note.shown.severity, shown.severity),
})

const tallied = (sites: readonly SiteTally[], site: number, old: Severity, now: Severity): readonly SiteTally[] => {
  const tally = sites[site]
  if (tally === undefined || old === now) return sites
  const counts = tally.slice()
  counts[SEVERITY.indexOf(old)] = (counts[SEVERITY.indexOf(old)] ?? 0) - 1
  counts[SEVERITY.indexOf(now)] = (counts[SEVERITY.indexOf(now)] ?? 0) + 1
  return sites.with(site, counts)
}

const isUp = (fact: NodeFact | null): number =>
  fact !== null && (fact.status.health === "ok" || fact.status.health === "degraded") ? 1 : 0

const countedNode = (
  state: TenantState,
  old: NodeFact | null,
  now: NodeFact,
): Pick<TenantState, "counts" | "measuringSubscribers"> => {
  const { counts } = state
  const before = old?.subscribers ?? null
  const measuringSubscribers = state.measuringSubscribers + Number(now.subscribers !== null) - Number(before !== null)
  const subscribers =
    measuringSubscribers === 0 ? null : (counts.subscribers ?? 0) + (now.subscribers ?? 0) - (before ?? 0)
  const routersUp = counts.routersUp + isUp(now) - isUp(old)
  if (routersUp === counts.routersUp && subscribers === counts.subscribers) return { counts, measuringSubscribers }
  return { counts: { ...counts, routersUp, subscribers }, measuringSubscribers }
}

const linkTaken = (state: TenantState, fact: LinkFact): TenantState => {
  const old = at(state.links, fact.slot)
  const { counts } = state
  const linksDown = counts.linksDown + isDown(fact) - isDown(old)
  const linksHot = counts.linksHot + Number(fact.hot) - Number(old?.hot === true)
  const links = replaced(state.links, fact.slot, fact)
  if (linksDown === counts.linksDown && linksHot === counts.linksHot) return { ...state, links }
  return { ...state, links, counts: { ...counts, linksDown, linksHot } }
}

const isDown = (fact: LinkFact | null): number => (fact?.status.health === "down" ? 1 : 0)

/** A site is as bad as the worst of its routers, as shown; null = it has none. */
export const siteSeverity = (state: TenantState, site: number): Severity | null => {
  const tally = state.sites[site]
  const worst = tally?.findLastIndex((count) => count > 0) ?? -1
  return SEVERITY[worst] ?? null
}

const emptySites = (config: TenantConfig): readonly SiteTally[] => {
  const sites = Array.from({ length: config.sites }, () => SEVERITY.map(() => 0))
  const unknown = SEVERITY.indexOf(UNKNOWN_STATUS.severity)
  for (const site of config.siteOf) {
    const tally = sites[site]
    if (tally !== undefined) tally[unknown] = (tally[unknown] ?? 0) + 1
  }
  return sites
}
