import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { generate } from "#lab/isp/generate.ts"
import { importDocument } from "#lab/isp/import.ts"
import type { Isp } from "#lab/isp/model.ts"
import { components, graphOf } from "#lab/isp/spf.ts"
import { isRole } from "#protocol/role.ts"

const sizes = fc.record({ routers: fc.integer({ min: 12, max: 300 }), seed: fc.integer({ min: 0, max: 2 ** 32 - 1 }) })
const RUNS = { numRuns: 25 }

const unique = (values: readonly string[]): void => assert.equal(new Set(values).size, values.length)

/** How many islands remain when some links and routers are gone. */
const islands = (isp: Isp, deadLinks: readonly number[], deadRouters: readonly number[]): number => {
  const graph = graphOf(
    isp.routers.length,
    isp.links.map((link) => ({ a: isp.ports[link.a]!.router, b: isp.ports[link.b]!.router, cost: link.cost })),
  )
  const alive = new Uint8Array(isp.routers.length).fill(1)
  const usable = new Uint8Array(isp.links.length).fill(1)
  for (const router of deadRouters) alive[router] = 0
  for (const link of deadLinks) usable[link] = 0
  const component = components(graph, alive, usable)
  return new Set(component.filter((label) => label >= 0)).size
}

test("the same seed and size give the same ISP, another seed another one", () => {
  fc.assert(
    fc.property(sizes, (options) => {
      assert.deepEqual(generate(options), generate(options))
      assert.notDeepEqual(generate(options).routers, generate({ ...options, seed: options.seed ^ 1 }).routers)
    }),
    { numRuns: 5 },
  )
})

test("every ISP has exactly the routers asked for, in one piece, with all roles", () => {
  fc.assert(
    fc.property(sizes, (options) => {
      const isp = generate(options)
      assert.equal(isp.routers.length, options.routers)
      assert.equal(islands(isp, [], []), 1)
      const roles = new Set(isp.routers.flatMap((router) => router.roles))
      for (const role of ["core", "rr", "agg", "access", "bng", "edge", "upstream"] as const) assert.ok(roles.has(role))
      assert.ok(isp.routers.every((router) => router.roles.every(isRole)))
    }),
    RUNS,
  )
})

test("the core and everything dual-homed survive any one link, and the core any one core router", () => {
  fc.assert(
    fc.property(sizes, (options) => {
      const isp = generate(options)
      const single = new Set(
        isp.routers.filter((router) => isp.links.filter((link) => touches(isp, link, router.index)).length === 1),
      )
      for (const link of isp.links) {
        if (link.kind !== "core" && link.kind !== "agg") continue
        assert.equal(islands(isp, [link.index], []), 1, `cut of ${link.kind} link ${link.index}`)
      }
      for (const router of isp.routers) {
        if (router.roles[0] !== "core") continue
        // Only what hangs on nothing else may be lost with a core router.
        const lost = islands(isp, [], [router.index]) - 1
        const onlyHere = [...single].filter((leaf) =>
          isp.links.some((link) => touches(isp, link, leaf.index) && touches(isp, link, router.index)),
        )
        assert.ok(lost <= onlyHere.length)
      }
      assert.equal(isp.routers.filter((router) => router.roles[0] === "agg" && single.has(router)).length, 0)
    }),
    { numRuns: 10 },
  )
})

const touches = (isp: Isp, link: Isp["links"][number], router: number): boolean =>
  isp.ports[link.a]!.router === router || isp.ports[link.b]!.router === router

test("names, addresses, ids and interface numbers are unique where they must be", () => {
  fc.assert(
    fc.property(sizes, (options) => {
      const isp = generate(options)
      unique(isp.sites.map((site) => site.id))
      unique(isp.routers.map((router) => router.name))
      unique(isp.ports.flatMap((port) => (port.address === null ? [] : [port.address.split("/")[0]!])))
      for (const router of isp.routers) {
        const ports = router.ports.map((port) => isp.ports[port]!)
        unique(ports.map((port) => port.name))
        unique(ports.map((port) => String(port.ifIndex)))
        assert.ok(ports.some((port) => port.address === `${router.loopback}/32`))
      }
    }),
    RUNS,
  )
})

test("the two ends of a link share its /31 and its speed, and know each other's name", () => {
  const isp = generate({ routers: 150, seed: 7 })
  for (const link of isp.links) {
    const [a, b] = [isp.ports[link.a]!, isp.ports[link.b]!]
    const number = (address: string) =>
      address
        .split(/[./]/)
        .slice(0, 4)
        .reduce((sum, octet) => sum * 256 + Number(octet), 0)
    assert.equal(number(b.address!), number(a.address!) + 1)
    assert.equal(number(a.address!) % 2, 0)
    assert.equal(a.speedBps, link.capacityBps)
    assert.equal(b.speedBps, link.capacityBps)
    assert.equal(a.alias, isp.routers[b.router]!.name)
  }
})

test("only RouterOS devices have the API, and only they terminate PPPoE", () => {
  const isp = generate({ routers: 300, seed: 3 })
  for (const router of isp.routers) {
    assert.equal(router.routeros !== null, router.persona !== "frr")
    if (router.roles[0] === "bng") assert.notEqual(router.persona, "frr")
    if (router.subscribers > 0) assert.equal(isp.routers[router.bng!]!.roles[0], "bng")
  }
  for (const persona of ["routeros6", "routeros7", "frr"])
    assert.ok(isp.routers.some((router) => router.persona === persona))
  for (const version of ["2c", "3"]) assert.ok(isp.routers.some((router) => router.snmp.version === version))
})

test("the import document refers only to what it contains, and says nothing about how things are", () => {
  const isp = generate({ routers: 60, seed: 2 })
  const endpoints = isp.routers.map((router) => ({
    address: "127.0.0.1",
    snmpPort: 1000 + router.index,
    apiPort: router.routeros === null ? null : 2000,
  }))
  const document = importDocument(isp, endpoints, 10)
  const sites = new Set(document.sites.map((site) => site.id))
  const ports = new Set(isp.ports.map((port) => `${isp.routers[port.router]!.name} ${port.name}`))
  assert.ok(document.devices.every((device) => sites.has(device.site) && device.pollSeconds === 10))
  for (const { a, b } of document.links)
    for (const end of [a, b]) assert.ok(ports.has(`${end.device} ${end.interface}`), `${end.device} ${end.interface}`)
  assert.deepEqual(Object.keys(document).sort(), ["devices", "links", "sites"])
  assert.equal("routeros" in document.devices.find((_, i) => isp.routers[i]!.persona === "frr")!, false)
})

test("ten thousand routers fit their address plan", () => {
  const isp = generate({ routers: 10_000, seed: 1 })
  unique(isp.ports.flatMap((port) => (port.address === null ? [] : [port.address])))
  for (const port of isp.ports)
    if (port.address !== null) assert.match(port.address, /^10\.(0|255)\.\d{1,3}\.\d{1,3}\/(31|32)$/)
  assert.ok(
    isp.ports.every((port) =>
      (port.address ?? "0.0.0.0")
        .split(/[./]/)
        .slice(0, 4)
        .every((octet) => Number(octet) < 256),
    ),
  )
})

test("a size or a country that cannot be is refused by name", () => {
  assert.throws(() => generate({ routers: 11, seed: 1 }), /routers must be a whole number from 12 to 10000, not 11/)
  assert.throws(() => generate({ routers: 10_001, seed: 1 }), /routers/)
  assert.throws(() => generate({ routers: 20, seed: 1, country: "XX" }), /no cities are known for country "XX"/)
})
