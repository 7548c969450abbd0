/**
 * What `print` shows in each menu that a monitoring client reads, with RouterOS' own field names (v6 and v7 differ; the
 * sources are in the notes on RouterOS samples: MikroTik's manuals, published fixtures). A menu is a function from the
 * network's state to rows; menus that a device of this kind has but leaves empty are there too, and empty.
 */
import { BGP_ESTABLISHED, HOLD_MS, KEEPALIVE_MS } from "#lab/isp/bgp.ts"
import { OCTETS_PER_PACKET } from "#lab/isp/flows.ts"
import { bystandersOf } from "#lab/isp/bystanders.ts"
import type { Port, Router } from "#lab/isp/model.ts"
import { bridgePorts, learnedHosts } from "#lab/isp/switching.ts"
import type { Network } from "#lab/isp/network.ts"
import { DEAD_INTERVAL_MS, OSPF_GONE, OSPF_STATE_NAMES } from "#lab/isp/ospf.ts"
import { netwatch, userGroups, users } from "#lab/routeros/own-menus.ts"
import type { ApiRow } from "#lab/routeros/query.ts"
import { atLeast, bool, duration, moment, rowId } from "#lab/routeros/text.ts"
import { gaugeValue, isOptical, lightRx, lightTx, supplyVolts } from "#lab/snmp/tables/mikrotik.ts"
import { farPort, hostOf, nearPort, peerView, secondsSince, sessionsOf } from "#lab/snmp/tables/routing.ts"
import { ROUTEROS_DISK } from "#lab/snmp/tables/system.ts"
import type { LogLine } from "#lab/syslog/lines.ts"

/** Who is asked. */
export interface Asked {
  readonly network: Network
  readonly router: number
  /** The newest log lines, oldest first. */
  readonly log: readonly LogLine[]
}
export type Menu = (asked: Asked) => readonly ApiRow[]

const routerOf = ({ network: { isp }, router }: Asked): Router => isp.routers[router]!
const isV7 = (asked: Asked): boolean => routerOf(asked).persona === "routeros7"
const isoDates = (asked: Asked): boolean => atLeast(routerOf(asked).osVersion, 7, 10)
const uptimeMs = ({ network, router }: Asked): number => network.nowMs - network.bootedMs[router]!

const resource: Menu = (asked) => {
  const { network, router } = asked
  const { memoryBytes, model, osVersion } = routerOf(asked)
  return [
    {
      uptime: duration(uptimeMs(asked)),
      version: `${osVersion} (${isV7(asked) ? "stable" : "long-term"})`,
      "build-time": isoDates(asked) ? "2025-09-29 10:15:37" : "Oct/04/2022 12:21:37",
      "factory-software": isV7(asked) ? "7.4.1" : "6.44.6",
      "free-memory": String(memoryBytes - network.memoryUsed(router)),
      "total-memory": String(memoryBytes),
      cpu: "ARM64",
      "cpu-count": "4",
      "cpu-frequency": "2000",
      "cpu-load": String(network.cpuPercent(router)),
      "free-hdd-space": String(ROUTEROS_DISK.bytes - ROUTEROS_DISK.usedBytes),
      "total-hdd-space": String(ROUTEROS_DISK.bytes),
      "write-sect-since-reboot": String(Math.floor(uptimeMs(asked) / 60_000)),
      "write-sect-total": String(Math.floor(uptimeMs(asked) / 6000)),
      "bad-blocks": "0",
      "architecture-name": "arm64",
      "board-name": model,
      platform: "MikroTik",
    },
  ]
}

const identity: Menu = (asked) => [{ name: routerOf(asked).name }]

const routerboard: Menu = (asked) => {
  const { model, serial, osVersion } = routerOf(asked)
  return [
    {
      routerboard: "true",
      model,
      "serial-number": serial,
      "firmware-type": "al64",
      "factory-firmware": isV7(asked) ? "7.4.1" : "6.44.6",
      "current-firmware": osVersion,
      "upgrade-firmware": osVersion,
    },
  ]
}

/** v6 has one row with a key per sensor, v7 one row per sensor. */
const health: Menu = (asked) => {
  const [celsius, cpuCelsius] = [gaugeValue(asked, 0), gaugeValue(asked, 1)].map(String) as [string, string]
  const volts = supplyVolts(asked.router).toFixed(1)
  if (!isV7(asked)) return [{ voltage: volts, temperature: celsius, "cpu-temperature": cpuCelsius }]
  return [
    { ".id": "*D", name: "voltage", value: volts, type: "V" },
    { ".id": "*E", name: "temperature", value: celsius, type: "C" },
    { ".id": "*11", name: "cpu-temperature", value: cpuCelsius, type: "C" },
  ]
}

const interfaceType = (asked: Asked, port: Port): string => {
  if (port.kind === "loopback") return isV7(asked) ? "loopback" : "bridge"
  return port.name.startsWith("bonding") ? "bond" : "ether"
}

export const interfaceRow = (asked: Asked, port: Port): ApiRow => {
  const { network } = asked
  const [rx, tx] = [network.inOctets(port.index), network.outOctets(port.index)]
  const up = network.portUp[port.index] === 1
  const changed = moment(network.portChangedMs[port.index]!, isoDates(asked))
  const ether = port.kind !== "loopback"
  return {
    ".id": rowId(port.ifIndex),
    name: port.name,
    ...(ether ? { "default-name": port.name } : {}),
    type: interfaceType(asked, port),
    mtu: ether ? "1500" : "auto",
    "actual-mtu": ether ? "1500" : "65536",
    ...(ether ? { l2mtu: "1584", "max-l2mtu": "9578", "mac-address": port.mac } : {}),
    ...(up ? { "last-link-up-time": changed } : port.adminUp ? { "last-link-down-time": changed } : {}),
    "link-downs": String(network.portDowns[port.index]!),
    "rx-byte": String(rx),
    "tx-byte": String(tx),
    "rx-packet": String(Math.floor(rx / OCTETS_PER_PACKET)),
    "tx-packet": String(Math.floor(tx / OCTETS_PER_PACKET)),
    "rx-drop": "0",
    "tx-drop": "0",
    "tx-queue-drop": String(network.outDiscards(port.index)),
    "rx-error": "0",
    "tx-error": "0",
    running: bool(up),
    disabled: bool(!port.adminUp),
    ...(port.alias === "" ? {} : { comment: port.alias }),
  }
}

const portsOf = ({ network: { isp }, router }: Asked): readonly Port[] =>
  isp.routers[router]!.ports.map((port) => isp.ports[port]!)

const interfaces: Menu = (asked) => portsOf(asked).map((port) => interfaceRow(asked, port))

const ethernet: Menu = (asked) =>
  portsOf(asked)
    .filter((port) => interfaceType(asked, port) === "ether")
    .map((port) => ({
      ".id": rowId(port.ifIndex),
      name: port.name,
      "default-name": port.name,
      mtu: "1500",
      "mac-address": port.mac,
      running: bool(asked.network.portUp[port.index] === 1),
      disabled: bool(!port.adminUp),
    }))

/** `/interface/ethernet/monitor once`: the module's light levels are those that SNMP shows. */
export const monitorRow = (asked: Asked, port: Port): ApiRow => {
  const up = asked.network.portUp[port.index] === 1
  return {
    name: port.name,
    status: up ? "link-ok" : "no-link",
    ...(up ? { rate: `${port.speedBps / 1e9}Gbps`, "full-duplex": "true", "auto-negotiation": "done" } : {}),
    ...(isOptical(port)
      ? {
          "sfp-module-present": "true",
          "sfp-rx-power": (lightRx(asked, port.index) / 1000).toFixed(3),
          "sfp-tx-power": (lightTx(asked, port.index) / 1000).toFixed(3),
          "sfp-temperature": `${35 + (port.index % 9)}C`,
        }
      : {}),
  }
}

const addresses: Menu = (asked) =>
  portsOf(asked)
    .filter((port) => port.address !== null && !asked.network.quiet.has(asked.router))
    .map((port) => ({
      ".id": rowId(port.ifIndex),
      address: port.address!,
      network: networkOf(port.address!),
      interface: port.name,
      "actual-interface": port.name,
      invalid: "false",
      dynamic: "false",
      disabled: "false",
    }))

const networkOf = (address: string): string => {
  const [host, prefix] = address.split("/") as [string, string]
  if (prefix === "32") return host
  const octets = host.split(".").map(Number)
  return [...octets.slice(0, 3), octets[3]! & ~1].join(".")
}

/** Whoever is heard on a link, by whatever protocol: routers, and the gear in the wire. */
const neighbors: Menu = (asked) =>
  asked.network.quiet.has(asked.router) ? [] : [...heardRouters(asked), ...heardBystanders(asked)]

const heardBystanders: Menu = ({ network, router }) =>
  bystandersOf(network, router).map((one) => ({
    ".id": rowId(0x8000 + one.nth),
    interface: one.port.name,
    address: one.address,
    address4: one.address,
    "mac-address": one.mac,
    identity: one.identity,
    platform: one.platform,
    version: one.version,
    age: "41s",
    ...(one.softwareId === "" ? {} : { "software-id": one.softwareId }),
    "interface-name": one.interfaceName,
    "discovered-by": one.by,
  }))

const heardRouters: Menu = ({ network, router }) =>
  network
    .heardLinks(router)
    .map((link) => ({ link, far: farPort(network.isp, network.isp.links[link]!, router) }))
    .map(({ link, far }) => {
      const near = nearPort(network.isp, network.isp.links[link]!, router)
      const them = network.isp.routers[far.router]!
      const mikrotik = them.persona !== "frr"
      return {
        ".id": rowId(link + 1),
        interface: near.name,
        address: hostOf(far),
        "mac-address": far.mac,
        identity: them.name,
        ...(mikrotik ? { platform: "MikroTik", board: them.model } : { platform: "" }),
        version: them.osVersion,
        age: "12s",
        uptime: duration(network.nowMs - network.bootedMs[far.router]!),
        "interface-name": far.name,
        "discovered-by": mikrotik ? "cdp,lldp,mndp" : "lldp",
      }
    })

/** The bridge of a switch: who was learned on which port, and the router's own addresses on each. */
const bridgeHosts: Menu = (asked) => {
  const { network, router } = asked
  const own = bridgePorts(network.isp, router).map((port) => ({ port, mac: port.mac, local: true }))
  const learned = learnedHosts(network, router).map((one) => ({ ...one, local: false }))
  return [...own, ...learned].map(({ port, mac, local }, nth) => ({
    ".id": rowId(nth + 1),
    "mac-address": mac,
    vid: "1",
    "on-interface": port.name,
    bridge: "bridge1",
    ...(isV7(asked) ? {} : { age: local ? "0s" : "7s" }),
    dynamic: "true",
    local: bool(local),
    external: "false",
    invalid: "false",
    disabled: "false",
  }))
}

/** The neighbour's interface is named by v6 and by newest v7, and by nothing in between. */
const ospfNeighbors: Menu = (asked) => {
  const { network, router } = asked
  const { isp, ospf } = network
  const version = routerOf(asked).osVersion
  return network
    .linksOf(router)
    .filter((link) => ospf.state[link] !== OSPF_GONE)
    .map((link) => {
      const [near, far] = [nearPort(isp, isp.links[link]!, router), farPort(isp, isp.links[link]!, router)]
      const common = {
        ".id": rowId(link + 1),
        address: hostOf(far),
        priority: "128",
        "router-id": isp.routers[far.router]!.loopback,
        state: OSPF_STATE_NAMES[ospf.state[link]!]!,
        "state-changes": String(ospf.changes[link]!),
        adjacency: duration(network.nowMs - ospf.sinceMs[link]!),
      }
      if (!isV7(asked))
        return {
          ...common,
          instance: "default",
          interface: near.name,
          "dr-address": "0.0.0.0",
          "backup-dr-address": "0.0.0.0",
          "ls-retransmits": "0",
          "ls-requests": "0",
          "db-summaries": "0",
        }
      return {
        ...common,
        instance: "ospf-instance-1",
        area: "backbone",
        ...(atLeast(version, 7, 20) ? { interface: near.name } : {}),
        timeout: duration(DEAD_INTERVAL_MS),
        virtual: "false",
        dynamic: "true",
      }
    })
}

/** 6 names the interface, 7 puts it behind the address. */
const ospfInterfaces: Menu = (asked) => {
  const { isp, ospf } = asked.network
  const rows = portsOf(asked).filter(({ wire }) => isp.links[wire]?.ospf === true)
  return rows.map((port) => {
    const { index, cost } = isp.links[port.wire]!
    const common = { ".id": rowId(index + 1), cost: String(cost), priority: "128", "network-type": "point-to-point" }
    const up = ospf.state[index] !== OSPF_GONE
    if (!isV7(asked))
      return {
        ...common,
        interface: port.name,
        instance: "default",
        area: "backbone",
        state: "point-to-point",
        neighbors: up ? "1" : "0",
        disabled: "false",
        inactive: "false",
        dynamic: "true",
      }
    return {
      ...common,
      address: `${hostOf(port)}%${port.name}`,
      area: "backbone",
      state: "ptp",
      "network-type": "ptp",
      "use-bfd": "false",
      dynamic: "true",
    }
  })
}

const bgpSessions: Menu = (asked) => {
  const { network, router } = asked
  if (!isV7(asked)) return []
  return sessionsOf(network.isp, router).map((session) => {
    const { remote, localAddress, remoteAddress } = peerView(network.isp, session, router)
    const up = network.bgp.state[session.index] === BGP_ESTABLISHED
    const us = routerOf(asked)
    return {
      ".id": rowId(session.index + 1),
      name: `to-${remote.name}-1`,
      "remote.address": remoteAddress,
      "remote.as": String(remote.asn),
      ...(up ? { "remote.id": remote.loopback, "remote.afi": "ip", "remote.hold-time": duration(HOLD_MS) } : {}),
      "local.role": remote.asn === us.asn ? "ibgp" : "ebgp",
      "local.address": localAddress,
      "local.as": String(us.asn),
      "local.id": us.loopback,
      "output.procid": "20",
      "input.procid": "20",
      [remote.asn === us.asn ? "ibgp" : "ebgp"]: "true",
      "hold-time": duration(HOLD_MS),
      "keepalive-time": duration(KEEPALIVE_MS),
      // A flag that is not set is not sent.
      ...(up
        ? {
            established: "true",
            uptime: duration(secondsSince(asked, session.index) * 1000),
            "last-started": moment(network.bgp.sinceMs[session.index]!, isoDates(asked)),
            "prefix-count": String(prefixes(asked, remote)),
          }
        : { "last-stopped": moment(network.bgp.sinceMs[session.index]!, isoDates(asked)) }),
    }
  })
}

const bgpPeers: Menu = (asked) => {
  const { network, router } = asked
  if (isV7(asked)) return []
  return sessionsOf(network.isp, router).map((session) => {
    const { remote, localAddress, remoteAddress } = peerView(network.isp, session, router)
    const up = network.bgp.state[session.index] === BGP_ESTABLISHED
    return {
      ".id": rowId(session.index + 1),
      name: `to-${remote.name}`,
      instance: "default",
      "remote-address": remoteAddress,
      "remote-as": String(remote.asn),
      ...(up
        ? {
            "remote-id": remote.loopback,
            "local-address": localAddress,
            uptime: duration(secondsSince(asked, session.index) * 1000),
            "prefix-count": String(prefixes(asked, remote)),
          }
        : {}),
      "hold-time": duration(HOLD_MS),
      state: up ? "established" : "active",
      disabled: "false",
    }
  })
}

/** Upstreams send a full table's worth of defaults and partials; reflectors everything inside. */
const prefixes = ({ network }: Asked, remote: Router): number =>
  remote.roles.includes("upstream") ? 4096 + remote.index : network.isp.routers.length

/** One row per session. The people are numbers: nobody is described here. */
const pppActive: Menu = ({ network, router }) => {
  const sessions = network.households.sessionsOn(router) ?? 0
  return Array.from({ length: sessions }, (_, nth) => ({
    ".id": `*8${nth.toString(16).toUpperCase().padStart(7, "0")}`,
    name: `assinante-${router}-${nth + 1}`,
    service: "pppoe",
    "caller-id": `02:5A:${[router >> 8, router, nth >> 8, nth].map(hexOctet).join(":")}`,
    address: `100.${64 + (router % 64)}.${(nth >> 8) & 255}.${nth & 255}`,
    uptime: duration(((nth * 7919) % 1_209_600) * 1000),
    encoding: "",
    "session-id": `0x81${nth.toString(16).padStart(6, "0")}`,
    "limit-bytes-in": "0",
    "limit-bytes-out": "0",
    radius: "true",
  }))
}
const hexOctet = (value: number): string => (value & 255).toString(16).toUpperCase().padStart(2, "0")

/** Pairs are "from the target/to the target": upload first. */
const queues: Menu = (asked) =>
  portsOf(asked)
    .filter((port) => port.kind === "subscribers")
    .map((port) => {
      const { network } = asked
      const pair = (up: number, down: number) => `${Math.floor(up)}/${Math.floor(down)}`
      const [rx, tx] = [network.inOctets(port.index), network.outOctets(port.index)]
      return {
        ".id": rowId(port.ifIndex),
        name: "assinantes",
        target: port.name,
        "max-limit": pair(port.speedBps, port.speedBps),
        rate: pair(network.inBps(port.index), network.outBps(port.index)),
        bytes: pair(rx, tx),
        packets: pair(rx / OCTETS_PER_PACKET, tx / OCTETS_PER_PACKET),
        dropped: pair(0, network.outDiscards(port.index)),
        "queued-bytes": "0/0",
        disabled: "false",
      }
    })

export const logRow = (asked: Asked, line: LogLine, nth: number): ApiRow => ({
  ".id": rowId(nth + 1),
  time: moment(line.atMs, isoDates(asked)),
  topics: line.topics,
  message: line.message,
})

const log: Menu = (asked) => asked.log.map((line, nth) => logRow(asked, line, nth))

/** Connected networks, and every other router's loopback while there is a path to it. */
const routes: Menu = (asked) => {
  const { network, router } = asked
  const connected = portsOf(asked)
    .filter((port) => port.address !== null && network.portUp[port.index] === 1)
    .map((port) => ({ "dst-address": prefixOf(port.address!), connect: "true", distance: "0" }))
  const learned = network.isp.routers
    .filter((other) => other.index !== router && other.asn === routerOf(asked).asn && network.sees(router, other.index))
    .map((other) => ({ "dst-address": `${other.loopback}/32`, ospf: "true", distance: "110" }))
  return [...connected, ...learned].map((route, nth) => ({
    ".id": rowId(nth + 1),
    ...route,
    "routing-table": "main",
    active: "true",
    dynamic: "true",
  }))
}
const prefixOf = (address: string): string => `${networkOf(address)}/${address.split("/")[1]}`

const nothing: Menu = () => []

export const MENUS: Readonly<Record<string, Menu>> = {
  "/system/resource": resource,
  "/system/identity": identity,
  "/system/routerboard": routerboard,
  "/system/health": health,
  "/interface": interfaces,
  "/interface/ethernet": ethernet,
  "/ip/address": addresses,
  "/ip/neighbor": neighbors,
  "/ip/route": routes,
  "/routing/ospf/neighbor": ospfNeighbors,
  "/routing/ospf/interface": ospfInterfaces,
  "/routing/bgp/session": bgpSessions,
  "/routing/bgp/peer": bgpPeers,
  "/routing/bfd/session": nothing,
  "/ppp/active": pppActive,
  "/tool/netwatch": netwatch,
  "/queue/simple": queues,
  "/queue/tree": nothing,
  "/interface/bonding": nothing,
  "/interface/bridge/port": nothing,
  "/interface/bridge/host": bridgeHosts,
  "/interface/vlan": nothing,
  "/interface/pppoe-client": nothing,
  "/log": log,
  "/user": users,
  "/user/group": userGroups,
}

/** Menus that only one generation has. */
export const hasMenu = (asked: Asked, path: string): boolean => {
  if (path === "/routing/bgp/session" || path === "/routing/bfd/session") return isV7(asked)
  if (path === "/routing/bgp/peer") return !isV7(asked)
  return Object.hasOwn(MENUS, path)
}
