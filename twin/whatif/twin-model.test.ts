/** A model of a running twin: what is down there is down here, what is measured there is measured here. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { interfaceKey, siteId } from "#protocol/id.ts"
import type { Role } from "#protocol/role.ts"
import { forkTwin } from "#twin/fork.ts"
import type { Input } from "#twin/input.ts"
import { device, inventory, link, poll, POLL_SECONDS, silence } from "#twin/inventory.fixture.ts"
import type { Rows } from "#twin/inventory.fixture.ts"
import { at, network } from "#twin/network.fixture.ts"
import { modelOf } from "#twin/whatif/twin-model.ts"
import { nextFailures } from "#twin/whatif/next-failure.ts"
import { whatIf } from "#twin/whatif/what-if.ts"

const role = (name: string, ...roles: Role[]) => device(name, { roles, site: siteId(name === "bng" ? "s2" : "s1") })

/** World - edge - core - bng - access, and a second way core - agg - bng. Slots follow this order. */
const DEVICES = [
  role("world", "upstream"),
  role("edge", "edge"),
  role("core", "core"),
  role("agg", "agg"),
  role("bng", "bng"),
  role("access", "access"),
]
const LINKS = [
  link("l0", "world:e0 edge:e0", 10e9),
  link("l1", "edge:e1 core:e1", 10e9),
  link("l2", "core:e2 bng:e2", 1e9),
  link("l3", "core:e3 agg:e3", 10e9),
  link("l4", "agg:e4 bng:e4", null),
  link("l5", "bng:e5 access:e5", 1e9),
]
/** Ports of each device. */
const PORTS: Readonly<Record<string, readonly string[]>> = {
  world: ["e0"],
  edge: ["e0", "e1"],
  core: ["e1", "e2", "e3"],
  agg: ["e3", "e4"],
  bng: ["e2", "e4", "e5"],
  access: ["e5"],
}

const answer = (name: string, seconds: number, down: readonly string[] = [], bytes = 0): Input => {
  const rows: Record<string, Rows[string]> = {
    "": name === "bng" ? { "pppoe.sessions.active": 400 } : { "device.uptime_seconds": 1000 + seconds },
  }
  for (const port of PORTS[name] ?? [])
    rows[interfaceKey(port)] = {
      "interface.oper_up": down.includes(port) ? 0 : 1,
      "interface.admin_up": 1,
      "interface.speed_bps": 1e9,
      "interface.counter_bits": 64,
      "interface.rx_bytes_total": bytes * seconds,
      "interface.tx_bytes_total": bytes * seconds,
    }
  return poll(name, at(seconds), rows, { complete: ["interface"] })
}

const running = () => {
  const net = network(inventory(DEVICES, LINKS))
  for (const seconds of [10, 20]) net.apply(...Object.keys(PORTS).map((name) => answer(name, seconds, [], 1000)))
  return net
}

test("exits, core, costs, loads, sessions and what is assumed come from the twin", () => {
  const { world, cells } = running()
  const model = modelOf(world, cells)
  assert.deepEqual([model.exits, model.vantages, [...model.outside]], [[0], [2], [1, 0, 0, 0, 0, 0]])
  const costAt = (l: number) => model.graph.cost[model.graph.half[2 * l] as number]
  assert.deepEqual(
    [0, 1, 2, 3, 4].map(costAt),
    [1, 10, 100, 10, 100],
    "the world's link counts 1, an undeclared capacity is its interface's",
  )
  assert.equal(model.sessions[4], 400)
  assert.ok(Number.isNaN(model.sessions[5]))
  assert.equal(model.measuredBps[0], 8000)
  assert.ok(model.assumptions.some((words) => words.includes("costs follow capacity")))
  const told = modelOf(world, cells, { costOf: () => ({ costAB: 7, costBA: 8 }) })
  assert.equal(told.graph.cost[told.graph.half[3] as number], 8)
  assert.equal(told.graph.cost[told.graph.half[0] as number], 1, "there is no OSPF to the world")
  assert.ok(!told.assumptions.some((words) => words.includes("costs follow capacity")))
})

/** A poll that only tells costs, by port. */
const costs = (name: string, by: Readonly<Record<string, number>>): Input =>
  poll(
    name,
    at(25),
    Object.fromEntries(Object.entries(by).map(([port, cost]) => [interfaceKey(port), { "interface.ospf_cost": cost }])),
  )

test("[what-if] costs are what the routers say, each end its own; one end stands in for the other; the rest by capacity", () => {
  const net = running()
  net.apply(costs("edge", { e0: 99, e1: 11 }), costs("core", { e1: 12, e2: 13 }))
  const { graph, assumptions } = modelOf(net.world, net.cells)
  const both = (l: number) => [0, 1].map((side) => graph.cost[graph.half[2 * l + side] as number])
  assert.deepEqual([0, 1, 2, 3].map(both), [
    [1, 1],
    [11, 12],
    [13, 13],
    [10, 10],
  ])
  const words = assumptions.filter((one) => one.includes("cost"))
  assert.deepEqual(words.slice(0, 2), [
    "the OSPF costs of 3 of 5 links are not known: they follow capacity",
    "the OSPF cost of 1 links is known at one end: it is taken for both",
  ])
  const told = modelOf(net.world, net.cells, { costOf: (l) => (l === 1 ? { costAB: 7, costBA: 8 } : null) })
  assert.deepEqual(
    [1, 2].map((l) => told.graph.cost[told.graph.half[2 * l] as number]),
    [7, 13],
    "what the operator tells goes before",
  )
})

test("[what-if] what is down in the twin is down in the model: one more failure cuts off who had two ways", () => {
  const net = running()
  const fault = [{ kind: "interface", router: 2, ifName: "e2" }] as const
  const before = whatIf(modelOf(net.world, net.cells), fault)
  assert.deepEqual([before.failed.links, before.offline], [[2], []])
  net.apply(answer("agg", 30, ["e4"]), answer("bng", 30, ["e4"]))
  const model = modelOf(net.world, net.cells)
  assert.deepEqual([...model.downLinks], [0, 0, 0, 0, 1, 0])
  const after = whatIf(model, fault)
  assert.deepEqual([after.offline, after.unreachable, after.isolatedSites], [[4, 5], [4, 5], [1]])
  assert.deepEqual([after.customers.count, after.customers.quality], [400, "measured"])
  assert.ok(nextFailures(model).single.some(({ router, link, lostNow }) => router === 4 && link === 2 && lostNow))
})

test("a silent router is down, unless a neighbour still receives from it: then only its voice is lost", () => {
  const net = running()
  const quiet = (name: string) => [0, 1, 2].map((n) => silence(name, at(30 + n)))
  net.apply(...quiet("access"), answer("bng", 40, ["e5"]))
  assert.deepEqual([...modelOf(net.world, net.cells).downNodes], [0, 0, 0, 0, 0, 1])
  const other = running()
  other.apply(...quiet("agg"))
  const busy = (seconds: number) => ["core", "bng"].map((name) => answer(name, seconds, [], 100_000))
  other.apply(...busy(30 + POLL_SECONDS))
  other.apply(...busy(40 + POLL_SECONDS))
  const model = modelOf(other.world, other.cells)
  assert.equal(model.downNodes[3], 0)
  assert.ok(model.assumptions.some((words) => words.startsWith("1 routers do not answer but forward")))
})

test("without an upstream the edges are exits; without edges the core; without a core nobody", () => {
  const of = (...roles: Role[]) => {
    const net = network(inventory([role("r1", ...roles), role("r2", "agg")], [link("l", "r1:e1 r2:e1")]))
    const { exits, vantages, assumptions } = modelOf(net.world, net.cells)
    return { exits, vantages, assumptions }
  }
  assert.deepEqual([of("edge").exits, of("edge").vantages], [[0], [0]])
  assert.deepEqual([of("core").exits, of("core").vantages], [[0], [0]])
  assert.deepEqual([of("upstream").exits, of("upstream").vantages], [[0], [1]])
  assert.deepEqual(of("agg").exits, [])
  assert.ok(of("agg").assumptions.some((words) => words.includes("nobody can be cut off")))
})

test("[determinism] a branch of the twin gives the same model and the same answers", () => {
  const net = running()
  const branch = forkTwin(net.world, net.cells)
  const ask = (model: ReturnType<typeof modelOf>) => [
    whatIf(model, [{ kind: "router", router: 3 }]),
    nextFailures(model),
  ]
  assert.deepEqual(ask(modelOf(branch.world, branch.cells)), ask(modelOf(net.world, net.cells)))
})
