/** History on a real PostgreSQL, as the app role: what is read is what was polled, whatever happened in between. */
import assert from "node:assert/strict"
import { describe, test, type TestContext } from "node:test"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { interfaceKey, type DeviceId, type TenantId } from "#protocol/id.ts"
import { metricId, type MetricName } from "#protocol/metric.ts"
import { NO_POSTGRES, useTestDatabase } from "#engine/storage/database.fixture.ts"
import { pruneChunks } from "#engine/storage/history-table.ts"
import type { HistorySeries } from "#engine/storage/history-read.ts"
import { openHistory, type History, type HistoryLimits } from "#engine/storage/history.ts"
import { openJournal, type Journal } from "#engine/storage/journal.ts"
import { pollOf, routerPolls } from "#engine/storage/polls.fixture.ts"
import { openSnapshots } from "#engine/storage/snapshots.ts"
import { newDevice } from "#engine/storage/history.fixture.ts"
import * as codec from "#engine/tenant/journal-codec.ts"
import { counterRate, SPEED_SLACK } from "#twin/counter.ts"
import type { PollInput } from "#twin/input.ts"

const FROM = 1_780_000_000_000

describe("history", { skip: NO_POSTGRES }, () => {
  const it = useTestDatabase()

  interface Engine {
    readonly journal: Journal
    readonly history: History
    /** Journals the polls, then gives them to history: the order of the runtime. */
    readonly feed: (polls: readonly PollInput[]) => Promise<void>
    readonly close: () => Promise<void>
  }
  const start = async (t: TestContext, tenant: TenantId, limits: Partial<HistoryLimits> = {}): Promise<Engine> => {
    const scope = Scope.makeUnsafe()
    const common = { db: it.db, tenant, log: () => {} }
    const journal = await Effect.runPromise(
      Scope.provide(openJournal({ ...common, dataDir: it.dataDir, codec, holder: "test" }), scope),
    )
    const history = await Effect.runPromise(Scope.provide(openHistory({ ...common, journal, limits }), scope))
    const close = (): Promise<void> => Effect.runPromise(Scope.close(scope, Exit.void))
    t.after(close)
    const feed = async (polls: readonly PollInput[]): Promise<void> => {
      for (const input of polls) {
        const seq = (await journal.lastSeq()) + 1
        await journal.append([{ seq, input }])
        history.append(seq, input)
      }
    }
    return { journal, history, feed, close }
  }
  const ask = async (history: History, device: DeviceId, metric: MetricName, more = {}): Promise<HistorySeries> => {
    const query = {
      device,
      entity: interfaceKey("ether1"),
      metric,
      fromMs: FROM,
      toMs: FROM + 86_400_000,
      pointsMax: 600,
    }
    const series = await history.read({ ...query, ...more })
    assert.ok(series !== null)
    return series
  }
  const stored = (polls: readonly PollInput[], metric: MetricName): ReadonlyArray<readonly [number, number]> =>
    polls.flatMap((poll) => {
      const entity = poll.entities.indexOf(interfaceKey("ether1"))
      const row = poll.metric.findIndex((id, i) => id === metricId(metric) && poll.entity[i] === entity)
      return row < 0 ? [] : [[poll.atMs, poll.value[row]!] as const]
    })
  /** The rate as PRODUCT.md defines it, straight from the polls. */
  const rates = (polls: readonly PollInput[], metric: MetricName, bits: 32 | 64): ReadonlyArray<number | null> => {
    const samples = stored(polls, metric)
    return samples.slice(1).map(([atMs, value], i) => {
      const [prevMs, prev] = samples[i]!
      const rest = { bits, discontinuitySeconds: null, uptimeSeconds: null }
      const rate = counterRate(
        { value: prev, atMs: prevMs, ...rest },
        { value, atMs, ...rest },
        (1e9 / 8) * SPEED_SLACK,
      )
      return rate === null ? null : rate * 8
    })
  }

  test("[U9] a read equals recomputing from the raw polls: stored and derived, sealed and still in memory", async (t) => {
    const tenant = await it.newTenant()
    const device = await newDevice(it, tenant)
    const { history, feed } = await start(t, tenant, { windowPolls: 8 })
    const all = routerPolls({ device, polls: 100, interfaces: 3 })
    await feed(all.slice(0, 99))
    // The 99th poll may just have filled its window.
    const polls = history.status().openWindows > 0 ? all.slice(0, 99) : all
    await feed(polls.slice(99))
    assert.ok(history.status().openWindows > 0 && history.status().storedChunks > 0, "both kinds are read")
    const octets = await ask(history, device, "interface.rx_bytes_total")
    assert.deepEqual(
      octets.atMs.map((atMs, i) => [atMs, octets.avg[i]]),
      stored(polls, "interface.rx_bytes_total"),
    )
    assert.equal(octets.unit, "B")
    assert.equal(octets.source, "snmp")
    const bps = await ask(history, device, "interface.rx_bps")
    assert.deepEqual(bps.avg, rates(polls, "interface.rx_bytes_total", 64))
    assert.deepEqual(
      bps.atMs,
      stored(polls, "interface.rx_bytes_total")
        .slice(1)
        .map(([atMs]) => atMs),
    )
    assert.equal(bps.unit, "bit/s")
    const pct = await ask(history, device, "interface.utilization_pct")
    const tx = rates(polls, "interface.tx_bytes_total", 64)
    assert.deepEqual(
      pct.avg,
      bps.avg.map((rx, i) => (Math.max(rx!, tx[i]!) / 1e9) * 100),
    )
  })

  test("[U9] a rate at the beginning of the range is measured against the sample before it", async (t) => {
    const tenant = await it.newTenant()
    const device = await newDevice(it, tenant)
    const { history, feed } = await start(t, tenant, { windowPolls: 8 })
    const polls = routerPolls({ device, polls: 40, interfaces: 1 })
    await feed(polls)
    const whole = await ask(history, device, "interface.rx_bps")
    const part = await ask(history, device, "interface.rx_bps", { fromMs: polls[20]!.atMs, toMs: polls[30]!.atMs })
    assert.deepEqual(part.avg, whole.avg.slice(19, 30))
  })

  test("[U9] more samples than points become min, average and max of buckets, computed over every sample", async (t) => {
    const tenant = await it.newTenant()
    const device = await newDevice(it, tenant)
    const { history, feed } = await start(t, tenant)
    const polls = routerPolls({ device, polls: 90, interfaces: 1 })
    await feed(polls)
    const range = { fromMs: FROM, toMs: FROM + 90 * 30_000, pointsMax: 9 }
    const series = await ask(history, device, "interface.rx_bps", range)
    assert.ok(series.atMs.length <= 9 && series.bucketMs > 0)
    const samples = stored(polls, "interface.rx_bytes_total")
      .slice(1)
      .map(([atMs]) => atMs)
    const values = rates(polls, "interface.rx_bytes_total", 64)
    for (const [i, start] of series.atMs.entries()) {
      const inside = values.filter((_, j) => samples[j]! >= start && samples[j]! < start + series.bucketMs) as number[]
      // Five minutes of a rate are kept in single precision.
      assert.equal(Math.fround(series.min[i]!), Math.fround(Math.min(...inside)))
      assert.equal(Math.fround(series.max[i]!), Math.fround(Math.max(...inside)))
      assert.ok(Math.abs(series.avg[i]! - inside.reduce((a, b) => a + b) / inside.length) < 1e-6 * series.max[i]!)
    }
  })

  test("[C2] a reboot, a wrap and an outage: no negative rate, no invented traffic, a null where nothing is known", async (t) => {
    const tenant = await it.newTenant()
    const device = await newDevice(it, tenant)
    const { history, feed } = await start(t, tenant)
    const ether1 = interfaceKey("ether1")
    const sample = (s: number, octets: number, uptime: number): PollInput =>
      pollOf(device, "snmp", FROM + s * 1000, [
        ["" as typeof ether1, "device.uptime_seconds", uptime],
        [ether1, "interface.rx_bytes_total", octets],
        [ether1, "interface.counter_bits", 32],
        [ether1, "interface.speed_bps", 1e9],
      ])
    await feed([
      sample(0, 2 ** 32 - 2000, 1000),
      sample(10, 2 ** 32 - 1000, 1010),
      sample(20, 250, 1020), // wrapped: 1250 octets
      sample(30, 500, 1030),
      sample(40, 100, 4), // rebooted
      sample(50, 225, 14),
      sample(300, 1225, 264), // nobody polled for 250 s
      sample(310, 1350, 274),
      sample(320, 1475, 284),
    ])
    const { atMs, avg } = await ask(history, device, "interface.rx_bps")
    assert.deepEqual(
      atMs.map((ms, i) => [(ms - FROM) / 1000, avg[i]]),
      [
        [10, 800],
        [20, 1000],
        [30, 200],
        [40, null],
        [50, 100],
        [175, null],
        [300, 32],
        [310, 100],
        [320, 100],
      ],
    )
  })

  test("[W11] windows that were open at a crash are read back from the journal: nothing missing, nothing twice", async (t) => {
    const tenant = await it.newTenant()
    const devices = [await newDevice(it, tenant), await newDevice(it, tenant)]
    const all = devices.map((device, n) => routerPolls({ device, polls: 60, interfaces: 2, seed: n }))
    for (const [from, to] of [
      [0, 17],
      [17, 18],
      [18, 45],
      [45, 60],
    ] as const) {
      const engine = await start(t, tenant, { windowPolls: 10 })
      for (let i = from; i < to; i++) await engine.feed(all.map((polls) => polls[i]!))
      for (const [n, device] of devices.entries()) {
        const series = await ask(engine.history, device, "interface.tx_bytes_total")
        const expected = stored(all[n]!.slice(0, to), "interface.tx_bytes_total")
        // Live polls wait for the recovery, which may be still running here: what is there is right, and soon all is.
        await engine.history.recovered
        const after = await ask(engine.history, device, "interface.tx_bytes_total")
        assert.deepEqual(
          after.atMs.map((atMs, i) => [atMs, after.avg[i]]),
          expected,
        )
        assert.ok(series.atMs.every((atMs) => after.atMs.includes(atMs)))
      }
      await engine.close()
    }
  })

  test("[W11] retention of the journal keeps what open windows need, and drops the rest", async (t) => {
    const tenant = await it.newTenant()
    const device = await newDevice(it, tenant)
    const all = routerPolls({ device, polls: 51, interfaces: 1 })
    const first = await start(t, tenant, { windowPolls: 20 })
    await first.history.recovered
    await first.feed(all.slice(0, 50))
    // How long a window is depends on the device's id: with some, the 50th poll has just filled one.
    const count = first.history.neededSeq() === null ? 51 : 50
    const polls = all.slice(0, count)
    await first.feed(polls.slice(50))
    const snapshots = openSnapshots(it.db, tenant, first.journal.lease)
    await snapshots.save(count, polls.at(-1)!.atMs, Buffer.from("state"), "0".repeat(16))
    const keepFrom = Math.min((await snapshots.coveredSeq()) + 1, first.history.neededSeq() ?? Infinity)
    const pruned = await first.journal.prune(FROM + 1e9, keepFrom)
    assert.ok(pruned > 0 && pruned < count, `${pruned} of ${count}`)
    await first.close()
    const second = await start(t, tenant, { windowPolls: 20 })
    assert.equal(await second.history.recovered, count - pruned)
    const series = await ask(second.history, device, "interface.rx_bytes_total")
    assert.deepEqual(
      series.avg,
      stored(polls, "interface.rx_bytes_total").map(([, value]) => value),
    )
  })

  test("retention of chunks deletes what is older and nothing else", async (t) => {
    const tenant = await it.newTenant()
    const device = await newDevice(it, tenant)
    const { history, feed } = await start(t, tenant, { windowPolls: 10 })
    const polls = routerPolls({ device, polls: 60, interfaces: 1 })
    await feed(polls)
    await history.flush()
    const chunks = history.status().storedChunks
    const gone = await Effect.runPromise(pruneChunks(it.db, tenant, polls[30]!.atMs))
    assert.ok(gone > 0 && gone < chunks)
    const { atMs } = await ask(history, device, "interface.oper_up")
    assert.deepEqual(atMs, polls.map((poll) => poll.atMs).slice(60 - atMs.length))
    assert.ok(atMs.length >= 30 && atMs.length < 60)
  })

  test("a device that falls silent is sealed by the others' time", async (t) => {
    const tenant = await it.newTenant()
    const [quiet, chatty] = [await newDevice(it, tenant), await newDevice(it, tenant)]
    const { history, feed } = await start(t, tenant, { windowPolls: 1000 })
    await feed(routerPolls({ device: quiet, polls: 3, interfaces: 1 }))
    await feed(routerPolls({ device: chatty, polls: 200, interfaces: 1 }))
    assert.equal(history.status().openWindows, 1)
    assert.ok(history.neededSeq()! > 3, "the quiet device no longer holds the journal")
    assert.equal((await ask(history, quiet, "interface.oper_up")).atMs.length, 3)
  })

  test("[T1] a device of another tenant, an unknown one and an unknown metric are null, not empty charts", async (t) => {
    const [mine, theirs] = [await it.newTenant(), await it.newTenant()]
    const device = await newDevice(it, theirs)
    const other = await start(t, theirs)
    await other.feed(routerPolls({ device, polls: 5, interfaces: 1 }))
    await other.history.flush()
    const { history } = await start(t, mine)
    const query = { entity: "", metric: "device.cpu_pct", fromMs: 0, toMs: FROM * 2, pointsMax: 10 }
    assert.equal(await history.read({ ...query, device }), null)
    assert.equal(await history.read({ ...query, device: "not a uuid" }), null)
    assert.equal(await other.history.read({ ...query, device, metric: "device.mood" }), null)
    const empty = await other.history.read({ ...query, device, metric: "device.voltage_v" })
    assert.deepEqual([empty?.source, empty?.atMs], [null, []])
  })

  test("[C] two collectors of one device are never mixed: the one with more samples is shown", async (t) => {
    const tenant = await it.newTenant()
    const device = await newDevice(it, tenant)
    const { history, feed } = await start(t, tenant)
    await feed(routerPolls({ device, polls: 6, interfaces: 1, source: "snmp", seed: 1 }))
    const more = routerPolls({ device, polls: 12, interfaces: 1, source: "routeros", seed: 2 })
    await feed(more)
    const series = await ask(history, device, "interface.rx_bytes_total")
    assert.equal(series.source, "routeros")
    assert.deepEqual(
      series.avg,
      stored(more, "interface.rx_bytes_total").map(([, value]) => value),
    )
  })

  test("what is stored takes about as much as the codec promises (measured)", async (t) => {
    const tenant = await it.newTenant()
    const { history, feed, journal } = await start(t, tenant)
    for (let n = 0; n < 4; n++) {
      const device = await newDevice(it, tenant)
      await feed(routerPolls({ device, polls: 60, interfaces: 20, seed: n }))
    }
    await history.flush()
    const { storedSamples, storedBytes, storedChunks } = history.status()
    const sizes = await Effect.runPromise(
      it.db.tenant(tenant)((tx) =>
        tx.query<{ chunk: number; journal: number }>(
          `select (select sum(pg_column_size(c.*))::float8 from chunk c) as chunk,
             (select sum(pg_column_size(j.*))::float8 from journal j) as journal`,
        ),
      ),
    )
    const { chunk, journal: log } = sizes.rows[0]!
    t.diagnostic(
      `${storedSamples} samples in ${storedChunks} chunks: ${(storedBytes / storedSamples).toFixed(2)} B/sample packed, ` +
        `${(chunk / storedSamples).toFixed(2)} with row; journal ${(log / storedSamples).toFixed(2)} B/sample ` +
        `(${journal.status().rows} rows in ${journal.status().commits} commits)`,
    )
    assert.ok(chunk / storedSamples < 2.5)
  })
})
