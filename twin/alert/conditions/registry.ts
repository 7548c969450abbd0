/** Every kind of condition, by its `type`. A new one is one file and one line here (and its shape in protocol/rule.ts). */
import type { Condition, ConditionType } from "#protocol/rule.ts"
import type { ConditionKind } from "#twin/alert/condition.ts"
import { absent } from "#twin/alert/conditions/absent.ts"
import { baseline } from "#twin/alert/conditions/baseline.ts"
import { composite } from "#twin/alert/conditions/composite.ts"
import { consecutive } from "#twin/alert/conditions/consecutive.ts"
import { event } from "#twin/alert/conditions/event.ts"
import { flap } from "#twin/alert/conditions/flap.ts"
import { rateOfChange } from "#twin/alert/conditions/rate-of-change.ts"
import { stateNotIn } from "#twin/alert/conditions/state-not-in.ts"
import { threshold } from "#twin/alert/conditions/threshold.ts"

type Kinds = { readonly [T in ConditionType]: ConditionKind<Extract<Condition, { type: T }>> }

const CONDITIONS: Kinds = {
  threshold,
  state_not_in: stateNotIn,
  consecutive,
  rate_of_change: rateOfChange,
  baseline,
  flap,
  absent,
  event,
  composite,
}
export const CONDITION_TYPES = Object.keys(CONDITIONS) as readonly ConditionType[]

/** The kind of a condition; sound because the table is indexed by the condition's own type. */
export const kindOf = <C extends Condition>(type: C["type"]): ConditionKind<C> =>
  CONDITIONS[type] as unknown as ConditionKind<C>
