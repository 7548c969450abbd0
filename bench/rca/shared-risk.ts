/**
 * The shared-risk workload of the papers: 1,000 routers, one alarm a link, risk groups of links that fail together, one to
 * five groups broken, 10 % of the alarms lost and 0.05 % false. SCORE (Kompella et al., NSDI 2005) and MAP (greedy, pruned,
 * told the true rates) beside the twin, which may probe what it is unsure of. Counted is the exact set of groups.
 */
import { createHash } from "node:crypto"
import { dice } from "#lab/isp/random.ts"
import { sharedRiskSolver } from "#bench/rca/shared-risk-twin.ts"
import { ownWorld } from "#bench/rca/world.ts"
import type { World } from "#bench/rca/world.ts"
import { quantile, round } from "#bench/statistics.ts"

const LOSS = 0.1
const SPURIOUS = 0.0005
const ROUTERS = 1_000
const MOST_FAULTS = 5

export const SHARED_RISK_METHODS = ["score", "map", "twin_passive", "twin_probing"] as const
export type SharedRiskMethod = (typeof SHARED_RISK_METHODS)[number]

export interface SharedRiskResult {
  readonly exact: Readonly<Record<SharedRiskMethod, number>>
  /** Of the twin, all probes and re-evaluations of one incident together. */
  readonly usP50: number
  readonly usP95: number
  readonly probesPerIncident: number
  readonly hash: string
}

/** Groups of at least two links: routers, sites, ducts. Equal sets are one group: nothing could tell them apart. */
export const riskGroups = (world: World): ReadonlyArray<readonly number[]> => {
  const sets = new Map<string, readonly number[]>()
  const put = (links: Iterable<number>): void => {
    const sorted = [...new Set(links)].sort((x, y) => x - y)
    if (sorted.length >= 2) sets.set(sorted.join(), sorted)
  }
  for (const links of world.around) put(links)
  for (const site of world.sites.keys())
    put(world.nodes.flatMap((node, n) => (node.site === site ? (world.around[n] ?? []) : [])))
  for (const links of world.groups) put(links)
  return [...sets.values()]
}

export const sharedRisk = (seed: number, incidents: number, report: (line: string) => void): SharedRiskResult => {
  const world = ownWorld(ROUTERS, seed)
  const groups = riskGroups(world)
  const solve = sharedRiskSolver(world.links.length, groups)
  const exact: Record<SharedRiskMethod, number> = { score: 0, map: 0, twin_passive: 0, twin_probing: 0 }
  const us: number[] = []
  let probes = 0
  let total = 0
  const hash = createHash("sha256")
  for (let faults = 1; faults <= MOST_FAULTS; faults++) {
    const row: Record<SharedRiskMethod, number> = { score: 0, map: 0, twin_passive: 0, twin_probing: 0 }
    for (let number = 0; number < incidents; number++) {
      const draw = dice(seed, `shared risk ${faults} ${number}`)
      const truth = new Set<number>()
      while (truth.size < faults) truth.add(draw.int(0, groups.length - 1))
      const down = new Set([...truth].flatMap((g) => [...(groups[g] ?? [])]))
      const alarms = new Set<number>()
      for (let l = 0; l < world.links.length; l++) if (draw.chance(down.has(l) ? 1 - LOSS : SPURIOUS)) alarms.add(l)
      const startedMs = performance.now()
      const twin = solve(alarms, (link) => down.has(link))
      us.push((performance.now() - startedMs) * 1000)
      probes += twin.probes
      const answers: Readonly<Record<SharedRiskMethod, ReadonlySet<number>>> = {
        score: score(groups, alarms),
        map: map(groups, alarms),
        twin_passive: twin.passive,
        twin_probing: twin.probing,
      }
      total++
      for (const method of SHARED_RISK_METHODS) {
        const right = same(answers[method], truth)
        row[method] += right ? 1 : 0
        hash.update(`${method} ${[...answers[method]].join()}\n`)
      }
    }
    report(
      `shared risk, ${faults} of ${groups.length} groups broken: ${SHARED_RISK_METHODS.map((method) => `${method} ${(row[method] / incidents).toFixed(2)}`).join("  ")}`,
    )
    for (const method of SHARED_RISK_METHODS) exact[method] += row[method]
  }
  for (const method of SHARED_RISK_METHODS) exact[method] /= total
  const result = { usP50: round(quantile(us, 0.5), 0), usP95: round(quantile(us, 0.95), 0) }
  report(
    `shared risk: twin ${result.usP50} / ${result.usP95} us p50 / p95 with ${round(probes / total)} probes an incident`,
  )
  return { exact, ...result, probesPerIncident: probes / total, hash: hash.digest("hex").slice(0, 16) }
}

const same = (x: ReadonlySet<number>, y: ReadonlySet<number>): boolean =>
  x.size === y.size && [...x].every((one) => y.has(one))

const groupsOfLinks = (groups: ReadonlyArray<readonly number[]>): ReadonlyMap<number, readonly number[]> => {
  const index = new Map<number, number[]>()
  for (const [g, links] of groups.entries())
    for (const l of links) {
      const list = index.get(l)
      if (list === undefined) index.set(l, [g])
      else list.push(g)
    }
  return index
}

/**
 * Greedy by hit ratio, then coverage, among groups whose hit ratio reaches the threshold; the threshold that gives the
 * least cost (roots plus unexplained alarms) among 1.0 to 0.5, as the paper's own automatic choice.
 */
const score = (groups: ReadonlyArray<readonly number[]>, alarms: ReadonlySet<number>): ReadonlySet<number> => {
  let best = new Set<number>()
  let bestCost = Number.POSITIVE_INFINITY
  for (const threshold of [1, 0.9, 0.8, 0.7, 0.6, 0.5]) {
    const rest = new Set(alarms)
    const found = new Set<number>()
    while (rest.size > 0) {
      let pick = -1
      let pickCover = 0
      for (const [g, links] of groups.entries()) {
        const hit = links.filter((l) => alarms.has(l)).length / links.length
        const cover = links.filter((l) => rest.has(l)).length
        if (hit >= threshold && cover > pickCover) [pick, pickCover] = [g, cover]
      }
      if (pick < 0) break
      found.add(pick)
      for (const l of groups[pick] ?? []) rest.delete(l)
    }
    const cost = found.size + rest.size
    if (cost < bestCost) [best, bestCost] = [found, cost]
  }
  return best
}

/** Maximum a posteriori with the true rates: greedy additions while the posterior grows, then needless ones dropped. */
const map = (groups: ReadonlyArray<readonly number[]>, alarms: ReadonlySet<number>): ReadonlySet<number> => {
  const index = groupsOfLinks(groups)
  const prior = Math.log(3 / groups.length)
  const gainOf = (chosen: ReadonlySet<number>, g: number): number => {
    let gain = prior
    for (const l of groups[g] ?? []) {
      if ((index.get(l) ?? []).some((other) => other !== g && chosen.has(other))) continue
      gain += alarms.has(l) ? Math.log((1 - LOSS) / SPURIOUS) : Math.log(LOSS / (1 - SPURIOUS))
    }
    return gain
  }
  const chosen = new Set<number>()
  const candidates = new Set([...alarms].flatMap((l) => [...(index.get(l) ?? [])]))
  for (;;) {
    let pick = -1
    let pickGain = 0
    for (const g of candidates) {
      if (chosen.has(g)) continue
      const gain = gainOf(chosen, g)
      if (gain > pickGain) [pick, pickGain] = [g, gain]
    }
    if (pick < 0) break
    chosen.add(pick)
  }
  for (const g of chosen) if (gainOf(chosen, g) < 0) chosen.delete(g)
  return chosen
}
