/**
 * ENTITY-SENSOR-MIB (RFC 3433): which of a device's sensors are its temperature, its supply's voltage and power, and the
 * light of its ports. Where a sensor sits is ENTITY-MIB's tree (RFC 6933), which interface a port is, its alias mapping.
 * A sensor whose place, direction or scale the agent leaves open is not read at all: no value is better than a guess.
 */
import type { MetricName } from "#protocol/metric.ts"
import { SnmpFailed } from "#engine/collectors/snmp/client.ts"
import { instrument } from "#engine/collectors/snmp/instruments.ts"
import type { Instrument } from "#engine/collectors/snmp/instruments.ts"
import { under } from "#engine/collectors/snmp/oid.ts"
import { columnsOf, makeReader, readCells, readTable } from "#engine/collectors/snmp/read-table.ts"
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

/**
 * The sensors to read in each poll. None when the tables could not be read whole: half a tree puts sensors elsewhere. A
 * device that is slow or silent here keeps its other instruments. Rejects with SnmpFailed only when the client was closed.
 */
export const findEntitySensors = async (walk: Walk): Promise<Instrument[]> => {
  const warnings: string[] = []
  const reader = { ...makeReader(walk.client, walk.untilMs, warnings), pace: walk.pace }
  try {
    const wanted = (await readEntitySensors(reader)).filter(isWanted)
    const sensors = wanted.slice(0, MAX_PLACED)
    if (sensors.length === 0 || warnings.length > 0) return []
    const entities = await readEntities(
      reader,
      sensors.map(({ index }) => index),
    )
    const interfaces = await readInterfacesOfEntities(reader)
    if (warnings.length > 0) return []
    const found = entityInstruments(sensors, { entities, interfaces })
    // Whether a supply's or a port's sensor is its only one cannot be told from a part of them.
    return wanted.length > MAX_PLACED ? found.filter(({ metric }) => metric === "device.temp_c") : found
  } catch (error) {
    if (!(error instanceof SnmpFailed) || error.reason === "closed") throw error
    return []
  }
}

/** Sensors and their parents up to the chassis, by GET: a large chassis has thousands of entities that are no one's place. */
const readEntities = async (reader: Reader, sensors: readonly number[]): Promise<ReadonlyMap<number, Entity>> => {
  const entities = new Map<number, Entity>()
  let wanted = [...new Set(sensors)]
  for (let depth = 0; depth < MAX_DEPTH && wanted.length > 0; depth++) {
    const { containedIn, class: kind, name, descr } = ENTITY
    const oids = wanted.flatMap((index) => [containedIn, kind, name, descr].map((column) => under(column, index)))
    const cells = await readCells(reader, oids)
    const parents = new Set<number>()
    for (const [i, index] of wanted.entries()) {
      const [parent, itsClass, itsName, itsDescr] = cells.slice(i * 4, i * 4 + 4)
      const within = parent?.number() ?? null
      if (within === null || within < 0 || within > MAX_INDEX) continue
      const words = `${itsName?.text() ?? ""} ${itsDescr?.text() ?? ""}`
      entities.set(index, { containedIn: within, class: itsClass?.number() ?? 0, words })
      parents.add(within)
    }
    wanted = [...parents].filter((index) => index !== 0 && !entities.has(index))
  }
  return entities
}

const IF_INDEX_COLUMN = "1.3.6.1.2.1.2.2.1.1."

/** ifIndexes of each entity that has some: entAliasMappingTable. */
const readInterfacesOfEntities = async (reader: Reader): Promise<ReadonlyMap<number, ReadonlySet<number>>> => {
  const interfaces = new Map<number, Set<number>>()
  for (const { index, cells } of await readTable(reader, "entAliasMappingTable", ALIAS)) {
    const pointer = cells.mappingIdentifier?.dotted() ?? ""
    const ifIndex = pointer.startsWith(IF_INDEX_COLUMN) ? Number(pointer.slice(IF_INDEX_COLUMN.length)) : Number.NaN
    if (index.length !== 2 || !Number.isInteger(ifIndex) || ifIndex < 1) continue
    const known = interfaces.get(index[0] as number)
    if (known === undefined) interfaces.set(index[0] as number, new Set([ifIndex]))
    else known.add(ifIndex)
  }
  return interfaces
}

// -- which sensor means what -----------------------------------------------------------------------------------------

/** EntitySensorDataType. */
const TYPE = { other: 1, voltsAC: 3, voltsDC: 4, watts: 6, celsius: 8 } as const
/** PhysicalClass. */
const CLASS = { chassis: 3, powerSupply: 6, port: 10 } as const

/** Sensors of one device that are read: each costs two objects in every poll. */
export const MAX_SENSORS = 128
/** PhysicalIndex is 1..2^31-1, 0 = contained in nothing. */
const MAX_INDEX = 2_147_483_647
/** Sensors whose place is looked for. */
const MAX_PLACED = 512
const MAX_DEPTH = 16

const RECEIVE = /\b(?:rx|receive[rd]?|input)\b/i
const TRANSMIT = /\b(?:tx|transmit(?:ter|ted)?|output)\b/i
const INPUT = /\b(?:in|input|vin|pin)\b/i
const OUTPUT = /\b(?:out|output|vout|pout)\b/i
const TRANSCEIVER = /transceiver|\bx?[qs]?sfp|\bxfp\b|optic|\bDOM\b/i

const isDbm = ({ type, units }: EntitySensor): boolean => type === TYPE.other && /^dBm$/i.test(units ?? "")
const isWanted = (sensor: EntitySensor): boolean =>
  isDbm(sensor) || (WANTED_TYPES as readonly (number | null)[]).includes(sensor.type)
const WANTED_TYPES = [TYPE.voltsAC, TYPE.voltsDC, TYPE.watts, TYPE.celsius]

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
    if (!isLightInWatts && !isDbm(one.sensor)) continue
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
