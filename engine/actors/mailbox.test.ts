import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { Mailbox } from "#engine/actors/mailbox.ts"

/** The same promises, written the slow way. */
class Model {
  readonly max: number
  items: Array<{ message: number; key: string | null }> = []
  constructor(max: number) {
    this.max = max
  }
  offer(message: number, key: string | null): string {
    const same = key === null ? undefined : this.items.find((item) => item.key === key)
    if (same !== undefined) {
      same.message = message
      return "coalesced"
    }
    if (this.items.length >= this.max) return "full"
    this.items.push({ message, key })
    return "queued"
  }
}

test("[M1] first in, first out, bounded, coalescing by key: as a plain list would do it", () => {
  const command = fc.oneof(
    fc.record({ kind: fc.constant("offer" as const), key: fc.option(fc.constantFrom("a", "b", "c")), n: fc.nat() }),
    fc.record({ kind: fc.constant("force" as const), n: fc.nat() }),
    fc.record({ kind: fc.constant("take" as const), times: fc.nat(5) }),
    fc.record({ kind: fc.constant("clear" as const) }),
  )
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6 }), fc.array(command, { maxLength: 60 }), (max, commands) => {
      const [box, model] = [new Mailbox<number>(max), new Model(max)]
      for (const step of commands) {
        if (step.kind === "offer") assert.equal(box.offer(step.n, step.key), model.offer(step.n, step.key))
        else if (step.kind === "force") {
          box.force(step.n)
          model.items.push({ message: step.n, key: null })
        } else if (step.kind === "clear") {
          assert.deepEqual(
            box.clear(),
            model.items.splice(0).map((item) => item.message),
          )
        } else {
          for (let n = 0; n < step.times && model.items.length > 0; n++)
            assert.equal(box.take(), model.items.shift()?.message)
        }
        assert.equal(box.size, model.items.length)
      }
    }),
  )
})

test("[M2] order and keys survive the compaction of a long-lived mailbox that is never empty", () => {
  const box = new Mailbox<number>(5_000)
  let next = 0
  let expected = 0
  for (; next < 3_000; next++) box.offer(next, next % 7 === 0 ? `key ${next}` : null)
  for (let round = 0; round < 20_000; round++) {
    assert.equal(box.take(), expected++)
    box.offer(next, next % 7 === 0 ? `key ${next}` : null)
    next++
  }
  const waitingKey = [...Array(7).keys()].map((n) => expected + n).find((n) => n % 7 === 0) as number
  assert.equal(box.offer(-1, `key ${waitingKey}`), "coalesced")
  while (expected < waitingKey) assert.equal(box.take(), expected++)
  assert.equal(box.take(), -1)
})
