/**
 * Search over devices, links and sites by any part of a name, without case and accents. An exact start of a name beats a
 * word's start beats anything inside. Linear: 60,000 names take a few milliseconds, and there is no index to keep true.
 */
import { SEARCH_ROWS } from "#client/state/limits.ts"
import { linkTitle, siteOf } from "#client/state/trouble.ts"
import type { TwinState } from "#client/state/twin-store.ts"

export interface Found {
  readonly kind: "device" | "link" | "site"
  readonly slot: number
  readonly id: string
  readonly title: string
  readonly detail: string
}

/** Lower case without accents: "São" is found by "sao". */
export const plain = (text: string): string =>
  text
    .normalize("NFD")
    .replace(/\p{Diacritic}/gu, "")
    .toLowerCase()

export const search = (state: TwinState, query: string): readonly Found[] => {
  const words = plain(query).split(/\s+/).filter(Boolean)
  if (words.length === 0) return []
  const hits: { score: number; found: Found }[] = []
  const offer = (score: number | null, found: () => Found) => {
    if (score !== null) hits.push({ score, found: found() })
  }
  state.sites.name.forEach((title, slot) =>
    offer(score(title, words, 0), () => ({
      kind: "site",
      slot,
      id: state.sites.id[slot] as string,
      title,
      detail: "",
    })),
  )
  state.nodes.name.forEach((title, slot) =>
    offer(score(title, words, 1), () => {
      return { kind: "device", slot, id: state.nodes.id[slot] as string, title, detail: siteOf(state, slot) }
    }),
  )
  if (hits.length < SEARCH_ROWS) {
    state.links.id.forEach((id, slot) => {
      const title = linkTitle(state, slot)
      offer(score(title, words, 2), () => ({ kind: "link", slot, id, title, detail: "" }))
    })
  }
  return hits
    .sort((a, b) => a.score - b.score || (a.found.title < b.found.title ? -1 : 1))
    .slice(0, SEARCH_ROWS)
    .map((hit) => hit.found)
}

/** Lower is better; null = a word is missing. */
const score = (title: string, words: readonly string[], kind: number): number | null => {
  const text = plain(title)
  let sum = kind
  for (const word of words) {
    const at = text.indexOf(word)
    if (at < 0) return null
    sum += at === 0 ? 0 : /[\p{L}\p{N}]/u.test(text[at - 1] ?? "") ? 20 : 10
  }
  return sum + Math.min(9, text.length / 10)
}
