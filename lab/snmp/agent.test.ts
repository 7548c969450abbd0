import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { BerError, Reader, TAG, Writer } from "#lab/snmp/ber.ts"
import { PDU } from "#lab/snmp/pdu.ts"
import { COMMUNITY, ask, benchOf, parseAnswer, requestBytes, v3User } from "#lab/snmp/probe.fixture.ts"

const bench = benchOf((router) => router.persona === "frr" && router.roles[0] === "core")
const v3Bench = benchOf((router) => router.persona === "frr", v3User("sha256", "aes"))

const stillAnswers = (): void => {
  assert.equal(ask(bench, PDU.get, ["1.3.6.1.2.1.1.5.0"]).varbinds[0]!.value.toString(), bench.router.name)
}

/** A v2c message around a hand-made PDU body. */
const message = (type: number, body: (out: Writer) => void): Buffer => {
  const out = new Writer(70_000)
  const outer = out.open(TAG.sequence)
  out.integer(1)
  out.text(COMMUNITY)
  const pdu = out.open(type)
  body(out)
  out.close(pdu)
  out.close(outer)
  return out.take()
}
const hex = (text: string): Buffer => Buffer.from(text, "hex")

test("[A1] an empty object identifier is dropped", () => {
  const datagram = message(PDU.get, (out) => {
    for (const value of [1, 0, 0]) out.integer(value)
    const list = out.open(TAG.sequence)
    const varbind = out.open(TAG.sequence)
    out.raw(hex("06000500"))
    out.close(varbind)
    out.close(list)
  })
  const dropped = bench.agent.dropped
  assert.equal(bench.agent.answer(datagram), null)
  assert.equal(bench.agent.dropped, dropped + 1)
  stillAnswers()
})

test("[A2] a request-id of 2^40 is dropped", () => {
  const datagram = message(PDU.get, (out) => {
    out.raw(hex("0206010000000000"))
    out.integer(0)
    out.integer(0)
    out.close(out.open(TAG.sequence))
  })
  assert.equal(bench.agent.answer(datagram), null)
  stillAnswers()
})

test("[A3] GETBULK with max-repetitions 2^31-1 costs one datagram", () => {
  const answer = bench.agent.answer(requestBytes(PDU.getBulk, ["1.3.6.1.2.1.2.2.1.1"], 0, 2 ** 31 - 1))!
  assert.ok(answer.length <= 8192)
  const many = bench.agent.answer(
    requestBytes(
      PDU.getBulk,
      Array.from({ length: 250 }, () => "1.3.6.1.2.1.2.2.1"),
      0,
      2 ** 31 - 1,
    ),
  )!
  assert.ok(many.length <= 8192)
  stillAnswers()
})

test("[A4] negative non-repeaters and repetitions count as zero", () => {
  const names = ["1.3.6.1.2.1.1.1", "1.3.6.1.2.1.1.2"]
  assert.equal(ask(bench, PDU.getBulk, names, -5, 3).varbinds.length, 6)
  assert.equal(ask(bench, PDU.getBulk, names, 0, -1).varbinds.length, 0)
  assert.equal(ask(bench, PDU.getBulk, names, 2 ** 31 - 1, 3).varbinds.length, 2)
})

test("a v3 msgID of 2^40, an unknown user, garbage: silence or a report, never a throw", () => {
  // R2, R3, R7 of the notes on hostile input, as they were sent to net-snmp's agent.
  for (const text of [
    "305302010330130206010000000000020300ffe3040104020103041e301c0408800000000102030402010102010104066e6f626f6479040004003019040880000000010203040400a00b0201010201000201003000",
    "303d02010330130206010000000000020300ffe30401040201030410300e0400020101020101040004000400301104000400a00b0201010201000201003000",
    "3058020103300e020101020300ffe304010402010304183016040880000000010203040201010201010400040004003029040880000000010203040400a61b0201010201000201003010300e06082b0601020101050003020001",
    "30",
    "",
    "ffffffffffffffff",
  ])
    for (const { agent } of [bench, v3Bench]) assert.doesNotThrow(() => agent.answer(hex(text)), text)
  stillAnswers()
})

test("a wrong community, v1, and v3 at a v2c agent are met with silence", () => {
  const right = requestBytes(PDU.get, ["1.3.6.1.2.1.1.1.0"])
  const wrong = Buffer.from(right)
  wrong.write("X", right.indexOf(COMMUNITY))
  const v1 = Buffer.from(right)
  v1[6] = 0
  assert.equal(v1.readUInt8(5), 1)
  assert.equal(bench.agent.answer(wrong), null)
  assert.equal(bench.agent.answer(v1), null)
  assert.equal(v3Bench.agent.answer(right), null)
})

test("mutated requests of every kind are answered or dropped, and an answer is always well formed", () => {
  const seeds = [
    requestBytes(PDU.get, ["1.3.6.1.2.1.1.1.0", "1.3.6.1.2.1.2.2.1.8.2"]),
    requestBytes(PDU.getNext, ["1.3.6.1.2.1.2.2.1.8"]),
    requestBytes(PDU.getBulk, ["1.3.6.1.2.1.2.2.1.8", "1.3.6.1.2.1.31.1.1.1.6"], 0, 10),
    requestBytes(PDU.set, ["1.3.6.1.2.1.1.5.0"]),
  ]
  const change = fc.record({ at: fc.nat(200), to: fc.integer({ min: 0, max: 255 }) })
  fc.assert(
    fc.property(
      fc.constantFrom(...seeds),
      fc.array(change, { minLength: 1, maxLength: 4 }),
      fc.nat(200),
      (seed, changes, cut) => {
        const datagram = Buffer.from(seed.subarray(0, cut < 20 ? cut : seed.length))
        for (const { at, to } of changes) if (at < datagram.length) datagram[at] = to
        const answer = bench.agent.answer(datagram)
        if (answer !== null) parseAnswer(Buffer.from(answer))
      },
    ),
    { numRuns: 5000 },
  )
  stillAnswers()
})

// ---- v3 without a library: what a stranger gets

const v3Probe = (engineId: Buffer, user: string, flags: number): Buffer => {
  const out = new Writer(500)
  const outer = out.open(TAG.sequence)
  out.integer(3)
  const header = out.open(TAG.sequence)
  out.integer(77)
  out.integer(65_507)
  out.octets(Buffer.from([flags]))
  out.integer(3)
  out.close(header)
  const wrapped = out.open(TAG.octetString)
  const usm = out.open(TAG.sequence)
  out.octets(engineId)
  out.integer(0)
  out.integer(0)
  out.text(user)
  out.octets(Buffer.alloc((flags & 1) === 0 ? 0 : 24))
  out.octets(Buffer.alloc((flags & 2) === 0 ? 0 : 8))
  out.close(usm)
  out.close(wrapped)
  if ((flags & 2) !== 0) out.octets(Buffer.alloc(32))
  else {
    const scoped = out.open(TAG.sequence)
    out.octets(engineId)
    out.text("")
    const pdu = out.open(PDU.get)
    for (const value of [99, 0, 0]) out.integer(value)
    const list = out.open(TAG.sequence)
    const varbind = out.open(TAG.sequence)
    out.oid([1, 3, 6, 1, 2, 1, 1, 5, 0])
    out.empty(TAG.null)
    out.close(varbind)
    out.close(list)
    out.close(pdu)
    out.close(scoped)
  }
  out.close(outer)
  return out.take()
}

/** The counter that a report names: the arc after usmStats. */
const reportArc = (
  bytes: Buffer | null,
): { readonly arc: number; readonly requestId: number; readonly engineId: Buffer } => {
  assert.ok(bytes !== null)
  const outer = new Reader(Buffer.from(bytes)).into(TAG.sequence)
  assert.equal(outer.integer(), 3)
  const header = outer.into(TAG.sequence)
  assert.equal(header.integer(), 77)
  const usm = new Reader(outer.octets()).into(TAG.sequence)
  const engineId = usm.octets()
  const scoped = outer.into(TAG.sequence)
  scoped.octets()
  scoped.octets()
  const pdu = scoped.into(PDU.report)
  const requestId = pdu.integer()
  pdu.integer()
  pdu.integer()
  const oid = pdu.into(TAG.sequence).into(TAG.sequence).oid()
  assert.deepEqual(oid.slice(0, 9), [1, 3, 6, 1, 6, 3, 15, 1, 1])
  return { arc: oid[9]!, requestId, engineId }
}

test("[RFC 3414 3.2] a stranger learns the engine id, and nothing else, step by step", () => {
  const { agent } = v3Bench
  const discovery = reportArc(agent.answer(v3Probe(Buffer.alloc(0), "", 4)))
  assert.deepEqual([discovery.arc, discovery.requestId], [4, 99])
  assert.deepEqual(discovery.engineId, agent.engineId)
  assert.equal(reportArc(agent.answer(v3Probe(agent.engineId, "nobody", 4))).arc, 3)
  assert.equal(
    reportArc(agent.answer(v3Probe(agent.engineId, "heliograph", 4))).arc,
    1,
    "the right user without security",
  )
  assert.equal(reportArc(agent.answer(v3Probe(agent.engineId, "heliograph", 7))).arc, 5, "a digest of zeros")
  assert.equal(agent.answer(v3Probe(agent.engineId, "heliograph", 3)), null, "not reportable")
})

test("mutated v3 messages are reported or dropped", () => {
  const { agent } = v3Bench
  const seeds = [v3Probe(agent.engineId, "heliograph", 7), v3Probe(Buffer.alloc(0), "", 4)]
  const change = fc.record({ at: fc.nat(200), to: fc.integer({ min: 0, max: 255 }) })
  fc.assert(
    fc.property(fc.constantFrom(...seeds), fc.array(change, { minLength: 1, maxLength: 4 }), (seed, changes) => {
      const datagram = Buffer.from(seed)
      for (const { at, to } of changes) if (at < datagram.length) datagram[at] = to
      assert.doesNotThrow(() => agent.answer(datagram))
    }),
    { numRuns: 3000 },
  )
  assert.throws(() => new Reader(Buffer.from("02", "hex")).integer(), BerError)
})
