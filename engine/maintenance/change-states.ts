/**
 * The life of a change (PRODUCT.md: Change), as a total table: what each state may become.
 *
 *   planned --begin--> in_progress --complete--> completed
 *      |                    |
 *      +------cancel--------+----------cancel--> canceled
 *
 * A change silences only while it is in progress, from the moment at which somebody began it until somebody ends it, and
 * no longer than its planned end: work that was put off must not hide an outage, nor work that takes longer than it was
 * said to. Whoever wants silence by the clock plans a maintenance window.
 */
import type { ChangeState } from "#protocol/maintenance.ts"

export const MAY_BECOME: Readonly<Record<ChangeState, Readonly<Record<ChangeState, boolean>>>> = {
  planned: { planned: false, in_progress: true, completed: false, canceled: true },
  in_progress: { planned: false, in_progress: false, completed: true, canceled: true },
  completed: { planned: false, in_progress: false, completed: false, canceled: false },
  canceled: { planned: false, in_progress: false, completed: false, canceled: false },
}
