/** [W2] [W3] [W6] Links and roles that the devices' own words suggest. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import type { DeviceView } from "#protocol/view.ts"
import { proposeLinks } from "#twin/propose/propose.ts"
import { proposeRoles } from "#twin/propose/roles.ts"
import { ownAddresses, saidBy } from "#twin/propose/said.ts"
import type { Heard, Routing, Said } from "#twin/propose/said.ts"
import { whoIsWho } from "#twin/propose/who.ts"

const router = (name: string, more: Partial<Said> & { readonly ip?: Readonly<Record<string, string>> } = {}): Said => {
  const { ip = {}, ...rest } = more
  return {
    device: `id-${name}`,
    name,
    names: [name],
    management: `172.16.0.${name.length}`,
    site: name,
    roles: [],
    interfaces: Object.keys(ip),
    lower: new Map(),
    addresses: Object.entries(ip).flatMap(([port, text]) => ownAddresses(port, text)),
    heard: [],
    routing: [],
    subscribers: null,
    ...rest,
  }
}
const hears = (port: string, remoteName: string, remotePort: string, by: Heard["by"] = "lldp"): Heard => ({
  by,
  interface: port,
  remoteName,
  remotePort,
  remoteAddress: null,
})
const ospf = (remote: string, port: string | null = null): Routing => ({
  kind: "ospf",
  remote,
  up: true,
  interface: port,
  remoteAs: null,
})
const bgp = (remote: string, remoteAs: string): Routing => ({
  kind: "bgp",
  remote,
  up: true,
  interface: null,
  remoteAs,
})

const ends = (proposals: ReturnType<typeof proposeLinks>): readonly string[] =>
  proposals.map(({ a, b }) => `${a.device} ${a.interface} ${b.device} ${b.interface}`)

describe("links", () => {
  test("[W3] what is declared is left alone, and the first declared link on a port is the one contradicted", () => {
    const names = Array.from({ length: 6 }, (_, n) => `r${n}`)
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(5), fc.nat(2), fc.nat(5), fc.nat(2)), { maxLength: 12 }),
        fc.array(fc.tuple(fc.nat(5), fc.nat(2), fc.nat(5), fc.nat(2)), { maxLength: 12 }),
        (wires, links) => {
          const said = names.map((name, n) =>
            router(name, {
              interfaces: ["e0", "e1", "e2"],
              heard: wires.flatMap(([a, i, b, j]) => (a === n && a !== b ? [hears(`e${i}`, `r${b}`, `e${j}`)] : [])),
            }),
          )
          const declared = links.map(([a, i, b, j], index) => ({
            id: `l${index}`,
            a: { device: `id-r${a}`, interface: `e${i}` },
            b: { device: `id-r${b}`, interface: `e${j}` },
          }))
          const is = (end: { device: string; interface: string }, hint: { device: string; interface: string | null }) =>
            end.device === hint.device && (hint.interface === null || hint.interface === end.interface)
          for (const { a, b, contradicts } of proposeLinks(said, declared)) {
            const alike = declared.some((link) => (is(link.a, a) && is(link.b, b)) || (is(link.a, b) && is(link.b, a)))
            assert.equal(alike, false)
            const used = declared.find((link) =>
              [a, b].some((hint) => hint.interface !== null && (is(link.a, hint) || is(link.b, hint))),
            )
            assert.equal(contradicts, used?.id ?? null)
          }
        },
      ),
      { numRuns: 200 },
    )
  })

  test("[W3] LLDP from both ends is all but certain, from one end still above the line", () => {
    const a = router("core1", { interfaces: ["ether1"], heard: [hears("ether1", "core2", "ether7")] })
    const b = router("core2", { interfaces: ["ether7"], heard: [hears("ether7", "core1.isp.example", "ether1")] })
    const [both] = proposeLinks([a, b], [])
    assert.deepEqual(ends([both!]), ["id-core1 ether1 id-core2 ether7"])
    assert.ok(both!.confidence > 0.94)
    assert.equal(both!.evidence.length, 2)
    const [one] = proposeLinks([a, router("core2", { interfaces: ["ether7"] })], [])
    assert.ok(one!.confidence >= 0.8 && one!.confidence < both!.confidence)
    assert.match(one!.evidence[0]!.text, /core1 hears core2 by LLDP on ether1/)
  })

  test("[W3] a /31 is a wire, a /31 on a VLAN is not yet, one that three devices claim is nothing", () => {
    const wire = [router("a", { ip: { e1: "10.0.0.0/31" } }), router("bb", { ip: { e2: "10.0.0.1/31" } })]
    assert.deepEqual(ends(proposeLinks(wire, [])), ["id-a e1 id-bb e2"])
    assert.ok(proposeLinks(wire, [])[0]!.confidence >= 0.8)
    const vlan = [
      router("a", { ip: { vlan7: "10.0.0.0/31" }, lower: new Map([["vlan7", ["ether1"]]]) }),
      router("bb", { ip: { e2: "10.0.0.1/31" } }),
    ]
    const [overVlan] = proposeLinks(vlan, [])
    assert.deepEqual(ends([overVlan!]), ["id-a ether1 id-bb e2"])
    assert.ok(overVlan!.confidence < 0.8)
    const reused = [...wire, router("ccc", { ip: { lan: "10.0.0.1/31" } })]
    assert.deepEqual(proposeLinks(reused, []), [])
    const same = [router("a", { ip: { e1: "10.0.0.1/30" } }), router("bb", { ip: { e2: "10.0.0.1/30" } })]
    assert.deepEqual(proposeLinks(same, []), [])
  })

  test("[W2] routing neighbours alone never reach the line; a loopback iBGP peer is no hint at all", () => {
    const a = router("a", {
      ip: { lo: "10.255.0.1/32", vlan9: "10.9.0.1/24" },
      routing: [ospf("10.255.0.2"), bgp("10.255.0.2", "65000")],
    })
    const b = router("bb", {
      ip: { lo: "10.255.0.2/32", vlan9: "10.9.0.2/24" },
      routing: [ospf("10.255.0.1"), bgp("10.255.0.1", "65000")],
    })
    const proposals = proposeLinks([a, b], [])
    assert.ok(proposals.every(({ confidence }) => confidence < 0.8))
    assert.ok(proposals.every(({ evidence }) => evidence.every(({ kind }) => kind !== "bgp")))
  })

  test("[W3] a switch between: a port that hears two proposes neither above the line", () => {
    const hub = router("hub", {
      interfaces: ["e1"],
      heard: [hears("e1", "left", "e1", "mndp"), hears("e1", "right", "e1", "mndp")],
    })
    const left = router("left", { interfaces: ["e1"] })
    const right = router("right", { interfaces: ["e1"] })
    assert.ok(proposeLinks([hub, left, right], []).every(({ confidence }) => confidence < 0.8))
  })

  test("[W3] parallel links stay two, and a hint without ports joins neither", () => {
    const a = router("a", {
      ip: { e1: "10.0.0.0/31", e2: "10.0.0.2/31", lo: "10.255.0.1/32" },
      routing: [ospf("10.255.0.2")],
    })
    const b = router("bb", { ip: { e1: "10.0.0.1/31", e2: "10.0.0.3/31", lo: "10.255.0.2/32" } })
    const proposals = proposeLinks([a, b], [])
    assert.deepEqual(ends(proposals), ["id-a e1 id-bb e1", "id-a e2 id-bb e2"])
    assert.ok(proposals.every(({ evidence }) => evidence.length === 1))
  })

  test("[W3] a name of two devices, or a name and an address that disagree, is nobody's", () => {
    const a = router("a", { interfaces: ["e1"], heard: [hears("e1", "switch", "e9")] })
    const twins = [router("x", { names: ["switch"] }), router("yy", { names: ["Switch"] })]
    assert.deepEqual(proposeLinks([a, ...twins], []), [])
    const odd = router("a", {
      heard: [{ ...hears("e1", "x", "e9", "mndp"), remoteAddress: "172.16.0.2" }],
    })
    assert.deepEqual(proposeLinks([odd, router("x"), router("yy")], []), [])
  })

  test("what is declared is not proposed; a declared link that ends elsewhere is contradicted by name", () => {
    const a = router("a", { interfaces: ["e1"], heard: [hears("e1", "bb", "e2")] })
    const b = router("bb", { interfaces: ["e2", "e3"], heard: [hears("e2", "a", "e1")] })
    const link = (port: string) => ({
      id: "L1",
      a: { device: "id-bb", interface: port },
      b: { device: "id-a", interface: "e1" },
    })
    assert.deepEqual(proposeLinks([a, b], [link("e2")]), [])
    const [moved] = proposeLinks([a, b], [link("e3")])
    assert.equal(moved!.contradicts, "L1")
    assert.equal(moved!.against, "declared is bb e3 - a e1")
  })

  test("one port, one wire: the weaker of two that want it is held down", () => {
    const a = router("a", { ip: { e1: "10.0.0.0/31" }, heard: [hears("e1", "ccc", "e1")] })
    const proposals = proposeLinks(
      [
        a,
        router("bb", { ip: { e1: "10.0.0.1/31" } }),
        router("ccc", { interfaces: ["e1"], heard: [hears("e1", "a", "e1")] }),
      ],
      [],
    )
    assert.deepEqual(ends(proposals), ["id-a e1 id-ccc e1", "id-a e1 id-bb e1"])
    assert.ok(proposals[1]!.confidence <= 0.5)
    assert.match(proposals[1]!.against!, /stronger/)
  })

  test("a rejected one returns only on new evidence: the key knows kinds and ends, not time or order", () => {
    const a = router("a", { interfaces: ["e1"], heard: [hears("e1", "bb", "e2")] })
    const b = router("bb", { interfaces: ["e2"], heard: [hears("e2", "a", "e1")] })
    const key = proposeLinks([a, b], [])[0]!.evidenceKey
    assert.equal(proposeLinks([b, a], [])[0]!.evidenceKey, key)
    const more = proposeLinks(
      [
        { ...a, addresses: ownAddresses("e1", "10.0.0.0/31") },
        { ...b, addresses: ownAddresses("e2", "10.0.0.1/31") },
      ],
      [],
    )[0]!
    assert.notEqual(more.evidenceKey, key)
  })

  test("[W3] random rings of wires: every one is found, none is invented, in whatever order devices come", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 12 }), fc.integer(), fc.boolean(), (size, seed, byAddress) => {
        const names = Array.from({ length: size }, (_, index) => `r${index}`.padEnd(index + 3, "x"))
        const port = (from: number, to: number): string => `to${to}of${from}`
        const said = names.map((name, index) => {
          const [next, before] = [(index + 1) % size, (index + size - 1) % size]
          const sides = [...new Set([next, before])]
          const net = (other: number): number => Math.min(index, other) * 64 + Math.max(index, other)
          const low = (other: number): number => (index < other ? 0 : 1)
          return router(name, {
            interfaces: sides.map((other) => port(index, other)),
            addresses: byAddress
              ? sides.flatMap((other) => {
                  const at = net(other)
                  return ownAddresses(port(index, other), `10.${at >> 7}.${(at & 127) * 2}.${low(other)}/31`)
                })
              : [],
            heard: byAddress ? [] : sides.map((other) => hears(port(index, other), names[other]!, port(other, index))),
          })
        })
        const turned = said.toSorted(
          (x, y) => ((x.device.length * 31 + seed) % 7) - ((y.device.length * 31 + seed) % 7),
        )
        const proposals = proposeLinks(turned, [])
        assert.equal(proposals.length, size === 2 ? 1 : size)
        assert.ok(proposals.every(({ confidence }) => confidence >= 0.8))
        assert.deepEqual(ends(proposals).toSorted(), ends(proposeLinks(said, [])).toSorted())
      }),
    )
  })
})

describe("what a device says", () => {
  test("addresses: IPv4 and IPv6 subnets by their first address, nothing of what is no address", () => {
    const subnets = (text: string) => ownAddresses("e1", text).map(({ subnet, hostBits }) => [subnet, hostBits])
    assert.deepEqual(subnets("10.0.0.3/30, 2001:db8::5/126"), [
      ["10.0.0.0/30", 2],
      ["2001:db8:0:0:0:0:0:4/126", 2],
    ])
    assert.deepEqual(subnets("192.0.2.255/25"), [["192.0.2.128/25", 7]])
    for (const none of [
      "",
      "10.0.0.1",
      "10.0.0.300/24",
      "127.0.0.1/8",
      "fe80::1/64",
      "::1/128",
      "1::2::3/64",
      "10.0.0.1/33",
      "x/1",
    ])
      assert.deepEqual(subnets(none), [], none)
  })

  test("any text of an agent is survived", () => {
    fc.assert(fc.property(fc.string(), (text) => void ownAddresses("e1", text)))
  })

  test("a view becomes what it says: heard ones that are up, routing with its state", () => {
    const view = {
      id: "d1",
      name: "core1",
      address: "172.16.0.1",
      site: "sao-1",
      roles: ["core"],
      texts: { "device.identity": "core1.isp" },
      metrics: [{ entity: "", metric: "pppoe.sessions.active", value: 12 }],
      interfaces: [{ name: "bond1", addresses: "10.0.0.1/31", lowerLayers: "ether1, ether2" }],
      adjacencies: [
        { kind: "lldp", remote: "core2", up: true, localInterface: "ether1", remotePort: "ether7" },
        { kind: "lldp", remote: "gone", up: false, localInterface: "ether2" },
        { kind: "bgp", remote: "192.0.2.1", up: false, remoteAs: "65001" },
      ],
    } as unknown as DeviceView
    const said = saidBy(view)
    assert.deepEqual(said.names, ["core1", "core1.isp"])
    assert.deepEqual(
      said.heard.map(({ remoteName }) => remoteName),
      ["core2"],
    )
    assert.deepEqual(said.routing, [
      { kind: "bgp", remote: "192.0.2.1", up: false, interface: null, remoteAs: "65001" },
    ])
    assert.deepEqual(said.lower.get("bond1"), ["ether1", "ether2"])
    assert.equal(said.subscribers, 12)
  })
})

describe("roles", () => {
  const link = (a: string, b: string) => ({ a: { device: `id-${a}` }, b: { device: `id-${b}` } })

  test("[W6] an edge by its foreign AS, a reflector by its many clients, a BNG by its sessions; declared ones stay", () => {
    const clients = ["c1", "c22", "c333", "c4444"].map((name, index) =>
      router(name, { ip: { lo: `10.255.0.${index + 1}/32` }, routing: [bgp("10.255.0.9", "65000")] }),
    )
    const rr = router("rr", {
      ip: { lo: "10.255.0.9/32" },
      routing: [1, 2, 3, 4].map((n) => bgp(`10.255.0.${n}`, "65000")),
    })
    const edge = { ...clients[0]!, routing: [...clients[0]!.routing, bgp("198.51.100.1", "64999")] }
    const bng = { ...clients[1]!, subscribers: 900 }
    const said = [edge, bng, clients[2]!, clients[3]!, rr]
    const roles = proposeRoles(said, whoIsWho(said), [link("c1", "rr")])
    const of = (name: string) => roles.filter(({ device }) => device === `id-${name}`).map(({ role }) => role)
    assert.ok(of("c1").includes("edge"))
    assert.ok(of("c22").includes("bng"))
    assert.deepEqual(of("rr"), ["rr"])
    const declared = said.map((one) => (one === rr ? { ...rr, roles: ["rr"] } : one))
    assert.deepEqual(
      proposeRoles(declared, whoIsWho(declared), []).filter(({ device }) => device === "id-rr"),
      [],
    )
  })

  /** Roles by name, of routers that only have wires `"a-b a-c"`, and of what else is said of them. */
  const placed = (wires: string, more: Readonly<Record<string, Partial<Said>>> = {}) => {
    const links = wires.split(" ").map((wire) => wire.split("-") as [string, string])
    const names = [...new Set(links.flat())].sort()
    const said = names.map((name) => ({ ...router(name), ...more[name] }))
    const roles = proposeRoles(
      said,
      whoIsWho(said),
      links.map(([a, b]) => link(a, b)),
    )
    return Object.fromEntries(
      names.map((name) => [
        name,
        roles
          .filter(({ device }) => device === `id-${name}`)
          .map(({ role }) => role)
          .join(),
      ]),
    )
  }

  test("[W6] by place: who gathers customers is agg, who joins those that do is core, who hangs there is access", () => {
    assert.deepEqual(
      placed("c1-c2 c2-c3 c3-c1 c1-g1 c2-g1 c2-g2 c3-g2 g1-a1 g1-n1 g2-a2 g2-a3 a2-a3 g2-n1", {
        n1: { subscribers: 700 },
      }),
      { c1: "core", c2: "core", c3: "core", g1: "agg", g2: "agg", a1: "access", a2: "access", a3: "access", n1: "bng" },
    )
    const concentrator = placed("c1-n1 c1-c2 c1-c3 c2-c3", { n1: { subscribers: 5 } })["n1"]
    assert.equal(concentrator, "bng", "where subscribers end is no access router for having one link")
  })

  test("[W6] a reflector beside two cores is not taken for access, whether it tells its sessions or others do", () => {
    const wires = "c1-c2 c2-c3 c3-c1 r-c1 r-c2 c1-g1 c2-g1 g1-a1 g1-a2 c2-g2 c3-g2 g2-a3 g2-a4"
    const names = ["a1", "a2", "a3", "a4", "c1", "c2", "c3", "g1", "g2"]
    const own = (n: number): Partial<Said> => ({ addresses: ownAddresses("lo", `10.255.0.${n + 1}/32`) })
    const addresses = { addresses: ownAddresses("lo", "10.255.0.100/32") }
    const all = names.map((_, n) => bgp(`10.255.0.${n + 1}`, "65000"))
    const byItself = placed(wires, {
      ...Object.fromEntries(names.map((name, n) => [name, own(n)])),
      r: { ...addresses, routing: all },
    })
    const byOthers = placed(wires, {
      ...Object.fromEntries(names.map((name, n) => [name, { ...own(n), routing: [bgp("10.255.0.100", "65000")] }])),
      r: addresses,
    })
    assert.deepEqual([byItself["r"], byOthers["r"]], ["rr", "rr"])
    assert.deepEqual({ ...byItself, r: "" }, { ...byOthers, r: "" })
    assert.deepEqual(byItself["c1"], "core")
  })

  test("[W6] an upstream of the inventory: by the AS that our routers name, or by BGP over its own wires and no OSPF", () => {
    const wires = "u-e e-c1 e-c2 c1-c2 c1-c3 c2-c3"
    const named = placed(wires, {
      u: { addresses: ownAddresses("e1", "198.51.100.1/30") },
      e: {
        addresses: ownAddresses("lo", "10.255.0.1/32"),
        routing: [bgp("198.51.100.1", "64999"), bgp("10.255.0.2", "65000")],
      },
      c1: {
        addresses: ownAddresses("lo", "10.255.0.2/32"),
        routing: [bgp("10.255.0.1", "65000"), bgp("10.255.0.3", "65000")],
      },
      c2: { addresses: ownAddresses("lo", "10.255.0.3/32"), routing: [bgp("10.255.0.2", "65000")] },
    })
    assert.deepEqual([named["u"], named["e"]], ["upstream", "edge"])
    const told = placed(wires, {
      u: { addresses: ownAddresses("e1", "198.51.100.1/30"), routing: [bgp("198.51.100.2", "65000")] },
      e: { addresses: ownAddresses("e1", "198.51.100.2/30") },
    })
    assert.deepEqual([told["u"], told["e"]], ["upstream", "edge"])
    const ours = placed(wires, {
      u: { addresses: ownAddresses("e1", "10.0.0.1/30"), routing: [bgp("10.255.0.1", "65000")] },
      e: { addresses: ownAddresses("lo", "10.255.0.1/32") },
    })
    assert.equal(ours["u"], "access", "a session from loopback to loopback is no stranger's")
    const igp = placed(wires, {
      u: { addresses: ownAddresses("e1", "10.0.0.1/30"), routing: [bgp("10.0.0.2", "65000"), ospf("10.0.0.2")] },
      e: { addresses: ownAddresses("e1", "10.0.0.2/30") },
    })
    assert.equal(igp["u"], "access", "nor is who speaks OSPF with us")
  })
})
