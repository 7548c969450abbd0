import assert from "node:assert/strict"
import { test } from "node:test"
import * as fc from "fast-check"
import { CORPUS } from "#engine/collectors/syslog/corpus.fixture.ts"
import { messageStarts } from "#engine/collectors/syslog/glued.ts"
import { TOPIC_SEVERITY } from "#engine/collectors/syslog/topics.ts"
import { FRAME_MAX_BYTES, makeFramer, MESSAGE_MAX_BYTES } from "#engine/collectors/syslog/frames.ts"

const read = (chunks: Iterable<Uint8Array>) => {
  const framer = makeFramer()
  const messages: string[] = []
  let truncated = 0
  let fault: string | null = null
  const emit = (message: Buffer, cut: boolean): void => {
    messages.push(message.toString("latin1"))
    if (cut) truncated++
  }
  for (const chunk of chunks) if (fault === null) fault = framer.push(chunk, emit)
  framer.flush(emit)
  return { messages, truncated, fault }
}

test("[C7] octet counting and lines, also mixed on one connection (RFC 6587)", () => {
  const stream =
    "9 <13>a\nb c<13>plain line\n2026-01-01 not a count\n29 messages lost\n\n6 <13>xyinterface,info ether1 link down"
  assert.deepEqual(read([Buffer.from(stream)]).messages, [
    "<13>a\nb c",
    "<13>plain line",
    "2026-01-01 not a count",
    "29 messages lost",
    "<13>xy",
    "interface,info ether1 link down",
  ])
})

const message = fc.oneof(
  fc
    .string({ unit: fc.constantFrom("a", "1", " ", "<", ">", "9"), minLength: 1, maxLength: 20 })
    .map((text) => `${text}\n`),
  fc
    .string({ unit: fc.constantFrom("a", "1", " ", "\n"), maxLength: 20 })
    .map((text) => `${text.length + 4} <13>${text}`),
  fc.constantFrom(8_191, 8_192, 8_193, 20_000).map((length) => `${"a".repeat(length)}\n`),
  fc.constantFrom(8_192, 8_193, 30_000).map((length) => `${length} <${"b".repeat(length - 1)}`),
)

test("[C7] the same bytes give the same messages, however TCP cut them", () => {
  fc.assert(
    fc.property(fc.array(message, { maxLength: 6 }), fc.array(fc.nat(), { maxLength: 20 }), (all, cuts) => {
      const bytes = Buffer.from(all.join(""))
      const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
      const chunks = places.slice(1).map((place, i) => bytes.subarray(places[i], place))
      assert.deepEqual(read(chunks), read([bytes]))
    }),
    { numRuns: 500 },
  )
})

test("[C7] byte by byte, too", () => {
  const bytes = Buffer.from("5 <1>ab12 cd\n7 <2>\nxyzwords\n")
  assert.deepEqual(read([...bytes].map((byte) => Buffer.of(byte))), read([bytes]))
  assert.deepEqual(read([bytes]).messages, ["<1>ab", "12 cd", "<2>\nxyz", "words"])
})

test("[C7] a message above the cap is cut once and counted; a frame above its cap ends the stream", () => {
  const long = read([Buffer.from(`${"a".repeat(100_000)}\nnext\n`)])
  assert.deepEqual(
    long.messages.map((text) => text.length),
    [MESSAGE_MAX_BYTES, 4],
  )
  assert.equal(long.truncated, 1)
  assert.match(read([Buffer.from(`${FRAME_MAX_BYTES + 1} <13>`)]).fault ?? "", /a frame of 65537 bytes/)
})

/** Of the default format with a severity among its topics, as RouterOS' rules always have. */
const hasSeverity = (line: string): boolean =>
  line
    .slice(0, line.indexOf(" "))
    .split(",")
    .some((topic) => TOPIC_SEVERITY.has(topic))

const glued = fc.array(
  fc.constantFrom(
    ...CORPUS.map(([line]) => line).filter(
      (line) => /^(?:[a-z0-9-]+,)+[a-z-]+ [^ ].*[a-z0-9)}]$/.test(line) && hasSeverity(line),
    ),
  ),
  { minLength: 1, maxLength: 12 },
)

test("[C7] RouterOS' default format over TCP, nothing between the messages: each line of the corpus comes out alone", () => {
  fc.assert(
    fc.property(glued, (lines) => assert.deepEqual(read([Buffer.from(lines.join(""))]).messages, lines)),
    { numRuns: 300 },
  )
})

test("[C7] its syslog format too, by PRI and time; topics behind the host begin no message", () => {
  const stamped = ["<30>Oct  2 16:51:21 core-1 ", "<134>2025-01-15T14:23:45Z core-1 ", "<27>Jun 16 14:22:05 edge-2 "]
  fc.assert(
    fc.property(glued, (lines) => {
      const all = lines.map((line, i) => `${stamped[i % stamped.length]}${line}`)
      assert.deepEqual(read([Buffer.from(all.join(""))]).messages, all)
    }),
    { numRuns: 300 },
  )
})

test("[C7] what only looks like a beginning divides nothing", () => {
  for (const line of [
    "system,info the topics system,info,account and <30>Oct  2 16:51:21 were written by hand",
    "17:20:06 echo: system,error,critical login failure for user admin from 65.160.140.13 via ssh",
    "script,info a,b,info,c x",
    "plain words,info without a topic list",
    "<30>Oct  2 16:51:21 core-1 user said: <30>Oct  2 16:51:21 core-1",
  ])
    assert.deepEqual(read([Buffer.from(line)]).messages, [line])
})

test("[C7] a burst of undivided messages above the cap loses none, and the connection is not deaf afterwards", () => {
  const lines = Array.from({ length: 2_000 }, (_, i) => `interface,info ether${i} link ${i % 2 === 0 ? "down" : "up"}`)
  const { messages, truncated } = read([Buffer.from(lines.join(""))])
  assert.deepEqual(messages, lines)
  assert.equal(truncated, 0)
  const framer = makeFramer()
  const heard: string[] = []
  const emit = (message: Buffer): void => void heard.push(message.toString())
  framer.push(Buffer.alloc(20_000, "x"), emit)
  framer.flush(emit)
  framer.push(Buffer.from("interface,info ether1 link down"), emit)
  framer.flush(emit)
  assert.equal(heard.at(-1), "interface,info ether1 link down")
})

test("[C7] [S5] a hostile stream costs linear time: 8 KiB of almost-topics in a millisecond or so", () => {
  for (const bait of ["system,", "info,", "<30>Oct ", "system,info,", "<<<<", "a,info,system,debug"]) {
    const bytes = Buffer.alloc(MESSAGE_MAX_BYTES, bait)
    const started = process.threadCpuUsage()
    for (let i = 0; i < 20; i++) messageStarts(bytes)
    assert.ok(process.threadCpuUsage(started).user < 400_000, bait)
  }
})
