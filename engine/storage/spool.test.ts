/** The spool file: durable order, a torn tail cut, damage never read as data. */
import assert from "node:assert/strict"
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { test, type TestContext } from "node:test"
import fc from "fast-check"
import { openSpool, type Spool } from "#engine/storage/spool.ts"

const spoolPath = (t: TestContext): string => {
  const dir = mkdtempSync(join(tmpdir(), "heliograph-spool-"))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  return join(dir, "spool.log")
}
const all = async (spool: Spool): Promise<readonly string[]> =>
  (await spool.peek(1e9)).map((record) => record.toString())

test("records come back in order, in pages, across a restart; taken ones do not; an empty spool is an empty file", async (t) => {
  const path = spoolPath(t)
  const first = await openSpool(path)
  await first.append([Buffer.from("a"), Buffer.from("bb")])
  await first.append([Buffer.alloc(0), Buffer.from("dddd")])
  assert.deepEqual((await first.peek(1)).map(String), ["a"])
  first.take(1)
  assert.deepEqual(await all(first), ["bb", "", "dddd"])
  await assert.rejects(first.clear())
  await first.close()
  const second = await openSpool(path)
  assert.deepEqual(await all(second), ["a", "bb", "", "dddd"])
  second.take(4)
  assert.equal(second.pending(), 0)
  await second.clear()
  assert.equal(statSync(path).size, 0)
  await second.append([Buffer.from("again")])
  assert.deepEqual(await all(second), ["again"])
  await second.close()
  assert.equal(statSync(path).mode & 0o777, 0o600)
})

test("cut anywhere or damaged anywhere, what is read is a prefix of what was written, and appending goes on after it", async (t) => {
  const path = spoolPath(t)
  const written = ["first", "second record", "", "the fourth", "end"]
  const spool = await openSpool(path)
  await spool.append(written.map((text) => Buffer.from(text)))
  await spool.close()
  const whole = readFileSync(path)
  await fc.assert(
    fc.asyncProperty(
      fc.nat(whole.length),
      fc.option(fc.tuple(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }))),
      async (cut, flip) => {
        const bytes = Buffer.from(whole)
        if (flip !== null) bytes[flip[0]]! ^= flip[1]
        writeFileSync(path, bytes)
        truncateSync(path, cut)
        const reopened = await openSpool(path)
        const kept = await all(reopened)
        assert.deepEqual(kept, written.slice(0, kept.length))
        await reopened.append([Buffer.from("next")])
        assert.deepEqual(await all(reopened), [...kept, "next"])
        await reopened.close()
      },
    ),
    { numRuns: 100 },
  )
})

test("garbage after the last record is cut off", async (t) => {
  const path = spoolPath(t)
  const spool = await openSpool(path)
  await spool.append([Buffer.from("good")])
  await spool.close()
  const size = statSync(path).size
  appendFileSync(path, Buffer.from([0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4]))
  const reopened = await openSpool(path)
  assert.deepEqual(await all(reopened), ["good"])
  assert.equal(statSync(path).size, size)
  await reopened.close()
})
