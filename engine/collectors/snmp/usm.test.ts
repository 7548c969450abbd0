import assert from "node:assert/strict"
import test from "node:test"
import snmp from "net-snmp"
import fc from "fast-check"
import { AUTH_PROTOCOLS, PRIV_PROTOCOLS } from "#engine/collectors/target.ts"
import { AUTH, decrypt, encrypt, localise, passwordKey, privKey, sign, verify } from "#engine/collectors/snmp/usm.ts"

const ENGINE = Buffer.from("000000000000000000000002", "hex")

test("RFC 3414 A.3: keys of `maplesyrup` for MD5 and SHA", async () => {
  const md5 = await passwordKey("md5", "maplesyrup")
  assert.equal(md5.toString("hex"), "9faf3283884e92834ebc9847d8edd963")
  assert.equal(localise("md5", md5, ENGINE).toString("hex"), "526f5eed9fcce26f8964c2930787d82b")
  const sha = await passwordKey("sha", "maplesyrup")
  assert.equal(sha.toString("hex"), "9fb5cc0381497b3793528939ff788d5d79145211")
  assert.equal(localise("sha", sha, ENGINE).toString("hex"), "6695febc9288e36282235fc7151f128497b38f3f")
})

test("every key equals net-snmp's, for every digest and every way of stretching", async () => {
  type Library = {
    Authentication: { passwordToKey: (protocol: number, password: string, engine: Buffer) => Buffer }
    Encryption: {
      generateLocalizedKeyBlumenthal: (a: object, p: number, w: string, e: Buffer) => Buffer
      generateLocalizedKeyReeder: (a: object, p: number, w: string, e: Buffer) => Buffer
    }
  }
  const library = snmp as unknown as Library
  for (const auth of AUTH_PROTOCOLS) {
    const ku = await passwordKey(auth, "correct horse")
    const number = snmp.AuthProtocols[auth]
    const theirs = library.Authentication.passwordToKey(number, "correct horse", ENGINE)
    assert.deepEqual(localise(auth, ku, ENGINE), theirs, auth)
    const aes256 = { KEY_LENGTH: 32 }
    const blumenthal = library.Encryption.generateLocalizedKeyBlumenthal(aes256, number, "correct horse", ENGINE)
    assert.deepEqual(privKey(auth, "aes256b", ku, ENGINE), blumenthal, `${auth} Blumenthal`)
    const reeder = library.Encryption.generateLocalizedKeyReeder(aes256, number, "correct horse", ENGINE)
    assert.deepEqual(privKey(auth, "aes256r", ku, ENGINE), reeder, `${auth} Reeder`)
  }
})

test("what one key encrypts, it decrypts; DES may add padding and nothing else", () => {
  const key = Buffer.alloc(32, 7)
  fc.assert(
    fc.property(
      fc.constantFrom(...PRIV_PROTOCOLS),
      fc.uint8Array({ minLength: 1, maxLength: 300 }),
      (protocol, plain) => {
        const size = { des: 16, aes: 16, aes256b: 32, aes256r: 32 }[protocol]
        const priv = { protocol, key: key.subarray(0, size) }
        const { encrypted, salt } = encrypt(priv, 3, 1_000, plain)
        const back = decrypt(priv, 3, 1_000, salt, encrypted)
        assert.deepEqual(back?.subarray(0, plain.length), Buffer.from(plain))
        assert.ok((back?.length ?? 0) - plain.length < 8)
      },
    ),
  )
})

test("impossible sizes of ciphertext are null, not an exception", () => {
  const priv = { protocol: "des", key: Buffer.alloc(16) } as const
  assert.equal(decrypt(priv, 0, 0, Buffer.alloc(8), Buffer.alloc(9)), null)
  assert.equal(decrypt(priv, 0, 0, Buffer.alloc(7), Buffer.alloc(8)), null)
  assert.equal(decrypt(priv, 0, 0, Buffer.alloc(8), Buffer.alloc(0)), null)
})

test("one changed bit anywhere, or a shortened digest, fails verification", () => {
  fc.assert(
    fc.property(fc.constantFrom(...AUTH_PROTOCOLS), fc.nat(119 * 8), (protocol, bit) => {
      const auth = { protocol, key: Buffer.alloc(20, 1) }
      const size = AUTH[protocol].digestBytes
      const bytes = Buffer.alloc(120, 5)
      sign(auth, bytes, 40)
      assert.ok(verify(auth, bytes, 40, size))
      assert.ok(!verify(auth, bytes, 40, size - 1))
      bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7))
      assert.ok(!verify(auth, bytes, 40, size))
    }),
  )
})
