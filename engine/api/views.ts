/**
 * The bodies of the API as schemas: the REST twin of protocol/view.ts and protocol/inventory.ts. Compile-time checks
 * below hold each schema to its interface, so that panel frames and REST answers cannot drift apart.
 */
import * as Schema from "effect/Schema"
import type { Same } from "#engine/api/same.ts"
import { RULE_ENTITY_TYPES } from "#protocol/rule.ts"
import { HEALTH, SEVERITY } from "#protocol/status.ts"
import { CAPABILITIES } from "#protocol/view.ts"
import type { Counts, DeviceView, EventView, LinkView } from "#protocol/view.ts"

const maybe = <S extends Schema.Top>(schema: S) => Schema.NullOr(schema)
const named = <S extends Schema.Top>(identifier: string, schema: S) => schema.annotate({ identifier })

const Health = named("Health", Schema.Literals(HEALTH))
const Severity = named("Severity", Schema.Literals(SEVERITY))
const Source = named("Source", Schema.Literals(["snmp", "routeros", "probe", "trap", "syslog"]))
const Quality = named("Quality", Schema.Literals(["good", "estimated", "stale"]))

const SourceBody = named(
  "SourceState",
  Schema.Struct({ source: Source, up: Schema.Boolean, lastOkMs: maybe(Schema.Finite), error: maybe(Schema.String) }),
)
const MetricBody = named(
  "MetricValue",
  Schema.Struct({
    entity: Schema.String,
    metric: Schema.String,
    value: Schema.Finite,
    unit: Schema.String,
    atMs: Schema.Finite,
    source: Source,
    quality: Quality,
  }),
)
const InterfaceBody = named(
  "Interface",
  Schema.Struct({
    name: Schema.String,
    alias: maybe(Schema.String),
    addresses: Schema.optionalKey(Schema.String),
    lowerLayers: Schema.optionalKey(Schema.String),
    mac: Schema.optionalKey(Schema.String),
    bridgeHosts: Schema.optionalKey(Schema.String),
    ifIndex: maybe(Schema.Finite),
    adminUp: maybe(Schema.Boolean),
    operUp: maybe(Schema.Boolean),
    speedBps: maybe(Schema.Finite),
    rxBps: maybe(Schema.Finite),
    txBps: maybe(Schema.Finite),
    utilizationPct: maybe(Schema.Finite),
    rxErrorsPerS: maybe(Schema.Finite),
    txErrorsPerS: maybe(Schema.Finite),
    atMs: Schema.Finite,
    source: Source,
    quality: Quality,
  }),
)
const AdjacencyBody = named(
  "Adjacency",
  Schema.Struct({
    kind: Schema.Literals(["ospf", "bgp", "lldp", "mndp", "cdp", "discovery"]),
    remote: Schema.String,
    remoteAs: Schema.optionalKey(Schema.String),
    localInterface: Schema.optionalKey(Schema.String),
    remotePort: Schema.optionalKey(Schema.String),
    remoteAddress: Schema.optionalKey(Schema.String),
    remoteMac: Schema.optionalKey(Schema.String),
    state: Schema.String,
    up: Schema.Boolean,
    sinceMs: Schema.Finite,
    atMs: Schema.Finite,
    source: Source,
  }),
)
const CapabilityBody = named(
  "Capability",
  Schema.Struct({
    name: Schema.Literals(CAPABILITIES),
    /** The inventory says that it is asked for this. */
    declared: Schema.Boolean,
    /** Something that the twin holds came this way. */
    seen: Schema.Boolean,
    /** Of the newest; null = nothing came. */
    source: maybe(Source),
    atMs: maybe(Schema.Finite),
  }),
)
export const DeviceBody = named(
  "Device",
  Schema.Struct({
    kind: Schema.Literal("device"),
    id: Schema.String,
    name: Schema.String,
    address: Schema.String,
    site: Schema.String,
    roles: Schema.Array(Schema.String),
    health: Health,
    severity: Severity,
    stale: Schema.Boolean,
    reasons: Schema.Array(Schema.String),
    pollSeconds: Schema.Finite,
    lastOkMs: maybe(Schema.Finite),
    texts: Schema.Record(Schema.String, Schema.String),
    sources: Schema.Array(SourceBody),
    capabilities: Schema.optionalKey(Schema.Array(CapabilityBody)),
    metrics: Schema.Array(MetricBody),
    interfaces: Schema.Array(InterfaceBody),
    adjacencies: Schema.Array(AdjacencyBody),
  }),
)
const LinkEndBody = named(
  "LinkEnd",
  Schema.Struct({
    device: Schema.String,
    deviceName: Schema.String,
    interface: Schema.String,
    operUp: maybe(Schema.Boolean),
    adminUp: maybe(Schema.Boolean),
    rxBps: maybe(Schema.Finite),
    txBps: maybe(Schema.Finite),
    atMs: maybe(Schema.Finite),
    source: maybe(Source),
  }),
)
export const LinkBody = named(
  "Link",
  Schema.Struct({
    kind: Schema.Literal("link"),
    id: Schema.String,
    a: LinkEndBody,
    b: LinkEndBody,
    capacityBps: maybe(Schema.Finite),
    health: Health,
    severity: Severity,
    reasons: Schema.Array(Schema.String),
    utilAbPct: maybe(Schema.Finite),
    utilBaPct: maybe(Schema.Finite),
    sinceMs: maybe(Schema.Finite),
  }),
)
export const EventBody = named(
  "Event",
  Schema.Struct({
    id: Schema.String,
    atMs: Schema.Finite,
    type: Schema.String,
    severity: Severity,
    subject: Schema.String,
    subjectKind: Schema.Literals(["device", "link", "tenant"]),
    entity: Schema.String,
    old: maybe(Schema.String),
    new: maybe(Schema.String),
    raw: maybe(Schema.String),
    source: Schema.Literals(["snmp", "routeros", "probe", "trap", "syslog", "twin"]),
  }),
)
export const CountsBody = named(
  "Counts",
  Schema.Struct({
    routers: Schema.Finite,
    routersUp: Schema.Finite,
    links: Schema.Finite,
    linksDown: Schema.Finite,
    linksHot: Schema.Finite,
    sites: Schema.Finite,
    subscribers: maybe(Schema.Finite),
  }),
)

/** A row of the device list: what the map knows of it. */
export const DeviceRow = named(
  "DeviceRow",
  Schema.Struct({
    id: Schema.String,
    name: Schema.String,
    address: Schema.String,
    site: Schema.String,
    roles: Schema.Array(Schema.String),
    health: Health,
    severity: Severity,
    stale: Schema.Boolean,
    maintenance: Schema.Boolean,
    /** Unix seconds of the newest answer; null = never. */
    seenS: maybe(Schema.Finite),
  }),
)
export const LinkRow = named(
  "LinkRow",
  Schema.Struct({
    id: Schema.String,
    a: Schema.Struct({ device: Schema.String, deviceName: Schema.String, interface: Schema.String }),
    b: Schema.Struct({ device: Schema.String, deviceName: Schema.String, interface: Schema.String }),
    capacityBps: maybe(Schema.Finite),
    health: Health,
    severity: Severity,
    stale: Schema.Boolean,
    maintenance: Schema.Boolean,
    utilAbPct: maybe(Schema.Finite),
    utilBaPct: maybe(Schema.Finite),
  }),
)
export const SiteRow = named(
  "Site",
  Schema.Struct({
    id: Schema.String,
    name: Schema.String,
    latitude: Schema.Finite,
    longitude: Schema.Finite,
    /** Nobody said where it is. */
    guessed: Schema.optionalKey(Schema.Literal(true)),
  }),
)
const RowOfDevice = { device: Schema.String, deviceName: Schema.String }
export const InterfaceRow = named("InterfaceRow", Schema.Struct({ ...RowOfDevice, ...InterfaceBody.fields }))
export const AdjacencyRow = named("AdjacencyRow", Schema.Struct({ ...RowOfDevice, ...AdjacencyBody.fields }))
export const ProbeRow = named(
  "ProbeRow",
  Schema.Struct({
    ...RowOfDevice,
    kind: Schema.Literals(["ping", "tcp", "http", "dns"]),
    /** PRODUCT.md C10 by rate: core = every 30 s or more often, service = every 60 s, sample = more seldom. */
    class: Schema.Literals(["core", "service", "sample"]),
    address: Schema.String,
    port: maybe(Schema.Finite),
    intervalSeconds: Schema.Finite,
    /** Of the last result; null = there is none yet. */
    up: maybe(Schema.Boolean),
    ms: maybe(Schema.Finite),
    lossPct: maybe(Schema.Finite),
    atMs: maybe(Schema.Finite),
    quality: maybe(Quality),
  }),
)
export const MetricRow = named(
  "Metric",
  Schema.Struct({
    name: Schema.String,
    unit: Schema.String,
    kind: Schema.Literals(["gauge", "counter", "flag", "state"]),
    entity: Schema.Literals(RULE_ENTITY_TYPES),
    /** Computed in the twin out of other metrics. */
    derived: Schema.Boolean,
    /** Of kind state: the word of each value. */
    states: maybe(Schema.Array(Schema.String)),
  }),
)
const EdgeEnd = Schema.Struct({ device: Schema.String, interface: Schema.String })
export const TopologyBody = named(
  "Topology",
  Schema.Struct({
    /** Another epoch on a later page: the inventory has changed, begin again. */
    epoch: Schema.Finite,
    seq: Schema.Finite,
    nodes: Schema.Array(
      Schema.Struct({
        id: Schema.String,
        name: Schema.String,
        site: Schema.String,
        roles: Schema.Array(Schema.String),
        health: Health,
        severity: Severity,
        stale: Schema.Boolean,
        maintenance: Schema.Boolean,
      }),
    ),
    edges: Schema.Array(
      Schema.Struct({
        id: Schema.String,
        a: EdgeEnd,
        b: EdgeEnd,
        capacityBps: maybe(Schema.Finite),
        health: Health,
        severity: Severity,
        stale: Schema.Boolean,
        maintenance: Schema.Boolean,
        utilAbPct: maybe(Schema.Finite),
        utilBaPct: maybe(Schema.Finite),
      }),
    ),
    next: maybe(Schema.String),
  }),
)
export const TenantBody = named(
  "Tenant",
  Schema.Struct({ id: Schema.String, slug: Schema.String, name: Schema.String, demo: Schema.Boolean }),
)
export const HistoryBody = named(
  "History",
  Schema.Struct({
    device: Schema.String,
    entity: Schema.String,
    metric: Schema.String,
    unit: Schema.String,
    bucketMs: Schema.Finite,
    atMs: Schema.Array(Schema.Finite),
    min: Schema.Array(maybe(Schema.Finite)),
    max: Schema.Array(maybe(Schema.Finite)),
    avg: Schema.Array(maybe(Schema.Finite)),
  }),
)

/** A page of a list; `next` is the cursor of the page after it, null on the last. */
export const pageOf = <S extends Schema.Top>(item: S) =>
  Schema.Struct({ items: Schema.Array(item), next: maybe(Schema.String) })

/** A `never` here means that a schema and its interface in protocol/view.ts are no longer the same. */
export type ViewsAgree = [
  Same<typeof DeviceBody.Type, DeviceView>,
  Same<typeof LinkBody.Type, LinkView>,
  Same<typeof EventBody.Type, EventView>,
  Same<typeof CountsBody.Type, Counts>,
]
const agree: ViewsAgree = [true, true, true, true]
void agree
