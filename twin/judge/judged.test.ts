/** A router that is judged: rules come, change and go; alerts fire by time alone; a defect of judgement costs only itself. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import type { Rule } from "#protocol/rule.ts"
import { DEVICE_SAMPLES_MAX, SHORT_SAMPLES } from "#twin/alert/receipt.ts"
import { makeRuleSet } from "#twin/alert/plan.ts"
import type { DevicePlan } from "#twin/alert/plan.ts"
import { over, rule } from "#twin/alert/rule.fixture.ts"
import { stateHash } from "#twin/hash.ts"
import { device, idOf, inventory, poll, ports, silence, trap } from "#twin/inventory.fixture.ts"
import { judgedNetwork } from "#twin/judge/judged.fixture.ts"
import type { JudgedNetwork } from "#twin/judge/judged.fixture.ts"
import { ASIDE_MS, RECEIPTS_MAX } from "#twin/judge/judged.ts"
import { ackInput, ruleOf, rulesInput } from "#twin/judge/pool.fixture.ts"
import { at } from "#twin/network.fixture.ts"
import { restoreTwin, snapshotTwin } from "#twin/snapshot.ts"

const CPU = ruleOf("cpu", over("device.cpu_pct", 85))
const DOWN = ruleOf("down", over("interface.oper_up", 1, 60, "last", "<"))
const alone = (rules: readonly Rule[], change: Parameters<typeof device>[1] = {}): JudgedNetwork =>
  judgedNetwork(inventory([device("r1", change)]), rules)
const cpu = (second: number, value: number) => poll("r1", at(second), { "": { "device.cpu_pct": value } })
const tick = (second: number) => ({ kind: "tick", atMs: at(second) }) as const

describe("a judged router", () => {
  test("[I1] a poll fires an alert and another ends it: events, list and reason agree", () => {
    const net = alone([CPU])
    net.apply(cpu(1, 90))
    assert.deepEqual(net.alerts(), ["r1 cpu - firing"])
    net.apply(cpu(11, 20))
    assert.deepEqual(net.told, ["1 alert.firing cpu", "11 alert.resolved cpu"])
    assert.deepEqual(net.alerts(), [])
    const explained = net.explain({ device: idOf("r1"), rule: "cpu", entity: "" })
    assert.ok(explained?.found)
    assert.match(explained.explanation.because, /^it does not fire: last of device.cpu_pct over 60 s: 20 %/)
    assert.equal(net.explain({ device: "id-none", rule: "cpu", entity: "" }), null)
  })

  test("[I5] what only time brings about happens at its own time, though nothing is heard in between", () => {
    const waits = ruleOf("waits", over("device.cpu_pct", 85, 600, "max"), { for_seconds: 30 })
    const absent = ruleOf("absent", { type: "absent", metric: "device.cpu_pct", seconds: 100 })
    const net = alone([waits, absent])
    net.apply(cpu(1, 90), tick(3600))
    assert.deepEqual(net.told.slice(0, 2), ["31 alert.firing waits", "101 alert.firing absent"])
  })

  test("[I5] a trap is judged at once, a line about an interface that nobody knows makes none", () => {
    const shut = ruleOf("lines", {
      type: "event",
      event_type: "interface.oper.changed",
      count: 2,
      lookback_seconds: 60,
    })
    const net = alone([DOWN, shut])
    net.apply(ports("r1", at(1), { ether1: true }))
    net.apply(trap("r1", at(2), { ifName: "ether1" }))
    assert.deepEqual(net.told, ["2 alert.firing down"])
    for (const second of [3, 4]) net.apply(trap("r1", at(second), { ifName: `made-up-${second}` }))
    const keys = net.cells.routers.state(0).judgement?.device.keys
    assert.deepEqual(keys, ["", "if:ether1"])
    assert.ok(net.told.includes("3 alert.firing lines"), "they count for the device all the same")
  })

  test("[I5] where nobody pings, unanswered polls are the loss of contact", () => {
    const lost = ruleOf("lost", {
      type: "consecutive",
      metric: "device.up",
      operator: "==",
      threshold_num: 0,
      count: 2,
    })
    const net = alone([lost], { sources: ["snmp"] })
    net.apply(cpu(1, 5), silence("r1", at(11)), silence("r1", at(21)))
    assert.deepEqual(net.told, ["21 alert.firing lost"])
    net.apply(cpu(31, 5))
    assert.deepEqual(net.alerts(), [])
    const pinged = alone([lost], { sources: ["snmp", "probe"] })
    pinged.apply(cpu(1, 5), silence("r1", at(11)), silence("r1", at(21)))
    assert.deepEqual(pinged.told, [], "there the pings have the word")
  })

  test("[I5] an interface that is gone takes its alerts along", () => {
    const net = alone([DOWN])
    net.apply(ports("r1", at(1), { ether1: true, ether2: false }))
    assert.deepEqual(net.alerts(), ["r1 down if:ether2 firing"])
    net.apply(ports("r1", at(11), { ether1: true }))
    assert.deepEqual(net.alerts(), [])
    assert.deepEqual(net.cells.routers.state(0).judgement?.device.keys, ["", "if:ether1"])
  })

  test("[I4] only series that some rule reads are kept", () => {
    const net = alone([CPU])
    net.apply(ports("r1", at(1), { ether1: true }), cpu(2, 10))
    const held = net.cells.routers.state(0).judgement?.device
    assert.deepEqual(held?.keys, [""])
    const unjudged = alone([])
    unjudged.apply(cpu(2, 10))
    assert.equal(unjudged.cells.routers.state(0).judgement, null)
  })

  test("[I1] an edited rule goes on with its alert; one that is taken away, switched off or scoped elsewhere ends it", () => {
    for (const rules of [[], [{ ...CPU, enabled: false }], [{ ...CPU, scope: { by_site_ids: ["s2"] } }]]) {
      const net = alone([CPU, DOWN])
      net.apply(cpu(1, 90))
      net.apply(rulesInput([...rules, DOWN], at(2)))
      assert.deepEqual(net.told, ["1 alert.firing cpu", "2 alert.resolved cpu"])
      assert.deepEqual(net.alerts(), [])
    }
    const net = alone([CPU])
    net.apply(cpu(1, 90), rulesInput([{ ...CPU, for_seconds: 7 }], at(2), 2), cpu(11, 91))
    assert.deepEqual(net.told, ["1 alert.firing cpu"])
    assert.deepEqual(net.alerts(), ["r1 cpu - firing"])
    net.apply(rulesInput([], at(12), 3))
    assert.equal(net.cells.routers.state(0).judgement, null, "the last rule takes everything along")
    assert.deepEqual(net.told, ["1 alert.firing cpu", "12 alert.resolved cpu"])
    assert.deepEqual(net.alerts(), [])
  })

  test("[I1] another role, site or name of a device is another scope at once, and its alerts keep their life", () => {
    const forEdge = ruleOf("cpu-edge", over("device.cpu_pct", 50), { name: "cpu", scope: { by_roles: ["edge"] } })
    const net = alone([CPU, forEdge])
    net.apply(cpu(1, 60))
    assert.deepEqual(net.told, [])
    const topology = (rev: number, change: Parameters<typeof device>[1]) =>
      ({ kind: "topology", atMs: at(rev), rev, inventory: inventory([device("r1", change)]) }) as const
    net.apply(topology(2, { roles: ["edge"] }), cpu(12, 61))
    assert.deepEqual(net.told, ["12 alert.firing cpu-edge"])
    net.apply(topology(20, { roles: ["edge"], name: "renamed" }))
    assert.deepEqual(net.alerts(), ["renamed cpu-edge - firing"], "a new inventory hears of it again")
    assert.deepEqual(net.cells.tenant.state(0).alerts.lit, { info: 0, warn: 1, critical: 0 })
    assert.equal(net.receipt({ device: idOf("r1"), rule: "cpu-edge", entity: "" })?.summary, "r1 of r1: 61")
    net.apply(cpu(22, 10), cpu(32, 70))
    const { summary } = net.receipt({ device: idOf("r1"), rule: "cpu-edge", entity: "" }) ?? { summary: "" }
    assert.equal(summary, "renamed of renamed: 70", "and what is told from now on names it so")
    net.apply(topology(33, { roles: ["core"] }))
    assert.deepEqual(net.alerts(), [])
    const tagged = alone([ruleOf("gold", over("device.cpu_pct", 50), { scope: { by_tags: ["gold"] } })], {
      tags: ["gold"],
    })
    tagged.apply(cpu(1, 60))
    assert.deepEqual(tagged.alerts(), ["r1 gold - firing"])
  })

  test("[I1] what is told names the site as people call it; its id where nobody named it, and in scopes", () => {
    const annotations = { summary_template: "{{device}} at {{site}}", runbook_url: "https://example.net/runbook" }
    const atSite = { ...CPU, scope: { by_site_ids: ["s1"] }, annotations }
    const summary = (net: JudgedNetwork) => net.receipt({ device: idOf("r1"), rule: "cpu", entity: "" })?.summary
    const net = judgedNetwork(inventory([device("r1")]), [atSite])
    net.apply(cpu(1, 90))
    assert.equal(summary(net), "r1 at Site 1")
    const { sites, ...rest } = inventory([device("r1")])
    const called = (name: string) => ({ ...rest, sites: sites.map((site) => ({ ...site, name })) })
    for (const [rev, name, told] of [
      [2, "Recife", "r1 at Recife"],
      [3, "", "r1 at s1"],
    ] as const) {
      net.apply({ kind: "topology", atMs: at(rev * 10), rev, inventory: called(name) })
      net.apply(cpu(rev * 10 + 1, 10), cpu(rev * 10 + 5, 91))
      assert.equal(summary(net), told)
    }
    const unknown = judgedNetwork({ ...rest, sites: [] }, [atSite])
    unknown.apply(cpu(1, 90))
    assert.equal(summary(unknown), "r1 at s1")
  })

  test("[I1] a rule of another build that cannot be judged is left out, with an event, and the others are judged", () => {
    const net = alone([CPU])
    const strange = { ...CPU, id: "strange", condition: { type: "oracle" } } as unknown as Rule
    const { events } = net.apply(rulesInput([strange, CPU], at(1), 2))
    assert.deepEqual(
      events.map((event) => [event.type, event.new]),
      [["monitoring.degraded", "1 alert rules cannot be judged by this build: strange"]],
    )
    net.apply(cpu(2, 90))
    assert.deepEqual(net.alerts(), ["r1 cpu - firing"])
  })

  test("[I5] acknowledged: silent until then, told once more after; only what fires can be", () => {
    const net = alone([CPU])
    net.apply(ackInput("r1", "cpu", at(0), at(100)), cpu(1, 90), ackInput("r1", "cpu", at(2), at(100)))
    assert.deepEqual(net.alerts(), ["r1 cpu - firing ack"])
    net.apply(tick(200))
    assert.deepEqual(net.told, ["1 alert.firing cpu", "100 alert.firing cpu"])
    net.apply(ackInput("r1", "cpu", at(201), at(900)), ackInput("r1", "cpu", at(202), null))
    assert.deepEqual(net.told.slice(2), ["202 alert.firing cpu"], "taken back, it is told once more")
    assert.deepEqual(net.alerts(), ["r1 cpu - firing"])
    net.apply(ackInput("nobody", "cpu", at(203), null))
    assert.equal(net.world.unknownDevice, 1)
  })
})

describe("receipts", () => {
  test("[I1] the newest decision of what fires is kept, whole and bounded; what is ok keeps none", () => {
    const net = alone([ruleOf("cpu", over("device.cpu_pct", 50, 86_400))])
    for (let second = 1; second <= 600; second++) net.apply(cpu(second, second < 600 ? 45 : 60))
    const name = { device: idOf("r1"), rule: "cpu", entity: "" }
    const receipt = net.receipt(name)
    assert.ok(receipt !== null)
    const { hash, ...rest } = receipt
    assert.equal(hash, stateHash(rest))
    assert.equal(receipt.version, stateHash(receipt.rule))
    assert.deepEqual([receipt.before.state, receipt.after.state, receipt.condition], ["ok", "firing", "true"])
    const [series] = receipt.series
    assert.deepEqual([series?.samples.length, series?.cut], [2 * 600, false])
    assert.deepEqual(series?.samples.slice(-2), [at(600), 60])
    net.apply(cpu(601, 30))
    assert.deepEqual([net.alerts(), net.receipt(name)], [[], null])
  })

  test("[I1] one device keeps a bounded number of samples: the newest receipts are whole, older ones short and say so", () => {
    const rules = Array.from({ length: 40 }, (_, n) => ruleOf(`cpu-${n}`, over("device.cpu_pct", 50, 86_400)))
    const net = alone(rules)
    for (let second = 1; second <= 1_500; second++) net.apply(cpu(second, second < 1_500 ? 45 : 60))
    const held = rules.map(({ id }) => net.receipt({ device: idOf("r1"), rule: id, entity: "" })?.series[0])
    const lengths = held.map((series) => (series?.samples.length ?? 0) / 2)
    assert.ok(
      lengths.every((length) => length === 1_500 || length === SHORT_SAMPLES),
      lengths.join(),
    )
    assert.deepEqual(
      held.map((series) => series?.cut),
      lengths.map((length) => length === SHORT_SAMPLES),
    )
    const whole = lengths.filter((length) => length === 1_500).length
    assert.equal(whole, Math.floor(DEVICE_SAMPLES_MAX / 1_500))
  })

  test("[I1] one device keeps a bounded number, the newest", () => {
    const net = alone([DOWN])
    const many = Object.fromEntries(Array.from({ length: RECEIPTS_MAX + 9 }, (_, n) => [`ether${n}`, false]))
    net.apply(ports("r1", at(1), many))
    assert.equal(net.alerts().length, RECEIPTS_MAX + 9)
    assert.equal(net.cells.routers.state(0).judgement?.receipts.length, RECEIPTS_MAX)
    assert.equal(net.receipt({ device: idOf("r1"), rule: "down", entity: "if:ether0" }), null)
    assert.notEqual(net.receipt({ device: idOf("r1"), rule: "down", entity: `if:ether${RECEIPTS_MAX + 8}` }), null)
  })
})

/** The same plan, but its first rule about the device throws while `broken` says so. */
const planted = (net: JudgedNetwork, broken: () => boolean): void => {
  const { judging } = net.world
  const sabotaged = new WeakMap<DevicePlan, DevicePlan>()
  const sabotage = (plan: DevicePlan): DevicePlan => {
    const rules = plan.kinds.device.rules.map((rule) => ({
      ...rule,
      condition: {
        ...rule.condition,
        truth: (moment: Parameters<typeof rule.condition.truth>[0]) => {
          if (broken()) throw new Error("a defect in a condition")
          return rule.condition.truth(moment)
        },
      },
    }))
    return { ...plan, kinds: { ...plan.kinds, device: { ...plan.kinds.device, rules } } }
  }
  net.world.judging = {
    ...judging,
    judgeOf: (one) => {
      const judge = judging.judgeOf(one)
      if (judge === null) return null
      const plan = sabotaged.get(judge.plan) ?? sabotage(judge.plan)
      sabotaged.set(judge.plan, plan)
      return { ...judge, plan }
    },
  }
}

describe("a defect of judgement", () => {
  test("[I4] monitoring goes on, one event says so, and it is tried again after a minute with what it knew", () => {
    const net = alone([CPU])
    net.apply(cpu(1, 90))
    let broken = true
    planted(net, () => broken)
    const { events } = net.apply(cpu(11, 91))
    assert.deepEqual(
      events.map((event) => [event.type, event.severity, event.new]),
      [["monitoring.degraded", "warning", "alert rules cannot be judged: a defect in a condition"]],
    )
    assert.equal(
      net.device("r1").metrics.find(({ metric }) => metric === "device.cpu_pct")?.value,
      91,
      "the poll counts",
    )
    assert.deepEqual(net.apply(cpu(21, 92)).events, [], "it rests, and nobody is told again")
    assert.deepEqual(net.alerts(), ["r1 cpu - firing"])
    broken = false
    const later = net.apply(cpu(11 + ASIDE_MS / 1000, 20)).events
    assert.deepEqual(
      later.map(({ type, severity }) => [type, severity]),
      [
        ["monitoring.degraded", "cleared"],
        ["alert.resolved", "cleared"],
      ],
    )
  })

  test("[I4] whether a snapshot was just taken or not, a defect leaves the same behind: live and replay stay one", () => {
    const hashes = [true, false].map((taken) => {
      const net = alone([CPU, ruleOf("hot", over("device.temp_c", 1, 600, "avg"))])
      // Levels that move: a row that has to grow is a new one anyway.
      for (let second = 1; second < 200; second += 10) net.apply(cpu(second, 90 + (second % 3)))
      let broken = true
      planted(net, () => broken)
      if (taken) net.hash()
      net.apply(cpu(211, 91))
      if (taken) net.hash()
      broken = false
      for (let second = 281; second < 400; second += 10) net.apply(cpu(second, 92))
      assert.deepEqual(net.alerts(), ["r1 cpu - firing"])
      return net.hash()
    })
    assert.equal(hashes[0], hashes[1])
  })

  test("[I4] what stumbles again and again begins anew, and says so once", () => {
    const net = alone([CPU])
    net.apply(cpu(1, 90))
    let broken = true
    planted(net, () => broken)
    const said: string[] = []
    for (let minute = 1; minute <= 5; minute++)
      said.push(...net.apply(cpu(minute * 70, 91)).events.map(({ type }) => type))
    assert.deepEqual(said, ["monitoring.degraded"])
    assert.deepEqual(net.alerts(), [], "what it remembered may have been the cause")
    assert.equal(net.device("r1").health, "ok")
    broken = false
    net.apply(cpu(500, 91))
    assert.deepEqual(net.alerts(), ["r1 cpu - firing"])
  })
})

describe("snapshots", () => {
  test("[I4] one of before there were rules is read, and is judged as soon as rules come", () => {
    const net = alone([])
    net.apply(cpu(1, 90))
    const { judging: _, states, ...rest } = snapshotTwin(net.world, net.cells)
    const { alerts: _alerts, ...tenant } = states.tenant
    const routers = states.routers.map(({ judgement: _judgement, ...router }) => router)
    const old: unknown = { ...rest, states: { ...states, tenant, routers } }
    const restored = restoreTwin(old)
    assert.equal(restored.states.routers[0]?.judgement, null)
    assert.deepEqual(restored.states.tenant.alerts.lit, { info: 0, warn: 0, critical: 0 })
    assert.equal(restored.world.judging.rulesRev, 0)
  })

  test("[I4] a judgement whose rows this build would lay out otherwise begins anew instead of being misread", () => {
    const net = alone([CPU])
    net.apply(cpu(1, 90))
    const snapshot = snapshotTwin(net.world, net.cells)
    const [router] = snapshot.states.routers
    const judgement = router?.judgement ?? null
    assert.ok(router !== undefined && judgement !== null)
    const foreign = { ...judgement, device: { ...judgement.device, planKey: "of another build" } }
    const { world, states } = restoreTwin({
      ...snapshot,
      states: { ...snapshot.states, routers: [{ ...router, judgement: foreign }] },
    })
    const again = alone([])
    Object.assign(again.world, world)
    again.cells.routers.reshape([{ from: 0, state: states.routers[0] as typeof router }])
    again.cells.tenant.reshape([{ from: 0, state: states.tenant }])
    again.apply(cpu(11, 90))
    assert.deepEqual(again.alerts(), ["r1 cpu - firing"])
  })

  test("[I1] a judgement of the build before, which knew no site's name, says it from its next message on", () => {
    const net = alone([
      { ...CPU, annotations: { summary_template: "{{site}}", runbook_url: "https://example.net/runbook" } },
    ])
    net.apply(cpu(1, 10))
    const [router] = snapshotTwin(net.world, net.cells).states.routers
    const judgement = router?.judgement ?? null
    assert.ok(router !== undefined && judgement !== null)
    const { siteName: _, ...facts } = judgement.device.facts
    const before = { ...router, judgement: { ...judgement, device: { ...judgement.device, facts } } }
    net.cells.routers.reshape([{ from: 0, state: before }])
    net.apply(cpu(11, 90))
    assert.equal(net.receipt({ device: idOf("r1"), rule: "cpu", entity: "" })?.summary, "Site 1")
  })

  test("[I4] a judgement of the build before keeps its alerts: nobody is told again, and it goes on from there", () => {
    const net = alone([CPU])
    net.apply(cpu(1, 90))
    const snapshot = snapshotTwin(net.world, net.cells)
    const [router] = snapshot.states.routers
    const judgement = router?.judgement ?? null
    assert.ok(router !== undefined && judgement !== null)
    const { planFor } = makeRuleSet([rule("cpu", CPU.condition, CPU)])
    const { key, formerKey } = planFor(judgement.device.facts)
    assert.equal(judgement.device.planKey, key)
    // Rows of that build: cells that mean something else here.
    const entities = judgement.device.entities.map((one) => ({ ...one, row: new Float64Array(1350).fill(7) }))
    const former = { ...judgement, device: { ...judgement.device, planKey: formerKey, entities } }
    const { world, states } = restoreTwin({
      ...snapshot,
      states: { ...snapshot.states, routers: [{ ...router, judgement: former }] },
    })
    const again = alone([])
    const toldBefore = again.told.length
    Object.assign(again.world, world)
    again.cells.routers.reshape([{ from: 0, state: states.routers[0] as typeof router }])
    again.cells.tenant.reshape([{ from: 0, state: states.tenant }])
    again.apply(cpu(11, 90))
    assert.deepEqual(again.alerts(), ["r1 cpu - firing"])
    assert.equal(again.told.length, toldBefore, "it fires on, silently")
    again.apply(cpu(21, 10))
    assert.deepEqual(again.told.slice(toldBefore), ["21 alert.resolved cpu"])
  })
})
