/** The spool file: durable order, a torn tail cut, damage never read as data. */
import assert from "node:assert/strict"
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { test, type TestContext } from "node:test"
import fc from "fast-check"
import { NODE_DISK, type Disk, type DiskFile } from "#engine/storage/disk.ts"
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
  await first.append([Buffer.from("c"), Buffer.from("dddd")])
  await assert.rejects(first.append([Buffer.from("e"), Buffer.alloc(0)]), RangeError)
  assert.deepEqual((await first.peek(1)).map(String), ["a"])
  first.take(1)
  assert.deepEqual(await all(first), ["bb", "c", "dddd"])
  await assert.rejects(first.clear())
  await first.close()
  const second = await openSpool(path)
  assert.deepEqual(await all(second), ["a", "bb", "c", "dddd"])
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
  const written = ["first", "second record", "3", "the fourth", "end"]
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

test("zeros after the last record, as a power cut leaves them, are no records", async (t) => {
  const path = spoolPath(t)
  const spool = await openSpool(path)
  await spool.append([Buffer.from("good")])
  await spool.close()
  const size = statSync(path).size
  appendFileSync(path, Buffer.alloc(24))
  const reopened = await openSpool(path)
  assert.deepEqual(await all(reopened), ["good"])
  assert.equal(statSync(path).size, size)
  await reopened.append([Buffer.from("next")])
  assert.deepEqual(await all(reopened), ["good", "next"])
  await reopened.close()
})

/** The process's disk, but one call of the file fails each time `fails` says so. */
const failing = (fails: (call: keyof DiskFile) => boolean): Disk => ({
  ...NODE_DISK,
  open: async (path) => {
    const file = await NODE_DISK.open(path)
    const guard = async (call: keyof DiskFile): Promise<void> => {
      if (fails(call)) throw new Error(`EIO: ${call}`)
    }
    return {
      ...file,
      truncate: (length) => guard("truncate").then(() => file.truncate(length)),
      datasync: () => guard("datasync").then(file.datasync),
    }
  },
})

test("what is appended after an emptying that failed, before or after the file was cut, is found at the next opening", async (t) => {
  for (const broken of ["truncate", "datasync"] as const) {
    const path = spoolPath(t)
    let isBroken = false
    const spool = await openSpool(
      path,
      failing((call) => isBroken && call === broken),
    )
    await spool.append([Buffer.from("taken one"), Buffer.from("taken two")])
    await spool.peek(1e9)
    spool.take(2)
    isBroken = true
    await assert.rejects(spool.clear(), /EIO/)
    isBroken = false
    assert.equal(spool.pending(), 0)
    await spool.append([Buffer.from("next")])
    assert.deepEqual(await all(spool), ["next"])
    await spool.close()
    const reopened = await openSpool(path)
    const found = await all(reopened)
    assert.deepEqual(found, broken === "truncate" ? ["taken one", "taken two", "next"] : ["next"], broken)
    await reopened.close()
  }
})

test("a new spool's name is on the disk before it is used", async (t) => {
  const path = spoolPath(t)
  const synced: string[] = []
  const disk: Disk = {
    ...NODE_DISK,
    syncFolder: async (folder) => {
      synced.push(folder)
      await NODE_DISK.syncFolder(folder)
    },
  }
  await (await openSpool(path, disk)).close()
  assert.deepEqual(synced, [join(path, "..")])
  await (await openSpool(path, disk)).close()
  assert.equal(synced.length, 1)
})
