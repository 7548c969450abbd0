/** [I6] What the engine tells a tenant of itself: differences where they are meant, and of the whole engine only the platform's own tenant. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import { DURATION_BOUNDS_MS, makeFleetStats, recordDuration } from "#engine/collectors/fleet-stats.ts"
import {
  makeTenantReader,
  ofPlatform,
  selfPoll,
  type PlatformReadings,
  type TenantReadings,
} from "#engine/self/self-poll.ts"
import { makeSelfWatch, SELF_EVERY_MS, type WatchedTenant } from "#engine/self/self-watch.ts"
import { SPOOL_BYTES_MAX } from "#engine/storage/journal.ts"
import { decodeBatch, encodeBatch } from "#engine/tenant/journal-codec.ts"
import type { TenantRuntimeStats } from "#engine/tenant/runtime.ts"
import { metricById } from "#protocol/metric.ts"
import type { TenantId } from "#protocol/id.ts"
import type { Input, PollInput } from "#twin/input.ts"
import { PACKS } from "#twin/alert/packs/registry.ts"
import { plainCells } from "#twin/cells.ts"
import { alertViews } from "#twin/judge/alert-view.ts"
import { newWorld, runRound } from "#twin/round.ts"

const T0 = 1_700_000_000_000

/** Whatever a test sets; everything else is at rest. */
const state = () => ({
  seq: 10,
  durableSeq: 10,
  inbox: { waiting: 0, accepted: 0, pollsLost: 0, pollsRefused: 0, eventsRefused: 0, quarantined: 0, malformed: 0 },
  quarantined: [] as Array<{ device: string; untilMs: number }>,
  restarts: 0,
  spooling: false,
  spooledBytes: 0,
  behindSeq: null as number | null,
  droppedSamples: 0,
  ingest: { samplesLost: 0, samplesCut: 0, eventsLost: 0, waiting: 0 },
  isBeingRebuilt: false,
})
type State = ReturnType<typeof state>

const readingsOf = (now: State, fleet = makeFleetStats()): TenantReadings => ({
  fleet,
  // Only what is read of it.
  runtime: () =>
    now.isBeingRebuilt
      ? null
      : ({
          ...now,
          actors: { types: new Map([["router", { restarts: now.restarts }]]) },
        } as unknown as TenantRuntimeStats),
  journal: () =>
    now.isBeingRebuilt
      ? null
      : { spooling: now.spooling, spooledBytes: now.spooledBytes, queuedAppends: 0, commits: 0, rows: 0 },
  history: () =>
    now.isBeingRebuilt
      ? null
      : {
          openWindows: 0,
          samplesInMemory: 0,
          bytesInMemory: 0,
          unstored: 0,
          storedChunks: 0,
          storedSamples: 0,
          storedBytes: 0,
          storedRollups: 0,
          storedRollupBytes: 0,
          behindSeq: now.behindSeq,
          droppedSamples: now.droppedSamples,
        },
  ingest: () => now.ingest,
})

const byName = (poll: PollInput): Record<string, number> =>
  Object.fromEntries([...poll.metric].map((id, row) => [metricById(id)?.name ?? "?", poll.value[row] as number]))

describe("what a tenant is told", () => {
  test("[I6] at rest: nothing late, nothing lost; no polls, no lateness", () => {
    const told = byName(selfPoll(T0, makeTenantReader(readingsOf(state())).read(T0)))
    assert.deepEqual(told, {
      "ingest.lag_seconds": 0,
      "engine.inputs_refused_total": 0,
      "engine.devices_quarantined": 0,
      "engine.restarts_total": 0,
      "engine.database_up": 1,
      "engine.spool_used_pct": 0,
      "engine.history_behind_inputs": 0,
      "engine.history_dropped_total": 0,
      "engine.quota_dropped_total": 0,
    })
  })

  test("[I6] each trouble in its metric", () => {
    const now = state()
    Object.assign(now, {
      spooling: true,
      spooledBytes: SPOOL_BYTES_MAX / 4,
      behindSeq: 4,
      droppedSamples: 77,
      restarts: 2,
      quarantined: [{ device: "d", untilMs: 1 }],
      inbox: { ...now.inbox, pollsLost: 1, pollsRefused: 2, eventsRefused: 3, malformed: 4 },
      ingest: { samplesLost: 10, samplesCut: 20, eventsLost: 30, waiting: 0 },
    })
    const told = byName(selfPoll(T0, makeTenantReader(readingsOf(now)).read(T0)))
    assert.deepEqual(told, {
      "ingest.lag_seconds": 0,
      "engine.inputs_refused_total": 9,
      "engine.devices_quarantined": 1,
      "engine.restarts_total": 2,
      "engine.database_up": 0,
      "engine.spool_used_pct": 25,
      "engine.history_behind_inputs": 6,
      "engine.history_dropped_total": 77,
      "engine.quota_dropped_total": 60,
    })
  })

  test("[I6] while the twin is rebuilt only what is known is told", () => {
    const now = { ...state(), isBeingRebuilt: true }
    const told = byName(selfPoll(T0, makeTenantReader(readingsOf(now)).read(T0)))
    assert.deepEqual(told, { "engine.quota_dropped_total": 0 })
  })

  test("[I6] lateness is of the polls since the reading before, by the bucket of the 99th percentile", () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.integer({ min: 0, max: 30_000 }), { maxLength: 120 }), { minLength: 1, maxLength: 6 }),
        (rounds) => {
          const fleet = makeFleetStats()
          const reader = makeTenantReader(readingsOf(state(), fleet))
          for (const [round, late] of rounds.entries()) {
            for (const [nth, ms] of late.entries())
              recordDuration(fleet.of(nth % 2 === 0 ? "snmp" : "routeros").lateness, ms)
            const told = byName(selfPoll(T0, reader.read(T0 + round)))["engine.poll_lateness_p99_ms"]
            const slowest = late.toSorted((a, b) => a - b)[Math.ceil(0.99 * late.length) - 1]
            const bound = slowest === undefined ? undefined : (DURATION_BOUNDS_MS.find((ms) => slowest <= ms) ?? 20_000)
            assert.equal(told, bound)
          }
        },
      ),
    )
  })

  test("[I6] lag is the age of the oldest input that waits, never more, and less by one reading at most", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 12 })), { maxLength: 60 }),
        (steps) => {
          const now = { ...state(), seq: 0, durableSeq: 0 }
          const reader = makeTenantReader(readingsOf(now))
          /** When each input was taken in: between two readings, at the one that follows. */
          const takenMs: number[] = []
          let atMs = T0
          for (const [taken, stored] of steps) {
            for (let n = 0; n < taken; n++) takenMs.push(atMs)
            now.seq += taken
            now.durableSeq = Math.min(now.seq, now.durableSeq + stored)
            const lagMs = (byName(selfPoll(atMs, reader.read(atMs)))["ingest.lag_seconds"] ?? Number.NaN) * 1_000
            const oldest = takenMs[now.durableSeq]
            assert.equal(lagMs, oldest === undefined ? 0 : atMs - oldest)
            atMs += SELF_EVERY_MS
          }
        },
      ),
    )
  })

  test("[I6] a twin that begins again behind where it was is not late for it", () => {
    const now = state()
    const reader = makeTenantReader(readingsOf(now))
    Object.assign(now, { seq: 50, durableSeq: 10 })
    reader.read(T0)
    Object.assign(now, { seq: 20, durableSeq: 20 })
    assert.equal(byName(selfPoll(T0, reader.read(T0 + 60_000)))["ingest.lag_seconds"], 0)
    Object.assign(now, { seq: 25 })
    reader.read(T0 + 75_000)
    assert.equal(byName(selfPoll(T0, reader.read(T0 + 90_000)))["ingest.lag_seconds"], 15)
  })

  test("[I6] what is not finite is left out, and the poll survives the journal", () => {
    const poll = selfPoll(T0, [
      ["engine.heap_used_pct", Number.NaN],
      ["engine.spool_used_pct", 12.5],
    ])
    assert.deepEqual(byName(poll), { "engine.spool_used_pct": 12.5 })
    const [stored] = decodeBatch(encodeBatch([{ seq: 1, input: poll }]))
    assert.deepEqual(stored?.input, poll)
  })
})

// -- who is told what --------------------------------------------------------------------------------------------------------

const PLATFORM: PlatformReadings = {
  eventLoopDelayP99Ms: () => 1_234,
  heapUsedPct: () => 50,
  diskFreePct: () => 3,
  viewersDropped: () => 7,
}
const WHOLE = ofPlatform(PLATFORM).map(([name]) => name as string)

const watched = (id: string, now = state()): WatchedTenant & { readonly heard: Input[] } => {
  const heard: Input[] = []
  const tenant = { id: id as TenantId, slug: id, name: id, demo: false }
  return { ...readingsOf(now), heard, twin: { tenant, submit: (input) => heard.push(input) > 0 } }
}

describe("isolation", () => {
  test("[T1] figures of the whole engine go to the platform's own tenant and to nobody else", () => {
    const [home, other] = [watched("home"), watched("other")]
    let isHomeRunning = true
    const watch = makeSelfWatch({
      tenants: () => [other, home],
      platformTenant: () => (isHomeRunning ? home.twin.tenant.id : null),
      platform: PLATFORM,
      nowMs: () => T0 + 0.5,
    })
    watch.tell()
    const names = (heard: readonly Input[], nth: number): readonly string[] =>
      Object.keys(byName(heard[nth] as PollInput))
    assert.deepEqual(
      names(home.heard, 0).filter((name) => WHOLE.includes(name)),
      WHOLE,
    )
    assert.deepEqual(
      names(other.heard, 0).filter((name) => WHOLE.includes(name)),
      [],
    )
    isHomeRunning = false
    watch.tell()
    for (const { heard } of [home, other])
      assert.deepEqual(
        names(heard, 1).filter((name) => WHOLE.includes(name)),
        [],
      )
    assert.equal((home.heard[0] as PollInput).atMs, T0)
  })

  test("[T1] one tenant's trouble is in no other tenant's readings", () => {
    const trouble = { ...state(), spooling: true, droppedSamples: 9, seq: 99 }
    const [a, b] = [watched("a", trouble), watched("b")]
    makeSelfWatch({ tenants: () => [a, b], platformTenant: () => null, platform: PLATFORM, nowMs: () => T0 }).tell()
    const alone = watched("b")
    makeSelfWatch({ tenants: () => [alone], platformTenant: () => null, platform: PLATFORM, nowMs: () => T0 }).tell()
    assert.deepEqual(b.heard, alone.heard)
    assert.equal(byName(a.heard[0] as PollInput)["engine.database_up"], 0)
  })

  test("[I6] readings are what the shipped rules judge: a database that goes away fires in the tenant's twin", () => {
    const now = state()
    const tenant = watched("a", now)
    let atMs = T0
    const watch = makeSelfWatch({
      tenants: () => [tenant],
      platformTenant: () => null,
      platform: PLATFORM,
      nowMs: () => atMs,
    })
    const rules = PACKS.flatMap((pack) => pack.rules).map(({ rule }) => rule)
    watch.tell()
    now.spooling = true
    for (let n = 1; n <= 3; n++) {
      atMs = T0 + n * SELF_EVERY_MS
      watch.tell()
    }
    const [world, cells] = [newWorld(), plainCells()]
    const inputs: readonly Input[] = [{ kind: "rules", atMs: T0 - 1, rev: 1, rules }, ...tenant.heard]
    runRound(
      world,
      cells,
      inputs.map((input, index) => ({ seq: index + 1, input })),
    )
    assert.deepEqual(
      alertViews(world, cells).map(({ rule }) => rule),
      ["engine-database-away"],
    )
  })
})
