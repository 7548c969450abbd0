/**
 * JSON (RFC 8259) into a tree that remembers where every value and key stood, so that an error in an import file can
 * be named by line and column. JSON.parse forgets positions, lets a later duplicate key win silently and nests
 * without end; this parser refuses duplicates and stops at a depth.
 */

export type JsonNode =
  | { readonly type: "object"; readonly at: number; readonly members: ReadonlyMap<string, JsonMember> }
  | { readonly type: "array"; readonly at: number; readonly items: readonly JsonNode[] }
  | { readonly type: "string"; readonly at: number; readonly value: string }
  | { readonly type: "number"; readonly at: number; readonly value: number }
  | { readonly type: "boolean"; readonly at: number; readonly value: boolean }
  | { readonly type: "null"; readonly at: number }

export interface JsonMember {
  /** Offset of the key's opening quote. */
  readonly keyAt: number
  readonly node: JsonNode
}

/** A syntax error; offsets count UTF-16 units from the start of the text. */
export interface JsonProblem {
  readonly at: number
  readonly message: string
}

export const JSON_DEPTH_MAX = 32

/** Never throws. */
export const parseJson = (text: string): JsonNode | JsonProblem => {
  const scan: Scan = { text, at: text.charCodeAt(0) === BOM ? 1 : 0 }
  try {
    skipSpace(scan)
    const node = value(scan, 0)
    skipSpace(scan)
    if (scan.at < text.length) throw new Stop(scan.at, "nothing may follow the document")
    return node
  } catch (cause) {
    if (cause instanceof Stop) return { at: cause.at, message: cause.message }
    throw cause
  }
}

export const isProblem = (result: JsonNode | JsonProblem): result is JsonProblem => !("type" in result)

/** Turns offsets into line and column, both from 1. Columns count characters, not UTF-16 units. */
export const positionsOf = (text: string): ((at: number) => { readonly line: number; readonly column: number }) => {
  const starts = [0]
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1)
  return (at) => {
    let low = 0
    let high = starts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (starts[middle]! <= at) low = middle
      else high = middle - 1
    }
    // A one-line file may be 50 MB: only the stretch just before the place is counted by characters.
    const from = Math.max(starts[low]!, at - 10_000)
    return { line: low + 1, column: from - starts[low]! + Array.from(text.slice(from, at)).length + 1 }
  }
}

const BOM = 0xfeff

class Stop extends Error {
  readonly at: number
  constructor(at: number, message: string) {
    super(message)
    this.at = at
  }
}

interface Scan {
  readonly text: string
  at: number
}

const value = (scan: Scan, depth: number): JsonNode => {
  if (depth > JSON_DEPTH_MAX) throw new Stop(scan.at, `nested deeper than ${JSON_DEPTH_MAX} levels`)
  const at = scan.at
  switch (scan.text[at]) {
    case "{":
      return { type: "object", at, members: members(scan, depth) }
    case "[":
      return { type: "array", at, items: items(scan, depth) }
    case '"':
      return { type: "string", at, value: string(scan) }
    case "t":
      return word(scan, "true", { type: "boolean", at, value: true })
    case "f":
      return word(scan, "false", { type: "boolean", at, value: false })
    case "n":
      return word(scan, "null", { type: "null", at })
    case undefined:
      throw new Stop(at, "the text ends where a value should stand")
    default:
      return { type: "number", at, value: number(scan) }
  }
}

const members = (scan: Scan, depth: number): Map<string, JsonMember> => {
  const found = new Map<string, JsonMember>()
  if (opensEmpty(scan, "}")) return found
  for (;;) {
    const keyAt = scan.at
    if (scan.text[keyAt] !== '"') throw new Stop(keyAt, 'a key in "double quotes" should stand here')
    const key = string(scan)
    if (found.has(key)) throw new Stop(keyAt, `the key ${JSON.stringify(key.slice(0, 60))} stands here twice`)
    skipSpace(scan)
    expect(scan, ":")
    skipSpace(scan)
    found.set(key, { keyAt, node: value(scan, depth + 1) })
    if (closes(scan, "}")) return found
  }
}

const items = (scan: Scan, depth: number): JsonNode[] => {
  const found: JsonNode[] = []
  if (opensEmpty(scan, "]")) return found
  for (;;) {
    found.push(value(scan, depth + 1))
    if (closes(scan, "]")) return found
  }
}

const opensEmpty = (scan: Scan, close: string): boolean => {
  scan.at += 1
  skipSpace(scan)
  if (scan.text[scan.at] !== close) return false
  scan.at += 1
  return true
}

/** After an element: true at the end, false when a comma announces another one. */
const closes = (scan: Scan, close: string): boolean => {
  skipSpace(scan)
  if (scan.text[scan.at] === close) {
    scan.at += 1
    return true
  }
  const commaAt = scan.at
  expect(scan, ",", `"," or "${close}" should stand here`)
  skipSpace(scan)
  if (scan.text[scan.at] === close) throw new Stop(commaAt, `a comma before "${close}" is one too many`)
  return false
}

/** A whole JSON string; JSON.parse does the escapes, so that both agree to the letter. */
const string = (scan: Scan): string => {
  const start = scan.at
  let at = start + 1
  for (;;) {
    const code = scan.text.charCodeAt(at)
    if (Number.isNaN(code)) throw new Stop(start, "this text is never closed")
    if (code < 0x20) throw new Stop(at, "a line break or control character inside a text")
    if (code === QUOTE) break
    at += code === BACKSLASH ? 2 : 1
  }
  scan.at = at + 1
  const raw = scan.text.slice(start, scan.at)
  if (!raw.includes("\\")) return raw.slice(1, -1)
  try {
    return JSON.parse(raw) as string
  } catch {
    throw new Stop(start, "this text holds an escape that JSON does not know")
  }
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y

const number = (scan: Scan): number => {
  NUMBER.lastIndex = scan.at
  const found = NUMBER.exec(scan.text)
  if (found === null) throw new Stop(scan.at, "a value should stand here")
  const parsed = Number(found[0])
  if (!Number.isFinite(parsed)) throw new Stop(scan.at, "this number is too big")
  scan.at += found[0].length
  return parsed
}

const word = (scan: Scan, text: string, node: JsonNode): JsonNode => {
  if (!scan.text.startsWith(text, scan.at)) throw new Stop(scan.at, "a value should stand here")
  scan.at += text.length
  return node
}

const expect = (scan: Scan, char: string, message = `"${char}" should stand here`): void => {
  if (scan.text[scan.at] !== char) throw new Stop(scan.at, message)
  scan.at += 1
}

const skipSpace = (scan: Scan): void => {
  for (;;) {
    const code = scan.text.charCodeAt(scan.at)
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return
    scan.at += 1
  }
}
