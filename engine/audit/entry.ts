/**
 * A row of the audit and its place in the tenant's hash chain (notes/security.md): hash = SHA-256(previous hash, the row's
 * canonical text). Whoever alters, drops or reorders a row breaks the chain at that row; verify.ts finds it.
 */
import { createHash } from "node:crypto"
import type { Act, Actor } from "#engine/audit/act.ts"
import type { Tx } from "#engine/storage/db.ts"
import { pgText } from "#engine/storage/pg-text.ts"
import type { TenantId } from "#protocol/id.ts"

/** The first row's `previous`. */
export const GENESIS = Buffer.alloc(32)

/** As it is stored; `before` and `after` are JSON texts in canonical form (sorted keys), or null. */
export interface Entry {
  readonly seq: number
  readonly atMs: number
  readonly actor: Actor
  readonly action: string
  readonly object: { readonly kind: string; readonly id: string; readonly name: string }
  readonly before: string | null
  readonly after: string | null
  readonly reason: string | null
}

/** What is hashed: an array of the columns, so that no two different rows have one text. */
export const hashOf = (tenant: TenantId, previous: Buffer, entry: Entry): Buffer =>
  createHash("sha256")
    .update(previous)
    .update(
      JSON.stringify([
        tenant,
        entry.seq,
        entry.atMs,
        [entry.actor.kind, entry.actor.id, entry.actor.name, entry.actor.source],
        entry.action,
        [entry.object.kind, entry.object.id, entry.object.name],
        entry.before,
        entry.after,
        entry.reason,
      ]),
    )
    .digest()

/** JSON with its keys sorted at every depth: what jsonb gives back can be hashed again. Undefined members are left out. */
export const canonicalJson = (value: unknown): string =>
  JSON.stringify(value, (_, node: unknown) =>
    node !== null && typeof node === "object" && !Array.isArray(node)
      ? Object.fromEntries(Object.entries(node).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : node,
  )

/** Appends to the tenant's chain; writers of one tenant take turns until they commit. */
export const writeEntry = async (tx: Tx, tenant: TenantId, actor: Actor, act: Act, atMs: number): Promise<void> => {
  await tx.query("select pg_advisory_xact_lock(hashtextextended('audit ' || $1, 0))", [tenant])
  const { rows } = await tx.query<{ seq: string; hash: Buffer }>(
    "select seq, hash from audit_entry where tenant_id = $1 order by seq desc limit 1",
    [tenant],
  )
  const previous = rows[0]?.hash ?? GENESIS
  const entry: Entry = {
    seq: Number(rows[0]?.seq ?? 0) + 1,
    atMs,
    actor: { ...actor, id: pgText(actor.id, 200), name: pgText(actor.name, 200) },
    action: act.action,
    object: { kind: act.object.kind, id: pgText(act.object.id, 200), name: pgText(act.object.name, 200) },
    before: act.before === null ? null : canonicalJson(act.before),
    after: act.after === null ? null : canonicalJson(act.after),
    reason: act.reason === undefined ? null : pgText(act.reason, 1000),
  }
  await tx.query(
    `insert into audit_entry (tenant_id, seq, at_ms, actor_kind, actor_id, actor_name, source, action,
       object_kind, object_id, object_name, before, after, reason, previous, hash)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`,
    [
      tenant,
      entry.seq,
      entry.atMs,
      entry.actor.kind,
      entry.actor.id,
      entry.actor.name,
      entry.actor.source,
      entry.action,
      entry.object.kind,
      entry.object.id,
      entry.object.name,
      entry.before,
      entry.after,
      entry.reason,
      previous,
      hashOf(tenant, previous, entry),
    ],
  )
}
