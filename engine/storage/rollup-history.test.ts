/** Rollups through the whole path, on a real PostgreSQL: polls in, rows and charts out, equal to a recomputation from raw. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import * as Effect from "effect/Effect"
import { Client } from "pg"
import { NO_POSTGRES, useTestDatabase } from "#engine/storage/database.fixture.ts"
import { RATE_PAUSE_MAX_MS } from "#engine/storage/derive.ts"
import { newDevice, startHistory } from "#engine/storage/history.fixture.ts"
import { pollOf, routerPolls } from "#engine/storage/polls.fixture.ts"
import { openRollups } from "#engine/storage/rollup-codec.ts"
import { readRollups } from "#engine/storage/rollup-table.ts"
import {
  bucketAt,
  DAY_MS,
  FIVE_MINUTES,
  floorTo,
  HOUR_MS,
  ONE_DAY,
  ONE_HOUR,
  ONE_MINUTE,
  P95,
  p95Bucket,
  SEVEN_DAYS,
  THIRTY_DAYS,
  type Resolution,
} from "#engine/storage/rollup.ts"
import { rankOf } from "#engine/storage/sketch.ts"
import { DEVICE_ENTITY, interfaceKey, type DeviceId, type EntityKey, type TenantId } from "#protocol/id.ts"
import { metricId, type MetricName } from "#protocol/metric.ts"
import { counterRate } from "#twin/counter.ts"
import type { PollInput } from "#twin/input.ts"

/** A Monday, and a multiple of 30 days since 1970 after that: both larger buckets end within the test. */
const FROM = floorTo(1_780_000_000_000, 30 * DAY_MS)
const ETHER1 = interfaceKey("ether1")

describe("rollups of the history", { skip: NO_POSTGRES }, () => {
  const it = useTestDatabase()

  interface Stored {
    readonly count: number
    readonly min: number
    readonly max: number
    readonly avg: number
    readonly p95: number
  }
  const stored = async (
    tenant: TenantId,
    device: DeviceId,
    resolution: Resolution,
    entity: EntityKey,
    metric: MetricName,
  ): Promise<Map<number, Stored>> => {
    const asked = { device, source: null, resolution, fromMs: 0, toMs: FROM * 2, entity, sketches: true }
    const out = new Map<number, Stored>()
    for (const row of await Effect.runPromise(readRollups(it.db, tenant, asked))) {
      const buckets = openRollups(row).get(entity)?.get(metricId(metric))
      if (buckets === undefined) continue
      for (let i = 0; i < resolution.perRow; i++) {
        const bucket = bucketAt(buckets, i)
        if (bucket.count === 0) continue
        const p95 = buckets.p95?.[i] ?? p95Bucket(bucket)
        out.set(row.t0 + i * resolution.ms, { ...bucket, avg: bucket.sum / bucket.count, p95 })
      }
    }
    return out
  }

  /** Of what was polled, by the definitions and nothing of the code under test: of equal times the last poll counts. */
  const samplesOf = (polls: readonly PollInput[], entity: EntityKey, metric: MetricName): Array<[number, number]> => {
    const byTime = new Map<number, number>()
    for (const poll of polls) {
      const row = poll.metric.findIndex((id, i) => id === metricId(metric) && poll.entities[poll.entity[i]!] === entity)
      if (row >= 0) byTime.set(poll.atMs, poll.value[row]!)
    }
    return [...byTime].toSorted(([a], [b]) => a - b)
  }
  const ratesOf = (polls: readonly PollInput[]): Array<[number, number]> => {
    const counter = samplesOf(polls, ETHER1, "interface.rx_bytes_total")
    const uptime = new Map(samplesOf(polls, DEVICE_ENTITY, "device.uptime_seconds"))
    return counter.slice(1).flatMap(([atMs, value], i) => {
      const [beforeMs, before] = counter[i]!
      const sample = (at: number, it: number) => ({
        value: it,
        atMs: at,
        bits: 64 as const,
        discontinuitySeconds: null,
        uptimeSeconds: uptime.get(at) ?? null,
      })
      if (atMs - beforeMs > RATE_PAUSE_MAX_MS) return []
      const rate = counterRate(sample(beforeMs, before), sample(atMs, value), null)
      return rate === null ? [] : [[atMs, rate * 8] as [number, number]]
    })
  }
  const recomputed = (samples: ReadonlyArray<readonly [number, number]>, ms: number): Map<number, number[]> => {
    const out = new Map<number, number[]>()
    for (const [atMs, value] of samples) {
      const at = floorTo(atMs, ms)
      out.set(at, [...(out.get(at) ?? []), value])
    }
    return out
  }

  /** Rows of many buckets keep rates in single precision. */
  const assertEqual = (
    got: Map<number, Stored>,
    wanted: Map<number, number[]>,
    single: boolean,
    what: string,
  ): void => {
    assert.deepEqual(
      [...got.keys()],
      [...wanted.keys()].toSorted((a, b) => a - b),
      `${what}: buckets`,
    )
    const rounded = single ? 2 ** -23 : 1e-12
    const near = (a: number, b: number, share: number, name: string, at: number): void =>
      assert.ok(Math.abs(a - b) <= share * Math.abs(b) + 1e-9, `${what} at ${at}: ${name} ${a}, not ${b}`)
    for (const [at, { count, min, max, avg, p95 }] of got) {
      const values = wanted.get(at)!.toSorted((a, b) => a - b)
      assert.equal(count, values.length, `${what} at ${at}: count`)
      near(min, values[0]!, single ? rounded : 0, "min", at)
      near(max, values.at(-1)!, single ? rounded : 0, "max", at)
      near(avg, values.reduce((a, b) => a + b) / values.length, rounded, "avg", at)
      near(p95, values[rankOf(P95, values.length) - 1]!, 0.01 + rounded, "p95", at)
    }
  }

  const poll = (device: DeviceId, atMs: number, octets: number, cpu: number, uptime: number): PollInput =>
    pollOf(device, "snmp", atMs, [
      [DEVICE_ENTITY, "device.uptime_seconds", uptime],
      [DEVICE_ENTITY, "device.cpu_pct", cpu],
      [ETHER1, "interface.rx_bytes_total", octets],
      [ETHER1, "interface.counter_bits", 64],
      [ETHER1, "interface.oper_up", 1],
    ])

  test("[W9] property: gaps, late and duplicate polls, counter resets, restarts and set clocks: rollups = recomputation from raw", async (t) => {
    const seen = { late: 0, twice: 0, gaps: 0, resets: 0, restarts: 0, sets: 0 }
    const step = fc.record({
      seconds: fc.integer({ min: 5, max: 90 }),
      gap: fc.integer({ min: 0, max: 60 }).map((it) => (it === 0 ? 2 : it === 1 ? 0.4 : 0)),
      octets: fc.integer({ min: 0, max: 4e9 }),
      cpu: fc.integer({ min: 0, max: 100 }),
      late: fc.integer({ min: 0, max: 15 }).map((it) => it === 0),
      lateBy: fc.integer({ min: 1, max: 3600 }),
      twice: fc.integer({ min: 0, max: 15 }).map((it) => it === 0),
      reset: fc.integer({ min: 0, max: 60 }).map((it) => it === 0),
      restart: fc.integer({ min: 0, max: 120 }).map((it) => it === 0),
      /** Seconds that our clock was set back (+) or forward (-) by: the device's own time went on. */
      set: fc.integer({ min: 0, max: 40 }).map((it) => (it === 0 ? 300 : it === 1 ? -300 : 0)),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 100, maxLength: 400 }), async (steps) => {
        const tenant = await it.newTenant()
        const device = await newDevice(it, tenant)
        let engine = await startHistory(t, it, tenant, { windowPolls: 12 })
        const polls: PollInput[] = []
        let unfed: PollInput[] = []
        const feed = async (): Promise<void> => {
          if (unfed.length > 0) await engine.feed(unfed)
          unfed = []
        }
        const held: PollInput[] = []
        let [atMs, octets, bootMs] = [FROM + 20 * HOUR_MS, 1e9, FROM]
        for (const { seconds, gap, octets: more, cpu, late, lateBy, twice, reset, restart, set } of steps) {
          atMs += seconds * 1000 + gap * HOUR_MS
          if (gap > 0) seen.gaps++
          octets = reset ? 0 : octets + more
          if (reset) [bootMs] = [atMs - 1000, seen.resets++]
          else if (set !== 0 && bootMs - set * 1000 < atMs - 1000) [bootMs] = [bootMs - set * 1000, seen.sets++]
          const now = poll(device, atMs, octets, cpu, (atMs - bootMs) / 1000)
          if (late) held.push(now)
          else {
            polls.push(now)
            unfed.push(now)
          }
          for (const [i, one] of held.entries()) {
            if (atMs - one.atMs < lateBy * 1000) continue
            seen.late++
            held.splice(i, 1)
            polls.push(one)
            unfed.push(one)
            break
          }
          if (twice && polls.length > 3) {
            seen.twice++
            const again = polls.at(-3)!
            unfed.push(again)
          }
          if (unfed.length >= 20 || restart) await feed()
          if (!restart) continue
          // As kill -9 does: nothing is flushed, what is not stored is in the journal only.
          seen.restarts++
          await engine.close()
          engine = await startHistory(t, it, tenant, { windowPolls: 12 })
          await engine.history.recovered
        }
        await feed()
        // Somebody else is polled until the last bucket of 30 days is over.
        const other = await newDevice(it, tenant)
        const last = floorTo(atMs, HOUR_MS) + 2 * HOUR_MS - FROM
        for (const after of [last, last + DAY_MS, 31 * DAY_MS, 31 * DAY_MS + 60_000]) {
          await engine.history.flush()
          await engine.feed([poll(other, FROM + after, 1, 1, 1)])
        }
        await engine.history.flush()
        for (const resolution of [FIVE_MINUTES, ONE_HOUR, ONE_DAY, SEVEN_DAYS, THIRTY_DAYS]) {
          const what = `${resolution.ms / 60_000} min`
          const got = (entity: EntityKey, metric: MetricName): Promise<Map<number, Stored>> =>
            stored(tenant, device, resolution, entity, metric)
          const cpu = samplesOf(polls, DEVICE_ENTITY, "device.cpu_pct")
          assertEqual(await got(DEVICE_ENTITY, "device.cpu_pct"), recomputed(cpu, resolution.ms), false, `cpu ${what}`)
          assertEqual(
            await got(ETHER1, "interface.rx_bps"),
            recomputed(ratesOf(polls), resolution.ms),
            !resolution.sketched,
            `rate ${what}`,
          )
        }
        await engine.close()
      }),
      // A smaller case would cost hundreds of runs against the database: the seed tells enough.
      { numRuns: 4, endOnFailure: true },
    )
    t.diagnostic(JSON.stringify(seen))
    for (const [what, times] of Object.entries(seen)) assert.ok(times > 0, `never: ${what}`)
  })

  test("[W9] of a device that fell silent in the last hour of a day, week and month end like any other", async (t) => {
    const tenant = await it.newTenant()
    const [silent, other] = [await newDevice(it, tenant), await newDevice(it, tenant)]
    const { history, feed } = await startHistory(t, it, tenant)
    await feed([poll(silent, FROM + 23.5 * HOUR_MS, 1, 42, 1)])
    // What others are polled lets its hour end, then one empty day after the other, as in months of service.
    for (let day = 1; day <= 31; day++) {
      await history.flush()
      await feed([poll(other, FROM + day * DAY_MS + HOUR_MS, 1, 1, 1)])
    }
    await history.flush()
    for (const resolution of [ONE_DAY, SEVEN_DAYS, THIRTY_DAYS]) {
      const got = await stored(tenant, silent, resolution, DEVICE_ENTITY, "device.cpu_pct")
      assert.deepEqual(
        [...got].map(([at, { count, max }]) => [at, count, max]),
        [[FROM, 1, 42]],
        `${resolution.ms}`,
      )
    }
  })

  test("[W9] single minutes are stored of a device that is polled often, and of no other", async (t) => {
    const tenant = await it.newTenant()
    const [often, seldom] = [await newDevice(it, tenant), await newDevice(it, tenant)]
    const { history, feed } = await startHistory(t, it, tenant)
    const dense = routerPolls({ device: often, polls: 1_000, interfaces: 1, fromMs: FROM, everyMs: 5_000 })
    await feed(dense)
    await feed(routerPolls({ device: seldom, polls: 170, interfaces: 1, fromMs: FROM, everyMs: 30_000 }))
    await history.flush()
    const hour = dense.filter(({ atMs }) => atMs < FROM + HOUR_MS)
    const got = await stored(tenant, often, ONE_MINUTE, DEVICE_ENTITY, "device.cpu_pct")
    assertEqual(got, recomputed(samplesOf(hour, DEVICE_ENTITY, "device.cpu_pct"), 60_000), false, "cpu of minutes")
    assert.equal((await stored(tenant, seldom, ONE_MINUTE, DEVICE_ENTITY, "device.cpu_pct")).size, 0)
    assert.equal((await stored(tenant, seldom, FIVE_MINUTES, DEVICE_ENTITY, "device.cpu_pct")).size, 12)
  })

  test("[W9] chunks and the rollups that they make due are stored together or not at all", async (t) => {
    const tenant = await it.newTenant()
    const device = await newDevice(it, tenant)
    const { history, feed } = await startHistory(t, it, tenant)
    const polls = routerPolls({ device, polls: 140, interfaces: 1, fromMs: FROM })
    await feed(polls.slice(0, 100))
    await history.flush()
    const counts = async (): Promise<readonly [chunks: number, rollups: number]> => {
      const { rows } = await Effect.runPromise(
        it.db.tenant(tenant)((tx) =>
          tx.query<{ chunks: number; rollups: number }>(
            "select (select count(*)::int from chunk) as chunks, (select count(*)::int from rollup) as rollups",
          ),
        ),
      )
      return [rows[0]!.chunks, rows[0]!.rollups]
    }
    const [before, none] = await counts()
    assert.ok(before > 0 && none === 0, "the hour is not over")
    const owner = new Client({ connectionString: it.database.ownerUrl })
    owner.on("error", () => {})
    await owner.connect()
    // A rollup is refused: so is the chunk that comes with it, until both go.
    await owner.query(`alter table rollup add constraint refused check (device_id <> '${device}')`)
    await feed(polls.slice(100))
    const flushed = history.flush()
    await assert.rejects(
      Promise.race([flushed, new Promise((_, no) => setTimeout(no, 600, new Error("waits")))]),
      /waits/,
    )
    assert.deepEqual(await counts(), [before, 0])
    await owner.query("alter table rollup drop constraint refused")
    await owner.end()
    await flushed
    const [chunks, rollups] = await counts()
    assert.ok(chunks > before && rollups === 2, `${chunks} chunks, ${rollups} rollups`)
  })
})
