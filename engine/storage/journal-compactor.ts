/**
 * Takes what the chunks hold out of the journal (journal-compact.ts), some hundred rows at a time: the rows of a stretch
 * are read, made one, proven to read back the same, and swapped in one transaction. Only behind everything that a restart
 * reads. Stopping anywhere leaves a journal that says the same as before.
 */
import { isDeepStrictEqual } from "node:util"
import * as Effect from "effect/Effect"
import type { DbShape } from "#engine/storage/db.ts"
import { decodeCompact, encodeCompact, pacer, type PollValues } from "#engine/storage/journal-compact.ts"
import { batchOf, type BatchCodec } from "#engine/storage/journal-row.ts"
import { chunkValues } from "#engine/storage/poll-values.ts"
import type { TenantId } from "#protocol/id.ts"
import type { Sequenced } from "#twin/input.ts"

export interface Compacted {
  readonly rowsBefore: number
  readonly rowsAfter: number
  readonly bytesBefore: number
  readonly bytesAfter: number
  readonly polls: number
}

/** Rows, inputs, bytes and time that become one row: what retention deletes is whole rows. */
const ROWS = 512
const INPUTS = 4_096
const BYTES = 4 << 20
const SPAN_MS = 1_800_000
/** The newest stretch, which may still grow, is left for the next time while it has fewer rows. */
const ROWS_MIN = 64

export interface CompactOptions {
  readonly db: DbShape
  readonly tenant: TenantId
  readonly codec: BatchCodec
  /** Every input before this one is in a chunk and behind the snapshots that a start needs. */
  readonly beforeSeq: number
  /** Stretches done at most; the rest is done the next time. */
  readonly stretchesMax: number
}

interface Row {
  readonly seq: number
  readonly count: number
  readonly epoch: number
  readonly atMs: number
  readonly data: Buffer
}

/** Rejects with DbError, or JournalUnreadable for a damaged row, which is left as it is. */
export const compactJournal = async (options: CompactOptions): Promise<Compacted> => {
  const total = { rowsBefore: 0, rowsAfter: 0, bytesBefore: 0, bytesAfter: 0, polls: 0 }
  // One for all stretches: a chunk is fetched once, and mostly spans two of them.
  const values = chunkValues(options.db, options.tenant)
  for (let stretch = 0; stretch < options.stretchesMax; stretch++) {
    const { rows, whole } = await nextStretch(options)
    if (rows.length < (whole ? 1 : ROWS_MIN)) break
    const batch: Sequenced[] = []
    const pause = pacer()
    for (const { data } of rows) {
      batch.push(...batchOf(data, options.codec))
      await pause()
    }
    const made = await encodeCompact(batch, values, options.codec)
    await prove(made.data, batch, values, options.codec)
    await swap(options, rows, made.data)
    total.rowsBefore += rows.length
    total.rowsAfter += 1
    total.bytesBefore += rows.reduce((sum, { data }) => sum + data.length, 0)
    total.bytesAfter += made.data.length
    total.polls += made.left
  }
  return total
}

/** The oldest rows in a line that are not compact yet; `whole` = more follow, so it will not grow. */
const nextStretch = async ({ db, tenant, beforeSeq }: CompactOptions) => {
  const { rows } = await Effect.runPromise(
    db.tenant(tenant)((tx) =>
      tx.query<Row>(
        `select seq::float8 as seq, count, epoch::float8 as epoch, at_ms::float8 as "atMs", data from (
           select *, sum(octet_length(data)) over (order by seq) as bytes from (
             select * from journal where tenant_id = $1
               and seq > (select compacted_seq from history_mark where tenant_id = $1)
               and seq + count <= $2 order by seq limit ${ROWS}) line) sized
         where bytes - octet_length(data) <= ${BYTES} order by seq`,
        [tenant, beforeSeq],
      ),
    ),
  )
  let inputs = 0
  const end = rows.findIndex((row, i) => {
    inputs += row.count
    const isApart = i > 0 && row.seq !== rows[i - 1]!.seq + rows[i - 1]!.count
    return isApart || (i > 0 && (inputs > INPUTS || row.atMs - rows[0]!.atMs > SPAN_MS))
  })
  return end < 0 ? { rows, whole: rows.length === ROWS } : { rows: rows.slice(0, end), whole: true }
}

/** What is swapped in must read back as what is swapped out, value by value. */
const prove = async (
  data: Buffer,
  batch: readonly Sequenced[],
  values: PollValues,
  codec: BatchCodec,
): Promise<void> => {
  const pause = pacer()
  const back = await decodeCompact(data, values, codec, 0, pause)
  let isEqual = back.length === batch.length
  for (let i = 0; i < batch.length && isEqual; i++) {
    isEqual = isDeepStrictEqual(back[i], batch[i])
    await pause()
  }
  if (!isEqual) throw new Error("a compacted stretch of the journal reads back differently: left as it was")
}

const swap = ({ db, tenant }: CompactOptions, rows: readonly Row[], data: Buffer): Promise<void> => {
  const [first, last] = [rows[0]!, rows.at(-1)!]
  return Effect.runPromise(
    db.ingest(tenant)(async (tx) => {
      const { rowCount } = await tx.query("delete from journal where tenant_id = $1 and seq between $2 and $3", [
        tenant,
        first.seq,
        last.seq,
      ])
      if (rowCount !== rows.length) throw new Error("the journal changed while it was compacted: left as it was")
      await tx.query(
        "insert into journal (tenant_id, seq, count, epoch, at_ms, data) values ($1, $2, $3, $4, $5, $6)",
        [
          tenant,
          first.seq,
          last.seq + last.count - first.seq,
          last.epoch,
          rows.reduce((newest, row) => Math.max(newest, row.atMs), 0),
          data,
        ],
      )
      await tx.query("update history_mark set compacted_seq = $2 where tenant_id = $1", [
        tenant,
        last.seq + last.count - 1,
      ])
    }),
  )
}
