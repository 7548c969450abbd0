/**
 * What the engine says to its operator: lines with the time since start for people, or one JSON object per line for
 * machines. Every string is escaped here, so that a device's text can neither forge a line nor move the cursor
 * (notes/hostile.md); a Redacted value prints as such. Effect's own logging goes the same way through logLayer.
 */
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Redacted from "effect/Redacted"
import * as References from "effect/References"

export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const
export type LogLevel = (typeof LOG_LEVELS)[number]
export type LogFields = Readonly<Record<string, unknown>>

export interface Log {
  readonly debug: (message: string, fields?: LogFields) => void
  readonly info: (message: string, fields?: LogFields) => void
  readonly warn: (message: string, fields?: LogFields) => void
  readonly error: (message: string, fields?: LogFields) => void
  /** A log that adds these fields to every line. */
  readonly with: (fields: LogFields) => Log
}

export interface LogOptions {
  readonly level: LogLevel
  readonly format: "text" | "json"
  /** Gets whole lines, newline included. */
  readonly write: (line: string) => void
  readonly nowMs?: () => number
}

/** Longest text of one field; the rest is cut and the cut is shown. */
const TEXT_MAX = 2_000

export const makeLog = (options: LogOptions): Log => {
  const nowMs = options.nowMs ?? Date.now
  const startMs = nowMs()
  const least = LOG_LEVELS.indexOf(options.level)
  const child = (base: LogFields): Log => {
    const at = (level: LogLevel) => (message: string, fields?: LogFields) => {
      if (LOG_LEVELS.indexOf(level) < least) return
      const all = fields === undefined ? base : { ...base, ...fields }
      const now = nowMs()
      options.write(
        options.format === "json" ? jsonLine(now, level, message, all) : textLine(now - startMs, level, message, all),
      )
    }
    return {
      debug: at("debug"),
      info: at("info"),
      warn: at("warn"),
      error: at("error"),
      with: (fields) => child({ ...base, ...fields }),
    }
  }
  return child({})
}

/** For tests and for parts that need no log. */
export const silentLog: Log = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  with: () => silentLog,
}

/** Sends Effect.log* to this log, annotations as fields. */
export const logLayer = (log: Log): Layer.Layer<never> => {
  const logger = Logger.make<unknown, void>(({ fiber, logLevel, message }) => {
    const fields: LogFields = fiber.getRef(References.CurrentLogAnnotations)
    const words = (Array.isArray(message) ? message : [message]).map((part) => plain(part)).join(" ")
    const level = logLevel.toLowerCase()
    const write =
      level === "error" || level === "fatal"
        ? log.error
        : level === "warn"
          ? log.warn
          : level === "info"
            ? log.info
            : log.debug
    write(words, fields)
  })
  return Layer.mergeAll(Logger.layer([logger]), Layer.succeed(References.MinimumLogLevel, "Debug"))
}

/** C0, C1, DEL, line separators, bidirectional overrides and lone surrogates become \u escapes; long text is cut. */
export const escapeText = (value: string): string => {
  const cut = value.length > TEXT_MAX ? `${value.slice(0, TEXT_MAX)}...(${value.length - TEXT_MAX} more)` : value
  return cut.replace(UNSAFE, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`)
}

// oxlint-disable-next-line no-control-regex -- finding control characters is its purpose
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]|\p{Surrogate}/gu

const textLine = (sinceMs: number, level: LogLevel, message: string, fields: LogFields): string => {
  const mark = level === "info" ? "" : `${level.toUpperCase()} `
  const tail = Object.entries(fields).map(([key, value]) => ` ${escapeText(key)}=${fieldText(value)}`)
  return `${(sinceMs / 1000).toFixed(1).padStart(7)} s  ${mark}${escapeText(message)}${tail.join("")}\n`
}

const fieldText = (value: unknown): string => {
  const shown = escapeText(plain(value))
  return /^[^\s"=]+$/.test(shown) ? shown : `"${shown.replaceAll('"', String.raw`\"`)}"`
}

const jsonLine = (now: number, level: LogLevel, message: string, fields: LogFields): string => {
  const line: Record<string, unknown> = { at: new Date(now).toISOString(), level, message: escapeText(message) }
  for (const [key, value] of Object.entries(fields)) {
    const name = key in line ? `${key}_` : key
    line[escapeText(name)] =
      typeof value === "number" || typeof value === "boolean" || value === null ? value : escapeText(plain(value))
  }
  return `${JSON.stringify(line)}\n`
}

/** Errors as their message only (a stack or `info` may hold secrets); objects as JSON. */
const plain = (value: unknown): string => {
  if (typeof value === "string") return value
  if (Redacted.isRedacted(value)) return "<redacted>"
  if (value instanceof Error) return value.message === "" ? value.name : `${value.name}: ${value.message}`
  if (typeof value === "object" && value !== null) return safeJson(value)
  return String(value)
}

const safeJson = (value: object): string => {
  try {
    return JSON.stringify(value, (_, inner: unknown) =>
      inner instanceof Error ? plain(inner) : typeof inner === "bigint" ? String(inner) : inner,
    )
  } catch {
    return "(cannot be shown)"
  }
}
