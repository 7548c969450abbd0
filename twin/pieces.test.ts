import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import { entityKey } from "#protocol/id.ts"
import { at, chunkedOf, replaced } from "#twin/chunked.ts"
import { durationText } from "#twin/duration.ts"
import { stateHash } from "#twin/hash.ts"
import { rowFinder } from "#twin/rows.ts"
import { originEstimated, originSource, packOrigin, SOURCES } from "#twin/source.ts"
import { makeTimers } from "#twin/timers.ts"
import { emptyTable, layoutOf, relaidTable } from "#twin/values.ts"

describe("timers", () => {
  test("give every wish once, in order of time and then actor, as a sorted list would", () => {
    const actors = 12
    const op = fc.oneof(
      fc.record({ set: fc.nat(actors - 1), due: fc.option(fc.nat(30)) }),
      fc.record({ takeUntil: fc.nat(40) }),
    )
    fc.assert(
      fc.property(fc.array(op, { maxLength: 200 }), (ops) => {
        const timers = makeTimers(actors)
        const oracle = new Map<number, number>()
        for (const step of ops) {
          if ("set" in step) {
            timers.set(step.set, step.due)
            if (step.due === null) oracle.delete(step.set)
            else oracle.set(step.set, step.due)
            assert.equal(timers.due(step.set), step.due)
          } else {
            const [first] = [...oracle].sort(([a, x], [b, y]) => x - y || a - b)
            const expected =
              first !== undefined && first[1] <= step.takeUntil ? { actor: first[0], dueMs: first[1] } : null
            assert.deepEqual(timers.takeDue(step.takeUntil), expected)
            if (expected) oracle.delete(expected.actor)
          }
        }
        for (let actor = 0; actor < actors; actor++) assert.equal(timers.due(actor), oracle.get(actor) ?? null)
      }),
      { numRuns: 500 },
    )
  })

  test("an actor that does not exist is a defect", () => {
    assert.throws(() => makeTimers(2).set(2, 1), RangeError)
  })
})

test("a chunked array is an array, and an update leaves the old one alone", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 300 }), fc.array(fc.tuple(fc.nat(299), fc.nat())), (length, updates) => {
      let list = chunkedOf(length, 0)
      const oracle = Array.from({ length }, () => 0)
      for (const [index, value] of updates) {
        const slot = index % length
        const before = list
        const old = oracle[slot]
        list = replaced(list, slot, value)
        assert.equal(at(before, slot), old)
        oracle[slot] = value
      }
      assert.deepEqual(list.chunks.flat(), oracle)
    }),
  )
  assert.throws(() => at(chunkedOf(3, 0), 3), RangeError)
  assert.throws(() => replaced(chunkedOf(3, 0), -1, 1), RangeError)
})

test("rows are found like in a map, whatever the order, and a full table takes no more", () => {
  const key = fc.constantFrom(..."abcdefgh").map(entityKey)
  fc.assert(
    fc.property(fc.uniqueArray(key), fc.array(key), fc.integer({ min: 0, max: 8 }), (known, asked, room) => {
      const most = known.length + room
      const finder = rowFinder(known, most)
      const oracle = [...known]
      for (const wanted of asked) {
        assert.equal(finder.find(wanted), oracle.indexOf(wanted))
        if (!oracle.includes(wanted) && oracle.length < most) oracle.push(wanted)
        assert.equal(finder.rowOf(wanted), oracle.indexOf(wanted))
      }
      assert.deepEqual(finder.keys(), oracle)
      if (oracle.length === known.length) assert.equal(finder.keys(), known)
    }),
    { numRuns: 500 },
  )
})

test("an origin byte keeps source and estimate", () => {
  for (const source of SOURCES)
    for (const estimated of [true, false]) {
      const byte = packOrigin(source, estimated)
      assert.ok(byte >= 0 && byte <= 255)
      assert.equal(originSource(byte), source)
      assert.equal(originEstimated(byte), estimated)
    }
})

test("values move to the columns of another build, and unknown metrics are left behind", () => {
  const layout = layoutOf("device")
  const old = emptyTable(2, 3)
  old.value.set([1, 2, 3, 4, 5, 6])
  old.atMs.set([10, 20, 30, 40, 50, 60])
  const ids = [layout.metrics[4]?.id ?? 0, 60_000, layout.metrics[0]?.id ?? 0]
  const moved = relaidTable(old, ids, layout)
  assert.deepEqual(
    [moved.value[4], moved.value[0], moved.value[layout.width + 4], moved.atMs[layout.width]],
    [1, 3, 4, 60],
  )
  assert.equal(moved.value.filter((value) => !Number.isNaN(value)).length, 4)
})

test("durations read like an operator would say them", () => {
  const texts = [-5, 0, 4_400, 59_600, 200_000, 3_600_000, 18_120_000, 1_051_200_000].map(durationText)
  assert.deepEqual(texts, ["0 s", "0 s", "4 s", "1 min", "3 min 20 s", "1 h", "5 h 2 min", "12 d 4 h"])
})

describe("state hash", () => {
  const plain = fc.jsonValue()
  test("is equal for equal data, whatever the order of keys", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), plain), (object) => {
        const reversed = Object.fromEntries(Object.entries(object).reverse())
        assert.equal(stateHash(object), stateHash(reversed))
        assert.equal(stateHash(object), stateHash(structuredClone(object)))
      }),
    )
  })
  test("differs for different data", () => {
    const seen = new Map<string, string>()
    fc.assert(
      fc.property(plain, (value) => {
        const canonical = JSON.stringify(sorted(value))
        const hash = stateHash(value)
        assert.equal(seen.get(hash) ?? canonical, canonical)
        seen.set(hash, canonical)
      }),
      { numRuns: 2000 },
    )
    assert.equal(new Set([[1], [2], ["1"], [[1]], [1, 1], [null], [true], [false], {}, []].map(stateHash)).size, 10)
    assert.notEqual(stateHash(Float64Array.of(1, 2)), stateHash(Float64Array.of(1, 2.0000000001)))
  })
  test("knows one NaN and one zero, and refuses what is not data", () => {
    assert.equal(stateHash([-0, Number.NaN]), stateHash([0, Number.NaN]))
    assert.throws(() => stateHash(() => 1), TypeError)
  })
})

const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sorted)
  if (Object.is(value, -0)) return 0
  if (typeof value !== "object" || value === null) return value
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, item]) => [`key ${key}`, sorted(item)])
    .concat([["object", ""]])
}
