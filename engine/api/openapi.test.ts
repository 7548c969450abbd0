/** The committed OpenAPI file is the contract: a change of the API is a visible change of this file. */
import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { test } from "node:test"
import { OPENAPI_FILE, openApiText } from "#engine/api/openapi.ts"

interface Operation {
  readonly security?: readonly object[]
  readonly responses: Readonly<Record<string, unknown>>
}
const document = JSON.parse(openApiText()) as {
  readonly openapi: string
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}

test("openapi.json is what the contract says (else: node engine/api/openapi.ts)", () => {
  assert.equal(readFileSync(OPENAPI_FILE, "utf8"), openApiText())
  assert.match(document.openapi, /^3\.1\./)
})

test("every operation but the sign-in demands a session and documents its 401", () => {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ name: `${method} ${path}`, operation })),
  )
  assert.ok(operations.length >= 11)
  for (const { name, operation } of operations) {
    assert.ok(name.includes(" /api/v1/"), name)
    assert.ok("401" in operation.responses, name)
    assert.equal((operation.security ?? []).length > 0, name !== "post /api/v1/session", name)
  }
})
