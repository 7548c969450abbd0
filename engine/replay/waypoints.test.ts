/** [W10] Waypoints make jumps short and change nothing: the same moment, from wherever it is reached, within their bytes. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { live, story, type Past } from "#engine/replay/past.fixture.ts"
import { openReplay } from "#engine/replay/replay.ts"
import { withWaypoints } from "#engine/replay/waypoints.ts"
import { START_MS } from "#engine/tenant/network.fixture.ts"

const past = await live(story(120), 40)
const momentOf = (seq: number): number => past.inputs[seq - 1]!.input.atMs
const seqs = fc.integer({ min: 41, max: 121 })

test("[W10] whatever was passed before, a jump ends in the state that was live", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(seqs, { minLength: 1, maxLength: 8 }),
      fc.integer({ min: 1, max: 30 }),
      async (jumps, every) => {
        const ways = withWaypoints(past, { everyInputs: every, bytesMax: 1e9 })
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
  const ways = withWaypoints(counted, { everyInputs: 10, bytesMax: 1e9 })
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
  const ways = withWaypoints(past, { everyInputs: 1_000_000, bytesMax: 1e9 })
  const replay = await openReplay(ways.source, momentOf(121))
  assert.equal(replay.startSeq, 120)
})

test("[W10] they keep within their bytes, and spread over the whole stretch", async () => {
  const one = withWaypoints(past, { everyInputs: 10, bytesMax: 1e9 })
  const probe = await openReplay(one.source, momentOf(41))
  await probe.runTo({ seq: 60 }, () => one.passed(probe).then(() => true), 1)
  const size = (await one.source.checkpoint(momentOf(60)))!.blob.length
  const ways = withWaypoints(past, { everyInputs: 2, bytesMax: size * 8 })
  const replay = await openReplay({ ...ways.source, checkpoint: async () => past.snapshots[0]! }, 0 + momentOf(41))
  const counts: number[] = []
  await replay.runTo({ seq: 121 }, () => ways.passed(replay).then(() => (counts.push(ways.count()), true)), 1)
  assert.ok(Math.max(...counts) <= 9 && counts.at(-1)! >= 3, JSON.stringify(counts))
})
