/** The command line and the state file, without root: whatever is asked wrongly is answered with words, never with a trace. */
import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { test } from "node:test"
import { REPOSITORY } from "#lab/drive/child.ts"
import { DEFAULT_RECEIVERS } from "#lab/frr/up.ts"
import { isOn, readState, startTicks, writeState } from "#lab/frr/state.ts"
import type { FrrState } from "#lab/frr/state.ts"

const frr = (...args: string[]): { readonly code: number | null; readonly text: string } => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["lab/cli.ts", "frr", ...args], {
    cwd: REPOSITORY,
    encoding: "utf8",
    env: { ...process.env, HELIOGRAPH_DATA_DIR: "/nonexistent" },
  })
  return { code: status, text: stdout + stderr }
}

test("help names every command; a wrong one, a wrong option and a missing word are refused with what to do", () => {
  const help = frr("--help")
  assert.equal(help.code, 0)
  for (const word of [
    "up",
    "down",
    "cut A B",
    "shut A B",
    "mend A B",
    "kill R",
    "revive R",
    "loss A B",
    "rate A B",
    "list",
    "links",
    "status",
    "import",
  ])
    assert.ok(help.text.includes(`  ${word}`), word)
  const wrong: ReadonlyArray<readonly [readonly string[], number, RegExp]> = [
    [["nope"], 2, /no command "nope"/],
    [["cut", "c1"], 1, /2 words are needed, not 1/],
    [["status", "--stat", "x"], 1, /no option --stat/],
    [["up", "--trap-target", "192.0.2.1:162"], 1, /--trap-target must be 172\.30\.0\.1:PORT/],
    [["status"], 1, /no real-router lab is known here/],
  ]
  for (const [args, code, words] of wrong) {
    const answer = frr(...args)
    assert.match(answer.text, words)
    assert.doesNotMatch(answer.text, /\n\s+at /)
    assert.equal(answer.code, code, args.join(" "))
  }
})

test("[S7] the state file, which holds credentials, is its owner's alone and comes back as it was", (t) => {
  const directory = mkdtempSync(join(tmpdir(), "heliograph-frr-"))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const file = join(directory, "deep", "frr.json")
  const state: FrrState = {
    version: 2,
    secrets: { community: "c", user: "u", authPassword: "a", privPassword: "p" },
    receivers: DEFAULT_RECEIVERS,
    isTied: false,
    power: { c1: { pid: 7, startTicks: "8" }, c2: null },
    hurts: [{ a: "c1", b: "c2", isCut: false, shutAt: "c1", lossPercent: 0, rateMbit: null }],
  }
  writeState(file, state)
  assert.deepEqual(readState(file), state)
  assert.equal(statSync(file).mode & 0o777, 0o600)
  assert.equal(readState(join(directory, "none.json")), null)
})

test("a pid that another process has now is not a router's", (t) => {
  const ticks = startTicks(process.pid)
  if (ticks === null) return t.skip("no /proc here; enable: run it on Linux")
  assert.equal(isOn({ pid: process.pid, startTicks: ticks }), true)
  assert.equal(isOn({ pid: process.pid, startTicks: `${ticks}0` }), false)
  assert.equal(isOn(null), false)
})
