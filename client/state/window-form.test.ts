/** The form of a window: what it reads it writes, in any zone; what cannot be is said before it is sent. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { bodyOf, comesTwice, formOf, freshWindow, mistakeOf, skippedTo } from "#client/state/window-form.ts"
import { WEEKDAYS } from "#protocol/maintenance.ts"
import type { MaintenanceWindow } from "#protocol/rest-generated.ts"

const zone = fc.constantFrom("America/Sao_Paulo", "Europe/Berlin", "Asia/Kathmandu", "UTC", "America/New_York")
const window = fc.record({
  id: fc.constant("w"),
  kind: fc.constantFrom("maintenance" as const, "change" as const),
  title: fc.constant("Fibre"),
  note: fc.constantFrom("", "ticket"),
  scope: fc.constantFrom({}, { by_tags: ["gold"] }),
  sparesCritical: fc.boolean(),
  // Noon UTC: of no zone the hour that comes twice, which a form cannot tell apart.
  startsAtMs: fc.nat(3_000).map((day) => Date.UTC(2020, 0, 1 + day, 12)),
  durationSeconds: fc.integer({ min: 1, max: 119 }).map((minutes) => minutes * 60),
  recurrence: fc.oneof(
    fc.constantFrom({ every: "never" as const }, { every: "day" as const }, { every: "month" as const }),
    fc.subarray([...WEEKDAYS], { minLength: 1 }).map((on) => ({ every: "week" as const, on })),
  ),
  timeZone: zone,
  untilMs: fc.constant(null),
})

test("[I6] what a form reads it writes back", () => {
  fc.assert(
    fc.property(window, (given: MaintenanceWindow) => {
      const form = formOf(given)
      assert.equal(mistakeOf(form, 0), null)
      const { id: _id, ...fields } = given
      assert.deepEqual(bodyOf(form), fields)
    }),
  )
})

test("[I6] a window across the change of clocks is as long as it really is", () => {
  const form = {
    ...freshWindow("Europe/Berlin", 0, 0),
    title: "x",
    starts: "2026-03-29T01:00",
    ends: "2026-03-29T05:00",
  }
  assert.equal(bodyOf(form).durationSeconds, 3 * 3_600)
  assert.equal(bodyOf({ ...form, starts: "2026-10-25T01:00", ends: "2026-10-25T05:00" }).durationSeconds, 5 * 3_600)
})

test("[I6] times that are skipped or come twice are said", () => {
  assert.equal(skippedTo("Europe/Berlin", "2026-03-29T02:30"), "03:30")
  assert.equal(skippedTo("Europe/Berlin", "2026-03-29T03:30"), null)
  assert.equal(comesTwice("Europe/Berlin", "2026-10-25T02:30"), true)
  assert.equal(comesTwice("Europe/Berlin", "2026-10-25T03:30"), false)
  assert.equal(comesTwice("America/Sao_Paulo", "2026-10-25T02:30"), false)
  assert.equal(skippedTo("Nowhere", "x"), null)
})

test("[I6] mistakes are named by their field", () => {
  const good = { ...freshWindow("UTC", Date.UTC(2026, 10, 21, 2), Date.UTC(2026, 10, 21, 4)), title: "Fibre" }
  assert.equal(mistakeOf(good, 0), null)
  assert.equal(mistakeOf({ ...good, title: "  " }, 0), "title")
  assert.equal(mistakeOf({ ...good, timeZone: "Mars" }, 0), "zone")
  assert.equal(mistakeOf({ ...good, starts: "" }, 0), "starts")
  assert.equal(mistakeOf({ ...good, ends: good.starts }, 0), "ends")
  assert.equal(mistakeOf({ ...good, ends: "2027-01-21T02:00" }, 0), "long")
  assert.equal(mistakeOf({ ...good, every: "day", ends: "2026-11-23T02:00" }, 0), "long", "it would overlap itself")
  assert.equal(mistakeOf({ ...good, every: "week" }, 0), "days")
  assert.equal(mistakeOf({ ...good, every: "day", until: "2026-11-20" }, 0), "until")
  assert.equal(mistakeOf({ ...good, every: "day", until: "2026-11-21" }, 0), null)
  assert.equal(mistakeOf(good, Date.UTC(2026, 10, 21, 4)), "over")
  assert.equal(mistakeOf({ ...good, every: "day" }, Date.UTC(2026, 10, 21, 4)), null, "it comes again")
  assert.equal(bodyOf({ ...good, until: "2026-11-30" }).untilMs, null, "what happens once has no last day")
})
