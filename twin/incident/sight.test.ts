/** The board beside a big twin: learned and read a few routers at a time, and the same in the end as in one go. */
import assert from "node:assert/strict"
import { test } from "node:test"
import type { Sight } from "#twin/incident/sight.ts"
import { look, read, restoredSight, storedSight, study, studyMs } from "#twin/incident/sight.ts"
import { device, inventory, link, poll } from "#twin/inventory.fixture.ts"
import type { Rows } from "#twin/inventory.fixture.ts"
import { at, network } from "#twin/network.fixture.ts"
import type { Network } from "#twin/network.fixture.ts"
import { ALARM, observable } from "#twin/rca/board.ts"
import { learnedOf } from "#twin/rca/learning.ts"
import { symptomsOf } from "#twin/rca/symptoms.ts"

/** More than one input visits. */
const LEAVES = 400
const idOf = (leaf: number): string => `10.255.${leaf >> 8}.${leaf & 255}`

/** A hub that is told of every leaf, by OSPF and BGP; leaves tell of the hub. */
const tell = (one: Network, leaf: number, seconds: number, isUp: boolean): void => {
  const rows = {
    "if:e0": { "interface.oper_up": isUp ? 1 : 0 },
    "if:lo": { "interface.oper_up": 1 },
    [`ospf:${idOf(0)}`]: { "ospf.neighbor.state": isUp ? 7 : 0 },
    [`bgp:${idOf(0)}`]: { "bgp.peer.state": isUp ? 5 : 0 },
  }
  one.apply(
    poll(`r${leaf}`, at(seconds), rows, {
      complete: ["interface", "ospf.neighbor", "bgp.peer"],
      texts: [["if:lo", "interface.addresses", `${idOf(leaf)}/32`]],
    }),
  )
}

const star = (): Network => {
  const names = Array.from({ length: LEAVES + 1 }, (_, n) => `r${n}`)
  const links = names.slice(1).map((name, n) => link(`l${n + 1}`, `r0:e${n + 1} ${name}:e0`))
  const one = network(
    inventory(
      names.map((name, n) => device(name, { roles: n === 0 ? ["core"] : ["access"] })),
      links,
    ),
  )
  one.apply(
    poll(
      "r0",
      at(1),
      { "if:lo": { "interface.oper_up": 1 } },
      { texts: [["if:lo", "interface.addresses", `${idOf(0)}/32`]] },
    ),
  )
  for (let leaf = 1; leaf <= LEAVES; leaf++) tell(one, leaf, 1 + leaf / LEAVES, leaf % 100 !== 0)
  return one
}

const alarmsOf = ({ symptoms: { board } }: Pick<Sight, "symptoms">): readonly number[] =>
  [...board.alarms].toSorted((x, y) => x - y)

/** Inputs until it wants nothing more. */
const studied = (sight: Sight, { world, cells }: Network): number => {
  let inputs = 0
  while (studyMs(sight) === 0) {
    study(sight, world, cells)
    assert.ok(++inputs < 100)
  }
  return inputs
}

test("[I9] learned in visits = learned in one go, and no input visits more than a few hundred", () => {
  const one = star()
  const sight = look(one.world)
  study(sight, one.world, one.cells)
  assert.equal(sight.isPartial, true)
  assert.ok(studied(sight, one) >= Math.floor((3 * LEAVES) / 192))
  assert.equal(sight.isPartial, false)
  assert.deepEqual(sight.learned, learnedOf(one.world, one.cells))
  assert.deepEqual(alarmsOf(sight), alarmsOf({ symptoms: symptomsOf(one.world, one.cells) }))
  assert.ok(sight.symptoms.board.alarms.size >= 3 * (LEAVES / 100))
})

test("[I9] a snapshot in the middle of it goes on to the very same", () => {
  const one = star()
  const sight = look(one.world)
  for (let input = 0; input < 3; input++) study(sight, one.world, one.cells)
  assert.notEqual(sight.learning, null)
  const again = restoredSight(structuredClone(storedSight(sight)), one.world.topology)
  assert.ok(again !== null)
  studied(sight, one)
  studied(again, one)
  assert.deepEqual(storedSight(again), storedSight(sight))
})

test("[I9] what is learned anew keeps what is known of everything else on the board", () => {
  const one = star()
  const sight = look(one.world)
  study(sight, one.world, one.cells)
  studied(sight, one)
  const before = alarmsOf(sight)
  const port = observable(sight.symptoms.board, "port", 2 * 99 + 1)
  assert.equal(sight.symptoms.board.state[port], ALARM)
  one.apply(poll("r7", at(20), { "bgp:192.0.2.1": { "bgp.peer.state": 5 } }))
  read(sight, one.world, one.cells, [one.world.topology.deviceSlot.get("id-r7" as never) ?? -1])
  assert.equal(sight.isStale, true)
  let learned = false
  while (!learned) learned = study(sight, one.world, one.cells).anew
  // Before anybody is read again.
  assert.equal(sight.symptoms.board.state[port], ALARM)
  assert.equal(sight.symptoms.board.alarms.size, before.length)
  assert.equal(sight.learned.sessions.length, LEAVES + 1)
  studied(sight, one)
  assert.deepEqual(alarmsOf(sight), alarmsOf({ symptoms: symptomsOf(one.world, one.cells) }))
})

test("[I9] a session whose far end had told no address yet stands at that end as soon as it has", () => {
  const names = ["rr", "bng"]
  const one = network(
    inventory(
      names.map((name) => device(name)),
      [link("l", "rr:e0 bng:e0")],
    ),
  )
  const told = (name: string, seconds: number, rows: Rows, address: string): void =>
    void one.apply(
      poll(name, at(seconds), rows, { texts: [["if:lo", "interface.addresses", address]], complete: ["bgp.peer"] }),
    )
  const rr = (seconds: number): void =>
    told("rr", seconds, { "if:lo": {}, "bgp:10.0.0.2": { "bgp.peer.state": 5 } }, "10.0.0.1/32")
  const bng = (seconds: number): void =>
    told(
      "bng",
      seconds,
      { "if:lo": { "interface.oper_up": 1 }, "bgp:10.0.0.1": { "bgp.peer.state": 5 } },
      "10.0.0.2/32",
    )
  rr(1)
  for (let second = 2; second < 20; second++) one.apply({ kind: "tick", atMs: at(second) })
  const sessions = () => one.world.desk.sight?.learned.sessions.map(({ a, b }) => [a, b])
  assert.deepEqual(sessions(), [[0, -1]])
  bng(20)
  for (let second = 21; second < 40; second++) one.apply({ kind: "tick", atMs: at(second) })
  assert.deepEqual(sessions(), [[0, 1]])
  assert.equal(one.world.desk.sight?.isStale, false)
  assert.deepEqual(one.world.desk.sight?.learned, learnedOf(one.world, one.cells))
})
