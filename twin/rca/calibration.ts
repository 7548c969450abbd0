/**
 * What a verdict's confidence means: of the verdicts that were given with confidence c, a share of c was right. Fitted on
 * benchmark incidents whose seeds and topologies are never reported; `node bench/rca/fit.ts` makes the numbers below anew.
 */

export interface Features {
  /** Log-odds against the best explanation without it. */
  readonly margin: number
  /** Expected alarms that came, and expected alarms that should be in and are not. */
  readonly explained: number
  readonly absent: number
  /** Causes that cannot be told apart. */
  readonly members: number
  /** Alarms that another cause of the same verdict expects, too. */
  readonly shared: number
}

export const FEATURE_NAMES = ["constant", "margin", "slim", "explained", "absent", "members", "shared"] as const

/** Bounded, so that no storm makes anything certain. */
export const featureVector = ({ margin, explained, absent, members, shared }: Features): readonly number[] => [
  1,
  Math.min(Math.max(margin, 0), 12) / 4,
  Math.max(4 - Math.max(margin, 0), 0) / 4,
  Math.min(Math.log1p(explained), 3),
  absent / (explained + absent + 1),
  Math.log(members),
  shared / (explained + 1),
]

/** Seeds 1-18, own topologies of 60 to 6,000 routers, clean and noisy: 4,862 verdicts, 98.7 % of them right. */
export const WEIGHTS: readonly number[] = [2.295, 1.233, -0.339, -0.399, 0.76, -1.214, -0.087]

export const confidenceOf = (features: Features): number => {
  const x = featureVector(features)
  let z = 0
  for (let i = 0; i < x.length; i++) z += (WEIGHTS[i] as number) * (x[i] as number)
  return 1 / (1 + Math.exp(-z))
}
