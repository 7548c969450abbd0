/** Networks for the tests of what-if: random ones with parallel links, self-loops and islands, and the moves that break them. */
import fc from "fast-check"
import { flatGraph } from "#twin/whatif/graph.ts"
import type { FlatGraph, FlatLink } from "#twin/whatif/graph.ts"

export interface RandomGraph {
  readonly graph: FlatGraph
  readonly links: readonly FlatLink[]
}

/** Few distinct costs, so that equal-cost paths are usual. `symmetric`: both directions cost the same. */
export const randomGraph = (maxNodes = 12, maxLinks = 30, symmetric = false): fc.Arbitrary<RandomGraph> =>
  fc.integer({ min: 1, max: maxNodes }).chain((nodes) =>
    fc
      .array(
        fc
          .record({
            a: fc.integer({ min: -1, max: nodes - 1 }),
            b: fc.integer({ min: 0, max: nodes - 1 }),
            capacityBps: fc.constantFrom(null, 1e9, 10e9),
            costAB: fc.integer({ min: 1, max: 4 }),
            costBA: fc.integer({ min: 1, max: 4 }),
          })
          .map((link) => (symmetric ? { ...link, costBA: link.costAB } : link)),
        { maxLength: maxLinks },
      )
      .map((links) => ({ graph: flatGraph(nodes, links), links })),
  )

export interface Move {
  readonly what: "link" | "node"
  /** Taken modulo the number of links or nodes. */
  readonly index: number
}

/** What is up fails, what is down mends. */
export const moves = (maxLength = 40): fc.Arbitrary<readonly Move[]> =>
  fc.array(fc.record({ what: fc.constantFrom("link", "link", "node"), index: fc.nat(1000) }), { maxLength })

/** Applies a move to two masks; null = there is nothing to move. */
export const moved = (
  graph: FlatGraph,
  { what, index }: Move,
  nodes: Uint8Array,
  links: Uint8Array,
): { readonly what: Move["what"]; readonly slot: number; readonly failed: boolean } | null => {
  const [mask, count] = what === "node" ? [nodes, graph.nodes] : [links, graph.links]
  if (count === 0) return null
  const slot = index % count
  mask[slot] = mask[slot] === 1 ? 0 : 1
  return { what, slot, failed: mask[slot] === 1 }
}
