/**
 * Two devices with an address each in one small subnet: a /30 or /31 (RFC 3021), /126 or /127 (RFC 6164) is made for one
 * wire. A subnet that more than two devices claim is used twice somewhere (10.0.0.0/30 on every customer's router), or is
 * a shared segment: no evidence. Over a VLAN the wire is the port below, and a switch may stand in between.
 */
import type { EvidenceKind, Hint, Surroundings } from "#twin/propose/evidence/evidence.ts"
import { portBelow } from "#twin/propose/evidence/evidence.ts"
import type { OwnAddress, Said } from "#twin/propose/said.ts"

/** Both hold the interface itself / one of them a VLAN, bond or bridge above it / the subnet is bigger. */
const POINT_TO_POINT = 0.82
const LOGICAL = 0.55
const BIGGER = 0.35
/** Bigger subnets than this are LANs. */
const HOST_BITS_MAX = 8

interface Member {
  readonly said: Said
  readonly own: OwnAddress
}

export const membersBySubnet = (said: readonly Said[]): ReadonlyMap<string, readonly Member[]> => {
  const subnets = new Map<string, Member[]>()
  for (const one of said) {
    for (const own of one.addresses) {
      if (own.hostBits === 0 || own.hostBits > HOST_BITS_MAX) continue
      const members = subnets.get(own.subnet)
      if (members === undefined) subnets.set(own.subnet, [{ said: one, own }])
      else members.push({ said: one, own })
    }
  }
  return subnets
}

const hints = ({ said }: Surroundings): readonly Hint[] =>
  [...membersBySubnet(said)].flatMap(([subnet, members]) => {
    const [a, b] = members
    if (members.length !== 2 || a === undefined || b === undefined || a.said === b.said) return []
    // The same address twice is a mistake, or the subnet is used in two places.
    return a.own.address === b.own.address ? [] : [hintOf(subnet, a, b)]
  })

const hintOf = (subnet: string, a: Member, b: Member): Hint => {
  const portA = portBelow(a.said, a.own.interface)
  const portB = portBelow(b.said, b.own.interface)
  const plain = portA === a.own.interface && portB === b.own.interface
  return {
    kind: "subnet",
    a: { device: a.said.device, interface: portA },
    b: { device: b.said.device, interface: portB },
    weight: a.own.hostBits > 2 ? BIGGER : plain ? POINT_TO_POINT : LOGICAL,
    text: `${a.said.name} ${a.own.interface} and ${b.said.name} ${b.own.interface} share ${subnet}`,
  }
}

export const SUBNET: EvidenceKind = { kind: "subnet", hints }
