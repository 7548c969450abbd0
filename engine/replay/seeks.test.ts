/** What is told of jumps is what they took: the first ones from checkpoints alone, the later ones from what these left. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { live, story } from "#engine/replay/past.fixture.ts"
import { measureSeeks } from "#engine/replay/seeks.ts"
import { diceOf } from "#engine/dice.ts"
import { START_MS } from "#engine/tenant/network.fixture.ts"

const past = await live(story(120), 40)
const stretch = { fromMs: START_MS + 41_000, toMs: START_MS + 119_000 }

test("[W10] each jump is timed, and ranks are those of the jumps", async () => {
  // A clock by which the n-th jump takes n milliseconds.
  let now = 0
  let asked = 0
  const monotonicMs = (): number => {
    if (asked++ % 2 === 1) now += (asked % 41) / 2
    return now
  }
  const { cold, warm } = await measureSeeks(past, { ...stretch, count: 20, dice: diceOf(1), monotonicMs })
  for (const { p50Ms, p95Ms, maxMs } of [cold, warm]) assert.ok(p50Ms <= p95Ms && p95Ms <= maxMs && maxMs > 0)
  assert.deepEqual([cold.p50Ms, cold.p95Ms, cold.maxMs], [10, 19, 20])
})

test("[W10] the first jumps fold from a checkpoint, so none folds more than lies between two", async () => {
  const { inputsMax } = await measureSeeks(past, { ...stretch, count: 60, dice: diceOf(2), monotonicMs: () => 0 })
  assert.ok(inputsMax > 30 && inputsMax < 40, `${inputsMax}`)
})

test("[W10] the same seed jumps to the same moments", async () => {
  const moments = async (seed: number): Promise<readonly number[]> => {
    const seen: number[] = []
    const watched = { ...past, checkpoint: (atMs: number) => (seen.push(atMs), past.checkpoint(atMs)) }
    await measureSeeks(watched, { ...stretch, count: 5, dice: diceOf(seed), monotonicMs: () => 0 })
    return seen
  }
  assert.deepEqual(await moments(7), await moments(7))
  assert.notDeepEqual(await moments(7), await moments(8))
  const { fromMs, toMs } = stretch
  assert.ok((await moments(9)).every((atMs) => fromMs <= atMs && atMs < toMs))
})
