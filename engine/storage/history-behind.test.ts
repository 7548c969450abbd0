/**
 * The database takes no samples for a while: memory stays bounded, what does not fit is left to the journal, and when the
 * database is back everything is read from there: nothing missing, nothing twice.
 */
import assert from "node:assert/strict"
import { describe, test, type TestContext } from "node:test"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import fc from "fast-check"
import { NO_POSTGRES, useTestDatabase } from "#engine/storage/database.fixture.ts"
import { DbError, type DbShape } from "#engine/storage/db.ts"
import { newDevice } from "#engine/storage/history.fixture.ts"
import { readMark } from "#engine/storage/history-table.ts"
import { openHistory, type History, type HistoryLimits } from "#engine/storage/history.ts"
import { openJournal } from "#engine/storage/journal.ts"
import { routerPolls } from "#engine/storage/polls.fixture.ts"
import * as codec from "#engine/tenant/journal-codec.ts"
import type { JournalPort } from "#engine/tenant/ports.ts"
import { interfaceKey, type DeviceId, type TenantId } from "#protocol/id.ts"
import { metricId } from "#protocol/metric.ts"
import type { PollInput } from "#twin/input.ts"

/** `unstoredBytes`: well under what the polls of the smallest test take packed (about 6,000), whichever windows are still open. */
const LIMITS = { windowPolls: 4, unstoredBytes: 3_500, batchChunks: 2 }

describe("history while the database is away", { skip: NO_POSTGRES }, () => {
  const it = useTestDatabase()

  interface Stage {
    readonly history: History
    /** From now on samples can, or cannot, be stored; the journal goes on as it does through its spool. */
    readonly away: (isAway: boolean) => void
    readonly feed: (polls: readonly PollInput[]) => Promise<void>
    readonly close: () => Promise<void>
  }

  /** `seenUntil`: the newest input that a reader of the journal finds; the rest is in its spool still. */
  const start = async (
    t: TestContext | null,
    tenant: TenantId,
    limits: Partial<HistoryLimits> = {},
    seenUntil: () => number = () => Infinity,
  ): Promise<Stage> => {
    const scope = Scope.makeUnsafe()
    const common = { tenant, log: () => {} }
    const journal = await Effect.runPromise(
      Scope.provide(openJournal({ ...common, db: it.db, dataDir: it.dataDir, codec, holder: "test" }), scope),
    )
    let isAway = false
    const gone = Effect.fail(new DbError({ code: "AWAY", message: "planted" }))
    const db: DbShape = { ...it.db, ingest: (of) => (isAway ? () => gone : it.db.ingest(of)) }
    const seen: Pick<JournalPort, "readFrom" | "lastSeq"> = {
      lastSeq: journal.lastSeq,
      readFrom: async function* (seq) {
        const until = seenUntil()
        for await (const batch of journal.readFrom(seq)) yield batch.filter((one) => one.seq <= until)
      },
    }
    const opened = openHistory({ ...common, db, journal: seen, limits: { ...LIMITS, ...limits } })
    const history = await Effect.runPromise(Scope.provide(opened, scope))
    const close = (): Promise<void> => Effect.runPromise(Scope.close(scope, Exit.void))
    t?.after(close)
    const feed = async (polls: readonly PollInput[]): Promise<void> => {
      const from = (await journal.lastSeq()) + 1
      const batch = polls.map((input, i) => ({ seq: from + i, input }))
      await journal.append(batch)
      for (const { seq, input } of batch) history.append(seq, input)
    }
    return { history, away: (now) => (isAway = now), feed, close }
  }

  const expected = (polls: readonly PollInput[]): ReadonlyArray<number> =>
    polls.map((poll) => poll.value[poll.metric.indexOf(metricId("interface.rx_bytes_total"))]!)

  const readBack = async (history: History, device: DeviceId, polls: readonly PollInput[]) => {
    const series = await history.read({
      device,
      entity: interfaceKey("ether1"),
      metric: "interface.rx_bytes_total",
      fromMs: polls[0]!.atMs - 1,
      toMs: polls.at(-1)!.atMs + 1,
      pointsMax: 600,
    })
    return series?.avg
  }

  /** Each round one poll of each device. */
  const fleet = async (tenant: TenantId, devices: number, polls: number) => {
    const all: Array<{ readonly device: DeviceId; readonly polls: readonly PollInput[] }> = []
    for (let seed = 0; seed < devices; seed++) {
      const device = await newDevice(it, tenant)
      all.push({ device, polls: routerPolls({ device, polls, interfaces: 2, seed }) })
    }
    const rounds = Array.from({ length: polls }, (_, i) => all.map((one) => one.polls[i]!))
    return { all, rounds }
  }

  test("[W15] memory is bounded, the journal keeps the rest, and afterwards nothing is missing or twice", async (t) => {
    const tenant = await it.newTenant()
    const { all, rounds } = await fleet(tenant, 3, 120)
    const { history, away, feed } = await start(t, tenant)
    await history.recovered
    for (const round of rounds.slice(0, 20)) await feed(round)
    away(true)
    let most = 0
    for (const round of rounds.slice(20, 100)) {
      await feed(round)
      most = Math.max(most, history.status().bytesInMemory)
    }
    const { behindSeq } = history.status()
    assert.ok(behindSeq !== null, "it fell behind")
    assert.ok(history.neededSeq()! <= behindSeq, "the journal keeps what was left to it")
    assert.ok(most < LIMITS.unstoredBytes * 3, `${most} bytes`)
    away(false)
    for (const round of rounds.slice(100)) await feed(round)
    await history.flush()
    assert.deepEqual([history.status().behindSeq, history.status().droppedSamples], [null, 0])
    assert.equal(history.neededSeq(), null)
    for (const { device, polls } of all) assert.deepEqual(await readBack(history, device, polls), expected(polls))
    assert.equal(
      history.status().storedSamples,
      all.flatMap(({ polls }) => polls).reduce((sum, { value }) => sum + value.length, 0),
    )
  })

  test("what the journal has only in its spool is waited for, and what comes meanwhile is not lost", async (t) => {
    const tenant = await it.newTenant()
    const { all, rounds } = await fleet(tenant, 2, 80)
    let until = Infinity
    const { history, away, feed } = await start(t, tenant, {}, () => until)
    await history.recovered
    away(true)
    for (const round of rounds.slice(0, 60)) await feed(round)
    assert.ok(history.status().behindSeq !== null)
    until = 70
    away(false)
    while (history.status().unstored > 0) await new Promise((turn) => setImmediate(turn))
    for (const round of rounds.slice(60)) {
      await feed(round)
      await new Promise((turn) => setImmediate(turn))
    }
    assert.ok(history.status().behindSeq !== null, "not before all of it was read")
    until = Infinity
    await history.flush()
    for (const { device, polls } of all) assert.deepEqual(await readBack(history, device, polls), expected(polls))
  })

  test("[W11] an end while it is behind costs nothing: the next start reads the rest", async (t) => {
    const tenant = await it.newTenant()
    const { all, rounds } = await fleet(tenant, 2, 90)
    let until = Infinity
    const first = await start(null, tenant, {}, () => until)
    for (const round of rounds.slice(0, 10)) await first.feed(round)
    first.away(true)
    for (const round of rounds.slice(10, 70)) await first.feed(round)
    assert.ok(first.history.status().behindSeq !== null)
    // What is in memory is stored, and its mark with it; the rest is in the journal's spool.
    until = 0
    first.away(false)
    while (first.history.status().unstored > 0) await new Promise((turn) => setImmediate(turn))
    await first.close()
    const second = await start(t, tenant)
    for (const round of rounds.slice(70)) await second.feed(round)
    await second.history.flush()
    for (const { device, polls } of all)
      assert.deepEqual(await readBack(second.history, device, polls), expected(polls))
  })

  test("a journal that cannot be read is kept from there on, and what comes is taken", async (t) => {
    const tenant = await it.newTenant()
    const { all, rounds } = await fleet(tenant, 1, 40)
    const first = await start(null, tenant)
    for (const round of rounds.slice(0, 10)) await first.feed(round)
    await first.close()
    const kept = (await Effect.runPromise(readMark(it.db, tenant))).neededSeq
    const damaged = (): number => {
      throw new RangeError("planted damage")
    }
    const second = await start(t, tenant, {}, damaged)
    await second.history.recovered
    for (const round of rounds.slice(10)) await second.feed(round)
    await second.history.flush()
    assert.equal(second.history.neededSeq(), kept)
    assert.equal((await Effect.runPromise(readMark(it.db, tenant))).neededSeq, kept)
    const { device, polls } = all[0]!
    assert.deepEqual((await readBack(second.history, device, polls))?.slice(-30), expected(polls).slice(-30))
  })

  test("[W15] any pattern of outages ends with exactly what was polled", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ rounds: fc.integer({ min: 1, max: 25 }), isAway: fc.boolean() }), { maxLength: 5 }),
        fc.constantFrom(1, 3_000, 20_000),
        fc.constantFrom(1, 20, 1_000),
        async (spells, unstoredBytes, heldPolls) => {
          const tenant = await it.newTenant()
          const total = spells.reduce((sum, { rounds }) => sum + rounds, 1)
          const { all, rounds } = await fleet(tenant, 2, total)
          const { history, away, feed, close } = await start(null, tenant, { unstoredBytes, heldPolls })
          let at = 0
          for (const spell of spells) {
            away(spell.isAway)
            for (const round of rounds.slice(at, (at += spell.rounds))) await feed(round)
          }
          away(false)
          for (const round of rounds.slice(at)) await feed(round)
          await history.flush()
          for (const { device, polls } of all) assert.deepEqual(await readBack(history, device, polls), expected(polls))
          assert.equal(history.status().droppedSamples, 0)
          await close()
        },
      ),
      { numRuns: 8 },
    )
  })
})
