/** Chunks and columns: what goes in comes out bit for bit, and damage is named instead of believed. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { ByteReader, ByteWriter } from "#engine/storage/bits.ts"
import { addPoll, chunkSeries, emptyWindow, encodeChunk, openChunk, windowSeries } from "#engine/storage/chunk.ts"
import { readColumn, writeColumn } from "#engine/storage/column.ts"
import { routerPolls } from "#engine/storage/polls.fixture.ts"
import { deviceId, entityKey } from "#protocol/id.ts"
import type { PollInput } from "#twin/input.ts"

const sameBits = (actual: Float64Array, expected: Float64Array): void => {
  assert.equal(actual.length, expected.length)
  for (let i = 0; i < expected.length; i++)
    assert.ok(Object.is(actual[i], expected[i]), `${actual[i]} is not ${expected[i]}`)
}

const packed = (values: Float64Array): Buffer => {
  const out = new ByteWriter()
  writeColumn(out, values)
  return out.finish()
}

/** Columns like devices make them, and columns like nobody makes them. */
const column = fc.oneof(
  fc.array(fc.double(), { minLength: 1, maxLength: 60 }),
  fc.array(fc.constantFrom(0, -0, 1, Number.NaN, Infinity, -Infinity, 2 ** 64, 2 ** 53, -(2 ** 53), 5e-324), {
    minLength: 1,
    maxLength: 20,
  }),
  fc.array(fc.integer(), { minLength: 1, maxLength: 60 }),
  fc.array(fc.maxSafeInteger(), { minLength: 1, maxLength: 60 }),
  fc.array(
    fc.integer({ min: -2000, max: 100_000 }).map((n) => n / 1000),
    { minLength: 1, maxLength: 60 },
  ),
  fc
    .tuple(fc.integer({ min: 0, max: 2 ** 31 }), fc.array(fc.nat(2 ** 30), { minLength: 1, maxLength: 60 }))
    .map(([start, steps]) => steps.reduce<number[]>((all, step) => [...all, (all.at(-1) ?? start) + step], [])),
)

test("any column comes back bit for bit, and reading takes exactly its bytes", () => {
  fc.assert(
    fc.property(column, (numbers) => {
      const values = Float64Array.from(numbers)
      const bytes = packed(values)
      const input = new ByteReader(bytes)
      sameBits(readColumn(input, values.length), values)
      assert.equal(input.offset, bytes.length)
    }),
    { numRuns: 2_000 },
  )
})

test("each encoding is chosen where it is the smallest", () => {
  const head = (values: readonly number[]): number => packed(Float64Array.from(values))[0]! & 15
  const noise = (i: number): number => (i * 2_654_435_761) % 2 ** 20
  assert.equal(head([7, 7, 7, 7]), 0, "CONST")
  assert.equal(head([1, 3, 100_000, 99_990]), 1, "DELTA")
  assert.equal(head(Array.from({ length: 30 }, (_, i) => i * i * 1000)), 2, "DELTA2")
  assert.equal(head([...Array.from({ length: 30 }, () => 1), ...Array.from({ length: 30 }, () => 0)]), 3, "RLE")
  assert.equal(head([0.1 + 0.2, 1 / 3, Number.NaN]), 4, "XOR")
  assert.equal(head(Array.from({ length: 30 }, (_, i) => i * 2 ** 24 + noise(i))), 5, "PACKED")
})

const poll = fc
  .record({
    atMs: fc.integer({ min: 0, max: 2 ** 41 }),
    rows: fc.array(
      fc.record({
        entity: fc.constantFrom("", "if:ether1", "if:été", "bgp:10.0.0.1"),
        metric: fc.integer({ min: 0, max: 65_535 }),
        value: fc.double(),
      }),
      { maxLength: 12 },
    ),
  })
  .map(({ atMs, rows }): PollInput => {
    const entities = [...new Set(rows.map((row) => row.entity))]
    return {
      kind: "poll",
      device: deviceId("d"),
      source: "snmp",
      startedMs: atMs,
      atMs,
      entities: entities.map(entityKey),
      entity: Uint16Array.from(rows, (row) => entities.indexOf(row.entity)),
      metric: Uint16Array.from(rows, (row) => row.metric),
      value: Float64Array.from(rows, (row) => row.value),
      texts: [],
      complete: [],
    }
  })

test("any window comes back: times, journal positions and every series, also when clocks jump", () => {
  fc.assert(
    fc.property(fc.array(poll, { minLength: 1, maxLength: 20 }), fc.nat(1000), (polls, first) => {
      const window = emptyWindow()
      for (const [i, it] of polls.entries()) addPoll(window, first + i * 7, it)
      const chunk = openChunk(encodeChunk(window))
      assert.deepEqual(chunk.atMs, window.atMs)
      assert.deepEqual(chunk.seq, window.seq)
      const all = [...window.series].flatMap(([entity, metrics]) =>
        [...metrics.keys()].map((metric) => ({ entity, metric })),
      )
      assert.equal(chunk.series.length, all.length)
      for (const { entity, metric } of all) {
        const expected = windowSeries(window, entity, metric)!
        const actual = chunkSeries(chunk, entity, metric)!
        sameBits(actual.atMs, expected.atMs)
        sameBits(actual.value, expected.value)
      }
      assert.equal(chunkSeries(chunk, entityKey("if:none"), 1), null)
    }),
    { numRuns: 500 },
  )
})

test("damaged chunks throw a RangeError or read as numbers: never another error, never without end", () => {
  const window = emptyWindow()
  for (const [i, it] of routerPolls({ device: deviceId("d"), polls: 8, interfaces: 3 }).entries())
    addPoll(window, i, it)
  const bytes = encodeChunk(window)
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
      fc.nat(bytes.length),
      (flips, length) => {
        const damaged = Buffer.from(bytes.subarray(0, length))
        for (const [at, value] of flips) if (at < damaged.length) damaged[at] = value
        try {
          for (const series of openChunk(damaged).series) series.values()
        } catch (error) {
          assert.ok(error instanceof RangeError, String(error))
        }
      },
    ),
    { numRuns: 2_000 },
  )
})

test("a window of RouterOS-like polls takes about 2 bytes per sample", (t) => {
  const polls = routerPolls({ device: deviceId("d"), polls: 30, interfaces: 12 })
  const window = emptyWindow()
  for (const [i, it] of polls.entries()) addPoll(window, i, it)
  const samples = polls.reduce((sum, it) => sum + it.value.length, 0)
  const began = performance.now()
  const bytes = encodeChunk(window)
  const encoded = performance.now()
  for (const series of openChunk(bytes).series) series.values()
  const decoded = performance.now()
  t.diagnostic(
    `${samples} samples, ${(bytes.length / samples).toFixed(2)} B/sample, ` +
      `encode ${(((encoded - began) * 1e6) / samples).toFixed(0)} ns, decode ${(((decoded - encoded) * 1e6) / samples).toFixed(0)} ns per sample (cold)`,
  )
  assert.ok(bytes.length / samples < 2.5, `${bytes.length / samples} B/sample`)
})
