import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import {
  GROUP_MAX,
  inputBytes,
  makeJournalWriter,
  PENDING_BYTES_MAX,
  WAITERS_MAX,
} from "#engine/tenant/journal-writer.ts"
import type { JournalPort } from "#engine/tenant/ports.ts"
import { poll, START_MS, syslog } from "#engine/tenant/network.fixture.ts"
import { deviceId } from "#protocol/id.ts"
import type { Sequenced } from "#twin/input.ts"

/** A journal that commits when the test says so. */
const manualJournal = () => {
  const groups: Array<readonly Sequenced[]> = []
  let waiting: Array<{ resolve: () => void; reject: (error: Error) => void }> = []
  const port: JournalPort = {
    append: (batch) => {
      groups.push(batch)
      return new Promise((resolve, reject) => waiting.push({ resolve, reject }))
    },
    readFrom: () => assert.fail("not read here"),
    lastSeq: () => assert.fail("not read here"),
  }
  const answer = async (how: "commit" | "refuse"): Promise<number> => {
    const due = waiting
    waiting = []
    for (const { resolve, reject } of due) {
      if (how === "commit") resolve()
      else reject(new Error("fenced"))
    }
    await new Promise((resolve) => setImmediate(resolve))
    return due.length
  }
  return { port, groups, answer }
}

const tick = (seq: number): Sequenced => ({ seq, input: { kind: "tick", atMs: START_MS } })

test("[G1] groups keep order, lose nothing, never overlap, and durability follows the commits", async () => {
  const command = fc.oneof(fc.record({ write: fc.integer({ min: 1, max: 5 }) }), fc.constant({ write: 0 }))
  await fc.assert(
    fc.asyncProperty(fc.array(command, { maxLength: 30 }), async (commands) => {
      const { port, groups, answer } = manualJournal()
      const writer = makeJournalWriter({ port, durableSeq: 0, onRoom: assert.fail, onLost: assert.fail })
      let seq = 0
      const waits: Array<Promise<void>> = []
      for (const { write } of commands) {
        if (write === 0) {
          assert.ok((await answer("commit")) <= 1, "one append at a time")
          continue
        }
        writer.write(Array.from({ length: write }, () => tick(++seq)))
        const mine = seq
        waits.push(writer.whenDurable(mine).then(() => assert.ok(writer.durableSeq() >= mine)))
      }
      while ((await answer("commit")) > 0);
      assert.deepEqual(
        groups.flat().map((entry) => entry.seq),
        Array.from({ length: seq }, (_, n) => n + 1),
      )
      assert.equal(writer.durableSeq(), seq)
      await Promise.all(waits)
      assert.deepEqual(writer.pending(), { inputs: 0, bytes: 0 })
    }),
    { numRuns: 50 },
  )
})

test("[G2] what comes during a commit forms the next group, in pieces of a bounded size", async () => {
  const { port, groups, answer } = manualJournal()
  const writer = makeJournalWriter({ port, durableSeq: 0, onRoom: assert.fail, onLost: assert.fail })
  for (let seq = 1; seq <= GROUP_MAX + 10; seq++) writer.write([tick(seq)])
  while ((await answer("commit")) > 0);
  assert.deepEqual(
    groups.map((group) => group.length),
    [1, GROUP_MAX, 9],
  )
})

test("[G3] above PENDING_BYTES_MAX it is full, and says when there is room again", async () => {
  const { port, answer } = manualJournal()
  let room = 0
  const writer = makeJournalWriter({ port, durableSeq: 0, onRoom: () => room++, onLost: assert.fail })
  const big = { ...syslog(deviceId("d"), START_MS, "x".repeat(1_000_000)) }
  let seq = 0
  while (!writer.isFull()) writer.write([{ seq: ++seq, input: big }])
  assert.ok(writer.pending().bytes <= PENDING_BYTES_MAX + inputBytes(big))
  while ((await answer("commit")) > 0);
  assert.equal(room, 1)
  assert.equal(writer.isFull(), false)
  assert.equal(writer.durableSeq(), seq)
})

test("[G4] a refused append is final: waiters are told why, nothing more is appended, the owner hears once", async () => {
  const { port, groups, answer } = manualJournal()
  const lost: Error[] = []
  const writer = makeJournalWriter({ port, durableSeq: 7, onRoom: assert.fail, onLost: (error) => lost.push(error) })
  writer.write([tick(8)])
  writer.write([tick(9)])
  const waits = [writer.whenDurable(8), writer.whenDurable(9)].map((wait) => assert.rejects(wait, /fenced/))
  await writer.whenDurable(7)
  await answer("refuse")
  await Promise.all(waits)
  writer.write([tick(10)])
  assert.equal(await answer("commit"), 0)
  assert.deepEqual([groups.length, lost.length, writer.durableSeq()], [1, 1, 7])
})

test("[G5] the number of callers that wait for a commit is bounded", async () => {
  const { port, answer } = manualJournal()
  const writer = makeJournalWriter({ port, durableSeq: 0, onRoom: assert.fail, onLost: assert.fail })
  writer.write([tick(1)])
  const waits = Array.from({ length: WAITERS_MAX }, () => writer.whenDurable(1))
  await assert.rejects(writer.whenDurable(1), /callers wait/)
  await answer("commit")
  await Promise.all(waits)
})

test("[G6] the estimate of an input's size grows with what a device can make large", () => {
  const one = poll(deviceId("d"), START_MS)
  assert.ok(inputBytes({ ...one, value: new Float64Array(10_000) }) > 100_000)
  assert.ok(inputBytes(syslog(deviceId("d"), START_MS, "x".repeat(8_000))) > 8_000)
})
