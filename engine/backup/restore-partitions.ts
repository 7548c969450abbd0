/** Partitions for the rows of a backup: those of its time may be gone from this database, or were never made in it. */
import { parseLine, type Head, type TableOpening } from "#engine/backup/format.ts"
import type { Listener } from "#engine/backup/read.ts"
import { ensurePartitions } from "#engine/storage/partitions.ts"
import { DAY_MS, floorTo } from "#engine/storage/rollup.ts"

/** From here on there are partitions. */
const PARTITIONED_SINCE = "0017_partitions.sql"
const COLUMNS: Readonly<Record<string, string>> = { chunk: "t0", rollup: "t0", event: "at_ms" }
/** How PostgreSQL prints a jsonb that has this key: the shortest first. Saves parsing what may be megabytes. */
const OPENS_WITH_T0 = /^\{"t0": (\d{1,15}),/

export interface DaysSeen extends Listener {
  /** Days, as their begin, that rows of partitioned tables lie in. */
  readonly days: ReadonlySet<number>
}

export const daysSeen = (): DaysSeen => {
  const days = new Set<number>()
  let column: string | undefined
  return {
    days,
    table: async ({ table }: TableOpening) => {
      column = COLUMNS[table]
    },
    row: (text) => {
      if (column === undefined) return undefined
      const quick = column === "t0" ? OPENS_WITH_T0.exec(text)?.[1] : undefined
      const ms = Number(quick ?? parseLine(text, "time of a row")[column])
      if (Number.isFinite(ms)) days.add(floorTo(ms, DAY_MS))
      return undefined
    },
  }
}

/** Makes what is missing; a backup of before there were partitions needs none. */
export const ensureDays = async (ownerUrl: string, head: Head, days: ReadonlySet<number>): Promise<void> => {
  if (!head.migrations.some(({ name }) => name === PARTITIONED_SINCE)) return
  const sorted = [...days].toSorted((a, b) => a - b)
  for (let i = 0; i < sorted.length;) {
    const first = sorted[i]!
    while (sorted[i + 1] === sorted[i]! + DAY_MS) i++
    await ensurePartitions(ownerUrl, first, sorted[i]! + DAY_MS - 1)
    i++
  }
}
