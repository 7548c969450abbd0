/**
 * IF-MIB (RFC 2863): reads the interface tables of one device and puts them into a batch under names that survive an
 * ifIndex renumbering. The naming column is read with the counters, row by row in the same packets, and compared with
 * the remembered names: a renumbering is seen in the very poll in which it happens, whatever the agent says about it.
 */
import { Buffer } from "node:buffer"
import { isOwnable, macNumber, macText } from "#protocol/bridge.ts"
import type { EntityKey } from "#protocol/id.ts"
import { interfaceKey } from "#protocol/id.ts"
import type { Batch } from "#engine/collectors/snmp/batch.ts"
import type { LocalInterface } from "#engine/collectors/snmp/lldp.ts"
import type { IfColumn } from "#engine/collectors/snmp/mib.ts"
import { IF } from "#engine/collectors/snmp/mib.ts"
import { arcsOf } from "#engine/collectors/snmp/oid.ts"
import { octetText } from "#engine/collectors/snmp/text.ts"
import type { Varbinds } from "#engine/collectors/snmp/varbinds.ts"
import type { Walk, WalkEnd } from "#engine/collectors/snmp/walk.ts"
import { walkColumns } from "#engine/collectors/snmp/walk.ts"

/** State and octets: what the map needs. First, so that a short deadline still gives them. */
const STATE: readonly IfColumn[] = [
  "ifOperStatus",
  "ifAdminStatus",
  "ifHCInOctets",
  "ifHCOutOctets",
  "ifHighSpeed",
  "ifInErrors",
  "ifOutErrors",
]
const COUNTERS: readonly IfColumn[] = [
  "ifInDiscards",
  "ifOutDiscards",
  "ifHCInUcastPkts",
  "ifHCInMulticastPkts",
  "ifHCInBroadcastPkts",
  "ifHCOutUcastPkts",
  "ifHCOutMulticastPkts",
  "ifHCOutBroadcastPkts",
  "ifCounterDiscontinuityTime",
]
/** Read when some interface has no 64-bit octets. */
const NARROW: readonly IfColumn[] = ["ifInOctets", "ifOutOctets", "ifInUcastPkts", "ifOutUcastPkts"]
const NAMES: readonly IfColumn[] = ["ifName", "ifDescr", "ifAlias", "ifSpeed", "ifPhysAddress"]

/** Place of each numeric column in a row. */
const VALUES: readonly IfColumn[] = [...STATE, ...COUNTERS, ...NARROW]
const PLACE = new Map(VALUES.map((column, place) => [column, place]))
const OPER_STATUS = PLACE.get("ifOperStatus") as number
const HC_IN = PLACE.get("ifHCInOctets") as number
const HC_OUT = PLACE.get("ifHCOutOctets") as number

interface Row {
  /** By PLACE; NaN = the agent has no such cell. No typed array: each would be a block of memory outside the heap. */
  readonly values: number[]
  /** Cell of the naming column in this poll, or null. */
  label: Uint8Array | null
}

interface Named {
  readonly key: EntityKey
  readonly alias: string | null
  /** `00:1a:2b:3c:4d:5e`; "" for an interface without one. */
  readonly mac: string
  /** ifSpeed as last read; 0 = unknown. */
  readonly speedBps: number
  /** ifName and ifDescr as bytes, to be compared with the next poll's. */
  readonly ifName: Uint8Array | null
  readonly ifDescr: Uint8Array | null
}

/** What is remembered of a device's interfaces between polls. */
export interface IfMemory {
  names: ReadonlyMap<number, Named>
  namesAreDue: boolean
  /** Which column names the rows; ifDescr for agents without ifXTable. */
  label: "ifName" | "ifDescr"
  /** Columns that a complete walk found empty: not asked again before the next discovery. */
  readonly absent: Set<IfColumn>
  /** Rows of the newest listing, and of the listing for which names were read. */
  rows: number
  rowsNamed: number
}

export const makeIfMemory = (): IfMemory => ({
  names: new Map(),
  namesAreDue: true,
  label: "ifName",
  absent: new Set(),
  rows: 0,
  rowsNamed: 0,
})

export interface IfTable {
  readonly rows: ReadonlyMap<number, Row>
  /** Every interface was listed and named. */
  isComplete: boolean
}

/** Reads states, names when due, and counters. Rejects with SnmpFailed; then `table` holds what came before. */
export const readInterfaces = async (walk: Walk, memory: IfMemory, table: MutableIfTable): Promise<void> => {
  const { rows } = table
  const listed = await readColumns(walk, memory, rows, [memory.label, ...STATE])
  // A row of ifXTable alone, without a state, is no interface.
  for (const [ifIndex, { values }] of rows) if (Number.isNaN(values[OPER_STATUS])) rows.delete(ifIndex)
  memory.rows = rows.size
  const isChanged = !everyRowIsNamed(memory, rows) || (listed === "complete" && rows.size !== memory.rowsNamed)
  if (memory.namesAreDue || isChanged) {
    memory.namesAreDue = true
    memory.namesAreDue = (await readNames(walk, memory, rows)) !== "complete"
  }
  table.isComplete = listed === "complete" && !memory.namesAreDue && everyRowIsNamed(memory, rows)
  await readColumns(walk, memory, rows, COUNTERS)
  const isNarrow = ({ values }: Row): boolean => Number.isNaN(values[HC_IN]) || Number.isNaN(values[HC_OUT])
  if ([...rows.values()].some(isNarrow)) await readColumns(walk, memory, rows, NARROW)
}

export type MutableIfTable = IfTable & { readonly rows: Map<number, Row> }
export const makeIfTable = (): MutableIfTable => ({ rows: new Map(), isComplete: false })

const readColumns = async (
  walk: Walk,
  memory: IfMemory,
  rows: Map<number, Row>,
  wanted: readonly IfColumn[],
): Promise<WalkEnd> => {
  const columns = wanted.filter((column) => !memory.absent.has(column))
  const found = new Set<IfColumn>()
  const onCell = (at: number, answer: Varbinds, i: number): void => {
    const column = columns[at] as IfColumn
    const ifIndex = ifIndexOf(column, answer, i)
    if (ifIndex === null) return
    found.add(column)
    let row = rows.get(ifIndex)
    if (row === undefined) {
      // Only the listing of states makes rows: an interface that appears between two walks waits for the next poll.
      if (!wanted.includes("ifOperStatus")) return
      rows.set(ifIndex, (row = { values: VALUES.map(() => Number.NaN), label: null }))
    }
    const place = PLACE.get(column)
    if (place === undefined) row.label = answer.octets(i)
    else row.values[place] = answer.number(i) ?? Number.NaN
  }
  const end = await walkColumns(
    walk,
    columns.map((column) => IF[column]),
    memory.rows,
    onCell,
  )
  if (end === "complete" && rows.size > 0) {
    for (const column of columns) if (!found.has(column)) memory.absent.add(column)
  }
  return end
}

/** The single arc behind a column, in the range of InterfaceIndex; null for anything else. */
const ifIndexOf = (column: IfColumn, answer: Varbinds, i: number): number | null => {
  const arcs = arcsOf(answer.bytes, answer.oidStart(i) + IF[column].length, answer.oidEnd(i))
  const ifIndex = arcs[0] ?? 0
  return arcs.length === 1 && ifIndex > 0 ? ifIndex : null
}

const everyRowIsNamed = (memory: IfMemory, rows: ReadonlyMap<number, Row>): boolean => {
  for (const [ifIndex, row] of rows) if (!isNamed(memory, ifIndex, row)) return false
  return true
}

const isNamed = (memory: IfMemory, ifIndex: number, row: Row): boolean => {
  const named = memory.names.get(ifIndex)
  if (named === undefined) return false
  return row.label === null || Buffer.compare(row.label, named[memory.label] ?? NOTHING) === 0
}

const NOTHING = new Uint8Array(0)

interface Labels {
  ifName: Uint8Array | null
  ifDescr: Uint8Array | null
  ifAlias: Uint8Array | null
  ifPhysAddress: Uint8Array | null
  ifSpeed: number
}

const readNames = async (walk: Walk, memory: IfMemory, rows: ReadonlyMap<number, Row>): Promise<WalkEnd> => {
  const unlabelled = (): Labels => ({
    ifName: null,
    ifDescr: null,
    ifAlias: null,
    ifPhysAddress: null,
    ifSpeed: 0,
  })
  const labels = new Map<number, Labels>()
  for (const ifIndex of rows.keys()) labels.set(ifIndex, unlabelled())
  const end = await walkColumns(
    walk,
    NAMES.map((column) => IF[column]),
    memory.rows,
    (at, answer, i) => {
      const column = NAMES[at] as IfColumn
      const ifIndex = ifIndexOf(column, answer, i)
      if (ifIndex === null) return
      let label = labels.get(ifIndex)
      if (label === undefined) labels.set(ifIndex, (label = unlabelled()))
      const octets = answer.octets(i)
      if (column === "ifSpeed") label.ifSpeed = answer.number(i) ?? 0
      // A copy: the datagram would else stay in memory as long as the name.
      else if (column === "ifName" || column === "ifDescr" || column === "ifAlias" || column === "ifPhysAddress")
        label[column] = octets && Uint8Array.from(octets)
    },
  )
  if (end !== "complete") return end
  memory.names = named(labels)
  memory.rowsNamed = rows.size
  memory.label = [...labels.values()].some(({ ifName }) => ifName !== null) ? "ifName" : "ifDescr"
  memory.absent.delete(memory.label)
  return end
}

/** ifName, else ifDescr, else `ifIndex N`. Names that several interfaces share become `name#ifIndex` for all of them. */
const named = (labels: ReadonlyMap<number, Labels>): Map<number, Named> => {
  const plain = new Map<number, string>()
  const uses = new Map<string, number>()
  for (const [ifIndex, { ifName, ifDescr }] of labels) {
    const text = octetText(ifName ?? NOTHING) || octetText(ifDescr ?? NOTHING) || `ifIndex ${ifIndex}`
    plain.set(ifIndex, text)
    uses.set(text, (uses.get(text) ?? 0) + 1)
  }
  const names = new Map<number, Named>()
  for (const [ifIndex, { ifName, ifDescr, ifAlias, ifPhysAddress, ifSpeed }] of labels) {
    let text = plain.get(ifIndex) as string
    while ((uses.get(text) ?? 0) > 1) text = unique(text, ifIndex, uses)
    const alias = ifAlias === null ? null : octetText(ifAlias)
    const mac = ownMac(ifPhysAddress)
    names.set(ifIndex, { key: interfaceKey(text), alias, mac, speedBps: ifSpeed, ifName, ifDescr })
  }
  return names
}

/** Loopbacks and tunnels answer nothing, or zeros. */
const ownMac = (octets: Uint8Array | null): string => {
  const mac = octets === null ? null : macNumber(octets)
  return mac === null || !isOwnable(mac) ? "" : macText(mac)
}

/** `name#ifIndex`, counted, so that a device that really has an interface of that name cannot collide with it. */
const unique = (text: string, ifIndex: number, uses: Map<string, number>): string => {
  const longer = `${text}#${ifIndex}`
  uses.set(longer, (uses.get(longer) ?? 0) + 1)
  return longer
}

/** The interfaces of the newest naming, with the names that the agent has for them. */
export const localInterfaces = (memory: IfMemory): readonly LocalInterface[] =>
  Array.from(memory.names, ([ifIndex, { ifName, ifDescr }]) => ({
    ifIndex,
    ifName: ifName && octetText(ifName),
    ifDescr: ifDescr && octetText(ifDescr),
  }))

/** Entity of an ifIndex in this poll, or null while it has no certain name. */
export const keyOf = (memory: IfMemory, ifIndex: number): EntityKey | null => memory.names.get(ifIndex)?.key ?? null

export const keysOf = (memory: IfMemory): ReadonlySet<EntityKey> =>
  new Set(Array.from(memory.names.values(), ({ key }) => key))

export const putInterfaces = (batch: Batch, memory: IfMemory, table: IfTable): void => {
  for (const [ifIndex, row] of table.rows) {
    // A row whose name changed while it was read belongs to nobody: better no value than another interface's.
    if (isNamed(memory, ifIndex, row)) putInterface(batch, memory.names.get(ifIndex) as Named, ifIndex, row.values)
  }
  if (table.isComplete) batch.listed("interface")
}

const putInterface = (
  batch: Batch,
  { key, alias, mac, speedBps }: Named,
  ifIndex: number,
  values: readonly number[],
): void => {
  const at = (column: IfColumn): number => values[PLACE.get(column) as number] as number
  const flag = (status: number): number => (Number.isNaN(status) ? Number.NaN : status === UP ? 1 : 0)
  const isWide = !Number.isNaN(at("ifHCInOctets")) && !Number.isNaN(at("ifHCOutOctets"))
  batch.put(key, "interface.oper_up", flag(at("ifOperStatus")))
  batch.put(key, "interface.admin_up", flag(at("ifAdminStatus")))
  batch.put(key, "interface.if_index", ifIndex)
  batch.put(key, "interface.rx_bytes_total", at(isWide ? "ifHCInOctets" : "ifInOctets"))
  batch.put(key, "interface.tx_bytes_total", at(isWide ? "ifHCOutOctets" : "ifOutOctets"))
  const hasOctets = isWide || !Number.isNaN(at("ifInOctets"))
  batch.put(key, "interface.counter_bits", hasOctets ? (isWide ? 64 : 32) : null)
  // Of 32-bit counters no sum is made: it would wrap at no known size.
  const received = isWide
    ? sum(at("ifHCInUcastPkts"), at("ifHCInMulticastPkts"), at("ifHCInBroadcastPkts"))
    : at("ifInUcastPkts")
  const sent = isWide
    ? sum(at("ifHCOutUcastPkts"), at("ifHCOutMulticastPkts"), at("ifHCOutBroadcastPkts"))
    : at("ifOutUcastPkts")
  batch.put(key, "interface.rx_packets_total", received)
  batch.put(key, "interface.tx_packets_total", sent)
  batch.put(key, "interface.rx_errors_total", at("ifInErrors"))
  batch.put(key, "interface.tx_errors_total", at("ifOutErrors"))
  batch.put(key, "interface.rx_discards_total", at("ifInDiscards"))
  batch.put(key, "interface.tx_discards_total", at("ifOutDiscards"))
  batch.put(key, "interface.speed_bps", speed(at("ifHighSpeed"), speedBps))
  batch.put(key, "interface.counter_discontinuity_seconds", at("ifCounterDiscontinuityTime") / 100)
  batch.say(key, "interface.alias", alias)
  // A MAC that goes is told by its successor: what never had one need not say so.
  if (mac !== "") batch.say(key, "interface.mac", mac)
}

const UP = 1

/** Unicast must be there; multicast and broadcast count when the agent has them. */
const sum = (unicast: number, multicast: number, broadcast: number): number =>
  unicast + (Number.isNaN(multicast) ? 0 : multicast) + (Number.isNaN(broadcast) ? 0 : broadcast)

/**
 * ifHighSpeed is fresh but rounded to 10^6, ifSpeed is exact but read rarely and ends at 2^32-1: the exact one is taken
 * while both mean the same. 0 is the agent's "unknown" (bridges, tunnels): no value.
 */
const speed = (highSpeedMbps: number, speedBps: number): number | null => {
  if (Number.isNaN(highSpeedMbps) || highSpeedMbps === 0)
    return speedBps > 0 && speedBps < MAX_IF_SPEED ? speedBps : null
  const isSame = speedBps < MAX_IF_SPEED && Math.abs(speedBps / 1_000_000 - highSpeedMbps) <= 1
  return isSame ? speedBps : highSpeedMbps * 1_000_000
}

const MAX_IF_SPEED = 4_294_967_295
