/** [I1] Every kind of condition: when it is true, when false, and when there is no evidence. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import type { EntityKey } from "#protocol/id.ts"
import { Bench, over, rule, T0 } from "#twin/alert/rule.fixture.ts"

const CPU = "device.cpu_pct"
const UTIL = "interface.utilization_pct"

describe("conditions", () => {
  test("[I1] threshold over a window, and its recovery", () => {
    const bench = new Bench([rule("util", over(UTIL, 80, 600, "avg"), { recover: over(UTIL, 70, 600, "avg", "<") })])
    for (let s = 0; s <= 600; s += 60) bench.sample(s, UTIL, 90, "if:ether1")
    for (let s = 660; s <= 1800; s += 60) bench.sample(s, UTIL, 10, "if:ether1")
    assert.deepEqual(bench.lines, ["300 util ok>firing firing", "780 util firing>ok resolved"])
  })

  test("[I1] a threshold may be another metric: memory used against memory there is", () => {
    const bench = new Bench([
      rule("mem", {
        type: "threshold",
        metric: "device.mem_used_bytes",
        operator: ">",
        threshold_ref: { metric: "device.mem_total_bytes", factor: 0.9 },
        aggregation: "last",
        lookback_seconds: 120,
      }),
    ])
    bench.sample(0, "device.mem_used_bytes", 95)
    assert.deepEqual(bench.lines, [], "no total, no evidence")
    bench.sample(1, "device.mem_total_bytes", 100)
    assert.deepEqual(bench.lines, ["1 mem ok>firing firing"])
    assert.equal(bench.all[0]?.explanation.condition.threshold, 90)
  })

  test("[I1] state_not_in fires by time alone, and the passing state does not", () => {
    const bench = new Bench([
      rule("ospf", {
        type: "state_not_in",
        metric: "ospf.neighbor.state",
        good_values: ["full"],
        lookback_seconds: 60,
      }),
    ])
    bench.sample(0, "ospf.neighbor.state", 7, "ospf:10.0.0.2")
    bench.sample(10, "ospf.neighbor.state", 2, "ospf:10.0.0.2")
    bench.sample(40, "ospf.neighbor.state", 7, "ospf:10.0.0.2")
    bench.sample(50, "ospf.neighbor.state", 0, "ospf:10.0.0.2")
    assert.ok((bench.timerMs ?? Infinity) <= T0 + 110_000)
    bench.wakeUntil(200)
    assert.deepEqual(bench.lines, ["110 ospf ok>firing firing"])
  })

  test("[I1] consecutive: three lost in a row, not three in all", () => {
    const bench = new Bench([
      rule("lost", {
        type: "consecutive",
        metric: "probe.ping.loss_pct",
        operator: ">=",
        threshold_num: 100,
        count: 3,
      }),
    ])
    for (const [s, loss] of [
      [0, 100],
      [1, 100],
      [2, 0],
      [3, 100],
      [4, 100],
      [5, 100],
      [6, 0],
    ] as const)
      bench.sample(s, "probe.ping.loss_pct", loss)
    assert.deepEqual(bench.lines, ["5 lost ok>firing firing", "6 lost firing>ok resolved"])
  })

  test("[I1] rate_of_change of a level, of a part of it, and of a counter through its reset", () => {
    const rate = (metric: string, threshold_num: number, operator: string, more: object = {}): unknown => ({
      type: "rate_of_change",
      metric,
      operator,
      threshold_num,
      lookback_seconds: 300,
      ...more,
    })
    const bench = new Bench([
      rule("heat", rate("device.temp_c", 0.05, ">")),
      rule("drop", rate("pppoe.sessions.active", -0.3, "<", { relative: true })),
      rule("flaps", rate("bgp.peer.flaps_total", 0.01, ">")),
    ])
    bench.sample(0, "device.temp_c", 40)
    bench.sample(60, "device.temp_c", 44)
    bench.sample(0, "pppoe.sessions.active", 1000)
    bench.sample(120, "pppoe.sessions.active", 1000)
    bench.sample(180, "pppoe.sessions.active", 600)
    bench.sample(200, "bgp.peer.flaps_total", 900, "bgp:10.0.0.1")
    bench.sample(300, "bgp.peer.flaps_total", 1, "bgp:10.0.0.1")
    assert.deepEqual(bench.lines, ["60 heat ok>firing firing", "180 drop ok>firing firing"])
    bench.sample(301, "bgp.peer.flaps_total", 5, "bgp:10.0.0.1")
    assert.equal(bench.lines.at(-1), "301 flaps ok>firing firing")
  })

  test("[I1] baseline: a third of the prefixes gone against ten minutes before; the same hour a week ago", () => {
    const drop = { type: "baseline", metric: "bgp.peer.prefixes_in", operator: "<", factor: 0.7, baseline_seconds: 600 }
    const weekly = {
      type: "baseline",
      metric: "interface.rx_errors_per_s",
      operator: ">",
      factor: 2,
      baseline_seconds: 21_600,
      offset_seconds: 604_800,
    }
    const bench = new Bench([rule("prefixes", drop), rule("weekly", weekly)])
    for (let s = 0; s <= 900; s += 30) bench.sample(s, "bgp.peer.prefixes_in", s < 900 ? 1000 : 650, "bgp:10.0.0.1")
    assert.deepEqual(bench.lines, ["900 prefixes ok>firing firing"])
    for (let s = 3600; s <= 604_800 + 50_000; s += 600)
      bench.sample(s, "interface.rx_errors_per_s", s < 604_800 + 30_000 ? 10 : 45, "if:ether1")
    const weekLines = bench.lines.filter((one) => one.includes("weekly"))
    assert.equal(weekLines.length, 1)
    const firedS = Number(weekLines[0]?.split(" ")[0])
    // 10 + 35 x/6 h > 20 after 1.7 hours, true to a twelfth of six hours.
    assert.ok(firedS > 634_800 + 4_400 && firedS < 634_800 + 8_400, `${firedS}`)
  })

  test("[I1] flap counts changes, not bad samples", () => {
    const bench = new Bench([
      rule("flap", { type: "flap", metric: "interface.oper_up", transitions: 3, lookback_seconds: 600 }),
    ])
    for (const [s, up] of [
      [0, 1],
      [10, 0],
      [20, 0],
      [30, 1],
      [40, 1],
      [50, 0],
    ] as const)
      bench.sample(s, "interface.oper_up", up, "if:ether1")
    assert.deepEqual(bench.lines, ["50 flap ok>firing firing"])
  })

  test("[I1] absent fires without a sample, counts from the start for what never came, and heals with one", () => {
    const bench = new Bench([rule("silent", { type: "absent", metric: CPU, seconds: 120 })])
    bench.tick(0)
    bench.wakeUntil(500)
    bench.sample(600, CPU, 1)
    bench.sample(660, CPU, 1)
    bench.wakeUntil(1000)
    assert.deepEqual(bench.lines, [
      "120 silent ok>firing firing",
      "600 silent firing>ok resolved",
      "780 silent ok>firing firing",
    ])
  })

  test("[I1] events are counted per entity or per device, matched by globs, and leave the window by time", () => {
    const of = (count: number, match?: object): object => ({
      type: "event",
      event_type: "interface.oper.changed",
      count,
      lookback_seconds: 60,
      ...(match === undefined ? {} : { match }),
    })
    const bench = new Bench([
      rule("storm", of(3)),
      rule("port", of(2, { new: "d?wn" }), { scope: { by_entity_type: ["interface"] } }),
    ])
    const down = (second: number, entity: string, now: string): unknown =>
      bench.take({
        kind: "event",
        atMs: T0 + second * 1000,
        happenedMs: T0 + second * 1000,
        entity: entity as EntityKey,
        type: "interface.oper.changed",
        old: null,
        new: now,
        raw: null,
      })
    down(0, "if:a", "down")
    down(10, "if:b", "up")
    down(20, "if:a", "DOWN")
    assert.deepEqual(bench.lines, ["20 storm ok>firing firing", "20 port ok>firing firing"])
    assert.equal(bench.all[1]?.entity, "if:a")
    bench.wakeUntil(300)
    assert.deepEqual(bench.lines.slice(2), ["60 storm firing>ok resolved", "60 port firing>ok resolved"])
  })

  test("[I1] composite: what is unknown decides nothing; a port's rule may read its device", () => {
    const rtt = over("probe.ping.rtt_ms", 50, 600, "p95")
    const bench = new Bench([
      rule("congested", { type: "composite", op: "and", conditions: [over(UTIL, 90, 120), rtt] }),
    ])
    bench.sample(0, UTIL, 95, "if:ether1")
    assert.deepEqual(bench.lines, [])
    bench.sample(10, "probe.ping.rtt_ms", 80)
    bench.sample(300, UTIL, 95, "if:ether1")
    assert.deepEqual(bench.lines, [], "half of the round trip's window is not known yet")
    bench.sample(310, "probe.ping.rtt_ms", 80)
    assert.deepEqual(bench.lines, ["310 congested ok>firing firing"])
    assert.equal(bench.all[0]?.entity, "if:ether1")
    const not = new Bench([rule("not", { type: "composite", op: "not", conditions: [over(CPU, 5)] })])
    not.tick(0)
    assert.deepEqual(not.lines, [], "not of unknown is unknown")
    not.sample(1, CPU, 1)
    assert.deepEqual(not.lines, ["1 not ok>firing firing"])
  })
})
