/** A long list, page by page: the first page replaces, each further one is added; a row that comes twice stays once. */
import type { Answer } from "#client/state/api.ts"

export interface Page<T> {
  readonly items: readonly T[]
  /** Cursor of the page that follows; null = this was the last. */
  readonly next: string | null
}

/** Rows that one list keeps in the page; beyond it a filter is the better tool. */
export const LIST_ROWS = 5_000

export const joinPages = <T>(before: Page<T>, after: Page<T>, idOf: (row: T) => string): Page<T> => {
  const known = new Set(before.items.map(idOf))
  const items = [...before.items, ...after.items.filter((row) => !known.has(idOf(row)))]
  return { items: items.slice(0, LIST_ROWS), next: items.length >= LIST_ROWS ? null : after.next }
}

/** All pages one after the other, up to LIST_ROWS: for pickers, where half a list would mislead. */
export const allPages = async <T>(
  ask: (cursor: string | undefined) => Promise<Answer<Page<T>>>,
): Promise<Answer<readonly T[]>> => {
  const items: T[] = []
  let cursor: string | undefined
  for (;;) {
    const answer = await ask(cursor)
    if (!answer.ok) return answer
    items.push(...answer.value.items)
    if (answer.value.next === null || answer.value.items.length === 0 || items.length >= LIST_ROWS) {
      return { ok: true, value: items.slice(0, LIST_ROWS), etag: null }
    }
    cursor = answer.value.next
  }
}
