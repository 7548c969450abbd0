/** What shows is one account: by kind and place, of everything that alarms and stands somewhere, and of nothing else. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { desk, linkDown, stars } from "#twin/incident/incident.fixture.ts"
import type { Desk } from "#twin/incident/incident.fixture.ts"
import { showing, shownAt, shownBy } from "#twin/incident/showing.ts"
import { spotOf } from "#twin/incident/spot.ts"
import { device, inventory, link, poll } from "#twin/inventory.fixture.ts"
import { at } from "#twin/network.fixture.ts"
import { ALARM, CLEAR, kindAt, observable, observe } from "#twin/rca/board.ts"
import { symptomsOf } from "#twin/rca/symptoms.ts"
import type { Symptoms } from "#twin/rca/symptoms.ts"

const symptomsIn = ({ world }: Desk): Symptoms => {
  const { sight } = world.desk
  if (sight === null) throw new Error("nobody has looked")
  return sight.symptoms
}

test("[I8] every piece of evidence that an incident keeps shows as long as it lasts, and no longer", () => {
  const net = desk(stars({ s2: 3 }))
  for (const second of [1, 11, 21]) net.round(second)
  net.apply(linkDown("s2-1", "u1", 31), linkDown("c1", "s2-1", 31.1))
  net.tick(33)
  const evidence = net.world.desk.incidents.flatMap(({ symptoms }) => symptoms.filter(({ alert }) => alert === ""))
  assert.deepEqual(
    [...showing(symptomsIn(net), net.world.topology).keys()].toSorted(),
    evidence.map(shownBy).toSorted(),
  )
  assert.equal(evidence.length, 2)
  net.round(41, [], ["c1:s2-1"])
  const left = showing(symptomsIn(net), net.world.topology)
  assert.deepEqual(
    evidence.filter((one) => left.has(shownBy(one))).map(({ deviceName }) => deviceName),
    ["c1"],
  )
})

test("[I8] an alarm on no device of ours shows nowhere, whatever else alarms", () => {
  const net = desk(inventory([device("r1"), device("r2")], [link("l1", "r1:e1 r2:e1")]))
  net.apply(
    poll("r1", at(1), { "bgp:203.0.113.9": { "bgp.peer.state": 5 }, "bgp:203.0.113.10": { "bgp.peer.state": 5 } }),
  )
  const symptoms = symptomsOf(net.world, net.cells)
  const { board } = symptoms
  const ids = board.model.network.sessions.flatMap((_, session) =>
    [0, 1].map((end) => observable(board, "bgp", 2 * session + end)),
  )
  const homeless = ids.filter((id) => spotOf(symptoms, net.world.topology, id) === null)
  assert.equal(homeless.length, 2, "their ends of the sessions")
  for (const id of homeless) observe(board, id, ALARM, at(2))
  assert.deepEqual(showing(symptoms, net.world.topology), new Map())
  const own = ids.find((id) => !homeless.includes(id)) as number
  observe(board, own, ALARM, at(2))
  assert.deepEqual(
    [...showing(symptoms, net.world.topology).keys()],
    [shownAt(symptoms, net.world.topology, own, spotOf(symptoms, net.world.topology, own))],
  )
  assert.equal(kindAt(board, own)[0].name, "bgp")
})

test("[I8] it is worked out again when an alarm comes, goes or begins anew, and only then", () => {
  const net = desk(stars({ s2: 3 }))
  for (const second of [1, 11, 21]) net.round(second)
  const symptoms = symptomsIn(net)
  const { board } = symptoms
  const { topology } = net.world
  const [one, other] = [0, 1].map((index) => observable(board, "answer", index)) as [number, number]
  observe(board, one, ALARM, at(30))
  const first = showing(symptoms, topology)
  assert.equal(first.size, 1)
  observe(board, other, CLEAR, at(31))
  assert.equal(showing(symptoms, topology), first, "what is well changes nothing")
  observe(board, other, ALARM, at(32))
  assert.equal(showing(symptoms, topology).size, 2)
  observe(board, one, ALARM, at(33))
  const since = shownAt(symptoms, topology, one, spotOf(symptoms, topology, one)) as string
  assert.equal(showing(symptoms, topology).get(since), at(33))
  observe(board, one, CLEAR, at(34))
  assert.equal(showing(symptoms, topology).has(since), false)
})
