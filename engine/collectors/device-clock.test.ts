/** [C17] What a device's clock says, from the bytes and words of both protocols, and how far it is from ours. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { clockSkewSeconds, readDateAndTime, readRouterOsClock } from "#engine/collectors/device-clock.ts"

const row = (fields: Record<string, string>): ReadonlyMap<string, string> => new Map(Object.entries(fields))
const at = Date.UTC(2025, 9, 2, 16, 51, 21)

test("RFC 2579's own example: 1992-5-26,13:30:15.0,-4:0", () => {
  const octets = Uint8Array.of(0x07, 0xc8, 5, 26, 13, 30, 15, 0, 0x2d, 4, 0)
  assert.deepEqual(readDateAndTime(octets), { epochMs: Date.UTC(1992, 4, 26, 17, 30, 15), stepMs: 100 })
})

test("a clock without its zone says nothing, and neither do impossible ones", () => {
  assert.equal(readDateAndTime(null), null)
  assert.equal(readDateAndTime(Uint8Array.of(0x07, 0xc8, 5, 26, 13, 30, 15, 0)), null)
  assert.equal(readDateAndTime(Uint8Array.of(0x07, 0xc8, 13, 26, 13, 30, 15, 0, 0x2d, 4, 0)), null)
  assert.equal(readDateAndTime(Uint8Array.of(0x07, 0xc8, 5, 26, 13, 30, 15, 0, 0x20, 4, 0)), null)
  assert.equal(readDateAndTime(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0x2b, 0, 0)), null)
  assert.equal(readRouterOsClock(undefined), null)
  assert.equal(readRouterOsClock(row({ date: "2025-10-02", time: "16:51:21" })), null)
  assert.equal(readRouterOsClock(row({ date: "foo/02/2025", time: "16:51:21", "gmt-offset": "+00:00" })), null)
  assert.equal(readRouterOsClock(row({ date: "2025-10-02", time: "16:51:21", "gmt-offset": "+99:00" })), null)
})

test("RouterOS: both spellings of the date, and the offset as a time, in seconds and as a script prints it", () => {
  const read = (date: string, time: string, offset: string) =>
    readRouterOsClock(row({ date, time, "gmt-offset": offset }))
  const wanted = { epochMs: at, stepMs: 1_000 }
  assert.deepEqual(read("2025-10-02", "16:51:21", "+00:00"), wanted)
  assert.deepEqual(read("oct/02/2025", "13:51:21", "-03:00"), wanted)
  assert.deepEqual(read("Oct/02/2025", "13:51:21", "-10800"), wanted)
  assert.deepEqual(read("2025-10-02", "13:51:21", String(2 ** 32 - 10_800)), wanted)
  assert.deepEqual(read("2025-10-02", "22:21:21", "+05:30"), wanted)
})

test("the middle of asking and answering is compared, to a tenth; a slow answer is not", () => {
  assert.equal(clockSkewSeconds({ epochMs: at, stepMs: 0 }, at - 100, at + 100), 0)
  assert.equal(clockSkewSeconds({ epochMs: at + 3_140, stepMs: 0 }, at, at), 3.1)
  assert.equal(clockSkewSeconds({ epochMs: at - 2_500, stepMs: 1_000 }, at, at), -2)
  assert.equal(clockSkewSeconds({ epochMs: at, stepMs: 0 }, at, at + 1_001), null)
})

test("any bytes and words: a time or null, never a throw", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 12 }),
      fc.string(),
      fc.string(),
      fc.string(),
      (octets, date, time, offset) => {
        for (const clock of [readDateAndTime(octets), readRouterOsClock(row({ date, time, "gmt-offset": offset }))])
          assert.ok(clock === null || Number.isFinite(clock.epochMs))
      },
    ),
  )
})
