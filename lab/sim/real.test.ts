/** The simulator against a real engine over sockets, as a user types it, a few steps long. */
import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { resolve } from "node:path"
import { test } from "node:test"
import { NO_POSTGRES } from "#engine/storage/database.fixture.ts"

const run = async (...args: string[]): Promise<{ readonly code: number | null; readonly out: string }> => {
  const child = spawn(process.execPath, [resolve(import.meta.dirname, "../sim.ts"), "--real", ...args])
  let out = ""
  child.stdout.on("data", (chunk) => (out += chunk))
  child.stderr.on("data", (chunk) => (out += chunk))
  const [code] = (await once(child, "close")) as [number | null]
  return { code, out }
}

test(
  "[X1] after every fault of a seeded run the twin comes to agree with what the lab knows",
  { skip: NO_POSTGRES, timeout: 240_000 },
  async () => {
    const { code, out } = await run("--seed", "7", "--routers", "16", "--steps", "4")
    assert.equal(code, 0, out)
    assert.deepEqual(JSON.parse(out.trim().split("\n").at(-1) ?? ""), {
      case: "sim-real",
      seed: 7,
      routers: 16,
      steps: 4,
      agreed: 4,
    })
  },
)

test("a word that the simulator does not know is named", async () => {
  const { code, out } = await run("--sede", "7")
  assert.equal(code, 2)
  assert.match(out, /cannot read --sede 7/)
})
