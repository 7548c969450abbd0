/** Routers that come back tell that they restarted: that ends the incident of their outage, and opens none. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { desk, RULES, stars } from "#twin/incident/incident.fixture.ts"
import type { Desk } from "#twin/incident/incident.fixture.ts"
import { ruleOf } from "#twin/judge/pool.fixture.ts"
import { trap } from "#twin/inventory.fixture.ts"
import { at } from "#twin/network.fixture.ts"

const healthy = (net: Desk): Desk => {
  for (const second of [1, 11, 21, 31]) net.round(second)
  return net
}
const started = (net: Desk, name: string, second: number): void =>
  void net.apply(trap(name, at(second), { trap: "coldStart", oid: "1.3.6.1.6.3.1.1.5.1" }))
const downOf = (names: readonly string[]): readonly string[] => names.flatMap((name) => [`c1:${name}`, `c2:${name}`])

test("[I11] a site whose power is back recovers with its last alarm, though its routers say that they restarted", () => {
  const net = healthy(desk(stars({ s2: 6, s3: 2 })))
  const dead = [1, 2, 3, 4, 5, 6].map((i) => `s2-${i}`)
  for (const second of [41, 51, 61]) net.round(second, dead, downOf(dead))
  assert.equal(net.one().causes[0]?.members[0]?.fault, "site-power")
  net.round(71)
  for (const name of dead) started(net, name, 72)
  net.tick(73)
  assert.equal(net.one().state, "recovering")
  for (let second = 81; second < 400; second += 10) net.round(second)
  assert.deepEqual(
    net.said.map((line) => line.split(" ")[1]).filter((word) => word !== "updated"),
    ["opened", "recovering", "closed"],
  )
})

test("[I9] [W5] two routers of a site that restarted one after the other, long ago, open nothing", () => {
  const net = healthy(desk(stars({ s2: 2, s3: 2 })))
  for (const [name, second] of [
    ["s2-1", 41],
    ["s2-2", 481],
  ] as const) {
    net.round(second, [name], downOf([name]))
    net.round(second + 10, [name], downOf([name]))
    net.round(second + 20)
    started(net, name, second + 21)
    for (let later = second + 31; later < second + 430; later += 10) net.round(later)
  }
  for (let second = 921; second < 1_200; second += 10) net.round(second)
  // One for each of them, at its time, and nothing of the site.
  assert.deepEqual(
    net.said
      .filter((line) => / (opened|reopened)$/.test(line))
      .map((line) => Math.floor(Number(line.split(" ")[0]) / 10)),
    [4, 48],
  )
  assert.ok(net.incidents().every(({ causes }) => causes.every(({ members }) => members[0]?.fault === "router")))
})

// -- news of a fault that is over -------------------------------------------------------------------------------------------

const eventRule = (id: string, event_type: string, more: object = {}) =>
  ruleOf(id, { type: "event", event_type, count: 1, lookback_seconds: 300 }, { severity: "warn", ...more })
const down = { type: "consecutive", metric: "interface.oper_up", operator: "==", threshold_num: 0, count: 1 }
/** As the shipped ones: a port's alert stays for a while, and a restart is told for five minutes. */
const LASTING = [
  ...RULES.filter(({ id }) => id !== "port"),
  ruleOf("port", down, { recover_seconds: 60 }),
  eventRule("rebooted", "device.rebooted", { recover_seconds: 0 }),
  eventRule("refused", "auth.failed", { recover_seconds: 0 }),
]
const DEAD = [1, 2, 3, 4, 5, 6].map((i) => `s2-${i}`)

/** Without power from 41 to 71, well again until `untilS`. */
const restarted = (untilS: number): Desk => {
  const net = healthy(desk(stars({ s2: 6, s3: 2 }), LASTING))
  for (const second of [41, 51, 61]) net.round(second, DEAD, downOf(DEAD))
  net.round(71)
  for (const name of DEAD) started(net, name, 72)
  for (let second = 81; second < untilS; second += 10) net.round(second)
  return net
}
const firing = (net: Desk, rule: string): number => net.alerts().filter((line) => line.includes(` ${rule} `)).length

test("[I11] that its routers restarted keeps no incident open whose cause is over", () => {
  const early = restarted(122)
  assert.equal(early.one().state, "open", "the ports' own alerts are not over yet")
  const net = restarted(172)
  assert.equal(firing(net, "rebooted"), DEAD.length, net.alerts().join("; "))
  assert.equal(net.one().state, "recovering", net.said.join("; "))
})

test("[I7] [I11] nor is it told of each of them once the incident recovers: it was explained, and stays so", () => {
  const net = restarted(600)
  assert.equal(firing(net, "rebooted"), 0)
  // The cause stands for one of them: whose alert is told.
  const told = net.told.filter((line) => line.endsWith(" alert.firing rebooted"))
  assert.equal(told.length, 1, net.told.join("; "))
  // No order outlives its reason.
  assert.deepEqual(
    net.world.desk.incidents.flatMap(({ quieted }) => quieted),
    [],
  )
})

test("[I7] what is new on such a router while the incident recovers is told at once", () => {
  const net = restarted(172)
  net.apply(trap("s2-3", at(175), { trap: "authenticationFailure", oid: "1.3.6.1.6.3.1.1.5.5" }))
  net.tick(176)
  assert.ok(
    net.told.some((line) => line.endsWith(" alert.firing refused")),
    net.told.join("; "),
  )
})

test("[I11] where nobody knows the cause, news keep their incident open for as long as they last", () => {
  const net = healthy(desk(stars({ s2: 6, s3: 2 }), LASTING))
  for (const name of DEAD) net.apply(trap(name, at(42), { trap: "authenticationFailure", oid: "1.3.6.1.6.3.1.1.5.5" }))
  net.tick(44)
  assert.deepEqual(net.one().causes, [])
  for (let second = 51; second < 330; second += 10) net.round(second)
  assert.equal(net.one().state, "open")
  for (let second = 331; second < 360; second += 10) net.round(second)
  assert.equal(net.one().state, "recovering")
})
