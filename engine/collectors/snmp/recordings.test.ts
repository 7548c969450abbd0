/**
 * Oracle test: recordings of real devices, with what LibreNMS made of them, are served by the test agent and polled by
 * our collector; both must read the same ports. The recordings are GPL and stay outside the repository.
 */
import assert from "node:assert/strict"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { isIPv4 } from "node:net"
import { join } from "node:path"
import type { TestContext } from "node:test"
import test from "node:test"
import * as Effect from "effect/Effect"
import { deviceId } from "#protocol/id.ts"
import type { MetricName } from "#protocol/metric.ts"
import { metricId } from "#protocol/metric.ts"
import type { PollInput } from "#twin/input.ts"
import { makeSnmpCollector } from "#engine/collectors/snmp/collector.ts"
import type { Cell } from "#engine/collectors/snmp/recorded-agent.fixture.ts"
import { readRecording, startAgent } from "#engine/collectors/snmp/recorded-agent.fixture.ts"

const DIRECTORY = join(import.meta.dirname, "../../../../shared/data/snmprec")

interface ExpectedPort {
  readonly ifIndex: number
  readonly ifOperStatus: string | null
  readonly ifAdminStatus: string | null
  readonly ifInOctets: number | null
  readonly ifOutOctets: number | null
}

const recordings = existsSync(DIRECTORY)
  ? readdirSync(DIRECTORY)
      .filter((name) => name.endsWith(".snmprec"))
      .map((name) => name.slice(0, -".snmprec".length))
  : []

if (recordings.length === 0) {
  test("recordings", (t) =>
    t.skip(`no recordings in ${DIRECTORY}; enable: put LibreNMS tests/snmpsim/*.snmprec and tests/data/*.json there`))
}

const poll = async (t: TestContext, cells: readonly Cell[]): Promise<PollInput> => {
  const agent = await startAgent(cells)
  t.after(agent.close)
  const opened = makeSnmpCollector().open({
    device: deviceId("recorded"),
    name: "recorded",
    address: agent.address,
    pollSeconds: 60,
    snmp: { version: "2c", port: agent.port, community: "public" },
    routeros: null,
  })
  assert.ok(opened !== null)
  return Effect.runPromise(Effect.scoped(Effect.flatMap(opened, (poller) => poller.poll(30_000))))
}

/** LibreNMS' own module result: poller values when it differs from discovery. */
const expectedPorts = (name: string): readonly ExpectedPort[] => {
  const data = JSON.parse(readFileSync(join(DIRECTORY, `${name}.json`), "utf8")) as {
    ports?: Record<string, { ports?: ExpectedPort[] } | string>
  }
  const { poller, discovery } = data.ports ?? {}
  const chosen = typeof poller === "object" ? poller : discovery
  return typeof chosen === "object" ? (chosen.ports ?? []) : []
}

interface SeenPort {
  readonly key: string
  readonly values: ReadonlyMap<number, number>
}

const byIfIndex = (input: PollInput): Map<number, SeenPort> => {
  const values = input.entities.map(() => new Map<number, number>())
  for (let i = 0; i < input.metric.length; i++) {
    values[input.entity[i] as number]?.set(input.metric[i] as number, input.value[i] as number)
  }
  const ports = new Map<number, SeenPort>()
  for (const [at, key] of input.entities.entries()) {
    const ifIndex = values[at]?.get(metricId("interface.if_index"))
    if (ifIndex !== undefined) ports.set(ifIndex, { key, values: values[at] as Map<number, number> })
  }
  return ports
}

/** The recorded cell itself: what the device really said, before any reader. */
const cellOf = (cells: readonly Cell[]): ((oid: string) => number | null) => {
  const map = new Map(cells.map((cell) => [cell.oid, cell.value]))
  return (oid) => {
    const value = map.get(oid)
    return typeof value === "bigint" || typeof value === "number" ? Number(value) : null
  }
}

const LLDP_REMOTE = "1.0.8802.1.1.2.1.4.1.1"
const MTXR = "1.3.6.1.4.1.14988.1.1"
const PORT_COLUMNS: ReadonlyArray<readonly [metric: MetricName, oid: string, factor: number]> = [
  ["optical.rx_power_dbm", `${MTXR}.19.1.1.10`, 1000],
  ["optical.tx_power_dbm", `${MTXR}.19.1.1.9`, 1000],
  ["wireless.signal_dbm", `${MTXR}.1.8.1.12`, 1],
  ["wireless.ccq_pct", `${MTXR}.1.3.1.10`, 1],
]
const PORT_METRICS = PORT_COLUMNS.map(([metric]) => metric)

/** Cells of one column by index. */
const column = (cells: readonly Cell[], oid: string): Map<string, Cell> =>
  new Map(cells.filter((cell) => cell.oid.startsWith(`${oid}.`)).map((cell) => [cell.oid.slice(oid.length + 1), cell]))

/** As a person would read the recorded octets. */
const printed = ({ value }: Cell): string =>
  Buffer.from(value as Uint8Array)
    .toString("utf8")
    .trim()

/** IPv4 addresses of both tables, [ifIndex, address], each once and without broadcast addresses. */
const recordedAddresses = (cells: readonly Cell[]): ReadonlyArray<readonly [number, string]> => {
  const found = new Map<string, number>()
  for (const [address, { value }] of column(cells, "1.3.6.1.2.1.4.20.1.2")) found.set(address, Number(value))
  const types = column(cells, "1.3.6.1.2.1.4.34.1.4")
  for (const [index, { value }] of column(cells, "1.3.6.1.2.1.4.34.1.3")) {
    const address = index.startsWith("1.4.") ? index.slice("1.4.".length) : ""
    if (address !== "" && types.get(index)?.value !== 3 && !found.has(address)) found.set(address, Number(value))
  }
  return [...found].map(([address, ifIndex]) => [ifIndex, address])
}

for (const name of recordings) {
  test(`recording ${name}: every expected port's state and octets, and nothing invented`, async (t) => {
    const cells = readRecording(join(DIRECTORY, `${name}.snmprec`))
    const input = await poll(t, cells)
    const seen = byIfIndex(input)
    const recorded = cellOf(cells)
    const value = (port: SeenPort, metric: MetricName): number | null => port.values.get(metricId(metric)) ?? null

    let compared = 0
    for (const port of expectedPorts(name)) {
      const oper = recorded(`1.3.6.1.2.1.2.2.1.8.${port.ifIndex}`)
      const found = seen.get(port.ifIndex)
      // LibreNMS makes ports of ifXTable rows alone and of vendor tables; ours are rows of ifTable with a state.
      if (oper === null) {
        assert.equal(found, undefined, `ifIndex ${port.ifIndex} invented`)
        continue
      }
      assert.ok(found !== undefined, `ifIndex ${port.ifIndex} is missing`)
      if (port.ifOperStatus !== null) {
        assert.equal(value(found, "interface.oper_up"), port.ifOperStatus === "up" ? 1 : 0, `${found.key} ifOperStatus`)
        compared++
      }
      if (port.ifAdminStatus !== null && recorded(`1.3.6.1.2.1.2.2.1.7.${port.ifIndex}`) !== null) {
        assert.equal(
          value(found, "interface.admin_up"),
          port.ifAdminStatus === "up" ? 1 : 0,
          `${found.key} ifAdminStatus`,
        )
      }
      const wide = recorded(`1.3.6.1.2.1.31.1.1.1.6.${port.ifIndex}`)
      if (wide !== null && port.ifInOctets !== null) {
        assert.equal(value(found, "interface.rx_bytes_total"), port.ifInOctets, `${found.key} ifInOctets`)
        assert.equal(value(found, "interface.tx_bytes_total"), port.ifOutOctets, `${found.key} ifOutOctets`)
        compared++
      }
    }
    const rows = cells.filter(({ oid }) => oid.startsWith("1.3.6.1.2.1.2.2.1.8.")).length
    assert.equal(seen.size, rows, "as many interfaces as the device has states")
    if (rows > 0) assert.ok(input.complete.includes("interface"))
    if (expectedPorts(name).length > 0) assert.ok(compared > 0, "nothing was compared")
    t.diagnostic(`${seen.size} ports, ${compared} values compared with LibreNMS`)
  })

  test(`recording ${name}: neighbours are the recorded rows`, async (t) => {
    const cells = readRecording(join(DIRECTORY, `${name}.snmprec`))
    const input = await poll(t, cells)
    const states = (column: string): number => cells.filter(({ oid }) => oid.startsWith(column)).length
    const keys = (prefix: string): number => input.entities.filter((key) => key.startsWith(prefix)).length
    assert.equal(keys("ospf:"), states("1.3.6.1.2.1.14.10.1.6."))
    assert.equal(keys("bgp:"), states("1.3.6.1.2.1.15.3.1.2."))
    if (keys("bgp:") > 0) assert.ok(input.complete.includes("bgp.peer"))
    if (name.startsWith("routeros")) assert.ok(!input.complete.includes("ospf.neighbor"))
  })

  test(`recording ${name}: LLDP rows, addresses, light and radio are the recorded cells`, async (t) => {
    const cells = readRecording(join(DIRECTORY, `${name}.snmprec`))
    const input = await poll(t, cells)
    const ports = byIfIndex(input)
    const said = (fact: string): ReadonlyArray<readonly [string, string]> =>
      input.texts.filter((row) => row.fact === fact).map(({ entity, text }) => [entity, text])

    const rows = column(cells, `${LLDP_REMOTE}.4`)
    assert.equal(input.entities.filter((key) => key.startsWith("lldp:")).length, rows.size, "LLDP rows")
    assert.equal(input.complete.includes("lldp.neighbor"), rows.size > 0)
    const names = [...column(cells, `${LLDP_REMOTE}.9`).values()].map(printed)
    assert.deepEqual(
      said("lldp.neighbor.system_name")
        .map(([, text]) => text)
        .sort(),
      names.sort(),
    )
    // None of these agents has lldpLocPortTable: the port is the ifIndex, where the index has one.
    const local = [...rows.keys()].map((index) => {
      const [, port] = /^\d+\.(\d+)\.\d+$/.exec(index) ?? []
      return ports.get(Number(port))?.key.slice("if:".length) ?? ""
    })
    assert.deepEqual(
      said("lldp.neighbor.interface")
        .map(([, text]) => text)
        .sort(),
      local.sort(),
    )

    const addresses = recordedAddresses(cells).flatMap(([ifIndex, address]) => {
      const port = ports.get(ifIndex)
      return port === undefined ? [] : [`${port.key} ${address}`]
    })
    const shown = said("interface.addresses").flatMap(([key, text]) =>
      text
        .split(", ")
        .map((one) => one.replace(/\/\d+$/, ""))
        .flatMap((address) => (isIPv4(address) ? [`${key} ${address}`] : [])),
    )
    assert.deepEqual(shown.sort(), addresses.sort())

    const under = new Map<string, string[]>()
    for (const [index, { value }] of column(cells, "1.3.6.1.2.1.31.1.2.1.3")) {
      const [higher, lower] = index.split(".").map((arc) => ports.get(Number(arc))?.key)
      if (value !== 1 || higher === undefined || lower === undefined) continue
      under.set(higher, [...(under.get(higher) ?? []), lower.slice("if:".length)])
    }
    const layered = [...under].map(([key, lowers]) => `${key} over ${lowers.join(", ")}`)
    assert.deepEqual(
      said("interface.lower_layers")
        .map(([key, text]) => `${key} over ${text}`)
        .sort(),
      layered.sort(),
    )

    let measured = 0
    for (const [metric, oid, factor] of PORT_COLUMNS) {
      for (const [index, cell] of column(cells, oid)) {
        const port = ports.get(Number(index))
        const value = Number(cell.value)
        if (port === undefined) continue
        assert.equal(
          port.values.get(metricId(metric)) ?? null,
          value === 0 ? null : value / factor,
          `${port.key} ${metric}`,
        )
        if (value !== 0) measured++
      }
    }
    const values = [...ports.values()].flatMap((port) =>
      PORT_METRICS.flatMap((metric) => port.values.get(metricId(metric)) ?? []),
    )
    assert.equal(values.length, measured, "nothing invented")
    t.diagnostic(
      `${rows.size} LLDP rows, ${addresses.length} IPv4 addresses, ${measured} values of light and radio, ${layered.length} stacks`,
    )
  })
}
