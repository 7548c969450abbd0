/** The ring of a guessed place: hollow, dashed, within its image, in the colour of the theme; and only where a place was guessed. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { makeStyle, SITES_SOURCE } from "#client/map/basemap-style.ts"
import { GUESSED_IMAGE, guessedRing, PIXEL_RATIO, RING_PX } from "#client/map/guessed-ring.ts"
import { hasGuessed, isGuessed } from "#client/state/guessed-places.ts"

const alphaAt = (ring: ReturnType<typeof guessedRing>, turn: number, radius: number): number => {
  const middle = (ring.width - 1) / 2
  const x = Math.round(middle + Math.cos(turn) * radius)
  const y = Math.round(middle + Math.sin(turn) * radius)
  return ring.data[(y * ring.width + x) * 4 + 3] as number
}

test("the ring is hollow and keeps clear of the edge, so that no dash is cut", () => {
  const ring = guessedRing([10, 20, 30])
  assert.equal(ring.width, RING_PX * PIXEL_RATIO)
  for (let turn = 0; turn < 6.3; turn += 0.1)
    for (const radius of [0, 8, 16, 24]) assert.equal(alphaAt(ring, turn, radius), 0, `${turn} ${radius}`)
  for (let at = 0; at < ring.width; at++) {
    assert.equal(ring.data[at * 4 + 3], 0, "top")
    assert.equal(ring.data[at * ring.width * 4 + 3], 0, "left")
  }
})

test("it is dashed: as many dashes as gaps, all of the theme's colour", () => {
  const ring = guessedRing([10, 20, 30])
  const radius = ring.width / 2 - 2.6
  const inked = Array.from({ length: 720 }, (_, nth) => alphaAt(ring, (nth / 720) * 2 * Math.PI, radius) > 127)
  const begins = inked.filter((ink, nth) => ink && inked[(nth + 719) % 720] === false).length
  assert.equal(begins, 12)
  const share = inked.filter(Boolean).length / 720
  assert.ok(share > 0.45 && share < 0.7, `${share}`)
  const colours = new Set<string>()
  for (let at = 0; at < ring.data.length; at += 4)
    if ((ring.data[at + 3] as number) > 0) colours.add(ring.data.slice(at, at + 3).join())
  assert.deepEqual([...colours], ["10,20,30"])
})

test("the map draws it at sites whose place was guessed, whatever lies over them", () => {
  const { layers } = makeStyle({ token: () => "#123456", language: "en", basemapUrl: null })
  const layer = layers.find(({ id }) => id === GUESSED_IMAGE)
  assert.ok(layer?.type === "symbol")
  assert.equal(layer.source, SITES_SOURCE)
  assert.deepEqual(layer.filter, ["==", ["get", "guessed"], 1])
  assert.equal(layer.layout?.["icon-image"], GUESSED_IMAGE)
  assert.equal(layer.layout?.["icon-allow-overlap"], true)
})

test("a legend row stands only where a place was guessed; a device at a site outside the list is at no guessed one", () => {
  const sites = { placeGuessed: Uint8Array.of(0, 1, 0) }
  const state = { sites, nodes: { site: Uint32Array.of(0, 1, 7) } }
  assert.ok(hasGuessed(state))
  assert.ok(!hasGuessed({ sites: { placeGuessed: new Uint8Array(3) } }))
  assert.deepEqual(
    [0, 1, 2].map((slot) => isGuessed(state, slot)),
    [false, true, false],
  )
})
