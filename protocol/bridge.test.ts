/** [W3] The text of a bridge's port: what is written is read again, bounded, and any other text is survived. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import {
  HOSTS_MAX,
  HOSTS_TEXT_MAX,
  hostsText,
  isOwnable,
  macNumber,
  macText,
  readHosts,
  readMac,
} from "#protocol/bridge.ts"

const mac = fc.nat(2 ** 31).chain((high) => fc.nat(2 ** 16).map((low) => (high * 2 ** 16 + low) % 2 ** 48))

test("hosts are read as they were written; past the bound the text says that there are more", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(mac, { maxLength: HOSTS_MAX + 9 }),
      fc.boolean(),
      fc.boolean(),
      (numbers, others, more) => {
        const macs = numbers.map(macText)
        const text = hostsText({ macs, others, more })
        assert.ok(text.length <= HOSTS_TEXT_MAX)
        assert.deepEqual(readHosts(text), {
          macs: macs.slice(0, HOSTS_MAX),
          others,
          more: more || macs.length > HOSTS_MAX,
        })
        assert.equal(text === "", macs.length === 0 && !others && !more)
      },
    ),
  )
})

test("a MAC is a number and a text, both ways, in either case; nothing else is one", () => {
  fc.assert(
    fc.property(mac, (number) => {
      const text = macText(number)
      assert.equal(readMac(text), number)
      assert.equal(readMac(text.toUpperCase()), number)
      assert.equal(macNumber(text.split(":").map((octet) => Number.parseInt(octet, 16))), number)
    }),
  )
  assert.equal(macText(0x001a2b3c4d5e), "00:1a:2b:3c:4d:5e")
  assert.equal(macNumber([7, 0, 26, 43, 60, 77, 94], 1), 0x001a2b3c4d5e, "behind a filtering database's number")
  for (const none of [[], [1, 2, 3, 4, 5], [1, 2, 3, 4, 5, 256], [1, 2, 3, 4, 5, -1], [1, 2, 3, 4, 5, 6, 7]])
    assert.equal(macNumber(none), null)
  for (const none of ["", "001a2b3c4d5e", "00:1a:2b:3c:4d", "00:1a:2b:3c:4d:5g", " 00:1a:2b:3c:4d:5e"])
    assert.equal(readMac(none), null)
})

test("any text is survived, and only MACs come out of it", () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 3_000 }), (text) => {
      for (const one of readHosts(text).macs) assert.notEqual(readMac(one), null)
    }),
  )
})

test("group addresses and zeros belong to no interface", () => {
  for (const none of ["00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff", "01:80:c2:00:00:0e", "33:33:00:00:00:01"])
    assert.equal(isOwnable(readMac(none)!), false, none)
  for (const own of ["00:1a:2b:3c:4d:5e", "02:1a:b0:00:00:01", "fe:ff:ff:ff:ff:ff"])
    assert.equal(isOwnable(readMac(own)!), true, own)
})
