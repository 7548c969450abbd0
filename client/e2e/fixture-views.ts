/** The details that the fixture answers with, made from its network. Tests only. */
import type { FixtureNetwork } from "#client/e2e/fixture-network.ts"
import { ROLES } from "#protocol/role.ts"
import { unpackStatus } from "#protocol/status.ts"
import { CAPABILITIES } from "#protocol/view.ts"
import type { Capability, DeviceView, InterfaceView, LinkEndView, LinkView, Source } from "#protocol/view.ts"
import { unpackUtil } from "#protocol/wire.ts"

const SEEN: Readonly<Partial<Record<Capability, Source>>> = {
  snmp: "snmp",
  api: "routeros",
  traps: "trap",
  interfaces: "snmp",
  ospf: "snmp",
  sensors: "routeros",
  ppp: "routeros",
}

export const fixtureDevice = (network: FixtureNetwork, id: string): DeviceView | null => {
  const slot = network.nodes.id.indexOf(id)
  if (slot < 0) return null
  const now = Date.now()
  const status = unpackStatus(network.nodes.status[slot] as number)
  const up = status.health === "ok"
  const atMs = (network.nodes.seenS[slot] as number) * 1_000
  const metric = (name: string, value: number, unit: string) =>
    ({ entity: "", metric: name, value, unit, atMs, source: "snmp", quality: up ? "good" : "stale" }) as const
  const mine = linksOf(network, slot)
  return {
    kind: "device",
    id,
    name: network.nodes.name[slot] as string,
    address: `10.255.${slot >> 8}.${slot & 255}`,
    site: network.sites.id[network.nodes.site[slot] as number] as string,
    roles: [ROLES[network.nodes.role[slot] as number] ?? "other"],
    health: status.health,
    severity: status.severity,
    stale: status.stale,
    reasons: up ? [] : ["SNMP: no answer in 3 polls (30 s)", "RouterOS API: connection timed out"],
    pollSeconds: 10,
    lastOkMs: atMs,
    texts: {
      "device.identity": network.nodes.name[slot] as string,
      "device.model": "CCR2216-1G-12XS-2XQ",
      "device.os_version": "RouterOS 7.20",
    },
    sources: [
      { source: "snmp", up, lastOkMs: atMs, error: up ? null : "timeout after 2 s (3 tries)" },
      { source: "routeros", up, lastOkMs: atMs, error: up ? null : "connect timed out" },
    ],
    capabilities: CAPABILITIES.map((name) => {
      const source = SEEN[name] ?? null
      return {
        name,
        declared: name === "snmp" || name === "api" || name === "ping",
        seen: source !== null,
        source,
        atMs: source === null ? null : atMs,
      }
    }),
    metrics: [
      metric("device.uptime_seconds", 18_345_600, "s"),
      metric("device.cpu_pct", 12 + (slot % 40), "%"),
      metric("device.mem_used_bytes", 412e6 + slot * 1e6, "B"),
      metric("device.temp_c", 41.5, "°C"),
      metric("pppoe.sessions.active", 60 + (slot % 90) * 9, ""),
      ...mine.flatMap((link) => {
        const { name, rxBps, txBps } = interfaceOf(network, slot, link)
        const common = { entity: `if:${name}`, unit: "bit/s", atMs: now, source: "snmp", quality: "good" } as const
        return [
          { ...common, metric: "interface.rx_bps", value: rxBps ?? 0 },
          { ...common, metric: "interface.tx_bps", value: txBps ?? 0 },
        ]
      }),
    ],
    interfaces: mine.map((link) => interfaceOf(network, slot, link)),
    adjacencies: mine.map((link) => {
      const other =
        network.links.a[link] === slot ? (network.links.b[link] as number) : (network.links.a[link] as number)
      const good = unpackStatus(network.links.status[link] as number).health === "ok"
      const remote = `10.255.${other >> 8}.${other & 255}`
      return {
        kind: "ospf",
        remote,
        state: good ? "full" : "down",
        up: good,
        sinceMs: now - 3_600_000 * 31,
        atMs,
        source: "routeros",
      }
    }),
  }
}

export const fixtureLink = (network: FixtureNetwork, id: string): LinkView | null => {
  const slot = network.links.id.indexOf(id)
  if (slot < 0) return null
  const status = unpackStatus(network.links.status[slot] as number)
  const a = network.links.a[slot] as number
  const b = network.links.b[slot] as number
  const end = (node: number): LinkEndView => {
    const { name, operUp, adminUp, rxBps, txBps, atMs, source } = interfaceOf(network, node, slot)
    const device = network.nodes.id[node] as string
    return {
      device,
      deviceName: network.nodes.name[node] as string,
      interface: name,
      operUp,
      adminUp,
      rxBps,
      txBps,
      atMs,
      source,
    }
  }
  const percent = (util: number | undefined) => (util === undefined ? null : (unpackUtil(util) ?? 0) * 100)
  return {
    kind: "link",
    id,
    a: end(a),
    b: end(b),
    capacityBps: network.links.capacityBps[slot] as number,
    health: status.health,
    severity: status.severity,
    reasons: status.health === "ok" ? [] : ["Both ends report ifOperStatus down", "linkDown trap from end A"],
    utilAbPct: percent(network.links.utilAB[slot]),
    utilBaPct: percent(network.links.utilBA[slot]),
    sinceMs: Date.now() - 3_600_000,
  }
}

const linksOf = (network: FixtureNetwork, node: number): readonly number[] =>
  [...network.links.id.keys()].filter((slot) => network.links.a[slot] === node || network.links.b[slot] === node)

const interfaceOf = (network: FixtureNetwork, node: number, link: number): InterfaceView => {
  const order = linksOf(network, node).indexOf(link)
  const capacity = network.links.capacityBps[link] as number
  const out = network.links.a[link] === node ? network.links.utilAB : network.links.utilBA
  const back = network.links.a[link] === node ? network.links.utilBA : network.links.utilAB
  const txBps = (unpackUtil(out[link] as number) ?? 0) * capacity
  const rxBps = (unpackUtil(back[link] as number) ?? 0) * capacity
  const other = network.links.a[link] === node ? (network.links.b[link] as number) : (network.links.a[link] as number)
  return {
    name: `sfp28-${order + 1}`,
    alias: `to ${network.nodes.name[other]}`,
    ifIndex: order + 1,
    adminUp: true,
    operUp: unpackStatus(network.links.status[link] as number).health === "ok",
    speedBps: capacity,
    rxBps,
    txBps,
    utilizationPct: (Math.max(rxBps, txBps) / capacity) * 100,
    rxErrorsPerS: 0,
    txErrorsPerS: 0,
    atMs: Date.now() - 2_000,
    source: "snmp",
    quality: "good",
  }
}
