/** [I1] Other rules reach every router soon, never all at once, and none is judged by what no longer counts for long. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import { isLit } from "#twin/alert/alert.ts"
import { over } from "#twin/alert/rule.fixture.ts"
import { device, idOf, inventory, poll, silence } from "#twin/inventory.fixture.ts"
import { judgedNetwork } from "#twin/judge/judged.fixture.ts"
import type { JudgedNetwork } from "#twin/judge/judged.fixture.ts"
import { EARLIER_MAX } from "#twin/judge/judging.ts"
import { ruleOf, rulesInput, silenceOf, silencesInput } from "#twin/judge/pool.fixture.ts"
import { STEP_ENTITIES, STEP_MS, STEP_ROUTERS, walkAgain, walkStep } from "#twin/judge/walk.ts"
import { at } from "#twin/network.fixture.ts"
import { forkTwin } from "#twin/fork.ts"

const CPU = ruleOf("cpu", over("device.cpu_pct", 85, 3600))
const HOT = ruleOf("hot", over("device.temp_c", 60, 3600))
const MANY = 30
const names = Array.from({ length: MANY }, (_, n) => `r${n}`)
const tick = (second: number) => ({ kind: "tick", atMs: at(second) }) as const
const cpu = (name: string, second: number, value: number) =>
  poll(name, at(second), { "": { "device.cpu_pct": value, "device.temp_c": value } })

/** Thirty routers whose CPU alert fires; one step of a walk tells two of them. */
const burning = (): JudgedNetwork => {
  const net = judgedNetwork(inventory(names.map((name) => device(name))), [CPU])
  for (const name of names) net.apply(cpu(name, 1, 90))
  assert.equal(net.alerts().length, MANY)
  net.world.stepEntities = 10
  return net
}

describe("a walk", () => {
  test("[I1] alerts of a rule that is gone end a few in each input, all of them in one circle, each told once", () => {
    const net = burning()
    const told: number[] = []
    told.push(net.apply(rulesInput([HOT], at(2), 2)).touched.size)
    for (let step = 1; net.world.walk !== null; step++) {
      assert.ok(step < MANY, "it comes to an end")
      told.push(net.apply(tick(2 + (step * STEP_MS) / 1000)).touched.size)
    }
    assert.ok(Math.max(...told) <= 2, `${told}`)
    assert.equal(net.told.filter((line) => line.includes("alert.resolved cpu")).length, MANY)
    assert.deepEqual(net.alerts(), [])
    assert.deepEqual(net.world.judging.earlier, [], "what nobody is judged by is forgotten")
  })

  test("[I1] no step before its time, however many inputs come", () => {
    const net = burning()
    net.apply(rulesInput([HOT], at(2), 2))
    const held = net.alerts().length
    for (let n = 0; n < 50; n++) net.apply(tick(2))
    assert.equal(net.alerts().length, held)
  })

  test("[I1] who is heard first learns it from that message, and goes on from what it knew", () => {
    const net = burning()
    net.apply(rulesInput([{ ...CPU, for_seconds: 30 }, HOT], at(2), 2))
    assert.ok(net.world.walk !== null)
    net.apply(cpu("r29", 2.01, 91))
    const last = net.cells.routers.state(MANY - 1).judgement
    assert.equal(last?.generation, net.world.judging.generation)
    assert.deepEqual(
      net.told.slice(MANY),
      ["2.01 alert.firing hot"],
      "the alert of the edited rule is told no second time",
    )
    assert.equal(last?.device.entities[0]?.alerts.filter((alert) => alert !== null && isLit(alert.state)).length, 2)
  })

  test("[I1] between two steps, lists and reasons of routers of before are right", () => {
    const net = burning()
    const before = net.alerts().length
    net.apply(rulesInput([HOT, CPU, ruleOf("a", over("device.voltage_v", 1, 60))], at(2), 2))
    assert.equal(net.alerts().length, before)
    const known = net.explain({ device: idOf("r29"), rule: "cpu", entity: "" })
    assert.deepEqual(known, { found: false, reason: "the rules of this device have just changed" })
    const branch = forkTwin(net.world, net.cells)
    branch.apply([cpu("r29", 3, 10)])
    assert.equal(net.cells.tenant.state(0).alerts.lit.warn, before, "a branch goes its own way")
    assert.equal(branch.cells.tenant.state(0).alerts.lit.warn, before - 1)
  })

  test("[I6] silences begin and end by a walk too; a device that is silent hears of them all the same", () => {
    const net = burning()
    net.apply(silencesInput([silenceOf("w", at(0), at(9999))], at(2)))
    for (let n = 1; n <= MANY; n++) net.apply(silence("r0", at(2 + n / 5)))
    assert.equal(net.alerts().filter((line) => line.endsWith("maintenance")).length, MANY)
    net.apply(silencesInput([], at(20)))
    for (let n = 1; n <= MANY; n++) net.apply(tick(20 + n / 5))
    assert.equal(net.alerts().filter((line) => line.endsWith("maintenance")).length, 0)
    assert.equal(net.told.filter((line) => line.includes("alert.firing cpu")).length, 2 * MANY, "told once more each")
  })

  test("[I1] another inventory: who left is gone at once, who is judged otherwise is told by the walk", () => {
    const net = burning()
    const scoped = [{ ...CPU, scope: { by_roles: ["core" as const] } }]
    net.apply(rulesInput(scoped, at(2), 2))
    for (let n = 1; n <= MANY; n++) net.apply(tick(2 + n / 5))
    assert.equal(net.alerts().length, MANY, "all are core routers")
    const left = names.slice(10).map((name, n) => device(name, { roles: [n % 2 === 0 ? "edge" : "core"] }))
    net.apply({ kind: "topology", atMs: at(20), rev: 2, inventory: inventory(left) })
    assert.ok(net.alerts().length >= 18 && net.alerts().length <= 20, `${net.alerts().length}`)
    for (let n = 1; n <= MANY; n++) net.apply(tick(20 + n / 5))
    assert.equal(net.alerts().length, 10)
  })

  test("[I1] rules that change faster than the walk goes wait for it: a bounded number of sets is kept, no alert is lost", () => {
    const net = burning()
    for (let rev = 2; rev < 40; rev++) {
      net.apply(rulesInput([{ ...CPU, for_seconds: rev }], at(2), rev))
      assert.ok(net.world.judging.earlier.length <= EARLIER_MAX)
    }
    for (let n = 1; n <= 2 * MANY; n++) net.apply(tick(2 + n / 5))
    assert.equal(net.alerts().length, MANY)
    assert.deepEqual(net.world.judging.earlier, [])
    assert.equal(net.told.length, MANY, "nobody is told anything: the alerts went on")
  })

  test("[I1] every router is passed within one circle of the newest change, in steps of bounded size", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5000 }),
        fc.array(fc.nat(40), { maxLength: 5 }),
        fc.integer({ min: 1, max: 60 }),
        (routers, changes, entities) => {
          const behind = new Set(Array.from({ length: routers }, (_, slot) => slot))
          let walk = walkAgain(null, routers, 0)
          let steps = 0
          const pending = [...changes]
          while (walk !== null) {
            const step = walkStep(walk, routers, 0, STEP_ENTITIES, (slot) => (behind.has(slot) ? entities : null))
            assert.ok(step.slots.length <= STEP_ENTITIES / entities + 1)
            for (const slot of step.slots) behind.delete(slot)
            walk = step.walk
            steps++
            if (pending.length > 0 && steps >= (pending[0] as number)) {
              pending.shift()
              for (let slot = 0; slot < routers; slot++) behind.add(slot)
              walk = walkAgain(walk, routers, 0)
            }
          }
          assert.equal(behind.size, 0)
          const circle = Math.ceil((routers * (entities + 4)) / STEP_ENTITIES) + Math.ceil(routers / STEP_ROUTERS) + 1
          assert.ok(steps <= (changes.length + 1) * circle, `${steps} steps for ${routers}`)
        },
      ),
    )
  })
})
