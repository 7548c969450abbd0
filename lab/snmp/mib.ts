/**
 * What a MIB view is made of: tables in OID order, each a set of columns over a sorted set of rows. Scalars are tables
 * of one row with index 0. A position is (table, column, row); nothing is stored per cell, and a column writes its value
 * straight into the answer, so a thousand agents cost little more than their sockets.
 */
import { arcBytes, oidBytes } from "#lab/snmp/ber.ts"
import type { Oid, Writer } from "#lab/snmp/ber.ts"
import type { Network } from "#lab/isp/network.ts"

/** Whose values are asked for. */
export interface Subject {
  readonly network: Network
  readonly router: number
}

/** Writes the value of the row with this key. */
export type Cell = (out: Writer, subject: Subject, key: number) => void

export interface Column {
  readonly arc: number
  readonly prefix: Buffer
  readonly cell: Cell
}

/** One instance: its index as arcs and as encoded bytes, and the key by which cells find it (port, link, ...). */
export interface Row {
  readonly index: Oid
  readonly suffix: Buffer
  readonly key: number
}

export interface Table {
  /** The OID above the columns: ifEntry, or the group of scalars. */
  readonly entry: Oid
  /** Ascending by arc. */
  readonly columns: readonly Column[]
  /** Ascending by index. Called for every request: it must be cheap. */
  readonly rows: (subject: Subject) => readonly Row[]
}

export const table = (
  entry: string,
  rows: (subject: Subject) => readonly Row[],
  columns: Readonly<Record<number, Cell>>,
): Table => {
  const arcs = parseOid(entry)
  return {
    entry: arcs,
    rows,
    columns: Object.entries(columns)
      .map(([arc, cell]) => ({ arc: Number(arc), prefix: oidBytes([...arcs, Number(arc)]), cell }))
      .sort((x, y) => x.arc - y.arc),
  }
}

export const row = (index: Oid, key: number): Row => ({ index, suffix: arcBytes(index), key })

const SCALAR_ROWS = [row([0], 0)]
/** A group of scalars: `.N.0` for each N. */
export const scalars = (group: string, cells: Readonly<Record<number, Cell>>): Table =>
  table(group, () => SCALAR_ROWS, cells)

export const parseOid = (text: string): number[] => text.split(".").map(Number)

export const sortRows = (rows: Row[]): readonly Row[] => rows.sort((x, y) => compareOid(x.index, y.index))

/** Lexicographic, as RFC 3416 orders names. */
export const compareOid = (x: Oid, y: Oid): number => {
  const shared = Math.min(x.length, y.length)
  for (let i = 0; i < shared; i++) if (x[i] !== y[i]) return x[i]! - y[i]!
  return x.length - y.length
}

/** In OID order, none reaching into another: what Cursor relies on. Throws when a persona's tables break that. */
export const orderTables = (tables: readonly Table[]): readonly Table[] => {
  const first = (table: Table): Oid => [...table.entry, table.columns[0]!.arc]
  const ordered = [...tables].sort((x, y) => compareOid(first(x), first(y)))
  ordered.forEach((table, i) => {
    const next = ordered[i + 1]
    if (next !== undefined && relation(first(next), table) <= 0)
      throw new Error(`table ${next.entry.join(".")} lies inside ${table.entry.join(".")}`)
  })
  return ordered
}

/**
 * Negative: oid comes before all columns of the table, positive: behind all of them, 0: among them. A group of scalars
 * and a table below the same node are two tables whose columns do not overlap (ifNumber and ifTable).
 */
const relation = (oid: Oid, { entry, columns }: Table): number => {
  for (let i = 0; i < entry.length; i++) {
    if (i === oid.length) return -1
    if (oid[i] !== entry[i]) return oid[i]! - entry[i]!
  }
  const arc = oid[entry.length] ?? -1
  if (arc < columns[0]!.arc) return -1
  return arc > columns.at(-1)!.arc ? 1 : 0
}

/** A walk over one agent's view. Positions live in the fields, so that stepping allocates nothing. */
export class Cursor {
  private readonly tables: readonly Table[]
  private readonly subject: Subject
  private readonly rows: Array<readonly Row[] | undefined>
  private table = 0
  private column = 0
  private row = 0

  constructor(tables: readonly Table[], subject: Subject, rows: Array<readonly Row[] | undefined> = []) {
    this.tables = tables
    this.subject = subject
    this.rows = rows
  }

  /** Another place in the same state of the same view. */
  fork(): Cursor {
    return new Cursor(this.tables, this.subject, this.rows)
  }

  /** False behind the last instance. */
  get valid(): boolean {
    return this.table < this.tables.length
  }

  /** Exactly this instance. Tells which exception is due when there is none. */
  find(oid: Oid): "found" | "noSuchObject" | "noSuchInstance" {
    for (let t = 0; t < this.tables.length; t++) {
      const table = this.tables[t]!
      if (relation(oid, table) !== 0) continue
      const depth = table.entry.length
      const column = table.columns.findIndex((candidate) => candidate.arc === oid[depth])
      if (column < 0) return "noSuchObject"
      const rows = this.rowsOf(t)
      const row = firstBehind(rows, oid, depth + 1, false)
      if (row === rows.length || compareTail(oid, depth + 1, rows[row]!.index) !== 0) return "noSuchInstance"
      this.table = t
      this.column = column
      this.row = row
      return "found"
    }
    return "noSuchObject"
  }

  /** The first instance behind `oid`. */
  seekBehind(oid: Oid): void {
    let t = 0
    let side = 1
    for (; t < this.tables.length; t++) {
      side = relation(oid, this.tables[t]!)
      if (side <= 0) break
    }
    this.table = t
    this.column = 0
    this.row = 0
    if (t < this.tables.length && side === 0) this.seekInside(oid)
    this.skipEmpty()
  }

  /** The next instance in order; false, with the position kept for `oid`, when there is none. */
  next(): boolean {
    const [table, column, row] = [this.table, this.column, this.row]
    this.row++
    this.skipEmpty()
    if (this.valid) return true
    this.table = table
    this.column = column
    this.row = row
    return false
  }

  /** Writes name and value of the instance, as one VarBind. Needs room for the longest value. */
  write(out: Writer): void {
    const { prefix, cell } = this.tables[this.table]!.columns[this.column]!
    const { suffix, key } = this.rowsOf(this.table)[this.row]!
    const bytes = out.bytes
    const start = out.at
    // Nearly every VarBind is shorter than 128 octets: one length octet is reserved, more are made room for.
    bytes[start] = 0x30
    bytes[start + 2] = 0x06
    bytes[start + 3] = prefix.length + suffix.length
    out.at = start + 4
    copySmall(prefix, out)
    copySmall(suffix, out)
    cell(out, this.subject, key)
    const length = out.at - start - 2
    if (length < 128) bytes[start + 1] = length
    else {
      bytes.copyWithin(start + 4, start + 2, out.at)
      bytes[start + 1] = 0x82
      bytes.writeUInt16BE(length, start + 2)
      out.at += 2
    }
  }

  /** The name of the instance. */
  oid(): Oid {
    const table = this.tables[this.table]!
    return [...table.entry, table.columns[this.column]!.arc, ...this.rowsOf(this.table)[this.row]!.index]
  }

  private seekInside(oid: Oid): void {
    const { entry, columns } = this.tables[this.table]!
    const arc = oid[entry.length] ?? -1
    let column = 0
    while (column < columns.length && columns[column]!.arc < arc) column++
    this.column = column
    if (columns[column]?.arc === arc) this.row = firstBehind(this.rowsOf(this.table), oid, entry.length + 1, true)
  }

  private skipEmpty(): void {
    while (this.valid) {
      if (this.column >= this.tables[this.table]!.columns.length) {
        this.table++
        this.column = 0
        this.row = 0
      } else if (this.row >= this.rowsOf(this.table).length) {
        this.column++
        this.row = 0
      } else return
    }
  }

  /** One request sees one state of every table. */
  private rowsOf(table: number): readonly Row[] {
    return (this.rows[table] ??= this.tables[table]!.rows(this.subject))
  }
}

/** Buffer.copy has a price per call that a few octets do not repay. */
const copySmall = (from: Buffer, out: Writer): void => {
  const bytes = out.bytes
  let at = out.at
  for (let i = 0; i < from.length; i++) bytes[at++] = from[i]!
  out.at = at
}

/** Compares oid[from..] with an index. */
const compareTail = (oid: Oid, from: number, index: Oid): number => {
  const length = oid.length - from
  const shared = Math.min(length, index.length)
  for (let i = 0; i < shared; i++) if (oid[from + i] !== index[i]) return oid[from + i]! - index[i]!
  return length - index.length
}

/** First row whose index is behind oid[from..], or at it unless `strictly`. */
const firstBehind = (rows: readonly Row[], oid: Oid, from: number, strictly: boolean): number => {
  let low = 0
  let high = rows.length
  while (low < high) {
    const middle = (low + high) >> 1
    const order = compareTail(oid, from, rows[middle]!.index)
    if (order > 0 || (strictly && order === 0)) low = middle + 1
    else high = middle
  }
  return low
}
