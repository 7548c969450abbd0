/** [C23] A list of SNMP credentials by REST is checked as in an import document, and no refusal repeats what was given. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { checkedCredential } from "#engine/inventory-api/check.ts"
import { EditRefused } from "#engine/inventory-api/edit-refused.ts"

test("[C23] [S4] a list is taken for snmp in its order; empty, too long, wrong or for the API it is refused, unquoted", () => {
  const taken = checkedCredential("snmp", [{ community: "CANARY" }, { user: "CANARY" }])
  assert.deepEqual(taken, {
    version: "2c",
    port: 161,
    community: "CANARY",
    others: [{ version: "3", port: 161, user: "CANARY" }],
  })
  const refused: ReadonlyArray<readonly ["snmp" | "routeros", unknown]> = [
    ["snmp", []],
    ["snmp", [{ community: "CANARY", others: [] }]],
    ["snmp", [{ community: "CANARY" }, { CANARY: 1 }]],
    ["snmp", Array.from({ length: 9 }, () => ({ community: "CANARY" }))],
    ["routeros", [{ user: "CANARY", password: "CANARY" }]],
  ]
  for (const [kind, given] of refused)
    assert.throws(
      () => checkedCredential(kind, given),
      (cause) =>
        cause instanceof EditRefused && !JSON.stringify(cause).includes("CANARY") && !cause.message.includes("CANARY"),
      JSON.stringify(given),
    )
})
