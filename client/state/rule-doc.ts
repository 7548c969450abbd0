/**
 * Editing a rule as the JSON it is: values at paths, the engine's mistakes at theirs, templates, and the words of a scope.
 * The JSON is the one truth of the editor; the form only shows and changes places in it. Pure.
 */
import type { RuleMistake } from "#protocol/rest-generated.ts"
import { RULE_SCHEMA_VERSION } from "#protocol/rule.ts"
import type { Rule, Scope } from "#protocol/rule.ts"
import { freshCondition, buildCondition } from "#client/state/condition-form.ts"

export type Path = readonly (string | number)[]

export const valueAt = (json: unknown, path: Path): unknown =>
  path.reduce<unknown>(
    (at, key) =>
      typeof at === "object" && at !== null && Object.hasOwn(at, key)
        ? (at as Readonly<Record<string | number, unknown>>)[key]
        : undefined,
    json,
  )

/** `undefined` takes the key away. What is on the way and is no object becomes one; keys keep their order. */
export const withValue = (json: unknown, path: Path, value: unknown): unknown => {
  const [key, ...rest] = path
  if (key === undefined) return value
  if (Array.isArray(json) && typeof key === "number") {
    const inner = withValue(json[key], rest, value)
    return inner === undefined
      ? json.filter((_, at) => at !== key)
      : [...json.slice(0, key), inner, ...json.slice(key + 1)]
  }
  const object =
    typeof json === "object" && json !== null && !Array.isArray(json) ? (json as Readonly<Record<string, unknown>>) : {}
  const inner = withValue(object[key], rest, value)
  if (inner === undefined) return Object.fromEntries(Object.entries(object).filter(([name]) => name !== String(key)))
  return { ...object, [key]: inner }
}

/** As the engine writes it: `condition.conditions[1].metric`. */
export const pathText = (path: Path): string =>
  path.reduce<string>(
    (text, key) => (typeof key === "number" ? `${text}[${key}]` : text === "" ? key : `${text}.${key}`),
    "",
  )

export const mistakesAt = (mistakes: readonly RuleMistake[], path: Path): readonly string[] =>
  mistakes.filter((one) => one.path === pathText(path)).map(({ problem }) => problem)

/** Lists of objects as objects by place, so that a comparison names what differs inside them. */
export const indexed = (json: unknown): unknown => {
  if (typeof json !== "object" || json === null) return json
  if (!Array.isArray(json)) return Object.fromEntries(Object.entries(json).map(([key, inner]) => [key, indexed(inner)]))
  if (!json.some((one) => typeof one === "object")) return json
  return Object.fromEntries(json.map((one, at) => [`[${at}]`, indexed(one)]))
}

/** The mistakes of a refused save or import, out of the problem's further members. */
export const mistakesIn = (fields: Readonly<Record<string, unknown>>): readonly RuleMistake[] => {
  const list = fields["mistakes"]
  if (!Array.isArray(list)) return []
  return list.filter((one): one is RuleMistake => typeof one?.path === "string" && typeof one?.problem === "string")
}

/** A rule to begin with, as it stands in the handbook. */
export const newRule = (id: string, name: string): unknown => ({
  id,
  rule_schema_version: RULE_SCHEMA_VERSION,
  name,
  enabled: true,
  severity: "warn",
  scope: {},
  condition: buildCondition(freshCondition("threshold")),
  for_seconds: 0,
  recover_seconds: 60,
  cooldown_seconds: 300,
  annotations: {
    summary_template: "{{metric}} of {{entity}} on {{device}} is {{value}} {{unit}}",
    runbook_url: "https://",
  },
})

/** A variant of a shipped rule: the same name, so that for each entity only the more specific of both counts. */
export const variantOf = (rule: unknown, taken: ReadonlySet<string>): unknown => {
  const id = String(valueAt(rule, ["id"]) ?? "rule")
  for (let nth = 2; ; nth++) {
    const next = `${id.slice(0, 60)}-${nth}`
    if (!taken.has(next)) return withValue(rule, ["id"], next)
  }
}

/** What somebody pastes or drops: one rule, a list, or what the export writes. Null = none of these. */
export const rulesIn = (json: unknown): readonly Readonly<Record<string, unknown>>[] | null => {
  const isObject = (one: unknown): one is Readonly<Record<string, unknown>> =>
    typeof one === "object" && one !== null && !Array.isArray(one)
  const list = isObject(json) && Array.isArray(json["rules"]) ? json["rules"] : Array.isArray(json) ? json : [json]
  return list.length > 0 && list.every(isObject) ? (list as readonly Readonly<Record<string, unknown>>[]) : null
}

export const SCOPE_FIELDS = [
  "by_site_ids",
  "by_device_ids",
  "by_roles",
  "by_tags",
  "by_entity_type",
  "by_entity_ids",
] as const satisfies readonly (keyof Scope)[]
export type ScopeField = (typeof SCOPE_FIELDS)[number]

/** An empty list would match nothing: it is taken away, which matches everything. */
export const withScope = (scope: Scope, field: ScopeField, values: readonly string[]): Scope =>
  withValue(scope, [field], values.length === 0 ? undefined : values) as Scope

export const scopeList = (scope: unknown, field: ScopeField): readonly string[] => {
  const list = valueAt(scope, [field])
  return Array.isArray(list) ? list.filter((one): one is string => typeof one === "string") : []
}

/** An answer of the API holds a whole rule (engine/api/groups/alert-rules.ts); this is where that is taken at its word. */
export const asRule = (json: Readonly<Record<string, unknown>>): Rule => json as unknown as Rule

/** The worst that a rule can say, for its mark in a list. */
export const worstSeverity = ({ severity }: Pick<Rule, "severity">): "critical" | "warn" | "info" => {
  const all =
    typeof severity === "string"
      ? [severity]
      : Array.isArray(severity)
        ? severity.map(({ sev }: { sev: string }) => sev)
        : Object.values((severity as { by_role?: Readonly<Record<string, string>> }).by_role ?? {})
  return all.includes("critical") ? "critical" : all.includes("warn") ? "warn" : "info"
}
