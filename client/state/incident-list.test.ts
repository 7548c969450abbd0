/** The triage of incidents: order, filters, what "mine" and "with nobody" mean, and the sums over the list. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { isMine, LIVE, needsSomebody, shownIncidents, tallyOf, triageOrder } from "#client/state/incident-list.ts"
import { INCIDENT_STATES } from "#protocol/incident.ts"
import type { IncidentRow } from "#protocol/incident.ts"
import { ALERT_SEVERITIES } from "#protocol/rule.ts"

const row = (part: Partial<IncidentRow> = {}): IncidentRow => ({
  id: "1-0",
  title: "CR1 unreachable — São Paulo",
  state: "open",
  severity: "warn",
  startsAtMs: 1_000,
  endsAtMs: null,
  updatedAtMs: 1_000,
  cause: { members: [{ fault: "router", kind: "device", id: "d1", name: "CR1-SAO-01" }], confidence: 0.8 },
  alerts: 3,
  suppressed: 2,
  impact: { sites: 1, devices: 3, subscribers: { count: 100, quality: "estimated", atMs: 900 }, subscribersPart: 0.1 },
  ack: null,
  assignee: null,
  escalated: false,
  during: null,
  ...part,
})
const hit = (count: number | null): IncidentRow["impact"] => ({
  sites: 1,
  devices: 1,
  subscribers: count === null ? null : { count, quality: "measured", atMs: 1 },
  subscribersPart: null,
})
const ack = { by: "ana", atMs: 1, untilMs: 2 }

const anyRow = fc
  .record({
    id: fc.integer({ min: 0, max: 999 }).map((n) => `${n}-0`),
    state: fc.constantFrom(...INCIDENT_STATES),
    severity: fc.constantFrom(...ALERT_SEVERITIES),
    startsAtMs: fc.integer({ min: 0, max: 9 }),
    impact: fc.option(fc.integer({ min: 0, max: 3 }), { nil: null }).map(hit),
    ack: fc.constantFrom(null, ack),
    assignee: fc.constantFrom(null, "ana", "bia"),
    during: fc.constantFrom(null, "maintenance" as const, "change" as const),
  })
  .map(row)

test("[I11] triage: not over, then severe, then with nobody, then many customers, then new", () => {
  const ids = (rows: readonly IncidentRow[]) => shownIncidents(rows, { ...LIVE, state: "all" }, "").map(({ id }) => id)
  assert.deepEqual(
    ids([
      row({ id: "over", state: "closed", severity: "critical", startsAtMs: 9_000 }),
      row({ id: "over-later", state: "closed", severity: "info", startsAtMs: 9_999 }),
      row({ id: "recovering", state: "recovering", severity: "critical" }),
      row({ id: "old", startsAtMs: 500 }),
      row({ id: "new", startsAtMs: 2_000 }),
      row({ id: "many", impact: hit(5_000) }),
      row({ id: "unknown", impact: hit(null), startsAtMs: 8_000 }),
      row({ id: "taken", ack, impact: hit(9_000) }),
      row({ id: "worst", severity: "critical", impact: hit(1) }),
      row({ id: "planned", during: "maintenance", impact: hit(9_999) }),
    ]),
    ["worst", "many", "new", "old", "unknown", "planned", "taken", "recovering", "over-later", "over"],
  )
})

test("[I11] the order is total: whatever comes first, the same list comes out, and nothing is lost", () => {
  fc.assert(
    fc.property(fc.uniqueArray(anyRow, { selector: ({ id }) => id, maxLength: 30 }), (rows) => {
      const all = { ...LIVE, state: "all" } as const
      const one = shownIncidents(rows, all, "ana")
      assert.deepEqual(shownIncidents([...rows].reverse(), all, "ana"), one)
      assert.equal(one.length, rows.length)
      for (let at = 1; at < one.length; at++) {
        assert.ok(triageOrder(one[at - 1] as IncidentRow, one[at] as IncidentRow) < 0)
      }
    }),
  )
})

test("[I11] filters: state, severity, mine, with nobody; they only take away", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(anyRow, { selector: ({ id }) => id, maxLength: 20 }),
      fc.constantFrom("live", "all", ...INCIDENT_STATES),
      fc.boolean(),
      fc.boolean(),
      (rows, state, mine, needsYou) => {
        const shown = shownIncidents(rows, { ...LIVE, state, mine, needsYou }, "ana")
        const wanted = rows.filter(
          (one) =>
            (state === "all" || (state === "live" ? one.state !== "closed" : one.state === state)) &&
            (!mine || one.assignee === "ana" || one.ack?.by === "ana") &&
            (!needsYou || (one.state !== "closed" && one.ack === null && one.assignee === null && one.during === null)),
        )
        assert.deepEqual(new Set(shown), new Set(wanted))
      },
    ),
  )
})

test("[I11] words are found in title, cause and people, without case and accents; all of them must be there", () => {
  const found = (text: string, part: Partial<IncidentRow> = {}) =>
    shownIncidents([row(part)], { ...LIVE, text }, "").length === 1
  assert.equal(
    shownIncidents([row()], { ...LIVE, text: "qsfp-7" }, "", new Set(["1-0"])).length,
    1,
    "the engine says so",
  )
  for (const text of ["sao paulo", "UNREACHABLE cr1", "cr1-sao", "router", "1-0", "  "]) assert.ok(found(text), text)
  assert.ok(found("bia", { assignee: "Bia" }))
  assert.ok(found("ana", { ack }))
  for (const text of ["recife", "cr1 recife", "congestion"]) assert.ok(!found(text), text)
  assert.ok(
    found("recife", { cause: null, title: "Recife: cause unknown" }),
    "an incident without a cause is found too",
  )
})

test("[I11] mine is what I acknowledged or what is assigned to me; nobody signed in has nothing", () => {
  assert.ok(isMine({ ack, assignee: null }, "ana"))
  assert.ok(isMine({ ack: null, assignee: "ana" }, "ana"))
  assert.ok(!isMine({ ack, assignee: "bia" }, "caio"))
  assert.ok(!isMine({ ack: { ...ack, by: "" }, assignee: "" }, ""))
})

test("[I6] what planned work explains waits for nobody, and neither does what is over", () => {
  assert.ok(needsSomebody(row()))
  assert.ok(needsSomebody(row({ state: "recovering" })))
  for (const part of [{ ack }, { assignee: "ana" }, { during: "change" as const }, { state: "closed" as const }]) {
    assert.ok(!needsSomebody(row(part)), JSON.stringify(part))
  }
})

test("[X1] sums count what is known and say when nothing is", () => {
  const rows = [
    row({ severity: "critical", impact: hit(40) }),
    row({ impact: hit(null), ack }),
    row({ impact: hit(2) }),
    row({ state: "closed", severity: "critical", impact: hit(9_000) }),
  ]
  assert.deepEqual(tallyOf(rows), { live: 3, critical: 1, needsYou: 2, subscribers: 42 })
  const blackout = (count: number): IncidentRow["impact"] => ({ ...hit(count), subscribersPart: 1 })
  const both = [row({ impact: blackout(16_018) }), row({ impact: blackout(16_015) })]
  assert.equal(tallyOf(both).subscribers, 16_018, "two outages that hit everybody hit nobody twice")
  assert.equal(tallyOf([...both, row({ impact: hit(40) })]).subscribers, 16_018)
  assert.equal(
    tallyOf([row({ impact: { ...hit(10), subscribersPart: 0.1 } }), row({ impact: hit(40) })]).subscribers,
    50,
  )
  assert.equal(tallyOf([row({ impact: hit(null) })]).subscribers, null, "not known is not zero")
  assert.deepEqual(tallyOf([]), { live: 0, critical: 0, needsYou: 0, subscribers: null })
})
