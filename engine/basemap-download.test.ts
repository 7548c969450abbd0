/** basemap-download.ts against a real server: fetched once, checked, and never left half. */
import assert from "node:assert/strict"
import { once } from "node:events"
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { test } from "node:test"
import * as Effect from "effect/Effect"
import { downloadBasemap } from "#engine/basemap-download.ts"

test("an archive is fetched once; anything else is refused by name and leaves no file", async (t) => {
  const dir = mkdtempSync(join(tmpdir(), "heliograph-basemap-"))
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(request.url ?? "")
    if (request.url === "/good") response.end(`PMTiles${"x".repeat(200_000)}`)
    else if (request.url === "/html") response.end("<html>")
    else if (request.url === "/cut")
      response.writeHead(200, { "content-length": 100 }).write("PMTiles", () => response.destroy())
    else response.writeHead(404).end()
  })
  t.after(() => {
    server.close()
    rmSync(dir, { recursive: true })
  })
  await once(server.listen(0, "127.0.0.1"), "listening")
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const path = await Effect.runPromise(downloadBasemap(`${url}/good`, dir))
  assert.equal(readFileSync(path).length, 200_007)
  assert.equal(await Effect.runPromise(downloadBasemap(`${url}/good`, dir)), path)
  assert.deepEqual(asked, ["/good"])
  for (const [name, expected] of [
    ["html", /not a PMTiles archive/],
    ["none", /answered 404/],
    ["cut", /HELIOGRAPH_BASEMAP_URL/],
  ] as const)
    assert.match((await Effect.runPromise(Effect.flip(downloadBasemap(`${url}/${name}`, dir)))).message, expected)
  assert.equal(readdirSync(dir).length, 1)
})
