/** The runner itself: what fails is named last, and a test file that never ends does not hold up all others for ever. */
import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import process from "node:process"
import { test } from "node:test"

const runner = (
  files: Readonly<Record<string, string>>,
  more: Readonly<Record<string, string>> = {},
): { code: number | null; out: string } => {
  const dir = mkdtempSync(join(tmpdir(), "heliograph-runner-"))
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text)
    const names = Object.keys(files).map((name) => join(dir, name))
    // Inside node's test runner, node would refuse to start another one.
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    const run = spawnSync(process.execPath, [resolve(import.meta.dirname, "test.ts"), ...names], {
      encoding: "utf8",
      env: { ...env, TEST_FILE_TIMEOUT_MS: "4000", ...more },
    })
    return { code: run.status, out: run.stdout + run.stderr }
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

const FINE = 'import { test } from "node:test"\ntest("fine", () => {})\n'

test("all green is 0, and one failure is 1 and named in the last lines", () => {
  assert.equal(runner({ "fine.test.ts": FINE }).code, 0)
  const red = 'import { test } from "node:test"\ntest("wrong", () => { throw new Error("on purpose") })\n'
  const { code, out } = runner({ "fine.test.ts": FINE, "red.test.ts": red })
  assert.equal(code, 1)
  const last = out.trimEnd().split("\n").slice(-2)
  assert.match(last[0]!, /^failed: .*red\.test\.ts: wrong$/)
  assert.match(last[1]!, /^1 passed, 1 failed, 0 skipped$/)
})

test("what a property draws hangs on TEST_SEED alone", () => {
  const fastCheck = import.meta.resolve("fast-check")
  const draws = `import { test } from "node:test"
    import fc from ${JSON.stringify(fastCheck)}
    test("draws", () => { throw new Error("drew " + JSON.stringify(fc.sample(fc.nat(), 3))) })`
  const drawn = (seed: string): string =>
    /drew (\[[\d,]+\])/.exec(runner({ "draws.test.ts": draws }, { TEST_SEED: seed }).out)![1]!
  assert.equal(drawn("7"), drawn("7"))
  assert.notEqual(drawn("7"), drawn("8"))
})

test(
  "a file that something keeps alive is killed and counts as failed",
  { skip: existsSync(`/proc/self/task/${process.pid}/children`) ? false : "no /proc/PID/task/TID/children here" },
  () => {
    // Like a child process that a failed test did not stop: the runner's own SIGTERM does not end it.
    const hangs = `${FINE}setInterval(() => {}, 1000)\nprocess.on("SIGTERM", () => {})\n`
    const { code, out } = runner({ "hangs.test.ts": hangs })
    assert.equal(code, 1)
    assert.match(out, /killed: process \d+ had not ended after 4 s/)
    assert.match(out, /failed: .*hangs\.test\.ts/)
  },
)
