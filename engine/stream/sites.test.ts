/** /stream for somebody of some sites: their devices and no byte of another's, and a new view when their sites change. */
import assert from "node:assert/strict"
import { test } from "node:test"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { makeDoors } from "#engine/access/doors.ts"
import type { Principal } from "#engine/access/principal.ts"
import { principalOf } from "#engine/api/accounts.fixture.ts"
import { testDeps } from "#engine/api/deps.fixture.ts"
import { makeHttp } from "#engine/http/server.ts"
import { silentLog } from "#engine/log.ts"
import { makeMetrics } from "#engine/metrics/registry.ts"
import { DOWN, makeFakeTwin } from "#engine/stream/fake-twin.fixture.ts"
import { makeStream } from "#engine/stream/stream.ts"
import { hello, openViewer } from "#engine/stream/viewer.fixture.ts"
import type { LiveTwin } from "#engine/tenant/live-twin.ts"
import { siteId } from "#protocol/id.ts"

/** Devices by turns in the sites s0 and s1; a ring of links, so that no link has both its ends in one site. */
const twoSites = (devices: number) => {
  const fake = makeFakeTwin("t", devices, devices)
  const whole = fake.inventory()
  const inventory = {
    ...whole,
    sites: ["s0", "s1"].map((id) => ({
      id: siteId(id),
      name: `site ${id}`,
      latitude: 0,
      longitude: 0,
      ...(id === "s1" ? { guessed: true as const } : {}),
    })),
    devices: whole.devices.map((device, slot) => ({ ...device, site: siteId(`s${slot % 2}`) })),
  }
  const twin: LiveTwin = { ...fake, inventory: () => inventory }
  return { fake, twin, inventory }
}

test("[T2] a viewer of one site gets its devices and its rounds only, in slots of its own, and others when its sites change", async () => {
  const { fake, twin, inventory } = twoSites(6)
  const session = { id: "s", user: { id: "u", name: "u", tenant: twin.tenant.id }, expiresAtMs: Date.now() + 3_600_000 }
  let who: Principal = { ...principalOf(session, ["technician"]), sites: ["s1"] }
  const doors = makeDoors(() => Effect.succeed(who), Date.now)
  const metrics = makeMetrics()
  const twins = { byTenant: () => twin, all: () => [twin] }
  const common = { doors, metrics, log: silentLog, publicUrl: null, nowMs: Date.now, twins }
  const scope = Scope.makeUnsafe()
  const { stream, http } = await Effect.runPromise(
    Scope.provide(
      Effect.gen(function* () {
        const stream = yield* makeStream({ ...common, viewersMax: 10, limits: { frameGapMs: 5, urgentGapMs: 5 } })
        const serving = { metricsToken: null, staticDir: null, basemapPath: () => null, ready: () => true }
        const api = testDeps(common)
        const http = yield* makeHttp({ host: "127.0.0.1", port: 0, api, metrics, stream, ...serving } as never)
        return { stream, http }
      }),
      scope,
    ),
  )
  stream.attach(twin)
  const url = `${http.url}/stream`
  const cookie = { cookie: "heliograph_session=x" }
  const viewer = await openViewer(url, cookie)
  viewer.send(hello({ epoch: twin.epoch(), seq: twin.seq() }))
  await viewer.until(() => viewer.state.nodes !== null && viewer.state.seq > 0)
  const names = (slots: readonly number[]): readonly string[] => slots.map((slot) => inventory.devices[slot]!.name)
  assert.deepEqual(viewer.state.nodes.name, names([1, 3, 5]))
  assert.equal(viewer.state.links.id.length, 0)
  // [W5] [B2] A place that nobody gave is said to be guessed.
  const { id, placeGuessed } = viewer.state.sites
  assert.deepEqual(Object.fromEntries(id.map((site, at) => [site, placeGuessed[at]])), { s1: 1 })

  const frames = viewer.frames.length
  fake.round({ deltas: [{ column: "node", slot: 0, status: DOWN, seenS: 9 }], events: ["device.unreachable"] })
  fake.round({ deltas: [{ column: "node", slot: 3, status: DOWN, seenS: 9 }] })
  await viewer.until(() => viewer.state.nodes.seenS[1] === 9)
  assert.deepEqual([...viewer.state.nodes.seenS], [0, 9, 0])
  assert.ok(viewer.frames.slice(frames).every((frame) => frame.kind !== "EVENT"))
  const seen = Buffer.concat(viewer.bytes).toString("latin1")
  for (const foreign of [...names([0, 2, 4]), "site s0"]) assert.ok(!seen.includes(foreign), foreign)

  // Their sites change: the stream ends, and the picture of before cannot be gone on from.
  who = { ...who, sites: ["s0"] }
  doors.forget({ userId: "u" })
  assert.equal(await viewer.closed, 1001)
  const again = await openViewer(url, cookie)
  again.send(hello({ epoch: viewer.state.epoch, seq: viewer.state.seq }))
  await again.until(() => again.state.seq > 0)
  assert.deepEqual(again.state.nodes.name, names([0, 2, 4]))
  assert.ok(again.frames.some((frame) => frame.kind === "SNAP"))

  who = { ...who, sites: null }
  doors.forget({ userId: "u" })
  await again.closed
  const free = await openViewer(url, cookie)
  free.send(hello({ epoch: again.state.epoch, seq: again.state.seq }))
  await free.until(() => free.state.seq > 0)
  assert.equal(free.state.nodes.name.length, 6)
  await free.close()
  await Effect.runPromise(Scope.close(scope, Exit.void))
  // The whole's hub and those of sites let go of the twin.
  assert.equal(fake.listeners(), 0)
})
