/**
 * Why an alert may be kept from people while it goes on being judged. A suppression covers a whole device, one rule, one
 * entity or one alert; it ends at its time or when it is lifted. Flapping is the alert's own (alert.ts).
 */
import type { EntityKey } from "#protocol/id.ts"
import { entityKind } from "#protocol/id.ts"
import type { AlertSeverity, Scope } from "#protocol/rule.ts"
import { coversEntity } from "#twin/alert/scope.ts"

/** In the order in which one of several is named. */
export const SUPPRESSION_KINDS = ["maintenance", "change", "dependency", "mute"] as const
export type SuppressionKind = (typeof SUPPRESSION_KINDS)[number]

export interface Suppression {
  readonly id: string
  readonly kind: SuppressionKind
  /** null = every rule. */
  readonly rule: string | null
  /** null = every entity of the device; "" = the device itself. */
  readonly entity: string | null
  /** Only entities that it covers; absent = all. What it says of devices is not asked. */
  readonly scope?: Scope
  /** In words for an operator: the incident, the window's name. */
  readonly reason: string
  /** null = until lifted. */
  readonly untilMs: number | null
  /** Critical alerts are told all the same (PRODUCT.md I6). */
  readonly sparesCritical: boolean
}

/** Suppressions of one device at most; more push back. */
export const SUPPRESSIONS_MAX = 256

/** The one that is named when several cover an alert; null = none does. */
export const suppressionOf = (
  all: readonly Suppression[],
  rule: string,
  entity: string,
  severity: AlertSeverity,
): Suppression | null => {
  let found: Suppression | null = null
  for (const one of all) {
    const covers =
      (one.rule === null || one.rule === rule) &&
      (one.entity === null || one.entity === entity) &&
      (one.scope === undefined || coversEntity(one.scope, entityKind(entity as EntityKey) ?? "device", entity))
    if (!covers || (one.sparesCritical && severity === "critical")) continue
    if (found === null || SUPPRESSION_KINDS.indexOf(one.kind) < SUPPRESSION_KINDS.indexOf(found.kind)) found = one
  }
  return found
}
