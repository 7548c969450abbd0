/** Which interface runs over which, as bonding, bridge, VLAN and PPPoE client menus of a RouterOS tell it. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import type { EntityKey } from "#protocol/id.ts"
import { interfaceKey } from "#protocol/id.ts"
import { STACK_PAIRS_MAX, stacksOf, stackText, tellStacks } from "#engine/collectors/lower-layers.ts"
import type { Row } from "#engine/collectors/routeros/reply.ts"
import { readStacks, stackMenus } from "#engine/collectors/routeros/stack.ts"

const row = (fields: Record<string, string>): Row => new Map(Object.entries(fields))
const INTERFACES = [
  row({ name: "ether1", type: "ether" }),
  row({ name: "ether2", type: "ether" }),
  row({ name: "bond1", type: "bond" }),
  row({ name: "lan, guests", type: "bridge" }),
  row({ name: "v10", type: "vlan" }),
  row({ name: "wan", type: "pppoe-out" }),
  row({ name: "<pppoe-maria>", type: "pppoe-in" }),
]
const ANSWERS: Readonly<Record<string, readonly Row[]>> = {
  "/interface/bonding/print": [row({ name: "bond1", slaves: "ether1,ether2" })],
  "/interface/bridge/port/print": [
    row({ bridge: "lan, guests", interface: "v10" }),
    row({ bridge: "lan, guests", interface: "ether2", disabled: "true" }),
    row({ bridge: "lan, guests", interface: "<pppoe-maria>" }),
    row({ bridge: "gone", interface: "ether1" }),
    row({}),
  ],
  "/interface/vlan/print": [row({ name: "v10", interface: "bond1" })],
  "/interface/pppoe-client/print": [row({ name: "wan", interface: "ether1", user: "u", password: "p" })],
}
const read = (interfaces: readonly Row[]) =>
  readStacks(
    stackMenus(interfaces).map((menu) => [menu, ANSWERS[menu.words[0] ?? ""] ?? []] as const),
    interfaces,
  )

test("[C1] a bond runs over its slaves, a bridge over its ports in use, VLAN and PPPoE client over their interface", () => {
  assert.deepEqual(Object.fromEntries([...read(INTERFACES)].map(([key, lowers]) => [key, stackText(lowers)])), {
    "if:bond1": "ether1, ether2",
    "if:lan, guests": "v10",
    "if:v10": "bond1",
    "if:wan": "ether1",
  })
})

test("a menu is asked only when there is an interface of its type, and no secret is asked for", () => {
  assert.deepEqual(stackMenus(INTERFACES.slice(0, 2)), [])
  assert.deepEqual(
    stackMenus(INTERFACES.slice(0, 3)).map(({ words }) => words[0]),
    ["/interface/bonding/print"],
  )
  for (const { words } of stackMenus(INTERFACES)) {
    assert.equal(words.length, 2)
    assert.match(words[1] ?? "", /^=\.proplist=[a-z,]+$/)
    assert.doesNotMatch(words[1] ?? "", /user|password|comment/)
  }
})

test("what lay over something and lies over nothing now is told once", () => {
  const told = new Set<EntityKey>()
  const tell = (pairs: ReadonlyArray<readonly [string, string]>): Record<string, string> => {
    const said: Record<string, string> = {}
    const keys = pairs.map(([higher, lower]) => [interfaceKey(higher), interfaceKey(lower)] as const)
    tellStacks(stacksOf(keys), told, (key, _, text) => {
      said[key] = text
    })
    return said
  }
  assert.deepEqual(
    tell([
      ["b", "e1"],
      ["b", "e2"],
      ["b", "e1"],
    ]),
    { "if:b": "e1, e2" },
  )
  assert.deepEqual(tell([]), { "if:b": "" })
  assert.deepEqual(tell([]), {})
})

test("any pairs: bounded texts, nothing over itself, nothing named twice", () => {
  const name = fc.oneof(fc.string({ maxLength: 300 }), fc.constantFrom("a", "b", "c"))
  fc.assert(
    fc.property(fc.array(fc.tuple(name, name), { maxLength: 60 }), (pairs) => {
      for (const [higher, lowers] of stacksOf(pairs.map(([a, b]) => [interfaceKey(a), interfaceKey(b)] as const))) {
        assert.ok(!lowers.includes(higher))
        assert.equal(new Set(lowers).size, lowers.length)
        assert.ok(stackText(lowers).length <= 250)
      }
    }),
  )
  const crowd = Array.from(
    { length: STACK_PAIRS_MAX + 9 },
    (_, n) => [interfaceKey("b"), interfaceKey(`p${n}`)] as const,
  )
  assert.equal(stacksOf(crowd).get(interfaceKey("b"))?.length, STACK_PAIRS_MAX)
  assert.match(stackText(crowd.map(([, lower]) => lower)), /^p0, p1, .*, \+\d+$/)
})
