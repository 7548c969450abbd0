import assert from "node:assert/strict"
import { test } from "node:test"
import * as fc from "fast-check"
import type { SyslogInput } from "#twin/input.ts"
import { deviceId } from "#protocol/id.ts"
import { makeFolder } from "#engine/collectors/syslog/fold.ts"
import { makeQuota } from "#engine/collectors/syslog/quota.ts"

const line = (device: string, message: string, atMs = 0, event: SyslogInput["event"] = null): SyslogInput => ({
  kind: "syslog",
  device: deviceId(device),
  atMs,
  severity: 5,
  topics: [],
  message,
  event,
  count: 1,
})
const link = (up: boolean, atMs: number) =>
  line("d1", `ether1 link ${up ? "up" : "down"}`, atMs, { type: "interface", ifName: "ether1", up })

test("[C8] the first line goes on at once; its repeats within the window become one line with their count", () => {
  const folder = makeFolder({ windowMs: 5_000, capacity: 10 })
  const out: SyslogInput[] = []
  const emit = (input: SyslogInput): void => void out.push(input)
  for (let ms = 0; ms < 1_000; ms += 10) folder.offer(line("d1", "fan slow", ms), ms, emit)
  assert.deepEqual(
    out.map(({ count, atMs }) => [count, atMs]),
    [[1, 0]],
  )
  assert.equal(folder.held(), 99)
  folder.expire(4_999, emit)
  assert.equal(out.length, 1)
  folder.expire(5_000, emit)
  assert.deepEqual(
    out.map(({ count, firstMs, atMs }) => [count, firstMs, atMs]),
    [
      [1, undefined, 0],
      [99, 10, 990],
    ],
  )
  assert.equal(folder.held(), 0)
})

test("[C8] a change of state is never folded away, and keeps its place in the order", () => {
  const folder = makeFolder({ windowMs: 5_000, capacity: 10 })
  const out: string[] = []
  const states = [false, true, false, false, false, true]
  states.forEach((up, ms) =>
    folder.offer(link(up, ms), ms, ({ message, count }) => void out.push(`${message} x${count}`)),
  )
  assert.deepEqual(out, [
    "ether1 link down x1",
    "ether1 link up x1",
    "ether1 link down x1",
    "ether1 link down x2",
    "ether1 link up x1",
  ])
})

const lines = (out: readonly SyslogInput[]): number => out.reduce((sum, { count }) => sum + count, 0)

const offers = fc.array(
  fc.record({
    device: fc.constantFrom("d1", "d2"),
    what: fc.oneof(fc.constantFrom("a", "b", "c"), fc.boolean()),
    gapMs: fc.nat(3_000),
  }),
  { maxLength: 100 },
)

test("[C8] no line disappears: the counts that go on and what is held add up, and every state change is seen in order", () => {
  fc.assert(
    fc.property(offers, fc.integer({ min: 1, max: 6 }), (steps, capacity) => {
      const folder = makeFolder({ windowMs: 5_000, capacity })
      const out: SyslogInput[] = []
      const emit = (input: SyslogInput): void => void out.push(input)
      let nowMs = 0
      let offered = 0
      const wanted: boolean[] = []
      for (const { device, what, gapMs } of steps) {
        nowMs += gapMs
        const input = typeof what === "string" ? line(device, what, nowMs) : link(what, nowMs)
        if (typeof what === "boolean" && wanted.at(-1) !== what) wanted.push(what)
        folder.offer(input, nowMs, emit)
        assert.equal(lines(out) + folder.held(), ++offered)
      }
      folder.expire(Number.POSITIVE_INFINITY, emit)
      assert.equal(lines(out), steps.length)
      assert.equal(folder.held(), 0)
      assert.ok(out.every(({ firstMs = -1, atMs, count }) => (count === 1 ? firstMs === -1 : firstMs <= atMs)))
      const seen = out.flatMap(({ event }) => (event?.type === "interface" ? [event.up] : []))
      assert.deepEqual(
        seen.filter((up, i) => i === 0 || up !== seen[i - 1]),
        wanted,
      )
    }),
  )
})

test("[C8] a source gets its burst and its rate, and never another's", () => {
  const quota = makeQuota({ linesPerSecond: 10, burst: 20, sources: 2 })
  const taken = (source: string, nowMs: number, lines: number): number =>
    Array.from({ length: lines }, () => quota(source, nowMs)).filter(Boolean).length
  assert.equal(taken("a", 0, 100), 20)
  assert.equal(taken("b", 0, 5), 5)
  assert.equal(taken("a", 1_000, 100), 10)
  assert.equal(taken("a", 60_000, 100), 20)
  // A clock that goes back gives nothing and takes nothing.
  assert.equal(taken("b", -1_000, 100), 15)
})
