/** One tenant's runtime: order, recovery after a kill, poison inputs, a database that is away. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { makeManualClock } from "#engine/actors/clock.ts"
import { EVENTS_MAX } from "#engine/tenant/inbox.ts"
import { PENDING_INPUTS_MAX } from "#engine/tenant/journal-writer.ts"
import type { RoundNotice } from "#engine/tenant/live-twin.ts"
import { makeMemoryPorts } from "#engine/tenant/memory-ports.ts"
import {
  poll,
  ring,
  RULES,
  SILENCE,
  START_MS,
  syslog,
  tenantInfo,
  trap,
  unreachable,
} from "#engine/tenant/network.fixture.ts"
import type { JournalPort } from "#engine/tenant/ports.ts"
import { makeTenantRuntime, RuntimeStopped } from "#engine/tenant/runtime.ts"
import type { DeviceId } from "#protocol/id.ts"
import { BEHAVIOURS } from "#twin/cells.ts"
import type { DeviceInput } from "#twin/input.ts"
import type { RouterMsg } from "#twin/router.ts"

import { device, NO_HASH, replayed, start, stateOf } from "#engine/tenant/runtime.fixture.ts"

test("[R1] an input reaches the twin on the next turn of the event loop, and its listeners hear of it", async (t) => {
  const { runtime } = await start(t)
  const notices: RoundNotice[] = []
  runtime.onRound((notice) => notices.push(notice))
  runtime.submit(poll(device(runtime, 0), START_MS))
  runtime.submit(poll(device(runtime, 1), START_MS))
  assert.equal(notices.length, 0, "never on the stack of the collector")
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(notices.length, 1, "one round for both")
  assert.deepEqual(notices[0]?.nodes, [0, 1])
  assert.equal(notices[0]?.seq, runtime.seq())
  assert.equal(runtime.counts().routersUp, 2)
  const view = runtime.view({ kind: "device", id: device(runtime, 0) })
  assert.equal(view?.kind === "device" && view.health, "ok")
})

test("[R2] a trap becomes an event of its round, with the id that a replay gives it too", async (t) => {
  const started = await start(t)
  const { runtime, ports } = started
  for (const n of [0, 1, 2, 3]) runtime.submit(poll(device(runtime, n), START_MS))
  await runtime.flush()
  const notices: RoundNotice[] = []
  runtime.onRound((notice) => notices.push(notice))
  runtime.submit(trap(device(runtime, 0), START_MS + 500, false))
  await runtime.flush()
  const events = notices.flatMap((notice) => notice.events)
  assert.ok(events.length > 0)
  assert.ok(events.every((event) => event.id.startsWith(`${runtime.seq()}-`)))
  assert.equal(runtime.counts().linksDown, 1)
  assert.deepEqual(runtime.recentEvents().slice(-events.length), events)
  assert.equal(await stateOf(started), await replayed(ports))
})

test("[W11] kill -9 at any point: the twin rebuilt from snapshot and journal is the one that a replay gives", async (t) => {
  const command = fc.record({
    device: fc.nat(3),
    kind: fc.constantFrom(
      ...(["poll", "poll down", "unreachable", "trap", "syslog", "import", "snapshot", "kill", "pause"] as const),
      ...(["rules", "silence", "ack"] as const),
    ),
    ms: fc.nat(20_000),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(command, { minLength: 5, maxLength: 40 }), async (commands) => {
      let started = await start(t)
      let atMs = START_MS
      let rev = 1
      for (const { device: n, kind, ms } of commands) {
        const { runtime, ports, clock } = started
        atMs += ms
        clock.advanceTo(atMs)
        const id = device(runtime, n % runtime.inventory().devices.length)
        if (kind === "poll") runtime.submit(poll(id, atMs))
        if (kind === "poll down") runtime.submit(poll(id, atMs, { rightUp: false, cpu: 95 }))
        if (kind === "unreachable") runtime.submit(unreachable(id, atMs))
        if (kind === "trap") runtime.submit(trap(id, atMs, ms % 2 === 0))
        if (kind === "syslog") runtime.submit(syslog(id, atMs, "ether1 link down"))
        if (kind === "import") await runtime.setInventory(++rev, ring(2 + (ms % 4)))
        const { judgement } = runtime
        if (kind === "rules") await judgement.setRules(ms, RULES.slice(ms % 3))
        if (kind === "silence")
          await judgement.setSilences(ms, ms % 3 === 0 ? [] : [{ ...SILENCE, times: [[atMs, atMs + ms]] }])
        if (kind === "ack") await judgement.acknowledge({ device: id, rule: "cpu", entity: "" }, "ana", atMs + ms)
        if (kind === "pause") await new Promise((resolve) => setImmediate(resolve))
        if (kind === "snapshot") await runtime.flush().then(() => started.close())
        if (kind === "snapshot" || kind === "kill") {
          // What is not durable at this moment is lost; what is, is all there is.
          const survived = ports.clone()
          const kept = await survived.journal.lastSeq()
          const restarted = await start(t, { ports: survived, clock: makeManualClock(atMs), rev, inventory: ring(4) })
          const { snapshotSeq, folded } = restarted.runtime.stats().recovered
          assert.equal(snapshotSeq + folded, kept)
          if (kind === "kill") await started.close()
          started = restarted
        }
      }
      await started.runtime.flush()
      assert.equal(await stateOf(started), await replayed(started.ports))
    }),
    { numRuns: 25 },
  )
})

test("[R3] a poison input costs its router one message; the others and the round go on, and replay agrees", async (t) => {
  const router = (state: Parameters<typeof BEHAVIOURS.router>[0], msg: RouterMsg) => {
    if (JSON.stringify(msg).includes("poison")) throw new Error("a defect in the router's step")
    return BEHAVIOURS.router(state, msg)
  }
  const { runtime, notices } = await start(t, { steps: { ...BEHAVIOURS, router } })
  const rounds: RoundNotice[] = []
  const [sick, healthy] = [device(runtime, 0), device(runtime, 1)]
  for (const id of [sick, healthy]) runtime.submit(poll(id, START_MS))
  await runtime.flush()
  runtime.onRound((notice) => rounds.push(notice))
  const before = runtime.view({ kind: "device", id: sick })
  runtime.submit({ ...syslog(sick, START_MS + 1, "poison"), event: null })
  runtime.submit(trap(healthy, START_MS + 2, false))
  await runtime.flush()
  assert.deepEqual(runtime.view({ kind: "device", id: sick }), before)
  assert.ok(
    rounds.some((round) => round.events.length > 0),
    "the trap of the other router is seen",
  )
  assert.deepEqual(
    notices.map((notice) => [notice.kind, notice.subject]),
    [["actor-crashed", `router:${sick}`]],
  )
  const stats = runtime.stats().actors
  assert.deepEqual([stats.types.get("router")?.crashes, stats.deadLetters.poison], [1, 1])
  runtime.submit(trap(sick, START_MS + 3, false))
  await runtime.flush()
  assert.equal(stats.types.get("router")?.crashes, 1)
  assert.notDeepEqual(runtime.view({ kind: "device", id: sick }), before, "the router lives on")
})

test("[R4] five crashes in 60 s: the device's door is shut, an operator is told, and it opens again", async (t) => {
  const router = (state: Parameters<typeof BEHAVIOURS.router>[0], msg: RouterMsg) => {
    if (JSON.stringify(msg).includes("poison")) throw new Error("a defect in the router's step")
    return BEHAVIOURS.router(state, msg)
  }
  const { runtime, notices, clock } = await start(t, { steps: { ...BEHAVIOURS, router } })
  const [sick, healthy] = [device(runtime, 0), device(runtime, 1)]
  for (let n = 0; n < 5; n++) runtime.submit({ ...syslog(sick, START_MS + n, "poison"), event: null })
  await runtime.flush()
  const notice = notices.find((each) => each.kind === "actor-quarantined")
  assert.equal(notice?.subject, `router:${sick}`)
  assert.deepEqual(runtime.stats().quarantined, [{ device: sick, untilMs: notice?.untilMs }])
  const seq = runtime.seq()
  assert.equal(runtime.submit(poll(sick, START_MS + 10)), true)
  await runtime.flush()
  assert.equal(runtime.seq(), seq, "what is refused at the door never happened")
  runtime.submit(poll(healthy, START_MS + 10))
  await runtime.flush()
  assert.equal(runtime.seq(), seq + 1)
  clock.advanceTo(notice?.untilMs ?? NaN)
  runtime.submit(poll(sick, clock.nowMs()))
  await runtime.flush()
  assert.equal(runtime.counts().routersUp, 2)
  assert.deepEqual(runtime.stats().quarantined, [])
})

test("[R5] a round that throws loses its own inputs only: it is not journaled, and the next runtime starts", async (t) => {
  const failures: Error[] = []
  const ports = makeMemoryPorts()
  const first = await start(t, { ports })
  first.runtime.submit(poll(device(first.runtime, 0), START_MS))
  await first.runtime.flush()
  await first.close()
  // A defect of the round itself, not of an actor: the tenant's cell gives a slot that no column has.
  const tenant: typeof BEHAVIOURS.tenant = (state, msg) => ({
    ...BEHAVIOURS.tenant(state, msg),
    deltas: [
      {
        column: "node",
        slot: 1e6,
        status: { health: "ok", severity: "cleared", maintenance: false, stale: false },
        seenS: 0,
      },
    ],
  })
  const second = await start(t, {
    ports,
    steps: { ...BEHAVIOURS, tenant },
    onFailed: (error) => failures.push(error),
  })
  const durable = second.runtime.durableSeq()
  second.runtime.submit(poll(device(second.runtime, 1), START_MS + 1))
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(failures.length, 1)
  assert.match(failures[0]?.message ?? "", /inputs \d+ to \d+ are lost/)
  assert.equal(second.runtime.stats().status, "failed")
  assert.equal(second.runtime.submit(poll(device(first.runtime, 1), START_MS + 2)), false)
  await assert.rejects(second.runtime.setInventory(9, ring(2)), RuntimeStopped)
  const third = await start(t, { ports })
  assert.equal(third.runtime.seq(), durable)
})

test("[R6] the database is away: the twin goes on, nothing is called durable, memory is bounded, and it catches up", async (t) => {
  const ports = makeMemoryPorts()
  const answer: Array<() => void> = []
  const stuck: JournalPort = {
    ...ports.journal,
    append: async (batch) => {
      await new Promise<void>((resolve) => answer.push(resolve))
      await ports.journal.append(batch)
    },
  }
  const { runtime, notices, clock, close } = await start(t, { ports, journal: stuck, snapshotEveryMs: 1_000 })
  const id = device(runtime, 0)
  runtime.submit(poll(id, START_MS))
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(runtime.counts().routersUp, 1, "the twin does not wait for the journal")
  assert.equal(runtime.durableSeq(), 0)
  clock.advanceTo(START_MS + 5_000)
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(runtime.stats().snapshots.saved, 0, "no snapshot ahead of the journal")

  // Fill it up: events until the journal's bound, then until the inbox's.
  let sent = 0
  for (; sent < PENDING_INPUTS_MAX + 2 * EVENTS_MAX; sent++) {
    if (!runtime.submit({ ...syslog(id, clock.nowMs(), "line"), event: null })) {
      if (runtime.stats().journal.full) break
      await new Promise((resolve) => setImmediate(resolve))
      sent--
    }
  }
  const full = runtime.stats()
  assert.equal(full.journal.full, true)
  assert.ok(full.journal.inputs <= PENDING_INPUTS_MAX + 1_024, `${full.journal.inputs} inputs wait for the journal`)
  assert.equal(full.inbox.waiting, EVENTS_MAX)
  assert.equal(runtime.submit(trap(id, clock.nowMs(), false)), false, "events are pushed back")
  assert.equal(runtime.submit(poll(id, clock.nowMs())), true, "the newest poll is kept")
  assert.ok(notices.some((notice) => notice.kind === "journal-full"))

  // The database is back.
  const flushed = runtime.flush()
  while (runtime.stats().inbox.waiting > 0 || runtime.durableSeq() < runtime.seq()) {
    for (const resolve of answer.splice(0)) resolve()
    await new Promise((resolve) => setImmediate(resolve))
  }
  await flushed
  assert.equal(runtime.durableSeq(), runtime.seq())
  assert.ok(notices.some((notice) => notice.kind === "journal-room"))
  assert.equal(await ports.journal.lastSeq(), runtime.seq())
  const closing = close()
  for (let turn = 0; turn < 50; turn++) {
    for (const resolve of answer.splice(0)) resolve()
    await new Promise((resolve) => setImmediate(resolve))
  }
  await closing
})

test("[R7] an append that is refused for good (fenced) fails the runtime: it says so and takes nothing more", async (t) => {
  const ports = makeMemoryPorts()
  const fenced: JournalPort = { ...ports.journal, append: () => Promise.reject(new Error("fenced: epoch 8 owns this")) }
  const failures: Error[] = []
  const { runtime, notices } = await start(t, { ports, journal: fenced, onFailed: (error) => failures.push(error) })
  await assert.rejects(runtime.flush(), /fenced/)
  assert.equal(runtime.stats().status, "failed")
  assert.equal(failures.length, 1)
  assert.match(notices.find((notice) => notice.kind === "failed")?.detail ?? "", /fenced/)
  assert.equal(runtime.submit(poll(device(runtime, 0), START_MS)), false)
  await assert.rejects(runtime.whenDurable(99), /fenced/)
})

test("[R8] setInventory resolves when it is applied and durable; the epoch grows; slots have their new meaning", async (t) => {
  const started = await start(t)
  const { runtime } = started
  assert.deepEqual([runtime.epoch(), runtime.columns().nodeStatus.length], [101, 4])
  const notices: RoundNotice[] = []
  runtime.onRound((notice) => notices.push(notice))
  runtime.submit(poll(device(runtime, 3), START_MS))
  await runtime.setInventory(2, { ...ring(6), devices: [...ring(6).devices].reverse() })
  assert.equal(runtime.durableSeq(), runtime.seq())
  assert.equal(runtime.epoch(), 102)
  assert.ok(notices.some((notice) => notice.topologyChanged && notice.epoch === 102 && notice.nodes.length === 6))
  assert.equal(runtime.columns().nodeStatus.length, 6)
  const moved = runtime.view({ kind: "device", id: ring(6).devices[3]?.id ?? "" })
  assert.equal(moved?.kind === "device" && moved.health, "ok", "a device keeps its state when its slot changes")
  await runtime.setInventory(3, ring(1))
  assert.equal(runtime.stats().actors.types.get("router")?.actors, 1, "actors of removed devices are stopped")
  assert.equal(await stateOf(started), await replayed(started.ports))
})

test("[R9] a restart with the same revision journals nothing; with another one, it applies it first", async (t) => {
  const first = await start(t)
  await first.runtime.flush()
  await first.close()
  const same = await start(t, { ports: first.ports })
  assert.equal(same.runtime.seq(), first.runtime.seq())
  assert.equal(same.runtime.inventory().devices.length, 4)
  await same.close()
  const other = await start(t, { ports: first.ports, rev: 2, inventory: ring(7), epochBase: 200 })
  assert.equal(other.runtime.inventory().devices.length, 7)
  assert.equal(other.runtime.epoch(), 201)
})

test("[R10] with no input the twin's time still passes, once a second, and only then", async (t) => {
  const { runtime, clock } = await start(t)
  const seq = runtime.seq()
  clock.advanceTo(START_MS + 5_000)
  assert.equal(runtime.seq(), seq + 5)
  runtime.submit(poll(device(runtime, 0), START_MS + 5_000))
  await new Promise((resolve) => setImmediate(resolve))
  clock.advanceTo(START_MS + 5_999)
  assert.equal(runtime.seq(), seq + 6)
})

test("[R11] a snapshot that cannot be read costs a longer replay, not the start; a hole in the journal stops it", async (t) => {
  const first = await start(t)
  for (let n = 0; n < 4; n++) first.runtime.submit(poll(device(first.runtime, n), START_MS))
  await first.runtime.flush()
  await first.close()
  const damaged = first.ports.clone()
  await damaged.snapshots.save(first.runtime.seq(), START_MS, Uint8Array.of(1, 200, 0, 0, 0, 7), NO_HASH)
  const second = await start(t, { ports: damaged })
  assert.equal(second.notices[0]?.kind, "snapshot-unusable")
  assert.equal(second.runtime.counts().routersUp, 4)
  assert.equal(second.runtime.stats().recovered.folded, first.runtime.seq())

  damaged.batches.shift()
  await damaged.snapshots.save(first.runtime.seq(), START_MS, new Uint8Array(), NO_HASH)
  const result = await Effect.runPromise(
    Effect.result(
      Effect.scoped(
        makeTenantRuntime({
          tenant: tenantInfo("acme"),
          rev: 1,
          inventory: ring(4),
          epochBase: 1,
          journal: damaged.journal,
          snapshots: damaged.snapshots,
        }),
      ),
    ),
  )
  assert.ok(Result.isFailure(result))
  assert.equal(result.failure._tag, "JournalGap")
  assert.match(result.failure.message, /goes on at 2 where 1 is needed/)
})

test("[R12] grouping does not matter: one input a round or a thousand give the same twin and the same journal", async (t) => {
  const inputs = (id: (n: number) => DeviceId): DeviceInput[] =>
    Array.from({ length: 300 }, (_, n) =>
      n % 7 === 0
        ? trap(id(n % 4), START_MS + n * 100, n % 2 === 0)
        : syslog(id(n % 4), START_MS + n * 100, `line ${n}`),
    )
  const hashes: string[] = []
  for (const oneByOne of [true, false]) {
    const started = await start(t, { clock: makeManualClock(START_MS + 40_000) })
    for (const input of inputs((n) => device(started.runtime, n))) {
      started.runtime.submit(input)
      if (oneByOne) await new Promise((resolve) => setImmediate(resolve))
    }
    await started.runtime.flush()
    const { rounds } = started.runtime.stats().rounds
    assert.ok(oneByOne ? rounds >= 300 : rounds < 20, `${rounds} rounds`)
    // Ids of the inventory's own topology input carry the clock of the start; equal here.
    hashes.push(await stateOf(started))
    assert.equal(hashes.at(-1), await replayed(started.ports))
  }
  assert.equal(hashes[0], hashes[1])
})

test("[R13] two tenants share nothing: no id of one is anywhere in the other's state, journal, notices or counters", async (t) => {
  const canary = (tag: string) => ({ tenant: tenantInfo(tag), inventory: ring(3, tag) })
  const [a, b] = [await start(t, canary("canaryA")), await start(t, canary("canaryB"))]
  const seen: Record<string, string> = { canaryA: "", canaryB: "" }
  for (const [tag, { runtime }] of [
    ["canaryA", a],
    ["canaryB", b],
  ] as const) {
    runtime.onRound((notice) => {
      seen[tag] += JSON.stringify({ ...notice, touched: [...notice.touched] })
    })
    for (let n = 0; n < 3; n++) {
      runtime.submit(poll(device(runtime, n), START_MS))
      runtime.submit(trap(device(runtime, n), START_MS + 1, false))
    }
    await runtime.flush()
  }
  for (const [mine, other, started] of [
    ["canaryA", "canaryB", a],
    ["canaryB", "canaryA", b],
  ] as const) {
    const stats = started.runtime.stats()
    const rest = JSON.stringify([started.runtime.inventory(), started.runtime.recentEvents(), stats, started.notices])
    await started.close()
    const stored = [...started.ports.batches.map((batch) => batch.bytes), (await started.ports.snapshots.load())?.blob]
    const everything = `${seen[mine]}${rest}${stored.map((bytes) => Buffer.from(bytes ?? []).toString("latin1")).join("")}`
    assert.ok(everything.includes(mine))
    assert.ok(!everything.includes(other))
  }
})

test("[R14] stopping folds and journals what waits, refuses new inputs, and saves a snapshot", async (t) => {
  const { runtime, ports, close } = await start(t)
  for (let n = 0; n < 4; n++) runtime.submit(poll(device(runtime, n), START_MS))
  const seq = runtime.seq()
  const closing = close()
  assert.equal(runtime.submit(trap(ring(4).devices[0]?.id as DeviceId, START_MS, false)), false)
  await closing
  assert.equal(runtime.seq(), seq + 4)
  assert.equal(await ports.journal.lastSeq(), seq + 4)
  assert.equal((await ports.snapshots.load())?.seq, seq + 4)
  assert.equal(runtime.stats().status, "stopped")
  await close()
})

test("[R15] a listener that throws is counted, told once, and the others still hear", async (t) => {
  const { runtime, notices } = await start(t)
  let heard = 0
  runtime.onRound(() => {
    throw new Error("viewer")
  })
  runtime.onRound(() => heard++)
  for (let n = 0; n < 3; n++) {
    runtime.submit(poll(device(runtime, n), START_MS))
    await runtime.flush()
  }
  assert.equal(heard, 3)
  assert.equal(runtime.stats().listenersThrew, 3)
  assert.deepEqual(
    notices.map((notice) => notice.kind),
    ["listener-threw"],
  )
})
