/**
 * The values of single polls out of stored chunks, for readers that go through the journal in order: the chunk of each
 * device and source that was read last is kept unpacked, because the next poll of it is most likely in it too.
 */
import * as Effect from "effect/Effect"
import { openChunk, type Chunk } from "#engine/storage/chunk.ts"
import type { DbShape } from "#engine/storage/db.ts"
import { CHUNK_SPAN_MAX_MS } from "#engine/storage/history-table.ts"
import type { ChunkPoll, PollPlace, PollShape, PollValues } from "#engine/storage/journal-compact.ts"
import type { EntityKey, TenantId } from "#protocol/id.ts"

/** Unpacked chunks kept: one per device and source of a large tenant. */
const KEPT_MAX = 4_096

interface Unpacked {
  readonly seq0: number
  readonly seq1: number
  readonly pollOf: ReadonlyMap<number, number>
  readonly series: ReadonlyMap<EntityKey, ReadonlyMap<number, Column>>
  /** Where the rows of the shape that was asked for last are found. */
  last: { readonly shape: PollShape; readonly columns: readonly Column[] | null } | null
}

interface Column {
  /** Index of the value of each poll that has one; null = every poll has. */
  readonly place: ReadonlyMap<number, number> | null
  readonly values: Float64Array
}

export const chunkValues = (db: DbShape, tenant: TenantId): PollValues => {
  const kept = new Map<string, Unpacked>()
  return async (place) => {
    const key = `${place.source} ${place.device}`
    let chunk = kept.get(key)
    if (chunk === undefined || place.seq < chunk.seq0 || place.seq > chunk.seq1) {
      const found = await load(db, tenant, place)
      if (found === null) return null
      chunk = found
      kept.delete(key)
      kept.set(key, chunk)
      const oldest = kept.keys().next()
      if (kept.size > KEPT_MAX && oldest.done !== true) kept.delete(oldest.value)
    }
    return pollIn(chunk, place.seq)
  }
}

/** The poll of this seq; null = the chunk has none. Exported for tests without a database. */
export const pollIn = (chunk: Unpacked, seq: number): ChunkPoll | null => {
  const poll = chunk.pollOf.get(seq)
  if (poll === undefined) return null
  return {
    values: (shape) => {
      if (chunk.last?.shape !== shape) chunk.last = { shape, columns: columnsOf(chunk, shape) }
      const { columns } = chunk.last
      return columns === null ? null : valuesAt(columns, poll)
    },
  }
}

/** Null = the chunk has not all of them. */
const columnsOf = (chunk: Unpacked, { entities, entity, metric }: PollShape): readonly Column[] | null => {
  const columns: Column[] = []
  for (let row = 0; row < metric.length; row++) {
    const column = chunk.series.get(entities[entity[row]!]!)?.get(metric[row]!)
    if (column === undefined) return null
    columns.push(column)
  }
  return columns
}

const valuesAt = (columns: readonly Column[], poll: number): Float64Array | null => {
  const found = new Float64Array(columns.length)
  for (let row = 0; row < columns.length; row++) {
    const { place, values } = columns[row]!
    const at = place === null ? poll : place.get(poll)
    if (at === undefined) return null
    found[row] = values[at]!
  }
  return found
}

export const unpack = (chunk: Chunk): Unpacked => {
  const series = new Map<EntityKey, Map<number, Column>>()
  for (const { entity, metric, poll, values } of chunk.series) {
    let metrics = series.get(entity)
    if (metrics === undefined) series.set(entity, (metrics = new Map()))
    const place = poll === null ? null : new Map(poll.map((index, at) => [index, at]))
    metrics.set(metric, { place, values: values() })
  }
  return {
    seq0: chunk.seq[0] ?? 0,
    seq1: chunk.seq.at(-1) ?? 0,
    pollOf: new Map(chunk.seq.map((seq, poll) => [seq, poll])),
    series,
    last: null,
  }
}

const load = async (
  db: DbShape,
  tenant: TenantId,
  { device, source, seq, atMs }: PollPlace,
): Promise<Unpacked | null> => {
  const { rows } = await Effect.runPromise(
    db.tenant(tenant)((tx) =>
      tx.query<{ data: Buffer }>(
        `select data from chunk where tenant_id = $1 and device_id::text = $2 and t0 between $3 and $4
           and source = $5 and seq0 <= $6 and seq1 >= $6 order by t0 desc limit 1`,
        // A clock that was set back may put a poll before its chunk's beginning.
        [tenant, device, Math.trunc(atMs) - CHUNK_SPAN_MAX_MS, Math.trunc(atMs) + CHUNK_SPAN_MAX_MS, source, seq],
      ),
    ),
  )
  return rows[0] === undefined ? null : unpack(openChunk(rows[0].data))
}
