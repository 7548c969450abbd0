import assert from "node:assert/strict"
import test from "node:test"
import fc from "fast-check"
import type { Message } from "#engine/collectors/snmp/ber.ts"
import { decodeMessage, MAX_VARBINDS, PDU } from "#engine/collectors/snmp/ber.ts"
import type { OutVarbind } from "#engine/collectors/snmp/encode.ts"
import { encodeMessage, encodeRequest } from "#engine/collectors/snmp/encode.ts"
import { oid, oidText } from "#engine/collectors/snmp/oid.ts"
import { TAG } from "#engine/collectors/snmp/varbinds.ts"

const COMMUNITY = Buffer.from("public")

const uint = (tag: number, bits: bigint) =>
  fc.bigInt({ min: 0n, max: (1n << bits) - 1n }).map((value) => ({ tag, value }))
const anyValue = fc.oneof(
  fc.integer().map((value) => ({ tag: TAG.integer, value })),
  uint(TAG.counter32, 32n),
  uint(TAG.gauge32, 32n),
  uint(TAG.timeTicks, 32n),
  uint(TAG.counter64, 64n),
  fc.uint8Array({ maxLength: 300 }).map((value) => ({ tag: TAG.octetString, value })),
  fc.ipV4().map((value) => ({ tag: TAG.ipAddress, value })),
  fc.constantFrom("0.0", "1.3.6.1.4.1.14988.1", "2.999.4294967295").map((value) => ({ tag: TAG.oid, value })),
  fc
    .constantFrom(TAG.null, TAG.noSuchObject, TAG.noSuchInstance, TAG.endOfMibView)
    .map((tag) => ({ tag, value: null })),
)
const anyVarbind: fc.Arbitrary<OutVarbind> = fc
  .tuple(fc.array(fc.nat(70_000), { maxLength: 6 }), anyValue)
  .map(([tail, value]) => ({ oid: oid(["1.3.6.1", ...tail].join(".")), ...value }))

const decoded = (bytes: Uint8Array, lenient = false): Message => {
  const message = decodeMessage(bytes, lenient)
  assert.notEqual(typeof message, "string", String(message))
  return message as Message
}

test("what the encoder writes the decoder reads: every type, every size", () => {
  fc.assert(
    fc.property(fc.array(anyVarbind, { maxLength: 40 }), fc.nat(2 ** 31 - 1), (varbinds, id) => {
      const { version, community, pdu } = decoded(encodeMessage(COMMUNITY, PDU.response, id, 0, 0, varbinds))
      assert.equal(version, 1)
      assert.deepEqual(Buffer.from(community), COMMUNITY)
      assert.equal(pdu?.requestId, id)
      const seen = pdu?.varbinds.all().map(({ oid, tag, value }) => ({ oid, tag, value: plain(value) }))
      assert.deepEqual(
        seen,
        varbinds.map(({ oid, tag, value }) => ({ oid: oidText(oid), tag, value: plain(value) })),
      )
    }),
  )
})

const plain = (value: unknown): unknown => {
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex")
  return typeof value === "bigint" ? Number(value) : value
}

test("golden bytes: a GETBULK of ifOperStatus (RFC 3416 s3)", () => {
  const bytes = encodeRequest(COMMUNITY, PDU.getBulk, 0x01020304, 0, 10, [oid("1.3.6.1.2.1.2.2.1.8")])
  assert.equal(
    bytes.toString("hex"),
    [
      // Message: version 1, community `public`.
      "302a02010104067075626c6963",
      // GetBulkRequest: id, non-repeaters 0, max-repetitions 10.
      "a51d02040102030402010002010a",
      // One binding: OID, NULL.
      "300f300d06092b06010201020201080500",
    ].join(""),
  )
})

test("a datagram cut anywhere, or with bytes behind it, is refused", () => {
  const whole = encodeMessage(COMMUNITY, PDU.response, 7, 0, 0, [
    { oid: oid("1.3.6.1.2.1.1.5.0"), tag: TAG.octetString, value: Buffer.from("edge") },
    { oid: oid("1.3.6.1.2.1.31.1.1.1.6.1"), tag: TAG.counter64, value: 2n ** 63n },
  ])
  for (let size = 0; size < whole.length; size++)
    assert.equal(typeof decodeMessage(whole.subarray(0, size)), "string", `${size}`)
  assert.equal(decodeMessage(Buffer.concat([whole, Buffer.alloc(3)])), "trailing")
  assert.equal(typeof decodeMessage(Buffer.concat([whole, Buffer.alloc(3)]), true), "object")
})

test("no single changed byte makes the decoder throw, and what it accepts is inside the datagram", () => {
  fc.assert(
    fc.property(fc.array(anyVarbind, { minLength: 1, maxLength: 8 }), fc.nat(), fc.nat(255), (varbinds, at, byte) => {
      const bytes = encodeMessage(COMMUNITY, PDU.response, 99, 0, 0, varbinds)
      bytes[at % bytes.length] = byte
      const message = decodeMessage(bytes)
      if (typeof message === "string") return
      for (const varbind of message.pdu?.varbinds.all() ?? []) assert.ok(/^\d+(\.\d+)+$/.test(varbind.oid), varbind.oid)
    }),
    { numRuns: 2_000 },
  )
})

/** Wraps a value field into a response with one binding of sysName. */
const withValue = (hex: string): Buffer => {
  const name = Buffer.from("06082b06010201010500", "hex")
  const part = (tag: number, ...inside: Buffer[]): Buffer => {
    const body = Buffer.concat(inside)
    return Buffer.concat([
      Buffer.from(body.length < 128 ? [tag, body.length] : [tag, 0x82, body.length >> 8, body.length & 255]),
      body,
    ])
  }
  const list = part(0x30, part(0x30, name, Buffer.from(hex, "hex")))
  const pdu = part(0xa2, Buffer.from("020101020100020100", "hex"), list)
  return part(0x30, Buffer.from("020101", "hex"), part(0x04, COMMUNITY), pdu)
}

const refusedValues: ReadonlyArray<readonly [what: string, hex: string]> = [
  ["INTEGER of no octets", "0200"],
  ["INTEGER of 5 octets", "02050000000001"],
  ["Gauge32 of 6 octets", "4206000000000001"],
  ["Gauge32 of 5 octets above 2^32", "42050100000000"],
  ["Counter64 of no octets", "4600"],
  ["Counter64 of 200 octets (S11)", `4681c8${"01".repeat(200)}`],
  ["IpAddress of 5 octets", "40050102030405"],
  ["empty OID (S11)", "0600"],
  ["unterminated OID", "06022b86"],
  ["BIT STRING (R5, R7)", "030200aa"],
  ["BOOLEAN", "010101"],
  ["NULL with contents", "050101"],
  ["string longer than the datagram (S10)", "0405464f52"],
  ["indefinite length", "04800000"],
]
for (const [what, hex] of refusedValues) {
  test(`a value that is ${what} is refused`, () => {
    assert.equal(typeof decodeMessage(withValue(hex)), "string")
  })
}

test("unsigned values without their leading zero octet are read as unsigned, as many agents send them", () => {
  for (const [hex, value] of [
    ["4204ffffffff", 4_294_967_295],
    ["4101ff", 255],
    ["4608ffffffffffffffff", 2 ** 64],
    ["420500ffffffff", 4_294_967_295],
  ] as const) {
    assert.equal(decoded(withValue(hex)).pdu?.varbinds.number(0), value, hex)
  }
})

test("lenient: an INTEGER padded with sign octets passes, one that needs more than 32 bits does not", () => {
  assert.equal(decoded(withValue("0206000000000007"), true).pdu?.varbinds.number(0), 7)
  assert.equal(decoded(withValue("0205ffffffffff"), true).pdu?.varbinds.number(0), -1)
  assert.equal(typeof decodeMessage(withValue("02050100000000"), true), "string")
})

test(`more than ${MAX_VARBINDS} bindings are refused`, () => {
  const one = { oid: oid("1.3"), tag: TAG.null, value: null }
  const message = (count: number): Buffer =>
    encodeMessage(
      COMMUNITY,
      PDU.response,
      1,
      0,
      0,
      Array.from({ length: count }, () => one),
    )
  assert.equal(typeof decodeMessage(message(MAX_VARBINDS)), "object")
  assert.equal(decodeMessage(message(MAX_VARBINDS + 1)), "varbinds")
})

test("answers share slabs and not each other's places: each of many keeps its own values, long ones too", () => {
  const message = (from: number, count: number): Buffer =>
    encodeMessage(
      Buffer.from("public"),
      PDU.response,
      from,
      0,
      0,
      Array.from({ length: count }, (_, i) => ({
        oid: oid("1.3.6.1.2.1.2.2.1.10.7"),
        tag: TAG.integer,
        value: from + i,
      })),
    )
  const all = Array.from({ length: 300 }, (_, n) => ({
    from: n * 1_000,
    count: [0, 1, 48, 204, 205, 206, 900][n % 7] ?? 0,
  }))
  const answers = all.map(({ from, count }) => decodeMessage(message(from, count)))
  for (const [n, answer] of answers.entries()) {
    assert.ok(typeof answer !== "string" && answer.pdu !== null)
    const { varbinds } = answer.pdu
    assert.equal(varbinds.length, all[n]?.count)
    for (let i = 0; i < varbinds.length; i++) assert.equal(varbinds.number(i), (all[n]?.from ?? 0) + i)
  }
})
