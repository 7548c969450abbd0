/** [S11] [W3] Bridge tables at the gate: of ten thousand hosts only our own devices' interfaces are heard of behind it. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import type { BridgeReading, Collected } from "#engine/collectors/collector.ts"
import { BRIDGE_ROWS_MAX } from "#engine/collectors/collector.ts"
import { MACS_PER_DEVICE_MAX, makeBridgeHostsGate } from "#engine/privacy/bridge-hosts.ts"
import { discreetSink } from "#engine/privacy/discreet.ts"
import { nobody } from "#engine/privacy/subscriber-line.ts"
import { decodeBatch, encodeBatch } from "#engine/tenant/journal-codec.ts"
import { macText, readHosts } from "#protocol/bridge.ts"
import { deviceId, interfaceKey, type EntityKey } from "#protocol/id.ts"
import type { DeviceInput, PollInput } from "#twin/input.ts"

/** Subscribers' MACs begin with 0x5a, devices' with 0x02: what is whose can be read off the bytes. */
const subscriber = (n: number): number => 0x5a00_0000_0000 + n
const own = (device: number, port = 0): number => 0x0200_0000_0000 + device * 256 + port
const PORTS = ["ether1", "ether2", "ether3"].map(interfaceKey)

const reading = (hosts: ReadonlyArray<readonly [port: number, mac: number]>, isWhole = true): BridgeReading => ({
  ports: PORTS,
  port: Uint16Array.from(hosts, ([port]) => port),
  mac: Float64Array.from(hosts, ([, mac]) => mac),
  isWhole,
})
const poll = (
  device: number,
  bridge?: BridgeReading | null,
  macs: readonly number[] = PORTS.map((_, port) => own(device, port)),
): Collected => ({
  kind: "poll",
  device: deviceId(`d${device}`),
  source: "snmp",
  startedMs: 1,
  atMs: 2,
  entities: PORTS,
  entity: Uint16Array.of(),
  metric: Uint16Array.of(),
  value: Float64Array.of(),
  texts: macs.map((mac, port) => ({
    entity: PORTS[port % PORTS.length] as EntityKey,
    fact: "interface.mac" as const,
    text: macText(mac),
  })),
  complete: ["interface"],
  ...(bridge === undefined ? {} : { bridge }),
})
const told = (input: PollInput): Readonly<Record<string, string>> =>
  Object.fromEntries(
    input.texts.flatMap(({ entity, fact, text }) => (fact === "interface.bridge_hosts" ? [[entity, text]] : [])),
  )
const journaled = (inputs: readonly DeviceInput[]): string =>
  Buffer.from(encodeBatch(inputs.map((input, i) => ({ seq: i + 1, input })))).toString("latin1")

describe("[S11] what passes", () => {
  test("a table of 10,000 unknown MACs journals none of them, and that there were some", () => {
    const passed: DeviceInput[] = []
    const sink = discreetSink({ submit: (input) => passed.push(input) > 0 }, () => nobody)
    const hosts = Array.from({ length: BRIDGE_ROWS_MAX }, (_, n) => [n % 2, subscriber(n)] as const)
    sink.submit(poll(1, reading(hosts)))
    const [input] = passed
    assert.ok(input?.kind === "poll" && !("bridge" in input))
    assert.deepEqual(told(input), { "if:ether1": "others", "if:ether2": "others", "if:ether3": "" })
    const bytes = journaled(passed)
    for (const [, mac] of hosts) {
      assert.ok(!bytes.includes(macText(mac)) && !bytes.includes(macText(mac).replaceAll(":", "")))
    }
    assert.ok(!bytes.includes("5a:00"), "nor the beginning of one")
    assert.ok(bytes.includes(macText(own(1))), "the device's own are there: the search finds what there is")
  })

  test("the journal has no place for a reading: one that came around the gate would not be written either", () => {
    const around = poll(1, reading([[0, subscriber(1)]]))
    const bytes = encodeBatch([{ seq: 1, input: around }])
    const [back] = decodeBatch(bytes)
    assert.ok(!("bridge" in back!.input))
    assert.ok(bytes.length < journaled([{ ...around, texts: [] }]).length + 200)
  })

  test("any table: only MACs that another device of ours has told go on, on their port, and the own ones do not", () => {
    const host = fc.oneof(
      fc.nat(99).map(subscriber),
      fc.tuple(fc.integer({ min: 1, max: 4 }), fc.nat(2)).map(([device, port]) => own(device, port)),
    )
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(2), host), { maxLength: 60 }), fc.boolean(), (hosts, isWhole) => {
        const gate = makeBridgeHostsGate()
        for (const device of [1, 2, 3]) gate.discreet(poll(device))
        const texts = told(gate.discreet(poll(1, reading(hosts, isWhole))))
        for (const [at, key] of PORTS.entries()) {
          const here = hosts.filter(([port]) => port === at).map(([, mac]) => mac)
          const ours = [2, 3].flatMap((device) => [0, 1, 2].map((port) => own(device, port)))
          const expected = [...new Set(here.filter((mac) => ours.includes(mac)))].sort((x, y) => x - y)
          const others = here.some((mac) => !ours.includes(mac) && Math.floor((mac % 2 ** 40) / 256) !== 1)
          const text = texts[key] ?? ""
          assert.deepEqual(readHosts(text), { macs: expected.map(macText), others, more: !isWhole })
        }
      }),
    )
  })
})

describe("what is known", () => {
  const at = (device: number, port = 0) => reading([[0, own(device, port)]])

  test("a device's MACs are strangers' before it told them, and again when it is no device any more", () => {
    const gate = makeBridgeHostsGate()
    assert.equal(told(gate.discreet(poll(1, at(2))))["if:ether1"], "others")
    gate.discreet(poll(2))
    assert.equal(told(gate.discreet(poll(1, at(2))))["if:ether1"], macText(own(2)))
    gate.keepOnly(new Set(["d1"]))
    assert.equal(told(gate.discreet(poll(1, at(2))))["if:ether1"], "others")
  })

  test("one MAC of two devices is ours; when one of them goes, the other tells it again", () => {
    const gate = makeBridgeHostsGate()
    gate.discreet(poll(2))
    gate.discreet(poll(3, undefined, [own(2)]))
    assert.equal(told(gate.discreet(poll(1, at(2))))["if:ether1"], macText(own(2)))
    gate.keepOnly(new Set(["d1", "d3"]))
    gate.discreet(poll(3, undefined, [own(2)]))
    assert.equal(
      gate.discreet(poll(1, at(2))).texts.filter(({ text }) => text === macText(own(2))).length,
      0,
      "as before",
    )
  })

  test("a device that claims more interfaces than one has claims no more; a group address is nobody's", () => {
    const gate = makeBridgeHostsGate()
    const many = Array.from({ length: MACS_PER_DEVICE_MAX + 1 }, (_, n) => 0x0400_0000_0000 + n)
    gate.discreet(poll(2, undefined, [0x0180_c200_000e, ...many]))
    const last = reading([
      [0, many.at(-1)!],
      [1, many.at(-2)!],
      [2, 0x0180_c200_000e],
    ])
    assert.deepEqual(told(gate.discreet(poll(1, last))), {
      "if:ether1": "others",
      "if:ether2": macText(many.at(-2)!),
      "if:ether3": "others",
    })
  })
})

describe("what is said", () => {
  const heard = reading([[0, own(2)]])
  const gateOf = () => {
    const gate = makeBridgeHostsGate()
    gate.discreet(poll(2))
    return gate
  }

  test("only what changed; again whole when it did not arrive", () => {
    const gate = gateOf()
    assert.equal(Object.keys(told(gate.discreet(poll(1, heard)))).length, 3)
    assert.deepEqual(told(gate.discreet(poll(1, heard))), {})
    assert.deepEqual(told(gate.discreet(poll(1, reading([])))), { "if:ether1": "" })
    const refusing = discreetSink({ submit: () => false }, () => nobody, gate)
    refusing.submit(poll(1, heard))
    assert.equal(told(gate.discreet(poll(1, heard)))["if:ether1"], macText(own(2)))
  })

  test("a table that is gone is taken back; one that was not read now changes nothing", () => {
    const gate = gateOf()
    gate.discreet(poll(1, heard))
    assert.deepEqual(told(gate.discreet(poll(1))), {})
    assert.deepEqual(told(gate.discreet(poll(1, null))), { "if:ether1": "", "if:ether2": "", "if:ether3": "" })
    assert.deepEqual(told(gateOf().discreet(poll(1, null))), {}, "who never had one says nothing")
  })

  test("after a start, ports that are no bridge's any more are taken back, whatever was said before", () => {
    const gate = gateOf()
    const fewer: BridgeReading = { ...heard, ports: PORTS.slice(0, 1) }
    assert.deepEqual(told(gate.discreet(poll(1, fewer))), {
      "if:ether1": macText(own(2)),
      "if:ether2": "",
      "if:ether3": "",
    })
  })

  test("a port that this poll does not list waits for the next", () => {
    const gate = gateOf()
    const partial = { ...poll(1, heard, []), entities: PORTS.slice(1) }
    assert.equal(told(gate.discreet(partial))["if:ether1"], undefined)
    assert.equal(told(gate.discreet(poll(1, heard)))["if:ether1"], macText(own(2)))
  })
})
