/** Lost second ways: told once, by the router itself, equal in replay and after a restart, and equal to the slow answer. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import type { Role } from "#protocol/role.ts"
import { plainCells } from "#twin/cells.ts"
import { forkTwin } from "#twin/fork.ts"
import { hashTwin } from "#twin/hash.ts"
import type { Input, Sequenced } from "#twin/input.ts"
import { device, idOf, inventory, link, ports, silence, T0 } from "#twin/inventory.fixture.ts"
import { rulesInput } from "#twin/judge/pool.fixture.ts"
import { at, network } from "#twin/network.fixture.ts"
import { newWorld, runRound } from "#twin/round.ts"
import type { World } from "#twin/round.ts"
import { restoreTwin, snapshotTwin } from "#twin/snapshot.ts"
import { PACKS } from "#twin/alert/packs/registry.ts"
import { SETTLE_MS, TOLD_MAX, walkDueMs } from "#twin/whatif/redundancy-watch.ts"
import { modelOf } from "#twin/whatif/twin-model.ts"
import { singlePoints } from "#twin/whatif/next-failure.ts"

/** up = c1, up = c2, c1 - c2, a ring c1 - a1 - a2 - c2, and a stub at a1. */
const role = (name: string, ...roles: Role[]) => device(name, { roles })
const DEVICES = [
  role("up", "upstream"),
  role("c1", "core"),
  role("c2", "core"),
  role("a1", "access"),
  role("a2", "access"),
  role("stub", "access"),
]
const LINKS = [
  link("l0", "up:e0 c1:e0"),
  link("l1", "up:e1 c2:e1"),
  link("l2", "c1:e2 c2:e2"),
  link("l3", "c1:e3 a1:e3"),
  link("l4", "a1:e4 a2:e4"),
  link("l5", "a2:e5 c2:e5"),
  link("l6", "a1:e6 stub:e6"),
]
const PORTS: Readonly<Record<string, readonly string[]>> = {
  up: ["e0", "e1"],
  c1: ["e0", "e2", "e3"],
  c2: ["e1", "e2", "e5"],
  a1: ["e3", "e4", "e6"],
  a2: ["e4", "e5"],
  stub: ["e6"],
}
const NAMES = Object.keys(PORTS)

const answer = (name: string, seconds: number, down: readonly string[] = []): Input =>
  ports(name, at(seconds), Object.fromEntries((PORTS[name] ?? []).map((port) => [port, !down.includes(port)])))
const everybody = (seconds: number, down: readonly string[] = []): readonly Input[] =>
  NAMES.map((name) => answer(name, seconds, down))
const tick = (seconds: number): Input => ({ kind: "tick", atMs: at(seconds) })
type Net = ReturnType<typeof network>
const said = (net: Net, ...inputs: readonly Input[]): string[] =>
  net
    .apply(...inputs)
    .events.filter(({ type }) => type.startsWith("redundancy."))
    .map(({ type, subject, new: by }) => `${type.slice(11)} ${subject} ${by}`)

const calm = (): Net => {
  const net = network(inventory(DEVICES, LINKS))
  assert.deepEqual(said(net, ...everybody(10), tick(20)), [])
  return net
}

describe("[W8] lost second ways", () => {
  test("a cut ring names who hangs on one link now, once; the stub had no second way to lose; mended: the other event", () => {
    const net = calm()
    assert.deepEqual(said(net, ...everybody(20, ["e3"])), [], "the other news of the fault are waited for")
    assert.deepEqual(said(net, tick(23)), ["lost id-a1 a1 e4 - a2 e4", "lost id-a2 a2 e5 - c2 e5"])
    assert.deepEqual(said(net, ...everybody(30, ["e3"]), tick(90)), [])
    assert.deepEqual(said(net, ...everybody(100), tick(110)), ["restored id-a1 null", "restored id-a2 null"])
    assert.deepEqual(said(net, tick(200)), [])
  })

  test("what comes back before it is looked at is nobody's news", () => {
    const net = calm()
    assert.deepEqual(said(net, ...everybody(20, ["e3"]), ...everybody(21), tick(30)), [])
  })

  test("cut off altogether is an outage, neither lost nor restored; with one way back it is lost, with two restored", () => {
    const net = calm()
    assert.deepEqual(said(net, ...everybody(20, ["e3", "e5"]), tick(30)), [])
    assert.deepEqual(said(net, ...everybody(40, ["e5"]), tick(50)), [
      "lost id-a1 c1 e3 - a1 e3",
      "lost id-a2 a1 e4 - a2 e4",
    ])
    assert.deepEqual(said(net, ...everybody(60, ["e3", "e5"]), tick(70)), [], "worse is not better")
    assert.deepEqual(said(net, ...everybody(80), tick(90)), ["restored id-a1 null", "restored id-a2 null"])
  })

  test("a router that is down takes away second ways as a link does", () => {
    const net = calm()
    const dead = (seconds: number) => [0, 1, 2].map((n) => silence("c2", at(seconds + n)))
    const others = (seconds: number) =>
      NAMES.filter((name) => name !== "c2").map((name) => answer(name, seconds, ["e1", "e2", "e5"]))
    const told = said(net, ...dead(20), ...others(22), tick(30))
    assert.deepEqual(told, ["lost id-c1 up e0 - c1 e0", "lost id-a1 c1 e3 - a1 e3", "lost id-a2 a1 e4 - a2 e4"])
  })

  test("another plan: who is gone is forgotten, and a way that is no longer planned ends what was lost", () => {
    const net = calm()
    said(net, ...everybody(20, ["e3"]), tick(30))
    assert.deepEqual([...net.world.redundancy.lost], [idOf("a1"), idOf("a2")])
    const without = inventory(
      DEVICES.filter(({ name }) => name !== "a2"),
      LINKS.filter(({ id }) => id !== "l4" && id !== "l5"),
    )
    const told = said(net, { kind: "topology", atMs: at(40), rev: 2, inventory: without }, tick(50))
    assert.deepEqual([told, [...net.world.redundancy.lost]], [[], [idOf("a1")]], "cut off, and nothing restored")
    const planned = said(net, ...everybody(60), tick(70))
    assert.deepEqual(planned, ["restored id-a1 null"], "one way is all that is planned now")
  })

  test("the shipped rule stands from lost to restored, and makes no incident", () => {
    const net = calm()
    const { rule } = PACKS.flatMap(({ rules }) => rules).find((one) => one.rule.id === "redundancy-lost")!
    net.apply({ ...rulesInput([rule]), atMs: at(20) })
    const alerts = (...inputs: readonly Input[]) =>
      net
        .apply(...inputs)
        .events.filter(({ type }) => type.startsWith("alert.") || type.startsWith("incident."))
        .map(({ type, subject }) => `${type} ${subject}`)
    net.apply(...everybody(21, ["e3"]))
    assert.deepEqual(
      alerts(tick(30)).filter((one) => one.startsWith("alert.")),
      ["alert.firing id-a1", "alert.firing id-a2"],
    )
    assert.deepEqual(
      alerts(...everybody(600, ["e3"])).filter((one) => one.startsWith("alert.")),
      [],
    )
    net.apply(...everybody(610))
    assert.deepEqual(
      alerts(tick(620)).filter((one) => one.startsWith("alert.")),
      ["alert.resolved id-a1", "alert.resolved id-a2"],
    )
  })

  test("more than one walk may tell is told by the next ones, each router once", () => {
    const many = Array.from({ length: TOLD_MAX + 40 }, (_, n) => role(`r${n}`, "access"))
    const links = many.flatMap((_, n) => [link(`x${n}`, `c1:x${n} r${n}:u1`), link(`y${n}`, `c2:y${n} r${n}:u2`)])
    const net = network(inventory([...DEVICES.slice(0, 3), ...many], [...LINKS.slice(0, 3), ...links]))
    const up = (seconds: number, isUp: boolean) => ports("c2", at(seconds), { e1: isUp, e2: isUp })
    net.apply(up(10, true), tick(20))
    const first = said(net, ...many.map((_, n) => ports(`r${n}`, at(21), { u2: false })), tick(30))
    const rest = said(net, tick(33))
    assert.deepEqual([first.length, rest.length], [TOLD_MAX, 40])
    assert.equal(new Set([...first, ...rest]).size, many.length)
    assert.deepEqual(said(net, tick(40)), [])
    assert.equal(net.world.redundancy.changedMs, null)
  })
})

/** Random weather over the network: ports up and down, silent routers, time that passes. */
const weather: fc.Arbitrary<readonly Sequenced[]> = fc
  .array(
    fc.record({
      afterMs: fc.nat(4_000),
      name: fc.constantFrom(...NAMES),
      down: fc.nat(7),
      what: fc.constantFrom("ports", "ports", "silence", "tick"),
    }),
    { minLength: 1, maxLength: 40 },
  )
  .map((list) => {
    let atMs = T0 + 1_000
    return list.map(({ afterMs, name, down, what }, index) => {
      atMs += afterMs
      const seconds = (atMs - T0) / 1_000
      const off = (PORTS[name] ?? []).filter((_, port) => ((down >> port) & 1) === 1)
      const input =
        what === "tick" ? tick(seconds) : what === "silence" ? silence(name, atMs) : answer(name, seconds, off)
      return { seq: index + 2, input }
    })
  })
const PLAN: Sequenced = { seq: 1, input: { kind: "topology", atMs: T0, rev: 1, inventory: inventory(DEVICES, LINKS) } }

describe("[W8] the watch in the fold", () => {
  test("[determinism] grouped otherwise, replayed, restored in the middle and branched: the same events and state", () => {
    fc.assert(
      fc.property(weather, fc.nat(40), (inputs, cut) => {
        const all = [PLAN, ...inputs]
        const one = { world: newWorld(), cells: plainCells() }
        const whole = runRound(one.world, one.cells, all).events
        const other = { world: newWorld(), cells: plainCells() }
        const single = all.flatMap((input) => runRound(other.world, other.cells, [input]).events)
        assert.deepEqual(single, whole)
        const before = { world: newWorld(), cells: plainCells() }
        const head = runRound(before.world, before.cells, all.slice(0, cut + 1)).events
        const { world, states } = restoreTwin(snapshotTwin(before.world, before.cells))
        const cells = plainCells(states)
        const branch = forkTwin(before.world, before.cells)
        const tail = runRound(world, cells, all.slice(cut + 1)).events
        assert.deepEqual([...head, ...tail], whole)
        assert.equal(hashTwin(world, cells), hashTwin(one.world, one.cells))
        branch.apply(all.slice(cut + 1).map(({ input }) => input))
        assert.equal(hashTwin(branch.world, branch.cells), hashTwin(one.world, one.cells))
      }),
      { numRuns: 60 },
    )
  })

  test("once a walk is over, who is lost is who the what-if engine says has lost its second way, or is cut off since", () => {
    let lost = 0
    fc.assert(
      fc.property(weather, (inputs) => {
        const { world, cells } = { world: newWorld(), cells: plainCells() }
        runRound(world, cells, [PLAN, ...inputs])
        for (let n = 0; world.redundancy.changedMs !== null; n++) {
          assert.ok(n < 3)
          runRound(world, cells, [{ seq: world.seq + 1, input: { kind: "tick", atMs: walkDueMs(world) as number } }])
        }
        const model = modelOf(world, cells)
        const expected = singlePoints(model)
          .filter(({ lostNow }) => lostNow)
          .map(({ router }) => world.topology.inventory.devices[router]?.id)
        const cutOff = (id: string) => model.service.reached[slotOf(world, id)] === 0
        const told = [...world.redundancy.lost]
        lost += told.length
        assert.deepEqual(told.filter((id) => !cutOff(id)).sort(), expected.sort())
      }),
      { numRuns: 150 },
    )
    assert.ok(lost > 50, `${lost} routers had lost their second way in all histories`)
  })

  test("nothing is walked while nothing goes down or comes back, and not before the news have settled", () => {
    const net = calm()
    assert.equal(walkDueMs(net.world), null)
    net.apply(...everybody(30), ...everybody(40))
    assert.equal(walkDueMs(net.world), null)
    net.apply(answer("a1", 50, ["e3"]))
    assert.equal(walkDueMs(net.world), at(50) + SETTLE_MS)
    net.apply(answer("c1", 51, ["e3"]))
    assert.equal(walkDueMs(net.world), at(50) + SETTLE_MS, "later news put nothing off")
  })
})

const slotOf = ({ topology }: World, id: string): number => topology.inventory.devices.findIndex((one) => one.id === id)
