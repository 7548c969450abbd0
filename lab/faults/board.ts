/** What is broken now: strikes and heals faults by their verbs and remembers which are on. */
import type { Fault, FaultKind } from "#lab/faults/fault.ts"
import { FaultRefused, suggestion } from "#lab/faults/names.ts"
import { FAULTS } from "#lab/faults/registry.ts"
import type { Network } from "#lab/isp/network.ts"

export interface ActiveFault {
  readonly kind: string
  readonly undo: string
  readonly text: string
  readonly sinceMs: number
}
/** `atMs` is the moment at which the network changed, and at which the first traps left. */
export interface Applied {
  readonly atMs: number
  readonly text: string
}

/** Heals everything. */
export const RESTORE = "restore"

interface Entry extends ActiveFault {
  readonly fault: Fault
}

export class FaultBoard {
  private readonly network: Network
  private readonly entries = new Map<string, Entry>()

  constructor(network: Network) {
    this.network = network
  }

  active(): readonly ActiveFault[] {
    return [...this.entries.values()].map(({ kind, undo, text, sinceMs }) => ({ kind, undo, text, sinceMs }))
  }

  /** Throws FaultRefused, in words for a person, when the verb or its arguments make no sense here. */
  apply(verb: string, args: readonly string[]): Applied {
    if (verb === RESTORE) return this.restore()
    const struck = FAULTS.find((kind) => kind.kind === verb)
    if (struck !== undefined) return this.strike(struck, args)
    const healed = FAULTS.find((kind) => kind.undo === verb)
    if (healed !== undefined) return this.heal(healed, args)
    const verbs = FAULTS.flatMap(({ kind, undo }) => (undo === null ? [kind] : [kind, undo]))
    throw new FaultRefused(
      `there is no fault "${verb}"${suggestion(verb, verbs)} (known: ${[...verbs, RESTORE].join(", ")})`,
    )
  }

  private strike(kind: FaultKind, args: readonly string[]): Applied {
    const fault = readFault(kind, this.network, args)
    const name = `${kind.kind} ${fault.key}`
    // A second strike replaces the first: another period, another factor.
    this.entries.get(name)?.fault.heal()
    const atMs = this.network.nowMs
    fault.strike()
    if (kind.undo !== null)
      this.entries.set(name, { kind: kind.kind, undo: kind.undo, text: fault.text, sinceMs: atMs, fault })
    return { atMs, text: fault.text }
  }

  private heal(kind: FaultKind, args: readonly string[]): Applied {
    const fault = readFault(kind, this.network, args)
    const name = `${kind.kind} ${fault.key}`
    const entry = this.entries.get(name)
    if (entry === undefined)
      throw new FaultRefused(`nothing to ${kind.undo}: "${kind.kind}" is not on for ${fault.text}`)
    this.entries.delete(name)
    const atMs = this.network.nowMs
    entry.fault.heal()
    return { atMs, text: entry.text }
  }

  private restore(): Applied {
    const atMs = this.network.nowMs
    const entries = [...this.entries.values()]
    this.entries.clear()
    for (const { fault } of entries) fault.heal()
    return { atMs, text: `${entries.length} ${entries.length === 1 ? "fault" : "faults"} healed` }
  }
}

const readFault = (kind: FaultKind, network: Network, args: readonly string[]): Fault => {
  const most = kind.usage.split(" ").length
  const least = kind.usage.split(" ").filter((word) => !word.startsWith("[")).length
  if (args.length < least || args.length > most)
    throw new FaultRefused(`usage: ${kind.kind}${kind.undo === null ? "" : `|${kind.undo}`} ${kind.usage}`)
  return kind.read(network, args)
}
