/**
 * `event`: at least N events of a type, whose parts match, within the lookback. A rule about a device counts the events of
 * the device and all its parts, one about interfaces those of each interface. Only the newest N times are kept.
 */
import type { EventCondition, EventMatch, TextPattern } from "#protocol/rule.ts"
import { RULE_EVENTS } from "#protocol/rule.ts"
import type { ConditionKind, Moment } from "#twin/alert/condition.ts"
import { truthOf, truthWord } from "#twin/alert/condition.ts"
import { PATTERN_MAX } from "#twin/alert/pattern.ts"
import { REGEX_MAX, regexMistake } from "#twin/alert/regex.ts"
import type { Fields } from "#twin/alert/read.ts"
import {
  join,
  LOOKBACK,
  note,
  openObject,
  optional,
  readNumber,
  readOptionalNumber,
  readOptionalText,
  readText,
  readWord,
} from "#twin/alert/read.ts"

const COUNT = { min: 1, max: 1000, whole: true } as const

export const event: ConditionKind<EventCondition> = {
  type: "event",
  keys: ["event_type", "match", "count", "lookback_seconds"],
  check: (fields) => {
    const event_type = readWord(fields, "event_type", RULE_EVENTS)
    const count = optional(fields, "count") === undefined ? 1 : readOptionalNumber(fields, "count", COUNT)
    const lookback_seconds = readNumber(fields, "lookback_seconds", LOOKBACK)
    const match = readMatch(fields)
    if (!event_type || count === undefined || lookback_seconds === undefined) return undefined
    const condition = { type: "event" as const, event_type, count, lookback_seconds }
    return match === undefined ? condition : { ...condition, match }
  },
  metrics: () => [],
  inner: () => [],
  compile: (condition, needs) => {
    const { index } = needs.event(condition)
    const ms = condition.lookback_seconds * 1000
    const within = (moment: Moment): number =>
      (moment.events[index] ?? []).filter((atMs) => atMs > moment.nowMs - ms && atMs <= moment.nowMs).length
    return {
      truth: (moment) => truthOf(within(moment) >= condition.count),
      screens: null,
      nextMs: (moment) => {
        const times = moment.events[index] ?? []
        const leaves = times.length < condition.count ? Number.POSITIVE_INFINITY : (times[0] as number) + ms
        return leaves > moment.nowMs ? leaves : Number.POSITIVE_INFINITY
      },
      observe: (moment) => {
        const count = within(moment)
        return {
          type: "event",
          truth: truthWord(truthOf(count >= condition.count)),
          value: count,
          operator: ">=",
          threshold: condition.count,
          text: `${count} events ${condition.event_type} in ${condition.lookback_seconds} s, asked ${condition.count}`,
          samples: (moment.events[index] ?? []).map((atMs) => [atMs, 1] as const),
        }
      },
    }
  },
}

const readMatch = (fields: Fields): EventMatch | undefined => {
  const given = optional(fields, "match")
  if (given === undefined) return undefined
  const inner = openObject(given, join(fields.path, "match"), ["old", "new", "raw"], fields.mistakes)
  if (inner === undefined) return undefined
  const match: { old?: TextPattern; new?: TextPattern; raw?: TextPattern } = {}
  for (const part of ["old", "new", "raw"] as const) {
    const pattern = readPattern(inner, part)
    if (pattern !== undefined) match[part] = pattern
  }
  return match
}

/** A text is a glob, `{"re2": "..."}` a regular expression. */
const readPattern = (fields: Fields, part: string): TextPattern | undefined => {
  const given = optional(fields, part)
  if (given === undefined || typeof given === "string") return readOptionalText(fields, part, PATTERN_MAX)
  const inner = openObject(given, join(fields.path, part), ["re2"], fields.mistakes)
  const re2 = inner === undefined ? undefined : readText(inner, "re2", REGEX_MAX)
  if (inner === undefined || re2 === undefined) return undefined
  const wrong = regexMistake(re2)
  return wrong === null ? { re2 } : note(fields.mistakes, join(inner.path, "re2"), wrong)
}
