/**
 * [W3] Forwarding tables by SNMP: both MIBs, both numberings of ports, damaged rows counted, tables too long bounded, and
 * what is absent told as absent. Recordings of real RouterOS devices are the oracle of what RouterOS answers; they are GPL and
 * stay outside the repository.
 */
import assert from "node:assert/strict"
import { existsSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { describe, test, type TestContext } from "node:test"
import * as Effect from "effect/Effect"
import { macText } from "#protocol/bridge.ts"
import { deviceId } from "#protocol/id.ts"
import { metricId } from "#protocol/metric.ts"
import type { BridgeReading, Collected } from "#engine/collectors/collector.ts"
import { BRIDGE_ROWS_MAX } from "#engine/collectors/collector.ts"
import { bridgeReading } from "#engine/collectors/snmp/bridge.ts"
import { makeSnmpCollector } from "#engine/collectors/snmp/collector.ts"
import type { Agent, Cell } from "#engine/collectors/snmp/recorded-agent.fixture.ts"
import { readRecording, startAgent } from "#engine/collectors/snmp/recorded-agent.fixture.ts"
import { TAG } from "#engine/collectors/snmp/varbinds.ts"

const DIRECTORY = join(import.meta.dirname, "../../../../shared/data/snmprec")
const BASE = "1.3.6.1.2.1.17.1.4.1.2"
const FDB = "1.3.6.1.2.1.17.4.3.1"
const VLAN_FDB = "1.3.6.1.2.1.17.7.1.2.2.1"
const SYS_OBJECT_ID = "1.3.6.1.2.1.1.2.0"

const integer = (oid: string, value: number): Cell => ({ oid, tag: TAG.integer, value })
const text = (oid: string, value: string): Cell => ({ oid, tag: TAG.octetString, value: Buffer.from(value) })
/** Ports e1..e4 with ifIndex 11..14 and base ports 1..4. */
const device = (rows: readonly Cell[], vendor = "1.3.6.1.4.1.9.1.1"): readonly Cell[] => [
  text("1.3.6.1.2.1.1.1.0", "a switch"),
  { oid: SYS_OBJECT_ID, tag: TAG.oid, value: vendor },
  { oid: "1.3.6.1.2.1.1.3.0", tag: TAG.timeTicks, value: 100_000 },
  ...[1, 2, 3, 4].flatMap((n) => [
    integer(`1.3.6.1.2.1.2.2.1.7.${10 + n}`, 1),
    integer(`1.3.6.1.2.1.2.2.1.8.${10 + n}`, 1),
    { oid: `1.3.6.1.2.1.2.2.1.6.${10 + n}`, tag: TAG.octetString, value: Buffer.from([2, 0, 0, 0, 0, n]) },
    text(`1.3.6.1.2.1.31.1.1.1.1.${10 + n}`, `e${n}`),
  ]),
  ...rows,
]
const base = [1, 2, 3, 4].map((n) => integer(`${BASE}.${n}`, 10 + n))
const host = (last: number): string => `0.26.43.60.${last >> 8}.${last & 255}`

const open = async (t: TestContext, cells: readonly Cell[]): Promise<{ agent: Agent; poll: Promise<Collected> }> => {
  const agent = await startAgent(cells)
  t.after(agent.close)
  const opened = makeSnmpCollector().open({
    device: deviceId("bridge"),
    name: "bridge",
    address: agent.address,
    pollSeconds: 60,
    snmp: { version: "2c", port: agent.port, community: "public" },
    routeros: null,
  })
  assert.ok(opened !== null)
  return { agent, poll: Effect.runPromise(Effect.scoped(Effect.flatMap(opened, (poller) => poller.poll(30_000)))) }
}
const read = async (t: TestContext, cells: readonly Cell[]): Promise<Collected> => (await open(t, cells)).poll
const shown = (bridge: BridgeReading | null | undefined): readonly string[] | null | undefined =>
  bridge && [...bridge.mac].map((mac, i) => `${bridge.ports[bridge.port[i]!]} ${macText(mac)}`).sort()
const metric = (input: Collected, name: "bridge.hosts" | "bridge.hosts_refused"): number | undefined =>
  input.value[input.metric.indexOf(metricId(name))]

describe("[W3] tables", () => {
  test("learned hosts on their ports, of a table with status; self, configured and invalid rows are no hosts", async (t) => {
    const rows = [3, 3, 4, 5, 2, 1].flatMap((status, n) => [
      integer(`${FDB}.2.${host(n)}`, (n % 4) + 1),
      integer(`${FDB}.3.${host(n)}`, status),
    ])
    const input = await read(t, device([...base, ...rows]))
    assert.deepEqual(shown(input.bridge), ["if:e1 00:1a:2b:3c:00:00", "if:e2 00:1a:2b:3c:00:01"])
    assert.deepEqual(input.bridge?.ports, ["if:e1", "if:e2", "if:e3", "if:e4"])
    assert.equal(input.bridge?.isWhole, true)
    assert.deepEqual([metric(input, "bridge.hosts"), metric(input, "bridge.hosts_refused")], [6, 0])
  })

  test("with VLANs: the filtering database's number is no part of the MAC; a host of both tables is one of each", async (t) => {
    const rows = [
      integer(`${FDB}.2.${host(1)}`, 1),
      integer(`${VLAN_FDB}.2.7.${host(1)}`, 1),
      integer(`${VLAN_FDB}.2.9.${host(2)}`, 3),
      integer(`${VLAN_FDB}.2.9.${host(3)}`, 0),
    ]
    const input = await read(t, device([...base, ...rows]))
    assert.deepEqual([...new Set(shown(input.bridge))], ["if:e1 00:1a:2b:3c:00:01", "if:e3 00:1a:2b:3c:00:02"])
    assert.equal(metric(input, "bridge.hosts"), 4, "port 0 is the bridge itself: a row, and no host")
  })

  test("RouterOS numbers dot1dTpFdbTable by ifIndex and dot1qTpFdbTable by base port", async (t) => {
    const rows = [integer(`${FDB}.2.${host(1)}`, 13), integer(`${VLAN_FDB}.2.1.${host(2)}`, 3)]
    const input = await read(t, device([...base, ...rows], "1.3.6.1.4.1.14988.1"))
    assert.deepEqual(shown(input.bridge), ["if:e3 00:1a:2b:3c:00:01", "if:e3 00:1a:2b:3c:00:02"])
    const other = await read(t, device([...base, ...rows]))
    assert.deepEqual(shown(other.bridge), ["if:e3 00:1a:2b:3c:00:02"], "elsewhere 13 is no port of the bridge")
    assert.equal(metric(other, "bridge.hosts_refused"), 1)
  })

  test("damaged rows are left out and counted: short and long indexes, octets above 255, ports that are none, no integers", async (t) => {
    const rows = [
      integer(`${FDB}.2.1.2.3.4.5`, 1),
      integer(`${FDB}.2.1.2.3.4.5.6.7`, 1),
      integer(`${FDB}.2.0.26.43.60.77.300`, 1),
      integer(`${FDB}.2.${host(1)}`, 99),
      text(`${FDB}.2.${host(2)}`, "1"),
      integer(`${FDB}.2.${host(3)}`, -1),
      integer(`${VLAN_FDB}.2.${host(4)}`, 1),
      integer(`${FDB}.2.${host(5)}`, 2),
    ]
    const input = await read(t, device([...base, ...rows]))
    assert.deepEqual(shown(input.bridge), ["if:e2 00:1a:2b:3c:00:05"])
    assert.equal(metric(input, "bridge.hosts_refused"), 7)
  })

  test("a device without a bridge has none, and one with a bridge that hears nobody has an empty one", async (t) => {
    const none = await read(t, device([]))
    assert.equal(none.bridge, null)
    assert.equal(metric(none, "bridge.hosts"), undefined)
    const empty = await read(t, device(base))
    assert.deepEqual([shown(empty.bridge), empty.bridge?.isWhole, metric(empty, "bridge.hosts")], [[], true, 0])
  })

  test("more rows than the bound: its beginning, told as such", async (t) => {
    const rows = Array.from({ length: BRIDGE_ROWS_MAX + 300 }, (_, n) => integer(`${FDB}.2.${host(n)}`, 1))
    const { bridge } = await read(t, device([...base, ...rows]))
    assert.equal(bridge?.isWhole, false)
    assert.ok(bridge.mac.length <= BRIDGE_ROWS_MAX && bridge.mac.length > BRIDGE_ROWS_MAX - 200)
  })

  test("an agent that falls silent in the middle of its table tells no table, and everything else", async (t) => {
    const rows = Array.from({ length: 400 }, (_, n) => integer(`${FDB}.2.${host(n)}`, 1))
    const { agent, poll } = await open(t, device([...base, ...rows]))
    let asked = 0
    agent.misbehave = ({ oids }) => (oids.some((oid) => oid.startsWith(FDB)) && asked++ > 0 ? null : undefined)
    const input = await poll
    assert.equal(input.bridge, undefined)
    assert.equal(metric(input, "bridge.hosts"), undefined)
    assert.ok(asked > 1 && input.complete.includes("interface"))
  })

  test("each interface tells its own MAC, once, and none that is no MAC", async (t) => {
    const cells = device([{ oid: "1.3.6.1.2.1.2.2.1.6.14", tag: TAG.octetString, value: Buffer.alloc(6) }])
    const own = (await read(t, cells)).texts.filter(({ fact }) => fact === "interface.mac")
    assert.deepEqual(
      own.map(({ entity, text: mac }) => `${entity} ${mac}`),
      [1, 2, 3].map((n) => `if:e${n} 02:00:00:00:00:0${n}`),
    )
  })

  test("a host on a port without a name is left out, and the reading is not whole then", () => {
    const table = {
      ifIndexes: [1, 2],
      hosts: [1, 2].map((ifIndex) => ({ mac: 5, ifIndex })),
      rows: 2,
      refused: 0,
      isWhole: true,
    }
    const all = bridgeReading(table, (ifIndex) => `if:e${ifIndex}` as never)
    assert.deepEqual([shown(all), all?.isWhole], [["if:e1 00:00:00:00:00:05", "if:e2 00:00:00:00:00:05"], true])
    const some = bridgeReading(table, (ifIndex) => (ifIndex === 1 ? ("if:e1" as never) : null))
    assert.deepEqual([shown(some), some?.isWhole], [["if:e1 00:00:00:00:00:05"], false])
  })
})

// -- recordings ---------------------------------------------------------------------------------------------------------

const recorded = existsSync(DIRECTORY) ? readdirSync(DIRECTORY).filter((name) => name.endsWith(".snmprec")) : []
if (recorded.length === 0)
  test("recordings of bridges", (t) =>
    t.skip(`no recordings in ${DIRECTORY}; enable: put LibreNMS tests/snmpsim/*.snmprec and tests/data/*.json there`))

const under = (cells: readonly Cell[], column: string): ReadonlyArray<readonly [index: string, value: number]> =>
  cells.flatMap(({ oid, value }) =>
    oid.startsWith(`${column}.`) ? [[oid.slice(column.length + 1), Number(value)]] : [],
  )

for (const name of recorded) {
  test(`recording ${name}: every recorded host stands on a port of the device, or is its own, or is counted`, async (t) => {
    const cells = readRecording(join(DIRECTORY, name))
    const rows = [...under(cells, `${FDB}.2`), ...under(cells, `${VLAN_FDB}.2`)]
    const input = await read(t, cells)
    if (under(cells, BASE).length === 0) return assert.equal(input.bridge, null)
    assert.ok(input.bridge, "it has bridge ports, so that it has a table")
    assert.equal(metric(input, "bridge.hosts"), rows.length)
    const itself = rows.filter(([, port]) => port === 0).length
    const refused = metric(input, "bridge.hosts_refused") ?? 0
    assert.equal(input.bridge.mac.length + itself + refused, rows.length)
    // RouterOS: what it records of dot1dTpFdbTable are ifIndexes, so that each has an interface.
    const names = new Map(under(cells, "1.3.6.1.2.1.2.2.1.8").map(([ifIndex]) => [Number(ifIndex), true]))
    for (const [, port] of under(cells, `${FDB}.2`)) assert.ok(port === 0 || names.has(port), `port ${port}`)
    assert.equal(refused, 0)
    const macs = new Set([...input.bridge.mac].map(macText))
    const indexes = rows.flatMap(([index, port]) => (port === 0 ? [] : [index.split(".").slice(-6).map(Number)]))
    const expected = indexes.map((octets) => octets.map((octet) => octet.toString(16).padStart(2, "0")).join(":"))
    assert.deepEqual([...macs].sort(), [...new Set(expected)].sort())
    t.diagnostic(`${rows.length} rows, ${input.bridge.mac.length} hosts on ${input.bridge.ports.length} ports`)
  })
}
