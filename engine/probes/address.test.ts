import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { literal } from "#engine/probes/address.ts"
import { ANYWHERE, onlyThese, RANGES_MAX } from "#engine/probes/policy.ts"

const at = (text: string) => {
  const found = literal(text)
  assert.ok(found !== null, text)
  return found
}

test("a literal is one spelling of one address", () => {
  assert.deepEqual(literal("192.0.2.1"), { text: "192.0.2.1", family: 4 })
  for (const text of ["2001:DB8:0:0::1", "2001:0db8::0001", "2001:db8::1"])
    assert.deepEqual(literal(text), { text: "2001:db8::1", family: 6 })
  for (const text of ["::ffff:192.0.2.1", "::FFFF:c000:201"]) assert.deepEqual(literal(text), at("192.0.2.1"))
})

test("names, zones, options, other notations, and addresses of no single host are no literals", () => {
  const bad = [
    "",
    "router1",
    "localhost",
    "-f",
    "-l",
    "--help",
    "192.0.2.1 ",
    " 192.0.2.1",
    "192.0.2.1\n-f",
    "192.0.2.1/24",
    "192.0.2",
    "0x7f.1",
    "2130706433",
    "0177.0.0.1",
    "①.①.①.①",
    "fe80::1%eth0",
    "fe80::1%-f",
    "[::1]",
    "::",
    "::ffff:0.0.0.0",
    "ff02::1",
    "0.0.0.0",
    "224.0.0.1",
    "255.255.255.255",
  ]
  for (const text of bad) assert.equal(literal(text), null, JSON.stringify(text))
})

test("whatever the text, a literal holds hexadecimal digits, dots and colons only, and is its own literal", () => {
  const text = fc.oneof(
    fc.string(),
    fc.ipV4(),
    fc.ipV6(),
    fc.ipV4Extended(),
    fc.tuple(fc.ipV4(), fc.string()).map((two) => two.join("")),
    fc.string({ unit: fc.constantFrom("-", ":", ".", "f", "0", "1", "%", "\n", " ", "/") }),
  )
  fc.assert(
    fc.property(text, (value) => {
      const found = literal(value)
      if (found === null) return
      assert.match(found.text, /^[0-9a-f:][0-9a-f.:]*$/)
      assert.deepEqual(literal(found.text), found)
    }),
    { numRuns: 2_000 },
  )
})

test("[C11] a tenant's probes reach its devices and its ranges in any spelling, and nothing else", () => {
  const policy = onlyThese(["10.0.0.1", "2001:db8::A", "not an address"], ["192.0.2.0/24", "2001:db8:1::/48"])
  for (const text of ["10.0.0.1", "::ffff:10.0.0.1", "2001:0db8::a", "192.0.2.255", "2001:db8:1:ffff::1"])
    assert.ok(policy.allows(at(text)), text)
  for (const text of ["10.0.0.2", "127.0.0.1", "169.254.169.254", "192.0.3.1", "2001:db8::b", "2001:db8:2::1", "::1"])
    assert.ok(!policy.allows(at(text)), text)
  assert.ok(!onlyThese([], []).allows(at("10.0.0.1")))
  assert.ok(ANYWHERE.allows(at("10.0.0.1")))
})

test("a range that is none is named, and there is a bound on ranges", () => {
  for (const range of ["", "10.0.0.0", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8/8", "host/8", "::/129", "10.0.0.0/ 8"])
    assert.throws(() => onlyThese([], [range]), RangeError, range)
  assert.throws(
    () =>
      onlyThese(
        [],
        Array.from({ length: RANGES_MAX + 1 }, () => "10.0.0.0/8"),
      ),
    RangeError,
  )
})
