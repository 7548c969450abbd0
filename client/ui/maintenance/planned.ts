/** One occurrence on the calendar, with the window that it is of. */
import type { Entry } from "#client/state/calendar.ts"
import type { AnswerOf } from "#protocol/rest.ts"
import type { MaintenanceWindow } from "#protocol/rest-generated.ts"

export interface Planned extends Entry {
  readonly window: MaintenanceWindow
}

export const plannedOf = ({ items, windows }: AnswerOf<"maintenance.calendar">): readonly Planned[] => {
  const byId = new Map(windows.map((window) => [window.id, window]))
  return items.flatMap(({ window: id, fromMs, toMs }) => {
    const window = byId.get(id)
    return window === undefined ? [] : [{ id: `${id} ${fromMs}`, fromMs, toMs, window }]
  })
}
