import assert from "node:assert/strict"
import { createSocket } from "node:dgram"
import { once } from "node:events"
import { performance } from "node:perf_hooks"
import { inspect } from "node:util"
import type { TestContext } from "node:test"
import test from "node:test"
import snmp from "net-snmp"
import { AUTH_PROTOCOLS, PRIV_PROTOCOLS } from "#engine/collectors/target.ts"
import type { SnmpV3Credential } from "#engine/collectors/target.ts"
import type { V3 } from "#engine/collectors/snmp/ber.ts"
import { decodeMessage, PDU } from "#engine/collectors/snmp/ber.ts"
import type { SnmpClient } from "#engine/collectors/snmp/client.ts"
import { SnmpFailed } from "#engine/collectors/snmp/client.ts"
import { encodeScopedPdu, encodeV3 } from "#engine/collectors/snmp/encode.ts"
import type { GateCounts } from "#engine/collectors/snmp/gate.ts"
import { makeGateCounts } from "#engine/collectors/snmp/gate.ts"
import { startLibraryAgent } from "#engine/collectors/snmp/library-agent.fixture.ts"
import { oid } from "#engine/collectors/snmp/oid.ts"
import { makeUdpPool } from "#engine/collectors/snmp/udp.ts"
import { AUTH, encrypt, localise, passwordKey, privKey, sign } from "#engine/collectors/snmp/usm.ts"
import { MAX_PACKETS_PER_REQUEST, v3Client } from "#engine/collectors/snmp/v3.ts"
import { TAG } from "#engine/collectors/snmp/varbinds.ts"

const AUTH_PASSWORD = "auth-password-1"
const PRIV_PASSWORD = "priv-password-2"
const SCALARS = { "1.3.6.1.4.1.9999.1": 42, "1.3.6.1.4.1.9999.2": -7 }
const ONE = oid("1.3.6.1.4.1.9999.1.0")
const TWO = oid("1.3.6.1.4.1.9999.2.0")

const AUTH_PRIV: SnmpV3Credential = {
  version: "3",
  port: 0,
  user: "noc",
  authProtocol: "sha256",
  authPassword: AUTH_PASSWORD,
  privProtocol: "aes",
  privPassword: PRIV_PASSWORD,
}

const soon = (): number => performance.now() + 5_000
/** For requests that are to fail: long enough for a busy machine to deliver every lie first. */
const shortly = (): number => performance.now() + 1_500

const open = (
  t: TestContext,
  credential: SnmpV3Credential,
  port: number,
): { client: SnmpClient; counts: GateCounts } => {
  const counts = makeGateCounts()
  const pool = makeUdpPool()
  const client = v3Client({ pool, address: "127.0.0.1", port, credential, counts })
  t.after(() => {
    client.close()
    assert.equal(pool.sockets(), 0)
  })
  return { client, counts }
}

const startAgent = async (t: TestContext, users: readonly SnmpV3Credential[], engineId?: string): Promise<number> => {
  const agent = await startLibraryAgent(SCALARS, users, engineId)
  t.after(agent.close)
  return agent.port
}

const failure = async (promise: Promise<unknown>): Promise<SnmpFailed> => {
  try {
    await promise
  } catch (error) {
    assert.ok(error instanceof SnmpFailed, String(error))
    return error
  }
  return assert.fail("it did not fail")
}

const LEVELS: ReadonlyArray<readonly [string, SnmpV3Credential]> = [
  ["noAuthNoPriv", { version: "3", port: 0, user: "noc" }],
  ...AUTH_PROTOCOLS.map(
    (authProtocol) =>
      [
        `authNoPriv ${authProtocol}`,
        { version: "3", port: 0, user: "noc", authProtocol, authPassword: AUTH_PASSWORD },
      ] as const,
  ),
  ...AUTH_PROTOCOLS.flatMap((authProtocol) =>
    PRIV_PROTOCOLS.map(
      (privProtocol) =>
        [`authPriv ${authProtocol}/${privProtocol}`, { ...AUTH_PRIV, authProtocol, privProtocol }] as const,
    ),
  ),
]

test("every level, digest and cipher polls net-snmp's agent: GET and GETBULK", async (t) => {
  for (const [name, credential] of LEVELS) {
    const { client, counts } = open(t, credential, await startAgent(t, [credential]))
    const got = await client.get([ONE, TWO], soon())
    assert.deepEqual([got.number(0), got.number(1)], [42, -7], name)
    const bulk = await client.bulk(0, 3, [oid("1.3.6.1.4.1.9999")], soon())
    assert.deepEqual([bulk.number(0), bulk.number(1)], [42, -7], name)
    assert.equal(counts.sent, 3, `${name}: one discovery, then one packet each`)
  }
})

test("nothing of a session ever enters net-snmp's key cache, and the session keeps no password", async (t) => {
  const cache = (snmp as unknown as { Authentication: { authToKeyCache: Record<string, Buffer> } }).Authentication
    .authToKeyCache
  const credential = { ...AUTH_PRIV, authPassword: "agent-side-1", privPassword: "agent-side-2" }
  const port = await startAgent(t, [credential])
  const before = Object.keys(cache).length
  const { client } = open(t, credential, port)
  await client.get([ONE], soon())
  // The agent of this test is net-snmp and does keep its pass-phrases: two entries, not ours.
  assert.ok(Object.keys(cache).length <= before + 2)
  const shown = inspect(client, { depth: 9, showHidden: true })
  for (const secret of ["agent-side-1", "agent-side-2"]) assert.ok(!shown.includes(secret))
})

const wrong: ReadonlyArray<readonly [string, Partial<SnmpV3Credential>, SnmpFailed["reason"]]> = [
  ["user", { user: "nobody" }, "auth"],
  ["authentication password", { authPassword: "not-the-password" }, "auth"],
  ["digest", { authProtocol: "sha512" }, "auth"],
]
for (const [what, change, reason] of wrong) {
  test(`a wrong ${what} is told as such, and no error holds a key, a digest or a password`, async (t) => {
    const { client } = open(t, { ...AUTH_PRIV, ...change }, await startAgent(t, [AUTH_PRIV]))
    const failed = await failure(client.get([ONE], shortly()))
    assert.ok(failed.reason === reason || failed.reason === "timeout", `${failed.reason}: ${failed.detail}`)
    const shown = `${inspect(failed, { depth: 9, showHidden: true })}${JSON.stringify(failed)}${failed.stack ?? ""}`
    for (const secret of [AUTH_PASSWORD, PRIV_PASSWORD, "not-the-password"]) assert.ok(!shown.includes(secret))
    assert.ok(!/[0-9a-f]{24}/i.test(failed.detail))
  })
}

// --- Hostile agents: a peer that speaks v3 by our encoder and lies

const ENGINE = Buffer.from("8000000001020304", "hex")

interface Lie {
  readonly bytes: Buffer
}
type Liar = (request: V3, requestId: number, nth: number) => readonly Lie[]

/** Discovery is answered honestly unless `discovery` lies too; later requests get what `answer` makes of them. */
const startLiar = async (t: TestContext, answer: Liar, discovery?: Liar): Promise<number> => {
  const socket = createSocket("udp4")
  let nth = 0
  socket.on("message", (bytes, from) => {
    const message = decodeMessage(bytes)
    if (typeof message === "string" || message.v3 === null) return
    const lies = message.v3.engineId.length === 0 ? (discovery ?? discover) : answer
    for (const lie of lies(message.v3, message.pdu?.requestId ?? 0, nth++))
      socket.send(lie.bytes, from.port, from.address)
  })
  socket.bind(0, "127.0.0.1")
  await once(socket, "listening")
  t.after(() => socket.close())
  return socket.address().port
}

const NONE = Buffer.alloc(0)
const plain = (msgId: number, flags: number, user: string, scoped: Buffer, boots = 1, time = 100): Lie => ({
  bytes: encodeV3({ msgId, flags, engineId: ENGINE, boots, time, user, authParams: NONE, privParams: NONE, scoped })
    .bytes,
})
const unknownEngineIds = [{ oid: oid("1.3.6.1.6.3.15.1.1.4.0"), tag: TAG.counter32, value: 1 }]
const reportOf = (msgId: number, boots: number, time: number): Lie =>
  plain(msgId, 0, "", encodeScopedPdu(ENGINE, PDU.report, 0, 0, 0, unknownEngineIds), boots, time)
const discover: Liar = ({ msgId }) => [reportOf(msgId, 1, 100)]

const forged = [{ oid: ONE, tag: TAG.integer, value: 666 }]

test("S8: an answer without authentication to an authPriv session is dropped, not delivered", async (t) => {
  const port = await startLiar(t, ({ msgId }, requestId) => [
    plain(msgId, 0, "noc", encodeScopedPdu(ENGINE, PDU.response, requestId, 0, 0, forged)),
  ])
  const { client, counts } = open(t, AUTH_PRIV, port)
  assert.equal((await failure(client.get([ONE], shortly()))).reason, "timeout")
  assert.ok(counts.dropped.level >= 1)
  assert.equal(counts.accepted, 1)
})

test("S8: neither does an authenticated but unencrypted answer, nor one with a wrong digest, nor another user's", async (t) => {
  const ku = await passwordKey("sha256", AUTH_PASSWORD)
  const key = localise("sha256", ku, ENGINE)
  const signed = (msgId: number, user: string, right: boolean, requestId: number): Lie => {
    const scoped = encodeScopedPdu(ENGINE, PDU.response, requestId, 0, 0, forged)
    const { bytes, authOffset } = encodeV3({
      msgId,
      flags: 1,
      engineId: ENGINE,
      boots: 1,
      time: 100,
      user,
      authParams: Buffer.alloc(24),
      privParams: NONE,
      scoped,
    })
    sign({ protocol: "sha256", key: right ? key : Buffer.alloc(32) }, bytes, authOffset)
    return { bytes }
  }
  const port = await startLiar(t, ({ msgId }, requestId) => [signed(msgId, "noc", true, requestId)])
  const encrypted = open(t, AUTH_PRIV, port)
  assert.equal((await failure(encrypted.client.get([ONE], shortly()))).reason, "timeout")
  assert.ok(encrypted.counts.dropped.level >= 1)

  const { privProtocol: _p, privPassword: _w, ...authOnly } = AUTH_PRIV
  const port2 = await startLiar(t, ({ msgId }, requestId) => [
    signed(msgId, "noc", false, requestId),
    signed(msgId, "root", true, requestId),
    signed(msgId, "noc", true, requestId),
  ])
  const authenticated = open(t, authOnly, port2)
  const got = await authenticated.client.get([ONE], soon())
  assert.equal(got.number(0), 666, "the third one is honest: signed by the right key at the right level")
  assert.equal(authenticated.counts.dropped.level, 2)
})

test("S9: Reports for ever cost at most the packets of one request, and the callback comes", async (t) => {
  const endless: Liar = ({ msgId }) => [reportOf(msgId, 0, 0)]
  const port = await startLiar(t, endless, endless)
  const { client, counts } = open(t, AUTH_PRIV, port)
  const failed = await failure(client.get([ONE], soon()))
  assert.notEqual(failed.reason, "closed")
  assert.ok(counts.sent <= MAX_PACKETS_PER_REQUEST, `${counts.sent} packets`)
})

test("a Report in the name of another engine is dropped once the engine is known", async (t) => {
  const other = Buffer.from("8000000009090909", "hex")
  const port = await startLiar(t, ({ msgId }) => {
    const scoped = encodeScopedPdu(other, PDU.report, 0, 0, 0, unknownEngineIds)
    return [
      {
        bytes: encodeV3({
          msgId,
          flags: 0,
          engineId: other,
          boots: 9,
          time: 9,
          user: "",
          authParams: NONE,
          privParams: NONE,
          scoped,
        }).bytes,
      },
    ]
  })
  const { client, counts } = open(t, AUTH_PRIV, port)
  await failure(client.get([ONE], shortly()))
  assert.ok(counts.dropped.engine >= 1)
})

test("a device replaced by one with another engine id is found again after one failed request", async (t) => {
  const user: SnmpV3Credential = { version: "3", port: 0, user: "noc" }
  let engineId = ENGINE
  const say = (msgId: number, name: string, scoped: Buffer): Lie => ({
    bytes: encodeV3({
      msgId,
      flags: 0,
      engineId,
      boots: 1,
      time: 100,
      user: name,
      authParams: NONE,
      privParams: NONE,
      scoped,
    }).bytes,
  })
  const honest: Liar = (v3, requestId) =>
    Buffer.compare(v3.engineId, engineId) === 0
      ? [say(v3.msgId, "noc", encodeScopedPdu(engineId, PDU.response, requestId, 0, 0, forged))]
      : [say(v3.msgId, "", encodeScopedPdu(engineId, PDU.report, requestId, 0, 0, unknownEngineIds))]
  const { client, counts } = open(t, user, await startLiar(t, honest, honest))
  assert.equal((await client.get([ONE], soon())).number(0), 666)
  engineId = Buffer.from("80000000aabbccdd", "hex")
  assert.equal((await failure(client.get([ONE], shortly()))).reason, "timeout")
  assert.ok(counts.dropped.engine >= 1)
  assert.equal((await client.get([ONE], soon())).number(0), 666)
})

test("a wrong password that the agent reports (usmStatsWrongDigests) is reason `auth` at once", async (t) => {
  const wrongDigests = [{ oid: oid("1.3.6.1.6.3.15.1.1.5.0"), tag: TAG.counter32, value: 1 }]
  const port = await startLiar(t, ({ msgId }) => [
    plain(msgId, 0, "", encodeScopedPdu(ENGINE, PDU.report, 0, 0, 0, wrongDigests)),
  ])
  const { client } = open(t, AUTH_PRIV, port)
  const failed = await failure(client.get([ONE], soon()))
  assert.deepEqual([failed.reason, failed.detail], ["auth", "the agent reports: Wrong Digest"])
})

/** Bytes that only the holder of the keys can send: what the gate cannot look into. */
const sealed = async (scopedOf: (requestId: number) => Buffer, boots = 1, time = 100): Promise<Liar> => {
  const auth = {
    protocol: "sha256",
    key: localise("sha256", await passwordKey("sha256", AUTH_PASSWORD), ENGINE),
  } as const
  const priv = {
    protocol: "aes",
    key: privKey("sha256", "aes", await passwordKey("sha256", PRIV_PASSWORD), ENGINE),
  } as const
  return ({ msgId }) => {
    const { encrypted, salt } = encrypt(priv, boots, time, scopedOf(msgId))
    const { bytes, authOffset } = encodeV3({
      msgId,
      flags: 3,
      engineId: ENGINE,
      boots,
      time,
      user: "noc",
      authParams: Buffer.alloc(AUTH.sha256.digestBytes),
      privParams: salt,
      scoped: encrypted,
    })
    sign(auth, bytes, authOffset)
    return [{ bytes }]
  }
}

/** The 200 octets at the end under the tag of Counter64. */
const asCounter = (scoped: Buffer): Buffer => scoped.fill(TAG.counter64, scoped.length - 203, scoped.length - 202)

const encryptedLies: ReadonlyArray<readonly [string, (honest: Buffer, requestId: number) => Buffer]> = [
  [
    "S5: more bindings than asked",
    (_honest, id) => encodeScopedPdu(ENGINE, PDU.response, id, 0, 0, [...forged, ...forged, ...forged]),
  ],
  ["S10: a value cut short", (honest) => honest.subarray(0, honest.length - 1)],
  ["S11: an empty OID", (honest) => Buffer.from(honest).fill(0, honest.length - 14, honest.length - 13)],
  [
    "S11: a Counter64 of 200 octets",
    (_honest, id) =>
      asCounter(
        encodeScopedPdu(ENGINE, PDU.response, id, 0, 0, [{ oid: ONE, tag: TAG.octetString, value: Buffer.alloc(200) }]),
      ),
  ],
  [
    "another object",
    (_honest, id) => encodeScopedPdu(ENGINE, PDU.response, id, 0, 0, [{ oid: TWO, tag: TAG.integer, value: 1 }]),
  ],
  ["the answer to another request", () => encodeScopedPdu(ENGINE, PDU.response, 1, 0, 0, forged)],
  ["a request", (_honest, id) => encodeScopedPdu(ENGINE, PDU.get, id, 0, 0, forged)],
  ["noise", () => Buffer.alloc(64, 0xa5)],
]
for (const [what, lie] of encryptedLies) {
  test(`inside the encryption, ${what}: a failure within the deadline, never a value or a crash`, async (t) => {
    const honest = (id: number): Buffer => encodeScopedPdu(ENGINE, PDU.response, id, 0, 0, forged)
    const port = await startLiar(t, await sealed((id) => lie(honest(id), id)))
    const { client } = open(t, AUTH_PRIV, port)
    const failed = await failure(client.get([ONE], shortly()))
    assert.ok(["protocol", "timeout", "auth"].includes(failed.reason), failed.reason)
  })
}

test("the same peer is believed when it tells the truth inside the encryption", async (t) => {
  const port = await startLiar(t, await sealed((id) => encodeScopedPdu(ENGINE, PDU.response, id, 0, 0, forged)))
  const { client } = open(t, AUTH_PRIV, port)
  assert.equal((await client.get([ONE], soon())).number(0), 666)
})

test("a repeat after a lost packet is the same message: an answer to either counts", async (t) => {
  const port = await startLiar(t, ({ msgId }, requestId, nth) =>
    nth === 1 ? [] : [plain(msgId, 0, "noc", encodeScopedPdu(ENGINE, PDU.response, requestId, 0, 0, forged))],
  )
  const { client, counts } = open(t, { version: "3", port: 0, user: "noc" }, port)
  assert.equal((await client.get([ONE], soon())).number(0), 666)
  assert.equal(counts.sent, 3, "discovery, the lost one, its repeat")
})

test("RFC 3414 s3.2.7: an agent whose clock went on is believed once it says so, signed, and asked again", async (t) => {
  const notInTime = [{ oid: oid("1.3.6.1.6.3.15.1.1.2.0"), tag: TAG.counter32, value: 1 }]
  const signKey = {
    protocol: "sha256",
    key: localise("sha256", await passwordKey("sha256", AUTH_PASSWORD), ENGINE),
  } as const
  const complaint = (msgId: number): Lie => {
    const { bytes, authOffset } = encodeV3({
      msgId,
      flags: 1,
      engineId: ENGINE,
      boots: 7,
      time: 5_000,
      user: "noc",
      authParams: Buffer.alloc(AUTH.sha256.digestBytes),
      privParams: NONE,
      scoped: encodeScopedPdu(ENGINE, PDU.report, 0, 0, 0, notInTime),
    })
    sign(signKey, bytes, authOffset)
    return { bytes }
  }
  const honest = await sealed((id) => encodeScopedPdu(ENGINE, PDU.response, id, 0, 0, forged), 7, 5_000)
  const seen: Array<readonly [number, number]> = []
  const port = await startLiar(t, (v3, requestId, nth) => {
    seen.push([v3.boots, v3.time])
    return v3.boots === 7 ? honest(v3, requestId, nth) : [complaint(v3.msgId)]
  })
  const { client } = open(t, AUTH_PRIV, port)
  assert.equal((await client.get([ONE], soon())).number(0), 666)
  assert.equal((await client.get([ONE], soon())).number(0), 666)
  assert.deepEqual(seen, [
    [1, 100],
    [7, 5_000],
    [7, 5_000],
  ])
})

test("a request that is cancelled says so, and the next one goes through", async (t) => {
  const user: SnmpV3Credential = { version: "3", port: 0, user: "noc" }
  const { client } = open(t, user, await startAgent(t, [user]))
  const first = failure(client.get([ONE], soon()))
  client.cancel()
  assert.equal((await first).reason, "closed")
  assert.equal((await client.get([ONE], soon())).number(0), 42)
  const [one, two] = [client.get([ONE], soon()), failure(client.get([TWO], soon()))]
  assert.equal((await two).detail, "a request is already in flight")
  assert.equal((await one).number(0), 42)
})
