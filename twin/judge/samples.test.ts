/** [I4] The samples of a step: what, whose, and of which time. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { metricById } from "#protocol/metric.ts"
import type { MetricName } from "#protocol/metric.ts"
import type { Source } from "#protocol/view.ts"
import { over } from "#twin/alert/rule.fixture.ts"
import type { DeviceInput } from "#twin/input.ts"
import { device, poll, silence, T0, trap } from "#twin/inventory.fixture.ts"
import type { Rows } from "#twin/inventory.fixture.ts"
import type { Judge } from "#twin/judge/judging.ts"
import { makeJudging, NO_JUDGING_INPUTS } from "#twin/judge/judging.ts"
import { ruleOf } from "#twin/judge/pool.fixture.ts"
import { samplesOf } from "#twin/judge/samples.ts"
import { at } from "#twin/network.fixture.ts"
import { newRouter, stepRouter } from "#twin/router.ts"
import type { RouterState } from "#twin/router.ts"

/** Rules that read exactly these metrics. */
const judgeOf = (...metrics: readonly MetricName[]): Judge => {
  const rules = metrics.map((metric, n) => ruleOf(`rule-${n}`, over(metric, 1, 60, "last")))
  return makeJudging({ ...NO_JUDGING_INPUTS, rules }).judgeOf(device("r1")) as Judge
}

const router = (sources: readonly Source[] = ["snmp"]): RouterState =>
  newRouter({ device: device("r1").id, slot: 0, pollSeconds: 10, sources, ports: [] })

/** Takes inputs one after the other; the samples of the last, as `entity metric value @ms`. */
const samples = (judge: Judge, start: RouterState, ...inputs: readonly DeviceInput[]): readonly string[] => {
  let state = start
  let said: readonly string[] = []
  for (const input of inputs) {
    const before = state
    state = stepRouter(state, { kind: "input", atMs: input.atMs, input }).state
    const found = samplesOf(judge.plan, before, state, input, input.atMs)
    said =
      found === null
        ? []
        : Array.from(found.value, (value, i) => {
            const entity = found.entities[found.entity[i] as number] ?? "?"
            const metric = metricById(found.metric[i] as number)?.name
            return `${entity || "-"} ${metric} ${value} @${(found.times?.[i] ?? 0) - T0}`
          })
  }
  return said
}

const interfaces = (rx: number, up = 1): Rows => ({
  "if:a": { "interface.oper_up": up, "interface.rx_bytes_total": rx, "interface.counter_bits": 64 },
})

describe("samples of a step", () => {
  test("states are of the poll's beginning, levels and rates of its end, in the order of time", () => {
    const judge = judgeOf("interface.oper_up", "interface.rx_bps", "device.cpu_pct")
    const rows = (rx: number): Rows => ({ "": { "device.cpu_pct": 7 }, ...interfaces(rx) })
    const first = samples(judge, router(), poll("r1", at(10), rows(0)))
    assert.deepEqual(first, ["if:a interface.oper_up 1 @9900", "- device.cpu_pct 7 @10000"])
    const both = samples(judge, router(), poll("r1", at(10), rows(0)), poll("r1", at(20), rows(1000)))
    assert.deepEqual(both, [
      "if:a interface.oper_up 1 @19900",
      "- device.cpu_pct 7 @20000",
      "if:a interface.rx_bps 800 @20000",
    ])
  })

  test("what a poll did not measure, no rule reads, or came too late gives none", () => {
    const judge = judgeOf("device.cpu_pct")
    assert.deepEqual(samples(judge, router(), poll("r1", at(10), interfaces(5))), [])
    const cpu = (second: number) => poll("r1", at(second), { "": { "device.cpu_pct": 7 } })
    assert.deepEqual(samples(judge, router(), cpu(20), cpu(10)), [], "older than what the source said before")
    assert.deepEqual(samples(judge, router(), cpu(10), poll("r1", at(20))), [], "the old value is no new sample")
  })

  test("a trap is a sample of its own time, of one interface", () => {
    const judge = judgeOf("interface.oper_up")
    const told = trap("r1", at(15), { ifName: "a" })
    assert.deepEqual(samples(judge, router(), poll("r1", at(10), interfaces(5)), told), [
      "if:a interface.oper_up 0 @15000",
    ])
  })

  test("rows that move because an interface vanished are not new", () => {
    const judge = judgeOf("interface.oper_up")
    const two: Rows = { "if:z": { "interface.oper_up": 1 }, "if:a": { "interface.oper_up": 1 } }
    const said = samples(
      judge,
      router(["snmp", "routeros"]),
      poll("r1", at(10), two, { complete: ["interface"] }),
      poll("r1", at(20), { "if:a": { "interface.oper_up": 1 } }, { complete: ["interface"] }),
    )
    assert.deepEqual(said, ["if:a interface.oper_up 1 @19900"])
    const other = poll("r1", at(21), {}, { complete: ["interface"], source: "snmp" })
    const all = samples(judge, router(), poll("r1", at(10), two, { complete: ["interface"] }), other)
    assert.deepEqual(all, [], "nothing measured, nothing said")
  })

  test("neighbours: state and up of the state's time, counts as the poll has them; of unknown ones nothing", () => {
    const judge = judgeOf("bgp.peer.state", "bgp.peer.up", "bgp.peer.prefixes_in", "bgp.peer.flaps_total")
    const rows: Rows = {
      "bgp:10.0.0.1": { "bgp.peer.state": 5, "bgp.peer.prefixes_in": 900, "bgp.peer.flaps_total": 3 },
      "bgp:10.0.0.2": { "bgp.peer.prefixes_in": 1 },
    }
    assert.deepEqual(samples(judge, router(), poll("r1", at(10), rows)), [
      "bgp:10.0.0.1 bgp.peer.state 5 @9900",
      "bgp:10.0.0.1 bgp.peer.up 1 @9900",
      "bgp:10.0.0.1 bgp.peer.prefixes_in 900 @10000",
      "bgp:10.0.0.1 bgp.peer.flaps_total 3 @10000",
    ])
    const quiet = poll("r1", at(20), { "bgp:10.0.0.1": { "bgp.peer.state": 5 } })
    assert.deepEqual(
      samples(judge, router(), poll("r1", at(10), rows), quiet),
      ["bgp:10.0.0.1 bgp.peer.state 5 @19900", "bgp:10.0.0.1 bgp.peer.up 1 @19900"],
      "a count that nobody read again is not repeated",
    )
  })

  test("counters come from one collector, the first that answers", () => {
    const judge = judgeOf("interface.rx_bytes_total")
    const of = (source: Source, second: number, rx: number) => poll("r1", at(second), interfaces(rx), { source })
    const start = router(["snmp", "routeros"])
    assert.deepEqual(samples(judge, start, of("snmp", 10, 100)), ["if:a interface.rx_bytes_total 100 @10000"])
    assert.deepEqual(samples(judge, start, of("snmp", 10, 100), of("routeros", 11, 7)), [
      "if:a interface.rx_bytes_total 7 @11000",
    ])
    assert.deepEqual(samples(judge, start, of("routeros", 11, 7), of("snmp", 20, 200)), [])
    assert.deepEqual(
      samples(judge, start, of("routeros", 11, 7), silence("r1", at(15), "routeros"), of("snmp", 20, 200)),
      ["if:a interface.rx_bytes_total 200 @20000"],
    )
  })

  test("contact: every attempt, answered or not, but only where nobody pings", () => {
    const judge = judgeOf("device.up")
    assert.deepEqual(samples(judge, router(), silence("r1", at(10))), ["- device.up 0 @10000"])
    assert.deepEqual(samples(judge, router(), poll("r1", at(10))), ["- device.up 1 @10000"])
    assert.deepEqual(samples(judge, router(["snmp", "probe"]), silence("r1", at(10))), [])
    const two = router(["snmp", "routeros"])
    const half = samples(judge, two, poll("r1", at(10), {}, { source: "routeros" }), silence("r1", at(11)))
    assert.deepEqual(half, ["- device.up 1 @11000"], "one of two answers")
  })

  test("more rows than the scratch first holds", () => {
    const judge = judgeOf("interface.oper_up", "interface.admin_up")
    const many = Object.fromEntries(
      Array.from({ length: 2000 }, (_, n) => [`if:${n}`, { "interface.oper_up": 1, "interface.admin_up": 0 }]),
    )
    const said = samples(judge, router(), poll("r1", at(10), many))
    assert.equal(said.length, 4000)
    assert.equal(new Set(said).size, 4000)
  })
})
