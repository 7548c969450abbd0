/** [I12] Pages of incidents that are over: none twice, none lost when the first page is read anew, and when to say that there is more. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { addPage, moreOf, questionOf, readAnew, textOf, together } from "#client/state/closed-incidents.ts"
import type { Shelf } from "#client/state/closed-incidents.ts"
import { LIVE } from "#client/state/incident-list.ts"
import { LIST_ROWS } from "#client/state/pages.ts"
import type { IncidentRow } from "#protocol/incident.ts"

const row = (nth: number, part: Partial<IncidentRow> = {}): IncidentRow => ({
  id: `${nth}-0`,
  title: `outage ${nth}`,
  state: "closed",
  severity: "warn",
  startsAtMs: nth,
  endsAtMs: nth,
  updatedAtMs: nth,
  cause: null,
  alerts: 1,
  suppressed: 0,
  impact: { sites: 1, devices: 1, subscribers: null, subscribersPart: null },
  ack: null,
  assignee: null,
  escalated: false,
  during: null,
  ...part,
})
const rows = (from: number, to: number): readonly IncidentRow[] =>
  Array.from({ length: to - from }, (_, nth) => row(from + nth))
const shelf = (items: readonly IncidentRow[], next: string | null, question = "q"): Shelf => ({
  question,
  page: { items, next },
})
const ids = ({ page }: Shelf): readonly string[] => page.items.map(({ id }) => id)

test("[I12] a further page is added, what moved into it meanwhile is not shown twice", () => {
  const both = addPage(shelf(rows(0, 5), "a"), { items: rows(4, 8), next: null })
  assert.deepEqual(
    ids(both),
    rows(0, 8).map(({ id }) => id),
  )
  assert.equal(moreOf(both), null)
})

test("[I12] the first page read anew keeps what was opened behind it, and what was asked otherwise does not stay", () => {
  const opened = shelf(rows(0, 8), "c")
  const anew = shelf([row(-1), ...rows(0, 3)], "b")
  assert.deepEqual(
    ids(readAnew(opened, anew)),
    rows(-1, 8).map(({ id }) => id),
  )
  assert.equal(readAnew(opened, anew).page.next, "c", "it goes on where it had stopped")
  assert.deepEqual(ids(readAnew(opened, shelf(rows(0, 3), "b", "other"))), ids(shelf(rows(0, 3), null)))
  assert.deepEqual(
    ids(readAnew(opened, shelf(rows(0, 3), null))),
    ids(shelf(rows(0, 3), null)),
    "the first page is all there is",
  )
  assert.equal(readAnew(shelf(rows(0, 3), "a"), anew).page.next, "b")
})

test("[I12] there is more, or there is not, or no more fits", () => {
  assert.equal(moreOf(shelf(rows(0, 3), null)), null)
  assert.deepEqual(moreOf(shelf(rows(0, 3), "a")), { shown: 3, isFull: false })
  const full = addPage(shelf(rows(0, LIST_ROWS - 1), "a"), { items: rows(LIST_ROWS, LIST_ROWS + 9), next: "b" })
  assert.deepEqual(moreOf(full), { shown: LIST_ROWS, isFull: true })
  assert.equal(full.page.next, null, "nothing is asked that does not fit")
})

test("[I12] each incident stands once, as the first list says: one that goes on again is not over", () => {
  const merged = together([row(3, { state: "open" })], rows(2, 5), rows(0, 4))
  assert.deepEqual(merged.map(({ id }) => id).toSorted(), ["0-0", "1-0", "2-0", "3-0", "4-0"])
  assert.equal(merged.find(({ id }) => id === "3-0")?.state, "open")
  const lists = fc.array(
    fc.array(
      fc.integer({ min: 0, max: 9 }).map((nth) => row(nth)),
      { maxLength: 6 },
    ),
    { maxLength: 4 },
  )
  fc.assert(
    fc.property(lists, (some) => {
      const all = together(...some)
      assert.equal(new Set(all.map(({ id }) => id)).size, all.length)
      for (const one of some.flat())
        assert.equal(
          all.find(({ id }) => id === one.id),
          some.flat().find(({ id }) => id === one.id),
        )
    }),
  )
})

test("[I12] the question is what the engine is asked: blanks around a text and other screens' filters change nothing", () => {
  assert.equal(questionOf(LIVE, " core "), questionOf({ ...LIVE, needsYou: true } as typeof LIVE, "core"))
  assert.notEqual(questionOf(LIVE, "core"), questionOf(LIVE, ""))
  for (const part of [{ severity: "warn" }, { mine: true }, { fromMs: 1 }, { toMs: 1 }, { cause: "link" }] as const)
    assert.notEqual(questionOf({ ...LIVE, ...part }, ""), questionOf(LIVE, ""), JSON.stringify(part))
  assert.equal(textOf("x".repeat(900)).length, 200, "the engine takes no more")
})
