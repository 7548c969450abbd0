import assert from "node:assert/strict"
import { test } from "node:test"
import * as fc from "fast-check"
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
