import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { packStored } from "#protocol/codec.ts"
import { decodeBatch, encodeBatch, JOURNAL_VERSION, JournalUnreadable } from "#engine/tenant/journal-codec.ts"
import { anyInput, hostileText, poll, START_MS } from "#engine/tenant/network.fixture.ts"
import { wellFormed } from "#engine/tenant/well-formed.ts"
import { deviceId } from "#protocol/id.ts"
import type { Sequenced } from "#twin/input.ts"

const anyBatch = fc
  .tuple(fc.integer({ min: 1, max: 2 ** 52 }), fc.array(anyInput(), { minLength: 1, maxLength: 8 }))
  .map(([first, inputs]): Sequenced[] => inputs.map((input, index) => ({ seq: first + index, input })))

test("[J1] decode(encode(batch)) = batch for every kind of input and any text", () => {
  fc.assert(fc.property(anyBatch, (batch) => assert.deepEqual(decodeBatch(encodeBatch(batch)), batch)))
})

test("[J2] columns that are views into larger buffers keep their own values", () => {
  const whole = poll(deviceId("d"), START_MS)
  const wide = new Float64Array(whole.value.length + 9).fill(7)
  wide.set(whole.value, 5)
  const value = wide.subarray(5, 5 + whole.value.length)
  const [entry] = decodeBatch(encodeBatch([{ seq: 1, input: { ...whole, value } }]))
  assert.deepEqual(entry?.input, whole)
})

test("[J3] any damage is refused as JournalUnreadable or read as some well-shaped inputs, never another error", () => {
  const damage = fc.record({ at: fc.nat(), bits: fc.integer({ min: 1, max: 255 }), keep: fc.nat() })
  fc.assert(
    fc.property(anyBatch, damage, (batch, { at, bits, keep }) => {
      const bytes = encodeBatch(batch)
      bytes[at % bytes.length] = (bytes[at % bytes.length] as number) ^ bits
      for (const damaged of [bytes, bytes.subarray(0, keep % bytes.length)]) {
        try {
          decodeBatch(damaged)
        } catch (error) {
          assert.ok(error instanceof JournalUnreadable, String(error))
        }
      }
    }),
    { numRuns: 300 },
  )
})

test("[J4] a version of the future and shapes that do not fit are refused by name", () => {
  const bytes = encodeBatch([{ seq: 1, input: { kind: "tick", atMs: 5 } }])
  bytes[0] = JOURNAL_VERSION + 1
  assert.throws(() => decodeBatch(bytes), /journal version 2: this build reads 1; use a newer Heliograph/)
  assert.throws(() => decodeBatch(new Uint8Array()), /journal version none/)
  const raw = (row: unknown): Uint8Array => Uint8Array.from([JOURNAL_VERSION, ...packStored([1, [row]])])
  assert.throws(() => decodeBatch(raw([99, 5])), /input kind 99 is unknown/)
  assert.throws(() => decodeBatch(raw([0, "soon"])), /atMs of a journal row is damaged/)
  const columns = [new Uint16Array([3]), new Uint16Array([1]), new Float64Array([1])]
  assert.throws(() => decodeBatch(raw([1, 5, "d", "snmp", 5, ["if:a"], ...columns, [], []])), /names no entity/)
})

test("[J4] a syslog row of a build that kept no whole line is read as it was meant", () => {
  const row = [4, 5, "d", 3, ["system"], "a line", null, 1]
  const bytes = Uint8Array.from([JOURNAL_VERSION, ...packStored([1, [row]])])
  const input = { kind: "syslog", device: "d", atMs: 5, severity: 3, topics: ["system"], message: "a line" }
  assert.deepEqual(decodeBatch(bytes), [{ seq: 1, input: { ...input, event: null, count: 1 } }])
})

test("[J5] a batch with a gap, or none at all, is a defect of the writer", () => {
  const tick = (seq: number): Sequenced => ({ seq, input: { kind: "tick", atMs: 5 } })
  assert.throws(() => encodeBatch([]), RangeError)
  assert.throws(() => encodeBatch([tick(1), tick(3)]), RangeError)
})

test("[J6] what wellFormed lets in survives the journal unchanged, and well-formed input is not copied", () => {
  fc.assert(
    fc.property(anyInput(hostileText), (input) => {
      const fine = wellFormed(input)
      const [entry] = decodeBatch(encodeBatch([{ seq: 1, input: fine }]))
      assert.deepEqual(entry?.input, fine)
      assert.equal(wellFormed(fine), fine)
    }),
  )
})

test("[J7] a poll of 384 samples takes at most 16 bytes a sample", () => {
  const one = poll(deviceId("018f0000-0000-7000-8000-000000000001"), START_MS)
  const times = Math.ceil(384 / one.value.length)
  const input = {
    ...one,
    entity: Uint16Array.from(
      { length: times * one.entity.length },
      (_, n) => one.entity[n % one.entity.length] as number,
    ),
    metric: Uint16Array.from(
      { length: times * one.metric.length },
      (_, n) => one.metric[n % one.metric.length] as number,
    ),
    value: Float64Array.from({ length: times * one.value.length }, (_, n) => one.value[n % one.value.length] as number),
  }
  const bytes = encodeBatch([{ seq: 1, input }]).length
  assert.ok(bytes <= 16 * input.value.length, `${bytes} bytes for ${input.value.length} samples`)
})
