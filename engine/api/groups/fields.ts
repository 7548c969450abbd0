/** The fields that many endpoints share: ids, pages, times, and the headers of careful writers. */
import * as Schema from "effect/Schema"

export const word = (max: number) => Schema.String.check(Schema.isMaxLength(max))
/** At least one character. */
export const name = (max: number) => Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(max))
export const secret = (max: number) => Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(max))
export const wholeBetween = (minimum: number, maximum: number) =>
  Schema.Finite.check(Schema.isInt(), Schema.isBetween({ minimum, maximum }))
/** Of a query string. */
export const whole = (minimum: number, maximum: number) =>
  Schema.optionalKey(Schema.NumberFromString.check(Schema.isInt(), Schema.isBetween({ minimum, maximum })))
export const filter = (max: number) => Schema.optionalKey(word(max))
/** `?dryRun=true` */
export const flag = Schema.optionalKey(Schema.Literals(["true", "false"]))
export const TIME_MAX = 8_640_000_000_000_000

export const Id = { id: word(64) }
/** Longest cursor: a device's name and an interface's name, both in their longest form, as base64url. */
export const CURSOR_MAX = 2048
export const Page = { limit: whole(1, 1000), cursor: filter(CURSOR_MAX) }

/**
 * RFC 9110 s13.1.1: what the writer believes to change. Answers of single things carry their `ETag`; a change with another
 * one is refused (412), a change without one is taken as it is.
 */
export const IfMatch = Schema.Struct({ "if-match": filter(128) })
/** The same key with the same body within a day is done once, and answered the same; with another body it is refused. */
export const Idempotent = Schema.Struct({ "idempotency-key": filter(128) })

export const maybe = <S extends Schema.Top>(schema: S) => Schema.NullOr(schema)
export const named = <S extends Schema.Top>(identifier: string, schema: S) => schema.annotate({ identifier })
