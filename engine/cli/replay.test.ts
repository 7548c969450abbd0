/** What `heliograph replay` prints is what was decided in the time that it was asked for. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import type { Asked } from "#engine/cli/replay.ts"
import { replayed } from "#engine/cli/replay.ts"
import { FIRST, live, RING, story } from "#engine/replay/past.fixture.ts"
import { poll, RULES, START_MS } from "#engine/tenant/network.fixture.ts"

const LAST_S = 600

/** Polls of a minute, nine minutes of nothing in which time alone decides, and polls again. */
const past = await live(
  [
    FIRST,
    { kind: "rules", atMs: START_MS, rev: 1, rules: RULES },
    ...story(60).slice(1),
    ...RING.devices.map(({ id }, i) => poll(id, START_MS + (LAST_S - 10 + i) * 1_000, { cpu: 5 })),
    poll(RING.devices[0]!.id, START_MS + LAST_S * 1_000, { cpu: 6 }),
  ],
  10,
)

const asked = (fromMs: number): Asked => ({
  tenant: null,
  fromMs,
  toMs: START_MS + LAST_S * 1_000,
  speed: null,
  events: true,
  verify: false,
  seek: 0,
  seed: 1,
  topology: null,
  fork: null,
})

const printed = async (fromMs: number): Promise<{ events: string[]; summary: Record<string, unknown> }> => {
  const lines: string[] = []
  const io = { env: {}, out: (line: string) => void lines.push(line), err: (line: string) => assert.fail(line) }
  assert.equal(await replayed(past, asked(fromMs), io), 0)
  return { events: lines.slice(0, -1), summary: JSON.parse(lines.at(-1)!) as Record<string, unknown> }
}

test("[7.4] --events prints what happened from then on, and nothing that was before", async () => {
  const decidedByTime = past.events.filter(
    ({ atMs }) => atMs > START_MS + 61_000 && atMs < START_MS + (LAST_S - 10) * 1_000,
  )
  assert.ok(decidedByTime.length > 0, "in the silence something was decided")
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 11, max: LAST_S - 1 }), async (seconds) => {
      // Between two inputs.
      const fromMs = START_MS + seconds * 1_000 + 500
      const { events } = await printed(fromMs)
      const expected = past.events.filter(({ atMs }) => atMs >= fromMs)
      assert.equal(events.length, expected.length)
      for (const [i, { atMs, type }] of expected.entries())
        assert.ok(
          events[i]!.startsWith(new Date(atMs).toISOString()) && events[i]!.includes(type),
          `${type}: ${events[i]}`,
        )
    }),
    { numRuns: 30 },
  )
})

test("the last line sums up: from where it folded, how many inputs, and the state at the end", async () => {
  const { summary } = await printed(START_MS + 30_500)
  assert.deepEqual(
    [summary["case"], summary["checkpointSeq"], summary["leadInputs"], summary["stateHash"]],
    ["replay", 30, 2, past.hashes.at(-1)],
  )
  assert.equal(summary["inputs"], past.inputs.length - 32)
})
