/** FRR's own words as routing tables; the JSON is what FRR 8.4 printed in this lab, cut down to what is read. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { FRR_ISP, linkBetween, portsOf, routerNamed } from "#lab/frr/isp.ts"
import type { FrrRoutes } from "#lab/frr/routes.ts"
import { sameTable, tableOf } from "#lab/frr/routes.ts"

const lo = (name: string): string => routerNamed(FRR_ISP, name)?.loopback ?? "?"
const port = (router: string, far: string): string =>
  portsOf(FRR_ISP, router).find((one) => one.far.router === far)?.own.interface ?? "?"
const hop = (router: string, far: string) => ({
  fib: true,
  ip: "10.0.0.1",
  interfaceName: port(router, far),
  active: true,
})

test("equal-cost next hops by name; what is not selected, not of OSPF, or not in the forwarding table does not count", () => {
  const routes: FrrRoutes = {
    [`${lo("c4")}/32`]: [{ protocol: "ospf", selected: true, nexthops: [hop("c2", "c1"), hop("c2", "c3")] }],
    [`${lo("a4")}/32`]: [{ protocol: "ospf", nexthops: [hop("c2", "c1")] }],
    [`${lo("b1")}/32`]: [{ protocol: "bgp", selected: true, nexthops: [hop("c2", "c1")] }],
    [`${lo("b2")}/32`]: [
      { protocol: "ospf", selected: true, nexthops: [hop("c2", "c3"), { ...hop("c2", "c1"), fib: false }] },
    ],
    [`${lo("c2")}/32`]: [{ protocol: "ospf", selected: true, nexthops: [] }],
  }
  assert.deepEqual(tableOf(FRR_ISP, "c2", routes), { router: "c2", ospf: { b2: ["c3"], c4: ["c1", "c3"] }, exit: null })
})

test("the exit is the upstream behind the border that BGP names, or the upstream's own address at the border", () => {
  const recursive: FrrRoutes = {
    "0.0.0.0/0": [
      {
        protocol: "bgp",
        selected: true,
        nexthops: [{ ip: lo("b2"), active: true, recursive: true }, hop("c3", "b2")],
      },
    ],
  }
  assert.deepEqual(tableOf(FRR_ISP, "c3", recursive).exit, { upstream: "u2", next: ["b2"] })
  const ip = linkBetween(FRR_ISP, "b1", "u1")?.b.address ?? "?"
  const direct: FrrRoutes = {
    "0.0.0.0/0": [{ protocol: "bgp", selected: true, nexthops: [{ ...hop("b1", "u1"), ip }] }],
  }
  assert.deepEqual(tableOf(FRR_ISP, "b1", direct).exit, { upstream: "u1", next: ["u1"] })
  assert.equal(tableOf(FRR_ISP, "b1", {}).exit, null)
  assert.ok(!sameTable(tableOf(FRR_ISP, "b1", {}), tableOf(FRR_ISP, "b1", direct)))
})
