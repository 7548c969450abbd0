/**
 * The tables of the history in the model of PostgreSQL: chunks, rollups and the mark, and the statements that
 * engine/storage/history-table.ts and rollup-table.ts send. What is told of the model in tables.ts holds here too.
 */

export interface ChunkTableRow {
  readonly device: string
  readonly source: string
  readonly t0: number
  readonly t1: number
  readonly seq0: number
  readonly seq1: number
  readonly polls: number
  readonly data: Buffer
}
export interface RollupTableRow {
  readonly device: string
  readonly source: string
  /** Seconds. */
  readonly res: number
  readonly t0: number
  readonly part: number
  readonly parts: number
  readonly data: Buffer
  readonly sketch: Buffer | null
}
interface HistoryMark {
  readonly neededSeq: number
  readonly newestMs: number
}

/** What is committed. */
export class HistoryTables {
  /** In the order of their commits, by primary key. */
  readonly chunks = new Map<string, ChunkTableRow>()
  readonly rollups = new Map<string, RollupTableRow>()
  mark: HistoryMark | null = null
}

export interface HistoryDraft {
  readonly chunks: ChunkTableRow[]
  readonly rollups: RollupTableRow[]
  mark: HistoryMark | null
}
export const newHistoryDraft = (): HistoryDraft => ({ chunks: [], rollups: [], mark: null })

export const applyHistory = (tables: HistoryTables, { chunks, rollups, mark }: HistoryDraft): void => {
  for (const row of chunks) {
    const key = `${row.device} ${row.t0} ${row.source} ${row.seq0}`
    if (!tables.chunks.has(key)) tables.chunks.set(key, row)
  }
  for (const row of rollups) tables.rollups.set(rollupKey(row), row)
  // An hour that was computed again may need fewer parts than before.
  for (const { device, res, t0, source, parts } of rollups)
    for (let part = parts; tables.rollups.delete(rollupKey({ device, res, t0, source, part })); part++);
  if (mark !== null)
    tables.mark = { neededSeq: mark.neededSeq, newestMs: Math.max(mark.newestMs, tables.mark?.newestMs ?? 0) }
}

const rollupKey = ({ device, res, t0, source, part }: Omit<RollupTableRow, "parts" | "data" | "sketch">): string =>
  `${device} ${res} ${t0} ${source} ${part}`

type Row = Record<string, unknown>

interface HistoryStatement {
  readonly begins: string
  readonly run: (tables: HistoryTables, draft: HistoryDraft, values: readonly unknown[]) => readonly Row[]
}

const numbers = (value: unknown): readonly number[] => value as readonly number[]
const texts = (value: unknown): readonly string[] => value as readonly string[]

/** Of one device and source, oldest first. */
const chunksOf = ({ chunks }: HistoryTables, device: unknown, source: unknown): readonly ChunkTableRow[] =>
  [...chunks.values()]
    .filter((row) => row.device === device && row.source === source)
    .sort((a, b) => a.t0 - b.t0 || a.seq0 - b.seq0)

const rawOf = ({ t0, t1, seq0, data }: ChunkTableRow): Row => ({ t0, t1, seq0, data })

export const HISTORY_STATEMENTS: readonly HistoryStatement[] = [
  {
    begins: "insert into chunk (tenant_id, device_id, source, t0, t1, seq0, seq1, polls, data)",
    run: (_tables, draft, [, data, devices, sources, t0, t1, seq0, seq1, polls, starts, lengths]) => {
      for (const [i, device] of texts(devices).entries()) {
        const start = numbers(starts)[i]! - 1
        draft.chunks.push({
          device,
          source: texts(sources)[i]!,
          t0: numbers(t0)[i]!,
          t1: numbers(t1)[i]!,
          seq0: numbers(seq0)[i]!,
          seq1: numbers(seq1)[i]!,
          polls: numbers(polls)[i]!,
          data: (data as Buffer).subarray(start, start + numbers(lengths)[i]!),
        })
      }
      return []
    },
  },
  {
    begins: "insert into history_mark as old",
    run: (_tables, draft, [, neededSeq, newestMs]) => {
      draft.mark = { neededSeq: neededSeq as number, newestMs: newestMs as number }
      return []
    },
  },
  {
    begins: 'select needed_seq::float8 as "neededSeq", newest_ms::float8 as "newestMs" from history_mark',
    run: ({ mark }) => (mark === null ? [] : [{ ...mark }]),
  },
  {
    begins: "select device_id as device, source, max(seq1)::float8 as seq from chunk",
    run: ({ chunks }, _draft, [, needed]) => {
      const newest = new Map<string, { device: string; source: string; seq: number }>()
      for (const { device, source, seq1 } of chunks.values()) {
        if (seq1 < (needed as number)) continue
        const key = `${source} ${device}`
        newest.set(key, { device, source, seq: Math.max(seq1, newest.get(key)?.seq ?? 0) })
      }
      return [...newest.values()]
    },
  },
  {
    begins: 'select c.device_id as device, c.source, c.first::float8 as "firstMs"',
    run: (tables, _draft, [, sinceMs]) => {
      const since = sinceMs as number
      const found = new Map<string, { device: string; source: string; firstMs: number; lastMs: number }>()
      for (const { device, source, t0, t1 } of tables.chunks.values()) {
        if (t0 < since) continue
        const key = `${source} ${device}`
        const { firstMs = t0, lastMs = t1 } = found.get(key) ?? {}
        found.set(key, { device, source, firstMs: Math.min(firstMs, t0), lastMs: Math.max(lastMs, t1) })
      }
      return [...found.values()].map((row) => {
        const hours = [...tables.rollups.values()]
          .filter(
            ({ device, source, res, t0 }) =>
              device === row.device && source === row.source && res === 3_600 && t0 >= since,
          )
          .map(({ t0 }) => t0)
        return { ...row, hourMs: hours.length === 0 ? null : Math.max(...hours) }
      })
    },
  },
  {
    begins: "select t0::float8 as t0, t1::float8 as t1 from chunk",
    run: (tables, _draft, [, device, from, to, least, source]) =>
      chunksOf(tables, device, source)
        .filter(({ t0, t1 }) => t0 >= (from as number) && t0 < (to as number) && t1 >= (least as number))
        .map(({ t0, t1 }) => ({ t0, t1 })),
  },
  {
    begins: "(select t0::float8 as t0, t1::float8 as t1, seq0::float8 as seq0, data from chunk",
    run: (tables, _draft, [, device, source, from, to, least, hour, inFrom, inTo]) => {
      const own = chunksOf(tables, device, source)
      const before = own
        .filter(({ t0, t1 }) => t0 >= (from as number) && t0 < (to as number) && t1 >= (least as number))
        .filter(({ t1 }) => t1 < (hour as number))
        .sort((a, b) => b.t1 - a.t1)
        .slice(0, 1)
      const inside = own.filter(
        ({ t0, t1 }) => t0 >= (inFrom as number) && t0 < (inTo as number) && t1 >= (hour as number),
      )
      return [...before, ...inside].sort((a, b) => a.t0 - b.t0 || a.seq0 - b.seq0).map(rawOf)
    },
  },
  {
    begins: "insert into rollup as old",
    run: (_tables, draft, [, bytes, devices, sources, res, t0, part, parts, starts, lengths, sketches, sizes]) => {
      const blob = (start: number | null | undefined, length: number | null | undefined): Buffer | null =>
        start == null || length == null ? null : (bytes as Buffer).subarray(start - 1, start - 1 + length)
      for (const [i, device] of texts(devices).entries())
        draft.rollups.push({
          device,
          source: texts(sources)[i]!,
          res: numbers(res)[i]!,
          t0: numbers(t0)[i]!,
          part: numbers(part)[i]!,
          parts: numbers(parts)[i]!,
          data: blob(numbers(starts)[i], numbers(lengths)[i]) as Buffer,
          sketch: blob(numbers(sketches)[i], numbers(sizes)[i]),
        })
      return []
    },
  },
  // Done with the insert (applyHistory): both stand in one transaction, and nobody reads in between.
  { begins: "delete from rollup old using unnest", run: () => [] },
  ...(["sketch", "null::bytea as sketch"] as const).map((sketch): HistoryStatement => ({
    begins: `select source, t0::float8 as t0, data, ${sketch} from rollup`,
    run: ({ rollups }, _draft, [, device, res, from, to, source, hash]) =>
      [...rollups.values()]
        .filter(
          (row) => row.device === device && row.res === res && row.t0 >= (from as number) && row.t0 < (to as number),
        )
        .filter((row) => source === null || row.source === source)
        .filter(({ part, parts }) => hash === null || part === ((hash as number) & (parts - 1)))
        .sort((a, b) => a.t0 - b.t0 || (a.source < b.source ? -1 : a.source > b.source ? 1 : a.part - b.part))
        .map((row) => ({
          source: row.source,
          t0: row.t0,
          data: row.data,
          sketch: sketch === "sketch" ? row.sketch : null,
        })),
  })),
]
