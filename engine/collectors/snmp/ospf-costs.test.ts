/** The LSAs are those of FRR 8 in `lab frr`, octet by octet. */
import assert from "node:assert/strict"
import type { TestContext } from "node:test"
import { test } from "node:test"
import fc from "fast-check"
import { deviceId } from "#protocol/id.ts"
import { metricId } from "#protocol/metric.ts"
import { v2cClient } from "#engine/collectors/snmp/v2c.ts"
import { makeUdpPool } from "#engine/collectors/snmp/udp.ts"
import { makeGateCounts } from "#engine/collectors/snmp/gate.ts"
import { device, int, ip } from "#engine/collectors/snmp/device-cells.fixture.ts"
import { costsOfLinks, routerLinks } from "#engine/collectors/snmp/ospf-costs.ts"
import type { RouterLink } from "#engine/collectors/snmp/ospf-costs.ts"
import { makeDevicePoller } from "#engine/collectors/snmp/poller.ts"
import type { Cell } from "#engine/collectors/snmp/recorded-agent.fixture.ts"
import { startAgent } from "#engine/collectors/snmp/recorded-agent.fixture.ts"
import { TAG } from "#engine/collectors/snmp/varbinds.ts"

/** Router 10.255.0.7: links of 20 (10.0.10.1) and 40 (10.0.14.1), their networks, and its loopback. */
const LSA = Buffer.from(
  "000002010aff00070aff0007800000052cc900540000000" +
    "50aff00010a000a01010000140a000a00fffffffc030000140aff00080a000e01010000280a000e00fffffffc030000280aff0007ffffffff03000000",
  "hex",
)
const ROUTER_ID = 0x0aff0007
const at = (...octets: number[]): number => octets.reduce((sum, octet) => sum * 256 + octet, 0)
const NETWORKS = [
  { address: at(10, 0, 10, 1), mask: 0xffff_fffc, ifIndex: 3 },
  { address: at(10, 0, 14, 1), mask: 0xffff_fffc, ifIndex: 4 },
  { address: ROUTER_ID, mask: 0xffff_ffff, ifIndex: 1 },
]

test("[C2] a router-LSA of FRR gives the cost of each interface; a loopback has none", () => {
  const links = routerLinks(LSA, ROUTER_ID)
  assert.deepEqual(
    links.map(({ type, metric }) => [type, metric]),
    [
      [1, 20],
      [3, 20],
      [1, 40],
      [3, 40],
      [3, 0],
    ],
  )
  assert.deepEqual(
    [...costsOfLinks(links, NETWORKS)].toSorted(([a], [b]) => a - b),
    [
      [3, 20],
      [4, 40],
    ],
  )
})

test("without a neighbour the stub network tells; a link wins over it; unnumbered links say their ifIndex", () => {
  const stub: RouterLink = { id: at(10, 0, 10, 0), data: 0xffff_fffc, type: 3, metric: 7 }
  const link = (data: number, type: number, metric: number): RouterLink => ({ id: 1, data, type, metric })
  const costs = (...links: RouterLink[]) => Object.fromEntries(costsOfLinks(links, NETWORKS))
  assert.deepEqual(costs(stub), { 3: 7 })
  assert.deepEqual(costs(link(at(10, 0, 10, 1), 2, 9), stub), { 3: 9 })
  assert.deepEqual(costs(link(12, 1, 5)), { 12: 5 })
  assert.deepEqual(
    costs(link(at(10, 0, 10, 1), 4, 9), link(at(192, 0, 2, 1), 1, 9), { ...stub, data: 0xffff_ff00 }),
    {},
  )
})

test("[hostile] whatever else the octets are, there are no links and no throw", () => {
  assert.deepEqual(routerLinks(null, ROUTER_ID), [])
  assert.deepEqual(routerLinks(LSA, ROUTER_ID + 1), [], "another router's")
  for (let length = 0; length < LSA.length; length++)
    assert.deepEqual(routerLinks(LSA.subarray(0, length), ROUTER_ID), [])
  const changed = fc.tuple(fc.nat(LSA.length - 1), fc.nat(255))
  fc.assert(
    fc.property(fc.array(changed, { minLength: 1, maxLength: 6 }), (changes) => {
      const octets = Buffer.from(LSA)
      for (const [where, value] of changes) octets[where] = value
      assert.ok(routerLinks(octets, ROUTER_ID).length <= 5)
    }),
  )
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (octets) => void routerLinks(octets, ROUTER_ID)))
})

const PORTS = [
  { index: 3, name: "eth1" },
  { index: 4, name: "eth2" },
]
const OSPF = "1.3.6.1.2.1.14"
const own = (address: string, ifIndex: number): Cell[] => [
  int(`1.3.6.1.2.1.4.20.1.2.${address}`, ifIndex),
  ip(`1.3.6.1.2.1.4.20.1.3.${address}`, "255.255.255.252"),
]
const ROUTER: Cell[] = [
  ip(`${OSPF}.1.1.0`, "10.255.0.7"),
  int(`${OSPF}.1.2.0`, 1),
  ip(`${OSPF}.2.1.1.0.0.0.0`, "0.0.0.0"),
  ...own("10.0.10.1", 3),
  ...own("10.0.14.1", 4),
]
const SHOWN = { oid: `${OSPF}.4.1.8.0.0.0.0.1.10.255.0.7.10.255.0.7`, tag: TAG.octetString, value: LSA }
const metric = (index: string, cost: number): Cell => int(`${OSPF}.8.1.4.${index}`, cost)

const costsOf = async (t: TestContext, cells: readonly Cell[]): Promise<Record<string, number>> => {
  const agent = await startAgent(device(123_456, PORTS, cells))
  const { address, port } = agent
  const client = v2cClient({
    pool: makeUdpPool(),
    address,
    port,
    community: "public",
    counts: makeGateCounts(),
    lenient: false,
  })
  t.after(() => {
    client.close()
    agent.close()
  })
  const poll = (await makeDevicePoller(client).poll(performance.now() + 5_000))(deviceId("d"), 0, 1)
  const id = metricId("interface.ospf_cost")
  return Object.fromEntries(
    [...poll.metric.entries()].flatMap(([i, one]) =>
      one === id ? [[poll.entities[poll.entity[i]!]!, poll.value[i]!]] : [],
    ),
  )
}

test("[C2] a poll tells the costs of the router's own LSA, not FRR's ones of ospfIfMetricTable", async (t) => {
  const frr = [metric("10.0.10.1.0.1", 1), metric("10.0.14.1.0.1", 1)]
  assert.deepEqual(await costsOf(t, [...ROUTER, SHOWN, ...frr]), { "if:eth1": 20, "if:eth2": 40 })
  assert.deepEqual(await costsOf(t, [...ROUTER, ...frr]), {}, "TOS 1 is no cost")
})

test("[C2] without an LSA ospfIfMetricTable tells, by address or ifIndex, TOS 0 only, 1 to 65535", async (t) => {
  const rows = [metric("10.0.10.1.0.0", 100), metric("10.0.10.1.0.8", 5), metric("0.0.0.0.4.0", 65_535)]
  assert.deepEqual(await costsOf(t, [...ROUTER, ...rows]), { "if:eth1": 100, "if:eth2": 65_535 })
  assert.deepEqual(await costsOf(t, [...ROUTER, metric("10.0.10.1.0.0", 0), metric("10.0.99.1.0.0", 5)]), {})
  assert.deepEqual(await costsOf(t, rows), {}, "an agent without OSPF is not asked")
})
