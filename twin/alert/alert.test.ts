/** The life of an alert, and who is told of it when. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import type { EntityKey } from "#protocol/id.ts"
import { FLAP_MS } from "#twin/alert/alert.ts"
import { ALERT_SIGNALS, ALERT_STATES, LIFE } from "#twin/alert/lifecycle.ts"
import { explain } from "#twin/alert/explain.ts"
import { Bench, FACTS, over, rule, T0 } from "#twin/alert/rule.fixture.ts"
import type { Suppression } from "#twin/alert/suppression.ts"
import { SUPPRESSIONS_MAX } from "#twin/alert/suppression.ts"

const CPU = "device.cpu_pct"
const hot = (more: object = {}): Bench => new Bench([rule("cpu", over(CPU, 90, 86_400), more)])

const suppression = (more: Partial<Suppression> = {}): Suppression => ({
  id: "m1",
  kind: "mute",
  rule: null,
  entity: null,
  reason: "works at the POP",
  untilMs: null,
  sparesCritical: false,
  ...more,
})
const mute = (bench: Bench, second: number, more: Partial<Suppression> = {}): unknown =>
  bench.take({ kind: "suppress", atMs: T0 + second * 1000, suppression: suppression(more) })
const lift = (bench: Bench, second: number): unknown => bench.take({ kind: "lift", atMs: T0 + second * 1000, id: "m1" })

describe("the table", () => {
  test("[I5] every state answers every signal, with a state", () => {
    for (const state of ALERT_STATES) {
      assert.deepEqual(Object.keys(LIFE[state]).sort(), [...ALERT_SIGNALS].sort())
      for (const signal of ALERT_SIGNALS) assert.ok(ALERT_STATES.includes(LIFE[state][signal]))
    }
  })

  test("[I5] nothing but evidence moves an alert: what is unknown neither fires nor heals", () => {
    for (const state of ALERT_STATES) {
      assert.equal(LIFE[state].unknown, state)
      assert.equal(LIFE[state].lost, state === "pending" ? "ok" : state)
      assert.equal(LIFE[state].removed, "ok")
    }
  })

  test("[I5] firing is entered by `held` only, or back from recovering", () => {
    for (const state of ALERT_STATES)
      for (const signal of ALERT_SIGNALS)
        if (LIFE[state][signal] === "firing" && state !== "firing")
          assert.ok(signal === "held" || state === "recovering", `${state} ${signal}`)
  })
})

describe("being told", () => {
  test("[I5] one firing, one resolved", () => {
    const bench = hot()
    for (const [s, cpu] of [
      [0, 95],
      [10, 96],
      [20, 97],
      [30, 10],
      [40, 10],
    ] as const)
      bench.sample(s, CPU, cpu)
    assert.deepEqual(bench.notices, ["0 firing", "30 resolved"])
  })

  test("[I5] within the cooldown a new firing is held back, and told at its end if it still fires", () => {
    const bench = hot({ cooldown_seconds: 300 })
    for (const [s, cpu] of [
      [0, 95],
      [30, 10],
      [60, 95],
    ] as const)
      bench.sample(s, CPU, cpu)
    assert.equal(bench.all.at(-1)?.notice, "flapping")
    const calm = hot({ cooldown_seconds: 3600 })
    for (const [s, cpu] of [
      [0, 95],
      [900, 10],
      [1800, 95],
    ] as const)
      calm.sample(s, CPU, cpu)
    assert.equal(calm.all.at(-1)?.heldBack?.by, "cooldown")
    calm.wakeUntil(4000)
    assert.deepEqual(calm.notices, ["0 firing", "900 resolved", "3600 firing"])
  })

  test("[I5] three turns in ten minutes are one flapping alert, and calm ends it with one word", () => {
    const bench = hot()
    for (let n = 0; n < 60; n++) bench.sample(n * 10, CPU, n % 2 === 0 ? 95 : 10)
    assert.deepEqual(bench.notices, ["0 firing", "10 resolved", "20 flapping"])
    bench.wakeUntil(2000)
    assert.deepEqual(bench.notices.slice(3), [`${590 + FLAP_MS / 1000} resolved`])
  })

  test("[I5] flapping that ends firing says so once", () => {
    const bench = hot()
    for (let n = 0; n < 7; n++) bench.sample(n * 10, CPU, n % 2 === 0 ? 95 : 10)
    bench.wakeUntil(2000)
    assert.deepEqual(bench.notices, ["0 firing", "10 resolved", "20 flapping", `${60 + FLAP_MS / 1000} firing`])
  })

  test("[I5] two turns in ten minutes do not flap, nor do three in half an hour", () => {
    const bench = hot()
    for (const [s, cpu] of [
      [0, 95],
      [700, 10],
      [1400, 95],
    ] as const)
      bench.sample(s, CPU, cpu)
    assert.deepEqual(bench.notices, ["0 firing", "700 resolved", "1400 firing"])
  })

  test("[I5] a level that jitters a hundred times about the threshold never fires behind a window and hysteresis", () => {
    const util = "interface.utilization_pct"
    const bench = new Bench([rule("util", over(util, 80, 600, "avg"), { recover: over(util, 75, 600, "avg", "<") })])
    let naive = 0
    for (let n = 0; n < 200; n++) {
      const level = n % 2 === 0 ? 79.6 : 80.4
      if (level > 80) naive++
      bench.sample(n * 10, util, level, "if:ether1")
    }
    assert.equal(naive, 100)
    assert.deepEqual(bench.lines, [])
  })
})

describe("suppression", () => {
  test("[I6] a muted alert is judged and not told, and says why", () => {
    const bench = hot()
    mute(bench, 0)
    bench.sample(10, CPU, 95)
    assert.deepEqual(bench.lines, ["10 cpu ok>firing -"])
    assert.deepEqual(bench.all[0]?.heldBack, { by: "mute", reason: "works at the POP", untilMs: null })
    assert.match(bench.all[0]?.explanation.because ?? "", /nobody is told: mute, works at the POP/)
  })

  test("[I5] a lifted mute tells what fires exactly once", () => {
    const bench = hot()
    mute(bench, 0)
    bench.sample(10, CPU, 95)
    lift(bench, 20)
    lift(bench, 21)
    bench.sample(30, CPU, 95)
    bench.wakeUntil(5000)
    assert.deepEqual(bench.notices, ["20 firing"])
  })

  test("[I5] what had been told before the mute is told again once; what ended meanwhile is resolved once", () => {
    const bench = hot()
    bench.sample(0, CPU, 95)
    mute(bench, 10, { untilMs: T0 + 60_000 })
    bench.wakeUntil(100)
    assert.deepEqual(bench.notices, ["0 firing", "60 firing"])
    mute(bench, 700)
    bench.sample(710, CPU, 10)
    assert.equal(bench.notices.length, 2)
    lift(bench, 720)
    lift(bench, 730)
    assert.deepEqual(bench.notices.slice(2), ["720 resolved"])
  })

  test("[I5] what began and ended under a mute was never told, and stays untold", () => {
    const bench = hot()
    mute(bench, 0)
    bench.sample(10, CPU, 95)
    bench.sample(20, CPU, 10)
    lift(bench, 30)
    bench.wakeUntil(5000)
    assert.deepEqual(bench.notices, [])
  })

  test("[I6] two windows over one alert: it is told when the last one ends; critical may be spared", () => {
    const bench = hot()
    mute(bench, 0, { id: "a", kind: "maintenance", untilMs: T0 + 50_000 })
    mute(bench, 0, { id: "b", kind: "dependency", untilMs: T0 + 80_000, reason: "incident 7" })
    bench.sample(10, CPU, 95)
    assert.equal(bench.all[0]?.heldBack?.by, "maintenance")
    bench.wakeUntil(60)
    assert.deepEqual(bench.notices, [])
    bench.wakeUntil(100)
    assert.deepEqual(bench.notices, ["80 firing"])
    const critical = hot({ severity: "critical" })
    mute(critical, 0, { sparesCritical: true })
    critical.sample(10, CPU, 95)
    assert.deepEqual(critical.notices, ["10 firing"])
  })

  test("a suppression covers only what it names, and there is a bound on them", () => {
    const bench = hot()
    mute(bench, 0, { rule: "other" })
    mute(bench, 0, { id: "m2", entity: "if:ether1" })
    bench.sample(10, CPU, 95)
    assert.deepEqual(bench.notices, ["10 firing"])
    for (let n = 0; n < SUPPRESSIONS_MAX + 5; n++) mute(bench, 20, { id: `x${n}`, rule: "other" })
    assert.equal(bench.state.suppressions.length, SUPPRESSIONS_MAX)
    assert.equal(bench.state.refused, 7)
  })

  test("[I5] however often mutes come and go: never two words of firing without a lift, an end or a firing between", () => {
    const step = fc.record({
      s: fc.integer({ min: 1, max: 400 }),
      what: fc.constantFrom("hot", "hot", "cold", "mute", "lift"),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const bench = hot()
        let second = 0
        const news: string[] = []
        for (const { s, what } of steps) {
          second += s
          const before = bench.all.length
          if (what === "hot") bench.sample(second, CPU, 95)
          else if (what === "cold") bench.sample(second, CPU, 10)
          else if (what === "mute") mute(bench, second)
          else {
            lift(bench, second)
            news.push("lift")
          }
          for (const { to, from, notice } of bench.all.slice(before)) {
            if (to === "firing" && from === "ok") news.push("begins")
            if (notice !== null) news.push(notice)
          }
        }
        const tellings = news.join(" ")
        assert.ok(!/firing (?:firing)/.test(tellings), tellings)
        assert.ok(!/resolved (?:resolved)/.test(tellings), tellings)
      }),
    )
  })
})

describe("acknowledgement", () => {
  const ack = (bench: Bench, second: number, until: number): unknown =>
    bench.take({
      kind: "ack",
      atMs: T0 + second * 1000,
      rule: "cpu",
      entity: "" as EntityKey,
      by: "ana",
      untilMs: T0 + until * 1000,
    })

  test("[I11] an acknowledged alert is silent until the acknowledgement expires, then told once", () => {
    const bench = hot()
    bench.sample(0, CPU, 95)
    ack(bench, 10, 100)
    bench.wakeUntil(5000)
    assert.deepEqual(bench.notices, ["0 firing", "100 firing"])
  })

  test("[I11] its end is told, and the next one begins unacknowledged", () => {
    const bench = hot()
    bench.sample(0, CPU, 95)
    ack(bench, 10, 100_000)
    bench.sample(700, CPU, 10)
    bench.sample(1400, CPU, 95)
    assert.deepEqual(bench.notices, ["0 firing", "700 resolved", "1400 firing"])
  })

  test("what does not fire cannot be acknowledged", () => {
    const bench = hot()
    ack(bench, 10, 100)
    bench.sample(20, CPU, 95)
    assert.deepEqual(bench.notices, ["20 firing"])
  })
})

describe("why", () => {
  const rules = [
    rule("cpu", over(CPU, 90, 600), { for_seconds: 60 }),
    rule("cpu-all", over(CPU, 80, 600), { name: "cpu", scope: {} }),
    rule("cpu-core", over(CPU, 85, 600), { name: "cpu", scope: { by_roles: ["core"] } }),
    rule("off", over(CPU, 1), { enabled: false }),
    rule("rio", over(CPU, 1), { scope: { by_site_ids: ["rio"] } }),
    rule("port", over("interface.utilization_pct", 1), {}),
  ]
  const all = rules.map(({ rule: one }) => one)
  const ask = (bench: Bench, id: string): string => {
    const answer = explain(bench.plan, bench.state, all, id, "")
    return answer.found ? answer.explanation.because : answer.reason
  }

  test("[I2] [I7] every rule answers: fires, not yet, not, never here", () => {
    const bench = new Bench(rules)
    assert.match(ask(bench, "cpu-core"), /no evidence/)
    bench.sample(0, CPU, 95)
    assert.match(ask(bench, "cpu-core"), /it fires: last of device.cpu_pct over 600 s: 95 %, asked > 85/)
    assert.match(ask(bench, "cpu-all"), /cpu-core counts instead: its scope, role, is more specific than everything/)
    assert.match(ask(bench, "off"), /the rule is off/)
    assert.match(ask(bench, "rio"), /does not cover this device/)
    assert.match(ask(bench, "port"), /another kind of entity/)
    assert.match(ask(bench, "nothing"), /no such rule/)
  })

  test("[I7] asking changes nothing, and the same state gives the same answer", () => {
    const bench = new Bench(rules)
    for (let s = 0; s < 900; s += 30) bench.sample(s, CPU, 95)
    const row = bench.state.entities[0]?.row.slice()
    const [one, two] = [0, 1].map(() => explain(bench.plan, bench.state, all, "cpu-core", ""))
    assert.deepEqual(one, two)
    assert.deepEqual(bench.state.entities[0]?.row, row)
    assert.ok(one?.found === true && one.explanation.condition.samples?.length === 20)
    assert.equal(one?.found === true ? one.explanation.version : "", rules[2]?.version)
  })

  test("the summary is the template filled in, and no device can make it long", () => {
    const name = "x".repeat(5000)
    const bench = new Bench([rule("cpu", over(CPU, 90))], { ...FACTS, name })
    const summary = bench.sample(0, CPU, 95)[0]?.summary ?? ""
    assert.ok(summary.length < 400 && summary.endsWith(": 95"))
  })
})
