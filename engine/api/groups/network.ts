/** What is known of the network now, read from the live twin. */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import { filter, flag, Id, Page } from "#engine/api/groups/fields.ts"
import { BadQuery, NotFound } from "#engine/api/problems.ts"
import { SignedIn } from "#engine/api/signed-in.ts"
import {
  AdjacencyRow,
  CountsBody,
  DeviceBody,
  DeviceRow,
  InterfaceRow,
  LinkBody,
  LinkRow,
  MetricRow,
  pageOf,
  ProbeRow,
  SiteRow,
  TenantBody,
  TopologyBody,
} from "#engine/api/views.ts"
import { ROLES } from "#protocol/role.ts"
import { HEALTH } from "#protocol/status.ts"

const ADJACENCY_KINDS = ["ospf", "bgp", "lldp", "mndp", "cdp", "discovery"] as const

/** Near `latitude,longitude,km`; inside the box `west,south,east,north`; at a site whose name has this in it. */
const Where = { near: filter(96), bbox: filter(128), place: filter(128) }

export class NetworkGroup extends HttpApiGroup.make("network")
  .add(
    HttpApiEndpoint.get("devices", "/devices", {
      query: {
        ...Page,
        q: filter(128),
        site: filter(64),
        role: Schema.optionalKey(Schema.Literals(ROLES)),
        health: Schema.optionalKey(Schema.Literals(HEALTH)),
        ...Where,
      },
      success: pageOf(DeviceRow),
      error: BadQuery,
    }).annotate(
      OpenApi.Summary,
      "Devices by name; `q` is a part of the name or address; `near`, `bbox` and `place` say where",
    ),
    HttpApiEndpoint.get("device", "/devices/:id", { params: Id, success: DeviceBody, error: NotFound }).annotate(
      OpenApi.Summary,
      "All that is known of one device, with sources and ages",
    ),
    HttpApiEndpoint.get("links", "/links", {
      query: { ...Page, device: filter(64), health: Schema.optionalKey(Schema.Literals(HEALTH)) },
      success: pageOf(LinkRow),
      error: BadQuery,
    }).annotate(OpenApi.Summary, "Links, of one device if asked"),
    HttpApiEndpoint.get("link", "/links/:id", { params: Id, success: LinkBody, error: NotFound }).annotate(
      OpenApi.Summary,
      "Both ends of one link",
    ),
    HttpApiEndpoint.get("sites", "/sites", {
      query: { ...Page, ...Where },
      success: pageOf(SiteRow),
      error: BadQuery,
    }).annotate(OpenApi.Summary, "Sites by id, everywhere or where `near`, `bbox` and `place` say"),
    HttpApiEndpoint.get("deviceInterfaces", "/devices/:id/interfaces", {
      params: Id,
      query: { ...Page, q: filter(128), operUp: flag },
      success: pageOf(InterfaceRow),
      error: [NotFound, BadQuery],
    }).annotate(OpenApi.Summary, "The interfaces of one device by name; `q` is a part of the name or description"),
    HttpApiEndpoint.get("interfaces", "/interfaces", {
      query: { ...Page, device: filter(64), q: filter(128), operUp: flag },
      success: pageOf(InterfaceRow),
      error: BadQuery,
    }).annotate(
      OpenApi.Summary,
      "Interfaces of all devices, by device and name. A page looks at 500 devices at most: go on while there is a `next`",
    ),
    HttpApiEndpoint.get("adjacencies", "/adjacencies", {
      query: {
        ...Page,
        device: filter(64),
        kind: Schema.optionalKey(Schema.Literals(ADJACENCY_KINDS)),
        up: flag,
      },
      success: pageOf(AdjacencyRow),
      error: BadQuery,
    }).annotate(
      OpenApi.Summary,
      "Routing and LLDP neighbours of all devices. A page looks at 500 devices at most: go on while there is a `next`",
    ),
    HttpApiEndpoint.get("topology", "/topology", {
      query: Page,
      success: TopologyBody,
      error: BadQuery,
    }).annotate(
      OpenApi.Summary,
      "Devices and links as a graph, for machines. Each link stands once, on the page of its later end",
    ),
    HttpApiEndpoint.get("probes", "/probes", {
      query: { ...Page, device: filter(64), kind: Schema.optionalKey(Schema.Literals(["ping", "tcp", "http", "dns"])) },
      success: pageOf(ProbeRow),
      error: BadQuery,
    }).annotate(OpenApi.Summary, "What is probed, how often, and the last result"),
    HttpApiEndpoint.get("metrics", "/metrics", {
      query: { entity: filter(32) },
      success: pageOf(MetricRow),
      error: BadQuery,
    }).annotate(OpenApi.Summary, "The metric registry: every metric that this engine knows"),
    HttpApiEndpoint.get("status", "/status", {
      success: Schema.Struct({
        version: Schema.String,
        uptimeS: Schema.Finite,
        atMs: Schema.Finite,
        tenant: TenantBody,
        epoch: Schema.Finite,
        seq: Schema.Finite,
        counts: CountsBody,
      }),
    }).annotate(OpenApi.Summary, "The engine and this tenant's counts"),
  )
  .middleware(SignedIn) {}
