/** second-factor.ts: which step a code is of. What is taken once, and only once, is proven over HTTP in account.test.ts. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { Secret, TOTP } from "otpauth"
import { isRecoveryCode, STEP_MS, stepOf } from "#engine/people/second-factor.ts"

/** RFC 6238 appendix B: the SHA-1 secret and the last six of its eight digits. */
const RFC_SECRET = Secret.fromLatin1("12345678901234567890").base32
const VECTORS: ReadonlyArray<readonly [atS: number, digits: string]> = [
  [59, "287082"],
  [1111111109, "081804"],
  [1111111111, "050471"],
  [1234567890, "005924"],
  [2000000000, "279037"],
  [20000000000, "353130"],
]

test("[S4] the test vectors of RFC 6238 are codes of their step, also one step away, and of no other", () => {
  for (const [atS, digits] of VECTORS) {
    const step = Math.floor((atS * 1000) / STEP_MS)
    for (const off of [-1, 0, 1]) assert.equal(stepOf(RFC_SECRET, digits, atS * 1000 + off * STEP_MS), step, digits)
    for (const off of [-2, 2, 10]) assert.equal(stepOf(RFC_SECRET, digits, atS * 1000 + off * STEP_MS), null, digits)
    assert.equal(stepOf(RFC_SECRET, ` ${digits.slice(0, 3)} ${digits.slice(3)} `, atS * 1000), step)
  }
})

test("[S4] a code of now is of this step for any secret and time; anything that is not six digits is of none", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 20, maxLength: 20 }), fc.integer({ min: 1, max: 4e12 }), (bytes, atMs) => {
      const secret = new Secret({ buffer: new Uint8Array(bytes).buffer })
      const step = stepOf(secret.base32, TOTP.generate({ secret, timestamp: atMs }), atMs)
      // The same six digits may by chance also be of a neighbouring step.
      assert.ok(step !== null && Math.abs(step - Math.floor(atMs / STEP_MS)) <= 1)
    }),
  )
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      if (!/^\d{6}$/.test(text.replace(/[\s-]/g, ""))) assert.equal(stepOf(RFC_SECRET, text, 59_000), null)
    }),
  )
})

test("[S4] a recovery code is told from digits in any spelling", () => {
  for (const code of ["abcd-efgh-2345-67ab", "ABCDEFGH234567AB", " abcd efgh 2345 67ab "])
    assert.ok(isRecoveryCode(code))
  for (const code of ["", "123456", "abcd-efgh-2345-67a", "abcd-efgh-2345-67a1", "abcd-efgh-2345-67abc"])
    assert.ok(!isRecoveryCode(code), code)
})
