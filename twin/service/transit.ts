/**
 * The verdict on one transit, from three readings (PRODUCT.md W7): its eBGP, our own network up to it, and whether public
 * targets answer from our sites. A total table, so that no combination is left to chance; a fault of our own always stays
 * ours, and what several sites lose while its eBGP stands is beyond us, with less confidence.
 */
import type { ServiceHealth, TransitVerdict } from "#protocol/service.ts"

/** Of all places where we meet it; `part` = some of them are down. */
export const EBGP = ["up", "part", "down", "unknown"] as const
export type Ebgp = (typeof EBGP)[number]
/** `broken` = whatever is lost is lost by us: an edge of ours is dead, its port shut, or the sites have no way to an edge. */
export const INSIDE = ["ok", "broken"] as const
export type Inside = (typeof INSIDE)[number]
/** `lost` = from two sites and more, or from all that watch; `part` = from one of several. */
export const TARGETS = ["ok", "part", "lost", "unknown"] as const
export type Targets = (typeof TARGETS)[number]

export interface TransitFinding {
  readonly health: ServiceHealth
  /** Null = nothing is the matter, or nothing is known. */
  readonly verdict: TransitVerdict | null
  readonly confidence: number
}

const found = (health: ServiceHealth, verdict: TransitVerdict | null = null, confidence = 0): TransitFinding => ({
  health,
  verdict,
  confidence,
})

/** Sites that must lose public targets before it is called an outage; fewer only where fewer watch. */
export const SITES_MIN = 2

const OUTSIDE_TABLE: Readonly<Record<Ebgp, Readonly<Record<Targets, TransitFinding>>>> = {
  up: {
    ok: found("up"),
    part: found("up"),
    lost: found("degraded", "beyond", 0.6),
    unknown: found("up"),
  },
  part: {
    ok: found("degraded"),
    part: found("degraded"),
    lost: found("degraded", "beyond", 0.7),
    unknown: found("degraded"),
  },
  down: {
    ok: found("down", "session", 0.85),
    part: found("down", "session", 0.85),
    lost: found("down", "out", 0.95),
    unknown: found("down", "session", 0.8),
  },
  unknown: {
    ok: found("unknown"),
    part: found("unknown"),
    lost: found("degraded", "beyond", 0.4),
    unknown: found("unknown"),
  },
}

const BROKEN_TABLE: Readonly<Record<Ebgp, Readonly<Record<Targets, TransitFinding>>>> = {
  up: {
    ok: found("up"),
    part: found("degraded", "inside", 0.7),
    lost: found("degraded", "inside", 0.8),
    unknown: found("up"),
  },
  part: {
    ok: found("degraded", "inside", 0.9),
    part: found("degraded", "inside", 0.9),
    lost: found("degraded", "inside", 0.9),
    unknown: found("degraded", "inside", 0.9),
  },
  down: {
    ok: found("down", "inside", 0.9),
    part: found("down", "inside", 0.9),
    lost: found("down", "inside", 0.9),
    unknown: found("down", "inside", 0.9),
  },
  unknown: {
    ok: found("unknown"),
    part: found("unknown"),
    lost: found("degraded", "inside", 0.6),
    unknown: found("unknown"),
  },
}

const TABLE: Readonly<Record<Inside, typeof OUTSIDE_TABLE>> = { ok: OUTSIDE_TABLE, broken: BROKEN_TABLE }

/** `transits` = how many of ours are up: what is lost beyond them may be any one's, so each is blamed with its share. */
export const transitFinding = (ebgp: Ebgp, inside: Inside, targets: Targets, transits = 1): TransitFinding => {
  const { health, verdict, confidence } = TABLE[inside][ebgp][targets]
  return { health, verdict, confidence: verdict === "beyond" ? confidence / Math.max(1, transits) : confidence }
}

export const ebgpOf = (up: number, down: number): Ebgp =>
  down === 0 ? (up === 0 ? "unknown" : "up") : up === 0 ? "down" : "part"

/** `lost` of the `watching` sites that have a way to an edge of ours. */
export const targetsOf = (lost: number, watching: number): Targets => {
  if (watching === 0) return "unknown"
  if (lost === 0) return "ok"
  return lost >= Math.min(SITES_MIN, watching) ? "lost" : "part"
}
