/** Charts read in the thread are those read here; it is bounded, forgets nothing that waits, and comes back after a crash. */
import assert from "node:assert/strict"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, test, type TestContext } from "node:test"
import { pathToFileURL } from "node:url"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { NO_POSTGRES, tempDataDir, useTestDatabase } from "#engine/storage/database.fixture.ts"
import { DbError, openDb } from "#engine/storage/db.ts"
import { newDevice, startHistory } from "#engine/storage/history.fixture.ts"
import type { HistoryQuery } from "#engine/storage/history-read.ts"
import { openHistoryThread, THREAD_LIMITS, type HistoryThread } from "#engine/storage/history-thread.ts"
import { routerPolls } from "#engine/storage/polls.fixture.ts"
import { readOnlyUrl } from "#engine/storage/read-only-url.ts"
import { interfaceKey, tenantId } from "#protocol/id.ts"

const FROM = 1_780_000_000_000
const TENANT = tenantId("00000000-0000-7000-8000-000000000001")

const opened = async (t: TestContext, ...how: Parameters<typeof openHistoryThread>): Promise<HistoryThread> => {
  const scope = Scope.makeUnsafe()
  t.after(() => Effect.runPromise(Scope.close(scope, Exit.void)))
  return Effect.runPromise(Scope.provide(openHistoryThread(...how), scope))
}

/** A thread that does what `source` says with each message. */
const planted = (t: TestContext, source: string): URL => {
  const file = join(tempDataDir(t), "planted.mjs")
  writeFileSync(
    file,
    `import { parentPort } from "node:worker_threads"\nparentPort.on("message", (message) => { ${source} })`,
  )
  return pathToFileURL(file)
}

const QUERY: HistoryQuery = { device: "d", entity: "", metric: "device.cpu_pct", fromMs: 0, toMs: 1, pointsMax: 10 }
const READ = { appUrl: "postgres://nobody@127.0.0.1:1/none", tenant: TENANT, windows: [], query: QUERY }
const isAway = (words: RegExp) => (error: unknown) =>
  error instanceof DbError && error.code === "AWAY" && words.test(error.message)

describe("the thread that reads charts", { skip: NO_POSTGRES }, () => {
  const it = useTestDatabase()

  test("[W15] [U9] reads what is read here: stored, in memory, derived, bucketed, and nothing of another tenant", async (t) => {
    const [tenant, other] = [await it.newTenant(), await it.newTenant()]
    const device = await newDevice(it, tenant)
    const thread = await opened(t)
    const { appUrl } = it.database
    const plain = await startHistory(t, it, tenant, { windowPolls: 20 })
    await plain.feed(routerPolls({ device, polls: 130, interfaces: 2 }))
    await plain.history.recovered
    while (plain.history.status().unstored > 0) await new Promise((turn) => setImmediate(turn))
    const { openWindows, storedChunks } = plain.history.status()
    assert.ok(openWindows > 0 && storedChunks > 0, "both kinds are read")
    const query = { device, entity: interfaceKey("ether1"), fromMs: FROM, toMs: FROM + 86_400_000, pointsMax: 600 }
    for (const metric of ["interface.rx_bytes_total", "interface.rx_bps", "interface.utilization_pct", "device.mood"])
      for (const pointsMax of [600, 7]) {
        const asked = { ...query, metric, pointsMax, stat: "p95" as const }
        const here = await plain.history.read(asked)
        const there = await thread.read({ appUrl, tenant, windows: plain.history.inMemory(device), query: asked })
        assert.deepEqual(there, here)
        assert.equal(here === null, metric === "device.mood")
        assert.equal(await thread.read({ appUrl, tenant: other, windows: [], query: asked }), null)
      }
  })

  test("its connections cannot write, whatever is asked of them", async () => {
    const tenant = await it.newTenant()
    const scope = Scope.makeUnsafe()
    const url = readOnlyUrl(it.database.appUrl)
    const db = await Effect.runPromise(Scope.provide(openDb({ appUrl: url, engineUrl: url }), scope))
    const write = db.tenant(tenant)((tx) => tx.query("insert into site values ($1, 'pop', 'POP', 0, 0)", [tenant]))
    await assert.rejects(Effect.runPromise(write), /read-only transaction/)
    await Effect.runPromise(Scope.close(scope, Exit.void))
  })
})

test("a database that is away is said so, and so is a tenant's own", async (t) => {
  const thread = await opened(t)
  await assert.rejects(thread.read(READ), DbError)
  await assert.rejects(thread.read({ ...READ, appUrl: null }), isAway(/away/))
})

test("[W15] one read too many is refused; what waits is answered with words when the thread ends", async (t) => {
  const thread = await opened(t, { ...THREAD_LIMITS, readsMax: 2 }, planted(t, "if (message.id === 2) process.exit(1)"))
  const first = assert.rejects(thread.read(READ), isAway(/ended by itself/))
  const second = assert.rejects(thread.read(READ), isAway(/ended by itself/))
  await assert.rejects(thread.read(READ), isAway(/2 charts are being read already/))
  await Promise.all([first, second])
})

test("after a crash, and after it was let go, the next read starts a new thread", async (t) => {
  const source = `if (message.query.device === "poison") throw new Error("planted")
    parentPort.postMessage({ id: message.id, series: null })`
  const thread = await opened(t, { ...THREAD_LIMITS, idleMs: 1 }, planted(t, source))
  await assert.rejects(thread.read({ ...READ, query: { ...QUERY, device: "poison" } }), isAway(/defect: .*planted/))
  for (let i = 0; i < 3; i++) {
    assert.equal(await thread.read(READ), null)
    await new Promise((wake) => setTimeout(wake, 5))
  }
})

test("a read that never ends is ended, and the next one is answered", async (t) => {
  const source = `if (message.query.device !== "slow") parentPort.postMessage({ id: message.id, series: null })`
  const thread = await opened(t, { ...THREAD_LIMITS, readMsMax: 300 }, planted(t, source))
  await assert.rejects(thread.read({ ...READ, query: { ...QUERY, device: "slow" } }), isAway(/took more than/))
  assert.equal(await thread.read(READ), null)
})
