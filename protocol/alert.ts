/**
 * An alert as people see it: one rule on one entity, where it is in its life, and why nobody is told when nobody is. The
 * shapes of the API, the client and receipts; twin/alert/ makes them. An alert has no number of its own: rule, device and
 * entity name it, in every replay the same.
 */
import type { EntityKey } from "#protocol/id.ts"
import type { AlertSeverity } from "#protocol/rule.ts"

export const ALERT_STATES = ["ok", "pending", "firing", "recovering"] as const
export type AlertStateName = (typeof ALERT_STATES)[number]

/** Why nobody is told of an alert that fires. */
export const HELD_BACK_BY = ["maintenance", "change", "dependency", "mute", "flap", "ack", "cooldown"] as const
export type HeldBackBy = (typeof HELD_BACK_BY)[number]

export interface AlertView {
  /** alertId(): stable through restarts and replays. */
  readonly id: string
  readonly rule: string
  readonly ruleName: string
  /** Hash of the rule's content. */
  readonly version: string
  readonly device: string
  readonly deviceName: string
  readonly site: string
  /** "" = the device itself. */
  readonly entity: EntityKey
  readonly state: AlertStateName
  readonly severity: AlertSeverity
  /** In this state since. */
  readonly sinceMs: number
  /** When it last began to fire; null = it has not (pending). */
  readonly firedMs: number | null
  /** Newest evidence, for or against. */
  readonly knownMs: number
  readonly flapping: boolean
  readonly ack: { readonly by: string; readonly atMs: number; readonly untilMs: number } | null
  readonly heldBack: { readonly by: HeldBackBy; readonly reason: string; readonly untilMs: number | null } | null
  readonly summary: string
  readonly runbook: string
}

export interface AlertName {
  readonly device: string
  readonly rule: string
  readonly entity: string
}

/** `<device>.<rule>.<entity>`, every part escaped so that it is a plain word in an address: other characters as `_<hex>_`. */
export const alertId = ({ device, rule, entity }: AlertName): string => [device, rule, entity].map(escaped).join(".")

/** Null = no id of an alert. */
export const alertNameOf = (id: string): AlertName | null => {
  const parts = id.split(".").map(unescaped)
  const [device, rule, entity] = parts
  if (parts.length !== 3 || device == null || rule == null || entity == null) return null
  return { device, rule, entity }
}

const escaped = (text: string): string =>
  text.replace(/[^A-Za-z0-9-]/gu, (char) => `_${(char.codePointAt(0) as number).toString(16)}_`)

const unescaped = (text: string): string | null => {
  if (!/^(?:[A-Za-z0-9-]|_[0-9a-f]{1,6}_)*$/.test(text)) return null
  try {
    return text.replace(/_([0-9a-f]+)_/g, (_all, hex: string) => String.fromCodePoint(Number.parseInt(hex, 16)))
  } catch {
    return null
  }
}
