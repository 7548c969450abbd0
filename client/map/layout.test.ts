import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { placeNodes, SPACING } from "#client/map/layout.ts"
import { toLngLat, toWorld, WORLD_SIZE } from "#client/map/mercator.ts"

const network = (nodes: readonly { site: number; tier: number; name: string }[]) => ({
  siteLatitude: Float64Array.of(-23.5, -15.8, 0),
  siteLongitude: Float64Array.of(-46.6, -47.9, 179.9),
  site: Uint32Array.from(nodes, ({ site }) => site),
  tier: Uint8Array.from(nodes, ({ tier }) => tier),
  name: nodes.map(({ name }) => name),
})
const node = fc.record({ site: fc.nat(2), tier: fc.nat(3), name: fc.string({ maxLength: 6 }) })

test("degrees to common space and back are the same place", () => {
  fc.assert(
    fc.property(
      fc.double({ min: -180, max: 180, noNaN: true }),
      fc.double({ min: -85, max: 85, noNaN: true }),
      (longitude, latitude) => {
        const back = toLngLat(toWorld(longitude, latitude))
        assert.ok(Math.abs(back.longitude - longitude) < 1e-9)
        assert.ok(Math.abs(back.latitude - latitude) < 1e-9)
      },
    ),
  )
  assert.deepEqual(toWorld(0, 0), { x: WORLD_SIZE / 2, y: WORLD_SIZE / 2 })
})

test("nodes of one site never collide", () => {
  fc.assert(
    fc.property(fc.array(node, { maxLength: 80 }), (nodes) => {
      const places = placeNodes(network(nodes))
      for (let a = 0; a < nodes.length; a++) {
        for (let b = a + 1; b < nodes.length; b++) {
          if (nodes[a]?.site !== nodes[b]?.site) continue
          const dx = (places[a * 2] as number) - (places[b * 2] as number)
          const dy = (places[a * 2 + 1] as number) - (places[b * 2 + 1] as number)
          assert.ok(Math.hypot(dx, dy) > SPACING * 0.9)
        }
      }
    }),
    { numRuns: 30 },
  )
})

test("places do not depend on the order of slots", () => {
  fc.assert(
    fc.property(fc.uniqueArray(node, { maxLength: 40, selector: ({ name }) => name }), (nodes) => {
      const places = placeNodes(network(nodes))
      const turned = placeNodes(network(nodes.toReversed()))
      nodes.forEach((_, slot) => {
        const other = nodes.length - 1 - slot
        assert.equal(places[slot * 2], turned[other * 2])
        assert.equal(places[slot * 2 + 1], turned[other * 2 + 1])
      })
    }),
    { numRuns: 30 },
  )
})

test("the most central role stands on its site", () => {
  const places = placeNodes(
    network([
      { site: 1, tier: 3, name: "a" },
      { site: 1, tier: 0, name: "z" },
    ]),
  )
  const { x, y } = toWorld(-47.9, -15.8)
  assert.deepEqual([places[2], places[3]], [x, y])
})
