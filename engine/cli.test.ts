/** The command line's manners: help everywhere, exit codes, and mistakes answered with the right word. */
import assert from "node:assert/strict"
import { execFile } from "node:child_process"
import { test } from "node:test"
import { main } from "#engine/cli.ts"
import { COMMANDS } from "#engine/cli/registry.ts"
import { VERSION } from "#engine/version.ts"

const heliograph = async (
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<{ code: number; out: string; err: string }> => {
  const said = { out: "", err: "" }
  const code = await main(args, {
    env,
    out: (line) => (said.out += `${line}\n`),
    err: (line) => (said.err += `${line}\n`),
  })
  return { code, ...said }
}

test("--help everywhere: usage first, exit code 0, nothing on stderr", async () => {
  for (const command of COMMANDS) {
    const { code, out, err } = await heliograph([command.name, "--help"])
    assert.deepEqual([code, err], [0, ""])
    assert.ok(out.startsWith(`usage: heliograph ${command.name}`), out)
    assert.deepEqual(await heliograph(["help", command.name]), { code, out, err })
    assert.ok((await heliograph(["--help"])).out.includes(`  ${command.name} `))
  }
})

test("nothing, a wrong command, a wrong option and a missing word end with 2 and say what to do", async () => {
  assert.equal((await heliograph([])).code, 2)
  const wrong = await heliograph(["improt"])
  assert.deepEqual([wrong.code, wrong.out], [2, ""])
  assert.match(wrong.err, /"improt" is not a command; did you mean import\?/)
  assert.match(
    (await heliograph(["import", "--tennant", "x", "f"])).err,
    /heliograph import: Unknown option '--tennant'\nusage: heliograph import FILE/,
  )
  assert.match((await heliograph(["import"])).err, /FILE is missing/)
  assert.match((await heliograph(["config", "extra"])).err, /what is "extra"\?/)
  assert.match((await heliograph(["import", "/no/such/file.json"])).err, /\/no\/such\/file.json cannot be read/)
})

test("[O2] a bad setting stops every command and is named", async () => {
  for (const args of [["config"], ["status"], ["audit-rls"], ["import", "x"]]) {
    const { code, err } = await heliograph(args, { HELIOGRAPH_PORT: "eighty" })
    assert.equal(code, 2)
    assert.match(err, /HELIOGRAPH_PORT must be a whole number, 0 to 65535, not "eighty"/)
  }
})

test("config shows values and sources, and no secret", async () => {
  const { code, out } = await heliograph(["config"], {
    HELIOGRAPH_PORT: "9000",
    HELIOGRAPH_ADMIN_PASSWORD: "correct horse",
  })
  assert.equal(code, 0)
  assert.match(out, /^HELIOGRAPH_PORT=9000 {2}\[environment\]$/m)
  assert.match(out, /^HELIOGRAPH_POLL_SECONDS=10 s {2}\[default\]$/m)
  assert.match(out, /^HELIOGRAPH_ADMIN_PASSWORD=\(secret\) {2}\[environment\]$/m)
  assert.ok(!out.includes("correct horse"))
})

test("as a process: the version, and a closed pipe is no crash", async () => {
  const file = new URL("cli.ts", import.meta.url).pathname
  const version = await new Promise<string>((settle) =>
    execFile(process.execPath, [file, "--version"], (_, out) => settle(out.trim())),
  )
  assert.equal(version, VERSION)
  const { err } = await new Promise<{ err: string }>((settle) =>
    execFile("/bin/sh", ["-c", `"${process.execPath}" "${file}" config | true`], (_, __, stderr) =>
      settle({ err: stderr }),
    ),
  )
  assert.equal(err, "")
})
