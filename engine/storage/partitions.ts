/**
 * The partitions of chunks, events and rollups: made ahead of time in a way that no writer waits for (a table of its own with
 * a CHECK, then ATTACH: CREATE .. PARTITION OF waits for every reader), dropped whole when nobody needs them any more.
 * There is no default partition, because its rows would block making the right one: a row without a partition is refused
 * with 23514. Measured in notes/storage.md 3f.
 */
import { setTimeout as sleep } from "node:timers/promises"
import { Client } from "pg"
import { SCHEMA } from "#engine/storage/roles.ts"
import { DAY_MS, floorTo } from "#engine/storage/rollup.ts"

export type Unit = "day" | "month" | "year"
export interface Partitioned {
  readonly parent: string
  /** Unix milliseconds that it is cut by. */
  readonly column: string
  readonly unit: Unit
}

/** By how long their rows are kept, and how many there are. */
export const PARTITIONED = [
  { parent: "chunk", column: "t0", unit: "day" },
  { parent: "event", column: "at_ms", unit: "month" },
  { parent: "rollup_1m", column: "t0", unit: "day" },
  { parent: "rollup_5m", column: "t0", unit: "month" },
  { parent: "rollup_1h", column: "t0", unit: "month" },
  { parent: "rollup_long", column: "t0", unit: "year" },
] as const satisfies readonly Partitioned[]
export type ParentName = (typeof PARTITIONED)[number]["parent"]

/** What is asked for at once at most: a clock that is years off must not fill the catalogue. */
const PARTITIONS_MAX = 1_000
/** Waiting longer for a lock would hold up the writers that queue behind it. */
const LOCK_MS = 50
const ATTEMPTS = 100
const LOCK_NOT_AVAILABLE = "55P03"

export interface Partition {
  readonly name: string
  /** Null = from the beginning of time. */
  readonly fromMs: number | null
  readonly toMs: number
}

/** Makes what is missing for rows in [fromMs, toMs]; the names of what was made. Rejects with what PostgreSQL refused. */
export const ensurePartitions = (ownerUrl: string, fromMs: number, toMs: number): Promise<readonly string[]> =>
  withOwner(ownerUrl, async (client) => {
    const made: string[] = []
    for (const table of PARTITIONED) {
      for (const missing of missingOf(table, await partitionsOf(client, table.parent), fromMs, toMs)) {
        await attempt(client, () => attach(client, table, missing))
        made.push(missing.name)
      }
    }
    return made
  })

/** Drops what ends at or before its parent's time; the names of what was dropped. One that stays in use is left for later. */
export const dropPartitions = (
  ownerUrl: string,
  before: Readonly<Partial<Record<ParentName, number>>>,
): Promise<readonly string[]> =>
  withOwner(ownerUrl, async (client) => {
    const dropped: string[] = []
    for (const { parent } of PARTITIONED) {
      const beforeMs = before[parent]
      if (beforeMs === undefined) continue
      for (const { name, toMs } of await partitionsOf(client, parent)) {
        if (toMs > beforeMs) continue
        await attempt(client, () => client.query(`drop table ${SCHEMA}."${name}"`))
        dropped.push(name)
      }
    }
    return dropped
  })

export const listPartitions = (ownerUrl: string, parent: ParentName): Promise<readonly Partition[]> =>
  withOwner(ownerUrl, (client) => partitionsOf(client, parent))

/** Pure: whole units, cut where a partition is already. */
export const missingOf = (
  { parent, unit }: Partitioned,
  have: readonly Partition[],
  fromMs: number,
  toMs: number,
): readonly Partition[] => {
  const missing: Partition[] = []
  const sorted = have.toSorted((a, b) => a.toMs - b.toMs)
  for (let start = startOf(unit, fromMs); start <= toMs && missing.length < PARTITIONS_MAX;) {
    const end = startOf(unit, start + UNIT_MOST_MS[unit])
    let at = start
    for (const { fromMs: from, toMs: to } of [...sorted, { fromMs: end, toMs: end }]) {
      if (to <= at && to !== end) continue
      const gapEnd = Math.min(end, from ?? Number.NEGATIVE_INFINITY)
      if (gapEnd > at) missing.push({ name: nameOf(parent, at), fromMs: at, toMs: gapEnd })
      at = Math.max(at, Math.min(to, end))
      if (at >= end) break
    }
    start = end
  }
  return missing
}

/** From the start of a unit, some time in the next. */
const UNIT_MOST_MS: Readonly<Record<Unit, number>> = { day: DAY_MS, month: 31 * DAY_MS, year: 366 * DAY_MS }

/** In UTC. */
export const startOf = (unit: Unit, ms: number): number => {
  if (unit === "day") return floorTo(ms, DAY_MS)
  const date = new Date(ms)
  return Date.UTC(date.getUTCFullYear(), unit === "month" ? date.getUTCMonth() : 0, 1)
}

const nameOf = (parent: string, fromMs: number): string =>
  `${parent}_${new Date(fromMs).toISOString().slice(0, 10).replaceAll("-", "")}`

const partitionsOf = async (client: Client, parent: string): Promise<readonly Partition[]> => {
  const { rows } = await client.query<{ name: string; bound: string }>(
    `select c.relname as name, pg_get_expr(c.relpartbound, c.oid) as bound
     from pg_inherits i join pg_class c on c.oid = i.inhrelid
     where i.inhparent = ($1 || '.' || $2)::regclass order by 1`,
    [SCHEMA, parent],
  )
  return rows.map(({ name, bound }) => {
    const [, from, to] = /FROM \('?(-?\w+)'?\) TO \('?(\d+)'?\)/.exec(bound) ?? []
    if (to === undefined) throw new Error(`the bounds of partition ${name} are not understood: ${bound}`)
    return { name, fromMs: from === "MINVALUE" ? null : Number(from), toMs: Number(to) }
  })
}

/** Nobody sees the table before it is whole; the CHECK saves PostgreSQL reading it. */
const attach = async (client: Client, { parent, column }: Partitioned, partition: Partition): Promise<void> => {
  const { name, fromMs, toMs } = partition
  const table = `${SCHEMA}."${name}"`
  await client.query("begin")
  try {
    await client.query(`create table ${table} (like ${SCHEMA}.${parent} including constraints including storage)`)
    await client.query(
      `alter table ${table} add constraint in_bounds check (${column} is not null and ${column} >= ${fromMs} and ${column} < ${toMs})`,
    )
    await client.query(
      `alter table ${SCHEMA}.${parent} attach partition ${table} for values from (${fromMs}) to (${toMs})`,
    )
    await client.query(`alter table ${table} drop constraint in_bounds`)
    await client.query("commit")
  } catch (error) {
    await client.query("rollback")
    throw error
  }
}

/** A lock that is not free at once is asked for again, so that nobody waits behind us. */
const attempt = async (client: Client, work: () => Promise<unknown>): Promise<void> => {
  await client.query(`set lock_timeout = ${LOCK_MS}`)
  for (let tries = 1; ; tries++) {
    try {
      await work()
      return
    } catch (error) {
      if ((error as { code?: string }).code !== LOCK_NOT_AVAILABLE || tries >= ATTEMPTS) throw error
      await sleep(100 + Math.random() * 400)
    }
  }
}

/** One at a time: engines that share a database would make the same partition twice. */
const withOwner = async <A>(ownerUrl: string, body: (client: Client) => Promise<A>): Promise<A> => {
  const client = new Client({ connectionString: ownerUrl, connectionTimeoutMillis: 10_000 })
  client.on("error", () => {})
  await client.connect()
  try {
    await client.query("select pg_advisory_lock(hashtext('heliograph partitions'))")
    return await body(client)
  } finally {
    await client.end().catch(() => {})
  }
}
