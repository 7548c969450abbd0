/** The inbox without a screen: what a key accepts, what a bulk takes, what was decided, where the keyboard goes next. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { afterOf, asLink, asRole, BULK_MAX, bulkOf, historyOf, hurdleOf } from "#client/state/proposals-list.ts"
import type { Proposal } from "#client/state/proposals-list.ts"
import type { LinkProposal, RoleProposal } from "#protocol/rest-generated.ts"

const link = (id: string, change: Partial<LinkProposal> = {}): LinkProposal => ({
  id,
  state: "open",
  a: { device: `a-${id}`, deviceName: "A", interface: "ether1" },
  b: { device: `b-${id}`, deviceName: "B", interface: "ether2" },
  confidence: 0.9,
  evidence: [],
  speedBps: null,
  contradicts: null,
  against: null,
  decided: null,
  link: null,
  ...change,
})
const role = (id: string, change: Partial<RoleProposal> = {}): RoleProposal => ({
  id,
  state: "open",
  device: { id: `d-${id}`, name: "D" },
  role: "rr",
  declared: [],
  confidence: 0.9,
  because: "",
  decided: null,
  ...change,
})
const noPort = { device: "b", deviceName: "B", interface: null }

test("[W1] a missing port, or a declared link that would move, is never accepted by one key", () => {
  assert.equal(hurdleOf(asLink(link("1"))), "none")
  assert.equal(hurdleOf(asLink(link("1", { b: noPort }))), "port")
  assert.equal(hurdleOf(asLink(link("1", { contradicts: { id: "l", name: "L" } }))), "moves")
  assert.equal(hurdleOf(asLink(link("1", { a: noPort, contradicts: { id: "l", name: "L" } }))), "port")
  assert.equal(hurdleOf(asRole(role("1"))), "none")
})

const anyLink = fc.record({
  confidence: fc.double({ min: 0, max: 0.99, noNaN: true }),
  state: fc.constantFrom("open" as const, "accepted" as const),
  port: fc.constantFrom("ether1", "ether2", null),
  moves: fc.boolean(),
  device: fc.constantFrom("x", "y", "z"),
})
const all = fc.array(anyLink, { maxLength: 40 }).map((rows): readonly Proposal[] =>
  rows.map(({ confidence, state, port, moves, device }, at) =>
    asLink(
      link(String(at), {
        confidence,
        state,
        a: { device, deviceName: device, interface: port },
        contradicts: moves ? { id: "l", name: "L" } : null,
      }),
    ),
  ),
)

test("[W1] a bulk takes only what is open, sure enough and clear, and no port twice; the rest is shown as left", () => {
  fc.assert(
    fc.property(all, fc.double({ min: 0, max: 1, noNaN: true }), (rows, least) => {
      const { taken, left } = bulkOf(rows, least)
      const sure = rows.filter(({ row }) => row.state === "open" && row.confidence >= least)
      assert.deepEqual(new Set([...taken, ...left]), new Set(sure))
      assert.equal(taken.length + left.length, sure.length)
      const ports = taken.flatMap(({ row }) => ("a" in row ? [`${row.a.device} ${row.a.interface}`] : []))
      assert.equal(new Set(ports).size, ports.length)
      for (const one of taken) assert.equal(hurdleOf(one), "none")
    }),
  )
})

test("[W1] of two that want one port the surer is taken, and a bulk has an end", () => {
  const port = { device: "x", deviceName: "X", interface: "ether1" }
  const [weak, sure] = [link("weak", { a: port, confidence: 0.8 }), link("sure", { b: port, confidence: 0.95 })]
  const { taken, left } = bulkOf([asLink(weak), asLink(sure)], 0.5)
  assert.deepEqual([taken.map(({ id }) => id), left.map(({ id }) => id)], [["sure"], ["weak"]])
  const many = Array.from({ length: BULK_MAX + 7 }, (_, at) => asLink(link(String(at))))
  const bulk = bulkOf(many, 0.9)
  assert.deepEqual([bulk.taken.length, bulk.left.length], [BULK_MAX, 7])
})

test("[W1] two roles for one device are not both taken at once: the second is looked at", () => {
  const device = { id: "d", name: "D" }
  const { taken, left } = bulkOf(
    [asRole(role("1", { device })), asRole(role("2", { device, role: "bng", confidence: 0.95 }))],
    0.9,
  )
  assert.deepEqual([taken.map(({ id }) => id), left.map(({ id }) => id)], [["2"], ["1"]])
})

test("[W2] history: newest decision first, open ones are none", () => {
  const at = (atMs: number) => ({ state: "accepted" as const, decided: { by: "maria", atMs, note: "" } })
  const rows = [asLink(link("old", at(1))), asRole(role("new", at(9))), asLink(link("open"))]
  assert.deepEqual(
    historyOf(rows).map(({ id }) => id),
    ["new", "old"],
  )
})

test("[W1] after a decision the keyboard stands on the next row, at the end on the one before, and nowhere in an empty list", () => {
  const rows = ["a", "b", "c"].map((one) => asLink(link(one)))
  assert.equal(afterOf(rows, 0), "b")
  assert.equal(afterOf(rows, 2), "b")
  assert.equal(afterOf(rows.slice(0, 1), 0), null)
})
