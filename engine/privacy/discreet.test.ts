/** [S11] The gate before the inbox: sessions are no inventory, and everything else passes untouched. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { discreet, discreetSink } from "#engine/privacy/discreet.ts"
import { nobody, type Naming } from "#engine/privacy/subscriber-line.ts"
import { decodeBatch, encodeBatch } from "#engine/tenant/journal-codec.ts"
import { DEVICE_ENTITY, deviceId, discoveryKey, interfaceKey, lldpKey, ospfKey, type EntityKey } from "#protocol/id.ts"
import type { DeviceInput, PollInput, TrapInput } from "#twin/input.ts"

const DEVICE = deviceId("d1")
const session = fc.constantFrom("pppoe", "l2tp", "ovpn").map((service) => `<${service}-canary@isp>`)
const port = fc.constantFrom("ether1", "sfp-sfpplus1", "pppoe-out1", "vlan 7", "<loop>")
const entities = fc.uniqueArray(
  fc.oneof(
    fc.constant(DEVICE_ENTITY),
    port.map(interfaceKey),
    session.map(interfaceKey),
    session.map((name) => lldpKey(name)),
    session.map((name) => discoveryKey("mndp", name)),
    fc.constant(ospfKey("10.255.0.2")),
  ),
  { minLength: 1, maxLength: 8 },
)
const polls: fc.Arbitrary<PollInput> = entities.chain((keys) =>
  fc
    .record({
      cells: fc.array(fc.tuple(fc.nat(keys.length - 1), fc.nat(20), fc.nat()), { maxLength: 40 }),
      texts: fc.array(
        fc.record({
          entity: fc.constantFrom(...keys),
          fact: fc.constantFrom("interface.alias", "ospf.neighbor.interface", "lldp.neighbor.port" as const),
          text: fc.oneof(
            port,
            session,
            session.map((name) => `to ${name}`),
          ),
        }),
        { maxLength: 6 },
      ),
    })
    .map(({ cells, texts }) => ({
      kind: "poll" as const,
      device: DEVICE,
      source: "snmp" as const,
      startedMs: 1,
      atMs: 2,
      entities: keys,
      entity: Uint16Array.from(cells, ([entity]) => entity),
      metric: Uint16Array.from(cells, ([, metric]) => metric),
      value: Float64Array.from(cells, ([, , value]) => value),
      texts,
      complete: ["interface" as const],
    })),
)
const rowsOf = ({ entities: keys, entity, metric, value }: PollInput): string[] =>
  [...entity].map((at, row) => `${keys[at]} ${metric[row]} ${value[row]}`)
const isSession = (key: EntityKey): boolean => key.includes("<") && key.includes("canary")

test("[S11] a poll loses its sessions and nothing else", () => {
  fc.assert(
    fc.property(polls, (poll) => {
      const passed = discreet(poll, nobody) as PollInput
      assert.ok(!JSON.stringify([passed.entities, passed.texts]).includes("canary"))
      assert.deepEqual(
        rowsOf(passed),
        rowsOf(poll).filter((row) => !row.includes("canary")),
      )
      assert.deepEqual(
        passed.entities,
        poll.entities.filter((key) => !isSession(key)),
      )
      assert.deepEqual(passed.complete, poll.complete)
      assert.equal(passed.texts.length, poll.texts.filter(({ entity }) => !isSession(entity)).length)
      // What passed is what the journal keeps.
      const [back] = decodeBatch(encodeBatch([{ seq: 1, input: passed }]))
      assert.deepEqual(rowsOf(back!.input as PollInput), rowsOf(passed))
      const hasNone = !poll.entities.some(isSession) && !poll.texts.some(({ text }) => text.includes("canary"))
      if (hasNone) assert.equal(passed, poll, "an input without subscribers is not copied")
    }),
    { numRuns: 500 },
  )
})

const trap = (ifName: string | null, raw: string): TrapInput => ({
  kind: "trap",
  device: DEVICE,
  atMs: 1,
  trap: "linkDown",
  oid: "1.3.6.1.6.3.1.1.5.3",
  ifIndex: 4711,
  ifName,
  adminUp: true,
  remote: null,
  state: null,
  raw,
})

test("[S11] a link trap of a session names nobody; one of a port is untouched", () => {
  const passed = discreet(trap("<pppoe-canary>", '1.3.6 1.2.3="<pppoe-canary>" 1.2.4="02:AA:bb:cc:dd:ee"'), nobody)
  assert.deepEqual(passed, trap(null, '1.3.6 1.2.3="<pppoe-<subscriber>>" 1.2.4="<subscriber>"'))
  const ofPort = trap("ether1", '1.3.6 1.2.3="ether1"')
  assert.equal(discreet(ofPort, nobody), ofPort)
})

test("[S11] the gate asks for the naming of the moment, and pushes back as its sink does", () => {
  const taken: DeviceInput[] = []
  let [naming, open]: [Naming, boolean] = [nobody, true]
  const gate = discreetSink({ submit: (input) => open && taken.push(input) > 0 }, () => naming)
  assert.ok(gate.submit(trap("<pppoe-canary>", "<pppoe-canary>")))
  naming = () => "~1"
  assert.ok(gate.submit(trap("<pppoe-canary>", "<pppoe-canary>")))
  open = false
  assert.ok(!gate.submit(trap(null, "")))
  assert.deepEqual(
    taken.map((input) => (input as TrapInput).raw),
    ["<pppoe-<subscriber>>", "<pppoe-~1>"],
  )
})
