/**
 * Answers by name, on a network small enough to know each of them by hand. That the engine under them is right is proven in
 * twin/whatif and against the lab; here: that nothing is lost, cut or misnamed between slots and names.
 */
import assert from "node:assert/strict"
import { test } from "node:test"
import type { FaultBody } from "#engine/api/groups/what-if.ts"
import { answer } from "#engine/whatif/answer.ts"
import { declared, id, watched } from "#engine/whatif/network.fixture.ts"
import { Impossible } from "#engine/whatif/question.ts"
import { Seen } from "#engine/whatif/seen.ts"
import { deviceId, linkId, siteId } from "#protocol/id.ts"
import type { Inventory } from "#protocol/inventory.ts"

const seenOf = (change?: (it: Inventory) => Inventory, down: readonly string[] = []): Seen => {
  const { world, cells } = watched(declared(change), down)
  return new Seen(world, cells)
}
const seen = seenOf()
const ask = (faults: readonly FaultBody[], of: Seen = seen) => answer(of, { kind: "ask", faults, routesOf: null })
const names = (refs: ReadonlyArray<{ readonly name: string }>): string[] => refs.map(({ name }) => name).sort()

test("[what-if] a router by name: who is cut off, which site, how many customers, who takes another exit", () => {
  const found = ask([{ kind: "router", device: id("core1") }])
  assert.deepEqual(names(found.failed.devices), ["core1"])
  assert.deepEqual(found.failed.unknown, [])
  assert.deepEqual(names(found.offline), ["core1", "lone"])
  assert.deepEqual(names(found.isolatedSites), ["Site 3"])
  assert.deepEqual([found.customers.count, found.customers.quality], [40, "measured"])
  assert.equal(found.totals.offline, 2)
  assert.equal(found.seq, seen.seq)
  assert.equal(found.atMs, seen.atMs)
  assert.ok(found.assumptions.length > 0)
})

test("[what-if] a cut link of a ring moves its load and nobody loses; the same by its port, and a drain", () => {
  const cut = ask([{ kind: "link", link: "l-r1" }])
  assert.deepEqual([cut.offline, cut.customers.count], [[], 0])
  const around = cut.shifted.find(({ link, from }) => link.id === "l-r3" && from.name === "core2")
  assert.ok(around !== undefined && around.afterBps > around.beforeBps + 10e6, JSON.stringify(around))
  assert.equal(around.to.name, "acc2")
  assert.equal(around.link.name, "core2 r - acc2 b")
  assert.deepEqual(ask([{ kind: "interface", device: id("acc1"), interface: "a" }]).shifted, cut.shifted)
  const drained = ask([{ kind: "drain", link: "l-r1" }])
  assert.deepEqual([names(drained.failed.drained), drained.failed.links], [["core1 r - acc1 a"], []])
})

test("[W8] the routing table of a router after a cut, by name: costs, next hops and their links, the exit; of nobody else's", () => {
  const cut: readonly FaultBody[] = [{ kind: "link", link: "l-r1" }]
  const routesOf = (device: string, faults = cut) => answer(seen, { kind: "ask", faults, routesOf: device }).routes
  const routes = routesOf(id("acc1"))
  assert.equal(routes?.of.name, "acc1")
  const toCore = routes.to.find(({ to }) => to.name === "core1")
  assert.deepEqual(
    toCore?.next.map(({ device, link }) => [device.name, link.id]),
    [["acc2", "l-r2"]],
    "its other link of the ring",
  )
  assert.equal(routes.total, routes.to.length)
  assert.deepEqual(names(routes.exit?.next.map(({ device }) => device) ?? []), ["acc2"])
  assert.deepEqual(routesOf(id("acc1"), [{ kind: "router", device: id("acc1") }])?.to, [])
  assert.equal(ask(cut).routes, undefined)
  assert.throws(() => routesOf("nobody"), Impossible)
})

test("[what-if] faults that name nothing of this network come back as they were said", () => {
  const strange: readonly FaultBody[] = [
    { kind: "link", link: "nobody" },
    { kind: "site", site: "nowhere" },
    { kind: "srlg", srlg: "none" },
    { kind: "interface", device: id("acc1"), interface: "none" },
  ]
  const found = ask([...strange, { kind: "link", link: "l-lone" }])
  assert.deepEqual(found.failed.unknown, strange)
  assert.deepEqual(names(found.offline), ["lone"])
})

test("[W5] declared groups: a duct fails as one; any(core1, core2) takes its dependants only when both are down", () => {
  const of = seenOf((it) => ({
    ...it,
    srlgs: [{ id: "duct", name: "Duct 1", kind: "duct", links: [linkId("l-r1"), linkId("l-r3")], sites: [] }],
    groups: [
      {
        id: "cores",
        name: "Cores",
        mode: "any",
        k: 1,
        devices: [deviceId(id("core1")), deviceId(id("core2"))],
        links: [],
        dependants: [deviceId(id("acc2"))],
      },
    ],
  }))
  const duct = ask([{ kind: "srlg", srlg: "duct" }], of)
  assert.deepEqual(names(duct.failed.links), ["core1 r - acc1 a", "core2 r - acc2 b"])
  assert.deepEqual(names(duct.offline), ["acc1", "acc2"])
  assert.equal(duct.customers.count, 400)
  assert.deepEqual(ask([{ kind: "router", device: id("core1") }], of).brokenGroups, [])
  const both = ask(
    ["core1", "core2"].map((name) => ({ kind: "router" as const, device: id(name) })),
    of,
  )
  assert.deepEqual(names(both.brokenGroups), ["Cores"])
  const ranked = answer(of, { kind: "nextFailures", limit: 10, element: "srlg" })
  assert.deepEqual(
    ranked.candidates.map(({ element, devices }) => [element.kind, element.id, devices]),
    [["srlg", "duct", 2]],
  )
})

test("[W5] power: a shared-risk group of a site takes its routers", () => {
  const of = seenOf((it) => ({
    ...it,
    srlgs: [{ id: "feed", name: "Feed", kind: "power", links: [], sites: [siteId("s2"), siteId("gone")] }],
  }))
  assert.deepEqual(names(ask([{ kind: "srlg", srlg: "feed" }], of).failed.devices), ["acc1", "acc2"])
})

test("[next failure] worst first, with its reason in words; a kind of its own is not cut off by the limit before", () => {
  const all = answer(seen, { kind: "nextFailures", limit: 200, element: null })
  const scores = all.candidates.map(({ score }) => score)
  assert.deepEqual(
    scores,
    scores.toSorted((x, y) => y - x),
  )
  assert.equal(all.tried, 7 + 6 + 3)
  const upstream = all.candidates.find(({ element }) => element.id === id("up"))
  assert.match(upstream?.why ?? "", /440 customers lose service.*expected 0.2 times a year/)
  const links = answer(seen, { kind: "nextFailures", limit: 1, element: "link" })
  assert.deepEqual(
    links.candidates.map(({ element }) => element.kind),
    ["link"],
  )
  assert.equal(all.lostRedundancy, 0)
})

test("[W8] no redundant path: missing for the lone one, lost for the ring when its link is down, though nobody is cut off", () => {
  const calm = answer(seen, { kind: "singlePoints" })
  const lone = calm.points.find(({ device }) => device.name === "lone")
  assert.deepEqual([lone?.link?.id, lone?.lostNow], ["l-lone", false])
  assert.equal(lone?.why, "no redundant path for lone: everything passes core1 l - lone a")
  assert.deepEqual(answer(seen, { kind: "redundancy" }).lost, [])
  const hurt = seenOf(undefined, ["core1:r", "acc1:a"])
  const lost = answer(hurt, { kind: "redundancy" }).lost
  assert.deepEqual(lost.map(({ device }) => device).sort(), [id("acc1"), id("acc2")])
  assert.match(lost[0]?.why ?? "", /its second way is down now/)
})

test("[W8] paths: shortest first, how many share no link and no router, in words", () => {
  const found = answer(seen, { kind: "paths", from: id("acc1"), to: id("core2"), k: 5 })
  assert.deepEqual(
    found.paths.map(({ devices }) => devices.map(({ name }) => name).join(" ")),
    found.paths.toSorted((x, y) => x.cost - y.cost).map(({ devices }) => devices.map(({ name }) => name).join(" ")),
  )
  assert.deepEqual([...new Set(found.paths.map(({ devices }) => devices.at(-1)?.name))], ["core2"])
  assert.deepEqual(found.disjoint, { links: 2, routers: 2 })
  assert.equal(found.redundant, true)
  const lone = answer(seen, { kind: "paths", from: id("lone"), to: id("core1"), k: 3 })
  assert.deepEqual([lone.paths.length, lone.disjoint, lone.redundant], [1, { links: 1, routers: 1 }, false])
  assert.match(lone.why, /no redundant path between lone and core1/)
  assert.throws(() => answer(seen, { kind: "paths", from: "x", to: id("core1"), k: 1 }), Impossible)
  assert.throws(() => answer(seen, { kind: "paths", from: id("lone"), to: id("lone"), k: 1 }), Impossible)
})

test("[blind spots] every single fault is told apart, in a class, or invisible; suggestions name a device and a gain", () => {
  const found = answer(seen, { kind: "blindSpots" })
  const { faults, told, invisible } = found.totals
  assert.equal(faults, 7 + 6 + 3)
  assert.equal(told + invisible + found.classes.reduce((sum, { length }) => sum + length, 0), faults)
  // Of the lone router and its site nothing tells them apart: it is the only one there.
  assert.ok(
    found.classes.some((one) => one.some(({ name }) => name === "Site 3") && one.some(({ name }) => name === "lone")),
    JSON.stringify(found.classes),
  )
  for (const { gain, device, text } of found.suggestions) assert.ok(gain > 0 && text.includes(device.name))
})
