/**
 * The workload of `npm run bench -- core-site`: the emulated ISP read in turns by a collector that is not there, its traps,
 * and the moment at which every router of one core site loses its power. What the devices say is lab/isp's truth; only the
 * bytes between are left out, so that what is measured is the twin alone.
 */
import { generate } from "#lab/isp/generate.ts"
import type { Isp } from "#lab/isp/model.ts"
import type { NetworkEvent } from "#lab/isp/network.ts"
import { Network } from "#lab/isp/network.ts"
import { OSPF_FULL, OSPF_GONE } from "#lab/isp/ospf.ts"
import { namesOf, ospfWord, readRouter, sourcesOf } from "#lab/sim/devices.ts"
import type { PolledSource } from "#lab/sim/devices.ts"
import { farPort } from "#lab/snmp/tables/routing.ts"
import { siteId } from "#protocol/id.ts"
import type { Inventory } from "#protocol/inventory.ts"
import type { Input, TrapInput } from "#twin/input.ts"

const START_MS = Date.UTC(2026, 0, 15, 12)
/** One round: every router is read once. */
export const POLL_MS = 30_000

export interface Workload {
  readonly isp: Isp
  readonly inventory: Inventory
  readonly startMs: number
  /** Kills every router of the core site that has most of them; returns how many that were, and its name. */
  readonly blackOut: () => { readonly routers: number; readonly site: string }
  readonly restore: () => void
  /** What a round brings, in the order of its times. Traps come when they are sent, not with the poll. */
  readonly round: () => Iterable<Input>
}

const names = namesOf(0)

export const workloadOf = (routers: number, seed: number): Workload => {
  const isp = generate({ routers, seed })
  const network = new Network(isp, START_MS)
  const heard: NetworkEvent[] = []
  network.listen((event) => void heard.push(event))
  const site = coreSite(isp)
  const victims = isp.routers.filter((router) => router.site === site).map(({ index }) => index)
  const reads = isp.routers.flatMap((router) => sourcesOf(router).map((source) => [router.index, source] as const))
  let number = 0
  return {
    isp,
    inventory: inventoryOf(isp),
    startMs: START_MS,
    blackOut: () => {
      for (const router of victims) network.kill(router)
      return { routers: victims.length, site: isp.sites[site]?.name ?? "?" }
    },
    restore: () => {
      for (const router of victims) network.revive(router)
    },
    *round() {
      const fromMs = network.nowMs
      for (const [n, [router, source]] of reads.entries()) {
        network.advance(Math.floor(fromMs + ((n + 1) * POLL_MS) / reads.length))
        for (const event of heard.splice(0)) yield* trapsOf(network, event)
        yield readOf(network, router, source, ++number)
      }
    },
  }
}

/** The one with most routers: their number decides how much falls silent at once. */
const coreSite = ({ routers }: Isp): number => {
  const counts = new Map<number, number>()
  for (const { site, roles } of routers) if (roles.includes("core")) counts.set(site, 0)
  for (const { site } of routers) {
    const count = counts.get(site)
    if (count !== undefined) counts.set(site, count + 1)
  }
  return [...counts].reduce((most, one) => (one[1] > most[1] ? one : most))[0]
}

const inventoryOf = ({ sites, routers, links, ports }: Isp): Inventory => {
  const end = (port: number) => ({ device: names.device(ports[port]!.router), interface: ports[port]!.name })
  return {
    sites: sites.map(({ id, name, latitude, longitude }) => ({ id: siteId(id), name, latitude, longitude })),
    devices: routers.map((router) => ({
      id: names.device(router.index),
      name: router.name,
      address: router.loopback,
      site: siteId(sites[router.site]!.id),
      roles: router.roles,
      pollSeconds: POLL_MS / 1_000,
      sources: sourcesOf(router),
    })),
    links: links.map(({ index, a, b, capacityBps }) => ({ id: names.link(index), a: end(a), b: end(b), capacityBps })),
  }
}

const readOf = (network: Network, router: number, source: PolledSource, number: number): Input => {
  const { nowMs } = network
  const device = names.device(router)
  if (network.answers[router] === 0)
    return { kind: "unreachable", device, source, atMs: nowMs, reason: "timeout", detail: "no answer" }
  const answer = readRouter(network, router, source, number)
  return { kind: "poll", device, source, startedMs: nowMs, atMs: nowMs, ...answer }
}

/** RFC 2863 linkDown and linkUp, and OSPF's, of routers that can still be heard. */
function* trapsOf({ isp, answers, nowMs }: Network, event: NetworkEvent): Generator<TrapInput> {
  const trap = (router: number, kind: TrapInput["trap"], what: Partial<TrapInput>): TrapInput => ({
    kind: "trap",
    device: names.device(router),
    atMs: nowMs,
    trap: kind,
    oid: kind,
    ifIndex: null,
    ifName: null,
    adminUp: null,
    remote: null,
    state: null,
    raw: kind,
    ...what,
  })
  if (event.kind === "port") {
    const { router, ifIndex, name, adminUp } = isp.ports[event.port]!
    if (answers[router] === 1) yield trap(router, event.up ? "linkUp" : "linkDown", { ifIndex, ifName: name, adminUp })
  }
  if (event.kind === "ospf" && (event.to === OSPF_GONE || event.to === OSPF_FULL)) {
    const link = isp.links[event.link]!
    for (const end of [link.a, link.b]) {
      const { router } = isp.ports[end]!
      if (answers[router] === 0) continue
      const remote = isp.routers[farPort(isp, link, router).router]!.loopback
      yield trap(router, "ospfNbrStateChange", { remote, state: ospfWord(event.to) })
    }
  }
}
