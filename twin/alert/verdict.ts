/** What judgement says when an alert changes or people are told of it: plain data, with the whole "why". */
import type { AlertSeverity } from "#protocol/rule.ts"
import type { HeldBack, Notice } from "#twin/alert/alert.ts"
import type { Explanation } from "#twin/alert/explain.ts"
import type { AlertSignal, AlertState } from "#twin/alert/lifecycle.ts"
import type { OpenReceipt } from "#twin/alert/receipt.ts"

export interface Verdict {
  readonly atMs: number
  readonly rule: string
  /** Hash of the rule's content. */
  readonly version: string
  readonly device: string
  /** "" = the device itself. */
  readonly entity: string
  readonly from: AlertState
  readonly to: AlertState
  /** null = nothing moved it: a suppression, an acknowledgement or a cooldown ended. */
  readonly signal: AlertSignal | null
  readonly severity: AlertSeverity
  /** What people are to be told now; null = nothing. */
  readonly notice: Notice | null
  /** Why they are not told, when it fires. */
  readonly heldBack: HeldBack | null
  readonly summary: string
  readonly explanation: Explanation
  /** Everything that it was decided by, for whoever checks it. */
  readonly receipt: OpenReceipt
}
