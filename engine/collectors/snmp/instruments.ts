/**
 * Single objects that each poll reads with a few GETs, once discovery (health.ts, sensors.ts) has found them, and what
 * their numbers mean: exact decimal scaling, several sensors made one value, no value where the agent's own status says
 * that the sensor does not measure.
 */
import { performance } from "node:perf_hooks"
import type { MetricName } from "#protocol/metric.ts"
import type { SnmpClient } from "#engine/collectors/snmp/client.ts"
import { SnmpFailed } from "#engine/collectors/snmp/client.ts"
import type { Oid } from "#engine/collectors/snmp/oid.ts"
import type { Varbinds } from "#engine/collectors/snmp/varbinds.ts"

/** One object to read in each poll: value = number read x unit x 10^power. */
export interface Instrument {
  readonly metric: MetricName
  readonly oid: Oid
  readonly unit: number
  readonly power: number
  /** 0 = the device itself. */
  readonly ifIndex: number
  /** A reading of 0 means "nothing measured here" (an empty optical cage). */
  readonly isZeroNothing: boolean
  /** How several instruments of one metric and interface become one value. */
  readonly combine: "mean" | "max" | "sum"
  /** entPhySensorOperStatus (RFC 3433): anything but ok(1) is no value. Null = the MIB has no status for it. */
  readonly status: Oid | null
  /** Optical power that the agent tells in watts while the metric is in dBm. */
  readonly isLightInWatts: boolean
}

export const instrument = (
  metric: MetricName,
  oid: Oid,
  rest: Partial<Omit<Instrument, "metric" | "oid">> = {},
): Instrument => ({
  metric,
  oid,
  unit: 1,
  power: 0,
  ifIndex: 0,
  isZeroNothing: false,
  combine: "mean",
  status: null,
  isLightInWatts: false,
  ...rest,
})

const MAX_OIDS_PER_GET = 30

/** A value of one metric, as measured now. */
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
  const guarded = instruments.flatMap(({ status }) => (status === null ? [] : [status]))
  const numbers = await getNumbers(client, [...instruments.map(({ oid }) => oid), ...guarded], untilMs)
  let next = instruments.length
  const statuses = instruments.map(({ status }) => (status === null ? OK : (numbers[next++] ?? null)))
  const groups = new Map<string, { first: Instrument; values: number[] }>()
  for (const [i, one] of instruments.entries()) {
    const value = valueOf(one, numbers[i] ?? null, statuses[i] ?? null)
    if (value === null) continue
    const name = `${one.metric} ${one.ifIndex}`
    const group = groups.get(name)
    if (group === undefined) groups.set(name, { first: one, values: [value] })
    else group.values.push(value)
  }
  return [...groups.values()].map(({ first: { metric, ifIndex, combine }, values }) => ({
    metric,
    ifIndex,
    value: combined(combine, values),
  }))
}

/** entPhySensorOperStatus ok(1), unavailable(2), nonoperational(3). */
const OK = 1

/** Null = this instrument measured nothing now. */
export const valueOf = (one: Instrument, number: number | null, status: number | null): number | null => {
  if (number === null || status !== OK || (one.isZeroNothing && number === 0)) return null
  // RFC 3433 EntitySensorValue: the ends of the range mean underflow and overflow.
  if (one.status !== null && Math.abs(number) >= 1_000_000_000) return null
  const value = decimal(number, one.power) * one.unit
  if (!one.isLightInWatts) return value
  return value > 0 ? Math.round((10 * Math.log10(value) + 30) * 1_000) / 1_000 : null
}

/** number x 10^power, exact to the digit that the agent sent: 10^-1 is no binary fraction, so multiplying would err. */
export const decimal = (number: number, power: number): number => (power === 0 ? number : Number(`${number}e${power}`))

const combined = (how: Instrument["combine"], values: readonly number[]): number => {
  if (how === "max") return Math.max(...values)
  const sum = values.reduce((total, value) => total + value, 0)
  return how === "sum" ? sum : sum / values.length
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

export const getNumbers = async (
  client: SnmpClient,
  oids: readonly Oid[],
  untilMs: number,
): Promise<Array<number | null>> =>
  (await getEach(client, oids, untilMs)).map((cell) => (cell === null ? null : cell.answer.number(cell.i)))
