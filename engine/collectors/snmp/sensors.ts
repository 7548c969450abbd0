/**
 * ENTITY-SENSOR-MIB (RFC 3433): which of a device's sensors are its temperature, its supply's voltage and power, and the
 * light of its ports. Where a sensor sits is ENTITY-MIB's tree (RFC 6933), which interface a port is, its alias mapping.
 * A sensor whose place, direction or scale the agent leaves open is not read at all: no value is better than a guess.
 */
import type { MetricName } from "#protocol/metric.ts"
import { instrument } from "#engine/collectors/snmp/instruments.ts"
import type { Instrument } from "#engine/collectors/snmp/instruments.ts"
import { under } from "#engine/collectors/snmp/oid.ts"
import { columnsOf, makeReader, readTable } from "#engine/collectors/snmp/read-table.ts"
import type { Reader } from "#engine/collectors/snmp/read-table.ts"
import type { Walk } from "#engine/collectors/snmp/walk.ts"

const SENSOR = columnsOf("1.3.6.1.2.1.99.1.1.1", { type: 1, scale: 2, precision: 3, value: 4, operStatus: 5, units: 6 })
const ENTITY = columnsOf("1.3.6.1.2.1.47.1.1.1.1", { descr: 2, containedIn: 4, class: 5, name: 7 })
const ALIAS = columnsOf("1.3.6.1.2.1.47.1.3.2.1", { mappingIdentifier: 2 })

export interface EntitySensor {
  readonly index: number
  /** EntitySensorDataType. */
  readonly type: number | null
  /** Decimal exponent of the value; null = the agent does not say it, so the value means nothing. */
  readonly power: number | null
  readonly value: number | null
  readonly status: number | null
  readonly units: string | null
}

/** The values of now; `reader` is told when they are not all. */
export const readEntitySensors = async (reader: Reader): Promise<readonly EntitySensor[]> => {
  const rows = await readTable(reader, "entPhySensorTable", SENSOR)
  return rows.flatMap(({ index: [index, ...more], cells }) =>
    index === undefined || more.length > 0
      ? []
      : [
          {
            index,
            type: cells.type?.number() ?? null,
            power: decimalPower(cells.scale?.number() ?? null, cells.precision?.number() ?? null),
            value: cells.value?.number() ?? null,
            status: cells.operStatus?.number() ?? null,
            units: cells.units?.text(32) ?? null,
          },
        ],
  )
}

/**
 * EntitySensorDataScale goes from yocto(1) over units(9) to yotta(17) in steps of 1000. A precision of 1 to 9 counts
 * decimal places; -8 to -1 counts accurate digits and moves no point. Null for what RFC 3433 does not know.
 */
export const decimalPower = (scale: number | null, precision: number | null): number | null => {
  if (scale === null || !Number.isInteger(scale) || scale < 1 || scale > 17) return null
  if (precision === null || !Number.isInteger(precision) || precision < -8 || precision > 9) return null
  return (scale - 9) * 3 - Math.max(0, precision)
}

/** One row of entPhysicalTable. */
export interface Entity {
  readonly containedIn: number
  readonly class: number
  /** entPhysicalName and entPhysicalDescr. */
  readonly words: string
}

export interface EntityTree {
  readonly entities: ReadonlyMap<number, Entity>
  /** ifIndexes to which each entity's alias mapping points. */
  readonly interfaces: ReadonlyMap<number, ReadonlySet<number>>
}

/** The sensors to read in each poll. None when the tables could not be read whole: half a tree puts sensors elsewhere. */
export const findEntitySensors = async (walk: Walk): Promise<Instrument[]> => {
  const warnings: string[] = []
  const reader = { ...makeReader(walk.client, walk.untilMs, warnings), pace: walk.pace }
  const sensors = await readEntitySensors(reader)
  if (sensors.length === 0 || warnings.length > 0) return []
  const tree = await readTree(reader)
  return warnings.length > 0 ? [] : entityInstruments(sensors, tree)
}

const IF_INDEX_COLUMN = "1.3.6.1.2.1.2.2.1.1."

const readTree = async (reader: Reader): Promise<EntityTree> => {
  const entities = new Map<number, Entity>()
  for (const { index, cells } of await readTable(reader, "entPhysicalTable", ENTITY)) {
    if (index.length !== 1) continue
    const words = `${cells.name?.text() ?? ""} ${cells.descr?.text() ?? ""}`
    const containedIn = cells.containedIn?.number() ?? 0
    entities.set(index[0] as number, { containedIn, class: cells.class?.number() ?? 0, words })
  }
  const interfaces = new Map<number, Set<number>>()
  for (const { index, cells } of await readTable(reader, "entAliasMappingTable", ALIAS)) {
    const pointer = cells.mappingIdentifier?.dotted() ?? ""
    const ifIndex = pointer.startsWith(IF_INDEX_COLUMN) ? Number(pointer.slice(IF_INDEX_COLUMN.length)) : Number.NaN
    if (index.length !== 2 || !Number.isInteger(ifIndex) || ifIndex < 1) continue
    const known = interfaces.get(index[0] as number)
    if (known === undefined) interfaces.set(index[0] as number, new Set([ifIndex]))
    else known.add(ifIndex)
  }
  return { entities, interfaces }
}

// -- which sensor means what -----------------------------------------------------------------------------------------

/** EntitySensorDataType. */
const TYPE = { other: 1, voltsAC: 3, voltsDC: 4, watts: 6, celsius: 8 } as const
/** PhysicalClass. */
const CLASS = { chassis: 3, powerSupply: 6, port: 10 } as const

/** Sensors of one device that are read: each costs two objects in every poll. */
export const MAX_SENSORS = 128
const MAX_DEPTH = 16

const RECEIVE = /\b(?:rx|receive[rd]?|input)\b/i
const TRANSMIT = /\b(?:tx|transmit(?:ter|ted)?|output)\b/i
const INPUT = /\b(?:in|input|vin|pin)\b/i
const OUTPUT = /\b(?:out|output|vout|pout)\b/i
const TRANSCEIVER = /transceiver|\bx?[qs]?sfp|\bxfp\b|optic|\bDOM\b/i

interface Placed {
  readonly sensor: EntitySensor
  readonly power: number
  /** The sensor's own entity first, the chassis last. */
  readonly chain: readonly Entity[]
  readonly indexes: readonly number[]
}

/** Pure. Board temperatures come first, then supplies, then the light of ports, up to MAX_SENSORS. */
export const entityInstruments = (sensors: readonly EntitySensor[], tree: EntityTree): Instrument[] => {
  const placed = sensors.flatMap((sensor) => place(sensor, tree))
  return [...temperatures(placed), ...supplies(placed), ...light(placed, tree)].slice(0, MAX_SENSORS)
}

/** Nothing where scale or place are not told, or where the tree has a hole or a circle. */
const place = (sensor: EntitySensor, { entities }: EntityTree): readonly Placed[] => {
  const chain: Entity[] = []
  const indexes: number[] = []
  for (let at = sensor.index; at !== 0;) {
    const entity = entities.get(at)
    if (entity === undefined || indexes.length >= MAX_DEPTH) return []
    chain.push(entity)
    indexes.push(at)
    at = entity.containedIn
  }
  return sensor.power === null || chain.length === 0 ? [] : [{ sensor, power: sensor.power, chain, indexes }]
}

const isUnder = ({ chain }: Placed, ...classes: readonly number[]): boolean =>
  chain.some((entity) => classes.includes(entity.class))

const made = (metric: MetricName, { sensor, power }: Placed, rest: Partial<Instrument>): Instrument =>
  instrument(metric, under(SENSOR.value, sensor.index), {
    power,
    status: under(SENSOR.operStatus, sensor.index),
    ...rest,
  })

/** The hottest place of chassis and boards; transceivers and power supplies have their own limits. */
const temperatures = (placed: readonly Placed[]): readonly Instrument[] =>
  placed
    .filter((one) => one.sensor.type === TYPE.celsius && !isUnder(one, CLASS.port, CLASS.powerSupply))
    .filter(({ chain }) => !TRANSCEIVER.test(chain[0]?.words ?? "") && !isTransceiver(chain[1]))
    .map((one) => made("device.temp_c", one, { combine: "max" }))

const isTransceiver = (parent: Entity | undefined): boolean =>
  parent !== undefined && parent.class !== CLASS.chassis && TRANSCEIVER.test(parent.words)

/**
 * What goes into the power supplies: the sensor of each that says "input", or its only one. The power is their sum; the
 * voltage is the highest, because a device with one dead feed runs on the other.
 */
const supplies = (placed: readonly Placed[]): readonly Instrument[] => {
  const ofType = (...types: readonly number[]): readonly Placed[] =>
    placed.filter(({ sensor }) => sensor.type !== null && types.includes(sensor.type))
  return [
    ...inputs(ofType(TYPE.voltsAC, TYPE.voltsDC)).map((one) => made("device.voltage_v", one, { combine: "max" })),
    ...inputs(ofType(TYPE.watts)).map((one) => made("device.power_w", one, { combine: "sum" })),
  ]
}

const inputs = (placed: readonly Placed[]): readonly Placed[] => {
  const bySupply = new Map<number, Placed[]>()
  for (const one of placed) {
    if (isUnder(one, CLASS.port)) continue
    const at = one.chain.findIndex((entity) => entity.class === CLASS.powerSupply)
    if (at < 0) continue
    const supply = one.indexes[at] as number
    bySupply.set(supply, [...(bySupply.get(supply) ?? []), one])
  }
  return [...bySupply.values()].flatMap((all) => {
    const named = all.filter(({ chain }) => INPUT.test(chain[0]?.words ?? ""))
    const [only, ...others] = named.length > 0 ? named : all
    const isClear = only !== undefined && others.length === 0 && (named.length > 0 || !isOutput(only))
    return isClear ? [only] : []
  })
}

const isOutput = ({ chain }: Placed): boolean => OUTPUT.test(chain[0]?.words ?? "")

/** Receive and transmit power of ports with one interface and one sensor of each direction; lanes are no one's total. */
const light = (placed: readonly Placed[], tree: EntityTree): readonly Instrument[] => {
  const found = new Map<string, Instrument[]>()
  for (const one of placed) {
    const isLightInWatts = one.sensor.type === TYPE.watts
    const isDbm = one.sensor.type === TYPE.other && /^dBm$/i.test(one.sensor.units ?? "")
    if (!isLightInWatts && !isDbm) continue
    const metric = directionOf(one)
    const ifIndex = interfaceOf(one, tree)
    if (metric === null || ifIndex === null) continue
    const key = `${metric} ${ifIndex}`
    found.set(key, [...(found.get(key) ?? []), made(metric, one, { ifIndex, isLightInWatts })])
  }
  return [...found.values()].flatMap((all) => (all.length === 1 ? all : []))
}

const directionOf = ({ chain }: Placed): "optical.rx_power_dbm" | "optical.tx_power_dbm" | null => {
  const words = chain[0]?.words ?? ""
  const [receives, transmits] = [RECEIVE.test(words), TRANSMIT.test(words)]
  if (receives === transmits) return null
  return receives ? "optical.rx_power_dbm" : "optical.tx_power_dbm"
}

/** The one interface of the nearest port around a sensor. */
const interfaceOf = ({ chain, indexes }: Placed, { interfaces }: EntityTree): number | null => {
  const at = chain.findIndex((entity, i) => entity.class === CLASS.port && interfaces.has(indexes[i] as number))
  const [ifIndex, ...others] = at < 0 ? [] : (interfaces.get(indexes[at] as number) ?? [])
  return ifIndex === undefined || others.length > 0 ? null : ifIndex
}
