/** [S9] Which texts may become the address of a script: our bundle's, and nothing else's. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { ownAsset } from "#client/trusted-types.ts"

const BASE = "https://noc.example.net/devices/1"

test("[S9] only a script of our own bundle has an address that may run", () => {
  assert.equal(ownAsset("/assets/worker-Ab3dE6gh.mjs", BASE), "https://noc.example.net/assets/worker-Ab3dE6gh.mjs")
  assert.equal(ownAsset("https://noc.example.net/assets/main.js", BASE), "https://noc.example.net/assets/main.js")
  for (const text of [
    "https://evil.example/assets/main.js",
    "//evil.example/assets/main.js",
    "http://noc.example.net/assets/main.js",
    "https://noc.example.net:8443/assets/main.js",
    "/api/v1/export",
    "/assets/../api/v1/export",
    "/assets/%2e%2e/api.js",
    "/assets/a/b.js",
    "/assets/page.html",
    "data:text/javascript,alert(1)",
    "blob:https://noc.example.net/5c1f",
    "javascript:alert(1)",
    "",
  ])
    assert.equal(ownAsset(text, BASE), null, text)
})

test("[S9] whatever text comes, what is allowed lies in /assets/ of our own origin", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.webUrl(), fc.webPath()), (text) => {
      const allowed = ownAsset(text, BASE)
      assert.ok(allowed === null || allowed.startsWith("https://noc.example.net/assets/"), String(allowed))
    }),
  )
})
