/** Throws mutated notifications at the listener over a real socket: it must live, count each once, and answer no more than it takes. */
import assert from "node:assert/strict"
import { createSocket } from "node:dgram"
import test from "node:test"
import * as Effect from "effect/Effect"
import { deviceId } from "#protocol/id.ts"
import type { SnmpCredential } from "#engine/collectors/target.ts"
import { PDU } from "#engine/collectors/snmp/ber.ts"
import { encodeMessage, encodeScopedPdu, encodeV3 } from "#engine/collectors/snmp/encode.ts"
import { FUZZ_INPUTS, makeDice, mutate } from "#engine/collectors/snmp/mutation.fixture.ts"
import { oid } from "#engine/collectors/snmp/oid.ts"
import { TAG } from "#engine/collectors/snmp/varbinds.ts"
import { makeTrapStats, trapListener } from "#engine/collectors/trap.ts"

const ENGINE = Buffer.from("8000000001020304", "hex")
const VARBINDS = [
  { oid: oid("1.3.6.1.2.1.1.3.0"), tag: TAG.timeTicks, value: 1_000 },
  { oid: oid("1.3.6.1.6.3.1.1.4.1.0"), tag: TAG.oid, value: "1.3.6.1.6.3.1.1.5.3" },
  { oid: oid("1.3.6.1.2.1.2.2.1.1.7"), tag: TAG.integer, value: 7 },
  { oid: oid("1.3.6.1.2.1.31.1.1.1.1.7"), tag: TAG.octetString, value: Buffer.from("ether7") },
]
const NONE = Buffer.alloc(0)
const plain = (type: number): Buffer => encodeMessage(Buffer.from("s3cret"), type, 9, 0, 0, VARBINDS)
const v3 = (type: number, flags: number): Buffer =>
  encodeV3({
    msgId: 5,
    flags,
    engineId: ENGINE,
    boots: 1,
    time: 1,
    user: "noc",
    authParams: NONE,
    privParams: NONE,
    scoped: encodeScopedPdu(ENGINE, type, 9, 0, 0, VARBINDS),
  }).bytes

const targets: ReadonlyArray<readonly [string, SnmpCredential, readonly Buffer[]]> = [
  ["v2c", { version: "2c", port: 161, community: "s3cret" }, [plain(PDU.trapV2), plain(PDU.inform)]],
  ["v3", { version: "3", port: 161, user: "noc" }, [v3(PDU.trapV2, 0), v3(PDU.inform, 4)]],
]

for (const [version, snmp, honest] of targets) {
  test(`listener, ${version}: ${FUZZ_INPUTS} mutated notifications: 0 defects, each counted once`, async () => {
    const stats = makeTrapStats()
    const quota = { linesPerSecond: 0, burst: Number.MAX_SAFE_INTEGER, sources: 10 }
    const resolve = () => ({ device: deviceId("fuzzed"), snmp })
    const run = Effect.gen(function* () {
      const listener = yield* trapListener({
        host: "127.0.0.1",
        port: 0,
        resolve,
        sink: { submit: () => true },
        stats,
        quota,
      })
      yield* Effect.promise(() => bombard(listener.port, honest, () => stats.received))
    })
    await Effect.runPromise(Effect.scoped(run))
    const dropped = Object.values(stats.dropped).reduce((sum, count) => sum + count, 0)
    assert.equal(stats.received, FUZZ_INPUTS)
    assert.equal(stats.defects, 0)
    assert.equal(stats.received, dropped + stats.reports + stats.accepted)
    assert.ok(stats.accepted > FUZZ_INPUTS / 20)
    assert.ok(stats.answered + stats.reports <= FUZZ_INPUTS)
  })
}

/** Sends in batches that the receive buffer holds, each after the one before was counted. */
const bombard = async (port: number, honest: readonly Buffer[], received: () => number): Promise<void> => {
  const dice = makeDice(7)
  const socket = createSocket("udp4")
  for (let sent = 0, batch = 100; sent < FUZZ_INPUTS; sent += batch) {
    batch = Math.min(batch, FUZZ_INPUTS - sent)
    for (let i = 0; i < batch; i++) socket.send(mutate(honest[i % honest.length] as Buffer, dice), port, "127.0.0.1")
    for (let waits = 0; received() < sent + batch && waits < 2_000; waits++)
      await new Promise((resolve) => setImmediate(resolve))
    for (let waits = 0; received() < sent + batch && waits < 500; waits++)
      await new Promise((resolve) => setTimeout(resolve, 5))
  }
  socket.close()
}
