/**
 * Blind spots: which single faults today's monitoring could not tell apart, or not see at all, and the cheapest thing to
 * watch besides that would tell some of them apart. The same predictions as the verdicts', made for every element at once.
 */
import { assess } from "#twin/rca/assess.ts"
import type { Board } from "#twin/rca/board.ts"
import { newBoard } from "#twin/rca/board.ts"
import type { Cause } from "#twin/rca/cause.ts"
import { signature } from "#twin/rca/explain.ts"
import type { Model, Network } from "#twin/rca/model.ts"
import { buildModel } from "#twin/rca/model.ts"

/** Suggestions that are worked out; each costs the classes that it touches, a new vantage point all of them. */
const MAX_SUGGESTIONS = 24
const MAX_STANDS = 4

export interface BlindSpots {
  /** Faults that look alike, two and more in each, the largest class first. */
  readonly classes: ReadonlyArray<readonly Cause[]>
  /** Faults of which nothing would be seen. */
  readonly invisible: readonly Cause[]
  readonly faults: number
  /** Best gain for its cost first. */
  readonly suggestions: readonly Suggestion[]
}

export interface Suggestion {
  readonly watch: "ping" | "poll" | "stand"
  readonly node: number
  /** Beside the cost of a ping. */
  readonly cost: number
  /** How many more kinds of faults could be told apart with it, invisible ones that show counted. */
  readonly gain: number
}

const COST: Readonly<Record<Suggestion["watch"], number>> = { ping: 1, poll: 2, stand: 5 }

/** Every element that can fail as a whole. */
export const singleFaults = ({ network, graph }: Model): readonly Cause[] => {
  const faults: Cause[] = []
  const all = (kind: Cause["kind"], count: number, of: (index: number) => boolean = () => true): void => {
    for (let index = 0; index < count; index++) if (of(index)) faults.push({ kind, index })
  }
  all("link", graph.links)
  all("router", graph.nodes)
  all("bgp", graph.nodes, (n) => network.reflector[n] === 1)
  all("site", network.sites)
  all("group", network.groups.length, (g) => (network.groups[g]?.links.length ?? 0) > 0)
  return faults
}

export const blindSpots = (board: Board): BlindSpots => {
  const faults = singleFaults(board.model)
  const bySignature = grouped(board, faults)
  const invisible = bySignature.get("") ?? []
  const classes = [...bySignature]
    .flatMap(([words, causes]) => (words !== "" && causes.length > 1 ? [causes] : []))
    .sort((x, y) => y.length - x.length)
  return {
    classes,
    invisible,
    faults: faults.length,
    suggestions: suggestionsFor(board, faults, kindsOf(bySignature), classes, invisible),
  }
}

const grouped = (board: Board, faults: readonly Cause[]): ReadonlyMap<string, readonly Cause[]> => {
  const groups = new Map<string, Cause[]>()
  for (const cause of faults) {
    const words = signature(board, assess(board, [cause]))
    const group = groups.get(words)
    if (group === undefined) groups.set(words, [cause])
    else group.push(cause)
  }
  return groups
}

/** How many kinds of faults could be told apart; what is invisible is none. */
const kindsOf = (groups: ReadonlyMap<string, unknown>): number => groups.size - (groups.has("") ? 1 : 0)

const suggestionsFor = (
  board: Board,
  faults: readonly Cause[],
  kinds: number,
  classes: ReadonlyArray<readonly Cause[]>,
  invisible: readonly Cause[],
): readonly Suggestion[] => {
  const { network } = board.model
  const unclear = [...classes.flat(), ...invisible]
  const near = new Set(unclear.flatMap((cause) => nodesOf(board.model, cause)))
  const unclearKinds = kindsOf(grouped(board, unclear))
  const found: Suggestion[] = []
  const put = (watch: Suggestion["watch"], node: number, gain: number): void => {
    if (gain > 0) found.push({ watch, node, cost: COST[watch], gain })
  }
  let tried = 0
  for (const node of near) {
    if (tried >= MAX_SUGGESTIONS) break
    for (const [watch, flags] of [
      ["ping", network.pinged],
      ["poll", network.polled],
    ] as const) {
      if (flags[node] === 1 || (watch === "poll" && network.external[node] === 1)) continue
      tried++
      const seen = flags.slice()
      seen[node] = 1
      const more: Network = { ...network, [watch === "ping" ? "pinged" : "polled"]: seen }
      // The layout of a board does not depend on who is watched.
      const asIf: Board = { ...board, model: { ...board.model, network: more } }
      put(watch, node, kindsOf(grouped(asIf, unclear)) - unclearKinds)
    }
  }
  if (!board.model.outOfBand)
    for (const node of [...near].slice(0, MAX_STANDS)) {
      const other = newBoard(buildModel({ ...network, vantages: [...network.vantages, [node]] }))
      put("stand", node, kindsOf(grouped(other, faults)) - kinds)
    }
  return found.sort((x, y) => y.gain / y.cost - x.gain / x.cost || x.cost - y.cost || x.node - y.node)
}

const nodesOf = ({ graph, nodesOf: atSite, network }: Model, { kind, index }: Cause): readonly number[] => {
  if (kind === "router" || kind === "bgp") return [index]
  if (kind === "site") return atSite[index] ?? []
  const links = kind === "group" ? (network.groups[index]?.links ?? []) : [index]
  return links.flatMap((l) => [graph.a[l] as number, graph.b[l] as number]).filter((node) => node >= 0)
}
