/** A window as bytes: unpacked it is the window that addPoll makes of the same polls, whatever they hold. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { addPoll, emptyWindow, encodeChunk, windowSeries } from "#engine/storage/chunk.ts"
import { PackedWindow, type Shape } from "#engine/storage/packed-window.ts"
import { routerPolls } from "#engine/storage/polls.fixture.ts"
import { deviceId, entityKey, interfaceKey } from "#protocol/id.ts"
import { metricId } from "#protocol/metric.ts"
import type { PollInput } from "#twin/input.ts"

const hard = fc.constantFrom(0, -0, 1, -1, Number.NaN, Infinity, -Infinity, 2 ** 53, -(2 ** 53), 2 ** 53 - 1, 2 ** 64)
const value = fc.oneof(
  hard,
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double(),
  fc.float(),
  fc.nat(1000).map((n) => n / 10),
)
const entities = ["", "if:ether1", "if:été", "bgp:10.0.0.1"].map(entityKey)

const rows = fc.array(
  // Entity 7 is none of the poll's: its rows are left out, as addPoll does.
  fc.record({ entity: fc.constantFrom(0, 1, 2, 3, 7), metric: fc.integer({ min: 0, max: 65_535 }) }),
  { maxLength: 9 },
)

/** Polls of few shapes in turns, with values like nobody measures them. */
const polls = fc
  .array(rows, { minLength: 1, maxLength: 3 })
  .chain((shapes) =>
    fc.array(
      fc.integer({ min: 0, max: shapes.length - 1 }).chain((index) => {
        const shape = shapes[index]!
        const values = fc.array(value, { minLength: shape.length, maxLength: shape.length })
        return fc.tuple(fc.constant(shape), values, fc.integer({ min: 0, max: 2 ** 41 }))
      }),
      { minLength: 1, maxLength: 20 },
    ),
  )
  .map((all) =>
    all.map(([shape, values, atMs]): PollInput => ({
      kind: "poll",
      device: deviceId("d"),
      source: "snmp",
      startedMs: atMs,
      atMs,
      entities,
      entity: Uint16Array.from(shape, (row) => row.entity),
      metric: Uint16Array.from(shape, (row) => row.metric),
      value: Float64Array.from(values),
      texts: [],
      complete: [],
    })),
  )

/** All that a window says, with every bit of its numbers. */
const told = (window: ReturnType<typeof emptyWindow>) => ({
  seq: window.seq,
  atMs: window.atMs,
  samples: window.samples,
  series: [...window.series].flatMap(([entity, metrics]) =>
    [...metrics.keys()].map((metric) => {
      const series = windowSeries(window, entity, metric)!
      return [entity, metric, [...series.atMs], [...series.value].map(words)]
    }),
  ),
})
const words = (number: number): string => (Object.is(number, -0) ? "-0" : String(number))

test("any polls: unpacked it is what addPoll makes of them, and so is its chunk", () => {
  fc.assert(
    fc.property(polls, fc.nat(1000), fc.boolean(), (all, first, trimmed) => {
      const [packed, plain] = [new PackedWindow(1), emptyWindow()]
      let like: Shape | null = null
      for (const [i, poll] of all.entries()) {
        like = packed.add(first + i * 3, poll, like)
        addPoll(plain, first + i * 3, poll)
      }
      if (trimmed) packed.trim()
      const back = packed.unpack()
      assert.deepEqual(told(back), told(plain))
      assert.deepEqual([packed.seq, packed.atMs, packed.samples], [plain.seq, plain.atMs, plain.samples])
      assert.deepEqual(encodeChunk(back), encodeChunk(plain))
      assert.deepEqual(told(packed.unpack()), told(plain), "unpacking takes nothing out")
    }),
    { numRuns: 1_500 },
  )
})

test("one series of a window is the same, taken alone", () => {
  fc.assert(
    fc.property(polls, (all) => {
      const [packed, plain] = [new PackedWindow(), emptyWindow()]
      for (const [i, poll] of all.entries()) {
        packed.add(i, poll)
        addPoll(plain, i, poll)
      }
      for (const [entity, metrics] of plain.series)
        for (const metric of metrics.keys()) {
          const only = packed.unpack((of, id) => of === entity && id === metric)
          assert.equal(only.series.size, 1)
          assert.deepEqual(windowSeries(only, entity, metric), windowSeries(plain, entity, metric))
        }
      assert.equal(packed.unpack(() => false).series.size, 0)
    }),
    { numRuns: 200 },
  )
})

test("a shape is shared from window to window, and is a copy of the poll's", () => {
  const [first, second] = routerPolls({ device: deviceId("d"), polls: 2, interfaces: 2 }) as [PollInput, PollInput]
  const one = new PackedWindow().add(1, first)
  assert.equal(new PackedWindow().add(2, second, one), one)
  assert.notEqual(new PackedWindow().add(2, { ...second, metric: second.metric.map((id) => id + 1) }, one), one)
  assert.notEqual(new PackedWindow().add(2, { ...second, entities: [...second.entities].toReversed() }, one), one)
  first.metric.fill(0)
  assert.notEqual(one.metric[0], 0)
})

test("polls that come when a window was trimmed still belong to it", () => {
  const all = routerPolls({ device: deviceId("d"), polls: 6, interfaces: 1 })
  const [packed, plain] = [new PackedWindow(), emptyWindow()]
  for (const [i, poll] of all.entries()) {
    packed.add(i, poll)
    addPoll(plain, i, poll)
    if (i === 2) packed.trim()
  }
  assert.deepEqual(told(packed.unpack()), told(plain))
})

test("[W15] router-like polls take about 3 bytes a sample while their window is open", (t) => {
  const all = routerPolls({ device: deviceId("d"), polls: 30, interfaces: 8 })
  const packed = new PackedWindow()
  let like: Shape | null = null
  const began = performance.now()
  for (const [i, poll] of all.entries()) like = packed.add(i, poll, like)
  const addedMs = performance.now() - began
  packed.trim()
  const octets = packed.unpack(
    (entity, metric) => entity === interfaceKey("ether1") && metric === metricId("interface.rx_bytes_total"),
  )
  assert.equal(octets.samples, 30)
  const each = packed.heldBytes / packed.samples
  t.diagnostic(
    `${each.toFixed(2)} B/sample, ${((addedMs * 1e6) / packed.samples).toFixed(0)} ns to add a sample (cold)`,
  )
  assert.ok(each < 3.5, `${each} B/sample`)
})
