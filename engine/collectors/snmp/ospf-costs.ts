/**
 * What OSPF counts for sending out of each interface. First source: the router's own router-LSA (RFC 2328 sA.4.2) in
 * ospfLsdbTable (RFC 4750), because that is what all others compute their ways from. Where an agent does not show it,
 * ospfIfMetricTable, TOS 0. FRR 8 answers every ospfIfMetricValue with 1, and under TOS 1 where there is none (measured).
 */
import type { EntityKey } from "#protocol/id.ts"
import type { OwnNetwork } from "#engine/collectors/snmp/adjacencies.ts"
import type { Batch } from "#engine/collectors/snmp/batch.ts"
import { OSPF } from "#engine/collectors/snmp/mib.ts"
import { under } from "#engine/collectors/snmp/oid.ts"
import { columnsOf, readCells, readTable } from "#engine/collectors/snmp/read-table.ts"
import type { Cell, Reader } from "#engine/collectors/snmp/read-table.ts"

/** Cost by ifIndex. */
export type OspfCosts = ReadonlyMap<number, number>

const AREAS = columnsOf("1.3.6.1.2.1.14.2.1", { ospfAreaId: 1 })
const METRICS = columnsOf("1.3.6.1.2.1.14.8.1", { ospfIfMetricValue: 4 })
/** Indexed by area, type, link state id and router id. */
const LSDB = columnsOf("1.3.6.1.2.1.14.4.1", { ospfLsdbAdvertisement: 8 })

/** Areas of one router whose LSA is read; a border router has a handful. */
const MAX_AREAS = 16
/** A link's metric is 16 bits and never 0 (RFC 2328 sC.3); loopbacks say 0. */
const MAX_COST = 0xffff

/** Rejects with SnmpFailed only when nothing answers. */
export const readOspfCosts = async (reader: Reader, networks: readonly OwnNetwork[]): Promise<OspfCosts> => {
  const costs = costsOfLinks(await readOwnLinks(reader), networks)
  return costs.size > 0 ? costs : await readMetrics(reader, networks)
}

export const putOspfCosts = (batch: Batch, costs: OspfCosts, keyOf: (ifIndex: number) => EntityKey | null): void => {
  for (const [ifIndex, cost] of costs) {
    const key = keyOf(ifIndex)
    if (key !== null) batch.put(key, "interface.ospf_cost", cost)
  }
}

// -- the router's own LSA -----------------------------------------------------------------------------------------------

const ROUTER_LSA = 1

const readOwnLinks = async (reader: Reader): Promise<readonly RouterLink[]> => {
  const [id] = await readCells(reader, [OSPF.ospfRouterId])
  const routerId = octetsOf(id ?? null)
  if (routerId === null) return []
  const areas = (await readTable(reader, "ospfAreaTable", AREAS)).slice(0, MAX_AREAS)
  const own = areas.flatMap(({ index }) =>
    index.length === 4 ? [under(LSDB.ospfLsdbAdvertisement, ...index, ROUTER_LSA, ...routerId, ...routerId)] : [],
  )
  const links: RouterLink[] = []
  // One by one: an LSA of a router with many links fills an answer by itself.
  for (const name of own) {
    const [lsa] = await readCells(reader, [name])
    links.push(...routerLinks(lsa?.octets() ?? null, toNumber(routerId)))
  }
  return links
}

const octetsOf = (cell: Cell | null): readonly number[] | null => {
  const octets = cell?.dotted()?.split(".").map(Number) ?? []
  return octets.length === 4 ? octets : null
}

/** Values of RouterLink.type; 4 is a virtual link, which has no interface. */
const POINT_TO_POINT = 1
const TRANSIT = 2
const STUB = 3

export interface RouterLink {
  /** The neighbour, the designated router's address or the network, by type. */
  readonly id: number
  /** The interface's own address, its ifIndex where it has none, or a stub network's mask. */
  readonly data: number
  readonly type: number
  readonly metric: number
}

const HEADER_BYTES = 20
const LINK_BYTES = 12
const TOS_BYTES = 4

/** Links of `routerId`'s router-LSA with its header; none when the octets are anything else, or end too early. */
export const routerLinks = (lsa: Uint8Array | null, routerId: number): readonly RouterLink[] => {
  if (lsa === null || lsa.length < HEADER_BYTES + 4) return []
  const view = new DataView(lsa.buffer, lsa.byteOffset, lsa.byteLength)
  if (view.getUint8(3) !== ROUTER_LSA || view.getUint32(8) !== routerId || view.getUint16(18) !== lsa.length) return []
  const links: RouterLink[] = []
  let at = HEADER_BYTES + 4
  for (let left = view.getUint16(HEADER_BYTES + 2); left > 0; left--) {
    if (at + LINK_BYTES > lsa.length) return []
    const metric = view.getUint16(at + 10)
    links.push({ id: view.getUint32(at), data: view.getUint32(at + 4), type: view.getUint8(at + 8), metric })
    at += LINK_BYTES + TOS_BYTES * view.getUint8(at + 9)
  }
  return at <= lsa.length ? links : []
}

/** A stub network tells the cost of an interface that has no neighbour at the moment; with one, the link itself does. */
export const costsOfLinks = (links: readonly RouterLink[], networks: readonly OwnNetwork[]): OspfCosts => {
  const costs = new Map<number, number>()
  const take = (ifIndex: number, metric: number): void => {
    if (ifIndex > 0 && metric > 0 && metric <= MAX_COST) costs.set(ifIndex, metric)
  }
  for (const { id, data, type, metric } of links) {
    if (type !== STUB) continue
    const own = networks.find(({ address, mask }) => mask >>> 0 === data && (address & data) >>> 0 === id)
    take(own?.ifIndex ?? 0, metric)
  }
  for (const { data, type, metric } of links)
    if (type === POINT_TO_POINT || type === TRANSIT) take(interfaceAt(networks, data), metric)
  return costs
}

/** RFC 2328 sA.4.2: an unnumbered link says its ifIndex, which looks like an address of 0.0.0.0/8. */
const interfaceAt = (networks: readonly OwnNetwork[], data: number): number =>
  data < 0x100_0000 ? data : (networks.find(({ address }) => address === data)?.ifIndex ?? 0)

// -- ospfIfMetricTable --------------------------------------------------------------------------------------------------

/** Indexed by the interface's address, its ifIndex where it has none, and TOS. */
const readMetrics = async (reader: Reader, networks: readonly OwnNetwork[]): Promise<OspfCosts> => {
  const costs = new Map<number, number>()
  for (const { index, cells } of await readTable(reader, "ospfIfMetricTable", METRICS)) {
    const [addressLessIf = 0, tos] = index.slice(4)
    const cost = cells.ospfIfMetricValue?.number() ?? 0
    if (index.length !== 6 || tos !== 0 || cost < 1 || cost > MAX_COST) continue
    const ifIndex = addressLessIf > 0 ? addressLessIf : interfaceAt(networks, toNumber(index.slice(0, 4)))
    if (ifIndex > 0) costs.set(ifIndex, cost)
  }
  return costs
}

const toNumber = (octets: readonly number[]): number =>
  octets.reduce((sum, octet) => ((sum << 8) | (octet & 255)) >>> 0, 0)
