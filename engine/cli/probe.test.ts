import assert from "node:assert/strict"
import { createServer } from "node:net"
import type { AddressInfo } from "node:net"
import { test } from "node:test"
import { main } from "#engine/cli.ts"

const running = async (...words: readonly string[]) => {
  const out: string[] = []
  const err: string[] = []
  const io = { env: {}, out: (line: string) => out.push(line), err: (line: string) => err.push(line) }
  const code = await main(["probe", ...words], io)
  return { code, out: out.join("\n"), err: err.join("\n") }
}

test("probe: 0 when it answered, 1 when it did not, as lines or as one JSON object", async (t) => {
  const server = createServer((socket) => socket.destroy()).listen(0, "127.0.0.1")
  t.after(() => new Promise((closed) => server.close(() => closed(undefined))))
  await new Promise((up) => server.once("listening", up))
  const port = String((server.address() as AddressInfo).port)
  const open = await running("tcp", "127.0.0.1", "--port", port)
  assert.deepEqual([open.code, open.err], [0, ""])
  assert.match(open.out, /^127\.0\.0\.1 port \d+: open, connected in [\d.]+ ms$/)
  const closed = await running("tcp", "127.0.0.1", "--port", "1", "--json")
  assert.equal(closed.code, 1)
  assert.deepEqual(JSON.parse(closed.out), {
    kind: "tcp",
    address: "127.0.0.1",
    port: 1,
    up: false,
    connectMs: null,
    error: "the port is closed",
  })
})

test("probe: wrong words end with 2 and say which", async () => {
  const wrong = async (why: RegExp, ...words: readonly string[]): Promise<void> => {
    const { code, out, err } = await running(...words)
    assert.deepEqual([code, out], [2, ""], words.join(" "))
    assert.match(err, why)
  }
  await wrong(/did you mean ping/, "pin", "127.0.0.1")
  await wrong(/TARGET is missing/, "ping")
  await wrong(/--count must be a whole number from 1 to 100/, "ping", "127.0.0.1", "--count", "1000000")
  await wrong(/--port must be/, "tcp", "127.0.0.1", "--port", "22; reboot")
  await wrong(/may not be probed/, "ping", "127.0.0.1", "--allow", "10.0.0.0/8,192.0.2.0/24")
  const help = await running("--help")
  assert.deepEqual([help.code, help.err], [0, ""])
})
