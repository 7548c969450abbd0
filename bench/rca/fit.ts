/**
 * Fits the weights of twin/rca/calibration.ts: a logistic regression of "the named class holds a true cause" on what the
 * verdict is made of. Seeds 1 to 18 and topologies of other sizes than any that the benchmark reports; deterministic.
 * `node bench/rca/fit.ts` prints the weights and the fit's own error.
 */
import { FAULT_CLASSES, coverage, incidentAt } from "#bench/rca/incidents.ts"
import { calibrationError, matched } from "#bench/rca/score.ts"
import { CLEAN, NOISY } from "#bench/rca/simulate.ts"
import { FEATURE_NAMES, featureVector, twinMethod } from "#bench/rca/twin.ts"
import { ownWorld } from "#bench/rca/world.ts"

/** Routers, seeds of each, and rounds of the fault classes: big networks are slow, and few of them are needed. */
const SIZES = [
  [60, 5, 12],
  [220, 5, 12],
  [520, 4, 12],
  [2_200, 3, 6],
  [6_000, 1, 5],
] as const

interface Sample {
  readonly x: readonly number[]
  readonly right: boolean
}

const samples = (): readonly Sample[] => {
  const all: Sample[] = []
  let seed = 0
  for (const [size, seeds, rounds] of SIZES)
    for (let n = 0; n < seeds; n++) {
      seed++
      const world = ownWorld(size, seed)
      for (const noise of [CLEAN, NOISY]) {
        const cover = coverage(world, noise, seed)
        let take: ((found: Parameters<Parameters<typeof twinMethod>[2] & object>) => void) | null = null
        const twin = twinMethod(world, cover, (...found) => take?.(found))
        for (let number = 0; number < rounds * FAULT_CLASSES.length; number++) {
          const incident = incidentAt(world, cover, noise, seed, number)
          if (incident === null) continue
          take = ([{ candidates }, roots]) => {
            const right = matched(incident, roots)
            for (const [i, { features }] of candidates.entries())
              all.push({ x: featureVector(features), right: right[i] === true })
          }
          twin(incident.round)
        }
      }
    }
  return all
}

const RIDGE = 1e-3
const STEPS = 4000
const RATE = 0.5

/** Gradient descent on the mean logistic loss: the problem is convex and has seven unknowns. */
const fit = (all: readonly Sample[]): readonly number[] => {
  const weights = FEATURE_NAMES.map(() => 0)
  for (let step = 0; step < STEPS; step++) {
    const gradient = weights.map((weight) => RIDGE * weight)
    for (const { x, right } of all) {
      const error = probability(weights, x) - (right ? 1 : 0)
      for (const [i, value] of x.entries()) gradient[i]! += (error * value) / all.length
    }
    for (const [i, slope] of gradient.entries()) weights[i]! -= RATE * slope
  }
  return weights
}

const probability = (weights: readonly number[], x: readonly number[]): number =>
  1 / (1 + Math.exp(-x.reduce((sum, value, i) => sum + value * (weights[i] as number), 0)))

const all = samples()
const weights = fit(all)
const judged = all.map(({ x, right }) => ({ confidence: probability(weights, x), right }))
console.log(`${all.length} verdicts, ${all.filter(({ right }) => right).length} right`)
console.log(FEATURE_NAMES.map((name, i) => `${name} ${weights[i]?.toFixed(3)}`).join("  "))
console.log(`export const WEIGHTS: readonly number[] = [${weights.map((weight) => weight.toFixed(3)).join(", ")}]`)
console.log(`ECE of the fit itself ${calibrationError(judged).toFixed(4)}`)
for (let from = 0; from < 1; from += 0.1) {
  const bin = judged.filter(({ confidence }) => confidence >= from && confidence < from + 0.1 + 1e-9)
  const right = bin.filter((one) => one.right).length
  console.log(`${from.toFixed(1)}  ${String(bin.length).padStart(6)}  ${(right / Math.max(1, bin.length)).toFixed(3)}`)
}
