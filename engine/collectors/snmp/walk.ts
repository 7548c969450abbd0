/**
 * Our own table walk: several columns per GETBULK, each with its own cursor, ended by strictly increasing OIDs and by
 * caps on rows, bytes, packets and time. net-snmp's walk goes on for ever when an agent repeats an OID (S6, S7).
 * Packets are kept near one Ethernet frame; a tooBig or a silence halves them, good answers let them grow again.
 */
import { performance } from "node:perf_hooks"
import type { SnmpClient } from "#engine/collectors/snmp/client.ts"
import { SnmpFailed, STATUS } from "#engine/collectors/snmp/client.ts"
import type { Oid } from "#engine/collectors/snmp/oid.ts"
import { compareOid, isUnder } from "#engine/collectors/snmp/oid.ts"
import type { Varbinds } from "#engine/collectors/snmp/varbinds.ts"

/** Fits an Ethernet frame with room for headers of tunnels: a fragmented answer is lost whole with any fragment. */
const TARGET_BYTES = 1_350
const MAX_VARBINDS_PER_PACKET = 120
const MAX_REPETITIONS = 60
/** Halvings after silences before the walk believes that the device is gone. */
const MAX_SILENCES = 2

/** How many bindings one answer of this device carries; kept between polls. */
export interface Pace {
  varbinds: number
  bytesPerVarbind: number
}

export const makePace = (): Pace => ({ varbinds: 48, bytesPerVarbind: 22 })

export interface WalkLimits {
  /** Rows of one column. */
  readonly rows: number
  readonly bytes: number
  readonly packets: number
}

export const DEFAULT_LIMITS: WalkLimits = { rows: 10_000, bytes: 8 * 1024 * 1024, packets: 4_096 }

/**
 * `complete`: every column was read to its end. Otherwise what stopped it, with everything before it delivered:
 * `order` = the agent's OIDs do not increase; `rows`/`bytes`/`packets` = a cap; `time` = the deadline.
 */
export type WalkEnd = "complete" | "order" | "rows" | "bytes" | "packets" | "time"

export interface Walk {
  readonly client: SnmpClient
  readonly pace: Pace
  /** On performance.now()'s clock. */
  readonly untilMs: number
  readonly limits?: WalkLimits
}

/** Binding `i` of `answer` is a cell of `columns[column]`; the index starts after the column's own OID. */
export type OnCell = (column: number, answer: Varbinds, i: number) => void

/**
 * Reads all cells of all columns, of any number of rows, holes allowed. `expectRows` (0 = unknown) trims the last
 * packet. Rejects with SnmpFailed when the device stops answering or answers with an error. Whoever brings cursors may
 * go on later where they stand: every cell before them has been delivered, however the walk ended.
 */
export const walkColumns = async (
  walk: Walk,
  columns: readonly Oid[],
  expectRows: number,
  onCell: OnCell,
  cursors: readonly Cursor[] = makeCursors(columns),
): Promise<WalkEnd> => {
  const limits = walk.limits ?? DEFAULT_LIMITS
  let active = cursors.filter((cursor) => !cursor.isDone)
  let bytes = 0
  let silences = 0
  for (let packets = 0; active.length > 0; packets++) {
    if (packets >= limits.packets) return "packets"
    if (performance.now() >= walk.untilMs) return "time"
    const repetitions = repetitionsFor(walk.pace, active, expectRows)
    const asked = active.map((cursor) => cursor.at)
    try {
      const answer = await walk.client.bulk(0, repetitions, asked, walk.untilMs)
      bytes += answer.bytes.length
      if (bytes > limits.bytes) return "bytes"
      const end = takeAnswer(active, answer, limits.rows, onCell)
      if (end !== null) return end
      grow(walk.pace, answer)
      active = active.filter((cursor) => !cursor.isDone)
    } catch (error) {
      if (!(error instanceof SnmpFailed) || repetitions === 1) throw error
      const tooBig = error.status === STATUS.tooBig
      if (!tooBig && (error.reason !== "timeout" || ++silences > MAX_SILENCES)) throw error
      shrink(walk.pace, active.length * repetitions)
    }
  }
  return "complete"
}

/** How far a walk has come in one column. */
export interface Cursor {
  readonly column: number
  readonly base: Oid
  at: Oid
  rows: number
  isDone: boolean
}

export const makeCursors = (columns: readonly Oid[]): readonly Cursor[] =>
  columns.map((base, column) => ({ column, base, at: base, rows: 0, isDone: false }))

/** Moves the cursors along the answer; null = go on. */
const takeAnswer = (active: readonly Cursor[], answer: Varbinds, maxRows: number, onCell: OnCell): WalkEnd | null => {
  // An empty answer moves nothing and would be asked again for ever.
  if (answer.length === 0) return "order"
  const { bytes } = answer
  for (let i = 0; i < answer.length; i++) {
    const cursor = active[i % active.length] as Cursor
    if (cursor.isDone) continue
    const start = answer.oidStart(i)
    const end = answer.oidEnd(i)
    if (answer.isException(i) || !isUnder(bytes, start, end, cursor.base)) {
      // Left the column. Forwards it is its end; an agent that jumps backwards is not to be believed about the end either.
      if (!answer.isException(i) && compareOid(bytes, start, end, cursor.at) <= 0) return "order"
      cursor.isDone = true
      continue
    }
    if (compareOid(bytes, start, end, cursor.at) <= 0) return "order"
    if (cursor.rows++ >= maxRows) return "rows"
    onCell(cursor.column, answer, i)
    cursor.at = bytes.subarray(start, end)
  }
  return null
}

const repetitionsFor = (pace: Pace, active: readonly Cursor[], expectRows: number): number => {
  const fitting = Math.max(1, Math.floor(pace.varbinds / active.length))
  const behind = Math.min(...active.map((cursor) => cursor.rows))
  const missing = expectRows >= behind && expectRows > 0 ? expectRows - behind + 1 : MAX_REPETITIONS
  return Math.min(fitting, missing, MAX_REPETITIONS)
}

const grow = (pace: Pace, answer: Varbinds): void => {
  if (answer.length === 0) return
  pace.bytesPerVarbind += (answer.bytes.length / answer.length - pace.bytesPerVarbind) / 8
  const fitting = Math.floor(TARGET_BYTES / pace.bytesPerVarbind)
  pace.varbinds = Math.max(1, Math.min(pace.varbinds + 4, fitting, MAX_VARBINDS_PER_PACKET))
}

const shrink = (pace: Pace, asked: number): void => {
  pace.varbinds = Math.max(1, Math.floor(Math.min(pace.varbinds, asked) / 2))
}
