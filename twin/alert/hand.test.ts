/** [I4] What is written in place was nobody else's; whoever keeps a state keeps it as it was; a throw leaves nothing half-done. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { evaluate } from "#twin/alert/evaluate.ts"
import type { SampleInput } from "#twin/alert/evaluate.ts"
import { handBack, newHand, rowsInHand } from "#twin/alert/hand.ts"
import { makeRuleSet } from "#twin/alert/plan.ts"
import { FACTS, over, rule, T0 } from "#twin/alert/rule.fixture.ts"
import { newDeviceState, withoutSamples } from "#twin/alert/state.ts"
import type { DeviceState } from "#twin/alert/state.ts"
import type { EntityKey } from "#protocol/id.ts"
import { metricId } from "#protocol/metric.ts"
import { stateHash } from "#twin/hash.ts"

const plan = makeRuleSet([
  rule("cpu", over("device.cpu_pct", 50, 300, "avg")),
  rule("util", over("interface.utilization_pct", 50, 300, "max")),
]).planFor(FACTS)
const start = (): DeviceState => newDeviceState(plan, FACTS, T0)

const samples = (second: number, value: number, ...keys: readonly string[]): SampleInput => ({
  kind: "samples",
  atMs: T0 + second * 1000,
  entities: keys as readonly EntityKey[],
  entity: Uint16Array.from(keys, (_, n) => n),
  metric: Uint16Array.from(keys, (key) => metricId(key === "" ? "device.cpu_pct" : "interface.utilization_pct")),
  value: Float64Array.from(keys, () => value),
})

test("[I4] a row is copied once after each share, then written in place; others are not touched at all", () => {
  const hand = newHand()
  const first = evaluate(plan, start(), samples(1, 1, "", "if:a", "if:b"), hand).state
  const second = evaluate(plan, first, samples(2, 1, "if:a"), hand).state
  assert.equal(second.entities[1]?.row, first.entities[1]?.row, "in place")
  hand.shares.count++
  const kept = stateHash(second)
  const third = evaluate(plan, second, samples(3, 1, "if:a"), hand).state
  assert.notEqual(third.entities[1]?.row, second.entities[1]?.row)
  assert.equal(third.entities[2]?.row, second.entities[2]?.row)
  assert.equal(stateHash(second), kept, "whoever kept it has it as it was")
  const fourth = evaluate(plan, third, samples(4, 1, "if:a", "if:b"), hand).state
  assert.equal(fourth.entities[1]?.row, third.entities[1]?.row)
  assert.notEqual(fourth.entities[2]?.row, second.entities[2]?.row)
  assert.equal(stateHash(second), kept)
})

test("[I4] a hand knows only the state that it made last, and none after a throw", () => {
  const hand = newHand()
  const first = evaluate(plan, start(), samples(1, 1, "", "if:a"), hand).state
  const aside = evaluate(plan, first, samples(2, 2, "if:a")).state
  const kept = stateHash(aside)
  evaluate(plan, aside, samples(3, 3, "if:a"), hand)
  assert.equal(stateHash(aside), kept, "a state of somebody else's making is copied")
  assert.throws(() => evaluate(plan, { ...first, planKey: "other" }, samples(3, 3, "if:a"), hand))
  const rows = rowsInHand(hand, first)
  assert.deepEqual([...rows], [0, 0])
  assert.deepEqual([...rowsInHand(hand, first)], [0, 0], "what was taken and not given back is lost")
  handBack(hand, first, Uint8Array.of(1, 0))
  assert.deepEqual([...rowsInHand(hand, first)], [1, 0])
})

test("[I4] shared at any moment or never, judgement says the same and everything kept stays as it was", () => {
  const step = fc.record({
    gapS: fc.integer({ min: 1, max: 90 }),
    value: fc.nat(100),
    keys: fc.subarray(["", "if:a", "if:b", "if:c"], { minLength: 1 }),
    gone: fc.boolean(),
    share: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
      const hand = newHand()
      let [own, copied] = [start(), start()]
      const held: Array<readonly [DeviceState, string]> = []
      let second = 0
      for (const { gapS, value, keys, gone, share } of steps) {
        second += gapS
        const atMs = T0 + second * 1000
        const inputs = [
          samples(second, value, ...keys),
          ...(gone && value > 80 ? [{ kind: "gone", atMs, entity: "if:b" as EntityKey } as const] : []),
        ]
        for (const input of inputs) {
          const [one, other] = [evaluate(plan, own, input, hand), evaluate(plan, copied, input)]
          assert.deepEqual(one.verdicts, other.verdicts)
          own = one.state
          copied = other.state
        }
        if (!share) continue
        hand.shares.count++
        held.push([own, stateHash(own)])
      }
      assert.equal(stateHash(own), stateHash(copied))
      for (const [state, hash] of held) assert.equal(stateHash(state), hash)
    }),
  )
})

test("[I4] without samples: alerts stay, nothing of a half-written row is left", () => {
  let state = start()
  for (let n = 1; n < 400; n += 20) state = evaluate(plan, state, samples(n, 90, "")).state
  const bare = withoutSamples(plan, state, T0 + 400_000)
  assert.equal(bare.entities[0]?.alerts, state.entities[0]?.alerts)
  assert.ok(bare.entities[0]?.alerts.some((alert) => alert?.state === "firing"))
  assert.equal(stateHash(bare.entities[0]?.row), stateHash(start().entities[0]?.row))
})
