/**
 * What would be true if some causes were: the hypothesis applied to a fork of the network. Elements that the causes break
 * are named, and the what-if engine says who falls silent by it; what then would be seen is asked of the evidence kinds.
 */
import type { Cause } from "#twin/rca/cause.ts"
import type { Model } from "#twin/rca/model.ts"
import { endOf } from "#twin/rca/model.ts"

export interface Scenario {
  readonly causes: readonly Cause[]
  readonly deadNodes: ReadonlySet<number>
  readonly deadLinks: ReadonlySet<number>
  /** link * 2 + end. */
  readonly shut: ReadonlySet<number>
  readonly lossy: ReadonlySet<number>
  readonly congested: ReadonlySet<number>
  readonly flapping: ReadonlySet<number>
  /** Nodes that forward, but do not answer their collector. */
  readonly deaf: ReadonlySet<number>
  /** Nodes that forward, but have lost BGP. */
  readonly bgpDead: ReadonlySet<number>
  readonly sessionsDead: ReadonlySet<number>
  /** By vantage: nodes that it reached and does not now, the dead ones among them. */
  readonly silent: ReadonlyArray<ReadonlySet<number>>
}

/** Most causes break one thing: what they leave alone is one empty set for all. */
const NONE: ReadonlySet<number> = new Set()

const setOf = (causes: readonly Cause[], of: (cause: Cause) => readonly number[]): ReadonlySet<number> => {
  let found: Set<number> | null = null
  for (const cause of causes) for (const index of of(cause)) (found ??= new Set()).add(index)
  return found ?? NONE
}

const NOTHING: readonly number[] = []

export const scenarioOf = (model: Model, causes: readonly Cause[]): Scenario => {
  const only = (kind: Cause["kind"]): ReadonlySet<number> =>
    setOf(causes, (cause) => (cause.kind === kind ? [cause.index] : NOTHING))
  const broken = {
    deadNodes: setOf(causes, ({ kind, index }) =>
      kind === "router" ? [index] : kind === "site" ? (model.nodesOf[index] ?? NOTHING) : NOTHING,
    ),
    deadLinks: setOf(causes, ({ kind, index }) =>
      kind === "link" ? [index] : kind === "group" ? (model.network.groups[index]?.links ?? NOTHING) : NOTHING,
    ),
    shut: only("shut"),
  }
  return {
    causes,
    ...broken,
    lossy: only("loss"),
    congested: only("congestion"),
    flapping: only("flap"),
    deaf: only("agent"),
    bgpDead: only("bgp"),
    sessionsDead: only("session"),
    silent: silenced(model, broken),
  }
}

/** Nobody carries anything over this link. */
export const isLinkDown = (model: Model, s: Scenario, link: number): boolean =>
  s.deadLinks.has(link) ||
  s.shut.has(2 * link) ||
  s.shut.has(2 * link + 1) ||
  (s.deadNodes.size > 0 &&
    (s.deadNodes.has(endOf(model.graph, link, 0)) || s.deadNodes.has(endOf(model.graph, link, 1))))

/** What this node says of itself does not come through any more. */
export const isBlind = (model: Model, s: Scenario, node: number): boolean =>
  s.deadNodes.has(node) || s.deaf.has(node) || (!model.outOfBand && s.silent[0]?.has(node) === true)

const silenced = (
  model: Model,
  { deadNodes, deadLinks, shut }: Pick<Scenario, "deadNodes" | "deadLinks" | "shut">,
): ReadonlyArray<ReadonlySet<number>> => {
  if (deadNodes.size + deadLinks.size + shut.size === 0) return model.forests.map(() => NONE)
  return model.forests.map((forest) => {
    const silent = new Set<number>()
    const take = (): void => {
      for (let i = 0; i < forest.changedCount; i++) silent.add(forest.changed[i] as number)
    }
    forest.begin()
    for (const n of deadNodes) {
      forest.failNode(n)
      take()
    }
    for (const l of deadLinks) {
      forest.failLink(l)
      take()
    }
    for (const port of shut) {
      forest.failLink(port >> 1)
      take()
    }
    forest.undo()
    for (const n of deadNodes) silent.add(n)
    return withDependencies(model, silent)
  })
}

/** Where an operator declared the redundancy, that word decides instead of the graph. */
const withDependencies = (model: Model, silent: Set<number>): ReadonlySet<number> => {
  if (model.hangsOn.size === 0) return silent
  const waiting = [...silent]
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop())
    for (const { node: dependent, members, need } of model.supports.get(node) ?? []) {
      const alive = members.filter((member) => !silent.has(member)).length
      if (alive >= need || silent.has(dependent)) continue
      silent.add(dependent)
      waiting.push(dependent)
    }
  return silent
}
