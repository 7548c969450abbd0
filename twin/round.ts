/**
 * The one algorithm that turns inputs into a new twin, live and in replay. Each input is processed to quiescence (settle.ts)
 * before the next, timers that are due before it, the desk of incidents behind it, so that it does not matter how inputs are
 * grouped into rounds: a round only groups what the outside is told.
 */
import type { EventView } from "#protocol/view.ts"
import type { Cells } from "#twin/cells.ts"
import { makeColumns } from "#twin/columns.ts"
import type { Columns } from "#twin/columns.ts"
import type { AckInput, IncidentInput, Input, RulesInput, Sequenced, TopologyInput } from "#twin/input.ts"
import { act, dueOf, evaluate, hear, newDesk, reshaped } from "#twin/incident/desk.ts"
import type { Desk } from "#twin/incident/desk.ts"
import { hearAnswer, hearRead } from "#twin/incident/answering.ts"
import type { ProbeRequest } from "#twin/incident/question.ts"
import type { Incident } from "#twin/incident/state.ts"
import type { Judging } from "#twin/judge/judging.ts"
import { makeJudging, NO_JUDGING_INPUTS } from "#twin/judge/judging.ts"
import { changeRules, judgeOf, rejudge, walked, walkOn } from "#twin/judge/rejudge.ts"
import type { Walk } from "#twin/judge/walk.ts"
import { STEP_ENTITIES } from "#twin/judge/walk.ts"
import { newLink } from "#twin/link.ts"
import { newRouter } from "#twin/router.ts"
import { ENGINE_DEVICE, hearSelf, type SelfNews, type SelfState } from "#twin/self/self.ts"
import { newsOf } from "#twin/round-news.ts"
import { give, newTold, settle, takeEvent, unheard } from "#twin/settle.ts"
import type { Round } from "#twin/settle.ts"
import { hearServices, newServiceWatch, replannedServices, type ServiceWatch } from "#twin/service/watch.ts"
import { makeTimers } from "#twin/timers.ts"
import type { Timers } from "#twin/timers.ts"
import { certificateHappening, quotaHappening, unusableHappening } from "#twin/tenant-happening.ts"
import type { AlertOrder } from "#twin/tenant.ts"
import { buildTopology, EMPTY_TOPOLOGY } from "#twin/topology.ts"
import type { Topology } from "#twin/topology.ts"
import type { Readings } from "#twin/whatif/readings.ts"
import { newWatch, replanned } from "#twin/whatif/redundancy-watch.ts"
import type { RedundancyWatch } from "#twin/whatif/redundancy-watch.ts"

/** Everything of a twin that is not inside an actor. Written by runRound only. */
export interface World {
  topology: Topology
  columns: Columns
  /** By actor number: routers by slot, then links by slot, then the tenant, then the desk of incidents. */
  timers: Timers
  /** Of the last input applied; 0 = none. */
  seq: number
  /** The twin's clock: newest input time, never goes back. */
  atMs: number
  /**
   * Of the twin's time so far, how much passed between two inputs that followed after a pause: nobody ran then, for a live
   * twin hears something every second, and the clock may have been set meanwhile.
   */
  unseenMs: number
  /** Newest last, at most RECENT_EVENTS. */
  recent: EventView[]
  /** Inputs for devices that the inventory does not have. */
  unknownDevice: number
  /** By what devices are judged. */
  judging: Judging
  /** Where incidents are made, and what it remembers. */
  readonly desk: Desk
  /** The engine's own condition; null = it has not been judged yet. */
  self: SelfState | null
  /** Who has lost its second way. */
  redundancy: RedundancyWatch
  /** What models take from the cells; null = no model was asked for yet. Derived. */
  readings: Readings | null
  /** How the declared services do. */
  services: ServiceWatch
  /** Past the routers that do not know of a change of `judging` yet; null = all do. */
  walk: Walk | null
  /** Entities that one step of a walk tells; tests take less. */
  stepEntities: number
}

export const RECENT_EVENTS = 512
/** An engine that is busy is not away. Not more than what restarts are told by (twin/counter.ts). */
const PAUSE_MS = 5_000

/** What a round did, for whoever tells viewers and storage. */
export interface RoundResult {
  /** Of the last input applied. */
  readonly seq: number
  readonly atMs: number
  /** Slots whose columns changed, ascending, no duplicates. All slots after a change of topology. */
  readonly nodes: readonly number[]
  readonly links: readonly number[]
  readonly events: readonly EventView[]
  readonly topologyChanged: boolean
  /** Ids of devices and links whose state may have changed. */
  readonly touched: ReadonlySet<string>
  /** Incidents that ended, changed after their end or opened again, as they are now. */
  readonly incidents: readonly IncidentRecord[]
  /** To be asked of the network. */
  readonly asks: readonly ProbeRequest[]
}

/** An incident for storage. */
export interface IncidentRecord {
  /** Of the input that changed it last: of two records the one with the higher seq is the newer. */
  readonly seq: number
  readonly incident: Incident
}

/** A twin before its first input. */
export const newWorld = (): World => worldOf(EMPTY_TOPOLOGY)

export const worldOf = (topology: Topology): World => ({
  topology,
  columns: makeColumns(topology.routers.length, topology.links.length),
  timers: timersFor(topology),
  seq: 0,
  atMs: 0,
  unseenMs: 0,
  recent: [],
  unknownDevice: 0,
  judging: makeJudging(NO_JUDGING_INPUTS),
  self: null,
  walk: null,
  stepEntities: STEP_ENTITIES,
  desk: newDesk(),
  redundancy: newWatch(),
  readings: null,
  services: newServiceWatch(),
})

const timersFor = ({ routers, links }: Topology): Timers => makeTimers(routers.length + links.length + 2)

/**
 * Applies inputs in order. An input whose seq is not above world.seq has been applied before and is skipped, so a replay
 * may overlap its snapshot.
 */
export const runRound = (world: World, cells: Cells, inputs: readonly Sequenced[]): RoundResult => {
  const told = newTold()
  for (const { seq, input } of inputs) {
    if (seq <= world.seq) continue
    const round: Round = { world, cells, told, seq, index: 0, remembered: told.events.length, ...unheard() }
    const nowMs = Number.isFinite(input.atMs) ? Math.max(world.atMs, input.atMs) : world.atMs
    const pausedMs = world.atMs > 0 ? nowMs - world.atMs : 0
    fireTimers(round, nowMs)
    world.atMs = nowMs
    if (pausedMs > PAUSE_MS) world.unseenMs += pausedMs
    world.seq = seq
    applyInput(round, input)
    judgeSelf(round, { kind: "time" })
    tellJudges(round, false)
    tellNews(round)
    convene(round)
    remember(round)
    takeOver(round)
  }
  return {
    seq: world.seq,
    atMs: world.atMs,
    nodes: told.topologyChanged ? slots(world.topology.routers.length) : ascending(told.nodes),
    links: told.topologyChanged ? slots(world.topology.links.length) : ascending(told.links),
    events: told.events,
    topologyChanged: told.topologyChanged,
    touched: told.touched,
    incidents: [...told.incidents.values()],
    asks: told.asks,
  }
}

/** What is over goes to storage under the seq of its input, however inputs are grouped, and questions to whoever asks them. */
const takeOver = ({ world: { desk }, told, seq }: Round): void => {
  for (const [id, incident] of desk.over) told.incidents.set(id, { seq, incident })
  desk.over.clear()
  told.asks.push(...desk.asks.splice(0))
}

const applyInput = (round: Round, input: Input): void => {
  switch (input.kind) {
    case "tick":
      return
    case "topology":
      return applyTopology(round, input)
    case "quota":
      takeEvent(round, quotaHappening(round.world.atMs, input))
      return
    case "certificate":
      takeEvent(round, certificateHappening(round.world.atMs, input))
      return
    case "probed":
      return hearAnswer(round.world.desk, input)
    case "rules":
      return applyRules(round, input)
    case "silences":
      return rejudge(round.world, { silencesRev: input.rev, silences: input.silences })
    case "ack":
      return applyAck(round, input)
    case "incident":
      return applyAct(round, input)
    case "poll":
    case "unreachable":
    case "trap":
    case "syslog": {
      const { world, cells } = round
      if (input.device === ENGINE_DEVICE)
        return judgeSelf(round, input.kind === "poll" ? { kind: "poll", poll: input } : { kind: "time" })
      const slot = world.topology.deviceSlot.get(input.device)
      if (slot === undefined) {
        world.unknownDevice++
        return
      }
      round.told.touched.add(input.device)
      const { atMs, unseenMs } = world
      cells.routers.tell(slot, { kind: "input", atMs, input, unseenMs, judge: judgeOf(world, slot) })
      settle(round)
      if (!round.took.has(slot)) return
      round.slots.add(slot)
      if (input.kind === "poll" || input.kind === "unreachable") hearRead(world.desk, input)
    }
  }
}

/** Advances the twin to `nowMs`. Each timer is processed to quiescence at its own time; a new wish may be due as well. */
const fireTimers = (round: Round, nowMs: number): void => {
  const { world, cells } = round
  const routers = world.topology.routers.length
  const links = world.topology.links.length
  for (let timer = world.timers.takeDue(nowMs); timer !== null; timer = world.timers.takeDue(nowMs)) {
    const { actor } = timer
    world.atMs = Math.max(world.atMs, timer.dueMs)
    const message = { kind: "timer", atMs: world.atMs } as const
    if (actor < routers) {
      round.slots.add(actor)
      round.told.touched.add(world.topology.routers[actor]?.device ?? "")
      cells.routers.tell(actor, { ...message, judge: judgeOf(world, actor) })
    } else if (actor < routers + links) cells.links.tell(actor - routers, message)
    else if (actor === routers + links) cells.tenant.tell(0, message)
    settle(round, timer.dueMs)
    convene(round, timer.dueMs)
    remember(round)
  }
}

/** The desk hears what changed, and may open, correct or close incidents; what it orders is settled at once. */
const convene = (round: Round, firedMs: number = Number.NEGATIVE_INFINITY): void => {
  const { world, cells } = round
  const { slots, alerts, nodes } = round
  Object.assign(round, unheard())
  // What it reads of the newest events must not depend on how inputs are grouped.
  remember(round)
  hearServices(world, cells, slots)
  hear(world, cells, { slots, alerts, nodes })
  obey(
    round,
    evaluate(world, cells, (event) => takeEvent(round, event)),
  )
  const wish = dueOf(world)
  const desk = world.topology.routers.length + world.topology.links.length + 1
  world.timers.set(desk, wish === null ? null : Math.max(Math.ceil(wish), firedMs + 1))
}

const obey = (round: Round, orders: readonly AlertOrder[]): void => {
  if (orders.length === 0) return
  give(round, orders)
  settle(round)
}

const applyAct = (round: Round, input: IncidentInput): void =>
  obey(
    round,
    act(round.world, round.cells, (event) => takeEvent(round, event), input),
  )

/** Devices and links that stay (by id) keep their state; everybody is configured anew and tells everything again. */
const applyTopology = (round: Round, input: TopologyInput): void => {
  const { world, cells, told } = round
  const before = world.topology
  const topology = buildTopology(input.rev, input.inventory)
  const { atMs } = world
  cells.routers.reshape(
    topology.routers.map((config) => {
      const from = before.deviceSlot.get(config.device) ?? null
      return { from, state: from === null ? newRouter(config) : cells.routers.state(from) }
    }),
  )
  cells.links.reshape(
    topology.links.map((config) => {
      const from = before.linkSlot.get(config.id) ?? null
      return { from, state: from === null ? newLink(config) : cells.links.state(from) }
    }),
  )
  world.topology = topology
  world.columns = makeColumns(topology.routers.length, topology.links.length)
  world.timers = timersFor(topology)
  reshaped(world.desk)
  replanned(world.redundancy, atMs)
  replannedServices(world.services, world)
  told.topologyChanged = true
  cells.tenant.tell(0, { kind: "configure", atMs, config: topology.tenant })
  for (const config of topology.links) cells.links.tell(config.slot, { kind: "configure", atMs, config })
  for (const config of topology.routers) {
    told.touched.add(config.device)
    cells.routers.tell(config.slot, { kind: "configure", atMs, config })
  }
  settle(round)
  rejudge(world, {})
}

const applyRules = (round: Round, input: RulesInput): void => {
  changeRules(round.world, input, () => tellJudges(round, true))
  const { unusable } = round.world.judging
  if (unusable.length > 0) takeEvent(round, unusableHappening(round.world.atMs, unusable))
}

/** A few of those who do not know yet that they are judged otherwise; `all` = everybody. */
const tellJudges = (round: Round, all: boolean): void => {
  const { world, cells } = round
  if (world.walk === null) return
  for (const slot of walkOn(world, cells, all)) {
    round.told.touched.add(world.topology.routers[slot]?.device ?? "")
    cells.routers.tell(slot, { kind: "judge", atMs: world.atMs, judge: judgeOf(world, slot) })
  }
  settle(round)
  walked(world)
}

/** Each router says it itself, so that its rules hear it. */
const tellNews = (round: Round): void => {
  const { world, cells, told } = round
  const news = newsOf(world, cells)
  if (news.length === 0) return
  for (const one of news)
    if (one.slot === null) takeEvent(round, one.happening)
    else {
      told.touched.add(world.topology.routers[one.slot]?.device ?? "")
      cells.routers.tell(one.slot, one.message)
    }
  settle(round)
}

/** The engine's own condition has no cell: it is judged here, and nobody but the list of alerts hears of it. */
const judgeSelf = (round: Round, news: SelfNews): void => {
  const { world } = round
  const heard = hearSelf(world.self, world.judging, world.atMs, news)
  if (heard === null) return
  world.self = heard.self
  for (const event of heard.events) takeEvent(round, event)
}

const applyAck = (round: Round, { device, rule, entity, by, untilMs }: AckInput): void => {
  const { world, cells } = round
  const { atMs } = world
  const command =
    untilMs === null
      ? ({ kind: "unack", atMs, rule, entity } as const)
      : ({ kind: "ack", atMs, rule, entity, by, untilMs } as const)
  if (device === ENGINE_DEVICE) return judgeSelf(round, { kind: "command", command })
  const slot = world.topology.deviceSlot.get(device)
  if (slot === undefined) {
    world.unknownDevice++
    return
  }
  round.told.touched.add(device)
  cells.routers.tell(slot, { kind: "command", atMs, command, judge: judgeOf(world, slot) })
  settle(round)
}

const remember = (round: Round): void => {
  const { world, told } = round
  const events = told.events.slice(round.remembered)
  round.remembered = told.events.length
  if (events.length === 0) return
  world.recent = [...world.recent, ...events].slice(-RECENT_EVENTS)
}

const ascending = (set: ReadonlySet<number>): readonly number[] => [...set].sort((a, b) => a - b)
const slots = (count: number): readonly number[] => Array.from({ length: count }, (_, slot) => slot)
