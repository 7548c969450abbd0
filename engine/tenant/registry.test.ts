/** Many tenants in one process: one tenant's failure is nobody else's. */
import assert from "node:assert/strict"
import { test } from "node:test"
import type { TestContext } from "node:test"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import type { LifeNotice } from "#engine/actors/actor.ts"
import { makeManualClock } from "#engine/actors/clock.ts"
import type { LiveTwin, RoundNotice } from "#engine/tenant/live-twin.ts"
import { makeMemoryPorts } from "#engine/tenant/memory-ports.ts"
import { poll, ring, START_MS, tenantInfo, trap } from "#engine/tenant/network.fixture.ts"
import { makeTenants, TENANT_SUPERVISOR } from "#engine/tenant/registry.ts"
import type { LoadTenant, Tenants } from "#engine/tenant/registry.ts"
import type { DeviceId } from "#protocol/id.ts"

const start = async (
  t: TestContext,
): Promise<{ tenants: Tenants; notices: LifeNotice[]; close: () => Promise<void> }> => {
  const notices: LifeNotice[] = []
  const scope = Scope.makeUnsafe()
  const supervisor = { ...TENANT_SUPERVISOR, intensity: 1_000, backoff: { baseMs: 0, maxMs: 0, jitter: 0 } }
  const tenants = await Effect.runPromise(
    makeTenants({ supervisor, onNotice: (notice) => notices.push(notice) }).pipe(Scope.provide(scope)),
  )
  const close = (): Promise<void> => Effect.runPromise(Scope.close(scope, Exit.void))
  t.after(close)
  return { tenants, notices, close }
}

/** `gate` holds up every start but the first. */
const loader = (slug: string, gate = Promise.resolve()): { load: LoadTenant; starts: () => number } => {
  const ports = makeMemoryPorts()
  const clock = makeManualClock(START_MS)
  let starts = 0
  return {
    starts: () => starts,
    load: Effect.promise(async () => {
      if (++starts > 1) await gate
      const { journal, snapshots } = ports
      const inventory = ring(3, slug)
      return { tenant: tenantInfo(slug), rev: 1, inventory, epochBase: starts * 1_000, journal, snapshots, clock }
    }),
  }
}

const device = (twin: LiveTwin, n: number): DeviceId => twin.inventory().devices[n]?.id as DeviceId
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
const until = async (what: () => boolean): Promise<void> => {
  const endMs = performance.now() + 120_000
  while (!what()) {
    assert.ok(performance.now() < endMs, `never: ${what}`)
    await turn()
  }
}

test("[T4] killing one tenant's runtime leaves the other's messages gap-free and free of its ids", async (t) => {
  const { tenants } = await start(t)
  const [aLoad, bLoad] = [loader("canaryA"), loader("canaryB")]
  const [aId, bId] = [tenantInfo("canaryA").id, tenantInfo("canaryB").id]
  const a = await Effect.runPromise(tenants.open(aId, aLoad.load))
  const b = await Effect.runPromise(tenants.open(bId, bLoad.load))
  const heard: RoundNotice[] = []
  b.onRound((notice) => heard.push(notice))
  const firstSeq = b.seq()
  for (let n = 0; n < 60; n++) {
    a.submit(trap(device(a, n % 3), START_MS + n, n % 2 === 0))
    assert.equal(b.submit(poll(device(b, n % 3), START_MS + n)), true)
    if (n % 20 === 10) assert.equal(tenants.kill(aId, "on purpose"), true)
    await turn()
  }
  await tenants.runtime(bId)?.flush()
  await until(() => tenants.runtime(aId)?.stats().status === "live" && aLoad.starts() === 4)
  assert.deepEqual(
    heard.map((notice) => notice.seq),
    Array.from({ length: 60 }, (_, n) => firstSeq + 1 + n),
  )
  assert.equal(bLoad.starts(), 1)
  assert.ok(!JSON.stringify(heard.map((notice) => [notice.events, [...notice.touched]])).includes("canaryA"))
  assert.equal(tenants.stats().types.get("tenant-runtime")?.restarts, 3)
})

test("[Y1] after a restart the same twin object shows the rebuilt state, a new epoch, and its listeners hear of it", async (t) => {
  const { tenants, notices } = await start(t)
  let open = (): void => undefined
  const { load } = loader("a", new Promise((resolve) => (open = resolve)))
  const id = tenantInfo("a").id
  const twin = await Effect.runPromise(tenants.open(id, load))
  const heard: RoundNotice[] = []
  twin.onRound((notice) => heard.push(notice))
  twin.submit(poll(device(twin, 0), START_MS))
  await tenants.runtime(id)?.flush()
  const before = { seq: twin.seq(), counts: twin.counts(), columns: twin.columns(), epoch: twin.epoch() }
  heard.length = 0
  tenants.kill(id, "on purpose")
  await until(() => tenants.runtime(id) === null)
  assert.equal(twin.submit(poll(device(twin, 1), START_MS)), false, "refused while there is no runtime")
  await assert.rejects(twin.setInventory(2, ring(1)), /rebuilt/)
  assert.deepEqual(twin.counts(), before.counts, "the last state stays readable")
  open()
  await until(() => tenants.runtime(id) !== null)
  assert.equal(tenants.byTenant(id), twin)
  assert.deepEqual([twin.seq(), twin.counts(), twin.columns()], [before.seq, before.counts, before.columns])
  assert.ok(twin.epoch() > before.epoch)
  assert.deepEqual(
    heard.map((notice) => [notice.topologyChanged, notice.epoch, notice.nodes.length]),
    [[true, twin.epoch(), 3]],
  )
  assert.equal(twin.submit(poll(device(twin, 1), START_MS)), true)
  await tenants.runtime(id)?.flush()
  assert.equal(twin.counts().routersUp, 2)
  assert.deepEqual(
    notices.map((notice) => notice.kind),
    ["crashed", "restarted"],
  )
})

test("[Y2] a first start that fails says why and leaves nothing behind; the same tenant can be opened later", async (t) => {
  const { tenants } = await start(t)
  const id = tenantInfo("a").id
  const failed = await Effect.runPromise(Effect.result(tenants.open(id, Effect.fail(new Error("database is away")))))
  assert.ok(Result.isFailure(failed))
  assert.match(failed.failure.message, /did not start: Error: database is away/)
  assert.equal(tenants.byTenant(id), null)
  assert.deepEqual(tenants.all(), [])
  const twin = await Effect.runPromise(tenants.open(id, loader("a").load))
  assert.deepEqual(tenants.all(), [twin])
  const again = await Effect.runPromise(Effect.result(tenants.open(id, loader("a").load)))
  assert.ok(Result.isFailure(again) && again.failure.detail.includes("open already"))
})

test("[Y3] closing a tenant flushes and saves; closing the scope does so for all", async (t) => {
  const { tenants, close } = await start(t)
  const ports = [makeMemoryPorts(), makeMemoryPorts()]
  const twins = await Promise.all(
    ports.map(({ journal, snapshots }, n) =>
      Effect.runPromise(
        tenants.open(
          tenantInfo(`t${n}`).id,
          Effect.succeed({ tenant: tenantInfo(`t${n}`), rev: 1, inventory: ring(2), epochBase: 1, journal, snapshots }),
        ),
      ),
    ),
  )
  for (const twin of twins) twin.submit(poll(device(twin, 0), Date.now()))
  await Effect.runPromise(tenants.close(tenantInfo("t0").id))
  assert.equal((await ports[0]?.snapshots.load())?.seq, twins[0]?.seq())
  assert.equal(twins[0]?.counts().routersUp, 1)
  assert.equal(tenants.byTenant(tenantInfo("t0").id), null)
  await Effect.runPromise(tenants.close(tenantInfo("t0").id))
  await close()
  assert.equal((await ports[1]?.snapshots.load())?.seq, twins[1]?.seq())
  assert.equal(twins[1]?.counts().routersUp, 1)
})

test("[Y4] a runtime that loses its journal is rebuilt from what is durable", async (t) => {
  const { tenants } = await start(t)
  const ports = makeMemoryPorts()
  let starts = 0
  const id = tenantInfo("a").id
  const twin = await Effect.runPromise(
    tenants.open(
      id,
      Effect.sync(() => {
        const first = ++starts === 1
        let appends = 0
        const append: typeof ports.journal.append = (batch) =>
          first && ++appends > 1 ? Promise.reject(new Error("fenced")) : ports.journal.append(batch)
        return {
          tenant: tenantInfo("a"),
          rev: 1,
          inventory: ring(2),
          epochBase: starts * 10,
          journal: { ...ports.journal, append },
          snapshots: ports.snapshots,
        }
      }),
    ),
  )
  await tenants.runtime(id)?.flush()
  const durable = twin.seq()
  twin.submit(poll(device(twin, 0), Date.now()))
  await until(() => starts === 2 && tenants.runtime(id) !== null)
  assert.equal(twin.seq(), durable)
  assert.equal(twin.counts().routersUp, 0, "what was not durable is not shown any more")
  twin.submit(poll(device(twin, 0), Date.now()))
  await tenants.runtime(id)?.flush()
  assert.equal(twin.counts().routersUp, 1)
})
