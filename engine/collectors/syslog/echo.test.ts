import assert from "node:assert/strict"
import { test } from "node:test"
import * as fc from "fast-check"
import type { Way } from "#engine/collectors/syslog/echo.ts"
import { makeEcho } from "#engine/collectors/syslog/echo.ts"

test("[C8] a line that comes both ways is heard once, whichever way is first; another device's is its own", () => {
  const echo = makeEcho({ windowMs: 2_000, capacity: 100 })
  const heard = (device: string, way: Way, nowMs: number) => !echo(device, "ether1 link down", way, nowMs)
  assert.deepEqual([heard("a", "syslog", 0), heard("a", "api", 10)], [true, false])
  assert.deepEqual([heard("a", "api", 20), heard("a", "syslog", 30)], [true, false])
  assert.deepEqual([heard("a", "syslog", 40), heard("b", "api", 40)], [true, true])
  // Each copy has one echo, and only for a while.
  assert.deepEqual([heard("a", "api", 50), heard("a", "api", 60)], [false, true])
  assert.equal(heard("a", "syslog", 2_061), true)
})

test("[C8] of n copies one way and m the other, close together in any order, max(n, m) are heard", () => {
  const ways = fc.array(fc.constantFrom<Way>("syslog", "api"), { maxLength: 60 })
  fc.assert(
    fc.property(ways, (all) => {
      const echo = makeEcho({ windowMs: 2_000, capacity: 10 })
      const heard = all.filter((way, i) => !echo("d", "m", way, i)).length
      const syslog = all.filter((way) => way === "syslog").length
      // Copies of the two ways are matched in order: never fewer than the larger number, never more than all of them.
      assert.ok(heard >= Math.max(syslog, all.length - syslog))
      if (!all.join(" ").includes("api syslog")) assert.equal(heard, Math.max(syslog, all.length - syslog))
    }),
  )
})

test("[C8] one way alone loses nothing, however many lines and devices; what is remembered is bounded", () => {
  const echo = makeEcho({ windowMs: 2_000, capacity: 10 })
  for (let i = 0; i < 1_000; i++) assert.equal(echo("d", `line ${i % 50}`, "syslog", i), false)
  // The eleventh newest line is forgotten: its echo is heard as a line. The newest is not.
  assert.equal(echo("d", "line 39", "api", 1_000), false)
  assert.equal(echo("d", "line 49", "api", 1_000), true)
})
