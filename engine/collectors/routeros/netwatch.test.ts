/** Netwatch: only public targets that were asked count, and how many of them answer. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import { readNetwatch } from "#engine/collectors/routeros/netwatch.ts"

const row = (host: string, status: string, disabled = "false") => new Map(Object.entries({ host, status, disabled }))

describe("[W7] what a router watches by itself", () => {
  test("public addresses that were asked count; private, special, named, disabled and unasked ones do not", () => {
    const rows = [
      row("8.8.8.8", "up"),
      row("1.1.1.1", "down"),
      row("2606:4700:4700::1111", "up"),
      row("10.0.0.1", "up"),
      row("100.64.1.1", "up"),
      row("127.0.0.1", "down"),
      row("198.51.100.9", "down"),
      row("dns.example.net", "up"),
      row("9.9.9.9", "unknown"),
      row("208.67.222.222", "up", "true"),
      new Map<string, string>(),
    ]
    assert.deepEqual(readNetwatch(rows), { targets: 3, up: 2 })
    assert.deepEqual(readNetwatch([]), { targets: 0, up: 0 })
  })

  test("whatever a device sends, no more answer than are watched, and no more are watched than were sent", () => {
    const cell = fc.oneof(fc.ipV4(), fc.ipV6(), fc.string(), fc.constantFrom("up", "down"))
    fc.assert(
      fc.property(fc.array(fc.record({ host: cell, status: cell, disabled: cell })), (list) => {
        const { targets, up } = readNetwatch(list.map((one) => new Map(Object.entries(one))))
        assert.ok(up >= 0 && up <= targets && targets <= list.length)
      }),
    )
  })
})
