/** Answers to questions about one moment: what-if, the next failure, second ways and paths. Pure: the thread is elsewhere. */
import type { FaultBody } from "#engine/api/groups/what-if.ts"
import { blindSpotsAnswer } from "#engine/whatif/blind-answer.ts"
import { driftAnswer } from "#engine/whatif/drift-answer.ts"
import { momentOf } from "#engine/whatif/moment.ts"
import { proposalsAnswer } from "#engine/whatif/proposals-answer.ts"
import type { AnswerOf, Answers, Question } from "#engine/whatif/question.ts"
import { Impossible } from "#engine/whatif/question.ts"
import type { Seen } from "#engine/whatif/seen.ts"
import { deviceId, linkId } from "#protocol/id.ts"
import { disjointPaths } from "#twin/whatif/disjoint.ts"
import type { CustomersLost } from "#twin/whatif/customers.ts"
import type { Fault } from "#twin/whatif/fault.ts"
import type { Candidate, SinglePoint } from "#twin/whatif/next-failure.ts"
import { nextFailures, singlePoints } from "#twin/whatif/next-failure.ts"
import { kShortestPaths } from "#twin/whatif/paths.ts"
import { routesOf } from "#twin/whatif/routes.ts"
import type { Route } from "#twin/whatif/routes.ts"
import type { Shift } from "#twin/whatif/what-if.ts"
import { whatIf } from "#twin/whatif/what-if.ts"

/** Rows of one list; the totals are told besides. */
const ROWS_MAX = 1_000
/** Disjoint ways are counted up to here. */
const DISJOINT_MAX = 8

export const answer = <Q extends Question>(seen: Seen, question: Q): AnswerOf<Q> =>
  answerAny(seen, question) as AnswerOf<Q>

const answerAny = (seen: Seen, question: Question): Answers[Question["kind"]] => {
  switch (question.kind) {
    case "ask":
      return askAnswer(seen, question.faults, question.routesOf)
    case "nextFailures":
      return rankingAnswer(seen, question.limit, question.element)
    case "singlePoints":
      return singlePointsAnswer(seen)
    case "paths":
      return pathsAnswer(seen, question.from, question.to, question.k)
    case "blindSpots":
      return blindSpotsAnswer(seen)
    case "drift":
      return driftAnswer(seen, question.limit, question.drift)
    case "proposals":
      return proposalsAnswer(seen)
    case "redundancy":
      return redundancyAnswer(seen)
  }
}

// -- what if -----------------------------------------------------------------------------------------------------------

const askAnswer = (seen: Seen, asked: readonly FaultBody[], wanted: string | null): Answers["ask"] => {
  const faults = asked.map((one) => faultOf(seen, one))
  const router = wanted === null ? null : seen.world.topology.deviceSlot.get(deviceId(wanted))
  if (router === undefined) throw new Impossible("`routesOf` is no device of this network")
  const found = whatIf(seen.model, faults)
  const group = (index: number) => {
    const { id, name } = seen.model.groups[index] ?? { id: "", name: "" }
    return { id, name }
  }
  const devices = (slots: readonly number[]) => slots.slice(0, ROWS_MAX).map((slot) => seen.device(slot))
  const shift = ({ link, direction, ...bps }: Shift) => {
    const { graph } = seen.model
    const [a, b] = [graph.a[link] as number, graph.b[link] as number]
    const [from, to] = direction === "ab" ? [a, b] : [b, a]
    return { link: seen.link(link), from: seen.device(from), to: seen.device(to), ...bps }
  }
  const change = ({ beforeBps, afterBps }: Shift): number => Math.abs(afterBps - beforeBps)
  const fullness = ({ afterBps, capacityBps }: Shift): number => afterBps / (capacityBps ?? Infinity)
  return {
    ...momentOf(seen),
    failed: {
      devices: devices(found.failed.nodes),
      links: found.failed.links.slice(0, ROWS_MAX).map((slot) => seen.link(slot)),
      drained: found.failed.drained.slice(0, ROWS_MAX).map((slot) => seen.link(slot)),
      unknown: found.failed.unknown.flatMap((fault) => asked[faults.indexOf(fault)] ?? []),
    },
    unreachable: devices(found.unreachable),
    offline: devices(found.offline),
    brokenGroups: found.brokenGroups.slice(0, ROWS_MAX).map(group),
    lostByGroups: devices(found.lostByGroups),
    isolatedSites: found.isolatedSites.slice(0, ROWS_MAX).map((slot) => seen.site(slot)),
    customers: customersOf(found.customers),
    exits: found.exits.slice(0, ROWS_MAX).map(({ router, from, to }) => ({
      device: seen.device(router),
      from: seen.device(from),
      to: seen.device(to),
    })),
    shifted: found.shifted
      .toSorted((x, y) => change(y) - change(x))
      .slice(0, ROWS_MAX)
      .map(shift),
    overloaded: found.overloaded
      .toSorted((x, y) => fullness(y) - fullness(x))
      .slice(0, ROWS_MAX)
      .map(shift),
    totals: {
      unreachable: found.unreachable.length,
      offline: found.offline.length,
      isolatedSites: found.isolatedSites.length,
      exits: found.exits.length,
      shifted: found.shifted.length,
      overloaded: found.overloaded.length,
    },
    traffic: found.traffic,
    lostBps: found.lostBps,
    unplacedBps: found.unplacedBps,
    ...(router === null ? {} : { routes: routesAnswer(seen, faults, router) }),
    assumptions: found.assumptions,
  }
}

const routesAnswer = (seen: Seen, faults: readonly Fault[], router: number): NonNullable<Answers["ask"]["routes"]> => {
  const { graph } = seen.model
  const { to, exit } = routesOf(seen.model, faults, router)
  const route = ({ node, cost, next }: Route) => ({
    to: seen.device(node),
    cost,
    next: next.map((half) => ({
      device: seen.device(graph.to[half] as number),
      link: seen.link(graph.link[half] as number),
    })),
  })
  return {
    of: seen.device(router),
    to: to.slice(0, ROWS_MAX).map(route),
    exit: exit === null ? null : route(exit),
    total: to.length,
  }
}

const customersOf = ({ count, quality, measured, estimated, uncounted }: CustomersLost) => ({
  count,
  quality,
  measured,
  estimated,
  uncounted,
})

/** What is not in the inventory gets a slot that nothing has: it comes back as unknown. */
const faultOf = (seen: Seen, fault: FaultBody): Fault => {
  const { deviceSlot, linkSlot, inventory } = seen.world.topology
  switch (fault.kind) {
    case "link":
    case "drain":
      return { kind: fault.kind, link: linkSlot.get(linkId(fault.link)) ?? -1 }
    case "router":
      return { kind: "router", router: deviceSlot.get(deviceId(fault.device)) ?? -1 }
    case "interface":
      return {
        kind: "interface",
        router: deviceSlot.get(deviceId(fault.device)) ?? -1,
        ifName: fault.interface,
      }
    case "site":
      return { kind: "site", site: inventory.sites.findIndex(({ id }) => id === fault.site) }
    case "srlg":
      return { kind: "srlg", srlg: seen.model.srlgs.findIndex(({ id }) => id === fault.srlg) }
  }
}

// -- what fails next ---------------------------------------------------------------------------------------------------

const rankingAnswer = (
  seen: Seen,
  limit: number,
  element: Candidate["element"]["kind"] | null,
): Answers["nextFailures"] => {
  const { candidates, tried, harmful, single, assumptions } = nextFailures(seen.model, { most: Infinity })
  const wanted = element === null ? candidates : candidates.filter((one) => one.element.kind === element)
  return {
    ...momentOf(seen),
    candidates: wanted.slice(0, limit).map((one) => ({
      element: { kind: one.element.kind, ...elementRef(seen, one.element) },
      devices: one.routers,
      customers: customersOf(one.customers),
      sites: one.sites,
      overloaded: one.overloaded,
      perYear: one.perYear,
      score: one.score,
      why: whyOf(one),
    })),
    tried,
    harmful,
    single: single.length,
    lostRedundancy: single.filter(({ lostNow }) => lostNow).length,
    assumptions,
  }
}

const elementRef = (seen: Seen, element: Candidate["element"]) => {
  switch (element.kind) {
    case "link":
      return seen.link(element.link)
    case "router":
      return seen.device(element.router)
    case "site":
      return seen.site(element.site)
    case "srlg": {
      const { id, name } = seen.model.srlgs[element.srlg] ?? { id: "", name: "" }
      return { id, name }
    }
  }
}

const whyOf = ({ routers, customers, overloaded, perYear }: Candidate): string => {
  const known = customers.count ?? customers.measured + customers.estimated
  const about = customers.quality === "measured" ? "" : "about "
  const people =
    customers.count === null && known === 0
      ? "an unknown number of customers"
      : `${customers.count === null ? "at least " : about}${counted(Math.round(known), "customer")}`
  const parts = [
    ...(routers > 0 ? [`${counted(routers, "device")} and ${people} lose service`] : []),
    ...((overloaded ?? 0) > 0 ? [`${counted(overloaded ?? 0, "link direction")} would be full`] : []),
  ]
  return `${parts.join("; ")}; expected ${perYear} times a year`
}

const counted = (count: number, word: string): string => `${count} ${word}${count === 1 ? "" : "s"}`

// -- second ways -------------------------------------------------------------------------------------------------------

const singlePointsAnswer = (seen: Seen): Answers["singlePoints"] => ({
  ...momentOf(seen),
  points: singlePoints(seen.model)
    .map((point) => ({
      device: seen.device(point.router),
      site: seen.site(seen.model.siteOf[point.router] ?? -1),
      link: point.link < 0 ? null : seen.link(point.link),
      byDevice: point.byRouter < 0 ? null : seen.device(point.byRouter),
      lostNow: point.lostNow,
      why: whySingle(seen, point),
    }))
    .sort((x, y) => (x.device.name < y.device.name ? -1 : x.device.name > y.device.name ? 1 : 0)),
  assumptions: seen.model.assumptions,
})

const whySingle = (seen: Seen, { router, link, byRouter, lostNow }: SinglePoint): string => {
  const by = link >= 0 ? seen.link(link).name : seen.device(byRouter).name
  const words = `no redundant path for ${seen.device(router).name}: everything passes ${by}`
  return lostNow ? `${words}; its second way is down now` : words
}

const redundancyAnswer = (seen: Seen): Answers["redundancy"] => ({
  ...momentOf(seen),
  lost: singlePoints(seen.model)
    .filter(({ lostNow }) => lostNow)
    .map((point) => ({ device: seen.device(point.router).id, why: whySingle(seen, point) })),
})

// -- paths -------------------------------------------------------------------------------------------------------------

const pathsAnswer = (seen: Seen, from: string, to: string, k: number): Answers["paths"] => {
  const { deviceSlot } = seen.world.topology
  const [start, end] = [deviceSlot.get(deviceId(from)), deviceSlot.get(deviceId(to))]
  if (start === undefined || end === undefined) throw new Impossible("`from` or `to` is no device of this network")
  if (start === end) throw new Impossible("`from` and `to` are the same device")
  const { graph, downNodes, downLinks, assumptions } = seen.model
  const costs = { cost: graph.cost, failedNodes: downNodes, failedLinks: downLinks }
  const paths = kShortestPaths(graph, start, end, k, costs)
  const links = disjointLinks(seen, start, end)
  const routers = downNodes[end] === 1 ? 0 : disjointRouters(seen, start, end)
  const names = `${seen.device(start).name} and ${seen.device(end).name}`
  return {
    ...momentOf(seen),
    from: seen.device(start),
    to: seen.device(end),
    paths: paths.map((path) => ({
      cost: path.cost,
      devices: path.nodes.map((node) => seen.device(node)),
      links: path.links.map((link) => seen.link(link)),
    })),
    disjoint: { links, routers },
    redundant: links > 1,
    why:
      links === 0
        ? `there is no way between ${names} now`
        : links === 1
          ? `no redundant path between ${names}: one link is on every way`
          : routers === 1
            ? `${links} ways between ${names} share no link, but all of them share a router`
            : `${links} ways between ${names} share no link, ${routers} share no router`,
    assumptions,
  }
}

const disjointLinks = ({ model: { graph, downNodes, downLinks } }: Seen, start: number, end: number): number =>
  disjointPaths(graph, start, {
    sources: [end],
    failedNodes: downNodes,
    failedLinks: downLinks,
    without: "link",
    most: DISJOINT_MAX,
  })

/**
 * Towards one source all ways share it. What is meant are the routers in between: the far end is taken out and its
 * neighbours are the sources, of which each way needs one of its own; each direct link is one more way.
 */
const disjointRouters = ({ model: { graph, downNodes, downLinks } }: Seen, start: number, end: number): number => {
  const failedNodes = downNodes.slice()
  failedNodes[end] = 1
  let direct = 0
  const sources = new Set<number>()
  for (let half = graph.from[end] as number; half < (graph.from[end + 1] as number); half++) {
    if (downLinks[graph.link[half] as number] !== 0) continue
    const there = graph.to[half] as number
    if (there === start) direct++
    else if (downNodes[there] === 0) sources.add(there)
  }
  const question = { sources: [...sources], failedNodes, failedLinks: downLinks, without: "router" as const }
  return Math.min(DISJOINT_MAX, direct + disjointPaths(graph, start, { ...question, most: DISJOINT_MAX }))
}
