/** What people and the twin's other parts tell an alert: suppress, lift, acknowledge. All of them are inputs, so they replay. */
import type { EntityKey } from "#protocol/id.ts"
import type { Ack } from "#twin/alert/alert.ts"
import { isLit } from "#twin/alert/alert.ts"
import { advanceTo } from "#twin/alert/clock.ts"
import type { Draft } from "#twin/alert/draft.ts"
import { conclude } from "#twin/alert/judge.ts"
import type { KindPlan } from "#twin/alert/plan.ts"
import type { Suppression } from "#twin/alert/suppression.ts"
import { SUPPRESSIONS_MAX } from "#twin/alert/suppression.ts"

interface SuppressCommand {
  readonly kind: "suppress"
  readonly atMs: number
  /** Replaces one of the same id. */
  readonly suppression: Suppression
}
interface LiftCommand {
  readonly kind: "lift"
  readonly atMs: number
  readonly id: string
}
interface AckCommand {
  readonly kind: "ack"
  readonly atMs: number
  readonly rule: string
  readonly entity: EntityKey
  readonly by: string
  readonly untilMs: number
}
interface UnackCommand {
  readonly kind: "unack"
  readonly atMs: number
  readonly rule: string
  readonly entity: EntityKey
}
export type AlertCommand = SuppressCommand | LiftCommand | AckCommand | UnackCommand

export const suppressed = (draft: Draft, { atMs, suppression }: SuppressCommand): void => {
  advanceTo(draft, atMs)
  const others = draft.suppressions.filter(({ id }) => id !== suppression.id)
  if (others.length >= SUPPRESSIONS_MAX) {
    draft.refused++
    return
  }
  draft.keepSuppressions([...others, suppression])
}

export const lifted = (draft: Draft, { atMs, id }: LiftCommand): void => {
  advanceTo(draft, atMs)
  draft.keepSuppressions(draft.suppressions.filter((one) => one.id !== id))
}

/** Only what fires can be acknowledged; anything else is left alone. */
export const acknowledged = (draft: Draft, command: AckCommand | UnackCommand): void => {
  advanceTo(draft, command.atMs)
  const index = draft.keys.indexOf(command.entity)
  if (index < 0) return
  const position = (draft.kinds[index] as KindPlan).rules.findIndex(({ rule }) => rule.id === command.rule)
  const alert = position < 0 ? null : draft.alertOf(index, position)
  if (alert === null || !isLit(alert.state)) return
  const ack: Ack | null =
    command.kind === "ack" ? { by: command.by, atMs: draft.clockMs, untilMs: command.untilMs } : null
  const owed = alert.owed || (ack === null && alert.ack !== null)
  conclude(draft, index, position, alert, { ...alert, ack, owed }, null)
}
