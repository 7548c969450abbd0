/** What people decided about proposals: the rows of proposal_decision. */
import type { Tx } from "#engine/storage/db.ts"
import type { TenantId } from "#protocol/id.ts"
import { turnedDown } from "#twin/propose/propose.ts"

export type ProposalKind = "link" | "role"

export interface Decision {
  readonly kind: ProposalKind
  /** proposalId. */
  readonly id: string
  readonly decision: "accepted" | "rejected"
  readonly evidenceKey: string
  /** The proposal as it stood then. */
  readonly body: object
  readonly note: string
  readonly by: string
  readonly atMs: number
}

/** Shown of each kind; older ones still count. */
export const DECISIONS_SHOWN = 1_000

export const readDecisions = async (
  tx: Tx,
  tenant: TenantId,
  kind: ProposalKind,
  decision: Decision["decision"],
): Promise<readonly Decision[]> => {
  const { rows } = await tx.query<Row>(
    `select proposal_id, decision, evidence_key, body, note, decided_by, decided_ms::float8 as decided_ms
     from proposal_decision where tenant_id = $1 and kind = $2 and decision = $3
     order by decided_ms desc, proposal_id limit $4`,
    [tenant, kind, decision, DECISIONS_SHOWN],
  )
  return rows.map((row) => ({
    kind,
    id: row.proposal_id,
    decision: row.decision,
    evidenceKey: row.evidence_key,
    body: row.body,
    note: row.note,
    by: row.decided_by,
    atMs: row.decided_ms,
  }))
}

/** By proposal: the evidence on which each was rejected. */
export const readRejected = async (
  tx: Tx,
  tenant: TenantId,
  kind: ProposalKind,
): Promise<ReadonlyMap<string, string>> => {
  const { rows } = await tx.query<Pick<Row, "proposal_id" | "evidence_key">>(
    "select proposal_id, evidence_key from proposal_decision where tenant_id = $1 and kind = $2 and decision = 'rejected'",
    [tenant, kind],
  )
  return new Map(rows.map((row) => [row.proposal_id, row.evidence_key]))
}

/** The last word on a proposal. Whatever it was rejected on before counts with what it is rejected on now. */
export const writeDecision = async (tx: Tx, tenant: TenantId, one: Decision): Promise<void> => {
  const key = one.decision === "rejected" ? await turnedDownOn(tx, tenant, one) : one.evidenceKey
  await tx.query(
    `insert into proposal_decision
       (tenant_id, kind, proposal_id, decision, evidence_key, body, note, decided_by, decided_ms)
     values ($1, $2, $3, $4, $5, $6::jsonb, $7, $8, $9)
     on conflict (tenant_id, kind, proposal_id) do update
     set decision = excluded.decision, evidence_key = excluded.evidence_key, body = excluded.body,
       note = excluded.note, decided_by = excluded.decided_by, decided_ms = excluded.decided_ms`,
    [tenant, one.kind, one.id, one.decision, key, JSON.stringify(one.body), one.note, one.by, one.atMs],
  )
}

const turnedDownOn = async (tx: Tx, tenant: TenantId, one: Decision): Promise<string> => {
  const { rows } = await tx.query<Pick<Row, "evidence_key">>(
    "select evidence_key from proposal_decision where tenant_id = $1 and kind = $2 and proposal_id = $3 and decision = 'rejected'",
    [tenant, one.kind, one.id],
  )
  return turnedDown(rows[0]?.evidence_key ?? null, one.evidenceKey)
}

interface Row {
  readonly proposal_id: string
  readonly decision: Decision["decision"]
  readonly evidence_key: string
  readonly body: object
  readonly note: string
  readonly decided_by: string
  readonly decided_ms: number
}
