/** [O3] Whatever ends an engine is said on standard error; that nobody listens ends none. */
import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { test } from "node:test"
import { fileURLToPath } from "node:url"

const REPOSITORY = fileURLToPath(new URL("..", import.meta.url))

/** A program of a few lines that ends as an engine might; its standard output is closed when `deaf`. */
const ended = async (program: string, isEngine = true, deaf = false): Promise<{ code: number | null; err: string }> => {
  const text = `import { tellLastWords } from "#engine/last-words.ts"\ntellLastWords(${isEngine})\n${program}`
  const child = spawn(process.execPath, ["--input-type=module", "--eval", text], {
    cwd: REPOSITORY,
    stdio: ["ignore", "pipe", "pipe"],
  })
  let err = ""
  child.stderr.on("data", (bytes: Buffer) => (err += bytes.toString()))
  if (deaf) child.stdout.destroy()
  else child.stdout.resume()
  const [code] = (await once(child, "close")) as [number | null]
  return { code, err }
}

test("[O3] a failure that nobody waited for names itself", async () => {
  const { code, err } = await ended(
    "Promise.reject(new Error('the lease was lost'))\nsetTimeout(() => undefined, 5000)",
  )
  assert.equal(code, 1)
  assert.match(err, /^the engine ends because of a failure that nobody waited for: the lease was lost$/m)
})

test("[O3] an error that nobody caught names itself, and its stack follows", async () => {
  const { code, err } = await ended("setImmediate(() => { throw new RangeError('no room') })")
  assert.equal(code, 1)
  assert.match(err, /^the engine ends because of an error that nobody caught: no room$/m)
  assert.match(err, /RangeError: no room\n {4}at /)
})

test("[O3] an engine that waits for what can never come says so instead of a number", async () => {
  const { code, err } = await ended("await new Promise(() => undefined)")
  assert.equal(code, 13)
  assert.match(err, /^the engine ends: it waits for something that can never come/m)
})

test("[O3] an orderly end, and one that was asked for, say nothing", async () => {
  assert.deepEqual(await ended("setTimeout(() => undefined, 10)"), { code: 0, err: "" })
  assert.deepEqual(await ended("process.exit(3)"), { code: 3, err: "" })
})

test("[O3] whoever read its words may go: the engine goes on, and says that", async () => {
  const chatter =
    "let n = 0\nconst timer = setInterval(() => { process.stdout.write('a line\\n'); if (++n === 20) clearInterval(timer) }, 10)"
  const program = `${chatter}\nprocess.on("exit", () => process.stderr.write("all lines said\\n"))`
  const engine = await ended(program, true, true)
  assert.equal(engine.code, 0)
  assert.match(engine.err, /^nobody reads standard output any more \(.*EPIPE.*\); the engine goes on$/m)
  assert.match(engine.err, /all lines said/)
  // Any other command ends with its reader, quietly.
  const command = await ended(`${chatter}\nsetInterval(() => undefined, 100)`, false, true)
  assert.deepEqual(command, { code: 0, err: "" })
})
