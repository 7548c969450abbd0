/** Outages of transit in incidents: one incident, called by the provider, whoever named the cause; and which services it names. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { readPhrase } from "#protocol/phrase.ts"
import type { Input } from "#twin/input.ts"
import { PACKS } from "#twin/alert/packs/registry.ts"
import { desk } from "#twin/incident/incident.fixture.ts"
import { hashTwin } from "#twin/hash.ts"
import { plainCells } from "#twin/cells.ts"
import { rulesInput } from "#twin/judge/pool.fixture.ts"
import { at } from "#twin/network.fixture.ts"
import { newWorld, runRound } from "#twin/round.ts"
import { everybody, isp, POPS, tick } from "#twin/service/service.fixture.ts"
import type { Weather } from "#twin/service/service.fixture.ts"
import { restoreTwin, snapshotTwin } from "#twin/snapshot.ts"

const RULES = PACKS.flatMap(({ rules }) => rules.map(({ rule }) => rule))
type Desk = ReturnType<typeof desk>

const calm = (rules: typeof RULES | null = RULES): Desk => {
  const net = desk(isp())
  if (rules !== null) net.apply({ ...rulesInput(rules), atMs: at(1) })
  for (const second of [10, 20, 30]) net.apply(...everybody(second), tick(second + 3))
  assert.deepEqual(net.incidents(), [])
  return net
}
const under = (net: Desk, from: number, seconds: number, weather: Weather): void => {
  for (let second = from; second < from + seconds; second += 10) {
    net.apply(...everybody(second, weather))
    for (const after of [1, 2, 3, 5, 8]) net.apply(tick(second + after))
  }
}
/** Cuts that the provider is to blame for, as our own devices show them. */
const DEAD: Weather = { silent: ["up1", "up2"], down: ["e1:t", "e2:t"], noBgp: ["e1", "e2"], lost: POPS }

describe("[W7] outages of transit in incidents", () => {
  test("whatever an incident says of them is a phrase, in its story, its cause and its symptoms; services by name", () => {
    for (const weather of [DEAD, { lost: POPS }]) {
      const net = calm()
      under(net, 40, 60, weather)
      const open = net.incidents()
      assert.ok(open.length > 0)
      for (const { title, causes, symptoms, timeline } of open) {
        for (const text of [title, ...causes.map(({ because }) => because), ...symptoms.map((one) => one.summary)])
          assert.ok(readPhrase(text) !== null, text)
        for (const { text } of timeline) assert.ok(readPhrase(text) !== null, text)
        for (const text of [...symptoms.map(({ summary }) => summary), ...timeline.map((line) => line.text)])
          assert.doesNotMatch(text, /transit-\d/)
      }
    }
  })

  test("one upstream dies: its incident names the transit among the services, and is not called an outage", () => {
    const net = calm()
    under(net, 40, 40, { silent: ["up1"], down: ["e1:t"], noBgp: ["e1"] })
    const { title, impact } = net.one()
    assert.doesNotMatch(title, /^Transit of/)
    assert.deepEqual(impact.services, ["TRANSIT-1"])
  })

  test("both upstreams die: each one's incident is called by its provider, keeps its cause, and is critical", () => {
    const net = calm()
    under(net, 40, 60, DEAD)
    const open = net.incidents().filter(({ state }) => state !== "closed")
    const titles = open.map(({ title }) => title)
    assert.ok(titles.length >= 1 && titles.length <= 2, titles.join(" | "))
    assert.ok(
      titles.some((title) => title.startsWith("Transit of ")),
      titles.join(" | "),
    )
    for (const { title, severity, causes } of open) {
      if (!title.startsWith("Transit of ")) continue
      assert.equal(severity, "critical")
      assert.ok(causes[0]!.members.length > 0)
      assert.ok(readPhrase(title) !== null, title)
    }
  })

  test("both upstreams die: what follows from it opens nothing of its own, whether it came before the verdict or after", () => {
    for (const late of [0, 20]) {
      const net = calm()
      if (late > 0) under(net, 40, late, { ...DEAD, lost: [], sessions: 100 })
      under(net, 40 + late, 60, { ...DEAD, sessions: 100 })
      const open = net.incidents().filter(({ state }) => state !== "closed")
      assert.equal(open.length, 2, open.map(({ title }) => title).join(" | "))
      const alerts = open.flatMap(({ title, symptoms }) =>
        symptoms.flatMap(({ alert, ...one }) => (alert === "" ? [] : [{ ...one, title }])),
      )
      const home = (summary: RegExp) => alerts.find((one) => summary.test(one.summary))
      assert.match(home(/TRANSIT-1 is out/)!.title, /^Transit of Alfa/)
      assert.match(home(/TRANSIT-2 is out/)!.title, /^Transit of Beta/)
      assert.match(home(/PPPoE sessions/)!.title, /^Transit of /)
      for (const { explainedBy, summary } of alerts) assert.equal(explainedBy, 0, summary)
    }
  })

  test("while one transit works, or before it failed, subscribers who are lost are another fault's", () => {
    const net = calm()
    under(net, 40, 60, { silent: ["up1"], down: ["e1:t"], noBgp: ["e1"], sessions: 100 })
    const others = net.incidents().filter(({ symptoms }) => symptoms.some(({ summary }) => /PPPoE/.test(summary)))
    assert.ok(others.every(({ title, causes }) => causes.length === 0 && !title.startsWith("Transit of")))
    const early = calm()
    under(early, 40, 10, { sessions: 100 })
    under(early, 200, 60, { ...DEAD, sessions: 100 })
    const dropped = early.incidents().find(({ symptoms }) => symptoms.some(({ summary }) => /PPPoE/.test(summary)))
    assert.equal(dropped?.causes.length, 0)
  })

  test("public targets are lost while everything of ours is well: one incident for all that may be to blame, and it ends by itself", () => {
    const net = calm()
    under(net, 40, 40, { lost: POPS })
    const { title, causes, severity, symptoms, state } = net.one()
    assert.equal(title, "Upstream is degraded beyond us, at one of Alfa, Beta")
    assert.equal(state, "open")
    assert.equal(causes[0]!.confidence, 0.6)
    assert.deepEqual(
      causes[0]!.members.map(({ fault, name }) => `${fault} ${name}`),
      ["upstream provider Alfa", "upstream provider Beta"],
    )
    assert.notEqual(severity, "critical")
    assert.deepEqual(symptoms.map(({ entity }) => entity).sort(), ["service:transit-1", "service:transit-2"])
    // An evaluation for another reason ends nothing of it.
    under(net, 80, 20, { lost: POPS, silent: ["ns2"] })
    assert.equal(net.incidents().find(({ causes: [cause] }) => cause?.members.length === 2)?.state, "open")
    under(net, 100, 20, {})
    assert.ok(net.incidents().every((one) => one.state === "recovering"))
    under(net, 120, 20, { lost: POPS })
    assert.equal(net.incidents().find(({ causes: [cause] }) => cause?.members.length === 2)?.state, "open")
  })

  test("where no rule looks at services it lasts as long as the service is ill, whatever else is evaluated meanwhile", () => {
    const net = calm(null)
    under(net, 40, 20, { lost: POPS })
    const { id } = net.one()
    const state = () => net.incidents().find((one) => one.id === id)?.state
    under(net, 60, 20, { lost: POPS, silent: ["ns2"] })
    assert.equal(state(), "open")
    under(net, 80, 20, {})
    assert.equal(state(), "recovering")
    under(net, 100, 20, { lost: POPS })
    assert.equal(state(), "open")
  })

  test("our own fault is never called the provider's", () => {
    const net = calm()
    under(net, 40, 60, { silent: ["e1", "e2"], down: ["c1:e1", "c2:e2", "c2:e1"], lost: POPS })
    assert.ok(net.incidents().length > 0)
    assert.ok(net.incidents().every(({ title }) => !title.includes("Transit of") && !title.includes("Upstream")))
  })

  test("an inventory without services has the same incidents as ever", () => {
    const net = desk(isp([]))
    net.apply({ ...rulesInput(RULES), atMs: at(1) })
    under(net, 10, 30, {})
    under(net, 40, 40, { ...DEAD, silent: ["up1"], down: ["e1:t"], noBgp: ["e1"] })
    assert.deepEqual(net.one().impact.services, [])
  })

  test("[determinism] restored in the middle of an outage, everything goes on as if it had never stopped", () => {
    for (const cut of [40, 90, 110]) {
      const net = calm()
      under(net, 40, 40, DEAD)
      under(net, 80, 30, {})
      const all = [...net.fed]
      const seq = (input: Input, index: number) => ({ seq: index + 1, input })
      const start: Input[] = [{ kind: "topology", atMs: at(0), rev: 1, inventory: isp() }, ...all]
      const one = { world: newWorld(), cells: plainCells() }
      runRound(one.world, one.cells, start.map(seq))
      const head = { world: newWorld(), cells: plainCells() }
      runRound(head.world, head.cells, start.map(seq).slice(0, cut))
      const { world, states } = restoreTwin(snapshotTwin(head.world, head.cells))
      const cells = plainCells(states)
      runRound(world, cells, start.map(seq).slice(cut))
      assert.equal(hashTwin(world, cells), hashTwin(one.world, one.cells))
    }
  })
})
