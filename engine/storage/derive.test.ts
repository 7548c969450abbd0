/** Charts and the map are one truth: what is derived from stored series is what the live twin said at each poll. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { deriveSeries } from "#engine/storage/derive.ts"
import type { Stored } from "#engine/storage/derive.ts"
import { pollOf } from "#engine/storage/polls.fixture.ts"
import { DEVICE_ENTITY, deviceId, interfaceKey } from "#protocol/id.ts"
import type { EntityKey } from "#protocol/id.ts"
import { metricId } from "#protocol/metric.ts"
import type { PollInput } from "#twin/input.ts"
import { level, RX_BPS } from "#twin/interface.ts"
import { newRouter, stepRouter } from "#twin/router.ts"

const FROM_MS = 1_780_000_000_000
const DEVICE = deviceId("r1")
const ETHER1 = interfaceKey("ether1")

interface Sample {
  readonly seconds: number
  readonly octets: number
  readonly uptime: number | null
}

const polledOf = ({ seconds, octets, uptime }: Sample): PollInput =>
  pollOf(DEVICE, "snmp", FROM_MS + seconds * 1_000, [
    ...(uptime === null ? [] : [[DEVICE_ENTITY, "device.uptime_seconds", uptime] as const]),
    [ETHER1, "interface.rx_bytes_total", octets],
    [ETHER1, "interface.counter_bits", 64],
    [ETHER1, "interface.speed_bps", 1e9],
  ])

/** As storage gives them: one value per poll that told it. */
const storedOf =
  (polls: readonly PollInput[]): Stored =>
  (entity, metric) => {
    const rows = polls.flatMap((one) => {
      const row = [...one.metric.keys()].find((i) => one.metric[i] === metric && isOf(one, i, entity))
      return row === undefined ? [] : [[one.atMs, one.value[row]!] as const]
    })
    if (rows.length === 0) return null
    return { atMs: Float64Array.from(rows, ([ms]) => ms), value: Float64Array.from(rows, ([, value]) => value) }
  }
const isOf = (one: PollInput, i: number, entity: EntityKey): boolean => one.entities[one.entity[i]!] === entity

interface Said {
  /** Bit/s by the chart, of each sample but the first; undefined = it has no point there, null = not known. */
  readonly chart: Array<number | null | undefined>
  /** Bit/s by the map after each, and whether it was measured then. */
  readonly map: Array<number | null>
  readonly isNew: boolean[]
}

const both = (samples: readonly Sample[]): Said => {
  const polls = samples.map(polledOf)
  const series = deriveSeries("interface.rx_bps", ETHER1, storedOf(polls))
  const points = new Map([...(series?.atMs ?? [])].map((atMs, i) => [atMs, series!.value[i]!]))
  let router = newRouter({ device: DEVICE, slot: 0, pollSeconds: 30, sources: ["snmp"], ports: [] })
  const said: Said = { chart: [], map: [], isNew: [] }
  for (const [i, input] of polls.entries()) {
    // Nobody ran between the polls, or the clock could not have been set.
    const unseenMs = input.atMs - FROM_MS
    router = stepRouter(router, { kind: "input", atMs: input.atMs, input, unseenMs }).state
    if (i === 0) continue
    const bps = points.get(input.atMs)
    said.chart.push(bps !== undefined && Number.isNaN(bps) ? null : bps)
    said.map.push(level(router.interfaces, 0, RX_BPS))
    said.isNew.push(router.interfaces.counters[0]?.atMs[0] === input.atMs)
  }
  return said
}

test("[W9] a clock that was set back or forward between two samples makes no traffic on a chart", () => {
  const steady = (seconds: number, uptime: number): Sample => ({ seconds, octets: uptime * 1000, uptime })
  const { chart, map } = both([
    steady(10, 9_000),
    steady(40, 9_030),
    // Two minutes in truth.
    steady(45, 9_150),
    steady(75, 9_180),
    // Half a minute in truth.
    steady(3_675, 9_210),
    steady(3_705, 9_240),
  ])
  assert.deepEqual(chart, [8000, 8000, 8000, null, 8000])
  assert.deepEqual(map, chart)
})

test("[W9] what comes too soon to be measured has no point on a chart, and the next is measured from before it", () => {
  const steady = (seconds: number, uptime: number): Sample => ({ seconds, octets: uptime * 1000, uptime })
  const { chart, map } = both([
    steady(10, 9_000),
    steady(40, 9_030),
    // The clock was set back and forward again: two seconds in truth, then half a one.
    steady(41, 9_032),
    steady(3_641, 9_032),
    steady(3_671, 9_062),
    steady(3_672, 9_063),
    steady(3_701, 9_092),
  ])
  assert.deepEqual(chart, [8000, undefined, null, 8000, undefined, 8000])
  assert.deepEqual(map, [8000, 8000, null, 8000, 8000, 8000])
})

test("[W9] an uptime that runs at half of time leaves a chart no gaps, once that is known", () => {
  const samples = Array.from({ length: 40 }, (_, i) => ({
    seconds: 10 + 30 * i,
    octets: 30_000 * i,
    uptime: 900 + 15 * i,
  }))
  const { chart, map } = both(samples)
  assert.deepEqual(map, chart)
  assert.equal(chart[0], null)
  assert.deepEqual(
    chart.slice(6),
    chart.slice(6).map(() => 8000),
  )
})

test("[W9] an uptime counts only for the poll that told it", () => {
  const { chart } = both([
    { seconds: 10, octets: 0, uptime: 500 },
    { seconds: 40, octets: 30_000, uptime: null },
    { seconds: 70, octets: 60_000, uptime: 560 },
    { seconds: 100, octets: 90_000, uptime: 590 },
  ])
  assert.deepEqual(chart, [8000, 8000, 8000])
})

test("[W9] property: the chart says what the map said, whatever clocks, uptimes and counters do", () => {
  const steps = fc.array(
    fc.record({
      ours: fc.oneof(fc.integer({ min: 1, max: 120 }), fc.integer({ min: 1, max: 5_000 })),
      own: fc.oneof(fc.integer({ min: 1, max: 120 }), fc.integer({ min: 1, max: 5_000 })),
      octets: fc.nat(1e9),
      reboots: fc.integer({ min: 0, max: 8 }).map((it) => it === 0),
      tells: fc.integer({ min: 0, max: 8 }).map((it) => it !== 0),
    }),
    { minLength: 2, maxLength: 15 },
  )
  const seen = { known: 0, unknown: 0, tooSoon: 0 }
  fc.assert(
    fc.property(steps, (list) => {
      let [seconds, uptime, octets] = [10, 20_000, 1e9]
      const samples = list.map(({ ours, own, octets: more, reboots, tells }) => {
        seconds += ours
        uptime = reboots ? 3 : uptime + own
        octets = reboots ? 0 : octets + more
        return { seconds, octets, uptime: tells ? uptime : null }
      })
      const { chart, map, isNew } = both(samples)
      for (const [i, bps] of chart.entries()) {
        assert.equal(bps !== undefined, isNew[i], JSON.stringify(samples))
        // What has no point left the map as it was.
        assert.equal(map[i], bps === undefined ? (map[i - 1] ?? null) : bps, JSON.stringify(samples))
        seen[bps === undefined ? "tooSoon" : bps === null ? "unknown" : "known"]++
      }
    }),
  )
  assert.ok(seen.known > 0 && seen.unknown > 0 && seen.tooSoon > 0, JSON.stringify(seen))
})

test("a source without counters has no rate, and what is not derived is not made up", () => {
  assert.equal(deriveSeries("interface.rx_bps", ETHER1, storedOf([])), null)
  const polls = [polledOf({ seconds: 10, octets: 1, uptime: 1 })]
  assert.equal(deriveSeries("interface.tx_bps", ETHER1, storedOf(polls)), null)
  assert.deepEqual(deriveSeries("interface.rx_bps", ETHER1, storedOf(polls))?.value.length, 0)
  assert.equal(storedOf(polls)(DEVICE_ENTITY, metricId("device.uptime_seconds"))?.value[0], 1)
})
