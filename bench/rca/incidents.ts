/**
 * Seeded incidents with their labels: what broke, which other single faults nobody could tell from it with the monitoring
 * that the topology has (found by simulating them, too), and what arrived at the monitoring. Labels follow NIKA: was there
 * a fault, where, of which type.
 */
import { dice } from "#lab/isp/random.ts"
import type { Dice } from "#lab/isp/random.ts"
import { cleanRound, coverageOf, elementOf, noisyRound } from "#bench/rca/simulate.ts"
import type { Coverage, Fault, Noise, Round } from "#bench/rca/simulate.ts"
import type { Role, World } from "#bench/rca/world.ts"

export const FAULT_CLASSES = [
  "link-cut",
  "redundant-link-cut",
  "access-router",
  "aggregation-router",
  "core-router",
  "site-power",
  "srlg",
  "upstream",
  "rr",
  "congestion",
  "flap",
  "two-at-once",
  "healthy",
] as const
export type FaultClass = (typeof FAULT_CLASSES)[number]

export interface Label {
  readonly detection: boolean
  readonly localization: readonly string[]
  readonly type: readonly Fault["type"][]
}

export interface Incident {
  readonly fault: FaultClass
  readonly label: Label
  /** By entry of label.localization: the elements that no observation tells from it, itself among them. */
  readonly classes: ReadonlyArray<ReadonlySet<string>>
  readonly cover: Coverage
  readonly round: Round
  /** What all devices would say, if nothing were lost, late or made up: what a question is answered from. */
  readonly clean: Round
}

/** Draws of an element before the class is given up: the topology has none, or nobody could see it. */
const MAX_DRAWS = 40
/** Routers around a fault whose elements are tried as look-alikes. */
const MAX_AROUND = 12

/**
 * Incident `number`, or null when this topology has no such fault that anybody could see. Coverage is the topology's, the
 * same for all its incidents.
 */
export const incidentAt = (
  world: World,
  cover: Coverage,
  noise: Noise,
  seed: number,
  number: number,
): Incident | null => {
  const fault = FAULT_CLASSES[number % FAULT_CLASSES.length] as FaultClass
  const draw = dice(seed, `incident ${number}`)
  const physics = draw.int(0, 2 ** 31 - 1)
  const faults = faultsOf(world, cover, fault, draw, physics)
  if (faults === null) return null
  const clean = cleanRound(world, cover, faults, physics)
  return {
    fault,
    label: {
      detection: faults.length > 0,
      localization: faults.map(elementOf),
      type: faults.map(({ type }) => type),
    },
    classes: faults.map((one) => lookAlikes(world, cover, one, physics)),
    cover,
    clean,
    round: noise.name === "clean" ? clean : noisyRound(world, cover, clean, noise, draw),
  }
}

export const coverage = (world: World, noise: Noise, seed: number): Coverage =>
  coverageOf(world, noise, dice(seed, `coverage ${world.name}`))

const faultsOf = (
  world: World,
  cover: Coverage,
  fault: FaultClass,
  draw: Dice,
  physics: number,
): readonly Fault[] | null => {
  if (fault === "healthy") return []
  if (fault !== "two-at-once") {
    const one = drawFault(world, cover, fault, draw, physics)
    return one === null ? null : [one]
  }
  const single = FAULT_CLASSES.filter((one) => one !== "two-at-once" && one !== "healthy")
  for (let i = 0; i < MAX_DRAWS; i++) {
    const pair = [draw.pick(single), draw.pick(single)].map((one) => drawFault(world, cover, one, draw, physics))
    const [x, y] = pair
    if (!x || !y || elementOf(x) === elementOf(y)) continue
    const both = said(cleanRound(world, cover, [x, y], physics))
    // A fault in the shadow of another cannot be asked for.
    const isHidden = [x, y].some((one) => said(cleanRound(world, cover, [one], physics)) === both)
    if (!isHidden) return [x, y]
  }
  return null
}

const drawFault = (world: World, cover: Coverage, fault: FaultClass, draw: Dice, physics: number): Fault | null => {
  const eligible = elementsFor(world, fault)
  if (eligible.length === 0) return null
  for (let i = 0; i < MAX_DRAWS; i++) {
    const one = draw.pick(eligible)
    const { alarms, outdated } = cleanRound(world, cover, [one], physics)
    if (alarms.size === 0) continue
    // Both are cuts; what tells them apart is whether somebody is left alone.
    if (fault === "link-cut" && outdated.size === 0) continue
    if (fault === "redundant-link-cut" && outdated.size > 0) continue
    return one
  }
  return null
}

const ROLES: Readonly<Partial<Record<FaultClass, readonly Role[]>>> = {
  "access-router": ["access"],
  "aggregation-router": ["agg"],
  "core-router": ["core", "edge"],
}

const elementsFor = (world: World, fault: FaultClass): readonly Fault[] => {
  const links = (type: Fault["type"]): readonly Fault[] =>
    world.links.flatMap(({ ospf }, index) => (ospf ? [{ type, index }] : []))
  const nodes = (type: Fault["type"], roles: readonly Role[]): readonly Fault[] =>
    world.nodes.flatMap(({ role }, index) => (roles.includes(role) && !isNoc(world, index) ? [{ type, index }] : []))
  switch (fault) {
    case "link-cut":
    case "redundant-link-cut":
      return links("cut")
    case "congestion":
    case "flap":
      return links(fault)
    case "upstream":
      return nodes("upstream", ["upstream"])
    case "rr":
      return nodes("bgp", ["rr"])
    case "srlg":
      return world.groups.map((_, index) => ({ type: "duct", index }))
    case "site-power": {
      const noc = new Set(world.vantages.flat().map((n) => world.nodes[n]?.site))
      const powered = new Set(
        world.nodes.flatMap(({ role, site }) => (role === "upstream" || noc.has(site) ? [] : [site])),
      )
      return [...powered].map((index) => ({ type: "site", index }))
    }
    default:
      return nodes("power", ROLES[fault] ?? [])
  }
}

/** The monitoring's own router is no incident of the network. */
const isNoc = (world: World, node: number): boolean => world.vantages.some((stands) => stands.includes(node))

const said = ({ alarms }: Round): string => [...alarms].toSorted().join()

// -- look-alikes ----------------------------------------------------------------------------------------------------------

const lookAlikes = (world: World, cover: Coverage, fault: Fault, physics: number): ReadonlySet<string> => {
  const alike = new Set([elementOf(fault)])
  if (fault.type === "congestion" || fault.type === "flap") return alike
  const own = cleanRound(world, cover, [fault], physics)
  const words = said(own)
  for (const other of neighbours(world, fault, own)) {
    if (alike.has(elementOf(other))) continue
    if (said(cleanRound(world, cover, [other], physics)) === words) alike.add(elementOf(other))
  }
  return alike
}

const neighbours = (world: World, fault: Fault, round: Round): readonly Fault[] => {
  const near = new Set<number>()
  const add = (l: number): void => {
    near.add(world.links[l]?.a ?? 0)
    near.add(world.links[l]?.b ?? 0)
  }
  if (fault.type === "cut") add(fault.index)
  else if (fault.type === "duct") for (const l of world.groups[fault.index] ?? []) add(l)
  else if (fault.type === "site")
    for (const [n, { site }] of world.nodes.entries()) if (site === fault.index) near.add(n)
  if (fault.type === "power" || fault.type === "upstream" || fault.type === "bgp") near.add(fault.index)
  for (const n of round.outdated) if (near.size < MAX_AROUND) near.add(n)
  const nodes = [...near].slice(0, MAX_AROUND)
  const links = new Set(nodes.flatMap((n) => [...(world.around[n] ?? [])]))
  const faults: Fault[] = []
  for (const index of links) faults.push({ type: "cut", index })
  for (const index of nodes) faults.push({ type: "power", index }, { type: "bgp", index })
  for (const index of new Set(nodes.map((n) => world.nodes[n]?.site ?? 0))) faults.push({ type: "site", index })
  for (const [index, group] of world.groups.entries())
    if (group.some((l) => links.has(l))) faults.push({ type: "duct", index })
  return faults
}
