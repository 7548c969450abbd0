/** iBGP sessions as routers tell them: who is whose peer, who reflects, what is down, and what is not known. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { bgpKey, interfaceKey } from "#protocol/id.ts"
import { BGP_STATES } from "#protocol/metric.ts"
import type { Role } from "#protocol/role.ts"
import type { Input } from "#twin/input.ts"
import { device, inventory, link, poll } from "#twin/inventory.fixture.ts"
import { at, network } from "#twin/network.fixture.ts"
import type { Network } from "#twin/network.fixture.ts"
import { isMesh, reflectorsOf, sessionsKnown } from "#twin/whatif/ibgp-sessions.ts"
import { modelOf } from "#twin/whatif/twin-model.ts"
import { whatIf } from "#twin/whatif/what-if.ts"

const OURS = "64500"
/** [peer's address, AS, state] */
type Peer = readonly [remote: string, as: string | null, state?: (typeof BGP_STATES)[number]]

/** A router at a loopback of its own, with the sessions that it lists. */
const tells = (name: string, loopback: string, peers: readonly Peer[], seconds = 10): Input =>
  poll(
    name,
    at(seconds),
    {
      [interfaceKey("lo")]: { "interface.oper_up": 1, "interface.admin_up": 1 },
      ...Object.fromEntries(
        peers.map(([remote, , state = "established"]) => [
          bgpKey(remote),
          { "bgp.peer.state": BGP_STATES.indexOf(state) },
        ]),
      ),
    },
    {
      complete: ["interface", "bgp.peer"],
      texts: [
        [interfaceKey("lo"), "interface.addresses", `${loopback}/32`],
        ...peers.flatMap(([remote, as]) => (as === null ? [] : [[bgpKey(remote), "bgp.peer.remote_as", as] as const])),
      ],
    },
  )

const loopback = (slot: number): string => `10.255.0.${slot + 1}`

/** Routers r0, r1, ... with these sessions; each tells its own and who is not in `silent` does. */
const running = (
  roles: ReadonlyArray<readonly Role[]>,
  sessions: string,
  options: { readonly silent?: readonly number[]; readonly as?: (slot: number) => string | null } = {},
): Network => {
  const { silent = [], as = () => OURS } = options
  const pairs = sessions.split(" ").map((pair) => pair.split("-").map(Number) as [number, number])
  const net = network(
    inventory(
      roles.map((one, slot) => device(`r${slot}`, { roles: [...one] })),
      [],
    ),
  )
  for (const [slot] of roles.entries()) {
    const peers = pairs.flatMap(([x, y]) => (x === slot ? [y] : y === slot ? [x] : []))
    if (!silent.includes(slot))
      net.apply(
        tells(
          `r${slot}`,
          loopback(slot),
          peers.map((peer) => [loopback(peer), as(peer)] as const),
        ),
      )
    else net.apply(tells(`r${slot}`, loopback(slot), []))
  }
  return net
}
const known = ({ world, cells }: Network, outside = new Uint8Array(world.topology.routers.length)) =>
  sessionsKnown({ topology: world.topology, cells }, outside)

const ACCESS: readonly Role[] = ["access"]

test("[what-if] a session is known by either end, and who has role rr reflects to all that have not", () => {
  const net = running([["core", "rr"], ACCESS, ACCESS], "0-1 0-2", { silent: [2] })
  const { ibgp, said } = known(net)
  assert.deepEqual(ibgp?.peers, [[1, 2], [0], [0]])
  assert.deepEqual([...(ibgp?.reflects ?? [])], [1, 0, 0])
  assert.deepEqual([...(ibgp?.rank ?? [])], [0, 1, 2])
  assert.deepEqual(said, [
    "exits follow the iBGP sessions that the routers tell; local preference, AS paths and MED are not known",
  ])
})

test("[what-if] without a role, who joins routers that have no session with each other is taken to reflect, and named", () => {
  const { ibgp, said } = known(running([["core"], ACCESS, ACCESS, ["core"]], "0-1 0-2 3-1 3-2 0-3"))
  assert.deepEqual([...(ibgp?.reflects ?? [])], [1, 0, 0, 1])
  assert.ok(said.includes("r0, r3 are taken for route reflectors: no role says who reflects"), said.join("\n"))
})

test("[what-if] a full mesh has no reflector; what is neither a mesh nor reflected is taken for a mesh, and said", () => {
  const mesh = known(running([ACCESS, ACCESS, ACCESS], "0-1 0-2 1-2"))
  assert.deepEqual([...(mesh.ibgp?.reflects ?? [])], [0, 0, 0])
  const square = known(running([ACCESS, ACCESS, ACCESS, ACCESS], "0-1 1-2 2-3 0-3"))
  assert.equal(square.ibgp, null)
  assert.match(square.said.join(), /nobody is known to reflect: exits assume a full mesh/)
  const nothing = known(network(inventory([device("r0"), device("r1")], [])))
  assert.equal(nothing.ibgp, null)
  assert.deepEqual(nothing.said, [
    "no iBGP session is known: exits assume a full mesh of iBGP: every router hears of every exit",
  ])
})

test("[what-if] sessions with another AS, with strangers and with upstreams are none of iBGP", () => {
  const net = running([ACCESS, ACCESS, ACCESS, ["upstream"]], "0-1 0-2 1-2 0-3", {
    as: (slot) => (slot === 2 ? "65000" : slot === 3 ? "64501" : OURS),
  })
  net.apply(
    tells(
      "r0",
      loopback(0),
      [
        [loopback(1), OURS],
        [loopback(2), "65000"],
        ["192.0.2.1", OURS],
      ],
      20,
    ),
  )
  const { ibgp, said } = known(net, Uint8Array.of(0, 0, 0, 1))
  assert.deepEqual(ibgp?.peers, [[1], [0], [], []])
  assert.ok(said.includes("1 routers tell no iBGP session: they are taken to hear of every exit"), said.join("\n"))
})

test("[what-if] a session that one end calls down is none, and is counted; an address that two claim is nobody's", () => {
  const net = running([ACCESS, ACCESS, ACCESS], "0-1 0-2 1-2")
  net.apply(
    tells(
      "r0",
      loopback(0),
      [
        [loopback(1), OURS],
        [loopback(2), OURS, "idle"],
      ],
      20,
    ),
  )
  const mesh = known(net).ibgp
  assert.deepEqual(mesh?.peers, [[1], [0, 2], [1]])
  assert.deepEqual([...(mesh?.reflects ?? [])], [0, 0, 0], "a mesh of which one session is down has no reflectors")
  const rr = running([["rr"], ACCESS, ACCESS], "0-1 0-2 1-2")
  rr.apply(
    tells(
      "r0",
      loopback(0),
      [
        [loopback(1), OURS],
        [loopback(2), OURS, "active"],
      ],
      20,
    ),
  )
  const { ibgp, said } = known(rr)
  assert.deepEqual(ibgp?.peers, [[1], [0, 2], [1]])
  assert.ok(said.includes("1 iBGP sessions are down now and taken to stay down"))
  rr.apply(tells("r2", loopback(1), [], 30))
  assert.deepEqual(known(rr).ibgp?.peers, [[1], [0], []], "nobody knows who 10.255.0.2 is; r1 still names r0")
})

test("[what-if] identifiers go by the number of the address, not by its letters", () => {
  const net = network(inventory([device("r0"), device("r1"), device("r2")], []))
  const all = ["10.255.0.10", "10.255.0.9", "9.0.0.1"]
  for (const [slot, own] of all.entries())
    net.apply(
      tells(
        `r${slot}`,
        own,
        all.filter((one) => one !== own).map((one) => [one, null] as const),
      ),
    )
  assert.deepEqual([...(known(net).ibgp?.rank ?? [])], [2, 1, 0])
})

test("[what-if] reflectors of any design are found: some routers reflect to all others, who have no sessions beside", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 0, max: 12 }), fc.boolean(), (some, more, meshed) => {
      const clients = some + 2 + more
      const peers = Array.from({ length: some + clients }, (_, node) =>
        Array.from({ length: some + clients }, (_, peer) => peer).filter(
          (peer) => node < some !== peer < some || (meshed && peer !== node && node < some),
        ),
      )
      assert.deepEqual(isMesh(peers), false)
      assert.deepEqual(
        reflectorsOf(peers),
        Array.from({ length: some }, (_, node) => node),
      )
    }),
  )
})

test("[what-if] a running twin's model answers by the sessions that it was told, only where they are asked for", () => {
  const roles: ReadonlyArray<readonly [string, Role]> = [
    ["u1", "upstream"],
    ["u2", "upstream"],
    ["b1", "edge"],
    ["rr", "rr"],
    ["acc", "access"],
    ["b2", "edge"],
  ]
  const net = network(
    inventory(
      roles.map(([name, role]) => device(name, { roles: [role] })),
      [
        link("l0", "u1:e b1:u", 1e9),
        link("l1", "u2:e b2:u", 1e9),
        link("l2", "b1:e rr:a", 1e9),
        link("l3", "rr:b acc:a", 1e9),
        link("l4", "acc:b b2:e", 1e9),
      ],
    ),
  )
  const of = (name: string): string => loopback(roles.findIndex(([one]) => one === name))
  for (const name of ["b1", "acc", "b2"]) net.apply(tells(name, of(name), [[of("rr"), OURS]]))
  net.apply(
    tells(
      "rr",
      of("rr"),
      ["b1", "acc", "b2"].map((one) => [of(one), OURS] as const),
    ),
  )
  const plain = modelOf(net.world, net.cells)
  assert.deepEqual([plain.ibgp, plain.exitNow[4]], [null, 1])
  const model = modelOf(net.world, net.cells, { sessions: true })
  assert.deepEqual([...model.exitNow], [0, 1, 0, 0, 0, 1])
  const { exits, assumptions } = whatIf(model, [{ kind: "router", router: 2 }])
  assert.deepEqual(
    exits,
    [3, 4].map((router) => ({ router, from: 0, to: 1 })),
  )
  assert.ok(assumptions.some((one) => one.startsWith("exits follow the iBGP sessions")))
})
