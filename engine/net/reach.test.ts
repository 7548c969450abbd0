/**
 * [S9] The SSRF table: what an aimed request reaches, in every spelling that has ever got past a guard, with names that
 * change their mind and servers that redirect. Everything ends at real sockets of a canary that must hear nothing.
 */
import assert from "node:assert/strict"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { networkInterfaces } from "node:os"
import { after, before, describe, test } from "node:test"
import fc from "fast-check"
import { silentLog } from "#engine/log.ts"
import { classOf, deviceReach, publicReach, reachableTargets, wrongDeviceAddress } from "#engine/net/reach.ts"
import { literal } from "#engine/probes/address.ts"
import { httpProbe } from "#engine/probes/http.ts"
import { ANYWHERE } from "#engine/probes/policy.ts"
import { pinUrl } from "#engine/probes/url.ts"

/** Hosts of URLs that must not be reached, each as written by an attacker. */
const REFUSED: readonly string[] = [
  // loopback, as text and as every number that WHATWG URL reads
  ["127.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.0.0.1", "0x7f.1", "017700000001", "0177.0.0.1"],
  [
    "0177.0.0.01",
    "127.0.0.01",
    "127.255.255.254",
    "127.0.0.1.",
    "1２7.0.0.1",
    "127。0。0。1",
    "①②⑦.⓪.⓪.①",
    "%31%32%37.0.0.1",
  ],
  ["[::1]", "[0:0:0:0:0:0:0:1]", "[0000::0001]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:ffff:7f00:0001]"],
  // unspecified, broadcast, multicast, reserved
  [
    "0.0.0.0",
    "0",
    "0x0",
    "00000000",
    "0.1.2.3",
    "[::]",
    "[::ffff:0.0.0.0]",
    "255.255.255.255",
    "224.0.0.1",
    "239.255.255.250",
  ],
  [
    "240.0.0.1",
    "[ff02::1]",
    "[ff0e::1]",
    "192.0.2.1",
    "198.51.100.7",
    "203.0.113.9",
    "198.18.0.1",
    "192.0.0.1",
    "[2001:db8::1]",
    "[100::1]",
  ],
  // metadata
  [
    "169.254.169.254",
    "2852039166",
    "0xa9fea9fe",
    "0251.0376.0251.0376",
    "169.254.43518",
    "[::ffff:169.254.169.254]",
    "[::ffff:a9fe:a9fe]",
  ],
  [
    "169.254.170.2",
    "169.254.0.1",
    "[fe80::1]",
    "[fe80::a9fe:a9fe]",
    "[fd00:ec2::254]",
    "[fd20:ce::254]",
    "100.100.100.200",
    "168.63.129.16",
  ],
  // private
  [
    "10.0.0.1",
    "167772161",
    "0x0a000001",
    "012.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "192.168.1",
    "3232235777",
  ],
  ["100.64.0.1", "100.127.255.255", "[fc00::1]", "[fd12:3456::1]", "[fec0::1]", "[::ffff:10.0.0.1]", "[::ffff:c0a8:1]"],
  // forms of IPv6 that carry an IPv4 address
  [
    "[64:ff9b::7f00:1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b::a9fe:a9fe]",
    "[64:ff9b:1::a00:1]",
    "[2002:7f00:1::]",
    "[2002:a9fe:a9fe::1]",
  ],
  ["[2002:a00:1::1]", "[2001:0:7f00:1::]", "[::127.0.0.1]", "[::a9fe:a9fe]", "[::ffff:0:127.0.0.1]", "[2001::1]"],
].flat()
/** What a name leads to, when it is asked. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  localhost: ["127.0.0.1", "::1"],
  "localtest.example": ["127.0.0.1"],
  "metadata.google.internal": ["169.254.169.254"],
  "one-of-two.example": ["93.184.216.34", "10.0.0.1"],
  "mapped.example": ["::ffff:127.0.0.1"],
  "nat64.example": ["64:ff9b::7f00:1"],
  "zone.example": ["fe80::1%eth0"],
  "nothing.example": [],
  "rubbish.example": ["not an address"],
}

describe("calls to the internet", () => {
  let heard = 0
  let port = 0
  const canary = createServer((request, response) => {
    heard += 1
    if (request.url === "/redirect") response.writeHead(302, { location: `http://127.0.0.1:${port}/secret` }).end()
    else response.end("secret")
  })
  before(async () => {
    await new Promise<void>((settle) => canary.listen(0, "127.0.0.1", settle))
    port = (canary.address() as AddressInfo).port
  })
  after(() => canary.close())

  /** Pins, and asks what was pinned: true = something was connected to. */
  const reaches = async (url: string, lookup: (name: string) => Promise<readonly string[]>): Promise<boolean> => {
    const pinned = await pinUrl(url, publicReach([]), lookup)
    if (!pinned.ok) return false
    await httpProbe({ ...pinned.ask, deadlineMs: 300, bodyMax: 100 })
    return true
  }
  const known = (name: string): Promise<readonly string[]> => Promise.resolve(NAMES[name] ?? [])

  test(`[S9] ${REFUSED.length + Object.keys(NAMES).length} spellings of what is near: none is reached`, async () => {
    assert.ok(REFUSED.length + Object.keys(NAMES).length >= 80)
    for (const host of [...REFUSED, ...Object.keys(NAMES)])
      for (const url of [`http://${host}:${port}/`, `http://${host}:${port}/latest/meta-data`])
        assert.equal(await reaches(url, known), false, url)
    assert.equal(heard, 0)
  })

  test("[S9] other schemes, users in the URL and hosts that hide behind them are refused", async () => {
    for (const url of [
      "file:///etc/passwd",
      "gopher://127.0.0.1:6379/_FLUSHALL",
      "ftp://10.0.0.1/",
      "dict://127.0.0.1:11211/",
      `http://example.com@127.0.0.1:${port}/`,
      `http://127.0.0.1:${port}#@example.com/`,
      `http://127.0.0.1:${port}\\@example.com/`,
      `http:127.0.0.1:${port}`,
      `http:///127.0.0.1:${port}/`,
      "//127.0.0.1/",
      "javascript:1",
      "",
    ])
      assert.equal(await reaches(url, known), false, url)
    assert.equal(heard, 0)
  })

  test("[S9] rebinding: a name is asked once, and the request goes to the address that was checked", async () => {
    let asked = 0
    const flipping = (): Promise<readonly string[]> => Promise.resolve([asked++ === 0 ? "93.184.216.34" : "127.0.0.1"])
    const pinned = await pinUrl(`http://flip.example:${port}/`, publicReach([]), flipping)
    assert.ok(pinned.ok)
    assert.deepEqual([pinned.ask.to.text, pinned.ask.host, asked], ["93.184.216.34", "flip.example", 1])
    assert.equal(await reaches(`http://flip.example:${port}/`, flipping), false, "the second time it lies at once")
    assert.equal(heard, 0)
  })

  test("[S9] a redirect is told, never followed", async () => {
    const pinned = await pinUrl(`http://127.0.0.1:${port}/redirect`, ANYWHERE, known)
    assert.ok(pinned.ok)
    const result = await httpProbe({ ...pinned.ask, deadlineMs: 2_000, bodyMax: 100 })
    assert.deepEqual([result.status, result.location, heard], [302, `http://127.0.0.1:${port}/secret`, 1])
  })

  test("[S9] public addresses pass; a range that an operator opened passes, metadata and transition forms never", async () => {
    const open = publicReach(["10.20.0.0/16", "169.254.0.0/16", "64:ff9b::/96", "100.64.0.0/10"])
    const allows = (text: string): boolean => open.allows(literal(text)!)
    for (const text of [
      "8.8.8.8",
      "93.184.216.34",
      "2606:4700::1111",
      "10.20.3.4",
      "100.64.1.1",
      "172.32.0.1",
      "11.0.0.1",
    ])
      assert.ok(allows(text), text)
    for (const text of ["10.21.0.1", "192.168.0.1", "100.100.100.200", "64:ff9b::7f00:1", "fd00:ec2::254"])
      assert.ok(!allows(text), text)
  })

  test("[S9] any IPv4 address has one class, also mapped into IPv6, and only public ones are reached", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffffffff }), (bits) => {
        const text = [24, 16, 8, 0].map((shift) => (bits >>> shift) & 255).join(".")
        const [plain, mapped] = [literal(text), literal(`::ffff:${text}`)]
        assert.deepEqual(plain, mapped)
        if (plain !== null && publicReach([]).allows(plain)) assert.equal(classOf(plain), "public")
        for (const [high, low] of [[bits >>> 16, bits & 0xffff]])
          for (const inside of [
            `64:ff9b::${high!.toString(16)}:${low!.toString(16)}`,
            `2002:${high!.toString(16)}:${low!.toString(16)}::1`,
          ]) {
            const one = literal(inside)
            assert.ok(one === null || (!publicReach([]).allows(one) && !deviceReach(true).allows(one)), inside)
          }
      }),
    )
  })
})

describe("devices", () => {
  const allows = (loopback: boolean, text: string): boolean => {
    const one = literal(text)
    return one !== null && deviceReach(loopback).allows(one)
  }

  test("[S9] private, carrier and public addresses are monitored; this machine and metadata are not", () => {
    for (const text of [
      "10.0.0.1",
      "172.16.5.5",
      "192.168.88.1",
      "100.64.3.2",
      "8.8.8.8",
      "192.0.2.1",
      "fd12::1",
      "2001:db8::5",
    ])
      assert.ok(allows(false, text), text)
    for (const text of [
      "127.0.0.1",
      "127.16.0.1",
      "::1",
      "::ffff:127.0.0.1",
      "169.254.169.254",
      "169.254.1.1",
      "fe80::1",
      "fd00:ec2::254",
      "64:ff9b::7f00:1",
      "2002:7f00:1::1",
      "0.0.0.0",
      "::",
    ])
      assert.ok(!allows(false, text), text)
  })

  test("[S9] the demo and laboratories may aim at 127/8, and at nothing else that is refused", () => {
    for (const text of ["127.0.0.1", "127.16.0.1", "::1"]) assert.ok(allows(true, text), text)
    for (const text of ["169.254.169.254", "fe80::1", "fd00:ec2::254", "64:ff9b::7f00:1"])
      assert.ok(!allows(true, text), text)
  })

  test("[S9] no address of this machine is a device, whatever interface has it", () => {
    for (const list of Object.values(networkInterfaces()))
      for (const { address } of list ?? []) assert.ok(!allows(false, address.split("%")[0]!), address)
  })

  test("[S9] whoever declares a device hears the same rule in words", () => {
    const byte = fc.integer({ min: 0, max: 255 })
    const near = fc.constantFrom("127.0.0.1", "169.254.7.7", "::1", "fe80::2", "64:ff9b::1", "fd00:ec2::254", "2001::1")
    const any = fc.oneof(
      near,
      fc.ipV6(),
      fc.tuple(byte, byte, byte, byte).map((four) => four.join(".")),
    )
    fc.assert(
      fc.property(any, fc.boolean(), (text, loopback) => {
        const one = literal(text)
        const words = wrongDeviceAddress(loopback)(text)
        assert.equal(words === null, one === null || deviceReach(loopback).allows(one), `${text}: ${words}`)
        if (words !== null) assert.ok(words.startsWith(JSON.stringify(text)), words)
      }),
      { numRuns: 2_000 },
    )
    assert.match(wrongDeviceAddress(false)("127.0.0.1") ?? "", /this machine's own.*no device is polled/)
    assert.match(wrongDeviceAddress(true)("169.254.1.1") ?? "", /link-local/)
    assert.equal(wrongDeviceAddress(false)("core1.example.net"), null, "judged by whoever reads documents")
  })

  test("[S9] a tenant's targets are cut to what may be reached, and the operator hears of it", () => {
    const told: unknown[] = []
    const log = { ...silentLog, warn: (_: string, fields?: unknown) => void told.push(fields) }
    const targets = ["10.0.0.1", "127.0.0.1", "169.254.169.254", "nonsense"].map((address) => ({ address }))
    assert.deepEqual(reachableTargets(targets, deviceReach(false), log), [{ address: "10.0.0.1" }])
    assert.deepEqual(told, [{ devices: 3, setting: "HELIOGRAPH_LOOPBACK_TARGETS" }])
    assert.equal(reachableTargets(targets.slice(0, 1), deviceReach(false), log).length, 1)
    assert.equal(told.length, 1)
  })
})
