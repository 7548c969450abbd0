/**
 * What a change of the tenant's rules comes to: checked against the language, the tenant's quotas and what is shipped,
 * before anything is written. A rule whose text is that of the shipped one needs no row; a wish that changes nothing
 * changes nothing.
 */
import { RuleInvalid, Refused } from "#engine/api/problems.ts"
import type { QuotaPassed } from "#engine/quota/quotas.ts"
import { shippedRules, windowSecondsOf, type RuleEntry, type RuleSet } from "#engine/rules/rule-set.ts"
import type { Rule } from "#protocol/rule.ts"
import { checkRule, type CheckedRule } from "#twin/alert/check.ts"

export interface Mistake {
  readonly path: string
  readonly problem: string
}
/** Mistakes told of one request. */
const MISTAKES_TOLD = 100
/** Words that stand where a rule's id stands in an address. */
const RESERVED: ReadonlySet<string> = new Set(["check", "dry-run", "export", "import", "packs"])

/** Null = there may be `wanted` of them. */
export type RuleQuota = (name: "max_rules" | "max_rule_window_s", wanted: number) => QuotaPassed | null

export interface RulePlan {
  /** Rows to write: their text is neither what stands there nor what is shipped. */
  readonly write: readonly Rule[]
  /** Rows to remove. */
  readonly drop: readonly string[]
  readonly added: readonly string[]
  readonly changed: readonly string[]
  readonly removed: readonly string[]
  readonly unchanged: number
}

export const mistakesOf = (json: unknown, prefix = ""): readonly Mistake[] => {
  const checked = checkRule(json)
  if (!checked.ok)
    return checked.mistakes.map(({ path, message }) => ({ path: joined(prefix, path), problem: message }))
  return RESERVED.has(checked.rule.id)
    ? [{ path: joined(prefix, "id"), problem: `"${checked.rule.id}" is a word of the API: take another` }]
    : []
}

const joined = (prefix: string, path: string): string =>
  prefix === "" ? path : path === "" ? prefix : `${prefix}.${path}`

/** Throws RuleInvalid with every mistake of all of them. */
export const checkedRules = (
  given: readonly unknown[],
  prefixOf: (index: number) => string,
): readonly CheckedRule[] => {
  const mistakes: Mistake[] = []
  const rules: CheckedRule[] = []
  const places = new Map<string, number>()
  for (const [index, json] of given.entries()) {
    const own = mistakesOf(json, prefixOf(index))
    mistakes.push(...own)
    const checked = own.length === 0 ? checkRule(json) : null
    if (checked?.ok !== true) continue
    const before = places.get(checked.rule.id)
    if (before !== undefined)
      mistakes.push({ path: joined(prefixOf(index), "id"), problem: `is that of ${prefixOf(before)}, too` })
    places.set(checked.rule.id, index)
    rules.push(checked)
  }
  if (mistakes.length > 0) throw new RuleInvalid({ mistakes: mistakes.slice(0, MISTAKES_TOLD) })
  return rules
}

/** `replace` = what the tenant wrote and these do not name goes. Throws QuotaPassed. */
export const planRules = (
  stored: RuleSet,
  wanted: readonly CheckedRule[],
  replace: boolean,
  quota: RuleQuota,
): RulePlan => {
  const before = new Map(stored.entries.map((entry) => [entry.rule.id, entry]))
  const write: Rule[] = []
  const drop: string[] = []
  const sorted = { added: [] as string[], changed: [] as string[], removed: [] as string[] }
  let unchanged = 0
  let longest = 0
  for (const { rule, version } of wanted) {
    const old = before.get(rule.id)
    if (old?.version === version) {
      unchanged++
      continue
    }
    longest = Math.max(longest, windowSecondsOf(rule))
    if (shippedRules().get(rule.id)?.version === version) drop.push(rule.id)
    else write.push(rule)
    if (old === undefined) sorted.added.push(rule.id)
    else sorted.changed.push(rule.id)
  }
  if (replace) {
    const named = new Set(wanted.map(({ rule }) => rule.id))
    const gone = stored.entries.filter(({ rule, origin }) => isWritten(origin) && !named.has(rule.id))
    drop.push(...gone.map(({ rule }) => rule.id), ...stored.unusable)
    sorted.removed.push(...gone.map(({ rule }) => rule.id), ...stored.unusable)
  }
  const gone = sorted.removed.filter((id) => !shippedRules().has(id) && before.has(id)).length
  const grows = sorted.added.length - gone
  const passed =
    (grows > 0 ? quota("max_rules", before.size + grows) : null) ??
    (longest > 0 ? quota("max_rule_window_s", longest) : null)
  if (passed !== null) throw passed
  return { write, drop, ...sorted, unchanged }
}

/** Throws Refused for what is shipped and untouched. */
export const planRemoval = (entry: RuleEntry): void => {
  if (!isWritten(entry.origin))
    throw new Refused({ detail: "a shipped rule cannot be removed: switch it off (`enabled`: false)" })
}

const isWritten = (origin: string): boolean => origin === "own" || origin === "changed"
