/**
 * Patterns over text that attackers may write: a glob, or a regular expression of RE2 (regex.ts). In a glob `*` stands for any
 * run of characters, `?` for one, everything else for itself, and case is ignored; matching takes at most pattern x text
 * steps whatever either of them is, because only the last `*` is ever tried again.
 */
import type { TextPattern } from "#protocol/rule.ts"
import { regexFinds } from "#twin/alert/regex.ts"

/** Characters of a pattern. */
export const PATTERN_MAX = 200
/** Characters of a text that are looked at. */
export const TEXT_MAX = 2048

export const patternMatches = (pattern: TextPattern, text: string): boolean =>
  typeof pattern === "string" ? globMatches(pattern, text) : regexFinds(pattern.re2, text.slice(0, TEXT_MAX))

export const globMatches = (pattern: string, text: string): boolean => {
  const p = pattern.toLowerCase()
  const t = text.slice(0, TEXT_MAX).toLowerCase()
  let inPattern = 0
  let inText = 0
  let star = -1
  let resume = 0
  while (inText < t.length) {
    const want = p[inPattern]
    if (want === "*") {
      star = inPattern++
      resume = inText
    } else if (want === "?" || (want !== undefined && want === t[inText])) {
      inPattern++
      inText++
    } else if (star >= 0) {
      inPattern = star + 1
      inText = ++resume
    } else return false
  }
  while (p[inPattern] === "*") inPattern++
  return inPattern === p.length
}
