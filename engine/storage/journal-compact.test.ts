/** Compacting says the same in fewer bytes: every input reads back bit by bit, whatever is not in a chunk stays whole. */
import assert from "node:assert/strict"
import { describe, test, type TestContext } from "node:test"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import fc from "fast-check"
import { addPoll, emptyWindow, encodeChunk, openChunk } from "#engine/storage/chunk.ts"
import { NO_POSTGRES, useTestDatabase } from "#engine/storage/database.fixture.ts"
import type { DbShape } from "#engine/storage/db.ts"
import { openHistory } from "#engine/storage/history.ts"
import { CompactDamaged, decodeCompact, encodeCompact, type PollValues } from "#engine/storage/journal-compact.ts"
import { compactJournal } from "#engine/storage/journal-compactor.ts"
import { openJournal, readJournal } from "#engine/storage/journal.ts"
import { pollIn, unpack } from "#engine/storage/poll-values.ts"
import * as codec from "#engine/tenant/journal-codec.ts"
import { anyInput, poll, ring, START_MS, syslog } from "#engine/tenant/network.fixture.ts"
import { uuidv7 } from "#engine/storage/uuidv7.ts"
import { deviceId, entityKey, type TenantId } from "#protocol/id.ts"
import type { Input, PollInput, Sequenced } from "#twin/input.ts"

const sequenced = (inputs: readonly Input[], from = 1): readonly Sequenced[] =>
  inputs.map((input, i) => ({ seq: from + i, input }))

/** What the chunks of these polls would give. */
const chunksOf = (batch: readonly Sequenced[]): PollValues => {
  const windows = new Map<string, ReturnType<typeof emptyWindow>>()
  for (const { seq, input } of batch) {
    if (input.kind !== "poll") continue
    const key = `${input.source} ${input.device}`
    const window = windows.get(key) ?? emptyWindow()
    windows.set(key, window)
    addPoll(window, seq, input)
  }
  const chunks = new Map([...windows].map(([key, window]) => [key, unpack(openChunk(encodeChunk(window)))]))
  return async ({ source, device, seq }) => {
    const chunk = chunks.get(`${source} ${device}`)
    return chunk === undefined ? null : pollIn(chunk, seq)
  }
}

const both = async (batch: readonly Sequenced[], values: PollValues) => {
  const { data, left } = await encodeCompact(batch, values, codec)
  return { data, left, back: await decodeCompact(data, values, codec) }
}

describe("compact rows", () => {
  test("polls of one device that differ in one part of their shape only are not taken for each other", async () => {
    const polled = (entities: string[], entity: number[], metric: number[], complete: PollInput["complete"]) => ({
      ...(poll(deviceId("d"), START_MS, {}) as PollInput),
      entities: entities.map(entityKey),
      entity: Uint16Array.from(entity),
      metric: Uint16Array.from(metric),
      // All values are alike: only the shape tells the polls apart.
      value: new Float64Array(entity.length).fill(1),
      texts: [],
      complete,
    })
    const [a, b, c] = ["if:a", "if:b", "if:c"] as [string, string, string]
    const shapes = [
      polled([a, b], [0, 0, 1], [41, 42, 41], []),
      polled([a, b], [0, 1, 1], [41, 42, 41], []),
      polled([a, b], [0, 0, 1], [41, 42, 43], []),
      polled([a, c], [0, 0, 1], [41, 42, 41], []),
      polled([a, b], [0, 0, 1], [41, 42, 41], ["interface"]),
      polled([a, b], [0, 0], [41, 42], []),
    ]
    for (const first of shapes)
      for (const second of shapes) {
        const batch = sequenced([first, second, first])
        const { back, left } = await both(batch, chunksOf(batch))
        assert.deepStrictEqual(back, batch)
        assert.equal(left, 3)
      }
  })

  test("any inputs read back as they were", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyInput(), { minLength: 1, maxLength: 30 }),
        fc.integer({ min: 1, max: 1e9 }),
        async (inputs, from) => {
          const batch = sequenced(inputs, from)
          assert.deepStrictEqual((await both(batch, chunksOf(batch))).back, codec.decodeBatch(codec.encodeBatch(batch)))
        },
      ),
    )
  })

  test("values of every kind survive: NaN never is one, but -0, the largest and the smallest are", async () => {
    const device = ring(1).devices[0]!.id
    const odd = [0, -0, 5e-324, Number.MAX_VALUE, -Number.MAX_VALUE, 2 ** 53, 0.1 + 0.2, -1e-300]
    const batch = sequenced(
      odd.map((number, i) => {
        const base = poll(device, START_MS + i)
        return { ...base, value: base.value.map((value, row) => (row === 1 ? number : value)) }
      }),
    )
    const { back, left } = await both(batch, chunksOf(batch))
    assert.equal(left, odd.length)
    assert.deepStrictEqual(back, batch)
  })

  test("a poll that names one metric twice, and one without a chunk, stay whole", async () => {
    const device = ring(1).devices[0]!.id
    const one = poll(device, START_MS)
    const twice: PollInput = {
      ...one,
      entity: Uint16Array.of(...one.entity, one.entity[0]!),
      metric: Uint16Array.of(...one.metric, one.metric[0]!),
      value: Float64Array.of(...one.value, 77),
    }
    const batch = sequenced([one, twice, poll(device, START_MS + 1)])
    const all = await both(batch, chunksOf(batch))
    assert.deepEqual([all.left, all.back], [2, batch])
    const none = await both(batch, async () => null)
    assert.deepEqual([none.left, none.back], [0, batch])
  })

  test("polls whose rows are alike share their shape: a poll costs a few bytes", async () => {
    const { devices } = ring(20)
    const batch = sequenced(
      Array.from({ length: 600 }, (_, i) => ({
        ...poll(devices[i % 20]!.id, START_MS + i * 500, { cpu: (i * 7) % 100 }),
        texts: [],
      })),
    )
    const { data, left } = await both(batch, chunksOf(batch))
    assert.equal(left, 600)
    assert.ok(data.length / 600 < 12, `${data.length / 600} bytes a poll`)
  })

  test("a chunk that is gone is said, not guessed", async () => {
    const batch = sequenced([poll(ring(1).devices[0]!.id, START_MS)])
    const { data } = await both(batch, chunksOf(batch))
    await assert.rejects(
      decodeCompact(data, async () => null, codec),
      CompactDamaged,
    )
  })
})

describe("the compactor", { skip: NO_POSTGRES }, () => {
  const it = useTestDatabase()

  const lived = async (t: TestContext, count: number) => {
    const tenant = await it.newTenant()
    const scope = Scope.makeUnsafe()
    const devices = Array.from({ length: 4 }, () => deviceId(uuidv7()))
    const options = { db: it.db, tenant, dataDir: it.dataDir, codec, holder: "test", log: () => {} }
    const journal = await Effect.runPromise(Scope.provide(openJournal(options), scope))
    const history = await Effect.runPromise(
      Scope.provide(openHistory({ db: it.db, tenant, journal, log: () => {} }), scope),
    )
    await history.recovered
    const inputs = sequenced(
      Array.from({ length: count }, (_, i): Input => {
        const device = devices[i % 4]!
        const atMs = START_MS + i * 1_000
        return i % 9 === 8 ? syslog(device, atMs, `line ${i}`) : poll(device, atMs, { cpu: i % 100 })
      }),
    )
    for (let i = 0; i < inputs.length; i += 2) await journal.append(inputs.slice(i, i + 2))
    for (const { seq, input } of inputs) if (input.kind === "poll") history.append(seq, input)
    await history.flush()
    t.after(() => Effect.runPromise(Scope.close(scope, Exit.void)))
    return { tenant, inputs, journal }
  }
  const readAll = async (tenant: TenantId, from = 1): Promise<readonly Sequenced[]> => {
    const all: Sequenced[] = []
    for await (const batch of readJournal({ db: it.db, tenant, codec }, from)) all.push(...batch)
    return all
  }
  const compact = (tenant: TenantId, beforeSeq: number) =>
    compactJournal({ db: it.db, tenant, codec, beforeSeq, stretchesMax: 100 })

  test("[7.5] nothing is stored twice, and the journal still tells every input, from any place on", async (t) => {
    const { tenant, inputs, journal } = await lived(t, 1_000)
    const done = await compact(tenant, 901)
    assert.ok(done.rowsAfter <= 2 && done.rowsBefore >= 448, JSON.stringify(done))
    assert.ok(done.polls >= 790 && done.bytesAfter * 10 < done.bytesBefore, JSON.stringify(done))
    assert.deepStrictEqual(await readAll(tenant), inputs)
    for (const from of [2, 450, 512, 513, 895, 902, 1_000])
      assert.deepStrictEqual(await readAll(tenant, from), inputs.slice(from - 1))
    // Again: what is compact is left, what is new is too little to be worth it.
    assert.deepEqual((await compact(tenant, 901)).rowsBefore, 0)
    const more: readonly Sequenced[] = [{ seq: 1_001, input: { kind: "tick", atMs: START_MS * 2 } }]
    await journal.append(more)
    assert.deepStrictEqual(await readAll(tenant, 999), [...inputs.slice(998), ...more])
  })

  test("only what is behind the given place is touched", async (t) => {
    const { tenant, inputs } = await lived(t, 300)
    assert.equal((await compact(tenant, 100)).rowsBefore, 0)
    const done = await compact(tenant, 200)
    assert.equal(done.rowsBefore, 99)
    assert.deepStrictEqual(await readAll(tenant), inputs)
  })

  test("[7.4] a replay that reads while the journal is compacted reads every input once", async (t) => {
    for (const from of [1, 3, 100]) {
      const { tenant, inputs } = await lived(t, 1_400)
      const read: Sequenced[] = []
      for await (const batch of readJournal({ db: it.db, tenant, codec }, from)) {
        // The first page is in memory; what comes next lies in a row that begins before it.
        if (read.length === 0) assert.ok((await compact(tenant, 1_401)).rowsAfter > 0)
        read.push(...batch)
      }
      assert.deepStrictEqual(read, inputs.slice(from - 1))
    }
  })

  test("[7.4] rows that are swapped while a page is read do not end the journal", async (t) => {
    const { tenant, inputs } = await lived(t, 600)
    let asked = 0
    const db: DbShape = {
      ...it.db,
      tenant: (id) => (use) =>
        it.db.tenant(id)((tx) =>
          use({
            ...tx,
            query: async (sql, values) => {
              const result = await tx.query(sql, values)
              if (asked++ === 0) await compact(tenant, 601)
              return result as never
            },
          }),
        ),
    }
    const read: Sequenced[] = []
    for await (const batch of readJournal({ db, tenant, codec }, 5)) read.push(...batch)
    assert.deepStrictEqual(read, inputs.slice(4))
  })

  test("[T1] one tenant's compaction leaves the other's journal alone", async (t) => {
    const [a, b] = [await lived(t, 300), await lived(t, 300)]
    await compact(a.tenant, 301)
    assert.deepStrictEqual(await readAll(b.tenant), b.inputs)
    assert.equal((await compact(b.tenant, 301)).rowsBefore, 150)
  })
})
