/**
 * The emulated ISP as its collectors would have read it: names, and whole polls of a router at one moment, in the metric registry's words. The bytes of SNMP and of the RouterOS API are left out (the lab's
 * agents and the engine's collectors have their own tests); what the devices say is lab/isp's truth.
 */
import type { Router } from "#lab/isp/model.ts"
import type { Network } from "#lab/isp/network.ts"
import { OSPF_GONE } from "#lab/isp/ospf.ts"
import { farPort, peerView, sessionsOf } from "#lab/snmp/tables/routing.ts"
import { bgpKey, DEVICE_ENTITY, deviceId, interfaceKey, linkId, ospfKey } from "#protocol/id.ts"
import type { DeviceId, EntityKey, LinkId } from "#protocol/id.ts"
import { BGP_STATES, metricId, OSPF_STATES } from "#protocol/metric.ts"
import type { MetricName } from "#protocol/metric.ts"
import type { PollInput } from "#twin/input.ts"

export type PolledSource = "snmp" | "routeros"

/**
 * The ids of one tenant. All tenants of a simulation watch parts of one network; that no id of one is ever seen by
 * another is audited by its prefix.
 */
export interface Names {
  readonly prefix: string
  readonly device: (router: number) => DeviceId
  readonly router: (device: DeviceId) => number
  readonly link: (link: number) => LinkId
}

export const namesOf = (tenant: number): Names => {
  const prefix = `tenant${tenant}:`
  const numbered = (kind: string, number: number): string => `${prefix}${kind}-${String(number).padStart(4, "0")}`
  return {
    prefix,
    device: (router) => deviceId(numbered("device", router)),
    router: (device) => Number(device.slice(prefix.length + "device-".length)),
    link: (link) => linkId(numbered("link", link)),
  }
}

/** Devices with the RouterOS API are read twice: by SNMP and by the API. */
export const sourcesOf = (router: Router): readonly PolledSource[] =>
  router.routeros === null ? ["snmp"] : ["snmp", "routeros"]

/** What one poll read, before the answer travelled: rows and the moment of the device. */
export type Answer = Pick<PollInput, "entities" | "entity" | "metric" | "value" | "texts" | "complete">

const METRIC = {
  uptime: metricId("device.uptime_seconds"),
  cpu: metricId("device.cpu_pct"),
  ifIndex: metricId("interface.if_index"),
  admin: metricId("interface.admin_up"),
  oper: metricId("interface.oper_up"),
  speed: metricId("interface.speed_bps"),
  bits: metricId("interface.counter_bits"),
  rx: metricId("interface.rx_bytes_total"),
  tx: metricId("interface.tx_bytes_total"),
  ospf: metricId("ospf.neighbor.state"),
  bgp: metricId("bgp.peer.state"),
  sessions: metricId("pppoe.sessions.active" satisfies MetricName),
} as const

/** The network must have been advanced to the moment of the reading. Routing is read by one source only, as in life. */
export const readRouter = (network: Network, router: number, source: PolledSource, number: number): Answer => {
  const { isp } = network
  const own = isp.routers[router]!
  const entities: EntityKey[] = [DEVICE_ENTITY]
  const rows: number[] = []
  const row = (metric: number, value: number): void => void rows.push(entities.length - 1, metric, value)
  // TimeTicks of SNMP are hundredths; the RouterOS API tells whole seconds.
  const upMs = network.nowMs - network.bootedMs[router]!
  row(METRIC.uptime, source === "snmp" ? Math.floor(upMs / 10) / 100 : Math.floor(upMs / 1000))
  // A trace of the reading's number, so that no two polls are alike.
  row(METRIC.cpu, network.cpuPercent(router) + number * 1e-7)
  const sessions = network.households.sessionsOn(router)
  if (sessions !== null) row(METRIC.sessions, sessions)
  for (const port of own.ports) {
    const { name, ifIndex, adminUp, speedBps } = isp.ports[port]!
    entities.push(interfaceKey(name))
    row(METRIC.ifIndex, ifIndex)
    row(METRIC.admin, adminUp ? 1 : 0)
    row(METRIC.oper, network.portUp[port]!)
    row(METRIC.speed, speedBps)
    row(METRIC.bits, 64)
    row(METRIC.rx, network.inOctets(port))
    row(METRIC.tx, network.outOctets(port))
  }
  const routing = readsRouting(own, source)
  if (routing) readNeighbours(network, router, entities, row)
  const samples = rows.length / 3
  return {
    entities,
    entity: Uint16Array.from({ length: samples }, (_, i) => rows[3 * i]!),
    metric: Uint16Array.from({ length: samples }, (_, i) => rows[3 * i + 1]!),
    value: Float64Array.from({ length: samples }, (_, i) => rows[3 * i + 2]!),
    texts: [{ entity: DEVICE_ENTITY, fact: "device.os_version", text: own.osVersion }],
    complete: routing ? ["device", "interface", "ospf.neighbor", "bgp.peer"] : ["device", "interface"],
  }
}

/** RouterOS has no MIBs for them: its API tells. */
export const readsRouting = (router: Router, source: PolledSource): boolean =>
  router.routeros === null ? source === "snmp" : source === "routeros"

const readNeighbours = (
  network: Network,
  router: number,
  entities: EntityKey[],
  row: (metric: number, value: number) => void,
): void => {
  const { isp, ospf, bgp } = network
  for (const link of network.linksOf(router)) {
    if (ospf.state[link] === OSPF_GONE) continue
    entities.push(ospfKey(isp.routers[farPort(isp, isp.links[link]!, router).router]!.loopback))
    row(METRIC.ospf, ospf.state[link]! - 1)
  }
  for (const session of sessionsOf(isp, router)) {
    entities.push(bgpKey(peerView(isp, session, router).remoteAddress))
    row(METRIC.bgp, bgp.state[session.index]! - 1)
  }
}

/** In the registry's words. */
export const ospfWord = (state: number): string => OSPF_STATES[Math.max(0, state - 1)] as string
export const bgpWord = (state: number): string => BGP_STATES[state - 1] as string
