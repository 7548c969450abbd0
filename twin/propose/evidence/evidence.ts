/** What one kind of evidence is: a reading of what all devices say, as hints that two interfaces are joined by a link. */
import type { Said } from "#twin/propose/said.ts"
import type { Who } from "#twin/propose/who.ts"

export interface HintEnd {
  readonly device: string
  /** ifName; null = the evidence does not say. */
  readonly interface: string | null
}

export interface Hint {
  readonly kind: string
  readonly a: HintEnd
  readonly b: HintEnd
  /** How likely a physical link is, given this and nothing else, 0..1. */
  readonly weight: number
  /** One sentence, with names that an operator knows. */
  readonly text: string
}

/** All that is known at once. `said` is in the order of the inventory. */
export interface Surroundings {
  readonly said: readonly Said[]
  readonly who: Who
}

export interface EvidenceKind {
  readonly kind: string
  readonly hints: (surroundings: Surroundings) => readonly Hint[]
}

/** What speaks for any link between two devices that something else suggests already: never a reason of its own. */
export interface SupportKind {
  readonly kind: string
  /** Null = nothing. */
  readonly support: (a: Said, b: Said) => { readonly weight: number; readonly text: string } | null
}

/** The one port below a logical interface (VLAN, bond of one); itself when nothing lies below, null when several do. */
export const portBelow = (said: Said, ifName: string): string | null => {
  let name = ifName
  for (let depth = 0; depth < 8; depth++) {
    const below = said.lower.get(name)
    if (below === undefined || below.length === 0) return name
    if (below.length > 1) return null
    name = below[0] as string
  }
  return null
}
