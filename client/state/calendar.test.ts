/** The calendar where clocks change: days of 23 and 25 hours, hours that are missing or come twice, bars that overlap. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import {
  barsOf,
  DAY_MINUTES,
  dayOf,
  draggedSpan,
  gapOf,
  instantAt,
  monthOf,
  plusMonths,
  plusWeeks,
  stripesOf,
  weekOf,
} from "#client/state/calendar.ts"
import { civilOf, fieldOf, instantOf, isZone, localTime, offsetMs, readField, sameDay } from "#client/state/zone.ts"

const ZONES = [
  "America/Sao_Paulo",
  "Europe/Berlin",
  "America/New_York",
  "Australia/Lord_Howe",
  "Asia/Kathmandu",
  "UTC",
  "America/Santiago",
  "Africa/Cairo",
] as const
const zone = fc.constantFrom(...ZONES)
const HOUR = 3_600_000
const minute = fc
  .integer({ min: Date.UTC(2015, 0, 1) / 60_000, max: Date.UTC(2030, 0, 1) / 60_000 })
  .map((at) => at * 60_000)
const span = (from: number, toMs: number, id = "a") => ({ id, fromMs: from, toMs })

test("[I6] a local time that exists means its instant; one that comes twice means its first", () => {
  fc.assert(
    fc.property(zone, minute, (name, at) => {
      const back = instantOf(name, localTime(name, at))
      assert.deepEqual(localTime(name, back), localTime(name, at))
      assert.ok(back === at || (back < at && at - back <= 2 * HOUR), `${name} ${new Date(at).toISOString()}`)
      assert.equal(readField(name, fieldOf(name, back)), back)
    }),
    { numRuns: 300 },
  )
  // Berlin, 29 March 2026: 02:30 is skipped and means 03:30. 25 October: 02:30 comes twice.
  const spring = instantOf("Europe/Berlin", { year: 2026, month: 3, day: 29, minutes: 150 })
  assert.equal(new Date(spring).toISOString(), "2026-03-29T01:30:00.000Z")
  assert.equal(localTime("Europe/Berlin", spring).minutes, 210)
  const autumn = instantOf("Europe/Berlin", { year: 2026, month: 10, day: 25, minutes: 150 })
  assert.equal(new Date(autumn).toISOString(), "2026-10-25T00:30:00.000Z")
  assert.equal(offsetMs("Asia/Kathmandu", 0), 5.5 * HOUR)
  assert.ok(isZone("America/Sao_Paulo") && !isZone("Mars/Olympus") && !isZone(""))
})

test("[I6] days follow one another without gap, also where they have 23 or 25 hours", () => {
  fc.assert(
    fc.property(zone, minute, (name, at) => {
      const week = weekOf(name, at)
      assert.equal(week.length, 7)
      for (const [nth, day] of week.entries()) if (nth > 0) assert.equal(day.startMs, week[nth - 1]?.endMs)
      assert.ok(week.some((day) => sameDay(day, civilOf(name, at)) && at >= day.startMs && at < day.endMs))
      for (const day of week) assert.equal(day.change !== null, day.endMs - day.startMs !== 24 * HOUR)
    }),
    { numRuns: 150 },
  )
  const [short, long] = [
    dayOf("Europe/Berlin", { year: 2026, month: 3, day: 29 }),
    dayOf("Europe/Berlin", { year: 2026, month: 10, day: 25 }),
  ]
  assert.deepEqual([short.endMs - short.startMs, long.endMs - long.startMs], [23 * HOUR, 25 * HOUR])
  assert.deepEqual(gapOf("Europe/Berlin", short), { top: 120, bottom: 180, kind: "skipped" })
  assert.deepEqual(gapOf("Europe/Berlin", long), { top: 120, bottom: 180, kind: "repeated" })
  // São Paulo changed at midnight until 2019: the day began at 01:00.
  const late = dayOf("America/Sao_Paulo", { year: 2018, month: 11, day: 4 })
  assert.equal(localTime("America/Sao_Paulo", late.startMs).minutes, 60)
  assert.deepEqual(late.endMs - late.startMs, 23 * HOUR)
  assert.equal(late.change?.atMs, late.startMs, "the change is the day's own first instant")
  assert.deepEqual(gapOf("America/Sao_Paulo", late), { top: 0, bottom: 60, kind: "skipped" })
})

test("[I6] months are whole weeks; steps keep to the calendar", () => {
  const november = monthOf("UTC", Date.UTC(2026, 10, 21))
  assert.equal(november.length, 6)
  assert.deepEqual([november[0]?.[0]?.month, november[0]?.[0]?.day], [10, 26])
  const february = monthOf("UTC", Date.UTC(2027, 1, 5))
  assert.equal(february.length, 4, "February 2027 begins on a Monday")
  assert.equal(plusMonths("UTC", Date.UTC(2026, 0, 31), 1), Date.UTC(2026, 1, 28))
  assert.equal(plusMonths("UTC", Date.UTC(2026, 0, 31), -2), Date.UTC(2025, 10, 30))
  const before = Date.UTC(2026, 2, 27, 12)
  assert.deepEqual(civilOf("Europe/Berlin", plusWeeks("Europe/Berlin", before, 1)), { year: 2026, month: 4, day: 3 })
})

test("[I6] bars: by the clock on the wall, never empty, beside what they overlap", () => {
  const day = dayOf("UTC", { year: 2026, month: 11, day: 21 })
  const at = (hour: number) => day.startMs + hour * HOUR
  const bars = barsOf("UTC", day, [
    span(at(2), at(5), "a"),
    span(at(3), at(4), "b"),
    span(at(4), at(6), "c"),
    span(at(8), at(8), "d"),
    span(at(-5), at(1), "e"),
  ])
  const of = (id: string) => bars.find(({ entry }) => entry.id === id)
  assert.deepEqual([of("a")?.top, of("a")?.bottom, of("a")?.lanes], [120, 300, 2])
  assert.deepEqual([of("b")?.lane, of("c")?.lane], [1, 1], "c takes b's place when b is over")
  assert.deepEqual([of("d")?.top, of("d")?.bottom], [480, 495], "what takes no time is seen all the same")
  assert.deepEqual([of("e")?.top, of("e")?.begins, of("e")?.ends], [0, false, true])
  const whole = barsOf("UTC", day, [span(at(-1), at(30))])[0]
  assert.deepEqual([whole?.top, whole?.bottom], [0, DAY_MINUTES])
})

test("[I6] bars never share a place with what they overlap, in any zone", () => {
  const some = fc.array(fc.tuple(fc.integer({ min: -30, max: 60 }), fc.integer({ min: 1, max: 30 })), { maxLength: 12 })
  fc.assert(
    fc.property(zone, minute, some, (name, at, spans) => {
      const day = dayOf(name, civilOf(name, at))
      const entries = spans.map(([from, length], nth) =>
        span(day.startMs + from * HOUR, day.startMs + (from + length) * HOUR, `${nth}`),
      )
      const bars = barsOf(name, day, entries)
      assert.equal(bars.length, entries.filter(({ fromMs, toMs }) => toMs > day.startMs && fromMs < day.endMs).length)
      for (const bar of bars) {
        assert.ok(
          bar.top >= 0 && bar.bottom > bar.top && bar.bottom <= DAY_MINUTES && bar.lane < bar.lanes,
          JSON.stringify(bar),
        )
        for (const other of bars)
          if (other !== bar && other.lane === bar.lane) assert.ok(other.top >= bar.bottom || bar.top >= other.bottom)
      }
    }),
    { numRuns: 200 },
  )
})

test("[I6] a window across the change of clocks: one hour is drawn longer or twice, never backwards", () => {
  const berlin = "Europe/Berlin"
  const long = dayOf(berlin, { year: 2026, month: 10, day: 25 })
  // 02:30 (first) to 02:15 (second): 45 minutes that the wall shows as going back.
  const from = instantOf(berlin, { ...long, minutes: 150 })
  const [bar] = barsOf(berlin, long, [span(from, from + 45 * 60_000)])
  assert.deepEqual([bar?.top, bar?.bottom], [150, 180])
  const short = dayOf(berlin, { year: 2026, month: 3, day: 29 })
  const early = instantOf(berlin, { ...short, minutes: 60 })
  const [over] = barsOf(berlin, short, [span(early, early + 2 * HOUR)])
  assert.deepEqual([over?.top, over?.bottom], [60, 240], "two hours end at 04:00 by the wall")
})

test("[I6] a drag is a span on the grid of a quarter of an hour, in either direction, never empty", () => {
  fc.assert(
    fc.property(
      zone,
      minute,
      fc.integer({ min: -100, max: 1_600 }),
      fc.integer({ min: -100, max: 1_600 }),
      (name, at, a, b) => {
        const day = dayOf(name, civilOf(name, at))
        const [from, to] = draggedSpan(name, day, a, b)
        assert.ok(to > from)
        assert.ok(from >= day.startMs && from <= day.endMs)
        assert.deepEqual(draggedSpan(name, day, b, a), [from, to])
        assert.equal(instantAt(name, day, 0), day.startMs)
        assert.equal(instantAt(name, day, DAY_MINUTES), day.endMs)
      },
    ),
    { numRuns: 200 },
  )
})

test("[I6] month stripes: every entry of a week is drawn or counted on each of its days", () => {
  const some = fc.array(fc.tuple(fc.integer({ min: -72, max: 200 }), fc.integer({ min: 1, max: 120 })), {
    maxLength: 12,
  })
  fc.assert(
    fc.property(zone, minute, some, (name, at, spans) => {
      const week = weekOf(name, at)
      const start = week[0]?.startMs ?? 0
      const entries = spans.map(([from, length], nth) =>
        span(start + from * HOUR, start + (from + length) * HOUR, `${nth}`),
      )
      const { stripes, hidden } = stripesOf(week, entries, 3)
      for (const [nth, day] of week.entries()) {
        const here = entries.filter(({ fromMs, toMs }) => toMs > day.startMs && fromMs < day.endMs).length
        const drawn = stripes.filter(({ first, last }) => first <= nth && nth <= last)
        assert.equal(drawn.length + (hidden[nth] ?? 0), here, `day ${nth}`)
        assert.equal(new Set(drawn.map(({ lane }) => lane)).size, drawn.length)
      }
    }),
    { numRuns: 200 },
  )
})
