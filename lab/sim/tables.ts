/**
 * The tables of the model of PostgreSQL (database.ts), and the statements that the engine's storage sends them, known by
 * their words: an unknown statement is refused, so that one that is changed must be changed here too. tables.test.ts runs
 * the same random programs on this model and on a real PostgreSQL.
 */
import { applyHistory, HISTORY_STATEMENTS, HistoryTables, newHistoryDraft } from "#lab/sim/history-tables.ts"
import type { HistoryDraft } from "#lab/sim/history-tables.ts"
import type { EventView } from "#protocol/view.ts"

export interface JournalTableRow {
  readonly seq: number
  readonly count: number
  readonly epoch: number
  readonly atMs: number
  readonly data: Buffer
}
export interface SnapshotTableRow {
  readonly seq: number
  readonly epoch: number
  readonly atMs: number
  readonly data: Buffer
}
export interface Mark {
  readonly seq: number
  readonly hash: string
}

/** What one tenant has in the database: what is committed. */
export class TenantTables {
  epoch = 0
  journal: JournalTableRow[] = []
  snapshots: SnapshotTableRow[] = []
  readonly events = new Map<string, EventView>()
  readonly history = new HistoryTables()
  // What a table forgets, for the auditor.
  /** Journal rows in the order of their commits. */
  readonly committed: JournalTableRow[] = []
  readonly marks: Mark[] = []

  lastSeq(): number {
    const last = this.journal.at(-1)
    return last === undefined ? 0 : last.seq + last.count - 1
  }
}

/** The changes of one transaction that is not committed yet: it sees them, nobody else does. */
export interface Draft {
  epoch: number | null
  readonly journal: JournalTableRow[]
  readonly snapshots: SnapshotTableRow[]
  readonly marks: Mark[]
  readonly gone: Set<SnapshotTableRow>
  readonly events: EventView[]
  readonly history: HistoryDraft
}

export const newDraft = (): Draft => ({
  epoch: null,
  journal: [],
  snapshots: [],
  marks: [],
  gone: new Set(),
  events: [],
  history: newHistoryDraft(),
})

/** What a statement must have to itself until its transaction ends. */
export type Lock = "lease shared" | "lease" | "journal" | "snapshot"

export interface Answer {
  readonly rows: readonly Record<string, unknown>[]
  readonly rowCount: number
}

export interface Statement {
  /** Normalized: single spaces. The whole text begins with it. */
  readonly begins: string
  readonly locks: readonly Lock[]
  /** `values[0]` is the tenant. */
  readonly run: (tables: TenantTables, draft: Draft, values: readonly unknown[]) => Answer
}

/** Throws for a statement that the model does not know. */
export const statementOf = (sql: string): Statement => {
  const known = byText.get(sql)
  if (known !== undefined) return known
  const text = sql.replace(/\s+/g, " ").trim()
  const found = STATEMENTS.find(({ begins }) => text.startsWith(begins))
  if (found === undefined) throw new Error(`the model of PostgreSQL does not know this statement: ${text}`)
  byText.set(sql, found)
  return found
}
const byText = new Map<string, Statement>()

export const applyDraft = (tables: TenantTables, draft: Draft): void => {
  if (draft.epoch !== null) tables.epoch = draft.epoch
  if (draft.gone.size > 0) tables.snapshots = tables.snapshots.filter((row) => !draft.gone.has(row))
  for (const row of draft.journal) {
    insertSorted(tables.journal, row)
    tables.committed.push(row)
  }
  for (const row of draft.snapshots) insertSorted(tables.snapshots, row)
  tables.marks.push(...draft.marks)
  applyHistory(tables.history, draft.history)
  for (const event of draft.events) if (!tables.events.has(event.id)) tables.events.set(event.id, event)
}

const insertSorted = <Row extends { readonly seq: number }>(rows: Row[], row: Row): void => {
  let at = rows.length
  while (at > 0 && rows[at - 1]!.seq > row.seq) at--
  rows.splice(at, 0, row)
}

const journalOf = (tables: TenantTables, draft: Draft): readonly JournalTableRow[] =>
  viewOf(tables.journal, draft.journal, NOTHING)
const snapshotsOf = (tables: TenantTables, draft: Draft): readonly SnapshotTableRow[] =>
  viewOf(tables.snapshots, draft.snapshots, draft.gone)

const NOTHING: ReadonlySet<unknown> = new Set()

const viewOf = <Row extends { readonly seq: number }>(
  rows: readonly Row[],
  added: readonly Row[],
  gone: ReadonlySet<unknown>,
): readonly Row[] => {
  if (added.length === 0 && gone.size === 0) return rows
  const seen = rows.filter((row) => !gone.has(row))
  for (const row of added) insertSorted(seen, row)
  return seen
}

const endOf = (rows: readonly JournalTableRow[]): number => {
  const last = rows.at(-1)
  return last === undefined ? 0 : last.seq + last.count - 1
}

const answer = (rows: readonly Record<string, unknown>[]): Answer => ({ rows, rowCount: rows.length })
const changed = (rowCount: number): Answer => ({ rows: [], rowCount })
const numbers = (value: unknown): readonly number[] => value as readonly number[]

/** From the end: what is asked for is nearly always there. */
const findSeq = (rows: readonly JournalTableRow[], seq: number): JournalTableRow | undefined => {
  for (let i = rows.length - 1; i >= 0 && rows[i]!.seq >= seq; i--) if (rows[i]!.seq === seq) return rows[i]
  return undefined
}

const PAGE_ROWS = 512

const snapshotAnswer = (row: SnapshotTableRow | undefined): Answer =>
  answer(row === undefined ? [] : [{ seq: row.seq, at_ms: row.atMs, data: row.data }])

const STATEMENTS: readonly Statement[] = [
  {
    begins: "insert into tenant_lease",
    locks: ["lease"],
    run: (tables, draft) => {
      draft.epoch = (draft.epoch ?? tables.epoch) + 1
      return answer([{ epoch: draft.epoch }])
    },
  },
  {
    begins: "select epoch::float8 as epoch from tenant_lease",
    locks: [],
    run: (tables) => answer(tables.epoch === 0 ? [] : [{ epoch: tables.epoch }]),
  },
  {
    begins:
      "with lease as (select epoch from tenant_lease where tenant_id = $1 for share), written as ( insert into journal (tenant_id, seq, count, epoch, at_ms, data)",
    locks: ["lease shared", "journal"],
    run: (tables, draft, [, epoch, data, seqs, counts, times, starts, lengths]) => {
      if (tables.epoch === 0) return answer([{ epoch: null, written: 0 }])
      if (tables.epoch !== epoch) return answer([{ epoch: tables.epoch, written: 0 }])
      const rows = journalOf(tables, draft)
      let written = 0
      for (const [i, seq] of numbers(seqs).entries()) {
        if (findSeq(rows, seq) !== undefined || draft.journal.some((row) => row.seq === seq)) continue
        const start = numbers(starts)[i]! - 1
        draft.journal.push({
          seq,
          count: numbers(counts)[i]!,
          epoch,
          atMs: numbers(times)[i]!,
          data: (data as Buffer).subarray(start, start + numbers(lengths)[i]!),
        })
        written++
      }
      return answer([{ epoch: tables.epoch, written }])
    },
  },
  {
    begins:
      "select seq::float8 as seq, count, epoch::float8 as epoch from journal where tenant_id = $1 and seq = any($2::bigint[])",
    locks: [],
    run: (tables, draft, [, seqs]) => {
      const rows = journalOf(tables, draft)
      return answer(numbers(seqs).flatMap((seq) => keysOf(findSeq(rows, seq))))
    },
  },
  {
    begins: "select (seq + count - 1)::float8 as last from journal where tenant_id = $1 order by seq desc limit 1",
    locks: [],
    run: (tables, draft) => {
      const last = endOf(journalOf(tables, draft))
      return answer(last === 0 ? [] : [{ last }])
    },
  },
  {
    begins:
      "select seq::float8 as seq, count, data from ( select seq, count, data, octet_length(data) as bytes, sum(octet_length(data)) over (order by seq) as total",
    locks: [],
    run: (tables, draft, [, from]) => {
      const rows = journalOf(tables, draft)
      const first = rows.findLast(({ seq, count }) => seq <= (from as number) && seq + count > (from as number))
      const least = first?.seq ?? (from as number)
      return answer(
        rows
          .filter(({ seq }) => seq >= least)
          .slice(0, PAGE_ROWS)
          .map(({ seq, count, data }) => ({ seq, count, data })),
      )
    },
  },
  {
    begins:
      "select seq::float8 as seq, at_ms::float8 as at_ms, data from snapshot where tenant_id = $1 order by seq desc limit 1",
    locks: [],
    run: (tables, draft) => snapshotAnswer(snapshotsOf(tables, draft).at(-1)),
  },
  {
    begins:
      "with lease as (select epoch from tenant_lease where tenant_id = $1 for share), journal_end as ( select coalesce((select seq + count - 1 from journal",
    locks: ["lease shared", "snapshot"],
    run: (tables, draft, [, seq, epoch, atMs, data, hash]) => {
      const at = seq as number
      const end = endOf(journalOf(tables, draft))
      const rows = snapshotsOf(tables, draft)
      if (tables.epoch === epoch && end >= at && !rows.some((row) => row.seq >= at)) {
        draft.snapshots.push({ seq: at, epoch: epoch as number, atMs: atMs as number, data: data as Buffer })
        draft.marks.push({ seq: at, hash: hash as string })
      }
      return answer(tables.epoch === 0 ? [] : [{ epoch: tables.epoch, journal: end }])
    },
  },
  {
    // Checkpoints are left out: the simulation replays by itself.
    begins: "delete from snapshot where tenant_id = $1 and not checkpoint",
    locks: ["snapshot"],
    run: (tables, draft, [, keep]) => {
      const gone = snapshotsOf(tables, draft).slice(0, -(keep as number))
      for (const row of gone) draft.gone.add(row)
      return changed(gone.length)
    },
  },
  {
    begins: "insert into event (tenant_id,",
    locks: [],
    run: (_tables, draft, [, json]) => {
      const rows = JSON.parse(json as string) as readonly EventRow[]
      for (const row of rows) draft.events.push(eventOf(row))
      return changed(rows.length)
    },
  },
  ...HISTORY_STATEMENTS.map(({ begins, run }) => ({
    begins,
    locks: [],
    run: (tables: TenantTables, draft: Draft, values: readonly unknown[]) => {
      const rows = run(tables.history, draft.history, values)
      return answer(rows)
    },
  })),
]

const keysOf = (row: JournalTableRow | undefined): readonly Record<string, unknown>[] =>
  row === undefined ? [] : [{ seq: row.seq, count: row.count, epoch: row.epoch }]

/** Columns of the table `event` (engine/storage/events.ts). */
interface EventRow {
  readonly seq: number
  readonly idx: number
  readonly at_ms: number
  readonly type: string
  readonly severity: EventView["severity"]
  readonly subject: string
  readonly subject_kind: EventView["subjectKind"]
  readonly entity: string
  readonly old: string | null
  readonly new: string | null
  readonly raw: string | null
  readonly source: EventView["source"]
}

const eventOf = ({ seq, idx, at_ms, subject_kind, ...same }: EventRow): EventView => ({
  id: `${seq}-${idx}`,
  atMs: at_ms,
  subjectKind: subject_kind,
  ...same,
})
