/**
 * Typed reading of a JSON tree: each reader returns the value, or notes an error at its place and returns a harmless
 * stand-in, so that one pass over a file finds every mistake in it. Secrets are never quoted in an error.
 */
import type { JsonMember, JsonNode } from "#engine/import/json.ts"
import { nearest } from "#engine/nearest.ts"

export interface Mistake {
  readonly at: number
  /** `devices[3].snmp.port`; "" = the whole document. */
  readonly path: string
  readonly message: string
}

/** Collects mistakes up to a bound; later ones are only counted. */
export interface Mistakes {
  readonly list: Mistake[]
  total: number
}
export const MISTAKES_MAX = 100
export const makeMistakes = (): Mistakes => ({ list: [], total: 0 })

export const note = (mistakes: Mistakes, at: number, path: string, message: string): void => {
  mistakes.total += 1
  if (mistakes.list.length < MISTAKES_MAX) mistakes.list.push({ at, path, message })
}

/** One object under reading. */
export interface Fields {
  readonly at: number
  readonly path: string
  readonly members: ReadonlyMap<string, JsonMember>
  readonly mistakes: Mistakes
}

/** Opens an object and names its unknown keys. Null when it is not an object. */
export const openObject = (
  node: JsonNode,
  path: string,
  known: readonly string[],
  mistakes: Mistakes,
): Fields | null => {
  if (node.type !== "object") {
    note(mistakes, node.at, path, `must be an object {...}, not ${kindOf(node)}`)
    return null
  }
  for (const [key, member] of node.members) {
    if (known.includes(key)) continue
    const near = nearest(key, known)
    const hint = near === null ? `known are: ${known.join(", ")}` : `did you mean "${near}"?`
    note(mistakes, member.keyAt, join(path, shortKey(key)), `is not a known field; ${hint}`)
  }
  return { at: node.at, path, members: node.members, mistakes }
}

/** The member, or undefined when it is missing or null (null = not given, everywhere in this document). */
export const optional = (fields: Fields, key: string): JsonNode | undefined => {
  const node = fields.members.get(key)?.node
  return node === undefined || node.type === "null" ? undefined : node
}

export const required = (fields: Fields, key: string): JsonNode | undefined => {
  const node = optional(fields, key)
  if (node === undefined)
    note(fields.mistakes, fields.members.get(key)?.keyAt ?? fields.at, join(fields.path, key), "is missing")
  return node
}

export const readArray = (fields: Fields, key: string, max: number): readonly JsonNode[] => {
  const node = required(fields, key)
  if (node === undefined) return []
  if (node.type !== "array") {
    note(fields.mistakes, node.at, join(fields.path, key), `must be a list [...], not ${kindOf(node)}`)
    return []
  }
  if (node.items.length > max) {
    note(
      fields.mistakes,
      node.at,
      join(fields.path, key),
      `holds ${node.items.length} entries; at most ${max} are taken`,
    )
    return []
  }
  return node.items
}

export interface TextRules {
  readonly max: number
  readonly secret?: true
  readonly min?: number
}

/** Text without control characters or lone surrogates, not blank. Undefined when it is not. */
export const asText = (node: JsonNode, path: string, rules: TextRules, mistakes: Mistakes): string | undefined => {
  const wrong = (message: string): undefined => {
    note(mistakes, node.at, path, message)
    return undefined
  }
  if (node.type !== "string") return wrong(`must be a text, not ${kindOf(node)}`)
  const length = [...node.value].length
  if (node.value.trim() === "") return wrong("must not be empty")
  if (length < (rules.min ?? 1)) return wrong(`must have at least ${rules.min} characters`)
  if (length > rules.max) return wrong(`has ${length} characters; at most ${rules.max} are taken`)
  if (UNPRINTABLE.test(node.value)) return wrong("holds a control character or broken Unicode")
  if (rules.secret === undefined && node.value !== node.value.trim()) return wrong("must not begin or end with a space")
  return node.value
}

export const readText = (fields: Fields, key: string, rules: TextRules): string | undefined => {
  const node = required(fields, key)
  return node === undefined ? undefined : asText(node, join(fields.path, key), rules, fields.mistakes)
}

export const readOptionalText = (fields: Fields, key: string, rules: TextRules): string | undefined => {
  const node = optional(fields, key)
  return node === undefined ? undefined : asText(node, join(fields.path, key), rules, fields.mistakes)
}

export interface NumberRules {
  readonly min: number
  readonly max: number
  readonly whole: boolean
  readonly unit: string
}

export const asNumber = (node: JsonNode, path: string, rules: NumberRules, mistakes: Mistakes): number | undefined => {
  const kind = rules.whole ? "a whole number" : "a number"
  const unit = rules.unit === "" ? "" : ` (${rules.unit})`
  if (node.type !== "number" || (rules.whole && !Number.isInteger(node.value))) {
    note(mistakes, node.at, path, `must be ${kind}${unit}, not ${node.type === "number" ? node.value : kindOf(node)}`)
    return undefined
  }
  if (node.value < rules.min || node.value > rules.max) {
    note(mistakes, node.at, path, `must be from ${rules.min} to ${rules.max}${unit}, not ${node.value}`)
    return undefined
  }
  return node.value
}

export const readOptionalNumber = (fields: Fields, key: string, rules: NumberRules): number | undefined => {
  const node = optional(fields, key)
  return node === undefined ? undefined : asNumber(node, join(fields.path, key), rules, fields.mistakes)
}

export const readNumber = (fields: Fields, key: string, rules: NumberRules): number | undefined => {
  const node = required(fields, key)
  return node === undefined ? undefined : asNumber(node, join(fields.path, key), rules, fields.mistakes)
}

export const readFlag = (fields: Fields, key: string): boolean | undefined => {
  const node = optional(fields, key)
  if (node === undefined) return undefined
  if (node.type === "boolean") return node.value
  note(fields.mistakes, node.at, join(fields.path, key), `must be true or false, not ${kindOf(node)}`)
  return undefined
}

/** One of a list of words; a near word is suggested. */
export const asWord = <T extends string>(
  node: JsonNode,
  path: string,
  words: readonly T[],
  mistakes: Mistakes,
): T | undefined => {
  const found = node.type === "string" ? words.find((word) => word === node.value) : undefined
  if (found !== undefined) return found
  const near = node.type === "string" ? nearest(node.value, words) : null
  const shown = node.type === "string" ? JSON.stringify(node.value.slice(0, 60)) : kindOf(node)
  note(
    mistakes,
    node.at,
    path,
    `must be one of ${words.join(", ")}, not ${shown}${near === null ? "" : `; did you mean "${near}"?`}`,
  )
  return undefined
}

export const readOptionalWord = <T extends string>(fields: Fields, key: string, words: readonly T[]): T | undefined => {
  const node = optional(fields, key)
  return node === undefined ? undefined : asWord(node, join(fields.path, key), words, fields.mistakes)
}

export const join = (path: string, key: string): string => (path === "" ? key : `${path}.${key}`)

/** A field's own name in an error: short, and without anything that could move a cursor. */
const shortKey = (key: string): string => (/^[\w.-]{1,60}$/.test(key) ? key : JSON.stringify(key.slice(0, 60)))

const UNPRINTABLE = /[\p{Cc}\p{Surrogate}\u2028\u2029]/u

const kindOf = (node: JsonNode): string => {
  switch (node.type) {
    case "object":
      return "an object"
    case "array":
      return "a list"
    case "string":
      return "a text"
    case "number":
      return "a number"
    case "boolean":
      return "true or false"
    case "null":
      return "null"
  }
}
