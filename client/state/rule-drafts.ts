/**
 * Rules that are being written: each keeps its text and what it was made from, so that looking at another rule loses
 * nothing. They live as long as the page. The oldest of too many leaves.
 */
import { signal } from "@preact/signals"
import { readRuleText, textOf } from "#client/state/rule-text.ts"
import type { RuleText } from "#client/state/rule-text.ts"

export interface Draft {
  readonly text: string
  readonly read: RuleText
  /** The newest JSON that could be read: what the form shows while the text is broken. */
  readonly json: unknown
  /** What the writer believes to change; null = a new rule. */
  readonly etag: string | null
  /** As it was stored when the writing began; null = a new rule. */
  readonly base: unknown
}
/** The key of a rule that has no id yet; no id of a rule looks like it. */
export const NEW = "+new"
const DRAFTS_MAX = 30

export const drafts = signal<ReadonlyMap<string, Draft>>(new Map())

export const setDraft = (key: string, draft: Draft | null): void => {
  const next = new Map(drafts.peek())
  next.delete(key)
  if (draft !== null) next.set(key, draft)
  for (const old of next.keys()) {
    if (next.size <= DRAFTS_MAX) break
    next.delete(old)
  }
  drafts.value = next
}

export const draftOf = (json: unknown, etag: string | null, base: unknown = null): Draft => {
  const text = textOf(json)
  return { text, read: readRuleText(text), json, etag, base }
}
/** The form changed a place: the text follows. */
export const formed = (draft: Draft, json: unknown): Draft => ({ ...draft, ...draftOf(json, draft.etag, draft.base) })
/** Somebody typed: the form follows as soon as it can be read. */
export const typed = (draft: Draft, text: string): Draft => {
  const read = readRuleText(text)
  return { ...draft, text, read, json: read.ok ? read.json : draft.json }
}
export const isChanged = ({ text, base }: Draft): boolean => base === null || text !== textOf(base)
