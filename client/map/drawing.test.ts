/** What is drawn, picked and labelled, over the fixture's network. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { makeFixtureNetwork, statusByte } from "#client/e2e/fixture-network.ts"
import { placeLabels } from "#client/map/labels.ts"
import type { Rect } from "#client/map/labels.ts"
import { HOT_UTIL, tiersShown, visibleSet } from "#client/map/lod.ts"
import { isBroken, isTrouble, markOf, markOfByte, MARKS } from "#client/map/mark.ts"
import { makePicker } from "#client/map/pick.ts"
import { makeScene } from "#client/map/scene.ts"
import {
  FADE_MS,
  FLAG_SELECTED,
  makeTexels,
  setByte,
  setFlag,
  setMark,
  settle,
  tickOf,
  TICKS,
  TICK_MS,
  WIDTH,
} from "#client/map/texels.ts"
import { makeTwinStore } from "#client/state/twin-store.ts"
import { HEALTH, SEVERITY } from "#protocol/status.ts"

const EVERYWHERE = { minX: -1e9, minY: -1e9, maxX: 1e9, maxY: 1e9 }
const MOTION = { clock: () => 0, flow: () => 0 }

const sceneOf = (nodes: number) => {
  const network = makeFixtureNetwork(nodes, 5, 1_000)
  const store = makeTwinStore()
  store.apply({
    kind: "SNAP",
    epoch: 1,
    seq: 1,
    atMs: 1,
    part: 0,
    parts: 1,
    events: [],
    ...network,
    counts: network.counts(),
  })
  const state = store.state()
  assert.ok(state !== null)
  return { network, store, state, scene: makeScene(state, new Uint8Array(2048), MOTION) }
}

test("every status has a mark, and only well ones are ok", () => {
  for (const health of HEALTH) {
    for (const severity of SEVERITY) {
      for (const maintenance of [false, true]) {
        for (const stale of [false, true]) {
          const mark = markOf({ health, severity, maintenance, stale })
          assert.equal(MARKS[markOfByte(statusByte(health, severity, { maintenance, stale }))], mark)
          if (mark === "ok") assert.deepEqual([health, severity, maintenance, stale], ["ok", "cleared", false, false])
          if (maintenance) assert.equal(mark, "maintenance")
        }
      }
    }
  }
  assert.equal(markOf({ health: "down", severity: "cleared", maintenance: false, stale: false }), "critical")
  assert.ok(isBroken({ health: "unreachable", severity: "cleared", maintenance: false, stale: false }))
})

test("level of detail: zooming in never takes anything away", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 50_000 }), fc.double({ min: 0, max: 14, noNaN: true }), (nodes, zoom) => {
      const here = tiersShown(zoom, nodes)
      const closer = tiersShown(zoom + 1, nodes)
      assert.ok(closer.nodes >= here.nodes && closer.links >= here.links)
      assert.ok(here.nodes >= 1 && here.links >= 1)
    }),
  )
})

test("trouble, hot links and the selection are drawn at every zoom, trouble last", () => {
  const { network, scene, store } = sceneOf(400)
  const access = [...scene.nodeTier].findLastIndex((tier) => tier === 3)
  const quiet = [...scene.nodeTier].findIndex((tier, slot) => tier === 3 && slot !== access)
  scene.look(2, EVERYWHERE)
  assert.ok(!scene.isNodeDrawn(access), "a healthy access device is not drawn from afar")
  const hot = [...scene.state.links.a.keys()].findLast((slot) => scene.state.links.b[slot] !== access) as number
  const change = {
    slot: Uint32Array.of(access),
    status: Uint8Array.of(statusByte("down", "critical")),
    seenS: Uint32Array.of(1),
  }
  const load = {
    slot: Uint32Array.of(hot),
    status: Uint8Array.of(network.links.status[hot] as number),
    utilAB: Uint8Array.of(HOT_UTIL),
    utilBA: Uint8Array.of(0),
  }
  store.apply({
    kind: "DELTA",
    epoch: 1,
    base: 1,
    seq: 2,
    atMs: 2,
    nodes: change,
    links: load,
    counts: network.counts(),
  })
  scene.changed(change, load, true)
  scene.select(quiet, null)
  scene.look(2, EVERYWHERE)
  assert.ok(scene.isNodeDrawn(access) && scene.isNodeDrawn(quiet) && scene.isLinkDrawn(hot))
  assert.equal(scene.figures.nodes.visible.at(-1), quiet)
  assert.equal(scene.figures.nodes.visible.at(-2), access)
})

test("only what lies in view is drawn", () => {
  const { scene } = sceneOf(200)
  const input = {
    places: scene.places,
    nodeTier: scene.nodeTier,
    nodeMark: scene.nodeMark,
    linkA: scene.state.links.a,
    linkB: scene.state.links.b,
    linkTier: new Uint8Array(scene.state.links.a.length),
    linkMark: scene.linkMark,
    linkUtil: scene.state.links.utilAB,
  }
  const [x, y] = [scene.places[0] as number, scene.places[1] as number]
  const near = visibleSet(input, 14, { minX: x - 0.01, minY: y - 0.01, maxX: x + 0.01, maxY: y + 0.01 })
  assert.deepEqual([...near.nodes], [0])
  assert.equal(visibleSet(input, 14, EVERYWHERE).nodes.length, 200)
})

test("a pick finds the nearest drawn node, a link beside it, and nothing elsewhere", () => {
  const { scene } = sceneOf(120)
  const all = { node: () => true, link: () => true }
  for (let slot = 0; slot < 120; slot++) {
    const at = { x: scene.places[slot * 2] as number, y: scene.places[slot * 2 + 1] as number }
    assert.deepEqual(scene.picker.pick(at, 0.01, all), { kind: "node", slot })
  }
  const [a, b] = [scene.state.links.a[0] as number, scene.state.links.b[0] as number]
  const middle = (offset: 0 | 1) =>
    ((scene.places[a * 2 + offset] as number) + (scene.places[b * 2 + offset] as number)) / 2
  const only = { node: () => false, link: (slot: number) => slot === 0 }
  assert.deepEqual(scene.picker.pick({ x: middle(0), y: middle(1) }, 0.01, only), { kind: "link", slot: 0 })
  assert.equal(scene.picker.pick({ x: 0, y: 0 }, 0.01, all), null)
  assert.equal(
    makePicker(new Float64Array(0), new Uint32Array(0), new Uint32Array(0)).pick({ x: 0, y: 0 }, 1, all),
    null,
  )
})

test("a state texel: one change dirties one row, fades, and settles before its tick wraps", () => {
  const texels = makeTexels(WIDTH * 3)
  texels.dirty = null
  setMark(texels, WIDTH + 4, 2, tickOf(1_000), true)
  assert.deepEqual(texels.dirty, { first: 1, last: 1 })
  assert.ok(settle(texels, tickOf(1_000 + TICK_MS)), "the fade still runs")
  assert.ok(!settle(texels, tickOf(1_000 + FADE_MS + TICK_MS)), "and then it is over")
  assert.equal(texels.bytes[(WIDTH + 4) * 4 + 2], 2 | (2 << 4))
  assert.ok(FADE_MS < TICKS * TICK_MS)
  texels.dirty = null
  setMark(texels, WIDTH + 4, 2, 0, true)
  setByte(texels, 0, 0, 0)
  assert.equal(texels.dirty, null, "no change uploads nothing")
})

test("flags and marks share a texel without touching each other", () => {
  fc.assert(
    fc.property(fc.nat(5), fc.nat(31), fc.boolean(), (mark, tick, on) => {
      const texels = makeTexels(1)
      setFlag(texels, 0, FLAG_SELECTED, on)
      setMark(texels, 0, mark, tick, true)
      assert.equal((texels.bytes[3] as number) >> 5, on ? FLAG_SELECTED : 0)
      assert.equal((texels.bytes[2] as number) & 15, mark)
    }),
  )
})

test("labels never overlap each other or a panel, and the worst come first", () => {
  const screen = { left: 0, top: 0, right: 800, bottom: 600 }
  const panel = { left: 600, top: 0, right: 800, bottom: 600 }
  const wish = fc.record({
    slot: fc.nat(999),
    mark: fc.nat(2),
    x: fc.integer({ min: -50, max: 850 }),
    y: fc.integer({ min: -50, max: 650 }),
    width: fc.integer({ min: 40, max: 160 }),
  })
  fc.assert(
    fc.property(fc.uniqueArray(wish, { maxLength: 60, selector: ({ slot }) => slot }), (wishes) => {
      const widths = new Map(wishes.map(({ slot, width }) => [slot, width]))
      const placed = placeLabels(wishes, screen, [panel], 14)
      assert.ok(placed.length <= 14)
      const rects: Rect[] = placed.map(({ slot, left, top }) => ({
        left,
        top,
        right: left + (widths.get(slot) ?? 0),
        bottom: top + 22,
      }))
      rects.forEach((a, at) => {
        assert.ok(Number.isInteger(a.left) && Number.isInteger(a.top))
        for (const b of [panel, ...rects.slice(at + 1)]) {
          assert.ok(a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top)
        }
      })
      placed.slice(1).forEach(({ mark }, at) => assert.ok(mark >= (placed[at]?.mark ?? 0)))
    }),
  )
})

test("a site takes the worst mark of its devices", () => {
  const { network, scene, store } = sceneOf(60)
  const slot = 50
  const change = {
    slot: Uint32Array.of(slot),
    status: Uint8Array.of(statusByte("degraded", "major")),
    seenS: Uint32Array.of(1),
  }
  const none = {
    slot: new Uint32Array(0),
    status: new Uint8Array(0),
    utilAB: new Uint8Array(0),
    utilBA: new Uint8Array(0),
  }
  store.apply({
    kind: "DELTA",
    epoch: 1,
    base: 1,
    seq: 2,
    atMs: 2,
    nodes: change,
    links: none,
    counts: network.counts(),
  })
  scene.changed(change, none, false)
  const mark = scene.siteMark[network.nodes.site[slot] as number] as number
  assert.equal(MARKS[mark], "major")
  assert.ok(isTrouble(mark))
})
