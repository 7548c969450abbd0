/**
 * What the graph of devices and links cannot say: what fails together (shared-risk groups), who needs what (dependency
 * groups), who provides and which services there are. Part of the declared inventory, and of its revision: the twin gets
 * it with the topology. Also where sites are, by distance and by area.
 */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import { filter, IfMatch, maybe, name, named, whole, wholeBetween } from "#engine/api/groups/fields.ts"
import { BadQuery, Changed, NotFound, Refused, ServiceUnavailable } from "#engine/api/problems.ts"
import type { Same } from "#engine/api/same.ts"
import { SignedIn } from "#engine/api/signed-in.ts"
import { SiteRow } from "#engine/api/views.ts"
import { SERVICE_HEALTH, TRANSIT_VERDICTS } from "#protocol/service.ts"
import type { ServiceCondition } from "#protocol/service.ts"
import {
  DEPENDENCY_MODES,
  PROVIDER_KINDS,
  SERVICE_KINDS,
  SRLG_KINDS,
  STRUCTURE_MEMBERS_MAX,
} from "#protocol/structure.ts"

const members = Schema.Array(name(200)).check(Schema.isMaxLength(STRUCTURE_MEMBERS_MAX))
const Named = { id: Schema.String, name: Schema.String }
const Key = { id: name(100) }

const SRLG = { kind: Schema.Literals(SRLG_KINDS), links: members, sites: members }
export const SrlgBody = named("Srlg", Schema.Struct({ ...Named, ...SRLG }))
const GROUP = {
  /** Any member is enough; all are needed; at least `k` are. */
  mode: Schema.Literals(DEPENDENCY_MODES),
  /** Of kofn: 1 to the number of members; else 1. */
  k: wholeBetween(1, STRUCTURE_MEMBERS_MAX),
  devices: members,
  links: members,
  /** Devices that cannot do without. */
  dependants: members,
}
export const DependencyGroupBody = named("DependencyGroup", Schema.Struct({ ...Named, ...GROUP }))
const PROVIDER = { kind: Schema.Literals(PROVIDER_KINDS), devices: members, links: members }
export const ProviderBody = named("Provider", Schema.Struct({ ...Named, ...PROVIDER }))
const SERVICE = {
  kind: Schema.Literals(SERVICE_KINDS),
  devices: members,
  links: members,
  sites: members,
  providers: members,
}
export const ServiceBody = named("Service", Schema.Struct({ ...Named, ...SERVICE }))

const ServiceReasonBody = named(
  "ServiceReason",
  Schema.Struct({
    /** One sentence. */
    text: Schema.String,
    /** It speaks against the service; else it only says what is known. */
    isFault: Schema.Boolean,
    kind: Schema.Literals(["device", "link", "provider", ""]),
    id: Schema.String,
  }),
)
const ServiceConditionBody = named(
  "ServiceCondition",
  Schema.Struct({
    health: Schema.Literals(SERVICE_HEALTH),
    /** Of this health. */
    sinceMs: Schema.Finite,
    /** When it was last judged. */
    atMs: Schema.Finite,
    /** One sentence: what is the matter. */
    words: Schema.String,
    /** Worst first. */
    reasons: Schema.Array(ServiceReasonBody),
    /** Of a transit that does not do its work: what is behind it. */
    transit: maybe(Schema.Struct({ verdict: Schema.Literals(TRANSIT_VERDICTS), confidence: Schema.Finite })),
  }),
)
/** Null = not judged yet, or by whom sees some sites only: a service stands beyond any of them. */
export const JudgedServiceBody = named(
  "JudgedService",
  Schema.Struct({ ...Named, ...SERVICE, condition: maybe(ServiceConditionBody) }),
)
/** A `never` here means that the schema and protocol/service.ts are no longer the same. */
const agrees: Same<typeof ServiceConditionBody.Type, ServiceCondition> = true
void agrees

/** GET all, GET one, PUT, DELETE of one kind. */
const fourOf = <
  const All extends string,
  const One extends string,
  const Put extends string,
  const Remove extends string,
  S extends Schema.Top,
  V extends Schema.Top,
  F extends Schema.Struct.Fields,
>(
  [all, one, put, remove]: readonly [All, One, Put, Remove],
  path: `/${string}`,
  words: string,
  body: S,
  shown: V,
  fields: F,
) =>
  [
    HttpApiEndpoint.get(all, path, {
      success: Schema.Struct({ items: Schema.Array(shown) }),
      error: [ServiceUnavailable],
    }).annotate(OpenApi.Summary, `All ${words}s, by id`),
    HttpApiEndpoint.get(one, `${path}/:id`, {
      params: Key,
      success: shown,
      error: [NotFound, ServiceUnavailable],
    }).annotate(OpenApi.Summary, `One ${words}, with its ETag`),
    HttpApiEndpoint.put(put, `${path}/:id`, {
      params: Key,
      headers: IfMatch,
      payload: Schema.Struct({ name: name(200), ...fields }),
      success: body,
      error: [Refused, Changed, ServiceUnavailable],
    }).annotate(OpenApi.Summary, `Make or change a ${words}`),
    HttpApiEndpoint.delete(remove, `${path}/:id`, {
      params: Key,
      success: HttpApiSchema.NoContent,
      error: [NotFound, Refused, ServiceUnavailable],
    }).annotate(OpenApi.Summary, `Remove a ${words}`),
  ] as const

export class StructureGroup extends HttpApiGroup.make("structure")
  .add(
    ...fourOf(["srlgs", "srlg", "putSrlg", "removeSrlg"], "/srlgs", "shared-risk group", SrlgBody, SrlgBody, SRLG),
    ...fourOf(
      ["dependencyGroups", "dependencyGroup", "putDependencyGroup", "removeDependencyGroup"],
      "/dependency-groups",
      "dependency group",
      DependencyGroupBody,
      DependencyGroupBody,
      GROUP,
    ),
    ...fourOf(
      ["providers", "provider", "putProvider", "removeProvider"],
      "/providers",
      "provider",
      ProviderBody,
      ProviderBody,
      PROVIDER,
    ),
    ...fourOf(
      ["services", "service", "putService", "removeService"],
      "/services",
      "service",
      ServiceBody,
      JudgedServiceBody,
      SERVICE,
    ),
    HttpApiEndpoint.get("sitesNear", "/sites-near", {
      query: {
        latitude: filter(32),
        longitude: filter(32),
        km: filter(32),
        /** Instead: corners `lat,lon;lat,lon;lat,lon`, 3 to 100. */
        polygon: filter(4_000),
        limit: whole(1, 1000),
      },
      success: Schema.Struct({
        /** Nearest first; inside a polygon by id, with distance null. */
        items: Schema.Array(Schema.Struct({ site: SiteRow, km: maybe(Schema.Finite), devices: Schema.Finite })),
        total: Schema.Finite,
      }),
      error: [BadQuery, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "Sites within `km` of a place, or inside a polygon"),
  )
  .middleware(SignedIn) {}
