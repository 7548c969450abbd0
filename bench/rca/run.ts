/** One topology under one noise: every method on the same incidents. Timing is wall clock of one evaluation, one thread. */
import { createHash } from "node:crypto"
import type { Incident } from "#bench/rca/incidents.ts"
import { coverage, incidentAt } from "#bench/rca/incidents.ts"
import { BASELINES } from "#bench/rca/methods.ts"
import type { Root } from "#bench/rca/methods.ts"
import { grade, newTally } from "#bench/rca/score.ts"
import type { Tally } from "#bench/rca/score.ts"
import type { Noise } from "#bench/rca/simulate.ts"
import { twinMethod } from "#bench/rca/twin.ts"
import type { Explanation } from "#bench/rca/twin.ts"
import type { World } from "#bench/rca/world.ts"

export const METHODS = [...BASELINES.map(({ name }) => name), "twin"] as const

export interface TopologyRun {
  readonly topology: string
  readonly incidents: number
  readonly tallies: ReadonlyMap<string, Tally>
  /** Equal for equal topology, seed, noise and code; times are not in it. */
  readonly hash: string
}

export type Watch = (incident: Incident, explanation: Explanation, named: readonly Root[]) => void

export const runTopology = (
  world: World,
  noise: Noise,
  seed: number,
  incidents: number,
  watch: Watch = () => {},
): TopologyRun => {
  const cover = coverage(world, noise, seed)
  let explanation: Explanation | null = null
  const twin = twinMethod(world, cover, (one) => (explanation = one))
  const methods = BASELINES.map(({ name, prepare }) => ({ name, answer: prepare(world, cover) }))
  const tallies = new Map<string, Tally>(METHODS.map((name) => [name, newTally()]))
  const hash = createHash("sha256")
  let done = 0
  // A topology without some class of fault offers others instead, up to a bound.
  for (let number = 0; done < incidents && number < 4 * incidents; number++) {
    const incident = incidentAt(world, cover, noise, seed, number)
    if (incident === null) continue
    done++
    for (const { name, answer } of methods) {
      const startedMs = performance.now()
      const roots = answer(incident.round)
      grade(tallies.get(name) as Tally, incident, roots, performance.now() - startedMs)
      hash.update(`${name} ${roots.map(({ element }) => element).join()}\n`)
    }
    const { roots, ms, cpuMs } = twin(incident.round)
    grade(tallies.get("twin") as Tally, incident, roots, ms, cpuMs)
    hash.update(`twin ${roots.map(({ element, confidence }) => `${element} ${confidence?.toFixed(6)}`).join()}\n`)
    if (explanation !== null) watch(incident, explanation, roots)
  }
  return { topology: world.name, incidents: done, tallies, hash: hash.digest("hex").slice(0, 16) }
}
