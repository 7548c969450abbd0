/** Small networks and the inputs that their devices would send, for tests of the tenant's runtime. */
import fc from "fast-check"
import { interfaceKey, DEVICE_ENTITY, deviceId, entityKey, linkId, siteId, tenantId } from "#protocol/id.ts"
import type { DeviceId } from "#protocol/id.ts"
import type { Inventory } from "#protocol/inventory.ts"
import type { Silence } from "#protocol/maintenance.ts"
import { metricId } from "#protocol/metric.ts"
import type { Rule } from "#protocol/rule.ts"
import type { TenantInfo } from "#engine/tenant/live-twin.ts"
import { checkRule } from "#twin/alert/check.ts"
import { REFUSALS } from "#twin/incident/question.ts"
import type { Input, PollInput, SyslogInput, TrapInput, UnreachableInput } from "#twin/input.ts"

export const START_MS = 1_760_000_000_000

export const tenantInfo = (slug: string): TenantInfo => ({
  id: tenantId(`00000000-0000-4000-8000-${slug.padStart(12, "0")}`),
  slug,
  name: slug,
  demo: true,
})

/** `count` routers in a ring; every id begins with `tag`, so that it can be found again where it must not be. */
export const ring = (count: number, tag = "r"): Inventory => {
  const id = (n: number): DeviceId => deviceId(`${tag}-device-${String(n).padStart(5, "0")}`)
  return {
    sites: [{ id: siteId(`${tag}-site`), name: `${tag} site`, latitude: -23.5, longitude: -46.6 }],
    devices: Array.from({ length: count }, (_, n) => ({
      id: id(n),
      name: `${tag}-${String(n).padStart(5, "0")}`,
      address: `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`,
      site: siteId(`${tag}-site`),
      roles: ["core" as const],
      pollSeconds: 10,
      sources: ["snmp" as const],
    })),
    links: Array.from({ length: count < 2 ? 0 : count }, (_, n) => ({
      id: linkId(`${tag}-link-${String(n).padStart(5, "0")}`),
      a: { device: id(n), interface: "right" },
      b: { device: id((n + 1) % count), interface: "left" },
      capacityBps: 1e9,
    })),
  }
}

const ENTITIES = [DEVICE_ENTITY, interfaceKey("left"), interfaceKey("right")]

/** A whole SNMP poll: uptime, CPU and two interfaces with octet counters. */
export const poll = (device: DeviceId, atMs: number, over: { cpu?: number; rightUp?: boolean } = {}): PollInput => {
  const seconds = Math.floor((atMs - START_MS) / 1_000)
  const rows: Array<readonly [entity: number, metric: number, value: number]> = [
    [0, metricId("device.uptime_seconds"), 1_000 + seconds],
    [0, metricId("device.cpu_pct"), over.cpu ?? 10],
  ]
  for (const [entity, up] of [
    [1, true],
    [2, over.rightUp ?? true],
  ] as const)
    rows.push(
      [entity, metricId("interface.if_index"), entity],
      [entity, metricId("interface.admin_up"), 1],
      [entity, metricId("interface.oper_up"), up ? 1 : 0],
      [entity, metricId("interface.counter_bits"), 64],
      [entity, metricId("interface.rx_bytes_total"), seconds * 1_000_000],
      [entity, metricId("interface.tx_bytes_total"), seconds * 2_000_000],
    )
  return {
    kind: "poll",
    device,
    source: "snmp",
    startedMs: atMs - 20,
    atMs,
    entities: ENTITIES,
    entity: Uint16Array.from(rows, (row) => row[0]),
    metric: Uint16Array.from(rows, (row) => row[1]),
    value: Float64Array.from(rows, (row) => row[2]),
    texts: [{ entity: DEVICE_ENTITY, fact: "device.model", text: "CCR2116" }],
    complete: ["device", "interface"],
  }
}

export const trap = (device: DeviceId, atMs: number, up: boolean, ifName = "right"): TrapInput => ({
  kind: "trap",
  device,
  atMs,
  trap: up ? "linkUp" : "linkDown",
  oid: up ? "1.3.6.1.6.3.1.1.5.4" : "1.3.6.1.6.3.1.1.5.3",
  ifIndex: ifName === "right" ? 2 : 1,
  ifName,
  adminUp: true,
  remote: null,
  state: null,
  raw: `ifIndex=2 ifName=${ifName}`,
})

export const unreachable = (device: DeviceId, atMs: number): UnreachableInput => ({
  kind: "unreachable",
  device,
  source: "snmp",
  atMs,
  reason: "timeout",
  detail: "no answer within 2 s",
})

export const syslog = (device: DeviceId, atMs: number, message: string): SyslogInput => ({
  kind: "syslog",
  device,
  atMs,
  severity: 4,
  topics: ["interface", "info"],
  message,
  event: { type: "interface", ifName: "left", up: false },
  count: 1,
})

const ruleOf = (json: object): Rule => {
  const annotations = { summary_template: "{{entity}} of {{device}}", runbook_url: "docs/runbooks/test.md" }
  const checked = checkRule({ rule_schema_version: "1", cooldown_seconds: 0, severity: "warn", annotations, ...json })
  if (!checked.ok) throw new Error(JSON.stringify(checked.mistakes))
  return checked.rule
}

/** A busy CPU, an interface that is down, and a device that says nothing any more. */
export const RULES: readonly Rule[] = [
  ruleOf({
    id: "cpu",
    name: "CPU busy",
    condition: {
      type: "threshold",
      metric: "device.cpu_pct",
      operator: ">",
      threshold_num: 90,
      aggregation: "last",
      lookback_seconds: 60,
    },
  }),
  ruleOf({
    id: "down",
    name: "Interface down",
    condition: { type: "state_not_in", metric: "interface.oper_up", good_values: [true], lookback_seconds: 1 },
  }),
  ruleOf({
    id: "absent",
    name: "Nothing heard",
    condition: { type: "absent", metric: "device.uptime_seconds", seconds: 15 },
  }),
]

export const SILENCE: Silence = {
  id: "works",
  kind: "maintenance",
  reason: "works at the POP",
  scope: {},
  sparesCritical: false,
  times: [[START_MS, START_MS + 30_000]],
}

/** Any text a device may send, lone surrogates and control characters included. */
const hostile = fc.oneof(
  fc.string({ unit: "binary", maxLength: 30 }),
  fc.constantFrom("\ud800", "\udfff\ud800", "\u0000", "__proto__"),
)
const wellFormedText = hostile.map((text) => text.toWellFormed())

/** Objects with the usual prototype, as inputs have; fields of `optional` may be absent. */
const plain = <T>(
  model: { readonly [K in keyof T]: fc.Arbitrary<T[K]> },
  optional: ReadonlyArray<keyof T> = [],
): fc.Arbitrary<T> => {
  const requiredKeys = (Object.keys(model) as Array<keyof T>).filter((key) => !optional.includes(key))
  return fc.record(model, { noNullPrototype: true, requiredKeys }) as unknown as fc.Arbitrary<T>
}

/** Inputs of every kind with any content that their types allow; `text` decides how hostile. */
export const anyInput = (text: fc.Arbitrary<string> = wellFormedText): fc.Arbitrary<Input> => {
  const atMs = fc.integer({ min: 0, max: 4e12 })
  const device = text.map(deviceId)
  const source = fc.constantFrom("snmp" as const, "routeros" as const)
  const nullable = fc.option(text)
  const samples = fc.array(fc.tuple(fc.nat(), fc.nat(65_535), fc.double({ noNaN: true, noDefaultInfinity: true })))
  const anyPoll: fc.Arbitrary<PollInput> = fc
    .tuple(fc.array(text, { minLength: 1, maxLength: 5 }), samples)
    .chain(([names, rows]) =>
      plain<PollInput>({
        kind: fc.constant("poll" as const),
        device,
        source,
        startedMs: atMs,
        atMs,
        entities: fc.constant(names.map(entityKey)),
        entity: fc.constant(Uint16Array.from(rows, (row) => row[0] % names.length)),
        metric: fc.constant(Uint16Array.from(rows, (row) => row[1])),
        value: fc.constant(Float64Array.from(rows, (row) => row[2])),
        texts: fc.array(plain({ entity: text.map(entityKey), fact: fc.constant("device.model" as const), text })),
        complete: fc.subarray(["device" as const, "interface" as const]),
      }),
    )
  return fc.oneof(
    anyPoll,
    plain({ kind: fc.constant("quota" as const), atMs, quota: text, limit: fc.maxSafeNat(), times: fc.nat() }),
    plain({ kind: fc.constant("certificate" as const), atMs, names: text, endsOn: text, days: fc.nat(30) }),
    plain({
      kind: fc.constant("probed" as const),
      atMs,
      incident: text,
      question: fc.nat(8),
      device,
      source,
      startedMs: atMs,
      outcome: fc.constantFrom("answered" as const, "silent" as const, ...REFUSALS),
      rttMs: fc.option(fc.double({ min: 0, max: 2_000, noNaN: true }), { nil: null }),
    }),
    plain({
      kind: fc.constant("unreachable" as const),
      device,
      source,
      atMs,
      reason: fc.constantFrom("timeout" as const, "auth" as const),
      detail: text,
    }),
    plain({
      kind: fc.constant("trap" as const),
      device,
      atMs,
      trap: fc.constantFrom("linkDown" as const, "other" as const),
      oid: text,
      ifIndex: fc.option(fc.integer({ min: 0, max: 2 ** 31 })),
      ifName: nullable,
      adminUp: fc.option(fc.boolean()),
      remote: nullable,
      state: fc.option(text),
      raw: text,
    }),
    plain(
      {
        kind: fc.constant("syslog" as const),
        device,
        atMs,
        severity: fc.nat(7),
        topics: fc.array(text, { maxLength: 3 }),
        message: text,
        event: fc.option(
          fc.oneof(
            plain({ type: fc.constant("interface" as const), ifName: text, up: fc.boolean() }),
            plain({ type: fc.constant("auth-failed" as const), user: text, from: text }),
            plain({ type: fc.constant("rebooted" as const) }),
          ),
        ),
        count: fc.integer({ min: 1, max: 1e6 }),
        firstMs: atMs,
        raw: text,
        eventOnly: fc.constant(true as const),
      },
      ["firstMs", "raw", "eventOnly"],
    ),
    plain({ kind: fc.constant("tick" as const), atMs }),
    plain({
      kind: fc.constant("rules" as const),
      atMs,
      rev: fc.nat(),
      rules: text.map((name) => RULES.map((rule) => ({ ...rule, name }))),
    }),
    plain({
      kind: fc.constant("silences" as const),
      atMs,
      rev: fc.nat(),
      silences: fc.array(
        text.map((reason) => ({ ...SILENCE, reason })),
        { maxLength: 3 },
      ),
    }),
    plain({
      kind: fc.constant("ack" as const),
      atMs,
      device,
      rule: text,
      entity: text.map(entityKey),
      by: text,
      untilMs: fc.option(atMs),
    }),
    plain({
      kind: fc.constant("topology" as const),
      atMs,
      rev: fc.nat(),
      inventory: fc.nat(4).map((count) => ring(count, "ü")),
    }),
  )
}
export const hostileText = hostile
