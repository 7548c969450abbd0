/**
 * A row of the audit and its place in the tenant's hash chain (notes/security.md): hash = SHA-256(the row's canonical text,
 * which opens with the previous hash). Whoever alters, drops or reorders a row breaks the chain at that row; verify.ts finds it. `before` and
 * `after` are columns of type json, which PostgreSQL keeps as the very text that was hashed.
 */
import { hash } from "node:crypto"
import type { Act, Actor } from "#engine/audit/act.ts"
import { canonicalJson } from "#engine/audit/canonical.ts"
import type { Tx } from "#engine/storage/db.ts"
import { pgText } from "#engine/storage/pg-text.ts"
import type { TenantId } from "#protocol/id.ts"

/** The first row's `previous`. */
export const GENESIS = "0".repeat(64)

/** As it is stored; `before` and `after` are JSON texts in canonical form (canonical.ts), or null. */
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

/** An entry with its links, hex. */
export interface Chained extends Entry {
  readonly previous: string
  readonly hash: string
}

/** What is hashed: an array of the columns, so that no two different rows have one text. Hex. */
export const hashOf = (tenant: TenantId, previous: string, entry: Entry): string =>
  hash(
    "sha256",
    JSON.stringify([
      previous,
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
    "hex",
  )

/** Appends to the tenant's chain; writers of one tenant take turns until they commit. */
export const writeEntry = async (tx: Tx, tenant: TenantId, actor: Actor, act: Act, atMs: number): Promise<void> => {
  // A statement of its own: the next one must see what was committed while this one waited.
  await tx.query("select pg_advisory_xact_lock(hashtextextended('audit ' || $1, 0))", [tenant])
  const { rows } = await tx.query<{ seq: string; hash: string }>(
    "select seq, encode(hash, 'hex') as hash from audit_entry where tenant_id = $1 order by seq desc limit 1",
    [tenant],
  )
  const previous = rows[0]?.hash ?? GENESIS
  const entry = entryOf(Number(rows[0]?.seq ?? 0) + 1, actor, act, atMs)
  await tx.query(
    `insert into audit_entry (tenant_id, seq, at_ms, actor_kind, actor_id, actor_name, source, action,
       object_kind, object_id, object_name, before, after, reason, previous, hash)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, decode($15, 'hex'), decode($16, 'hex'))`,
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

/** Everything in the form in which PostgreSQL gives it back. */
export const entryOf = (seq: number, actor: Actor, act: Act, atMs: number): Entry => ({
  seq,
  atMs: Math.trunc(atMs),
  actor: {
    kind: actor.kind,
    id: pgText(actor.id, 200),
    name: pgText(actor.name, 200),
    source: actor.source === null ? null : pgText(actor.source, 64),
  },
  action: act.action,
  object: { kind: pgText(act.object.kind, 200), id: pgText(act.object.id, 200), name: pgText(act.object.name, 200) },
  before: act.before === null ? null : canonicalJson(act.before),
  after: act.after === null ? null : canonicalJson(act.after),
  reason: act.reason === undefined ? null : pgText(act.reason, 1000),
})

/** The columns of a row in this order, as `select` wants them: json as the text that was stored. */
export const COLUMNS =
  "seq, at_ms, actor_kind, actor_id, actor_name, source, action, object_kind, object_id, object_name, " +
  "before::text as before, after::text as after, reason, encode(previous, 'hex') as previous, encode(hash, 'hex') as hash"

export interface Row {
  readonly seq: string
  readonly at_ms: string
  readonly actor_kind: Actor["kind"]
  readonly actor_id: string
  readonly actor_name: string
  readonly source: string | null
  readonly action: string
  readonly object_kind: string
  readonly object_id: string
  readonly object_name: string
  readonly before: string | null
  readonly after: string | null
  readonly reason: string | null
  readonly previous: string
  readonly hash: string
}

export const chainedOf = (row: Row): Chained => ({
  seq: Number(row.seq),
  atMs: Number(row.at_ms),
  actor: { kind: row.actor_kind, id: row.actor_id, name: row.actor_name, source: row.source },
  action: row.action,
  object: { kind: row.object_kind, id: row.object_id, name: row.object_name },
  before: row.before,
  after: row.after,
  reason: row.reason,
  previous: row.previous,
  hash: row.hash,
})
