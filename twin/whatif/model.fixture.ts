/** Models for tests: written by hand in a few words, or random with everything that a model can have. */
import fc from "fast-check"
import { randomGraph } from "#twin/whatif/graph.fixture.ts"
import { flatGraph } from "#twin/whatif/graph.ts"
import type { FlatLink } from "#twin/whatif/graph.ts"
import { makeModel } from "#twin/whatif/model.ts"
import type { Known, Model } from "#twin/whatif/model.ts"

export type Given = Partial<Omit<Known, "nodes" | "links" | "sites" | "linkAt">> & {
  /** `linkAt("e3")` is link 3 when it ends at the router. */
  readonly graph: Known["graph"]
}

export const knownOf = ({ graph, ...given }: Given): Known => {
  const { nodes, links } = graph
  const siteOf = given.siteOf ?? new Int32Array(nodes).fill(-1)
  return {
    outside: new Uint8Array(nodes),
    exits: [0],
    vantages: [0],
    downNodes: new Uint8Array(nodes),
    downLinks: new Uint8Array(links),
    siteOf,
    srlgs: [],
    groups: [],
    ibgp: null,
    sessions: new Float64Array(nodes).fill(Number.NaN),
    hasCustomers: new Uint8Array(nodes),
    measuredBps: new Float64Array(2 * links).fill(Number.NaN),
    matrix: null,
    assumptions: [],
    ...given,
    graph,
    nodes,
    links,
    sites: 1 + Math.max(-1, ...siteOf),
    linkAt: (router, ifName) => {
      const link = Number(ifName.slice(1))
      return graph.a[link] === router || graph.b[link] === router ? link : -1
    },
  }
}

export const modelFrom = (given: Given): Model => makeModel(knownOf(given))

/** `"0-1 1-2*5"`: links by their ends, `*cost` both ways, `@Gbit/s` capacity; 1 and 10 when left out. */
export const net = (nodes: number, text: string): Known["graph"] =>
  flatGraph(
    nodes,
    text.split(" ").map((word): FlatLink => {
      const [, a, b, cost, gbps] = /^(\d+)-(\d+)(?:\*(\d+))?(?:@([\d.]+))?$/.exec(word) ?? []
      const each = Number(cost ?? 1)
      return { a: Number(a), b: Number(b), costAB: each, costBA: each, capacityBps: Number(gbps ?? 10) * 1e9 }
    }),
  )

/** Something down, sites, groups, customers, and either loads or a matrix. */
export const randomKnown: fc.Arbitrary<Known> = randomGraph(9, 18).chain(({ graph }) => {
  const { nodes, links } = graph
  const node = fc.nat(nodes - 1)
  const mask = (length: number) =>
    fc
      .array(fc.nat(7), { minLength: length, maxLength: length })
      .map((list) => Uint8Array.from(list, (n) => (n === 0 ? 1 : 0)))
  const some = (arbitrary: fc.Arbitrary<number>) => fc.uniqueArray(arbitrary, { maxLength: 3 })
  const groups = fc.array(
    fc.record({
      id: fc.constant("g"),
      name: fc.constant("group"),
      mode: fc.constantFrom("any" as const, "all" as const, "kofn" as const),
      k: fc.nat(3),
      routers: some(node),
      links: links === 0 ? fc.constant([]) : some(fc.nat(links - 1)),
      dependents: some(node),
    }),
    { maxLength: 3 },
  )
  const demand = fc.record({ from: node, to: node, bps: fc.integer({ min: 1, max: 20 }).map((n) => n * 2e9) })
  const numbers = (length: number) =>
    fc
      .array(fc.oneof(fc.constant(Number.NaN), fc.nat(500)), { minLength: length, maxLength: length })
      .map((list) => Float64Array.from(list))
  return fc
    .record({
      exits: fc.uniqueArray(node, { minLength: 1, maxLength: 2 }),
      vantages: fc.uniqueArray(node, { minLength: 1, maxLength: 2 }),
      downNodes: mask(nodes),
      downLinks: mask(links),
      siteOf: fc
        .array(fc.integer({ min: -1, max: 2 }), { minLength: nodes, maxLength: nodes })
        .map((l) => Int32Array.from(l)),
      groups,
      sessions: numbers(nodes),
      hasCustomers: mask(nodes),
      matrix: fc.option(fc.array(demand, { maxLength: 12 })),
      measuredBps: numbers(2 * links).map((list) => list.map((bps) => bps * 2e7)),
    })
    .map((given) => knownOf({ graph, ...given }))
})
