/** V8's flags come and go with versions of Node: each must be known to the one that runs, and change what it says. */
import assert from "node:assert/strict"
import { execFileSync, spawnSync } from "node:child_process"
import process from "node:process"
import { test } from "node:test"
import { GARBAGE_FLAGS } from "#engine/garbage.ts"

const run = (...args: readonly string[]) => spawnSync(process.execPath, args, { encoding: "utf8" })

test("this node knows every flag, and would refuse one that it does not know", () => {
  for (const flag of GARBAGE_FLAGS) assert.deepEqual([flag, run(flag, "-e", "").status], [flag, 0])
  assert.equal(run("--no-such-flag-of-v8", "-e", "").status, 9)
})

test("none of them is the default already", () => {
  const known = execFileSync(process.execPath, ["--v8-options"], { encoding: "utf8" })
  for (const flag of GARBAGE_FLAGS) {
    const name = flag.replace(/^--(no-)?/, "").replace(/=.*/, "")
    const setting = new RegExp(`\\n +--${name} .*\\n.*default: (.*)`).exec(known)?.[1]
    assert.ok(setting !== undefined, name)
    assert.notEqual(setting, flag)
  }
})

test("short-lived buffers beside a large heap: no collection is forced by them alone", () => {
  const work = `
    let forced = 0
    const { PerformanceObserver, constants } = require("node:perf_hooks")
    const seen = new PerformanceObserver((list) => {
      for (const { detail } of list.getEntries()) if (detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR) forced++
    })
    seen.observe({ entryTypes: ["gc"] })
    for (const flag of JSON.parse(process.argv[1])) require("node:v8").setFlagsFromString(flag)
    const live = Array.from({ length: 600_000 }, (_, i) => ({ i, text: "port" + i, more: { i } }))
    const keep = []
    for (let i = 0; i < 60_000; i++) keep[i % 20_000] = new Uint8Array(8_000)
    setTimeout(() => process.stdout.write(String(forced * (live.length / 600_000))), 50)`
  const majors = (flags: readonly string[]): number =>
    Number(execFileSync(process.execPath, ["-e", work, JSON.stringify(flags)], { encoding: "utf8" }))
  const [without, eased] = [majors([]), majors(GARBAGE_FLAGS)]
  assert.ok(eased < without, `${eased} collections with, ${without} without`)
})
