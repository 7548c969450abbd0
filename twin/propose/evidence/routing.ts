/**
 * Routing neighbours: an OSPF neighbour shares a segment, an eBGP peer mostly a wire (RFC 4271 s9: directly connected
 * unless multihop). Either may run over a VLAN or a tunnel, so that neither makes a link likely by itself (W2); beside a
 * subnet or LLDP they confirm. An iBGP peer says nothing.
 */
import type { EvidenceKind, Hint, HintEnd, Surroundings } from "#twin/propose/evidence/evidence.ts"
import { portBelow } from "#twin/propose/evidence/evidence.ts"
import type { Routing, Said } from "#twin/propose/said.ts"
import type { Who } from "#twin/propose/who.ts"

const OSPF_WEIGHT = 0.35
const BGP_WEIGHT = 0.3

const hintsOf =
  (kind: Routing["kind"]) =>
  ({ said, who }: Surroundings): readonly Hint[] =>
    said.flatMap((own) =>
      own.routing.flatMap((one) => {
        if (one.kind !== kind || !one.up) return []
        const hint = hintOf(own, one, who)
        return hint === null ? [] : [hint]
      }),
    )

const hintOf = (own: Said, routing: Routing, who: Who): Hint | null => {
  const other = who.byAddress(routing.remote)
  if (other === null || other === own) return null
  const shared = sharedSubnet(own, routing.kind === "bgp" ? onlyAt(other, routing.remote) : other, routing.interface)
  // A peer that is not on a common subnet is reached over others: no hint of a wire.
  if (routing.kind === "bgp" && shared === null) return null
  const [a, b] = shared ?? [nearEnd(own, routing.interface), { device: other.device, interface: null }]
  return {
    kind: routing.kind,
    a,
    b,
    weight: routing.kind === "ospf" ? OSPF_WEIGHT : BGP_WEIGHT,
    text: `${own.name} has ${other.name} as ${routing.kind === "ospf" ? "OSPF neighbour" : "BGP peer"} ${routing.remote}`,
  }
}

/** A peer is met at its address; an OSPF neighbour goes by its router id, which is mostly on no wire. */
const onlyAt = (other: Said, remote: string): Said => ({
  ...other,
  addresses: other.addresses.filter(({ address }) => address === remote),
})

const nearEnd = (own: Said, ifName: string | null): HintEnd => ({
  device: own.device,
  interface: ifName === null || !own.interfaces.includes(ifName) ? null : portBelow(own, ifName),
})

/** The interfaces on their one common subnet; null = none, or several. */
const sharedSubnet = (own: Said, other: Said, ifName: string | null): readonly [HintEnd, HintEnd] | null => {
  const its = new Map(other.addresses.map((one) => [one.subnet, one.interface]))
  const common = own.addresses.filter(
    (one) => one.hostBits > 0 && its.has(one.subnet) && (ifName === null || one.interface === ifName),
  )
  const [only] = common
  if (only === undefined || common.length > 1) return null
  return [
    { device: own.device, interface: portBelow(own, only.interface) },
    { device: other.device, interface: portBelow(other, its.get(only.subnet) as string) },
  ]
}

export const OSPF: EvidenceKind = { kind: "ospf", hints: hintsOf("ospf") }
export const BGP: EvidenceKind = { kind: "bgp", hints: hintsOf("bgp") }
