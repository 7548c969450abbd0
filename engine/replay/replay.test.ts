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
import { decodeSnapshot, encodeSnapshot } from "#engine/tenant/snapshot-codec.ts"
import { firstDifference, hashSnapshot } from "#engine/tenant/state-hash.ts"
import { plainCells } from "#twin/cells.ts"
import { PACKS } from "#twin/alert/packs/registry.ts"
import type { Input, Sequenced } from "#twin/input.ts"
import { newWorld, runRound } from "#twin/round.ts"
import { glancedTwin, restoreTwin, snapshotTwin } from "#twin/snapshot.ts"

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

  test("[W11] marks that another build left: equal ones count, others prove nothing and raise no alarm", async () => {
    const past = await live(story(60), 10)
    const first = past.snapshots[0]!
    const begun = () => openReplay({ ...past, checkpoint: async () => first }, START_MS + 10_000)
    const told = async () => {
      const { instants, incomparable, comparableMs } = await verifyTo(past, await begun(), START_MS + 60_000)
      return [instants, incomparable, comparableMs]
    }
    const other = (at: number, stateHash = past.marked[at]!.stateHash): void => {
      past.marked[at] = { ...past.marked[at]!, build: "1-other", stateHash }
    }
    const wrong = "f".repeat(16)
    assert.deepEqual(await told(), [5, 0, null])
    other(2)
    assert.deepEqual(await told(), [5, 0, null], "another build, the same state")
    other(2, wrong)
    assert.deepEqual(await told(), [4, 1, past.marked[3]!.atMs], "equal again afterwards")
    // The live twin went on from the state of before, so this build's own marks after it prove nothing either ...
    past.marked[3] = { ...past.marked[3]!, stateHash: wrong }
    assert.deepEqual(await told(), [3, 2, past.marked[3]!.atMs])
    // ... until one is equal: from the same state on, a difference is a defect.
    past.marked[5] = { ...past.marked[5]!, stateHash: wrong }
    await assert.rejects(told(), { equalSeq: 50, differentSeq: 60 })
    for (const at of [1, 2, 3, 4, 5]) other(at, wrong)
    assert.deepEqual(await told(), [0, 5, null])
  })

  test("[W11] a replay that begins at another build's snapshot raises no alarm over what follows from it", async () => {
    const past = await live(story(30), 10)
    const wrong = "f".repeat(16)
    past.marked[1] = { ...past.marked[1]!, stateHash: wrong }
    const begun = () => openReplay({ ...past, checkpoint: async () => past.snapshots[0]! }, START_MS + 10_000)
    await assert.rejects(async () => verifyTo(past, await begun(), START_MS + 30_000), ReplayDiverged)
    past.marked[0] = { ...past.marked[0]!, build: "" }
    const { instants, incomparable } = await verifyTo(past, await begun(), START_MS + 30_000)
    assert.deepEqual([instants, incomparable], [1, 1])
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
    const { same, onlyBefore, onlyNow } = await compareDecisions(
      replay,
      { inventory: RING, rules: null },
      START_MS + 200_000,
    )
    assert.ok(same > 10, "the story has decisions")
    assert.deepEqual([onlyBefore, onlyNow], [[], []])
  })

  test("without a link, exactly its decisions are missing", async () => {
    const past = await live(story(120), 10)
    const replay = await openReplay(past, START_MS + 20_000)
    const gone = RING.links[0]!
    const without = { ...RING, links: RING.links.slice(1) }
    const { onlyBefore, onlyNow } = await compareDecisions(
      replay,
      { inventory: without, rules: null },
      START_MS + 200_000,
    )
    assert.ok(onlyBefore.some(({ subject }) => subject === gone.id))
    const others = [...onlyBefore, ...onlyNow].filter(
      ({ subjectKind, subject }) => subjectKind === "link" && subject !== gone.id,
    )
    assert.deepEqual(others, [], "no other link decides otherwise")
    assert.ok(!onlyNow.some(({ subject }) => subject === gone.id))
  })
})

const RULES: Input = {
  kind: "rules",
  atMs: START_MS,
  rev: 1,
  rules: PACKS.flatMap(({ rules }) => rules.map(({ rule }) => rule)),
}

/** A ring, judged by all rules, that hears polls, traps and anything at all. */
const judged = (): fc.Arbitrary<readonly Sequenced[]> => {
  const known = fc.constantFrom(...RING.devices.map(({ id }) => id))
  const afterMs = fc.integer({ min: 0, max: 90_000 })
  const heard = fc.oneof(
    { weight: 4, arbitrary: fc.record({ afterMs, known, cpu: fc.nat(100), rightUp: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ afterMs, any: anyInput() }) },
  )
  return fc.array(heard, { minLength: 5, maxLength: 25 }).map((list) => {
    let atMs = START_MS
    const inputs = list.map((one): Input => {
      atMs += one.afterMs
      return "any" in one ? { ...one.any, atMs } : poll(one.known, atMs, { cpu: one.cpu, rightUp: one.rightUp })
    })
    return [FIRST, RULES, ...inputs].map((input, i) => ({ seq: i + 1, input }))
  })
}

describe("state hash", () => {
  test("[W11] what is remembered of untouched actors is what a look at everything gives, after any input", async () => {
    let kept = 0
    await fc.assert(
      fc.asyncProperty(judged(), async (inputs) => {
        const [world, cells] = [newWorld(), plainCells()]
        const memo = new WeakMap<object, string>()
        for (const one of inputs) {
          const stateOf = () => (cells.routers.length() > 0 ? cells.routers.state(0) : null)
          const before = stateOf()
          runRound(world, cells, [one])
          if (before !== null && before === stateOf()) kept++
          // Nobody keeps a glance, so that the twin writes rows of judgement in place.
          const glance = glancedTwin(world, cells)
          const remembered = await hashSnapshot(glance, undefined, () => 0, memo)
          const fresh = await hashSnapshot(glance, undefined, () => 0, new WeakMap())
          assert.deepEqual(remembered, fresh)
        }
      }),
      { numRuns: 25 },
    )
    assert.ok(kept > 20, `${kept} times something was remembered`)
  })

  test("[W11] a restored twin has the hash of the one that was stored", async () => {
    await fc.assert(
      fc.asyncProperty(judged(), async (inputs) => {
        const [world, cells] = [newWorld(), plainCells()]
        runRound(world, cells, inputs)
        const snapshot = snapshotTwin(world, cells)
        const restored = restoreTwin(await decodeSnapshot(await encodeSnapshot(snapshot)))
        const again = await hashSnapshot(glancedTwin(restored.world, plainCells(restored.states)))
        assert.equal(firstDifference(await hashSnapshot(snapshot), again, snapshot), null)
      }),
      { numRuns: 25 },
    )
  })

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
