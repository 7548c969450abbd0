/** Events are told when they are durable, everything in order, and what a crash takes away is never told. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import type { RoundNotice } from "#engine/tenant/live-twin.ts"
import { makeToldNotices } from "#engine/tenant/told-notices.ts"
import type { EventView } from "#protocol/view.ts"

const EVENT = { id: "1-0" } as EventView

const notice = (seq: number, hasEvents: boolean): RoundNotice => ({
  epoch: 1,
  seq,
  atMs: seq,
  nodes: [],
  links: [],
  events: hasEvents ? [EVENT] : [],
  topologyChanged: false,
  touched: new Set(),
})

/** A journal that is durable as far as the test says. */
const journal = () => {
  let durable = 0
  let full = false
  let waiters: Array<{ seq: number; resolve: () => void; reject: (error: Error) => void }> = []
  return {
    durableSeq: () => durable,
    whenDurable: (seq: number) =>
      full
        ? Promise.reject(new Error("too many wait"))
        : new Promise<void>((resolve, reject) => waiters.push({ seq, resolve, reject })),
    waiting: () => waiters.length,
    setFull: (value: boolean) => void (full = value),
    commit: async (seq: number) => {
      durable = seq
      for (const { resolve } of waiters.filter((waiter) => waiter.seq <= seq)) resolve()
      waiters = waiters.filter((waiter) => waiter.seq > seq)
      await Promise.resolve()
    },
    lose: () => waiters.forEach(({ reject }) => reject(new Error("lost"))),
  }
}

test("[W11] a round without events is told at once, one with events when it is durable, and none overtakes", async () => {
  const store = journal()
  const told: number[] = []
  const { tell } = makeToldNotices({ ...store, notify: ({ seq }) => told.push(seq) })
  tell(notice(1, false))
  assert.deepEqual(told, [1])
  tell(notice(2, true))
  tell(notice(3, false))
  tell(notice(4, true))
  tell(notice(5, false))
  assert.deepEqual(told, [1])
  await store.commit(3)
  assert.deepEqual(told, [1, 2, 3])
  await store.commit(4)
  assert.deepEqual(told, [1, 2, 3, 4, 5])
  tell(notice(6, false))
  assert.deepEqual(told, [1, 2, 3, 4, 5, 6])
})

test("[W11] whatever happens in whatever order: told in order, events only up to what is durable, all in the end", async () => {
  const step = fc.record({ events: fc.boolean(), commit: fc.boolean(), full: fc.boolean() })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const store = journal()
      const told: RoundNotice[] = []
      const { tell } = makeToldNotices({
        ...store,
        notify: (one) => {
          assert.ok(one.events.length === 0 || one.seq <= store.durableSeq())
          told.push(one)
        },
      })
      let seq = 0
      for (const { events, commit, full } of steps) {
        store.setFull(full)
        tell(notice(++seq, events))
        assert.ok(store.waiting() <= 1, "one place among those who wait for the journal")
        await new Promise((resolve) => setImmediate(resolve))
        if (commit) await store.commit(seq - 1)
      }
      store.setFull(false)
      tell(notice(++seq, false))
      await store.commit(seq)
      assert.deepEqual(
        told.map((one) => one.seq),
        Array.from({ length: seq }, (_, i) => i + 1),
      )
    }),
  )
})

test("[W11] an event that was not durable is not told when the journal is lost, nor after the end", async () => {
  const store = journal()
  const told: number[] = []
  const { tell, close } = makeToldNotices({ ...store, notify: ({ seq }) => told.push(seq) })
  tell(notice(1, true))
  store.lose()
  await Promise.resolve()
  close()
  await store.commit(9)
  tell(notice(10, false))
  assert.deepEqual(told, [])
})
