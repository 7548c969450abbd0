import assert from "node:assert/strict"
import { test } from "node:test"
import { makeManualClock } from "#engine/actors/clock.ts"
import { makeTimers } from "#engine/actors/timers.ts"
import { makeInbox } from "#engine/tenant/inbox.ts"
import { START_MS, syslog } from "#engine/tenant/network.fixture.ts"
import { HEARTBEAT_MS, makeRoundLoop, ROUND_INPUTS_MAX } from "#engine/tenant/round-loop.ts"
import { deviceId } from "#protocol/id.ts"
import type { Sequenced } from "#twin/input.ts"

/** A loop in the test's hand. Each input takes `msPerInput` of monotonic time. */
const makeKit = (msPerInput = 0) => {
  const clock = makeManualClock(START_MS)
  const timers = makeTimers(clock)
  const batches: Array<readonly Sequenced[]> = []
  const scheduled: Array<() => void> = []
  const state = { full: false, healthy: true, monoMs: 0 }
  const inbox = makeInbox(clock.nowMs, () => loop.wake())
  const loop = makeRoundLoop({
    inbox,
    timers,
    seq: 10,
    nowMs: clock.nowMs,
    monoMs: () => state.monoMs,
    soon: (action) => scheduled.push(action),
    isFull: () => state.full,
    apply: (batch) => {
      batches.push(batch)
      state.monoMs += msPerInput * batch.length
      return state.healthy
    },
  })
  const run = (): void => {
    for (let action = scheduled.shift(); action !== undefined; action = scheduled.shift()) action()
  }
  const submit = (count: number): void => {
    for (let n = 0; n < count; n++) inbox.submit(syslog(deviceId(`d${n}`), clock.nowMs(), "line"))
  }
  return { clock, batches, scheduled, state, inbox, loop, run, submit }
}

test("[L1] inputs get consecutive seqs, in rounds of at most ROUND_INPUTS_MAX, one turn of the event loop each", () => {
  const { batches, scheduled, run, submit } = makeKit()
  submit(2 * ROUND_INPUTS_MAX + 5)
  assert.equal(scheduled.length, 1, "scheduled once, whatever arrives")
  run()
  assert.deepEqual(
    batches.map((batch) => batch.length),
    [ROUND_INPUTS_MAX, ROUND_INPUTS_MAX, 5],
  )
  assert.deepEqual(
    batches.flat().map((entry) => entry.seq),
    Array.from({ length: 2 * ROUND_INPUTS_MAX + 5 }, (_, n) => 11 + n),
  )
})

test("[L2] rounds that hold the event loop too long shrink, and grow again when they are quick", () => {
  const slow = makeKit(1)
  slow.submit(4 * ROUND_INPUTS_MAX)
  slow.run()
  assert.equal(slow.batches[0]?.length, ROUND_INPUTS_MAX)
  assert.equal(slow.batches.at(-1)?.length, 8)
  assert.equal(slow.batches.flat().length, 4 * ROUND_INPUTS_MAX)
  slow.state.monoMs = 0
  const quick = makeKit(0.001)
  quick.submit(ROUND_INPUTS_MAX)
  quick.run()
  assert.equal(quick.batches.length, 1)
})

test("[L3] while the journal is full nothing is taken, no heartbeat beats; with room again all goes on in order", () => {
  const { batches, state, inbox, loop, run, submit, clock } = makeKit()
  state.full = true
  submit(3)
  run()
  clock.advanceTo(START_MS + 10 * HEARTBEAT_MS)
  assert.deepEqual([batches.length, inbox.size()], [0, 3])
  state.full = false
  loop.wake()
  run()
  assert.deepEqual(
    batches.flat().map((entry) => entry.seq),
    [11, 12, 13],
  )
})

test("[L4] a failed round ends the loop: nothing runs any more, no heartbeat either", () => {
  const { batches, state, run, submit, clock } = makeKit()
  state.healthy = false
  submit(1)
  run()
  submit(1)
  run()
  clock.advanceTo(START_MS + 10 * HEARTBEAT_MS)
  assert.equal(batches.length, 1)
})

test("[L5] the heartbeat is a tick with the time of the clock, only after a second without inputs", () => {
  const { batches, run, submit, clock } = makeKit()
  clock.advanceTo(START_MS + 999)
  submit(1)
  run()
  clock.advanceTo(START_MS + 1_998)
  assert.equal(batches.length, 1)
  clock.advanceTo(START_MS + 2_000)
  assert.deepEqual(batches[1], [{ seq: 12, input: { kind: "tick", atMs: START_MS + 2_000 } }])
})
