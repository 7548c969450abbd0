/**
 * Small checks that turn an unknown value into a typed one or throw BadFrame. Every decoder of the wire is built from
 * them, so that no field is trusted by accident and nothing but BadFrame leaves the codec.
 */

/** A frame that is not what SPEC.md says. `message` is short, names the field and never quotes the sender's bytes. */
export class BadFrame extends Error {
  override readonly name = "BadFrame"
}

export const bad = (reason: string): never => {
  throw new BadFrame(reason)
}

export const integer = (value: unknown, field: string, max: number = Number.MAX_SAFE_INTEGER): number =>
  typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= max ? value : bad(field)

export const finite = (value: unknown, field: string): number =>
  typeof value === "number" && Number.isFinite(value) ? value : bad(field)

export const text = (value: unknown, field: string, max: number): string =>
  typeof value === "string" && value.length <= max ? value : bad(field)

export const textOrNull = (value: unknown, field: string, max: number): string | null =>
  value === null ? null : text(value, field, max)

export const bool = (value: unknown, field: string): boolean => (typeof value === "boolean" ? value : bad(field))

export const list = (value: unknown, field: string, max: number): readonly unknown[] =>
  Array.isArray(value) && value.length <= max ? value : bad(field)

/** An array of exactly `length` elements. */
export const tuple = (value: unknown, field: string, length: number): readonly unknown[] =>
  Array.isArray(value) && value.length === length ? value : bad(field)

export const oneOf = <T extends string>(value: unknown, field: string, words: readonly T[]): T =>
  words.find((word) => word === value) ?? bad(field)

/** The word at an index that travelled as a number. */
export const wordAt = <T extends string>(value: unknown, field: string, words: readonly T[]): T =>
  words[integer(value, field)] ?? bad(field)
