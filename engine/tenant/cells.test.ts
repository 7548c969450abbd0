/** Supervised actors and plain arrays are the same cells to the round: that is what makes a replay equal to live. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { makeKit } from "#engine/actors/kit.fixture.ts"
import { actorCells } from "#engine/tenant/cells.ts"
import { poll, ring, START_MS, syslog, trap, unreachable } from "#engine/tenant/network.fixture.ts"
import { deviceId } from "#protocol/id.ts"
import { BEHAVIOURS, NO_STATES, plainBank } from "#twin/cells.ts"
import type { Cells } from "#twin/cells.ts"
import { hashTwin } from "#twin/hash.ts"
import type { Input } from "#twin/input.ts"
import { newWorld, runRound } from "#twin/round.ts"

/** Steps that throw on some messages, by content: a pure defect, the same in both kinds of cell. */
const sick: typeof BEHAVIOURS = {
  router: (state, msg) => {
    if (msg.kind !== "configure" && state.config.slot === 1 && msg.atMs % 3 === 0) throw new Error("router 1")
    return BEHAVIOURS.router(state, msg)
  },
  link: (state, msg) => {
    if (msg.kind === "ends" && msg.atMs % 5 === 0) throw new Error("a link")
    return BEHAVIOURS.link(state, msg)
  },
  tenant: (state, msg) => {
    if (msg.kind === "facts" && msg.atMs % 11 === 0) throw new Error("the tenant")
    return BEHAVIOURS.tenant(state, msg)
  },
}
const plain = (steps: typeof BEHAVIOURS): Cells => ({
  routers: plainBank(NO_STATES.routers, steps.router, () => undefined),
  links: plainBank(NO_STATES.links, steps.link, () => undefined),
  tenant: plainBank([NO_STATES.tenant], steps.tenant, () => undefined),
})

const anyInputs = fc.array(
  fc.record({
    device: fc.nat(4),
    kind: fc.nat(6),
    ms: fc.integer({ min: 0, max: 15_000 }),
    size: fc.integer({ min: 1, max: 6 }),
  }),
  { maxLength: 40 },
)

for (const { name, steps } of [
  { name: "as they are", steps: BEHAVIOURS },
  { name: "that throw now and then", steps: sick },
])
  test(`[C1] the same inputs through actors and through plain cells, with steps ${name}, give the same twin`, async (t) => {
    await fc.assert(
      fc.asyncProperty(anyInputs, async (rows) => {
        const kit = await makeKit(t)
        const live = { world: newWorld(), cells: actorCells(kit.system, NO_STATES, steps) }
        const replay = { world: newWorld(), cells: plain(steps) }
        let atMs = START_MS
        let seq = 0
        const feed = (input: Input): void => {
          const batch = [{ seq: ++seq, input }]
          assert.deepEqual(runRound(live.world, live.cells, batch), runRound(replay.world, replay.cells, batch))
        }
        feed({ kind: "topology", atMs, rev: 1, inventory: ring(4) })
        for (const { device, kind, ms, size } of rows) {
          atMs += ms
          const id = deviceId(`r-device-${String(device).padStart(5, "0")}`)
          feed(
            kind === 0
              ? { kind: "topology", atMs, rev: seq, inventory: ring(size) }
              : kind === 1
                ? { kind: "tick", atMs }
                : kind === 2
                  ? trap(id, atMs, ms % 2 === 0)
                  : kind === 3
                    ? unreachable(id, atMs)
                    : kind === 4
                      ? syslog(id, atMs, "line")
                      : poll(id, atMs, { rightUp: ms % 2 === 0 }),
          )
        }
        assert.equal(hashTwin(live.world, live.cells), hashTwin(replay.world, replay.cells))
        await kit.close()
      }),
      { numRuns: 40 },
    )
  })

test("[C2] a slot that is not there is a defect and throws, for telling and for looking", async (t) => {
  const kit = await makeKit(t)
  const cells = actorCells(kit.system, NO_STATES)
  assert.throws(() => cells.routers.tell(0, { kind: "timer", atMs: 1 }), RangeError)
  assert.throws(() => cells.links.state(0), RangeError)
  assert.equal(cells.tenant.length(), 1)
})

test("[C3] a member that stays keeps its actor; one that goes is stopped", async (t) => {
  const kit = await makeKit(t)
  const world = newWorld()
  const cells = actorCells(kit.system, NO_STATES)
  runRound(world, cells, [{ seq: 1, input: { kind: "topology", atMs: START_MS, rev: 1, inventory: ring(5) } }])
  runRound(world, cells, [{ seq: 2, input: { kind: "topology", atMs: START_MS, rev: 2, inventory: ring(3) } }])
  const types = kit.system.stats().types
  assert.deepEqual([types.get("router")?.actors, types.get("link")?.actors, types.get("tenant")?.actors], [3, 3, 1])
  assert.deepEqual(kit.notices, [], "nobody crashed or was restarted")
})
