/**
 * A network for the benchmark, in the benchmark's own words: nothing here or in simulate.ts knows the twin's model, so that
 * what is graded never grades itself. Our own topologies are those of the emulated ISP's planner; others come from GraphML.
 */
import { citiesOf } from "#lab/isp/cities.ts"
import { dice } from "#lab/isp/random.ts"
import type { Dice } from "#lab/isp/random.ts"
import { planTopology } from "#lab/isp/topology.ts"

export type Role = "core" | "rr" | "edge" | "agg" | "access" | "upstream"

export interface WorldLink {
  readonly a: number
  readonly b: number
  /** False towards an upstream. */
  readonly ospf: boolean
  /** Over somebody's transmission equipment, which keeps our port lit when the far router has no power. */
  readonly lit: boolean
}

export interface World {
  readonly name: string
  readonly nodes: ReadonlyArray<{ readonly name: string; readonly role: Role; readonly site: number }>
  readonly links: readonly WorldLink[]
  readonly sites: readonly string[]
  readonly sessions: ReadonlyArray<{ readonly a: number; readonly b: number; readonly link: number }>
  /** Links of one duct or one transmission system. */
  readonly groups: ReadonlyArray<readonly number[]>
  /** Nodes next to which each vantage point stands; the first one polls. */
  readonly vantages: ReadonlyArray<readonly number[]>
  /** By node: its links. */
  readonly around: ReadonlyArray<readonly number[]>
}

export type Draft = Omit<World, "around" | "groups" | "vantages"> & { readonly anchors: readonly number[] }

/** The emulated ISP's plan as a world: 12 to 10,000 routers. */
export const ownWorld = (routers: number, seed: number): World => {
  const plan = planTopology(routers, citiesOf("BR"), dice(seed, "topology"))
  const draw = dice(seed, "rca world")
  const nodes = plan.routers.map(({ name, site, roles }) => ({ name, site, role: roleOf(roles) }))
  const links = plan.links.map(({ kind, a, b }): WorldLink => ({
    a,
    b,
    ospf: kind !== "upstream",
    lit: draw.chance(0.15),
  }))
  const sessions: Array<World["sessions"][number]> = []
  for (const [node, { cluster }] of plan.routers.entries())
    for (const rr of plan.reflectors[cluster ?? -1] ?? []) if (rr !== node) sessions.push({ a: node, b: rr, link: -1 })
  const seen = new Set<string>()
  const single = sessions.filter(({ a, b }) => {
    const key = [a, b].toSorted((x, y) => x - y).join()
    return !seen.has(key) && seen.add(key) !== undefined
  })
  for (const [link, { kind, a, b }] of plan.links.entries())
    if (kind === "upstream") single.push(nodes[a]?.role === "upstream" ? { a: b, b: a, link } : { a, b, link })
  return finished(
    {
      name: `own-${routers}`,
      nodes,
      links,
      sites: plan.sites.map(({ name }) => name),
      sessions: single,
      anchors: plan.cores,
    },
    draw,
  )
}

const roleOf = (roles: readonly string[]): Role => {
  for (const role of ["upstream", "rr", "core", "edge", "agg"] as const) if (roles.includes(role)) return role
  return "access"
}

/** Adds what no plan has: shared risks, and where the monitoring stands. */
export const finished = (draft: Draft, draw: Dice): World => {
  const { anchors, ...rest } = draft
  const around: number[][] = draft.nodes.map(() => [])
  for (const [l, { a, b }] of draft.links.entries()) {
    around[a]?.push(l)
    around[b]?.push(l)
  }
  const first = anchors[0] ?? 0
  const second = anchors[Math.floor(anchors.length / 2)] ?? first
  const third = anchors[Math.floor((3 * anchors.length) / 4)] ?? second
  return { ...rest, around, groups: ducts(draft, around, draw), vantages: [[...new Set([first, second])], [third]] }
}

/** One duct for each twelve links: two to four links that leave the same place. */
const ducts = (
  draft: Draft,
  around: ReadonlyArray<readonly number[]>,
  draw: Dice,
): ReadonlyArray<readonly number[]> => {
  const hubs = draft.nodes.flatMap(({ role }, n) => ((around[n]?.length ?? 0) >= 3 && role !== "upstream" ? [n] : []))
  if (hubs.length === 0) return []
  const groups = new Map<string, readonly number[]>()
  for (let i = 0; i < Math.ceil(draft.links.length / 12); i++) {
    const links = (around[draw.pick(hubs)] ?? []).filter((l) => draft.links[l]?.ospf)
    if (links.length < 2) continue
    const size = Math.min(draw.int(2, 4), links.length)
    const start = draw.int(0, links.length - 1)
    const group = Array.from({ length: size }, (_, n) => links[(start + n) % links.length] as number)
    groups.set(
      group.toSorted((x, y) => x - y).join(),
      group.toSorted((x, y) => x - y),
    )
  }
  return [...groups.values()]
}
