/** One frame of every kind with every corner (NaN, empty columns, null, hostile text), and arbitraries of all of them. */
import fc from "fast-check"
import { deviceId } from "#protocol/id.ts"
import { SEVERITY } from "#protocol/status.ts"
import type { Counts, DeviceView, EventView, LinkView } from "#protocol/view.ts"
import type { ClientFrame, ClientHello, Delta, EventFrame, ServerFrame, ServerHello, Snap } from "#protocol/wire.ts"

const counts: Counts = {
  routers: 3,
  routersUp: 2,
  links: 2,
  linksDown: 1,
  linksHot: 0,
  sites: 1,
  subscribers: 1234,
}

const events: readonly EventView[] = [
  {
    id: "41-0",
    atMs: 1_760_000_000_123,
    type: "interface.oper.changed",
    severity: "major",
    subject: "0199c2b0-0000-7000-8000-000000000001",
    subjectKind: "device",
    entity: "if:ether1",
    old: "up",
    new: "down",
    raw: "ether1 link down \u202e<script>",
    source: "trap",
  },
  {
    id: "41-1",
    atMs: 1_760_000_000_123,
    type: "link.down",
    severity: "critical",
    subject: "0199c2b0-0000-7000-8000-00000000000a",
    subjectKind: "link",
    entity: "",
    old: null,
    new: null,
    raw: null,
    source: "twin",
  },
]

const snap: Snap = {
  kind: "SNAP",
  epoch: 7,
  seq: 40,
  atMs: 1_760_000_000_000,
  part: 0,
  parts: 1,
  sites: {
    id: ["sao-1"],
    name: ["São Paulo"],
    latitude: Float64Array.of(-23.55),
    longitude: Float64Array.of(-46.63),
    placeGuessed: Uint8Array.of(1),
  },
  nodes: {
    id: ["n1", "n2", "n3"],
    name: ["core1", "core2", "edge1"],
    site: Uint32Array.of(0, 0, 0),
    role: Uint8Array.of(0, 0, 2),
    status: Uint8Array.of(1, 1, 44),
    seenS: Uint32Array.of(1_760_000_000, 1_759_999_999, 0),
  },
  links: {
    id: ["l1", "l2"],
    a: Uint32Array.of(0, 1),
    b: Uint32Array.of(1, 2),
    capacityBps: Float64Array.of(1e10, Number.NaN),
    status: Uint8Array.of(1, 8),
    utilAB: Uint8Array.of(42, 255),
    utilBA: Uint8Array.of(254, 255),
  },
  counts,
  events,
}

const emptySnap: Snap = {
  ...snap,
  sites: {
    id: [],
    name: [],
    latitude: new Float64Array(0),
    longitude: new Float64Array(0),
    placeGuessed: new Uint8Array(0),
  },
  nodes: {
    id: [],
    name: [],
    site: new Uint32Array(0),
    role: new Uint8Array(0),
    status: new Uint8Array(0),
    seenS: new Uint32Array(0),
  },
  links: {
    id: [],
    a: new Uint32Array(0),
    b: new Uint32Array(0),
    capacityBps: new Float64Array(0),
    status: new Uint8Array(0),
    utilAB: new Uint8Array(0),
    utilBA: new Uint8Array(0),
  },
  counts: { routers: 0, routersUp: 0, links: 0, linksDown: 0, linksHot: 0, sites: 0, subscribers: null },
  events: [],
}

const delta: Delta = {
  kind: "DELTA",
  epoch: 7,
  base: 40,
  seq: 43,
  atMs: 1_760_000_001_000,
  nodes: { slot: Uint32Array.of(0, 2), status: Uint8Array.of(34, 1), seenS: Uint32Array.of(1_760_000_001, 7) },
  links: { slot: Uint32Array.of(1), status: Uint8Array.of(43), utilAB: Uint8Array.of(0), utilBA: Uint8Array.of(255) },
  counts,
}

const emptyDelta: Delta = {
  ...delta,
  base: 43,
  seq: 2 ** 40,
  nodes: { slot: new Uint32Array(0), status: new Uint8Array(0), seenS: new Uint32Array(0) },
  links: { slot: new Uint32Array(0), status: new Uint8Array(0), utilAB: new Uint8Array(0), utilBA: new Uint8Array(0) },
}

const deviceView: DeviceView = {
  kind: "device",
  id: deviceId("0199c2b0-0000-7000-8000-000000000001"),
  name: "core1",
  address: "127.0.1.1",
  site: "sao-1",
  roles: ["core"],
  health: "degraded",
  severity: "major",
  stale: false,
  reasons: ["ether1 is down and carries a link"],
  pollSeconds: 10,
  lastOkMs: 1_760_000_000_000,
  texts: { "device.identity": "core1" },
  sources: [{ source: "snmp", up: true, lastOkMs: 1_760_000_000_000, error: null }],
  metrics: [],
  interfaces: [],
  adjacencies: [],
}

const linkView: LinkView = {
  kind: "link",
  id: "l1",
  a: {
    device: "n1",
    deviceName: "core1",
    interface: "ether1",
    operUp: true,
    adminUp: true,
    rxBps: 1.5,
    txBps: null,
    atMs: 1,
    source: "snmp",
  },
  b: {
    device: "n2",
    deviceName: "core2",
    interface: "ether1",
    operUp: null,
    adminUp: null,
    rxBps: null,
    txBps: null,
    atMs: null,
    source: null,
  },
  capacityBps: null,
  health: "ok",
  severity: "cleared",
  reasons: [],
  utilAbPct: 12.5,
  utilBaPct: null,
  sinceMs: 1_760_000_000_000,
}

/** Golden frames of wire version 2, by the name of their vector. */
export const CLIENT_FRAMES: Readonly<Record<string, ClientFrame>> = {
  "hello-fresh": { kind: "HELLO", versionMin: 2, versionMax: 2, resume: null, lang: "pt-BR" },
  "hello-resume": { kind: "HELLO", versionMin: 1, versionMax: 3, resume: { epoch: 7, seq: 2 ** 40 }, lang: "en" },
  "sub-device": {
    kind: "SUB",
    focus: { kind: "device", id: "n1" },
    cells: [0, 341, 1023],
    tiers: [0, 1],
    hidden: false,
  },
  "sub-hidden": { kind: "SUB", focus: null, cells: [], tiers: [], hidden: true },
  "sub-link": { kind: "SUB", focus: { kind: "link", id: "l1" }, cells: [], tiers: [], hidden: false },
  ping: { kind: "PING", token: 17 },
}

export const SERVER_FRAMES: Readonly<Record<string, ServerFrame>> = {
  welcome: {
    kind: "WELCOME",
    version: 2,
    tenant: { id: "0199c2b0-0000-7000-8000-0000000000aa", name: "Provedor Ação", demo: true },
    epoch: 7,
    seq: 40,
    mode: "live",
    atMs: 1_760_000_000_000,
  },
  snap,
  "snap-empty": emptySnap,
  "snap-part": { ...snap, part: 1, parts: 2, events: [] },
  delta,
  "delta-empty": emptyDelta,
  event: { kind: "EVENT", epoch: 7, base: 40, seq: 43, atMs: 1_760_000_001_000, events },
  pong: { kind: "PONG", token: 17, atMs: 1_760_000_000_500 },
  "focus-device": { kind: "FOCUS", atMs: 1_760_000_000_000, view: deviceView },
  "focus-link": { kind: "FOCUS", atMs: 1_760_000_000_000, view: linkView },
  bye: { kind: "BYE", code: 4001, reason: "this page speaks version 0 of the stream; reload it" },
}

/** Records with the prototype that decoded objects have. */
export const record = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record(model, { noNullPrototype: true }) as fc.Arbitrary<T>

const place = fc.nat({ max: Number.MAX_SAFE_INTEGER })
const word = fc.string({ unit: "grapheme", maxLength: 20 })

export const clientHello: fc.Arbitrary<ClientHello> = record({
  kind: fc.constant("HELLO" as const),
  versionMin: fc.nat(100),
  versionMax: fc.integer({ min: 100, max: 65_535 }),
  resume: fc.option(record({ epoch: place, seq: place })),
  lang: word,
})

export const clientFrame: fc.Arbitrary<ClientFrame> = fc.oneof(
  clientHello,
  record({
    kind: fc.constant("SUB" as const),
    focus: fc.option(record({ kind: fc.constantFrom("device" as const, "link" as const), id: word })),
    cells: fc.array(fc.nat(1023), { maxLength: 50 }),
    tiers: fc.array(fc.nat(255), { maxLength: 16 }),
    hidden: fc.boolean(),
  }),
  record({ kind: fc.constant("PING" as const), token: place }),
)

const atMs = fc.integer({ min: 0, max: 4e12 })
const u8s = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length })
const u32s = (length: number): fc.Arbitrary<Uint32Array> => fc.uint32Array({ minLength: length, maxLength: length })
/** Any double: NaN, infinities and -0 too. */
const f64s = (length: number): fc.Arbitrary<Float64Array> => fc.float64Array({ minLength: length, maxLength: length })
const words = (length: number): fc.Arbitrary<string[]> => fc.array(word, { minLength: length, maxLength: length })

export const countsArbitrary: fc.Arbitrary<Counts> = record({
  routers: fc.nat(),
  routersUp: fc.nat(),
  links: fc.nat(),
  linksDown: fc.nat(),
  linksHot: fc.nat(),
  sites: fc.nat(),
  subscribers: fc.option(fc.nat()),
})

const event: fc.Arbitrary<EventView> = record({
  id: fc.tuple(fc.nat(), fc.nat()).map(([seq, index]) => `${seq}-${index}`),
  atMs,
  type: word,
  severity: fc.constantFrom(...SEVERITY),
  subject: word,
  subjectKind: fc.constantFrom("device" as const, "link" as const, "tenant" as const),
  entity: word,
  old: fc.option(word),
  new: fc.option(word),
  raw: fc.option(word),
  source: fc.constantFrom("snmp" as const, "trap" as const, "twin" as const),
})

const span = fc.tuple(place, place).map(([a, b]) => ({ base: Math.min(a, b), seq: Math.max(a, b, Math.min(a, b) + 1) }))
const slots = fc
  .uniqueArray(fc.nat(2 ** 32 - 1), { maxLength: 20 })
  .map((list) => Uint32Array.from(list.sort((a, b) => a - b)))

const snapArbitrary: fc.Arbitrary<Snap> = fc.tuple(fc.nat(5), fc.nat(10), fc.nat(10)).chain(([s, n, l]) =>
  record({
    kind: fc.constant("SNAP" as const),
    epoch: place,
    seq: place,
    atMs,
    part: fc.constant(0),
    parts: fc.integer({ min: 1, max: 9 }),
    sites: record({ id: words(s), name: words(s), latitude: f64s(s), longitude: f64s(s), placeGuessed: u8s(s) }),
    nodes: record({ id: words(n), name: words(n), site: u32s(n), role: u8s(n), status: u8s(n), seenS: u32s(n) }),
    links: record({
      id: words(l),
      a: u32s(l),
      b: u32s(l),
      capacityBps: f64s(l),
      status: u8s(l),
      utilAB: u8s(l),
      utilBA: u8s(l),
    }),
    counts: countsArbitrary,
    events: fc.array(event, { maxLength: 5 }),
  }),
)

const deltaArbitrary: fc.Arbitrary<Delta> = fc.tuple(slots, slots, span).chain(([node, link, { base, seq }]) =>
  record({
    kind: fc.constant("DELTA" as const),
    epoch: place,
    base: fc.constant(base),
    seq: fc.constant(seq),
    atMs,
    nodes: record({ slot: fc.constant(node), status: u8s(node.length), seenS: u32s(node.length) }),
    links: record({
      slot: fc.constant(link),
      status: u8s(link.length),
      utilAB: u8s(link.length),
      utilBA: u8s(link.length),
    }),
    counts: countsArbitrary,
  }),
)

const welcome: fc.Arbitrary<ServerHello> = record({
  kind: fc.constant("WELCOME" as const),
  version: fc.nat(65_535),
  tenant: record({ id: word, name: word, demo: fc.boolean() }),
  epoch: place,
  seq: place,
  mode: fc.constantFrom("live" as const, "replay" as const),
  atMs,
})

const eventFrame: fc.Arbitrary<EventFrame> = record({
  span,
  epoch: place,
  atMs,
  events: fc.array(event, { maxLength: 5 }),
}).map(({ span, ...rest }) => ({ kind: "EVENT", ...span, ...rest }))

export const serverFrame: fc.Arbitrary<ServerFrame> = fc.oneof(
  welcome,
  snapArbitrary,
  deltaArbitrary,
  eventFrame,
  record({ kind: fc.constant("PONG" as const), token: place, atMs }),
  record({ kind: fc.constant("BYE" as const), code: fc.nat(4999), reason: word }),
)
