import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { decrypt, digestLength, digestOf, encrypt, usmKeys } from "#lab/snmp/usm.ts"
import { v3User } from "#lab/snmp/probe.fixture.ts"

test('[RFC 3414 A.3] the localised keys of "maplesyrup" are the standard\'s', () => {
  const engineId = Buffer.from("000000000000000000000002", "hex")
  const keyOf = (authProtocol: "md5" | "sha") =>
    usmKeys({ ...v3User(authProtocol, "des"), authPassword: "maplesyrup" }, engineId).authKey.toString("hex")
  assert.equal(keyOf("md5"), "526f5eed9fcce26f8964c2930787d82b")
  assert.equal(keyOf("sha"), "6695febc9288e36282235fc7151f128497b38f3f")
})

test("[FIPS 46-3] DES made of triple DES with equal keys gives DES's known answer", () => {
  const user = v3User("md5", "des")
  // A zero pre-IV and a zero salt make a zero IV: one block of CBC is then one block of DES.
  const privKey = Buffer.concat([Buffer.from("133457799bbcdff1", "hex"), Buffer.alloc(8)])
  const keys = { user, authKey: Buffer.alloc(16), privKey }
  const { cipher, salt } = encrypt(keys, 0, 0, 0, Buffer.from("0123456789abcdef", "hex"))
  assert.equal(salt.toString("hex"), "0000000000000000")
  assert.equal(cipher.toString("hex"), "85e813540f0ab405")
})

test("what is encrypted comes back, with DES padded to whole blocks; another salt gives other bytes", () => {
  const engineId = Buffer.from("80003a8c0501", "hex")
  const all = fc.constantFrom("des" as const, "aes" as const)
  fc.assert(
    fc.property(
      all,
      fc.uint8Array({ minLength: 1, maxLength: 200 }),
      fc.nat(),
      fc.nat(),
      fc.nat(),
      (priv, bytes, boots, time, counter) => {
        const keys = usmKeys(v3User("sha", priv), engineId)
        const plain = Buffer.from(bytes)
        const { salt, cipher } = encrypt(keys, boots, time, counter, plain)
        assert.deepEqual(decrypt(keys, boots, time, salt, cipher)!.subarray(0, plain.length), plain)
        const other = encrypt(keys, boots, time, (counter + 1) >>> 0, plain)
        assert.notDeepEqual(other.salt, salt)
      },
    ),
    { numRuns: 60 },
  )
})

test("salts and ciphertexts that cannot be are refused, not thrown", () => {
  const keys = usmKeys(v3User("sha", "des"), Buffer.alloc(12, 1))
  assert.equal(decrypt(keys, 1, 1, Buffer.alloc(7), Buffer.alloc(8)), null)
  assert.equal(decrypt(keys, 1, 1, Buffer.alloc(8), Buffer.alloc(9)), null)
  assert.equal(decrypt(keys, 1, 1, Buffer.alloc(8), Buffer.alloc(0)), null)
})

test("[RFC 7860 4.2] digests are as long as their protocol says", () => {
  const lengths = { md5: 12, sha: 12, sha224: 16, sha256: 24, sha384: 32, sha512: 48 } as const
  for (const [protocol, length] of Object.entries(lengths)) {
    const keys = usmKeys(v3User(protocol as keyof typeof lengths, "aes"), Buffer.alloc(12, 1))
    assert.equal(digestLength(keys), length)
    assert.equal(digestOf(keys, Buffer.from("message")).length, length)
  }
})
