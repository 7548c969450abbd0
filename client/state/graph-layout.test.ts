/** Places of the logical view: the same for the same network, none over another, core above access, folding moves nothing. */
import assert from "node:assert/strict"
import { performance } from "node:perf_hooks"
import { test } from "node:test"
import fc from "fast-check"
import { makeFixtureNetwork } from "#client/e2e/fixture-network.ts"
import type { FixtureNetwork } from "#client/e2e/fixture-network.ts"
import { foldGraph, layerKey, siteKey } from "#client/state/graph-folding.ts"
import { LAYERS, layerOfRole, layoutGraph, ROW } from "#client/state/graph-layout.ts"
import type { Box, GraphInput, GraphLayout } from "#client/state/graph-layout.ts"
import { ROLES } from "#protocol/role.ts"

const inputOf = (network: FixtureNetwork): GraphInput => ({
  siteId: network.sites.id,
  siteLongitude: network.sites.longitude,
  nodeId: network.nodes.id,
  nodeName: network.nodes.name,
  nodeSite: network.nodes.site,
  nodeLayer: Uint8Array.from(network.nodes.role, layerOfRole),
  linkA: network.links.a,
  linkB: network.links.b,
  only: null,
})
/** Any network at all: sites, roles and links at random, names that repeat. */
const anyInput = fc
  .record({
    sites: fc.integer({ min: 1, max: 9 }),
    nodes: fc.array(
      fc.record({ site: fc.nat(), layer: fc.nat({ max: LAYERS.length - 1 }), name: fc.constantFrom("a", "b", "c") }),
      { minLength: 1, maxLength: 60 },
    ),
    links: fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 120 }),
    longitudes: fc.array(fc.integer({ min: -180, max: 180 }), { minLength: 9, maxLength: 9 }),
  })
  .map(({ sites, nodes, links, longitudes }): GraphInput => ({
    siteId: Array.from({ length: sites }, (_, at) => `s${at}`),
    siteLongitude: longitudes,
    nodeId: nodes.map((_, at) => `n${String(at).padStart(3, "0")}`),
    nodeName: nodes.map(({ name }) => name),
    nodeSite: nodes.map(({ site }) => site % sites),
    nodeLayer: nodes.map(({ layer }) => layer),
    linkA: links.map(([a]) => a % nodes.length),
    linkB: links.map(([, b]) => b % nodes.length),
    only: null,
  }))

const placesById = (input: GraphInput, { places }: GraphLayout) =>
  Object.fromEntries(
    input.nodeId.map((id, slot) => [
      id,
      [(places[slot * 2] as number).toFixed(6), (places[slot * 2 + 1] as number).toFixed(6)],
    ]),
  )

/** The same network with its nodes, sites and links in another order. */
const shuffled = (input: GraphInput, seed: number): GraphInput => {
  const order = (count: number) =>
    Array.from({ length: count }, (_, at) => at).sort(
      (a, b) => ((a * 7919 + seed) % 104_729) - ((b * 7919 + seed) % 104_729),
    )
  const nodes = order(input.nodeId.length)
  const sites = order(input.siteId.length)
  const links = order(input.linkA.length)
  const newNode = new Map(nodes.map((old, at) => [old, at]))
  const newSite = new Map(sites.map((old, at) => [old, at]))
  return {
    siteId: sites.map((at) => input.siteId[at] as string),
    siteLongitude: sites.map((at) => input.siteLongitude[at] as number),
    nodeId: nodes.map((at) => input.nodeId[at] as string),
    nodeName: nodes.map((at) => input.nodeName[at] as string),
    nodeSite: nodes.map((at) => newSite.get(input.nodeSite[at] as number) as number),
    nodeLayer: nodes.map((at) => input.nodeLayer[at] as number),
    linkA: links.map((at) => newNode.get(input.linkB[at] as number) as number),
    linkB: links.map((at) => newNode.get(input.linkA[at] as number) as number),
    only: null,
  }
}

const overlap = (a: Box, b: Box): boolean =>
  a.x < b.x + b.w - 1e-9 && b.x < a.x + a.w - 1e-9 && a.y < b.y + b.h - 1e-9 && b.y < a.y + a.h - 1e-9

test("[U4] the same network stands at the same places, in whatever order it came", () => {
  fc.assert(
    fc.property(anyInput, fc.nat({ max: 100_000 }), (input, seed) => {
      const other = shuffled(input, seed)
      assert.deepEqual(placesById(other, layoutGraph(other)), placesById(input, layoutGraph(input)))
    }),
    { numRuns: 150 },
  )
})

test("[U4] no device stands over another, none outside its site, no site over another", () => {
  fc.assert(
    fc.property(anyInput, (input) => {
      const { places, blocks, width, height } = layoutGraph(input)
      const seen = new Set<string>()
      for (const block of blocks) {
        for (const other of blocks) assert.ok(block === other || !overlap(block, other), "blocks")
        assert.ok(
          block.x >= -1e-9 && block.y >= 0 && block.x + block.w <= width + 1e-9 && block.y + block.h <= height + 1e-9,
        )
        for (const group of block.groups) {
          for (const slot of group.nodes) {
            const [x, y] = [places[slot * 2] as number, places[slot * 2 + 1] as number]
            assert.ok(x >= block.x + 0.5 && x <= block.x + block.w - 0.5 && y > block.y && y < block.y + block.h)
            const key = `${Math.round(x * 4)} ${Math.round((y / ROW) * 4)}`
            assert.ok(!seen.has(key), `two devices at ${key}`)
            seen.add(key)
          }
        }
      }
      assert.equal(seen.size, input.nodeId.length, "all are there")
    }),
    { numRuns: 200 },
  )
})

test("[U4] core stands above access: in a site, and site over site", () => {
  fc.assert(
    fc.property(anyInput, (input) => {
      const { places, blocks } = layoutGraph(input)
      for (const { groups } of blocks) {
        for (const [at, group] of groups.entries()) {
          const next = groups[at + 1]
          if (next === undefined) continue
          const lowest = Math.max(...group.nodes.map((slot) => places[slot * 2 + 1] as number))
          const highest = Math.min(...next.nodes.map((slot) => places[slot * 2 + 1] as number))
          assert.ok(group.layer < next.layer && lowest < highest)
        }
      }
      const tops = blocks.map(({ y, groups }) => ({ y, layer: groups[0]?.layer ?? 0 }))
      for (const a of tops) for (const b of tops) if (a.layer < b.layer) assert.ok(a.y < b.y)
    }),
  )
})

test("[U4] folding and unfolding keeps everything else in place", () => {
  fc.assert(
    fc.property(
      anyInput,
      fc.nat(),
      fc.nat({ max: 5 }),
      fc.integer({ min: 2, max: 60 }),
      (input, which, layer, unitPx) => {
        const layout = layoutGraph(input)
        const id = input.siteId[which % input.siteId.length] as string
        const none = new Set<number>()
        const before = foldGraph(layout, input.siteId, new Map(), unitPx, none)
        for (const key of [siteKey(id), layerKey(id, layer)]) {
          for (const to of ["open", "folded"] as const) {
            const after = foldGraph(layout, input.siteId, new Map([[key, to]]), unitPx, none)
            const kept = new Map(before.items.map((item) => [item.key, item.box]))
            for (const item of after.items) {
              if (input.siteId[item.site] !== id) assert.deepEqual(item.box, kept.get(item.key), item.key)
              const block = layout.blocks.find(({ site }) => site === item.site)
              assert.ok(
                block !== undefined &&
                  item.box.x >= block.x - 1e-9 &&
                  item.box.x + item.box.w <= block.x + block.w + 1e-9,
              )
            }
            const shown = after.items.flatMap(({ nodes }) => nodes).sort((a, b) => a - b)
            assert.deepEqual(
              shown,
              input.nodeId.map((_, slot) => slot),
              "every device is in exactly one thing that is shown",
            )
          }
        }
      },
    ),
  )
})

test("[U4] only a part: its devices and no others; an empty network is an empty picture", () => {
  const input = inputOf(makeFixtureNetwork(120, 3, 0))
  const only = new Set([0, 5, 7, 40, 41])
  const { places, blocks } = layoutGraph({ ...input, only })
  input.nodeId.forEach((_, slot) => assert.equal(Number.isNaN(places[slot * 2] as number), !only.has(slot)))
  assert.equal(
    blocks.reduce((sum, { count }) => sum + count, 0),
    only.size,
  )
  const empty = layoutGraph({ ...inputOf(makeFixtureNetwork(0, 1, 0)) })
  assert.deepEqual([empty.blocks.length, empty.width, empty.height], [0, 0, 0])
})

test("[U4] lines between sites are shorter than in the order of their names", () => {
  for (const size of [60, 250, 1_000]) {
    const input = inputOf(makeFixtureNetwork(size, 5, 0))
    const span = ({ places }: GraphLayout) =>
      Array.from(input.linkA, (a, link) => {
        const b = input.linkB[link] as number
        const inside = input.nodeSite[a as number] === input.nodeSite[b]
        return inside ? 0 : Math.abs((places[(a as number) * 2] as number) - (places[b * 2] as number))
      }).reduce((sum, one) => sum + one, 0)
    const ours = layoutGraph(input)
    // Without links nothing pulls: longitudes all equal leaves the names' order.
    const byName = layoutGraph({ ...input, linkA: [], linkB: [], siteLongitude: input.siteId.map(() => 0) })
    assert.ok(span(ours) < span(byName) * 0.85, `${size}: ${span(ours).toFixed(0)} of ${span(byName).toFixed(0)}`)
  }
})

test("[U4] 500 devices are laid out far under 500 ms; 10,000 in a moment; the picture has a screen's shape", (t) => {
  layoutGraph(inputOf(makeFixtureNetwork(500, 1, 0)))
  for (const [size, limitMs] of [
    [500, 500],
    [1_000, 1_000],
    [10_000, 5_000],
  ] as const) {
    const input = inputOf(makeFixtureNetwork(size, 2, 0))
    const startMs = performance.now()
    const { width, height } = layoutGraph(input)
    const tookMs = performance.now() - startMs
    t.diagnostic(`${size} devices: ${tookMs.toFixed(1)} ms, ${width.toFixed(0)} x ${height.toFixed(0)}`)
    assert.ok(tookMs < limitMs)
    assert.ok(width / height > 0.8 && width / height < 4, `${width} x ${height}`)
  }
})

test("[U4] every role has a layer", () => {
  for (const [at] of ROLES.entries()) assert.ok(layerOfRole(at) >= 0)
  assert.ok(layerOfRole(ROLES.indexOf("core")) < layerOfRole(ROLES.indexOf("agg")))
  assert.ok(layerOfRole(ROLES.indexOf("agg")) < layerOfRole(ROLES.indexOf("access")))
  assert.equal(layerOfRole(255), LAYERS.indexOf("access"), "a role of a newer version stands with access")
})
