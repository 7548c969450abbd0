/** Charts out of rollups, samples and memory together: every bucket is what all samples of its time say. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import * as Effect from "effect/Effect"
import { NO_POSTGRES, useTestDatabase } from "#engine/storage/database.fixture.ts"
import { gridOf } from "#engine/storage/history-cells.ts"
import type { HistoryQuery } from "#engine/storage/history-read.ts"
import { newDevice, startHistory } from "#engine/storage/history.fixture.ts"
import { pollOf } from "#engine/storage/polls.fixture.ts"
import { DAY_MS, FIVE_MINUTES, floorTo, HOUR_MS, ONE_DAY, ONE_HOUR, P95 } from "#engine/storage/rollup.ts"
import { rankOf } from "#engine/storage/sketch.ts"
import { DEVICE_ENTITY, type DeviceId } from "#protocol/id.ts"
import type { PollInput } from "#twin/input.ts"

const FROM = floorTo(1_780_000_000_000, DAY_MS)
const MINUTE_MS = 60_000

test("[U9] a grid never has more buckets than points, whatever the range", () => {
  for (const [resolution, days] of [
    [FIVE_MINUTES, 1],
    [FIVE_MINUTES, 8],
    [ONE_HOUR, 30],
    [ONE_DAY, 365],
  ] as const) {
    for (const points of [600, 599, 37]) {
      for (const shift of [0, 1, 1_234_567]) {
        const [from, to] = [FROM + shift, FROM + shift + days * DAY_MS]
        const { bucketMs } = gridOf(resolution, from, to, points)
        assert.ok(Math.floor(to / bucketMs) - Math.floor(from / bucketMs) + 1 <= points)
        assert.equal(bucketMs % resolution.ms, 0)
      }
    }
  }
})

describe("charts", { skip: NO_POSTGRES }, () => {
  const it = useTestDatabase()

  /** A level that wanders, never the same twice: once a minute but for a pause on the first evening. */
  const polls = (device: DeviceId, hours: number): readonly PollInput[] =>
    Array.from({ length: hours * 60 }, (_, i) => i)
      .filter((i) => i < 1_200 || i >= 1_320)
      .map((i) =>
        pollOf(device, "snmp", FROM + i * MINUTE_MS + 7, [
          [DEVICE_ENTITY, "device.cpu_pct", (100 + ((i * 7919) % 9_973)) / 100],
          [DEVICE_ENTITY, "interface.rx_bytes_total", i],
        ]),
      )
  const values = (all: readonly PollInput[]) => all.map((poll) => [poll.atMs, poll.value[0]!] as const)

  const assertChart = async (
    read: (query: HistoryQuery) => Promise<unknown>,
    all: readonly PollInput[],
    query: HistoryQuery,
    coarsest: number,
  ): Promise<number> => {
    const chart = (await read(query)) as {
      bucketMs: number
      atMs: number[]
      min: Array<number | null>
      avg: Array<number | null>
      max: Array<number | null>
      p95?: Array<number | null>
      source: string
    }
    assert.ok(chart.atMs.length <= query.pointsMax && chart.bucketMs % coarsest === 0, `${chart.bucketMs}`)
    assert.equal(chart.source, "snmp")
    const wanted = new Map<number, number[]>()
    for (const [atMs, value] of values(all)) {
      if (atMs < floorTo(query.fromMs, chart.bucketMs) || atMs > query.toMs) continue
      const at = floorTo(atMs, chart.bucketMs)
      wanted.set(at, [...(wanted.get(at) ?? []), value])
    }
    const shown = chart.atMs.filter((_, i) => chart.avg[i] !== null)
    assert.deepEqual(
      shown,
      [...wanted.keys()].filter((at) => at + chart.bucketMs > query.fromMs),
    )
    for (const [i, at] of chart.atMs.entries()) {
      const inside = wanted.get(at)?.toSorted((a, b) => a - b)
      if (chart.avg[i] === null) {
        assert.equal(inside, undefined)
        continue
      }
      assert.ok(inside !== undefined)
      assert.equal(chart.min[i], inside[0])
      assert.equal(chart.max[i], inside.at(-1))
      assert.ok(Math.abs(chart.avg[i]! - inside.reduce((a, b) => a + b) / inside.length) < 1e-9)
      if (query.stat !== "p95") continue
      const exact = inside[rankOf(P95, inside.length) - 1]!
      assert.ok(Math.abs(chart.p95![i]! - exact) <= 0.0101 * exact, `p95 at ${at}: ${chart.p95![i]}, not ${exact}`)
    }
    return chart.atMs.length
  }

  test("[U9] [W9] a day and three days: rollups, the hour that is not over, and windows in memory make one chart", async (t) => {
    const tenant = await it.newTenant()
    const device = await newDevice(it, tenant)
    const { history, feed } = await startHistory(t, it, tenant)
    const all = polls(device, 74)
    for (let i = 0; i < all.length - 40; i += 200) await feed(all.slice(i, Math.min(i + 200, all.length - 40)))
    await history.flush()
    await feed(all.slice(-40))
    assert.ok(history.status().openWindows > 0)
    const query = { device, entity: "", metric: "device.cpu_pct", pointsMax: 600 }
    const endMs = FROM + 74 * HOUR_MS
    // With windows in memory, and again when all of them are stored.
    for (let round = 0; round < 2; round++) {
      for (const stat of [undefined, "p95"] as const) {
        const more = stat === undefined ? {} : { stat }
        const day = { ...query, ...more, fromMs: endMs - DAY_MS, toMs: endMs }
        await assertChart(history.read, all, day, 5 * MINUTE_MS)
        await assertChart(history.read, all, { ...query, ...more, fromMs: FROM, toMs: endMs }, 5 * MINUTE_MS)
        await assertChart(history.read, all, { ...query, ...more, fromMs: FROM, toMs: endMs, pointsMax: 60 }, HOUR_MS)
      }
      await history.flush()
    }
    const gap = await history.read({ ...query, fromMs: FROM, toMs: endMs })
    const nulls = gap!.atMs.filter((_, i) => gap!.avg[i] === null)
    assert.equal(nulls.length, 1)
    assert.ok(nulls[0]! > FROM + 20 * HOUR_MS - gap!.bucketMs && nulls[0]! < FROM + 22 * HOUR_MS)
  })

  test("[W9] a late poll shows at once, while it is in memory only, and the same when it is rolled up", async (t) => {
    const tenant = await it.newTenant()
    const device = await newDevice(it, tenant)
    const { history, feed } = await startHistory(t, it, tenant)
    const all = [...polls(device, 26)]
    const [late] = all.splice(24 * 60 - 400, 1)
    for (let i = 0; i < all.length; i += 200) await feed(all.slice(i, i + 200))
    await history.flush()
    const query = {
      device,
      entity: "",
      metric: "device.cpu_pct",
      fromMs: FROM,
      toMs: FROM + 26 * HOUR_MS,
      pointsMax: 600,
    }
    await assertChart(history.read, all, query, 5 * MINUTE_MS)
    await feed([late!])
    const whole = [...all, late!].toSorted((a, b) => a.atMs - b.atMs)
    await assertChart(history.read, whole, query, 5 * MINUTE_MS)
    await history.flush()
    await assertChart(history.read, whole, query, 5 * MINUTE_MS)
  })

  test("rollups outlive their samples, hours outlive minutes, and what was never rolled up is still drawn", async (t) => {
    const tenant = await it.newTenant()
    const device = await newDevice(it, tenant)
    const { history, feed } = await startHistory(t, it, tenant)
    const all = polls(device, 74)
    for (let i = 0; i < all.length; i += 200) await feed(all.slice(i, i + 200))
    await history.flush()
    const sql = (text: string, ...values: unknown[]) =>
      Effect.runPromise(it.db.tenant(tenant)((tx) => tx.query(text, values)))
    const query = {
      device,
      entity: "",
      metric: "device.cpu_pct",
      fromMs: FROM,
      toMs: FROM + 74 * HOUR_MS,
      pointsMax: 600,
    }
    const read = () => history.read(query)
    const before = await read()
    await sql("delete from chunk where t0 < $1", FROM + 48 * HOUR_MS)
    assert.deepEqual(await read(), before)
    await sql("delete from rollup where res = 300 and t0 < $1", FROM + 24 * HOUR_MS)
    const hours = await read()
    const first = hours!.atMs.findIndex((at) => at >= FROM + 24 * HOUR_MS)
    assert.ok(first >= 20 && first <= 26, `${first} points of the first day`)
    await sql("delete from rollup where t0 < $1", FROM + 60 * HOUR_MS)
    const samples = await read()
    assert.deepEqual(
      samples!.atMs.filter((at) => at > FROM + 61 * HOUR_MS),
      before!.atMs.filter((at) => at > FROM + 61 * HOUR_MS),
    )
    assert.ok(samples!.atMs[0]! < FROM + 49 * HOUR_MS, "chunks of before there were rollups")
  })
})
