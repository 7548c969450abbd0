/**
 * Verdicts as events: what people are told of an alert, and when one that nobody is told of begins and ends. `pending` and
 * `recovering` are no news. `old` is the rule, `new` the alert's state, `raw` the summary, which may name what a device named.
 */
import { isLit } from "#twin/alert/alert.ts"
import type { Verdict } from "#twin/alert/verdict.ts"
import type { AlertSeverity } from "#protocol/rule.ts"
import type { Severity } from "#protocol/status.ts"
import type { Happening } from "#twin/step.ts"

export const EVENT_SEVERITY: Readonly<Record<AlertSeverity, Severity>> = {
  critical: "critical",
  warn: "warning",
  info: "indeterminate",
}

/** Null = no news. */
export const alertHappening = (verdict: Verdict): Happening | null => {
  const type = typeOf(verdict)
  if (type === null) return null
  const { atMs, device, entity, rule, to, severity, summary, heldBack } = verdict
  return {
    atMs,
    type,
    severity: isLit(to) || type === "alert.flapping" ? EVENT_SEVERITY[severity] : "cleared",
    subject: device,
    subjectKind: "device",
    entity,
    old: rule,
    new: to,
    raw: type === "alert.suppressed" && heldBack !== null ? `${summary} (${heldBack.by}: ${heldBack.reason})` : summary,
    source: "twin",
  }
}

const typeOf = ({ from, to, notice }: Verdict): string | null => {
  if (notice !== null) return `alert.${notice}`
  if (to === "firing" && !isLit(from)) return "alert.suppressed"
  return to === "ok" && isLit(from) ? "alert.ended" : null
}
