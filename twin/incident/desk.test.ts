/** Incidents out of a twin's own inputs: opened, correlated, suppressed, corrected, recovered, reopened, closed, remembered. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { packStored, unpackStored } from "#protocol/codec.ts"
import { plainCells } from "#twin/cells.ts"
import { hashTwin } from "#twin/hash.ts"
import { dueOf } from "#twin/incident/desk.ts"
import { cpu, desk, hot, linkDown, stars } from "#twin/incident/incident.fixture.ts"
import type { Desk } from "#twin/incident/incident.fixture.ts"
import { COOLDOWN_MS, INCIDENT_SIGNALS, LIFE } from "#twin/incident/lifecycle.ts"
import { HOLD_MS } from "#twin/incident/correlate.ts"
import { INCIDENT_STATES } from "#protocol/incident.ts"
import { alertViews } from "#twin/judge/alert-view.ts"
import { silenceOf, silencesInput } from "#twin/judge/pool.fixture.ts"
import { at } from "#twin/network.fixture.ts"
import type { Input } from "#twin/input.ts"
import { newWorld, runRound } from "#twin/round.ts"
import { restoreTwin, snapshotTwin } from "#twin/snapshot.ts"
import { poll, silence } from "#twin/inventory.fixture.ts"

const healthy = (net: Desk, until = 30): Desk => {
  for (let second = 1; second <= until; second += 10) net.round(second)
  return net
}
const held = (net: Desk): readonly string[] =>
  alertViews(net.world, net.cells).flatMap(({ deviceName, rule, heldBack }) =>
    heldBack?.by === "dependency" ? [`${deviceName} ${rule}`] : [],
  )

describe("[I8] [I9] correlation by cause", () => {
  test("[I9] a link cut by trap has its incident in the very input, named, with evidence", () => {
    const net = healthy(desk(stars({ s2: 3 })))
    net.apply(linkDown("s2-1", "u1", 31), linkDown("c1", "s2-1", 31.2))
    net.tick(32)
    const one = net.one()
    assert.match(net.said[0] ?? "", /^31(\.\d+)? opened$/)
    net.tick(33)
    const [cause] = net.one().causes
    assert.deepEqual(
      cause?.members.map(({ kind, id, fault }) => [kind, id, fault]),
      [["link", "s2-1-1", "link"]],
    )
    assert.ok((cause?.confidence ?? 0) > 0.5)
    assert.ok((cause?.evidence ?? []).some(({ standing, kind }) => standing === "for" && kind === "port"))
    assert.equal(one.id, net.one().id)
    assert.deepEqual(net.one().impact.links, ["s2-1-1"])
  })

  test("[I8] two independent faults at the same time are two incidents", () => {
    const net = healthy(desk(stars({ s2: 4, s3: 4 })))
    net.apply(linkDown("s2-1", "u1", 31), linkDown("c1", "s2-1", 31.1))
    net.apply(linkDown("s3-2", "u2", 31.2), linkDown("c2", "s3-2", 31.3))
    net.tick(31 + 1 + HOLD_MS / 1000)
    net.tick(33 + HOLD_MS / 1000)
    assert.deepEqual(
      net
        .incidents()
        .flatMap(({ causes }) => causes.map(({ members }) => members[0]?.id))
        .toSorted(),
      ["s2-1-1", "s3-2-2"],
    )
  })

  test("[I7] a site of 200 routers without power is one incident; every alert is its symptom and says why nobody is told", () => {
    const net = healthy(desk(stars({ s2: 200, s3: 5 })))
    const dead = Array.from({ length: 200 }, (_, i) => `s2-${i + 1}`)
    const down = dead.flatMap((name) => [`c1:${name}`, `c2:${name}`])
    for (const second of [41, 51, 61]) net.round(second, dead, down)
    net.tick(70)
    const one = net.one()
    assert.equal(net.said.filter((line) => line.endsWith("opened")).length, 1)
    assert.equal(one.causes[0]?.members[0]?.fault, "site-power")
    assert.equal(one.causes[0]?.members[0]?.id, "s2")
    assert.equal(one.severity, "critical")
    const lit = alertViews(net.world, net.cells)
    assert.equal(lit.length, 600)
    assert.equal(one.alerts, 600)
    assert.ok(one.symptoms.every(({ explainedBy }) => explainedBy === 0))
    const quiet = lit.filter(({ heldBack }) => heldBack?.by === "dependency")
    assert.ok(quiet.length >= 599, `${quiet.length} of ${lit.length}`)
    for (const { heldBack } of quiet) assert.match(heldBack?.reason ?? "", /^incident \d+-\d+: explained by .*, for /)
    assert.equal(one.impact.devices.length, 200)
    assert.ok(one.impact.sites.includes("s2"))
  })

  test("[I9] the cause is corrected by what comes later, in the open", () => {
    const net = healthy(desk(stars({ s2: 3 })))
    net.apply(silence("s2-1", at(41)), linkDown("c1", "s2-1", 41.1), linkDown("c2", "s2-1", 41.2))
    net.tick(43)
    assert.equal(net.one().causes[0]?.members[0]?.id, "id-s2-1")
    net.round(
      45,
      ["s2-1", "s2-2", "s2-3"],
      ["s2-1", "s2-2", "s2-3"].flatMap((one) => [`c1:${one}`, `c2:${one}`]),
    )
    net.tick(50)
    const one = net.one()
    assert.equal(one.causes[0]?.members[0]?.id, "s2")
    assert.ok(one.timeline.some(({ action, text }) => action === "cause" && text.startsWith("cause corrected: ")))
  })
})

describe("[I8] alerts without a cause", () => {
  test("a critical alert opens an incident that says that its cause is not known", () => {
    const net = healthy(desk(stars({ s2: 2, s3: 2 })))
    net.apply(hot("s2-1", 31, 90))
    net.tick(33)
    const one = net.one()
    assert.deepEqual([one.causes, one.severity, one.alerts], [[], "critical", 1])
    assert.equal(one.impact.subscribers, null)
  })

  test("a critical alert beside it within two minutes joins it; one elsewhere is another incident", () => {
    const net = healthy(desk(stars({ s2: 2, s3: 2 })))
    net.apply(hot("s2-1", 31, 90), hot("s2-2", 50, 90), hot("s3-1", 51, 90))
    net.tick(53)
    assert.deepEqual(
      net
        .incidents()
        .map(({ alerts }) => alerts)
        .toSorted(),
      [1, 2],
    )
  })

  test("warnings open one when there are five at a site, and not before", () => {
    const net = healthy(desk(stars({ s2: 5 })))
    for (const i of [1, 2, 3, 4]) net.apply(cpu(`s2-${i}`, 30 + i, 99))
    net.tick(40)
    assert.deepEqual(net.incidents(), [])
    net.apply(cpu("s2-5", 41, 99))
    net.tick(43)
    assert.equal(net.one().alerts, 5)
    assert.equal(net.one().severity, "warn")
  })
})

describe("[I11] the life of an incident", () => {
  const cut = (net: Desk, second: number): void => net.round(second, [], ["s2-1:u1", "c1:s2-1"])

  test("the table is total, and closed ends only by an alarm", () => {
    for (const state of INCIDENT_STATES)
      for (const signal of INCIDENT_SIGNALS) assert.ok(INCIDENT_STATES.includes(LIFE[state][signal]))
    assert.deepEqual(Object.values(LIFE.closed), ["open", "closed", "closed", "closed"])
  })

  test("open, recovering, back, recovering, closed after the cooldown, and the same one again within the half hour", () => {
    const net = healthy(desk(stars({ s2: 3 })))
    cut(net, 41)
    net.tick(43)
    const { id } = net.one()
    net.round(51)
    net.tick(53)
    assert.equal(net.one().state, "recovering")
    cut(net, 61)
    net.tick(63)
    assert.equal(net.one().state, "open")
    for (let second = 71; second < 71 + COOLDOWN_MS / 1000 + 20; second += 10) net.round(second)
    assert.equal(net.one().state, "closed")
    cut(net, 600)
    net.tick(602)
    assert.equal(net.one().state, "open")
    assert.equal(net.one().id, id)
    assert.deepEqual(
      net.said.map((line) => line.split(" ")[1]).filter((word) => word !== "updated"),
      ["opened", "recovering", "recovering", "closed", "reopened"],
    )
  })

  test("a symptom that is suppressed is told once it is alone", () => {
    const net = healthy(desk(stars({ s2: 3 })))
    net.round(41, ["s2-1"], ["c1:s2-1", "c2:s2-1"])
    net.tick(43)
    assert.deepEqual(held(net).toSorted(), ["c1 port", "c2 port"])
    net.round(51, [], ["c1:s2-1"])
    net.round(61, [], ["c1:s2-1"])
    net.tick(64)
    assert.ok(!held(net).includes("c2 port"))
  })

  test("acknowledged until then, assigned, noted, escalated, confirmed, closed by somebody; each in the timeline", () => {
    const net = healthy(desk(stars({ s2: 3 })))
    cut(net, 41)
    net.tick(43)
    const { id } = net.one()
    net.act(44, id, { act: "ack", untilMs: at(60) })
    assert.equal(net.one().ack?.by, "ana")
    net.act(45, id, { act: "assign", user: "bia" })
    net.act(46, id, { act: "note", text: "calling the field" })
    net.act(47, id, { act: "escalate", note: "fibre" })
    cut(net, 55)
    cut(net, 62)
    net.tick(65)
    assert.equal(net.one().ack, null)
    const members = [{ fault: "link", kind: "link", id: "s2-1-1", name: "s2-1 - c1" }] as const
    net.act(66, id, { act: "confirm", members, note: "cut by works" })
    net.act(67, id, { act: "close", note: "known" })
    const one = net.one()
    assert.deepEqual(
      [one.state, one.assignee, one.escalated, one.confirmed?.note],
      ["closed", "bia", true, "cut by works"],
    )
    const people = one.timeline.filter(({ by }) => by === "ana").map(({ action }) => action)
    assert.deepEqual(people, ["acked", "assigned", "noted", "escalated", "confirmed", "noted"])
    // What somebody has closed is not opened by what they knew.
    cut(net, 75)
    net.tick(80)
    assert.equal(net.one().state, "closed")
    net.act(81, id, { act: "ack", untilMs: at(200) })
    assert.equal(net.one().ack, null)
  })

  test("[I6] work at the place is said", () => {
    const net = healthy(desk(stars({ s2: 3 })))
    net.apply(silencesInput([silenceOf("w", at(35), at(600))], at(35)))
    cut(net, 41)
    net.tick(43)
    assert.equal(net.one().during, "maintenance")
  })
})

describe("[I10] impact", () => {
  test("a concentrator that dies costs the sessions that it had before", () => {
    const net = healthy(desk(stars({ s2: 2 })))
    for (const second of [31, 65, 100]) net.apply(poll("s2-1", at(second), { "": { "pppoe.sessions.active": 3200 } }))
    for (const second of [111, 121]) net.round(second, ["s2-1"], ["c1:s2-1", "c2:s2-1"])
    net.tick(125)
    const { subscribers, subscribersPart } = net.one().impact
    assert.equal(subscribers?.count, 3200)
    assert.equal(subscribers?.quality, "measured")
    assert.equal(subscribersPart, 1)
  })
})

test("[I4] [W17] incidents are part of the fold: begun anew from bytes after every input, the same events, names and twin", () => {
  const live = healthy(desk(stars({ s2: 3, s3: 2 })))
  live.round(41, ["s2-1"], ["c1:s2-1"])
  live.tick(45)
  live.apply(linkDown("s3-1", "u1", 46), hot("s2-3", 47, 90))
  live.round(51, ["s2-1", "s2-2"], ["c1:s2-1", "c2:s2-1", "c1:s2-2", "s3-1:u1", "c1:s3-1"])
  const [first] = live.incidents()
  live.act(52, first?.id ?? "", { act: "ack", untilMs: at(58) })
  live.apply(hot("s2-3", 60, 20))
  live.round(61, [], ["c1:s2-2"])
  live.round(71)
  live.tick(500)
  live.round(505, ["s2-1"], ["c1:s2-1", "c2:s2-1"])
  live.tick(510)
  assert.ok(live.said.length > 6, live.said.join())
  const again = desk(stars({ s2: 3, s3: 2 }))
  let [world, cells] = [again.world, again.cells]
  const events = live.fed.flatMap((input) => {
    const told = runRound(world, cells, [{ seq: world.seq + 1, input }]).events
    const restored = restoreTwin(unpackStored(packStored(snapshotTwin(world, cells)).slice()))
    world = restored.world
    cells = plainCells(restored.states, (_bank, _slot, error) => {
      throw error
    })
    return told
  })
  assert.deepEqual(events, live.events)
  assert.equal(hashTwin(world, cells), hashTwin(live.world, live.cells))
})

test("[I4] the end of the last alarm is heard by a twin that began anew after the evaluation that explained it", () => {
  const start = stars({ s2: 3 })
  const net = healthy(desk({ ...start, links: start.links.map((one) => ({ ...one, capacityBps: 1e9 })) }))
  // What came in so far, at 30 s a poll: nearly full twice, then nearly empty.
  const carried = (second: number, gigabits: number): Input =>
    poll("s2-1", at(second), {
      "if:u1": {
        "interface.oper_up": 1,
        "interface.counter_bits": 64,
        "interface.rx_bytes_total": (gigabits * 1e9) / 8,
        "interface.tx_bytes_total": 0,
      },
    })
  net.apply(carried(101, 0), carried(131, 28.5), carried(161, 57))
  net.tick(170)
  assert.match(net.one().title, /^Congestion of /)
  const restored = restoreTwin(unpackStored(packStored(snapshotTwin(net.world, net.cells)).slice()))
  const cells = plainCells(restored.states, (_bank, _slot, error) => {
    throw error
  })
  const told = runRound(restored.world, cells, [{ seq: restored.world.seq + 1, input: carried(191, 58) }]).events
  net.apply(carried(191, 58))
  assert.equal(net.one().state, "recovering")
  assert.deepEqual(
    told.map(({ type }) => type),
    net.events.slice(-told.length).map(({ type }) => type),
  )
  assert.equal(hashTwin(restored.world, cells), hashTwin(net.world, net.cells))
})

test("[I11] of many incidents at once the impacts follow in a few evaluations, never all in one", () => {
  const sites = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`s${i + 2}`, 1]))
  const net = healthy(desk(stars(sites)))
  net.apply(...Object.keys(sites).map((site) => hot(`${site}-1`, 41, 90)))
  net.apply(...Object.keys(sites).map((site) => hot(`${site}-1`, 102, 90)))
  const due = (): number => net.world.desk.incidents.filter(({ impactDue }) => impactDue).length
  const left: number[] = []
  for (let second = 103; due() > 0 && left.length < 100; second++) {
    left.push(due())
    net.tick(second)
  }
  assert.equal(net.incidents().length, 40)
  const steps = left.map((count, i) => count - (left[i + 1] ?? 0))
  assert.ok(
    steps.every((step) => step >= 1 && step <= 4),
    steps.join(),
  )
  assert.ok(steps.length < 20, `${steps.length} evaluations`)
})

test("without a router there is nothing to look at, and no timer that walks through all of time", () => {
  const world = newWorld()
  const cells = plainCells()
  const T = 1_780_000_000_000
  const inventory = { sites: [], devices: [], links: [] }
  runRound(world, cells, [{ seq: 1, input: { kind: "topology", atMs: T, rev: 1, inventory } }])
  // Its first wish was a quarter of a second after 1970: this input would have taken a day.
  runRound(world, cells, [{ seq: 2, input: { kind: "tick", atMs: T + 1000 } }])
  assert.equal(dueOf(world), null)
  assert.equal(world.timers.takeDue(T + 3_600_000), null)
})
