import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { makeLog } from "#engine/log.ts"
import { literal } from "#engine/probes/address.ts"
import { fakeFping } from "#engine/probes/fake-fping.fixture.ts"
import { fpingRoom, runFping } from "#engine/probes/fping.ts"
import { pingBurst } from "#engine/probes/ping-burst.ts"
import { pingLine } from "#engine/probes/ping-lines.ts"
import { findPingTool, pingArgs } from "#engine/probes/ping-tool.ts"
import type { PingTool } from "#engine/probes/ping-tool.ts"
import { figures, LOSSES_TO_DOWN } from "#engine/probes/ping-window.ts"
import { makePinger, shardsOf, untilPhaseMs } from "#engine/probes/pinger.ts"
import type { PingSubject } from "#engine/probes/pinger.ts"
import { findTool, runTool } from "#engine/probes/tool.ts"

const FOUND = await findPingTool()
const PING = await findTool("ping")
const NEEDS = "apt-get install fping iputils-ping, and the right to open raw sockets (NET_RAW)"
const NO_PING = FOUND.tool === null ? `nothing here can ping (${FOUND.why}); enable: ${NEEDS}` : false
const NO_FPING = FOUND.tool?.kind === "fping" ? false : `fping does not work here; enable: ${NEEDS}`
const PING_WORKS =
  PING !== null && (await runTool({ file: PING, args: pingArgs("127.0.0.1", 4, 1, 1), deadlineMs: 5_000 })).code === 0
const NO_IPUTILS = PING_WORKS ? false : `ping does not work here; enable: ${NEEDS}`

interface Heard {
  readonly all: Array<readonly [address: string, rttMs: number | null]>
  /** Resolves when `is` holds after a ping. */
  readonly until: (is: () => boolean) => Promise<void>
  readonly log: string[]
}

/** A pinger for these subjects, stopped when the test ends. */
const pinging = async (
  t: { readonly after: (clean: () => Promise<void>) => void },
  tool: PingTool,
  subjects: readonly PingSubject[],
) => {
  const scope = Scope.makeUnsafe()
  t.after(() => Effect.runPromise(Scope.close(scope, Exit.void)))
  const waiting = new Set<() => void>()
  const heard: Heard = {
    all: [],
    log: [],
    until: (is) =>
      new Promise((resolve) => {
        const check = (): void => {
          if (!is()) return
          waiting.delete(check)
          resolve()
        }
        waiting.add(check)
        check()
      }),
  }
  const nudge = (): void => [...waiting].forEach((check) => check())
  const write = (line: string): void => {
    heard.log.push(line)
    nudge()
  }
  const log = makeLog({ level: "info", format: "text", write })
  const onPing = ({ address }: PingSubject, rttMs: number | null): void => {
    heard.all.push([address, rttMs])
    nudge()
  }
  const pinger = await Effect.runPromise(makePinger(tool, onPing, log).pipe(Scope.provide(scope)))
  await Effect.runPromise(pinger.set(subjects))
  return { heard, pinger }
}

const every = (intervalMs: number, ...addresses: readonly string[]): readonly PingSubject[] =>
  addresses.map((address) => ({ address, intervalMs }))

test("[X1] real fping: every address of both families is answered, each at its rate", { skip: NO_FPING }, async (t) => {
  const { heard } = await pinging(t, FOUND.tool as PingTool, [
    ...every(1_000, "127.0.0.1", "127.0.0.2"),
    ...every(2_000, "127.0.0.3"),
  ])
  const count = (address: string): number => heard.all.filter((ping) => ping[0] === address).length
  await heard.until(() => count("127.0.0.1") >= 3 && count("127.0.0.2") >= 3 && count("127.0.0.3") >= 1)
  assert.ok(count("127.0.0.3") <= 3)
  for (const [address, rttMs] of heard.all) assert.ok(rttMs !== null && rttMs < 1_000, address)
})

test("[X1] real ping, where there is no fping: the same", { skip: NO_IPUTILS }, async (t) => {
  const tool = { kind: "ping", file: PING as string } as const
  const { heard } = await pinging(t, tool, every(1_000, "127.0.0.1", "127.0.0.2"))
  await heard.until(() => new Set(heard.all.map(([address]) => address)).size === 2 && heard.all.length >= 4)
  for (const [, rttMs] of heard.all) assert.ok(rttMs !== null && rttMs < 1_000)
})

test("[C9] our figures are ping's own, from its own run", { skip: NO_IPUTILS }, async () => {
  const args = ["-n", "-c", "8", "-i", "0.2", "-W", "2", "127.0.0.1"]
  const { lines } = await runTool({ file: PING as string, args, deadlineMs: 15_000 })
  const rtts = lines.map(pingLine).filter((line) => line !== null)
  const summary = /= [\d.]+\/([\d.]+)\/[\d.]+\/([\d.]+) ms/.exec(lines.at(-1) ?? lines.at(-2) ?? "")
  const found = figures(rtts.map(({ rttMs }) => rttMs))
  assert.equal(rtts.length, 8)
  // ping rounds every line and the summary to a microsecond.
  assert.ok(Math.abs((found?.rttMs ?? 0) - Number(summary?.[1])) <= 0.002, lines.join("\n"))
  assert.ok(Math.abs((found?.jitterMs ?? 0) - Number(summary?.[2])) <= 0.002, lines.join("\n"))
})

test("[X1] a burst on demand", { skip: NO_PING }, async () => {
  const to = literal("127.0.0.1")
  assert.ok(to !== null)
  const { tool, rttsMs, error } = await pingBurst(to, 2)
  assert.equal(error, null)
  assert.equal(tool, FOUND.tool?.kind)
  assert.ok(rttsMs.length === 2 && rttsMs.every((rttMs) => rttMs !== null && rttMs < 1_000))
})

test("losses are heard as losses, and life after them", async (t) => {
  const fake = await fakeFping(t, "well")
  await fake.kill("192.0.2.2")
  const { heard } = await pinging(t, fake.tool, every(2_000, "192.0.2.1", "192.0.2.2"))
  await heard.until(() => heard.all.length >= 6)
  for (const [address, rttMs] of heard.all) assert.equal(rttMs, address === "192.0.2.1" ? 1.5 : null)
  await fake.revive("192.0.2.2")
  await heard.until(() => heard.all.some(([address, rttMs]) => address === "192.0.2.2" && rttMs === 1.5))
  assert.deepEqual(await fake.starts(), ["-l -p 2000 -i 1 -t 1000 -f -"])
})

test("one process a rate; a changed set starts only its own rate anew, an empty one ends it", async (t) => {
  const fake = await fakeFping(t, "well")
  const { heard, pinger } = await pinging(t, fake.tool, [...every(1_000, "192.0.2.1"), ...every(5_000, "192.0.2.5")])
  await heard.until(() => heard.all.length >= 4)
  assert.equal((await fake.starts()).length, 2)
  await Effect.runPromise(pinger.set([...every(1_000, "192.0.2.1", "192.0.2.2"), ...every(5_000, "192.0.2.5")]))
  await heard.until(() => heard.all.some(([address]) => address === "192.0.2.2"))
  assert.equal((await fake.starts()).length, 3)
  await Effect.runPromise(pinger.set(every(5_000, "192.0.2.5")))
  const before = heard.all.length
  await heard.until(() => heard.all.length >= before + 10)
  assert.ok(heard.all.slice(before).every(([address]) => address === "192.0.2.5"))
  assert.equal((await fake.starts()).length, 3)
})

test("[C9] many addresses are spread over few processes, each with room; who stays keeps its place", () => {
  const subjects = fc.uniqueArray(fc.ipV4(), { minLength: 1, maxLength: 300 })
  const placeOf = (list: readonly string[]): ReadonlyMap<string, string> =>
    new Map([...shardsOf(every(1_000, ...list))].flatMap(([name, shard]) => shard.addresses.map((it) => [it, name])))
  fc.assert(
    fc.property(subjects, (list) => {
      assert.deepEqual([...placeOf(list).keys()].toSorted(), list.toSorted())
      const [before, after] = [placeOf(list), placeOf(list.slice(1))]
      const isSameCount = [...before.values()][0]?.split("/")[1] === [...after.values()][0]?.split("/")[1]
      if (isSameCount) for (const [address, name] of after) assert.equal(name, before.get(address))
    }),
  )
  const many = Array.from({ length: 10_000 }, (_, n) => `10.${n % 40}.${n >> 8}.${n % 256}`)
  const shards = [...shardsOf(every(10_000, ...new Set(many))).values()]
  assert.ok(shards.length <= 128 && shards.every(({ addresses }) => addresses.length <= 2 * fpingRoom(10_000)))
  const phases = shards.map(({ phase }) => phase ?? Number.NaN).toSorted((a, b) => a - b)
  for (const [nth, phase] of phases.entries()) assert.equal(phase, nth / shards.length, "they take turns evenly")
  assert.equal([...shardsOf(every(10_000, "192.0.2.1")).values()][0]?.phase, null)
})

test("[C9] whenever a process starts, it starts at its phase, within a period", () => {
  const phases = fc.double({ min: 0, max: 0.999, noNaN: true })
  fc.assert(
    fc.property(fc.nat(1e9), fc.constantFrom(1_000, 10_000, 60_000), phases, (nowMs, periodMs, phase) => {
      const waitMs = untilPhaseMs(nowMs, periodMs, phase)
      assert.ok(waitMs >= 0 && waitMs <= periodMs)
      const off = Math.abs(((nowMs + waitMs) % periodMs) - phase * periodMs)
      assert.ok(Math.min(off, periodMs - off) < 1e-3)
    }),
  )
  assert.equal(untilPhaseMs(123, 1_000, null), 0)
})

test("an fping that dies says nothing of any device, is told with its reason, and is started again", async (t) => {
  const fake = await fakeFping(t, "crashes")
  const { heard } = await pinging(t, fake.tool, every(1_000, "192.0.2.1"))
  await heard.until(() => heard.log.length >= 2)
  assert.deepEqual(heard.all, [])
  assert.match(heard.log[0] ?? "", /pings pause.*ended with code 4 \(can't create socket/)
  assert.match(heard.log[1] ?? "", /seconds=2/)
})

test("a program that cannot even be started is the same", async (t) => {
  const { heard } = await pinging(t, { kind: "fping", file: "/nonexistent/fping" }, every(1_000, "192.0.2.1"))
  await heard.until(() => heard.log.length >= 1)
  assert.match(heard.log[0] ?? "", /\/nonexistent\/fping cannot be run/)
})

test("output that is not about an address that was asked, or not new, is nothing", async (t) => {
  const fake = await fakeFping(t, "babbles")
  const { heard } = await pinging(t, fake.tool, every(1_000, "192.0.2.1"))
  await heard.until(() => heard.all.length >= 2)
  assert.deepEqual(heard.all, [
    ["192.0.2.1", 2.5],
    ["192.0.2.1", null],
  ])
})

test("an fping that falls silent is stopped and taken for broken, never its devices for dead", async (t) => {
  const fake = await fakeFping(t, "silent")
  const pings: unknown[] = []
  const options = { file: fake.tool.file, addresses: ["192.0.2.1"], periodMs: 50 }
  const why = await Effect.runPromise(runFping({ ...options, onPing: (...ping) => pings.push(ping) }))
  assert.match(why, /said nothing for a while/)
  assert.deepEqual(pings, [])
})

test("[C9] an fping that tells no more of losses: a number left out is a loss, an address left out ends it", async (t) => {
  const fake = await fakeFping(t, "forgets")
  const heard = new Map<string, Array<number | null>>([
    ["192.0.2.1", []],
    ["192.0.2.2", []],
    ["192.0.2.3", []],
  ])
  const onPing = (address: string, rttMs: number | null): void => void heard.get(address)?.push(rttMs)
  // The third one is never told of, as one that the machine has no way to: that ends nothing.
  const options = { file: fake.tool.file, addresses: [...heard.keys()], periodMs: 50, onPing }
  const why = await Effect.runPromise(runFping(options))
  assert.match(why, /said nothing more of 192\.0\.2\.2 and was stopped/)
  assert.deepEqual([heard.get("192.0.2.2"), heard.get("192.0.2.3")], [[2.5, null, 2.5, 2.5], []])
  assert.ok(heard.get("192.0.2.1")?.every((rttMs) => rttMs === 1.5))
})

test("[C9] many numbers left out are never enough to call a device silent: they may not have been sent", async (t) => {
  const fake = await fakeFping(t, "leaps")
  const { heard } = await pinging(t, fake.tool, every(1_000, "192.0.2.1"))
  await heard.until(() => heard.all.length >= 4)
  assert.deepEqual(
    heard.all.slice(0, 4).map(([, rttMs]) => rttMs),
    [1.5, null, null, 1.5],
  )
  assert.ok(LOSSES_TO_DOWN > 2)
})

test("no tool is found where there is none, and one that does not work is passed over, each with its reason", async (t) => {
  const missing = await findTool("no-such-program-here", "/nonexistent:relative:")
  assert.equal(missing, null)
  const fake = await fakeFping(t, "crashes")
  const found = await findPingTool(fake.tool.file.replace(/\/fping$/, ""))
  assert.notEqual(found.tool?.file, fake.tool.file)
  assert.match(found.why, /does not work \(can't create socket/)
})
