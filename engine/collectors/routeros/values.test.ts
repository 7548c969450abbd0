import assert from "node:assert/strict"
import { test } from "node:test"
import * as fc from "fast-check"
import {
  parseCount,
  parseDecimal,
  parseDuration,
  parseFlag,
  parseMajor,
  parseRate,
} from "#engine/collectors/routeros/values.ts"

test("durations as the samples show them", () => {
  const samples: Array<[string, number | null]> = [
    ["1w2d03:04:05", 788_645],
    ["6h8m46s", 22_126],
    ["15m8s180ms", 908.18],
    ["41m28s", 2_488],
    ["00:04:12", 252],
    ["3w6d23:59:59", 2_419_199],
    ["9s", 9],
    ["0s", 0],
    ["1d", 86_400],
    ["500ms", 0.5],
    ["", null],
    ["never", null],
    ["5", null],
    ["1h1h", null],
    ["1s1h", null],
    ["1h2:3:4", null],
    ["00:61:00", null],
    ["1:2", null],
    ["1d-3s", null],
    ["10y", null],
  ]
  for (const [text, seconds] of samples) assert.equal(parseDuration(text), seconds, text)
})

/** RouterOS' two ways of writing the same duration. */
const duration = fc.record({
  w: fc.nat(500),
  d: fc.nat(6),
  h: fc.nat(23),
  m: fc.nat(59),
  s: fc.nat(59),
})

test("both spellings of any uptime read back as its seconds", () => {
  fc.assert(
    fc.property(duration, ({ w, d, h, m, s }) => {
      const seconds = ((w * 7 + d) * 24 + h) * 3_600 + m * 60 + s
      const long = [w && `${w}w`, d && `${d}d`].filter(Boolean).join("")
      const two = (n: number): string => String(n).padStart(2, "0")
      assert.equal(parseDuration(`${long}${two(h)}:${two(m)}:${two(s)}`), seconds)
      const short = `${long}${[h && `${h}h`, m && `${m}m`, s && `${s}s`].filter(Boolean).join("")}`
      assert.equal(parseDuration(short === "" ? "0s" : short), seconds)
    }),
  )
})

test("any text at all: a value or null, never a throw, never not-a-number", () => {
  const readers = [parseDuration, parseCount, parseDecimal, parseRate, parseMajor]
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9wdhms:.]{0,30}$/)), (text) => {
      for (const read of readers) {
        const value = read(text)
        assert.ok(value === null || (Number.isFinite(value) && (read === parseDecimal || value >= 0)), text)
      }
      parseFlag(text)
    }),
  )
})

test("counters are read to 2^64, within 1024", () => {
  assert.equal(parseCount("0"), 0)
  assert.equal(parseCount("9007199254740991"), Number.MAX_SAFE_INTEGER)
  assert.ok(Math.abs((parseCount("18446744073709551615") ?? 0) - 2 ** 64) <= 1_024)
  for (const text of [undefined, "", "-1", "1.5", "0x10", "1e3", "123456789012345678901"])
    assert.equal(parseCount(text), null)
})

test("rates, flags, decimals and versions", () => {
  assert.deepEqual(["10Mbps", "1Gbps", "2.5Gbps", "100Gbps", "auto", undefined].map(parseRate), [
    1e7,
    1e9,
    2.5e9,
    1e11,
    null,
    null,
  ])
  assert.deepEqual(["true", "yes", "false", "no", "", undefined].map(parseFlag), [true, true, false, false, null, null])
  assert.deepEqual(["23.5", "-4", "ok", "not-present", undefined].map(parseDecimal), [23.5, -4, null, null, null])
  assert.deepEqual(["6.49.10 (long-term)", "7.18.2 (stable)", "7.20beta2", "x", undefined].map(parseMajor), [
    6,
    7,
    7,
    null,
    null,
  ])
})
