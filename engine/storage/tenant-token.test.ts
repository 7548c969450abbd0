/** tenant-token.ts: a token names its tenant and nothing else of its own is read out of a stranger's text. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { newTenantToken, readTenantToken, sha256, type TokenPrefix } from "#engine/storage/tenant-token.ts"
import { tenantId } from "#protocol/id.ts"

const PREFIXES: readonly TokenPrefix[] = ["", "hgi_"]

test("[S1] every token leads back to its tenant and to the hash of its whole text, and never to another prefix", () => {
  fc.assert(
    fc.property(fc.uuid(), fc.constantFrom(...PREFIXES), (uuid, prefix) => {
      const token = newTenantToken(prefix, tenantId(uuid))
      assert.deepEqual(readTenantToken(prefix, token), { tenant: uuid, sha256: sha256(token) })
      for (const other of PREFIXES) if (other !== prefix) assert.equal(readTenantToken(other, token), null)
    }),
  )
})

test("[S1] no two tokens of a tenant are alike, and the random part has 256 bits", () => {
  const tenant = tenantId("01234567-89ab-7def-8123-456789abcdef")
  const tokens = new Set(Array.from({ length: 1_000 }, () => newTenantToken("hgi_", tenant)))
  assert.equal(tokens.size, 1_000)
  for (const token of tokens) assert.equal(Buffer.from(token.split(".")[1]!, "base64url").length, 32)
})

test("[S9] any other text is no token, and reading it never throws", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.constantFrom(...PREFIXES), (text, prefix) => {
      assert.equal(readTenantToken(prefix, text), null)
    }),
  )
  const token = newTenantToken("", tenantId("01234567-89ab-7def-8123-456789abcdef"))
  for (const broken of [token.slice(1), `${token}A`, token.replace(".", "-"), `${token}\n`, `hgx_${token}`, ""])
    assert.equal(readTenantToken("", broken), null, JSON.stringify(broken))
})
