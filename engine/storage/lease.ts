/**
 * Who may write a tenant's journal and snapshots. Taking the lease raises the tenant's epoch; every write names its
 * epoch and is refused when it is not the newest. Two engines that both believe to own a tenant cannot both write.
 */
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import type { TenantId } from "#protocol/id.ts"
import type { DbError, DbShape } from "#engine/storage/db.ts"
import { pgText } from "#engine/storage/pg-text.ts"

/** Another engine has taken the tenant over: this one must stop writing for it. */
export class Fenced extends Data.TaggedError("Fenced")<{ readonly ours: number; readonly theirs: number | null }> {
  override get message(): string {
    return `another engine has taken this tenant over (epoch ${this.theirs ?? "none"}, ours is ${this.ours})`
  }
}

export interface Lease {
  readonly epoch: number
}

/** `holder` is for people: host name and pid. */
export const takeLease = (db: DbShape, tenant: TenantId, holder: string): Effect.Effect<Lease, DbError> =>
  db.ingest(tenant)(async (tx) => {
    const { rows } = await tx.query<{ epoch: number }>(
      `insert into tenant_lease (tenant_id, epoch, holder, at_ms) values ($1, 1, $2, $3)
       on conflict (tenant_id) do update set epoch = tenant_lease.epoch + 1, holder = excluded.holder, at_ms = excluded.at_ms
       returning epoch::float8 as epoch`,
      [tenant, pgText(holder, 200), Date.now()],
    )
    return { epoch: rows[0]!.epoch }
  })

/** 0 = nobody ever held it. */
export const currentEpoch = (db: DbShape, tenant: TenantId): Effect.Effect<number, DbError> =>
  db.ingest(tenant)(async (tx) => {
    const { rows } = await tx.query<{ epoch: number }>(
      "select epoch::float8 as epoch from tenant_lease where tenant_id = $1",
      [tenant],
    )
    return rows[0]?.epoch ?? 0
  })
