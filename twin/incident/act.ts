/**
 * What people do to an incident. Each is an input of the tenant's journal (twin/input.ts: IncidentInput), so that a replay
 * has the same acknowledgements, notes and confirmed causes at the same instants.
 */
import type { CauseMember, FaultType, Verdict } from "#protocol/incident.ts"

export type IncidentAct =
  | { readonly act: "ack"; readonly untilMs: number }
  | { readonly act: "unack" }
  /** A user's name; null = nobody. */
  | { readonly act: "assign"; readonly user: string | null }
  | { readonly act: "note"; readonly text: string }
  | { readonly act: "escalate"; readonly note: string }
  | { readonly act: "close"; readonly note: string }
  | {
      readonly act: "confirm"
      readonly members: readonly CauseMember[]
      readonly note: string
      /** Of an incident that the twin does not hold any more: what it had said, and the verdict that this one replaces. */
      readonly verdict?: Verdict
      readonly replaces?: Verdict
    }
  /** Of no incident: what confirmations taught of this kind of fault is taken back. */
  | { readonly act: "unlearn"; readonly fault: FaultType }
