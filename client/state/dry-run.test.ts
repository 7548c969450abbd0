/** The picture of a dry run: every alert is a bar inside the range, sums are those of the engine and of the spans. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { LINES_MAX, linesOf, sumsOf, THINNEST, ticksOf } from "#client/state/dry-run.ts"
import type { WouldBe } from "#client/state/dry-run.ts"

const DAY = 86_400_000
const would = (device: string, fromMs: number, toMs: number | null): WouldBe => ({
  device,
  deviceName: device,
  entity: "",
  fromMs,
  toMs,
  severity: "warn",
  summary: "",
})
const some = fc.array(
  fc.record({
    device: fc.constantFrom("a", "b", "c"),
    from: fc.integer({ min: -50, max: 1_100 }),
    length: fc.option(fc.nat(400)),
  }),
  { maxLength: 30 },
)

test("[I1] every would-be alert is one bar, inside the range and wide enough to be seen", () => {
  fc.assert(
    fc.property(some, (spans) => {
      const alerts = spans.map(({ device, from, length }) =>
        would(device, from, length === null ? null : from + length),
      )
      const lines = linesOf(alerts, 0, 1_000)
      assert.equal(lines.flatMap(({ bars }) => bars).length, alerts.length)
      for (const { bars } of lines)
        for (const { left, width, alert, open } of bars) {
          assert.ok(
            left >= 0 && left <= 1 && width >= THINNEST && left + width <= 1 + THINNEST,
            JSON.stringify([left, width]),
          )
          assert.equal(open, alert.toMs === null)
        }
      for (const [nth, line] of lines.entries())
        if (nth > 0) assert.ok(line.bars.length <= (lines[nth - 1]?.bars.length ?? 0))
    }),
  )
  const many = Array.from({ length: 90 }, (_, nth) => would(`d${nth}`, 1, 2))
  assert.equal(linesOf(many, 0, 10).length, LINES_MAX)
})

test("[I1] sums: the engine's counts, told per day, and time that overlaps counted once", () => {
  const alerts = [would("a", 0, DAY / 4), would("b", DAY / 8, DAY / 2), would("b", (DAY * 7) / 8, null)]
  const run = { fromMs: 0, toMs: DAY, inputs: 1, tookMs: 1, rules: [{ id: "r", fired: 9, told: 6, alerts }] }
  assert.deepEqual(sumsOf(run, "r"), { fired: 9, told: 6, perDay: 6, entities: 2, busy: 0.625 })
  assert.equal(sumsOf(run, "other"), null)
  assert.equal(sumsOf({ ...run, toMs: 2 * DAY }, "r")?.perDay, 3)
})

test("[I1] ticks stand at round local times, a handful of them", () => {
  fc.assert(
    fc.property(
      fc.nat(2_000_000_000),
      fc.integer({ min: 60, max: 31 * 86_400 }),
      fc.constantFrom(-3, 0, 5.5),
      (start, seconds, hours) => {
        const fromMs = start * 1_000
        const offset = hours * 3_600_000
        const ticks = ticksOf(fromMs, fromMs + seconds * 1_000, offset)
        assert.ok(ticks.length <= 10, `${ticks.length}`)
        for (const [share, at] of ticks) {
          assert.ok(share >= 0 && share <= 1)
          assert.ok((at + offset) % 60_000 === 0)
        }
      },
    ),
  )
})
