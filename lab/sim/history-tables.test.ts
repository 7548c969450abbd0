/**
 * The model's tables of history answer as PostgreSQL does: random chunks, rollups and marks through the engine's own storage
 * functions, into both, and everything that a start or a rollup asks, out of both.
 */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import * as Effect from "effect/Effect"
import fc from "fast-check"
import { NO_POSTGRES, useTestDatabase } from "#engine/storage/database.fixture.ts"
import { addPoll, emptyWindow, encodeChunk } from "#engine/storage/chunk.ts"
import type { DbShape } from "#engine/storage/db.ts"
import { newDevice } from "#engine/storage/history.fixture.ts"
import { insertChunks, readMark } from "#engine/storage/history-table.ts"
import type { ChunkRow } from "#engine/storage/history-table.ts"
import { HOUR_MS, ONE_DAY, ONE_HOUR } from "#engine/storage/rollup.ts"
import { hoursWithChunks, readHour, readRolled, readRollups } from "#engine/storage/rollup-table.ts"
import type { RollupRow } from "#engine/storage/rollup-table.ts"
import { Database } from "#lab/sim/database.ts"
import { HistoryAudit } from "#lab/sim/history.ts"
import { applyHistory, HistoryTables, newHistoryDraft } from "#lab/sim/history-tables.ts"
import { FOREVER, Loop } from "#lab/sim/loop.ts"
import { DEVICE_ENTITY, deviceId } from "#protocol/id.ts"
import type { TenantId } from "#protocol/id.ts"
import { metricId } from "#protocol/metric.ts"
import type { PollInput } from "#twin/input.ts"

/** Within the partitions that a new database has. */
const START_MS = Math.floor(Date.now() / HOUR_MS) * HOUR_MS - 6 * HOUR_MS
const MINUTE_MS = 60_000

const chunk = fc.record({
  device: fc.nat(1),
  source: fc.constantFrom("snmp" as const, "routeros" as const),
  minute: fc.nat(240),
  minutes: fc.nat(30),
  seq: fc.integer({ min: 1, max: 40 }),
  polls: fc.integer({ min: 1, max: 5 }),
})
const rollup = fc.record({
  device: fc.nat(1),
  source: fc.constantFrom("snmp" as const, "routeros" as const),
  resolution: fc.constantFrom(ONE_HOUR, ONE_DAY),
  hour: fc.nat(4),
  parts: fc.constantFrom(1, 2, 4),
  sketched: fc.boolean(),
})
const batches = fc.array(
  fc.record({
    chunks: fc.array(chunk, { maxLength: 4 }),
    rollups: fc.uniqueArray(rollup, {
      maxLength: 2,
      selector: ({ device, source, resolution, hour }) => `${device} ${source} ${resolution.ms} ${hour}`,
    }),
    neededSeq: fc.integer({ min: 1, max: 40 }),
    newest: fc.nat(240),
  }),
  { minLength: 1, maxLength: 5 },
)
type Batch = typeof batches extends fc.Arbitrary<ReadonlyArray<infer One>> ? One : never

const write = (db: DbShape, tenant: TenantId, devices: readonly string[], batch: Batch) => {
  const chunks = batch.chunks.map(({ device, source, minute, minutes, seq, polls }): ChunkRow => ({
    device: devices[device]!,
    source,
    t0: START_MS + minute * MINUTE_MS,
    t1: START_MS + (minute + minutes) * MINUTE_MS,
    seq0: seq,
    seq1: seq + polls - 1,
    polls,
    data: Buffer.from(`chunk ${minute} ${minutes} ${seq}`),
  }))
  const rollups = batch.rollups.flatMap(({ device, source, resolution, hour, parts, sketched }) =>
    Array.from({ length: parts }, (_, part): RollupRow => ({
      device: devices[device]!,
      source,
      resolution,
      t0: START_MS + hour * HOUR_MS,
      part,
      parts,
      data: Buffer.from(`rollup ${hour} ${part} of ${parts}`),
      sketch: sketched ? Buffer.from(`sketch ${part}`) : null,
    })),
  )
  const mark = { neededSeq: batch.neededSeq, newestMs: START_MS + batch.newest * MINUTE_MS }
  return insertChunks(db, tenant, chunks, rollups, mark)
}

/** All that a start, a rollup and a chart of rollups ask. */
const read = (db: DbShape, tenant: TenantId, device: string) =>
  Effect.gen(function* () {
    const [source, fromMs, toMs] = ["snmp" as const, START_MS, START_MS + 5 * HOUR_MS]
    const asked = { device, source: null, resolution: ONE_HOUR, fromMs, toMs, entity: null }
    const { sealed, ...mark } = yield* readMark(db, tenant)
    const rolled = yield* readRolled(db, tenant, START_MS)
    const hours: unknown[] = []
    for (let hourMs = fromMs; hourMs < toMs; hourMs += HOUR_MS)
      hours.push((yield* readHour(db, tenant, { device, source, hourMs })).map(({ data, ...row }) => [row, `${data}`]))
    return {
      mark,
      sealed: sorted(sealed),
      rolled: sorted(rolled),
      hours,
      touched: [...(yield* hoursWithChunks(db, tenant, { device, source, fromMs, toMs }))].toSorted(),
      rollups: [
        yield* readRollups(db, tenant, { ...asked, sketches: true }),
        yield* readRollups(db, tenant, { ...asked, source, sketches: false, entity: DEVICE_ENTITY }),
      ].map((rows) => rows.map(({ t0, source: of, data, sketch }) => [t0, of, `${data}`, `${sketch}`])),
    }
  })

const sorted = (rows: readonly unknown[]): readonly string[] => rows.map((row) => JSON.stringify(row)).toSorted()

describe("the model of PostgreSQL", { skip: NO_POSTGRES }, () => {
  const it = useTestDatabase()

  test("[W13] chunks, rollups and marks are answered as PostgreSQL does", { timeout: 240_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(batches, fc.nat(), async (program, seed) => {
        const tenant = await it.newTenant()
        const devices = [await newDevice(it, tenant), await newDevice(it, tenant)]
        const loop = new Loop(seed, 0)
        const model = new Database(loop, seed, (detail) => assert.fail(detail)).shapeFor(FOREVER)
        const both = async <A>(ask: (db: DbShape) => Effect.Effect<A, unknown>): Promise<void> => {
          const real = await Effect.runPromise(ask(it.db))
          const answered = Effect.runPromise(ask(model))
          await loop.runTo(loop.nowMs + 5_000)
          assert.deepEqual(await answered, real)
        }
        for (const batch of program) {
          await both((db) => write(db, tenant, devices, batch))
          for (const device of devices) await both((db) => read(db, tenant, device))
        }
      }),
      { numRuns: 20 },
    )
  })
})

describe("the auditor of the history", () => {
  const device = deviceId("tenant0:device-0001")
  const poll = (atMs: number, value: number): PollInput => ({
    kind: "poll",
    device,
    source: "snmp",
    startedMs: atMs,
    atMs,
    entities: [DEVICE_ENTITY],
    entity: Uint16Array.of(0),
    metric: Uint16Array.of(metricId("device.cpu_pct")),
    value: Float64Array.of(value),
    texts: [],
    complete: [],
  })
  const audit = (stored: ReadonlyArray<readonly [seq: number, poll: PollInput]>): void => {
    const auditor = new HistoryAudit()
    for (const seq of [1, 2, 3]) auditor.journaled({ seq, input: poll(1_000 * seq, seq) })
    const tables = new HistoryTables()
    const draft = newHistoryDraft()
    for (const [seq, one] of stored) {
      const window = emptyWindow()
      addPoll(window, seq, one)
      const place = { t0: seq, t1: seq, seq0: 10 * seq + draft.chunks.length, seq1: seq, polls: 1 }
      draft.chunks.push({ device, source: "snmp", ...place, data: encodeChunk(window) })
    }
    applyHistory(tables, draft)
    auditor.compare(tables, 2)
  }

  test("is content with each poll once, and with one that is still in memory", () => {
    audit([
      [1, poll(1_000, 1)],
      [2, poll(2_000, 2)],
    ])
  })

  test("finds a poll that is lost, stored twice, invented, moved, or of another value", () => {
    const first = [1, poll(1_000, 1)] as const
    assert.throws(() => audit([first]), /the poll 2 of .* is in no chunk/)
    assert.throws(() => audit([first, first, [2, poll(2_000, 2)]]), /the poll 1 .* is stored twice/)
    assert.throws(() => audit([first, [2, poll(2_000, 2)], [9, poll(9_000, 9)]]), /the poll 9 .* was never made/)
    assert.throws(() => audit([first, [2, poll(2_001, 2)]]), /the poll 2 is stored as one of/)
    assert.throws(() => audit([first, [2, poll(2_000, 7)]]), /with other values/)
  })
})
