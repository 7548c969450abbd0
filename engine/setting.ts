/**
 * How one setting is declared: its name, unit, bounds, default and one line for the operator, together with the
 * parser that enforces them. config.ts lists the settings; `--help`, `heliograph config` and the handbook print them.
 */
import * as Redacted from "effect/Redacted"

export interface Setting<T> {
  readonly name: string
  /** "" when the value has none. */
  readonly unit: string
  /** Shown text of the default; null = not set. */
  readonly defaultText: string | null
  /** What is allowed, in words. */
  readonly bounds: string
  readonly doc: string
  readonly secret: boolean
  readonly fallback: T
  /** The value, or a sentence that completes "NAME ...". */
  readonly parse: (
    text: string,
  ) => { readonly ok: true; readonly value: T } | { readonly ok: false; readonly why: string }
}

type Parsed<T> = ReturnType<Setting<T>["parse"]>
const good = <T>(value: T): Parsed<T> => ({ ok: true, value })
const bad = <T>(why: string): Parsed<T> => ({ ok: false, why })

export interface Described {
  readonly doc: string
  readonly unit?: string
}

/** A whole number in decimal. */
export const integer = (
  name: string,
  options: Described & { readonly default: number; readonly min: number; readonly max: number },
): Setting<number> => {
  const bounds = `whole number, ${options.min} to ${options.max}`
  return {
    name,
    unit: options.unit ?? "",
    defaultText: String(options.default),
    bounds,
    doc: options.doc,
    secret: false,
    fallback: options.default,
    parse: (text) => {
      const value = /^-?\d{1,15}$/.test(text) ? Number(text) : Number.NaN
      return value >= options.min && value <= options.max ? good(value) : bad(`must be a ${bounds}, not ${quote(text)}`)
    },
  }
}

export const choice = <const T extends string>(
  name: string,
  options: Described & { readonly default: T; readonly of: readonly T[] },
): Setting<T> => {
  const bounds = `one of ${options.of.join(", ")}`
  return {
    name,
    unit: "",
    defaultText: options.default,
    bounds,
    doc: options.doc,
    secret: false,
    fallback: options.default,
    parse: (text) => {
      const found = options.of.find((value) => value === text)
      return found === undefined ? bad(`must be ${bounds}, not ${quote(text)}`) : good(found)
    },
  }
}

/** Text that `pattern` accepts; `bounds` says the pattern in words. */
export const text = (
  name: string,
  options: Described & { readonly default: string; readonly bounds: string; readonly pattern: RegExp },
): Setting<string> => ({
  name,
  unit: "",
  defaultText: options.default,
  bounds: options.bounds,
  doc: options.doc,
  secret: false,
  fallback: options.default,
  parse: (value) => (options.pattern.test(value) ? good(value) : bad(`must be ${options.bounds}, not ${quote(value)}`)),
})

/** Text that `check` accepts, or nothing; `bounds` says in words what that is. */
export const optionalText = (
  name: string,
  options: Described & { readonly bounds: string; readonly check: (value: string) => boolean },
): Setting<string | null> => ({
  name,
  unit: "",
  defaultText: null,
  bounds: options.bounds,
  doc: options.doc,
  secret: false,
  fallback: null,
  parse: (value) => (options.check(value) ? good(value) : bad(`must be ${options.bounds}, not ${quote(value)}`)),
})

/** An absolute http(s) URL without credentials, or nothing. */
export const optionalUrl = (name: string, options: Described): Setting<string | null> => ({
  name,
  unit: "",
  defaultText: null,
  bounds: "http:// or https:// URL",
  doc: options.doc,
  secret: false,
  fallback: null,
  parse: (value) => {
    const url = URL.parse(value)
    if (url === null || !["http:", "https:"].includes(url.protocol))
      return bad(`must be an http(s) URL, not ${quote(value)}`)
    if (url.username !== "" || url.password !== "") return bad("must not hold a user or password")
    return good(value)
  },
})

export const optionalPath = (name: string, options: Described): Setting<string | null> => ({
  name,
  unit: "",
  defaultText: null,
  bounds: "path of a file",
  doc: options.doc,
  secret: false,
  fallback: null,
  parse: (value) => (value.includes("\0") ? bad("must be a path") : good(value)),
})

/** Never printed. May also come from the file that NAME_FILE names. */
export const optionalSecret = (
  name: string,
  options: Described & { readonly bounds: string; readonly check: (value: string) => boolean },
): Setting<Redacted.Redacted | null> => ({
  name,
  unit: "",
  defaultText: null,
  bounds: options.bounds,
  doc: options.doc,
  secret: true,
  fallback: null,
  parse: (value) =>
    options.check(value)
      ? good(Redacted.make(value, { label: name }))
      : bad(`must be ${options.bounds} (its value is not shown)`),
})

/** Quoted for a message: shortened, control characters escaped. */
export const quote = (value: string): string => JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}...` : value)
