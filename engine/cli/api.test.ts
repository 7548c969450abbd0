/** `heliograph api` against a real engine's API: what it asks, what it prints, and what it never sends or says. */
import assert from "node:assert/strict"
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import test, { after, before, describe } from "node:test"
import { useInventoryServer } from "#engine/api/inventory.fixture.ts"
import { main } from "#engine/cli.ts"
import { NO_POSTGRES } from "#engine/storage/database.fixture.ts"
import { OPERATIONS } from "#protocol/rest-generated.ts"

const dir = mkdtempSync(join(tmpdir(), "heliograph-api-"))
after(() => rmSync(dir, { recursive: true, force: true }))
const file = (name: string, text: string, mode = 0o600): string => {
  const path = join(dir, name)
  writeFileSync(path, text)
  chmodSync(path, mode)
  return path
}
const heliograph = async (...args: readonly string[]) => {
  const said = { out: "", err: "" }
  const code = await main(["api", ...args], {
    env: {},
    out: (line) => (said.out += `${line}\n`),
    err: (line) => (said.err += `${line}\n`),
  })
  return { code, ...said }
}

test("wrong words end with 2, say what is right, and ask nobody", async () => {
  const key = file("key", "hgk_x\n")
  const cases: ReadonlyArray<readonly [readonly string[], RegExp]> = [
    [["network.device"], /network\.device needs id: give it with --param/],
    [["network.devises"], /did you mean network\.devices\?/],
    [["network.status", "--param", "x=1"], /it has none/],
    [["network.devices", "--param", "limit"], /is not of network\.devices; it has limit, cursor/],
    [["network.status", "--body", "x"], /takes no body/],
    [["inventory.createLink"], /takes a body/],
    [["inventory.createLink", "--body", file("bad.json", "{")], /is not JSON/],
    [["network.status", "--key-file", join(dir, "none")], /cannot be read/],
    [["network.status", "--key-file", file("open", "hgk_x", 0o644)], /may be read by others \(mode 644\)/],
    [["network.status", "--key-file", file("empty", "")], /holds no API key/],
    [["network.status", "--url", "ftp://x"], /--url must be like/],
    [["network.status", "--key-file", key, "--url", "http://192.0.2.1"], /unencrypted/],
  ]
  for (const [args, words] of cases) {
    const { code, out, err } = await heliograph(...args)
    assert.deepEqual([code, out], [2, ""], args.join(" "))
    assert.match(err, words)
    assert.ok(!err.includes("hgk_"))
  }
})

test("list names every operation with its summary", async () => {
  const { code, out } = await heliograph("list")
  assert.equal(code, 0)
  assert.deepEqual(
    out
      .trimEnd()
      .split("\n")
      .map((line) => line.split(" ", 1)[0]),
    Object.keys(OPERATIONS),
  )
})

test("a redirect is not followed, so that the key goes nowhere else; no answer is 1", async () => {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(request.url ?? "")
    response.writeHead(302, { location: "/elsewhere" }).end()
  })
  await new Promise<void>((settle) => server.listen(0, "127.0.0.1", settle))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const { code, err } = await heliograph("network.status", "--url", url, "--key-file", file("key2", "hgk_canary"))
  assert.equal(code, 1)
  assert.deepEqual(asked, ["/api/v1/status"])
  assert.ok(!err.includes("hgk_canary"))
  server.close()
  assert.equal((await heliograph("network.status", "--url", "http://127.0.0.1:1")).code, 1)
})

describe("on an engine's API", { skip: NO_POSTGRES }, () => {
  const server = useInventoryServer()
  let how: readonly string[]
  before(() => {
    const key = file("admin", `${server.as({ tenant: server.a, userId: "admin" })}\n`)
    how = ["--key-file", key, "--url", server.url]
  })

  test("[O13] a site and a device are declared, read and refused from a shell", async () => {
    const site = file("site.json", JSON.stringify({ name: "S\u009B31m", latitude: 1, longitude: 2 }))
    const put = await heliograph("inventory.putSite", "--param", "id=pop 1/a", "--body", site, ...how)
    assert.equal(put.code, 1, put.out)
    assert.match(put.err, /control character/)
    const good = file("good.json", JSON.stringify({ name: "São", latitude: 1, longitude: 2 }))
    const made = await heliograph("inventory.putSite", "--param", "id=pop 1/a", "--body", good, ...how)
    assert.deepEqual([made.code, JSON.parse(made.out).id], [0, "pop 1/a"])
    const device = {
      name: "r1",
      address: "192.0.2.1",
      site: "pop 1/a",
      roles: ["core"],
      pollSeconds: 30,
      pingSeconds: 0,
    }
    const body = file("device.json", JSON.stringify(device))
    const first = await heliograph("inventory.createDevice", "--param", "idempotency-key=one", "--body", body, ...how)
    assert.equal(first.code, 0, first.err)
    assert.deepEqual(
      await heliograph("inventory.createDevice", "--param", "idempotency-key=one", "--body", body, ...how),
      first,
    )
    const again = await heliograph("inventory.createDevice", "--body", body, ...how)
    assert.deepEqual([again.code, again.out, JSON.parse(again.err).status], [1, "", 409])
    const listed = await heliograph("network.devices", "--param", "limit=5", ...how)
    assert.equal(JSON.parse(listed.out).items[0].name, "r1")
    const { id } = JSON.parse(first.out) as { readonly id: string }
    assert.deepEqual(await heliograph("inventory.removeDevice", "--param", `id=${id}`, ...how), {
      code: 0,
      out: "",
      err: "",
    })
    assert.equal((await heliograph("network.status", "--url", server.url)).code, 1)
  })
})
