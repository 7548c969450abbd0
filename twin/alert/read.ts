/**
 * Typed reading of unknown JSON: each reader gives the value, or notes what is wrong at its path and gives undefined, so
 * that one pass over a rule finds every mistake in it. The twin takes no library for this; the few readers stand here.
 */
import type { Metric, MetricName } from "#protocol/metric.ts"
import { metricByName, METRICS } from "#protocol/metric.ts"

export interface RuleMistake {
  /** `condition.conditions[1].metric`; "" = the whole rule. */
  readonly path: string
  readonly message: string
}

/** Mistakes that are kept; a rule with more is refused all the same. */
export const MISTAKES_MAX = 50
/** Conditions inside conditions. */
export const DEPTH_MAX = 8
/** Conditions in one rule. */
export const CONDITIONS_MAX = 32
/** A day: the longest window that is kept sample by sample. */
export const LOOKBACK_MAX_S = 86_400

export interface Mistakes {
  readonly list: RuleMistake[]
  conditions: number
}

export interface Fields {
  readonly path: string
  readonly object: Readonly<Record<string, unknown>>
  readonly mistakes: Mistakes
  readonly depth: number
}

export const note = (mistakes: Mistakes, path: string, message: string): undefined => {
  if (mistakes.list.length < MISTAKES_MAX) mistakes.list.push({ path, message })
  return undefined
}

export const join = (path: string, key: string): string => (path === "" ? key : `${path}.${key}`)

const shown = (value: unknown): string => {
  if (value === null) return "null"
  if (Array.isArray(value)) return "a list"
  switch (typeof value) {
    case "string":
      return JSON.stringify(value.slice(0, 60))
    case "number":
    case "boolean":
      return String(value)
    case "undefined":
      return "nothing"
    default:
      return "an object"
  }
}

/** Opens an object and names its unknown keys. */
export const openObject = (
  value: unknown,
  path: string,
  known: readonly string[],
  mistakes: Mistakes,
  depth = 0,
): Fields | undefined => {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return note(mistakes, path, `must be an object {...}, not ${shown(value)}`)
  for (const key of Object.keys(value))
    if (!known.includes(key))
      note(mistakes, join(path, shortKey(key)), `is not a known field; known are: ${known.join(", ")}`)
  return { path, object: value as Record<string, unknown>, mistakes, depth }
}
const shortKey = (key: string): string => (/^[\w.-]{1,60}$/.test(key) ? key : JSON.stringify(key.slice(0, 60)))

/** Absent and null are the same: not given. */
export const optional = (fields: Fields, key: string): unknown =>
  Object.hasOwn(fields.object, key) ? (fields.object[key] ?? undefined) : undefined

export const missing = (fields: Fields, key: string): undefined =>
  note(fields.mistakes, join(fields.path, key), "is missing")

export const readText = (fields: Fields, key: string, max: number): string | undefined => {
  const value = optional(fields, key)
  return value === undefined ? missing(fields, key) : asText(value, join(fields.path, key), max, fields.mistakes)
}
export const readOptionalText = (fields: Fields, key: string, max: number): string | undefined => {
  const value = optional(fields, key)
  return value === undefined ? undefined : asText(value, join(fields.path, key), max, fields.mistakes)
}

const UNPRINTABLE = /[\p{Cc}\p{Surrogate}\u2028\u2029]/u

export const asText = (value: unknown, path: string, max: number, mistakes: Mistakes): string | undefined => {
  if (typeof value !== "string") return note(mistakes, path, `must be a text, not ${shown(value)}`)
  if (value.trim() === "") return note(mistakes, path, "must not be empty")
  if (value.length > max) return note(mistakes, path, `has ${value.length} characters; at most ${max} are taken`)
  if (UNPRINTABLE.test(value)) return note(mistakes, path, "holds a control character or broken Unicode")
  return value
}

export interface NumberRules {
  readonly min: number
  readonly max: number
  readonly whole?: true
}
export const ANY_NUMBER: NumberRules = { min: -1e18, max: 1e18 }
/** Of a window; at least a second. */
export const LOOKBACK: NumberRules = { min: 1, max: LOOKBACK_MAX_S, whole: true }

export const asNumber = (value: unknown, path: string, rules: NumberRules, mistakes: Mistakes): number | undefined => {
  const kind = rules.whole === true ? "a whole number" : "a number"
  if (typeof value !== "number" || !Number.isFinite(value) || (rules.whole === true && !Number.isInteger(value)))
    return note(mistakes, path, `must be ${kind}, not ${shown(value)}`)
  if (value < rules.min || value > rules.max)
    return note(mistakes, path, `must be from ${rules.min} to ${rules.max}, not ${value}`)
  return value
}
export const readNumber = (fields: Fields, key: string, rules: NumberRules): number | undefined => {
  const value = optional(fields, key)
  return value === undefined ? missing(fields, key) : asNumber(value, join(fields.path, key), rules, fields.mistakes)
}
export const readOptionalNumber = (fields: Fields, key: string, rules: NumberRules): number | undefined => {
  const value = optional(fields, key)
  return value === undefined ? undefined : asNumber(value, join(fields.path, key), rules, fields.mistakes)
}

export const readFlag = (fields: Fields, key: string): boolean | undefined => {
  const value = optional(fields, key)
  if (value === undefined || typeof value === "boolean") return value
  return note(fields.mistakes, join(fields.path, key), `must be true or false, not ${shown(value)}`)
}

export const asWord = <T extends string>(
  value: unknown,
  path: string,
  words: readonly T[],
  mistakes: Mistakes,
): T | undefined =>
  words.find((word) => word === value) ??
  note(mistakes, path, `must be one of ${words.join(", ")}, not ${shown(value)}`)

export const readWord = <T extends string>(fields: Fields, key: string, words: readonly T[]): T | undefined => {
  const value = optional(fields, key)
  return value === undefined ? missing(fields, key) : asWord(value, join(fields.path, key), words, fields.mistakes)
}

/** A list of 1 to `max` entries, each read by `entry`; entries that it refused are left out. */
export const asList = <T>(
  value: unknown,
  path: string,
  max: number,
  mistakes: Mistakes,
  entry: (value: unknown, path: string) => T | undefined,
): readonly T[] | undefined => {
  if (!Array.isArray(value)) return note(mistakes, path, `must be a list [...], not ${shown(value)}`)
  if (value.length === 0) return note(mistakes, path, "must not be an empty list")
  if (value.length > max) return note(mistakes, path, `holds ${value.length} entries; at most ${max} are taken`)
  return value
    .map((item: unknown, index) => entry(item, `${path}[${index}]`))
    .filter((item): item is T & ({} | null) => item !== undefined)
}

export const asMetric = (value: unknown, path: string, mistakes: Mistakes): Metric | undefined => {
  const metric = typeof value === "string" ? metricByName(value) : null
  if (metric !== null) return metric
  const name = typeof value === "string" ? value : ""
  const family = METRICS.filter((each) => name !== "" && each.name.split(".")[0] === name.split(".")[0])
  const hint = family.length === 0 ? "" : `; there are ${family.map((each) => each.name).join(", ")}`
  return note(mistakes, path, `is no metric that Heliograph knows: ${shown(value)}${hint}`)
}
export const readMetric = (fields: Fields): Metric | undefined => {
  const value = optional(fields, "metric")
  return value === undefined ? missing(fields, "metric") : asMetric(value, join(fields.path, "metric"), fields.mistakes)
}
/** The registry's own name of a metric that was found in it. */
export const nameOf = (metric: Metric): MetricName => metric.name as MetricName
