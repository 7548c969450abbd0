/**
 * Where the inventory and the network disagree (PRODUCT.md, "twin drift"): what both ends of a link count, what comes into a
 * router and what leaves it, what a port can carry and what is declared, whom a port hears and whom it should. Each finding
 * says what speaks for it; nothing is changed by it. Pure: one moment of a twin in, findings out.
 */
import type { Device } from "#protocol/inventory.ts"
import type { Role } from "#protocol/role.ts"
import type { Cells } from "#twin/cells.ts"
import type { EndFact, LinkState } from "#twin/link.ts"
import { isAbove } from "#twin/whatif/traffic.ts"
import type { ProposedLink } from "#twin/propose/propose.ts"
import type { Said } from "#twin/propose/said.ts"
import type { Topology } from "#twin/topology.ts"

export type DriftKind =
  | "flow-disagrees"
  | "flow-not-conserved"
  | "status-disagrees"
  | "capacity-disagrees"
  | "interface-missing"
  | "neighbour-contradicts"
  | "undeclared-link"

export interface Finding {
  readonly kind: DriftKind
  /** Slots; -1 = it is about none. */
  readonly link: number
  readonly device: number
  readonly interface: string | null
  readonly confidence: number
  readonly text: string
  readonly evidence: readonly string[]
  /** Id of the proposal that would mend it. */
  readonly proposal: string | null
}

export interface Drift {
  /** Surest first. */
  readonly findings: readonly Finding[]
  /** Links of which anything could be compared, and routers whose flow could. */
  readonly checkedLinks: number
  readonly checkedDevices: number
  /** Of these, the ones that nothing speaks against. */
  readonly agreeing: number
}

/** Less traffic than this is not compared: a poll's own packets are a part of it. */
const FLOW_MIN_BPS = 1e6
/** Ends are read up to a poll apart, and traffic moves meanwhile: what two counts of one flow may differ by. */
const FLOW_TOLERANCE = 0.25
/** Of everything that passes a router. */
const BALANCE_TOLERANCE = 0.2
const BALANCE_MIN_BPS = 10e6
/** A leased circuit may be shaped below its port, and ports round. */
const CAPACITY_TOLERANCE = 0.02
/** A link's two ends are read within so many polls. */
const SETTLED_POLLS = 3
const NEIGHBOUR_MIN = 0.6
const UNDECLARED_MIN = 0.8

interface Scene {
  readonly topology: Topology
  readonly cells: Cells
  readonly atMs: number
  /** By slot. */
  readonly said: readonly Said[]
  readonly endName: (link: number, end: "a" | "b") => string
}

/** `said` by slot of the inventory, `proposed` from the same moment. O(links + devices + proposals). */
export const driftOf = (
  topology: Topology,
  cells: Cells,
  atMs: number,
  said: readonly Said[],
  proposed: readonly ProposedLink[],
): Drift => {
  const { inventory, deviceSlot } = topology
  const endName = (link: number, end: "a" | "b"): string => {
    const it = inventory.links[link]?.[end]
    return it === undefined
      ? ""
      : `${inventory.devices[deviceSlot.get(it.device) ?? -1]?.name ?? it.device} ${it.interface}`
  }
  const scene: Scene = { topology, cells, atMs, said, endName }
  const findings: Finding[] = []
  let checkedLinks = 0
  let checkedDevices = 0
  for (let link = 0; link < inventory.links.length; link++) {
    const { isChecked, found } = linkFindings(scene, link)
    if (isChecked) checkedLinks++
    findings.push(...found)
  }
  for (let slot = 0; slot < inventory.devices.length; slot++) {
    const balance = balanceOf(scene, slot)
    if (balance === null) continue
    checkedDevices++
    findings.push(...balance)
  }
  findings.push(...neighbourFindings(scene, proposed))
  const accused = new Set(findings.map(({ link, device }) => (link >= 0 ? `link ${link}` : `device ${device}`)))
  const pairs = [...accused].filter((one) => one !== "device -1").length
  return {
    findings: findings.sort((x, y) => y.confidence - x.confidence || x.link - y.link || x.device - y.device),
    checkedLinks,
    checkedDevices,
    agreeing: Math.max(0, checkedLinks + checkedDevices - pairs),
  }
}

// -- one link ----------------------------------------------------------------------------------------------------------

const linkFindings = (
  scene: Scene,
  link: number,
): { readonly isChecked: boolean; readonly found: readonly Finding[] } => {
  const missing = missingPorts(scene, link)
  // A port that is not there counts nothing: all else would only repeat it.
  if (missing.length > 0) return { isChecked: true, found: missing }
  const state = scene.cells.links.state(link)
  const { a, b } = state
  const capacity = capacityFindings(scene, link, state)
  if (a?.fresh !== true || b?.fresh !== true) return { isChecked: capacity !== null, found: capacity ?? [] }
  return {
    isChecked: true,
    found: [...(capacity ?? []), ...flowFindings(scene, link, a, b), ...statusFindings(scene, link, state, a, b)],
  }
}

/** A device that told no interface at all tells nothing of this one. */
const missingPorts = ({ topology, said, endName }: Scene, link: number): readonly Finding[] => {
  const declared = topology.inventory.links[link]
  if (declared === undefined) return []
  return (["a", "b"] as const).flatMap((end): Finding[] => {
    const { device, interface: ifName } = declared[end]
    const slot = topology.deviceSlot.get(device) ?? -1
    const known = said[slot]?.interfaces ?? []
    if (known.length === 0 || known.includes(ifName)) return []
    return [
      {
        kind: "interface-missing",
        link,
        device: slot,
        interface: ifName,
        confidence: 0.95,
        text: `${endName(link, end)} is declared, and the device has no such interface`,
        evidence: [
          `it has ${known.length} interfaces: ${known.slice(0, 8).join(", ")}${known.length > 8 ? ", ..." : ""}`,
        ],
        proposal: null,
      },
    ]
  })
}

/** Null = nothing to compare with. */
const capacityFindings = (
  { topology, endName }: Scene,
  link: number,
  { a, b }: LinkState,
): readonly Finding[] | null => {
  const declared = topology.inventory.links[link]?.capacityBps ?? null
  const speeds = [a?.speedBps ?? 0, b?.speedBps ?? 0].filter((speed) => speed > 0)
  const names = `${endName(link, "a")} - ${endName(link, "b")}`
  const finding = (confidence: number, text: string, evidence: readonly string[]): Finding => ({
    kind: "capacity-disagrees",
    link,
    device: -1,
    interface: null,
    confidence,
    text,
    evidence,
    proposal: null,
  })
  if (speeds.length === 0) return null
  const slower = Math.min(...speeds)
  const says = `its ports run at ${speeds.map(rate).join(" and ")}`
  if (declared === null)
    return Math.max(...speeds) > slower * (1 + CAPACITY_TOLERANCE) && speeds.length === 2
      ? [finding(0.6, `the two ends of ${names} run at different speeds`, [says])]
      : []
  if (declared > slower * (1 + CAPACITY_TOLERANCE))
    return [finding(0.9, `${names} is declared with ${rate(declared)}, more than it can carry`, [says])]
  const busiest = Math.max(a?.txBps ?? 0, a?.rxBps ?? 0, b?.txBps ?? 0, b?.rxBps ?? 0)
  if (isAbove(busiest, declared * (1 + CAPACITY_TOLERANCE)))
    return [finding(0.9, `${names} is declared with ${rate(declared)} and carries ${rate(busiest)}`, [says])]
  if (declared < slower * (1 - CAPACITY_TOLERANCE))
    return [finding(0.5, `${names} is declared with ${rate(declared)}, less than its ports: shaped, or wrong`, [says])]
  return []
}

const flowFindings = ({ endName }: Scene, link: number, a: EndFact, b: EndFact): readonly Finding[] => {
  const directions = [
    ["a", "b", a.txBps, b.rxBps],
    ["b", "a", b.txBps, a.rxBps],
  ] as const
  let worst = 0
  const evidence: string[] = []
  for (const [from, to, sent, received] of directions) {
    if (sent === null || received === null) continue
    const more = Math.max(sent, received)
    if (more < FLOW_MIN_BPS) continue
    worst = Math.max(worst, Math.abs(sent - received) / more)
    evidence.push(`${endName(link, from)} sends ${rate(sent)}, ${endName(link, to)} receives ${rate(received)}`)
  }
  if (worst <= FLOW_TOLERANCE) return []
  const text = `${endName(link, "a")} and ${endName(link, "b")} do not count the same traffic: one of them is another cable's`
  const confidence = Math.min(0.9, 0.4 + worst / 2)
  return [{ kind: "flow-disagrees", link, device: -1, interface: null, confidence, text, evidence, proposal: null }]
}

/** Transmission equipment may keep a port up: it is a doubt, no proof. */
const statusFindings = (
  { topology, atMs, endName }: Scene,
  link: number,
  { sinceMs }: LinkState,
  a: EndFact,
  b: EndFact,
): readonly Finding[] => {
  if (a.operUp === null || b.operUp === null || a.operUp === b.operUp) return []
  if (a.adminUp === false || b.adminUp === false) return []
  const polls = [a, b].map(({ end }) => {
    const device = topology.inventory.links[link]?.[end].device
    return (
      topology.inventory.devices[device === undefined ? -1 : (topology.deviceSlot.get(device) ?? -1)]?.pollSeconds ?? 60
    )
  })
  if (sinceMs === null || atMs - sinceMs < SETTLED_POLLS * Math.max(...polls) * 1000) return []
  const [up, down] = a.operUp ? (["a", "b"] as const) : (["b", "a"] as const)
  const text = `${endName(link, up)} is up while ${endName(link, down)} is down: perhaps they are not one cable`
  const evidence = [`this is so since ${SETTLED_POLLS} polls and more`]
  return [
    { kind: "status-disagrees", link, device: -1, interface: null, confidence: 0.6, text, evidence, proposal: null },
  ]
}

// -- one router --------------------------------------------------------------------------------------------------------

/** Where traffic begins and ends: no balance can be expected of these. */
const ENDPOINTS: readonly Role[] = ["access", "bng", "customer-edge", "upstream", "peering", "edge"]

/** Null = it cannot be checked: it has customers, or a port of its links is not measured. */
const balanceOf = ({ topology, cells, said }: Scene, slot: number): readonly Finding[] | null => {
  const device = topology.inventory.devices[slot] as Device
  const { ports } = topology.routers[slot] ?? { ports: [] }
  if (device.roles.some((role) => ENDPOINTS.includes(role)) || (said[slot]?.subscribers ?? 0) > 0) return null
  if (ports.length < 2) return null
  let [inBps, outBps] = [0, 0]
  for (const { link, end } of ports) {
    const fact = cells.links.state(link)[end]
    if (fact?.fresh !== true || fact.rxBps === null || fact.txBps === null) return null
    inBps += fact.rxBps
    outBps += fact.txBps
  }
  const more = Math.max(inBps, outBps)
  if (more < BALANCE_MIN_BPS) return null
  const missing = Math.abs(inBps - outBps) / more
  if (missing <= BALANCE_TOLERANCE) return []
  return [
    {
      kind: "flow-not-conserved",
      link: -1,
      device: slot,
      interface: null,
      confidence: Math.min(0.8, 0.3 + missing / 2),
      text: `${device.name} ${inBps > outBps ? "receives more than it sends" : "sends more than it receives"} on its declared links: one is missing, or not its own`,
      evidence: [`in ${rate(inBps)}, out ${rate(outBps)} over ${ports.length} links`],
      proposal: null,
    },
  ]
}

// -- who hears whom ----------------------------------------------------------------------------------------------------

const neighbourFindings = ({ topology }: Scene, proposed: readonly ProposedLink[]): readonly Finding[] =>
  proposed.flatMap(({ id, a, b, confidence, contradicts, against, evidence }): Finding[] => {
    const isContradiction = contradicts !== null
    if (confidence < (isContradiction ? NEIGHBOUR_MIN : UNDECLARED_MIN)) return []
    const name = (end: typeof a): string => {
      const device = topology.inventory.devices.find((one) => one.id === end.device)
      return `${device?.name ?? end.device} ${end.interface ?? "?"}`
    }
    const words = `${name(a)} - ${name(b)}`
    return [
      {
        kind: isContradiction ? "neighbour-contradicts" : "undeclared-link",
        link: isContradiction ? topology.inventory.links.findIndex((link) => link.id === contradicts) : -1,
        device: -1,
        interface: null,
        confidence,
        text: isContradiction ? `the devices say ${words}, but ${against}` : `${words} is not declared`,
        evidence: evidence.map(({ text }) => text).slice(0, 8),
        proposal: id,
      },
    ]
  })

const UNITS = ["bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"] as const
const rate = (bps: number): string => {
  let unit = 0
  let value = bps
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000
    unit++
  }
  return `${Math.round(value * 10) / 10} ${UNITS[unit]}`
}
