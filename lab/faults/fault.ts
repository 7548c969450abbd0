/** What a kind of fault is: one file in this folder, one line in registry.ts. */
import type { Network } from "#lab/isp/network.ts"

export interface FaultKind {
  /** The verb that strikes. */
  readonly kind: string
  /** The verb that heals, or null for a fault that passes by itself. */
  readonly undo: string | null
  /** Arguments, as help shows them: capitals are names, brackets are optional. */
  readonly usage: string
  readonly about: string
  /** Understands the arguments, without touching anything. Throws FaultRefused. */
  readonly read: (network: Network, args: readonly string[]) => Fault
}

export interface Fault {
  /** The same subject gives the same key: striking twice is one fault, healing finds it. */
  readonly key: string
  /** For people: what is broken. */
  readonly text: string
  readonly strike: () => void
  readonly heal: () => void
}
