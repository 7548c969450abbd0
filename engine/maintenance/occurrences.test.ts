/**
 * [I6] When windows are: wall clocks through changes of daylight saving both ways, held against Intl itself; what overlaps
 * is one; any cut of time sees the same occurrences.
 */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import { occurrencesOf, type Timing } from "#engine/maintenance/occurrences.ts"
import { instantOf, isTimeZone, wallOf } from "#engine/maintenance/time-zone.ts"
import { WEEKDAYS } from "#protocol/maintenance.ts"

const HOUR = 3_600_000
const DAY = 24 * HOUR
const ZONES = [
  "UTC",
  "America/New_York",
  "Europe/Berlin",
  "America/Sao_Paulo",
  "Australia/Lord_Howe",
  "Asia/Kathmandu",
  "Africa/Casablanca",
  "America/St_Johns",
  "Pacific/Apia",
]
const FROM = Date.UTC(2008, 0, 1)
const TO = Date.UTC(2035, 0, 1)
const zone = fc.constantFrom(...ZONES)
const instant = fc.integer({ min: FROM / 60_000, max: TO / 60_000 }).map((minutes) => minutes * 60_000)
/** As people read it; the test's own way to Intl. */
const clockOf = (atMs: number, timeZone: string): string =>
  new Date(atMs).toLocaleString("sv-SE", { timeZone, hourCycle: "h23" })
const iso = (wall: number): string => new Date(wall).toISOString().slice(0, 19).replace("T", " ")

const timing = (more: Partial<Timing>): Timing => ({
  startsAtMs: Date.UTC(2026, 0, 5, 5),
  durationSeconds: 7_200,
  recurrence: { every: "never" },
  timeZone: "UTC",
  untilMs: null,
  ...more,
})

describe("[I6] wall clocks", () => {
  test("[I6] the wall clock is Intl's, to the second, in every zone", () => {
    fc.assert(
      fc.property(instant, zone, (atMs, timeZone) => {
        assert.equal(iso(wallOf(atMs, timeZone)), clockOf(atMs, timeZone))
      }),
      { numRuns: 2_000 },
    )
  })

  test("[I6] an instant is found from its wall clock: itself, or the first of two that show the same", () => {
    fc.assert(
      fc.property(instant, zone, (atMs, timeZone) => {
        const found = instantOf(wallOf(atMs, timeZone), timeZone)
        assert.ok(found <= atMs)
        assert.equal(clockOf(found, timeZone), clockOf(atMs, timeZone))
        if (found !== atMs) assert.ok(atMs - found <= 3 * HOUR, "only a clock that was set back shows a time twice")
      }),
      { numRuns: 2_000 },
    )
  })

  test("[I6] spring skips: 02:30 is 03:30; autumn repeats: the first 01:30 counts", () => {
    const zoneName = "America/New_York"
    assert.equal(instantOf(Date.UTC(2026, 2, 8, 2, 30), zoneName), Date.UTC(2026, 2, 8, 7, 30))
    assert.equal(clockOf(Date.UTC(2026, 2, 8, 7, 30), zoneName), "2026-03-08 03:30:00")
    assert.equal(instantOf(Date.UTC(2026, 10, 1, 1, 30), zoneName), Date.UTC(2026, 10, 1, 5, 30))
  })

  test("[I6] zones that are none are told apart from zones", () => {
    for (const name of ZONES) assert.ok(isTimeZone(name), name)
    for (const name of ["", "Mars/Olympus", "+03:00", "UTC\n", "../etc/passwd", "America/", "x".repeat(200)])
      assert.ok(!isTimeZone(name), name)
  })
})

describe("[I6] occurrences", () => {
  test("[I6] every day at one local time: each local day has one, at that time unless the clock skips it", () => {
    fc.assert(
      fc.property(instant, zone, fc.integer({ min: 1, max: 120 }), (startsAtMs, timeZone, days) => {
        const daily = timing({ startsAtMs, timeZone, recurrence: { every: "day" }, durationSeconds: 600 })
        const found = occurrencesOf(daily, startsAtMs, startsAtMs + days * DAY, 1_000)
        const first = wallOf(startsAtMs, timeZone)
        for (const [index, [fromMs, toMs]] of found.entries()) {
          assert.equal(toMs - fromMs, 600_000, "how long it lasts is real time")
          const wanted = iso(first + (index + skippedBefore(found, index, timeZone)) * DAY)
          const shown = clockOf(fromMs, timeZone)
          if (shown !== wanted) {
            // The wall clock never showed it that day: no instant near it does.
            for (let offset = -3 * HOUR; offset <= 3 * HOUR; offset += 60_000)
              assert.notEqual(clockOf(fromMs + offset, timeZone), wanted)
            assert.ok(shown > wanted, "moved ahead, by the hour that was skipped")
          }
        }
        assert.ok(Math.abs(found.length - days) <= 2)
      }),
      { numRuns: 150 },
    )
  })
  /** Apia had no 30th of December 2011: its wall days are ahead of the count from then on. */
  const skippedBefore = (found: ReadonlyArray<readonly [number, number]>, index: number, timeZone: string): number => {
    const days = Math.round((dayOf(found[index]![0], timeZone) - dayOf(found[0]![0], timeZone)) / DAY)
    return days - index
  }
  const dayOf = (atMs: number, timeZone: string): number =>
    Date.parse(`${clockOf(atMs, timeZone).slice(0, 10)}T00:00:00Z`)

  test("[I6] through both changes of a year, 02:30 in New York: 364 days as said, one moved, none lost", () => {
    const timeZone = "America/New_York"
    const startsAtMs = Date.UTC(2026, 0, 1, 7, 30)
    const daily = timing({ startsAtMs, timeZone, recurrence: { every: "day" } })
    const found = occurrencesOf(daily, startsAtMs, Date.UTC(2027, 0, 1, 5), 1_000)
    assert.equal(found.length, 365)
    const clocks = found.map(([fromMs]) => clockOf(fromMs, timeZone).slice(11))
    assert.deepEqual(
      clocks.filter((clock) => clock !== "02:30:00"),
      ["03:30:00"],
    )
  })

  test("[I6] every week on some days: local days are of these, and all of these days are there", () => {
    fc.assert(
      fc.property(instant, zone, fc.subarray([...WEEKDAYS], { minLength: 1 }), (startsAtMs, timeZone, on) => {
        const weekly = timing({ startsAtMs, timeZone, recurrence: { every: "week", on }, durationSeconds: 60 })
        const found = occurrencesOf(weekly, startsAtMs, startsAtMs + 8 * 7 * DAY, 1_000)
        const names = found.map(([fromMs]) =>
          new Date(fromMs).toLocaleDateString("en-US", { weekday: "short", timeZone }).toLowerCase(),
        )
        for (const name of names.slice(1)) assert.ok((on as readonly string[]).includes(name), name)
        assert.ok(Math.abs(found.length - 8 * on.length) <= 1 + on.length)
      }),
      { numRuns: 150 },
    )
  })

  test("[I6] every month on the 31st: months without one are passed over", () => {
    const monthly = timing({ startsAtMs: Date.UTC(2026, 0, 31, 3), recurrence: { every: "month" } })
    const found = occurrencesOf(monthly, 0, Date.UTC(2027, 0, 1), 100)
    assert.deepEqual(
      found.map(([fromMs]) => new Date(fromMs).toISOString().slice(0, 10)),
      ["2026-01-31", "2026-03-31", "2026-05-31", "2026-07-31", "2026-08-31", "2026-10-31", "2026-12-31"],
    )
  })

  const anyTiming = fc.record({
    startsAtMs: instant,
    durationSeconds: fc.integer({ min: 60, max: 40 * 3_600 }),
    recurrence: fc.oneof(
      fc.constant({ every: "never" } as const),
      fc.constant({ every: "day" } as const),
      fc.constant({ every: "month" } as const),
      fc.subarray([...WEEKDAYS], { minLength: 1 }).map((on) => ({ every: "week", on }) as const),
    ),
    timeZone: zone,
    untilMs: fc.option(instant),
  })

  test("[I6] ascending and apart, inside what was asked, at most as many as asked, none after the end", () => {
    fc.assert(
      fc.property(
        anyTiming,
        instant,
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 1, max: 20 }),
        (it, fromMs, days, max) => {
          const found = occurrencesOf(it, fromMs, fromMs + days * DAY, max)
          assert.ok(found.length <= max)
          for (const [index, [from, to]] of found.entries()) {
            assert.ok(from < to && to > fromMs && from < fromMs + days * DAY && from >= it.startsAtMs)
            if (index > 0) assert.ok(from > found[index - 1]![1])
            if (it.recurrence.every !== "never" && it.untilMs !== null) assert.ok(from <= it.untilMs)
          }
        },
      ),
      { numRuns: 400 },
    )
  })

  test("[I6] wherever one looks from, an instant is covered or not alike", () => {
    fc.assert(
      fc.property(
        anyTiming,
        fc.integer({ min: 0, max: 90 * 24 * 60 }),
        fc.integer({ min: 0, max: 40 }),
        (it, minutes, back) => {
          const atMs = it.startsAtMs + minutes * 60_000
          const covers = (fromMs: number): boolean =>
            occurrencesOf(it, fromMs, atMs + 1, 1_000).some(([from, to]) => from <= atMs && atMs < to)
          assert.equal(covers(atMs), covers(atMs - back * DAY))
        },
      ),
      { numRuns: 400 },
    )
  })

  test("[I6] a window of 24 hours every day is one that never pauses", () => {
    const whole = timing({ durationSeconds: 86_400, recurrence: { every: "day" } })
    const found = occurrencesOf(whole, whole.startsAtMs, whole.startsAtMs + 30 * DAY, 1)
    assert.deepEqual(found, [[whole.startsAtMs, whole.startsAtMs + 30 * DAY]])
  })
})
