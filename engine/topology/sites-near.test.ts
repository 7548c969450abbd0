/** [W8] Where sites are: distances against known ones, polygons against their own definition, across the antimeridian too. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { areaOf, contains, kilometres, sitesIn, type Place } from "#engine/topology/sites-near.ts"
import { deviceId, siteId } from "#protocol/id.ts"
import type { Inventory } from "#protocol/inventory.ts"

const place = (latitude: number, longitude: number): Place => ({ latitude, longitude })
const anywhere = fc
  .tuple(fc.double({ min: -89, max: 89, noNaN: true }), fc.double({ min: -180, max: 180, noNaN: true }))
  .map(([latitude, longitude]) => place(latitude, longitude))

test("[W8] great circles: São Paulo to Rio 361 km, a quarter of the earth, symmetric, never above half a circumference", () => {
  assert.ok(Math.abs(kilometres(place(-23.5505, -46.6333), place(-22.9068, -43.1729)) - 361) < 2)
  assert.ok(Math.abs(kilometres(place(0, 0), place(0, 90)) - (Math.PI / 2) * 6_371) < 1e-6)
  fc.assert(
    fc.property(anywhere, anywhere, (x, y) => {
      const km = kilometres(x, y)
      assert.ok(km >= 0 && km <= Math.PI * 6_371 + 1e-6)
      assert.ok(Math.abs(km - kilometres(y, x)) < 1e-6)
      assert.equal(kilometres(x, x), 0)
    }),
  )
})

test("[W8] a rectangle holds what lies between its sides, wherever it begins and however often it is turned", () => {
  fc.assert(
    fc.property(anywhere, fc.nat(3), fc.boolean(), (where, turn, reversed) => {
      const corners = [place(-30, -60), place(-30, 20), place(40, 20), place(40, -60)]
      const turned = [...corners.slice(turn), ...corners.slice(0, turn)]
      const isIn = where.latitude > -30 && where.latitude < 40 && where.longitude > -60 && where.longitude < 20
      assert.equal(contains(reversed ? turned.toReversed() : turned, where), isIn)
    }),
  )
})

test("[W8] across the antimeridian: Fiji lies in a box from 170 east to 170 west, London does not", () => {
  const box = [place(-30, 170), place(-30, -170), place(0, -170), place(0, 170)]
  assert.equal(contains(box, place(-18, 178)), true)
  assert.equal(contains(box, place(-18, -179)), true)
  assert.equal(contains(box, place(-18, 0)), false)
})

test("[W8] nearest first, with devices; questions that are none say what is missing", () => {
  const site = (id: string, latitude: number) => ({ id: siteId(id), name: id, latitude, longitude: 0 })
  const inventory: Inventory = {
    sites: [site("far", 5), site("near", 0.1), site("nearer", 0.01)],
    devices: [
      {
        id: deviceId("d"),
        name: "d",
        address: "192.0.2.1",
        site: siteId("near"),
        roles: ["core"],
        pollSeconds: 30,
        sources: [],
      },
    ],
    links: [],
  }
  const area = areaOf({ latitude: "0", longitude: "0", km: "100" })
  assert.ok(typeof area !== "string")
  assert.deepEqual(
    sitesIn(inventory, area).map(({ site: { id }, devices }) => [id, devices]),
    [
      ["nearer", 0],
      ["near", 1],
    ],
  )
  for (const query of [
    {},
    { latitude: "91", longitude: "0", km: "1" },
    { latitude: "0", longitude: "0", km: "-1" },
    { latitude: "", longitude: "0", km: "1" },
    { polygon: "1,2;3,4" },
    { polygon: "1,2;3,4;5" },
    { polygon: "1,2,3;3,4;5,6" },
    { polygon: Array.from({ length: 101 }, () => "1,1").join(";") },
  ])
    assert.equal(typeof areaOf(query), "string", JSON.stringify(query))
})
