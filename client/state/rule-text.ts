/**
 * The text side of the rule editor: JSON as people type it, where it breaks, and on which line a path of the engine's
 * check stands (`condition.conditions[1].metric`). Pure.
 */
export type RuleText =
  | { readonly ok: true; readonly json: unknown }
  | { readonly ok: false; readonly line: number; readonly column: number }

/** Longest text that the editor takes: the engine's rules are far below it. */
export const RULE_TEXT_MAX = 200_000

export const textOf = (json: unknown): string => JSON.stringify(json, null, 2)

/** Where it breaks is found by our own reading: browsers word their message each in its way. */
export const readRuleText = (text: string): RuleText => {
  try {
    return { ok: true, json: JSON.parse(text) as unknown }
  } catch {
    const broken = scan(text.slice(0, RULE_TEXT_MAX)).brokenAt ?? text.length
    const before = text.slice(0, broken)
    const line = before.split("\n").length
    return { ok: false, line, column: broken - before.lastIndexOf("\n") }
  }
}

/** The line (from 1) of each path; of a value it is where its key stands. The whole text is "". */
export const linesOf = (text: string): ReadonlyMap<string, number> => scan(text.slice(0, RULE_TEXT_MAX)).lines

/** The line of a path, or of the nearest thing around it: a missing key has no line of its own. */
export const lineOf = (lines: ReadonlyMap<string, number>, path: string): number => {
  let at = path
  while (at !== "" && !lines.has(at)) at = at.replace(/(?:\.?[^.[\]]+|\[\d+\])$/, "")
  return lines.get(at) ?? 1
}

interface Scan {
  readonly lines: Map<string, number>
  brokenAt: number | null
}

/** A small reader of JSON that only remembers where things stand. Depth is bounded by the text's own length and LEVELS. */
const scan = (text: string): Scan => {
  const result: Scan = { lines: new Map(), brokenAt: null }
  let at = 0
  let line = 1
  const fail = (): false => {
    result.brokenAt ??= at
    return false
  }
  const skip = (): void => {
    for (; at < text.length; at++) {
      const char = text[at]
      if (char === "\n") line++
      else if (char !== " " && char !== "\t" && char !== "\r") return
    }
  }
  const take = (pattern: RegExp): string | null => {
    pattern.lastIndex = at
    const found = pattern.exec(text)?.[0] ?? null
    if (found !== null) at += found.length
    return found
  }
  const list = (close: string, level: number, entry: (nth: number) => boolean): boolean => {
    at++
    skip()
    if (text[at] === close) return (at++, true)
    for (let nth = 0; ; nth++) {
      skip()
      if (level > LEVELS || !entry(nth)) return fail()
      skip()
      if (text[at] === close) return (at++, true)
      if (text[at] !== ",") return fail()
      at++
    }
  }
  const member = (path: string, level: number): boolean => {
    const here = line
    const quoted = take(STRING)
    if (quoted === null) return fail()
    const key = keyOf(quoted)
    const inner = path === "" ? key : `${path}.${key}`
    result.lines.set(inner, here)
    skip()
    if (text[at] !== ":") return fail()
    at++
    skip()
    return value(inner, level + 1)
  }
  const value = (path: string, level: number): boolean => {
    if (!result.lines.has(path)) result.lines.set(path, line)
    if (text[at] === "{") return list("}", level, () => member(path, level))
    if (text[at] === "[") return list("]", level, (nth) => value(`${path}[${nth}]`, level + 1))
    return take(STRING) !== null || take(PLAIN) !== null || fail()
  }
  skip()
  if (value("", 0)) {
    skip()
    if (at < text.length) fail()
  }
  return result
}
const LEVELS = 200
// oxlint-disable-next-line no-control-regex -- JSON forbids control characters in strings (RFC 8259 s7).
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y
const PLAIN = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const keyOf = (quoted: string): string => JSON.parse(quoted) as string
