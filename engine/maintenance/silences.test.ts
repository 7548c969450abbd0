/** [I6] What the twin is told of windows: instants only, the same all day long, and what people did by hand. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import { forgotten, KEPT_MS, MUTE_KEPT_MS } from "#engine/maintenance/retention.ts"
import { HORIZON_MS, plannedTimes, silencesFor, silentTimes, type StoredWindow } from "#engine/maintenance/silences.ts"
import { isOver } from "#engine/maintenance/window-check.ts"
import { OCCURRENCES_MAX, SILENCES_MAX, type MaintenanceWindow } from "#protocol/maintenance.ts"

const HOUR = 3_600_000
const DAY = 24 * HOUR
const NOON = Date.UTC(2026, 10, 21, 12)

const stored = (window: Partial<MaintenanceWindow> = {}, by: Partial<StoredWindow> = {}): StoredWindow => ({
  window: {
    id: "w",
    kind: "maintenance",
    title: "Power",
    note: "",
    scope: {},
    sparesCritical: false,
    startsAtMs: NOON - HOUR,
    durationSeconds: 7_200,
    recurrence: { every: "never" },
    timeZone: "UTC",
    untilMs: null,
    ...window,
  },
  begunMs: 0,
  endedMs: 0,
  updatedAtMs: NOON,
  updatedBy: "ada",
  ...by,
})

describe("[I6] silences", () => {
  test("[I6] the same windows give the same list all day, so that it is journaled once", () => {
    const windows = [stored({ recurrence: { every: "day" } }), stored({ id: "x" })]
    fc.assert(
      fc.property(fc.integer({ min: 0, max: DAY - 1 }), (ms) => {
        assert.deepEqual(silencesFor(windows, NOON - 12 * HOUR + ms), silencesFor(windows, NOON))
      }),
    )
    assert.notDeepEqual(silencesFor(windows, NOON + DAY), silencesFor(windows, NOON))
  })

  test("[I6] times are ascending and apart, at most so many, no further than the horizon", () => {
    for (const durationSeconds of [60, 7_200, 86_400, 30 * 86_400]) {
      const [silence] = silencesFor([stored({ recurrence: { every: "day" }, durationSeconds })], NOON)
      const times = silence?.times ?? []
      assert.ok(times.length > 0 && times.length <= OCCURRENCES_MAX)
      for (const [index, [from, to]] of times.entries()) {
        assert.ok(from < to && from < NOON + HORIZON_MS)
        if (index > 0) assert.ok(from > times[index - 1]![1])
      }
    }
  })

  test("[I6] what is over, or not yet begun, is no silence; many are cut at their limit", () => {
    assert.deepEqual(silencesFor([stored({ startsAtMs: NOON - 3 * DAY })], NOON), [])
    assert.deepEqual(silencesFor([stored({ kind: "change", changeState: "planned" })], NOON), [])
    const many = Array.from({ length: SILENCES_MAX + 1 }, (_, index) => stored({ id: `w${index}` }))
    assert.equal(silencesFor(many, NOON).length, SILENCES_MAX)
  })

  test("[I6] ended by hand at any moment: silent before and not after, until one begins anew", () => {
    const recurrences = fc.constantFrom<MaintenanceWindow["recurrence"]>({ every: "day" }, { every: "never" })
    const hours = fc.constantFrom(1, 23, 24, 25, 60)
    fc.assert(
      fc.property(recurrences, hours, fc.integer({ min: 1, max: 5 * 24 }), (recurrence, length, after) => {
        const startsAtMs = NOON - 2 * DAY
        const endedMs = startsAtMs + after * HOUR
        const window = { startsAtMs, recurrence, durationSeconds: length * 3_600 }
        const silent = (atMs: number, by: Partial<StoredWindow>): boolean =>
          silentTimes(stored(window, by), atMs, atMs + 1, 1).length > 0
        for (let atMs = startsAtMs - HOUR; atMs < NOON + 6 * DAY; atMs += HOUR) {
          const since = recurrence.every === "never" ? startsAtMs : atMs - ((atMs - startsAtMs) % DAY)
          const newest = atMs < startsAtMs ? 0 : since
          if (atMs < endedMs) assert.equal(silent(atMs, { endedMs }), silent(atMs, {}))
          else if (newest < endedMs) {
            // Only what began since the end counts: of a long window that is the newest start of a day.
            assert.equal(silent(atMs, { endedMs }), false, new Date(atMs).toISOString())
          } else assert.equal(silent(atMs, { endedMs }), silent(atMs, {}))
        }
      }),
    )
  })

  test("[I6] a change in progress silences from its beginning to its planned end", () => {
    const change = stored({ kind: "change", changeState: "in_progress" }, { begunMs: NOON - 1_800_000 })
    assert.deepEqual(silentTimes(change, NOON, NOON + 1, 9), [[NOON - 1_800_000, NOON + HOUR]])
    assert.deepEqual(silentTimes(change, NOON + HOUR, NOON + DAY, 9), [])
    const early = stored({ kind: "change", changeState: "in_progress", startsAtMs: NOON + HOUR }, { begunMs: NOON })
    assert.deepEqual(silentTimes(early, NOON, NOON + 1, 9), [[NOON, NOON + 3 * HOUR]])
    for (const changeState of ["planned", "completed", "canceled"] as const)
      assert.deepEqual(silentTimes(stored({ kind: "change", changeState }), NOON, NOON + 1, 9), [])
    assert.equal(plannedTimes(stored({ kind: "change", changeState: "planned" }), NOON, NOON + 1, 9).length, 1)
    assert.equal(plannedTimes(stored({ kind: "change", changeState: "canceled" }), NOON, NOON + 1, 9).length, 0)
  })

  test("[I6] why nobody is told: the title, and the note when there is one, cut where it grows too long", () => {
    const reason = (note: string): string => silencesFor([stored({ note })], NOON)[0]!.reason
    assert.equal(reason(""), "Power")
    assert.equal(reason("ticket 4711"), "Power: ticket 4711")
    assert.equal(reason("x".repeat(2_000)).length, 300)
  })

  test("[I6] over is what can never be again, and nothing that is over silences", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -40, max: 40 }),
        fc.integer({ min: 1, max: 72 }),
        fc.constantFrom<MaintenanceWindow["recurrence"]>({ every: "never" }, { every: "day" }, { every: "month" }),
        fc.option(fc.integer({ min: 0, max: 60 })),
        (startDays, hours, recurrence, untilDays) => {
          const startsAtMs = NOON + startDays * DAY
          const untilMs = recurrence.every === "never" || untilDays === null ? null : startsAtMs + untilDays * DAY
          const one = stored({ startsAtMs, recurrence, untilMs, durationSeconds: hours * 3_600 })
          if (isOver(one, NOON)) assert.deepEqual(silentTimes(one, NOON, NOON + 300 * DAY, 9), [])
          else if (recurrence.every === "never") assert.equal(silentTimes(one, NOON, NOON + 300 * DAY, 9).length, 1)
        },
      ),
    )
  })

  test("[I6] windows are kept for reports, mutes for a month", () => {
    const at = (kind: "maintenance" | "mute", age: number): StoredWindow =>
      stored({ kind, startsAtMs: NOON - age - 2 * HOUR }, { updatedAtMs: NOON - age - 2 * HOUR })
    assert.equal(forgotten([at("maintenance", KEPT_MS - DAY), at("mute", MUTE_KEPT_MS - DAY)], NOON).length, 0)
    assert.equal(forgotten([at("maintenance", KEPT_MS + DAY), at("mute", MUTE_KEPT_MS + DAY)], NOON).length, 2)
    assert.equal(
      forgotten([stored({ recurrence: { every: "day" } }, { updatedAtMs: 0 })], NOON + 2 * KEPT_MS).length,
      0,
    )
  })
})
