/**
 * Oracle test: recordings of real devices, with what LibreNMS made of them, are served by the test agent and polled by
 * our collector; both must read the same ports. The recordings are GPL and stay outside the repository.
 */
import assert from "node:assert/strict"
import { existsSync, readdirSync, readFileSync } from "node:fs"
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
}
