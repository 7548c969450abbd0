/**
 * The interfaces of one router as columns: levels (oper, admin, speed, rates) and, per source, the counters of its last
 * poll. IF-MIB (RFC 2863) words. Row order is the order of discovery; a name is the identity, ifIndex is not.
 * States of a poll are as old as its first request, its counters as young as its last answer.
 */
import { HOSTS_TEXT_MAX } from "#protocol/bridge.ts"
import type { EntityKey, EntityKind } from "#protocol/id.ts"
import { metricById, metricId } from "#protocol/metric.ts"
import type { TextFact } from "#protocol/metric.ts"
import type { Source } from "#protocol/view.ts"
import { ABSURD_BPS, counterDelta, discontinued, mayWrapUnseen, SPEED_SLACK } from "#twin/counter.ts"
import type { PollInput } from "#twin/input.ts"
import { rowFinder } from "#twin/rows.ts"
import { originSource, packOrigin, sourceBit } from "#twin/source.ts"
import type { Span } from "#twin/span.ts"
import type { ValueTable } from "#twin/values.ts"
import { emptyTable, grownF64, grownTable, grownU8, layoutOf, pickedF64, pickedTable, pickedU8 } from "#twin/values.ts"

/** Interfaces of one router; more are refused and counted. */
export const MAX_INTERFACES = 4096
/** Characters of an alias that are kept. */
const MAX_TEXT = 256

/** Counters of one source's last poll, row by row of the interface table. */
export interface SourceCounters {
  readonly source: Source
  /** Time of each row's sample; 0 = none. */
  readonly atMs: Float64Array
  /** rows x COUNTERS; NaN = not reported. */
  readonly value: Float64Array
  /** ifCounterDiscontinuityTime, s; NaN = not reported. */
  readonly discontinuity: Float64Array
  /** 32, 64, or 0 = not reported. */
  readonly bits: Uint8Array
}

export interface InterfaceTable {
  readonly keys: readonly EntityKey[]
  readonly aliases: ReadonlyArray<string | null>
  /** interface.addresses of each row; absent until somebody tells one, as in snapshots of before. */
  readonly addresses?: ReadonlyArray<string | null>
  /** interface.lower_layers of each row; absent likewise. */
  readonly lowerLayers?: ReadonlyArray<string | null>
  /** interface.mac and interface.bridge_hosts of each row; absent likewise. */
  readonly macs?: ReadonlyArray<string | null>
  readonly bridgeHosts?: ReadonlyArray<string | null>
  readonly levels: ValueTable
  readonly counters: readonly SourceCounters[]
  /** Bits of the sources that listed this row in their newest complete poll. */
  readonly listedBy: Uint8Array
}

const BITS = metricId("interface.counter_bits")
const DISCONTINUITY = metricId("interface.counter_discontinuity_seconds")
export const INTERFACE_LAYOUT = layoutOf("interface", [BITS, DISCONTINUITY])

const { width: WIDTH, columnOf: COLUMN_OF } = INTERFACE_LAYOUT
const columnOf = (id: number): number => COLUMN_OF[id] as number
export const OPER = columnOf(metricId("interface.oper_up"))
export const ADMIN = columnOf(metricId("interface.admin_up"))
export const SPEED = columnOf(metricId("interface.speed_bps"))
export const IF_INDEX = columnOf(metricId("interface.if_index"))
export const OSPF_COST = columnOf(metricId("interface.ospf_cost"))
export const UTILIZATION = columnOf(metricId("interface.utilization_pct"))

/** Counter metrics and the column of the rate that each gives, in this order in SourceCounters.value. */
const COUNTERS = [
  ["interface.rx_bytes_total", "interface.rx_bps"],
  ["interface.tx_bytes_total", "interface.tx_bps"],
  ["interface.rx_packets_total", "interface.rx_pps"],
  ["interface.tx_packets_total", "interface.tx_pps"],
  ["interface.rx_errors_total", "interface.rx_errors_per_s"],
  ["interface.tx_errors_total", "interface.tx_errors_per_s"],
  ["interface.rx_discards_total", "interface.rx_discards_per_s"],
  ["interface.tx_discards_total", "interface.tx_discards_per_s"],
] as const
const COUNTER_COUNT = COUNTERS.length
export const COUNTER_METRICS: readonly number[] = COUNTERS.map(([counter]) => metricId(counter))
const RATE_COLUMN = Int16Array.from(COUNTERS, ([, rate]) => columnOf(metricId(rate)))
const COUNTER_OF = new Int16Array(COLUMN_OF.length).fill(-1)
for (const [index, [counter]] of COUNTERS.entries()) COUNTER_OF[metricId(counter)] = index
const DERIVED = Uint8Array.from(COLUMN_OF, (_, id) => (metricById(id)?.derived === true ? 1 : 0))
export const RX_BPS = RATE_COLUMN[0] as number
export const TX_BPS = RATE_COLUMN[1] as number
/** The shortest Ethernet frame, bits: a line carries no more packets than this allows. */
const FRAME_BITS = 512

export const NO_INTERFACES: InterfaceTable = {
  keys: [],
  aliases: [],
  levels: emptyTable(0, WIDTH),
  counters: [],
  listedBy: new Uint8Array(0),
}

/** A flag of an interface that was known and is different now. */
export interface InterfaceChange {
  readonly key: EntityKey
  readonly flag: "oper" | "admin"
  readonly old: boolean
  readonly new: boolean
}

export interface PolledInterfaces {
  readonly table: InterfaceTable
  readonly changes: readonly InterfaceChange[]
  /** Rows of the poll that were not taken. */
  readonly refused: number
}

/** What a poll means for the interfaces, besides its rows. */
export interface PollContext {
  /** Kind of each entity of the poll. */
  readonly kinds: ReadonlyArray<EntityKind | null>
  readonly span: Span
  /** This poll listed all interfaces. */
  readonly complete: boolean
  /** Bits of the sources that answer, this one included. */
  readonly answering: number
}

/** Takes one poll into the table. Rows that are not interfaces' are left alone (and not counted as refused). */
export const pollInterfaces = (table: InterfaceTable, poll: PollInput, context: PollContext): PolledInterfaces => {
  const finder = rowFinder(table.keys, MAX_INTERFACES)
  const rowOf = rowsOf(poll, context.kinds, finder.rowOf)
  const keys = finder.keys()
  if (keys.length === 0) return { table, changes: [], refused: 0 }
  const draft = startDraft(table, keys, poll, rowOf, context.span.tooSoon)
  const refused = writeRows(draft, poll, context.kinds, rowOf)
  writeRates(draft, table, poll, context)
  const levels: ValueTable = draft.levels
  const polled: InterfaceTable = {
    keys,
    aliases: textsAfter(table.aliases, "interface.alias", poll, keys.length, finder.find),
    ...rareTextsAfter(table, poll, keys.length, finder.find),
    levels,
    counters: countersAfter(table, draft.counters, keys.length),
    listedBy: listedAfter(table, draft.touched, sourceBit(poll.source), context.complete),
  }
  const changes = flagChanges(table, polled, draft.touched)
  return { table: context.complete ? withoutVanished(polled, context.answering) : polled, changes, refused }
}

/** Takes a flag that a trap or a syslog line told. Null = nothing changed, or newer evidence is there. */
export const tellFlag = (
  table: InterfaceTable,
  row: number,
  flag: "oper" | "admin",
  up: boolean,
  atMs: number,
  source: Source,
): { readonly table: InterfaceTable; readonly changed: InterfaceChange | null } => {
  const index = row * WIDTH + (flag === "oper" ? OPER : ADMIN)
  const { levels } = table
  if (atMs < (levels.atMs[index] as number)) return { table, changed: null }
  const told = grownTable(levels, levels.rows, WIDTH)
  const old = levels.value[index] as number
  told.value[index] = up ? 1 : 0
  told.atMs[index] = atMs
  told.origin[index] = packOrigin(source, false)
  const key = table.keys[row] as EntityKey
  const changed = Number.isNaN(old) || (old === 1) === up ? null : { key, flag, old: old === 1, new: up }
  return { table: { ...table, levels: told }, changed }
}

/** Row by name, else by the ifIndex that the newest poll knew; -1 = no such interface. */
export const findInterface = (table: InterfaceTable, key: EntityKey | null, ifIndex: number | null): number => {
  const named = key === null ? -1 : table.keys.indexOf(key)
  if (named >= 0 || ifIndex === null) return named
  for (let row = 0; row < table.keys.length; row++)
    if (table.levels.value[row * WIDTH + IF_INDEX] === ifIndex) return row
  return -1
}

/** A level, or null when nobody measured it. */
export const level = (table: InterfaceTable, row: number, column: number): number | null => {
  const value = table.levels.value[row * WIDTH + column]
  return value === undefined || Number.isNaN(value) ? null : value
}

export const flagOf = (table: InterfaceTable, row: number, column: number): boolean | null => {
  const value = level(table, row, column)
  return value === null ? null : value === 1
}

// -- one poll --------------------------------------------------------------------------------------------------------

/** The next table while it is being written; nothing else holds it. */
interface Draft {
  readonly levels: ValueTable
  readonly counters: SourceCounters
  /** Rows that the poll speaks of. */
  readonly touched: Uint8Array
  /** Of those, the ones whose counters stay as they were; null = none. */
  readonly held: Uint8Array | null
}

const rowsOf = (
  poll: PollInput,
  kinds: ReadonlyArray<EntityKind | null>,
  rowOf: (key: EntityKey) => number,
): Int32Array => {
  const rows = new Int32Array(poll.entities.length).fill(-1)
  for (let e = 0; e < rows.length; e++) if (kinds[e] === "interface") rows[e] = rowOf(poll.entities[e] as EntityKey)
  return rows
}

const startDraft = (
  table: InterfaceTable,
  keys: readonly EntityKey[],
  poll: PollInput,
  rowOf: Int32Array,
  tooSoon: boolean,
): Draft => {
  const rows = keys.length
  const counters = grownCounters(table.counters.find((c) => c.source === poll.source) ?? noCounters(poll.source), rows)
  const touched = new Uint8Array(rows)
  const held = tooSoon ? new Uint8Array(rows) : null
  for (const row of rowOf) {
    if (row < 0 || touched[row] === 1) continue
    touched[row] = 1
    if (held !== null && (counters.atMs[row] as number) > 0) {
      held[row] = 1
      continue
    }
    counters.atMs[row] = poll.atMs
    counters.value.fill(Number.NaN, row * COUNTER_COUNT, (row + 1) * COUNTER_COUNT)
    counters.discontinuity[row] = Number.NaN
    counters.bits[row] = 0
  }
  return { levels: grownTable(table.levels, rows, WIDTH), counters, touched, held }
}

/** Writes the poll's values; returns how many were refused. */
const writeRows = (
  draft: Draft,
  poll: PollInput,
  kinds: ReadonlyArray<EntityKind | null>,
  rowOf: Int32Array,
): number => {
  const { levels, counters, held } = draft
  const origin = packOrigin(poll.source, false)
  const stateMs = Math.min(poll.startedMs, poll.atMs)
  const count = Math.min(poll.entity.length, poll.metric.length, poll.value.length)
  let refused = 0
  for (let i = 0; i < count; i++) {
    const e = poll.entity[i] as number
    if (kinds[e] !== "interface") continue
    const row = rowOf[e] as number
    const metric = poll.metric[i] as number
    const value = poll.value[i] as number
    const counter = COUNTER_OF[metric] ?? -1
    const column = COLUMN_OF[metric] ?? -1
    if (row < 0 || !Number.isFinite(value)) refused++
    else if (counter >= 0 || metric === BITS || metric === DISCONTINUITY) {
      if (held !== null && held[row] === 1) continue
      if (counter >= 0) counters.value[row * COUNTER_COUNT + counter] = value
      else if (metric === BITS) counters.bits[row] = value === 32 || value === 64 ? value : 0
      else counters.discontinuity[row] = value
    } else if (column < 0 || DERIVED[metric] === 1) refused++
    else if (column === OPER || column === ADMIN) {
      if (value === 0 || value === 1) put(levels, row * WIDTH + column, value, stateMs, origin)
      else refused++
    } else put(levels, row * WIDTH + column, value, poll.atMs, origin)
  }
  return refused
}

/** The newest evidence wins; of two equally new, the later told. */
const put = (table: ValueTable, index: number, value: number, atMs: number, origin: number): void => {
  if (atMs < (table.atMs[index] as number)) return
  table.value[index] = value
  table.atMs[index] = atMs
  table.origin[index] = origin
}

const writeRates = (draft: Draft, before: InterfaceTable, poll: PollInput, context: PollContext): void => {
  const prev = before.counters.find((c) => c.source === poll.source)
  const known = prev === undefined ? 0 : prev.atMs.length
  for (let row = 0; row < draft.touched.length; row++) {
    if (draft.touched[row] !== 1) continue
    const comparable = row < known && !context.span.restarted ? (prev as SourceCounters) : null
    if (draft.held === null || draft.held[row] !== 1) writeRowRates(draft, row, comparable, poll, context.span)
    writeUtilization(draft.levels, row * WIDTH)
  }
}

/** `prev` null = nothing to compare with. */
const writeRowRates = (
  draft: Draft,
  row: number,
  prev: SourceCounters | null,
  poll: PollInput,
  { lostSeconds, sinceMs, isEstimate }: Span,
): void => {
  const { levels, counters } = draft
  const base = row * WIDTH
  const prevMs = prev === null ? 0 : (prev.atMs[row] as number)
  const clockSeconds = (poll.atMs - prevMs) / 1000
  const seconds = clockSeconds + lostSeconds
  const bits = counters.bits[row] as number
  const comparable =
    prev !== null &&
    prevMs > 0 &&
    clockSeconds > 0 &&
    seconds > 0 &&
    // Lost time lies somewhere since that poll; of a row that was measured at another one nobody knows its part.
    (lostSeconds === 0 || prevMs === sinceMs) &&
    prev.bits[row] === bits &&
    !discontinued(prev.discontinuity[row] as number, counters.discontinuity[row] as number)
  const speed = levels.value[base + SPEED] as number
  // NaN when the speed is unknown: counterDelta then believes only a wrap of less than half the range.
  const mostBits = speed > 0 ? speed * SPEED_SLACK * seconds : Number.NaN
  for (let c = 0; c < COUNTER_COUNT; c++) {
    const next = counters.value[row * COUNTER_COUNT + c] as number
    if (Number.isNaN(next)) continue
    let rate = Number.NaN
    if (comparable) {
      const last = prev.value[row * COUNTER_COUNT + c] as number
      rate = rateOf(c, last, next, bits, mostBits, seconds)
    }
    const estimated = isEstimate || (c < 2 && mayWrapUnseen(bits, mostBits / 8))
    putRate(levels, base + (RATE_COLUMN[c] as number), rate, poll.atMs, poll.source, estimated)
  }
}

/** Octets become bit/s. Error and discard counters are Counter32 in IF-MIB whatever the octets are. */
const rateOf = (c: number, last: number, next: number, bits: number, mostBits: number, seconds: number): number => {
  if (c < 2) return (counterDelta(last, next, bits, mostBits / 8, (ABSURD_BPS / 8) * seconds) * 8) / seconds
  const mostPackets = (ABSURD_BPS / FRAME_BITS) * seconds
  if (c < 4) return counterDelta(last, next, bits, mostBits / FRAME_BITS, mostPackets) / seconds
  return counterDelta(last, next, 0, Number.NaN, mostPackets) / seconds
}

/** A rate that is not known any more is taken away, unless another source still tells it. */
const putRate = (
  levels: ValueTable,
  index: number,
  rate: number,
  atMs: number,
  source: Source,
  estimated: boolean,
): void => {
  if (!Number.isNaN(rate)) put(levels, index, rate, atMs, packOrigin(source, estimated))
  else if (originSource(levels.origin[index] as number) === source) levels.value[index] = Number.NaN
}

/** The busier direction against the nominal speed; the link knows the declared capacity. */
const writeUtilization = (levels: ValueTable, base: number): void => {
  const rx = levels.value[base + RX_BPS] as number
  const tx = levels.value[base + TX_BPS] as number
  const speed = levels.value[base + SPEED] as number
  const busier = Number.isNaN(rx) || tx > rx ? TX_BPS : RX_BPS
  levels.value[base + UTILIZATION] = speed > 0 ? ((levels.value[base + busier] as number) * 100) / speed : Number.NaN
  levels.atMs[base + UTILIZATION] = levels.atMs[base + busier] as number
  levels.origin[base + UTILIZATION] = levels.origin[base + busier] as number
}

// -- the rest of the table -------------------------------------------------------------------------------------------

const textsAfter = (
  before: ReadonlyArray<string | null>,
  wanted: TextFact,
  poll: PollInput,
  rows: number,
  find: (key: EntityKey) => number,
  max = MAX_TEXT,
): ReadonlyArray<string | null> => {
  const news = poll.texts.filter(({ fact }) => fact === wanted)
  if (news.length === 0 && rows === before.length) return before
  const texts = [...before]
  while (texts.length < rows) texts.push(null)
  for (const { entity, text } of news) {
    const row = find(entity)
    if (row >= 0) texts[row] = text.slice(0, max)
  }
  return texts
}

/** Texts of few interfaces, each a column once somebody told one. */
type RareTexts = Pick<InterfaceTable, "addresses" | "lowerLayers" | "macs" | "bridgeHosts">
const RARE_TEXTS = [
  ["addresses", "interface.addresses", MAX_TEXT],
  ["lowerLayers", "interface.lower_layers", MAX_TEXT],
  ["macs", "interface.mac", MAX_TEXT],
  ["bridgeHosts", "interface.bridge_hosts", HOSTS_TEXT_MAX],
] as const satisfies ReadonlyArray<readonly [keyof RareTexts, TextFact, number]>

const rareTextsAfter = (
  table: InterfaceTable,
  poll: PollInput,
  rows: number,
  find: (key: EntityKey) => number,
): RareTexts => {
  const after: { -readonly [Column in keyof RareTexts]: RareTexts[Column] } = {}
  for (const [column, wanted, max] of RARE_TEXTS) {
    const before = table[column]
    if (before === undefined && !poll.texts.some(({ fact }) => fact === wanted)) continue
    after[column] = textsAfter(before ?? [], wanted, poll, rows, find, max)
  }
  return after
}

const pickedRareTexts = (table: InterfaceTable, rows: readonly number[]): RareTexts => {
  const picked: { -readonly [Column in keyof RareTexts]: RareTexts[Column] } = {}
  for (const [column] of RARE_TEXTS) {
    const texts = table[column]
    if (texts !== undefined) picked[column] = rows.map((row) => texts[row] ?? null)
  }
  return picked
}

const flagChanges = (
  before: InterfaceTable,
  after: InterfaceTable,
  touched: Uint8Array,
): readonly InterfaceChange[] => {
  const changes: InterfaceChange[] = []
  for (let row = 0; row < before.keys.length; row++) {
    if (touched[row] !== 1) continue
    for (const column of [ADMIN, OPER]) {
      const old = before.levels.value[row * WIDTH + column] as number
      const now = after.levels.value[row * WIDTH + column] as number
      if (old === now || Number.isNaN(old)) continue
      const flag = column === OPER ? "oper" : "admin"
      changes.push({ key: before.keys[row] as EntityKey, flag, old: old === 1, new: now === 1 })
    }
  }
  return changes
}

const listedAfter = (table: InterfaceTable, touched: Uint8Array, bit: number, complete: boolean): Uint8Array => {
  const listed = grownU8(table.listedBy, touched.length)
  for (let row = 0; row < listed.length; row++) {
    const bits = listed[row] as number
    listed[row] = touched[row] === 1 ? bits | bit : complete ? bits & ~bit : bits
  }
  return listed
}

/** Drops the rows that no answering source lists. */
const withoutVanished = (table: InterfaceTable, answering: number): InterfaceTable => {
  if (table.listedBy.every((bits) => (bits & answering) !== 0)) return table
  const rows = [...table.keys.keys()].filter((row) => ((table.listedBy[row] as number) & answering) !== 0)
  return {
    keys: rows.map((row) => table.keys[row] as EntityKey),
    aliases: rows.map((row) => table.aliases[row] ?? null),
    ...pickedRareTexts(table, rows),
    levels: pickedTable(table.levels, rows, WIDTH),
    counters: table.counters.map((counters) => ({
      source: counters.source,
      atMs: pickedF64(counters.atMs, rows, 1),
      value: pickedF64(counters.value, rows, COUNTER_COUNT),
      discontinuity: pickedF64(counters.discontinuity, rows, 1),
      bits: pickedU8(counters.bits, rows, 1),
    })),
    listedBy: pickedU8(table.listedBy, rows, 1),
  }
}

const noCounters = (source: Source): SourceCounters => ({
  source,
  atMs: new Float64Array(0),
  value: new Float64Array(0),
  discontinuity: new Float64Array(0),
  bits: new Uint8Array(0),
})

const grownCounters = (counters: SourceCounters, rows: number): SourceCounters => ({
  source: counters.source,
  atMs: grownF64(counters.atMs, rows, 0),
  value: grownF64(counters.value, rows * COUNTER_COUNT),
  discontinuity: grownF64(counters.discontinuity, rows),
  bits: grownU8(counters.bits, rows),
})

/** All sources' counters with the same number of rows; this poll's source replaced. */
const countersAfter = (table: InterfaceTable, polled: SourceCounters, rows: number): readonly SourceCounters[] => {
  const others = table.counters
    .filter((counters) => counters.source !== polled.source)
    .map((counters) => (counters.atMs.length === rows ? counters : grownCounters(counters, rows)))
  return [...others, polled].sort((a, b) => (a.source < b.source ? -1 : 1))
}
