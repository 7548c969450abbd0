/**
 * The same seed is the same run under another release of node: nothing of the twin, the codecs or the actors hangs on how an
 * engine sorts, hashes or schedules. Needs another node beside the one that runs the tests; it is looked for where
 * `npm install --prefix /tmp/n24 node@24` puts it.
 */
import assert from "node:assert/strict"
import { execFile, execFileSync } from "node:child_process"
import { existsSync } from "node:fs"
import { resolve } from "node:path"
import process from "node:process"
import { test } from "node:test"
import { promisify } from "node:util"

/** Strips types of its own accord, as we need it. */
const OLDEST = 24
const SEEDS = 4

/** Its path and version, or why there is none. */
const other = ((): { readonly path: string; readonly version: string } | string => {
  const path = process.env["OTHER_NODE"] ?? "/tmp/n24/node_modules/node/bin/node"
  const how = "set OTHER_NODE to a node 24 (npm install --prefix /tmp/n24 node@24 puts one where it is looked for)"
  if (!existsSync(path)) return `no other node at ${path}: ${how}`
  const version = execFileSync(path, ["--version"], { encoding: "utf8" }).trim()
  const major = Number(/^v(\d+)\./.exec(version)?.[1])
  if (!(major >= OLDEST)) return `${path} is ${version}, which does not run our sources: ${how}`
  return version === process.version ? `${path} is the same ${version}: ${how}` : { path, version }
})()

const hashes = async (node: string): Promise<unknown> => {
  const args = ["--seed", "4321", "--seeds", String(SEEDS), "--hours", "0.1"]
  const { stdout } = await promisify(execFile)(node, [resolve(import.meta.dirname, "../sim.ts"), ...args])
  const { traceHash, inputs, events, frames } = JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Record<
    string,
    unknown
  >
  return { traceHash, inputs, events, frames }
}

test(
  "[1] the same seeds are the same runs under another release of node",
  {
    timeout: 600_000,
    skip: typeof other === "string" ? other : false,
  },
  async (t) => {
    assert.ok(typeof other !== "string")
    const [here, there] = await Promise.all([hashes(process.execPath), hashes(other.path)])
    assert.deepEqual(there, here)
    t.diagnostic(`${process.version} and ${other.version}: ${JSON.stringify(here)}`)
  },
)
