/**
 * Forwarding tables of a device's bridges: dot1dTpFdbTable (BRIDGE-MIB, RFC 4188) and dot1qTpFdbTable (Q-BRIDGE-MIB, RFC
 * 4363), both where both are there. Their index is the MAC, so that only port and status are read. RouterOS answers the port
 * alone, and in dot1dTpFdbTable it is an ifIndex (six recordings). A table is read whole or, past a bound, as its
 * beginning; one that does not come in time is not told at all, because a missing row would look like a missing host.
 */
import type { EntityKey } from "#protocol/id.ts"
import { macNumber } from "#protocol/bridge.ts"
import type { BridgeReading } from "#engine/collectors/collector.ts"
import { BRIDGE_ROWS_MAX } from "#engine/collectors/collector.ts"
import type { SnmpClient } from "#engine/collectors/snmp/client.ts"
import { SnmpFailed, STATUS } from "#engine/collectors/snmp/client.ts"
import type { Oid } from "#engine/collectors/snmp/oid.ts"
import { arcsOf, oid } from "#engine/collectors/snmp/oid.ts"
import type { Pace, WalkEnd } from "#engine/collectors/snmp/walk.ts"
import { walkColumns } from "#engine/collectors/snmp/walk.ts"

const BASE_PORT_IF_INDEX = oid("1.3.6.1.2.1.17.1.4.1.2")
/** Port and status, first without VLANs, then with; of the second the filtering database's number precedes the MAC. */
const COLUMNS: readonly Oid[] = [
  oid("1.3.6.1.2.1.17.4.3.1.2"),
  oid("1.3.6.1.2.1.17.4.3.1.3"),
  oid("1.3.6.1.2.1.17.7.1.2.2.1.2"),
  oid("1.3.6.1.2.1.17.7.1.2.2.1.3"),
]
const isPortColumn = (at: number): boolean => at % 2 === 0
const arcsBeforeMac = (at: number): number => (at < 2 ? 0 : 1)

/** dot1dTpFdbStatus other(1), invalid(2), learned(3), self(4), mgmt(5): only who was learned has been heard. */
const LEARNED = 3

const LIMITS = { rows: BRIDGE_ROWS_MAX, bytes: 4 * 1024 * 1024, packets: 2_048 }
const PORT_LIMITS = { rows: 4_096, bytes: 1024 * 1024, packets: 512 }

export interface BridgeTable {
  /** Of every port of its bridges. */
  readonly ifIndexes: readonly number[]
  readonly hosts: ReadonlyArray<{ readonly mac: number; readonly ifIndex: number }>
  /** All rows, the device's own addresses and configured ones too. */
  readonly rows: number
  /** Rows whose index holds no MAC, or whose port is none of the bridge's. */
  readonly refused: number
  readonly isWhole: boolean
}

interface Reading {
  readonly client: SnmpClient
  readonly pace: Pace
  readonly untilMs: number
}

/** Null = the device has no bridge. Undefined = not read to an end that can be told. Rejects only when the client was closed. */
export const readBridge = async (reading: Reading, isRouterOs: boolean): Promise<BridgeTable | null | undefined> => {
  const ports = new Map<number, number>()
  const ended = await walked(reading, PORT_LIMITS, [BASE_PORT_IF_INDEX], (_, arcs, value) => {
    const [port] = arcs
    if (arcs.length === 1 && port !== undefined && value !== null && value > 0) ports.set(port, value)
  })
  if (ended !== "complete") return undefined
  if (ports.size === 0) return null
  const rows = new Map<string, Row>()
  const end = await walked(reading, LIMITS, COLUMNS, (at, arcs, value) => {
    // Both tables of one agent hold the same hosts: a row is told apart by what stands before the MAC.
    const key = `${arcsBeforeMac(at)} ${arcs.join(".")}`
    let row = rows.get(key)
    if (row === undefined) {
      if (rows.size >= BRIDGE_ROWS_MAX) return
      const numbering = isRouterOs && arcsBeforeMac(at) === 0 ? "ifIndex" : "basePort"
      rows.set(key, (row = { mac: macNumber(arcs, arcsBeforeMac(at)), numbering, port: null, status: null }))
    }
    if (isPortColumn(at)) row.port = value
    else row.status = value
  })
  if (end !== "complete" && end !== "rows") return undefined
  return tableOf(ports, [...rows.values()], end === "complete" && rows.size < BRIDGE_ROWS_MAX)
}

interface Row {
  readonly mac: number | null
  readonly numbering: "basePort" | "ifIndex"
  port: number | null
  /** Null = the agent does not say. */
  status: number | null
}

const tableOf = (ports: ReadonlyMap<number, number>, rows: readonly Row[], isWhole: boolean): BridgeTable => {
  const hosts: Array<BridgeTable["hosts"][number]> = []
  let refused = 0
  for (const { mac, numbering, port, status } of rows) {
    // Port 0: not learned on any (RFC 4188 dot1dTpFdbPort), mostly the bridge itself.
    if (port === 0 || (status !== null && status !== LEARNED)) continue
    const ifIndex = port === null ? undefined : numbering === "ifIndex" ? port : ports.get(port)
    if (mac === null || ifIndex === undefined || ifIndex < 1) refused++
    else hosts.push({ mac, ifIndex })
  }
  // Two bridges of a RouterOS 6 overwrite each other's base ports: a port that hears somebody is one all the same.
  const ifIndexes = new Set([...ports.values(), ...hosts.map(({ ifIndex }) => ifIndex)])
  return { ifIndexes: [...ifIndexes], hosts, rows: rows.length, refused, isWhole }
}

/** `value` null = the cell is no integer. */
const walked = async (
  { client, pace, untilMs }: Reading,
  limits: typeof LIMITS,
  columns: readonly Oid[],
  onRow: (at: number, index: readonly number[], value: number | null) => void,
): Promise<WalkEnd | "failed"> => {
  try {
    return await walkColumns({ client, pace, untilMs, limits }, columns, 0, (at, answer, i) => {
      const index = arcsOf(answer.bytes, answer.oidStart(i) + (columns[at] as Oid).length, answer.oidEnd(i))
      onRow(at, index, answer.number(i))
    })
  } catch (error) {
    if (!(error instanceof SnmpFailed) || error.reason === "closed") throw error
    return error.status === STATUS.noSuchName ? "complete" : "failed"
  }
}

/** Under the interfaces' names; hosts on a port without a name are left out, and then the reading is not whole. */
export const bridgeReading = (
  table: BridgeTable | null | undefined,
  keyOf: (ifIndex: number) => EntityKey | null,
): BridgeReading | null | undefined => {
  if (table === null || table === undefined) return table
  const places = new Map<number, number>()
  const ports: EntityKey[] = []
  for (const ifIndex of table.ifIndexes) {
    const key = keyOf(ifIndex)
    if (key !== null) places.set(ifIndex, ports.push(key) - 1)
  }
  const placed = table.hosts.filter(({ ifIndex }) => places.has(ifIndex))
  return {
    ports,
    port: Uint16Array.from(placed, ({ ifIndex }) => places.get(ifIndex) as number),
    mac: Float64Array.from(placed, ({ mac }) => mac),
    isWhole: table.isWhole && placed.length === table.hosts.length,
  }
}
