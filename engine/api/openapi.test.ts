/** The committed OpenAPI file is the contract: a change of the API is a visible change of this file. */
import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { test } from "node:test"
import { ROUTES, type RouteName } from "#engine/access/entries.ts"
import { OPENAPI_FILE, openApiText } from "#engine/api/openapi.ts"

interface Operation {
  readonly operationId: string
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

test("every operation that is not public demands a credential and documents its 401", () => {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ name: `${method} ${path}`, operation })),
  )
  assert.equal(operations.length, Object.keys(ROUTES).length)
  for (const { name, operation } of operations) {
    assert.ok(name.includes(" /api/v1/"), name)
    const route = operation.operationId as RouteName
    assert.equal((operation.security ?? []).length > 0, ROUTES[route].kind !== "public", name)
    if (ROUTES[route].kind !== "public") assert.ok("401" in operation.responses, name)
  }
})
