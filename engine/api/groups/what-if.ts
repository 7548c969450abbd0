/**
 * Questions to the what-if engine (docs/whatif.md) about the network as it is now, or was: what would fail with something,
 * what fails next, where no second way is, what monitoring cannot tell apart, and where the inventory and the network
 * disagree. Nothing here changes anything. Every answer says which moment it is of and what it rests on.
 */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import {
  filter,
  flag,
  maybe,
  name,
  named,
  Page,
  TIME_MAX,
  whole,
  wholeBetween,
  word,
} from "#engine/api/groups/fields.ts"
import { LinkRef, Ref } from "#engine/api/groups/refs.ts"
import { BadQuery, Refused, ServiceUnavailable } from "#engine/api/problems.ts"
import { SignedIn } from "#engine/api/signed-in.ts"

/** Faults of one question. */
export const FAULTS_MAX = 200

export const FaultBody = named(
  "Fault",
  Schema.Union([
    Schema.Struct({ kind: Schema.Literals(["link", "drain"]), link: name(64) }),
    Schema.Struct({ kind: Schema.Literal("router"), device: name(64) }),
    Schema.Struct({ kind: Schema.Literal("site"), site: name(200) }),
    Schema.Struct({ kind: Schema.Literal("srlg"), srlg: name(200) }),
    /** A port goes dark. */
    Schema.Struct({ kind: Schema.Literal("interface"), device: name(64), interface: name(200) }),
  ]),
)
export type FaultBody = typeof FaultBody.Type

const Quality = Schema.Literals(["measured", "estimated", "unknown"])
const Customers = named(
  "CustomersLost",
  Schema.Struct({
    /** Null = nobody knows; never 0 for that. */
    count: maybe(Schema.Finite),
    measured: Schema.Finite,
    estimated: Schema.Finite,
    /** Routers that lost service and should have customers, uncounted. */
    uncounted: Schema.Finite,
    quality: Quality,
  }),
)
const Shift = named(
  "LoadShift",
  Schema.Struct({
    link: LinkRef,
    /** Devices that the direction goes from and to. */
    from: Ref,
    to: Ref,
    beforeBps: Schema.Finite,
    /** What wants to pass, and what does. */
    afterBps: Schema.Finite,
    carriedBps: Schema.Finite,
    /** Null = unknown. */
    capacityBps: maybe(Schema.Finite),
  }),
)
/** A way of the asked router: its cost, and the equal-cost next hops with the links to them. */
const Route = named(
  "PredictedRoute",
  Schema.Struct({
    to: Ref,
    cost: Schema.Finite,
    next: Schema.Array(Schema.Struct({ device: Ref, link: LinkRef })),
  }),
)
/** Which moment of the network an answer is of. */
const Moment = { atMs: Schema.Finite, seq: Schema.Finite }
const Assumptions = Schema.Array(Schema.String)

export const WhatIfBody = named(
  "WhatIfAnswer",
  Schema.Struct({
    ...Moment,
    failed: Schema.Struct({
      devices: Schema.Array(Ref),
      links: Schema.Array(LinkRef),
      drained: Schema.Array(LinkRef),
      /** They name nothing of this network, or an interface without a declared link. */
      unknown: Schema.Array(FaultBody),
    }),
    /** Our routers that no core router reaches any more. */
    unreachable: Schema.Array(Ref),
    /** Our routers that lose every exit. */
    offline: Schema.Array(Ref),
    brokenGroups: Schema.Array(Ref),
    lostByGroups: Schema.Array(Ref),
    isolatedSites: Schema.Array(Ref),
    customers: Customers,
    exits: Schema.Array(Schema.Struct({ device: Ref, from: Ref, to: Ref })),
    /** Largest change first. */
    shifted: Schema.Array(Shift),
    /** Above capacity then, and more than before; fullest first. */
    overloaded: Schema.Array(Shift),
    /** How many there are of each list, which holds 1,000 at most. */
    totals: Schema.Struct({
      unreachable: Schema.Finite,
      offline: Schema.Finite,
      isolatedSites: Schema.Finite,
      exits: Schema.Finite,
      shifted: Schema.Finite,
      overloaded: Schema.Finite,
    }),
    traffic: Schema.Struct({ before: Quality, after: Quality }),
    lostBps: Schema.Finite,
    unplacedBps: Schema.Finite,
    /** Of the router that `routesOf` names, as OSPF would make them: 1,000 at most, nearest first; whom it cannot reach is not there. */
    routes: Schema.optionalKey(
      Schema.Struct({
        of: Ref,
        to: Schema.Array(Route),
        /** The exit it uses, and the way there; null = it has none. */
        exit: maybe(Route),
        total: Schema.Finite,
      }),
    ),
    assumptions: Assumptions,
  }),
)

const ELEMENT_KINDS = ["link", "router", "site", "srlg"] as const
const Element = named(
  "FailingElement",
  Schema.Struct({ kind: Schema.Literals(ELEMENT_KINDS), id: Schema.String, name: Schema.String }),
)
export const RankingBody = named(
  "NextFailures",
  Schema.Struct({
    ...Moment,
    /** Worst first. */
    candidates: Schema.Array(
      Schema.Struct({
        element: Element,
        /** Our routers that lose every exit. */
        devices: Schema.Finite,
        customers: Customers,
        /** Sites where nobody is left with service. */
        sites: Schema.Finite,
        /** Link directions that become full; null = no load is known. */
        overloaded: maybe(Schema.Finite),
        /** Expected failures a year. */
        perYear: Schema.Finite,
        /** Customers times expected failures a year. */
        score: Schema.Finite,
        /** In words. */
        why: Schema.String,
      }),
    ),
    tried: Schema.Finite,
    harmful: Schema.Finite,
    /** Routers with only one way left, and of these the ones whose plan has more. */
    single: Schema.Finite,
    lostRedundancy: Schema.Finite,
    assumptions: Assumptions,
  }),
)

export const SinglePointRow = named(
  "SinglePoint",
  Schema.Struct({
    device: Ref,
    site: Ref,
    /** The nearest link, and router, without which it has no way; null = none. */
    link: maybe(LinkRef),
    byDevice: maybe(Ref),
    /** The plan has another way: redundancy is lost, not missing. */
    lostNow: Schema.Boolean,
    /** `no redundant path for access3: everything passes core1 sfp1 - access3 sfp1` */
    why: Schema.String,
  }),
)

export const PathsBody = named(
  "Paths",
  Schema.Struct({
    ...Moment,
    from: Ref,
    to: Ref,
    /** Shortest first, over what is up now; empty = there is no way. */
    paths: Schema.Array(
      Schema.Struct({ cost: Schema.Finite, devices: Schema.Array(Ref), links: Schema.Array(LinkRef) }),
    ),
    /** Ways that share no link, and that share no router between the two ends; counted up to 8. */
    disjoint: Schema.Struct({ links: Schema.Finite, routers: Schema.Finite }),
    redundant: Schema.Boolean,
    why: Schema.String,
    assumptions: Assumptions,
  }),
)

const BlindFault = named(
  "SingleFault",
  Schema.Struct({
    kind: Schema.Literals(["link", "router", "bgp", "site", "group"]),
    id: Schema.String,
    name: Schema.String,
  }),
)
export const BlindSpotsBody = named(
  "BlindSpots",
  Schema.Struct({
    ...Moment,
    /** Faults that look alike today, the largest class first; 200 classes of 50 faults at most. */
    classes: Schema.Array(Schema.Array(BlindFault)),
    /** Faults of which nothing would be seen. */
    invisible: Schema.Array(BlindFault),
    totals: Schema.Struct({
      faults: Schema.Finite,
      classes: Schema.Finite,
      invisible: Schema.Finite,
      /** Faults that no other one looks like. */
      told: Schema.Finite,
    }),
    /** What to watch besides: best gain for its cost first. */
    suggestions: Schema.Array(
      Schema.Struct({
        watch: Schema.Literals(["ping", "poll", "stand"]),
        device: Ref,
        cost: Schema.Finite,
        gain: Schema.Finite,
        text: Schema.String,
      }),
    ),
    assumptions: Assumptions,
  }),
)

export const DRIFT_KINDS = [
  "flow-disagrees",
  "flow-not-conserved",
  "status-disagrees",
  "capacity-disagrees",
  "interface-missing",
  "neighbour-contradicts",
  "undeclared-link",
] as const
export const DriftBody = named(
  "Drift",
  Schema.Struct({
    ...Moment,
    /** Surest first. */
    items: Schema.Array(
      Schema.Struct({
        kind: Schema.Literals(DRIFT_KINDS),
        /** What is declared and doubted; null = a router's balance, or a link that is not declared. */
        link: maybe(LinkRef),
        device: maybe(Ref),
        interface: maybe(Schema.String),
        /** 0..1 */
        confidence: Schema.Finite,
        text: Schema.String,
        evidence: Schema.Array(Schema.String),
        /** Of /topology-proposals, which mends it; null = none. */
        proposal: maybe(Schema.String),
      }),
    ),
    total: Schema.Finite,
    /** Links and routers of which enough is measured to be compared at all. */
    checked: Schema.Struct({ links: Schema.Finite, devices: Schema.Finite }),
    /** Share of the checked links and routers that nothing speaks against; null = none could be checked. */
    agreement: maybe(Schema.Finite),
    assumptions: Assumptions,
  }),
)

/** A moment of the stored past; absent = now. */
const Past = { atMs: whole(0, TIME_MAX) }

export class WhatIfGroup extends HttpApiGroup.make("whatIf")
  .add(
    HttpApiEndpoint.post("ask", "/what-if", {
      payload: Schema.Struct({
        faults: Schema.Array(FaultBody).check(Schema.isMinLength(1), Schema.isMaxLength(FAULTS_MAX)),
        /** A moment of the stored past; absent = now. */
        atMs: Schema.optionalKey(wholeBetween(0, TIME_MAX)),
        /** A device of which the answer says the routing table, too. */
        routesOf: Schema.optionalKey(name(64)),
      }),
      success: WhatIfBody,
      error: [Refused, ServiceUnavailable],
    }).annotate(
      OpenApi.Summary,
      "What would be if these failed: who is cut off, where the traffic goes, what gets full",
    ),
    HttpApiEndpoint.get("nextFailures", "/what-if/next-failures", {
      query: { limit: whole(1, 200), kind: Schema.optionalKey(Schema.Literals(ELEMENT_KINDS)), ...Past },
      success: RankingBody,
      error: [Refused, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "Every single failure, ranked by customers times probability"),
    HttpApiEndpoint.get("singlePoints", "/what-if/single-points", {
      query: { ...Page, lostNow: flag, site: filter(200), q: filter(200), ...Past },
      success: Schema.Struct({
        ...Moment,
        items: Schema.Array(SinglePointRow),
        next: maybe(Schema.String),
        total: Schema.Finite,
        lostNow: Schema.Finite,
        assumptions: Assumptions,
      }),
      error: [BadQuery, Refused, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "Routers with no second way, by name; `lostNow=true` = only those whose plan has one"),
    HttpApiEndpoint.get("paths", "/what-if/paths", {
      query: { from: word(64), to: word(64), k: whole(1, 20), ...Past },
      success: PathsBody,
      error: [Refused, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "The k shortest paths between two devices (3), and how many are disjoint"),
    HttpApiEndpoint.get("blindSpots", "/what-if/blind-spots", {
      query: Past,
      success: BlindSpotsBody,
      error: [Refused, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "Faults that today's monitoring cannot tell apart, and the cheapest probe to add"),
    HttpApiEndpoint.get("drift", "/what-if/drift", {
      query: { limit: whole(1, 1000), kind: Schema.optionalKey(Schema.Literals(DRIFT_KINDS)), ...Past },
      success: DriftBody,
      error: [Refused, ServiceUnavailable],
    }).annotate(OpenApi.Summary, "Where the inventory and what the network says disagree, with the evidence"),
  )
  .middleware(SignedIn) {}
