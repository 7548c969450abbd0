import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { deviceId } from "#protocol/id.ts"
import { metricById } from "#protocol/metric.ts"
import { pingReport, REPORT_MS_MAX, REPORT_MS_MIN, reportEveryMs, worthTelling } from "#engine/probes/ping-report.ts"
import type { Told } from "#engine/probes/ping-report.ts"
import { figures, LOSSES_TO_DOWN, NO_PINGS, pinged, WINDOW_PINGS } from "#engine/probes/ping-window.ts"
import type { PingState } from "#engine/probes/ping-window.ts"

const rtt = fc.option(fc.double({ min: 0, max: 2_000, noNaN: true }))
const pings = fc.array(rtt, { maxLength: 80 })
const after = (list: ReadonlyArray<number | null>): PingState => list.reduce(pinged, NO_PINGS)
const close = (a: number | null, b: number): void =>
  assert.ok(Math.abs((a ?? Number.NaN) - b) < 1e-6, `${a} is not ${b}`)

test("[C9] the window is the last 20 pings, however they came", () => {
  fc.assert(
    fc.property(pings, (list) => {
      assert.deepEqual(after(list).window, list.slice(-WINDOW_PINGS))
    }),
  )
})

test("[C9] loss, mean and jitter are what ping computes: avg and mdev by sums, as iputils does", () => {
  fc.assert(
    fc.property(pings, (list) => {
      const window = list.slice(-WINDOW_PINGS)
      const found = figures(window)
      if (window.length === 0) return assert.equal(found, null)
      let sum = 0
      let squares = 0
      let received = 0
      for (const rttMs of window) {
        if (rttMs === null) continue
        received++
        sum += rttMs
        squares += rttMs * rttMs
      }
      close(found?.lossPct ?? null, ((window.length - received) * 100) / window.length)
      if (received === 0) return assert.deepEqual([found?.rttMs, found?.jitterMs], [null, null])
      close(found?.rttMs ?? null, sum / received)
      // Cancellation costs this formula digits that ours keeps.
      const mdev = Math.sqrt(Math.max(0, squares / received - (sum / received) ** 2))
      assert.ok(Math.abs((found?.jitterMs ?? Number.NaN) - mdev) < 1e-3)
    }),
  )
})

test("[C9] figures stay in their ranges: loss 0..100, jitter at most half the spread, mean within it", () => {
  fc.assert(
    fc.property(pings, (list) => {
      const found = figures(list)
      if (found === null) return
      assert.ok(found.lossPct >= 0 && found.lossPct <= 100)
      if (found.rttMs === null || found.jitterMs === null) return assert.equal(found.lossPct, 100)
      const answered = list.filter((rttMs) => rttMs !== null)
      const [least, most] = [Math.min(...answered), Math.max(...answered)]
      assert.ok(found.rttMs >= least - 1e-9 && found.rttMs <= most + 1e-9)
      assert.ok(found.jitterMs >= 0 && found.jitterMs <= (most - least) / 2 + 1e-9)
    }),
  )
})

test("a device is up by one answer and down by three losses in a row, never by fewer", () => {
  fc.assert(
    fc.property(pings, (list) => {
      const { up } = after(list)
      const lastAnswer = list.findLastIndex((rttMs) => rttMs !== null)
      const lostSince = list.length - 1 - lastAnswer
      const expected = lostSince >= LOSSES_TO_DOWN ? false : lastAnswer >= 0 ? true : null
      assert.equal(up, expected)
    }),
  )
})

test("a turn is told at once, the rest once an interval, and nothing before there is a verdict", () => {
  const gap = fc.integer({ min: 1_000, max: 10_000 })
  fc.assert(
    fc.property(
      fc.array(fc.tuple(rtt, gap), { maxLength: 100 }),
      fc.integer({ min: 10_000, max: 60_000 }),
      (list, everyMs) => {
        let [state, told, nowMs]: [PingState, Told | null, number] = [NO_PINGS, null, 0]
        for (const [rttMs, afterMs] of list) {
          nowMs += afterMs
          state = pinged(state, rttMs)
          const next = worthTelling(state, told, nowMs, everyMs)
          const isDue: boolean = told === null || told.up !== state.up || nowMs - told.atMs >= everyMs - 500
          assert.equal(next !== null, state.up !== null && isDue)
          told = next ?? told
        }
      },
    ),
  )
  const state = after([1])
  assert.equal(worthTelling(state, { up: true, atMs: 1_000 }, 2_000, 10_000), null)
  assert.notEqual(worthTelling(state, { up: true, atMs: 1_000_000 }, 2_000, 10_000), null, "the clock was set back")
})

test("reports are as frequent as polls, but never rarer than the twin's patience nor denser than ten seconds", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 3_600 }),
      fc.constantFrom(1, 2, 5, 10, 20, 30, 60),
      (pollSeconds, seconds) => {
        const everyMs = reportEveryMs(pollSeconds, seconds * 1_000)
        assert.ok(everyMs >= REPORT_MS_MIN && everyMs <= REPORT_MS_MAX && everyMs >= seconds * 1_000)
      },
    ),
  )
  assert.deepEqual(
    [reportEveryMs(30, 2_000), reportEveryMs(5, 2_000), reportEveryMs(300, 2_000)],
    [30_000, 10_000, 60_000],
  )
})

test("a report has rows of the device for what was measured, and none for what was not", () => {
  const rows = (list: ReadonlyArray<number | null>) => {
    const report = pingReport(deviceId("d"), after(list), 990, 1_000)
    assert.deepEqual(
      [report.source, report.entities, [...report.entity].every((index) => index === 0)],
      ["probe", [""], true],
    )
    return Object.fromEntries([...report.metric].map((id, row) => [metricById(id)?.name, report.value[row]]))
  }
  assert.deepEqual(rows([1, 3, null, 2]), {
    "device.up": 1,
    "probe.ping.loss_pct": 25,
    "probe.ping.rtt_ms": 2,
    "probe.ping.jitter_ms": Math.sqrt(2 / 3),
  })
  assert.deepEqual(rows([null, null, null]), { "device.up": 0, "probe.ping.loss_pct": 100 })
})
