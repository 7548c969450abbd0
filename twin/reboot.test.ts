import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import { unpackStored, packStored } from "#protocol/codec.ts"
import { poll, T0, trap } from "#twin/inventory.fixture.ts"
import { alone, at, TWO, types } from "#twin/network.fixture.ts"
import type { Network } from "#twin/network.fixture.ts"
import { restoreTwin, snapshotTwin } from "#twin/snapshot.ts"

const REBOOTED = "device.rebooted null>null"

/** A live twin hears something every second; here every five. */
const watched = (net: Network, toSeconds: number): void => {
  for (let ms = net.world.atMs + 5_000; ms < at(toSeconds); ms += 5_000) net.apply({ kind: "tick", atMs: ms })
}
const polledAt = (net: Network, seconds: number, uptime: number, source: "snmp" | "routeros" = "snmp"): string[] =>
  types(net.apply(poll("r1", at(seconds), { "": { "device.uptime_seconds": uptime } }, { source })))
const starts = (net: Network, seconds: number): string[] =>
  types(net.apply(trap("r1", at(seconds), { trap: "coldStart" })))

describe("[W10] restarts and a clock that was set while nobody ran", () => {
  test("a pause is time that nobody saw; what was heard all along is not", () => {
    const net = alone()
    watched(net, 100)
    assert.equal(net.world.unseenMs, 0)
    net.apply({ kind: "tick", atMs: at(200) })
    assert.equal(net.world.unseenMs, at(200) - at(95))
    const { world } = restoreTwin(unpackStored(packStored(snapshotTwin(net.world, net.cells))))
    assert.equal(world.unseenMs, net.world.unseenMs)
  })

  test("a young router is none that restarted, when the clock was set forward by an hour", () => {
    const net = alone()
    polledAt(net, 10, 80)
    assert.deepEqual(polledAt(net, 3_630, 100), [])
    watched(net, 3_660)
    assert.deepEqual(polledAt(net, 3_660, 130), [])
  })

  test("the same uptimes are a restart when somebody watched that hour", () => {
    const net = alone()
    polledAt(net, 10, 80)
    watched(net, 3_630)
    assert.deepEqual(polledAt(net, 3_630, 100), [REBOOTED])
  })

  test("an uptime that went back is a restart, watched or not, forward or back", () => {
    for (const seconds of [11, 30, 3_630]) {
      const net = alone()
      polledAt(net, 10, 8_000)
      assert.deepEqual(polledAt(net, seconds, 100), [REBOOTED], `${seconds}`)
    }
  })

  test("what a trap told before the clock was set, the poll after it does not tell again", () => {
    // Set forward by an hour, and set back while ten minutes went by in truth: our time stood still.
    for (const [seconds, uptime] of [
      [3_640, 40],
      [70, 640],
    ] as const) {
      const net = alone(TWO)
      polledAt(net, 10, 8_000)
      polledAt(net, 11, 8_001, "routeros")
      assert.deepEqual(starts(net, 20), [REBOOTED])
      assert.deepEqual(polledAt(net, seconds, uptime), [], `${seconds}`)
      assert.deepEqual(polledAt(net, seconds + 1, uptime + 1, "routeros"), [], `${seconds}`)
      assert.deepEqual(starts(net, seconds + 5), [], "the trap, doubled")
    }
  })

  test("told again by a clock that was set back since, it is the same start; if it was another, its uptime tells", () => {
    const net = alone()
    polledAt(net, 10, 8_000)
    assert.deepEqual(polledAt(net, 500, 219), [REBOOTED])
    assert.deepEqual(starts(net, 100), [])
    assert.deepEqual(polledAt(net, 510, 229), [])
    assert.deepEqual(starts(net, 110), [])
    assert.deepEqual(polledAt(net, 520, 5), [REBOOTED])
  })

  test("what a trap told by a clock that was set back, the polls of the right time do not tell again (seed 113407055)", () => {
    const net = alone(TWO)
    polledAt(net, 10, 8_000)
    polledAt(net, 12, 8_002, "routeros")
    watched(net, 200)
    // The engine was away, and its clock is three quarters of an hour behind; then it is right again.
    assert.deepEqual(starts(net, -2_600), [REBOOTED])
    assert.deepEqual(polledAt(net, 290, 63, "routeros"), [])
    assert.deepEqual(polledAt(net, 292, 65), [])
    watched(net, 300)
    assert.deepEqual(polledAt(net, 300, 71, "routeros"), [])
    // Another start is another.
    watched(net, 700)
    assert.deepEqual(polledAt(net, 700, 20), [REBOOTED])
    assert.deepEqual(polledAt(net, 701, 21, "routeros"), [])
  })

  test("what was told before a source's last answer excuses no start after it", () => {
    const net = alone()
    polledAt(net, 10, 8_000)
    assert.deepEqual(starts(net, 20), [REBOOTED])
    assert.deepEqual(polledAt(net, 30, 8), [])
    watched(net, 400)
    assert.deepEqual(polledAt(net, 400, 378), [])
    watched(net, 460)
    assert.deepEqual(polledAt(net, 460, 5), [REBOOTED])
  })

  test("a second start after one that was told is told too", () => {
    const net = alone()
    polledAt(net, 10, 8_000)
    assert.deepEqual(starts(net, 20), [REBOOTED])
    watched(net, 620)
    assert.deepEqual(polledAt(net, 620, 30), [REBOOTED])
    watched(net, 1_200)
    assert.deepEqual(starts(net, 1_200), [REBOOTED])
  })

  test("property: a router that runs is never one that restarted, however its time is cut by pauses and set clocks", () => {
    const piece = fc.record({
      /** Of the device. */
      seconds: fc.integer({ min: 1, max: 400 }),
      /** What our clock says of a pause in which nobody ran: 0 = there was none. */
      pause: fc.oneof(fc.constant(0), fc.constant(0), fc.integer({ min: 1, max: 7_200 })),
    })
    fc.assert(
      fc.property(
        fc.array(piece, { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 1, max: 9_000 }),
        (list, first) => {
          const net = alone()
          let [ours, uptime] = [10, first]
          polledAt(net, ours, uptime)
          for (const { seconds, pause } of list) {
            uptime += seconds
            ours += pause === 0 ? seconds : pause
            if (pause === 0) watched(net, ours)
            assert.deepEqual(polledAt(net, ours, uptime), [], JSON.stringify({ ours, uptime }))
          }
          assert.ok(net.world.atMs > T0)
        },
      ),
    )
  })
})
