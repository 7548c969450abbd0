/** [C23] [S8] `device test` on a RouterOS API over TLS: the certificate is named, and a pinned one must match before a word is said. */
import assert from "node:assert/strict"
import { X509Certificate } from "node:crypto"
import { test } from "node:test"
import { makeCertificate } from "#engine/collectors/routeros/certificate.fixture.ts"
import { startRouter, tables } from "#engine/collectors/routeros/router.fixture.ts"
import { testDevice } from "#engine/device-test/device-test.ts"
import { readCredentials, WrongOptions } from "#engine/device-test/options.ts"

const router = tables({ "/system/identity/print": [{ name: "edge-7" }], "/system/resource/print": [{ uptime: "1d" }] })

/** The words of the command line, as `heliograph device test 127.0.0.1 ...` reads them. */
const tested = (port: number, fingerprint: string | null) =>
  testDevice({
    address: "127.0.0.1",
    ...readCredentials(
      {
        routeros: "looker",
        "routeros-port": String(port),
        "routeros-tls": true,
        "password-env": "PASSWORD",
        ...(fingerprint === null ? {} : { "routeros-fingerprint": fingerprint }),
      },
      { PASSWORD: "s3cret-of-the-api" },
    ),
    deadlineMs: 4_000,
  })

test("[C23] without a pin the certificate is named; with it, in either case of letters, the device is read", async () => {
  const certificate = makeCertificate("edge-7")
  await using peer = await startRouter(router, certificate)
  const pin = new X509Certificate(certificate.cert).fingerprint256
  const first = await tested(peer.port, null)
  assert.equal(first.reachable.routeros, true, first.details.routeros)
  assert.ok(first.details.routeros.includes(pin), first.details.routeros)
  for (const spelling of [pin, pin.toLowerCase()]) {
    const again = await tested(peer.port, spelling)
    assert.equal(again.reachable.routeros, true, again.details.routeros)
    assert.equal(again.device.sysName, "edge-7")
  }
})

test("[S8] another certificate than the pinned one: told as such, and neither user nor password was sent", async () => {
  const pinned = new X509Certificate(makeCertificate("edge-7").cert).fingerprint256
  await using impostor = await startRouter(router, makeCertificate("edge-7"))
  const report = await tested(impostor.port, pinned)
  assert.equal(report.reachable.routeros, false)
  assert.match(report.details.routeros, /certificate/)
  assert.deepEqual(impostor.seen, [])
  assert.ok(!JSON.stringify(report).includes("s3cret-of-the-api"))
})

test("a fingerprint that is none, or without TLS, is refused before anything is tried", () => {
  const words = { routeros: "looker", "password-env": "PASSWORD", "routeros-tls": true }
  for (const options of [
    { ...words, "routeros-fingerprint": "AB:CD" },
    { ...words, "routeros-tls": false, "routeros-fingerprint": Array.from({ length: 32 }, () => "AB").join(":") },
  ])
    assert.throws(() => readCredentials(options, { PASSWORD: "x" }), WrongOptions)
})
