import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import test from "node:test"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import snmp from "net-snmp"
import type { TrapInput } from "#twin/input.ts"
import type { SnmpCredential } from "#engine/collectors/target.ts"
import { decodeMessage, PDU } from "#engine/collectors/snmp/ber.ts"
import { encodeMessage } from "#engine/collectors/snmp/encode.ts"
import { oid } from "#engine/collectors/snmp/oid.ts"
import { TAG } from "#engine/collectors/snmp/varbinds.ts"
import type { TrapDrop, TrapOptions } from "#engine/collectors/trap.ts"
import { makeTrapStats, TrapListenFailed, trapListener, WAITING_MAX } from "#engine/collectors/trap.ts"
import { assertBalanced, DEVICE, hex, linkDown, open, V2C, V3 } from "#engine/collectors/trap/listener-bench.fixture.ts"

test("a v2c linkDown becomes a TrapInput with ifIndex and ifAdminStatus", async (t) => {
  const bench = await open(t, V2C)
  await bench.send(linkDown())
  const [trap] = bench.traps
  assert.ok(trap !== undefined)
  const { atMs, raw, ...rest } = trap
  assert.ok(Number.isInteger(atMs))
  assert.deepEqual(rest, {
    kind: "trap",
    device: DEVICE,
    trap: "linkDown",
    oid: "1.3.6.1.6.3.1.1.5.3",
    ifIndex: 7,
    ifName: null,
    adminUp: true,
    remote: null,
    state: null,
  })
  assert.ok(raw.includes("1.3.6.1.2.1.2.2.1.8.7=2") && !raw.includes("s3cret"))
  assertBalanced(bench)
})

test("net-snmp's traps are understood: v1, v2c, with names of interfaces (independent sender)", async (t) => {
  const bench = await open(t, V2C)
  const varbinds = [
    { oid: "1.3.6.1.2.1.2.2.1.1.4", type: snmp.ObjectType.Integer, value: 4 },
    { oid: "1.3.6.1.2.1.31.1.1.1.1.4", type: snmp.ObjectType.OctetString, value: "sfp\u001b1" },
    { oid: "1.3.6.1.2.1.2.2.1.7.4", type: snmp.ObjectType.Integer, value: 2 },
  ]
  for (const version of [snmp.Version1, snmp.Version2c]) {
    const session = snmp.createSession("127.0.0.1", "s3cret", { trapPort: bench.port, version } as snmp.SessionOptions)
    t.after(() => session.close())
    for (const type of [snmp.TrapType.LinkUp, snmp.TrapType.ColdStart]) session.trap(type, varbinds, () => undefined)
    session.trap("1.3.6.1.4.1.14988.1.9", varbinds, () => undefined)
  }
  await bench.until(() => bench.traps.length === 6)
  const seen = bench.traps.map(({ trap, ifIndex, ifName, adminUp, oid }) => [trap, ifIndex, ifName, adminUp, oid])
  const link = ["linkUp", 4, "sfp 1", false, "1.3.6.1.6.3.1.1.5.4"]
  const cold = ["coldStart", null, null, null, "1.3.6.1.6.3.1.1.5.1"]
  for (const wanted of [link, cold])
    assert.equal(seen.filter((one) => JSON.stringify(one) === JSON.stringify(wanted)).length, 2)
  assert.equal(seen.filter(([trap]) => trap === "other").length, 2)
  assertBalanced(bench)
})

const notification = (name: string, ...varbinds: Parameters<typeof encodeMessage>[5]): Buffer =>
  encodeMessage(Buffer.from("s3cret"), PDU.trapV2, 1, 0, 0, [
    { oid: oid("1.3.6.1.2.1.1.3.0"), tag: TAG.timeTicks, value: 1 },
    { oid: oid("1.3.6.1.6.3.1.1.4.1.0"), tag: TAG.oid, value: name },
    ...varbinds,
  ])

test("OSPF and BGP notifications name the neighbour and its state, also by the index alone and in the older numbering", async (t) => {
  const bench = await open(t, V2C)
  const ospf = "1.3.6.1.2.1.14.16.2.2"
  const state = { oid: oid("1.3.6.1.2.1.15.3.1.2.10.0.0.9"), tag: TAG.integer, value: 1 }
  await bench.send(
    notification(
      ospf,
      { oid: oid("1.3.6.1.2.1.14.10.1.3.10.1.1.2.0"), tag: TAG.ipAddress, value: "10.255.0.2" },
      { oid: oid("1.3.6.1.2.1.14.10.1.6.10.1.1.2.0"), tag: TAG.integer, value: 8 },
    ),
    notification(ospf, { oid: oid("1.3.6.1.2.1.14.10.1.1.10.1.1.2.0"), tag: TAG.ipAddress, value: "10.1.1.2" }),
    notification("1.3.6.1.2.1.15.0.2", state),
    notification("1.3.6.1.2.1.15.7.1", state),
    notification("1.3.6.1.6.3.1.1.5.5"),
  )
  assert.deepEqual(
    bench.traps.map(({ trap, remote, state }) => [trap, remote, state]),
    [
      ["ospfNbrStateChange", "10.255.0.2", "full"],
      ["ospfNbrStateChange", "10.1.1.2", null],
      ["bgpBackwardTransition", "10.0.0.9", "idle"],
      ["bgpEstablished", "10.0.0.9", "idle"],
      ["authenticationFailure", null, null],
    ],
  )
})

test("an OSPF interface's state comes with its own address, or its ifIndex where it has none", async (t) => {
  const bench = await open(t, V2C)
  const changed = "1.3.6.1.2.1.14.16.2.16"
  const stateOf = (index: string, value: number) => ({
    oid: oid(`1.3.6.1.2.1.14.7.1.12.${index}`),
    tag: TAG.integer,
    value,
  })
  await bench.send(
    // As FRR 8.4 sends it: both parts of the index as objects, then the state.
    notification(
      changed,
      { oid: oid("1.3.6.1.2.1.14.1.1.0"), tag: TAG.ipAddress, value: "10.255.0.1" },
      { oid: oid("1.3.6.1.2.1.14.7.1.1.10.0.0.1.0"), tag: TAG.ipAddress, value: "10.0.0.1" },
      { oid: oid("1.3.6.1.2.1.14.7.1.2.10.0.0.1.0"), tag: TAG.integer, value: 0 },
      stateOf("10.0.0.1.0", 1),
    ),
    notification(changed, stateOf("0.0.0.0.7", 4)),
    notification(changed, stateOf("10.0.0.1.0", 99)),
    notification(changed, stateOf("10.0.0.300.0", 1)),
    notification(changed, stateOf("10.0.0.1", 1)),
    notification(changed),
  )
  assert.deepEqual(
    bench.traps.map(({ trap, remote, ifIndex, state }) => [trap, remote, ifIndex, state]),
    [
      ["ospfIfStateChange", "10.0.0.1", null, "down"],
      ["ospfIfStateChange", null, 7, "pointToPoint"],
      ["ospfIfStateChange", "10.0.0.1", null, null],
      ["ospfIfStateChange", null, null, "down"],
      ["ospfIfStateChange", null, null, "down"],
      ["ospfIfStateChange", null, null, null],
    ],
  )
})

test("an inform is answered with its own bindings; a repeated one again", async (t) => {
  const bench = await open(t, V2C)
  const inform = linkDown(3, "s3cret", PDU.inform)
  await bench.send(inform, inform)
  await bench.until(() => bench.replies.length === 2)
  const reply = decodeMessage(bench.replies[0] as Buffer)
  assert.ok(typeof reply !== "string")
  assert.equal(reply.pdu?.type, PDU.response)
  const asked = decodeMessage(inform)
  assert.ok(typeof asked !== "string")
  assert.deepEqual(reply.pdu?.varbinds.all(), asked.pdu?.varbinds.all())
  assert.equal(bench.stats.answered, 2)
  // The real sender agrees.
  const session = snmp.createSession("127.0.0.1", "s3cret", { trapPort: bench.port, version: snmp.Version2c })
  t.after(() => session.close())
  await new Promise<void>((resolve, reject) =>
    session.inform(snmp.TrapType.LinkDown, (error) => (error === null ? resolve() : reject(error))),
  )
})

test("[W11] an inform is answered when it is durable, not when it was taken", async (t) => {
  const keep: Array<() => void> = []
  const sink: TrapOptions["sink"] = { submit: (_, durable) => keep.push(durable ?? (() => undefined)) > 0 }
  const bench = await open(t, V2C, { sink })
  await bench.send(linkDown(3, "s3cret", PDU.inform), linkDown(4, "s3cret", PDU.inform))
  await new Promise((resolve) => setTimeout(resolve, 50))
  assert.deepEqual([keep.length, bench.replies.length, bench.stats.answered], [2, 0, 0])
  keep[1]!()
  await bench.until(() => bench.replies.length === 1)
  const reply = decodeMessage(bench.replies[0] as Buffer)
  assert.ok(typeof reply !== "string")
  assert.equal(bench.stats.answered, 1)
  assertBalanced(bench)
})

test("[W11] an inform that waited for a full inbox is answered once it is durable", async (t) => {
  let room = false
  const sink: TrapOptions["sink"] = {
    submit: (_, durable) => {
      if (room) durable?.()
      return room
    },
  }
  const bench = await open(t, V2C, { sink })
  await bench.send(linkDown(3, "s3cret", PDU.inform))
  assert.equal(bench.replies.length, 0)
  room = true
  await bench.until(() => bench.replies.length === 1)
  assert.equal(bench.stats.submitted, 1)
})

const plainDrops: ReadonlyArray<readonly [string, TrapDrop, Buffer, SnmpCredential | null]> = [
  ["a wrong community", "community", linkDown(1, "public"), V2C],
  ["a device without SNMP credential", "version", linkDown(), null],
  ["v2c from a device that is polled with v3", "version", linkDown(), V3],
  ["a GetRequest", "pdu", linkDown(1, "s3cret", PDU.get), V2C],
  ["a v2c trap without snmpTrapOID", "pdu", encodeMessage(Buffer.from("s3cret"), PDU.trapV2, 1, 0, 0, []), V2C],
  ["garbage", "ber", hex("3003020101"), V2C],
  [
    "R5: an Inform with a BIT STRING",
    "ber",
    hex("30280201010406733363726574a61b0201070201000201003010300e06082b0601020101050003020001"),
    V2C,
  ],
  [
    "R6: an Inform with a truncated Counter64",
    "ber",
    hex("30280201010406733363726574a61b0201070201000201003010300e06082b0601020101050046050001"),
    V2C,
  ],
  [
    "R2: v3, unknown user, reportable, msgID 2^40",
    "ber",
    hex(
      "305302010330130206010000000000020300ffe3040104020103041e301c0408800000000102030402010102010104066e6f626f6479040004003019040880000000010203040400a00b0201010201000201003000",
    ),
    V3,
  ],
  [
    "R3: v3 discovery with msgID 2^40",
    "ber",
    hex(
      "303d02010330130206010000000000020300ffe30401040201030410300e0400020101020101040004000400301104000400a00b0201010201000201003000",
    ),
    V3,
  ],
  [
    "R4: a v3 trap of the empty user",
    "user",
    hex(
      "308184020103300e020105020300ffe304010002010304183016040880000000010203040201010201010400040004003055040880000000010203040400a747020101020100020100303c300d06082b060102010103004301013017060a2b06010603010104010006092b0601060301010503301206082b060102010105000406464f52474544",
    ),
    V3,
  ],
  [
    "R7: a v3 Inform of the empty user with a BIT STRING",
    "ber",
    hex(
      "3058020103300e020105020300ffe304010402010304183016040880000000010203040201010201010400040004003029040880000000010203040400a61b0201010201000201003010300e06082b0601020101050003020001",
    ),
    V3,
  ],
]
for (const [what, drop, bytes, credential] of plainDrops) {
  test(`${what} is dropped as \`${drop}\`, answered with nothing, and the listener lives`, async (t) => {
    const bench = await open(t, credential)
    await bench.send(bytes)
    // A v3 message may wait for its key to be derived.
    await bench.until(() => bench.stats.dropped[drop] === 1)
    assert.deepEqual([bench.traps.length, bench.replies.length], [0, 0])
    assertBalanced(bench)
  })
}

test("R8: a datagram from source port 0 is dropped before anything can try to answer it", async (t) => {
  const bench = await open(t, V2C)
  const script = `
import socket, struct, sys
payload = bytes.fromhex(sys.argv[2])
udp = struct.pack("!HHHH", 0, int(sys.argv[1]), 8 + len(payload), 0) + payload
ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, socket.inet_aton("127.0.0.1"), socket.inet_aton("127.0.0.1"))
socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW).sendto(ip + udp, ("127.0.0.1", 0))
`
  const inform = linkDown(1, "s3cret", PDU.inform).toString("hex")
  const sent = spawnSync("python3", ["-c", script, String(bench.port), inform], { encoding: "utf8" })
  if (sent.status !== 0) return t.skip("no raw sockets; enable: python3 and CAP_NET_RAW")
  await bench.until(() => bench.stats.dropped.portZero === 1)
  assertBalanced(bench)
})

test("unknown sources are counted, remembered within a bound, and logged at most once a minute", async (t) => {
  const lines: string[] = []
  const bench = await open(t, V2C, { resolve: () => null, log: logTo(lines) })
  await bench.send(...Array.from({ length: 50 }, () => linkDown()))
  assert.equal(bench.stats.dropped.unknownSource, 50)
  assert.deepEqual([...bench.stats.unknownSources], [["127.0.0.1", 50]])
  assert.equal(lines.length, 1)
  assertBalanced(bench)
})

const logTo = (lines: string[]): NonNullable<TrapOptions["log"]> => {
  const add = (line: string): void => void lines.push(line)
  const log = { debug: add, info: add, warn: add, error: add, with: () => log }
  return log
}

test("a source beyond its quota is cut and counted", async (t) => {
  const bench = await open(t, V2C, { quota: { linesPerSecond: 0, burst: 5, sources: 10 } })
  await bench.send(...Array.from({ length: 12 }, () => linkDown()))
  assert.deepEqual([bench.traps.length, bench.stats.dropped.overQuota], [5, 7])
  assertBalanced(bench)
})

test("a full inbox: notifications wait in order within the bound, the rest is counted lost and its informs unanswered", async (t) => {
  let isFull = true
  const taken: TrapInput[] = []
  const sink: TrapOptions["sink"] = {
    submit: (input, durable) => {
      if (isFull) return false
      taken.push(input as TrapInput)
      durable?.()
      return true
    },
  }
  const bench = await open(t, V2C, { sink, quota: { linesPerSecond: 0, burst: 1e6, sources: 10 } })
  const batch = 100
  for (let from = 0; from < WAITING_MAX; from += batch) {
    await bench.send(...Array.from({ length: batch }, (_, i) => linkDown(from + i + 1)))
  }
  assert.equal(bench.listener.waiting(), WAITING_MAX)
  await bench.send(linkDown(9, "s3cret", PDU.inform))
  assert.deepEqual([bench.stats.lost, bench.stats.answered], [1, 0])
  isFull = false
  await bench.until(() => bench.listener.waiting() === 0)
  assert.deepEqual(
    taken.map((trap) => trap.ifIndex),
    Array.from({ length: WAITING_MAX }, (_, i) => i + 1),
  )
  await bench.send(linkDown(9, "s3cret", PDU.inform))
  await bench.until(() => bench.replies.length === 1)
  assertBalanced(bench)
})

test("a port in use is a named failure that says what to do", async (t) => {
  const bench = await open(t, V2C)
  const again = trapListener({
    host: "127.0.0.1",
    port: bench.port,
    resolve: () => null,
    sink: { submit: () => true },
    stats: makeTrapStats(),
  })
  const failed = await Effect.runPromise(Effect.flip(Effect.scoped(again)))
  assert.ok(failed instanceof TrapListenFailed)
  assert.match(failed.detail, /another program/)
})

test("IPv4 senders keep their plain address on a socket that takes both families", async (t) => {
  const seen: string[] = []
  const bench = await open(t, V2C, { host: "::", resolve: (address) => (seen.push(address), null) }).catch(() => null)
  if (bench === null) return t.skip("no IPv6; enable: sysctl net.ipv6.conf.all.disable_ipv6=0")
  await bench.send(linkDown())
  assert.deepEqual(seen, ["127.0.0.1"])
})

test("closing the scope closes the port", async () => {
  const scope = Scope.makeUnsafe()
  const stats = makeTrapStats()
  const make = (port: number) =>
    trapListener({ host: "127.0.0.1", port, resolve: () => null, sink: { submit: () => true }, stats })
  const { port } = await Effect.runPromise(Scope.provide(make(0), scope))
  await Effect.runPromise(Scope.close(scope, Exit.void))
  await Effect.runPromise(Effect.scoped(make(port)))
})
