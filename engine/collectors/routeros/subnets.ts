/**
 * Which interface faces an address. RouterOS before 7.20 does not name the interface of an OSPF neighbour; the subnets
 * of /ip/address do (data/routeros/SAMPLES.md). IPv4 only: IPv6 neighbours are link-local and belong to no subnet.
 */
import { isIPv4 } from "node:net"
import type { Row } from "#engine/collectors/routeros/reply.ts"
import { parseFlag } from "#engine/collectors/routeros/values.ts"

/** Addresses kept of one router; a BNG's pools are no /ip/address. */
export const SUBNETS_MAX = 4_096

export interface Subnet {
  readonly network: number
  readonly mask: number
  readonly interface: string
}

/** /ip/address/print: the subnets that are in use, longest prefix first. */
export const readSubnets = (rows: readonly Row[]): readonly Subnet[] => {
  const subnets: Subnet[] = []
  for (const row of rows.slice(0, SUBNETS_MAX)) {
    const [address = "", length = ""] = (row.get("address") ?? "").split("/")
    const name = row.get("actual-interface") ?? row.get("interface")
    const unused = parseFlag(row.get("disabled")) === true || parseFlag(row.get("invalid")) === true
    // A /32 faces nobody but itself; a point-to-point /32 names the other end as its network.
    const far = length === "32" || length === "" ? row.get("network") : address
    const bits = length === "" ? 32 : Number(length)
    if (unused || name === undefined || far === undefined || !isIPv4(far) || !(bits >= 1 && bits <= 32)) continue
    const mask = bits === 32 ? 0xffff_ffff : ~(0xffff_ffff >>> bits) >>> 0
    subnets.push({ network: (numberOf(far) & mask) >>> 0, mask, interface: name })
  }
  return subnets.sort((a, b) => b.mask - a.mask)
}

/** The interface's name, or undefined when no subnet holds the address. */
export const interfaceFacing = (subnets: readonly Subnet[], address: string | undefined): string | undefined => {
  if (address === undefined || !isIPv4(address)) return undefined
  const number = numberOf(address)
  return subnets.find(({ network, mask }) => (number & mask) >>> 0 === network)?.interface
}

const numberOf = (address: string): number =>
  address.split(".").reduce((number, octet) => number * 256 + Number(octet), 0)
