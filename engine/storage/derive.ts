/**
 * Series that nobody stores because they follow from stored ones: rates from counters, utilisation from rates, `up` from a
 * state. The rules are those of the live twin (twin/counter.ts, twin/interface.ts, twin/adjacency.ts), so that a chart and
 * the map agree. A value that cannot be known (restart, discontinuity, unbelievable decrease) is NaN here, a gap on screen.
 */
import { DEVICE_ENTITY, type EntityKey } from "#protocol/id.ts"
import { metricId, type Metric, type MetricName } from "#protocol/metric.ts"
import type { Series } from "#engine/storage/chunk.ts"
import { isUp } from "#twin/adjacency.ts"
import { counterRate, elapsedSeconds, NOT_YET, restarted, SPEED_SLACK, type CounterSample } from "#twin/counter.ts"
import { paceAfter, type Pace } from "#twin/pace.ts"

/** Gives the stored series of one source, or null. */
export type Stored = (entity: EntityKey, metric: number) => Series | null

/** Bits of the smallest Ethernet frame on the wire but preamble and gap: how many packets a line can carry at most. */
const FRAME_BITS = 512

/**
 * Samples further apart make no rate: an average over hours would be shown as the traffic of one moment. The slowest polling
 * is once an hour. So nothing older has to be read to know a rate.
 */
export const RATE_PAUSE_MAX_MS = 2 * 3_600_000

interface RateRule {
  readonly counter: MetricName
  /** Result per counted unit: 8 makes octets bits. */
  readonly factor: number
  /** Bits that one counted unit takes at least on the line; null = the line's speed says nothing about this counter. */
  readonly unitBits: number | null
  /** Error and discard counters are Counter32 in IF-MIB whatever the octet counters are. */
  readonly sized: boolean
}
const octets = (counter: MetricName): RateRule => ({ counter, factor: 8, unitBits: 8, sized: true })
const packets = (counter: MetricName): RateRule => ({ counter, factor: 1, unitBits: FRAME_BITS, sized: true })
const faults = (counter: MetricName): RateRule => ({ counter, factor: 1, unitBits: null, sized: false })

const RATES: ReadonlyMap<string, RateRule> = new Map([
  ["interface.rx_bps", octets("interface.rx_bytes_total")],
  ["interface.tx_bps", octets("interface.tx_bytes_total")],
  ["interface.rx_pps", packets("interface.rx_packets_total")],
  ["interface.tx_pps", packets("interface.tx_packets_total")],
  ["interface.rx_errors_per_s", faults("interface.rx_errors_total")],
  ["interface.tx_errors_per_s", faults("interface.tx_errors_total")],
  ["interface.rx_discards_per_s", faults("interface.rx_discards_total")],
  ["interface.tx_discards_per_s", faults("interface.tx_discards_total")],
])

/** One stored series: entity and metric id. */
export type SeriesKey = readonly [entity: EntityKey, metric: number]

/** The stored series that a metric of an entity is made of; the metric itself when it is stored. */
export const inputsOf = (metric: Metric, entity: EntityKey): readonly SeriesKey[] => {
  if (metric.derived !== true) return [[entity, metric.id]]
  const of = (...names: readonly MetricName[]): readonly SeriesKey[] => names.map((name) => [entity, metricId(name)])
  const rate = RATES.get(metric.name)
  if (rate !== undefined) {
    return [...of(rate.counter, ...COUNTER_CONTEXT), [DEVICE_ENTITY, metricId("device.uptime_seconds")]]
  }
  switch (metric.name) {
    case "interface.utilization_pct":
      return [
        ...of("interface.rx_bytes_total", "interface.tx_bytes_total", ...COUNTER_CONTEXT),
        [DEVICE_ENTITY, metricId("device.uptime_seconds")],
      ]
    case "ospf.neighbor.up":
      return of("ospf.neighbor.state")
    case "bgp.peer.up":
      return of("bgp.peer.state")
    default:
      return []
  }
}
/** Tells whether two samples of a counter may be compared, and what is believed of them. */
const COUNTER_CONTEXT = [
  "interface.counter_bits",
  "interface.counter_discontinuity_seconds",
  "interface.speed_bps",
] as const

/** Rates of one entity that were derived already: utilisation is made of two of them. */
export type Rates = Map<string, Series | null>

/** The series of a derived metric; null = it cannot be derived from what is stored. */
export const deriveSeries = (
  metric: string,
  entity: EntityKey,
  stored: Stored,
  rates: Rates = new Map(),
): Series | null => {
  const rate = RATES.get(metric)
  if (rate !== undefined) {
    const known = rates.get(metric)
    if (known !== undefined) return known
    const series = rateSeries(rate, entity, stored)
    rates.set(metric, series)
    return series
  }
  switch (metric) {
    case "interface.utilization_pct":
      return utilizationSeries(entity, stored, rates)
    case "ospf.neighbor.up":
      return mapped(stored(entity, metricId("ospf.neighbor.state")), (state) => (isUp("ospf", state) ? 1 : 0))
    case "bgp.peer.up":
      return mapped(stored(entity, metricId("bgp.peer.state")), (state) => (isUp("bgp", state) ? 1 : 0))
    default:
      return null
  }
}

const mapped = (series: Series | null, map: (value: number) => number): Series | null =>
  series === null ? null : { atMs: series.atMs, value: series.value.map(map) }

/**
 * One value per counter sample but the first, which has nothing to compare with, and those that come too soon after one: as on
 * the map they make no rate, and the next one is compared with the older of the two (twin/span.ts).
 */
const rateSeries = (rule: RateRule, entity: EntityKey, stored: Stored): Series | null => {
  const counter = stored(entity, metricId(rule.counter))
  if (counter === null) return null
  const bits = follower(stored(entity, metricId("interface.counter_bits")))
  const discontinuity = follower(stored(entity, metricId("interface.counter_discontinuity_seconds")))
  const speed = follower(stored(entity, metricId("interface.speed_bps")))
  // Of the same poll: an older one would say that the device's time stood still.
  const uptimes = stored(DEVICE_ENTITY, metricId("device.uptime_seconds"))
  const uptimeAt = exactly(uptimes)
  const paces = uptimes === null ? null : ratiosOf(uptimes)
  const count = Math.max(0, counter.atMs.length - 1)
  const times = new Float64Array(count)
  const value = new Float64Array(count)
  let told = 0
  let base: CounterSample | null = null
  for (let i = 0; i < counter.atMs.length; i++) {
    const atMs = counter.atMs[i]!
    const size = bits(atMs)
    const at = uptimeAt(atMs)
    const next: CounterSample = {
      value: counter.value[i]!,
      atMs,
      bits: rule.sized && (size === 32 || size === 64) ? size : 0,
      discontinuitySeconds: discontinuity(atMs),
      uptimeSeconds: at < 0 ? null : uptimes!.value[at]!,
    }
    const pace = at < 0 ? 1 : paces![at]!
    if (base !== null && isTooSoon(base, next, pace) && !isRestart(uptimes!, at, pace)) continue
    if (base !== null) {
      const lineBps = speed(atMs)
      const most = rule.unitBits === null || !(lineBps! > 0) ? null : (lineBps! * SPEED_SLACK) / rule.unitBits
      const rate = atMs - base.atMs > RATE_PAUSE_MAX_MS ? null : counterRate(base, next, most, pace)
      times[told] = atMs
      value[told++] = (rate ?? Number.NaN) * rule.factor
    }
    base = next
  }
  return { atMs: times.subarray(0, told), value: value.subarray(0, told) }
}

const isTooSoon = (base: CounterSample, next: CounterSample, pace: number): boolean =>
  elapsedSeconds(base.uptimeSeconds, next.uptimeSeconds, (next.atMs - base.atMs) / 1000, pace) === NOT_YET

/** The uptime at this place is of another start than the one before. */
const isRestart = ({ atMs, value }: Series, at: number, pace: number): boolean =>
  at > 0 && restarted(value[at - 1]!, value[at]!, ((atMs[at]! - atMs[at - 1]!) / 1000) * Math.min(1, pace))

const ratios = new WeakMap<Series, Float64Array>()

/** How fast an uptime was known to run, at each of its samples. Once for all the counters of a device. */
const ratiosOf = (uptimes: Series): Float64Array => {
  const known = ratios.get(uptimes)
  if (known !== undefined) return known
  let pace: Pace | undefined
  const made = uptimes.value.map((seconds, i) => {
    pace = paceAfter(pace, { atMs: uptimes.atMs[i]!, seconds })
    return pace.ratio
  })
  ratios.set(uptimes, made)
  return made
}

/** The newest value at or before a time; asked with times that ascend. Null = none yet. */
const follower = (series: Series | null): ((atMs: number) => number | null) => {
  let next = 0
  return (atMs) => {
    if (series === null) return null
    while (next < series.atMs.length && series.atMs[next]! <= atMs) next++
    return next === 0 ? null : series.value[next - 1]!
  }
}

/** Where the sample of a time stands; asked with times that ascend. -1 = there is none of that time. */
const exactly = (series: Series | null): ((atMs: number) => number) => {
  let next = 0
  return (atMs) => {
    if (series === null) return -1
    while (next < series.atMs.length && series.atMs[next]! < atMs) next++
    return series.atMs[next] === atMs ? next : -1
  }
}

/** The busier direction over the speed, as a percentage. */
const utilizationSeries = (entity: EntityKey, stored: Stored, rates: Rates): Series | null => {
  const rx = deriveSeries("interface.rx_bps", entity, stored, rates)
  const tx = deriveSeries("interface.tx_bps", entity, stored, rates)
  const busier = rx ?? tx
  if (busier === null) return null
  const speed = follower(stored(entity, metricId("interface.speed_bps")))
  const other = follower(rx === null ? null : tx)
  const value = busier.value.map((bps, i) => {
    const atMs = busier.atMs[i]!
    const most = nanMax(bps, other(atMs) ?? Number.NaN)
    const lineBps = speed(atMs)
    return lineBps !== null && lineBps > 0 ? (most / lineBps) * 100 : Number.NaN
  })
  return { atMs: busier.atMs, value }
}

const nanMax = (a: number, b: number): number => (Number.isNaN(a) ? b : Number.isNaN(b) ? a : Math.max(a, b))
