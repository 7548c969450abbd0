/** The list over what the twin holds and what the table has: one order, whatever the page's size. */
import assert from "node:assert/strict"
import { test } from "node:test"
import * as Effect from "effect/Effect"
import fc from "fast-check"
import { writeCursor } from "#engine/api/lists.ts"
import { readCursor } from "#engine/api/lists.ts"
import { anyIncident, incident, ROUTER } from "#engine/incidents/incident.fixture.ts"
import { countIncidents, incidentPage, type IncidentFilter, type ReadStored } from "#engine/incidents/incident-list.ts"
import { rowOf } from "#engine/incidents/row.ts"
import type { IncidentView } from "#protocol/incident.ts"

const order = (a: IncidentView, b: IncidentView): number =>
  Number(a.state === "closed") - Number(b.state === "closed") ||
  b.startsAtMs - a.startsAtMs ||
  (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)

/** What the table would answer. `stops` = it looks at so few at a time and says where it stopped. */
const tableOf =
  (views: readonly IncidentView[], stops: number | null = null): ReadStored<never, never> =>
  (after, limit) => {
    const behind = views
      .toSorted(order)
      .filter(
        ({ startsAtMs, id }) =>
          after === null || startsAtMs < after.startsAtMs || (startsAtMs === after.startsAtMs && id > after.id),
      )
    const rows = behind.slice(0, Math.min(limit, stops ?? limit)).map(rowOf)
    const last = rows.at(-1)
    const isStopped = stops !== null && rows.length < limit && rows.length < behind.length && last !== undefined
    return Effect.succeed({ rows, stoppedAt: isStopped ? last : null })
  }
const none = tableOf([])

const page = (
  held: readonly IncidentView[],
  filter: IncidentFilter,
  stored: ReadStored<never, never>,
  cursor?: string,
) => Effect.runSync(incidentPage(held, filter, "ana", cursor, ({ impact }) => impact.sites, stored))

const everything = (
  held: readonly IncidentView[],
  filter: IncidentFilter,
  stored: ReadStored<never, never>,
): readonly string[] => {
  const found: string[] = []
  for (let cursor: string | undefined; ;) {
    const one = page(held, filter, stored, cursor)
    assert.ok(one !== null)
    assert.ok(one.items.length <= (filter.limit ?? 100))
    found.push(...one.items.map(({ id }) => id))
    if (one.next === null) return found
    cursor = readCursor(one.next) ?? undefined
    assert.ok(found.length < 1_000, "a list without an end")
  }
}

const unlike = fc.uniqueArray(anyIncident, { selector: ({ id }) => id, maxLength: 24 })

test("[I12] pages of any size, with a table that stops anywhere, are the one list of both in order", () => {
  fc.assert(
    fc.property(
      unlike,
      fc.nat(24),
      fc.integer({ min: 1, max: 9 }),
      fc.option(fc.integer({ min: 1, max: 4 })),
      (all, cut, limit, stops) => {
        // Few instants, so that many rows share one.
        const near = all.map((view) => ({ ...view, startsAtMs: view.startsAtMs % 3 }))
        const held = near.slice(0, cut)
        const closed = near.slice(cut).map((view) => ({ ...view, state: "closed" as const }))
        const wanted = [...held, ...closed].toSorted(order).map(({ id }) => id)
        assert.deepEqual(everything(held, { limit }, tableOf(closed, stops)), wanted)
      },
    ),
  )
})

test("the table is not asked for what is not closed, and not before its turn", () => {
  let asked = 0
  const counting: ReadStored<never, never> = (after, limit) => {
    asked++
    return none(after, limit)
  }
  const open = Array.from({ length: 5 }, (_, n) => incident({ id: `${n}-0`, state: "open" }))
  page(open, { state: "open" }, counting)
  page(open, { state: "recovering" }, counting)
  page(open, { limit: 4 }, counting)
  assert.equal(asked, 0)
  page(open, { limit: 5 }, counting)
  page(open, { state: "closed" }, counting)
  assert.equal(asked, 2)
})

test("each filter leaves out what does not fit", () => {
  const one = incident({ id: "1-0", state: "open", endsAtMs: null, severity: "critical", assignee: "ana" })
  const causes = [{ ...incident().causes[0]!, members: [ROUTER] }]
  const two = incident({ id: "2-0", state: "recovering", causes, impact: { ...incident().impact, sites: ["a"] } })
  const three = incident({
    id: "3-0",
    startsAtMs: 9_000_000,
    endsAtMs: 9_100_000,
    causes: [],
    title: "else",
    ack: { by: "ana", atMs: 0, untilMs: 1 },
  })
  const ids = (filter: IncidentFilter) => page([one, two, three], filter, none)?.items.map(({ id }) => id)
  assert.deepEqual(ids({}), ["1-0", "2-0", "3-0"])
  assert.deepEqual(ids({ state: "recovering" }), ["2-0"])
  assert.deepEqual(ids({ severity: "critical" }), ["1-0"])
  assert.deepEqual(ids({ cause: "router" }), ["2-0"])
  assert.deepEqual(ids({ cause: "unknown" }), ["3-0"])
  assert.deepEqual(ids({ site: "a" }), ["2-0"])
  assert.deepEqual(ids({ mine: "true" }), ["1-0", "3-0"])
  assert.deepEqual(ids({ mine: "false" }), ["2-0"])
  assert.deepEqual(ids({ q: "ELSE" }), ["3-0"])
  assert.deepEqual(ids({ from: 5_000_000 }), ["1-0", "3-0"], "what goes on lasts into any stretch")
  assert.deepEqual(ids({ to: 5_000_000 }), ["1-0", "2-0"])
  assert.deepEqual(countIncidents([one, two, three], "ana"), {
    open: 1,
    recovering: 1,
    critical: 1,
    warn: 1,
    info: 0,
    unacknowledged: 2,
    mine: 1,
  })
})

test("a cursor that this list did not give out is refused", () => {
  for (const cursor of ["", "x", "[]", '[2,1,"a"]', '[1,1.5,"a"]', '[1,1e400,"a"]', "[1,1,2]", "{}"])
    assert.equal(page([], {}, none, cursor), null, cursor)
  assert.equal(readCursor(writeCursor("x")), "x")
})
