/**
 * What is read of a transit: each place where we meet its provider, whether our own edges live, and from which of our sites
 * public targets do not answer. A site that has no way to an edge of ours loses them by our fault, and does not count.
 */
import { metricId } from "#protocol/metric.ts"
import { say } from "#protocol/phrase.ts"
import type { ServiceReason } from "#protocol/service.ts"
import { at } from "#twin/chunked.ts"
import type { Ebgp, Inside, Targets } from "#twin/service/transit.ts"
import { ebgpOf, targetsOf } from "#twin/service/transit.ts"
import type { Attachment, ServicesPlan, TransitPlan } from "#twin/service/plan.ts"
import { sessionsUp } from "#twin/service/sessions.ts"
import type { Reading } from "#twin/service/unit.ts"
import { linkName } from "#twin/service/unit.ts"
import { DEVICE_LAYOUT } from "#twin/values.ts"
import { reachableFrom } from "#twin/whatif/reach.ts"
import { isForwarding } from "#twin/whatif/readings.ts"

const WATCHED = DEVICE_LAYOUT.columnOf[metricId("probe.public.targets")] as number
const ANSWERED = DEVICE_LAYOUT.columnOf[metricId("probe.public.up")] as number
/** Sites that are named one by one. */
const NAMED_MAX = 6

export interface Met {
  readonly ebgp: Ebgp
  /** Everything that is down here is down by us. */
  readonly isOurs: boolean
  readonly reasons: readonly ServiceReason[]
}

const fault = (kind: ServiceReason["kind"], id: string, text: string): ServiceReason => ({
  kind,
  id,
  text,
  isFault: true,
})

export const metAt = (reading: Reading, { attachments }: TransitPlan): Met => {
  const places = attachments.map((one) => place(reading, one))
  const down = places.filter(({ state }) => state === "down")
  return {
    ebgp: ebgpOf(places.filter(({ state }) => state === "up").length, down.length),
    isOurs: down.length > 0 && down.every(({ isOurs }) => isOurs),
    reasons: places.map((one) => one.reason),
  }
}

interface Place {
  readonly state: "up" | "down" | "unknown"
  readonly isOurs: boolean
  readonly reason: ServiceReason
}

/** The session first; the link where nobody tells one. What a dead edge last said counts no more. */
const place = (reading: Reading, attachment: Attachment): Place => {
  const { topology, cells } = reading
  const { inventory } = topology
  const { near, link } = attachment
  const { id, name } = inventory.devices[near]!
  const router = cells.routers.state(near)
  const words = { device: name, link: linkName(topology, link) }
  if (router.reachable === false)
    return { state: "down", isOurs: true, reason: fault("device", id, say("service.why.silent", { device: name })) }
  const wire = cells.links.state(link)
  const end = inventory.links[link]!.a.device === id ? wire.a : wire.b
  const isShut = end?.fresh === true && end.adminUp === false
  const linkId = inventory.links[link]!.id
  const sessions = router.reachable === null ? null : sessionsUp(topology, cells, attachment)
  const isDown = sessions === false || wire.status.health === "down"
  if (isDown && isShut)
    return { state: "down", isOurs: true, reason: fault("link", linkId, say("service.why.shut", words)) }
  if (isDown)
    return { state: "down", isOurs: false, reason: fault("link", linkId, say("service.why.ebgp.down", words)) }
  const known = sessions === true && !router.stale
  const text = known ? say("service.why.ebgp.up", words) : say("service.why.ebgp.unknown", words)
  return {
    state: known || (sessions === null && wire.status.health === "ok") ? "up" : "unknown",
    isOurs: false,
    reason: { kind: "link", id: linkId, text, isFault: false },
  }
}

export interface Public {
  readonly targets: Targets
  /** Sites whose loss of public targets is no provider's doing. */
  readonly isCut: boolean
  readonly reasons: readonly ServiceReason[]
}

interface SiteLoss {
  watch: number
  lost: number
  readonly slots: number[]
}

/** The same for all transits of one evaluation. O(devices), and a walk over the network when some site has lost them. */
export const publicTargets = (reading: Reading, plan: ServicesPlan): Public => {
  const { topology } = reading
  const { devices, sites } = topology.inventory
  const bySite = new Map<string, SiteLoss>()
  for (let slot = 0; slot < devices.length; slot++) {
    if (plan.foreign[slot] === 1 || !watches(reading, slot)) continue
    const { site } = devices[slot]!
    const found = bySite.get(site) ?? { watch: 0, lost: 0, slots: [] }
    found.watch++
    found.slots.push(slot)
    if (losesAll(reading, slot)) found.lost++
    bySite.set(site, found)
  }
  if (bySite.size === 0)
    return {
      targets: "unknown",
      isCut: false,
      reasons: [{ kind: "", id: "", isFault: false, text: say("service.why.pops.none") }],
    }
  const lost = [...bySite].filter(([, one]) => one.lost === one.watch)
  const reached = lost.length === 0 ? null : reachedFromEdges(reading, plan)
  const isCutOff = ({ slots }: SiteLoss): boolean => reached !== null && slots.every((slot) => reached[slot] !== 1)
  const cut = lost.filter(([, one]) => isCutOff(one))
  const outside = lost.filter(([, one]) => !isCutOff(one))
  const nameOf = (id: string): string => sites.find((site) => site.id === id)?.name ?? id
  const watching = bySite.size - cut.length
  const count = say("service.why.pops.ok", { count: bySite.size - lost.length, all: bySite.size })
  return {
    targets: targetsOf(outside.length, watching),
    isCut: cut.length > 0,
    reasons: [
      ...outside
        .slice(0, NAMED_MAX)
        .map(([site]) => fault("", "", say("service.why.pops.lost", { site: nameOf(site) }))),
      ...cut.slice(0, NAMED_MAX).map(([site]) => fault("", "", say("service.why.pops.cut", { site: nameOf(site) }))),
      { kind: "", id: "", isFault: false, text: count },
    ],
  }
}

/** It answers, and what it says of its targets is of now. */
const watches = ({ cells }: Pick<Reading, "cells">, slot: number): boolean => {
  const { device, reachable, stale } = cells.routers.state(slot)
  return reachable === true && !stale && device.rows > 0 && (device.value[WATCHED] as number) > 0
}

/** No public target answers from there. */
export const losesAll = (reading: Pick<Reading, "cells">, slot: number): boolean =>
  watches(reading, slot) && reading.cells.routers.state(slot).device.value[ANSWERED] === 0

/** It has told of public targets; it may watch none now, or be silent. */
export const hasWatched = ({ cells }: Pick<Reading, "cells">, slot: number): boolean => {
  const { device } = cells.routers.state(slot)
  return device.rows > 0 && !Number.isNaN(device.value[WATCHED] as number)
}

/** By slot: 1 = a living edge of any of our transits is reached over what is up. */
const reachedFromEdges = ({ topology, cells }: Reading, plan: ServicesPlan): Uint8Array => {
  const tenant = cells.tenant.state(0)
  const edges = plan.transits.flatMap((index) => plan.services[index]!.transit!.attachments.map(({ near }) => near))
  const graph = plan.graph!
  const downLinks = Uint8Array.from({ length: graph.links }, (_, slot) =>
    Number(at(tenant.links, slot)?.status.health === "down"),
  )
  const downNodes = Uint8Array.from(topology.routers, ({ ports }, slot) =>
    Number(
      plan.foreign[slot] === 1 ||
        (cells.routers.state(slot).reachable === false && !isForwarding(ports, (link) => cells.links.state(link))),
    ),
  )
  return reachableFrom(graph, edges, downNodes, downLinks)
}

export const insideOf = (met: Met, targets: Public): Inside =>
  met.isOurs || (met.ebgp === "up" && targets.isCut && targets.targets !== "lost") ? "broken" : "ok"
