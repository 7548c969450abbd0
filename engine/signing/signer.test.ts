/** [S6] The signing key: made once, never silently made anew, and its signatures hold only for what was signed. */
import assert from "node:assert/strict"
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { test, type TestContext } from "node:test"
import * as Effect from "effect/Effect"
import fc from "fast-check"
import { anchorBytes, appendAnchors, readAnchors, type Anchor } from "#engine/signing/anchor-file.ts"
import { keyIdOf, openSigner, readPublicKeys, SigningKeyUnusable, verifySignature } from "#engine/signing/signer.ts"
import type { Signer } from "#engine/signing/signer.ts"

const directory = (t: TestContext): string => {
  const dir = mkdtempSync(join(tmpdir(), "heliograph-signer-"))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}
const open = (dir: string): Signer => Effect.runSync(openSigner(dir))
const refusal = (dir: string): SigningKeyUnusable => {
  const error = Effect.runSync(Effect.flip(openSigner(dir)))
  assert.ok(error instanceof SigningKeyUnusable)
  return error
}
const anchorOf = (signer: Signer, tenant: string, seq: number): Anchor => {
  const plain = { tenant, seq, hash: "0".repeat(64), atMs: seq }
  return { ...plain, ...signer.sign(anchorBytes(plain)) }
}

test("[S6] the key is made at first need, for its owner only, and stays", (t) => {
  const dir = directory(t)
  const first = open(dir)
  assert.equal(statSync(join(dir, "signing.key")).mode & 0o777, 0o600)
  const second = open(dir)
  assert.equal(second.keyId, first.keyId)
  assert.equal(second.publicKeyPem, readFileSync(join(dir, "signing.pub"), "utf8"))
  assert.equal(keyIdOf(first.publicKeyPem), first.keyId)
  assert.deepEqual(readdirSync(dir).sort(), ["signing.key", "signing.pub"])
})

test("[S6] a signature holds for its own bytes and key alone", (t) => {
  const [one, other] = [open(directory(t)), open(directory(t))]
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(), (bytes, place) => {
      const { signature } = one.sign(bytes)
      assert.ok(verifySignature(one.publicKeyPem, bytes, signature))
      assert.ok(!verifySignature(other.publicKeyPem, bytes, signature))
      assert.ok(!verifySignature(one.publicKeyPem, Buffer.concat([bytes, Buffer.of(0)]), signature))
      if (bytes.length === 0) return
      const altered = Uint8Array.from(bytes)
      altered[place % bytes.length]! ^= 1
      assert.ok(!verifySignature(one.publicKeyPem, altered, signature))
    }),
    { numRuns: 50 },
  )
})

test("[S6] nonsense in place of key or signature is no signature", (t) => {
  const signer = open(directory(t))
  const { signature } = signer.sign(Buffer.of(1))
  fc.assert(
    fc.property(fc.string(), (text) => {
      assert.ok(!verifySignature(signer.publicKeyPem, Buffer.of(1), text))
      assert.ok(!verifySignature(text, Buffer.of(1), signature))
    }),
  )
})

test("[S6] a lost key is named, not remade, once it has signed", (t) => {
  const dir = directory(t)
  const { keyId } = open(dir)
  rmSync(join(dir, "signing.key"))
  assert.equal(refusal(dir).reason, "missing")
  assert.match(refusal(dir).message, new RegExp(keyId))
  assert.ok(!existsSync(join(dir, "signing.key")))
})

test("[S6] anchors alone remember the key, when both its files are lost", (t) => {
  const dir = directory(t)
  appendAnchors(dir, [anchorOf(open(dir), "t", 1)])
  rmSync(join(dir, "signing.key"))
  rmSync(join(dir, "signing.pub"))
  assert.equal(refusal(dir).reason, "missing")
})

test("[S6] another key in its place is refused until signing.pub says that it was replaced on purpose", (t) => {
  const [dir, elsewhere] = [directory(t), directory(t)]
  const [old, young] = [open(dir), open(elsewhere)]
  writeFileSync(join(dir, "signing.key"), readFileSync(join(elsewhere, "signing.key")))
  const refused = refusal(dir)
  assert.equal(refused.reason, "other-key")
  assert.match(refused.message, new RegExp(`${young.keyId}.*${old.keyId}`))
  writeFileSync(join(dir, "signing.pub"), old.publicKeyPem + young.publicKeyPem)
  const both = open(dir)
  assert.equal(both.keyId, young.keyId)
  assert.deepEqual([...both.publicKeys.keys()].sort(), [old.keyId, young.keyId].sort())
})

test("[S6] a key that others may read, or that is none, is refused without a word of it", (t) => {
  const dir = directory(t)
  open(dir)
  const file = join(dir, "signing.key")
  chmodSync(file, 0o640)
  assert.equal(refusal(dir).reason, "readable-by-others")
  chmodSync(file, 0o600)
  writeFileSync(file, "-----BEGIN PRIVATE KEY-----\nCANARY\n-----END PRIVATE KEY-----\n")
  assert.equal(refusal(dir).reason, "malformed")
  assert.doesNotMatch(refusal(dir).message, /CANARY/)
})

test("[S6] a file of public keys gives its keys and nothing else", (t) => {
  const [one, two] = [open(directory(t)), open(directory(t))]
  const text = `# ours\n${one.publicKeyPem}\n-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n${two.publicKeyPem}`
  assert.deepEqual([...readPublicKeys(text).keys()], [one.keyId, two.keyId])
  assert.equal(readPublicKeys("").size, 0)
})

test("[S6] a line that a crash has cut costs that line, not the next one", (t) => {
  const dir = directory(t)
  const signer = open(dir)
  appendAnchors(dir, [anchorOf(signer, "a", 1)])
  const file = join(dir, "audit-anchors.jsonl")
  assert.equal(statSync(file).mode & 0o777, 0o600)
  writeFileSync(file, `${readFileSync(file, "utf8")}{"tenant":"a","se`)
  assert.deepEqual([readAnchors(dir).anchors.length, readAnchors(dir).unreadable], [1, 0])
  appendAnchors(dir, [anchorOf(signer, "a", 2)])
  assert.deepEqual(
    readAnchors(dir).anchors.map(({ seq }) => seq),
    [1, 2],
  )
  assert.equal(readAnchors(dir).unreadable, 1)
})

test("[S6] the file of anchors stays bounded and keeps each tenant's newest", (t) => {
  const dir = directory(t)
  const signer = open(dir)
  for (let seq = 1; seq <= 300; seq++)
    appendAnchors(dir, [anchorOf(signer, "a", seq), ...(seq === 1 ? [anchorOf(signer, "b", 1)] : [])], 20_000)
  assert.ok(statSync(join(dir, "audit-anchors.jsonl")).size <= 20_000)
  const { anchors } = readAnchors(dir)
  assert.equal(anchors.findLast(({ tenant }) => tenant === "a")?.seq, 300)
  assert.equal(anchors.filter(({ tenant }) => tenant === "b").length, 1)
  const seqs = anchors.filter(({ tenant }) => tenant === "a").map(({ seq }) => seq)
  assert.deepEqual(
    seqs,
    seqs.toSorted((x, y) => x - y),
  )
})
