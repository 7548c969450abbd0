/** Checkpoints of the last hour: near for small twins, never more than the disk was promised. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { checkpointEveryMs, FINE_CHECKPOINT_MS } from "#engine/tenant/checkpoint-pace.ts"

const MB = 1 << 20

test("[W10] a megabyte every 15 s, twice as much every 30 s, and what is large in ten minutes", () => {
  const seconds = [0, 1, MB, MB + 1, 2 * MB, 2 * MB + 1, 4 * MB, 4 * MB + 1, 1e9].map((bytes) =>
    checkpointEveryMs(bytes),
  )
  assert.deepEqual(seconds, [
    15_000,
    15_000,
    15_000,
    30_000,
    30_000,
    60_000,
    60_000,
    FINE_CHECKPOINT_MS,
    FINE_CHECKPOINT_MS,
  ])
})

test("[W10] an hour of small ones has at most 240 MB, and larger ones are never nearer to each other", () => {
  fc.assert(
    fc.property(fc.nat(8 * MB), fc.nat(8 * MB), (a, b) => {
      const [small, large] = a < b ? [a, b] : [b, a]
      assert.ok(checkpointEveryMs(small) <= checkpointEveryMs(large))
      for (const bytes of [a, b])
        if (bytes <= 4 * MB) assert.ok((3_600_000 / checkpointEveryMs(bytes)) * bytes <= 240 * MB)
    }),
  )
})
