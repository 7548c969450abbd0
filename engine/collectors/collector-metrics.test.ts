/** [O8] What the wire let in is told on /metrics, and survives the devices that it was counted for. */
import assert from "node:assert/strict"
import { test } from "node:test"
import * as Effect from "effect/Effect"
import { snmpMetrics, trapMetrics } from "#engine/collectors/collector-metrics.ts"
import { makeSnmpCollector } from "#engine/collectors/snmp/collector.ts"
import { startAgent } from "#engine/collectors/snmp/recorded-agent.fixture.ts"
import { makeTrapStats } from "#engine/collectors/trap.ts"
import type { Target } from "#engine/collectors/target.ts"
import { makeMetrics } from "#engine/metrics/registry.ts"
import { deviceId } from "#protocol/id.ts"

const valueOf = (text: string, line: string): number =>
  Number(
    text
      .split("\n")
      .find((one) => one.startsWith(`${line} `))
      ?.slice(line.length + 1),
  )

test("[O8] the gate's counts are summed over devices and kept when a device goes", async (t) => {
  const agent = await startAgent([{ oid: "1.3.6.1.2.1.1.3.0", tag: 0x43, value: 1 }])
  t.after(agent.close)
  const collector = makeSnmpCollector()
  const metrics = makeMetrics()
  snmpMetrics(metrics, collector)
  const target: Target = {
    device: deviceId("01890000-0000-7000-8000-000000000001"),
    name: "r1",
    address: agent.address,
    pollSeconds: 10,
    snmp: { version: "2c", port: agent.port, community: "public" },
    routeros: null,
  }
  const pollOnce = Effect.scoped(
    Effect.gen(function* () {
      const poller = yield* collector.open(target) ?? assert.fail("no poller")
      yield* Effect.exit(poller.poll(2_000))
    }),
  )
  await Effect.runPromise(pollOnce)
  const first = metrics.render()
  const sent = valueOf(first, "heliograph_snmp_sent_total")
  assert.ok(sent > 0, first)
  assert.equal(valueOf(first, 'heliograph_snmp_answers_total{outcome="accepted"}'), sent)
  assert.equal(valueOf(first, "heliograph_snmp_sockets"), 0)
  await Effect.runPromise(pollOnce)
  assert.equal(valueOf(metrics.render(), "heliograph_snmp_sent_total"), 2 * sent)
  assert.ok(!first.includes(target.device) && !first.includes("r1"), "no device is a label")
})

test("[O8] every end of a notification has its counter", () => {
  const metrics = makeMetrics()
  const stats = makeTrapStats()
  trapMetrics(metrics, stats, () => 3)
  Object.assign(stats, { submitted: 1, lost: 2, reports: 4, defects: 5, answered: 6 })
  for (const [i, reason] of Object.keys(stats.dropped).entries())
    stats.dropped[reason as keyof typeof stats.dropped] = 100 + i
  const text = metrics.render()
  const of = (outcome: string): number => valueOf(text, `heliograph_traps_total{outcome="${outcome}"}`)
  assert.deepEqual([of("submitted"), of("lost"), of("report"), of("defect")], [1, 2, 4, 5])
  for (const [i, reason] of Object.keys(stats.dropped).entries()) assert.equal(of(`dropped_${reason}`), 100 + i)
  assert.equal(valueOf(text, "heliograph_informs_answered_total"), 6)
  assert.equal(valueOf(text, "heliograph_traps_waiting"), 3)
})
