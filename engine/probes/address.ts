/**
 * Addresses that a probe may be aimed at, as literals. A probe tool gets nothing else as an argument: never a name, a
 * zone, a leading `-` or anything that two parsers could read differently (notes/hostile.md, "ping/traceroute").
 */
import { isIP } from "node:net"

export interface Literal {
  /** The one spelling of the address, which the tools print again: RFC 5952 for IPv6. Equal addresses, equal texts. */
  readonly text: string
  readonly family: 4 | 6
}

/** Null for anything but one unicast IPv4 or IPv6 literal. An IPv4-mapped IPv6 address is the IPv4 address it maps. */
export const literal = (text: string): Literal | null => {
  const version = isIP(text)
  if (version === 4) return isUnicast4(text) ? { text, family: 4 } : null
  if (version !== 6 || text.includes("%")) return null
  const one = canonical6(text)
  const mapped = MAPPED.exec(one)
  if (mapped !== null) return literal(dotted(mapped[1] ?? "", mapped[2] ?? ""))
  return one === "::" || one.startsWith("ff") ? null : { text: one, family: 6 }
}

/** 0.0.0.0/8, multicast, reserved and broadcast address no single host. */
const isUnicast4 = (text: string): boolean => {
  const first = Number(text.split(".")[0])
  return first > 0 && first < 224
}

/** RFC 5952 as URL does it; a part in IPv4 form becomes hexadecimal. */
const canonical6 = (text: string): string => new URL(`http://[${text}]/`).hostname.slice(1, -1)

const MAPPED = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/

const dotted = (high: string, low: string): string => {
  const bits = (Number.parseInt(high, 16) << 16) | Number.parseInt(low, 16)
  return [24, 16, 8, 0].map((shift) => (bits >>> shift) & 0xff).join(".")
}
