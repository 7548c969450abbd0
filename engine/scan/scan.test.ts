/** [C12] What a scan asks, what it calls one device, and what it makes of those that say little or lie. */
import assert from "node:assert/strict"
import { createServer } from "node:net"
import type { AddressInfo } from "node:net"
import { test } from "node:test"
import fc from "fast-check"
import { device, text } from "#engine/collectors/snmp/device-cells.fixture.ts"
import type { Cell } from "#engine/collectors/snmp/recorded-agent.fixture.ts"
import { startAgent } from "#engine/collectors/snmp/recorded-agent.fixture.ts"
import { TAG } from "#engine/collectors/snmp/varbinds.ts"
import { GENERIC } from "#engine/collectors/snmp/vendors.ts"
import { onlyThese } from "#engine/probes/policy.ts"
import { askApiPort } from "#engine/scan/api-banner.ts"
import type { Identity } from "#engine/scan/identify.ts"
import { proposeImport } from "#engine/scan/import-document.ts"
import { hostsOf, WrongRange } from "#engine/scan/range.ts"
import { sameDevices } from "#engine/scan/same-device.ts"
import { scan } from "#engine/scan/scan.ts"

test("a range is IPv4 and at most a /22; network and broadcast are no hosts", () => {
  assert.deepEqual(hostsOf("192.0.2.9"), ["192.0.2.9"])
  assert.deepEqual(hostsOf("192.0.2.9/31"), ["192.0.2.8", "192.0.2.9"])
  assert.deepEqual(hostsOf("192.0.2.9/30"), ["192.0.2.9", "192.0.2.10"])
  const most = hostsOf("10.255.252.0/22")
  assert.deepEqual([most.length, most[0], most.at(-1)], [1022, "10.255.252.1", "10.255.255.254"])
  for (const range of [
    "10.0.0.0/21",
    "10.0.0.0/0",
    "10.0.0.0/33",
    "10.0.0.0/x",
    "10.0.0.0/24/1",
    "2001:db8::/64",
    "a",
    "",
  ])
    assert.throws(() => hostsOf(range), WrongRange, range)
})

const identity = (fields: Partial<Identity>): Identity => ({
  vendor: "MikroTik",
  model: null,
  osVersion: null,
  sysName: "r1",
  sysObjectID: null,
  sysDescr: null,
  serial: null,
  engineId: null,
  ownAddresses: [],
  ...fields,
})

test("one device: the same serial of one vendor, the same engine and name, or an own address; a name alone is not enough", () => {
  const groups = (...found: ReadonlyArray<Partial<Identity> | null>) =>
    sameDevices(
      found.map((fields, i) => ({ address: `10.0.0.${i + 1}`, identity: fields === null ? null : identity(fields) })),
    ).map((members) => members.map(({ address }) => Number(address.split(".")[3])))
  assert.deepEqual(groups({}, {}), [[1], [2]])
  assert.deepEqual(groups({ serial: "A" }, { serial: "B" }, { serial: "A", sysName: "renamed" }), [[1, 3], [2]])
  assert.deepEqual(groups({ serial: "A" }, { serial: "A", vendor: "Cisco" }), [[1], [2]])
  assert.deepEqual(groups({ engineId: "80" }, { engineId: "80" }, { engineId: "80", sysName: "clone" }), [[1, 2], [3]])
  assert.deepEqual(groups({ ownAddresses: ["10.0.0.3"] }, {}, {}), [[1, 3], [2]])
  assert.deepEqual(groups({ ownAddresses: ["10.0.0.3"] }, {}, { sysName: "r9" }), [[1], [2], [3]])
  assert.deepEqual(groups({ ownAddresses: ["127.0.0.1"] }, { ownAddresses: ["127.0.0.1"] }), [[1], [2]])
  assert.deepEqual(groups(null, null), [[1], [2]])
})

test("groups hold every address once, and the order in which they were found does not matter", () => {
  const some = fc.record({
    sysName: fc.constantFrom("a", "b", null),
    serial: fc.constantFrom("s", "t", null),
    engineId: fc.constantFrom("80", null),
    ownAddresses: fc.subarray(["10.0.0.1", "10.0.0.2", "10.0.0.5"]),
  })
  fc.assert(
    fc.property(fc.array(some, { maxLength: 8 }), (list) => {
      const found = list.map((fields, i) => ({ address: `10.0.0.${i + 1}`, identity: identity(fields) }))
      const texts = (given: typeof found) =>
        sameDevices(given)
          .map((members) =>
            members
              .map(({ address }) => address)
              .toSorted()
              .join(),
          )
          .toSorted()
      assert.equal(sameDevices(found).flat().length, found.length)
      assert.deepEqual(texts(found.toReversed()), texts(found))
    }),
  )
})

test("[C12] what nobody here knows stays generic SNMP; two addresses of one device are one; only what is allowed is asked", async (t) => {
  const strange: Cell[] = [
    text("1.3.6.1.2.1.1.1.0", "Acme\u0007 Box"),
    { oid: "1.3.6.1.2.1.1.2.0", tag: TAG.oid, value: "1.3.6.1.4.1.99999.1" },
    text("1.3.6.1.2.1.1.5.0", "acme"),
  ]
  const mikrotik = device(
    100,
    [],
    [text("1.3.6.1.4.1.14988.1.1.7.3.0", "SER1"), text("1.3.6.1.4.1.14988.1.1.7.9.0", "RB5009")],
  )
  const first = await startAgent(strange, { address: "127.25.0.1" })
  const { port } = first
  const second = await startAgent(mikrotik, { address: "127.25.0.2", port })
  const third = await startAgent(mikrotik, { address: "127.25.0.3", port })
  const forbidden = await startAgent(mikrotik, { address: "127.25.0.4", port })
  t.after(() => [first, second, third, forbidden].forEach((agent) => agent.close()))
  const snmp = [{ version: "2c", port, community: "public" } as const]
  const reach = onlyThese(["127.25.0.1", "127.25.0.2", "127.25.0.3"], [])
  const report = await scan({ range: "127.25.0.0/29", snmp, apiPorts: [], reach })
  assert.deepEqual([report.asked, report.refused, forbidden.requests.length], [3, 3, 0])
  assert.deepEqual(
    report.devices.map(({ addresses, vendor, model, serial, sysDescr }) => [
      addresses,
      vendor,
      model,
      serial,
      sysDescr,
    ]),
    [
      [["127.25.0.1"], GENERIC, null, null, "Acme  Box"],
      [["127.25.0.2", "127.25.0.3"], "MikroTik", "RB5009", "SER1", "RouterOS RB760iGS"],
    ],
  )
  const site = { id: "s", name: "s", latitude: 0, longitude: 0 }
  assert.deepEqual(
    proposeImport(report, site, snmp).devices.map(({ name, address }) => [name, address]),
    [
      ["acme", "127.25.0.1"],
      ["core-1", "127.25.0.2"],
    ],
  )
})

test("an API's port is one that answers as an API; others are open, closed, or silent until the time is over", async (t) => {
  const said = async (answer: Buffer | null): Promise<string> => {
    const server = createServer((socket) => {
      socket.on("error", () => undefined)
      if (answer !== null) socket.write(answer)
    })
    t.after(() => server.close())
    await new Promise<void>((go) => server.listen(0, "127.0.0.1", go))
    return askApiPort("127.0.0.1", (server.address() as AddressInfo).port, 300)
  }
  assert.equal(await said(Buffer.from("\u0006!fatal\u0000", "latin1")), "speaks")
  assert.equal(await said(Buffer.from("SSH-2.0-OpenSSH_9.2\r\n")), "open")
  assert.equal(await said(Buffer.alloc(64, 0xff)), "open")
  assert.equal(await said(null), "open")
  assert.equal(await askApiPort("127.0.0.1", 1, 300), "closed")
})
