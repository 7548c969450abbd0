import assert from "node:assert/strict"
import { performance } from "node:perf_hooks"
import type { TestContext } from "node:test"
import test from "node:test"
import fc from "fast-check"
import { PDU } from "#engine/collectors/snmp/ber.ts"
import { SnmpFailed } from "#engine/collectors/snmp/client.ts"
import { encodeMessage } from "#engine/collectors/snmp/encode.ts"
import { makeGateCounts } from "#engine/collectors/snmp/gate.ts"
import { arcsOf, oid } from "#engine/collectors/snmp/oid.ts"
import type { Agent, Cell } from "#engine/collectors/snmp/recorded-agent.fixture.ts"
import { startAgent } from "#engine/collectors/snmp/recorded-agent.fixture.ts"
import { makeUdpPool } from "#engine/collectors/snmp/udp.ts"
import { v2cClient } from "#engine/collectors/snmp/v2c.ts"
import { TAG } from "#engine/collectors/snmp/varbinds.ts"
import type { Pace, Walk, WalkEnd } from "#engine/collectors/snmp/walk.ts"
import { makePace, walkColumns } from "#engine/collectors/snmp/walk.ts"

const ENTRY = "1.3.6.1.2.1.2.2.1"
const column = (number: number): string => `${ENTRY}.${number}`
const cell = (number: number, index: string, value: number): Cell => ({
  oid: `${column(number)}.${index}`,
  tag: TAG.gauge32,
  value,
})

const rows = (columns: readonly number[], count: number): Cell[] =>
  columns.flatMap((number) => Array.from({ length: count }, (_, i) => cell(number, String(i + 1), number * 10_000 + i)))

const open = async (
  t: TestContext,
  cells: readonly Cell[],
): Promise<{ agent: Agent; walk: (pace?: Pace, ms?: number) => Walk }> => {
  const agent = await startAgent(cells)
  const client = v2cClient({
    pool: makeUdpPool(),
    address: agent.address,
    port: agent.port,
    community: "public",
    counts: makeGateCounts(),
  })
  t.after(() => {
    client.close()
    agent.close()
  })
  return { agent, walk: (pace = makePace(), ms = 5_000) => ({ client, pace, untilMs: performance.now() + ms }) }
}

const collect = async (
  walk: Walk,
  columns: readonly number[],
  expectRows = 0,
): Promise<{ end: WalkEnd; cells: Map<string, number> }> => {
  const cells = new Map<string, number>()
  const bases = columns.map((number) => oid(column(number)))
  const end = await walkColumns(walk, bases, expectRows, (at, answer, i) => {
    const index = arcsOf(answer.bytes, answer.oidStart(i) + (bases[at] as Uint8Array).length, answer.oidEnd(i)).join(
      ".",
    )
    const name = `${columns[at]}.${index}`
    assert.ok(!cells.has(name), `${name} twice`)
    cells.set(name, answer.number(i) ?? Number.NaN)
  })
  return { end, cells }
}

test("every cell of every column comes exactly once, whatever the holes, neighbours and hints", async (t) => {
  const { agent, walk } = await open(t, [])
  const index = fc.oneof(
    fc.nat({ max: 300 }).map((n) => String(n + 1)),
    fc.tuple(fc.nat(255), fc.nat(70_000)).map((pair) => pair.join(".")),
  )
  const table = fc.array(fc.tuple(fc.integer({ min: 1, max: 9 }), index, fc.nat(1_000_000)), { maxLength: 150 })
  await fc.assert(
    fc.asyncProperty(table, fc.nat(200), fc.integer({ min: 1, max: 120 }), async (cells, hint, varbinds) => {
      const unique = new Map(cells.map(([number, at, value]) => [`${number}.${at}`, { number, at, value }]))
      agent.set([...unique.values()].map(({ number, at, value }) => cell(number, at, value)))
      const asked = [2, 3, 5, 7]
      const { end, cells: got } = await collect(walk({ varbinds, bytesPerVarbind: 20 }), asked, hint)
      assert.equal(end, "complete")
      const wanted = [...unique]
        .filter(([, { number }]) => asked.includes(number))
        .map(([name, { value }]) => [name, value] as const)
      assert.deepEqual([...got].sort(), wanted.sort())
    }),
    { numRuns: 120 },
  )
})

test("8 columns share a packet: 48 rows cost few packets, and a known row count saves the overshoot", async (t) => {
  const columns = [1, 2, 3, 4, 5, 6, 7, 8]
  const { agent, walk } = await open(t, rows(columns, 48))
  const pace = makePace()
  await collect(walk(pace), columns)
  const first = agent.requests.length
  assert.ok(first <= 12, `${first} packets`)
  await collect(walk(pace), columns, 48)
  assert.ok(agent.requests.length - first <= 9, `${agent.requests.length - first} packets`)
})

test("S6: a device that repeats the same OID ends the walk at once", async (t) => {
  const { agent, walk } = await open(t, rows([2], 50))
  const same = { oid: oid(`${column(2)}.1`), tag: TAG.gauge32, value: 1 }
  agent.misbehave = ({ requestId }) => encodeMessage(Buffer.from("public"), PDU.response, requestId, 0, 0, [same, same])
  const { end, cells } = await collect(walk(), [2])
  assert.equal(end, "order")
  assert.equal(cells.size, 1)
  assert.equal(agent.requests.length, 1)
})

test("S7: a device that answers each question with the asked OID itself ends the walk at once", async (t) => {
  const { agent, walk } = await open(t, [])
  agent.misbehave = ({ requestId, oids }) =>
    encodeMessage(
      Buffer.from("public"),
      PDU.response,
      requestId,
      0,
      0,
      oids.map((name) => ({ oid: oid(`${name}.1`), tag: TAG.gauge32, value: 1 })),
    )
  // First `2.1`, then `2.1.1`, ...: increasing for ever, so the cap on rows is what ends it.
  const limits = { rows: 100, bytes: 1e6, packets: 1_000 }
  const { end } = await collect({ ...walk(), limits }, [2])
  assert.ok(end === "rows" || end === "complete")
  assert.ok(agent.requests.length <= 130)
  agent.misbehave = ({ requestId, oids }) =>
    encodeMessage(
      Buffer.from("public"),
      PDU.response,
      requestId,
      0,
      0,
      oids.map((name) => ({ oid: oid(name), tag: TAG.gauge32, value: 1 })),
    )
  const before = agent.requests.length
  assert.equal((await collect(walk(), [2])).end, "order")
  assert.equal(agent.requests.length, before + 1)
})

test("an agent that goes backwards, or answers nothing at all, is not believed to be at its end", async (t) => {
  const { agent, walk } = await open(t, rows([2], 20))
  const earlier = { oid: oid("1.3.6.1.2.1.1.1.0"), tag: TAG.gauge32, value: 1 }
  agent.misbehave = ({ requestId }) => encodeMessage(Buffer.from("public"), PDU.response, requestId, 0, 0, [earlier])
  assert.equal((await collect(walk(), [2])).end, "order")
  agent.misbehave = ({ requestId }) => encodeMessage(Buffer.from("public"), PDU.response, requestId, 0, 0, [])
  assert.equal((await collect(walk(), [2])).end, "order")
})

for (const [cap, limits] of [
  ["rows", { rows: 30, bytes: 1e6, packets: 1_000 }],
  ["bytes", { rows: 1e6, bytes: 3_000, packets: 1_000 }],
  ["packets", { rows: 1e6, bytes: 1e6, packets: 3 }],
] as const) {
  test(`the cap on ${cap} stops the walk and is named`, async (t) => {
    const { walk } = await open(t, rows([2], 2_000))
    const { end, cells } = await collect({ ...walk(), limits }, [2])
    assert.equal(end, cap)
    assert.ok(cells.size > 0 && cells.size < 2_000)
  })
}

test("tooBig halves the packets until they fit, and they grow again", async (t) => {
  const { agent, walk } = await open(t, rows([2, 3], 60))
  agent.misbehave = (request, honest) =>
    request.maxRepetitions > 5
      ? encodeMessage(Buffer.from("public"), PDU.response, request.requestId, 1, 0, [])
      : honest
  const pace = makePace()
  const { end, cells } = await collect(walk(pace), [2, 3])
  assert.equal(end, "complete")
  assert.equal(cells.size, 120)
  agent.misbehave = () => undefined
  await collect(walk(pace), [2, 3])
  assert.ok(pace.varbinds > 20)
})

test("tooBig for a single row is a failure, not an endless walk", async (t) => {
  const { agent, walk } = await open(t, rows([2], 5))
  agent.misbehave = ({ requestId }) => encodeMessage(Buffer.from("public"), PDU.response, requestId, 1, 0, [])
  await assert.rejects(collect(walk(), [2]), (error) => error instanceof SnmpFailed && error.status === 1)
  assert.ok(agent.requests.length < 12)
})

test("a device that falls silent half-way ends the walk by its deadline, with the cells before it delivered", async (t) => {
  const { agent, walk } = await open(t, rows([2], 500))
  agent.misbehave = (_request, honest) => (agent.requests.length > 3 ? null : honest)
  let cells = 0
  const startMs = performance.now()
  const dying = walkColumns(walk(makePace(), 2_000), [oid(column(2))], 0, () => cells++)
  const end = await dying.catch((error: unknown) => (error instanceof SnmpFailed ? error.reason : error))
  assert.ok(end === "time" || end === "timeout", String(end))
  assert.ok(cells > 0 && cells < 500)
  assert.ok(performance.now() - startMs < 20_000)
})
