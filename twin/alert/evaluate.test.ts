/** Judgement as a whole: samples, silence, events, late data, clocks, purity. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import { packStored, unpackStored } from "#protocol/codec.ts"
import type { EntityKey } from "#protocol/id.ts"
import { metricId } from "#protocol/metric.ts"
import { configure } from "#twin/alert/configure.ts"
import { evaluate, JUMP_BACK_MS } from "#twin/alert/evaluate.ts"
import type { JudgementInput } from "#twin/alert/evaluate.ts"
import { newHand } from "#twin/alert/hand.ts"
import { makeRuleSet } from "#twin/alert/plan.ts"
import { Bench, FACTS, line, over, rule, T0 } from "#twin/alert/rule.fixture.ts"
import { newDeviceState } from "#twin/alert/state.ts"
import type { DeviceState } from "#twin/alert/state.ts"
import { dice } from "#twin/alert/window.fixture.ts"
import { stateHash } from "#twin/hash.ts"

const CPU = "device.cpu_pct"
const UTIL = "interface.utilization_pct"

describe("time", () => {
  const rules = [
    rule("cpu", over(CPU, 90, 60), { for_seconds: 120, recover_seconds: 60, recover: over(CPU, 80, 60, "last", "<") }),
  ]

  test("[I5] for and recover are waited out by time, and hysteresis keeps it firing in between", () => {
    const bench = new Bench(rules)
    for (const [s, cpu] of [
      [0, 95],
      [50, 95],
      [100, 95],
      [150, 85],
      [200, 85],
      [250, 70],
      [300, 85],
      [350, 70],
      [400, 70],
    ] as const) {
      bench.sample(s, CPU, cpu)
      bench.wakeUntil(s + 49)
    }
    bench.sample(450, CPU, 70)
    assert.deepEqual(bench.lines, [
      "0 cpu ok>pending -",
      "120 cpu pending>firing firing",
      "250 cpu firing>recovering -",
      "300 cpu recovering>firing -",
      "350 cpu firing>recovering -",
      "410 cpu recovering>ok resolved",
    ])
  })

  test("[I5] a gap in the samples neither fires nor counts as holding", () => {
    const bench = new Bench(rules)
    bench.sample(0, CPU, 95)
    bench.wakeUntil(400)
    assert.deepEqual(bench.lines, ["0 cpu ok>pending -"], "the level is too old to fire")
    bench.sample(2000, CPU, 95)
    bench.sample(2060, CPU, 95)
    bench.sample(2110, CPU, 95)
    bench.wakeUntil(2150)
    assert.ok(!bench.lines.some((one) => /^2000 .*firing/.test(one)), "an hour without samples is no hour above 90")
  })

  test("[I4] late data raises no late alarm, but belongs to its window", () => {
    const bench = new Bench([rule("cpu", over(CPU, 90, 600, "last")), rule("peak", over(CPU, 90, 600, "max"))])
    bench.sample(1000, CPU, 10)
    assert.deepEqual(bench.late(1001, 200, CPU, 99), [], "older than every window")
    assert.deepEqual(bench.late(1002, 900, CPU, 99), [], "judged with the next sample, not by itself")
    bench.sample(1010, CPU, 10)
    assert.deepEqual(bench.lines, ["1010 peak ok>firing firing"])
  })

  test("[I4] a backlog is judged sample by sample, at the samples' own times", () => {
    const bench = new Bench([
      rule("lost", { type: "consecutive", metric: CPU, operator: ">", threshold_num: 90, count: 3 }),
    ])
    const seconds = [40, 10, 20, 30, 50]
    bench.take({
      kind: "samples",
      atMs: T0 + 60_000,
      entities: ["" as EntityKey],
      entity: new Uint16Array(5),
      metric: new Uint16Array(5).fill(metricId(CPU)),
      value: Float64Array.from(seconds, (s) => (s === 40 ? 1 : 95)),
      times: Float64Array.from(seconds, (s) => T0 + s * 1000),
    })
    assert.deepEqual(bench.lines, ["30 lost ok>firing firing", "40 lost firing>ok resolved"])
  })

  test("samples of the future, of no number, and of unknown entities are refused and counted", () => {
    const bench = new Bench(rules)
    bench.late(10, 11, CPU, 1)
    bench.late(10, Number.NaN, CPU, 1)
    bench.sample(10, CPU, Number.NaN)
    bench.sample(10, CPU, Number.POSITIVE_INFINITY)
    bench.sample(10, CPU, 1, "nonsense:x")
    bench.sample(10, UTIL, 1)
    assert.equal(bench.state.refused, 6)
    bench.sample(10, "device.temp_c", 1)
    assert.equal(bench.state.refused, 6, "a metric that no rule reads is nothing wrong")
  })

  test("[I4] a clock that was set back begins anew instead of waiting for its own past", () => {
    const bench = new Bench([rule("cpu", over(CPU, 90, 600, "avg"))])
    for (let s = 0; s < 600; s += 60) bench.sample(7200 + s, CPU, 95)
    assert.deepEqual(bench.lines, ["7500 cpu ok>firing firing"])
    for (let s = 0; s <= 300; s += 60) bench.sample(s, CPU, 10)
    assert.deepEqual(bench.lines.slice(1), ["300 cpu firing>ok resolved"])
    assert.ok(bench.state.clockMs < T0 + 7_200_000 - JUMP_BACK_MS)
  })
})

describe("scope", () => {
  test("[I2] the most specific variant of a name counts, and only it", () => {
    const variant = (id: string, limit: number, scope: object): ReturnType<typeof rule> =>
      rule(id, over(UTIL, limit), { name: "util", scope })
    const rules = [
      variant("u-all", 50, {}),
      variant("u-core", 60, { by_roles: ["core"] }),
      variant("u-site", 55, { by_site_ids: ["sao-1"] }),
      variant("u-port", 99, { by_entity_ids: ["if:ether9"] }),
    ]
    const bench = new Bench(rules)
    bench.sample(0, UTIL, 70, "if:ether1")
    bench.sample(0, UTIL, 70, "if:ether9")
    assert.deepEqual(bench.lines, ["0 u-core ok>firing firing"])
    assert.equal(
      bench.all[0]?.explanation.scope,
      "its scope, role, is more specific than that of u-all, u-site".replace("u-all, u-site", "u-site, u-all"),
    )
    const other = new Bench(rules, { ...FACTS, roles: ["access"], site: "rio" })
    other.sample(0, UTIL, 70, "if:ether1")
    assert.deepEqual(other.lines, ["0 u-all ok>firing firing"])
  })

  test("[I3] severity by role, and in tiers", () => {
    const byRole = rule("cpu", over(CPU, 90), { severity: { by_role: { core: "critical", default: "info" } } })
    const severityOf = (roles: readonly ("core" | "access")[]): string | undefined =>
      new Bench([byRole], { ...FACTS, roles }).sample(0, CPU, 99)[0]?.severity
    assert.equal(severityOf(["core"]), "critical")
    assert.equal(severityOf(["access"]), "info")
    assert.equal(severityOf(["access", "core"]), "critical")
    const tiers = [
      { when: over(CPU, 98), sev: "critical" },
      { when: over(CPU, 90), sev: "warn" },
    ]
    const bench = new Bench([rule("cpu", over(CPU, 90), { severity: tiers, cooldown_seconds: 3600 })])
    bench.sample(0, CPU, 95)
    bench.sample(10, CPU, 99)
    bench.sample(20, CPU, 95)
    assert.deepEqual(
      bench.all.map(({ severity, notice }) => `${severity} ${notice}`),
      ["warn firing", "critical firing", "warn null"],
    )
  })
})

describe("purity", () => {
  const rules = [
    rule("cpu", over(CPU, 90, 60), { for_seconds: 30, recover: over(CPU, 50, 60, "avg", "<") }),
    rule("peak", over(UTIL, 80, 300, "p95")),
    rule("silent", { type: "absent", metric: UTIL, seconds: 90 }),
    rule("both", { type: "composite", op: "and", conditions: [over(CPU, 60, 120, "min"), over(UTIL, 50, 120, "max")] }),
    rule("flap", { type: "flap", metric: "interface.oper_up", transitions: 3, lookback_seconds: 600 }),
    rule("storm", { type: "event", event_type: "interface.oper.changed", count: 3, lookback_seconds: 60 }),
  ]
  const plan = makeRuleSet(rules).planFor(FACTS)

  const inputs = (seed: number, count: number): readonly JudgementInput[] => {
    const random = dice(seed)
    const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T
    let atMs = T0
    return Array.from({ length: count }, (): JudgementInput => {
      atMs += Math.floor(random() * 20_000)
      const luck = random()
      const entity = pick(["if:a", "if:b", "if:c"]) as EntityKey
      if (luck < 0.1) return { kind: "tick", atMs }
      if (luck < 0.2)
        return {
          kind: "event",
          atMs,
          happenedMs: atMs - 100,
          entity,
          type: "interface.oper.changed",
          old: "up",
          new: "down",
          raw: null,
        }
      if (luck < 0.23)
        return {
          kind: "suppress",
          atMs,
          suppression: {
            id: pick(["1", "2"]),
            kind: pick(["mute", "maintenance"] as const),
            rule: pick([null, "cpu"]),
            entity: pick([null, "if:a"]),
            reason: "test",
            untilMs: pick([null, atMs + 30_000]),
            sparesCritical: false,
          },
        }
      if (luck < 0.26) return { kind: "lift", atMs, id: pick(["1", "2"]) }
      if (luck < 0.28)
        return { kind: "ack", atMs, rule: "cpu", entity: "" as EntityKey, by: "ana", untilMs: atMs + 60_000 }
      if (luck < 0.29) return { kind: "gone", atMs, entity }
      const samples = Array.from({ length: 4 }, () =>
        pick([
          [0, CPU],
          [1, UTIL],
          [2, UTIL],
          [1, "interface.oper_up"],
        ] as const),
      )
      return {
        kind: "samples",
        atMs,
        entities: ["" as EntityKey, entity, "if:a" as EntityKey],
        entity: Uint16Array.from(samples, ([at]) => at),
        metric: Uint16Array.from(samples, ([, name]) => metricId(name)),
        value: Float64Array.from(samples, () => Math.floor(random() * 110)),
      }
    })
  }

  test("in place and copying say the same, and copying leaves what went in as it was", () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        let kept: DeviceState = newDeviceState(plan, FACTS, T0)
        let given: DeviceState = newDeviceState(plan, FACTS, T0)
        const hand = newHand()
        for (const input of inputs(seed, 80)) {
          const before = stateHash(kept)
          const copying = evaluate(plan, kept, input)
          const inPlace = evaluate(plan, given, input, hand)
          assert.equal(stateHash(kept), before)
          assert.deepEqual(copying.verdicts, inPlace.verdicts)
          assert.equal(stateHash(copying.state), stateHash(inPlace.state))
          assert.equal(copying.timerMs, inPlace.timerMs)
          kept = copying.state
          given = inPlace.state
        }
      }),
      { numRuns: 40 },
    )
  })

  test("a state that was stored and read again goes on as if nothing had been", () => {
    for (let seed = 1; seed <= 10; seed++) {
      const all = inputs(seed, 120)
      let state: DeviceState = newDeviceState(plan, FACTS, T0)
      for (const input of all.slice(0, 60)) state = evaluate(plan, state, input).state
      let read = unpackStored(packStored(state)) as DeviceState
      let forked = state
      const hand = newHand()
      for (const input of all.slice(60)) {
        const live = evaluate(plan, state, input)
        const back = evaluate(plan, read, input)
        const side = evaluate(plan, forked, input, hand)
        assert.deepEqual(back.verdicts.map(line), live.verdicts.map(line))
        assert.deepEqual(side.verdicts.map(line), live.verdicts.map(line))
        state = live.state
        read = back.state
        forked = side.state
      }
      assert.equal(stateHash(read), stateHash(state))
    }
  })

  test("waking it exactly when it asks changes no alert", () => {
    for (let seed = 1; seed <= 20; seed++) {
      let lazy: DeviceState = newDeviceState(plan, FACTS, T0)
      let woken: DeviceState = lazy
      const said: { lazy: string[]; woken: string[] } = { lazy: [], woken: [] }
      for (const input of inputs(seed, 100)) {
        const one = evaluate(plan, lazy, input)
        lazy = one.state
        said.lazy.push(...one.verdicts.map(line))
        for (;;) {
          const dueMs = woken.dueMs
          if (dueMs >= input.atMs) break
          const tick = evaluate(plan, woken, { kind: "tick", atMs: dueMs })
          woken = tick.state
          said.woken.push(...tick.verdicts.map(line))
        }
        const two = evaluate(plan, woken, input)
        woken = two.state
        said.woken.push(...two.verdicts.map(line))
      }
      assert.deepEqual(said.woken, said.lazy)
    }
  })
})

describe("other rules", () => {
  test("[I1] an edited rule goes on with its samples and its alert; one that is gone ends", () => {
    const before = [rule("cpu", over(CPU, 90, 600, "avg")), rule("peak", over(CPU, 90, 600, "max"))]
    const bench = new Bench(before)
    for (let s = 0; s <= 300; s += 60) bench.sample(s, CPU, 95)
    const plan = makeRuleSet([rule("cpu", over(CPU, 80, 300, "avg"))]).planFor(FACTS)
    const moved = configure(bench.plan, plan, bench.state, FACTS, T0 + 301_000)
    assert.deepEqual(moved.verdicts.map(line), ["301 peak firing>ok resolved"])
    bench.plan = plan
    bench.state = moved.state
    bench.sample(330, CPU, 20)
    assert.deepEqual(bench.lines.slice(2), [], "five samples of 95 are still in its window")
    bench.sample(390, CPU, 20)
    assert.deepEqual(bench.lines.slice(2), ["390 cpu firing>ok resolved"])
  })

  test("a state of another plan is refused, not guessed at", () => {
    const bench = new Bench([rule("cpu", over(CPU, 90))])
    const plan = makeRuleSet([rule("cpu", over(CPU, 91))]).planFor(FACTS)
    assert.throws(() => evaluate(plan, bench.state, { kind: "tick", atMs: T0 }), /another plan/)
  })
})
