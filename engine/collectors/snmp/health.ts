/**
 * Processor, memory, disk, temperature, voltage, power, subscribers, optical power: single objects whose places differ
 * by vendor. Discovery finds once which ones a device has; each poll then reads exactly those with a few GETs.
 * Sources: HOST-RESOURCES-MIB (RFC 2790), MIKROTIK-MIB, CISCO-AAA-SESSION-MIB as RouterOS uses it.
 */
import { performance } from "node:perf_hooks"
import type { MetricName } from "#protocol/metric.ts"
import type { SnmpClient } from "#engine/collectors/snmp/client.ts"
import { SnmpFailed, unlessRefused } from "#engine/collectors/snmp/client.ts"
import {
  CASN_ACTIVE_TABLE_ENTRIES,
  HR,
  HR_STORAGE_FIXED_DISK,
  HR_STORAGE_RAM,
  MIKROTIK,
} from "#engine/collectors/snmp/mib.ts"
import type { Oid } from "#engine/collectors/snmp/oid.ts"
import { arcsOf, under } from "#engine/collectors/snmp/oid.ts"
import { octetText } from "#engine/collectors/snmp/text.ts"
import type { Varbinds } from "#engine/collectors/snmp/varbinds.ts"
import type { Walk } from "#engine/collectors/snmp/walk.ts"
import { walkColumns } from "#engine/collectors/snmp/walk.ts"

/** One object to read in each poll. Several instruments of one metric (processors) are averaged. */
export interface Instrument {
  readonly metric: MetricName
  readonly oid: Oid
  /** Value = number read times this. */
  readonly scale: number
  /** 0 = the device itself. */
  readonly ifIndex: number
  /** A reading of 0 means "nothing measured here" (an empty optical cage). */
  readonly isZeroNothing: boolean
}

/** Bound of what one device is asked for in each poll, beside its tables. */
const MAX_INSTRUMENTS = 256
const MAX_PROCESSORS = 64
const MAX_OIDS_PER_GET = 30

const LIMITS = { rows: 512, bytes: 524_288, packets: 64 }

/** Which instruments the device has. Rejects with SnmpFailed. */
export const findInstruments = async (walk: Walk): Promise<readonly Instrument[]> => {
  const bounded = { ...walk, limits: LIMITS }
  const found: Instrument[] = []
  for (const find of [findStorage, findProcessors, findSingles, findGauges, findOptics]) {
    found.push(...(await unlessRefused(find(bounded), [])))
  }
  return found.slice(0, MAX_INSTRUMENTS)
}

const instrument = (metric: MetricName, oid: Oid, scale: number): Instrument => ({
  metric,
  oid,
  scale,
  ifIndex: 0,
  isZeroNothing: false,
})

interface Storage {
  readonly index: number
  type: string
  unitBytes: number
  size: number
}

/** The largest RAM and the largest fixed disk. */
const findStorage = async (walk: Walk): Promise<Instrument[]> => {
  const rows = new Map<number, Storage>()
  const columns = [HR.hrStorageType, HR.hrStorageAllocationUnits, HR.hrStorageSize]
  await eachCell(walk, columns, (index, column, answer, i) => {
    let row = rows.get(index)
    if (row === undefined) rows.set(index, (row = { index, type: "", unitBytes: 0, size: 0 }))
    if (column === 0) row.type = answer.oidValue(i) ?? ""
    else if (column === 1) row.unitBytes = answer.number(i) ?? 0
    else row.size = answer.number(i) ?? 0
  })
  const largest = (type: string): Storage | undefined =>
    [...rows.values()]
      .filter((row) => row.type === type && row.unitBytes > 0)
      .sort((a, b) => b.size * b.unitBytes - a.size * a.unitBytes)[0]
  const [ram, disk] = [largest(HR_STORAGE_RAM), largest(HR_STORAGE_FIXED_DISK)]
  return [
    ...(ram === undefined
      ? []
      : [
          instrument("device.mem_used_bytes", under(HR.hrStorageUsed, ram.index), ram.unitBytes),
          instrument("device.mem_total_bytes", under(HR.hrStorageSize, ram.index), ram.unitBytes),
        ]),
    ...(disk === undefined
      ? []
      : [instrument("device.disk_used_bytes", under(HR.hrStorageUsed, disk.index), disk.unitBytes)]),
  ]
}

const findProcessors = async (walk: Walk): Promise<Instrument[]> => {
  const found: Instrument[] = []
  await eachCell(walk, [HR.hrProcessorLoad], (_index, _column, answer, i) => {
    // A copy: the datagram would else live as long as the instrument.
    if (found.length < MAX_PROCESSORS) found.push(instrument("device.cpu_pct", Uint8Array.from(answer.oid(i)), 1))
  })
  return found
}

/** Scalars; of two for one metric the first that answers is taken. */
const SINGLES: readonly Instrument[] = [
  instrument("device.voltage_v", MIKROTIK.mtxrHlVoltage, 0.1),
  instrument("device.temp_c", MIKROTIK.mtxrHlTemperature, 0.1),
  instrument("device.temp_c", MIKROTIK.mtxrHlProcessorTemperature, 0.1),
  instrument("device.power_w", MIKROTIK.mtxrHlPower, 0.1),
  instrument("dhcp.leases.active", MIKROTIK.mtxrDHCPLeaseCount, 1),
  instrument("pppoe.sessions.active", CASN_ACTIVE_TABLE_ENTRIES, 1),
]

const findSingles = async (walk: Walk): Promise<Instrument[]> => {
  const values = await getNumbers(
    walk.client,
    SINGLES.map((single) => single.oid),
    walk.untilMs,
  )
  const present = SINGLES.filter((_, i) => values[i] !== null)
  return present.filter((one) => present.find((other) => other.metric === one.metric) === one)
}

interface Gauge {
  readonly index: number
  name: string
  unit: number
}

/** RouterOS 7 health is a table of named gauges; the names in order of preference for each metric. */
const GAUGES: ReadonlyArray<{ metric: MetricName; unit: number; scale: number; names: readonly string[] }> = [
  { metric: "device.temp_c", unit: 1, scale: 1, names: ["temperature", "board-temperature1", "cpu-temperature"] },
  { metric: "device.voltage_v", unit: 3, scale: 0.1, names: ["voltage", "psu1-voltage", "psu2-voltage"] },
  { metric: "device.power_w", unit: 5, scale: 0.1, names: ["power-consumption", "power"] },
]

const findGauges = async (walk: Walk): Promise<Instrument[]> => {
  const rows = new Map<number, Gauge>()
  await eachCell(walk, [MIKROTIK.mtxrGaugeName, MIKROTIK.mtxrGaugeUnit], (index, column, answer, i) => {
    let row = rows.get(index)
    if (row === undefined) rows.set(index, (row = { index, name: "", unit: 0 }))
    if (column === 0) row.name = octetText(answer.octets(i) ?? new Uint8Array(0), 64)
    else row.unit = answer.number(i) ?? 0
  })
  return GAUGES.flatMap(({ metric, unit, scale, names }) => {
    const gauges = [...rows.values()].filter((row) => row.unit === unit)
    const chosen = names.map((name) => gauges.find((gauge) => gauge.name === name)).find((gauge) => gauge !== undefined)
    return chosen === undefined ? [] : [instrument(metric, under(MIKROTIK.mtxrGaugeValue, chosen.index), scale)]
  })
}

const findOptics = async (walk: Walk): Promise<Instrument[]> => {
  const found: Instrument[] = []
  const columns = [MIKROTIK.mtxrOpticalRxPower, MIKROTIK.mtxrOpticalTxPower]
  await eachCell(walk, columns, (ifIndex, column, answer, i) => {
    const metric = column === 0 ? "optical.rx_power_dbm" : "optical.tx_power_dbm"
    found.push({ metric, oid: Uint8Array.from(answer.oid(i)), scale: 0.001, ifIndex, isZeroNothing: true })
  })
  return found
}

/** Cells of tables with one integer as index. */
const eachCell = async (
  walk: Walk,
  columns: readonly Oid[],
  onCell: (index: number, column: number, answer: Varbinds, i: number) => void,
): Promise<void> => {
  await walkColumns(walk, columns, 0, (column, answer, i) => {
    const arcs = arcsOf(answer.bytes, answer.oidStart(i) + (columns[column] as Oid).length, answer.oidEnd(i))
    const [index] = arcs
    if (arcs.length === 1 && index !== undefined) onCell(index, column, answer, i)
  })
}

/** A value of each object, in order; null where there is none. Rejects with SnmpFailed when the device is silent. */
export const getEach = async (
  client: SnmpClient,
  oids: readonly Oid[],
  untilMs: number,
): Promise<Array<{ readonly answer: Varbinds; readonly i: number } | null>> => {
  const cells: Array<{ answer: Varbinds; i: number } | null> = []
  for (let from = 0; from < oids.length; from += MAX_OIDS_PER_GET) {
    cells.push(...(await getChunk(client, oids.slice(from, from + MAX_OIDS_PER_GET), untilMs)))
  }
  return cells
}

/** Some agents fail the whole GET for one object, or cannot fit the answer: then halves are asked, down to single objects. */
const getChunk = async (
  client: SnmpClient,
  oids: readonly Oid[],
  untilMs: number,
): Promise<Array<{ answer: Varbinds; i: number } | null>> => {
  try {
    const answer = await client.get(oids, untilMs)
    return oids.map((_, i) => (answer.isException(i) ? null : { answer, i }))
  } catch (error) {
    if (!(error instanceof SnmpFailed) || error.reason !== "status" || performance.now() >= untilMs) throw error
    if (oids.length === 1) return [null]
    const half = Math.ceil(oids.length / 2)
    const first = await getChunk(client, oids.slice(0, half), untilMs)
    return [...first, ...(await getChunk(client, oids.slice(half), untilMs))]
  }
}

const getNumbers = async (client: SnmpClient, oids: readonly Oid[], untilMs: number): Promise<Array<number | null>> =>
  (await getEach(client, oids, untilMs)).map((cell) => (cell === null ? null : cell.answer.number(cell.i)))

/** A reading of an instrument, scaled. */
export interface Reading {
  readonly metric: MetricName
  readonly ifIndex: number
  readonly value: number
}

/** Reads all instruments. Rejects with SnmpFailed. */
export const readInstruments = async (
  client: SnmpClient,
  instruments: readonly Instrument[],
  untilMs: number,
): Promise<readonly Reading[]> => {
  const oids = instruments.map((one) => one.oid)
  const numbers = await getNumbers(client, oids, untilMs)
  const groups = new Map<string, { metric: MetricName; ifIndex: number; values: number[] }>()
  for (const [i, { metric, ifIndex, scale, isZeroNothing }] of instruments.entries()) {
    const number = numbers[i] ?? null
    if (number === null || (isZeroNothing && number === 0)) continue
    const name = `${metric} ${ifIndex}`
    let group = groups.get(name)
    if (group === undefined) groups.set(name, (group = { metric, ifIndex, values: [] }))
    group.values.push(number * scale)
  }
  return [...groups.values()].map(({ metric, ifIndex, values }) => ({
    metric,
    ifIndex,
    value: values.reduce((sum, value) => sum + value, 0) / values.length,
  }))
}
