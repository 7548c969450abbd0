import assert from "node:assert/strict"
import { performance } from "node:perf_hooks"
import type { TestContext } from "node:test"
import test from "node:test"
import { createSocket } from "node:dgram"
import { once } from "node:events"
import { PDU } from "#engine/collectors/snmp/ber.ts"
import type { SnmpClient } from "#engine/collectors/snmp/client.ts"
import { SnmpFailed } from "#engine/collectors/snmp/client.ts"
import { encodeMessage } from "#engine/collectors/snmp/encode.ts"
import type { GateCounts } from "#engine/collectors/snmp/gate.ts"
import { makeGateCounts } from "#engine/collectors/snmp/gate.ts"
import { startLibraryAgent } from "#engine/collectors/snmp/library-agent.fixture.ts"
import { oid } from "#engine/collectors/snmp/oid.ts"
import type { Agent } from "#engine/collectors/snmp/recorded-agent.fixture.ts"
import { startAgent } from "#engine/collectors/snmp/recorded-agent.fixture.ts"
import { makeUdpPool } from "#engine/collectors/snmp/udp.ts"
import { v2cClient } from "#engine/collectors/snmp/v2c.ts"
import { TAG } from "#engine/collectors/snmp/varbinds.ts"

const SYS_NAME = "1.3.6.1.2.1.1.5.0"
const NAME = oid(SYS_NAME)
const CELLS = [{ oid: SYS_NAME, tag: TAG.octetString, value: Buffer.from("edge-1") }]
const COMMUNITY = Buffer.from("public")

const soon = (): number => performance.now() + 3_000
/** For requests that are to fail: long enough for a busy machine to deliver what is wrong with them first. */
const shortly = (): number => performance.now() + 1_500

interface Bench {
  readonly agent: Agent
  readonly client: SnmpClient
  readonly counts: GateCounts
  readonly pool: ReturnType<typeof makeUdpPool>
}

const bench = async (t: TestContext, lenient = false): Promise<Bench> => {
  const agent = await startAgent(CELLS)
  const pool = makeUdpPool()
  const counts = makeGateCounts()
  const client = v2cClient({ pool, address: agent.address, port: agent.port, community: "public", counts, lenient })
  t.after(() => {
    client.close()
    agent.close()
    assert.equal(pool.sockets(), 0)
  })
  return { agent, client, counts, pool }
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

/** The hostile bytes of notes/hostile.md with the request's id in the place of theirs (both of 1 octet: `id`). */
const hex = (text: string): Buffer => Buffer.from(text, "hex")

test("a value comes back with its OID and type", async (t) => {
  const { client } = await bench(t)
  const answer = await client.get([NAME], soon())
  assert.deepEqual(answer.all(), [{ oid: SYS_NAME, tag: TAG.octetString, value: Buffer.from("edge-1") }])
})

test("net-snmp's agent understands our GET and GETBULK (independent implementation)", async (t) => {
  const agent = await startLibraryAgent({ "1.3.6.1.4.1.9999.1": 42, "1.3.6.1.4.1.9999.2": -7 }, [])
  const client = v2cClient({
    pool: makeUdpPool(),
    address: "127.0.0.1",
    port: agent.port,
    community: "public",
    counts: makeGateCounts(),
  })
  t.after(() => {
    client.close()
    agent.close()
  })
  const got = await client.get([oid("1.3.6.1.4.1.9999.1.0"), oid("1.3.6.1.4.1.9999.2.0")], soon())
  assert.deepEqual([got.number(0), got.number(1)], [42, -7])
  const bulk = await client.bulk(0, 2, [oid("1.3.6.1.4.1.9999")], soon())
  assert.deepEqual([bulk.number(0), bulk.number(1)], [42, -7])
})

test("S1: any garbage before the answer is dropped by the gate, and the answer still counts", async (t) => {
  const { agent, client, counts } = await bench(t)
  agent.misbehave = (_request, honest) => [hex("30"), Buffer.alloc(0), Buffer.from("\0\xff garbage"), honest]
  assert.equal((await client.get([NAME], soon())).length, 1)
  assert.equal(counts.dropped.ber, 3)
})

test("S2: a flood of garbage costs counts, not events, exceptions or memory", async (t) => {
  const { agent, client, counts } = await bench(t)
  agent.misbehave = (_request, honest) => [...Array.from({ length: 100 }, () => hex("3003020101")), honest]
  assert.equal((await client.get([NAME], soon())).length, 1)
  assert.equal(counts.dropped.ber, 100)
})

test("S3: a v2c request answered by a v3 message with the auth flag is dropped", async (t) => {
  const { agent, client, counts } = await bench(t)
  agent.misbehave = (_request, honest) => [
    hex(
      "3064020103300e020101020300ffe30401010201030425302304088000000001020304020101020101040178040c00000000000000000000000004003028040880000000010203040400a21a020101020100020100300f300d06082b06010201010500040178",
    ),
    honest,
  ]
  assert.equal((await client.get([NAME], soon())).length, 1)
  assert.equal(counts.dropped.version, 1)
})

test("S4: a Report PDU in a v2c answer is dropped", async (t) => {
  const { agent, client, counts } = await bench(t)
  agent.misbehave = (_request, honest) => {
    const report = Buffer.from(honest)
    report[report.indexOf(PDU.response)] = PDU.report
    return [hex("302702010104067075626c6963a81a020101020100020100300f300d06082b06010201010500040178"), report, honest]
  }
  assert.equal((await client.get([NAME], soon())).length, 1)
  assert.equal(counts.dropped.pdu, 2)
})

test("S5: a GETBULK answer with more bindings than were asked for is dropped", async (t) => {
  const { agent, client, counts } = await bench(t)
  const extra = { oid: NAME, tag: TAG.octetString, value: Buffer.from("x") }
  agent.misbehave = ({ requestId }, honest) => [
    encodeMessage(COMMUNITY, PDU.response, requestId, 0, 0, [extra, extra, extra]),
    honest,
  ]
  assert.equal((await client.bulk(1, 10, [oid("1.3.6.1.2.1.1.5")], soon())).length, 1)
  assert.equal(counts.dropped.answer, 1)
})

test("S10: an answer whose last string is cut short is dropped, never a null value", async (t) => {
  const { agent, client, counts } = await bench(t)
  agent.misbehave = (_request, honest) => honest.subarray(0, honest.length - 1)
  const failed = await failure(client.get([NAME], shortly()))
  assert.equal(failed.reason, "protocol")
  assert.match(failed.detail, /dropped by the gate/)
  assert.ok(counts.dropped.ber >= 1)
})

test("S11: an empty OID and a Counter64 of 200 octets are dropped", async (t) => {
  const { agent, client, counts } = await bench(t)
  agent.misbehave = ({ requestId }, honest) => {
    const emptyOid = Buffer.from(honest)
    emptyOid[emptyOid.indexOf(hex("06082b06010201010500")) + 1] = 0
    const text = { oid: NAME, tag: TAG.octetString, value: Buffer.alloc(200, 0xff) }
    const counter = encodeMessage(COMMUNITY, PDU.response, requestId, 0, 0, [text])
    counter[counter.length - 203] = TAG.counter64
    return [emptyOid, counter, honest]
  }
  assert.deepEqual((await client.get([NAME], soon())).octets(0), Buffer.from("edge-1"))
  assert.equal(counts.dropped.ber, 2)
})

test("an answer from another address or port than was asked reaches nobody", async (t) => {
  const { agent, client, pool } = await bench(t)
  const elsewhere = createSocket("udp4")
  elsewhere.bind(0, "127.0.0.9")
  await once(elsewhere, "listening")
  t.after(() => elsewhere.close())
  let from: { port: number } | null = null
  const spy = createSocket("udp4")
  spy.bind(0, "127.0.0.1")
  await once(spy, "listening")
  t.after(() => spy.close())
  // A request to the spy tells the shared socket's port; then the stranger answers the agent's question.
  const probe = v2cClient({
    pool,
    address: "127.0.0.1",
    port: spy.address().port,
    community: "public",
    counts: makeGateCounts(),
  })
  const heard = once(spy, "message") as Promise<[Buffer, { port: number }]>
  const lost = failure(probe.get([NAME], shortly()))
  ;[, from] = await heard
  elsewhere.send(encodeMessage(COMMUNITY, PDU.response, 1, 0, 0, []), from.port, "127.0.0.1")
  assert.equal((await lost).reason, "timeout")
  probe.close()
  assert.equal(pool.counts.strangers, 1)
  agent.misbehave = () => undefined
  assert.equal((await client.get([NAME], soon())).length, 1)
})

test("an answer with the right id about other objects is dropped; the honest one is taken", async (t) => {
  const { agent, client, counts } = await bench(t)
  const forged = { oid: oid("1.3.6.1.2.1.1.6.0"), tag: TAG.octetString, value: Buffer.from("FORGED") }
  agent.misbehave = ({ requestId }, honest) => [
    encodeMessage(COMMUNITY, PDU.response, requestId, 0, 0, [forged]),
    honest,
  ]
  const answer = await client.get([NAME], soon())
  assert.deepEqual(answer.octets(0), Buffer.from("edge-1"))
  assert.equal(counts.dropped.answer, 1)
})

test("another id and another community are dropped", async (t) => {
  const { agent, client, counts } = await bench(t)
  const varbinds = [{ oid: NAME, tag: TAG.octetString, value: Buffer.from("FORGED") }]
  agent.misbehave = ({ requestId }, honest) => [
    encodeMessage(COMMUNITY, PDU.response, requestId ^ 1, 0, 0, varbinds),
    encodeMessage(Buffer.from("private"), PDU.response, requestId, 0, 0, varbinds),
    honest,
  ]
  assert.deepEqual((await client.get([NAME], soon())).octets(0), Buffer.from("edge-1"))
  assert.deepEqual([counts.dropped.id, counts.dropped.community], [1, 1])
})

test("trailing padding is refused with its own name, and passes for a lenient device", async (t) => {
  const strict = await bench(t)
  const lenient = await bench(t, true)
  const pad = (_: unknown, honest: Buffer): Buffer => Buffer.concat([honest, Buffer.alloc(2)])
  strict.agent.misbehave = pad
  lenient.agent.misbehave = pad
  assert.equal((await failure(strict.client.get([NAME], shortly()))).reason, "protocol")
  assert.ok(strict.counts.dropped.trailing >= 1)
  assert.equal((await lenient.client.get([NAME], soon())).length, 1)
})

test("a silent device ends the request by its deadline, whatever the retries", async (t) => {
  const { agent, client } = await bench(t)
  agent.misbehave = () => null
  const failed = await failure(client.get([NAME], shortly()))
  assert.equal(failed.reason, "timeout")
  assert.ok(!failed.detail.includes("public"))
})

test("a lost request is repeated with the same id; a late answer to the first one counts", async (t) => {
  const { agent, client } = await bench(t)
  let held: Buffer | null = null
  agent.misbehave = (_request, honest) => {
    if (held !== null) return held
    held = honest
    return null
  }
  assert.equal((await client.get([NAME], soon())).length, 1)
  assert.equal(agent.requests.length, 2)
  assert.equal(agent.requests[0]?.requestId, agent.requests[1]?.requestId)
})

test("request ids are not predictable from each other", async (t) => {
  const { agent, client } = await bench(t)
  for (let i = 0; i < 20; i++) await client.get([NAME], soon())
  const ids = agent.requests.map((request) => request.requestId)
  assert.equal(new Set(ids).size, 20)
  const steps = new Set(ids.slice(1).map((id, i) => id - (ids[i] as number)))
  assert.ok(steps.size > 15)
})

test("an error-status is a failure of its own kind and carries the number", async (t) => {
  const { agent, client } = await bench(t)
  agent.misbehave = ({ requestId }) =>
    encodeMessage(COMMUNITY, PDU.response, requestId, 5, 1, [{ oid: NAME, tag: TAG.null, value: null }])
  const failed = await failure(client.get([NAME], soon()))
  assert.deepEqual([failed.reason, failed.status], ["status", 5])
})

test("close and cancel settle the request in flight; a second request in flight is refused", async (t) => {
  const { agent, client } = await bench(t)
  agent.misbehave = () => null
  const first = failure(client.get([NAME], soon()))
  assert.equal((await failure(client.get([NAME], soon()))).reason, "protocol")
  client.cancel()
  assert.equal((await first).reason, "closed")
  const second = failure(client.get([NAME], soon()))
  client.close()
  assert.equal((await second).reason, "closed")
  assert.equal((await failure(client.get([NAME], soon()))).reason, "closed")
})

test("an address where nothing can be sent is `refused`, by its deadline", async (t) => {
  const client = v2cClient({
    pool: makeUdpPool(),
    address: "255.255.255.255",
    port: 9,
    community: "c",
    counts: makeGateCounts(),
  })
  t.after(() => client.close())
  assert.equal((await failure(client.get([NAME], soon()))).reason, "refused")
})

test("one shared socket per slot serves many devices, and closes with the last of them", async (t) => {
  const pool = makeUdpPool()
  const agents = await Promise.all(
    Array.from({ length: 40 }, (_, i) => startAgent(CELLS, { address: `127.0.7.${i + 1}` })),
  )
  t.after(() => agents.forEach((agent) => agent.close()))
  const clients = agents.map(({ address, port }) =>
    v2cClient({ pool, address, port, community: "public", counts: makeGateCounts() }),
  )
  const answers = await Promise.all(clients.map((client) => client.get([NAME], soon())))
  assert.equal(answers.filter((answer) => answer.length === 1).length, 40)
  assert.ok(pool.sockets() <= 4)
  clients.forEach((client) => client.close())
  assert.equal(pool.sockets(), 0)
})

test("IPv6 devices are reached, however their address is written", async (t) => {
  const agent = await startAgent(CELLS, { address: "::1" }).catch(() => null)
  if (agent === null) return t.skip("no IPv6 loopback; enable: sysctl net.ipv6.conf.lo.disable_ipv6=0")
  const client = v2cClient({
    pool: makeUdpPool(),
    address: "0:0:0:0:0:0:0:1",
    port: agent.port,
    community: "public",
    counts: makeGateCounts(),
  })
  t.after(() => {
    client.close()
    agent.close()
  })
  assert.equal((await client.get([NAME], soon())).length, 1)
})
