/**
 * Temperatures, voltages, fans, power and light levels: ENTITY-SENSOR-MIB (RFC 3433, names from ENTITY-MIB) and
 * MIKROTIK-MIB (health gauges, the older health scalars, optical modules).
 */
import { decimal } from "#engine/collectors/snmp/instruments.ts"
import { oid, under } from "#engine/collectors/snmp/oid.ts"
import { readEntitySensors as readRows } from "#engine/collectors/snmp/sensors.ts"
import { SENSOR_STATUS, SENSOR_TYPE, word } from "#engine/device-test/enumerations.ts"
import { columnsOf, readCells, readScalars, readTable } from "#engine/collectors/snmp/read-table.ts"
import type { Cell, Reader } from "#engine/collectors/snmp/read-table.ts"
import type { Sensor } from "#engine/device-test/report.ts"

const ENT_PHYSICAL_DESCR = oid("1.3.6.1.2.1.47.1.1.1.1.2")
const ENT_PHYSICAL_NAME = oid("1.3.6.1.2.1.47.1.1.1.1.7")
/** Sensors whose names are asked for; the rest is called by its number. */
const NAMED_MAX = 512

/** Sensors whose value or scale the agent does not tell are left out. */
export const readEntitySensors = async (reader: Reader): Promise<readonly Sensor[]> => {
  const rows = await readRows(reader)
  const names = await entityNames(
    reader,
    rows.map(({ index }) => index),
  )
  return rows.flatMap(({ index, type, power, value, status }): Sensor[] =>
    value === null || power === null
      ? []
      : [
          {
            name: names.get(index) ?? `entPhysicalIndex ${index}`,
            type: word(SENSOR_TYPE, type) ?? "unknown",
            value: decimal(value, power),
            status: word(SENSOR_STATUS, status),
            source: "ENTITY-SENSOR-MIB",
          },
        ],
  )
}

const entityNames = async (reader: Reader, indexes: readonly number[]): Promise<ReadonlyMap<number, string>> => {
  const asked = indexes.slice(0, NAMED_MAX)
  const oids = asked.flatMap((index) => [under(ENT_PHYSICAL_NAME, index), under(ENT_PHYSICAL_DESCR, index)])
  const cells = await readCells(reader, oids)
  const names = new Map<number, string>()
  for (const [at, index] of asked.entries()) {
    const name = cells[at * 2]?.text() || cells[at * 2 + 1]?.text()
    if (name) names.set(index, name)
  }
  return names
}

const MTXR = "1.3.6.1.4.1.14988.1.1"
const GAUGES = columnsOf(`${MTXR}.3.100.1`, { name: 2, value: 3, unit: 4 })
/** mtxrGaugeUnit, from 1; the d-units are tenths. */
const GAUGE_UNITS: ReadonlyArray<readonly [type: string, power: number]> = [
  ["celsius", 0],
  ["rpm", 0],
  ["voltsDC", -1],
  ["amperes", -1],
  ["watts", -1],
  ["status", 0],
]
/** RouterOS 6 and before. */
const HEALTH = {
  voltage: { oid: oid(`${MTXR}.3.8.0`), type: "voltsDC", power: -1 },
  temperature: { oid: oid(`${MTXR}.3.10.0`), type: "celsius", power: -1 },
  "processor-temperature": { oid: oid(`${MTXR}.3.11.0`), type: "celsius", power: -1 },
  power: { oid: oid(`${MTXR}.3.12.0`), type: "watts", power: -1 },
  current: { oid: oid(`${MTXR}.3.13.0`), type: "amperes", power: -3 },
  fan1: { oid: oid(`${MTXR}.3.17.0`), type: "rpm", power: 0 },
  fan2: { oid: oid(`${MTXR}.3.18.0`), type: "rpm", power: 0 },
} as const
const OPTICAL = columnsOf(`${MTXR}.19.1.1`, {
  name: 2,
  temperature: 6,
  voltage: 7,
  biasCurrent: 8,
  txPower: 9,
  rxPower: 10,
})
const OPTICAL_UNITS = {
  temperature: ["celsius", 0],
  voltage: ["voltsDC", -3],
  biasCurrent: ["amperes", -3],
  txPower: ["dBm", -3],
  rxPower: ["dBm", -3],
} as const

export const readMikrotikSensors = async (reader: Reader): Promise<readonly Sensor[]> => {
  const sensors: Sensor[] = []
  const put = (name: string, type: string, cell: Cell | null | undefined, power: number): void => {
    const value = cell?.number() ?? null
    if (value !== null) sensors.push({ name, type, value: decimal(value, power), status: null, source: "MIKROTIK-MIB" })
  }
  for (const { index, cells } of await readTable(reader, "mtxrGaugeTable", GAUGES)) {
    const [type, power] = GAUGE_UNITS[(cells.unit?.number() ?? 0) - 1] ?? ["unknown", 0]
    put(cells.name?.text() || `gauge ${index.join(".")}`, type, cells.value, power)
  }
  if (sensors.length === 0) {
    const oids = Object.fromEntries(Object.entries(HEALTH).map(([name, one]) => [name, one.oid]))
    const cells = await readScalars(reader, oids)
    for (const [name, { type, power }] of Object.entries(HEALTH)) put(name, type, cells[name], power)
  }
  for (const { index, cells } of await readTable(reader, "mtxrOpticalTable", OPTICAL)) {
    // An empty cage answers with zeros; a module is there when its laser has a current or its light a level.
    if (!cells.biasCurrent?.number() && !cells.rxPower?.number()) continue
    const name = cells.name?.text() || `optical ${index.join(".")}`
    for (const [what, [type, power]] of Object.entries(OPTICAL_UNITS))
      put(`${name} ${what}`, type, cells[what as keyof typeof OPTICAL_UNITS], power)
  }
  return sensors
}
