/**
 * How a declared service does (PRODUCT.md W7): one word, why, and since when. What was declared stands in structure.ts; the
 * twin judges it (twin/service), from probes first, and REST and screens show it.
 */
export const SERVICE_HEALTH = ["up", "degraded", "down", "unknown"] as const
export type ServiceHealth = (typeof SERVICE_HEALTH)[number]

/** One piece of why. */
export interface ServiceReason {
  /** One sentence of protocol/phrases/service.ts. */
  readonly text: string
  /** It speaks against the service; else it only says what is known. */
  readonly isFault: boolean
  /** Where it shows; "" = nowhere in particular. */
  readonly kind: "device" | "link" | "provider" | ""
  readonly id: string
}

/**
 * What is behind a transit that does not do its work. `out` = its eBGP is down, we are well, and public targets are lost from
 * several sites; `session` = the same, and they still answer (another way is there) or nobody watches any; `beyond` = its
 * eBGP is up and public targets are lost all the same; `inside` = it is our own network.
 */
export const TRANSIT_VERDICTS = ["out", "session", "beyond", "inside"] as const
export type TransitVerdict = (typeof TRANSIT_VERDICTS)[number]

export interface ServiceCondition {
  readonly health: ServiceHealth
  /** Of this health. */
  readonly sinceMs: number
  /** When it was last judged. */
  readonly atMs: number
  /** One sentence: what is the matter; "" = nothing is. */
  readonly words: string
  /** Worst first, at most SERVICE_REASONS_MAX. */
  readonly reasons: readonly ServiceReason[]
  /** Of a transit only. */
  readonly transit: { readonly verdict: TransitVerdict; readonly confidence: number } | null
}

export const SERVICE_REASONS_MAX = 16
