import assert from "node:assert/strict"
import { test } from "node:test"
import type { Row } from "#engine/collectors/routeros/reply.ts"
import {
  ASK_AGAIN_MS,
  ASK_OPTICAL_MS,
  duePorts,
  learnPorts,
  makeEthernet,
  monitorWords,
  PORTS_PER_POLL,
} from "#engine/collectors/routeros/ethernet.ts"
import { interfaceFacing, readSubnets } from "#engine/collectors/routeros/subnets.ts"

const rowOf = (attributes: Record<string, string>): Row => new Map(Object.entries(attributes))
const port = (n: number, running: boolean, more: Record<string, string> = {}): Row =>
  rowOf({ ".id": `*${n}`, name: `sfp${n}`, type: "ether", running: String(running), disabled: "false", ...more })

test("a port is asked when it is new, when its link changes, when it is optical and a minute is over", () => {
  const ethernet = makeEthernet()
  const ask = (rows: readonly Row[], answers: readonly Row[], nowMs: number) => {
    const due = duePorts(ethernet, rows, nowMs)
    return { due: due.map(({ id }) => id), lights: learnPorts(ethernet, due, answers, nowMs) }
  }
  const light = rowOf({ name: "sfp1", rate: "10Gbps", "sfp-module-present": "true", "sfp-rx-power": "-5" })
  const copper = rowOf({ name: "sfp2", rate: "1Gbps" })
  const both = [port(1, true), port(2, true), port(3, true, { disabled: "true" }), port(4, true, { type: "bridge" })]
  const first = ask(both, [light, copper], 0)
  assert.deepEqual(first.due, ["*1", "*2"])
  assert.deepEqual(first.lights, [{ key: "if:sfp1", rxPowerDbm: -5, txPowerDbm: null }])
  assert.deepEqual(
    [...ethernet.speedBps],
    [
      ["if:sfp1", 10e9],
      ["if:sfp2", 1e9],
    ],
  )
  assert.deepEqual(duePorts(ethernet, both, ASK_OPTICAL_MS - 1), [])
  assert.deepEqual(ask(both, [light], ASK_OPTICAL_MS).due, ["*1"])
  // The fibre is cut: asked at once, the speed forgotten, the dark port's light still told each minute.
  const dark = [port(1, false), port(2, true)]
  const cut = ask(dark, [rowOf({ name: "sfp1", "sfp-rx-power": "-40", rate: "10Gbps" })], ASK_OPTICAL_MS + 1)
  assert.deepEqual([cut.due, cut.lights[0]?.rxPowerDbm], [["*1"], -40])
  assert.equal(ethernet.speedBps.has("if:sfp1" as never), false)
  assert.deepEqual(ask(dark, [], 2 * ASK_OPTICAL_MS + 1).due, ["*1"])
  assert.deepEqual(ask([port(2, true)], [copper], ASK_AGAIN_MS).due, ["*2"])
  assert.deepEqual([...ethernet.asked.keys()], ["if:sfp2"])
})

test("a large switch is asked a few ports at a time, all of them in turn; a strange id is not put into a command", () => {
  const ethernet = makeEthernet()
  const rows = Array.from({ length: 150 }, (_, n) => port(n + 1000, true))
  rows.push(port(1, true, { ".id": "*1,*2" }), port(2, true, { ".id": "ether1" }))
  const sizes: number[] = []
  for (let poll = 0; poll < 4; poll++) {
    const due = duePorts(ethernet, rows, poll)
    learnPorts(ethernet, due, [], poll)
    sizes.push(due.length)
  }
  assert.deepEqual(sizes, [PORTS_PER_POLL, PORTS_PER_POLL, 150 - 2 * PORTS_PER_POLL, 0])
  assert.deepEqual(monitorWords([{ key: "if:a" as never, id: "*1", running: true }]), [
    "/interface/ethernet/monitor",
    "=numbers=*1",
    "=once=",
  ])
})

test("the interface that faces an address is that of the longest prefix in use", () => {
  const subnets = readSubnets(
    [
      { address: "10.0.0.1/8", network: "10.0.0.0", interface: "wide" },
      { address: "10.1.0.1/30", network: "10.1.0.0", interface: "vlan10", "actual-interface": "bridge1" },
      { address: "10.1.0.1/31", network: "10.1.0.0", interface: "off", disabled: "true" },
      { address: "10.255.0.1/32", network: "10.255.0.9", interface: "ppp" },
      { address: "0.0.0.0/0", network: "0.0.0.0", interface: "all" },
      { address: "fe80::1/64", interface: "six" },
      { address: "nonsense", interface: "x" },
      { address: "192.0.2.0/31", network: "192.0.2.0", interface: "p2p" },
    ].map(rowOf),
  )
  const facing = (address: string | undefined) => interfaceFacing(subnets, address)
  assert.equal(facing("10.1.0.2"), "bridge1")
  assert.equal(facing("10.1.0.4"), "wide")
  assert.equal(facing("10.255.0.9"), "ppp")
  assert.equal(facing("192.0.2.1"), "p2p")
  for (const nobody of ["192.0.2.2", "172.16.0.1", "fe80::2", "", "x", undefined])
    assert.equal(facing(nobody), undefined)
})
