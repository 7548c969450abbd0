/**
 * Forwarding tables of a device's bridges: dot1dTpFdbTable (BRIDGE-MIB, RFC 4188) and dot1qTpFdbTable (Q-BRIDGE-MIB, RFC
 * 4363), both where both are there. Their index is the MAC, so that only port and status are read. RouterOS answers the port
 * alone, and in dot1dTpFdbTable it is an ifIndex (six recordings). A table is told whole or, past a bound, as its beginning,
 * because a missing row would look like a missing host: one that a poll's time is too short for goes on with the next.
 */
import { performance } from "node:perf_hooks"
import type { EntityKey } from "#protocol/id.ts"
import { macNumber } from "#protocol/bridge.ts"
import type { BridgeReading } from "#engine/collectors/collector.ts"
import { BRIDGE_ROWS_MAX } from "#engine/collectors/collector.ts"
import type { SnmpClient } from "#engine/collectors/snmp/client.ts"
import { SnmpFailed, STATUS } from "#engine/collectors/snmp/client.ts"
import type { Oid } from "#engine/collectors/snmp/oid.ts"
import { arcsOf, oid } from "#engine/collectors/snmp/oid.ts"
import type { Cursor, OnCell, Pace, WalkEnd } from "#engine/collectors/snmp/walk.ts"
import { makeCursors, walkColumns } from "#engine/collectors/snmp/walk.ts"

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

/** How long after a reading has begun the next one does. */
export const BRIDGE_EVERY_MS = 300_000
/** A poll that goes on with a table gives it this much: a confirm-poll must not wait for the hosts of a switch. */
const GOING_ON_MS = 2_000
/** A table that takes longer is told as its beginning: by then its first hosts may be gone. */
const WHOLE_WITHIN_MS = 600_000
/** A beginning that has waited longer than the twin keeps a table (twin/propose/said.ts) is told no more. */
const STALE_MS = 900_000
/** Polls in turn that brought no row, after which a reading is given up. */
const FRUITLESS_MAX = 2
/** Tables of one engine that wait for their next poll, at 2 MB each; one more is given up, and tried again when it is due. */
const WAITING_MAX = 32

/** Who may keep a half-read table between polls, and until when: then it is made to forget it, for the next who comes. */
export interface WaitingRoom {
  readonly enter: (reader: BridgeReader, untilMs: number, nowMs: number) => boolean
  readonly leave: (reader: BridgeReader) => void
}

export const makeWaitingRoom = (max = WAITING_MAX): WaitingRoom => {
  const waiting = new Map<BridgeReader, number>()
  return {
    enter: (reader, untilMs, nowMs) => {
      // Their devices were removed, or have not answered since.
      for (const [one, leavesMs] of waiting) if (leavesMs < nowMs) one.forget()
      if (!waiting.has(reader) && waiting.size >= max) return false
      waiting.set(reader, untilMs)
      return true
    },
    leave: (reader) => void waiting.delete(reader),
  }
}

interface Reading {
  readonly client: SnmpClient
  readonly pace: Pace
  readonly untilMs: number
}

export interface BridgeReader {
  /**
   * Begins a reading, or goes on with one that a poll's time was too short for. Null = the device has no bridge. Undefined =
   * not read to an end that can be told. Rejects only when the client was closed.
   */
  readonly read: (reading: Reading, isRouterOs: boolean) => Promise<BridgeTable | null | undefined>
  readonly hasBegun: () => boolean
  /** The device has restarted, or numbers its ports anew: what was read belongs to nothing. */
  readonly forget: () => void
}

/** One reading, over as many polls as it takes. */
interface Generation {
  readonly ports: ReadonlyMap<number, number>
  readonly rows: Map<string, Row>
  readonly cursors: readonly Cursor[]
  readonly beganMs: number
  fruitless: number
}

export interface BridgeReaderOptions {
  /** Packets that one poll may ask for. */
  readonly packetsMax: number
  /** performance.now()'s clock. */
  readonly now: () => number
}

const DEFAULTS: BridgeReaderOptions = { packetsMax: LIMITS.packets, now: () => performance.now() }

export const makeBridgeReader = (room: WaitingRoom, options: Partial<BridgeReaderOptions> = {}): BridgeReader => {
  const { packetsMax, now } = { ...DEFAULTS, ...options }
  let waiting: Generation | null = null
  const forget = (): undefined => {
    waiting = null
    room.leave(reader)
  }
  const wait = (generation: Generation): undefined => {
    const { fruitless, beganMs } = generation
    const mayStay = fruitless < FRUITLESS_MAX && room.enter(reader, beganMs + STALE_MS, now())
    if (mayStay) waiting = generation
    else forget()
  }
  const read: BridgeReader["read"] = async (reading, isRouterOs) => {
    if (waiting !== null && now() > waiting.beganMs + STALE_MS) forget()
    const hasWaited = waiting !== null
    const generation = waiting ?? (await begin(reading, now()))
    if (generation === undefined || generation === null) return generation
    const untilMs = hasWaited ? Math.min(reading.untilMs, performance.now() + GOING_ON_MS) : reading.untilMs
    const end = await goOn({ ...reading, untilMs }, generation, packetsMax, isRouterOs)
    const isLate = now() >= generation.beganMs + WHOLE_WITHIN_MS
    if (CAN_GO_ON.has(end) && !isLate) return wait(generation)
    if (end === "failed" || end === "order") return forget()
    // What took several polls is of one bridge if its ports are still the same.
    const ports = hasWaited ? await readPorts(reading) : generation.ports
    if (ports === undefined) return wait(generation)
    forget()
    return isSame(generation.ports, ports) ? tableOf(generation, end === "complete") : undefined
  }
  const reader: BridgeReader = { read, hasBegun: () => waiting !== null, forget }
  return reader
}

/** What stops a walk that may be taken up where it stands. */
const CAN_GO_ON: ReadonlySet<string> = new Set(["time", "packets", "bytes"] satisfies WalkEnd[])

/** Null, undefined: as a whole reading's. */
const begin = async (reading: Reading, beganMs: number): Promise<Generation | null | undefined> => {
  const ports = await readPorts(reading)
  if (ports === undefined || ports.size === 0) return ports === undefined ? undefined : null
  return { ports, rows: new Map(), cursors: makeCursors(COLUMNS), beganMs, fruitless: 0 }
}

/** Base ports and their ifIndex; undefined = not read to the end. */
const readPorts = async (reading: Reading): Promise<ReadonlyMap<number, number> | undefined> => {
  const ports = new Map<number, number>()
  const ended = await walked(reading, PORT_LIMITS, [BASE_PORT_IF_INDEX], (_, arcs, value) => {
    const [port] = arcs
    if (arcs.length === 1 && port !== undefined && value !== null && value > 0) ports.set(port, value)
  })
  return ended === "complete" ? ports : undefined
}

const goOn = async (
  reading: Reading,
  generation: Generation,
  packets: number,
  isRouterOs: boolean,
): Promise<WalkEnd | "failed"> => {
  const { rows, cursors } = generation
  const isFurther = progressOf(cursors)
  const end = await walked(
    reading,
    { ...LIMITS, packets },
    COLUMNS,
    (at, arcs, value) => {
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
    },
    cursors,
  )
  generation.fruitless = isFurther() ? 0 : generation.fruitless + 1
  return end
}

/** Whether any cursor has moved since. */
const progressOf = (cursors: readonly Cursor[]): (() => boolean) => {
  const place = (): number => cursors.reduce((sum, { rows, isDone }) => sum + rows + Number(isDone), 0)
  const before = place()
  return () => place() > before
}

const isSame = (before: ReadonlyMap<number, number>, now: ReadonlyMap<number, number>): boolean =>
  now.size === before.size && [...before].every(([port, ifIndex]) => now.get(port) === ifIndex)

interface Row {
  readonly mac: number | null
  readonly numbering: "basePort" | "ifIndex"
  port: number | null
  /** Null = the agent does not say. */
  status: number | null
}

const tableOf = ({ ports, rows }: Generation, isComplete: boolean): BridgeTable => {
  const hosts: Array<BridgeTable["hosts"][number]> = []
  let refused = 0
  for (const { mac, numbering, port, status } of rows.values()) {
    // Port 0: not learned on any (RFC 4188 dot1dTpFdbPort), mostly the bridge itself.
    if (port === 0 || (status !== null && status !== LEARNED)) continue
    const ifIndex = port === null ? undefined : numbering === "ifIndex" ? port : ports.get(port)
    if (mac === null || ifIndex === undefined || ifIndex < 1) refused++
    else hosts.push({ mac, ifIndex })
  }
  // Two bridges of a RouterOS 6 overwrite each other's base ports: a port that hears somebody is one all the same.
  const ifIndexes = new Set([...ports.values(), ...hosts.map(({ ifIndex }) => ifIndex)])
  const isWhole = isComplete && rows.size < BRIDGE_ROWS_MAX
  return { ifIndexes: [...ifIndexes], hosts, rows: rows.size, refused, isWhole }
}

/** `value` null = the cell is no integer. */
const walked = async (
  { client, pace, untilMs }: Reading,
  limits: typeof LIMITS,
  columns: readonly Oid[],
  onRow: (at: number, index: readonly number[], value: number | null) => void,
  cursors?: readonly Cursor[],
): Promise<WalkEnd | "failed"> => {
  const onCell: OnCell = (at, answer, i) => {
    const index = arcsOf(answer.bytes, answer.oidStart(i) + (columns[at] as Oid).length, answer.oidEnd(i))
    onRow(at, index, answer.number(i))
  }
  try {
    return await walkColumns({ client, pace, untilMs, limits }, columns, 0, onCell, cursors)
  } catch (error) {
    if (!(error instanceof SnmpFailed) || error.reason === "closed") throw error
    // Whoever is asked when the time runs out has no chance to answer.
    if (performance.now() >= untilMs) return "time"
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
