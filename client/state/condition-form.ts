/**
 * The condition builder's picture of a rule's JSON, and back: `buildCondition(parseCondition(json))` is the very same JSON,
 * key for key, also when it is no condition at all. So builder and text can stand side by side and neither loses what the
 * other does not know. What is right and wrong is the engine's to say (twin/alert/check.ts).
 */
import type { Condition, ConditionType } from "#protocol/rule.ts"

export interface KnownForm {
  readonly kind: "known"
  readonly type: ConditionType
  /** Every key in its order, `type` and `conditions` too; the values of those two stand in `type` and `inner`. */
  readonly fields: readonly (readonly [key: string, value: unknown])[]
  /** Of a composite that holds a list; null = none. */
  readonly inner: readonly ConditionForm[] | null
}
/** Anything that has no builder: kept as it is. */
export interface OtherForm {
  readonly kind: "other"
  readonly json: unknown
}
export type ConditionForm = KnownForm | OtherForm

export type FieldInput =
  | "metric"
  | "operator"
  | "aggregation"
  | "limit"
  | "number"
  | "count"
  | "seconds"
  | "values"
  | "flag"
  | "event"
  | "match"
  | "op"
export interface FieldSpec {
  readonly key: string
  readonly input: FieldInput
  readonly optional?: true
}

const METRIC: FieldSpec = { key: "metric", input: "metric" }
const OPERATOR: FieldSpec = { key: "operator", input: "operator" }
const LOOKBACK: FieldSpec = { key: "lookback_seconds", input: "seconds" }
const NUMBER: FieldSpec = { key: "threshold_num", input: "number" }

/** What each kind of condition asks for, in the order in which a person reads it (docs/rules.md). */
export const CONDITION_FIELDS: Readonly<Record<ConditionType, readonly FieldSpec[]>> = {
  threshold: [
    { key: "aggregation", input: "aggregation" },
    METRIC,
    OPERATOR,
    { key: "threshold_num", input: "limit" },
    LOOKBACK,
  ],
  state_not_in: [METRIC, { key: "good_values", input: "values" }, LOOKBACK],
  consecutive: [METRIC, OPERATOR, NUMBER, { key: "count", input: "count" }],
  rate_of_change: [METRIC, OPERATOR, NUMBER, LOOKBACK, { key: "relative", input: "flag", optional: true }],
  baseline: [
    METRIC,
    OPERATOR,
    { key: "factor", input: "number" },
    { key: "baseline_seconds", input: "seconds" },
    { key: "offset_seconds", input: "seconds", optional: true },
  ],
  flap: [METRIC, { key: "transitions", input: "count" }, LOOKBACK],
  absent: [METRIC, { key: "seconds", input: "seconds" }],
  event: [
    { key: "event_type", input: "event" },
    { key: "count", input: "count" },
    LOOKBACK,
    { key: "match", input: "match", optional: true },
  ],
  composite: [{ key: "op", input: "op" }],
}
export const CONDITION_TYPES = Object.keys(CONDITION_FIELDS) as readonly ConditionType[]

/** A condition of each kind that passes the engine's check as it is: where building begins. */
const FRESH: { readonly [T in ConditionType]: Extract<Condition, { type: T }> } = {
  threshold: {
    type: "threshold",
    metric: "device.cpu_pct",
    operator: ">",
    threshold_num: 80,
    aggregation: "avg",
    lookback_seconds: 300,
  },
  state_not_in: {
    type: "state_not_in",
    metric: "ospf.neighbor.state",
    good_values: ["full"],
    lookback_seconds: 60,
  },
  consecutive: {
    type: "consecutive",
    metric: "probe.ping.loss_pct",
    operator: "==",
    threshold_num: 100,
    count: 3,
  },
  rate_of_change: {
    type: "rate_of_change",
    metric: "device.temp_c",
    operator: ">",
    threshold_num: 0.01,
    lookback_seconds: 600,
  },
  baseline: {
    type: "baseline",
    metric: "pppoe.sessions.active",
    operator: "<",
    factor: 0.7,
    baseline_seconds: 600,
  },
  flap: { type: "flap", metric: "interface.oper_up", transitions: 4, lookback_seconds: 600 },
  absent: { type: "absent", metric: "device.uptime_seconds", seconds: 300 },
  event: { type: "event", event_type: "device.rebooted", count: 1, lookback_seconds: 600 },
  composite: { type: "composite", op: "and", conditions: [] },
}

const isObject = (json: unknown): json is Readonly<Record<string, unknown>> =>
  typeof json === "object" && json !== null && !Array.isArray(json)
const isType = (word: unknown): word is ConditionType => CONDITION_TYPES.includes(word as ConditionType)

export const parseCondition = (json: unknown): ConditionForm => {
  if (!isObject(json) || !Object.hasOwn(json, "type") || !isType(json["type"])) return { kind: "other", json }
  const list = json["type"] === "composite" ? json["conditions"] : undefined
  const inner = Array.isArray(list) ? list.map(parseCondition) : null
  return { kind: "known", type: json["type"], fields: Object.entries(json), inner }
}

export const buildCondition = (form: ConditionForm): unknown => {
  if (form.kind === "other") return form.json
  const value = ([key, json]: readonly [string, unknown]): unknown => {
    if (key === "type") return form.type
    return key === "conditions" && form.inner !== null ? form.inner.map(buildCondition) : json
  }
  return Object.fromEntries(form.fields.map((field) => [field[0], value(field)]))
}

export const freshCondition = (type: ConditionType): KnownForm => {
  const inner = type === "composite" ? { conditions: [FRESH.threshold, FRESH.absent] } : {}
  return parseCondition({ ...FRESH[type], ...inner }) as KnownForm
}

export const valueOf = (form: KnownForm, key: string): unknown => form.fields.find(([name]) => name === key)?.[1]

/** `undefined` takes the key away. A new key comes last. */
export const withField = (form: KnownForm, key: string, value: unknown): KnownForm => {
  if (value === undefined) return { ...form, fields: form.fields.filter(([name]) => name !== key) }
  const known = form.fields.some(([name]) => name === key)
  const fields = form.fields.map((field) => (field[0] === key ? ([key, value] as const) : field))
  return { ...form, fields: known ? fields : [...fields, [key, value]] }
}

/** A threshold is a number or another metric, never both: the one takes the other's place. */
export const withLimit = (
  form: KnownForm,
  limit: number | Readonly<Record<string, unknown>> | undefined,
): KnownForm => {
  const [key, other] = isObject(limit) ? ["threshold_ref", "threshold_num"] : ["threshold_num", "threshold_ref"]
  if (limit === undefined) return withField(withField(form, other, undefined), key, undefined)
  if (!form.fields.some(([name]) => name === other)) return withField(form, key, limit)
  const fields = form.fields
    .filter(([name]) => name !== key)
    .map((field) => (field[0] === other ? ([key, limit] as const) : field))
  return { ...form, fields }
}

/**
 * The same condition as another kind: what both kinds ask for stays, the rest begins fresh. Becoming a composite takes the
 * old condition inside; ceasing to be one keeps the first inside that already is of the wanted kind.
 */
export const retyped = (form: ConditionForm, type: ConditionType): ConditionForm => {
  if (form.kind === "other") return freshCondition(type)
  if (form.type === type) return form
  if (type === "composite") return composed([form], "and")
  if (form.type === "composite") {
    return form.inner?.find((one) => one.kind === "known" && one.type === type) ?? freshCondition(type)
  }
  const fresh = freshCondition(type)
  const fits = (key: string): boolean =>
    key !== "type" &&
    CONDITION_FIELDS[type].some((field) => field.key === key) &&
    form.fields.some(([name]) => name === key)
  return { ...fresh, fields: fresh.fields.map(([key, json]) => [key, fits(key) ? valueOf(form, key) : json]) }
}

export type CompositeOp = "and" | "or" | "not"
export const composed = (inner: readonly ConditionForm[], op: CompositeOp): KnownForm => ({
  kind: "known",
  type: "composite",
  fields: [
    ["type", "composite"],
    ["op", op],
    ["conditions", []],
  ],
  inner,
})

const withInner = (form: KnownForm, inner: readonly ConditionForm[]): KnownForm =>
  form.fields.some(([key]) => key === "conditions")
    ? { ...form, inner }
    : { ...withField(form, "conditions", []), inner }

export const added = (form: KnownForm, one: ConditionForm): KnownForm => withInner(form, [...(form.inner ?? []), one])
export const replaced = (form: KnownForm, at: number, one: ConditionForm): KnownForm =>
  withInner(form, (form.inner ?? []).with(at, one))
export const without = (form: KnownForm, at: number): KnownForm =>
  withInner(
    form,
    (form.inner ?? []).filter((_, index) => index !== at),
  )
/** Takes a composite apart when one is left in it; others stay. */
export const unwrapped = (form: ConditionForm): ConditionForm => {
  if (form.kind === "other" || form.inner === null || form.inner.length !== 1) return form
  return valueOf(form, "op") === "not" ? form : (form.inner[0] as ConditionForm)
}
