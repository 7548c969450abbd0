/** Idempotency keys in the tenant's database (migration 0008), what was asked and answered sealed by its data key. */
import { createHash } from "node:crypto"
import * as Effect from "effect/Effect"
import type { Claim, Idempotency, IdempotencyOwner } from "#engine/api/idempotency.ts"
import { Unavailable } from "#engine/api/ports.ts"
import type { DbError, DbShape, Tx } from "#engine/storage/db.ts"
import type { MasterKeyUnusable, TenantKey, Vault, VaultRefused } from "#engine/storage/vault.ts"

export const KEEP_MS = 24 * 3_600_000
/** A request is over by then (its statements time out before), or died with its engine. */
export const RUNNING_MS = 120_000
/** Answers kept per tenant; beyond it the oldest are forgotten. */
export const KEPT_MAX = 10_000
/** Trimming looks at them all, so it is done at every so many claims only. */
const TRIM_EVERY = 256

export interface IdempotencyStoreOptions {
  readonly db: DbShape
  readonly vault: Vault
  readonly nowMs: () => number
}

/** What is sealed; `value` is absent for an answer without a body, and while it runs. */
interface Note {
  readonly hash: string
  readonly value?: unknown
}

export const storedIdempotency = ({ db, vault, nowMs }: IdempotencyStoreOptions): Idempotency => {
  let claims = 0
  return {
    claim: (owner, key, hash) =>
      inTenant(db, owner, async (tx) => {
        const now = nowMs()
        await tx.query("delete from api_idempotency where tenant_id = $1 and expires_ms <= $2", [owner.tenant, now])
        if (claims++ % TRIM_EVERY === 0) await trim(tx, owner)
        const data = await vault.tenantKey(tx, owner.tenant)
        // Waits for a claim of the same key that is just being committed, so that exactly one of two is the first.
        const { rowCount } = await tx.query(
          `insert into api_idempotency (tenant_id, actor_id, key_sha256, state, sealed, started_ms, expires_ms)
           values ($1, $2, $3, 'running', $4, $5, $6) on conflict do nothing`,
          [...place(owner, key), seal(data, owner, key, { hash }), now, now + KEEP_MS],
        )
        return rowCount === 1 ? { kind: "mine" } : read(tx, data, owner, key, hash, now)
      }),
    finish: (owner, key, hash, value) =>
      inTenant(db, owner, async (tx) => {
        const data = await vault.tenantKey(tx, owner.tenant)
        await tx.query(
          `update api_idempotency set state = 'done', sealed = $4
           where tenant_id = $1 and actor_id = $2 and key_sha256 = $3`,
          [...place(owner, key), seal(data, owner, key, { hash, value })],
        )
      }),
    drop: (owner, key) =>
      inTenant(db, owner, async (tx) => {
        await tx.query(
          "delete from api_idempotency where tenant_id = $1 and actor_id = $2 and key_sha256 = $3",
          place(owner, key),
        )
      }),
  }
}

const read = async (
  tx: Tx,
  data: TenantKey,
  owner: IdempotencyOwner,
  key: string,
  hash: string,
  now: number,
): Promise<Claim> => {
  const { rows } = await tx.query<{ state: string; sealed: Buffer; started: number }>(
    `select state, sealed, started_ms::float8 as started from api_idempotency
     where tenant_id = $1 and actor_id = $2 and key_sha256 = $3`,
    place(owner, key),
  )
  const row = rows[0]
  // It was dropped between the two statements: whoever held it did nothing, the next try may.
  if (row === undefined) return { kind: "running" }
  const note = open(data, owner, key, row.sealed)
  if (note === null) return { kind: "unknown" }
  if (note.hash !== hash) return { kind: "other" }
  if (row.state === "done") return { kind: "done", value: note.value }
  return { kind: now - row.started < RUNNING_MS ? "running" : "unknown" }
}

const trim = (tx: Tx, { tenant }: IdempotencyOwner) =>
  tx.query(
    `delete from api_idempotency where tenant_id = $1 and state = 'done' and (actor_id, key_sha256) in
       (select actor_id, key_sha256 from api_idempotency where tenant_id = $1 order by started_ms desc offset $2)`,
    [tenant, KEPT_MAX],
  )

const place = ({ tenant, actorId }: IdempotencyOwner, key: string): readonly unknown[] => [tenant, actorId, digest(key)]
const digest = (key: string): Buffer => createHash("sha256").update(key).digest()

/** Bound to its row: an answer that was moved to another actor's row does not open. */
const field = (owner: IdempotencyOwner, key: string): string => `${owner.actorId} ${digest(key).toString("hex")}`
const seal = (data: TenantKey, owner: IdempotencyOwner, key: string, note: Note): Buffer =>
  data.seal("api_idempotency", field(owner, key), JSON.stringify(note))
/** Null when the tenant's data key is another one since. */
const open = (data: TenantKey, owner: IdempotencyOwner, key: string, sealed: Buffer): Note | null => {
  try {
    return JSON.parse(data.open("api_idempotency", field(owner, key), sealed)) as Note
  } catch {
    return null
  }
}

const inTenant = <A>(
  db: DbShape,
  { tenant }: IdempotencyOwner,
  body: (tx: Tx) => Promise<A>,
): Effect.Effect<A, Unavailable> =>
  db
    .tenant(tenant)<A, VaultRefused | MasterKeyUnusable>(body)
    .pipe(
      Effect.mapError(
        (error: DbError | VaultRefused | MasterKeyUnusable) =>
          new Unavailable({ detail: error.message.split("\n")[0] ?? error._tag }),
      ),
    )
