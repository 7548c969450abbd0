/** The range of addresses that a scan asks, from the one word that a person gives: IPv4, at most a /22. */
import { isIPv4 } from "node:net"

/** Hosts of a /22. A larger network is scanned in parts, by a person who sees each part end. */
const SCAN_BITS_MIN = 22

/** A range that cannot be scanned; the message is for who named it. */
export class WrongRange extends Error {}

/** Hosts in order; the network's and the broadcast address of a /30 and larger are left out. Throws WrongRange. */
export const hostsOf = (range: string): readonly string[] => {
  const [base = "", bits = "32", ...rest] = range.split("/")
  const length = /^\d{1,2}$/.test(bits) ? Number(bits) : 33
  if (!isIPv4(base) || length > 32 || rest.length > 0)
    throw new WrongRange(`${JSON.stringify(range.slice(0, 60))} is not a range like 192.0.2.0/24 (IPv4)`)
  if (length < SCAN_BITS_MIN)
    throw new WrongRange(`a /${length} is too large for one scan: at most a /${SCAN_BITS_MIN}, 1022 addresses`)
  const size = 2 ** (32 - length)
  const number = base.split(".").reduce((sum, octet) => sum * 256 + Number(octet), 0)
  const first = Math.floor(number / size) * size
  const edge = length <= 30 ? 1 : 0
  return Array.from({ length: size - 2 * edge }, (_, nth) => dotted(first + edge + nth))
}

const dotted = (number: number): string => [24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join(".")
