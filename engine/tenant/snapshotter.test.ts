/** When a snapshot is taken: at its time, and after many inputs, though not too often, too large ones or in vain. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { makeManualClock } from "#engine/actors/clock.ts"
import { makeTimers } from "#engine/actors/timers.ts"
import { PROCESS_TURNS } from "#engine/actors/turns.ts"
import type { StoredSnapshot } from "#engine/tenant/ports.ts"
import { makeSnapshotter, SNAPSHOT_INPUTS } from "#engine/tenant/snapshotter.ts"
import { plainCells } from "#twin/cells.ts"
import { newWorld } from "#twin/round.ts"
import { snapshotTwin } from "#twin/snapshot.ts"
import type { TwinSnapshot } from "#twin/snapshot.ts"

const EVERY_MS = 60_000
/** Nearest that two checkpoints may be. */
const REST_MS = 15_000

const started = (savedSeq = 0) => {
  const clock = makeManualClock(0)
  const world = newWorld()
  const cells = plainCells()
  const saved: Array<Omit<StoredSnapshot, "blob">> = []
  const problems: string[] = []
  let seq = savedSeq
  let isAway = false
  let more: Partial<TwinSnapshot> = {}
  const snapshots = makeSnapshotter({
    port: {
      load: () => Promise.resolve(null),
      save: (at, atMs) => {
        if (isAway) return Promise.reject(new Error("away"))
        saved.push({ seq: at, atMs })
        return Promise.resolve()
      },
    },
    turns: { ...PROCESS_TURNS, monoMs: clock.nowMs },
    timers: makeTimers(clock),
    everyMs: EVERY_MS,
    savedSeq,
    dice: () => 0.5,
    seq: () => seq,
    capture: () => ({ ...snapshotTwin(world, cells), seq, atMs: clock.nowMs(), ...more }),
    whenDurable: () => Promise.resolve(),
    onProblem: (detail) => problems.push(detail),
  })
  return {
    snapshots,
    saved,
    problems,
    /** So much later that many more inputs have been applied; waits for a snapshot that this is reason for. */
    pass: async (ms: number, inputs: number) => {
      clock.advanceTo(clock.nowMs() + ms)
      seq += inputs
      snapshots.applied()
      const before = snapshots.stats()
      for (let turn = 0; turn < 20; turn++) {
        await new Promise((resolve) => setImmediate(resolve))
        const { saved: done, failures } = snapshots.stats()
        if (done + failures > before.saved + before.failures) return
      }
    },
    fail: (away: boolean) => {
      isAway = away
    },
    grow: (bytes: number) => {
      // What does not shrink: the fractions of sines.
      const noise = Float64Array.from({ length: bytes / 8 }, (_, i) => (Math.sin(i + 1) * 1e6) % 1)
      more = { inventory: { sites: [], devices: [], links: [], noise } as unknown as TwinSnapshot["inventory"] }
    },
  }
}

test("[W11] few inputs wait for the time, many do not", async () => {
  const one = started()
  await one.pass(REST_MS, SNAPSHOT_INPUTS - 1)
  assert.deepEqual(one.saved, [])
  await one.pass(1_000, 1)
  assert.deepEqual(one.saved, [{ seq: SNAPSHOT_INPUTS, atMs: REST_MS + 1_000 }])
  await one.pass(0, 1)
  await one.pass(40_000, 0)
  assert.deepEqual(
    one.saved.map(({ seq }) => seq),
    [SNAPSHOT_INPUTS, SNAPSHOT_INPUTS + 1],
    "its time has come",
  )
})

test("[W11] however many inputs: no two are nearer than checkpoints may be", async () => {
  const one = started()
  for (let second = 1; second <= 45; second++) await one.pass(1_000, 10_000)
  assert.deepEqual(
    one.saved.map(({ atMs }) => atMs),
    // 45 s are also its time.
    [15_000, 30_000, 45_000],
  )
})

test("[W11] inputs since the snapshot that it began with count, not those of before", async () => {
  const one = started(1_000_000)
  await one.pass(REST_MS, 1)
  assert.deepEqual(one.saved, [])
  await one.pass(0, SNAPSHOT_INPUTS)
  assert.equal(one.saved.length, 1)
})

test("[W11] a large one is worth the inputs that it spares: more of them, and more time between two", async () => {
  const one = started()
  one.grow(1_500_000)
  await one.pass(REST_MS, SNAPSHOT_INPUTS)
  const { bytes } = one.snapshots.stats()
  assert.ok(bytes > 1_048_576 && bytes < 2_097_152, `${bytes} bytes`)
  await one.pass(REST_MS, Math.ceil(bytes / 2_048))
  assert.equal(one.saved.length, 1, "30 s for two megabytes")
  await one.pass(14_999, 0)
  assert.equal(one.saved.length, 1)
  await one.pass(1, 0)
  assert.equal(one.saved.length, 2)
})

test("[W11] after one that failed the next waits for its time: a database that is away is not asked at every input", async () => {
  const one = started()
  one.fail(true)
  await one.pass(REST_MS, SNAPSHOT_INPUTS)
  assert.deepEqual([one.saved.length, one.problems.length], [0, 1])
  for (let second = 0; second < 25; second++) await one.pass(1_000, SNAPSHOT_INPUTS)
  assert.equal(one.problems.length, 1)
  one.fail(false)
  await one.pass(5_000, 0)
  assert.deepEqual([one.saved.length, one.problems.length], [1, 1], "45 s: its time")
  await one.pass(REST_MS, SNAPSHOT_INPUTS)
  assert.equal(one.saved.length, 2)
})

test("[W11] once stopped it takes none by itself", async () => {
  const one = started()
  one.snapshots.stop()
  await one.pass(10 * EVERY_MS, 10 * SNAPSHOT_INPUTS)
  assert.deepEqual(one.saved, [])
  await one.snapshots.take()
  assert.equal(one.saved.length, 1)
})
