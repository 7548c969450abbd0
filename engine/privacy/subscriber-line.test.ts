/** [S11] What is withheld of a line, and that nothing of a subscriber is left in it, whatever they are called. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { CORPUS } from "#engine/collectors/syslog/corpus.fixture.ts"
import { eventOf } from "#engine/collectors/syslog/event.ts"
import { parseSyslog } from "#engine/collectors/syslog/header.ts"
import { discreet } from "#engine/privacy/discreet.ts"
import {
  isSubscriberInterface,
  nobody,
  tellsOfSubscribers,
  withholdIn,
  withholdLine,
  type Naming,
} from "#engine/privacy/subscriber-line.ts"
import { deviceId } from "#protocol/id.ts"
import type { SyslogInput } from "#twin/input.ts"

const inputOf = (line: string): SyslogInput => {
  const parsed = parseSyslog(Buffer.from(line))
  assert.ok(parsed !== null)
  return { kind: "syslog", device: deviceId("d"), atMs: 1, ...parsed, event: eventOf(parsed), count: 1 }
}
const kept = (line: string, naming: Naming = nobody): SyslogInput => discreet(inputOf(line), naming) as SyslogInput

/** Sentences of access servers about the subscriber U with MAC M at address I. */
const SENTENCES = [
  "pppoe,ppp,info <pppoe-U>: connected",
  "pppoe,ppp,info <pppoe-U>: terminating... - peer is not responding",
  "<134>Aug 15 10:28:00 bng pppoe,ppp,info <pppoe-U>: disconnected",
  "<134>Aug 15 10:28:00 bng <pppoe-U>: disconnected",
  "pppoe,ppp,info,account U logged in, I from M",
  "<30>Oct  2 16:51:21 bng U logged out, 3600 1024 2048 10 20 from M",
  "pppoe,ppp,error <0010>: user U authentication failed - radius timeout",
  "<30>Oct  2 16:51:21 bng <0010>: user U authentication failed",
  "pppoe,info PPPoE connection established from M",
  "<30>Oct  2 16:51:21 bng PPPoE connection established from M",
  "dhcp,info dhcp1 assigned I to M",
  "dhcp,info dhcp1 assigned I for M U",
  "<30>Oct  2 16:51:21 bng dhcp1 deassigned I from M",
  "hotspot,account,info,debug U (I): logged in",
  "wireless,info M@wlan1: connected, signal strength -70",
  "firewall,info forward: in:<pppoe-U> out:ether1, src-mac M, proto TCP (SYN), I:51000->198.51.100.7:443, len 52",
  "radius,debug received Access-Accept for U",
  "web-proxy,account I GET http://example.org/U",
  "l2tp,ppp,info <l2tp-U>: authenticated",
  "<14>Nov 20 10:00:00 bng accel-pppd[812]: ppp0: U: authentication succeeded",
  "<14>Nov 20 10:00:00 bng pppd[812]: peer from calling number M authorized, user U",
  '<13>1 2026-11-20T10:00:00Z bng kea-dhcp4 211 - [x user="U"] DHCPACK on I to M via eth1',
  "<14>Nov 20 10:00:00 bng dhcpd: DHCPACK on I to M (U) via eth1",
  "<189>39: %PPPOE-6-SESSION: session of U from M up",
  "<189>40: %DHCPD-6-LEASE: lease I to M (U)",
  "script,info note <pppoe-U> M",
  "CEF:0|MikroTik|RB4011|7.20|44|pppoe,ppp,info|Low|dvchost=bng suser=U msg=<pppoe-U>: connected src=I",
  "interface,info <pppoe-U> link up",
  "system,info,account M",
]
/** Names that cannot be part of a word that we know. */
const users = fc.oneof(
  fc.constantFrom(
    "canary7391",
    "joão.silva@isp",
    "11122233344",
    "Zé da Banda",
    "cust/A007",
    "ca-na:ry",
    "o'canary",
    "x=canary",
  ),
  fc
    .string({ unit: fc.constantFrom(..."qzxQZX479_@."), minLength: 5, maxLength: 40 })
    .filter((text) => /[qzx]{2}/i.test(text)),
)
const macs = fc
  .tuple(fc.array(fc.nat(255), { minLength: 6, maxLength: 6 }), fc.constantFrom(":", "-", "."), fc.boolean())
  .map(([octets, mark, upper]) => {
    const hex = octets.map((octet) => octet.toString(16).padStart(2, "0"))
    const text = mark === "." ? [0, 2, 4].map((at) => hex[at]! + hex[at + 1]!).join(".") : hex.join(mark)
    return upper ? text.toUpperCase() : text
  })
const addresses = fc.oneof(
  fc.tuple(fc.nat(63), fc.nat(255), fc.nat(255)).map(([b, c, d]) => `100.${64 + b}.${c}.${d}`),
  fc.constantFrom("2001:db8:77::99", "fe80::a00:27ff:fe4e:66a1"),
)

test("[S11] no name, MAC or address of a subscriber is left of any sentence we know", () => {
  fc.assert(
    fc.property(fc.constantFrom(...SENTENCES), users, macs, addresses, (sentence, user, mac, address) => {
      const line = sentence.replace(/\b[UMI]\b/g, (it) => ({ U: user, M: mac, I: address })[it] ?? it)
      const text = JSON.stringify(kept(line)).toLowerCase()
      for (const identity of [user, mac, address]) {
        if (!line.includes(identity)) continue
        assert.ok(!text.includes(JSON.stringify(identity).slice(1, -1).toLowerCase()), `${identity} in ${text}`)
      }
      for (const part of user.split(/[\s@/:=']+/)) if (part.length > 4) assert.ok(!text.includes(part.toLowerCase()))
    }),
    { numRuns: 3_000 },
  )
})

test("[S11] what happened is still told", () => {
  const said = (line: string): string => kept(line).message
  assert.equal(said("pppoe,ppp,info <pppoe-maria>: connected"), "<pppoe-<subscriber>>: connected")
  assert.equal(
    said("pppoe,ppp,error <0010>: user maria authentication failed - radius timeout"),
    "<subscriber> user <subscriber> authentication failed - radius timeout",
  )
  assert.equal(
    said("pppoe,ppp,info,account maria logged in, 10.20.0.10 from 18:FD:74:22:23:B7"),
    "<subscriber> logged in, <subscriber> from <subscriber>",
  )
  assert.deepEqual(kept("pppoe,ppp,error <0010>: user maria authentication failed").event, {
    type: "auth-failed",
    user: "<subscriber>",
    from: "",
  })
  assert.equal(kept("pppoe,ppp,info <pppoe-maria>: connected").event, null)
  assert.deepEqual(kept("pppoe,ppp,info pppoe-out1: disconnected").event, {
    type: "interface",
    ifName: "pppoe-out1",
    up: false,
  })
})

test("[S11] lines about the network pass as they are, administrators' logins too", () => {
  const subscribers = /ppp|dhcp|wireless|logged (in|out),|authentication failed/
  let untouched = 0
  for (const [line] of CORPUS) {
    if (subscribers.test(line)) continue
    const input = inputOf(line)
    assert.equal(discreet(input, nobody), input, line)
    untouched += 1
  }
  assert.ok(untouched > 60)
})

test("[S11] pseudonyms tell subscribers apart, each identity on its own", () => {
  const asked: string[] = []
  const naming: Naming = (identity) => `~${asked.push(identity)}`
  assert.equal(
    kept("pppoe,ppp,info,account Zé da Banda logged in, 10.20.0.10 from 18:FD:74:22:23:B7", naming).message,
    "~1 logged in, ~2 from ~3",
  )
  assert.equal(kept("pppoe,ppp,info <pppoe-Zé da Banda>: connected", naming).message, "<pppoe-~4>: connected")
  assert.equal(kept("wireless,info 18:FD:74:22:23:B7@wlan1: connected", naming).message, "~5: connected")
  assert.deepEqual(asked, ["Zé da Banda", "10.20.0.10", "18:fd:74:22:23:b7", "Zé da Banda", "18:fd:74:22:23:b7"])
})

test("[S11] a session's interface is known by RouterOS' name for it", () => {
  for (const name of ["<pppoe-maria>", "<l2tp-a b>", "<PPPOE-x>#12", "<ovpn-1>"]) assert.ok(isSubscriberInterface(name))
  for (const name of ["pppoe-out1", "ether1", "<loop>", "sfp <pppoe-x>"]) assert.ok(!isSubscriberInterface(name))
  assert.equal(withholdIn("to <pppoe-maria> via ether1", nobody), "to <pppoe-<subscriber>> via ether1")
})

test("[S11] a hostile line costs no more than its length", () => {
  const long = [
    ",".repeat(8_000),
    "<pppoe-".repeat(1_100),
    "aa:".repeat(2_700),
    "user ".repeat(1_600),
    ":".repeat(8_000),
  ]
  const from = process.threadCpuUsage()
  for (let round = 0; round < 20; round++)
    for (const text of long) {
      for (const line of [`${text}a`, `x ${text} logged in, `, `ppp ${text}`]) {
        tellsOfSubscribers(["ppp"], line, line)
        withholdLine(line, nobody)
        withholdIn(line, nobody)
      }
    }
  const { user, system } = process.threadCpuUsage(from)
  const perLineMs = (user + system) / 1_000 / (20 * long.length * 3)
  assert.ok(perLineMs < 20, `${perLineMs} ms of CPU a line`)
})
