/** Queues as counts and totals: drops per second whatever comes and goes, and no customer's name asked for or told. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { makeQueueMemory, QUEUE_MENUS, QUEUES_MAX, takeQueues } from "#engine/collectors/routeros/queues.ts"
import type { Row } from "#engine/collectors/routeros/reply.ts"

const [SIMPLE, TREE] = QUEUE_MENUS as readonly [(typeof QUEUE_MENUS)[number], (typeof QUEUE_MENUS)[number]]
const queue = (id: string, dropped: string, more: Record<string, string> = {}): Row =>
  new Map(Object.entries({ ".id": id, dropped, disabled: "false", ...more }))

test("[S11] neither name nor target nor comment of a queue is asked for", () => {
  for (const { words } of QUEUE_MENUS)
    assert.deepEqual(words.slice(1), ["=stats=", "=.proplist=.id,dropped,disabled,invalid"])
})

test("[C1] drops per second, of simple queues in both directions, of a tree's in one", () => {
  const memory = makeQueueMemory()
  const first = takeQueues(memory, SIMPLE, [queue("*1", "10/5"), queue("*2", "0/0")], 1_000)
  assert.deepEqual(first, { count: 2, droppedPps: null })
  assert.deepEqual(takeQueues(memory, TREE, [queue("*1", "7")], 1_000), { count: 1, droppedPps: null })
  const next = [queue("*1", "40/35"), queue("*2", "0/0", { disabled: "true" }), queue("*3", "9/9", { invalid: "true" })]
  assert.deepEqual(takeQueues(memory, SIMPLE, next, 61_000), { count: 1, droppedPps: 1 })
  assert.deepEqual(takeQueues(memory, TREE, [queue("*1", "127")], 61_000), { count: 1, droppedPps: 2 })
})

test("a queue that came, went or began anew drops nothing; a router without queues drops none", () => {
  const memory = makeQueueMemory()
  takeQueues(memory, SIMPLE, [queue("*1", "500/0"), queue("*2", "900/0")], 0)
  assert.equal(takeQueues(memory, SIMPLE, [queue("*2", "0/3"), queue("*9", "800/0")], 10_000).droppedPps, 0)
  assert.deepEqual(takeQueues(memory, SIMPLE, [], 20_000), { count: 0, droppedPps: 0 })
})

test("drops that are not told are not zero, and of too many queues only the count is told", () => {
  const memory = makeQueueMemory()
  const mute = [queue("*1", "never"), queue("*2", "1/2/3")]
  takeQueues(memory, SIMPLE, mute, 0)
  assert.deepEqual(takeQueues(memory, SIMPLE, mute, 10_000), { count: 2, droppedPps: null })
  const crowd = Array.from({ length: QUEUES_MAX + 1 }, (_, n) => queue(`*${n}`, "1/1"))
  assert.deepEqual(takeQueues(memory, SIMPLE, crowd, 20_000), { count: QUEUES_MAX + 1, droppedPps: null })
  assert.equal(memory.menus.size, 0)
})

test("any readings: never negative, never above what all counters rose by together", () => {
  const reading = fc.dictionary(fc.constantFrom("*1", "*2", "*3"), fc.nat(1_000), { noNullPrototype: true })
  fc.assert(
    fc.property(fc.array(reading, { maxLength: 6 }), (readings) => {
      const memory = makeQueueMemory()
      let before: Record<string, number> = {}
      for (const [i, now] of readings.entries()) {
        const rows = Object.entries(now).map(([id, drops]) => queue(id, `${drops}/0`))
        const { droppedPps } = takeQueues(memory, SIMPLE, rows, i * 1_000)
        const rise = Object.entries(now).reduce(
          (sum, [id, drops]) => sum + Math.max(0, drops - (before[id] ?? drops)),
          0,
        )
        assert.ok(droppedPps === null || droppedPps === rise)
        before = now
      }
    }),
  )
})
