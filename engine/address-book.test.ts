import assert from "node:assert/strict"
import { test } from "node:test"
import { makeAddressBook, type Entry } from "#engine/address-book.ts"
import { deviceId, tenantId, type TenantId } from "#protocol/id.ts"

const A = tenantId("a")
const B = tenantId("b")
const entry = (tenant: TenantId, name: string, address: string): Entry => ({
  tenant,
  target: { device: deviceId(name), name, address, pollSeconds: 10, snmp: null, routeros: null },
  sink: { submit: () => true },
  pollNow: () => undefined,
  readNow: () => true,
})

test("a source is found by its address, also when it came over an IPv6 socket", () => {
  const book = makeAddressBook()
  book.set(A, [entry(A, "r1", "192.0.2.1"), entry(A, "r2", "2001:DB8::1")])
  assert.equal(book.find("192.0.2.1")?.target.name, "r1")
  assert.equal(book.find("::ffff:192.0.2.1")?.target.name, "r1")
  assert.equal(book.find("2001:db8::1")?.target.name, "r2")
  assert.equal(book.find("192.0.2.9"), null)
})

test("[T4] an address that two tenants use is nobody's, until one of them gives it up", () => {
  const book = makeAddressBook()
  book.set(A, [entry(A, "r1", "10.0.0.1")])
  book.set(B, [entry(B, "x1", "10.0.0.1")])
  assert.equal(book.find("10.0.0.1"), null)
  book.set(B, [])
  assert.equal(book.find("10.0.0.1")?.tenant, A)
})

test("a device that left is not found any more", () => {
  const book = makeAddressBook()
  book.set(A, [entry(A, "r1", "10.0.0.1"), entry(A, "r2", "10.0.0.2")])
  book.set(A, [entry(A, "r2", "10.0.0.2")])
  assert.equal(book.find("10.0.0.1"), null)
  assert.equal(book.find("10.0.0.2")?.target.name, "r2")
})
