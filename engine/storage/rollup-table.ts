/** The SQL of the rollups: packed rows in, rows of one device out, and how far each device is rolled up. */
import * as Effect from "effect/Effect"
import type { DbError, DbShape, Tx } from "#engine/storage/db.ts"
import { RATE_PAUSE_MAX_MS } from "#engine/storage/derive.ts"
import { HOUR_MS, type Resolution } from "#engine/storage/rollup.ts"
import { packRollups, type EntityRollups } from "#engine/storage/rollup-codec.ts"
import type { EntityKey, TenantId } from "#protocol/id.ts"
import type { Source } from "#protocol/view.ts"

export interface RollupRow {
  readonly device: string
  readonly source: Source
  readonly resolution: Resolution
  /** Begin of the first bucket. */
  readonly t0: number
  readonly part: number
  readonly parts: number
  readonly data: Buffer
  readonly sketch: Buffer | null
}

/** Chunks of one window end at most this long after they begin: how far back a read must look. ms */
export const CHUNK_SPAN_MAX_MS = 2 * 3_600_000
/** Series in one row: a chart of one of them reads the row. */
const PART_SERIES = 64
const PARTS_MAX = 256

/** The rows of one device, source, resolution and t0: all parts, so that a part is never left over from before. */
export const rowsOf = (
  place: Pick<RollupRow, "device" | "source" | "resolution" | "t0">,
  rollups: EntityRollups,
): readonly RollupRow[] => {
  let series = 0
  for (const metrics of rollups.values()) series += metrics.size
  let parts = 1
  while (parts < PARTS_MAX && parts * PART_SERIES < series) parts *= 2
  const { perRow, sketched } = place.resolution
  const groups = Array.from({ length: parts }, () => new Map<EntityKey, ReadonlyMap<number, never>>())
  for (const [entity, metrics] of rollups) {
    groups[hashOf(entity) & (parts - 1)]!.set(entity, metrics as ReadonlyMap<number, never>)
  }
  return groups.map((group, part) => ({ ...place, part, parts, ...packRollups(group, perRow, sketched) }))
}

/** FNV-1a; part of what is stored: never change it. */
export const hashOf = (text: string): number => {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash & 0x7fff
}

/** Within the transaction of the chunks that they are made of. What was there of the same hour or day is replaced. */
export const insertRollups = async (tx: Tx, tenant: TenantId, rows: readonly RollupRow[]): Promise<void> => {
  if (rows.length === 0) return
  const blobs: Buffer[] = []
  let end = 1
  const place = (blob: Buffer | null): readonly [start: number | null, length: number | null] => {
    if (blob === null) return [null, null]
    blobs.push(blob)
    end += blob.length
    return [end - blob.length, blob.length]
  }
  const data = rows.map((row) => place(row.data))
  const sketch = rows.map((row) => place(row.sketch))
  const [device, source, t0] = [rows.map((it) => it.device), rows.map((it) => it.source), rows.map((it) => it.t0)]
  const res = rows.map(({ resolution }) => resolution.ms / 1_000)
  await tx.query(
    `insert into rollup as old (tenant_id, device_id, source, res, t0, part, parts, data, sketch)
     select $1, r.device, r.source, r.res, r.t0, r.part, r.parts, substring($2::bytea from r.d for r.dl),
       substring($2::bytea from r.s for r.sl)
     from unnest($3::uuid[], $4::text[], $5::int[], $6::bigint[], $7::smallint[], $8::smallint[], $9::int[], $10::int[],
       $11::int[], $12::int[]) as r(device, source, res, t0, part, parts, d, dl, s, sl)
     on conflict (tenant_id, device_id, res, t0, source, part) do update
       set parts = excluded.parts, data = excluded.data, sketch = excluded.sketch
       where old.data <> excluded.data or old.sketch is distinct from excluded.sketch or old.parts <> excluded.parts`,
    [
      tenant,
      Buffer.concat(blobs),
      device,
      source,
      res,
      t0,
      rows.map((it) => it.part),
      rows.map((it) => it.parts),
      data.map(([start]) => start),
      data.map(([, length]) => length),
      sketch.map(([start]) => start),
      sketch.map(([, length]) => length),
    ],
  )
  // An hour that is computed again may need fewer parts than before.
  await tx.query(
    `delete from rollup old using unnest($2::uuid[], $3::text[], $4::int[], $5::bigint[], $6::smallint[])
       as r(device, source, res, t0, parts)
     where old.tenant_id = $1 and old.device_id = r.device and old.source = r.source and old.res = r.res
       and old.t0 = r.t0 and old.part >= r.parts`,
    [tenant, device, source, res, t0, rows.map((it) => it.parts)],
  )
}

export interface RollupsAsked {
  readonly device: string
  /** Null = of all. */
  readonly source: Source | null
  readonly resolution: Resolution
  /** Rows that begin in [fromMs, toMs). */
  readonly fromMs: number
  readonly toMs: number
  /** Only the part that has this entity; null = all. */
  readonly entity: EntityKey | null
  readonly sketches: boolean
}

export interface StoredRollups {
  readonly source: Source
  readonly t0: number
  readonly data: Buffer
  readonly sketch: Buffer | null
}

/** Oldest first. */
export const readRollups = (
  db: DbShape,
  tenant: TenantId,
  { device, source, resolution, fromMs, toMs, entity, sketches }: RollupsAsked,
): Effect.Effect<readonly StoredRollups[], DbError> =>
  db.tenant(tenant)(async (tx) => {
    const { rows } = await tx.query<StoredRollups>(
      `select source, t0::float8 as t0, data, ${sketches ? "sketch" : "null::bytea as sketch"} from rollup
       where tenant_id = $1 and device_id = $2 and res = $3 and t0 >= $4 and t0 < $5
         and ($6::text is null or source = $6) and ($7::int is null or part = $7::int & (parts - 1))
       order by t0, source, part`,
      [
        tenant,
        device,
        resolution.ms / 1_000,
        Math.trunc(Math.max(0, fromMs)),
        Math.trunc(Math.max(0, toMs)),
        source,
        entity === null ? null : hashOf(entity),
      ],
    )
    return rows
  })

export interface RawChunk {
  readonly t0: number
  readonly t1: number
  readonly seq0: number
  readonly data: Buffer
}

/** One source's chunks with samples of an hour, and the one with the newest sample before: rates are measured against it. */
export const readHour = (
  db: DbShape,
  tenant: TenantId,
  { device, source, hourMs }: { device: string; source: Source; hourMs: number },
): Effect.Effect<readonly RawChunk[], DbError> =>
  db.tenant(tenant)(async (tx) => {
    const columns = `t0::float8 as t0, t1::float8 as t1, seq0::float8 as seq0, data`
    const { rows } = await tx.query<RawChunk>(
      `(select ${columns} from chunk where tenant_id = $1 and device_id = $2 and source = $3
          and t0 >= $4 and t0 < $5 and t1 >= $6 and t1 < $7 order by chunk.t1 desc limit 1)
       union all
       (select ${columns} from chunk where tenant_id = $1 and device_id = $2 and source = $3
          and t0 >= $8 and t0 < $9 and t1 >= $7)
       order by t0, seq0`,
      [
        tenant,
        device,
        source,
        Math.max(0, hourMs - RATE_PAUSE_MAX_MS - CHUNK_SPAN_MAX_MS),
        hourMs,
        hourMs - RATE_PAUSE_MAX_MS,
        hourMs,
        Math.max(0, hourMs - CHUNK_SPAN_MAX_MS),
        hourMs + HOUR_MS,
      ],
    )
    return rows
  })

/** The hours in [fromMs, toMs) that stored chunks of a source touch. */
export const hoursWithChunks = (
  db: DbShape,
  tenant: TenantId,
  { device, source, fromMs, toMs }: { device: string; source: Source; fromMs: number; toMs: number },
): Effect.Effect<ReadonlySet<number>, DbError> =>
  db.tenant(tenant)(async (tx) => {
    const { rows } = await tx.query<{ t0: number; t1: number }>(
      `select t0::float8 as t0, t1::float8 as t1 from chunk
       where tenant_id = $1 and device_id = $2 and t0 >= $3 and t0 < $4 and t1 >= $5 and source = $6`,
      [tenant, device, Math.max(0, fromMs - CHUNK_SPAN_MAX_MS), toMs, fromMs, source],
    )
    const hours = new Set<number>()
    for (const { t0, t1 } of rows) {
      for (let hour = t0 - (t0 % HOUR_MS); hour <= t1; hour += HOUR_MS) {
        if (hour >= fromMs && hour < toMs) hours.add(hour)
      }
    }
    return hours
  })

export interface RolledRow {
  readonly device: string
  readonly source: Source
  readonly firstMs: number
  readonly lastMs: number
  /** Begin of the newest hour that is rolled up; null = none is. */
  readonly hourMs: number | null
}

/** Devices with chunks since `sinceMs`. */
export const readRolled = (
  db: DbShape,
  tenant: TenantId,
  sinceMs: number,
): Effect.Effect<readonly RolledRow[], DbError> =>
  db.tenant(tenant)(async (tx) => {
    const { rows } = await tx.query<RolledRow>(
      `select c.device_id as device, c.source, c.first::float8 as "firstMs", c.last::float8 as "lastMs",
         (select max(r.t0)::float8 from rollup r
          where r.tenant_id = $1 and r.device_id = c.device_id and r.res = 3600 and r.source = c.source
            and r.t0 >= $2) as "hourMs"
       from (select device_id, source, min(t0) as first, max(t1) as last from chunk
             where tenant_id = $1 and t0 >= $2 group by device_id, source) c`,
      [tenant, Math.max(0, Math.trunc(sinceMs))],
    )
    return rows
  })
