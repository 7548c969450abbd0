/**
 * What a failure costs to answer: reachability, OSPF paths, traffic and the ranking of all single failures, beside
 * graphology that recomputes and a C program that computes from scratch, on one seeded network in one run. In process,
 * because the question is the engine's; a wrong answer fails the run.
 */
import { loadavg } from "node:os"
import type { Case } from "#bench/case.ts"
import { round } from "#bench/statistics.ts"
import { graphologyOf } from "#bench/whatif/graphology.ts"
import type { Wire } from "#bench/whatif/graphology.ts"
import { answers, medianMs, modelOfKnown, paths, reachability } from "#bench/whatif/measure.ts"
import { EXITS, networkOf } from "#bench/whatif/network.ts"
import type { Size } from "#bench/whatif/network.ts"
import { scratchInC } from "#bench/whatif/scratch.ts"

export const whatif: Case = {
  name: "whatif",
  about:
    "microseconds per failure: reachability, OSPF paths; seconds for all single failures; graphology and C beside it",
  tier: "emulator (ours)",
  full: { routers: 10_000, links: 50_000, seed: 1 },
  small: { routers: 300, links: 1500, seed: 1 },
  run: async (parameters, report) => {
    const size = parameters as unknown as Size
    const known = networkOf(size)
    const { graph, exits } = known
    report(
      `${graph.nodes} routers, ${graph.links} links, ${EXITS} upstreams; load ${loadavg()
        .map((n) => round(n))
        .join(" ")}`,
    )
    const reach = reachability(known, size.seed)
    const spf = paths(known)
    const { model, modelMs } = modelOfKnown(known)
    const asked = answers(model, size.seed)

    const wires = Array.from({ length: graph.links }, (_, l): Wire => {
      const cost = (h: number): number => graph.cost[graph.half[h] as number] as number
      return { a: graph.a[l] as number, b: graph.b[l] as number, costAB: cost(2 * l), costBA: cost(2 * l + 1) }
    })
    const peer = graphologyOf(graph.nodes, wires)
    const componentsMs = medianMs(5, () => void peer.components(exits))
    const peerDijkstraMs = medianMs(3, () => void peer.dijkstra(exits))
    const c = scratchInC(graph, exits)
    if (typeof c === "string") report(`the C yardstick was not measured: ${c}`)
    else if (c.reached !== reach.outcome[0] || c.distanceSum !== spf.outcome[2])
      throw new Error(
        `C reaches ${c.reached} at a distance of ${c.distanceSum}, we ${reach.outcome[0]}, ${spf.outcome[2]}`,
      )
    const ours = { ...reach.figures, ...spf.figures, ...asked.figures }
    const wrong = (ours["reachMismatches"] ?? 0) + (ours["spfMismatches"] ?? 0)
    if (wrong > 0) throw new Error(`${wrong} answers differ from a computation from scratch`)
    const per = (one: number | null, other: number | undefined): number | null =>
      one === null || other === undefined || other === 0 ? null : round(one / other, 1)
    const cBfsUs = typeof c === "string" ? null : c.bfsUs
    const cDijkstraUs = typeof c === "string" ? null : c.dijkstraUs
    const figures: Record<string, number | null> = {
      ...Object.fromEntries(Object.entries(ours).map(([name, value]) => [name, round(value, 2)])),
      modelMs: round(modelMs, 1),
      graphologyComponentsUs: round(1000 * componentsMs),
      graphologyDijkstraUs: round(1000 * peerDijkstraMs),
      cBfsUs,
      cDijkstraUs,
      graphologyPerReachP99: per(1000 * componentsMs, ours["reachLinkUsP99"]),
      cBfsPerReachP99: per(cBfsUs, ours["reachLinkUsP99"]),
      cDijkstraPerSpfP99: per(cDijkstraUs, ours["spfFailUsP99"]),
    }
    return { figures, outcome: [reach.outcome, spf.outcome, asked.outcome] }
  },
}
