/**
 * The fixture's what-if: reachability by a plain search over its network, loads by a rule of thumb, so that the screens can
 * be driven without the engine. Tests only: the numbers are the fixture's, the shapes are the contract's.
 */
import { ok, problem } from "#client/e2e/fixture-doors.ts"
import type { Table } from "#client/e2e/fixture-doors.ts"
import type { FixtureNetwork } from "#client/e2e/fixture-network.ts"
import { ROLES } from "#protocol/role.ts"
import type {
  BlindSpots,
  CustomersLost,
  Drift,
  Fault,
  LoadShift,
  NextFailures,
  SinglePoint,
  Srlg,
  WhatIfAnswer,
} from "#protocol/rest-generated.ts"

/** Subscribers of one access router. */
const CUSTOMERS = 74
const ASSUMED = [
  "customers send 12 % of what they receive (assumed: no exit is measured)",
  "3 links say no OSPF cost: theirs follows capacity",
]

export interface FixtureWhatIf {
  readonly table: Table
  /** Faults of every question that came, in order. */
  readonly asked: readonly (readonly Fault[])[]
}

export const makeWhatIf = (network: FixtureNetwork): FixtureWhatIf => {
  const asked: (readonly Fault[])[] = []
  const srlgs = fixtureSrlgs(network)
  const table: Table = [
    ["GET", /^\/srlgs$/, () => ok({ items: srlgs })],
    [
      "POST",
      /^\/what-if$/,
      ({ body, user }) => {
        if (user === "viewer") return problem(403, "forbidden", { detail: "needs whatif.run" })
        const faults = body["faults"] as readonly Fault[]
        asked.push(faults)
        return ok(answerOf(network, srlgs, faults))
      },
    ],
    ["GET", /^\/what-if\/next-failures$/, ({ query }) => ok(rankingOf(network, srlgs, query.get("kind")))],
    ["GET", /^\/what-if\/single-points$/, () => ok(singleOf(network))],
    ["GET", /^\/what-if\/blind-spots$/, () => ok(blindOf(network))],
    ["GET", /^\/what-if\/drift$/, ({ query }) => ok(driftOf(network, query.get("kind")))],
  ]
  return { table, asked }
}

const MOMENT = { atMs: Date.UTC(2026, 10, 21, 9, 0, 0), seq: 4_711 }

const fixtureSrlgs = ({ links, sites }: FixtureNetwork): readonly Srlg[] => [
  { id: "duct-1", name: "Duto Anhanguera", kind: "duct", links: links.id.slice(0, 3), sites: [] },
  { id: "power-1", name: "Subestação norte", kind: "power", links: [], sites: sites.id.slice(4, 6) },
]

const nodeRef = ({ nodes }: FixtureNetwork, slot: number) => ({
  id: nodes.id[slot] as string,
  name: nodes.name[slot] as string,
})
const linkRef = ({ nodes, links }: FixtureNetwork, slot: number) => ({
  id: links.id[slot] as string,
  name: `${nodes.name[links.a[slot] as number]} sfp1 - ${nodes.name[links.b[slot] as number]} sfp1`,
})

interface Down {
  readonly nodes: Set<number>
  readonly links: Set<number>
  readonly drained: Set<number>
  readonly unknown: Fault[]
}
const downOf = (network: FixtureNetwork, srlgs: readonly Srlg[], faults: readonly Fault[]): Down => {
  const { nodes, links, sites } = network
  const down: Down = { nodes: new Set(), links: new Set(), drained: new Set(), unknown: [] }
  const site = (id: string) => nodes.site.forEach((at, slot) => sites.id[at] === id && down.nodes.add(slot))
  for (const fault of faults) {
    if (fault.kind === "router") {
      const slot = nodes.id.indexOf(fault.device)
      if (slot < 0) down.unknown.push(fault)
      else down.nodes.add(slot)
    } else if (fault.kind === "link" || fault.kind === "drain") {
      const slot = links.id.indexOf(fault.link)
      if (slot < 0) down.unknown.push(fault)
      else (fault.kind === "link" ? down.links : down.drained).add(slot)
    } else if (fault.kind === "site") site(fault.site)
    else if (fault.kind === "srlg") {
      const group = srlgs.find(({ id }) => id === fault.srlg)
      for (const id of group?.links ?? []) down.links.add(links.id.indexOf(id))
      for (const id of group?.sites ?? []) site(id)
    } else down.unknown.push(fault)
  }
  return down
}

/** Slots that no core router reaches: the first core that stands is the exit. */
const cutOff = ({ nodes, links }: FixtureNetwork, down: Down): readonly number[] => {
  const around = new Map<number, number[]>()
  links.id.forEach((_, slot) => {
    const [a, b] = [links.a[slot] as number, links.b[slot] as number]
    if (down.links.has(slot) || down.nodes.has(a) || down.nodes.has(b)) return
    around.set(a, [...(around.get(a) ?? []), b])
    around.set(b, [...(around.get(b) ?? []), a])
  })
  const core = ROLES.indexOf("core")
  const start = [...nodes.id.keys()].find((slot) => nodes.role[slot] === core && !down.nodes.has(slot))
  const seen = new Set(start === undefined ? [] : [start])
  for (const slot of seen) for (const next of around.get(slot) ?? []) seen.add(next)
  return [...nodes.id.keys()].filter((slot) => !seen.has(slot))
}

const customersOf = ({ nodes }: FixtureNetwork, lost: readonly number[]): CustomersLost => {
  const access = lost.filter((slot) => ["access", "bng"].includes(ROLES[nodes.role[slot] as number] ?? ""))
  const measured = access.filter((slot) => slot % 3 === 0).length * CUSTOMERS
  const estimated = access.length * CUSTOMERS - measured
  const uncounted = lost.length > 20 ? 2 : 0
  const quality = estimated > 0 ? "estimated" : "measured"
  return { count: measured + estimated, measured, estimated, uncounted, quality }
}

const answerOf = (network: FixtureNetwork, srlgs: readonly Srlg[], faults: readonly Fault[]): WhatIfAnswer => {
  const { nodes, sites } = network
  const down = downOf(network, srlgs, faults)
  const lost = cutOff(network, down)
  const lostSet = new Set(lost)
  const isolated = sites.id.flatMap((id, at) => {
    const here = [...nodes.site.keys()].filter((slot) => nodes.site[slot] === at)
    return here.length > 0 && here.every((slot) => lostSet.has(slot)) ? [{ id, name: sites.name[at] as string }] : []
  })
  const overloaded = shiftsOf(network, down)
  const refs = lost.map((slot) => nodeRef(network, slot))
  const exits =
    down.nodes.size + down.links.size > 1
      ? [{ device: nodeRef(network, 3), from: nodeRef(network, 0), to: nodeRef(network, 1) }]
      : []
  return {
    ...MOMENT,
    failed: {
      devices: [...down.nodes].map((slot) => nodeRef(network, slot)),
      links: [...down.links].map((slot) => linkRef(network, slot)),
      drained: [...down.drained].map((slot) => linkRef(network, slot)),
      unknown: down.unknown,
    },
    unreachable: refs,
    offline: refs,
    brokenGroups: [],
    lostByGroups: [],
    isolatedSites: isolated,
    customers: customersOf(network, lost),
    exits,
    shifted: overloaded,
    overloaded,
    totals: {
      unreachable: refs.length,
      offline: refs.length,
      isolatedSites: isolated.length,
      exits: exits.length,
      shifted: overloaded.length,
      overloaded: overloaded.length,
    },
    traffic: { before: "measured", after: "estimated" },
    lostBps: lost.length * 220e6,
    unplacedBps: 1.4e9,
    assumptions: ASSUMED,
  }
}

/** What used to go over a backbone link that is gone goes over the neighbours of its ends. */
const shiftsOf = (network: FixtureNetwork, down: Down): readonly LoadShift[] => {
  const { links } = network
  const gone = new Set([...down.links, ...down.drained])
  links.id.forEach((_, slot) => {
    if (down.nodes.has(links.a[slot] as number) || down.nodes.has(links.b[slot] as number)) gone.add(slot)
  })
  const ends = new Set([...gone].flatMap((slot) => [links.a[slot] as number, links.b[slot] as number]))
  const rows: LoadShift[] = []
  links.id.forEach((_, slot) => {
    const [a, b] = [links.a[slot] as number, links.b[slot] as number]
    const capacity = links.capacityBps[slot] as number
    if (gone.has(slot) || capacity < 100e9 || down.nodes.has(a) || down.nodes.has(b) || !(ends.has(a) || ends.has(b)))
      return
    const before = capacity * (0.42 + (slot % 5) * 0.09)
    const after = capacity * (1.04 + (slot % 4) * 0.17)
    rows.push({
      link: linkRef(network, slot),
      from: nodeRef(network, a),
      to: nodeRef(network, b),
      beforeBps: before,
      afterBps: after,
      carriedBps: capacity,
      capacityBps: capacity,
    })
  })
  return rows.sort((x, y) => y.afterBps / (y.capacityBps ?? 1) - x.afterBps / (x.capacityBps ?? 1))
}

const PER_YEAR = { link: 0.5, router: 0.2, site: 0.1, srlg: 0.1 } as const
const rankingOf = (network: FixtureNetwork, srlgs: readonly Srlg[], kind: string | null): NextFailures => {
  const { nodes, links, sites } = network
  const elements: { fault: Fault; element: NextFailures["candidates"][number]["element"] }[] = [
    ...links.id.map((id, slot) => ({
      fault: { kind: "link" as const, link: id },
      element: { kind: "link" as const, ...linkRef(network, slot) },
    })),
    ...nodes.id.map((id, slot) => ({
      fault: { kind: "router" as const, device: id },
      element: { kind: "router" as const, ...nodeRef(network, slot) },
    })),
    ...sites.id.map((id, slot) => ({
      fault: { kind: "site" as const, site: id },
      element: { kind: "site" as const, id, name: sites.name[slot] as string },
    })),
    ...srlgs.map(({ id, name }) => ({
      fault: { kind: "srlg" as const, srlg: id },
      element: { kind: "srlg" as const, id, name },
    })),
  ]
  const candidates = elements
    .filter(({ element }) => kind === null || element.kind === kind)
    .map(({ fault, element }) => {
      const { customers, totals } = answerOf(network, srlgs, [fault])
      const perYear = PER_YEAR[element.kind]
      const score = (customers.count ?? 0) * perYear
      const why = `${totals.offline} devices and about ${customers.count ?? 0} customers lose service; expected ${perYear} times a year`
      const sites = totals.isolatedSites
      return { element, devices: totals.offline, customers, sites, overloaded: totals.overloaded, perYear, score, why }
    })
    .sort((a, b) => b.score - a.score)
  const harmful = candidates.filter(({ score }) => score > 0)
  const said = [...ASSUMED, "failures a year are assumed: link 0.5, router 0.2, site 0.1, shared-risk group 0.1"]
  const single = singleOf(network)
  return {
    ...MOMENT,
    candidates: harmful.slice(0, 50),
    tried: elements.length,
    harmful: harmful.length,
    single: single.total,
    lostRedundancy: single.lostNow,
    assumptions: said,
  }
}

const singleOf = (network: FixtureNetwork) => {
  const { nodes, links, sites } = network
  const degree = new Map<number, number[]>()
  links.id.forEach((_, slot) => {
    for (const end of [links.a[slot] as number, links.b[slot] as number])
      degree.set(end, [...(degree.get(end) ?? []), slot])
  })
  const items: SinglePoint[] = [...degree]
    .filter(([, own]) => own.length === 1)
    .map(([slot, own]) => {
      const link = linkRef(network, own[0] as number)
      const site = nodes.site[slot] as number
      const lostNow = slot % 7 === 0
      const words = `no redundant path for ${nodes.name[slot]}: everything passes ${link.name}`
      return {
        device: nodeRef(network, slot),
        site: { id: sites.id[site] as string, name: sites.name[site] as string },
        link,
        byDevice: null,
        lostNow,
        why: lostNow ? `${words}; its second way is down now` : words,
      }
    })
  const lostNow = items.filter((one) => one.lostNow).length
  return { ...MOMENT, items, next: null, total: items.length, lostNow, assumptions: ASSUMED }
}

const blindOf = (network: FixtureNetwork): BlindSpots => {
  const fault = (slot: number) => ({ kind: "link" as const, ...linkRef(network, slot) })
  return {
    ...MOMENT,
    classes: [
      [fault(0), fault(1), fault(2), { kind: "router", ...nodeRef(network, 5) }],
      [fault(6), { kind: "bgp", id: "s1", name: "AS 64500 at CR1-SAP-01" }],
    ],
    invisible: [{ kind: "router", ...nodeRef(network, 7) }],
    totals: { faults: 120, classes: 2, invisible: 1, told: 113 },
    suggestions: [
      { watch: "ping", device: nodeRef(network, 5), cost: 1, gain: 3, text: "a ping tells 4 faults apart" },
      { watch: "poll", device: nodeRef(network, 7), cost: 4, gain: 2, text: "SNMP would see a fault that nobody sees" },
    ],
    assumptions: ["every fault is equally likely"],
  }
}

const driftOf = (network: FixtureNetwork, kind: string | null): Drift => {
  const [aEnd, bEnd] = linkRef(network, 2).name.split(" - ")
  const items: Drift["items"] = [
    {
      kind: "flow-disagrees",
      link: linkRef(network, 2),
      device: null,
      interface: null,
      confidence: 0.91,
      text: `${aEnd} and ${bEnd} do not count the same traffic: one of them is another cable's`,
      evidence: [`${aEnd} sends 4.1 Gbit/s, ${bEnd} receives 2.2 Gbit/s`],
      proposal: "p-0",
    },
    {
      kind: "flow-not-conserved",
      link: null,
      device: nodeRef(network, 4),
      interface: null,
      confidence: 0.62,
      text: `${nodeRef(network, 4).name} receives more than it sends on its declared links: one is missing, or not its own`,
      evidence: ["in 11.2 Gbit/s, out 7.9 Gbit/s over 6 links"],
      proposal: null,
    },
  ]
  const shown = items.filter((one) => kind === null || one.kind === kind)
  return {
    ...MOMENT,
    items: shown,
    total: shown.length,
    checked: { links: 41, devices: 28 },
    agreement: 0.971,
    assumptions: [],
  }
}
