/** The headers that every answer has, whoever asks. */
import assert from "node:assert/strict"
import { createServer, request } from "node:http"
import type { AddressInfo } from "node:net"
import { test } from "node:test"
import { setSecurityHeaders, type Hsts } from "#engine/http/answer.ts"
import { loadConfig } from "#engine/config.ts"

const headersWith = async (hsts: Hsts) => {
  const server = createServer((_, response) => {
    setSecurityHeaders(response, hsts)
    response.end()
  })
  await new Promise<void>((settle) => server.listen(0, "127.0.0.1", settle))
  const { port } = server.address() as AddressInfo
  const headers = await new Promise<NodeJS.Dict<string | string[]>>((settle, reject) =>
    request({ port, host: "127.0.0.1" }, (response) => {
      response.resume()
      settle(response.headers)
    })
      .on("error", reject)
      .end(),
  )
  server.close()
  return headers
}

test("[S8] HSTS of a year over https only, for the hosts under this name only by choice", async () => {
  const sent = async (hsts: Hsts) => (await headersWith(hsts))["strict-transport-security"]
  assert.equal(await sent(null), undefined)
  assert.equal(await sent("host"), "max-age=31536000")
  assert.equal(await sent("subdomains"), "max-age=31536000; includeSubDomains")
})

test("[S8] HELIOGRAPH_HSTS is this host's by default, and takes two words", () => {
  const hsts = (env: NodeJS.ProcessEnv): string => {
    const loaded = loadConfig({ env })
    return loaded._tag === "Config" ? loaded.config.hsts : "refused"
  }
  assert.equal(hsts({}), "host")
  assert.equal(hsts({ HELIOGRAPH_HSTS: "subdomains" }), "subdomains")
  assert.equal(hsts({ HELIOGRAPH_HSTS: "preload" }), "refused")
})
