import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import { readPhrase } from "#protocol/phrase.ts"
import { unpackStored, packStored } from "#protocol/codec.ts"
import { poll } from "#twin/inventory.fixture.ts"
import { level, RX_BPS } from "#twin/interface.ts"
import { alone, at } from "#twin/network.fixture.ts"
import type { Network } from "#twin/network.fixture.ts"
import { paceAfter } from "#twin/pace.ts"
import type { Pace, Uptime } from "#twin/pace.ts"
import { restoreTwin, snapshotTwin } from "#twin/snapshot.ts"
import { originEstimated } from "#twin/source.ts"

/** What is known after these answers, each so many seconds of ours and of the device after the one before. */
const after = (steps: ReadonlyArray<readonly [ours: number, own: number]>, before?: Pace): Pace => {
  let now: Uptime = before?.last ?? { atMs: 1_000_000, seconds: 50_000 }
  let pace = paceAfter(before, now)
  for (const [ours, own] of steps) {
    now = { atMs: now.atMs + 1000 * ours, seconds: own < 0 ? -own : now.seconds + own }
    pace = paceAfter(pace, now)
  }
  return pace
}
const times = (count: number, ours: number, own: number) => Array.from({ length: count }, () => [ours, own] as const)

describe("how fast an uptime runs", () => {
  test("half of time, twice as fast, or not at all is known after five polls and a minute", () => {
    assert.equal(after(times(4, 30, 15)).ratio, 1)
    assert.equal(after(times(5, 30, 15)).ratio, 0.5)
    assert.equal(after(times(5, 30, 60)).ratio, 2)
    assert.equal(after(times(5, 30, 0)).ratio, 0)
    assert.equal(after(times(5, 10, 5)).ratio, 1, "fifty seconds only")
    assert.equal(after(times(7, 10, 5)).ratio, 0.5)
  })

  test("a silence of minutes in between hides nothing", () => {
    assert.equal(after([...times(2, 30, 15), [240, 120], ...times(4, 30, 15)]).ratio, 0.5)
    // All of it in one interval: somebody set a clock.
    assert.equal(after([...times(2, 30, 30), [240, 120], ...times(4, 30, 30)]).ratio, 1)
  })

  test("a restart does not make it forget, and an uptime that is well again is found well", () => {
    const slow = after(times(6, 30, 15))
    const started = after([[30, -2]], slow)
    assert.deepEqual([started.ratio, started.polls], [0.5, 0])
    assert.equal(after(times(3, 30, 30), started).ratio, 0.5)
    assert.equal(after(times(6, 30, 30), started).ratio, 1)
  })

  test("a young device that is slow is none that restarted, once that is known", () => {
    // After a minute it has counted six seconds.
    const slow = after(times(6, 60, 6))
    assert.equal(
      after(
        [
          [60, -3],
          [60, 6],
          [60, 6],
        ],
        slow,
      ).polls,
      2,
    )
  })

  const jitter = fc.double({ min: 0, max: 2.4, noNaN: true })
  const interval = fc.integer({ min: 10, max: 300 })

  test("property: an uptime that runs with time is never found off, whatever polls last and clocks are set to", () => {
    const step = fc.record({
      late: jitter,
      // A clock that was set while nobody ran, forward or back: seldom.
      set: fc.oneof(
        { weight: 6, arbitrary: fc.constant(0) },
        { weight: 1, arbitrary: fc.integer({ min: -400, max: 4_000 }) },
      ),
      restart: fc.integer({ min: 0, max: 12 }).map((it) => it === 0),
    })
    fc.assert(
      fc.property(interval, fc.boolean(), fc.array(step, { minLength: 1, maxLength: 60 }), (seconds, whole, steps) => {
        let [clock, boot, now] = [1e6, -9_000, 0]
        let pace = paceAfter(undefined, { atMs: 1000 * clock, seconds: 9_000 })
        for (const { late, set, restart } of steps) {
          now += seconds
          // Our time never goes back: a clock that is set back stands still.
          clock += Math.max(0.5, seconds + set)
          if (restart) boot = now - 1
          const uptime = now - boot
          const told = whole ? Math.floor(uptime) : Math.floor(100 * uptime) / 100
          pace = paceAfter(pace, { atMs: Math.round(1000 * (clock + late)), seconds: told })
          assert.equal(pace.ratio, 1)
        }
      }),
      { numRuns: 500 },
    )
  })

  test("property: one that does not is found off within five polls or the time that jitter needs, and by how much", () => {
    const off = fc.oneof(fc.double({ min: 0, max: 0.9, noNaN: true }), fc.double({ min: 1.12, max: 4, noNaN: true }))
    fc.assert(
      fc.property(interval, off, fc.array(jitter, { minLength: 60, maxLength: 60 }), (seconds, speed, lates) => {
        let pace: Pace | undefined
        let found = -1
        for (const [i, late] of lates.entries()) {
          const uptime = Math.floor(20_000 + i * seconds * speed)
          pace = paceAfter(pace, { atMs: Math.round(1000 * (1e6 + i * seconds + late)), seconds: uptime })
          if (pace.ratio !== 1 && found < 0) found = i
        }
        const gap = Math.abs(speed - 1)
        const most = Math.max(1, speed)
        // A minute; until jitter is less than what it is off by; and until one interval is less than a third of that.
        const needed = Math.max(60, (8.5 * most) / (gap - 0.05), 3 * seconds + (3 * 6.5) / gap)
        assert.ok(
          found >= 5 && (found - 1) * seconds <= Math.max(4 * seconds, needed),
          `${found} of ${needed / seconds}`,
        )
        assert.ok(Math.abs(pace!.ratio - speed) < 0.02 * most, `${pace!.ratio}`)
      }),
    )
  })
})

const OCTETS_PER_SECOND = 125_000
const WORD = /^its uptime, as snmp tells it, runs at (\d+) % of time: rates go by our clock, as estimates$/

/** Polls every `seconds` a device whose uptime runs at `speed`; the truth is 1 Mbit/s. */
const polledAt = (net: Network, second: number, uptime: number): void => {
  const values = { "interface.rx_bytes_total": second * OCTETS_PER_SECOND, "interface.counter_bits": 64 }
  net.apply(poll("r1", at(second), { "": { "device.uptime_seconds": uptime }, "if:ether1": values }))
}
const rate = (net: Network): number | null => level(net.cells.routers.state(0).interfaces, 0, RX_BPS)

describe("[W9] a device whose uptime does not run with time", () => {
  test("has no rates while nobody knows, then rates that are marked, and a word for the operator; until it is well", () => {
    const net = alone()
    let [second, uptime] = [10, 90_000]
    const next = (own: number): void => polledAt(net, (second += 30), (uptime += own))
    polledAt(net, second, uptime)
    next(30)
    assert.equal(rate(net), 1e6)
    assert.deepEqual(net.device("r1").reasons, [])
    for (let i = 0; i < 8; i++) next(12)
    assert.equal(rate(net), 1e6)
    const [reason = ""] = net.device("r1").reasons
    assert.equal(WORD.exec(reason)?.[1], "40")
    assert.equal(readPhrase(reason)?.code, "health.pace")
    assert.equal(net.shown(0).health, "ok")
    assert.equal(isEstimated(net), true)
    const { world, states } = restoreTwin(unpackStored(packStored(snapshotTwin(net.world, net.cells))))
    assert.equal(world.seq, net.world.seq)
    assert.equal(states.routers[0]?.sources[0]?.pace?.ratio.toFixed(1), "0.4")
    uptime = 3
    polledAt(net, (second += 30), uptime)
    for (let i = 0; i < 8; i++) next(30)
    assert.deepEqual(net.device("r1").reasons, [])
    assert.equal(rate(net), 1e6)
    assert.equal(isEstimated(net), false)
  })

  test("a clock that is set while nobody ran makes no traffic of it either", () => {
    const net = alone()
    for (let i = 0; i < 10; i++) polledAt(net, 10 + 30 * i, 90_000 + 15 * i)
    // Two minutes in truth, two seconds of ours: its own minute counts twice.
    const before = 9 * 30 + 10
    net.apply(
      poll("r1", at(before + 2), {
        "": { "device.uptime_seconds": 90_000 + 15 * 9 + 60 },
        "if:ether1": { "interface.rx_bytes_total": (before + 120) * OCTETS_PER_SECOND, "interface.counter_bits": 64 },
      }),
    )
    assert.ok(Math.abs((rate(net) ?? 0) / 1e6 - 1) < 0.1, `${rate(net)}`)
  })

  test("property: after its first minutes every rate is within a few percent of the truth, and most polls have one", () => {
    const speed = fc.oneof(fc.double({ min: 0, max: 0.97, noNaN: true }), fc.double({ min: 1.03, max: 4, noNaN: true }))
    const seconds = fc.constantFrom(10, 15, 30, 60, 300)
    fc.assert(
      fc.property(speed, seconds, fc.boolean(), (runs, every, whole) => {
        const net = alone()
        for (let i = 0; i < 60; i++) {
          const uptime = 90_000 + runs * i * every
          polledAt(net, 10 + i * every, whole ? Math.floor(uptime) : Math.floor(100 * uptime) / 100)
          if (i * every < 300 || i < 8) continue
          const bps = rate(net)
          assert.ok(bps !== null && Math.abs(bps / 1e6 - 1) < 0.05, `${bps} at ${i}`)
        }
      }),
      { numRuns: 60 },
    )
  })
})

const isEstimated = (net: Network): boolean => {
  const { levels } = net.cells.routers.state(0).interfaces
  return originEstimated(levels.origin[RX_BPS] as number)
}
