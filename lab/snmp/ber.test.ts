import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { BerError, Reader, TAG, Writer, oidBytes } from "#lab/snmp/ber.ts"

const arc = fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 0xffffffff }))
const oid = fc
  .tuple(fc.nat(2), fc.nat(39), fc.array(arc, { maxLength: 20 }))
  .map(([first, second, rest]) => [first, second, ...rest])

test("every signed 32-bit integer comes back, in the fewest octets (X.690 s8.3.2)", () => {
  fc.assert(
    fc.property(fc.integer(), (value) => {
      const out = new Writer(16)
      out.integer(value)
      assert.equal(new Reader(out.take()).integer(), value)
      const content = out.take().subarray(2)
      if (content.length > 1) {
        const top = (content[0]! << 1) | (content[1]! >> 7)
        assert.ok(top !== 0 && top !== 0x1ff, content.toString("hex"))
      }
    }),
  )
})

test("every counter up to 2^53 is written positive, in the fewest octets, and means itself", () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), (value) => {
      const out = new Writer(16)
      out.unsigned(value, TAG.counter64)
      const bytes = out.take()
      assert.equal(bytes[1], bytes.length - 2)
      assert.ok(bytes[2]! < 128)
      assert.equal(BigInt(`0x${bytes.subarray(2).toString("hex")}`), BigInt(value))
      if (bytes.length > 3) assert.ok(bytes[2]! !== 0 || bytes[3]! >= 128)
    }),
  )
  for (const [value, hex] of [
    [0, "460100"],
    [127, "46017f"],
    [128, "46020080"],
    [2 ** 32, "46050100000000"],
  ] as const) {
    const out = new Writer(16)
    out.unsigned(value, TAG.counter64)
    assert.equal(out.take().toString("hex"), hex)
  }
})

test("every object identifier comes back", () => {
  fc.assert(
    fc.property(oid, (arcs) => {
      const out = new Writer(256)
      out.oid(arcs)
      assert.deepEqual(new Reader(out.take()).oid(), arcs)
    }),
  )
})

test("known bytes: sysDescr.0 and an enterprise number", () => {
  assert.equal(oidBytes([1, 3, 6, 1, 2, 1, 1, 1, 0]).toString("hex"), "2b06010201010100")
  assert.equal(oidBytes([1, 3, 6, 1, 4, 1, 14988, 1]).toString("hex"), "2b06010401f50c01")
})

test("texts of any length come back, with the lengths that BER has for them", () => {
  for (const length of [0, 1, 127, 128, 255, 256, 1000]) {
    const out = new Writer(2000)
    out.octets(Buffer.alloc(length, 7))
    assert.equal(new Reader(out.take()).octets().length, length)
  }
})

test("arbitrary bytes are read or refused with a BerError, and nothing else happens", () => {
  const readers: ReadonlyArray<(reader: Reader) => unknown> = [
    (reader) => reader.integer(),
    (reader) => reader.octets(),
    (reader) => reader.oid(),
    (reader) => reader.into(TAG.sequence),
    (reader) => reader.skip(),
  ]
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(4), fc.boolean(), (bytes, which, plausible) => {
      const input = Buffer.from(bytes)
      if (plausible && input.length > 1) {
        input[0] = [TAG.integer, TAG.octetString, TAG.oid, TAG.sequence, TAG.null][which]!
        input[1] = input.length - 2
      }
      const reader = new Reader(input)
      try {
        readers[which]!(reader)
        assert.ok(reader.at <= input.length)
      } catch (cause) {
        assert.ok(cause instanceof BerError, String(cause))
      }
    }),
    { numRuns: 2000 },
  )
})
