/** A replay is the past: equal at every mark, at any instant, whatever was asked before; and it says so when it is not. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import { compareDecisions } from "#engine/replay/counterfactual.ts"
import { openReplay, ReplayImpossible } from "#engine/replay/replay.ts"
import { FIRST, live, RING, story } from "#engine/replay/past.fixture.ts"
import type { ReplaySource } from "#engine/replay/source.ts"
import { ReplayDiverged, verifyTo } from "#engine/replay/verify.ts"
import { anyInput, poll, START_MS } from "#engine/tenant/network.fixture.ts"
import { firstDifference, hashSnapshot } from "#engine/tenant/state-hash.ts"
import { snapshotTwin } from "#twin/snapshot.ts"

describe("replay", () => {
  test("at any instant, from any checkpoint, it is what was live", async () => {
    const past = await live(story(120), 17)
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 17, max: 121 }), async (seq) => {
        const replay = await openReplay(past, past.inputs[seq - 1]!.input.atMs)
        await replay.runTo({ seq })
        assert.equal((await replay.hash()).all, past.hashes[seq - 1])
        await replay.close()
      }),
      { numRuns: 40 },
    )
  })

  test("any history at all: every mark is equal, however the journal's batches are cut", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyInput(), { minLength: 5, maxLength: 40 }),
        fc.integer({ min: 1, max: 9 }),
        async (inputs, batch) => {
          const past = await live([FIRST, ...inputs], 5, batch)
          const first = past.snapshots[0]!
          const replay = await openReplay({ ...past, checkpoint: async () => first }, Number.MAX_SAFE_INTEGER)
          const { instants, stateHash } = await verifyTo(past, replay, Number.MAX_SAFE_INTEGER)
          assert.equal(instants, past.marked.length - 1)
          assert.equal(stateHash, past.hashes.at(-1))
        },
      ),
      { numRuns: 30 },
    )
  })

  test("it goes on step by step, and stops before the first input that is later", async () => {
    const past = await live(story(60), 10)
    const replay = await openReplay(past, START_MS + 20_000)
    const rounds: number[] = []
    assert.equal(replay.startSeq, 20)
    await replay.runTo({ atMs: START_MS + 30_500 }, ({ seq }) => void rounds.push(seq))
    assert.deepEqual([replay.world.seq, rounds.at(-1)], [31, 31])
    assert.equal(await replay.runTo({ atMs: START_MS + 30_900 }), 0)
    await replay.runTo({ seq: 1_000 })
    assert.equal(replay.world.seq, 61)
  })

  test("a live state that differs is found, with the inputs between which and the actor", async () => {
    const past = await live(story(60), 10)
    const other = await live(
      [...story(38), poll(RING.devices[2]!.id, START_MS + 39_000, { cpu: 99 }), ...story(60).slice(40)],
      10,
    )
    // At input 40 the live engine was another twin than the journal tells.
    past.marked.splice(3, 3, ...other.marked.slice(3))
    past.snapshots.splice(3, 3, ...other.snapshots.slice(3))
    const replay = await openReplay(past, START_MS + 10_000)
    await assert.rejects(verifyTo(past, replay, START_MS + 60_000), (error: ReplayDiverged) => {
      assert.ok(error instanceof ReplayDiverged)
      assert.deepEqual([error.equalSeq, error.differentSeq, error.actor], [30, 40, `router ${RING.devices[2]!.name}`])
      return true
    })
  })

  test("where the live state is no longer kept, only the actor stays unknown", async () => {
    const past = await live(story(30), 10)
    past.marked[1] = { ...past.marked[1]!, stateHash: "f".repeat(16) }
    const replay = await openReplay(past, START_MS + 10_000)
    const without = { ...past, snapshotAt: async () => null }
    await assert.rejects(verifyTo(without, replay, START_MS + 60_000), { equalSeq: 0, differentSeq: 20, actor: null })
  })

  test("what is no longer kept is said in words: before the first checkpoint, in a gap", async () => {
    const past = await live(story(60), 10)
    await assert.rejects(openReplay(past, START_MS - 1), (error: ReplayImpossible) =>
      /nothing is kept/.test(error.message),
    )
    const gap: ReplaySource = {
      ...past,
      readFrom: async function* (seq) {
        for (const one of past.inputs) if (one.seq >= seq && one.seq !== 25) yield [one]
      },
    }
    const replay = await openReplay(gap, START_MS + 20_000)
    await assert.rejects(replay.runTo({ seq: 40 }), /goes on at input 26 where 25 is needed/)
    past.snapshots[1] = { ...past.snapshots[1]!, blob: Uint8Array.of(9) }
    await assert.rejects(openReplay(past, START_MS + 20_000), /checkpoint at input 20 cannot be read/)
  })

  test("a branch of a replayed moment takes other inputs, and the replay goes on as if there were none", async () => {
    const past = await live(story(60), 10)
    const replay = await openReplay(past, START_MS + 20_000)
    const branch = replay.fork()
    branch.apply(RING.devices.map(({ id }) => poll(id, START_MS + 21_000, { rightUp: false })))
    await verifyTo(past, replay, START_MS + 60_000)
    assert.notEqual((await hashSnapshot(snapshotTwin(branch.world, branch.cells))).all, past.hashes[60])
  })
})

describe("counterfactual", () => {
  test("the same inventory decides the same", async () => {
    const past = await live(story(120), 10)
    const replay = await openReplay(past, START_MS + 20_000)
    const { same, onlyBefore, onlyNow } = await compareDecisions(replay, RING, START_MS + 200_000)
    assert.ok(same > 10, "the story has decisions")
    assert.deepEqual([onlyBefore, onlyNow], [[], []])
  })

  test("without a link, exactly its decisions are missing", async () => {
    const past = await live(story(120), 10)
    const replay = await openReplay(past, START_MS + 20_000)
    const gone = RING.links[0]!
    const without = { ...RING, links: RING.links.slice(1) }
    const { onlyBefore, onlyNow } = await compareDecisions(replay, without, START_MS + 200_000)
    assert.ok(onlyBefore.some(({ subject }) => subject === gone.id))
    const others = [...onlyBefore, ...onlyNow].filter(
      ({ subjectKind, subject }) => subjectKind === "link" && subject !== gone.id,
    )
    assert.deepEqual(others, [], "no other link decides otherwise")
    assert.ok(!onlyNow.some(({ subject }) => subject === gone.id))
  })
})

describe("state hash", () => {
  test("every part of a twin counts, and the part that differs is named", async () => {
    const past = await live(story(30), 10)
    const replay = await openReplay(past, START_MS + 20_000)
    const snapshot = replay.snapshot()
    const hash = await hashSnapshot(snapshot)
    const nameOf = async (change: Partial<typeof snapshot>): Promise<string | null> =>
      firstDifference(hash, await hashSnapshot({ ...snapshot, ...change }), snapshot)
    assert.equal(await nameOf({}), null)
    assert.equal(await nameOf({ seq: 1 }), "inventory, timers or recent events")
    const [r0, ...routers] = snapshot.states.routers
    const states = { ...snapshot.states, routers: [{ ...r0!, name: "other" } as typeof r0 & object, ...routers] }
    assert.equal(await nameOf({ states: states as typeof snapshot.states }), `router ${RING.devices[0]!.name}`)
    const links = snapshot.states.links.map((link, i) => (i === 1 ? { ...link, sinceMs: 1 } : link))
    assert.equal(await nameOf({ states: { ...snapshot.states, links } }), `link ${RING.links[1]!.id}`)
  })
})
