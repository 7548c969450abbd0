/**
 * A whole twin as one plain object, and back. Restoring it and going on with the journal's tail gives the same twin as
 * never having stopped: that is what kill -9 and replay rest on. States are immutable, so taking a snapshot copies
 * nothing; pack it with protocol/codec.ts packStored whenever there is time.
 */
import type { Inventory } from "#protocol/inventory.ts"
import type { Rule } from "#protocol/rule.ts"
import type { EventView } from "#protocol/view.ts"
import type { Cells, CellStates } from "#twin/cells.ts"
import { at } from "#twin/chunked.ts"
import { applyColumnDelta } from "#twin/columns.ts"
import type { StoredDesk } from "#twin/incident/desk.ts"
import { restoredDesk, storedDesk } from "#twin/incident/desk.ts"
import { INTERFACE_LAYOUT } from "#twin/interface.ts"
import { noAlerts } from "#twin/judge/alert-table.ts"
import type { JudgingInputs } from "#twin/judge/judging.ts"
import { judgingInputs, makeJudging, NO_JUDGING_INPUTS } from "#twin/judge/judging.ts"
import type { Walk } from "#twin/judge/walk.ts"
import type { LinkState } from "#twin/link.ts"
import { worldOf } from "#twin/round.ts"
import type { World } from "#twin/round.ts"
import type { RouterState } from "#twin/router.ts"
import type { SelfState } from "#twin/self/self.ts"
import type { StoredServices } from "#twin/service/watch.ts"
import { replannedServices, restoredServices, storedServices } from "#twin/service/watch.ts"
import type { TenantState } from "#twin/tenant.ts"
import { buildTopology } from "#twin/topology.ts"
import { DEVICE_LAYOUT, relaidTable } from "#twin/values.ts"
import type { Layout } from "#twin/values.ts"
import type { StoredWatch } from "#twin/whatif/redundancy-watch.ts"
import { restoredWatch, storedWatch } from "#twin/whatif/redundancy-watch.ts"

/** Raised when the shape of any actor's state changes in a way that `restoreTwin` cannot bridge. */
export const SNAPSHOT_VERSION = 1

export interface TwinSnapshot {
  readonly version: number
  readonly seq: number
  readonly atMs: number
  /** Absent in snapshots of before it was counted. */
  readonly unseenMs?: number
  readonly rev: number
  readonly inventory: Inventory
  /** Metric ids of the columns of the value tables: a newer build may have more. */
  readonly layout: { readonly device: readonly number[]; readonly interface: readonly number[] }
  readonly states: CellStates
  /** Wishes by actor number; null = none. */
  readonly timers: ReadonlyArray<number | null>
  readonly recent: readonly EventView[]
  readonly unknownDevice: number
  /** Absent in snapshots of before there were rules. */
  readonly judging?: JudgingInputs
  /** Absent in snapshots of before there were walks. */
  readonly walk?: Walk | null
  /** Absent in snapshots of before the engine was judged. */
  readonly self?: SelfState | null
  /** Absent in snapshots of before there were incidents. */
  readonly desk?: StoredDesk
  /** Absent in snapshots of before somebody watched for lost second ways. */
  readonly redundancy?: StoredWatch
  /** Absent in snapshots of before services were judged. */
  readonly services?: StoredServices
}

/** Between rounds only. */
export const snapshotTwin = (world: World, cells: Cells): TwinSnapshot => {
  // Somebody keeps the states from here on: the twin copies rows before it writes to them (twin/alert/hand.ts).
  world.judging.shares.count++
  return glancedTwin(world, cells)
}

/** The same for a look that is over before the next round: the twin goes on in place, and nothing of it may be kept. */
export const glancedTwin = (world: World, cells: Cells): TwinSnapshot => ({
  version: SNAPSHOT_VERSION,
  seq: world.seq,
  atMs: world.atMs,
  unseenMs: world.unseenMs,
  rev: world.topology.rev,
  inventory: world.topology.inventory,
  layout: { device: idsOf(DEVICE_LAYOUT), interface: idsOf(INTERFACE_LAYOUT) },
  states: {
    routers: Array.from({ length: cells.routers.length() }, (_, slot) => cells.routers.state(slot)),
    links: Array.from({ length: cells.links.length() }, (_, slot) => cells.links.state(slot)),
    tenant: cells.tenant.state(0),
  },
  timers: Array.from({ length: world.timers.actors }, (_, actor) => world.timers.due(actor)),
  recent: world.recent,
  unknownDevice: world.unknownDevice,
  judging: judgingInputs(world.judging),
  walk: world.walk,
  self: world.self,
  desk: storedDesk(world.desk),
  redundancy: storedWatch(world.redundancy),
  services: storedServices(world.services),
})

/** A snapshot of another version, or a damaged one. Start from an earlier one, or from none and the whole journal. */
export class SnapshotUnusable extends Error {
  override readonly name = "SnapshotUnusable"
}

/** A new world, and the states for `plainCells` or the engine's banks. Takes what unpackStored gave; checks it. */
export const restoreTwin = (stored: unknown): { readonly world: World; readonly states: CellStates } => {
  const snapshot = checked(stored)
  const topology = buildTopology(snapshot.rev, snapshot.inventory)
  const world = worldOf(topology)
  const relay = relaid(snapshot)
  const states: CellStates = {
    ...snapshot.states,
    routers: snapshot.states.routers.map((router) => unjudged(relay(router))),
    tenant: withAlerts(snapshot.states.tenant),
  }
  for (const [actor, due] of snapshot.timers.entries()) world.timers.set(actor, due)
  drawNodes(world, states.tenant)
  drawLinks(world, states.links)
  world.seq = snapshot.seq
  world.atMs = snapshot.atMs
  world.unseenMs = snapshot.unseenMs ?? 0
  world.recent = [...snapshot.recent]
  world.unknownDevice = snapshot.unknownDevice
  world.judging = makeJudging(withKnownRules(snapshot.judging ?? NO_JUDGING_INPUTS))
  world.walk = snapshot.walk ?? null
  world.self = snapshot.self ?? null
  if (snapshot.desk !== undefined) Object.assign(world.desk, restoredDesk(snapshot.desk, topology))
  // A twin of before is asked as soon as it goes on: what it has lost was never told.
  if (snapshot.redundancy === undefined) world.redundancy.changedMs = snapshot.atMs
  else world.redundancy = restoredWatch(snapshot.redundancy)
  if (snapshot.services === undefined) replannedServices(world.services, world)
  else world.services = restoredServices(snapshot.services)
  return { world, states }
}

/**
 * Rules are compiled once for each list (twin/judge/judging.ts), which a replay that jumps to and fro would do at each jump:
 * a list that says what one of the newest said is that one.
 */
const withKnownRules = (judging: JudgingInputs): JudgingInputs => {
  if (judging.rules.length === 0) return judging
  const text = JSON.stringify(judging.rules)
  const rules = knownRules.get(text) ?? judging.rules
  knownRules.delete(text)
  knownRules.set(text, rules)
  for (const oldest of knownRules.keys()) {
    if (knownRules.size <= KNOWN_RULES_MAX) break
    knownRules.delete(oldest)
  }
  return { ...judging, rules }
}
const knownRules = new Map<string, readonly Rule[]>()
/** Lists; about 60 kB each. */
const KNOWN_RULES_MAX = 8

/** Columns are what the actors last said, so they need no place in the snapshot. */
const drawNodes = (world: World, tenant: TenantState): void => {
  for (let slot = 0; slot < tenant.nodes.length; slot++) {
    const { fact, shown } = at(tenant.nodes, slot)
    if (fact !== null) applyColumnDelta(world.columns, { column: "node", slot, status: shown, seenS: fact.seenS })
  }
}

const drawLinks = (world: World, links: readonly LinkState[]): void => {
  for (const [slot, { status, utilAB, utilBA }] of links.entries())
    applyColumnDelta(world.columns, { column: "link", slot, status, utilAB, utilBA })
}

/** A state of before there were rules has no word of judgement at all. */
const unjudged = (router: RouterState): RouterState =>
  (router.judgement as unknown) === undefined ? { ...router, judgement: null } : router

const withAlerts = (tenant: TenantState): TenantState =>
  (tenant.alerts as unknown) === undefined ? { ...tenant, alerts: noAlerts(tenant.config.routers) } : tenant

const idsOf = (layout: Layout): readonly number[] => layout.metrics.map((metric) => metric.id)

/** Moves values into this build's columns. */
const relaid = (snapshot: TwinSnapshot): ((router: RouterState) => RouterState) => {
  const { device, interface: interfaces } = snapshot.layout
  if (sameIds(device, DEVICE_LAYOUT) && sameIds(interfaces, INTERFACE_LAYOUT)) return (router) => router
  return (router) => ({
    ...router,
    device: relaidTable(router.device, device, DEVICE_LAYOUT),
    interfaces: {
      ...router.interfaces,
      levels: relaidTable(router.interfaces.levels, interfaces, INTERFACE_LAYOUT),
    },
  })
}

const sameIds = (ids: readonly number[], layout: Layout): boolean =>
  ids.length === layout.width && layout.metrics.every((metric, column) => metric.id === ids[column])

const checked = (stored: unknown): TwinSnapshot => {
  const refuse = (why: string): never => {
    throw new SnapshotUnusable(`twin snapshot: ${why}; use an earlier snapshot or replay the whole journal`)
  }
  if (typeof stored !== "object" || stored === null) return refuse("not an object")
  const snapshot = stored as TwinSnapshot
  if (snapshot.version !== SNAPSHOT_VERSION)
    return refuse(`version ${String(snapshot.version)} where this build reads ${SNAPSHOT_VERSION}`)
  const devices = snapshot.inventory?.devices?.length
  const links = snapshot.inventory?.links?.length
  const { states } = snapshot
  if (devices === undefined || states?.routers?.length !== devices) return refuse("routers do not match the inventory")
  if (links === undefined || states.links?.length !== links) return refuse("links do not match the inventory")
  if (states.tenant?.nodes?.length !== devices) return refuse("the tenant does not match the inventory")
  // One fewer before there were incidents.
  const timers = (snapshot.timers?.length ?? 0) - devices - links
  if (timers !== 2 && timers !== 1) return refuse("timers do not match the inventory")
  if (!Number.isSafeInteger(snapshot.seq) || !Number.isFinite(snapshot.atMs)) return refuse("seq or time is missing")
  return snapshot
}
