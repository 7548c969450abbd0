/** [S9] Whom a request comes from and whom it means, by its fields and its socket alone. */
import assert from "node:assert/strict"
import type { IncomingMessage } from "node:http"
import { Socket } from "node:net"
import { test } from "node:test"
import { TLSSocket } from "node:tls"
import fc from "fast-check"
import { isForeign, isForeignRead, isHttps, isOurHost, repeatedField, sourceAddress } from "#engine/http/origin.ts"

const request = (headers: Record<string, string>, peer = "127.0.0.1", tls = false): IncomingMessage => {
  const socket = tls ? new TLSSocket(new Socket()) : new Socket()
  Object.defineProperty(socket, "remoteAddress", { value: peer })
  return { headers, rawHeaders: Object.entries(headers).flat(), socket } as unknown as IncomingMessage
}
const PUBLIC = "https://noc.example.net"

test("[S9] X-Forwarded-For is believed of a near proxy only, and of it the last entry only", () => {
  const forwarded = { "x-forwarded-for": "6.6.6.6, 203.0.113.9" }
  for (const proxy of ["127.0.0.1", "::1", "::ffff:10.1.2.3", "172.18.0.2", "192.168.1.1", "100.64.0.9", "fd00::7"])
    assert.equal(sourceAddress(request(forwarded, proxy), PUBLIC), "203.0.113.9", proxy)
  // Somebody who reaches us past the proxy, an engine without a proxy, and one that ends TLS itself.
  assert.equal(sourceAddress(request(forwarded, "198.51.100.5"), PUBLIC), "198.51.100.5")
  assert.equal(sourceAddress(request(forwarded, "172.32.0.1"), PUBLIC), "172.32.0.1")
  assert.equal(sourceAddress(request(forwarded, "10.0.0.1"), null), "10.0.0.1")
  assert.equal(sourceAddress(request(forwarded, "10.0.0.1", true), PUBLIC), "10.0.0.1")
  assert.equal(sourceAddress(request({ "x-forwarded-for": " " }, "10.0.0.1"), PUBLIC), "10.0.0.1")
  assert.equal(sourceAddress(request({ "x-forwarded-for": "a".repeat(500) }), PUBLIC).length, 64)
})

test("[S9] an origin is ours when it is the public URL's, else when it is the host that was asked, with its scheme", () => {
  const foreign = (headers: Record<string, string>, url: string | null = null, tls = false): boolean =>
    isForeign(request(headers, "127.0.0.1", tls), url)
  assert.ok(!foreign({ host: "a:1" }), "programs name none")
  assert.ok(!foreign({ host: "a:1", origin: "http://a:1" }))
  assert.ok(!foreign({ host: "a:80", origin: "http://a" }))
  assert.ok(!foreign({ host: "a", origin: "https://a" }, null, true))
  assert.ok(foreign({ host: "a", origin: "http://a" }, null, true))
  assert.ok(foreign({ host: "a:1", origin: "http://a:2" }))
  assert.ok(foreign({ host: "a:1", origin: "null" }))
  assert.ok(foreign({ host: "noc.example.net", origin: "http://noc.example.net" }, PUBLIC))
  assert.ok(!foreign({ host: "10.0.0.1", origin: PUBLIC }, PUBLIC))
  for (const site of ["cross-site", "same-site"]) assert.ok(foreign({ host: "a", "sec-fetch-site": site }))
  assert.ok(!isForeignRead(request({ "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" })))
  assert.ok(isForeignRead(request({ "sec-fetch-site": "cross-site", "sec-fetch-mode": "cors" })))
})

test("[S9] whatever name with a dot is asked for, only the public URL's is ours", () => {
  fc.assert(
    fc.property(fc.domain(), fc.option(fc.nat(65_535)), (name, port) => {
      fc.pre(name !== "noc.example.net")
      const host = port === null ? name : `${name}:${port}`
      assert.ok(!isOurHost(host, PUBLIC), host)
      assert.ok(!isOurHost(host, null), host)
    }),
  )
  fc.assert(
    fc.property(fc.ipV4(), fc.ipV6(), (four, six) => isOurHost(four, null) && isOurHost(`[${six}]:8080`, PUBLIC)),
  )
  fc.assert(fc.property(fc.string(), (text) => typeof isOurHost(text, PUBLIC) === "boolean"))
  assert.ok(
    isOurHost("noc.example.net:443", PUBLIC) && isOurHost("localhost:8080", null) && !isOurHost(undefined, null),
  )
})

test("[S9] a field that means one thing and stands twice is named; others may repeat", () => {
  const twice = (name: string): string | null =>
    repeatedField({ rawHeaders: ["Accept", "a", name, "a", "accept", "b", name.toUpperCase(), "a"] } as IncomingMessage)
  for (const name of ["host", "origin", "authorization", "content-length", "if-match"]) assert.equal(twice(name), name)
  assert.equal(twice("x-anything"), null)
})

test("[S8] https is one thing everywhere: own TLS, or a public URL that says so", () => {
  assert.deepEqual(
    [{ publicUrl: null }, { publicUrl: "http://a" }, { publicUrl: PUBLIC }, { publicUrl: null, tls: true }].map(
      isHttps,
    ),
    [false, false, true, true],
  )
})
