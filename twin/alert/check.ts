/**
 * Unknown JSON into a Rule, or every mistake in it with its path. What passes here can be compiled and judged without any
 * further error: metrics exist, thresholds fit them, templates can be filled in, and the conditions agree on what the rule
 * is about.
 */
import type { EntityKind } from "#protocol/id.ts"
import type { MetricName } from "#protocol/metric.ts"
import { metricByName } from "#protocol/metric.ts"
import type { Role } from "#protocol/role.ts"
import { ROLES } from "#protocol/role.ts"
import type {
  AlertSeverity,
  Condition,
  ConditionType,
  Rule,
  RuleAnnotations,
  RuleSeverity,
  Scope,
  SeverityTier,
} from "#protocol/rule.ts"
import { ALERT_SEVERITIES, RULE_ENTITY_TYPES, RULE_SCHEMA_VERSION } from "#protocol/rule.ts"
import { CONDITION_TYPES, kindOf } from "#twin/alert/conditions/registry.ts"
import type { Fields, Mistakes, RuleMistake } from "#twin/alert/read.ts"
import {
  asList,
  asText,
  asWord,
  CONDITIONS_MAX,
  DEPTH_MAX,
  join,
  missing,
  note,
  openObject,
  optional,
  readFlag,
  readOptionalNumber,
  readOptionalText,
  readText,
} from "#twin/alert/read.ts"
import { templateMistake } from "#twin/alert/template.ts"
import { stateHash } from "#twin/hash.ts"

/** A rule that may be judged, and the hash of its content: another text is another version. */
export interface CheckedRule {
  readonly rule: Rule
  readonly version: string
}
export type RuleCheck =
  | ({ readonly ok: true } & CheckedRule)
  | { readonly ok: false; readonly mistakes: readonly RuleMistake[] }

const KEYS = [
  "id",
  "rule_schema_version",
  "name",
  "enabled",
  "severity",
  "scope",
  "condition",
  "recover",
  "for_seconds",
  "recover_seconds",
  "cooldown_seconds",
  "notify_policy_id",
  "annotations",
] as const
const ID = /^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$/
const SECONDS = { min: 0, max: 86_400, whole: true } as const
const COOLDOWN_DEFAULT_S = 300
const SCOPE_MAX = 1000

export const checkRule = (json: unknown): RuleCheck => {
  const mistakes: Mistakes = { list: [], conditions: 0 }
  const rule = readRule(json, mistakes)
  if (rule !== undefined && mistakes.list.length === 0) checkSubject(rule, mistakes)
  if (rule === undefined || mistakes.list.length > 0) return { ok: false, mistakes: mistakes.list }
  return { ok: true, rule, version: stateHash(rule) }
}

const readRule = (json: unknown, mistakes: Mistakes): Rule | undefined => {
  const fields = openObject(json, "", KEYS, mistakes)
  if (fields === undefined) return undefined
  const version = optional(fields, "rule_schema_version")
  if (version !== RULE_SCHEMA_VERSION)
    note(mistakes, "rule_schema_version", `must be "${RULE_SCHEMA_VERSION}": this build reads no other version`)
  const id = readText(fields, "id", 64)
  if (id !== undefined && !ID.test(id))
    note(
      mistakes,
      "id",
      "must be lower-case letters, digits, dots, dashes and underscores, beginning and ending with a letter or digit",
    )
  const name = readText(fields, "name", 120)
  const enabled = readFlag(fields, "enabled") ?? true
  const severity = readSeverity(fields)
  const scope = readScope(fields)
  const given = optional(fields, "condition")
  const condition = given === undefined ? missing(fields, "condition") : readCondition(given, "condition", mistakes, 0)
  const back = optional(fields, "recover")
  const recover = back === undefined ? undefined : readCondition(back, "recover", mistakes, 0)
  const seconds = readSeconds(fields)
  const notify = readOptionalText(fields, "notify_policy_id", 64)
  const annotations = readAnnotations(fields)
  if (!id || !name || !severity || !scope || !condition || !annotations || !seconds) return undefined
  return {
    id,
    rule_schema_version: RULE_SCHEMA_VERSION,
    name,
    enabled,
    severity,
    scope,
    condition,
    ...(recover === undefined ? {} : { recover }),
    ...seconds,
    ...(notify === undefined ? {} : { notify_policy_id: notify }),
    annotations,
  }
}

type Seconds = Pick<Rule, "for_seconds" | "recover_seconds" | "cooldown_seconds">

/** Every kind of condition spans its own stretch of time already, so nothing waits any longer unless it is said. */
const readSeconds = (fields: Fields): Seconds => ({
  for_seconds: readOptionalNumber(fields, "for_seconds", SECONDS) ?? 0,
  recover_seconds: readOptionalNumber(fields, "recover_seconds", SECONDS) ?? 0,
  cooldown_seconds: readOptionalNumber(fields, "cooldown_seconds", SECONDS) ?? COOLDOWN_DEFAULT_S,
})

const readCondition = (value: unknown, path: string, mistakes: Mistakes, depth: number): Condition | undefined => {
  if (++mistakes.conditions > CONDITIONS_MAX)
    return note(mistakes, path, `is one condition too many; a rule takes ${CONDITIONS_MAX}`)
  if (depth >= DEPTH_MAX) return note(mistakes, path, `is nested deeper than ${DEPTH_MAX} levels`)
  const type = typeof value === "object" && value !== null ? (value as { type?: unknown }).type : undefined
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return note(mistakes, path, "must be a condition {...}")
  const word = asWord<ConditionType>(type, join(path, "type"), CONDITION_TYPES, mistakes)
  if (word === undefined) return undefined
  const kind = kindOf(word)
  const fields = openObject(value, path, ["type", ...kind.keys], mistakes, depth)
  return fields === undefined
    ? undefined
    : kind.check(fields, (inner, at) => readCondition(inner, at, mistakes, depth + 1))
}

const readSeverity = (fields: Fields): RuleSeverity | undefined => {
  const value = optional(fields, "severity")
  const { mistakes } = fields
  if (value === undefined) return missing(fields, "severity")
  if (typeof value === "string") return asWord(value, "severity", ALERT_SEVERITIES, mistakes)
  if (Array.isArray(value))
    return asList(value, "severity", 8, mistakes, (tier, path) => readTier(tier, path, mistakes))
  const outer = openObject(value, "severity", ["by_role"], mistakes)
  if (outer === undefined) return undefined
  const roles = openObject(optional(outer, "by_role"), "severity.by_role", [...ROLES, "default"], mistakes)
  if (roles === undefined) return undefined
  const by_role: Partial<Record<Role | "default", AlertSeverity>> = {}
  for (const role of [...ROLES, "default"] as const) {
    const given = optional(roles, role)
    if (given === undefined) continue
    const severity = asWord(given, `severity.by_role.${role}`, ALERT_SEVERITIES, mistakes)
    if (severity !== undefined) by_role[role] = severity
  }
  return Object.keys(by_role).length === 0
    ? note(mistakes, "severity.by_role", "must name at least one role, or default")
    : { by_role }
}

const readTier = (value: unknown, path: string, mistakes: Mistakes): SeverityTier | undefined => {
  const fields = openObject(value, path, ["when", "sev"], mistakes)
  if (fields === undefined) return undefined
  const when = optional(fields, "when")
  const condition = when === undefined ? missing(fields, "when") : readCondition(when, join(path, "when"), mistakes, 0)
  const sev = asWord(optional(fields, "sev"), join(path, "sev"), ALERT_SEVERITIES, mistakes)
  return condition === undefined || sev === undefined ? undefined : { when: condition, sev }
}

const SCOPE_KEYS = ["by_entity_type", "by_device_ids", "by_site_ids", "by_tags", "by_roles", "by_entity_ids"] as const

const readScope = (fields: Fields): Scope | undefined => {
  const { mistakes } = fields
  const scope = openObject(optional(fields, "scope") ?? {}, "scope", SCOPE_KEYS, mistakes)
  if (scope === undefined) return undefined
  const listOf = <T>(
    key: keyof Scope,
    entry: (value: unknown, path: string) => T | undefined,
  ): readonly T[] | undefined => {
    const value = optional(scope, key)
    return value === undefined ? undefined : asList(value, `scope.${key}`, SCOPE_MAX, mistakes, entry)
  }
  const text = (value: unknown, path: string): string | undefined => asText(value, path, 200, mistakes)
  const read = {
    by_entity_type: listOf("by_entity_type", (value, path) => asWord(value, path, RULE_ENTITY_TYPES, mistakes)),
    by_entity_ids: listOf("by_entity_ids", text),
    by_device_ids: listOf("by_device_ids", text),
    by_tags: listOf("by_tags", text),
    by_roles: listOf("by_roles", (value, path) => asWord(value, path, ROLES, mistakes)),
    by_site_ids: listOf("by_site_ids", text),
  }
  return Object.fromEntries(Object.entries(read).filter(([, list]) => list !== undefined)) as Scope
}

const RUNBOOK = /^(?:docs\/runbooks\/[a-z0-9-]+\.md|https:\/\/[^\s"<>]+)$/

const readAnnotations = (fields: Fields): RuleAnnotations | undefined => {
  const value = optional(fields, "annotations")
  if (value === undefined) return missing(fields, "annotations")
  const keys = ["summary_template", "description", "runbook_url"]
  const inner = openObject(value, "annotations", keys, fields.mistakes)
  if (inner === undefined) return undefined
  const summary = readText(inner, "summary_template", 300)
  const description = readOptionalText(inner, "description", 2000)
  const runbook = readText(inner, "runbook_url", 500)
  const wrong = summary === undefined ? null : templateMistake(summary)
  if (wrong !== null) note(fields.mistakes, "annotations.summary_template", wrong)
  if (runbook !== undefined && !RUNBOOK.test(runbook))
    note(
      fields.mistakes,
      "annotations.runbook_url",
      "must be docs/runbooks/NAME.md of the handbook or an https:// address",
    )
  if (summary === undefined || runbook === undefined) return undefined
  return { summary_template: summary, ...(description === undefined ? {} : { description }), runbook_url: runbook }
}

// -- what a rule is about ----------------------------------------------------------------------------------------------

/** All conditions of a rule: that of firing, of recovery, of severity. */
export const conditionsOf = (rule: Rule): readonly Condition[] => [
  rule.condition,
  ...(rule.recover === undefined ? [] : [rule.recover]),
  ...(Array.isArray(rule.severity) ? (rule.severity as readonly SeverityTier[]).map(({ when }) => when) : []),
]

const metricsIn = (condition: Condition): readonly MetricName[] => {
  const kind = kindOf(condition.type)
  return [...kind.metrics(condition), ...kind.inner(condition).flatMap(metricsIn)]
}

/** The kind of entity that a checked rule judges: what its metrics belong to, else what its scope says, else the device. */
export const subjectKind = (rule: Rule): EntityKind => partKinds(rule)[0] ?? rule.scope.by_entity_type?.[0] ?? "device"

/** Kinds other than the device among the metrics; one at most in a checked rule. */
const partKinds = (rule: Rule): readonly EntityKind[] => [
  ...new Set(
    conditionsOf(rule)
      .flatMap(metricsIn)
      .map((name) => metricByName(name)?.entity ?? "device")
      .filter((kind) => kind !== "device"),
  ),
]

const checkSubject = (rule: Rule, mistakes: Mistakes): void => {
  const parts = partKinds(rule)
  const types = rule.scope.by_entity_type
  if (parts.length > 1)
    note(
      mistakes,
      "condition",
      `mixes metrics of ${parts.join(" and ")}; a rule judges entities of one kind, and their device`,
    )
  if (types !== undefined && types.length > 1)
    note(mistakes, "scope.by_entity_type", "must name one kind: a rule judges entities of one kind")
  else if (types !== undefined && parts.length === 1 && types[0] !== parts[0])
    note(mistakes, "scope.by_entity_type", `is ${types[0]}, but the metrics belong to ${parts[0]}`)
}
