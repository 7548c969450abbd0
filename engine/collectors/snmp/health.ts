/**
 * Finds which single objects tell a device's processor, memory, disk, temperature, voltage, power, subscribers, light and
 * radio: their places differ by vendor. Each poll then reads exactly those (instruments.ts).
 * Sources: HOST-RESOURCES-MIB (RFC 2790), MIKROTIK-MIB, CISCO-AAA-SESSION-MIB as RouterOS uses it, ENTITY-SENSOR-MIB.
 */
import type { MetricName } from "#protocol/metric.ts"
import { unlessRefused } from "#engine/collectors/snmp/client.ts"
import { getNumbers, instrument } from "#engine/collectors/snmp/instruments.ts"
import type { Instrument } from "#engine/collectors/snmp/instruments.ts"
import {
  CASN_ACTIVE_TABLE_ENTRIES,
  HR,
  HR_STORAGE_FIXED_DISK,
  HR_STORAGE_RAM,
  MIKROTIK,
} from "#engine/collectors/snmp/mib.ts"
import type { Oid } from "#engine/collectors/snmp/oid.ts"
import { arcsOf, under } from "#engine/collectors/snmp/oid.ts"
import { findEntitySensors } from "#engine/collectors/snmp/sensors.ts"
import { octetText } from "#engine/collectors/snmp/text.ts"
import type { Varbinds } from "#engine/collectors/snmp/varbinds.ts"
import type { Walk } from "#engine/collectors/snmp/walk.ts"
import { walkColumns } from "#engine/collectors/snmp/walk.ts"

/** Bound of what one device is asked for in each poll, beside its tables. */
const MAX_INSTRUMENTS = 256
const MAX_PROCESSORS = 64

const LIMITS = { rows: 512, bytes: 524_288, packets: 64 }

/** Which instruments the device has. Rejects with SnmpFailed. */
export const findInstruments = async (walk: Walk): Promise<readonly Instrument[]> => {
  const bounded = { ...walk, limits: LIMITS }
  const found: Instrument[] = []
  const taken = new Set<string>()
  for (const find of FINDERS) {
    // What one MIB tells, another does not tell again: a mean of both would be neither's.
    const fresh = (await unlessRefused(find(bounded), [])).filter((one) => !taken.has(placeOf(one)))
    for (const one of fresh) taken.add(placeOf(one))
    found.push(...fresh)
  }
  return found.slice(0, MAX_INSTRUMENTS)
}

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
          instrument("device.mem_used_bytes", under(HR.hrStorageUsed, ram.index), { unit: ram.unitBytes }),
          instrument("device.mem_total_bytes", under(HR.hrStorageSize, ram.index), { unit: ram.unitBytes }),
        ]),
    ...(disk === undefined
      ? []
      : [instrument("device.disk_used_bytes", under(HR.hrStorageUsed, disk.index), { unit: disk.unitBytes })]),
  ]
}

const findProcessors = async (walk: Walk): Promise<Instrument[]> => {
  const found: Instrument[] = []
  await eachCell(walk, [HR.hrProcessorLoad], (_index, _column, answer, i) => {
    // A copy: the datagram would else live as long as the instrument.
    if (found.length < MAX_PROCESSORS) found.push(instrument("device.cpu_pct", Uint8Array.from(answer.oid(i))))
  })
  return found
}

/** Scalars; of two for one metric the first that answers is taken. */
const SINGLES: readonly Instrument[] = [
  instrument("device.voltage_v", MIKROTIK.mtxrHlVoltage, { power: -1 }),
  instrument("device.temp_c", MIKROTIK.mtxrHlTemperature, { power: -1 }),
  instrument("device.temp_c", MIKROTIK.mtxrHlProcessorTemperature, { power: -1 }),
  instrument("device.power_w", MIKROTIK.mtxrHlPower, { power: -1 }),
  instrument("dhcp.leases.active", MIKROTIK.mtxrDHCPLeaseCount),
  instrument("pppoe.sessions.active", CASN_ACTIVE_TABLE_ENTRIES),
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
const GAUGES: ReadonlyArray<{ metric: MetricName; unit: number; power: number; names: readonly string[] }> = [
  { metric: "device.temp_c", unit: 1, power: 0, names: ["temperature", "board-temperature1", "cpu-temperature"] },
  { metric: "device.voltage_v", unit: 3, power: -1, names: ["voltage", "psu1-voltage", "psu2-voltage"] },
  { metric: "device.power_w", unit: 5, power: -1, names: ["power-consumption", "power"] },
]

const findGauges = async (walk: Walk): Promise<Instrument[]> => {
  const rows = new Map<number, Gauge>()
  await eachCell(walk, [MIKROTIK.mtxrGaugeName, MIKROTIK.mtxrGaugeUnit], (index, column, answer, i) => {
    let row = rows.get(index)
    if (row === undefined) rows.set(index, (row = { index, name: "", unit: 0 }))
    if (column === 0) row.name = octetText(answer.octets(i) ?? new Uint8Array(0), 64)
    else row.unit = answer.number(i) ?? 0
  })
  return GAUGES.flatMap(({ metric, unit, power, names }) => {
    const gauges = [...rows.values()].filter((row) => row.unit === unit)
    const chosen = names.map((name) => gauges.find((gauge) => gauge.name === name)).find((gauge) => gauge !== undefined)
    return chosen === undefined ? [] : [instrument(metric, under(MIKROTIK.mtxrGaugeValue, chosen.index), { power })]
  })
}

/** Columns indexed by ifIndex, of optical modules and radios. 0 is an empty cage, a radio without a partner. */
const PORT_COLUMNS: ReadonlyArray<{ readonly metric: MetricName; readonly column: Oid; readonly power: number }> = [
  { metric: "optical.rx_power_dbm", column: MIKROTIK.mtxrOpticalRxPower, power: -3 },
  { metric: "optical.tx_power_dbm", column: MIKROTIK.mtxrOpticalTxPower, power: -3 },
  { metric: "wireless.signal_dbm", column: MIKROTIK.mtxrWlStatStrength, power: 0 },
  { metric: "wireless.signal_dbm", column: MIKROTIK.mtxrWl60GRssi, power: 0 },
  { metric: "wireless.ccq_pct", column: MIKROTIK.mtxrWlStatTxCCQ, power: 0 },
  { metric: "wireless.ccq_pct", column: MIKROTIK.mtxrWlApOverallTxCCQ, power: 0 },
]

const findPortColumns = async (walk: Walk): Promise<Instrument[]> => {
  const found = new Map<string, Instrument>()
  await eachCell(
    walk,
    PORT_COLUMNS.map(({ column }) => column),
    (ifIndex, at, answer, i) => {
      const { metric, power } = PORT_COLUMNS[at] as (typeof PORT_COLUMNS)[number]
      const one = instrument(metric, Uint8Array.from(answer.oid(i)), { power, ifIndex, isZeroNothing: true })
      if (!found.has(placeOf(one))) found.set(placeOf(one), one)
    },
  )
  return [...found.values()]
}

const FINDERS = [findStorage, findProcessors, findSingles, findGauges, findPortColumns, findEntitySensors]

const placeOf = ({ metric, ifIndex }: Instrument): string => `${metric} ${ifIndex}`

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
