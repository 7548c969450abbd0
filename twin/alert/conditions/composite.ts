/** `composite`: and, or, not of other conditions, in Kleene's logic: what is unknown counts only where it could decide. */
import type { CompositeCondition } from "#protocol/rule.ts"
import type { ConditionKind, Moment, Test, Truth } from "#twin/alert/condition.ts"
import { FALSE, TRUE, truthWord, UNKNOWN } from "#twin/alert/condition.ts"
import { asList, join, missing, note, optional, readWord } from "#twin/alert/read.ts"

const PARTS_MAX = 16

export const composite: ConditionKind<CompositeCondition> = {
  type: "composite",
  keys: ["op", "conditions"],
  check: (fields, inner) => {
    const op = readWord(fields, "op", ["and", "or", "not"])
    const given = optional(fields, "conditions")
    if (given === undefined) return missing(fields, "conditions")
    const path = join(fields.path, "conditions")
    const conditions = asList(given, path, PARTS_MAX, fields.mistakes, inner)
    if (!op || conditions === undefined) return undefined
    if (op === "not" && Array.isArray(given) && given.length !== 1)
      return note(fields.mistakes, path, "of a not must be exactly one")
    return { type: "composite", op, conditions }
  },
  metrics: () => [],
  inner: (condition) => condition.conditions,
  compile: (condition, _needs, inner) => {
    const parts = condition.conditions.map(inner)
    const truth = LOGIC[condition.op](parts)
    const timed = parts.flatMap(({ nextMs }) => (nextMs === null ? [] : [nextMs]))
    return {
      truth,
      screens: timed.length === 0 ? SCREENS[condition.op](parts) : null,
      nextMs: timed.length === 0 ? null : (moment) => Math.min(...timed.map((next) => next(moment))),
      observe: (moment) => {
        const observed = parts.map((part) => part.observe(moment))
        const main = observed.find((part) => part.truth === "true") ?? observed[0]
        return {
          type: "composite",
          truth: truthWord(truth(moment)),
          ...(main?.metric === undefined ? {} : { metric: main.metric }),
          ...(main?.unit === undefined ? {} : { unit: main.unit }),
          ...(main?.value === undefined ? {} : { value: main.value }),
          ...(main?.operator === undefined ? {} : { operator: main.operator }),
          ...(main?.threshold === undefined ? {} : { threshold: main.threshold }),
          text: `${condition.op} of ${observed.map((part) => part.truth).join(", ")}`,
          parts: observed,
        }
      },
    }
  },
}

/** What must be so for an "and" is what must be so for its parts; of the others nothing is known without looking. */
const SCREENS: Readonly<Record<CompositeCondition["op"], (parts: readonly Test[]) => Test["screens"]>> = {
  and: (parts) => {
    const screens = parts.flatMap((part) => part.screens ?? [])
    return screens.length === 0 ? null : screens
  },
  or: () => null,
  not: () => null,
}

const LOGIC: Readonly<Record<CompositeCondition["op"], (parts: readonly Test[]) => (moment: Moment) => Truth>> = {
  and: (parts) => (moment) => {
    let truth: Truth = TRUE
    for (const part of parts) {
      const one = part.truth(moment)
      if (one === FALSE) return FALSE
      if (one === UNKNOWN) truth = UNKNOWN
    }
    return truth
  },
  or: (parts) => (moment) => {
    let truth: Truth = FALSE
    for (const part of parts) {
      const one = part.truth(moment)
      if (one === TRUE) return TRUE
      if (one === UNKNOWN) truth = UNKNOWN
    }
    return truth
  },
  not:
    ([part]) =>
    (moment) => {
      const one = (part as Test).truth(moment)
      return one === UNKNOWN ? UNKNOWN : one === TRUE ? FALSE : TRUE
    },
}
