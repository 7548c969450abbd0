/** The passing of time in judgement: whatever waited for an instant is judged at that instant, in order, entity by entity. */
import type { Draft } from "#twin/alert/draft.ts"
import { judgeDue } from "#twin/alert/judge.ts"
import type { EntityState } from "#twin/alert/state.ts"

/** Fires everything that is due up to `untilMs`, each at its own time. */
export const advanceTo = (draft: Draft, untilMs: number): void => {
  while (draft.dueMs <= untilMs) {
    const nowMs = Math.max(draft.clockMs, draft.dueMs)
    draft.clockMs = nowMs
    draft.endSuppressions()
    let next = draft.suppressionDueMs()
    for (let index = 0; index < draft.entities.length; index++) {
      if ((draft.entities[index] as EntityState).dueMs <= nowMs) {
        draft.own(index).dueMs = Number.POSITIVE_INFINITY
        judgeDue(draft, index)
      }
      next = Math.min(next, (draft.entities[index] as EntityState).dueMs)
    }
    draft.dueMs = next
  }
  if (untilMs > draft.clockMs) draft.clockMs = untilMs
}

/** What was due earlier is judged without the samples of `atMs`; what is due at that very instant, with them. */
export const arriveAt = (draft: Draft, atMs: number): void => {
  advanceTo(draft, atMs - 1)
  if (atMs > draft.clockMs) draft.clockMs = atMs
}
