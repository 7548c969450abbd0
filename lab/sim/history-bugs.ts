/** Planted bugs of the history: samples that are lost, stored twice or forgotten at a start. As in bugs.ts. */
import type { PlantedBug } from "#lab/sim/planted-bug.ts"
import { nothing, withQueries } from "#lab/sim/wrapped-db.ts"

export const HISTORY_BUGS: readonly PlantedBug[] = [
  {
    name: "sample-left-out",
    about: "one in forty polls does not get into a window",
    history: (history) => ({
      ...history,
      append: (seq, poll) => {
        if (seq % 40 !== 0) history.append(seq, poll)
      },
    }),
  },
  {
    name: "open-windows-forgotten",
    about: "a start believes that all samples were stored, and reads none back from the journal",
    db: (db) =>
      withQueries(db, (query) => async (sql, values) => {
        const answer = await query(sql, values)
        if (!sql.includes("from history_mark")) return answer
        return { ...answer, rows: answer.rows.map((row) => ({ ...row, neededSeq: Number.MAX_SAFE_INTEGER })) }
      }),
  },
  {
    name: "chunks-stored-twice",
    about: "a start does not look which chunks beyond the mark are stored, and stores their samples again",
    db: (db) => withQueries(db, (query) => (sql, values) => (sql.includes("max(seq1)") ? nothing : query(sql, values))),
  },
]
