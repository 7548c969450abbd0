/**
 * The main door: what would be if these things failed or were drained now. Who is cut off, which customers, which routers
 * change their exit, where the traffic goes and which links become too small, each with how well it is known. What is down
 * already is down in the model, so that the answer is what these faults add to it. The model is as before afterwards.
 */
import type { Quality } from "#twin/whatif/customers.ts"
import { chooseExits } from "#twin/whatif/egress.ts"
import type { Choice } from "#twin/whatif/egress.ts"
import { applyFaults } from "#twin/whatif/fault.ts"
import type { Failed, Fault } from "#twin/whatif/fault.ts"
import { IncrementalSpf } from "#twin/whatif/incremental-spf.ts"
import { losses } from "#twin/whatif/loss.ts"
import type { Losses } from "#twin/whatif/loss.ts"
import { spreadOf, treesBy } from "#twin/whatif/model.ts"
import type { Model, Tree } from "#twin/whatif/model.ts"
import { isAbove } from "#twin/whatif/traffic.ts"

/** Slots everywhere; lists ascend. */
export interface WhatIfAnswer extends Losses {
  readonly failed: Failed
  /** Routers that go on with another exit. */
  readonly exits: readonly ExitChange[]
  /** Link directions whose load changes by more than a thousandth of their capacity (unknown: of the larger load). */
  readonly shifted: readonly Shift[]
  /** Of these, the ones that are above capacity then and carry more than before. */
  readonly overloaded: readonly Shift[]
  /** Whether any load is known at all, and how: measured before, always estimated after. */
  readonly traffic: { readonly before: Quality; readonly after: Quality }
  /** Demand without a way any more, and traffic of unknown origin of which nobody can say where it goes, bit/s. */
  readonly lostBps: number
  readonly unplacedBps: number
  readonly assumptions: readonly string[]
}

export interface ExitChange {
  readonly router: number
  readonly from: number
  readonly to: number
}

export interface Shift {
  readonly link: number
  readonly direction: "ab" | "ba"
  readonly beforeBps: number
  /** What wants to pass. */
  readonly afterBps: number
  /** What does, after losses on links that are too small on the way. */
  readonly carriedBps: number
  /** Null = unknown. */
  readonly capacityBps: number | null
}

/** Failed or drained directions whose background is led around; more of them count as unplaced. Each costs a Dijkstra. */
export const MAX_REROUTED = 200

export const whatIf = (model: Model, faults: readonly Fault[]): WhatIfAnswer => {
  const failed = applyFaults(model, faults)
  const lost = losses(model, failed)
  const { choice, ...moved } = movedTraffic(model, failed)
  return { failed, ...lost, ...moved, assumptions: [...model.assumptions, ...saidOfExits(model, lost, choice)] }
}

// -- where the traffic goes --------------------------------------------------------------------------------------------

type Moved = Pick<WhatIfAnswer, "exits" | "shifted" | "overloaded" | "traffic" | "lostBps" | "unplacedBps"> & {
  readonly choice: Choice
}

const movedTraffic = (model: Model, failed: Failed): Moved => {
  const { graph, explained, exitNow, background } = model
  const ways = beginAll(model)
  for (const spf of ways) failWays(spf, failed)
  const choice = chooseExits(model)
  const { trees, lostBps } = treesBy(model, choice)
  const spread = spreadOf(model.traffic, trees, graph.links)
  const load = spread.bps
  const { extra, unplacedBps } = backgroundThen(model, failed)
  for (let d = 0; d < load.length; d++) load[d] = Math.max(0, (load[d] as number) + (extra[d] as number))
  const carried = carriedOf(model, trees, load, extra)
  for (const spf of ways) spf.undo()
  const exits = [...exitNow.entries()]
    .map(([router, from]) => ({ router, from, to: choice.exit[router] as number }))
    .filter(({ router, from, to }) => from !== to && from >= 0 && to >= 0 && model.outside[router] === 0)
  const shifted = shiftsOf(model, load, carried)
  const isKnown = load.some((bps) => bps > 0) || explained.bps.some((bps) => bps > 0)
  const isMeasured = model.measuredBps.some((bps) => !Number.isNaN(bps))
  const before = isMeasured ? "measured" : isKnown ? "estimated" : "unknown"
  return {
    exits,
    shifted,
    overloaded: shifted.filter(isOverload),
    traffic: { before, after: isKnown || background.some((bps) => bps !== 0) ? "estimated" : "unknown" },
    lostBps: Math.max(0, spread.lostBps + lostBps - explained.lostBps),
    unplacedBps,
    choice,
  }
}

/** Everything that a question about ways changes, and takes back with `undo`. */
export const beginAll = ({ toExit, trees, egresses }: Model): ReadonlySet<IncrementalSpf> => {
  const ways = new Set([toExit, ...trees.map(({ spf }) => spf), ...egresses.map(({ spf }) => spf)])
  for (const spf of ways) spf.begin()
  return ways
}

/** What BGP leaves open, or does not bring although there is a way. */
const saidOfExits = (
  { outside, service }: Model,
  { offline }: Losses,
  { exit, egress, unsure }: Choice,
): readonly string[] => {
  if (egress === null) return []
  const lost = new Set(offline)
  const hearsNone = [...exit.keys()].filter(
    (node) => outside[node] === 0 && exit[node] === -1 && service.reached[node] === 1 && !lost.has(node),
  ).length
  const open = `BGP can come to rest in more than one way: the exits of ${unsure.length} routers hang on the order of events`
  const deaf = `${hearsNone} routers have a way to an exit and no iBGP session left that tells them of one`
  return [...(unsure.length > 0 ? [open] : []), ...(hearsNone > 0 ? [deaf] : [])]
}

/** The same faults, told to shortest ways. */
export const failWays = (spf: IncrementalSpf, { nodes, links, drained }: Omit<Failed, "unknown">): void => {
  for (const link of links) spf.failLink(link)
  for (const node of nodes) spf.failNode(node)
  for (const link of drained) spf.drainLink(link)
}

interface Background {
  /** By direction, bit/s, may be negative. */
  readonly extra: Float64Array
  readonly unplacedBps: number
}

/** What the demands do not explain: it stays where it was, and goes around what failed or is drained. */
const backgroundThen = (model: Model, failed: Failed): Background => {
  const { graph, toExit, background } = model
  const isGone = (node: number): boolean => node >= 0 && toExit.failedNodes[node] === 1
  const drained = new Set(failed.drained)
  const extra = new Float64Array(background.length)
  const around: number[] = []
  for (let d = 0; d < background.length; d++) {
    const link = d >> 1
    const bps = background[d] as number
    const works = toExit.failedLinks[link] === 0 && !isGone(graph.a[link] as number) && !isGone(graph.b[link] as number)
    if (works && !drained.has(link)) extra[d] = bps
    else if (bps > 0) around.push(d)
  }
  around.sort((x, y) => (background[y] as number) - (background[x] as number) || x - y)
  let unplacedBps = 0
  for (const [i, direction] of around.entries()) {
    const bps = background[direction] as number
    if (i >= MAX_REROUTED || !ledAround(model, direction, bps, extra)) unplacedBps += bps
  }
  return { extra, unplacedBps }
}

/** From one end of a link to the other by the shortest ways that are left; false = there is none. */
const ledAround = ({ graph, toExit, traffic }: Model, direction: number, bps: number, extra: Float64Array): boolean => {
  const link = direction >> 1
  const [a, b] = [graph.a[link] as number, graph.b[link] as number]
  const [from, to] = (direction & 1) === 0 ? [a, b] : [b, a]
  if (from < 0 || to < 0 || toExit.failedNodes[from] === 1 || toExit.failedNodes[to] === 1) return false
  const spf = new IncrementalSpf(graph, [to], toExit)
  if (spf.distance[from] === Infinity) return false
  const up = new Float64Array(graph.nodes)
  up[from] = bps
  traffic.add(spf, { up, down: new Float64Array(graph.nodes) }, { bps: extra, lostBps: 0 })
  return true
}

/** What gets through when every link passes at most its capacity; the background meets its own link only. */
const carriedOf = (
  { graph, traffic }: Model,
  trees: readonly Tree[],
  load: Float64Array,
  extra: Float64Array,
): Float64Array => {
  let isFull = false
  const fraction = load.map((bps, d) => {
    const capacityBps = graph.capacityBps[d >> 1] as number
    if (!(bps > capacityBps)) return 1
    isFull = true
    return capacityBps / bps
  })
  if (!isFull) return load
  const carried = new Float64Array(load.length)
  for (const { spf, demand } of trees) traffic.addCarried(spf, demand, fraction, carried)
  return carried.map((bps, d) => Math.max(0, bps + (extra[d] as number) * (fraction[d] as number)))
}

const SHIFTED = 0.001

const shiftsOf = ({ graph, loadNow }: Model, load: Float64Array, carried: Float64Array): readonly Shift[] => {
  const found: Shift[] = []
  for (let d = 0; d < load.length; d++) {
    const [beforeBps, afterBps] = [loadNow[d] as number, load[d] as number]
    const carriedBps = carried[d] as number
    if (beforeBps === afterBps && beforeBps === carriedBps) continue
    const capacity = graph.capacityBps[d >> 1] as number
    const capacityBps = Number.isNaN(capacity) ? null : capacity
    const change = Math.max(Math.abs(afterBps - beforeBps), Math.abs(carriedBps - beforeBps))
    if (change <= SHIFTED * (capacityBps ?? Math.max(beforeBps, afterBps))) continue
    found.push({ link: d >> 1, direction: (d & 1) === 0 ? "ab" : "ba", beforeBps, afterBps, carriedBps, capacityBps })
  }
  return found
}

const isOverload = ({ beforeBps, afterBps, capacityBps }: Shift): boolean =>
  capacityBps !== null && isAbove(afterBps, capacityBps) && isAbove(afterBps, beforeBps)
