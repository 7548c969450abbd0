/** [W8] Devices and sites by where they stand: near a place, inside a box, by a part of a place's name; wrong questions are told. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { devicePage, readCursor, sitePage } from "#engine/api/lists.ts"
import { placeFilter, placesWhere } from "#engine/api/place-filter.ts"
import type { PlaceFilter, PlaceQuery } from "#engine/api/place-filter.ts"
import { makeFakeTwin } from "#engine/stream/fake-twin.fixture.ts"
import type { LiveTwin } from "#engine/tenant/live-twin.ts"
import { kilometres } from "#engine/topology/sites-near.ts"
import { siteId } from "#protocol/id.ts"
import type { Inventory } from "#protocol/inventory.ts"

const SITES = [
  { name: "São Paulo", latitude: -23.55, longitude: -46.63 },
  { name: "Campinas", latitude: -22.9, longitude: -47.06, guessed: true as const },
  { name: "São José", latitude: -23.18, longitude: -45.88 },
  { name: "Suva", latitude: -18.14, longitude: 178.44 },
  { name: "Apia", latitude: -13.83, longitude: -171.77 },
]
const at = (name: string) => ({ latitude: 0, longitude: 0, ...SITES.find((one) => one.name === name), name })

/** Devices by turns in the sites. */
const twin = (devices = 10): LiveTwin => {
  const fake = makeFakeTwin("t", devices, 0)
  const inventory: Inventory = {
    ...fake.inventory(),
    sites: SITES.map((site, n) => ({ ...site, id: siteId(`s${n}`) })),
    devices: fake.inventory().devices.map((device, slot) => ({ ...device, site: siteId(`s${slot % SITES.length}`) })),
  }
  return { ...fake, inventory: () => inventory }
}

const holding = (query: PlaceQuery): PlaceFilter => {
  const asked = placeFilter(query)
  assert.ok(typeof asked !== "string" && asked.where !== undefined, JSON.stringify(asked))
  return asked.where
}
const names = (query: PlaceQuery): readonly string[] => SITES.filter(holding(query)).map(({ name }) => name)

test("[W8] near a place: whatever is not further on the great circle, and nothing else", () => {
  assert.deepEqual(names({ near: "-23.5,-46.6,100" }), ["São Paulo", "Campinas", "São José"])
  assert.deepEqual(names({ near: "-23.5, -46.6, 20" }), ["São Paulo"])
  const degrees = (most: number) => fc.integer({ min: -most, max: most })
  fc.assert(
    fc.property(
      degrees(90),
      degrees(180),
      degrees(90),
      degrees(180),
      fc.nat(20_040),
      (la, lo, latitude, longitude, km) => {
        const isIn = holding({ near: `${la},${lo},${km}` })({ name: "", latitude, longitude })
        assert.equal(isIn, kilometres({ latitude: la, longitude: lo }, { latitude, longitude }) <= km)
      },
    ),
  )
})

test("[W8] inside a box west,south,east,north, its edges included, and across the antimeridian where west is greater", () => {
  assert.deepEqual(names({ bbox: "-47,-24,-45,-23" }), ["São Paulo", "São José"])
  assert.deepEqual(names({ bbox: "170,-20,-170,-10" }), ["Suva", "Apia"])
  assert.deepEqual(names({ bbox: "-170,-20,170,-10" }), [])
  assert.deepEqual(names({ bbox: "-46.63,-23.55,-46.63,-23.55" }), ["São Paulo"])
  const degrees = (most: number) => fc.integer({ min: -most, max: most })
  fc.assert(
    fc.property(degrees(180), degrees(180), degrees(180), (west, east, longitude) => {
      // The two boxes between the same meridians share these and nothing else, and together are the whole globe.
      const one = holding({ bbox: `${west},-90,${east},90` })({ name: "", latitude: 0, longitude })
      const other = holding({ bbox: `${east},-90,${west},90` })({ name: "", latitude: 0, longitude })
      const isEdge = longitude === west || longitude === east
      assert.equal(one && other, west === east ? longitude === west : isEdge)
      if (west !== east) assert.ok(one || other)
    }),
  )
})

test("[W8] by a part of the name, without case and accents; all that is asked must hold", () => {
  assert.deepEqual(names({ place: "sao" }), ["São Paulo", "São José"])
  assert.deepEqual(names({ place: "JOSÉ" }), ["São José"])
  assert.deepEqual(names({ place: "sao", near: "-23.5,-46.6,20" }), ["São Paulo"])
  assert.deepEqual(names({ bbox: "-180,-90,180,90", place: "lima" }), [])
  assert.ok(holding({ place: "campinas" })(at("Campinas")))
})

test("[W8] a question that is none is told what it lacks; no question filters nothing", () => {
  for (const near of [
    "",
    "1",
    "1,2",
    "1,2,3,4",
    "91,0,1",
    "0,181,1",
    "0,0,-1",
    "0,0,20041",
    "a,b,c",
    "1,,2",
    "0,0,NaN",
    "0,0,Infinity",
  ])
    assert.match(String(placeFilter({ near })), /`near`/, near)
  for (const bbox of ["", "1,2,3", "1,2,3,4,5", "0,10,1,5", "-181,0,0,0", "0,0,0,91", "w,s,e,n"])
    assert.match(String(placeFilter({ bbox })), /`bbox`/, bbox)
  assert.deepEqual(placeFilter({}), {})
  assert.equal(placesWhere(twin().inventory(), undefined), null)
})

test("[W8] lists of sites and devices follow the filter, whatever the page size, and say which places are guessed", () => {
  const where = holding({ near: "-23.5,-46.6,100" })
  const all = twin(23)
  const walked = <Row>(
    read: (after: string | undefined) => { readonly items: readonly Row[]; readonly next: string | null },
  ) => {
    const rows: Row[] = []
    for (let after: string | undefined; ;) {
      const { items, next } = read(after)
      rows.push(...items)
      if (next === null) return rows
      after = readCursor(next) ?? assert.fail(next)
    }
  }
  for (const limit of [1, 2, 100]) {
    const sites = walked((after) => sitePage(all, { limit, where }, after))
    assert.deepEqual(
      sites.map(({ name, guessed }) => [name, guessed]),
      [
        ["São Paulo", undefined],
        ["Campinas", true],
        ["São José", undefined],
      ],
    )
    const devices = walked((after) => devicePage(all, { limit, where }, after))
    assert.deepEqual(
      devices.map(({ name }) => name),
      all.inventory().devices.flatMap(({ name }, slot) => (slot % 5 < 3 ? [name] : [])),
    )
  }
  assert.equal(sitePage(all, {}, undefined).items.length, SITES.length)
  assert.equal(devicePage(all, { where: holding({ place: "lima" }) }, undefined).items.length, 0)
})
