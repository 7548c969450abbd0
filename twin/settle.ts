/**
 * The processing of one input, from what somebody was told to where nobody has anything left to say: routers, then links, then
 * the tenant, then routers again that it gave orders. Order inside an input: phase, slot, emission. What is said on the way is
 * collected here for the outside and for the desk of incidents (round.ts).
 */
import type { EventView } from "#protocol/view.ts"
import type { CellBank, CellOutput, Cells } from "#twin/cells.ts"
import { applyColumnDelta } from "#twin/columns.ts"
import type { ProbeRequest } from "#twin/incident/question.ts"
import type { AlertsFact } from "#twin/judge/alert-rows.ts"
import { judgeOf } from "#twin/judge/rejudge.ts"
import type { EndFact, LinkFact } from "#twin/link.ts"
import type { IncidentRecord, World } from "#twin/round.ts"
import type { NodeFact } from "#twin/router.ts"
import type { ColumnDelta, Happening } from "#twin/step.ts"
import type { AlertOrder } from "#twin/tenant.ts"
import { routersAt } from "#twin/topology.ts"
import { noteStep } from "#twin/whatif/readings.ts"
import { hearUpDown } from "#twin/whatif/redundancy-watch.ts"

/** What the round will tell, while it is collected. */
export interface Told {
  readonly nodes: Set<number>
  readonly links: Set<number>
  readonly events: EventView[]
  readonly touched: Set<string>
  topologyChanged: boolean
  /** By incident. */
  readonly incidents: Map<string, IncidentRecord>
  readonly asks: ProbeRequest[]
}

export const newTold = (): Told => ({
  nodes: new Set(),
  links: new Set(),
  events: [],
  touched: new Set(),
  topologyChanged: false,
  incidents: new Map(),
  asks: [],
})

/** The processing of one input. */
export interface Round extends Unheard {
  readonly world: World
  readonly cells: Cells
  readonly told: Told
  readonly seq: number
  /** Of the next event: ids are `<seq>-<index>`. */
  index: number
  /** Events of the round that stand in world.recent already. */
  remembered: number
}

/** What the desk has not heard yet. */
interface Unheard {
  slots: Set<number>
  alerts: AlertsFact[]
  nodes: NodeFact[]
  /** Routers that took something in: a message on which a router chokes is heard by nobody. */
  took: Set<number>
}

export const unheard = (): Unheard => ({ slots: new Set(), alerts: [], nodes: [], took: new Set() })

/** Passes of one input: orders of a tenant that answer to its own orders' effects end here, or they might never. */
const PASSES_MAX = 4

/** Routers, then links, then the tenant, until nobody has anything left to say. `firedMs` = the timer being served. */
export const settle = (round: Round, firedMs: number = Number.NEGATIVE_INFINITY): void => {
  for (let pass = 1; pass <= PASSES_MAX; pass++) {
    const orders = settleOnce(round, firedMs)
    if (orders.length === 0 || pass === PASSES_MAX) return
    give(round, orders)
  }
}

const settleOnce = (round: Round, firedMs: number): readonly AlertOrder[] => {
  const { world, cells } = round
  const { routers, links } = world.topology
  const nodeFacts: NodeFact[] = []
  const alertFacts: AlertsFact[] = []
  const endFacts: EndFact[] = []
  for (const fact of drained(round, cells.routers, 0, firedMs)) {
    if (fact.kind === "node") nodeFacts.push(fact)
    else if (fact.kind === "alerts") alertFacts.push(fact)
    else endFacts.push(fact)
  }
  for (const [link, facts] of Map.groupBy(endFacts, ({ link }) => link)) {
    round.told.touched.add(links[link]?.id ?? "")
    cells.links.tell(link, { kind: "ends", atMs: world.atMs, facts })
    // What a link believes is evidence at both of its ends.
    for (const slot of routersAt(world.topology, link)) round.slots.add(slot)
  }
  const linkFacts: readonly LinkFact[] = drained(round, cells.links, routers.length, firedMs)
  for (const fact of nodeFacts) round.nodes.push(fact)
  for (const fact of alertFacts) round.alerts.push(fact)
  hearUpDown(world, cells.tenant.state(0), nodeFacts, linkFacts)
  if (nodeFacts.length > 0 || linkFacts.length > 0 || alertFacts.length > 0)
    cells.tenant.tell(0, { kind: "facts", atMs: world.atMs, nodes: nodeFacts, links: linkFacts, alerts: alertFacts })
  return drained(round, cells.tenant, routers.length + links.length, firedMs)
}

/** Drains one phase, takes what it says to the outside, and returns its facts. */
const drained = <Fact>(
  round: Round,
  bank: Pick<CellBank<unknown, unknown, Fact>, "drain">,
  firstActor: number,
  firedMs: number,
): Fact[] => {
  const facts: Fact[] = []
  for (const output of bank.drain()) {
    takeOutput(round, output, firstActor + output.slot, firedMs)
    for (const fact of output.facts) facts.push(fact)
  }
  return facts
}

const takeOutput = (round: Round, output: CellOutput<unknown>, actor: number, firedMs: number): void => {
  if (actor < round.world.topology.routers.length) round.took.add(actor)
  noteStep(round.world.readings, actor)
  for (const delta of output.deltas) takeDelta(round, delta)
  for (const event of output.events) takeEvent(round, event)
  // A wish that is not after the timer being served would be served for ever.
  const wish = output.timerMs
  round.world.timers.set(actor, wish === null ? null : Math.max(wish, firedMs + 1))
}

const takeDelta = ({ world, told }: Round, delta: ColumnDelta): void => {
  if (!applyColumnDelta(world.columns, delta)) return
  if (delta.column === "link") told.links.add(delta.slot)
  else {
    told.nodes.add(delta.slot)
    told.touched.add(world.topology.routers[delta.slot]?.device ?? "")
  }
}

export const takeEvent = (round: Round, event: Happening): string => {
  const id = `${round.seq}-${round.index++}`
  // An incident is called by the event that opened it.
  const isOpening = event.type === "incident.opened" && event.entity === ""
  round.told.events.push({ id, ...event, ...(isOpening ? { entity: id } : {}) })
  return id
}

/** Tells routers their orders; what they make of them comes with the next `settle`. */
export const give = ({ world, cells, told }: Round, orders: readonly AlertOrder[]): void => {
  for (const { slot, command } of orders) {
    told.touched.add(world.topology.routers[slot]?.device ?? "")
    cells.routers.tell(slot, { kind: "command", atMs: world.atMs, command, judge: judgeOf(world, slot) })
  }
}
