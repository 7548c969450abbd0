/**
 * A kind of evidence: one thing that can be observed of each port, session, router ... and what a hypothesis says about it.
 * A kind is one file here and one line in registry.ts; nothing else knows how many there are.
 */
import type { CauseKind, Model } from "#twin/rca/model.ts"
import type { Scenario } from "#twin/rca/scenario.ts"

/** What a hypothesis says when nobody could see: neither value is news. */
export const BLIND = -1
/** What it says when it does not touch the thing: as when all is well. */
export const UNTOUCHED = -2

export type Suspect = (kind: CauseKind, index: number) => void

export interface EvidenceKind {
  readonly name: string
  /** How many of them the network has. */
  readonly count: (model: Model) => number
  /** Chance that it alarms although nothing is wrong. */
  readonly spurious: number
  /** Within this time of the fault it has alarmed, if it does; a "clear" that is older says nothing. */
  readonly latencyMs: number
  /**
   * What is wrong `now`; or what was: the `prelude` of a fault, or its `aftermath`, which began no sooner than the fault. What
   * was moves the balance between causes of what is, needs none itself, and is no way to tell causes apart today.
   */
  readonly tells: "now" | "prelude" | "aftermath"
  /** Somebody can read it at all. */
  readonly isObservable: (model: Model, index: number) => boolean
  /** Names what could have made it alarm. Silence of routers has its own, wider search (silence.ts). */
  readonly suspects: (model: Model, index: number, suspect: Suspect) => void
  /** Visits every index that the scenario may change, at most a few times each. */
  readonly touched: (model: Model, scenario: Scenario, visit: (index: number) => void) => void
  /** Chance of an alarm under the scenario, or BLIND, or UNTOUCHED. */
  readonly expected: (model: Model, scenario: Scenario, index: number) => number
  /** `the port of R1 on R1 - R2`. */
  readonly words: (model: Model, index: number) => string
  /** What an alarm means: `is down`. */
  readonly alarmed: string
  readonly cleared: string
}

/** Links that a scenario may take down, dead routers' links among them. */
export const linksTouched = (model: Model, s: Scenario, visit: (link: number) => void): void => {
  for (const l of s.deadLinks) visit(l)
  for (const port of s.shut) visit(port >> 1)
  for (const l of s.lossy) visit(l)
  for (const l of s.flapping) visit(l)
  const { from, link } = model.graph
  const around = (n: number): void => {
    for (let half = from[n] as number; half < (from[n + 1] as number); half++) visit(link[half] as number)
  }
  for (const n of s.deadNodes) around(n)
  for (const n of s.deaf) around(n)
  if (!model.outOfBand) for (const n of s.silent[0] ?? []) around(n)
}

/** The causes of a link that fails as a whole. */
export const suspectLink = (model: Model, link: number, suspect: Suspect): void => {
  suspect("link", link)
  for (const g of model.groupsOf[link] ?? []) suspect("group", g)
  for (const node of [model.graph.a[link] as number, model.graph.b[link] as number])
    if (node >= 0) suspectNode(model, node, suspect)
}

export const suspectNode = (model: Model, node: number, suspect: Suspect): void => {
  suspect("router", node)
  const site = model.network.siteOf[node] as number
  if (site >= 0 && site < model.network.sites) suspect("site", site)
}
