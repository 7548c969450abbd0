/** [T5] What devices say, within the tenant's quotas: rates, interfaces, series, each at N and N + 1; nothing silent. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import { makeLanes } from "#engine/collectors/lanes.ts"
import { makeIngestGate } from "#engine/quota/ingest-gate.ts"
import { makeQuotas, type Overrides } from "#engine/quota/quotas.ts"
import { DEVICE_ENTITY, deviceId, interfaceKey, tenantId } from "#protocol/id.ts"
import type { DeviceInput, PollInput, SyslogInput } from "#twin/input.ts"

const A = tenantId("00000000-0000-4000-8000-00000000000a")

/** `interfaces` interfaces with two values each, and one of the device. */
const poll = (device: string, interfaces: number, atMs = 1, source: PollInput["source"] = "snmp"): PollInput => {
  const entities = [DEVICE_ENTITY, ...Array.from({ length: interfaces }, (_, index) => interfaceKey(`ether${index}`))]
  const entity = [0, ...Array.from({ length: interfaces * 2 }, (_, row) => 1 + (row >> 1))]
  return {
    kind: "poll",
    device: deviceId(device),
    source,
    startedMs: atMs,
    atMs,
    entities,
    entity: Uint16Array.from(entity),
    metric: Uint16Array.from(entity, (_, row) => row % 2),
    value: Float64Array.from(entity, (_, row) => row),
    texts: entities.map((key) => ({ entity: key, fact: "name" as never, text: key })),
    complete: ["interface", "bgp.peer"],
  }
}
const line = (device: string, message = "m"): SyslogInput => ({
  kind: "syslog",
  device: deviceId(device),
  atMs: 1,
  severity: 6,
  topics: [],
  message,
  event: null,
  count: 1,
})

const gated = (overrides: Overrides, take: (input: DeviceInput) => boolean = () => true) => {
  const clock = { ms: 0 }
  const quotas = makeQuotas(() => clock.ms)
  quotas.set(A, "large", overrides)
  const taken: DeviceInput[] = []
  const timers: Array<{ atMs: number; action: () => void }> = []
  const gate = makeIngestGate({
    tenant: A,
    quotas,
    sink: { submit: (input) => take(input) && taken.push(input) > 0 },
    later: (ms, action) => {
      const timer = { atMs: clock.ms + ms, action }
      timers.push(timer)
      return () => void timers.splice(timers.indexOf(timer), 1)
    },
  })
  const pass = (ms: number): void => {
    const untilMs = clock.ms + ms
    for (;;) {
      const [next] = timers.filter(({ atMs }) => atMs <= untilMs).toSorted((a, b) => a.atMs - b.atMs)
      if (next === undefined) break
      timers.splice(timers.indexOf(next), 1)
      clock.ms = Math.max(clock.ms, next.atMs)
      next.action()
    }
    clock.ms = untilMs
  }
  const exceeded = (name: string) => quotas.used(A).find((use) => use.name === name)?.exceeded
  const used = (name: string) => quotas.used(A).find((use) => use.name === name)?.used
  return { clock, quotas, gate, taken, pass, exceeded, used }
}

describe("the ingest gate", () => {
  test("[T5] max_interfaces: N pass whole, of N + 1 the last is left out with its rows, and is not called vanished", () => {
    const { gate, taken, exceeded, used } = gated({ max_interfaces: 5 })
    gate.sink.submit(poll("a", 3))
    gate.sink.submit(poll("b", 2))
    assert.deepEqual([used("max_interfaces"), exceeded("max_interfaces")], [5, 0])
    assert.deepEqual(taken[1], poll("b", 2), "at N nothing is touched")
    gate.sink.submit(poll("b", 3))
    const cut = taken[2] as PollInput
    assert.deepEqual([used("max_interfaces"), exceeded("max_interfaces"), gate.stats().samplesCut], [5, 1, 2])
    assert.deepEqual(cut.value.length, poll("b", 2).value.length)
    assert.ok([...cut.entity].every((entity) => cut.entities[entity] !== interfaceKey("ether2")))
    assert.ok(!cut.texts.some(({ entity }) => entity === interfaceKey("ether2")))
    assert.deepEqual(cut.complete, ["bgp.peer"])
  })

  test("[T5] max_metric_series: N and N + 1; two collectors of one device are not counted twice; who left is forgotten", () => {
    const { gate, taken, exceeded, used } = gated({ max_metric_series: 8 })
    gate.sink.submit(poll("a", 2))
    gate.sink.submit(poll("a", 2, 2, "routeros"))
    gate.sink.submit(poll("b", 1))
    assert.deepEqual([used("max_metric_series"), exceeded("max_metric_series")], [8, 0])
    gate.sink.submit(poll("c", 0))
    assert.deepEqual([(taken[3] as PollInput).value.length, exceeded("max_metric_series")], [0, 1])
    gate.keepOnly(new Set(["b", "c"]))
    gate.sink.submit(poll("c", 0))
    assert.deepEqual([(taken[4] as PollInput).value.length, used("max_metric_series")], [1, 4])
  })

  test("[T5] samples over the rate wait, the newest of each device, and what it replaces is counted", () => {
    const { gate, taken, pass, exceeded } = gated({ max_ingest_samples_per_s: 10 })
    gate.sink.submit(poll("a", 4, 1))
    gate.sink.submit(poll("b", 0, 1))
    assert.equal(taken.length, 2, "10 samples in all")
    gate.sink.submit(poll("a", 4, 2))
    assert.equal(taken.length, 2, "the 11th waits")
    assert.ok((exceeded("max_ingest_samples_per_s") ?? 0) >= 1)
    gate.sink.submit(poll("a", 4, 3))
    gate.sink.submit(poll("b", 0, 3))
    assert.deepEqual(gate.stats(), { samplesLost: 9, samplesCut: 0, eventsLost: 0, waiting: 2 })
    pass(2_000)
    assert.deepEqual(
      taken.slice(2).map((input) => [input.device, input.atMs]),
      [
        ["a", 3],
        ["b", 3],
      ],
    )
    assert.equal(gate.stats().waiting, 0)
  })

  test("[T5] a poll that waits never comes after a later failure of the same device", () => {
    const { gate, taken, pass } = gated({ max_ingest_samples_per_s: 1 })
    gate.sink.submit(poll("a", 0, 1))
    gate.sink.submit(poll("a", 0, 2))
    gate.sink.submit({
      kind: "unreachable",
      device: deviceId("a"),
      source: "snmp",
      atMs: 3,
      reason: "timeout",
      detail: "",
    })
    pass(10_000)
    assert.deepEqual(
      taken.map((input) => [input.kind, input.atMs]),
      [
        ["poll", 1],
        ["unreachable", 3],
      ],
    )
    assert.equal(gate.stats().samplesLost, 1)
  })

  test("[T5] max_events_per_s: N pass, the next is given up and counted, not held for a queue that others wait in", () => {
    const { gate, taken, pass, exceeded } = gated({ max_events_per_s: 3 })
    for (let one = 0; one < 4; one++) assert.equal(gate.sink.submit(line("a")), true)
    assert.deepEqual([taken.length, gate.stats().eventsLost, exceeded("max_events_per_s")], [3, 1, 1])
    pass(334)
    gate.sink.submit(line("a"))
    assert.equal(taken.length, 4)
  })

  test("[T5] mailbox_depth: a full inbox pushes back and is counted", () => {
    const { gate, exceeded } = gated({}, () => false)
    assert.equal(gate.sink.submit(line("a")), false)
    assert.equal(exceeded("mailbox_depth"), 1)
  })

  test("[T5] property: every sample is taken, waiting, replaced or cut", () => {
    const polls = fc.array(
      fc.record({ device: fc.constantFrom("a", "b", "c"), interfaces: fc.nat(6), waitMs: fc.nat(700) }),
      { maxLength: 60 },
    )
    fc.assert(
      fc.property(polls, fc.integer({ min: 1, max: 30 }), (list, limit) => {
        const { gate, taken, pass } = gated({ max_ingest_samples_per_s: limit, max_metric_series: 20 })
        let offered = 0
        for (const [index, { device, interfaces, waitMs }] of list.entries()) {
          const input = poll(device, interfaces, index + 1)
          offered += input.value.length
          gate.sink.submit(input)
          pass(waitMs)
        }
        pass(1_000_000)
        const got = taken.reduce((sum, input) => sum + (input as PollInput).value.length, 0)
        const { samplesLost, samplesCut, waiting } = gate.stats()
        assert.deepEqual([got + samplesLost + samplesCut, waiting], [offered, 0])
        for (const device of ["a", "b", "c"]) {
          const times = taken.filter((input) => input.device === device).map(({ atMs }) => atMs)
          assert.deepEqual(
            times,
            times.toSorted((x, y) => x - y),
            "in the order in which they came",
          )
        }
      }),
    )
  })
})

describe("lanes", () => {
  test("[T6] whose inbox is full waits alone, in order; others pass by", () => {
    const full = new Set(["a"])
    const taken: string[] = []
    const sink = {
      submit: (input: DeviceInput) => !full.has(input.device) && taken.push((input as SyslogInput).message) > 0,
    }
    const lanes = makeLanes<SyslogInput>(sink, 2, (device) => device)
    assert.deepEqual(
      ["1", "2", "3"].map((message) => lanes.submit(line("a", message))),
      ["waiting", "waiting", "lost"],
    )
    assert.equal(lanes.submit(line("b", "b1")), "taken")
    assert.deepEqual([lanes.behind(deviceId("a")), lanes.behind(deviceId("b"))], [2, 0])
    full.clear()
    assert.equal(
      lanes.retry(() => undefined),
      true,
    )
    assert.equal(lanes.submit(line("a", "4")), "taken")
    assert.deepEqual(taken, ["b1", "1", "2", "4"])
  })
})
