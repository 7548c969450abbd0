import assert from "node:assert/strict"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { test } from "node:test"
import { readBytes, readText, WrongFile } from "#engine/cli/named-file.ts"

test("[O6] a file that a person names is read as it is, and one that cannot be read is named", () => {
  const folder = mkdtempSync(join(tmpdir(), "named-"))
  try {
    const file = join(folder, "more.jsonl")
    writeFileSync(file, Uint8Array.of(0xef, 0xbb, 0xbf, 0x7b, 0xff))
    assert.deepEqual([...readBytes(file)], [0xef, 0xbb, 0xbf, 0x7b, 0xff])
    writeFileSync(file, "{}\n")
    assert.equal(readText(file), "{}\n")
    const gone = join(folder, "gone.json")
    for (const read of [readBytes, readText])
      assert.throws(
        () => void read(gone),
        (error) => error instanceof WrongFile && error.message === `${gone} cannot be read`,
      )
  } finally {
    rmSync(folder, { recursive: true })
  }
})
