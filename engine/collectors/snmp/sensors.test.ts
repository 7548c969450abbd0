import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { decimal, instrument, valueOf } from "#engine/collectors/snmp/instruments.ts"
import type { Instrument } from "#engine/collectors/snmp/instruments.ts"
import { oid, oidText } from "#engine/collectors/snmp/oid.ts"
import { decimalPower, entityInstruments, MAX_SENSORS } from "#engine/collectors/snmp/sensors.ts"
import type { Entity, EntitySensor } from "#engine/collectors/snmp/sensors.ts"

/** The digits shifted by hand: what scale and precision mean, without arithmetic on fractions. */
const shifted = (value: number, power: number): string => {
  const sign = value < 0 ? "-" : ""
  const digits = String(Math.abs(value))
  if (power >= 0) return `${sign}${digits}${"0".repeat(power)}`
  const padded = digits.padStart(-power + 1, "0")
  return `${sign}${padded.slice(0, power)}.${padded.slice(power)}`
}

test("[C12] scale and precision move the point exactly, for every scale and precision of RFC 3433", () => {
  const value = fc.integer({ min: -999_999_999, max: 999_999_999 })
  fc.assert(
    fc.property(value, fc.integer({ min: 1, max: 17 }), fc.integer({ min: -8, max: 9 }), (number, scale, precision) => {
      const power = decimalPower(scale, precision)
      assert.ok(power !== null)
      assert.equal(
        power,
        [-24, -21, -18, -15, -12, -9, -6, -3, 0, 3, 6, 9, 12, 15, 18, 21, 24][scale - 1]! -
          (precision > 0 ? precision : 0),
      )
      assert.equal(decimal(number, power) + 0, Number(shifted(number, power)) + 0)
    }),
  )
  assert.equal(decimal(413, -1), 41.3)
  assert.equal(decimal(-7_512, -3), -7.512)
})

test("a scale or precision that RFC 3433 does not know, or that is not told, is no value", () => {
  const odd = fc.oneof(fc.constant(null), fc.integer(), fc.double())
  fc.assert(
    fc.property(odd, odd, (scale, precision) => {
      const known =
        scale !== null &&
        precision !== null &&
        [scale, precision].every(Number.isInteger) &&
        scale >= 1 &&
        scale <= 17 &&
        precision >= -8 &&
        precision <= 9
      assert.equal(decimalPower(scale, precision) !== null, known)
    }),
  )
})

test("[C12] a sensor that is not ok, over- or underflowed measures nothing, whatever its number", () => {
  const guarded = instrument("device.temp_c", oid("1.3.6.1"), { status: oid("1.3.6.2") })
  fc.assert(
    fc.property(
      fc.oneof(fc.constant(null), fc.integer()),
      fc.oneof(fc.constant(null), fc.integer({ min: 0, max: 5 })),
      (number, status) => {
        const value = valueOf(guarded, number, status)
        const measures = number !== null && status === 1 && Math.abs(number) < 1_000_000_000
        assert.equal(value, measures ? number : null)
      },
    ),
  )
})

test("light told in watts becomes dBm; darkness has no dBm", () => {
  const light = instrument("optical.rx_power_dbm", oid("1.3.6.1"), { power: -6, isLightInWatts: true })
  assert.equal(valueOf(light, 1_000, 1), 0)
  assert.equal(valueOf(light, 500, 1), -3.01)
  assert.equal(valueOf(light, 100, 1), -10)
  for (const dark of [0, -1]) assert.equal(valueOf(light, dark, 1), null)
})

// A chassis (1) with a board (2), two power supplies (3, 4) and a port (5) with a transceiver (6).
const CELSIUS = 8
const WATTS = 6
const VOLTS = 3
const tree = (more: ReadonlyArray<readonly [number, Entity]> = [], ifIndexes: readonly number[] = [17]) => ({
  entities: new Map<number, Entity>([
    [1, { containedIn: 0, class: 3, words: "Chassis 24xSFP+" }],
    [2, { containedIn: 1, class: 9, words: "Board" }],
    [3, { containedIn: 1, class: 6, words: "PSU 1" }],
    [4, { containedIn: 1, class: 6, words: "PSU 2" }],
    [5, { containedIn: 2, class: 10, words: "Te0/0/1" }],
    [6, { containedIn: 5, class: 9, words: "Transceiver" }],
    ...more,
  ]),
  interfaces: new Map([[5, new Set(ifIndexes)]]),
})
const at = (index: number, containedIn: number, words: string): readonly [number, Entity] => [
  index,
  { containedIn, class: 8, words },
]
const sensor = (index: number, type: number, more: Partial<EntitySensor> = {}): EntitySensor => ({
  index,
  type,
  power: 0,
  value: 1,
  status: 1,
  units: null,
  ...more,
})
const told = (instruments: readonly Instrument[]): ReadonlyArray<readonly [string, number, string]> =>
  instruments.map(({ metric, ifIndex, oid: name }) => [metric, ifIndex, oidText(name).split(".").at(-1) as string])

test("temperatures are those of chassis and boards, not of transceivers or power supplies; the hottest counts", () => {
  const found = entityInstruments(
    [10, 11, 12, 13, 14].map((index) => sensor(index, CELSIUS)),
    tree([at(10, 1, "Inlet"), at(11, 2, "CPU"), at(12, 3, "PSU temp"), at(13, 6, "module"), at(14, 1, "SFP 7 temp")]),
  )
  assert.deepEqual(told(found), [
    ["device.temp_c", 0, "10"],
    ["device.temp_c", 0, "11"],
  ])
  assert.ok(found.every(({ combine, status }) => combine === "max" && status !== null))
})

test("voltage and power are what goes into the supplies; a supply that leaves it open tells neither", () => {
  const places = [
    at(20, 3, "Vin"),
    at(21, 3, "Vout"),
    at(22, 4, "Voltage A"),
    at(23, 4, "Voltage B"),
    at(24, 4, "Power"),
    at(25, 3, "Output power"),
    at(26, 2, "3.3V rail"),
  ]
  const found = entityInstruments(
    [
      sensor(20, VOLTS),
      sensor(21, 4),
      sensor(22, VOLTS),
      sensor(23, VOLTS),
      sensor(24, WATTS),
      sensor(25, WATTS),
      sensor(26, 4),
    ],
    tree(places),
  )
  assert.deepEqual(told(found), [
    ["device.voltage_v", 0, "20"],
    ["device.power_w", 0, "24"],
  ])
  assert.deepEqual(
    found.map(({ combine }) => combine),
    ["max", "sum"],
  )
})

test("light belongs to the interface of the port around it: in watts, or in dBm by its units", () => {
  const dbm = { units: "dBm", power: -2 }
  const both = [at(30, 6, "Receive Power"), at(31, 6, "Transmit Power")]
  const rx = [sensor(30, WATTS), sensor(31, 1, dbm)]
  assert.deepEqual(told(entityInstruments(rx, tree(both))), [
    ["optical.rx_power_dbm", 17, "30"],
    ["optical.tx_power_dbm", 17, "31"],
  ])
  assert.deepEqual(
    entityInstruments(rx, tree(both)).map(({ isLightInWatts }) => isLightInWatts),
    [true, false],
  )
})

test("[C12] nothing is read where the interface, the direction, the unit, the lane or the place is not clear", () => {
  const watts = sensor(30, WATTS)
  const named = (words: string) => tree([at(30, 6, words)])
  assert.equal(entityInstruments([watts], named("Rx power")).length, 1, "what the others leave open")
  assert.deepEqual(entityInstruments([watts], named("Power")), [], "no direction")
  assert.deepEqual(entityInstruments([watts], named("Rx/Tx power")), [], "both directions")
  assert.deepEqual(entityInstruments([watts], tree([at(30, 6, "Rx power")], [17, 18])), [], "two interfaces")
  assert.deepEqual(entityInstruments([watts], { ...named("Rx power"), interfaces: new Map() }), [], "no interface")
  assert.deepEqual(entityInstruments([sensor(30, 1, { units: "mA" })], named("Rx bias")), [], "not a power")
  assert.deepEqual(entityInstruments([sensor(30, WATTS, { power: null })], named("Rx power")), [], "no scale")
  const lanes = tree([at(30, 6, "Lane 1 Rx power"), at(31, 6, "Lane 2 Rx power")])
  assert.deepEqual(entityInstruments([watts, sensor(31, WATTS)], lanes), [], "several lanes")
  assert.deepEqual(entityInstruments([sensor(40, CELSIUS)], tree()), [], "not in the tree")
  assert.deepEqual(entityInstruments([sensor(40, CELSIUS)], tree([at(40, 99, "CPU")])), [], "a hole in the tree")
  assert.deepEqual(entityInstruments([sensor(40, CELSIUS)], tree([at(40, 41, "CPU"), at(41, 40, "x")])), [], "a circle")
})

test("any tables give bounded instruments of known places", () => {
  const entity = fc.record({
    containedIn: fc.nat(30),
    class: fc.nat(12),
    words: fc.constantFrom("", "Rx", "Tx power", "Vin", "SFP"),
  })
  const someSensor = fc.record({
    index: fc.nat(30),
    type: fc.oneof(fc.constant(null), fc.nat(13)),
    power: fc.oneof(fc.constant(null), fc.integer({ min: -33, max: 24 })),
    value: fc.integer(),
    status: fc.nat(4),
    units: fc.constantFrom(null, "dBm", ""),
  })
  fc.assert(
    fc.property(
      fc.array(someSensor, { maxLength: 300 }),
      fc.array(fc.tuple(fc.nat(30), entity), { maxLength: 30 }),
      fc.array(fc.tuple(fc.nat(30), fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 3 })), { maxLength: 9 }),
      (sensors, entities, aliases) => {
        const interfaces = new Map(aliases.map(([index, all]) => [index, new Set(all)]))
        const found = entityInstruments(sensors, { entities: new Map(entities), interfaces })
        assert.ok(found.length <= MAX_SENSORS)
        for (const { metric, ifIndex } of found) assert.equal(metric.startsWith("optical."), ifIndex > 0)
      },
    ),
  )
})
