/** Events of the tenant itself, of no device: what the engine told the twin, and rules that this build cannot judge. */
import type { CertificateInput, QuotaInput } from "#twin/input.ts"
import type { Happening } from "#twin/step.ts"

export const quotaHappening = (atMs: number, { quota, limit, times }: QuotaInput): Happening => ({
  ...ofTenant(atMs, "quota.exceeded", "warning"),
  entity: quota,
  old: String(limit),
  new: String(times),
})

export const certificateHappening = (atMs: number, { names, endsOn, days }: CertificateInput): Happening => ({
  ...ofTenant(
    atMs,
    days <= 0 ? "cert.expired" : "cert.expiring",
    days <= 1 ? "critical" : days <= 7 ? "major" : "minor",
  ),
  entity: names,
  new: endsOn,
})

export const unusableHappening = (atMs: number, ids: readonly string[]): Happening => ({
  ...ofTenant(atMs, "monitoring.degraded", "warning"),
  new: `${ids.length} alert rules cannot be judged by this build: ${ids.join(", ")}`.slice(0, 256),
})

const ofTenant = (atMs: number, type: string, severity: Happening["severity"]): Happening => ({
  atMs,
  type,
  severity,
  subject: "",
  subjectKind: "tenant",
  entity: "",
  old: null,
  new: null,
  raw: null,
  source: "twin",
})
