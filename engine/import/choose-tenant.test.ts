import assert from "node:assert/strict"
import { test } from "node:test"
import { chooseTenant } from "#engine/import/choose-tenant.ts"

test("the only tenant needs no name, several do, and a wrong name is answered with the right one", () => {
  assert.deepEqual(chooseTenant(null, []), { create: "main" })
  assert.deepEqual(chooseTenant("acme", []), { create: "acme" })
  assert.deepEqual(chooseTenant(null, ["demo"]), { use: "demo" })
  assert.deepEqual(chooseTenant("demo", ["demo", "main"]), { use: "demo" })
  assert.match((chooseTenant(null, ["a", "b"]) as { refuse: string }).refuse, /--tenant \(a, b\)/)
  assert.match((chooseTenant("dmeo", ["demo"]) as { refuse: string }).refuse, /did you mean demo\?/)
})
