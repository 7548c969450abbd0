/** The rows of a tenant's windows, and the lock by which changes of them take turns. */
import type { StoredWindow } from "#engine/maintenance/silences.ts"
import type { Tx } from "#engine/storage/db.ts"
import type { TenantId } from "#protocol/id.ts"
import type { MaintenanceWindow } from "#protocol/maintenance.ts"

/** Until the transaction ends, nobody else changes this tenant's windows. */
export const takeWindowsTurn = async (tx: Tx, tenant: TenantId): Promise<void> => {
  await tx.query("select pg_advisory_xact_lock(hashtextextended('maintenance ' || $1, 0))", [tenant])
}

/** Newest first: ids are in the order of their making. */
export const readWindows = async (tx: Tx, tenant: TenantId): Promise<readonly StoredWindow[]> => {
  const { rows } = await tx.query<WindowRow>(
    `select window_id::text as window_id, body, begun_ms::float8 as begun_ms, ended_ms::float8 as ended_ms,
       updated_ms::float8 as updated_ms, updated_by
     from maintenance_window where tenant_id = $1 order by window_id desc`,
    [tenant],
  )
  return rows.map((row) => ({
    window: { id: row.window_id, ...row.body },
    begunMs: row.begun_ms,
    endedMs: row.ended_ms,
    updatedAtMs: row.updated_ms,
    updatedBy: row.updated_by,
  }))
}

interface WindowRow {
  readonly window_id: string
  /** Written by writeWindow and by nothing else. */
  readonly body: Omit<MaintenanceWindow, "id">
  readonly begun_ms: number
  readonly ended_ms: number
  readonly updated_ms: number
  readonly updated_by: string
}

export const writeWindow = async (tx: Tx, tenant: TenantId, stored: StoredWindow): Promise<void> => {
  const { id, ...body } = stored.window
  await tx.query(
    `insert into maintenance_window (tenant_id, window_id, body, begun_ms, ended_ms, updated_ms, updated_by)
     values ($1, $2, $3, $4, $5, $6, $7)
     on conflict (tenant_id, window_id) do update set body = excluded.body, begun_ms = excluded.begun_ms,
       ended_ms = excluded.ended_ms, updated_ms = excluded.updated_ms, updated_by = excluded.updated_by`,
    [tenant, id, JSON.stringify(body), stored.begunMs, stored.endedMs, stored.updatedAtMs, stored.updatedBy],
  )
}

export const deleteWindows = async (tx: Tx, tenant: TenantId, ids: readonly string[]): Promise<void> => {
  if (ids.length === 0) return
  await tx.query("delete from maintenance_window where tenant_id = $1 and window_id = any($2::uuid[])", [tenant, ids])
}
