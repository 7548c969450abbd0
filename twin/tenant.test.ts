import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import { SEVERITY } from "#protocol/status.ts"
import type { Severity } from "#protocol/status.ts"
import { device, inventory, link, poll, ports, silence, T0 } from "#twin/inventory.fixture.ts"
import { history, network, RING } from "#twin/network.fixture.ts"
import type { Network } from "#twin/network.fixture.ts"
import { siteSeverity } from "#twin/tenant.ts"

const at = (seconds: number): number => T0 + seconds * 1000
const severities = (net: Network, count: number): Severity[] =>
  Array.from({ length: count }, (_, slot) => net.shown(slot).severity)

/** What the rules say of the whole tenant, from the states of its actors. */
const fromScratch = (net: Network): unknown => {
  const { topology } = net.world
  const routers = topology.routers.map(({ slot }) => net.cells.routers.state(slot))
  const links = topology.links.map(({ slot }) => net.cells.links.state(slot))
  const neighbours = routers.map((_, slot) =>
    topology.inventory.links.flatMap(({ a, b }) => {
      const [from, to] = [topology.deviceSlot.get(a.device), topology.deviceSlot.get(b.device)]
      return from === slot ? [to] : to === slot ? [from] : []
    }),
  )
  const shown = routers.map(({ status }, slot) => {
    const all = neighbours[slot] ?? []
    const excused = all.length > 0 && !all.some((other) => routers[other ?? -1]?.reachable === true)
    return status.health === "unreachable" && excused ? "indeterminate" : status.severity
  })
  const subscribers = routers.flatMap(({ told }) =>
    told === null || told.subscribers === null ? [] : [told.subscribers],
  )
  return {
    shown,
    counts: {
      routers: routers.length,
      routersUp: routers.filter(({ status }) => ["ok", "degraded"].includes(status.health)).length,
      links: links.length,
      linksDown: links.filter(({ status }) => status.health === "down").length,
      linksHot: links.filter(
        ({ status, utilAB, utilBA }) => status.health === "ok" && Math.max(utilAB ?? 0, utilBA ?? 0) >= 0.8,
      ).length,
      sites: topology.inventory.sites.length,
      subscribers: subscribers.length === 0 ? null : subscribers.reduce((sum, count) => sum + count, 0),
    },
    worst: topology.inventory.sites.map(({ id }) =>
      topology.inventory.devices.reduce<Severity | null>((worst, { site }, slot) => {
        const severity = shown[slot] as Severity
        return site === id && (worst === null || SEVERITY.indexOf(severity) > SEVERITY.indexOf(worst))
          ? severity
          : worst
      }, null),
    ),
  }
}

describe("counts, sites and what is shown", () => {
  test("incrementally = from scratch, after every input", () => {
    const two = {
      ...RING,
      devices: RING.devices.map((d, i) => (i > 1 ? { ...d, site: RING.sites[1]?.id ?? d.site } : d)),
    }
    fc.assert(
      fc.property(history(40), (inputs) => {
        const net = network(two)
        for (const { input } of inputs) {
          net.apply(input)
          const tenant = net.cells.tenant.state(0)
          const incremental = {
            shown: severities(net, two.devices.length),
            counts: net.counts(),
            worst: two.sites.map((_, site) => siteSeverity(tenant, site)),
          }
          assert.deepEqual(incremental, fromScratch(net))
        }
      }),
    )
  })

  test("subscribers are the sum over answering devices, and null when nobody measures them", () => {
    const net = network(inventory([device("r1"), device("r2"), device("r3")]))
    assert.equal(net.counts().subscribers, null)
    const sessions = (name: string, seconds: number, count: number) =>
      net.apply(poll(name, at(seconds), { "": { "pppoe.sessions.active": count } }))
    sessions("r1", 1, 100)
    sessions("r2", 2, 50)
    assert.equal(net.counts().subscribers, 150)
    sessions("r1", 3, 90)
    assert.equal(net.counts().subscribers, 140)
    net.apply(silence("r2", at(4)))
    assert.equal(net.counts().subscribers, 90)
    net.apply({ kind: "tick", atMs: at(600) })
    assert.equal(net.counts().subscribers, null)
  })
})

describe("a silent router among silent neighbours", () => {
  const chain = (): Network =>
    network(
      inventory(
        [device("a"), device("b"), device("c"), device("d")],
        [link("l1", "a:1 b:1"), link("l2", "b:2 c:1"), link("l3", "c:2 d:1")],
      ),
    )

  test("is hollow; the one next to a living neighbour is critical; a return fills the picture again", () => {
    const net = chain()
    net.apply(ports("a", at(1), {}), ports("b", at(2), {}), ports("c", at(3), {}), ports("d", at(4), {}))
    net.apply(silence("d", at(11)))
    assert.deepEqual(severities(net, 4), ["cleared", "cleared", "cleared", "critical"])
    const { nodes } = net.apply(silence("c", at(12)))
    assert.deepEqual(nodes, [2, 3], "its neighbour's picture changes with it")
    assert.deepEqual(severities(net, 4), ["cleared", "cleared", "critical", "indeterminate"])
    assert.equal(net.device("d").reasons[0], "none of its neighbours answers either")
    net.apply(silence("a", at(13)), silence("b", at(14)))
    assert.deepEqual(severities(net, 4), ["indeterminate", "indeterminate", "indeterminate", "indeterminate"])
    net.apply(ports("c", at(20), {}))
    assert.deepEqual(severities(net, 4), ["indeterminate", "critical", "cleared", "critical"])
    assert.deepEqual(
      [0, 1, 2, 3].map((slot) => net.shown(slot).health),
      ["unreachable", "unreachable", "ok", "unreachable"],
    )
  })

  test("without links nothing excuses it", () => {
    const net = network(inventory([device("a")]))
    net.apply(silence("a", at(1)))
    assert.deepEqual(severities(net, 1), ["critical"])
  })

  test("that had never answered at all is hollow too while its neighbours are unknown", () => {
    const net = chain()
    net.apply(silence("b", at(1)))
    assert.equal(net.shown(1).severity, "indeterminate")
    net.apply(ports("a", at(2), {}))
    assert.equal(net.shown(1).severity, "critical")
  })
})
