/**
 * Alert rules, version 1: the shapes that an operator writes as JSON, the client edits and the twin judges by.
 * The meaning of every field stands in docs/rules.md; twin/alert/check.ts turns unknown JSON into a Rule or names what is
 * wrong with it. A type here is what has passed that check.
 */
import type { EntityKind } from "#protocol/id.ts"
import type { MetricName } from "#protocol/metric.ts"
import type { Role } from "#protocol/role.ts"

export const RULE_SCHEMA_VERSION = "1"

/** Least first. The words of PRODUCT.md I3. */
export const ALERT_SEVERITIES = ["info", "warn", "critical"] as const
export type AlertSeverity = (typeof ALERT_SEVERITIES)[number]

/** The kinds of entity that a rule can be about. */
export const RULE_ENTITY_TYPES = [
  "device",
  "interface",
  "ospf.neighbor",
  "bgp.peer",
  "lldp.neighbor",
  "discovery.neighbor",
  "engine",
  "service",
] as const satisfies readonly EntityKind[]

export const OPERATORS = [">", ">=", "<", "<=", "==", "!="] as const
export type Operator = (typeof OPERATORS)[number]

export const AGGREGATIONS = ["avg", "min", "max", "p95", "last", "sum", "count"] as const
export type Aggregation = (typeof AGGREGATIONS)[number]

/** The events of PRODUCT.md that are about a device or a part of it: those that a rule can count. */
export const RULE_EVENTS = [
  "device.reachable.changed",
  "device.api.changed",
  "device.rebooted",
  "device.version.changed",
  "interface.oper.changed",
  "interface.admin.changed",
  "ospf.neighbor.state.changed",
  "ospf.interface.state.changed",
  "bgp.peer.state.changed",
  "bgp.prefixes.dropped",
  "probe.degraded",
  "probe.recovered",
  "pppoe.sessions.dropped",
  "auth.failed",
  "config.changed.detected",
  "monitoring.degraded",
  "clock.skew.detected",
  "cert.expiring",
  "redundancy.lost",
  "redundancy.restored",
  "service.down",
  "service.degraded",
  "service.up",
] as const
export type RuleEvent = (typeof RULE_EVENTS)[number]

/** All lists must match (AND); one entry of a list is enough (OR). An absent list matches everything. */
export interface Scope {
  readonly by_entity_type?: readonly EntityKind[]
  readonly by_entity_ids?: readonly string[]
  readonly by_device_ids?: readonly string[]
  readonly by_tags?: readonly string[]
  readonly by_roles?: readonly Role[]
  readonly by_site_ids?: readonly string[]
}

/** The newest value of another metric of the same entity, or of its device, times `factor`. */
export interface ThresholdRef {
  readonly metric: MetricName
  readonly factor: number
}

export interface ThresholdCondition {
  readonly type: "threshold"
  readonly metric: MetricName
  readonly operator: Operator
  /** Exactly one of the two. */
  readonly threshold_num?: number
  readonly threshold_ref?: ThresholdRef
  readonly aggregation: Aggregation
  readonly lookback_seconds: number
}

/** For the whole lookback the value was none of the good ones. Words of a state metric, or numbers. */
export interface StateNotInCondition {
  readonly type: "state_not_in"
  readonly metric: MetricName
  readonly good_values: ReadonlyArray<string | number | boolean>
  readonly lookback_seconds: number
}

/** The newest `count` samples all pass. */
export interface ConsecutiveCondition {
  readonly type: "consecutive"
  readonly metric: MetricName
  readonly operator: Operator
  readonly threshold_num: number
  readonly count: number
}

/** Per second; or, `relative`, as a part of the value at the start of the lookback. Of a counter: its increase per second. */
export interface RateOfChangeCondition {
  readonly type: "rate_of_change"
  readonly metric: MetricName
  readonly operator: Operator
  readonly threshold_num: number
  readonly lookback_seconds: number
  readonly relative?: boolean
}

/** Now against `factor` times the mean of a stretch before: the stretch just before, or the same one `offset_seconds` ago. */
export interface BaselineCondition {
  readonly type: "baseline"
  readonly metric: MetricName
  readonly operator: Operator
  readonly factor: number
  readonly baseline_seconds: number
  readonly offset_seconds?: number
}

export interface FlapCondition {
  readonly type: "flap"
  readonly metric: MetricName
  readonly transitions: number
  readonly lookback_seconds: number
}

export interface AbsentCondition {
  readonly type: "absent"
  readonly metric: MetricName
  readonly seconds: number
}

/** A glob over the whole text (`*` any run, `?` one character, case ignored), or an expression of RE2 found somewhere in it. */
export type TextPattern = string | { readonly re2: string }

/** Patterns over the parts of an event; all given ones must match. */
export interface EventMatch {
  readonly old?: TextPattern
  readonly new?: TextPattern
  readonly raw?: TextPattern
}

export interface EventCondition {
  readonly type: "event"
  readonly event_type: RuleEvent
  readonly match?: EventMatch
  readonly count: number
  readonly lookback_seconds: number
}

export interface CompositeCondition {
  readonly type: "composite"
  readonly op: "and" | "or" | "not"
  readonly conditions: readonly Condition[]
}

export type Condition =
  | ThresholdCondition
  | StateNotInCondition
  | ConsecutiveCondition
  | RateOfChangeCondition
  | BaselineCondition
  | FlapCondition
  | AbsentCondition
  | EventCondition
  | CompositeCondition
export type ConditionType = Condition["type"]

export interface SeverityTier {
  readonly when: Condition
  readonly sev: AlertSeverity
}

/** One word; tiers, of which the first that holds counts (none: the last one's); or by role of the device. */
export type RuleSeverity =
  | AlertSeverity
  | readonly SeverityTier[]
  | { readonly by_role: Readonly<Partial<Record<Role | "default", AlertSeverity>>> }

export interface RuleAnnotations {
  /** With placeholders: RULE_PLACEHOLDERS. */
  readonly summary_template: string
  readonly description?: string
  /** `docs/runbooks/x.md` of the product, or an https URL of the operator's own. */
  readonly runbook_url: string
}

/** What `{{...}}` may name in a summary template; `percent` is a value that is a share, in per cent and without its sign. */
export const RULE_PLACEHOLDERS = [
  "device",
  "entity",
  "site",
  "role",
  "rule",
  "severity",
  "metric",
  "value",
  "percent",
  "threshold",
  "unit",
] as const
export type RulePlaceholder = (typeof RULE_PLACEHOLDERS)[number]

export interface Rule {
  readonly id: string
  readonly rule_schema_version: typeof RULE_SCHEMA_VERSION
  /** Enabled rules of one name are variants of one rule: for each entity only the one with the most specific scope counts. */
  readonly name: string
  readonly enabled: boolean
  readonly severity: RuleSeverity
  readonly scope: Scope
  readonly condition: Condition
  /** Absent: recovered as soon as the condition no longer holds. */
  readonly recover?: Condition
  readonly for_seconds: number
  readonly recover_seconds: number
  readonly cooldown_seconds: number
  readonly notify_policy_id?: string
  readonly annotations: RuleAnnotations
}
