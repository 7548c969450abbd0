/** Nothing that a cause explains anew is told, however often nothing was wanting before. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { desk, stars } from "#twin/incident/incident.fixture.ts"
import { ordersOf } from "#twin/incident/orders.ts"
import type { Candidate } from "#twin/rca/explain.ts"
import type { Sight } from "#twin/incident/sight.ts"
import type { Sitting } from "#twin/incident/sitting.ts"
import { suspicionOf } from "#twin/incident/suspicion.ts"
import type { Incident } from "#twin/incident/state.ts"
import type { Suspicion } from "#twin/incident/suspicion.ts"

const NET = stars({ s2: 3, s3: 3 })

const dark = () => {
  const net = desk(NET)
  net.round(1, [], [])
  net.round(11, ["s2-1", "s2-2", "s2-3"], [])
  net.round(21, ["s2-1", "s2-2", "s2-3"], [])
  const { world, cells } = net
  const { symptoms, explanation } = world.desk.sight as Sight
  const [incident, candidate] = world.desk.incidents.flatMap((one) =>
    (explanation?.candidates ?? []).flatMap((other) =>
      one.causes[0]?.key === suspicionOf(symptoms, world.topology, other).key ? [[one, other] as const] : [],
    ),
  )[0] as [Incident, Candidate]
  const sitting: Sitting = {
    world,
    cells,
    nowMs: world.atMs,
    say: () => "",
    incidents: new Map([[incident.id, incident]]),
    updated: new Set(),
    fresh: new Set(),
  }
  const give = (suspicion: Suspicion) =>
    ordersOf(sitting, new Map([[incident.id, suspicion]])).map(
      ({ slot, command }) => `${command.kind} ${world.topology.inventory.devices[slot]?.id}`,
    )
  const suspicion = suspicionOf(symptoms, world.topology, candidate)
  give(suspicion)
  assert.deepEqual(give(suspicion), [])
  return { give, suspicion, world }
}

test("[I9] a place that it predicts anew is kept quiet", () => {
  const { give, suspicion } = dark()
  const predicted = new Set([...suspicion.predicted, "id-s3-1 if:u1"])
  assert.deepEqual(give({ ...suspicion, predicted }), ["suppress id-s3-1"])
  assert.deepEqual(give({ ...suspicion, predicted }), [])
})

test("[I9] a router that it silences anew is kept quiet", () => {
  const { give, suspicion, world } = dark()
  const slot = world.topology.deviceSlot.get("id-s3-2" as never) as number
  assert.deepEqual(give({ ...suspicion, silent: new Set([...suspicion.silent, slot]) }), ["suppress id-s3-2"])
})

test("[I9] the alert that speaks for all is told, also when it is another one than before", () => {
  const { give, suspicion, world } = dark()
  const slot = world.topology.deviceSlot.get("id-s3-3" as never) as number
  const predicted = new Set([...suspicion.predicted, "id-s3-3 if:u1"])
  assert.deepEqual(give({ ...suspicion, predicted }), ["suppress id-s3-3"])
  assert.deepEqual(give({ ...suspicion, predicted }), [])
  assert.ok(give({ ...suspicion, predicted, own: { slot, entity: "if:u1" } }).includes("lift id-s3-3"))
})
