/**
 * The network of `npm run bench -- whatif`: a seeded ISP of any size with a meshed core, aggregation, access routers that
 * hang on one or two of them, and as many further links as asked for, some of them parallel. Loads are those that the
 * routers' demands make, so that the model has traffic to shift.
 */
import { dice } from "#lab/isp/random.ts"
import type { Dice } from "#lab/isp/random.ts"
import { flatGraph } from "#twin/whatif/graph.ts"
import type { FlatLink } from "#twin/whatif/graph.ts"
import { IncrementalSpf } from "#twin/whatif/incremental-spf.ts"
import type { Known } from "#twin/whatif/model.ts"
import { noSpread, Traffic } from "#twin/whatif/traffic.ts"

export const EXITS = 4
const ROUTERS_PER_SITE = 10
const DUCTS_PER_LINK = 0.05

export interface Size {
  readonly routers: number
  readonly links: number
  readonly seed: number
}

/** Slots 0 .. EXITS - 1 are upstreams, then core, aggregation, access. */
export const networkOf = ({ routers, links: wanted, seed }: Size): Known => {
  const roll = dice(seed, "whatif")
  const core = EXITS + Math.max(4, Math.round(0.01 * routers))
  const agg = core + Math.max(4, Math.round(0.15 * routers))
  const links = plan(roll, routers, wanted, core, agg)
  const graph = flatGraph(routers, links)
  const customers = Float64Array.from({ length: routers }, (_, n) => (n < agg ? 0 : roll.int(20, 800)))
  const outside = Uint8Array.from({ length: routers }, (_, n) => (n < EXITS ? 1 : 0))
  const exits = Array.from({ length: EXITS }, (_, n) => n)
  const down = customers.map((count) => count * 2.5e6)
  const spread = noSpread(links.length)
  new Traffic(graph).add(new IncrementalSpf(graph, exits), { down, up: down.map((bps) => 0.12 * bps) }, spread)
  // Line rates follow the load: a third to twice of what a link would need, as in a network that has grown.
  const capacityBps = Float64Array.from(links, (_, l) => {
    const load = Math.max(spread.bps[2 * l] as number, spread.bps[2 * l + 1] as number)
    return 1e9 * 10 ** Math.ceil(Math.log10(Math.max(1, (1.2 * load) / 1e9)))
  })
  return {
    graph: { ...graph, capacityBps },
    nodes: routers,
    links: links.length,
    sites: Math.ceil(routers / ROUTERS_PER_SITE),
    siteOf: Int32Array.from({ length: routers }, (_, n) => (n < EXITS ? -1 : Math.floor(n / ROUTERS_PER_SITE))),
    srlgs: Array.from({ length: Math.round(DUCTS_PER_LINK * links.length) }, (_, n) => ({
      id: `duct-${n}`,
      name: `Duct ${n}`,
      links: [roll.int(0, links.length - 1), roll.int(0, links.length - 1), roll.int(0, links.length - 1)],
      routers: [],
    })),
    linkAt: () => -1,
    outside,
    exits,
    vantages: Array.from({ length: core - EXITS }, (_, n) => EXITS + n),
    downNodes: new Uint8Array(routers),
    downLinks: new Uint8Array(links.length),
    groups: [],
    ibgp: null,
    sessions: customers.map((count) => (count > 0 ? count : Number.NaN)),
    hasCustomers: Uint8Array.from(customers, (count) => (count > 0 ? 1 : 0)),
    measuredBps: spread.bps,
    matrix: null,
    assumptions: [],
  }
}

const plan = (roll: Dice, routers: number, wanted: number, core: number, agg: number): readonly FlatLink[] => {
  const links: FlatLink[] = []
  const join = (a: number, b: number, cost: number): void => {
    if (a !== b) links.push({ a, b, capacityBps: null, costAB: cost, costBA: roll.chance(0.1) ? cost + 1 : cost })
  }
  for (let exit = 0; exit < EXITS; exit++)
    for (let n = 0; n < 3; n++) join(exit, EXITS + ((exit * 7 + n * 3) % (core - EXITS)), 1)
  for (let node = EXITS; node < core; node++) {
    join(node, node + 1 < core ? node + 1 : EXITS, roll.int(5, 20))
    join(node, roll.int(EXITS, core - 1), roll.int(5, 20))
  }
  for (let node = core; node < agg; node++)
    for (let n = 0; n < 2; n++) join(node, roll.int(EXITS, core - 1), roll.int(20, 40))
  for (let node = agg; node < routers; node++) {
    // Some access hangs in chains behind other access routers, as it does at the edge of every ISP.
    const above = (): number =>
      roll.chance(0.2) && node > agg + 10 ? roll.int(agg, node - 1) : roll.int(core, agg - 1)
    join(node, above(), roll.int(50, 100))
    if (roll.chance(0.7)) join(node, above(), roll.int(50, 100))
  }
  // The further half of the access routers keeps what it has: single points of failure are what this is about.
  const rich = agg + ((routers - agg) >> 1)
  while (links.length < wanted) {
    const known = links[roll.int(0, links.length - 1)] as FlatLink
    if (roll.chance(0.1) && known.a < rich) join(known.a, known.b, known.costAB ?? 1)
    else join(roll.int(core, rich), roll.int(core, rich), roll.int(60, 200))
  }
  return links
}
