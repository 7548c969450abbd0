/**
 * Reads any table of an agent into rows of named cells: for what is read rarely, by discovery and by `device test`. Values
 * are copied out of the datagrams and keep all 64 bits. Rows, bytes, packets and time are bounded by the walk; what ended
 * one early becomes a warning, and what was read before that is kept.
 */
import type { SnmpClient } from "#engine/collectors/snmp/client.ts"
import { SnmpFailed, STATUS } from "#engine/collectors/snmp/client.ts"
import type { Oid } from "#engine/collectors/snmp/oid.ts"
import { arcsOf, oid } from "#engine/collectors/snmp/oid.ts"
import { octetText } from "#engine/collectors/snmp/text.ts"
import type { Varbind } from "#engine/collectors/snmp/varbinds.ts"
import { TAG } from "#engine/collectors/snmp/varbinds.ts"
import type { Pace, WalkEnd } from "#engine/collectors/snmp/walk.ts"
import { makePace, walkColumns } from "#engine/collectors/snmp/walk.ts"

/** Rows of one table that are shown. */
const ROWS_MAX = 10_000
const LIMITS = { rows: ROWS_MAX, bytes: 8 * 1024 * 1024, packets: 4_096 }
/** Columns asked side by side: more would leave too little room for repetitions in one packet. */
const COLUMNS_TOGETHER = 8
/** Names in one GET. */
const GET_MAX = 20
/** Warnings that are kept; the last place says that there were more. */
const WARNINGS_MAX = 64

export interface Reader {
  readonly client: SnmpClient
  readonly pace: Pace
  /** On performance.now()'s clock. */
  readonly untilMs: number
  readonly warn: (text: string) => void
}

export const makeReader = (client: SnmpClient, untilMs: number, warnings: string[]): Reader => ({
  client,
  pace: makePace(),
  untilMs,
  warn: (text) => {
    if (warnings.length < WARNINGS_MAX - 1) warnings.push(text)
    else if (warnings.length < WARNINGS_MAX) warnings.push("there were more warnings than are shown")
  },
})

export interface TableRow<Column extends string> {
  /** Sub-identifiers behind the column. */
  readonly index: readonly number[]
  readonly cells: Partial<Record<Column, Cell>>
}

/** One value of an agent, out of its datagram; every view of it answers null when it is of another type. */
export class Cell {
  private readonly varbind: Varbind
  constructor(varbind: Varbind) {
    const { value } = varbind
    this.varbind = value instanceof Uint8Array ? { ...varbind, value: Uint8Array.from(value) } : varbind
  }
  /** Integers, gauges and ticks. */
  number(): number | null {
    const { value } = this.varbind
    return typeof value === "number" ? value : typeof value === "bigint" ? Number(value) : null
  }
  /** Decimal digits of a counter, exact. */
  counter(): string | null {
    const { value } = this.varbind
    return typeof value === "number" || typeof value === "bigint" ? String(value) : null
  }
  octets(): Uint8Array | null {
    const { tag, value } = this.varbind
    return tag === TAG.octetString && value instanceof Uint8Array ? value : null
  }
  /** Safe to show: see device-text.ts. */
  text(max = 255): string | null {
    const octets = this.octets()
    return octets === null ? null : octetText(octets, max)
  }
  /** Dotted text of an OID or an IpAddress. */
  dotted(): string | null {
    const { value } = this.varbind
    return typeof value === "string" ? value : null
  }
}

/**
 * Rows in the order in which they came, holes allowed; an agent without the table gives none. Never rejects for what
 * the agent does: what stopped the reading is a warning, so no warning means that the table is complete.
 */
export const readTable = async <Column extends string>(
  reader: Reader,
  name: string,
  columns: Readonly<Record<Column, Oid>>,
): Promise<Array<TableRow<Column>>> => {
  const rows = new Map<string, TableRow<Column>>()
  const wanted = Object.keys(columns) as Column[]
  for (let from = 0; from < wanted.length; from += COLUMNS_TOGETHER) {
    const some = wanted.slice(from, from + COLUMNS_TOGETHER)
    const end = await walkSome(reader, some, columns, rows)
    if (end !== "complete") reader.warn(`${name} is not complete: ${WHY[end]}`)
    if (end === "order" || end === "time" || end === "failed") break
  }
  return [...rows.values()]
}

const WHY: Readonly<Record<Exclude<WalkEnd, "complete"> | "failed", string>> = {
  order: "the agent's OIDs do not increase, so the rest cannot be believed",
  rows: `it has more than ${ROWS_MAX} rows`,
  bytes: "its answers are larger than 8 MiB",
  packets: `it takes more than ${LIMITS.packets} packets`,
  time: "the time was over",
  failed: "the agent stopped answering",
}

const walkSome = async <Column extends string>(
  reader: Reader,
  some: readonly Column[],
  columns: Readonly<Record<Column, Oid>>,
  rows: Map<string, TableRow<Column>>,
): Promise<WalkEnd | "failed"> => {
  const bases = some.map((column) => columns[column])
  const { client, pace, untilMs } = reader
  try {
    return await walkColumns({ client, pace, untilMs, limits: LIMITS }, bases, 0, (at, answer, i) => {
      const index = arcsOf(answer.bytes, answer.oidStart(i) + (bases[at] as Oid).length, answer.oidEnd(i))
      const key = index.join(".")
      let row = rows.get(key)
      if (row === undefined) {
        if (rows.size >= ROWS_MAX) return
        rows.set(key, (row = { index, cells: {} }))
      }
      row.cells[some[at] as Column] = new Cell(answer.at(i))
    })
  } catch (error) {
    if (!(error instanceof SnmpFailed) || error.reason === "closed") throw error
    if (error.status === STATUS.noSuchName) return "complete"
    return performance.now() >= untilMs ? "time" : "failed"
  }
}

/** Single objects; null for those that the agent does not have. Rejects with SnmpFailed when nothing answers. */
export const readScalars = async <Name extends string>(
  reader: Reader,
  objects: Readonly<Record<Name, Oid>>,
): Promise<Record<Name, Cell | null>> => {
  const names = Object.keys(objects) as Name[]
  const cells = await readCells(
    reader,
    names.map((name) => objects[name]),
  )
  return Object.fromEntries(names.map((name, i) => [name, cells[i] ?? null])) as Record<Name, Cell | null>
}

/** The same by place. An agent that refuses the lot for one of them (noSuchName, tooBig) is asked one by one. */
export const readCells = async (reader: Reader, oids: readonly Oid[]): Promise<Array<Cell | null>> => {
  const cells: Array<Cell | null> = []
  for (let from = 0; from < oids.length; from += GET_MAX) {
    cells.push(...(await readSome(reader, oids.slice(from, from + GET_MAX))))
  }
  return cells
}

const readSome = async (reader: Reader, oids: readonly Oid[]): Promise<Array<Cell | null>> => {
  try {
    const answer = await reader.client.get(oids, reader.untilMs)
    return oids.map((_, i) => (answer.isException(i) || answer.tag(i) === TAG.null ? null : new Cell(answer.at(i))))
  } catch (error) {
    if (!(error instanceof SnmpFailed) || error.reason !== "status") throw error
    if (oids.length === 1) return [null]
    const cells: Array<Cell | null> = []
    for (const one of oids) cells.push(...(await readSome(reader, [one])))
    return cells
  }
}

/** Columns of one entry: `{ ifDescr: 2 }` below ifEntry. */
export const columnsOf = <Column extends string>(
  entry: string,
  arcs: Readonly<Record<Column, number>>,
): Record<Column, Oid> =>
  Object.fromEntries(Object.entries(arcs).map(([name, arc]) => [name, oid(`${entry}.${String(arc)}`)])) as Record<
    Column,
    Oid
  >
