/**
 * Services over real sockets: an upstream's fibre is cut and its transit is down, with reasons, in an incident that names it,
 * while the other one stays up; it is mended and up again; a core router of several dies, and transit does not mind. Everything
 * is awaited on the stream.
 */
import assert from "node:assert/strict"
import { test } from "node:test"
import { NO_POSTGRES } from "#engine/storage/database.fixture.ts"
import type { LabTruth } from "#lab/drive/lab.ts"
import { withScene } from "#lab/drive/scene.ts"
import type { Scene } from "#lab/drive/scene.ts"
import type { Incident, IncidentRow, JudgedService } from "#protocol/rest-generated.ts"
import type { EventView } from "#protocol/view.ts"

const PATIENCE_MS = 90_000
const SCENE = { routers: 24, seed: 1, pollSeconds: 2, push: true, services: true } as const

test(
  "[W7] a transit falls with its upstream and comes back, and outlives a core router",
  { skip: NO_POSTGRES },
  async (t) => {
    await withScene(SCENE, async (scene) => {
      const truth = await scene.lab.truth()
      const [upstream, other] = truth.routers.filter(({ roles }) => roles.includes("upstream"))
      assert.ok(upstream !== undefined && other !== undefined, "the emulated ISP has two upstreams")
      const wire = truth.links.find(({ a, b }) => a === upstream.name || b === upstream.name)!
      await until(scene, "both transits are up", async () => {
        const [first, second] = [await judged(scene, "transit-1"), await judged(scene, "transit-2")]
        return first.condition?.health === "up" && second.condition?.health === "up"
      })
      await t.test("one upstream is cut off: its transit is down and says why, the other stays up", async () => {
        const since = scene.viewer.told().length
        const atMs = await scene.lab.fault("cut", wire.a, wire.b)
        const seenMs = await scene.viewer.until(() => tells(scene, since, "service.down", "transit-1"), PATIENCE_MS)
        t.diagnostic(`from the cut to the service's word: ${Math.round(seenMs - atMs)} ms`)
        const { name, condition } = await judged(scene, "transit-1")
        assert.equal(condition?.health, "down")
        assert.equal(condition.transit?.verdict, "session", "another transit carries: it is no outage")
        assert.ok(condition.reasons.some(({ isFault, text }) => isFault && text.includes(upstream.name)))
        assert.equal((await judged(scene, "transit-2")).condition?.health, "up")
        await until(scene, "an incident names the service", async () =>
          (await incidents(scene)).some(({ state, impact }) => state === "open" && impact.services.includes(name)),
        )
        assert.ok(!tells(scene, since, "service.down", "transit-2"))
      })
      await t.test("it is mended: the transit is up again", async () => {
        const since = scene.viewer.told().length
        await scene.lab.fault("mend", wire.a, wire.b)
        await scene.viewer.until(() => tells(scene, since, "service.up", "transit-1"), PATIENCE_MS)
        const { condition } = await judged(scene, "transit-1")
        assert.equal(condition?.health, "up")
        assert.ok(condition.reasons.every(({ isFault }) => !isFault))
      })
      await t.test("a core router of several dies: the backbone is degraded, no transit minds", async () => {
        const since = scene.viewer.told().length
        await scene.lab.fault("kill", coreOf(truth))
        await scene.viewer.until(() => tells(scene, since, "service.degraded", "core"), PATIENCE_MS)
        for (const id of ["transit-1", "transit-2"]) {
          assert.equal((await judged(scene, id)).condition?.health, "up", id)
          assert.ok(!tells(scene, since, "service.down", id), id)
        }
      })
    })
  },
)

const isOf = ({ type, entity }: EventView, word: string, id: string): boolean =>
  type === word && entity === `service:${id}`
const tells = ({ viewer }: Scene, since: number, word: string, id: string): boolean =>
  viewer
    .told()
    .slice(since)
    .some((event) => isOf(event, word, id))

const judged = async ({ engine, cookie }: Scene, id: string): Promise<JudgedService> =>
  (await engine.json(`/api/v1/services/${id}`, cookie)) as JudgedService

const incidents = async ({ engine, cookie }: Scene): Promise<readonly Incident[]> => {
  const { items } = (await engine.json("/api/v1/incidents", cookie)) as { readonly items: readonly IncidentRow[] }
  return Promise.all(items.map(async ({ id }) => (await engine.json(`/api/v1/incidents/${id}`, cookie)) as Incident))
}

/** Asked anew with each frame of the stream. */
const until = async (scene: Scene, what: string, accept: () => Promise<boolean>): Promise<void> => {
  const endMs = Date.now() + PATIENCE_MS
  while (!(await accept())) {
    assert.ok(Date.now() < endMs, what)
    const seen = scene.viewer.frames()
    await scene.viewer.until(() => scene.viewer.frames() > seen, PATIENCE_MS)
  }
}

/** One of several that no edge hangs on alone: those hang on two. */
const coreOf = ({ routers }: LabTruth): string => {
  const cores = routers.filter(({ roles }) => roles.includes("core"))
  assert.ok(cores.length > 1, "the emulated ISP has several core routers")
  return cores[0]!.name
}
