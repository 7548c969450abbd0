/** Services judged in the fold: by probes first, once a change, by whom it is told, and the same in every replay. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import { deviceId, linkId, siteId } from "#protocol/id.ts"
import { readPhrase } from "#protocol/phrase.ts"
import { PACKS } from "#twin/alert/packs/registry.ts"
import { plainCells } from "#twin/cells.ts"
import { hashTwin } from "#twin/hash.ts"
import type { Input, Sequenced } from "#twin/input.ts"
import { idOf, T0 } from "#twin/inventory.fixture.ts"
import { rulesInput } from "#twin/judge/pool.fixture.ts"
import { at, network } from "#twin/network.fixture.ts"
import { newWorld, runRound } from "#twin/round.ts"
import { judgeServices } from "#twin/service/judge.ts"
import { servicesPlan } from "#twin/service/plan.ts"
import type { DeclaredGroup } from "#protocol/structure.ts"
import type { Weather } from "#twin/service/service.fixture.ts"
import { conditionOf, everybody, isp, NAMES, POPS, SERVICES, tells, tick } from "#twin/service/service.fixture.ts"
import { SERVICE_SETTLE_MS, servicesDueMs } from "#twin/service/watch.ts"
import { restoreTwin, snapshotTwin } from "#twin/snapshot.ts"

type Net = ReturnType<typeof network>
const said = (net: Net, ...inputs: readonly Input[]): string[] =>
  net
    .apply(...inputs)
    .events.filter(({ type }) => type.startsWith("service."))
    .map(({ type, subject, entity, new: now }) => `${type} ${subject.slice(3)} ${entity.slice(8)} ${now}`)
const calm = (inventory = isp()): Net => {
  const net = network(inventory)
  assert.deepEqual(said(net, ...everybody(10), tick(13)), [], "who has always been well is no news")
  return net
}
/** Twice, so that a probe that fails is believed, and everybody has been judged. */
const under = (net: Net, second: number, weather: Weather): string[] =>
  said(net, ...everybody(second, weather), tick(second + 3), ...everybody(second + 10, weather), tick(second + 13))
const healths = (net: Net): string =>
  SERVICES.map(({ id }) => `${id} ${net.world.services.states.get(id)?.condition.health ?? "-"}`).join(", ")
const WELL = "core up, dns up, pppoe-a up, transit-1 up, transit-2 up"

describe("[W7] health of services", () => {
  test("nobody knows anything before devices answer, and then all are well without a word", () => {
    const net = network(isp())
    said(net, tick(5))
    assert.equal(healths(net), WELL.replaceAll("up", "unknown"))
    assert.deepEqual(said(net, ...everybody(10), tick(13)), [])
    assert.equal(healths(net), WELL)
    assert.equal(conditionOf(net, "dns").sinceMs, at(13))
  })

  test("probes come first: a resolver that answers pings and no query is down, one that answers queries works, polled or not", () => {
    const net = calm()
    assert.deepEqual(under(net, 20, { noDns: ["ns1"] }), ["service.degraded ns1 dns degraded"])
    assert.deepEqual(under(net, 40, { noDns: ["ns1", "ns2"] }), ["service.down ns1 dns down"])
    assert.match(conditionOf(net, "dns").reasons[0]!.text, /the DNS probe of ns1 fails/)
    assert.deepEqual(under(net, 60, {}), ["service.up ns1 dns up"])
    const polled = calm()
    polled.apply(...everybody(20, { silent: ["ns1", "ns2"] }), tick(23))
    assert.equal(conditionOf(polled, "dns").health, "up", "nobody reads them, and the newest probes succeeded")
  })

  test("one failed probe of UDP weakens, and takes nothing down before it failed again", () => {
    const net = calm()
    net.apply(...everybody(20, { noDns: ["ns1", "ns2"] }), tick(23))
    assert.equal(conditionOf(net, "dns").health, "degraded")
    assert.match(conditionOf(net, "dns").reasons[0]!.text, /failed once/)
  })

  test("one core router of two weakens the core and leaves the transit alone; both take it down", () => {
    const net = calm()
    const told = under(net, 20, { silent: ["c1"], down: ["e1:c1", "c2:c1", "pa:c1", "pb:c1"] })
    assert.deepEqual(told, ["service.degraded c1 core degraded"])
    assert.equal(conditionOf(net, "transit-1").health, "up", "the edge has another way")
    const both = under(net, 40, { silent: ["c1", "c2", "pa", "pb", "pc", "bng"] })
    assert.ok(both.includes("service.down c1 core down"), both.join())
    assert.ok(both.includes("service.down bng pppoe-a down"), both.join())
  })

  test("a group says what is enough: any of two is well with one, and weak; k of n is down below k", () => {
    const group = (mode: "any" | "all" | "kofn", k = 1) => [
      {
        id: "g",
        name: "resolvers",
        mode,
        k,
        devices: [deviceId("id-ns1"), deviceId("id-ns2")],
        links: [],
        dependants: [],
      },
    ]
    const health = (mode: "any" | "all" | "kofn", k: number, noDns: readonly string[]): string => {
      const net = calm(isp(SERVICES, group(mode, k)))
      under(net, 20, { noDns })
      return conditionOf(net, "dns").health
    }
    assert.equal(health("any", 1, ["ns1"]), "degraded")
    assert.equal(health("any", 1, ["ns1", "ns2"]), "down")
    assert.equal(health("all", 1, ["ns1"]), "down")
    assert.equal(health("kofn", 2, ["ns2"]), "down")
    assert.equal(health("kofn", 2, []), "up")
  })

  test("a concentrator that cannot do without a group is down when the group is, though it answers", () => {
    const net = calm(isp(SERVICES, [{ ...PAIR, links: [] }]))
    under(net, 20, { silent: ["c1"] })
    assert.equal(conditionOf(net, "pppoe-a").health, "up")
    under(net, 40, { silent: ["c1", "c2"] })
    assert.equal(conditionOf(net, "pppoe-a").health, "down")
    assert.match(conditionOf(net, "pppoe-a").reasons[0]!.text, /bng lacks what it needs: both cores/)
  })

  test("a concentrator without any session is weak", () => {
    const net = calm()
    assert.deepEqual(under(net, 20, { sessions: 0 }), ["service.degraded bng pppoe-a degraded"])
  })

  test("what is declared of nothing is unknown, says so, and makes no event", () => {
    const net = network(isp([{ ...SERVICES[0]!, id: "air", name: "Air", sites: [] }]))
    assert.deepEqual(said(net, ...everybody(10), tick(13)), [])
    assert.equal(conditionOf(net, "air").health, "unknown")
    assert.match(conditionOf(net, "air").reasons[0]!.text, /nothing is declared/)
  })

  test("evidence that nobody renews ends by itself, without any input of that device", () => {
    const net = calm(isp([SERVICES[1]!]))
    const probesOnly = (second: number): readonly Input[] =>
      NAMES.filter((name) => !name.startsWith("ns")).map((name) => tells(name, at(second)))
    net.apply(tells("ns1", at(20), { noDns: ["ns1"] }), tells("ns1", at(30), { noDns: ["ns1"] }), tick(33))
    assert.equal(conditionOf(net, "dns").health, "degraded")
    for (let second = 60; second < 800; second += 30) net.apply(...probesOnly(second), tick(second + 1))
    assert.equal(conditionOf(net, "dns").health, "unknown", "last heard too long ago, probes and all")
  })
})

describe("[W7] transit", () => {
  test("one upstream dies: its transit is down by a word of eBGP, the other one carries on", () => {
    const net = calm()
    assert.deepEqual(under(net, 20, { silent: ["up1"], down: ["e1:t"], noBgp: ["e1"] }), [
      "service.down e1 transit-1 down-session",
    ])
    assert.equal(conditionOf(net, "transit-1").words, "eBGP with Alfa is down")
    assert.equal(conditionOf(net, "transit-2").health, "up")
  })

  test("eBGP down, we are well, and all sites lose public targets: each transit is out, with high confidence", () => {
    const net = calm()
    const told = under(net, 20, { noBgp: ["e1", "e2"], lost: POPS })
    assert.deepEqual(told, ["service.down e1 transit-1 down-out", "service.down e2 transit-2 down-out"])
    const { words, transit, reasons } = conditionOf(net, "transit-1")
    assert.equal(words, "Transit of Alfa is out")
    assert.equal(transit?.confidence, 0.95)
    assert.ok(reasons.some(({ text }) => text === "public targets do not answer from pop-b"))
  })

  test("eBGP stands and several sites lose public targets: beyond us, shared by those that stand; one site alone is no news", () => {
    const net = calm()
    assert.deepEqual(under(net, 20, { lost: ["pa"] }), [])
    assert.deepEqual(under(net, 40, { lost: ["pa", "pb"] }), [
      "service.degraded e1 transit-1 degraded-beyond",
      "service.degraded e2 transit-2 degraded-beyond",
    ])
    assert.equal(conditionOf(net, "transit-1").transit?.confidence, 0.3)
  })

  test("our own fault stays ours: a dead edge, a port that we shut, sites that have no way to an edge", () => {
    const dead = calm()
    under(dead, 20, { silent: ["e1", "e2"], lost: POPS })
    assert.equal(conditionOf(dead, "transit-1").transit?.verdict, "inside")
    const shut = calm()
    under(shut, 20, { shut: ["e1:t", "e2:t"], noBgp: ["e1", "e2"], lost: POPS })
    assert.deepEqual(conditionOf(shut, "transit-1").transit, { verdict: "inside", confidence: 0.9 })
    assert.match(conditionOf(shut, "transit-1").reasons[0]!.text, /shut by us/)
    const cut = calm()
    const torn = ["e1:c1", "c1:e1", "e1:c2", "c2:e1", "e2:c2", "c2:e2"]
    assert.deepEqual(
      under(cut, 20, { down: torn, lost: POPS }),
      [],
      "nobody has a way out, and no provider is to blame",
    )
    assert.ok(conditionOf(cut, "transit-1").reasons.some(({ text }) => text === "pop-b has no way to an edge of ours"))
  })

  test("where nobody watches public targets, and where no session is told, less is said", () => {
    const blind = network(isp())
    under(blind, 20, { watch: [], noBgp: ["e1"] })
    assert.deepEqual(conditionOf(blind, "transit-1").transit, { verdict: "session", confidence: 0.8 })
    const untold = network(isp())
    under(untold, 20, { watch: [], noSession: ["e1"] })
    assert.equal(conditionOf(untold, "transit-1").health, "up", "the link carries, and no session is told")
    under(untold, 40, { watch: [], noSession: ["e1"], down: ["e1:t", "up1:t"] })
    assert.deepEqual(conditionOf(untold, "transit-1").transit, { verdict: "session", confidence: 0.8 })
  })

  test("an outage that grows out of a session is told again; its end once", () => {
    const net = calm()
    assert.deepEqual(under(net, 20, { noBgp: ["e1", "e2"] }), [
      "service.down e1 transit-1 down-session",
      "service.down e2 transit-2 down-session",
    ])
    assert.deepEqual(under(net, 40, { noBgp: ["e1", "e2"], lost: ["pa", "pc"] }), [
      "service.down e1 transit-1 down-out",
      "service.down e2 transit-2 down-out",
    ])
    assert.deepEqual(under(net, 60, {}), ["service.up e1 transit-1 up", "service.up e2 transit-2 up"])
  })
})

describe("[W7] who makes transits judged anew", () => {
  const ways = (net: Pick<Net, "world">): readonly string[] =>
    conditionOf(net, "transit-1").reasons.flatMap(({ kind, text }) => (kind === "" ? [text] : []))

  test("a site that watched public targets and fell silent, or watches none any more, counts no more (seed 3281008)", () => {
    for (const [weather, word] of [
      [{ silent: ["pa"] }, "silent"],
      [{ noTargets: ["pa"] }, "watches none"],
    ] as const) {
      const net = network(isp())
      net.apply(...everybody(10, { watch: ["pa"] }), tick(13))
      assert.deepEqual(ways(net), ["public targets answer from 1 of 1 sites"])
      net.apply(tells("pa", at(20), weather), tick(23))
      assert.deepEqual(ways(net), ["no device of ours watches public targets"], word)
    }
  })

  const FAR: Weather = { watch: ["pa", "far"], lost: ["far"] }
  const TORN: Weather = { ...FAR, down: ["h2:h3", "h3:h2"] }
  test("a site that lost public targets is cut off by news from far away, and that is no provider's doing", () => {
    const net = calm()
    under(net, 20, FAR)
    assert.ok(ways(net).includes("public targets do not answer from pop-far"), ways(net).join())
    net.apply(tells("h2", at(40), TORN), tick(43))
    assert.ok(ways(net).includes("pop-far has no way to an edge of ours"), ways(net).join())
    net.apply(tells("h2", at(50), FAR), tick(53))
    assert.ok(ways(net).includes("public targets do not answer from pop-far"), ways(net).join())
  })

  test("also where that news is the first after a restart", () => {
    const before = calm()
    under(before, 20, FAR)
    const { world, states } = restoreTwin(snapshotTwin(before.world, before.cells))
    const cells = plainCells(states)
    for (const input of [tells("h2", at(40), TORN), tick(43)]) runRound(world, cells, [{ seq: world.seq + 1, input }])
    assert.ok(ways({ world }).includes("pop-far has no way to an edge of ours"), ways({ world }).join())
  })

  test("a router that stands nowhere in a service makes nothing due while all is well", () => {
    const net = calm(isp(SERVICES.slice(3)))
    net.apply(tells("ns1", at(20)), tells("ns2", at(21)))
    assert.deepEqual([...net.world.services.due], [])
    net.apply(tells("pa", at(22)))
    assert.deepEqual([...net.world.services.due], ["transit-1", "transit-2"])
  })
})

const WATCHERS = [...POPS, "far"]
const weather: fc.Arbitrary<Weather> = fc.record({
  silent: fc.subarray([...NAMES], { maxLength: 4 }),
  down: fc.subarray([
    "e1:t",
    "e2:t",
    "e1:c1",
    "e1:c2",
    "e2:c2",
    "pa:c1",
    "pa:c2",
    "c1:pa",
    "c2:pa",
    "c2:pc",
    "c1:c2",
    "h2:h3",
    "h3:h2",
    "h2:h1",
  ]),
  shut: fc.subarray(["e1:t", "e2:t"]),
  noBgp: fc.subarray(["e1", "e2"]),
  noSession: fc.subarray(["e1", "e2"]),
  watch: fc.oneof(fc.constant(WATCHERS), fc.subarray([...WATCHERS])),
  noTargets: fc.subarray([...POPS], { maxLength: 1 }),
  lost: fc.subarray([...WATCHERS]),
  noDns: fc.subarray(["ns1", "ns2"]),
  sessions: fc.constantFrom(0, 900),
})
const PAIR: DeclaredGroup = {
  id: "g",
  name: "both cores",
  mode: "any",
  k: 1,
  devices: [deviceId("id-c1"), deviceId("id-c2")],
  links: [linkId("a1")],
  dependants: [deviceId("id-bng")],
}
const PLANS = [isp(), isp(SERVICES.slice(1)), isp([]), isp(SERVICES, [PAIR])]
/**
 * Single devices tell of a weather that lasts or of another one; often it is waited until they were heard, now and then the
 * inventory changes, and long silences make evidence old.
 */
const story: fc.Arbitrary<readonly Sequenced[]> = fc
  .tuple(
    weather,
    fc.array(
      fc.record({
        afterMs: fc.oneof(fc.nat(3_000), fc.nat(3_000), fc.constant(400_000)),
        who: fc.oneof(fc.constantFrom(...NAMES), fc.constantFrom("tick", "all", "plan")),
        another: fc.option(weather, { freq: 2 }),
        plan: fc.nat(PLANS.length - 1),
        settles: fc.boolean(),
      }),
      { minLength: 1, maxLength: 30 },
    ),
  )
  .map(([lasting, list]) => {
    let atMs = T0 + 1_000
    const inputs = list.flatMap(({ afterMs, who, another, plan, settles }): readonly Input[] => {
      atMs += afterMs
      const heard = ((): readonly Input[] => {
        if (who === "tick") return [{ kind: "tick", atMs }]
        if (who === "plan") return [{ kind: "topology", atMs, rev: atMs, inventory: PLANS[plan]! }]
        return (who === "all" ? NAMES : [who]).map((name, nth) => tells(name, atMs + nth, another ?? lasting))
      })()
      if (!settles) return heard
      atMs += SERVICE_SETTLE_MS + NAMES.length
      return [...heard, { kind: "tick", atMs }]
    })
    const first: Input = { kind: "topology", atMs: T0, rev: 1, inventory: PLANS[0]! }
    return [first, ...inputs].map((input, index) => ({ seq: index + 1, input }))
  })

describe("[W7] services in the fold", () => {
  test("[determinism] grouped otherwise, and restored in the middle: the same events and the same twin", () => {
    fc.assert(
      fc.property(story, fc.nat(60), (all, cut) => {
        const one = { world: newWorld(), cells: plainCells() }
        const whole = runRound(one.world, one.cells, all).events
        const head = { world: newWorld(), cells: plainCells() }
        const before = all.slice(0, cut + 1).flatMap((input) => runRound(head.world, head.cells, [input]).events)
        const { world, states } = restoreTwin(
          JSON.parse(JSON.stringify(snapshotTwin(head.world, head.cells), numbers), revived),
        )
        const cells = plainCells(states)
        const after = runRound(world, cells, all.slice(cut + 1)).events
        assert.deepEqual(
          [...before, ...after].map(({ id, type }) => id + type),
          whole.map(({ id, type }) => id + type),
        )
        assert.equal(hashTwin(world, cells), hashTwin(one.world, one.cells))
      }),
      { numRuns: 25 },
    )
  })

  /** So that some are ill in every run, whatever is drawn. */
  const ILL: readonly Sequenced[] = [
    { kind: "topology", atMs: T0, rev: 1, inventory: PLANS[0]! } as const,
    ...everybody(10),
    ...everybody(20, { noDns: ["ns1", "ns2"], silent: ["c1"], noBgp: ["e1"], lost: POPS, sessions: 0 }),
    tick(23),
    ...everybody(30, { noDns: ["ns1", "ns2"], silent: ["c1", "c2"], noBgp: ["e1", "e2"], lost: POPS }),
    tick(33),
  ].map((input, index) => ({ seq: index + 1, input }))

  test("[property] what was judged step by step is what a judgement of everything from scratch says", () => {
    let bad = 0
    fc.assert(
      fc.property(story, (all) => {
        const { world, cells } = { world: newWorld(), cells: plainCells() }
        for (const input of all) {
          runRound(world, cells, [input])
          const due = servicesDueMs(world)
          if (due !== null && due <= world.atMs + SERVICE_SETTLE_MS) continue
          const plan = servicesPlan(world.topology)
          const reading = {
            topology: world.topology,
            cells,
            nowMs: world.atMs,
            failing: new Map(world.services.failing),
            staleMs: 0,
          }
          const scratch = judgeServices(
            reading,
            plan,
            plan.services.map((_, index) => index),
          )
          for (const [index, { health, words, reasons, transit }] of scratch) {
            const { condition } = world.services.states.get(plan.services[index]!.service.id)!
            const { sinceMs: _since, atMs: _at, ...kept } = condition
            assert.deepEqual(kept, { health, words, reasons, transit })
            bad += Number(health === "down" || health === "degraded")
          }
          assert.equal(world.services.states.size, plan.services.length)
        }
      }),
      { numRuns: 50, examples: [[ILL]] },
    )
    assert.ok(bad >= 2 * SERVICES.length, `${bad} services were ill in all stories`)
  })

  test("every sentence of theirs is a phrase that a screen can say in its language", () => {
    fc.assert(
      fc.property(story, (all) => {
        const { world, cells } = { world: newWorld(), cells: plainCells() }
        runRound(world, cells, all)
        for (const { condition } of world.services.states.values())
          for (const text of [condition.words, ...condition.reasons.map((one) => one.text)])
            assert.ok(text === "" || readPhrase(text) !== null, text)
      }),
      { numRuns: 25 },
    )
  })

  test("a snapshot of before services were judged is read, and they are judged with the next input", () => {
    const net = calm()
    const { services: _gone, ...old } = snapshotTwin(net.world, net.cells)
    const { world, states } = restoreTwin(old)
    const cells = plainCells(states)
    runRound(world, cells, [{ seq: world.seq + 1, input: tick(20) }])
    assert.equal([...world.services.states.values()].map(({ condition }) => condition.health).join(), "up,up,up,up,up")
  })

  test("a tenant that declares none pays nothing: no state, nothing due", () => {
    const net = network(isp([]))
    net.apply(...everybody(10), ...everybody(20), tick(30))
    assert.deepEqual(
      [net.world.services.states.size, servicesDueMs(net.world), net.world.services.plan],
      [0, null, null],
    )
  })

  test("an alert of a service calls it by its name, also by the one that it is given later; its id is nobody's word", () => {
    const { rule } = PACKS.flatMap(({ rules }) => rules).find((one) => one.rule.id === "transit-session-down")!
    const net = calm()
    net.apply({ ...rulesInput([rule]), atMs: at(14) })
    const told = (...inputs: readonly Input[]): readonly (string | null)[] =>
      net.apply(...inputs).events.flatMap(({ type, raw }) => (type === "alert.firing" ? [raw] : []))
    assert.deepEqual(told(...everybody(20, { noBgp: ["e1"] }), tick(23)), [
      "No eBGP session of TRANSIT-1 is established",
    ])
    const renamed = SERVICES.map((one) => (one.id === "transit-2" ? { ...one, name: "constructor" } : one))
    net.apply({ kind: "topology", atMs: at(30), rev: 2, inventory: isp(renamed) }, tick(33))
    assert.deepEqual(told(...everybody(40, { noBgp: ["e1", "e2"] }), tick(43)), [
      "No eBGP session of constructor is established",
    ])
  })

  test("a device that told a service and is not its own any more is told so; a service that is removed leaves no alert", () => {
    const { rule } = PACKS.flatMap(({ rules }) => rules).find((one) => one.rule.id === "transit-session-down")!
    const net = calm()
    net.apply({ ...rulesInput([rule]), atMs: at(14) })
    const alerts = (...inputs: readonly Input[]): string[] =>
      net
        .apply(...inputs)
        .events.filter(({ type }) => type.startsWith("alert."))
        .map(({ type, subject, entity }) => `${type} ${subject} ${entity}`)
    const dead = { noBgp: ["e1"] }
    assert.deepEqual(alerts(...everybody(20, dead), tick(23)), [`alert.firing ${idOf("e1")} service:transit-1`])
    const moved = SERVICES.map((one) =>
      one.id === "transit-1"
        ? { ...one, links: [linkId("t1")], devices: [deviceId("id-c1")], kind: "core" as const, providers: [] }
        : one,
    )
    const elsewhere = alerts({ kind: "topology", atMs: at(30), rev: 2, inventory: isp(moved) }, tick(33))
    assert.ok(elsewhere.includes(`alert.resolved ${idOf("e1")} service:transit-1`), elsewhere.join())
    const none = alerts({ kind: "topology", atMs: at(40), rev: 3, inventory: isp([]) }, tick(43), tick(46))
    assert.ok(!none.some((one) => one.startsWith("alert.firing")), none.join())
    assert.equal(net.world.services.states.size, 0)
  })

  test("a site's own service is all of its devices", () => {
    const net = calm(
      isp([...SERVICES, { ...SERVICES[0]!, id: "pop", name: "PoP C", kind: "site", sites: [siteId("pop-c")] }]),
    )
    assert.deepEqual(under(net, 20, { silent: ["pc"] }), ["service.down pc pop down"])
  })
})

/** Typed arrays through JSON, as storage keeps them. */
const numbers = (_key: string, value: unknown): unknown =>
  ArrayBuffer.isView(value)
    ? { is: value.constructor.name, of: [...(value as Float64Array)].map(String) }
    : value instanceof Map
      ? { is: "Map", of: [...value] }
      : value
const TYPED: Readonly<Record<string, (of: readonly string[]) => unknown>> = {
  Float64Array: (of) => Float64Array.from(of, Number),
  Uint32Array: (of) => Uint32Array.from(of, Number),
  Uint16Array: (of) => Uint16Array.from(of, Number),
  Uint8Array: (of) => Uint8Array.from(of, Number),
  Int32Array: (of) => Int32Array.from(of, Number),
  Map: (of) => new Map(of as unknown as readonly [unknown, unknown][]),
}
const revived = (_key: string, value: unknown): unknown => {
  const packed = value as { is?: string; of?: readonly string[] } | null
  const make = packed?.is === undefined ? undefined : TYPED[packed.is]
  return make === undefined ? value : make(packed?.of ?? [])
}
