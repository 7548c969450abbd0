import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { EVENTS_MAX, FUTURE_MAX_MS, makeInbox, TOPOLOGIES_MAX } from "#engine/tenant/inbox.ts"
import { poll, START_MS, syslog, trap, unreachable } from "#engine/tenant/network.fixture.ts"
import { deviceId } from "#protocol/id.ts"
import { EMPTY_INVENTORY } from "#protocol/inventory.ts"
import type { DeviceInput, Input } from "#twin/input.ts"

const now = (): number => START_MS
const nothing = (): void => undefined
const device = (n: number) => deviceId(`d${n}`)

test("[I1] order of arrival, except that an older waiting poll of the same device and source is lost and counted", () => {
  const offered = fc.array(
    fc.record({
      device: fc.nat(3),
      kind: fc.constantFrom("poll", "unreachable", "trap", "take"),
      source: fc.boolean(),
    }),
    { maxLength: 60 },
  )
  fc.assert(
    fc.property(offered, (steps) => {
      const inbox = makeInbox(now, nothing)
      let model: DeviceInput[] = []
      const taken: Input[] = []
      const expected: Input[] = []
      let lost = 0
      for (const [n, step] of steps.entries()) {
        if (step.kind === "take") {
          taken.push(...inbox.take(2))
          expected.push(...model.splice(0, 2))
          continue
        }
        const at = START_MS - 1_000 + n
        const id = device(step.device)
        const input: DeviceInput =
          step.kind === "trap"
            ? trap(id, at, true)
            : {
                ...(step.kind === "poll" ? poll(id, at) : unreachable(id, at)),
                source: step.source ? "snmp" : "routeros",
              }
        assert.equal(inbox.submit(input), true)
        const sameKey = (other: DeviceInput): boolean =>
          input.kind !== "trap" &&
          (other.kind === "poll" || other.kind === "unreachable") &&
          other.device === input.device &&
          other.source === input.source
        lost += model.filter(sameKey).length
        model = [...model.filter((other) => !sameKey(other)), input]
      }
      taken.push(...inbox.take(1_000))
      expected.push(...model)
      assert.deepEqual(taken, expected)
      assert.equal(inbox.stats().pollsLost, lost)
      assert.equal(inbox.size(), 0)
    }),
  )
})

test("[I2] events push back at the limit and are taken again after a round; polls are still taken meanwhile", () => {
  const inbox = makeInbox(now, nothing)
  for (let n = 0; n < EVENTS_MAX; n++) assert.equal(inbox.submit(syslog(device(n), START_MS, "line")), true)
  assert.equal(inbox.submit(trap(device(1), START_MS, false)), false)
  assert.equal(inbox.submit(poll(device(1), START_MS)), true)
  assert.equal(inbox.stats().eventsRefused, 1)
  assert.equal(inbox.take(1).length, 1)
  assert.equal(inbox.submit(trap(device(1), START_MS, false)), true)
})

test("[I3] a million polls of ten devices wait as ten inputs: memory is bounded by devices, not by time", () => {
  const inbox = makeInbox(now, nothing)
  const polls = Array.from({ length: 10 }, (_, n) => poll(device(n), START_MS))
  for (let n = 0; n < 1_000_000; n++) inbox.submit(polls[n % 10] as DeviceInput)
  assert.equal(inbox.size(), 10)
  assert.equal(inbox.stats().pollsLost, 999_990)
})

test("[I4] inventories are bounded too, and keep their place among the inputs", () => {
  const inbox = makeInbox(now, nothing)
  const topology = (rev: number) => ({ kind: "topology" as const, atMs: START_MS, rev, inventory: EMPTY_INVENTORY })
  inbox.submit(trap(device(1), START_MS, true))
  for (let rev = 1; rev <= TOPOLOGIES_MAX; rev++) assert.equal(inbox.submitChange(topology(rev)), true)
  assert.equal(inbox.submitChange(topology(99)), false)
  inbox.submit(trap(device(2), START_MS, true))
  const kinds = inbox.take(100).map((input) => input.kind)
  assert.deepEqual(kinds, ["trap", ...Array.from({ length: TOPOLOGIES_MAX }, () => "topology"), "trap"])
  assert.equal(inbox.submitChange(topology(99)), true)
})

test("[I5] inputs of a quarantined device are dropped and counted until the quarantine ends; others pass", () => {
  let nowMs = START_MS
  const inbox = makeInbox(() => nowMs, nothing)
  inbox.quarantine("d1", START_MS + 1_000)
  assert.equal(inbox.submit(poll(device(1), nowMs)), true, "not to be offered again")
  assert.equal(inbox.submit(poll(device(2), nowMs)), true)
  assert.deepEqual(inbox.quarantinedNow(), [{ device: "d1", untilMs: START_MS + 1_000 }])
  assert.deepEqual([inbox.size(), inbox.stats().quarantined], [1, 1])
  nowMs += 1_000
  inbox.submit(poll(device(1), nowMs))
  assert.equal(inbox.size(), 2)
  assert.deepEqual(inbox.quarantinedNow(), [])
})

test("[I6] an input with an impossible time cannot drag the twin's clock along", () => {
  let nowMs = START_MS
  const inbox = makeInbox(() => nowMs, nothing)
  for (const atMs of [Number.NaN, Infinity, 1.5]) inbox.submit(trap(device(1), atMs, true))
  assert.deepEqual([inbox.size(), inbox.stats().malformed], [0, 3])
  nowMs += 60_000
  inbox.submit(trap(device(1), nowMs + FUTURE_MAX_MS + 1, true))
  assert.deepEqual([inbox.size(), inbox.stats().malformed], [0, 4])
  inbox.submit(trap(device(1), nowMs + FUTURE_MAX_MS, true))
  assert.equal(inbox.size(), 1)
})

test("[13] what waited while the twin was rebuilt and the clock was set back came now: the new inbox cannot know better", () => {
  const inbox = makeInbox(now, nothing)
  assert.ok(inbox.submit(trap(device(1), START_MS + 3_000_000, true)))
  assert.deepEqual(
    inbox.take(9).map(({ atMs }) => atMs),
    [START_MS],
  )
  assert.equal(inbox.stats().malformed, 0)
})

test("[I7] a closed inbox refuses everything and still gives out what waits", () => {
  const inbox = makeInbox(now, nothing)
  inbox.submit(trap(device(1), START_MS, true))
  inbox.close()
  assert.equal(inbox.submit(trap(device(1), START_MS, true)), false)
  assert.equal(inbox.take(10).length, 1)
})

test("[13] times of a machine whose clock was set are brought into ours; what waited meanwhile keeps its own", () => {
  let skewMs = 0
  const inbox = makeInbox(
    () => START_MS,
    () => undefined,
    undefined,
    () => skewMs,
  )
  const hour = 3_600_000
  const times = (): ReadonlyArray<number> => inbox.take(9).map((input) => input.atMs)
  skewMs = hour
  assert.equal(inbox.submit(poll(deviceId("r1"), START_MS - hour)), true)
  const [read] = inbox.take(1)
  assert.deepEqual(read?.kind === "poll" && [read.startedMs, read.atMs], [START_MS - 20, START_MS])
  inbox.submit(trap(deviceId("r1"), START_MS - 30, false))
  assert.deepEqual(times(), [START_MS - 30], "it waited while the clock was set back: it is no input of the future")
  skewMs = -hour
  inbox.submit(trap(deviceId("r1"), START_MS + hour, false))
  inbox.submit(trap(deviceId("r1"), START_MS - 30, false))
  assert.deepEqual(times(), [START_MS, START_MS - 30])
  skewMs = 0
  inbox.submit(trap(deviceId("r1"), START_MS + hour / 2, false))
  assert.deepEqual(times(), [START_MS], "the clock was set twice while it waited: it came now")
  assert.equal(inbox.stats().malformed, 0)
})
