/** The journal on a real PostgreSQL, as the app role: order, group commit, fence, spool, crash, retention. */
import assert from "node:assert/strict"
import { appendFileSync, existsSync, readdirSync, readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { describe, test, type TestContext } from "node:test"
import { setTimeout as sleep } from "node:timers/promises"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type { TenantId } from "#protocol/id.ts"
import type { Sequenced } from "#twin/input.ts"
import { NO_POSTGRES, useTestDatabase } from "#engine/storage/database.fixture.ts"
import { openJournal, type Journal, type JournalLimits } from "#engine/storage/journal.ts"
import { Fenced, takeLease } from "#engine/storage/lease.ts"
import { loadCheckpoint, loadSnapshotAt, openSnapshots, readMarks } from "#engine/storage/snapshots.ts"
import * as codec from "#engine/tenant/journal-codec.ts"
import { twinBuild } from "#engine/tenant/twin-build.ts"

const HASH = "0123456789abcdef"

const ticks = (from: number, count: number, atMs = from): readonly Sequenced[] =>
  Array.from({ length: count }, (_, i) => ({ seq: from + i, input: { kind: "tick", atMs: atMs + i } }))

const readAll = async (journal: Journal, from: number): Promise<readonly Sequenced[]> => {
  const all: Sequenced[] = []
  for await (const batch of journal.readFrom(from)) all.push(...batch)
  return all
}

describe("journal", { skip: NO_POSTGRES }, () => {
  const it = useTestDatabase()

  interface Opened {
    readonly journal: Journal
    readonly close: () => Promise<void>
    readonly log: readonly string[]
  }
  const openFor = async (t: TestContext, tenant: TenantId, limits: Partial<JournalLimits> = {}): Promise<Opened> => {
    const scope = Scope.makeUnsafe()
    const log: string[] = []
    const options = { db: it.db, tenant, dataDir: it.dataDir, codec, holder: "test", limits }
    const opening = openJournal({ ...options, log: (line) => log.push(line) })
    const journal = await Effect.runPromise(Scope.provide(opening, scope))
    const close = (): Promise<void> => Effect.runPromise(Scope.close(scope, Exit.void))
    t.after(close)
    return { journal, close, log }
  }
  const postmaster = (): number => Number.parseInt(readFileSync(join(it.dataDir, "pg/postmaster.pid"), "utf8"), 10)
  const spoolFile = (tenant: TenantId): string => join(it.dataDir, "spool", `${tenant}.log`)
  const until = async (condition: () => boolean, what: string): Promise<void> => {
    for (let waited = 0; !condition(); waited += 10) {
      assert.ok(waited < 60_000, `timed out: ${what}`)
      await sleep(10)
    }
  }

  test("[W11] what was appended is read back in order, from any seq, also by the next engine", async (t) => {
    const tenant = await it.newTenant()
    const first = await openFor(t, tenant)
    assert.equal(await first.journal.lastSeq(), 0)
    for (let seq = 1; seq <= 100; seq += 5) await first.journal.append(ticks(seq, 5))
    assert.equal(await first.journal.lastSeq(), 100)
    await first.close()
    const second = await openFor(t, tenant)
    assert.equal(await second.journal.lastSeq(), 100)
    assert.ok(second.journal.lease.epoch > first.journal.lease.epoch)
    assert.deepEqual(await readAll(second.journal, 1), ticks(1, 100))
    assert.deepEqual(await readAll(second.journal, 43), ticks(43, 58))
    assert.deepEqual(await readAll(second.journal, 101), [])
  })

  test("[W11] appends that wait share a commit, and each is acknowledged in order", async (t) => {
    const { journal } = await openFor(t, await it.newTenant())
    const order: number[] = []
    const appends = Array.from({ length: 200 }, (_, i) => journal.append(ticks(i + 1, 1)).then(() => order.push(i + 1)))
    await Promise.all(appends)
    assert.deepEqual(
      order,
      order.toSorted((a, b) => a - b),
    )
    assert.equal(journal.status().rows, 200)
    assert.ok(journal.status().commits <= 20, `${journal.status().commits} commits for 200 rows`)
    assert.deepEqual(await readAll(journal, 1), ticks(1, 200))
  })

  test("an append with a gap, or beyond the bound of the queue, is rejected and changes nothing", async (t) => {
    const { journal } = await openFor(t, await it.newTenant(), { queuedAppends: 2 })
    await assert.rejects(journal.append(ticks(2, 1)), { _tag: "JournalGap" })
    const [a, b, c] = [journal.append(ticks(1, 1)), journal.append(ticks(2, 1)), journal.append(ticks(3, 1))]
    await assert.rejects(c, RangeError)
    await Promise.all([a, b])
    await journal.append(ticks(3, 1))
    assert.deepEqual(await readAll(journal, 1), ticks(1, 3))
  })

  test("[W11] an old writer is fenced off: it cannot write after another engine has taken the tenant", async (t) => {
    const tenant = await it.newTenant()
    const old = await openFor(t, tenant)
    await old.journal.append(ticks(1, 1))
    const young = await openFor(t, tenant)
    await assert.rejects(old.journal.append(ticks(2, 1)), Fenced)
    await assert.rejects(old.journal.append(ticks(2, 1)), Fenced)
    await young.journal.append(ticks(2, 3))
    assert.deepEqual(await readAll(young.journal, 1), ticks(1, 4))
    const snapshots = openSnapshots(it.db, tenant, old.journal.lease)
    await assert.rejects(snapshots.save(1, 1, Buffer.from("old"), HASH), Fenced)
  })

  test("[W11] while PostgreSQL is frozen, appends are acknowledged from the spool and reach the table in order later", async (t) => {
    const tenant = await it.newTenant()
    const { journal, log } = await openFor(t, tenant, { commitMs: 300 })
    await journal.append(ticks(1, 10))
    const backends = postmasterAndBackends(postmaster())
    for (const pid of backends) process.kill(pid, "SIGSTOP")
    try {
      for (let seq = 11; seq <= 60; seq++) await journal.append(ticks(seq, 1))
      assert.equal(journal.status().spooling, true)
      assert.ok(statSync(spoolFile(tenant)).size > 0)
    } finally {
      for (const pid of backends) signal(pid, "SIGCONT")
    }
    await until(() => !journal.status().spooling, "spool drained")
    await journal.append(ticks(61, 1))
    assert.deepEqual(await readAll(journal, 1), ticks(1, 61))
    assert.equal(statSync(spoolFile(tenant)).size, 0)
    assert.ok(log.some((line) => line.includes("spool")))
  })

  test("[W11] kill -9 of PostgreSQL under writers: nothing acknowledged is lost or doubled, three times", async (t) => {
    const tenant = await it.newTenant()
    const { journal } = await openFor(t, tenant)
    let acked = 0
    const stopping = new AbortController()
    const writer = (async () => {
      for (let seq = 1; !stopping.signal.aborted; seq += 2) {
        await journal.append(ticks(seq, 2))
        acked = seq + 1
      }
    })()
    for (let round = 0; round < 3; round++) {
      const before = acked
      await until(() => acked > before + 100, "progress before the kill")
      const pid = postmaster()
      process.kill(pid, "SIGKILL")
      await until(() => existsSync(join(it.dataDir, "pg/postmaster.pid")) && postmaster() !== pid, "restart")
      await until(() => !journal.status().spooling, "back in the database")
    }
    stopping.abort()
    await writer
    await until(() => !journal.status().spooling, "drained")
    assert.deepEqual(await readAll(journal, 1), ticks(1, acked))
  })

  test("[W11] a spool that an engine left behind (kill -9) is in the journal before the next engine reads it", async (t) => {
    const tenant = await it.newTenant()
    const first = await openFor(t, tenant, { commitMs: 200 })
    await first.journal.append(ticks(1, 3))
    const pids = postmasterAndBackends(postmaster())
    for (const pid of pids) process.kill(pid, "SIGSTOP")
    const appended = first.journal.append(ticks(4, 5)).then(() => first.close())
    await appended
    for (const pid of pids) signal(pid, "SIGCONT")
    assert.ok(statSync(spoolFile(tenant)).size > 0, "the spool was left")
    // A torn tail: the record that was being written when the engine died.
    appendFileSync(spoolFile(tenant), Buffer.from([200, 0, 0, 0, 1, 2, 3, 4, 5]))
    const second = await openFor(t, tenant)
    assert.equal(await second.journal.lastSeq(), 8)
    assert.deepEqual(await readAll(second.journal, 1), ticks(1, 8))
    await second.journal.append(ticks(9, 1))
    assert.equal(statSync(spoolFile(tenant)).size, 0)
  })

  test("[W11] a left spool is set aside, not mixed in, when another engine wrote the tenant since", async (t) => {
    const tenant = await it.newTenant()
    const first = await openFor(t, tenant, { commitMs: 200 })
    const pids = postmasterAndBackends(postmaster())
    for (const pid of pids) process.kill(pid, "SIGSTOP")
    await first.journal.append(ticks(1, 1, 1_000)).then(() => first.close())
    for (const pid of pids) signal(pid, "SIGCONT")
    await Effect.runPromise(Effect.retry(takeLease(it.db, tenant, "elsewhere"), { times: 20 }))
    const second = await openFor(t, tenant)
    assert.equal(await second.journal.lastSeq(), 0)
    const aside = readdirSync(join(it.dataDir, "spool")).filter((name) => name.startsWith(`${tenant}.log.before-epoch`))
    assert.equal(aside.length, 1)
    assert.ok(second.log.some((line) => line.includes(aside[0]!)))
  })

  test("a full spool makes appends wait until PostgreSQL has taken it; nothing is dropped", async (t) => {
    const tenant = await it.newTenant()
    const { journal } = await openFor(t, tenant, { commitMs: 200, spoolBytes: 300 })
    const pids = postmasterAndBackends(postmaster())
    for (const pid of pids) process.kill(pid, "SIGSTOP")
    let acked = 0
    const appends = Array.from({ length: 30 }, (_, i) => journal.append(ticks(i + 1, 1)).then(() => acked++))
    await until(() => acked > 0, "the first append from the spool")
    await sleep(300)
    assert.ok(acked < 30, "the spool has a bound")
    for (const pid of pids) signal(pid, "SIGCONT")
    await Promise.all(appends)
    await until(() => !journal.status().spooling, "drained")
    assert.deepEqual(await readAll(journal, 1), ticks(1, 30))
  })

  test("retention deletes from the front only what is old and covered, and keeps the rest readable", async (t) => {
    const tenant = await it.newTenant()
    const { journal } = await openFor(t, tenant)
    for (let seq = 1; seq <= 1_201; seq++) {
      const appended = journal.append(ticks(seq, 1, seq * 1_000))
      if (seq % 500 === 0 || seq === 1_201) await appended
    }
    assert.equal(await journal.prune(600_000, 1), 0, "nothing is covered")
    assert.equal(await journal.prune(600_000, 1_100), 599)
    assert.equal((await readAll(journal, 0))[0]?.seq, 600)
    assert.equal(await journal.prune(5_000_000, 1_100), 500)
    assert.deepEqual(
      (await readAll(journal, 1)).map(({ seq }) => seq),
      ticks(1_100, 102).map(({ seq }) => seq),
    )
    assert.equal(await journal.lastSeq(), 1_201)
    assert.equal(await journal.seqSince(1_150_500), 1_151)
    assert.equal(await journal.seqSince(9_000_000), 1_202)
  })

  test("a clock that went back leaves no gap in the journal after retention", async (t) => {
    const { journal } = await openFor(t, await it.newTenant())
    const times = [10, 20, 30, 12, 22, 32, 42]
    for (const [i, atMs] of times.entries()) await journal.append(ticks(i + 1, 1, atMs))
    await journal.prune(25, 100)
    assert.deepEqual(
      (await readAll(journal, 1)).map(({ seq }) => seq),
      [3, 4, 5, 6, 7],
    )
  })

  test("[W11] snapshots: the newest is loaded, two are kept, an older one never replaces a newer", async (t) => {
    const tenant = await it.newTenant()
    const { journal } = await openFor(t, tenant)
    const snapshots = openSnapshots(it.db, tenant, journal.lease)
    assert.equal(await snapshots.load(), null)
    assert.equal(await snapshots.coveredSeq(), 0)
    await journal.append(ticks(1, 12))
    for (const seq of [5, 9, 12]) await snapshots.save(seq, seq * 10, Buffer.from(`state ${seq}`), HASH)
    await snapshots.save(7, 70, Buffer.from("late"), HASH)
    const loaded = await snapshots.load()
    assert.deepEqual([loaded?.seq, loaded?.atMs, Buffer.from(loaded!.blob).toString()], [12, 120, "state 12"])
    // 5 is the first of its hour: a checkpoint. Of the others the newest two are kept.
    assert.equal(await snapshots.coveredSeq(), 5)
    const marks = await Effect.runPromise(readMarks(it.db, tenant, 0, 1_000, 10))
    assert.deepEqual(
      marks.map(({ seq, stateHash, build }) => [seq, stateHash, build]),
      [5, 9, 12].map((seq) => [seq, HASH, twinBuild()]),
    )
  })

  test("[W11] a checkpoint in ten minutes, later one an hour, until nobody asks for it, and the journal behind it", async (t) => {
    const tenant = await it.newTenant()
    const { journal } = await openFor(t, tenant)
    const snapshots = openSnapshots(it.db, tenant, journal.lease, 0)
    const [minute, last] = [60_000, 500]
    await journal.append(ticks(1, 1))
    await journal.append(ticks(2, last - 1))
    for (let i = 1; i <= last; i++) await snapshots.save(i, i * minute, Buffer.from(`state ${i}`), HASH)
    const at = async (atMs: number) => (await Effect.runPromise(loadCheckpoint(it.db, tenant, atMs)))?.seq
    const minutes = (...asked: number[]) => Promise.all(asked.map((m) => at(m * minute)))
    assert.equal(await at(0), undefined, "the first input is kept: a replay begins with nothing")
    await journal.prune(2, 3)
    assert.equal(await at(0), 1, "it is not any more")
    assert.deepEqual(await minutes(0, 9, 10, 119, 155, 499, 900), [1, 1, 10, 110, 150, 499, 500])
    // Of before the last six hours (minute 140), the first of each hour stays.
    await snapshots.forgetBefore(0)
    assert.deepEqual(await minutes(59, 60, 119, 139, 145, 155), [1, 60, 60, 120, 140, 150])
    await snapshots.forgetBefore(130 * minute)
    assert.deepEqual([await at(0), await at(130 * minute), await snapshots.coveredSeq()], [120, 120, 120])
    assert.equal(await snapshots.restartSeq(), 499)
    assert.equal((await Effect.runPromise(readMarks(it.db, tenant, 0, 1e9, 1_000)))[0]?.seq, 120)
    assert.equal((await Effect.runPromise(loadSnapshotAt(it.db, tenant, 180)))?.seq, 180)
    assert.equal(await Effect.runPromise(loadSnapshotAt(it.db, tenant, 181)), null)
  })

  test("[W10] while they are small every one of the last hour may be a checkpoint, then as of large ones", async (t) => {
    const tenant = await it.newTenant()
    const { journal } = await openFor(t, tenant)
    const snapshots = openSnapshots(it.db, tenant, journal.lease, 10)
    const [half, last] = [30_000, 900]
    await journal.append(ticks(1, 1))
    await journal.append(ticks(2, last - 1))
    await journal.prune(2, 3)
    // Two a minute; from minute 400 on four times as large as small ones may be, from 420 on larger.
    const stateOf = (i: number): Buffer => Buffer.alloc(i > 840 ? 41 : i >= 800 ? 40 : 10)
    for (let i = 1; i <= last; i++) await snapshots.save(i, i * half, stateOf(i), HASH)
    const at = async (minute: number) => (await Effect.runPromise(loadCheckpoint(it.db, tenant, minute * 60_000)))?.seq
    const minutes = (...asked: number[]) => Promise.all(asked.map(at))
    assert.deepEqual(
      await minutes(100.5, 101, 101.5, 399.5, 400.5, 401.5, 420, 429.5, 431),
      [201, 202, 203, 799, 800, 802, 840, 840, 860],
    )
    await snapshots.forgetBefore(0)
    // An hour before the end (450) is 390, six hours are 90.
    assert.deepEqual(await minutes(391.5, 400.5, 389, 381, 101, 99, 89, 61), [783, 800, 760, 760, 200, 180, 120, 120])
  })

  test("[W11] a snapshot is not saved beside a journal that ends before it: what is spooled may still go with this machine", async (t) => {
    const tenant = await it.newTenant()
    const { journal } = await openFor(t, tenant)
    const snapshots = openSnapshots(it.db, tenant, journal.lease)
    await assert.rejects(snapshots.save(1, 10, Buffer.from("state 1"), HASH), /ends at input 0/)
    await journal.append(ticks(1, 3))
    await snapshots.save(3, 30, Buffer.from("state 3"), HASH)
    await assert.rejects(snapshots.save(4, 40, Buffer.from("state 4"), HASH), /ends at input 3/)
    assert.equal((await snapshots.load())?.seq, 3)
    assert.equal((await Effect.runPromise(readMarks(it.db, tenant, 0, 1_000, 10))).length, 1)
  })
})

/** The postmaster and its children: a frozen server. */
const postmasterAndBackends = (postmaster: number): readonly number[] => {
  const children = readFileSync(`/proc/${postmaster}/task/${postmaster}/children`, "utf8").trim().split(/\s+/)
  return [postmaster, ...children.filter((it) => it !== "").map(Number)]
}

const signal = (pid: number, name: NodeJS.Signals): void => {
  try {
    process.kill(pid, name)
  } catch {
    // It ended meanwhile.
  }
}
