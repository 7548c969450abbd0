/**
 * The values of single polls out of stored chunks, for readers that go through the journal in order: the chunk of each
 * device and source that was read last is kept unpacked, because the next poll of it is most likely in it too.
 */
import * as Effect from "effect/Effect"
import { openChunk, type Chunk } from "#engine/storage/chunk.ts"
import type { DbShape } from "#engine/storage/db.ts"
import { CHUNK_SPAN_MAX_MS } from "#engine/storage/history-table.ts"
import type { ChunkPoll, PollPlace, PollValues } from "#engine/storage/journal-compact.ts"
import type { TenantId } from "#protocol/id.ts"

/** Unpacked chunks kept: one per device and source of a large tenant. */
const KEPT_MAX = 4_096

interface Unpacked {
  readonly seq0: number
  readonly seq1: number
  readonly pollOf: ReadonlyMap<number, number>
  readonly series: ReadonlyMap<
    string,
    { readonly place: ReadonlyMap<number, number> | null; readonly values: Float64Array }
  >
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
    value: (entity, metric) => {
      const series = chunk.series.get(`${metric} ${entity}`)
      const at = series?.place === null ? poll : series?.place.get(poll)
      return at === undefined ? undefined : series?.values[at]
    },
  }
}

export const unpack = (chunk: Chunk): Unpacked => ({
  seq0: chunk.seq[0] ?? 0,
  seq1: chunk.seq.at(-1) ?? 0,
  pollOf: new Map(chunk.seq.map((seq, poll) => [seq, poll])),
  series: new Map(
    chunk.series.map(({ entity, metric, poll, values }) => [
      `${metric} ${entity}`,
      { place: poll === null ? null : new Map(poll.map((index, at) => [index, at])), values: values() },
    ]),
  ),
})

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
