/** What the logical view shows: folds by hand and by zoom, bundles, the worst mark of a group, steps of the keyboard. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { makeFixtureNetwork } from "#client/e2e/fixture-network.ts"
import { MARKS } from "#client/map/mark.ts"
import {
  bundlesOf,
  foldGraph,
  itemAt,
  LAYER_FOLD_PX,
  layerKey,
  middleOf,
  SITE_FOLD_PX,
  siteKey,
  stepTo,
  tallyMarks,
} from "#client/state/graph-folding.ts"
import type { Folds } from "#client/state/graph-folding.ts"
import { LAYERS, layerOfRole, layoutGraph } from "#client/state/graph-layout.ts"

const network = makeFixtureNetwork(400, 4, 0)
const layout = layoutGraph({
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
const NEAR = LAYER_FOLD_PX + 1
const shown = (unitPx: number, folds: Folds = new Map(), always: ReadonlySet<number> = new Set()) =>
  foldGraph(layout, network.sites.id, folds, unitPx, always)
const kinds = (unitPx: number, folds?: Folds, always?: ReadonlySet<number>) =>
  new Set(shown(unitPx, folds, always).items.map(({ kind }) => kind))

interface Point {
  readonly x: number
  readonly y: number
}

test("[U4] far away sites, nearer layers, near devices; a hand overrules the zoom", () => {
  for (const { kind, nodes, site } of shown(SITE_FOLD_PX - 1).items) {
    const here = network.nodes.site.filter((one) => one === site).length
    assert.equal(kind, here >= 4 ? "site" : "device", "three devices say more than a card")
    assert.equal(nodes.length, kind === "site" ? here : 1)
  }
  assert.ok(kinds(SITE_FOLD_PX + 1).has("layer") && !kinds(SITE_FOLD_PX + 1).has("site"))
  assert.deepEqual([...kinds(NEAR)], ["device"])
  const [id = ""] = network.sites.id
  assert.ok(kinds(SITE_FOLD_PX - 1, new Map([[siteKey(id), "open"]])).has("layer"))
  assert.ok(kinds(NEAR, new Map([[siteKey(id), "folded"]])).has("site"))
  const access = LAYERS.indexOf("access")
  const folded = shown(NEAR, new Map([[layerKey(id, access), "folded"]])).items.filter(({ kind }) => kind === "layer")
  assert.equal(folded.length, 1)
  assert.ok(folded[0]?.nodes.every((slot) => network.nodes.site[slot] === 0))
})

test("[U5] a cause is not folded away by the zoom", () => {
  const group = layout.blocks.flatMap(({ groups }) => groups).find(({ nodes }) => nodes.length > 6)
  const cause = group?.nodes[2] as number
  const at = LAYER_FOLD_PX - 1
  assert.ok(!shown(at).items.some(({ kind, nodes }) => kind === "device" && nodes[0] === cause))
  const kept = shown(at, new Map(), new Set([cause])).items
  assert.ok(kept.some(({ kind, nodes }) => kind === "device" && nodes[0] === cause))
})

test("[U4] bundles: each link between two things is in one bundle, links inside a folded thing in none", () => {
  for (const unitPx of [SITE_FOLD_PX - 1, SITE_FOLD_PX + 1, NEAR]) {
    const graph = shown(unitPx)
    const bundles = bundlesOf(graph, network.links.a, network.links.b)
    const seen = bundles.flatMap(({ links }) => links)
    assert.equal(new Set(seen).size, seen.length)
    const between = [...network.links.id.keys()].filter(
      (link) => graph.itemOf[network.links.a[link] as number] !== graph.itemOf[network.links.b[link] as number],
    )
    assert.deepEqual(
      seen.sort((a, b) => a - b),
      between,
    )
    for (const { a, b } of bundles) assert.ok(a < b && b < graph.items.length)
  }
})

test("[U4] a group has the worst mark inside, and counts what is in trouble", () => {
  const marks = [MARKS.indexOf("ok"), MARKS.indexOf("warning"), MARKS.indexOf("unknown"), MARKS.indexOf("critical")]
  assert.deepEqual(
    tallyMarks([0, 1, 2, 3], (slot) => marks[slot] as number),
    { mark: MARKS.indexOf("critical"), trouble: 2 },
  )
  assert.deepEqual(
    tallyMarks([], () => 0),
    { mark: MARKS.indexOf("ok"), trouble: 0 },
  )
})

test("[U4] the keyboard reaches every device, and an arrow goes the way it points", () => {
  const { items } = shown(NEAR)
  const reached = new Set([0])
  const queue: number[] = [0]
  for (let at: number | undefined = queue.shift(); at !== undefined; at = queue.shift()) {
    for (const way of ["left", "right", "up", "down"] as const) {
      const next: number = stepTo(items, at, way)
      if (next < 0) continue
      const from: Point = middleOf((items[at] as (typeof items)[0]).box)
      const to: Point = middleOf((items[next] as (typeof items)[0]).box)
      const moved: number = { left: from.x - to.x, right: to.x - from.x, up: from.y - to.y, down: to.y - from.y }[way]
      assert.ok(moved > 0, way)
      if (reached.has(next)) continue
      reached.add(next)
      queue.push(next)
    }
  }
  assert.equal(reached.size, items.length)
  assert.equal(stepTo([], -1, "up"), -1)
  assert.equal(stepTo(items, -1, "up"), 0, "the first arrow enters")
})

test("[U4] a press finds the smallest thing under it", () => {
  const { items } = shown(NEAR)
  items.forEach((item, at) => {
    const { x, y } = middleOf(item.box)
    assert.equal(itemAt(items, x, y), at)
  })
  assert.equal(itemAt(items, -5, -5), -1)
})
