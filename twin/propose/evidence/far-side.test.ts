/** [W3] A cable of a switch and a router: when what the router says of its own side makes one side's table enough, and when not. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { readPhrase } from "#protocol/phrase.ts"
import { device, hosts, mac, routing } from "#twin/propose/evidence/bridge.fixture.ts"
import { proposeLinks, SURE_FROM } from "#twin/propose/propose.ts"
import type { ProposedLink } from "#twin/propose/propose.ts"
import type { Heard, OwnAddress, Routing, Said } from "#twin/propose/said.ts"

/** A switch that hears the router's second port, and nobody else. */
const bridge = device(1, { table: { p1: hosts([mac(2, 1)]) } })
const router = routing(device(2), "p2")
const found = (...said: readonly Said[]): ProposedLink | undefined =>
  proposeLinks(said, []).find(({ a, b }) => a.device === "d1" && b.device === "d2")
const isSure = (...said: readonly Said[]): boolean => (found(...said)?.confidence ?? 0) >= SURE_FROM

const address = (port: string, text: string, subnet: string, hostBits: number): OwnAddress => ({
  interface: port,
  address: text,
  subnet,
  hostBits,
})
const neighbour = (more: Partial<Routing> = {}): Routing => ({
  kind: "ospf",
  remote: "10.255.0.9",
  up: true,
  interface: "p2",
  remoteAs: null,
  ...more,
})
const heard = (more: Partial<Heard>): Heard => ({
  by: "lldp",
  interface: "p2",
  remoteName: null,
  remotePort: null,
  remoteAddress: null,
  ...more,
})

describe("[W3] a switch hears a router alone, and the router routes there with one neighbour over a subnet made for two", () => {
  test("is a link, with both ends, in words that a screen says", () => {
    const link = found(bridge, router)
    assert.deepEqual([link?.a.interface, link?.b.interface, link?.confidence], ["p1", "p2", 0.82])
    const phrase = readPhrase(link!.evidence[0]!.text)
    assert.equal(phrase?.code, "propose.bridge.routed")
    assert.match(link!.evidence[0]!.text, /over 10\.9\.2\.0\/31 with one neighbour/)
  })

  test("/30, /126 and a BGP peer in the subnet do as well; the bridge itself may be the known neighbour", () => {
    const of = (addresses: readonly OwnAddress[], routes: readonly Routing[]) =>
      isSure(bridge, { ...router, addresses, routing: routes })
    assert.ok(of([address("p2", "10.0.0.2", "10.0.0.0/30", 2)], [neighbour()]))
    assert.ok(of([address("p2", "2001:db8:0:0::1", "2001:db8:0:0:0:0:0:0/126", 2)], [neighbour()]))
    const four = address("p2", "10.0.0.1", "10.0.0.0/31", 1)
    assert.ok(of([four, address("p2", "2001:db8::1", "2001:db8:0:0:0:0:0:0/64", 64)], [neighbour()]))
    assert.ok(of([four], [neighbour({ kind: "bgp", interface: null, remote: "10.0.0.0" })]))
    assert.ok(!of([four], [neighbour({ kind: "bgp", interface: null, remote: "10.0.0.2" })]), "a peer of elsewhere")
    assert.ok(of([four], [neighbour({ remote: "10.0.0.1" })]), "10.0.0.1 manages d1")
  })

  test("not when it is silent, when the neighbour is down or elsewhere, or when there are two", () => {
    const of = (...routes: readonly Routing[]) => isSure(bridge, { ...router, routing: routes })
    assert.ok(of(neighbour()))
    assert.ok(!of())
    assert.ok(!of(neighbour({ up: false })))
    assert.ok(!of(neighbour({ interface: "p3" })))
    assert.ok(!of(neighbour({ interface: null })))
    assert.ok(!of(neighbour(), neighbour({ remote: "10.255.0.8" })))
  })

  test("not when its subnet holds more than two, or a LAN lies on the port besides, or the address is of a VLAN above it", () => {
    const of = (...addresses: readonly OwnAddress[]) => isSure(bridge, { ...router, addresses })
    const two = address("p2", "10.0.0.1", "10.0.0.0/31", 1)
    assert.ok(of(two))
    assert.ok(!of())
    assert.ok(!of(address("p2", "10.0.0.1", "10.0.0.0/29", 3)))
    assert.ok(!of(two, address("p2", "10.1.0.1", "10.1.0.0/24", 8)))
    assert.ok(!of({ ...two, interface: "p3" }))
    const tagged = { ...router, lower: new Map([["v7", ["p2"]]]), addresses: [{ ...two, interface: "v7" }] }
    assert.ok(!isSure(bridge, tagged))
  })

  test("not when anybody else is named on that port: by the subnet, by a neighbour protocol, by its routing", () => {
    const third = device(3, { more: { addresses: [address("p1", "10.9.2.0", "10.9.2.0/31", 1)] } })
    assert.ok(!isSure(bridge, router, third), "the other address is of somebody else")
    assert.ok(
      !isSure(bridge, {
        ...router,
        addresses: [...router.addresses, ...third.addresses].map((one, n) =>
          n === 0 ? one : { ...one, interface: "p3" },
        ),
      }),
      "it holds both itself",
    )
    assert.ok(isSure(bridge, router, device(3)))
    const itself = { ...bridge, addresses: [address("p1", "10.9.2.0", "10.9.2.0/31", 1)] }
    assert.deepEqual(
      found(itself, router)?.evidence.map(({ kind, weight }) => `${kind} ${weight}`),
      ["subnet 0.82", "bridge 0.82"],
      "the other address is the switch's own",
    )
    const said = (more: Partial<Heard>) => isSure(bridge, { ...router, heard: [heard(more)] }, device(3))
    assert.ok(!said({ remoteName: "dev 3" }))
    assert.ok(!said({ by: "mndp", remoteName: "radio-7" }), "a stranger is somebody, too")
    assert.ok(said({ remoteName: "dev 1" }))
    assert.ok(said({ remoteName: "dev 3", interface: "p1" }), "on another port anybody may be")
    const named = { ...router, routing: [neighbour({ remote: "10.0.0.3" })] }
    assert.ok(!isSure(bridge, named, device(3)), "10.0.0.3 is d3")
  })

  test("not when the switch hears anybody else there, or cannot say who", () => {
    const of = (hears: Parameters<typeof hosts>) =>
      isSure(device(1, { table: { p1: hosts(...hears) } }), router, device(3))
    assert.ok(of([[mac(2, 1)]]))
    assert.ok(!of([[mac(2, 1)], { others: true }]), "gear may stand in the cable")
    assert.ok(!of([[mac(2, 1)], { more: true }]))
    assert.ok(!of([[mac(2, 1), mac(3)]]))
    const bond = { ...bridge, lower: new Map([["p1", ["e1", "e2"]]]) }
    assert.ok(!isSure(bond, router), "which port of a bond is not known")
    const oneMac = {
      ...router,
      macs: new Map([
        ["p1", mac(2, 1)],
        ["p2", mac(2, 1)],
      ]),
    }
    assert.ok(!isSure(bridge, oneMac), "an address of two ports says from neither")
    assert.ok(!isSure(bridge, { ...router, bridge: new Map() }), "it has a table, in which nobody stands")
  })

  test("another switch that has learned the router's port may stand between, unless it is heard elsewhere", () => {
    const other = (port: string) => device(3, { table: { [port]: hosts([mac(2, 1)]) } })
    assert.ok(!isSure(bridge, router, other("p1")))
    const behind = device(1, { table: { p1: hosts([mac(2, 1)]), p2: hosts([mac(3)]) } })
    assert.ok(isSure(behind, router, other("p1")))
    const moved = device(1, { table: { p1: hosts([mac(2, 1)]), p2: hosts([mac(3)]), p3: hosts([mac(3)]) } })
    assert.ok(!isSure(moved, router, other("p1")), "heard on two ports, its place is not known")
    const joined = device(3, { table: { p1: hosts([mac(2, 1), mac(2, 2)]) } })
    assert.ok(!isSure(bridge, router, joined), "it hears that port of the router among others of its ports")
    const elsewhere = device(3, { table: { p1: hosts([mac(2, 0)]) } })
    assert.ok(isSure(bridge, router, elsewhere), "it has learned another port of the router")
  })

  test("two cables of one router to one switch are two links, each by the address of its port", () => {
    const both = device(1, { table: { p1: hosts([mac(2, 1)]), p3: hosts([mac(2, 2)]) } })
    const twice: Said = {
      ...router,
      addresses: [...router.addresses, address("p3", "10.8.0.1", "10.8.0.0/31", 1)],
      routing: [neighbour(), neighbour({ interface: "p3" })],
    }
    const links = proposeLinks([both, twice], []).map(({ a, b, confidence }) => [a.interface, b.interface, confidence])
    assert.deepEqual(links, [
      ["p1", "p2", 0.82],
      ["p3", "p3", 0.82],
    ])
  })
})
