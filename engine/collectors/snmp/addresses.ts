/**
 * Own addresses of a device: ipAddressTable (IP-MIB, RFC 4293: both families) and the older ipAddrTable (RFC 1213: IPv4),
 * which most routers still fill, some of them alone. An address in both is listed once.
 */
import { isIPv4 } from "node:net"
import type { EntityKey } from "#protocol/id.ts"
import { joinBounded } from "#engine/collectors/device-text.ts"
import type { Batch } from "#engine/collectors/snmp/batch.ts"
import { columnsOf, readTable } from "#engine/collectors/snmp/read-table.ts"
import type { Reader } from "#engine/collectors/snmp/read-table.ts"

const IP_ADDR = columnsOf("1.3.6.1.2.1.4.20.1", { ipAdEntIfIndex: 2, ipAdEntNetMask: 3 })
const IP_ADDRESS = columnsOf("1.3.6.1.2.1.4.34.1", { ipAddressIfIndex: 3, ipAddressType: 4, ipAddressPrefix: 5 })

/** ipAddressType: unicast(1), anycast(2), broadcast(3). */
const BROADCAST = 3

export interface OwnAddress {
  /** IPv4 or RFC 5952 text. */
  readonly address: string
  readonly prefixLength: number | null
  readonly ifIndex: number | null
}

/** In the order of the tables, IPv4 first. `reader` is told when they are not all. */
export const readAddresses = async (reader: Reader): Promise<readonly OwnAddress[]> => {
  const found = new Map<string, OwnAddress>()
  const put = (address: string, prefixLength: number | null, ifIndex: number | null): void => {
    const known = found.get(address)
    found.set(address, {
      address,
      prefixLength: known?.prefixLength ?? prefixLength,
      ifIndex: known?.ifIndex ?? ifIndex,
    })
  }
  for (const { index, cells } of await readTable(reader, "ipAddrTable", IP_ADDR)) {
    const address = index.join(".")
    if (isIPv4(address))
      put(address, maskLength(cells.ipAdEntNetMask?.dotted() ?? null), cells.ipAdEntIfIndex?.number() ?? null)
  }
  for (const { index, cells } of await readTable(reader, "ipAddressTable", IP_ADDRESS)) {
    const address = inetAddress(index)
    // Linux lists the broadcast addresses of its networks too; they are not the device's own.
    if (address === null || cells.ipAddressType?.number() === BROADCAST) continue
    // ipAddressPrefix points at a row of ipAddressPrefixTable, whose last arc is the length; 0.0 points nowhere.
    const pointer = cells.ipAddressPrefix?.dotted()?.split(".") ?? []
    const length = pointer.length > 12 ? Number(pointer.at(-1)) : null
    put(address, length !== null && length <= 128 ? length : null, cells.ipAddressIfIndex?.number() ?? null)
  }
  return [...found.values()]
}

/** Bits of a contiguous mask; null for any other. */
const maskLength = (mask: string | null): number | null => {
  if (mask === null) return null
  const bits = mask
    .split(".")
    .map((octet) => Number(octet).toString(2).padStart(8, "0"))
    .join("")
  return /^1*0*$/.test(bits) ? bits.lastIndexOf("1") + 1 : null
}

/** InetAddressType and InetAddress (RFC 4001) as an index: type, length, octets; zoned ones carry four more octets. */
const inetAddress = (index: readonly number[]): string | null => {
  const [type, length, ...octets] = index
  if (octets.length !== length || octets.some((octet) => octet > 255)) return null
  if ((type === 1 && length === 4) || (type === 3 && length === 8)) return octets.slice(0, 4).join(".")
  if ((type === 2 && length === 16) || (type === 4 && length === 20)) return ipv6(octets.slice(0, 16))
  return null
}

/** RFC 5952 text. */
export const ipv6 = (octets: readonly number[]): string => {
  const groups: string[] = []
  for (let i = 0; i < 16; i += 2) groups.push((((octets[i] as number) << 8) | (octets[i + 1] as number)).toString(16))
  return new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1)
}

// -- into a batch ----------------------------------------------------------------------------------------------------

/** Says each interface's addresses, and "" once for one that has lost them all (`told` remembers who had any). */
export const putAddresses = (
  batch: Batch,
  addresses: readonly OwnAddress[],
  told: Set<EntityKey>,
  keyOf: (ifIndex: number) => EntityKey | null,
): void => {
  const byInterface = new Map<EntityKey, string[]>()
  for (const { address, prefixLength, ifIndex } of addresses) {
    const key = ifIndex === null ? null : keyOf(ifIndex)
    if (key === null) continue
    const text = prefixLength === null ? address : `${address}/${prefixLength}`
    const known = byInterface.get(key)
    if (known === undefined) byInterface.set(key, [text])
    else known.push(text)
  }
  for (const key of told) if (!byInterface.has(key)) batch.say(key, "interface.addresses", "")
  told.clear()
  for (const [key, texts] of byInterface) {
    batch.say(key, "interface.addresses", joinBounded(texts))
    told.add(key)
  }
}
