import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { OSPF_GONE } from "#lab/isp/ospf.ts"
import { TAG } from "#lab/snmp/ber.ts"
import { compareOid, parseOid } from "#lab/snmp/mib.ts"
import { PDU } from "#lab/snmp/pdu.ts"
import { ask, benchOf, numberOf, requestBytes } from "#lab/snmp/probe.fixture.ts"
import type { Bench, Varbind } from "#lab/snmp/probe.fixture.ts"

const IF_OPER_STATUS = "1.3.6.1.2.1.2.2.1.8"
const IF_HC_IN_OCTETS = "1.3.6.1.2.1.31.1.1.1.6"
const IF_HC_OUT_OCTETS = "1.3.6.1.2.1.31.1.1.1.10"
const IF_NAME = "1.3.6.1.2.1.31.1.1.1.1"
const OSPF_NBR_STATE = "1.3.6.1.2.1.14.10.1.6"

const core = (persona: string): Bench => benchOf((router) => router.roles[0] === "core" && router.persona === persona)

/** Everything, by GETNEXT one at a time. */
const walk = (bench: Bench): readonly Varbind[] => {
  const all: Varbind[] = []
  for (let at = "1.0"; ;) {
    const [found] = ask(bench, PDU.getNext, [at]).varbinds
    if (found!.tag === TAG.endOfMibView) return all
    all.push(found!)
    at = found!.oid
    assert.ok(all.length < 5000, "the walk ends")
  }
}

for (const persona of ["routeros7", "routeros6", "frr"]) {
  test(`a GETNEXT walk of ${persona} is strictly ascending, ends, and every instance can be got by name`, () => {
    const bench = benchOf((router) => router.persona === persona)
    const all = walk(bench)
    assert.ok(all.length > 200)
    for (let i = 1; i < all.length; i++)
      assert.ok(
        compareOid(parseOid(all[i - 1]!.oid), parseOid(all[i]!.oid)) < 0,
        `${all[i - 1]!.oid} before ${all[i]!.oid}`,
      )
    for (const { oid, tag, value } of all) {
      const [got] = ask(bench, PDU.get, [oid]).varbinds
      assert.deepEqual(got, { oid, tag, value })
    }
  })
}

test("GETNEXT of any name gives the first instance behind it, as the full walk knows it", () => {
  const bench = core("frr")
  const all = walk(bench)
  const near = fc.oneof(
    fc.constantFrom(...all.map(({ oid }) => parseOid(oid))),
    fc
      .tuple(fc.constantFrom(...all.map(({ oid }) => parseOid(oid))), fc.nat(14), fc.nat(40))
      .map(([oid, cut, arc]) => [...oid.slice(0, Math.max(2, cut)), arc]),
    fc.array(fc.nat(100), { maxLength: 12 }).map((arcs) => [1, 3, ...arcs]),
  )
  fc.assert(
    fc.property(near, (oid) => {
      const wanted = all.find((one) => compareOid(parseOid(one.oid), oid) > 0)
      const [got] = ask(bench, PDU.getNext, [oid.join(".")]).varbinds
      if (wanted === undefined) assert.equal(got!.tag, TAG.endOfMibView)
      else assert.equal(got!.oid, wanted.oid)
    }),
    { numRuns: 400 },
  )
})

test("[RFC 3416 4.2.3] GETBULK of 3 columns and 5 repetitions answers 15, repetition by repetition", () => {
  const bench = core("frr")
  const columns = [IF_NAME, IF_HC_IN_OCTETS, IF_OPER_STATUS]
  const { varbinds } = ask(bench, PDU.getBulk, columns, 0, 5)
  assert.equal(varbinds.length, 15)
  let names = columns
  for (let repetition = 0; repetition < 5; repetition++) {
    const row = varbinds.slice(3 * repetition, 3 * repetition + 3)
    const single = ask(bench, PDU.getNext, names).varbinds
    assert.deepEqual(
      row.map(({ oid }) => oid),
      single.map(({ oid }) => oid),
    )
    names = row.map(({ oid }) => oid)
  }
})

test("[RFC 3416 4.2.3] non-repeaters are answered once, before the repetitions", () => {
  const { varbinds } = ask(core("frr"), PDU.getBulk, ["1.3.6.1.2.1.1.3", "1.3.6.1.2.1.1.5", IF_NAME], 2, 3)
  assert.deepEqual(
    varbinds.slice(0, 2).map(({ oid }) => oid),
    ["1.3.6.1.2.1.1.3.0", "1.3.6.1.2.1.1.5.0"],
  )
  assert.equal(varbinds.length, 5)
  assert.ok(varbinds.slice(2).every(({ oid }) => oid.startsWith(IF_NAME)))
})

test("[RFC 3416 4.2.3] the end of the view is said with the last name, and a repetition of nothing but ends is the last", () => {
  const bench = core("frr")
  const last = walk(bench).at(-1)!.oid
  const [only, ...more] = ask(bench, PDU.getBulk, [last], 0, 50).varbinds
  assert.deepEqual([only!.oid, only!.tag, more.length], [last, TAG.endOfMibView, 0])
  const [sysUpTime, ended] = ask(bench, PDU.getBulk, ["1.3.6.1.2.1.1.2", last], 0, 1).varbinds
  assert.equal(sysUpTime!.oid, "1.3.6.1.2.1.1.2.0")
  assert.equal(ended!.tag, TAG.endOfMibView)
})

test("a RouterOS answer stays within one Ethernet frame and is cut between VarBinds, never inside one", () => {
  const bench = core("routeros7")
  const bytes = bench.agent.answer(requestBytes(PDU.getBulk, [IF_NAME, IF_HC_IN_OCTETS, IF_HC_OUT_OCTETS], 0, 500))!
  assert.ok(bytes.length <= 1472 && bytes.length > 1350, String(bytes.length))
  const all = ask(bench, PDU.getBulk, [IF_NAME, IF_HC_IN_OCTETS, IF_HC_OUT_OCTETS], 0, 500).varbinds
  assert.ok(all.length > 20)
})

test("[RFC 3416 4.2.1] an instance that is not there is told from an object that is not there", () => {
  const { varbinds } = ask(core("routeros7"), PDU.get, [
    `${IF_OPER_STATUS}.999`,
    "1.3.6.1.2.1.99.1.0",
    "1.3.6.1.2.1.1.1",
  ])
  assert.deepEqual(
    varbinds.map(({ tag }) => tag),
    [TAG.noSuchInstance, TAG.noSuchObject, TAG.noSuchInstance],
  )
})

test("[RFC 3416 4.2.5] SET is refused with notWritable and the VarBinds come back as they were", () => {
  const answer = ask(core("routeros7"), PDU.set, ["1.3.6.1.2.1.1.5.0"])
  assert.deepEqual([answer.errorStatus, answer.errorIndex], [17, 1])
  assert.equal(answer.varbinds[0]!.oid, "1.3.6.1.2.1.1.5.0")
})

test("[RFC 3416 4.2.1] a GET whose answer does not fit says tooBig and nothing else", () => {
  const answer = ask(
    core("routeros7"),
    PDU.get,
    Array.from({ length: 200 }, () => "1.3.6.1.2.1.1.1.0"),
  )
  assert.deepEqual([answer.errorStatus, answer.errorIndex, answer.varbinds.length], [1, 0, 0])
})

test("RouterOS offers neither OSPF-MIB nor BGP4-MIB; FRR offers both, and no MIKROTIK-MIB", () => {
  const has = (bench: Bench, root: string) => walk(bench).some(({ oid }) => oid.startsWith(`${root}.`))
  for (const persona of ["routeros6", "routeros7"]) {
    const bench = core(persona)
    assert.deepEqual(
      ["1.3.6.1.2.1.14", "1.3.6.1.2.1.15", "1.3.6.1.4.1.14988"].map((root) => has(bench, root)),
      [false, false, true],
    )
  }
  const bench = core("frr")
  assert.deepEqual(
    ["1.3.6.1.2.1.14", "1.3.6.1.2.1.15", "1.3.6.1.4.1.14988"].map((root) => has(bench, root)),
    [true, true, false],
  )
})

test("the counters of the two MIBs are the low 32 bits and the whole of one count, and are what the network counted", () => {
  const bench = core("frr")
  const port = bench.isp.ports[bench.router.ports[0]!]!
  const [low, whole] = ask(bench, PDU.get, [
    `1.3.6.1.2.1.2.2.1.10.${port.ifIndex}`,
    `${IF_HC_IN_OCTETS}.${port.ifIndex}`,
  ]).varbinds.map(numberOf)
  assert.equal(whole, bench.network.inOctets(port.index))
  assert.ok(whole! > 2 ** 32)
  assert.equal(low, whole! % 2 ** 32)
})

test("a lost OSPF neighbour's row is gone from the next answer on, and its port says down", () => {
  const bench = core("frr")
  const states = () => walk(bench).filter(({ oid }) => oid.startsWith(`${OSPF_NBR_STATE}.`))
  const before = states().length
  const link = bench.network.linksOf(bench.router.index).find((one) => bench.isp.links[one]!.ospf)!
  bench.network.setCut(link, true)
  assert.equal(bench.network.ospf.state[link], OSPF_GONE)
  assert.equal(states().length, before - 1)
  const port = bench.isp.ports[bench.router.ports.find((one) => bench.isp.ports[one]!.wire === link)!]!
  assert.equal(numberOf(ask(bench, PDU.get, [`${IF_OPER_STATUS}.${port.ifIndex}`]).varbinds[0]!), 2)
})

test("a BNG's session count is where RouterOS has it (casnActiveTableEntries.0), and no other router has one", () => {
  const CASN = "1.3.6.1.4.1.9.9.150.1.1.1.0"
  const bng = benchOf((router) => router.roles[0] === "bng")
  const count = bng.network.households.sessionsOn(bng.router.index)!
  assert.ok(count > 100)
  assert.equal(numberOf(ask(bng, PDU.get, [CASN]).varbinds[0]!), count)
  assert.notEqual(ask(core("routeros7"), PDU.get, [CASN]).varbinds[0]!.tag, TAG.gauge32)
})

test("a port without light shows -40 dBm, and light when it is mended", () => {
  const bench = core("routeros7")
  const port = bench.router.ports
    .map((one) => bench.isp.ports[one]!)
    .find(({ kind, name }) => kind === "link" && /^q?sfp/.test(name))!
  const rx = (): number =>
    ask(bench, PDU.get, [`1.3.6.1.4.1.14988.1.1.19.1.1.10.${port.ifIndex}`]).varbinds[0]!.value.readInt16BE()
  const lit = rx()
  assert.ok(lit < -3000 && lit > -9000)
  bench.network.setCut(port.wire, true)
  // Three octets: -40000 does not fit two.
  assert.equal(
    ask(bench, PDU.get, [`1.3.6.1.4.1.14988.1.1.19.1.1.10.${port.ifIndex}`]).varbinds[0]!.value.readIntBE(0, 3),
    -40_000,
  )
  bench.network.setCut(port.wire, false)
  assert.equal(rx(), lit)
})
