/** Routers that come back tell that they restarted: that ends the incident of their outage, and opens none. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { desk, stars } from "#twin/incident/incident.fixture.ts"
import type { Desk } from "#twin/incident/incident.fixture.ts"
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
