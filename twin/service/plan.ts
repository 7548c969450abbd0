/**
 * What each declared service hangs on, in slots of one inventory: the devices and links that were named for it, those of its
 * sites where none were, the dependency groups that hold them, and, of a transit, where we meet its provider. Derived.
 */
import type { DeclaredGroup, DeclaredProvider, DeclaredService } from "#protocol/structure.ts"
import type { Role } from "#protocol/role.ts"
import { routersAt } from "#twin/topology.ts"
import type { Topology } from "#twin/topology.ts"
import { needed } from "#twin/whatif/dependency.ts"
import { flatGraphOf } from "#twin/whatif/graph.ts"
import type { FlatGraph } from "#twin/whatif/graph.ts"

export interface GroupPlan {
  readonly name: string
  readonly devices: readonly number[]
  readonly links: readonly number[]
  readonly need: number
}

/** One end of ours on a link to a provider. */
export interface Attachment {
  readonly link: number
  readonly near: number
  readonly ifName: string
  /** -1 = the inventory lacks it. */
  readonly far: number
}

export interface TransitPlan {
  /** Who gives it, as people call it. */
  readonly provider: string
  readonly providers: readonly string[]
  readonly attachments: readonly Attachment[]
}

export interface ServicePlan {
  readonly service: DeclaredService
  /** The device of ours by which it is told: rules and silences of that device hold for it. -1 = there is none. */
  readonly anchor: number
  /** Members that stand in no group. */
  readonly devices: readonly number[]
  readonly links: readonly number[]
  readonly groups: readonly GroupPlan[]
  /** Groups that a device cannot do without. */
  readonly needs: ReadonlyMap<number, readonly GroupPlan[]>
  readonly transit: TransitPlan | null
}

export interface ServicesPlan {
  readonly topology: Topology
  readonly services: readonly ServicePlan[]
  /** By slot of the device that stands for them: what they are called, by id. */
  readonly names: ReadonlyMap<number, Readonly<Record<string, string>>>
  /** By router slot: services that may be otherwise when it is. */
  readonly at: ReadonlyMap<number, readonly number[]>
  readonly transits: readonly number[]
  /** Someone else's devices, 1 by slot: they watch nothing for us. */
  readonly foreign: Uint8Array
  /** Of the declared links. */
  readonly graph: FlatGraph | null
}

const FOREIGN: readonly Role[] = ["upstream", "peering"]
/** Which of a site's devices do a service's work, where no device was named. */
const WORKERS: Readonly<Record<DeclaredService["kind"], readonly Role[] | null>> = {
  transit: ["edge"],
  core: ["core", "rr"],
  dns: ["dns", "server"],
  pppoe: ["bng"],
  site: null,
  other: null,
}

export const servicesPlan = (topology: Topology): ServicesPlan => {
  const { inventory } = topology
  const foreign = Uint8Array.from(inventory.devices, ({ roles }) => Number(roles.some((one) => FOREIGN.includes(one))))
  const context = contextOf(topology, foreign)
  const services = (inventory.services ?? []).map((service) => planned(context, service))
  const transits = services.flatMap(({ transit }, index) => (transit === null ? [] : [index]))
  return {
    topology,
    services,
    names: namesOf(services),
    at: placed(topology, services),
    transits,
    foreign,
    graph: transits.length === 0 ? null : flatGraphOf(topology),
  }
}

const namesOf = (services: readonly ServicePlan[]): ServicesPlan["names"] => {
  const names = new Map<number, Record<string, string>>()
  for (const { anchor, service } of services) {
    if (anchor < 0) continue
    const here = names.get(anchor) ?? {}
    Object.defineProperty(here, service.id, { value: service.name, enumerable: true })
    names.set(anchor, here)
  }
  return names
}

interface Context {
  readonly topology: Topology
  readonly foreign: Uint8Array
  readonly groups: readonly (GroupPlan & Pick<DeclaredGroup, "dependants">)[]
  readonly providers: ReadonlyMap<string, DeclaredProvider>
  readonly atSite: ReadonlyMap<string, readonly number[]>
}

const contextOf = (topology: Topology, foreign: Uint8Array): Context => {
  const { inventory, deviceSlot, linkSlot } = topology
  const atSite = new Map<string, number[]>()
  if ((inventory.services ?? []).some(({ sites }) => sites.length > 0))
    for (const [slot, { site }] of inventory.devices.entries()) {
      const there = atSite.get(site)
      if (there === undefined) atSite.set(site, [slot])
      else there.push(slot)
    }
  const groups = (inventory.groups ?? []).map(({ name, mode, k, id, devices, links, dependants }) => {
    const routers = slotsOf(deviceSlot, devices)
    const wires = slotsOf(linkSlot, links)
    const need = needed({ id, name, mode, k, routers, links: wires, dependents: [] })
    return { name, devices: routers, links: wires, need, dependants }
  })
  return {
    topology,
    foreign,
    groups,
    providers: new Map((inventory.providers ?? []).map((one) => [one.id, one])),
    atSite,
  }
}

const slotsOf = <Id>(slots: ReadonlyMap<Id, number>, ids: readonly Id[]): readonly number[] => [
  ...new Set(ids.flatMap((id) => slots.get(id) ?? [])),
]

const planned = (context: Context, service: DeclaredService): ServicePlan => {
  const { topology, foreign, atSite } = context
  const { inventory, deviceSlot, linkSlot } = topology
  const transit = service.kind === "transit" ? transitOf(context, service) : null
  const workers = WORKERS[service.kind]
  const doesWork = (slot: number): boolean =>
    foreign[slot] === 0 && (workers === null || inventory.devices[slot]!.roles.some((role) => workers.includes(role)))
  const named = slotsOf(deviceSlot, service.devices)
  const devices = named.length > 0 ? named : service.sites.flatMap((site) => atSite.get(site)?.filter(doesWork) ?? [])
  const links = slotsOf(linkSlot, service.links)
  const holding = context.groups.filter(
    (group) => group.devices.some((slot) => devices.includes(slot)) || group.links.some((slot) => links.includes(slot)),
  )
  const inGroup = new Set(holding.flatMap((group) => group.devices))
  const linkInGroup = new Set(holding.flatMap((group) => group.links))
  const needs = new Map<number, GroupPlan[]>()
  for (const group of context.groups)
    for (const slot of slotsOf(deviceSlot, group.dependants))
      if (devices.includes(slot)) needs.set(slot, [...(needs.get(slot) ?? []), group])
  const near = transit?.attachments.map((one) => one.near) ?? []
  const ends = links.flatMap((link) => routersAt(topology, link))
  const own = (slots: readonly number[]): number => slots.find((slot) => foreign[slot] === 0) ?? -1
  const anchor = [own(near), own(devices), own(ends), devices[0] ?? -1].find((slot) => slot >= 0) ?? -1
  return {
    service,
    anchor,
    devices: devices.filter((slot) => !inGroup.has(slot)),
    links: links.filter((slot) => !linkInGroup.has(slot)),
    groups: holding,
    needs,
    transit,
  }
}

/** By its own links and its providers', and by the links of their devices to ours. */
const transitOf = ({ topology, foreign, providers }: Context, service: DeclaredService): TransitPlan => {
  const { inventory, deviceSlot, linkSlot, routers } = topology
  const givers = service.providers.flatMap((id) => providers.get(id) ?? [])
  const links = new Set<number>()
  for (const { devices, links: wires } of [service, ...givers]) {
    for (const link of slotsOf(linkSlot, wires)) links.add(link)
    for (const slot of slotsOf(deviceSlot, devices))
      if (foreign[slot] === 1) for (const { link } of routers[slot]?.ports ?? []) links.add(link)
  }
  const attachments = [...links]
    .sort((x, y) => x - y)
    .flatMap((link): readonly Attachment[] => {
      const { a, b } = inventory.links[link]!
      const [slotA, slotB] = [deviceSlot.get(a.device) ?? -1, deviceSlot.get(b.device) ?? -1]
      const isOurs = (slot: number): boolean => slot >= 0 && foreign[slot] === 0
      // Between two of ours no provider is met; between two of theirs we are not.
      if (isOurs(slotA) === isOurs(slotB)) return []
      return isOurs(slotA)
        ? [{ link, near: slotA, ifName: a.interface, far: slotB }]
        : [{ link, near: slotB, ifName: b.interface, far: slotA }]
    })
  return {
    provider: givers.length === 0 ? service.name : givers.map(({ name }) => name).join(", "),
    providers: givers.map(({ id }) => id),
    attachments,
  }
}

const placed = (topology: Topology, services: readonly ServicePlan[]): ReadonlyMap<number, readonly number[]> => {
  const at = new Map<number, number[]>()
  for (const [index, plan] of services.entries()) {
    const groups = [...plan.groups, ...[...plan.needs.values()].flat()]
    const links = [...plan.links, ...groups.flatMap((group) => group.links)]
    const slots = new Set([
      ...plan.devices,
      ...groups.flatMap((group) => group.devices),
      ...links.flatMap((link) => routersAt(topology, link)),
      ...(plan.transit?.attachments.flatMap(({ near, far }) => (far < 0 ? [near] : [near, far])) ?? []),
    ])
    for (const slot of slots) at.set(slot, [...(at.get(slot) ?? []), index])
  }
  return at
}
