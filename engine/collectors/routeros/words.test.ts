import assert from "node:assert/strict"
import { test } from "node:test"
import * as fc from "fast-check"
import type { Sentence } from "#engine/collectors/routeros/words.ts"
import {
  encodeLength,
  encodeSentence,
  makeSentenceDecoder,
  SENTENCE_MAX_BYTES,
  SENTENCE_MAX_WORDS,
  WORD_MAX_BYTES,
} from "#engine/collectors/routeros/words.ts"
import { parseReply } from "#engine/collectors/routeros/reply.ts"

const decode = (chunks: Iterable<Uint8Array>): { sentences: Sentence[]; fault: string | null } => {
  const decoder = makeSentenceDecoder()
  const sentences: Sentence[] = []
  let fault: string | null = null
  for (const chunk of chunks) fault = decoder.push(chunk, (sentence) => sentences.push(sentence))
  return { sentences, fault }
}

const cut = (bytes: Buffer, at: readonly number[]): Buffer[] => {
  const places = [0, ...at.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  return places.slice(1).map((place, i) => bytes.subarray(places[i], place))
}

test("lengths are written as the API page says, at every border of its five forms", () => {
  const page: Array<[number, string]> = [
    [0x00, "00"],
    [0x7f, "7f"],
    [0x80, "8080"],
    [0x3fff, "bfff"],
    [0x4000, "c04000"],
    [0x1f_ffff, "dfffff"],
    [0x20_0000, "e0200000"],
    [0xfff_ffff, "efffffff"],
    [0x1000_0000, "f010000000"],
    [0xffff_ffff, "f0ffffffff"],
  ]
  for (const [length, hex] of page) assert.equal(encodeLength(length).toString("hex"), hex)
})

test("the login sentence of the API page, byte for byte", () => {
  const hex = "062f6c6f67696e 0b3d6e616d653d61646d696e 0a3d70617373776f72643d 00".replaceAll(" ", "")
  assert.equal(encodeSentence(["/login", "=name=admin", "=password="]).toString("hex"), hex)
  assert.deepEqual(decode([Buffer.from(hex, "hex")]).sentences, [["/login", "=name=admin", "=password="]])
})

/** Words whose lengths fall on both sides of the borders between the length forms. */
const word = fc.oneof(
  { weight: 8, arbitrary: fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 }) },
  { weight: 1, arbitrary: fc.integer({ min: 126, max: 130 }).map((n) => "a".repeat(n)) },
  { weight: 1, arbitrary: fc.integer({ min: 16_382, max: 16_386 }).map((n) => "é".repeat(n / 2) + "a") },
)
const stream = fc.array(fc.array(word, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 6 })

/** Issue 4 asks for 10^5: `CHUNKINGS=100000 node --test engine/collectors/routeros/words.test.ts`. */
const CHUNKINGS = Math.max(10_000, Number(process.env["CHUNKINGS"] ?? 0))

test(`any chunking of the stream gives the same sentences (${CHUNKINGS} chunkings)`, () => {
  let chunkings = 0
  fc.assert(
    fc.property(
      stream,
      fc.array(fc.array(fc.nat(), { maxLength: 30 }), { minLength: 50, maxLength: 50 }),
      (all, cuts) => {
        const bytes = Buffer.concat(all.map(encodeSentence))
        for (const at of cuts) {
          const { sentences, fault } = decode(cut(bytes, at))
          assert.equal(fault, null)
          assert.deepEqual(sentences, all)
          chunkings++
        }
      },
    ),
    { numRuns: Math.ceil(CHUNKINGS / 50) },
  )
  assert.ok(chunkings >= CHUNKINGS)
})

test("[M15] every split of a reply in two, and byte by byte, gives the same sentences", () => {
  const all = [
    ["!re", ".tag=3", "=name=ether1", `=comment=${"é".repeat(100)}`],
    ["!done", ".tag=3"],
  ]
  const bytes = Buffer.concat(all.map(encodeSentence))
  for (let at = 0; at <= bytes.length; at++) assert.deepEqual(decode(cut(bytes, [at])).sentences, all)
  assert.deepEqual(decode([...bytes].map((byte) => Buffer.of(byte))).sentences, all)
})

test("[M11] a five-byte length of four gigabytes is refused when it is read", () => {
  const { sentences, fault } = decode([Buffer.from("f0ffffffff", "hex")])
  assert.match(fault ?? "", /a word of 4294967295 bytes/)
  assert.deepEqual(sentences, [])
})

test("[M17] a four-byte length of 256 MiB is refused before a byte of it is kept", () => {
  assert.match(decode([Buffer.from("efffffff", "hex")]).fault ?? "", /a word of 268435455 bytes/)
})

test("[M16] a sentence that never ends is refused at its cap of bytes and at its cap of words", () => {
  const big = Buffer.concat([encodeLength(WORD_MAX_BYTES), Buffer.alloc(WORD_MAX_BYTES, "a")])
  const tooBig = Array.from({ length: SENTENCE_MAX_BYTES / WORD_MAX_BYTES }, () => big)
  assert.equal(decode(tooBig.slice(1)).fault, null)
  assert.match(decode(tooBig).fault ?? "", /a sentence of more than 4194304 bytes/)
  const small = Buffer.from("0161".repeat(SENTENCE_MAX_WORDS), "hex")
  assert.equal(decode([small]).fault, null)
  assert.match(decode([small, Buffer.from("0161", "hex")]).fault ?? "", /more than 16384 words/)
})

test("[M10] a control byte (0xF8 and up) is refused, and nothing after it is read", () => {
  for (let byte = 0xf8; byte <= 0xff; byte++) {
    const decoder = makeSentenceDecoder()
    const emit = () => assert.fail("emitted after a fault")
    assert.match(decoder.push(Buffer.of(byte), emit) ?? "", /control byte/)
    assert.match(decoder.push(encodeSentence(["!done"]), emit) ?? "", /control byte/)
  }
})

test("any bytes at all: the decoder never throws and never holds more than its caps", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 20 }), (chunks) => {
      for (const sentence of decode(chunks).sentences) parseReply(sentence)
    }),
    { numRuns: 2_000 },
  )
})

test("names are UTF-8, and bytes that are not become replacement characters", () => {
  assert.deepEqual(decode([encodeSentence(["=name=été ☃ сеть"])]).sentences, [["=name=été ☃ сеть"]])
  assert.deepEqual(decode([Buffer.from("02ff6100", "hex")]).sentences, [["\uFFFDa"]])
})

test("a device cannot choose a name that means something to JavaScript", () => {
  const reply = parseReply([
    "!re",
    "=toString=x",
    "=constructor=y",
    "=__proto__=z",
    "=a=b=c",
    "=.id=*1",
    ".tag=7",
    "=empty=",
  ])
  assert.equal(reply.tag, "7")
  assert.deepEqual(
    Object.fromEntries(reply.attributes),
    Object.fromEntries([
      ["toString", "x"],
      ["constructor", "y"],
      ["__proto__", "z"],
      ["a", "b=c"],
      [".id", "*1"],
      ["empty", ""],
    ]),
  )
  assert.equal(parseReply(["!fatal", "session terminated on request"]).text, "session terminated on request")
})
