/** [W11] What was acknowledged is durable: answers and told events wait for the journal. */
import assert from "node:assert/strict"
import { test } from "node:test"
import * as Effect from "effect/Effect"
import type { RoundNotice } from "#engine/tenant/live-twin.ts"
import { makeMemoryPorts } from "#engine/tenant/memory-ports.ts"
import { poll, START_MS, trap } from "#engine/tenant/network.fixture.ts"
import type { JournalPort } from "#engine/tenant/ports.ts"

import { device, start } from "#engine/tenant/runtime.fixture.ts"

test("[W11] an answer and an event wait for the journal: nothing that a kill -9 takes away was ever acknowledged", async (t) => {
  const ports = makeMemoryPorts()
  let release = (): void => undefined
  let held: Promise<void> | null = null
  const journal: JournalPort = {
    ...ports.journal,
    append: async (batch) => {
      await held
      await ports.journal.append(batch)
    },
  }
  const { runtime } = await start(t, { ports, journal })
  const id = device(runtime, 0)
  runtime.submit(poll(id, START_MS))
  await runtime.flush()
  const told: RoundNotice[] = []
  runtime.onRound((notice) => told.push(notice))
  held = new Promise((resolve) => void (release = resolve))
  let answered = 0
  assert.equal(
    runtime.submit(trap(id, START_MS + 500, false), () => answered++),
    true,
  )
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve))
  assert.equal(runtime.counts().linksDown, 1, "the twin does not wait")
  assert.deepEqual([answered, told.length, runtime.durableSeq() < runtime.seq()], [0, 0, true])
  release()
  await runtime.flush()
  assert.equal(answered, 1)
  assert.deepEqual(
    told.flatMap(({ events }) => events.map(({ source }) => source)),
    ["trap", "twin"],
  )
})

test("[W11] what is refused or dropped is never answered", async (t) => {
  const { runtime, clock } = await start(t)
  const id = device(runtime, 0)
  let answered = 0
  runtime.submit(trap(id, Number.NaN, false), () => answered++)
  // In its first minute an inbox does not know whether the clock was set while an input waited: it takes what is ahead.
  runtime.submit(poll(id, clock.nowMs()))
  clock.advanceTo(clock.nowMs() + 61_000)
  const late = trap(id, clock.nowMs() + 10_000_000, false)
  runtime.submit(late, () => answered++)
  await runtime.flush()
  await Effect.runPromise(runtime.stop)
  runtime.submit(trap(id, clock.nowMs(), false), () => answered++)
  assert.equal(answered, 0)
})
