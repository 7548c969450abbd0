/**
 * Where probes may go. Device probes live in private ranges, so the usual "no private addresses" of SSRF defence would
 * forbid the normal case: here the rule is the other way around. A tenant's probes reach the addresses of that tenant's
 * devices and the ranges that an operator allowed for it, nothing else (PRODUCT.md C11, notes/hostile.md "SSRF").
 */
import { BlockList, isIP } from "node:net"
import { literal } from "#engine/probes/address.ts"
import type { Literal } from "#engine/probes/address.ts"

export interface TargetPolicy {
  readonly allows: (address: Literal) => boolean
}

/** Ranges that one policy may name. */
export const RANGES_MAX = 1_000

/** Every unicast address. For a person at this machine's own command line, who could run ping as well. */
export const ANYWHERE: TargetPolicy = { allows: () => true }

/** `addresses` of the tenant's devices, `ranges` in CIDR form. Throws a RangeError that names a range that is none. */
export const onlyThese = (addresses: Iterable<string>, ranges: readonly string[]): TargetPolicy => {
  if (ranges.length > RANGES_MAX) throw new RangeError(`${ranges.length} ranges; at most ${RANGES_MAX} are taken`)
  const known = new Set<string>()
  for (const text of addresses) {
    const found = literal(text)
    if (found !== null) known.add(found.text)
  }
  const allowed = new BlockList()
  for (const range of ranges) addRange(allowed, range)
  return { allows: (to) => known.has(to.text) || allowed.check(to.text, to.family === 4 ? "ipv4" : "ipv6") }
}

const addRange = (list: BlockList, range: string): void => {
  const [base = "", bits = "", ...rest] = range.split("/")
  const family = isIP(base)
  const prefix = Number(bits)
  const isGood = family !== 0 && rest.length === 0 && /^\d{1,3}$/.test(bits) && prefix <= (family === 4 ? 32 : 128)
  if (!isGood) throw new RangeError(`${JSON.stringify(range.slice(0, 60))} is not a range like 10.0.0.0/8`)
  list.addSubnet(base, prefix, family === 4 ? "ipv4" : "ipv6")
}
