/** [W10] Waypoints make jumps short and change nothing: the same moment, from wherever it is reached, within their bytes. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { FIRST, live, story, type Past } from "#engine/replay/past.fixture.ts"
import { openReplay } from "#engine/replay/replay.ts"
import { WAYPOINT_LIMITS, withWaypoints } from "#engine/replay/waypoints.ts"
import { RULES, START_MS } from "#engine/tenant/network.fixture.ts"

/** Judged, because rows of judgement are what a twin writes in place as long as nobody keeps them. */
const past = await live([FIRST, { kind: "rules", atMs: START_MS, rev: 1, rules: RULES }, ...story(119).slice(1)], 40)
const momentOf = (seq: number): number => past.inputs[seq - 1]!.input.atMs
const seqs = fc.integer({ min: 41, max: 121 })

test("[W10] whatever was passed before, a jump ends in the state that was live", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(seqs, { minLength: 1, maxLength: 8 }),
      fc.integer({ min: 1, max: 30 }),
      // Of four routers each: none is held, some are, all are.
      fc.constantFrom(0, 4, 12, 1e9),
      async (jumps, every, heldRoutersMax) => {
        const ways = withWaypoints(past, { everyInputs: every, bytesMax: 1e9, heldRoutersMax })
        for (const seq of jumps) {
          const replay = await openReplay(ways.source, momentOf(seq))
          await replay.runTo({ seq }, () => ways.passed(replay).then(() => true), 3)
          assert.equal((await replay.hash()).all, past.hashes[seq - 1])
          await replay.close()
        }
      },
    ),
    { numRuns: 30 },
  )
})

test("[W10] a stretch that was passed once is folded again in short pieces only", async () => {
  let asked = 0
  const counted: Past = { ...past, checkpoint: (atMs) => (asked++, past.checkpoint(atMs)) }
  const ways = withWaypoints(counted, { everyInputs: 10, bytesMax: 1e9, heldRoutersMax: 8 })
  const once = await openReplay(ways.source, START_MS + 40_000)
  await once.runTo({ seq: 121 }, () => ways.passed(once).then(() => true), 1)
  assert.equal(asked, 1)
  for (let seq = 52; seq <= 121; seq++) {
    const again = await openReplay(ways.source, momentOf(seq))
    assert.ok((await again.runTo({ seq })) < 10)
  }
  assert.equal(ways.isShorter(80, momentOf(110)), true, "from 80, a waypoint near 110 is nearer")
  assert.equal(ways.isShorter(80, momentOf(88)), false, "a few inputs ahead are folded")
  assert.equal(asked, 1, "the database was not asked for what is at hand")
})

test("[W10] a checkpoint of the database that is nearer is taken", async () => {
  const ways = withWaypoints(past, { ...WAYPOINT_LIMITS, everyInputs: 1_000_000 })
  const replay = await openReplay(ways.source, momentOf(121))
  assert.equal(replay.startSeq, 120)
})

test("[W10] they keep within their bytes, and spread over the whole stretch", async () => {
  const one = withWaypoints(past, { everyInputs: 10, bytesMax: 1e9, heldRoutersMax: 0 })
  const probe = await openReplay(one.source, momentOf(41))
  await probe.runTo({ seq: 60 }, () => one.passed(probe).then(() => true), 1)
  const size = one.bytes() / one.count()
  assert.ok(size > 0)
  const ways = withWaypoints(past, { everyInputs: 2, bytesMax: size * 8, heldRoutersMax: 0 })
  const replay = await openReplay({ ...ways.source, checkpoint: async () => past.snapshots[0]! }, 0 + momentOf(41))
  const counts: number[] = []
  await replay.runTo({ seq: 121 }, () => ways.passed(replay).then(() => (counts.push(ways.count()), true)), 1)
  assert.ok(Math.max(...counts) <= 9 && counts.at(-1)! >= 3, JSON.stringify(counts))
})

test("[W10] the newest are held, as many routers as may be; older ones are packed behind them", async () => {
  const ways = withWaypoints(past, { everyInputs: 2, bytesMax: 1e9, heldRoutersMax: 5 * 4 })
  const replay = await openReplay({ ...ways.source, checkpoint: async () => past.snapshots[0]! }, momentOf(41))
  await replay.runTo({ seq: 121 }, () => ways.passed(replay).then(() => true), 1)
  await ways.settled()
  const kinds: boolean[] = []
  for (let seq = 42; seq <= 121; seq++) {
    const found = await ways.source.checkpoint(momentOf(seq))
    if (found !== null && found.seq === seq) kinds.push("twin" in found)
  }
  assert.equal(kinds.length, ways.count())
  assert.equal(kinds.filter((isHeld) => isHeld).length, 5)
  assert.deepEqual(kinds, kinds.toSorted(), "packed first, then held")
})

test("[W10] several replays begin at one that is held, and none disturbs another", async () => {
  const ways = withWaypoints(past, { everyInputs: 10, bytesMax: 1e9, heldRoutersMax: 1e9 })
  const first = await openReplay(ways.source, momentOf(41))
  await first.runTo({ seq: 121 }, () => ways.passed(first).then(() => true), 1)
  const [a, b] = [await openReplay(ways.source, momentOf(75)), await openReplay(ways.source, momentOf(75))]
  assert.equal(a.startSeq, b.startSeq)
  for (const seq of [80, 95, 121])
    for (const replay of [a, b]) {
      await replay.runTo({ seq })
      assert.equal((await replay.hash()).all, past.hashes[seq - 1])
    }
  const again = await openReplay(ways.source, momentOf(75))
  await again.runTo({ seq: 90 })
  assert.equal((await again.hash()).all, past.hashes[89], "what began there left it as it was")
})
