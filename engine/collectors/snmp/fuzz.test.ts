/**
 * Throws mutated messages at everything that eats bytes from the network: decoder, v2c client, v3 client. Nothing may throw,
 * no request may be lost for good, memory must stay flat.
 */
import assert from "node:assert/strict"
import { performance } from "node:perf_hooks"
import test from "node:test"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { decodeMessage, decodeScopedPdu, PDU } from "#engine/collectors/snmp/ber.ts"
import { SnmpFailed } from "#engine/collectors/snmp/client.ts"
import { encodeMessage, encodeScopedPdu, encodeV3 } from "#engine/collectors/snmp/encode.ts"
import { droppedTotal, makeGateCounts } from "#engine/collectors/snmp/gate.ts"
import { FUZZ_INPUTS, makeDice, mutate } from "#engine/collectors/snmp/mutation.fixture.ts"
import { oid } from "#engine/collectors/snmp/oid.ts"
import type { Receive, UdpPool } from "#engine/collectors/snmp/udp.ts"
import { makeUdpPool } from "#engine/collectors/snmp/udp.ts"
import { v2cClient } from "#engine/collectors/snmp/v2c.ts"
import { v3Client } from "#engine/collectors/snmp/v3.ts"
import { TAG } from "#engine/collectors/snmp/varbinds.ts"

const SEEDS = [1, 20_261_121]
/** Inputs that one v3 request gets before its deadline "comes", and microtasks after which it has said its next word. */
const PATIENCE = 30
const TURNS = 16
const COMMUNITY = Buffer.from("public")
const ENGINE = Buffer.from("8000000001020304", "hex")
const OIDS = [oid("1.3.6.1.2.1.1.5.0"), oid("1.3.6.1.2.1.1.3.0"), oid("1.3.6.1.2.1.31.1.1.1.6.300")]
const VALUES = [
  { oid: OIDS[0] as Uint8Array, tag: TAG.octetString, value: Buffer.from("edge-1.example") },
  { oid: OIDS[1] as Uint8Array, tag: TAG.timeTicks, value: 123_456_789 },
  { oid: OIDS[2] as Uint8Array, tag: TAG.counter64, value: 2n ** 50n },
]

setFlagsFromString("--expose-gc")
const collectGarbage = runInNewContext("gc") as () => void
const heapBytes = (): number => {
  collectGarbage()
  return process.memoryUsage().heapUsed
}

/** A pool without sockets: what is sent is kept, what arrives is injected, and nothing catches for the receiver. */
const makeFakePool = (): { pool: UdpPool; sent: () => Buffer; receive: () => Receive } => {
  let last: Uint8Array = Buffer.alloc(0)
  let receiver: Receive = () => false
  const pool: UdpPool = {
    ...makeUdpPool(),
    open: (_address, _port, receive) => {
      receiver = receive
      return { send: (bytes) => (last = bytes), close: () => undefined }
    },
  }
  return { pool, sent: () => Buffer.from(last), receive: () => receiver }
}

for (const seed of SEEDS) {
  test(`decoder: ${FUZZ_INPUTS} mutated messages, seed ${seed}: 0 escapes, flat memory`, () => {
    const dice = makeDice(seed)
    const scoped = encodeScopedPdu(ENGINE, PDU.response, 9, 0, 0, VALUES)
    const v3 = encodeV3({
      msgId: 5,
      flags: 0,
      engineId: ENGINE,
      boots: 1,
      time: 1,
      user: "noc",
      authParams: Buffer.alloc(12),
      privParams: Buffer.alloc(8),
      scoped,
    })
    const honest = [
      encodeMessage(COMMUNITY, PDU.response, 9, 0, 0, VALUES),
      encodeMessage(COMMUNITY, PDU.trapV2, 9, 0, 0, VALUES),
      v3.bytes,
    ]
    const before = heapBytes()
    let accepted = 0
    for (let i = 0; i < FUZZ_INPUTS; i++) {
      const message = decodeMessage(mutate(honest[i % 3] as Buffer, dice), dice(2) === 0)
      if (typeof message !== "string") {
        message.pdu?.varbinds.all()
        accepted++
      }
      decodeScopedPdu(mutate(scoped, dice))
    }
    assert.ok(accepted > FUZZ_INPUTS / 10, "the mutations leave some messages whole")
    assert.ok(heapBytes() - before < 16e6)
  })

  test(`v2c client: ${FUZZ_INPUTS} mutated answers, seed ${seed}: 0 escapes, no request lost`, async () => {
    const dice = makeDice(seed)
    const { pool, sent, receive } = makeFakePool()
    const counts = makeGateCounts()
    const client = v2cClient({ pool, address: "192.0.2.1", port: 161, community: "public", counts })
    const before = heapBytes()
    let answered = 0
    let settled = true
    for (let i = 0; i < FUZZ_INPUTS; i++) {
      if (settled) {
        settled = false
        client.get(OIDS, performance.now() + 60_000).then(
          (answer) => {
            answer.all()
            answered++
            settled = true
            return true
          },
          (error: unknown) => (settled = error instanceof SnmpFailed),
        )
      }
      const request = decodeMessage(sent())
      assert.ok(typeof request !== "string")
      const honest = encodeMessage(COMMUNITY, PDU.response, request.pdu?.requestId ?? 0, 0, 0, VALUES)
      receive()(mutate(honest, dice))
      await Promise.resolve()
      await Promise.resolve()
      await Promise.resolve()
    }
    client.close()
    assert.ok(answered > FUZZ_INPUTS / 10, `${answered} answers`)
    assert.equal(counts.accepted + droppedTotal(counts), FUZZ_INPUTS)
    assert.ok(heapBytes() - before < 16e6)
  })

  test(`v3 client: ${FUZZ_INPUTS} mutated answers, seed ${seed}: 0 escapes past the gate`, async () => {
    const dice = makeDice(seed)
    const { pool, sent, receive } = makeFakePool()
    const counts = makeGateCounts()
    const client = v3Client({
      pool,
      address: "192.0.2.1",
      port: 161,
      credential: { version: "3", port: 161, user: "noc" },
      counts,
    })
    const message = (msgId: number, user: string, scoped: Buffer): Buffer =>
      encodeV3({
        msgId,
        flags: 0,
        engineId: ENGINE,
        boots: 1,
        time: 1,
        user,
        authParams: Buffer.alloc(0),
        privParams: Buffer.alloc(0),
        scoped,
      }).bytes
    const report = [{ oid: oid("1.3.6.1.6.3.15.1.1.4.0"), tag: TAG.counter32, value: 1 }]
    const before = heapBytes()
    let ended = 0
    let patience = PATIENCE
    let settled = true
    for (let i = 0; i < FUZZ_INPUTS; i++) {
      if (settled) {
        settled = false
        const end = (): boolean => {
          ended++
          return (settled = true)
        }
        client.get(OIDS, performance.now() + 60_000).then(end, end)
        patience = PATIENCE
        for (let turns = 0; turns < TURNS; turns++) await Promise.resolve()
      }
      const request = decodeMessage(sent())
      assert.ok(typeof request !== "string" && request.v3 !== null)
      const isDiscovery = request.v3.engineId.length === 0
      const honest = isDiscovery
        ? message(request.v3.msgId, "", encodeScopedPdu(ENGINE, PDU.report, 0, 0, 0, report))
        : message(
            request.v3.msgId,
            "noc",
            encodeScopedPdu(ENGINE, PDU.response, request.pdu?.requestId ?? 0, 0, 0, VALUES),
          )
      receive()(mutate(honest, dice))
      for (let turns = 0; turns < TURNS; turns++) await Promise.resolve()
      // A forged Report names an engine that nobody is (discovery cannot be authenticated): the deadline ends that.
      if (patience-- === 0) client.cancel()
    }
    client.close()
    assert.ok(ended > FUZZ_INPUTS / 20, `${ended} requests ended`)
    assert.ok(heapBytes() - before < 32e6)
  })
}
