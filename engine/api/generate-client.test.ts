/** The generated client is what the contract says, and says it in TypeScript that holds. */
import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { test } from "node:test"
import fc from "fast-check"
import {
  answerSchema,
  CLIENT_FILE,
  generateClient,
  openApiDocument,
  operationsOf,
  typeOf,
} from "#engine/api/generate-client.ts"
import { OPERATIONS } from "#protocol/rest-generated.ts"

test("[O13] protocol/rest-generated.ts is what the contract says (else: node engine/api/generate-client.ts)", () => {
  assert.equal(readFileSync(CLIENT_FILE, "utf8"), generateClient(openApiDocument()))
})

test("[O13] every operation of the contract has a route in the client, with its method and path", () => {
  const operations = operationsOf(openApiDocument())
  assert.ok(operations.length >= 60)
  assert.equal(Object.keys(OPERATIONS).length, operations.length)
  for (const { operationId, method, path } of operations) {
    const route = OPERATIONS[operationId as keyof typeof OPERATIONS]
    assert.equal(`${route.method} ${route.path}`, `${method} ${path}`)
  }
})

test("schemas as TypeScript", () => {
  const cases: ReadonlyArray<readonly [Parameters<typeof typeOf>[0], string]> = [
    [{ $ref: "#/components/schemas/Device" }, "Device"],
    [{ type: "string", enum: ["a", "b"] }, '"a" | "b"'],
    [{ anyOf: [{ type: "string" }, { type: "null" }] }, "string | null"],
    [{ type: "array", items: { anyOf: [{ type: "integer" }, { type: "null" }] } }, "ReadonlyArray<number | null>"],
    [{ type: "object", additionalProperties: { type: "number" } }, "Readonly<Record<string, number>>"],
    [
      { type: "object", properties: { a: { type: "boolean" }, "b-c": { type: "string" } }, required: ["a"] },
      '{ readonly a: boolean; readonly "b-c"?: string }',
    ],
    [{}, "unknown"],
  ]
  for (const [schema, type] of cases) assert.equal(typeOf(schema), type)
})

test("what cannot be said is refused, never written as something it is not", () => {
  fc.assert(
    fc.property(
      fc
        .stringMatching(/^[a-z]{3,12}$/)
        .filter((word) => !["description", "title", "type", "enum", "items"].includes(word)),
      (word) => assert.throws(() => typeOf({ [word]: 1, not: {} } as object), /cannot be written/),
    ),
    { numRuns: 50 },
  )
})

test("an operation without a body in its good answer answers null", () => {
  for (const operation of operationsOf(openApiDocument()))
    if ("204" in operation.responses) assert.equal(answerSchema(operation), undefined, operation.operationId)
})
