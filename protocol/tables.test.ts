import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { record } from "#protocol/frames.fixture.ts"
import {
  bgpKey,
  DEVICE_ENTITY,
  discoveryKey,
  discoveryKind,
  entityKey,
  entityKind,
  entityName,
  interfaceKey,
  ospfKey,
} from "#protocol/id.ts"
import { BGP_STATES, metricById, metricByName, metricId, METRICS, OSPF_STATES, TEXT_FACTS } from "#protocol/metric.ts"
import { isRole, ROLES } from "#protocol/role.ts"
import { HEALTH, packStatus, sameStatus, SEVERITY, unpackStatus } from "#protocol/status.ts"
import type { Status } from "#protocol/status.ts"
import { CLOSE, KIND, packUtil, UTIL_UNKNOWN, unpackUtil } from "#protocol/wire.ts"

const status: fc.Arbitrary<Status> = record({
  health: fc.constantFrom(...HEALTH),
  severity: fc.constantFrom(...SEVERITY),
  maintenance: fc.boolean(),
  stale: fc.boolean(),
})

test("metric ids and names are unique, and ids fit the columns of a poll", () => {
  assert.equal(new Set(METRICS.map((metric) => metric.id)).size, METRICS.length)
  assert.equal(new Set(METRICS.map((metric) => metric.name)).size, METRICS.length)
  for (const { id, name } of METRICS) {
    assert.ok(Number.isInteger(id) && id > 0 && id < 2 ** 16, name)
    assert.equal(metricById(id)?.name, name)
    assert.equal(metricByName(name)?.id, id)
  }
  assert.equal(metricById(0), null)
  assert.equal(metricById(65_535), null)
  assert.equal(metricByName("no.such"), null)
})

test("counters end in _total, and nothing else does; states name their states", () => {
  for (const { name, kind, states } of METRICS as ReadonlyArray<(typeof METRICS)[number]>) {
    assert.equal(name.endsWith("_total"), kind === "counter", name)
    assert.equal(kind === "state", states !== undefined, name)
  }
  assert.equal(metricById(metricId("ospf.neighbor.state"))?.states, OSPF_STATES)
  assert.equal(metricById(metricId("bgp.peer.state"))?.states, BGP_STATES)
  assert.equal(new Set(TEXT_FACTS).size, TEXT_FACTS.length)
})

test("[B4] status survives its byte, and bytes of a newer list are unknown", () => {
  fc.assert(
    fc.property(status, (value) => {
      const byte = packStatus(value)
      assert.ok(byte >= 0 && byte <= 255)
      assert.deepEqual(unpackStatus(byte), value)
      assert.ok(sameStatus(unpackStatus(byte), value))
    }),
  )
  assert.equal(unpackStatus(0b00_111_111).health, "unknown")
  assert.equal(unpackStatus(0b00_111_111).severity, "indeterminate")
  assert.equal(new Set(HEALTH.flatMap((_, h) => SEVERITY.map((_, s) => h | (s << 3)))).size, 30)
})

test("[B4] utilisation is half percents, capped at 127 %, and 255 is unknown", () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1.27, noNaN: true }), (fraction) => {
      assert.ok(Math.abs((unpackUtil(packUtil(fraction)) as number) - fraction) <= 0.0025 + 1e-12)
    }),
  )
  for (const nothing of [null, Number.NaN, -0.1]) assert.equal(packUtil(nothing), UTIL_UNKNOWN)
  assert.equal(packUtil(7), 254)
  assert.equal(packUtil(Number.POSITIVE_INFINITY), 254)
  assert.equal(unpackUtil(UTIL_UNKNOWN), null)
})

test("entity keys name their kind and keep their name, whatever the device calls it", () => {
  fc.assert(
    fc.property(fc.string(), (name) => {
      assert.equal(entityKind(interfaceKey(name)), "interface")
      assert.equal(entityName(interfaceKey(name)), name)
      assert.equal(entityKind(ospfKey(name)), "ospf.neighbor")
      assert.equal(entityKind(bgpKey(name)), "bgp.peer")
      assert.equal(entityName(bgpKey(name)), name)
    }),
  )
  assert.equal(entityKind(DEVICE_ENTITY), "device")
  for (const by of ["mndp", "cdp", "discovery"] as const) {
    assert.equal(entityKind(discoveryKey(by, "ether1", 2)), "discovery.neighbor")
    assert.equal(discoveryKind(discoveryKey(by, "ether1")), by)
  }
  assert.equal(entityKind(entityKey("edp:ether1")), null)
  assert.equal(discoveryKind(entityKey("lldp:ether1")), null)
})

test("roles, kinds and close codes are distinct and fit their places on the wire", () => {
  assert.ok(ROLES.length <= 256 && new Set(ROLES).size === ROLES.length)
  assert.ok(isRole("core") && !isRole("toString"))
  assert.equal(new Set(Object.values(KIND)).size, Object.keys(KIND).length)
  for (const code of Object.values(CLOSE)) assert.ok(code >= 4000 && code <= 4999)
})
