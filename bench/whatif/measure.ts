/**
 * The what-if engine alone, in process: one failure at a time on the very structures that answer a user, with the answers
 * of a sample compared with a computation from scratch. Single operations are wall time, so that a busy machine shows
 * in their p99 and maximum; whole computations are CPU time, as a peer's are.
 */
import { dice } from "#lab/isp/random.ts"
import { quantile } from "#bench/statistics.ts"
import { IncrementalSpf } from "#twin/whatif/incremental-spf.ts"
import { makeModel } from "#twin/whatif/model.ts"
import type { Known, Model } from "#twin/whatif/model.ts"
import { nextFailures } from "#twin/whatif/next-failure.ts"
import { makeSweep, reachableFrom } from "#twin/whatif/reach.ts"
import { Spanning } from "#twin/whatif/spanning.ts"
import { shortestPaths } from "#twin/whatif/spf.ts"
import { whatIf } from "#twin/whatif/what-if.ts"

export interface Measured {
  readonly figures: Record<string, number>
  /** Equal for equal seeds: what the answers were. */
  readonly outcome: readonly (number | string)[]
}

/** CPU milliseconds, median of `times` runs after one that warms up. */
export const medianMs = (times: number, run: () => void): number => {
  run()
  return quantile(
    Array.from({ length: times }, () => cpuMs(run)),
    0.5,
  )
}

/** CPU of the whole process, so that a busy machine does not count (the collector's threads do). */
const cpuMs = (run: () => void): number => {
  const before = process.cpuUsage()
  run()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

const microseconds = (name: string, takenMs: readonly number[]): Record<string, number> => ({
  [`${name}UsP50`]: 1000 * quantile(takenMs, 0.5),
  [`${name}UsP99`]: 1000 * quantile(takenMs, 0.99),
  [`${name}UsMax`]: 1000 * quantile(takenMs, 1),
})

export const reachability = ({ graph, exits }: Known, seed: number): Measured => {
  const sweep = makeSweep(graph.nodes)
  const bfsMs = medianMs(21, () => void reachableFrom(graph, exits, null, null, sweep))
  const spanning = new Spanning(graph, exits)
  const links = Array.from({ length: graph.links }, (_, l) => l).filter((l) => spanning.holds(l))
  const routers = Array.from({ length: graph.nodes }, (_, n) => n).filter((n) => !exits.includes(n))
  let [lost, wrong] = [0, 0]
  const each = (slots: readonly number[], fail: (slot: number) => number): number[] =>
    slots.map((slot, i) => {
      spanning.begin()
      const start = performance.now()
      lost += fail(slot)
      const taken = performance.now() - start
      if (i % 500 === 0) wrong += differs(spanning.reached, graphSweep(spanning))
      spanning.undo()
      return taken
    })
  const graphSweep = (s: Spanning): Uint8Array => reachableFrom(graph, exits, s.failedNodes, s.failedLinks, sweep)
  each(links, (l) => spanning.failLink(l))
  lost = 0
  const byLink = each(links, (l) => spanning.failLink(l))
  const byRouter = each(routers, (n) => spanning.failNode(n))
  const roll = dice(seed, "storm")
  const storms = Array.from({ length: 25 }, () => {
    const storm = Array.from({ length: Math.min(1000, graph.links >> 3) }, () => roll.int(0, graph.links - 1))
    spanning.begin()
    const start = performance.now()
    for (const l of storm) lost += spanning.failLink(l)
    const taken = performance.now() - start
    wrong += differs(spanning.reached, graphSweep(spanning))
    spanning.undo()
    return taken
  })
  const figures = {
    bfsUs: 1000 * bfsMs,
    treeLinks: links.length,
    ...microseconds("reachLink", byLink),
    ...microseconds("reachRouter", byRouter),
    storm1000UsP50: 1000 * quantile(storms, 0.5),
    storm1000UsMax: 1000 * quantile(storms, 1),
    reachMismatches: wrong,
  }
  return { figures, outcome: [spanning.reachedCount, links.length, lost] }
}

export const paths = ({ graph, exits }: Known): Measured => {
  const spf = new IncrementalSpf(graph, exits)
  const dijkstraMs = medianMs(11, () => void shortestPaths(graph, exits, spf))
  let [touched, wrong] = [0, 0]
  const fails: number[] = []
  const mends: number[] = []
  const run = (keep: boolean): void => {
    for (let l = 0; l < graph.links; l++) {
      spf.begin()
      const start = performance.now()
      spf.failLink(l)
      const failed = performance.now()
      const count = spf.touchedCount
      if (count === 0) {
        spf.undo()
        continue
      }
      if (keep && l % 500 === 0) wrong += differs(spf.distance, shortestPaths(graph, exits, spf).distance)
      const again = performance.now()
      spf.mendLink(l)
      const mended = performance.now()
      if (keep && l % 500 === 0) wrong += differs(spf.distance, shortestPaths(graph, exits, spf).distance)
      spf.undo()
      if (!keep) continue
      touched += count
      fails.push(failed - start)
      mends.push(mended - again)
    }
  }
  run(false)
  run(true)
  const figures = {
    dijkstraUs: 1000 * dijkstraMs,
    pathLinks: fails.length,
    touchedMean: touched / Math.max(1, fails.length),
    ...microseconds("spfFail", fails),
    ...microseconds("spfMend", mends),
    spfMismatches: wrong,
  }
  const far = spf.distance.reduce((sum, one) => sum + (one < Infinity ? one : 0), 0)
  return { figures, outcome: [fails.length, touched, far] }
}

/** A model, and what it costs to make one. */
export const modelOfKnown = (known: Known): { readonly model: Model; readonly modelMs: number } => ({
  model: makeModel(known),
  modelMs: medianMs(3, () => void makeModel(known)),
})

export const answers = (model: Model, seed: number): Measured => {
  const roll = dice(seed, "answers")
  const asked = Array.from({ length: 60 }, () => roll.int(4, model.graph.nodes - 1))
  let [customers, full] = [0, 0]
  const ask = (router: number): number => {
    const start = performance.now()
    const answer = whatIf(model, [{ kind: "router", router }])
    const taken = performance.now() - start
    customers += answer.customers.count ?? 0
    full += answer.overloaded.length
    return taken
  }
  asked.slice(0, 10).forEach(ask)
  ;[customers, full] = [0, 0]
  const taken = asked.map(ask)
  const rank = (traffic: boolean) => {
    const start = performance.now()
    const cpu = process.cpuUsage()
    const ranking = nextFailures(model, { traffic })
    const { user, system } = process.cpuUsage(cpu)
    return { ranking, cpuSeconds: (user + system) / 1e6, seconds: (performance.now() - start) / 1000 }
  }
  const plain = rank(false)
  const whole = rank(true)
  const figures = {
    whatIfMsP50: quantile(taken, 0.5),
    whatIfMsP99: quantile(taken, 0.99),
    elementsTried: whole.ranking.tried,
    nextFailuresReachCpuSeconds: plain.cpuSeconds,
    nextFailuresCpuSeconds: whole.cpuSeconds,
    nextFailuresSeconds: whole.seconds,
    singlePoints: whole.ranking.single.length,
  }
  const top = whole.ranking.candidates
    .slice(0, 20)
    .map((one) => JSON.stringify([one.element, one.score, one.overloaded]))
  return { figures, outcome: [customers, full, plain.ranking.harmful, whole.ranking.harmful, ...top] }
}

const differs = (one: ArrayLike<number>, other: ArrayLike<number>): number => {
  for (let i = 0; i < one.length; i++) if (one[i] !== other[i]) return 1
  return 0
}
