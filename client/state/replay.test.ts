/** The time bar's arithmetic, and the address of a moment. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { MARKS } from "#client/map/mark.ts"
import { formatRoute, parseRoute } from "#client/state/route.ts"
import { MARK_PLACES, marksOf, rangeOf, shareOf, SPAN_NAMES, SPANS, spanFor } from "#client/state/time-range.ts"

const NOW = 1_795_240_000_000
const moment = fc.integer({ min: NOW - 30 * 86_400_000, max: NOW })

test("a range ends at its end, begins where anything is kept, and is never empty", () => {
  fc.assert(
    fc.property(fc.constantFrom(...SPAN_NAMES), fc.option(moment), (span, firstMs) => {
      const { fromMs, toMs } = rangeOf(span, NOW, firstMs)
      assert.equal(toMs, NOW)
      assert.ok(fromMs < toMs && toMs - fromMs <= SPANS[span])
      if (firstMs !== null && firstMs <= NOW - 1_000) assert.ok(fromMs >= firstMs)
    }),
  )
})

test("the span that is chosen for a moment shows it, with room before it", () => {
  fc.assert(
    fc.property(fc.integer({ min: NOW - 6 * 86_400_000, max: NOW }), (atMs) => {
      const range = rangeOf(spanFor(atMs, NOW), NOW, null)
      assert.ok(atMs > range.fromMs)
      assert.ok(shareOf(atMs, range) >= 0.09)
    }),
  )
  assert.equal(spanFor(NOW - 60_000, NOW), "1h")
  assert.equal(spanFor(NOW - 30 * 86_400_000, NOW), "7d")
})

test("marks: as many as fit, in order, none lost of those in the range, the worst of each place is seen", () => {
  const told = fc.array(fc.record({ atMs: moment, mark: fc.constantFrom(...MARKS) }), { maxLength: 300 })
  fc.assert(
    fc.property(told, fc.constantFrom(...SPAN_NAMES), (events, span) => {
      const range = rangeOf(span, NOW, null)
      const marks = marksOf(events, range)
      const within = events.filter(({ atMs }) => atMs >= range.fromMs && atMs <= range.toMs)
      assert.ok(marks.length <= MARK_PLACES)
      assert.equal(
        marks.reduce((sum, { count }) => sum + count, 0),
        within.length,
      )
      const shares = marks.map(({ share }) => share)
      assert.deepEqual(
        shares,
        shares.toSorted((a, b) => a - b),
      )
      const worst = (list: ReadonlyArray<{ mark: (typeof MARKS)[number] }>) =>
        Math.min(...list.map(({ mark }) => MARKS.indexOf(mark)))
      if (within.length > 0) assert.equal(worst(marks), worst(within))
    }),
  )
})

test("the address of a moment survives the way there and back; other screens have none; bad times are none", () => {
  fc.assert(
    fc.property(moment, (at) => {
      const route = { screen: "replay", tab: null, selection: null, camera: null, moment: at, item: null }
      assert.deepEqual(parseRoute(formatRoute(route)), route)
      assert.equal(parseRoute(formatRoute({ ...route, screen: "map" })).moment, null)
    }),
  )
  assert.equal(parseRoute("#/replay?at=2026-11-21T10:00:00Z").moment, Date.parse("2026-11-21T10:00:00Z"))
  assert.equal(parseRoute("#/replay?at=2026-11-21T10:00:00Z").camera, null)
  assert.equal(parseRoute("#/replay?when=2026-99-21T10:00:00Z").moment, null)
  assert.equal(parseRoute("#/replay?at=1,2,3").moment, null)
})
