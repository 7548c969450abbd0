/**
 * What a sentence from a router means: its reply word, tag and attributes. Attributes live in a Map, because their
 * names come from the device (`=constructor=x` must be a name like any other). Words that are neither are kept apart:
 * `!fatal` carries its reason as one.
 */
import type { Sentence } from "#engine/collectors/routeros/words.ts"

export type Row = ReadonlyMap<string, string>

export interface Reply {
  /** `!re`, `!done`, `!trap`, `!fatal`, `!empty`, or whatever a newer router may say. */
  readonly word: string
  readonly tag: string | null
  readonly attributes: Row
  /** First word that is no attribute, e.g. the reason of `!fatal`. */
  readonly text: string | null
}

export const parseReply = (sentence: Sentence): Reply => {
  const attributes = new Map<string, string>()
  let tag: string | null = null
  let text: string | null = null
  for (let i = 1; i < sentence.length; i++) {
    const word = sentence[i] as string
    if (word.startsWith(".tag=")) tag = word.slice(5)
    else if (word.startsWith("=")) {
      // A name may not be empty, so the separator is the first "=" from the third character on.
      const separator = word.indexOf("=", 2)
      if (separator > 0) attributes.set(word.slice(1, separator), word.slice(separator + 1))
      else attributes.set(word.slice(1), "")
    } else text ??= word
  }
  return { word: sentence[0] ?? "", tag, attributes, text }
}
