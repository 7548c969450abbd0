/** The file of tenants' own databases: what is taken, what is refused, and that no refusal repeats a secret. */
import assert from "node:assert/strict"
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, test } from "node:test"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import fc from "fast-check"
import { readTenantDatabases, TENANT_DATABASES_MAX } from "#engine/isolation/tenant-databases-file.ts"

const directory = mkdtempSync(join(tmpdir(), "heliograph-databases-"))
after(() => rmSync(directory, { recursive: true }))
const file = join(directory, "databases.json")

const read = (text: string, mode = 0o600) => {
  writeFileSync(file, text)
  chmodSync(file, mode)
  return Effect.runSync(Effect.result(readTenantDatabases(file)))
}
const refusal = (text: string, mode?: number): string => {
  const result = read(text, mode)
  assert.equal(result._tag, "Failure", text)
  const message = result._tag === "Failure" ? result.failure.message : ""
  assert.ok(message.startsWith("HELIOGRAPH_TENANT_DATABASES_FILE: "), message)
  return message
}
const SECRET = "S3CRET-password"

test("[T3] slugs and URLs, which print as nothing", () => {
  const result = read(
    JSON.stringify({ acme: `postgres://u:${SECRET}@db:5432/acme`, "net-2": "postgresql://u@h/d?host=/run" }),
  )
  assert.ok(result._tag === "Success")
  assert.deepEqual([...result.success.keys()], ["acme", "net-2"])
  assert.equal(Redacted.value(result.success.get("acme")!), `postgres://u:${SECRET}@db:5432/acme`)
  assert.ok(
    !JSON.stringify([...result.success]).includes(SECRET) && !String(result.success.get("acme")).includes(SECRET),
  )
})

test("without the setting there are none", () => {
  assert.equal(Effect.runSync(readTenantDatabases(null)).size, 0)
})

test("[S7] a file that others may read is refused", () => {
  for (const mode of [0o644, 0o640, 0o604]) assert.match(refusal("{}", mode), /may be read by others.*chmod 600/)
})

test("what is no map of slugs to postgres URLs is refused by name, and nothing of it is repeated", () => {
  const bad: ReadonlyArray<readonly [text: string, why: RegExp]> = [
    ["", /one JSON object/],
    ["[]", /one JSON object/],
    [`{"a": "postgres://u:${SECRET}@h/d"`, /one JSON object/],
    [JSON.stringify({ "Not A Slug": `postgres://u:${SECRET}@h/d` }), /cannot be a tenant's slug/],
    [JSON.stringify({ acme: `mysql://u:${SECRET}@h/d` }), /must give acme a postgres/],
    [JSON.stringify({ acme: `postgres://u:${SECRET}@h` }), /must give acme/],
    [JSON.stringify({ acme: `postgres://h/d` }), /must give acme/],
    [JSON.stringify({ acme: 5 }), /must give acme/],
    [
      JSON.stringify({ one: `postgres://u:${SECRET}@h/d`, two: "postgres://other:pw@h:5432/d" }),
      /gives two the same database as one/,
    ],
    [
      JSON.stringify(
        Object.fromEntries(
          Array.from({ length: TENANT_DATABASES_MAX + 1 }, (_, n) => [`t${n}`, `postgres://u@h/d${n}`]),
        ),
      ),
      /more than 200/,
    ],
    [`{"a": "${"x".repeat(300_000)}"}`, /larger than/],
  ]
  for (const [text, why] of bad) {
    const message = refusal(text)
    assert.match(message, why)
    assert.ok(!message.includes(SECRET), message)
  }
})

test("any text ends in a map or in words, never in a throw", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      const result = read(text)
      assert.ok(result._tag === "Success" || result.failure.message.length > 0)
    }),
    { numRuns: 200 },
  )
})
