/**
 * The isolation report: what was looked at, what was found, signed by the engine's key, so that an auditor can be handed
 * one file. What could not be looked at is said and makes the report incomplete, never clean.
 */
import { sortedJson } from "#engine/sorted-json.ts"
import type { CallsReport } from "#engine/isolation/foreign-calls.ts"
import type { RoleFlags, RowsReport } from "#engine/isolation/live-rows.ts"
import type { Finding } from "#engine/storage/audit-rls.ts"
import { verifySignature, type Signer } from "#engine/signing/signer.ts"

export interface DatabaseProof {
  /** `home`, or the slug of the tenant whose own it is. */
  readonly database: string
  readonly rules: number
  readonly findings: readonly Finding[]
  readonly roles: readonly RoleFlags[]
  readonly rows: RowsReport
}

export interface IsolationReport {
  readonly kind: "heliograph isolation report"
  readonly version: 1
  readonly atMs: number
  readonly heliograph: string
  readonly databases: readonly DatabaseProof[]
  readonly calls: CallsReport | null
  /** What could not be looked at, and why. */
  readonly notDone: readonly string[]
  readonly verdict: Verdict
}
export type Verdict = "isolated" | "broken" | "incomplete"

export interface SignedReport {
  readonly report: IsolationReport
  readonly keyId: string
  readonly signature: string
}

type Unjudged = Omit<IsolationReport, "kind" | "version" | "verdict">

export const judge = (found: Unjudged): IsolationReport => {
  const broken =
    found.databases.some((it) => it.findings.length > 0 || it.rows.failures.length > 0 || it.roles.some(isMighty)) ||
    (found.calls?.unexpected.length ?? 0) > 0
  const verdict = broken ? "broken" : found.notDone.length > 0 ? "incomplete" : "isolated"
  return { kind: "heliograph isolation report", version: 1, ...found, verdict }
}

const isMighty = (role: RoleFlags): boolean =>
  role.superuser || role.bypassRls || role.createRole || role.createDb || role.replication || role.memberOf.length > 0

const bytesOf = (report: IsolationReport): Uint8Array => Buffer.from(sortedJson(report))

export const signReport = (report: IsolationReport, signer: Signer): SignedReport => ({
  report,
  ...signer.sign(bytesOf(report)),
})

/** Null = signed by one of these keys and unaltered; else what is wrong, in words. */
export const checkReport = (text: string, keys: ReadonlyMap<string, string>): string | null => {
  const signed = readSigned(text)
  if (signed === null) return "it is no isolation report"
  const key = keys.get(signed.keyId)
  if (key === undefined) return `it is signed by key ${JSON.stringify(signed.keyId)}, which is not among the known keys`
  return verifySignature(key, bytesOf(signed.report), signed.signature) ? null : "it was altered after it was signed"
}

export const readSigned = (text: string): SignedReport | null => {
  try {
    const { report, keyId, signature } = JSON.parse(text) as Partial<SignedReport>
    const ours = report?.kind === "heliograph isolation report" && Array.isArray(report.databases)
    return ours && typeof keyId === "string" && typeof signature === "string" ? { report, keyId, signature } : null
  } catch {
    return null
  }
}

/** For people. */
export const summaryOf = ({ databases, calls, notDone, verdict }: IsolationReport): readonly string[] => [
  ...databases.flatMap(({ database, rules, findings, roles, rows }) => [
    `${database}: ${rules} rules on the catalogue, ${findings.length} found`,
    ...findings.map(({ rule, object }) => `  FOUND ${object}: ${rule}`),
    `${database}: roles ${roles.map((role) => `${role.role}${isMighty(role) ? " HAS TOO MUCH POWER" : ""}`).join(", ")}`,
    `${database}: ${rows.tables} tables, ${rows.tenants} tenants, ${rows.checks} statements tried, ${rows.failures.length} went wrong`,
    ...rows.failures.map((failure) => `  WRONG ${failure}`),
  ]),
  ...(calls === null
    ? []
    : [
        `API: ${calls.calls} calls with ids of others (seed ${calls.seed}, ${calls.foreignIds} ids, ` +
          `${Object.keys(calls.byRoute).length} routes): ${Object.entries(calls.byStatus)
            .map(([status, count]) => `${count} x ${status}`)
            .join(", ")}`,
        ...calls.unexpected.map((call) => `  WRONG ${call}`),
      ]),
  ...notDone.map((what) => `not done: ${what}`),
  `verdict: ${verdict}`,
]
