/** log.ts: nobody's text can forge a line, and no secret or stack comes out. */
import assert from "node:assert/strict"
import { test } from "node:test"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import fc from "fast-check"
import { logLayer, makeLog } from "#engine/log.ts"
import type { LogLevel } from "#engine/log.ts"

const capture = (format: "text" | "json", level: LogLevel = "debug") => {
  const lines: string[] = []
  let ms = 1_000
  return { lines, log: makeLog({ level, format, write: (line) => lines.push(line), nowMs: () => (ms += 500) }) }
}
/** Letters, and what is used to forge: line breaks of every kind, escapes, bidirectional overrides, halves of pairs. */
const nasty = fc.string({
  unit: fc.oneof(
    fc.constantFrom(
      "\n",
      "\r",
      "\u0085",
      "\u2028",
      "\u001b[31m",
      "\u202e",
      "\u0000",
      "\ud800",
      "\u009b",
      '"',
      "=",
      " ",
    ),
    fc.string({ minLength: 1, maxLength: 1, unit: "binary" }),
  ),
})

test("[20] one call is one line, whatever a device says; JSON stays JSON", () => {
  fc.assert(
    fc.property(nasty, nasty, nasty, (message, key, value) => {
      for (const format of ["text", "json"] as const) {
        const { lines, log } = capture(format)
        log.warn(message, { [key]: value, deep: { value }, cause: new Error(value) })
        assert.equal(lines.length, 1)
        assert.match(lines[0]!, /^[^\n]*\n$/)
        assert.ok(
          !/[\p{Cc}\p{Surrogate}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u.test(lines[0]!.slice(0, -1)),
          JSON.stringify(lines[0]),
        )
        if (format === "json") assert.equal((JSON.parse(lines[0]!) as { level: string }).level, "warn")
      }
    }),
    { numRuns: 300 },
  )
})

test("text shows seconds since start, the level when it is not info, and fields", () => {
  const { lines, log } = capture("text")
  log.info("database ready", { ms: 12, where: "/var/lib with space" })
  log.with({ tenant: "demo" }).error("poll failed", { device: "r1" })
  assert.deepEqual(lines, [
    '    0.5 s  database ready ms=12 where="/var/lib with space"\n',
    "    1.0 s  ERROR poll failed tenant=demo device=r1\n",
  ])
})

test("json keeps numbers, and a field cannot replace the line's own", () => {
  const { lines, log } = capture("json")
  log.info("x", { level: "fake", at: "fake", count: 3 })
  const line = JSON.parse(lines[0]!) as Record<string, unknown>
  assert.deepEqual([line["level"], line["level_"], line["count"]], ["info", "fake", 3])
  assert.match(String(line["at"]), /^1970-01-01T00:00:02/)
})

test("levels below the least are not written", () => {
  const { lines, log } = capture("text", "warn")
  log.debug("a")
  log.info("b")
  log.warn("c")
  assert.equal(lines.length, 1)
})

test("[27] a Redacted value, an error's extra fields and a stack never come out", () => {
  const { lines, log } = capture("json")
  const error = Object.assign(new Error("wrong digest"), { info: { authKey: "S3CRET" } })
  log.error("poll failed", { token: Redacted.make("S3CRET"), error, nested: { error, token: Redacted.make("S3CRET") } })
  assert.ok(!lines[0]!.includes("S3CRET"), lines[0]!)
  assert.ok(!lines[0]!.includes("log.test.ts"), lines[0]!)
  assert.match(lines[0]!, /wrong digest/)
})

test("a value that cannot be shown does not stop the log, and a huge one is cut", () => {
  const { lines, log } = capture("text")
  const ring: { self?: unknown } = {}
  ring.self = ring
  log.info("x", { ring, big: 10n, text: "y".repeat(100_000) })
  assert.ok(lines[0]!.length < 5_000)
  assert.match(lines[0]!, /98000 more/)
})

test("Effect's own logging goes the same way", async () => {
  const { lines, log } = capture("text")
  await Effect.runPromise(
    Effect.logWarning("careful\nforged").pipe(Effect.annotateLogs({ device: "r1" }), Effect.provide(logLayer(log))),
  )
  assert.deepEqual(lines, [String.raw`    0.5 s  WARN careful\u000aforged device=r1` + "\n"])
})
