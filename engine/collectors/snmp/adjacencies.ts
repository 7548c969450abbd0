/**
 * OSPF-MIB neighbours and BGP4-MIB peers of one device. A neighbour that is gone vanishes from ospfNbrTable rather than
 * turning to down(1) (lab.md s1), so a complete listing matters as much as the states. RouterOS offers neither MIB; then
 * nothing is claimed here, because its API collector lists the same kinds.
 */
import type { EntityKey } from "#protocol/id.ts"
import { bgpKey, entityName, ospfKey } from "#protocol/id.ts"
import type { Batch } from "#engine/collectors/snmp/batch.ts"
import { BGP, IP, OSPF } from "#engine/collectors/snmp/mib.ts"
import type { Oid } from "#engine/collectors/snmp/oid.ts"
import { arcsOf } from "#engine/collectors/snmp/oid.ts"
import type { Varbinds } from "#engine/collectors/snmp/varbinds.ts"
import type { Walk } from "#engine/collectors/snmp/walk.ts"
import { walkColumns } from "#engine/collectors/snmp/walk.ts"

export interface OspfNeighbor {
  /** ospfNbrIpAddr. */
  readonly address: string
  /** ifIndex of an unnumbered link, else 0. */
  readonly addressLessIndex: number
  routerId: string | null
  state: number | null
}

export interface BgpPeer {
  readonly remote: string
  state: number | null
  remoteAs: number | null
  transitions: number | null
  establishedSeconds: number | null
}

/** Rows of a table and whether they are all. */
export interface Listing<Row> {
  readonly rows: readonly Row[]
  readonly isComplete: boolean
}

export const readOspf = (walk: Walk): Promise<Listing<OspfNeighbor>> =>
  readTable<OspfNeighbor>(
    walk,
    [OSPF.ospfNbrRtrId, OSPF.ospfNbrState],
    5,
    (arcs) => ({ address: arcs.slice(0, 4).join("."), addressLessIndex: arcs[4] ?? 0, routerId: null, state: null }),
    (row, column, answer, i) => {
      if (column === 0) row.routerId = answer.ip(i)
      else row.state = answer.number(i)
    },
  )

export const readBgp = (walk: Walk): Promise<Listing<BgpPeer>> =>
  readTable<BgpPeer>(
    walk,
    [BGP.bgpPeerState, BGP.bgpPeerRemoteAs, BGP.bgpPeerFsmEstablishedTransitions, BGP.bgpPeerFsmEstablishedTime],
    4,
    (arcs) => ({ remote: arcs.join("."), state: null, remoteAs: null, transitions: null, establishedSeconds: null }),
    (row, column, answer, i) => {
      const value = answer.number(i)
      if (column === 0) row.state = value
      else if (column === 1) row.remoteAs = value
      else if (column === 2) row.transitions = value
      else row.establishedSeconds = value
    },
  )

/** An own address with its network, for finding the interface of a neighbour. */
export interface OwnNetwork {
  readonly address: number
  mask: number
  ifIndex: number
}

export const readNetworks = async (walk: Walk): Promise<readonly OwnNetwork[]> => {
  const { rows } = await readTable<OwnNetwork>(
    walk,
    [IP.ipAdEntIfIndex, IP.ipAdEntNetMask],
    4,
    (arcs) => ({ address: toNumber(arcs), mask: 0xffff_ffff, ifIndex: 0 }),
    (row, column, answer, i) => {
      if (column === 0) row.ifIndex = answer.number(i) ?? 0
      else row.mask = toNumber((answer.ip(i) ?? "255.255.255.255").split(".").map(Number))
    },
  )
  return rows
}

/** ifIndex over which a neighbour is seen: the longest own network that holds its address; 0 when none does. */
export const ifIndexTowards = (
  networks: readonly OwnNetwork[],
  { address, addressLessIndex }: OspfNeighbor,
): number => {
  if (addressLessIndex > 0) return addressLessIndex
  const wanted = toNumber(address.split(".").map(Number))
  const holds = ({ address, mask }: OwnNetwork): boolean => mask !== 0 && ((address ^ wanted) & mask) === 0
  let best: OwnNetwork | null = null
  for (const network of networks)
    if (holds(network) && (best === null || network.mask >>> 0 > best.mask >>> 0)) best = network
  return best?.ifIndex ?? 0
}

const toNumber = (octets: readonly number[]): number =>
  octets.reduce((sum, octet) => ((sum << 8) | (octet & 255)) >>> 0, 0)

/**
 * Entities of neighbours: `ospf:<router id>`. Two links to the same router are two adjacencies: each is then
 * `ospf:<router id>@<its address>`, and stays so when one of them is lost (`parallel` remembers).
 */
export const putOspf = (
  batch: Batch,
  listing: Listing<OspfNeighbor>,
  parallel: Set<string>,
  interfaceOf: (neighbor: OspfNeighbor) => EntityKey | null,
): void => {
  const ids = new Set<string>()
  for (const neighbor of listing.rows) {
    const id = nameOf(neighbor)
    if (ids.has(id)) parallel.add(id)
    ids.add(id)
  }
  for (const neighbor of listing.rows) {
    const id = nameOf(neighbor)
    const key = ospfKey(parallel.has(id) ? `${id}@${neighbor.address}` : id)
    if (!inRange(neighbor.state, 8)) continue
    batch.put(key, "ospf.neighbor.state", neighbor.state - 1)
    const over = interfaceOf(neighbor)
    if (over !== null) batch.say(key, "ospf.neighbor.interface", entityName(over))
  }
  if (listing.isComplete) batch.listed("ospf.neighbor")
}

/** A neighbour that never said hello has router id 0.0.0.0. */
const nameOf = ({ routerId, address }: OspfNeighbor): string =>
  routerId === null || routerId === "0.0.0.0" ? address : routerId

export const putBgp = (batch: Batch, listing: Listing<BgpPeer>): void => {
  for (const { remote, state, remoteAs, transitions, establishedSeconds } of listing.rows) {
    if (!inRange(state, 6)) continue
    const key = bgpKey(remote)
    batch.put(key, "bgp.peer.state", state - 1)
    batch.put(key, "bgp.peer.uptime_seconds", state === ESTABLISHED ? establishedSeconds : null)
    batch.put(key, "bgp.peer.flaps_total", transitions)
    batch.say(key, "bgp.peer.remote_as", remoteAs === null ? null : String(remoteAs))
  }
  if (listing.isComplete) batch.listed("bgp.peer")
}

const ESTABLISHED = 6

const inRange = (state: number | null, states: number): state is number =>
  state !== null && state >= 1 && state <= states

/** Adjacencies of one device that are taken; the walk says so when there are more. */
const MAX_ROWS = 4_096

const readTable = async <Row>(
  walk: Walk,
  columns: readonly Oid[],
  arcsOfIndex: number,
  make: (arcs: readonly number[]) => Row,
  set: (row: Row, column: number, answer: Varbinds, i: number) => void,
): Promise<Listing<Row>> => {
  const rows = new Map<string, Row>()
  const limits = { rows: MAX_ROWS, bytes: 1_048_576, packets: 512 }
  const end = await walkColumns({ ...walk, limits }, columns, 0, (column, answer, i) => {
    const arcs = arcsOf(answer.bytes, answer.oidStart(i) + (columns[column] as Oid).length, answer.oidEnd(i))
    if (arcs.length !== arcsOfIndex || arcs.slice(0, 4).some((arc) => arc > 255)) return
    const name = arcs.join(".")
    let row = rows.get(name)
    if (row === undefined) rows.set(name, (row = make(arcs)))
    set(row, column, answer, i)
  })
  return { rows: [...rows.values()], isComplete: end === "complete" }
}
