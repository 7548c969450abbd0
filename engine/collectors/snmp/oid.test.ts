import assert from "node:assert/strict"
import test from "node:test"
import fc from "fast-check"
import { arcsOf, checkOid, compareOid, equalOid, isUnder, oid, oidText, under } from "#engine/collectors/snmp/oid.ts"

const arc = fc.oneof(fc.constantFrom(0, 1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152, 4_294_967_295), fc.nat(300))
const tail = fc.array(arc, { maxLength: 12 })
const root = fc.oneof(fc.tuple(fc.constantFrom(0, 1), fc.nat(39)), fc.tuple(fc.constant(2), fc.nat(1_000)))
const arcs = fc.tuple(root, tail).map(([head, rest]) => [...head, ...rest])

const compareArcs = (a: readonly number[], b: readonly number[]): number => {
  for (let i = 0; i < a.length && i < b.length; i++) if (a[i] !== b[i]) return (a[i] as number) - (b[i] as number)
  return a.length - b.length
}

test("an OID survives text -> bytes -> text, and its bytes are legal", () => {
  fc.assert(
    fc.property(arcs, (list) => {
      const bytes = oid(list.join("."))
      assert.equal(oidText(bytes), list.join("."))
      assert.ok(checkOid(bytes, 0, bytes.length))
    }),
  )
})

test("compareOid orders like the numbers do (RFC 3416 s2.1), also where bytes order otherwise", () => {
  fc.assert(
    fc.property(arcs, arcs, (a, b) => {
      const [left, right] = [oid(a.join(".")), oid(b.join("."))]
      assert.equal(Math.sign(compareOid(left, 0, left.length, right)), Math.sign(compareArcs(a, b)))
    }),
  )
  assert.ok(compareOid(oid("1.3.16383"), 0, 3, oid("1.3.16384")) < 0)
})

test("an instance lies under its column and nothing else does", () => {
  fc.assert(
    fc.property(arcs, fc.array(arc, { minLength: 1, maxLength: 5 }), (base, index) => {
      const column = oid(base.join("."))
      const cell = under(column, ...index)
      assert.ok(isUnder(cell, 0, cell.length, column))
      assert.ok(!isUnder(column, 0, column.length, column))
      assert.deepEqual(arcsOf(cell, column.length, cell.length), index)
      assert.ok(equalOid(cell, 0, cell.length, oid([...base, ...index].join("."))))
    }),
  )
})

test("illegal contents are refused: empty, unterminated, padded, an arc above 2^32-1, more than 128 arcs", () => {
  const isLegal = (...bytes: number[]): boolean => checkOid(Uint8Array.from(bytes), 0, bytes.length)
  assert.ok(!isLegal())
  assert.ok(!isLegal(0x2b, 0x86))
  assert.ok(!isLegal(0x2b, 0x80, 0x01))
  assert.ok(isLegal(0x2b, 0x8f, 0xff, 0xff, 0xff, 0x7f))
  assert.ok(!isLegal(0x2b, 0x90, 0x80, 0x80, 0x80, 0x00))
  assert.ok(!isLegal(0x2b, 0x81, 0x80, 0x80, 0x80, 0x80, 0x00))
  assert.ok(isLegal(0x2b, ...Array.from({ length: 126 }, () => 1)))
  assert.ok(!isLegal(0x2b, ...Array.from({ length: 128 }, () => 1)))
})

test("text that is no OID is a RangeError", () => {
  for (const text of ["", "1", "1.3.x", "3.1", "1.40", "1.3.4294967296", "1.3.-1"]) {
    assert.throws(() => oid(text), RangeError, text)
  }
})
