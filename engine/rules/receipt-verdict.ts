/**
 * Re-checks a decision receipt without the engine that made it: nothing in it was changed (hash), the rule is the one that
 * it names (version), the rule is about this entity (scope), its condition was as true as it says (receipt-truth.ts), and
 * the alert moved as the rule's life says. What cannot be known from a receipt is listed in UNCHECKED.
 */
import { EVIDENCE_MS, truthIn, Undecided, type Truth } from "#engine/rules/receipt-truth.ts"
import { entityKind, type EntityKey } from "#protocol/id.ts"
import { ALERT_SEVERITIES, type AlertSeverity, type Condition, type Rule } from "#protocol/rule.ts"
import type { Receipt } from "#twin/alert/receipt.ts"
import { stateHash } from "#twin/hash.ts"

/** `undecided` = nothing is wrong, but it does not hold enough to recompute everything. */
export interface ReceiptVerdict {
  readonly verdict: "accepted" | "rejected" | "undecided"
  /** What is wrong, or missing. */
  readonly reasons: readonly string[]
}

/**
 * Parts that a receipt only tells: their hash binds them to the rest, but nothing in the receipt proves them. Whoever makes
 * up a receipt with a hash of its own could choose these, and the samples.
 */
export const UNCHECKED: readonly string[] = [
  "device.name",
  "summary",
  "heldBack (why nobody was told) and notice beyond their fitting the state",
  "before (the alert as it was), beyond what follows from it",
  "that samples and events are those that the device sent",
]

type Signal = "met" | "held" | "unmet" | "recovered" | "settled" | "unknown" | "lost"
type State = Receipt["before"]["state"]

export const verifyReceipt = (json: unknown): ReceiptVerdict => {
  const misshapen = shapeOf(json)
  if (misshapen !== null) return { verdict: "rejected", reasons: [misshapen] }
  const receipt = json as Receipt
  const wrong: string[] = []
  const missing: string[] = []
  const { hash, ...rest } = receipt
  try {
    if (stateHash(rest) !== hash) wrong.push("hash: something in it was changed")
    if (stateHash(receipt.rule) !== receipt.version) wrong.push("version: the rule is another one")
    if (!isInScope(receipt)) wrong.push("rule.scope: the rule is not about this entity")
    wrong.push(...decided(receipt, missing))
  } catch (error) {
    if (!(error instanceof Undecided)) wrong.push("it cannot be read")
    else missing.push(error.message)
  }
  if (wrong.length > 0) return { verdict: "rejected", reasons: wrong }
  return missing.length > 0 ? { verdict: "undecided", reasons: missing } : { verdict: "accepted", reasons: [] }
}

/** Null = every field that is read here is there; what is inside the rule is bound by its version. */
const shapeOf = (json: unknown): string | null => {
  const receipt = json as Record<string, unknown> | null
  if (typeof receipt !== "object" || receipt === null || receipt["format"] !== 1) return "it is no receipt of format 1"
  const isObject = (value: unknown): boolean => typeof value === "object" && value !== null && !Array.isArray(value)
  for (const field of ["rule", "device", "before", "after"])
    if (!isObject(receipt[field])) return `${field}: is missing`
  for (const field of ["series", "events"]) if (!Array.isArray(receipt[field])) return `${field}: is missing`
  for (const field of ["hash", "version", "entity", "condition"])
    if (typeof receipt[field] !== "string") return `${field}: is missing`
  for (const field of ["clockMs", "watchedMs"]) if (!Number.isFinite(receipt[field])) return `${field}: is no time`
  for (const [nth, series] of (receipt["series"] as readonly SeriesShape[]).entries()) {
    const place = `series[${nth}]`
    if (!isNumbers(series?.samples) || series.samples.length % 2 !== 0) return `${place}.samples: is misshapen`
    if (
      !Array.isArray(series.buckets) ||
      !series.buckets.every((one) => isNumbers((one as { cells?: unknown })?.cells))
    )
      return `${place}.buckets: is misshapen`
    for (let at = 2; at < series.samples.length; at += 2)
      if (series.samples[at]! <= series.samples[at - 2]!) return `${place}.samples: are not in the order of time`
  }
  const events = receipt["events"] as ReadonlyArray<{ readonly timesMs?: unknown } | null>
  return events.every((event) => isNumbers(event?.timesMs)) ? null : "events: are misshapen"
}
interface SeriesShape {
  readonly samples?: unknown
  readonly buckets?: unknown
}
const isNumbers = (value: unknown): value is readonly number[] =>
  Array.isArray(value) && value.every((one) => typeof one === "number" && !Number.isNaN(one))

const isInScope = ({ rule, device, entity }: Receipt): boolean => {
  const { by_entity_type, by_entity_ids, by_device_ids, by_tags, by_roles, by_site_ids } = rule.scope
  const kind = entityKind(entity as EntityKey)
  const any = <T>(wanted: readonly T[] | undefined, has: readonly T[]): boolean =>
    wanted === undefined || wanted.some((one) => has.includes(one))
  return (
    rule.enabled &&
    kind !== null &&
    any(by_entity_type, [kind]) &&
    any(by_entity_ids, [entity === "" ? "device" : entity]) &&
    any(by_device_ids, [device.device]) &&
    any(by_site_ids, [device.site]) &&
    any(by_roles, device.roles) &&
    any(by_tags, device.tags)
  )
}

/** What is wrong with the decision; what could not be recomputed goes into `missing`. */
const decided = (receipt: Receipt, missing: string[]): readonly string[] => {
  const { rule, before, after, signal, clockMs, notice, heldBack } = receipt
  const wrong: string[] = []
  const same = (what: string, is: unknown, should: unknown): void => {
    if (is !== should) wrong.push(`${what}: says ${String(is)}, is ${String(should)}`)
  }
  const holds = recomputed(receipt, rule.condition, missing)
  if (holds !== null) same("condition", receipt.condition, holds)
  const back = rule.recover === undefined ? null : recomputed(receipt, rule.recover, missing)
  if (rule.recover === undefined) same("recover", receipt.recover, null)
  else if (back !== null) same("recover", receipt.recover, back)

  // Nothing moved it (an acknowledgement, a silence ended), or the entity is gone: no evidence decides that.
  const isMoved = signal !== null && signal !== "removed"
  if (isMoved) same("signal", signal, signalOf(rule, before, receipt.condition, receipt.recover, clockMs))
  const state: State = signal === "removed" ? "ok" : signal === null ? before.state : next(before.state, signal)
  same("after.state", after.state, state)
  same("after.sinceMs", after.sinceMs, state === before.state ? before.sinceMs : clockMs)
  const fires = state === "firing" && !isLit(before.state)
  same("after.firedMs", after.firedMs, fires ? clockMs : before.firedMs)
  const isKnown = signal !== null && signal !== "unknown" && signal !== "lost"
  same("after.knownMs", after.knownMs, isKnown ? clockMs : before.knownMs)
  const weighed = fires || (signal === "met" && before.state === "firing")
  const severity = weighed ? severityOf(receipt, missing) : before.severity
  if (severity !== null) same("after.severity", after.severity, severity)

  if (notice !== null && heldBack !== null) wrong.push("notice: people were told, and held back, at once")
  if (notice === "firing" && !isLit(state)) wrong.push("notice: says that it fires, and it does not")
  if (notice === "resolved" && isLit(state)) wrong.push("notice: says that it is over, and it fires")
  return wrong
}

/** Null = the receipt does not hold enough. */
const recomputed = (receipt: Receipt, condition: Condition, missing: string[]): Truth | null => {
  try {
    return truthIn(receipt, condition)
  } catch (error) {
    if (!(error instanceof Undecided)) throw error
    missing.push(error.message)
    return null
  }
}

const isLit = (state: State): boolean => state === "firing" || state === "recovering"

/** What the truths mean for an alert in this state (docs/rules.md, Life). */
const signalOf = (
  rule: Rule,
  { state, sinceMs, knownMs }: Receipt["before"],
  holds: Truth,
  recover: Truth | null,
  nowMs: number,
): Signal => {
  const gapMs = Math.max(EVIDENCE_MS, rule.for_seconds * 1_000)
  const silentMs = nowMs - knownMs
  if (isLit(state)) {
    if (holds === "true") return "met"
    const back = recover ?? (holds === "false" ? "true" : "unknown")
    if (back === "unknown") return silentMs > EVIDENCE_MS ? "lost" : "unknown"
    if (back === "false") return "unmet"
    const waited = state === "recovering" && nowMs - sinceMs >= rule.recover_seconds * 1_000
    return rule.recover_seconds === 0 || waited ? "settled" : "recovered"
  }
  if (holds === "false") return "unmet"
  if (holds === "unknown") return silentMs > gapMs ? "lost" : "unknown"
  if (state === "pending" && silentMs > gapMs) return "unmet"
  const heldMs = state === "pending" ? nowMs - sinceMs : 0
  return heldMs >= rule.for_seconds * 1_000 ? "held" : "met"
}

const next = (state: State, signal: Signal): State => {
  if (isLit(state)) {
    if (signal === "settled") return "ok"
    if (signal === "recovered") return "recovering"
    return signal === "unknown" || signal === "lost" ? state : "firing"
  }
  if (signal === "held") return "firing"
  if (signal === "met") return "pending"
  return signal === "unknown" ? state : "ok"
}

/** Null = the receipt does not hold enough. */
const severityOf = (receipt: Receipt, missing: string[]): AlertSeverity | null => {
  const { severity } = receipt.rule
  if (typeof severity === "string") return severity
  if ("by_role" in severity) {
    const named = receipt.device.roles.flatMap((role) => severity.by_role[role] ?? [])
    const worst = ALERT_SEVERITIES.findLast((one) => named.includes(one))
    return worst ?? severity.by_role.default ?? "warn"
  }
  for (const tier of severity) {
    const holds = recomputed(receipt, tier.when, missing)
    if (holds === null) return null
    if (holds === "true") return tier.sev
  }
  return severity.at(-1)?.sev ?? "warn"
}
