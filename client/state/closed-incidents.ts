/**
 * Incidents that are over. They are many, so the engine searches them: by time, cause, severity, whose they are and by
 * text, in pages, newest first. Beside what a text found stays what was read without it, because the engine knows titles in
 * the twin's own words and the reader may type those of their language. Pure but for the asking.
 */
import { call } from "#client/state/api.ts"
import type { Answer } from "#client/state/api.ts"
import type { IncidentFilter } from "#client/state/incident-list.ts"
import { joinPages, LIST_ROWS } from "#client/state/pages.ts"
import type { Page } from "#client/state/pages.ts"
import type { IncidentRow } from "#protocol/incident.ts"

/** Of one page. */
export const CLOSED_ROWS = 500
/** The engine takes no longer text. */
const TEXT_MAX = 200

/** What was asked, and what has come of it so far. */
export interface Shelf {
  readonly question: string
  readonly page: Page<IncidentRow>
}

type Asked = Pick<IncidentFilter, "fromMs" | "toMs" | "cause" | "severity" | "mine">
/** Two filters of one question are the same question. */
export const questionOf = ({ fromMs, toMs, cause, severity, mine }: Asked, text: string): string =>
  JSON.stringify([fromMs, toMs, cause, severity, mine, textOf(text)])

/** "" = no search. */
export const textOf = (text: string): string => text.trim().slice(0, TEXT_MAX)

export const askClosed = (filter: Asked, text: string, cursor?: string): Promise<Answer<Page<IncidentRow>>> => {
  const { fromMs, toMs, cause, severity, mine } = filter
  const q = textOf(text)
  const query = {
    state: "closed" as const,
    limit: CLOSED_ROWS,
    ...(fromMs === null ? {} : { from: fromMs }),
    ...(toMs === null ? {} : { to: toMs }),
    ...(cause === "" ? {} : { cause }),
    ...(severity === "" ? {} : { severity }),
    ...(mine ? { mine: "true" as const } : {}),
    ...(q === "" ? {} : { q }),
    ...(cursor === undefined ? {} : { cursor }),
  }
  return call("incidents.list", { query })
}

const idOf = ({ id }: IncidentRow): string => id

/** The first page read anew: further pages of the same question that somebody had opened stay behind it. */
export const readAnew = (before: Shelf | null, { question, page }: Shelf): Shelf => {
  if (before === null || before.question !== question || page.next === null) return { question, page }
  const longer = before.page.items.length > page.items.length
  return { question, page: joinPages(page, longer ? before.page : { items: [], next: page.next }, idOf) }
}

export const addPage = ({ question, page }: Shelf, more: Page<IncidentRow>): Shelf => ({
  question,
  page: joinPages(page, more, idOf),
})

/** Where reading stopped; null = all of them are here. */
export interface More {
  readonly shown: number
  /** No further page is taken: a filter is the better tool. */
  readonly isFull: boolean
}
export const moreOf = ({ page }: Shelf): More | null => {
  const isFull = page.items.length >= LIST_ROWS
  return page.next === null && !isFull ? null : { shown: page.items.length, isFull }
}

/** Each once, as the first list that has it says. */
export const together = (...lists: readonly (readonly IncidentRow[])[]): readonly IncidentRow[] => {
  const byId = new Map<string, IncidentRow>()
  for (const row of lists.flat()) if (!byId.has(row.id)) byId.set(row.id, row)
  return [...byId.values()]
}
