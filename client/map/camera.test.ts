import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { cornersOf, paddingAround } from "#client/map/camera.ts"
import { makeFlowGovernor, SLOW_FRAME_MS, SLOW_FRAMES } from "#client/map/flow-governor.ts"

test("what is fitted stays clear of a side panel, unless the panels fill the screen", () => {
  const side = { left: 1000, top: 16, right: 1384, bottom: 880 }
  assert.deepEqual(paddingAround(1400, 900, [side]), { left: 60, right: 440, top: 112, bottom: 84 })
  assert.equal(paddingAround(500, 400, [{ left: 100, top: 10, right: 490, bottom: 390 }]), 30)
})

test("corners hold every place", () => {
  const place = fc.tuple(fc.double({ min: -180, max: 180, noNaN: true }), fc.double({ min: -85, max: 85, noNaN: true }))
  fc.assert(
    fc.property(fc.array(place, { minLength: 1, maxLength: 30 }), (places) => {
      const corners = cornersOf(places)
      assert.ok(corners !== null)
      const [[west, south], [east, north]] = corners
      for (const [x, y] of places) assert.ok(x >= west && x <= east && y >= south && y <= north)
    }),
  )
  assert.equal(cornersOf([]), null)
})

test("moving light ends by itself where frames are slow, and only there", () => {
  let stopped = 0
  const flow = makeFlowGovernor(() => stopped++)
  const draw = (frames: number, ms: number, from: number) => {
    for (let at = 0; at < frames; at++) flow.drew(from + at * ms)
  }
  draw(SLOW_FRAMES * 2, SLOW_FRAME_MS * 2, 0)
  assert.equal(flow.moving(), false, "it is off until wanted")
  flow.want(true)
  draw(SLOW_FRAMES * 3, SLOW_FRAME_MS / 2, 0)
  assert.equal(stopped, 0)
  draw(SLOW_FRAMES + 2, SLOW_FRAME_MS * 2, 1e6)
  assert.equal(stopped, 1)
  assert.equal(flow.strength(), 0)
})
