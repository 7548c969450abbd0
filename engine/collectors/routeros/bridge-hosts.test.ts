/** [W3] The hosts of a router's bridges by its API: who was learned, where; the router itself and what it was told are not. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { macText } from "#protocol/bridge.ts"
import { BRIDGE_ROWS_MAX } from "#engine/collectors/collector.ts"
import { readBridgeHosts } from "#engine/collectors/routeros/bridge-hosts.ts"
import type { Row } from "#engine/collectors/routeros/reply.ts"

const row = (fields: Record<string, string>): Row => new Map(Object.entries(fields))
const INTERFACES = [
  row({ name: "ether1", type: "ether" }),
  row({ name: "ether2", type: "ether" }),
  row({ name: "bridge1", type: "bridge" }),
  row({ name: "<pppoe-maria>", type: "pppoe-in" }),
]
const shown = (rows: readonly Row[]) => {
  const { reading, ...counts } = readBridgeHosts(rows, INTERFACES)
  const hosts = [...reading.mac].map((mac, i) => `${reading.ports[reading.port[i]!]} ${macText(mac)}`)
  return { hosts, ...counts, isWhole: reading.isWhole }
}
const MAC = "02:1A:B0:00:00:01"

test("[W3] version 7 and 6 name the port alike; local, static, disabled and invalid rows were not heard", () => {
  const heard = [
    row({ "mac-address": MAC, "on-interface": "ether1", bridge: "bridge1", local: "false", dynamic: "true" }),
    row({ "mac-address": "02:1A:B0:00:00:02", "on-interface": "ether2", bridge: "bridge1" }),
    row({ "mac-address": "02:1A:B0:00:00:03", interface: "ether2", local: "no", dynamic: "yes" }),
  ]
  const silent = [
    row({ "mac-address": MAC, "on-interface": "ether1", local: "true", dynamic: "true" }),
    row({ "mac-address": MAC, interface: "ether1", local: "false", dynamic: "false" }),
    row({ "mac-address": MAC, "on-interface": "ether1", disabled: "true" }),
    row({ "mac-address": MAC, "on-interface": "ether1", invalid: "true" }),
  ]
  assert.deepEqual(shown([...silent, ...heard]), {
    hosts: ["if:ether1 02:1a:b0:00:00:01", "if:ether2 02:1a:b0:00:00:02", "if:ether2 02:1a:b0:00:00:03"],
    rows: 7,
    refused: 0,
    isWhole: true,
  })
})

test("[W3] rows without a MAC, on an unknown port or on a subscriber's session are left out and counted", () => {
  const odd = [
    row({}),
    row({ "mac-address": "nonsense", "on-interface": "ether1" }),
    row({ "mac-address": MAC }),
    row({ "mac-address": MAC, "on-interface": "gone" }),
    row({ "mac-address": MAC, "on-interface": "<pppoe-maria>" }),
  ]
  assert.deepEqual(shown(odd), { hosts: [], rows: 5, refused: 5, isWhole: true })
})

test("[W3] a table past the bound is told as its beginning", () => {
  const many = Array.from({ length: BRIDGE_ROWS_MAX + 1 }, (_, n) =>
    row({ "mac-address": macText(n + 1), "on-interface": "ether1" }),
  )
  const { hosts, isWhole } = shown(many)
  assert.deepEqual([hosts.length, isWhole], [BRIDGE_ROWS_MAX, false])
})

test("any rows of a router are survived", () => {
  const name = fc.constantFrom("mac-address", "on-interface", "interface", "local", "dynamic", "__proto__")
  fc.assert(
    fc.property(fc.array(fc.array(fc.tuple(name, fc.string()), { maxLength: 5 }), { maxLength: 20 }), (rows) => {
      const { reading, refused } = readBridgeHosts(
        rows.map((fields) => new Map(fields)),
        INTERFACES,
      )
      assert.ok(reading.mac.length + refused <= rows.length)
    }),
  )
})
