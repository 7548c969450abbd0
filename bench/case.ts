/**
 * What a benchmark is: a named workload with parameters, a seed and a source tier, that drives Heliograph only through
 * what a user can reach (bytes in, HTTP and WebSocket out) and returns figures. Speed claims live here, never in tests;
 * each case's smallest size runs in the test suite so that it never rots.
 */
export type Parameters = Readonly<Record<string, number>>

/** Where the measured bytes came from: shared notes on the lab, tiers A-E. */
export type Tier = "recording" | "real daemons" | "emulator (ours)"

export interface Case {
  readonly name: string
  /** One line: what is measured, in which unit. */
  readonly about: string
  readonly tier: Tier
  /** Full size, and the size that runs in `npm test`. */
  readonly full: Parameters
  readonly small: Parameters
  /** Parameters that are words: `--graphml FILE`. `json` takes no word and leaves only the last line. */
  readonly flags?: readonly string[]
  readonly run: (parameters: Parameters, report: (line: string) => void, flags?: Flags) => Promise<Result>
}

export type Flags = Readonly<Record<string, string>>

export interface Result {
  /** Figures by name; units close the names. Null = could not be measured here, and why was reported. */
  readonly figures: Readonly<Record<string, number | null>>
  /** What has to be equal in two runs with the same seed: hashed, so that a fast wrong answer shows. */
  readonly outcome: unknown
  /** Printed last, instead of the figures' own JSON, by cases whose last line others agreed on. */
  readonly lines?: readonly string[]
}
