/** [I7] Orders one after the other in one instant: the tenant is told the rows that there are, and whoever must be told is. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import type { EntityKey } from "#protocol/id.ts"
import { over } from "#twin/alert/rule.fixture.ts"
import type { Suppression } from "#twin/alert/suppression.ts"
import { suppressionOf } from "#twin/alert/suppression.ts"
import { device, inventory, poll } from "#twin/inventory.fixture.ts"
import { rowsOf } from "#twin/judge/alert-rows.ts"
import { judgedNetwork } from "#twin/judge/judged.fixture.ts"
import { ruleOf } from "#twin/judge/pool.fixture.ts"
import { judgeOf } from "#twin/judge/rejudge.ts"
import { at } from "#twin/network.fixture.ts"
import { stepRouter } from "#twin/router.ts"
import type { RouterState } from "#twin/router.ts"

const RULES = [
  ruleOf("cpu", over("device.cpu_pct", 85, 3600)),
  ruleOf("hot", over("device.temp_c", 70, 3600), { severity: "critical" }),
  ruleOf("down", over("interface.oper_up", 1, 3600, "last", "<")),
  ruleOf("full", over("interface.rx_errors_total", 5, 3600), { severity: "info" }),
]
const PORTS = ["e1", "e2", "e3"]

/** A router of which these entities have something to tell. */
const troubled = (cpu: boolean, hot: boolean, down: readonly string[]) => {
  const net = judgedNetwork(inventory([device("r1")]), RULES)
  const ports = PORTS.map((name) => [`if:${name}`, { "interface.oper_up": down.includes(name) ? 0 : 1 }] as const)
  net.apply(
    poll("r1", at(1), {
      "": { "device.cpu_pct": cpu ? 99 : 1, "device.temp_c": hot ? 99 : 1 },
      ...Object.fromEntries(ports),
    }),
  )
  return net
}

type Order = { readonly lift: string } | { readonly hold: Suppression }

const holding = fc
  .record({
    id: fc.constantFrom("a", "b", "c", "d"),
    kind: fc.constantFrom("dependency" as const, "mute" as const, "maintenance" as const),
    rule: fc.constantFrom(null, null, "cpu", "down"),
    entity: fc.constantFrom<Array<string | null>>(null, "", "if:e1", "if:e2", "if:e9"),
    sparesCritical: fc.boolean(),
  })
  .map((one): Order => ({ hold: { ...one, reason: `because of ${one.id}`, untilMs: null } }))
const order: fc.Arbitrary<Order> = fc.oneof(
  holding,
  fc.constantFrom("a", "b", "c", "d").map((lift) => ({ lift })),
)
const trouble = fc.record({ cpu: fc.boolean(), hot: fc.boolean(), down: fc.subarray(PORTS) })

const given = (state: RouterState, one: Order, atMs: number, judge: ReturnType<typeof judgeOf>) =>
  stepRouter(state, {
    kind: "command",
    atMs,
    judge,
    command: "lift" in one ? { kind: "lift", atMs, id: one.lift } : { kind: "suppress", atMs, suppression: one.hold },
  })

test("[I7] after every order the rows are those of the state, and the facts bring the tenant there", () => {
  fc.assert(
    fc.property(trouble, fc.array(fc.tuple(order, fc.nat(1)), { maxLength: 14 }), ({ cpu, hot, down }, orders) => {
      const { world, cells } = troubled(cpu, hot, down)
      const judge = judgeOf(world, 0)
      let state = cells.routers.state(0)
      let told = new Map((state.judgement?.rows ?? []).map((row) => [`${row.rule} ${row.entity}`, row]))
      let atMs = at(2)
      for (const [one, laterMs] of orders) {
        atMs += laterMs
        const step = given(state, one, atMs, judge)
        state = step.state
        for (const fact of step.facts) {
          if (fact.kind !== "alerts") continue
          for (const { rule, entity } of fact.ended) told.delete(`${rule} ${entity}`)
          for (const row of fact.rows) told.set(`${row.rule} ${row.entity}`, row)
        }
        assert.ok(state.judgement !== null && judge !== null)
        const rows = rowsOf(judge.plan, state.judgement.device)
        assert.deepEqual(state.judgement.rows, rows)
        told = new Map([...told].sort(([x], [y]) => (x < y ? -1 : 1)))
        assert.deepEqual(
          [...told.values()],
          rows.toSorted((x, y) => (nameOf(x) < nameOf(y) ? -1 : 1)),
        )
      }
    }),
    { numRuns: 300 },
  )
})

const nameOf = ({ rule, entity }: { readonly rule: string; readonly entity: EntityKey }): string => `${rule} ${entity}`

test("[I7] what an order leaves uncovered is told once, in that order and in no other", () => {
  fc.assert(
    fc.property(trouble, fc.array(order, { maxLength: 14 }), ({ cpu, hot, down }, orders) => {
      const { world, cells } = troubled(cpu, hot, down)
      const judge = judgeOf(world, 0)
      let state = cells.routers.state(0)
      for (const one of orders) {
        const before = state.judgement?.device.suppressions ?? []
        const step = given(state, one, at(2), judge)
        const after = step.state.judgement?.device.suppressions ?? []
        const uncovered = (state.judgement?.rows ?? []).filter(
          ({ rule, entity, severity }) =>
            suppressionOf(before, rule, entity, severity) !== null &&
            suppressionOf(after, rule, entity, severity) === null,
        )
        const firing = step.events
          .filter(({ type }) => type === "alert.firing")
          .map(({ old, entity }) => `${old} ${entity}`)
        assert.deepEqual(firing.toSorted(), uncovered.map(nameOf).toSorted())
        state = step.state
      }
    }),
    { numRuns: 300 },
  )
})
