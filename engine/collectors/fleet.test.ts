import assert from "node:assert/strict"
import { test } from "node:test"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { TestClock } from "effect/testing"
import type { Collector, Poller, Sink } from "#engine/collectors/collector.ts"
import type { FleetControl, FleetSettings } from "#engine/collectors/fleet.ts"
import type { FleetStats } from "#engine/collectors/fleet-stats.ts"
import type { Target } from "#engine/collectors/target.ts"
import type { DeviceInput, PollInput } from "#twin/input.ts"
import { deviceId } from "#protocol/id.ts"
import { HEARD_REST_MS } from "#engine/collectors/breaker.ts"
import { PollFailed } from "#engine/collectors/collector.ts"
import { FLEET_DEFAULTS, runFleet } from "#engine/collectors/fleet.ts"
import { makeFleetStats } from "#engine/collectors/fleet-stats.ts"

const target = (n: number, pollSeconds = 10, name = `r${n}`): Target => ({
  device: deviceId(`d${n}`),
  name,
  address: "127.0.0.1",
  pollSeconds,
  snmp: { version: "2c", port: 161, community: "c" },
  routeros: null,
})
const targets = (count: number, pollSeconds = 10) => Array.from({ length: count }, (_, n) => target(n, pollSeconds))

const answer = (of: Target): PollInput => ({
  kind: "poll",
  device: of.device,
  source: "snmp",
  startedMs: 0,
  atMs: 0,
  entities: [],
  entity: new Uint16Array(),
  metric: new Uint16Array(),
  value: new Float64Array(),
  texts: [],
  complete: [],
})

/** A collector whose polls are `poll`, and what became of its pollers. */
const collector = (poll: (of: Target, deadlineMs: number) => Effect.Effect<PollInput, PollFailed>) => {
  const counts = { opened: 0, closed: 0 }
  const made: Collector = {
    source: "snmp",
    open: (of) =>
      Effect.acquireRelease(
        Effect.sync((): Poller => {
          counts.opened++
          return { poll: (deadlineMs) => poll(of, deadlineMs) }
        }),
        () => Effect.sync(() => counts.closed++),
      ),
  }
  return { made, counts }
}

interface Run {
  readonly control: FleetControl
  readonly inputs: DeviceInput[]
  readonly stats: FleetStats
  /** Milliseconds of virtual time since the fleet started. */
  readonly nowMs: () => number
}

/** Runs a fleet on a virtual clock. */
const withFleet = (
  of: readonly Target[],
  made: Collector,
  use: (run: Run) => Effect.Effect<void, never, Scope.Scope>,
  settings: Partial<FleetSettings> = {},
  take: Sink["submit"] = () => true,
): Promise<void> =>
  Effect.runPromise(
    Effect.gen(function* () {
      const inputs: DeviceInput[] = []
      const stats = makeFleetStats()
      const sink: Sink = { submit: (input) => (inputs.push(input), take(input)) }
      const clock = yield* Clock.Clock
      const control = yield* runFleet({
        targets: of,
        collectors: [made],
        sink,
        settings: { ...FLEET_DEFAULTS, ...settings },
        stats,
      })
      const started = clock.currentTimeMillisUnsafe()
      yield* use({ control, inputs, stats, nowMs: () => clock.currentTimeMillisUnsafe() - started })
    }).pipe(Effect.scoped, Effect.provide(TestClock.layer())),
  )

const took = (ms: number, of: Target) => Effect.as(Effect.sleep(ms), answer(of))

test("[C5] 1,000 devices every 10 s: each second of the running fleet starts the mean within 20 %", () => {
  const starts: number[] = []
  const { made } = collector((of) =>
    Effect.map(Clock.currentTimeMillis, (nowMs) => {
      starts.push(nowMs)
      return answer(of)
    }),
  )
  return withFleet(targets(1_000), made, ({ stats }) =>
    Effect.gen(function* () {
      yield* TestClock.adjust(60_000)
      const perSecond = Array.from({ length: 60 }, () => 0)
      for (const ms of starts) perSecond[Math.floor(ms / 1_000)] = (perSecond[Math.floor(ms / 1_000)] ?? 0) + 1
      // The jitter only ever delays, so that the first two seconds are still filling.
      for (const [second, count] of [...perSecond.entries()].slice(2))
        assert.ok(Math.abs(count - 100) <= 20, `${count} polls in second ${second}`)
      const { late, missed, ok } = stats.of("snmp")
      assert.deepEqual([late, missed], [0, 0])
      assert.equal(ok, starts.length)
    }),
  )
})

test("[C5] phases are the same after a restart, and a slow device's first poll comes in the first round", async () => {
  const run = async (): Promise<string> => {
    const starts: string[] = []
    const { made } = collector((of) =>
      Effect.map(Clock.currentTimeMillis, (nowMs) => {
        starts.push(`${of.name} ${nowMs}`)
        return answer(of)
      }),
    )
    await withFleet(targets(50, 300), made, () => TestClock.adjust(10_000))
    assert.equal(starts.length, 50)
    return starts.join("\n")
  }
  assert.equal(await run(), await run())
})

test("[C6] one request in flight per device, however slow: due times that pass meanwhile are counted as missed", () => {
  let inFlight = 0
  const { made } = collector((of) =>
    Effect.suspend(() => {
      assert.equal(++inFlight, 1)
      return Effect.ensuring(
        took(25_000, of),
        Effect.sync(() => inFlight--),
      )
    }),
  )
  return withFleet(
    [target(1)],
    made,
    ({ stats }) =>
      Effect.gen(function* () {
        yield* TestClock.adjust(200_000)
        const { ok, missed, failed } = stats.of("snmp")
        assert.equal(ok, 0)
        assert.ok(failed.timeout > 0)
        assert.ok(missed > 0)
      }),
    { deadlineMs: 60_000 },
  )
})

test("[C6] a poll that passes its deadline is given up and becomes `unreachable`, also when the poller forgets its own", () => {
  const deadlines: number[] = []
  const { made } = collector((of, deadlineMs) => {
    deadlines.push(deadlineMs)
    return Effect.andThen(Effect.never, took(0, of))
  })
  return withFleet([target(1)], made, ({ inputs, stats }) =>
    Effect.gen(function* () {
      yield* TestClock.adjust(10_000)
      yield* TestClock.adjust(5_100)
      assert.deepEqual(deadlines[0], 5_000)
      const [first] = inputs
      assert.ok(first?.kind === "unreachable" && first.reason === "timeout")
      assert.match(first.detail, /within 5000 ms/)
      assert.equal(stats.of("snmp").failed.timeout >= 1, true)
    }),
  )
})

test("[C6] five failures open the breaker once: then at most one attempt in 60 s; an answer closes it", () => {
  const attempts: number[] = []
  let healthy = false
  const { made } = collector((of) =>
    Effect.flatMap(Clock.currentTimeMillis, (nowMs) => {
      attempts.push(nowMs)
      return healthy ? Effect.succeed(answer(of)) : Effect.fail(new PollFailed({ reason: "refused", detail: "no" }))
    }),
  )
  return withFleet([target(1)], made, ({ inputs, stats, control }) =>
    Effect.gen(function* () {
      yield* TestClock.adjust(605_000)
      const reasons = inputs.map((input) => (input.kind === "unreachable" ? input.reason : input.kind))
      assert.deepEqual(reasons.slice(0, 6), [...Array.from({ length: 5 }, () => "refused"), "breaker"])
      assert.equal(reasons.filter((reason) => reason === "breaker").length, 1)
      const gaps = attempts.slice(5).map((ms, i) => ms - (attempts[i + 4] as number))
      for (const gap of gaps) assert.ok(gap >= 60_000, `an attempt after ${gap} ms`)
      assert.ok(attempts.length >= 5 + 7)
      assert.equal(stats.of("snmp").breakersOpen, 1)
      assert.ok(stats.of("snmp").suppressed > 30)
      // It speaks by itself, again and again, and still does not answer: asked sooner, but not on every word.
      const heardFrom = attempts.length
      for (let i = 0; i < 60; i++) {
        control.pollNow(deviceId("d1"))
        yield* TestClock.adjust(1_000)
      }
      const asked = attempts.slice(heardFrom)
      assert.ok(
        asked.length >= 3 && asked.length <= 60_000 / HEARD_REST_MS,
        `${asked.length} attempts in 60 s of traps`,
      )
      healthy = true
      yield* TestClock.adjust(75_000)
      const before = attempts.length
      yield* TestClock.adjust(30_000)
      assert.equal(attempts.length - before, 3)
      assert.equal(stats.of("snmp").breakersOpen, 0)
    }),
  )
})

test("a bug in a collector costs one poll: a new poller is opened, and no word of the bug goes out", () => {
  let polls = 0
  const { made, counts } = collector((of) => {
    if (++polls === 2) throw new TypeError("authKey 00112233 of user x")
    return Effect.succeed(answer(of))
  })
  return withFleet([target(1)], made, ({ inputs, stats }) =>
    Effect.gen(function* () {
      yield* TestClock.adjust(60_000)
      assert.equal(polls, 6)
      assert.deepEqual(counts, { opened: 2, closed: 1 })
      assert.equal(stats.of("snmp").defects, 1)
      const failed = inputs.find((input) => input.kind === "unreachable")
      assert.ok(failed?.kind === "unreachable" && failed.reason === "protocol")
      assert.equal(failed.detail, "internal error in the snmp collector (TypeError)")
      assert.equal(inputs.length, 6)
    }),
  )
})

test("setTargets adds, removes and changes without disturbing the others", () => {
  const polls = new Map<string, number>()
  const { made, counts } = collector((of) =>
    Effect.sync(() => {
      polls.set(of.name, (polls.get(of.name) ?? 0) + 1)
      return answer(of)
    }),
  )
  return withFleet([target(1), target(2), target(3)], made, ({ control, stats }) =>
    Effect.gen(function* () {
      yield* TestClock.adjust(10_000)
      assert.deepEqual(counts, { opened: 3, closed: 0 })
      // 1 stays (an equal target in a new object), 2 changes, 3 goes, 4 and 5 come.
      yield* control.setTargets([target(1), target(2, 10, "renamed"), target(4), { ...target(5), snmp: null }])
      assert.deepEqual(counts, { opened: 3, closed: 2 })
      yield* TestClock.adjust(10_000)
      assert.equal(counts.opened, 6)
      assert.equal(control.size(), 4)
      assert.equal(stats.of("snmp").tasks, 4)
      assert.deepEqual(
        [polls.get("r1"), polls.get("r2"), polls.get("renamed"), polls.get("r3"), polls.get("r4")],
        [2, 1, 1, 1, 1],
      )
      yield* control.setTargets([])
      assert.equal(control.size(), 0)
      assert.equal(counts.closed, 6)
      yield* TestClock.adjust(60_000)
      assert.equal(stats.of("snmp").inFlight, 0)
    }),
  )
})

test("a device without a credential for a collector is not that collector's business", () => {
  const { made } = collector((of) => Effect.succeed(answer(of)))
  const picky: Collector = { ...made, open: (of) => (of.snmp === null ? null : made.open(of)) }
  return withFleet([target(1), { ...target(2), snmp: null }], picky, ({ control }) =>
    Effect.sync(() => assert.equal(control.size(), 1)),
  )
})

test("a resting router that speaks right after an attempt is asked ten seconds later, not a minute", () => {
  const attempts: number[] = []
  const { made } = collector(() =>
    Effect.flatMap(Clock.currentTimeMillis, (nowMs) => {
      attempts.push(nowMs)
      return Effect.fail(new PollFailed({ reason: "timeout", detail: "dead" }))
    }),
  )
  return withFleet([target(1)], made, ({ control }) =>
    Effect.gen(function* () {
      while (attempts.length < 5) yield* TestClock.adjust(500)
      // coldStart, once, while it has hardly rested; nothing more is said.
      control.pollNow(deviceId("d1"))
      yield* TestClock.adjust(HEARD_REST_MS - 1_000)
      assert.equal(attempts.length, 5)
      yield* TestClock.adjust(2_000)
      assert.equal(attempts.length, 6)
    }),
  )
})

test("pollNow polls at once, at most once a second and a few in a burst; the regular beat goes on", () => {
  const starts: number[] = []
  const { made } = collector((of) =>
    Effect.map(Clock.currentTimeMillis, (nowMs) => {
      starts.push(nowMs)
      return answer(of)
    }),
  )
  return withFleet([target(1, 3_600), target(2, 3_600)], made, ({ control, stats }) =>
    Effect.gen(function* () {
      yield* TestClock.adjust(20_000)
      assert.equal(starts.length, 2)
      control.pollNow(deviceId("d1"))
      control.pollNow(deviceId("nobody"))
      yield* TestClock.adjust(1)
      assert.deepEqual(starts.slice(2), [20_000])
      for (let i = 0; i < 100; i++) {
        control.pollNow(deviceId("d1"))
        yield* TestClock.adjust(100)
      }
      const gaps = starts.slice(3).map((ms, i) => ms - (starts[i + 2] as number))
      for (const gap of gaps) assert.ok(gap >= 1_000, `${gap} ms between confirm-polls`)
      assert.ok(
        starts.length - 3 >= 4 && starts.length - 3 <= 6,
        `${starts.length - 3} confirm-polls in a storm of 10 s`,
      )
      assert.ok(stats.of("snmp").nudgesRefused > 0)
    }),
  )
})

test("[issue 7.3] whoever waits for an answer is told whether it will be asked; a resting breaker is left alone", () => {
  let healthy = true
  const starts: number[] = []
  const { made } = collector((of) =>
    Effect.flatMap(Clock.currentTimeMillis, (nowMs) => {
      starts.push(nowMs)
      return healthy ? Effect.succeed(answer(of)) : Effect.fail(new PollFailed({ reason: "timeout", detail: "none" }))
    }),
  )
  return withFleet([target(1, 60)], made, ({ control }) =>
    Effect.gen(function* () {
      yield* TestClock.adjust(20_000)
      const before = starts.length
      assert.equal(control.readNow(deviceId("nobody")), false)
      assert.equal(control.readNow(deviceId("d1")), true)
      // Asked again before it has begun: the same poll answers both.
      assert.equal(control.readNow(deviceId("d1")), true)
      yield* TestClock.adjust(1)
      assert.equal(starts.length, before + 1)
      const asked: boolean[] = []
      for (let i = 0; i < 10; i++) {
        asked.push(control.readNow(deviceId("d1")))
        yield* TestClock.adjust(1_000)
      }
      // A burst's worth and what came back since; the others are told that they are not.
      assert.ok(asked.includes(false) && asked.includes(true), asked.join())
      assert.equal(starts.length - before - 1, asked.filter(Boolean).length)
      healthy = false
      yield* TestClock.adjust(600_000)
      const rests = starts.length
      assert.equal(control.readNow(deviceId("d1")), false)
      yield* TestClock.adjust(1_000)
      assert.ok(starts.length - rests <= 1)
    }),
  )
})

test("a trap during a poll is confirmed by another poll: the one in flight may have read before it", () => {
  let polls = 0
  const { made } = collector((of) => {
    polls++
    return took(2_000, of)
  })
  return withFleet([target(1, 3_600)], made, ({ control }) =>
    Effect.gen(function* () {
      yield* TestClock.adjust(10_000)
      yield* TestClock.adjust(10_000)
      control.pollNow(deviceId("d1"))
      yield* TestClock.adjust(1_000)
      assert.equal(polls, 2)
      control.pollNow(deviceId("d1"))
      yield* TestClock.adjust(1_500)
      assert.equal(polls, 3)
    }),
  )
})

test("no more polls in flight than maxConcurrent, nobody is left out, and waiting too long counts as late", () => {
  let inFlight = 0
  let most = 0
  const polled = new Set<string>()
  const { made } = collector((of) =>
    Effect.suspend(() => {
      most = Math.max(most, ++inFlight)
      polled.add(of.name)
      return Effect.ensuring(
        took(4_000, of),
        Effect.sync(() => inFlight--),
      )
    }),
  )
  return withFleet(
    targets(20),
    made,
    ({ stats }) =>
      Effect.gen(function* () {
        yield* TestClock.adjust(120_000)
        assert.equal(most, 2)
        assert.equal(polled.size, 20)
        assert.ok(stats.of("snmp").late > 0)
        assert.ok(stats.of("snmp").missed > 0)
        assert.equal(stats.of("snmp").inFlight, inFlight)
      }),
    { maxConcurrent: 2 },
  )
})

test("a full inbox drops the poll, counted; the fleet goes on", () => {
  const { made } = collector((of) => Effect.succeed(answer(of)))
  return withFleet(
    [target(1)],
    made,
    ({ stats }) =>
      Effect.gen(function* () {
        yield* TestClock.adjust(50_000)
        assert.equal(stats.of("snmp").refused, 5)
        assert.equal(stats.of("snmp").ok, 5)
      }),
    {},
    () => false,
  )
})
