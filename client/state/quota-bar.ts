/** How full a quota is, for its bar: calm, warned from 80 %, full at its limit (PRODUCT.md T5). */
import type { Quota } from "#protocol/rest-generated.ts"

export const WARN_SHARE = 0.8

export interface Fill {
  /** 0..1, cut at 1; null = nobody counts the use of this one. */
  readonly share: number | null
  readonly level: "calm" | "warned" | "full"
}
export const fillOf = ({ used, limit }: Pick<Quota, "used" | "limit">): Fill => {
  if (used === null) return { share: null, level: "calm" }
  if (limit <= 0) return { share: 1, level: "full" }
  const share = Math.min(1, Math.max(0, used / limit))
  return { share, level: used >= limit ? "full" : share >= WARN_SHARE ? "warned" : "calm" }
}

/** The fullest first, then what was refused most, then by name: what needs somebody is on top. */
export const byNeed = (quotas: readonly Quota[]): readonly Quota[] =>
  [...quotas].sort(
    (a, b) =>
      (fillOf(b).share ?? -1) - (fillOf(a).share ?? -1) || b.exceeded - a.exceeded || (a.name < b.name ? -1 : 1),
  )
