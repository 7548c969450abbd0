/** The triage list: nothing is lost by grouping, the worst stands on top, thousands of rows are a window of a few. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { ALL, firingCounts, rowsOf, shownAlerts, sliceOf, stepped, worstFirst } from "#client/state/alert-list.ts"
import { ALERT_STATES, HELD_BACK_BY } from "#protocol/alert.ts"
import type { Alert } from "#protocol/rest-generated.ts"
import { ALERT_SEVERITIES } from "#protocol/rule.ts"

const alert = (part: Partial<Alert>): Alert => ({
  id: "d.r.",
  rule: "cpu-high",
  ruleName: "CPU busy",
  version: "v",
  device: "d1",
  deviceName: "AG1-SÃO",
  site: "sao-1",
  entity: "",
  state: "firing",
  severity: "warn",
  sinceMs: 1_000,
  firedMs: 1_000,
  knownMs: 2_000,
  flapping: false,
  ack: null,
  heldBack: null,
  summary: "CPU of AG1-SÃO is at 97 %",
  runbook: "docs/runbooks/cpu-high.md",
  ...part,
})
const some = fc.array(
  fc
    .record({
      device: fc.constantFrom("d1", "d2", "d3"),
      rule: fc.constantFrom("r1", "r2"),
      severity: fc.constantFrom(...ALERT_SEVERITIES),
      state: fc.constantFrom(...ALERT_STATES),
      sinceMs: fc.nat(5),
      held: fc.option(fc.constantFrom(...HELD_BACK_BY)),
    })
    .map(({ held, ...part }) => ({
      ...part,
      heldBack: held === null ? null : { by: held, reason: "r", untilMs: null },
    })),
  { maxLength: 40 },
)
const numbered = (parts: readonly Partial<Alert>[]) => parts.map((part, nth) => alert({ ...part, id: `${nth}` }))

test("[I3] the order is total: worst, firing, newest, and the same for every arrival", () => {
  fc.assert(
    fc.property(some, fc.nat(), (parts, turn) => {
      const alerts = numbered(parts)
      const turned = [...alerts.slice(turn % (alerts.length + 1)), ...alerts.slice(0, turn % (alerts.length + 1))]
      assert.deepEqual([...alerts].sort(worstFirst), [...turned].sort(worstFirst))
    }),
  )
  const order = [
    alert({ id: "a", severity: "critical", state: "firing", sinceMs: 9 }),
    alert({ id: "b", severity: "critical", state: "firing", sinceMs: 5 }),
    alert({ id: "c", severity: "critical", state: "pending", sinceMs: 10 }),
    alert({ id: "d", severity: "warn", state: "firing", sinceMs: 11 }),
    alert({ id: "e", severity: "info", state: "firing", sinceMs: 12 }),
  ]
  assert.deepEqual(
    shownAlerts(order.toReversed(), ALL, String).map(({ id }) => id),
    ["a", "b", "c", "d", "e"],
  )
})

test("[I3] grouping keeps every alert once; a closed group shows its head with its count", () => {
  fc.assert(
    fc.property(some, fc.constantFrom("device", "rule"), (parts, by) => {
      const sorted = shownAlerts(numbered(parts), ALL, String)
      const open = rowsOf(sorted, by, new Set())
      const drawn = open.flatMap((row) => (row.kind === "alert" ? [row.alert.id] : []))
      assert.deepEqual([...drawn].sort(), sorted.map(({ id }) => id).sort())
      const heads = open.flatMap((row) => (row.kind === "group" ? [row] : []))
      assert.equal(
        heads.reduce((sum, { count }) => sum + count, 0),
        sorted.length,
      )
      assert.equal(new Set(heads.map(({ key }) => key)).size, heads.length)
      const shut = rowsOf(sorted, by, new Set(heads.map(({ key }) => key)))
      assert.deepEqual(
        shut.map((row) => row.kind),
        heads.map(() => "group"),
      )
      if (heads[0] !== undefined) assert.equal(heads[0].severity, sorted[0]?.severity, "the worst group leads")
    }),
  )
})

test("filters: severity, state, site, held back or told, words without accents", () => {
  const mute = { by: "mute", reason: "known", untilMs: 9 } as const
  const alerts = [
    alert({ id: "1", severity: "critical", site: "rio-1", heldBack: mute }),
    alert({ id: "2", state: "pending", entity: "if:ether7" }),
    alert({ id: "3", heldBack: { by: "maintenance", reason: "fibre", untilMs: null } }),
  ]
  const ids = (filter: object) =>
    shownAlerts(alerts, { ...ALL, ...filter }, (site) => (site === "rio-1" ? "Rio Norte" : "São"))
      .map(({ id }) => id)
      .sort()
      .join("")
  assert.equal(ids({}), "123")
  assert.equal(ids({ severity: "critical" }), "1")
  assert.equal(ids({ state: "pending" }), "2")
  assert.equal(ids({ site: "rio-1" }), "1")
  assert.equal(ids({ held: "told" }), "2")
  assert.equal(ids({ held: "held" }), "13")
  assert.equal(ids({ held: "maintenance" }), "3")
  assert.equal(ids({ text: "ag1-sao ETHER7" }), "2")
  assert.equal(ids({ text: "rio norte" }), "1")
  assert.equal(ids({ text: "nothing of this" }), "")
})

test("the cursor stays inside; the drawn slice covers what is seen and little more", () => {
  assert.equal(stepped(0, 3, 1), -1)
  assert.equal(stepped(5, -1, 1), 0)
  assert.equal(stepped(5, -1, -1), 4)
  assert.equal(stepped(5, 4, 1), 4)
  assert.equal(stepped(5, 0, -9), 0)
  fc.assert(
    fc.property(fc.nat(10_000), fc.nat(400_000), fc.integer({ min: 1, max: 2_000 }), (count, top, height) => {
      const { first, end } = sliceOf(count, top, height, 40)
      assert.ok(first >= 0 && end <= count && first <= end)
      assert.ok(end - first <= Math.ceil(height / 40) + 13, "the DOM does not grow with the list")
      for (let row = Math.floor(top / 40); row * 40 < top + height && row < count; row++)
        assert.ok(row >= first && row < end)
    }),
  )
})

test("[X1] the badge counts what fires and nobody has taken", () => {
  const ack = { by: "ana", atMs: 1, untilMs: 2 }
  const counts = firingCounts([
    alert({ severity: "critical" }),
    alert({ severity: "critical", state: "recovering" }),
    alert({ severity: "critical", state: "pending" }),
    alert({ severity: "critical", ack }),
    alert({ severity: "warn" }),
    alert({ severity: "info" }),
  ])
  assert.deepEqual(counts, { critical: 2, warn: 1 })
})
