/** [I6] [W17] What the tenant orders reaches the alerts of a router within the same input, bounded, and the same in a replay. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { over } from "#twin/alert/rule.fixture.ts"
import type { Suppression } from "#twin/alert/suppression.ts"
import type { Cells } from "#twin/cells.ts"
import { BEHAVIOURS, NO_STATES, plainBank } from "#twin/cells.ts"
import { hashTwin } from "#twin/hash.ts"
import type { Input } from "#twin/input.ts"
import { device, inventory, poll, T0 } from "#twin/inventory.fixture.ts"
import { alertViews } from "#twin/judge/alert-view.ts"
import { ruleOf, rulesInput } from "#twin/judge/pool.fixture.ts"
import { at } from "#twin/network.fixture.ts"
import { newWorld, runRound } from "#twin/round.ts"

const suppression = (reason: string): Suppression => ({
  id: "incident:1",
  kind: "dependency",
  rule: null,
  entity: null,
  reason,
  untilMs: null,
  sparesCritical: false,
})

/** A tenant that holds r2 back as soon as r1 fires, and lets it go when r1 is well; `eager` = it never stops ordering. */
const cellsOf = (eager: boolean): Cells => {
  let orders = 0
  const tenant: typeof BEHAVIOURS.tenant = (state, msg) => {
    const step = BEHAVIOURS.tenant(state, msg)
    if (msg.kind !== "facts" || msg.alerts.length === 0) return step
    const turn = msg.alerts.find(({ slot }) => slot === 0)
    const again = eager ? msg.alerts.find(({ slot }) => slot === 1) : undefined
    if (turn === undefined && again === undefined) return step
    const fires = (turn ?? again)?.rows.some((row) => row.state === "firing") === true
    const command = fires
      ? ({ kind: "suppress", atMs: msg.atMs, suppression: suppression(`r1 is to blame, ${++orders}`) } as const)
      : ({ kind: "lift", atMs: msg.atMs, id: "incident:1" } as const)
    return { ...step, facts: [{ kind: "order", slot: 1, command }] }
  }
  const die = (_slot: number, error: unknown): never => {
    throw error
  }
  return {
    routers: plainBank(NO_STATES.routers, BEHAVIOURS.router, die),
    links: plainBank(NO_STATES.links, BEHAVIOURS.link, die),
    tenant: plainBank([NO_STATES.tenant], tenant, die),
  }
}

const cpu = (name: string, second: number, value: number): Input =>
  poll(name, at(second), { "": { "device.cpu_pct": value } })
const STORY: readonly Input[] = [
  { kind: "topology", atMs: T0, rev: 1, inventory: inventory([device("r1"), device("r2")]) },
  rulesInput([ruleOf("cpu", over("device.cpu_pct", 85, 3600))]),
  cpu("r1", 1, 90),
  cpu("r2", 2, 90),
  cpu("r1", 10, 10),
]
const folded = (inputs: readonly Input[], eager = false) => {
  const [world, cells] = [newWorld(), cellsOf(eager)]
  const { events } = runRound(
    world,
    cells,
    inputs.map((input, index) => ({ seq: index + 1, input })),
  )
  return { world, cells, told: events.filter(({ type }) => type.startsWith("alert.")).map(({ type }) => type) }
}

test("[I6] the order is obeyed in the input that caused it, and its end tells what is still so", () => {
  const early = folded(STORY.slice(0, 4))
  const held = alertViews(early.world, early.cells).map(({ deviceName, heldBack }) => [deviceName, heldBack?.by])
  assert.deepEqual(held, [
    ["r2", "dependency"],
    ["r1", undefined],
  ])
  assert.deepEqual(early.told, ["alert.firing", "alert.suppressed"])
  assert.deepEqual(folded(STORY).told, ["alert.firing", "alert.suppressed", "alert.resolved", "alert.firing"])
})

test("[I6] a tenant that answers each effect of its own orders with another order is stopped, not followed for ever", () => {
  const { told } = folded(STORY.slice(0, 4), true)
  assert.deepEqual(told, ["alert.firing", "alert.suppressed"])
})

test("[I4] orders are part of the fold: hash by hash the same", () => {
  const [one, other] = [folded(STORY), folded(STORY)]
  assert.equal(hashTwin(one.world, one.cells), hashTwin(other.world, other.cells))
})
