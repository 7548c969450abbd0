/** [O3] What was compiled before is used again, and only if nobody else can have put it there. */
import assert from "node:assert/strict"
import { execFile } from "node:child_process"
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, test } from "node:test"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { COMPILED } from "#engine/compiled.ts"

const REPOSITORY = fileURLToPath(new URL("..", import.meta.url))
const root = mkdtempSync(join(tmpdir(), "heliograph-compiled-"))
after(() => rmSync(root, { recursive: true, force: true }))

/** In a process of its own: what Node compiles is kept for a whole process or not at all. */
const asked = async (call: string): Promise<unknown> => {
  const text = `import { beginCompiled, keepCompiled, useCompiled } from "#engine/compiled.ts"
    const is = ${call}
    await import("#engine/nearest.ts")
    keepCompiled()
    console.log(is)`
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", text], {
    cwd: REPOSITORY,
    env: { PATH: process.env["PATH"] },
  })
  return JSON.parse(stdout)
}
const filesIn = (place: string): number =>
  readdirSync(place, { recursive: true, withFileTypes: true }).filter((one) => one.isFile()).length

test("[O3] an engine makes the place for itself alone, and what it loads is there after a kill", async () => {
  const data = join(root, "new")
  assert.equal(await asked(`useCompiled(${JSON.stringify(data)})`), false)
  assert.equal(await asked(`beginCompiled(${JSON.stringify(data)})`), true)
  const place = join(data, COMPILED)
  assert.equal(statSync(place).mode & 0o777, 0o700)
  assert.equal(statSync(data).mode & 0o022, 0)
  assert.ok(filesIn(place) > 0)
  const before = filesIn(place)
  assert.equal(await asked(`useCompiled(${JSON.stringify(data)})`), true)
  assert.equal(filesIn(place), before)
})

test("[O3] where others may write nothing is run", async () => {
  const data = join(root, "open")
  const place = join(data, COMPILED)
  mkdirSync(place, { recursive: true })
  for (const [path, mode] of [
    [place, 0o770],
    [data, 0o777],
  ] as const) {
    chmodSync(data, 0o700)
    chmodSync(place, 0o700)
    chmodSync(path, mode)
    assert.equal(await asked(`useCompiled(${JSON.stringify(data)})`), false, path)
    assert.equal(await asked(`beginCompiled(${JSON.stringify(data)})`), false, path)
    assert.equal(filesIn(place), 0)
  }
})

test("[O3] a place that cannot be made is no reason not to start", async () => {
  const file = join(root, "a-file")
  writeFileSync(file, "")
  assert.equal(await asked(`beginCompiled(${JSON.stringify(join(file, "data"))})`), false)
})
