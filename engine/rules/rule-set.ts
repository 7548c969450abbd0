/**
 * The rules that a tenant is judged by: every shipped one, as shipped or as the tenant changed it, and its own. Only what
 * the tenant wrote is stored, so that an upgrade brings new shipped rules and new texts of those that nobody touched.
 */
import type { Condition, Rule } from "#protocol/rule.ts"
import { checkRule } from "#twin/alert/check.ts"
import { PACKS } from "#twin/alert/packs/registry.ts"

export interface RuleEntry {
  readonly rule: Rule
  /** Hash of its content. */
  readonly version: string
  /** `pack:<id>`, `changed` or `own`. */
  readonly origin: string
  /** Null = as shipped. */
  readonly updatedAtMs: number | null
  readonly updatedBy: string | null
}

/** What the tenant wrote, as it stands in the database. */
export interface StoredRule {
  readonly rule: unknown
  readonly id: string
  readonly updatedAtMs: number
  readonly updatedBy: string
}

export interface RuleSet {
  /** Ascending by id. */
  readonly entries: readonly RuleEntry[]
  /** Stored ones that this build cannot judge by (a metric is gone): they are left out, and told in the log. */
  readonly unusable: readonly string[]
}

const makeShipped = (): ReadonlyMap<string, RuleEntry> => {
  const found = new Map<string, RuleEntry>()
  for (const pack of PACKS)
    for (const { rule } of pack.rules) {
      const checked = checkRule(rule)
      if (!checked.ok) throw new TypeError(`the shipped rule ${rule.id} does not pass its own check`)
      const origin = `pack:${pack.id}`
      found.set(rule.id, { rule, version: checked.version, origin, updatedAtMs: null, updatedBy: null })
    }
  return found
}
let shipped: ReadonlyMap<string, RuleEntry> | undefined
/** By id. */
export const shippedRules = (): ReadonlyMap<string, RuleEntry> => (shipped ??= makeShipped())

export const ruleSetOf = (stored: readonly StoredRule[]): RuleSet => {
  const rules = new Map(shippedRules())
  const unusable: string[] = []
  for (const { id, rule, updatedAtMs, updatedBy } of stored) {
    const checked = checkRule(rule)
    if (!checked.ok) {
      unusable.push(id)
      continue
    }
    const origin = shippedRules().has(id) ? "changed" : "own"
    rules.set(id, { rule: checked.rule, version: checked.version, origin, updatedAtMs, updatedBy })
  }
  return { entries: [...rules.values()].toSorted((a, b) => (a.rule.id < b.rule.id ? -1 : 1)), unusable }
}

/** The longest time that a rule looks back. */
export const windowSecondsOf = ({ condition, recover, severity }: Rule): number =>
  Math.max(
    secondsOf(condition),
    recover === undefined ? 0 : secondsOf(recover),
    ...(Array.isArray(severity) ? severity.map(({ when }) => secondsOf(when)) : []),
  )

const secondsOf = (condition: Condition): number => {
  switch (condition.type) {
    case "threshold":
    case "state_not_in":
    case "rate_of_change":
    case "flap":
    case "event":
      return condition.lookback_seconds
    case "consecutive":
      return 0
    case "baseline":
      return condition.baseline_seconds + (condition.offset_seconds ?? 0)
    case "absent":
      return condition.seconds
    case "composite":
      return Math.max(...condition.conditions.map(secondsOf))
  }
}
